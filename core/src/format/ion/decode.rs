//! Ion text → events: one record, from a text that holds it whole.
//!
//! The forms that exporters write are read here, straight into the sink, and so is all text
//! in quotes. A value in any other form (a number in another base, a float, a clob, a symbol's
//! number) is found as a whole and given to ion-rs; what is around it goes on here.

use ion_rs::Element;

use super::foreign::{self, Reader, Sender};
use super::lex::{at_index, ends_number, exponent_number, fault_of, is_symbol_id, unexpected, unquote, without_point};
use super::scan::{self, End};
use crate::base64;
use crate::error::Code;
use crate::event::{Discard, Kind, SetMembers, Sink, Undocumented, Want};
use crate::format::json::scan::string_end;
use crate::format::record::{Decoded, Fault, MAX_NESTING, shown};
use crate::number::{Number, NumberError};
use crate::path::Step;

/// Reads records from a text.
pub struct Decoder<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) depth: u32,
    /// The symbol tables that hold here.
    context: &'a [u8],
    pub(super) scratch: &'a mut Scratch,
}

/// Buffers that are used again from record to record.
#[derive(Default)]
pub struct Scratch {
    pub(super) text: String,
    binary: Vec<u8>,
    discard: Discard,
    pub(super) members: SetMembers,
    reader: Reader,
    /// Values left until one is given to ion-rs, whatever its form: for the tests of the
    /// switch.
    #[cfg(test)]
    pub(super) switch_in: Option<usize>,
}

impl<'a> Decoder<'a> {
    /// A decoder at an index of a text.
    pub fn new(text: &'a str, at: usize, context: &'a [u8], scratch: &'a mut Scratch) -> Self {
        Self { text, bytes: text.as_bytes(), at, depth: 0, context, scratch }
    }

