//! `DynamoDB` JSON as exports write it: compact, one item a line, `{"Item":{…}}` and `\n`.
//!
//! The shapes say what an item holds by calling [`DynamoDbJson::at`] and then one of the ten
//! values; how that looks in bytes is known here alone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Writes items into a buffer of text.
#[derive(Default)]
pub struct DynamoDbJson {
    text: String,
    /// How many strings with characters outside ASCII were written.
    beyond_ascii: u32,
}

impl DynamoDbJson {
    /// One line with one item; `fill` gives its attributes.
    pub fn item(&mut self, fill: impl FnOnce(&mut Self)) {
        self.text.push_str("{\"Item\":{");
        fill(self);
        self.text.push_str("}}\n");
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
        self.separate();
        self.quote(name);
        self.text.push(':');
        self
    }

    /// S
    pub fn string(&mut self, value: &str) {
        self.open("S");
        self.quote(value);
        self.text.push('}');
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
        // Writing into a String cannot fail.
        let _ = write!(self.text, "\"{sign}{whole}{point}{fraction}\"}}");
    }

    /// N given as its digits, for those that fit no integer type
    pub fn digits(&mut self, digits: &str) {
        self.open("N");
        self.quote(digits);
        self.text.push('}');
    }

    /// BOOL
    pub fn boolean(&mut self, value: bool) {
        self.open("BOOL");
        self.text.push_str(if value { "true}" } else { "false}" });
    }

    /// NULL
    pub fn null(&mut self) {
        self.open("NULL");
        self.text.push_str("true}");
    }

    /// B
    pub fn binary(&mut self, value: &[u8]) {
        self.open("B");
        self.base64(value);
        self.text.push('}');
    }

    /// M; `fill` gives its members.
    pub fn map(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open("M");
        self.text.push('{');
        fill(self);
        self.text.push_str("}}");
    }

    /// L; `fill` gives its elements.
    pub fn list(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open("L");
        self.text.push('[');
        fill(self);
        self.text.push_str("]}");
    }

    /// SS
    pub fn string_set(&mut self, values: &[&str]) {
        self.set("SS", values, |json, value| json.quote(value));
    }

    /// NS of integers
    pub fn number_set(&mut self, values: &[i64]) {
        self.set("NS", values, |json, value| {
            let _ = write!(json.text, "\"{value}\"");
        });
    }

    /// BS
    pub fn binary_set(&mut self, values: &[impl AsRef<[u8]>]) {
        self.set("BS", values, |json, value| json.base64(value.as_ref()));
    }

    fn set<T>(&mut self, descriptor: &str, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.open(descriptor);
        self.text.push('[');
        for value in values {
            self.separate();
            write(self, value);
        }
        self.text.push_str("]}");
    }

    /// A value up to and with the colon after its type descriptor.
    fn open(&mut self, descriptor: &str) {
        self.separate();
        self.text.push_str("{\"");
        self.text.push_str(descriptor);
        self.text.push_str("\":");
    }

    /// A comma, unless what comes is the first of its object or array or belongs to a name.
    /// The byte before tells: a value never ends in one of the three, a string ends in a quote.
    fn separate(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.text.push('"');
        BASE64.encode_string(bytes, &mut self.text);
        self.text.push('"');
    }

    /// A JSON string. No real sample shows how exports write characters outside ASCII, so both
    /// ways come: most strings as UTF-8, every fourth with escapes, of which half in capitals.
    fn quote(&mut self, value: &str) {
        self.text.push('"');
        if value.bytes().all(|byte| (b' '..0x7F).contains(&byte) && byte != b'"' && byte != b'\\') {
            self.text.push_str(value);
        } else {
            self.beyond_ascii += u32::from(!value.is_ascii());
            let (escaped, capitals) = (self.beyond_ascii.is_multiple_of(4), self.beyond_ascii.is_multiple_of(8));
            for char in value.chars() {
                match char {
                    '"' => self.text.push_str("\\\""),
                    '\\' => self.text.push_str("\\\\"),
                    '\n' => self.text.push_str("\\n"),
                    '\r' => self.text.push_str("\\r"),
                    '\t' => self.text.push_str("\\t"),
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

    fn line(fill: impl FnOnce(&mut DynamoDbJson)) -> String {
        let mut json = DynamoDbJson::default();
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
        let mut json = DynamoDbJson::default();
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
