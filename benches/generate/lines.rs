//! The lines of exports: compact `DynamoDB` JSON, `{"Item":{…}}`, or Amazon Ion,
//! `$ion_1_0 {Item:{…}}`, one item a line; of incremental exports one change a line.
//!
//! The shapes say what an item holds by calling [`Lines::at`] and then one of the ten
//! values; how that looks in bytes is known here alone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;

/// What the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Every value wrapped in its type descriptor
    #[default]
    DynamodbJson,
    /// As ion-java writes it
    Ion,
}

/// Writes items into a buffer of text.
#[derive(Default)]
pub struct Lines {
    text: String,
    format: Format,
    /// Items that were written.
    items: u64,
    /// How many strings with characters outside ASCII were written.
    beyond_ascii: u32,
    /// Where the attributes of the last item begin.
    attributes: Vec<usize>,
    /// Maps that are open.
    depth: usize,
}

/// A record of an incremental export. An attribute is its text: name, colon, value.
pub struct Change<'a> {
    /// When it was written, in microseconds from 1970 on.
    pub micros: u64,
    /// The primary key.
    pub keys: &'a [String],
    /// The item as it was, where it was and the view has it.
    pub old: Option<&'a [String]>,
    /// The item as it is, if it still is.
    pub new: Option<&'a [String]>,
}

impl Lines {
    /// Nothing yet, to be filled in this format.
    pub fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    fn is_ion(&self) -> bool {
        self.format == Format::Ion
    }

    /// One line with one item; `fill` gives its attributes.
    pub fn item(&mut self, fill: impl FnOnce(&mut Self)) {
        self.begin_line();
        self.attributes.clear();
        self.text.push_str(if self.is_ion() { "{Item:{" } else { "{\"Item\":{" });
        fill(self);
        self.text.push_str("}}\n");
    }

    /// The attributes of the last item, each as its text.
    pub fn attributes(&self) -> Vec<String> {
        let ends = self.attributes.iter().skip(1).map(|start| start - ",".len()).chain([self.text.len() - "}}\n".len()]);
        self.attributes.iter().zip(ends).map(|(&start, end)| self.text[start..end].to_owned()).collect()
    }

    /// One line with one record of an incremental export. JSON as real exports have it; Ion,
    /// of which none is public, as the developer guide shows it.
    pub fn change(&mut self, change: &Change) {
        self.begin_line();
        self.text.push_str(if self.is_ion() { "{Record:{" } else { "{" });
        if self.is_ion() {
            self.object("Keys", change.keys);
        }
        self.name("Metadata");
        self.text.push('{');
        self.name("WriteTimestampMicros");
        self.digits(&change.micros.to_string());
        self.text.push('}');
        if !self.is_ion() {
            self.object("Keys", change.keys);
        }
        for (name, image) in [("OldImage", change.old), ("NewImage", change.new)] {
            if let Some(image) = image {
                self.object(name, image);
            }
        }
        self.text.push_str(if self.is_ion() { "}}\n" } else { "}\n" });
    }

    fn begin_line(&mut self) {
        // ion-java's writer puts a blank before all but the first of its values.
        self.text.push_str(match (self.format, self.items) {
            (Format::DynamodbJson, _) => "",
            (Format::Ion, 0) => "$ion_1_0 ",
            (Format::Ion, _) => " $ion_1_0 ",
        });
        self.items += 1;
    }

    fn object(&mut self, name: &str, attributes: &[String]) {
        self.name(name);
        self.text.push('{');
        for attribute in attributes {
            self.separate();
            self.text.push_str(attribute);
        }
        self.text.push('}');
    }

