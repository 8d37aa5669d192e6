//! The parts of JSON: strings, white space, what is expected and what was found.

use super::super::descriptor::Descriptors;
use super::super::scan;
use super::Decoder;
use crate::error::Code;
use crate::event::Kind;
use crate::format::legacy::{ETX, STX};
use crate::format::record::{Decoded, Fault};

impl<D: Descriptors> Decoder<'_, D> {
    /// The string that starts here with its quote.
    #[inline]
    pub(super) fn string(&mut self) -> Decoded<&str> {
        if !self.eat(b'"') {
            return Err(self.unexpected("`\"`"));
        }
        self.string_body()
    }

    /// The rest of a string, behind its quote.
    #[inline]
    pub(super) fn string_body(&mut self) -> Decoded<&str> {
        let start = self.at;
        let end = scan::string_end(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(&self.text[start..end]);
        }
        self.escaped_string(start, end)
    }

    #[cold]
    fn escaped_string(&mut self, mut start: usize, mut end: usize) -> Decoded<&str> {
        self.scratch.unescaped.clear();
        loop {
            self.scratch.unescaped.push_str(&self.text[start..end]);
            self.at = end;
            match self.bytes.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(&self.scratch.unescaped);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    self.scratch.unescaped.push(c);
                }
                // Legacy dumps that are not from a JSON library may have their separators in values.
                Some(&byte @ (STX | ETX)) if D::LEGACY => {
                    self.scratch.unescaped.push(char::from(byte));
                    self.at += 1;
                }
                Some(byte) if *byte != b'\n' => {
                    return Err(Fault::new(Code::Json, end, format!("control character 0x{byte:02x} in a string; it must be escaped")));
                }
                _ => return Err(self.unexpected("the end of the string")),
            }
            start = self.at;
            end = scan::string_end(self.bytes, start);
        }
    }

    /// The escape that starts here with its backslash.
    fn escape(&mut self) -> Decoded<char> {
        let start = self.at;
        let bad = |at, message: &str| Err(Fault::new(Code::Json, at, message));
        self.at += 2;
        Ok(match self.bytes.get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let mut code = u32::from(self.hex4(start)?);
                if (0xd800..0xdc00).contains(&code) {
                    if !self.bytes[self.at..].starts_with(b"\\u") {
                        return bad(start, "a high surrogate without a low one");
                    }
                    self.at += 2;
                    let low = u32::from(self.hex4(start)?);
                    if !(0xdc00..0xe000).contains(&low) {
                        return bad(start, "a high surrogate without a low one");
                    }
                    code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return bad(start, "a low surrogate without a high one"),
                }
            }
            Some(_) => return bad(start, "unknown escape"),
            None => {
                self.at = self.bytes.len();
                return Err(self.unexpected("the end of the string"));
            }
        })
    }

    fn hex4(&mut self, start: usize) -> Decoded<u16> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let value = digits.iter().try_fold(0_u16, |sum, &b| Some(sum << 4 | char::from(b).to_digit(16)? as u16));
        match value {
            Some(value) if digits.len() == 4 => {
                self.at += 4;
                Ok(value)
            }
            _ => Err(Fault::new(Code::Json, start, "\\u takes four hexadecimal digits")),
        }
    }

    pub(super) fn colon(&mut self) -> Decoded {
        self.white();
        if self.eat(b':') { Ok(()) } else { Err(self.unexpected("`:`")) }
    }

    pub(super) fn expect(&mut self, byte: u8, kind: Kind, what: &str) -> Decoded {
        if self.eat(byte) { Ok(()) } else { Err(self.mismatch(kind, what)) }
    }

    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(super) fn white(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte > b' ' || !(matches!(byte, b' ' | b'\t' | b'\r') || byte == b'\n' && self.newline_is_space) {
                return;
            }
            self.at += 1;
        }
    }

    /// The value of a descriptor is not what the descriptor says; or there is none.
    #[cold]
    pub(super) fn mismatch(&self, kind: Kind, what: &str) -> Box<Fault> {
        match scan::skip_value(self.bytes, self.at, self.newline_is_space) {
            Some(_) => Fault::new(Code::Descriptor, self.at, format!("the value of {} must be {what}", kind.descriptor())),
            None => self.unexpected("a value"),
        }
    }

    #[cold]
    pub(super) fn not_an_object(&self, what: &str, code: Code) -> Box<Fault> {
        match scan::skip_value(self.bytes, self.at, self.newline_is_space) {
            Some(_) => Fault::new(code, self.at, format!("{what} must be an object")),
            None => self.unexpected("an object"),
        }
    }

    #[cold]
    pub(super) fn unexpected(&self, wanted: &str) -> Box<Fault> {
        let found = match self.text[self.at.min(self.text.len())..].chars().next() {
            Some('\n') => "the end of the line".to_owned(),
            Some(c) => format!("{c:?}"),
            None => "the end of the data".to_owned(),
        };
        Fault::new(Code::Json, self.at, format!("expected {wanted}, found {found}"))
    }
}