    /// The index of the next byte.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The members of an item or map, behind its opening brace.
    pub(super) fn attributes<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.white()?;
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let name_at = self.at;
            let want = match self.bare_name() {
                Some(name) => sink.attribute(name),
                None => {
                    self.field_name()?;
                    sink.attribute(&self.scratch.text)
                }
            };
            let want = match want {
                Ok(want) => want,
                Err(refusal) => return Err(self.in_attribute(Fault::refused(refusal, name_at), name_at)),
            };
            if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                self.colon()?;
            }
            let value = match want {
                Want::Value => self.value(sink),
                Want::Nothing => self.unwanted_value(),
            };
            if let Err(fault) = value {
                return Err(self.in_attribute(fault, name_at));
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {
                    self.white()?;
                    if self.eat(b'}') {
                        return Ok(());
                    }
                    if !self.eat(b',') {
                        return Err(self.unexpected("`,` or `}`"));
                    }
                }
            }
            self.white()?;
            // A comma may stand behind the last one.
            if self.eat(b'}') {
                return Ok(());
            }
        }
    }

    /// A value that nobody asked for: syntax, annotations and names are checked all the same.
    fn unwanted_value(&mut self) -> Decoded {
        let mut discard = std::mem::take(&mut self.scratch.discard);
        discard.begin_item();
        let result = self.value(&mut discard);
        self.scratch.discard = discard;
        result
    }

    /// The name that starts here, if it is one without quotes that stands for itself.
    #[inline]
    fn bare_name(&mut self) -> Option<&'a str> {
        let start = self.at;
        if !self.peek().is_some_and(|b| scan::is_identifier(b) && !b.is_ascii_digit()) {
            return None;
        }
        let rest = &self.bytes[start..];
        let end = start + rest.iter().position(|&b| !scan::is_identifier(b)).unwrap_or(rest.len());
        let name = &self.bytes[start..end];
        if name.len() < 6 && matches!(name, b"null" | b"true" | b"false" | b"nan") || is_symbol_id(name) {
            return None;
        }
        self.at = end;
        Some(&self.text[start..end])
    }

    /// The name that starts here, in any form, into `scratch.text`.
    #[cold]
    pub(super) fn field_name(&mut self) -> Decoded {
        if let Some(name) = self.bare_name() {
            name.clone_into(&mut self.scratch.text);
            return Ok(());
        }
        let start = self.at;
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted(),
            Some(b'$') => {
                // The number of a symbol; what has no number is a bare name.
                self.at += 1 + self.bytes[start + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
                let at = at_index(start);
                let element = self.read(start).map_err(&at)?;
                let text =
                    element.as_text().ok_or_else(|| at(Fault::new(Code::IonType, 0, "a field whose name is a symbol without text")))?;
                text.clone_into(&mut self.scratch.text);
                Ok(())
            }
            _ => Err(self.unexpected("a field name")),
        }
    }

    /// The string or symbol that starts here with its quotes, into `scratch.text`.
    #[cold]
    fn quoted(&mut self) -> Decoded {
        self.scratch.text.clear();
        self.at = unquote(self.text, self.at, &mut self.scratch.text)?;
        Ok(())
    }

    #[inline]
    pub(super) fn value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        #[cfg(test)]
        if let Some(left) = &mut self.scratch.switch_in {
            if *left == 0 {
                self.scratch.switch_in = None;
                self.white()?;
                let start = self.at;
                self.skip_value()?;
                let element = self.read(start).map_err(at_index(start))?;
                return Sender::new(sink, self.depth, &mut self.scratch.members).value(&element).map_err(at_index(start));
            }
            *left -= 1;
        }
        let at = self.at;
        match self.peek() {
            Some(b'"') => self.string(sink),
            Some(b'0'..=b'9' | b'-') => match self.number() {
                Some(Ok(number)) => {
                    self.say_int(at, sink);
                    sink.number(number);
                    Ok(())
                }
                Some(Err(error)) => self.bad_number(error, sink),
                None => self.foreign(sink),
            },
            Some(b'{') => match self.bytes.get(self.at + 1) {
                Some(b'{') => self.lob(sink),
                _ => self.map(sink),
            },
            Some(b'[') => self.list(sink),
            _ => self.other_value(sink),
        }
    }

    fn other_value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at;
        self.white()?;
        if self.at > start {
            return match self.peek() {
                Some(b'"' | b'0'..=b'9' | b'-' | b'{' | b'[') => self.value(sink),
                _ => self.other_value(sink),
            };
        }
        if let Some(kind) = self.annotation() {
            return self.set(kind, sink);
        }
        let rest = &self.bytes[start..];
        let word = |word: &[u8]| {
            rest.starts_with(word) && !rest.get(word.len()).is_some_and(|&b| scan::is_identifier(b) || matches!(b, b'.' | b':'))
        };
        let length = match rest.first() {
            Some(b'n') if word(b"null") => {
                sink.null();
                4
            }
            Some(b't') if word(b"true") => {
                sink.boolean(true);
                4
            }
            Some(b'f') if word(b"false") => {
                sink.boolean(false);
                5
            }
            Some(b'\'') => {
                self.quoted()?;
                if self.is_annotated()? {
                    self.at = start;
                    return self.foreign(sink);
                }
                if !rest.starts_with(b"'''") {
                    sink.undocumented(Undocumented::Symbol);
                }
                sink.string(&self.scratch.text);
                return Ok(());
            }
            _ => return self.foreign(sink),
        };
        self.at += length;
        Ok(())
    }

    /// Whether what ended here is an annotation.
    fn is_annotated(&mut self) -> Decoded<bool> {
        let colons = scan::white_end(self.bytes, self.at, true).map_err(|end| fault_of(end, self.text))?;
        Ok(self.bytes[colons..].starts_with(b"::"))
    }

    /// A value that is read by ion-rs.
    #[cold]
    fn foreign<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at;
        let element = self.foreign_element()?;
        Sender::new(sink, self.depth, &mut self.scratch.members).value(&element).map_err(at_index(start))
    }

    /// The value that starts here, as ion-rs reads it. What has no DynamoDB value in any case is
    /// not given to it.
    fn foreign_element(&mut self) -> Decoded<Element> {
        let start = self.at;
        self.skip_value()?;
        let text = &self.text[start..self.at];
        let no_value = |what: &str| Err(Fault::new(Code::IonType, start, format!("{what} has no DynamoDB value")));
        let symbol = match text.as_bytes() {
            [b'(', ..] => return no_value("an s-expression"),
            [y, e, a, r, b'-' | b'T', ..] if [y, e, a, r].iter().all(|b| b.is_ascii_digit()) => return no_value("a timestamp"),
            [b'\'', ..] => {
                self.scratch.text.clear();
                Some(unquote(self.text, start, &mut self.scratch.text)?)
            }
            [first, ..] if scan::is_identifier(*first) && !first.is_ascii_digit() => {
                let length = text.bytes().take_while(|&b| scan::is_identifier(b)).count();
                self.scratch.text.clear();
                self.scratch.text.push_str(&text[..length]);
                Some(start + length)
            }
            _ => None,
        };
        if let Some(end) = symbol {
            let colons = scan::white_end(self.bytes, end, true).unwrap_or(end);
            if self.bytes[colons..].starts_with(b"::") {
                return Err(match foreign::set_kind(&self.scratch.text) {
                    Some(kind) => foreign::no_list(kind),
                    None => foreign::unknown_annotation(&self.scratch.text),
                })
                .map_err(at_index(start));
            }
            let name = &self.scratch.text;
            // `null.int` is longer than its name.
            let is_keyword = end < self.at || matches!(&**name, "null" | "true" | "false" | "nan");
            if text.starts_with('\'') || !is_keyword && !is_symbol_id(name.as_bytes()) {
                return Ok(Element::symbol(&**name));
            }
        }
        self.read(start).map_err(at_index(start))
    }

    /// The text from `start` to here, as ion-rs reads it.
    fn read(&mut self, start: usize) -> Decoded<Element> {
        self.scratch.reader.read(self.context, &self.text[start..self.at])
    }

    #[inline]
    fn string<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at + 1;
        let end = string_end(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            sink.string(&self.text[start..end]);
            return Ok(());
        }
        self.quoted()?;
        sink.string(&self.scratch.text);
        Ok(())
    }

    /// The number that starts here, if it is a decimal or integer as exporters write them; no
    /// move where it is none.
    #[inline]
    fn number(&mut self) -> Option<Result<Number, NumberError>> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| !(b.is_ascii_digit() || matches!(b, b'.' | b'-')))?;
        let text = &rest[..length];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if matches!(digits, [b'0', b'0'..=b'9', ..] | [b'.', ..] | []) {
            return None;
        }
        let (number, length) =
            if ends_number(rest[length]) { (Number::parse(without_point(text)?), length) } else { exponent_number(rest, length)? };
        match number {
            // A date, or two points: another form, or none.
            Err(NumberError::Syntax) => return None,
            Err(_) => {}
            Ok(_) => self.at += length,
        }
        Some(number)
    }

    /// Says of a number from `start` to here whether it is an integer of Ion.
    #[inline]
    fn say_int<S: Sink>(&self, start: usize, sink: &mut S) {
        if sink.asks().undocumented && !self.bytes[start..self.at].iter().any(|b| matches!(b, b'.' | b'd' | b'D')) {
            sink.undocumented(Undocumented::Int);
        }
    }

    /// A number that is none of DynamoDB's.
    #[cold]
    fn bad_number<S: Sink>(&mut self, error: NumberError, sink: &mut S) -> Decoded {
        let start = self.at;
        self.skip_value()?;
        if sink.asks().values {
            return Err(Fault::new(Code::Number, start, format!("{error}: {}", shown(&self.text[start..self.at]))));
        }
        sink.number(Number::from(0));
        Ok(())
    }

    /// A blob; a clob is read by ion-rs.
    fn lob<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at + 2;
        let Some(end) = self.blob_end() else { return self.foreign(sink) };
        self.at = end + 2;
        if !sink.asks().values {
            sink.binary(&[]);
            return Ok(());
        }
        let text = &self.bytes[start..end];
        let binary = &mut self.scratch.binary;
        binary.clear();
        let result = if text.iter().any(|&b| scan::is_white(b)) {
            base64::decode(&text.iter().copied().filter(|&b| !scan::is_white(b)).collect::<Vec<_>>(), binary)
        } else {
            base64::decode(text, binary)
        };
        match result {
            Ok(()) => {
                sink.binary(binary);
                Ok(())
            }
            Err(error) => {
                let message = format!("not base64 ({error}): {}", shown(&self.text[start..end]));
                Err(Fault::new(Code::Base64, start, message))
            }
        }
    }

    /// Where the base64 of the blob here ends; `None` for a clob.
    fn blob_end(&self) -> Option<usize> {
        let start = self.at + 2;
        let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=') || scan::is_white(b);
        let end = start + self.bytes[start..].iter().position(|&b| !base64(b))?;
        self.bytes[end..].starts_with(b"}}").then_some(end)
    }

    fn nest(&mut self) -> Decoded {
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(foreign::too_deep(self.at)) } else { Ok(()) }
    }

    fn map<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.at += 1;
        self.nest()?;
        sink.begin_map();
        self.attributes(sink)?;
        sink.end_map();
        self.depth -= 1;
        Ok(())
    }

    fn list<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.at += 1;
        self.nest()?;
        sink.begin_list();
        while !self.end_of_list()? {
            if let Err(mut fault) = self.value(sink) {
                fault.path.push(Step::Element);
                return Err(fault);
            }
            self.end_of_element()?;
        }
        sink.end_list();
        self.depth -= 1;
        Ok(())
    }

    /// The set that the annotation here says, and goes to what it annotates; no move where
    /// there is none, or others.
    fn annotation(&mut self) -> Option<Kind> {
        let (start, quoted) = match self.peek() {
            Some(b'$') => (self.at, false),
            Some(b'\'') => (self.at + 1, true),
            _ => return None,
        };
        let length = self.bytes[start..].iter().position(|&b| !scan::is_identifier(b))?;
        let mut end = start + length;
        let kind = foreign::set_kind(&self.text[start..end])?;
        if quoted {
            if self.bytes.get(end) != Some(&b'\'') {
                return None;
            }
            end += 1;
        }
        let colons = scan::white_end(self.bytes, end, true).ok()?;
        if !self.bytes[colons..].starts_with(b"::") {
            return None;
        }
        let list = scan::white_end(self.bytes, colons + 2, true).ok()?;
        if self.bytes.get(list) != Some(&b'[') {
            return None;
        }
        self.at = list;
        Some(kind)
    }

    fn set<S: Sink>(&mut self, kind: Kind, sink: &mut S) -> Decoded {
        self.at += 1;
        sink.begin_set(kind);
        self.scratch.members.begin();
        while !self.end_of_list()? {
            self.member(kind, sink)?;
            self.end_of_element()?;
        }
        sink.end_set();
        Ok(())
    }

    fn member<S: Sink>(&mut self, kind: Kind, sink: &mut S) -> Decoded {
        let start = self.at;
        let is_new = match (kind, self.peek()) {
            (Kind::SS, Some(b'"')) => {
                self.quoted()?;
                sink.string(&self.scratch.text);
                !sink.asks().distinct || self.scratch.members.is_new(self.scratch.text.as_bytes())
            }
            (Kind::NS, Some(b'0'..=b'9' | b'-')) => match self.number() {
                Some(Ok(number)) => {
                    self.say_int(start, sink);
                    sink.number(number);
                    !sink.asks().distinct || self.scratch.members.is_new_number(number)
                }
                Some(Err(error)) => {
                    self.bad_number(error, sink)?;
                    true
                }
                None => return self.foreign_member(kind, sink),
            },
            (Kind::BS, Some(b'{')) if self.bytes.get(start + 1) == Some(&b'{') && self.blob_end().is_some() => {
                self.lob(sink)?;
                !sink.asks().distinct || self.scratch.members.is_new(&self.scratch.binary)
            }
            _ => return self.foreign_member(kind, sink),
        };
        if is_new { Ok(()) } else { Err(Fault { at: start, ..*foreign::twice() }.into()) }
    }

    #[cold]
    fn foreign_member<S: Sink>(&mut self, kind: Kind, sink: &mut S) -> Decoded {
        let start = self.at;
        // Strings and quoted symbols are read here alone.
        let is_text = self.peek() == Some(b'\'');
        let element = if is_text {
            self.quoted()?;
            if self.is_annotated()? {
                return Err(foreign::wrong_member(kind)).map_err(at_index(start));
            }
            if !self.bytes[start..].starts_with(b"'''") {
                sink.undocumented(Undocumented::Symbol);
            }
            Element::string(&*self.scratch.text)
        } else {
            self.foreign_element()?
        };
        Sender::new(sink, self.depth, &mut self.scratch.members).member(&element, kind).map_err(at_index(start))
    }

    /// Before an element: whether the list ends here.
    #[inline]
    fn end_of_list(&mut self) -> Decoded<bool> {
        self.white()?;
        Ok(self.eat(b']'))
    }

    /// Behind an element: a comma, or the list's end, which stays.
    #[inline]
    fn end_of_element(&mut self) -> Decoded {
        self.white()?;
        if self.eat(b',') || self.peek() == Some(b']') { Ok(()) } else { Err(self.unexpected("`,` or `]`")) }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes over white space and comments.
    #[inline]
    pub(super) fn white(&mut self) -> Decoded {
        match self.peek() {
            Some(byte) if byte > b' ' && byte != b'/' => Ok(()),
            _ => match scan::white_end(self.bytes, self.at, true) {
                Ok(at) => {
                    self.at = at;
                    Ok(())
                }
                Err(end) => Err(fault_of(end, self.text)),
            },
        }
    }

    pub(super) fn colon(&mut self) -> Decoded {
        self.white()?;
        if self.eat(b':') { Ok(()) } else { Err(self.unexpected("`:`")) }
    }

    /// Goes behind the value that starts here, whatever it is.
    pub(super) fn skip_value(&mut self) -> Decoded {
        match scan::value_end(self.bytes, self.at, true) {
            End::At(end) => {
                self.at = end;
                Ok(())
            }
            end => Err(fault_of(end, self.text)),
        }
    }

    #[cold]
    pub(super) fn unexpected(&self, wanted: &str) -> Box<Fault> {
        unexpected(self.text, self.at, wanted)
    }

    #[cold]
    fn in_attribute(&mut self, mut fault: Box<Fault>, name_at: usize) -> Box<Fault> {
        self.at = name_at;
        if let Some(name) = self.bare_name() {
            fault.path.push(Step::Name(name.into()));
        } else if self.field_name().is_ok() {
            fault.path.push(Step::Name(self.scratch.text.as_str().into()));
        }
        fault
    }
}