    /// The lines so far.
    pub fn lines(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Forgets the lines so far, keeps their memory.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// The name of an attribute, or of a member of a map. Its value must follow.
    pub fn at(&mut self, name: &str) -> &mut Self {
        let before = self.text.len();
        self.name(name);
        if self.depth == 0 {
            let comma = usize::from(self.text.as_bytes()[before] == b',');
            self.attributes.push(before + comma);
        }
        self
    }

    fn name(&mut self, name: &str) {
        self.separate();
        if self.is_ion() {
            self.symbol(name);
        } else {
            self.quote(name);
        }
        self.text.push(':');
    }

    /// S
    pub fn string(&mut self, value: &str) {
        self.open("S");
        self.quote(value);
        self.close();
    }

    /// N that is an integer
    pub fn integer(&mut self, value: i64) {
        self.decimal(value, 0);
    }

    /// N of `value / 10^scale`. Without trailing zeros: `DynamoDB` gives 12.50 back as 12.5.
    pub fn decimal(&mut self, mut value: i64, mut scale: usize) {
        while scale > 0 && value % 10 == 0 {
            value /= 10;
            scale -= 1;
        }
        let sign = if value < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        self.open("N");
        self.number(&format!("{sign}{whole}{point}{fraction}"));
        self.close();
    }

    /// N given as its digits, for those that fit no integer type
    pub fn digits(&mut self, digits: &str) {
        self.open("N");
        self.number(digits);
        self.close();
    }

    /// A number in plain form without trailing zeros behind its point. Ion has a decimal: with a
    /// point, or the zeros at its end as an exponent.
    fn number(&mut self, plain: &str) {
        let digits = plain.trim_end_matches('0');
        let zeros = plain.len() - digits.len();
        // Writing into a String cannot fail.
        let _ = match self.format {
            Format::DynamodbJson => write!(self.text, "\"{plain}\""),
            Format::Ion if plain == "0" || zeros == 0 && !plain.contains('.') => write!(self.text, "{plain}."),
            Format::Ion if zeros > 0 && !plain.contains('.') => write!(self.text, "{digits}d{zeros}"),
            Format::Ion => write!(self.text, "{plain}"),
        };
    }

    /// BOOL
    pub fn boolean(&mut self, value: bool) {
        self.open("BOOL");
        self.text.push_str(if value { "true" } else { "false" });
        self.close();
    }

    /// NULL
    pub fn null(&mut self) {
        self.open("NULL");
        self.text.push_str(if self.is_ion() { "null" } else { "true" });
        self.close();
    }

    /// B
    pub fn binary(&mut self, value: &[u8]) {
        self.open("B");
        self.base64(value);
        self.close();
    }

    /// M; `fill` gives its members.
    pub fn map(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open("M");
        self.text.push('{');
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        self.text.push('}');
        self.close();
    }

    /// L; `fill` gives its elements.
    pub fn list(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open("L");
        self.text.push('[');
        fill(self);
        self.text.push(']');
        self.close();
    }

    /// SS
    pub fn string_set(&mut self, values: &[&str]) {
        self.set("SS", values, |lines, value| lines.quote(value));
    }

    /// NS of integers
    pub fn number_set(&mut self, values: &[i64]) {
        self.set("NS", values, |lines, value| lines.number(&value.to_string()));
    }

    /// BS
    pub fn binary_set(&mut self, values: &[impl AsRef<[u8]>]) {
        self.set("BS", values, |lines, value| lines.base64(value.as_ref()));
    }

    fn set<T>(&mut self, descriptor: &str, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.open(descriptor);
        if self.is_ion() {
            let _ = write!(self.text, "$dynamodb_{descriptor}::");
        }
        self.text.push('[');
        for value in values {
            self.separate();
            write(self, value);
        }
        self.text.push(']');
        self.close();
    }

    /// A value up to and with the colon after its type descriptor, which Ion has none of.
    fn open(&mut self, descriptor: &str) {
        self.separate();
        if !self.is_ion() {
            let _ = write!(self.text, "{{\"{descriptor}\":");
        }
    }

    fn close(&mut self) {
        if !self.is_ion() {
            self.text.push('}');
        }
    }

    /// A comma, unless what comes is the first of its object or array or belongs to a name.
    /// The byte before tells: a value never ends in one of the three, a string ends in a quote.
    fn separate(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    fn base64(&mut self, bytes: &[u8]) {
        let (before, behind) = if self.is_ion() { ("{{", "}}") } else { ("\"", "\"") };
        self.text.push_str(before);
        BASE64.encode_string(bytes, &mut self.text);
        self.text.push_str(behind);
    }

    /// A name in Ion: in quotes where it is no identifier. The shapes have no other names.
    fn symbol(&mut self, name: &str) {
        let bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.as_bytes()[0].is_ascii_digit();
        if bare {
            self.text.push_str(name);
        } else {
            let _ = write!(self.text, "'{name}'");
        }
    }

    /// A string. No real sample shows how JSON exports write characters outside ASCII, so both
    /// ways come: most strings as UTF-8, every fourth with escapes, of which half in capitals.
    fn quote(&mut self, value: &str) {
        self.text.push('"');
        if value.bytes().all(|byte| (b' '..0x7F).contains(&byte) && byte != b'"' && byte != b'\\') {
            self.text.push_str(value);
        } else {
            self.beyond_ascii += u32::from(!value.is_ascii());
            let (escaped, capitals) = (!self.is_ion() && self.beyond_ascii.is_multiple_of(4), self.beyond_ascii.is_multiple_of(8));
            for char in value.chars() {
                match char {
                    '"' => self.text.push_str("\\\""),
                    '\\' => self.text.push_str("\\\\"),
                    '\n' => self.text.push_str("\\n"),
                    '\r' => self.text.push_str("\\r"),
                    '\t' => self.text.push_str("\\t"),
                    '\0'..='\x1F' if self.is_ion() => {
                        let _ = write!(self.text, "\\x{:02x}", u32::from(char));
                    }
                    '\0'..='\x1F' => self.unicode_escape(char, false),
                    '\u{80}'.. if escaped => self.unicode_escape(char, capitals),
                    _ => self.text.push(char),
                }
            }
        }
        self.text.push('"');
    }

    /// `\u00e9`; characters past U+FFFF as a surrogate pair.
    fn unicode_escape(&mut self, char: char, capitals: bool) {
        for unit in char.encode_utf16(&mut [0; 2]) {
            let _ = if capitals { write!(self.text, "\\u{unit:04X}") } else { write!(self.text, "\\u{unit:04x}") };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fill: impl FnOnce(&mut Lines)) -> String {
        let mut json = Lines::default();
        json.item(fill);
        String::from_utf8(json.lines().to_vec()).unwrap()
    }

    #[test]
    fn every_type_as_in_a_real_export() {
        let written = line(|item| {
            item.at("id").string("K3TXQk84Si");
            item.at("a").boolean(false);
            item.at("b").null();
            item.at("c").string_set(&["8gfX8dh0xa", "fRjHZJ2Ce9"]);
            item.at("d").number_set(&[3, 2]);
            item.at("e").list(|list| {
                list.integer(1);
                list.string("x");
            });
            item.at("f").map(|map| map.at("h").null());
            item.at("j").binary(b"hello");
            item.at("k").binary_set(&[b"is fast"]);
        });
        assert_eq!(
            written,
            concat!(
                r#"{"Item":{"id":{"S":"K3TXQk84Si"},"a":{"BOOL":false},"b":{"NULL":true},"#,
                r#""c":{"SS":["8gfX8dh0xa","fRjHZJ2Ce9"]},"d":{"NS":["3","2"]},"#,
                r#""e":{"L":[{"N":"1"},{"S":"x"}]},"f":{"M":{"h":{"NULL":true}}},"#,
                r#""j":{"B":"aGVsbG8="},"k":{"BS":["aXMgZmFzdA=="]}}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn every_type_in_ion() {
        let mut lines = Lines::new(Format::Ion);
        for _ in 0..2 {
            lines.item(|item| {
                item.at("id").string("a\"é\u{1}");
                item.at("odd-name").boolean(false);
                item.at("b").null();
                item.at("c").string_set(&["x", "y"]);
                item.at("d").number_set(&[30, 2]);
                item.at("e").list(|list| {
                    list.integer(0);
                    list.decimal(-125, 1);
                });
                item.at("f").map(|map| map.at("h").digits("1702062202420"));
                item.at("j").binary(b"hello");
                item.at("k").binary_set(&[b"x"]);
            });
        }
        let item = concat!(
            r#"$ion_1_0 {Item:{id:"a\"é\x01",'odd-name':false,b:null,c:$dynamodb_SS::["x","y"],"#,
            r#"d:$dynamodb_NS::[3d1,2.],e:[0.,-12.5],f:{h:170206220242d1},j:{{aGVsbG8=}},k:$dynamodb_BS::[{{eA==}}]}}"#,
        );
        assert_eq!(lines.text, format!("{item}\n {item}\n"));
    }

    #[test]
    fn empty_values() {
        let written = line(|item| {
            item.at("s").string("");
            item.at("l").list(|_| {});
            item.at("m").map(|_| {});
        });
        assert_eq!(written, "{\"Item\":{\"s\":{\"S\":\"\"},\"l\":{\"L\":[]},\"m\":{\"M\":{}}}}\n");
    }

    #[test]
    fn strings_that_end_like_brackets_get_their_comma() {
        let written = line(|item| {
            item.at("a{").string("[");
            item.at("b").string_set(&["{", ":"]);
        });
        assert_eq!(written, "{\"Item\":{\"a{\":{\"S\":\"[\"},\"b\":{\"SS\":[\"{\",\":\"]}}}\n");
    }

    #[test]
    fn decimals_are_plain_and_without_trailing_zeros() {
        for (value, scale, text) in
            [(1250, 2, "12.5"), (1200, 2, "12"), (5, 2, "0.05"), (-5, 2, "-0.05"), (-1250, 2, "-12.5"), (0, 2, "0"), (100, 0, "100")]
        {
            let written = line(|item| item.at("n").decimal(value, scale));
            assert_eq!(written, format!("{{\"Item\":{{\"n\":{{\"N\":\"{text}\"}}}}}}\n"));
        }
    }

    #[test]
    fn escapes() {
        let mut json = Lines::default();
        for _ in 0..8 {
            json.quote("é😀");
        }
        json.quote("\"\\\n\r\t\u{1}/");
        assert_eq!(
            json.text,
            concat!(r#""é😀""é😀""é😀""\u00e9\ud83d\ude00""é😀""é😀""é😀""\u00E9\uD83D\uDE00""#, r#""\"\\\n\r\t\u0001/""#)
        );
    }
}
