//! Telling legacy dumps by their first bytes.
//!
//! What is DynamoDB JSON is not a legacy dump, also where attributes are called as descriptors
//! are: in `{"Item":{"s":{"S":"x"}}}` an object stands where an `s` has a string.

use super::{ETX, OLD_NULL, STX, descriptor};
use crate::event::Kind;

/// What is not told by so many bytes is none: a name has at most 64 KiB.
const MOST: usize = 256 << 10;

/// Why it cannot be said that this is a legacy dump.
enum Not {
    /// It is none.
    Legacy,
    /// More bytes are needed.
    Enough,
}

/// Whether the first bytes of a file are those of a legacy dump; `None` where more are needed.
pub fn is_legacy(bytes: &[u8], finished: bool) -> Option<bool> {
    let mut look = Look { bytes, at: 0 };
    match look.records() {
        Ok(()) => Some(true),
        Err(Not::Enough) if !finished && bytes.len() < MOST => None,
        Err(_) => Some(false),
    }
}

struct Look<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Look<'a> {
    /// The first attribute tells. Items before it may have none.
    fn records(&mut self) -> Result<(), Not> {
        loop {
            while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            if self.next()? != b'{' {
                return self.delimited();
            }
            if self.member()?.is_some() {
                return self.value();
            }
        }
    }

    /// A name without quotes, and a value behind ETX.
    fn delimited(&mut self) -> Result<(), Not> {
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr3(STX, ETX, b'\n', rest).ok_or(Not::Enough)?;
        self.at += end;
        // Binary formats may have these bytes anywhere, in what is no text.
        if rest[end] != ETX || std::str::from_utf8(&rest[..end]).is_err() {
            return Err(Not::Legacy);
        }
        self.at += 1;
        self.eat(b'{')
    }

    /// A value with its descriptor. A map's first member tells.
    fn value(&mut self) -> Result<(), Not> {
        loop {
            match kind(self.member()?.ok_or(Not::Legacy)?).ok_or(Not::Legacy)? {
                Kind::S | Kind::N | Kind::B => return self.eat(b'"'),
                Kind::L | Kind::SS | Kind::NS | Kind::BS => return self.eat(b'['),
                Kind::Bool | Kind::Null => return if matches!(self.next()?, b't' | b'f') { Ok(()) } else { Err(Not::Legacy) },
                Kind::M if self.member()?.is_none() => return Ok(()),
                Kind::M => {}
            }
        }
    }

    /// The name of the first member of the object that starts here, up to its colon; `None` of an
    /// empty one.
    fn member(&mut self) -> Result<Option<&'a [u8]>, Not> {
        self.eat(b'{')?;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(None);
        }
        self.eat(b'"')?;
        let start = self.at;
        while self.byte()? != b'"' {
            self.at += if self.byte()? == b'\\' { 2 } else { 1 };
        }
        let name = &self.bytes[start..self.at];
        self.at += 1;
        self.eat(b':')?;
        Ok(Some(name))
    }

    fn byte(&self) -> Result<u8, Not> {
        self.bytes.get(self.at).copied().ok_or(Not::Enough)
    }

    /// The first byte behind blanks.
    fn next(&mut self) -> Result<u8, Not> {
        while matches!(self.byte()?, b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    fn eat(&mut self, byte: u8) -> Result<(), Not> {
        let found = self.next()? == byte;
        self.at += 1;
        if found { Ok(()) } else { Err(Not::Legacy) }
    }
}

/// The type with this descriptor, as writers of dumps have it.
fn kind(text: &[u8]) -> Option<Kind> {
    if text == OLD_NULL.as_bytes() {
        return Some(Kind::Null);
    }
    Kind::ALL.into_iter().find(|&kind| descriptor(kind).as_bytes() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attribute_tells() {
        for (text, told) in [
            (r#"{"id":{"n":"103"}}"#, true),
            (r#" {}"#, false),
            ("{}\n\n{ \"a\\\"\" : { \"sS\" : [] } }", true),
            (r#"{"a":{"nULLValue":true}}"#, true),
            (r#"{"a":{"nULL":true}}"#, true),
            (r#"{"a":{"bOOL":false}}"#, true),
            (r#"{"a":{"b":""}}"#, true),
            (r#"{"a":{"m":{}}}"#, true),
            (r#"{"a":{"m":{"x":{"l":[]}}}}"#, true),
            (r#"{"Item":{"s":"x"}}"#, true),
            (r#"{"Item":{"m":{"S":{"s":"x"}}}}"#, true),
            ("id\x03{\"s\":\"x\"}", true),
            ("_id\x03{\"S\":\"x\"}", true),
            ("$ion_1_0 x\x03{", true),
            // DynamoDB JSON, also where attributes are called as descriptors are.
            (r#"{"a":{"S":"x"}}"#, false),
            (r#"{"a":{"NULL":true}}"#, false),
            (r#"{"Item":{"s":{"S":"x"}}}"#, false),
            (r#"{"Item":{"n":{"N":"1"}}}"#, false),
            (r#"{"Item":{"m":{"S":"x"}}}"#, false),
            (r#"{"Item":{"m":{"M":{"m":{"S":"x"}}}}}"#, false),
            (r#"{"Item":{"m":{"M":{"m":{"M":{}}}}}}"#, false),
            (r#"{"Item":{"l":{"L":[]}}}"#, false),
            (r#"{"Item":{"sS":{"SS":["x"]}}}"#, false),
            (r#"{"Item":{"nULL":{"NULL":true}}}"#, false),
            (r#"{"Keys":{"s":{"S":"x"}}}"#, false),
            (r#"{"Items":[{"a":{"s":"x"}}]}"#, false),
            (r#"[{"a":{"s":"x"}}]"#, false),
            (r#"{"a":{"SS":["x"]}}"#, false),
            (r#"{"a":{"ss":["x"]}}"#, false),
            (r#"{"a":"s"}"#, false),
            (r#"{"a":{}}"#, false),
            ("$ion_1_0 {Item:{a:\"x\"}}\n", false),
            ("id,name\n1,x\x03{", false),
            ("a\x02b\x03{\"s\":\"x\"}", false),
            ("id\x03x", false),
            ("", false),
        ] {
            assert_eq!(is_legacy(text.as_bytes(), true), Some(told), "{text:?}");
            for end in 0..text.len() {
                let part = is_legacy(&text.as_bytes()[..end], false);
                assert!(part.is_none_or(|part| part == told), "{text:?} up to {end}");
            }
        }
        assert_eq!(is_legacy(&vec![b'x'; MOST], false), Some(false));
        assert_eq!(is_legacy(b"\xe0\x01\x00\xea\x03{", false), Some(false));
    }
}
