//! JSON below the level of items: where strings, values and lines end.
//! <https://www.rfc-editor.org/rfc/rfc8259>

use wide::u8x16;

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
const LAST_CONTROL: u8x16 = u8x16::new([0x1f; 16]);

/// The first byte at or after `at` that a string cannot hold as it is: a quote, a
/// backslash, a control character; the length of `bytes` where there is none.
#[inline]
pub fn string_end(bytes: &[u8], mut at: usize) -> usize {
    // Most strings end in the first 32 bytes: how long they are is then no branch.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        let (first, second) = (chunk.first_chunk().map_or(0, specials), chunk.last_chunk().map_or(0, specials));
        let hits = first | second << 16;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize;
        }
        at += 32;
    }
    while at < bytes.len() && bytes[at] >= 0x20 && bytes[at] != b'"' && bytes[at] != b'\\' {
        at += 1;
    }
    at
}

/// A bit for each byte that a string cannot hold as it is.
#[inline]
pub fn specials(bytes: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*bytes);
    (bytes.simd_eq(QUOTE) | bytes.simd_eq(BACKSLASH) | bytes.min(LAST_CONTROL).simd_eq(bytes)).to_bitmask()
}

/// Finds the end of one JSON object or array by its brackets and strings alone, in as many
/// pieces as come.
#[derive(Clone, Debug, Default)]
pub struct ValueEnd {
    depth: u32,
    in_string: bool,
    /// The last byte of the piece before was a backslash in a string.
    escaped: bool,
}

impl ValueEnd {
    /// Goes on at `bytes`: the index behind the value's last byte, or `None` where it ends
    /// beyond them. The first byte ever given is the value's opening bracket.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.escaped && !bytes.is_empty() {
            self.escaped = false;
            at = 1;
        }
        while at < bytes.len() {
            if self.in_string {
                at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                if bytes[at] == b'"' {
                    self.in_string = false;
                } else {
                    at += 1;
                    self.escaped = at == bytes.len();
                }
                at += 1;
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// The index behind the JSON value at `at`, if it is well-formed; nothing is said of what
/// it means. `newline` tells whether a newline counts as white space.
pub fn skip_value(bytes: &[u8], mut at: usize, newline: bool) -> Option<usize> {
    let white = |at: &mut usize| {
        while bytes.get(*at).is_some_and(|&b| matches!(b, b' ' | b'\t' | b'\r') || newline && b == b'\n') {
            *at += 1;
        }
    };
    // The closing bracket of each container that is open: nesting has no limit here.
    let mut open = Vec::new();
    loop {
        white(&mut at);
        match *bytes.get(at)? {
            b'{' => {
                at += 1;
                white(&mut at);
                if bytes.get(at) == Some(&b'}') {
                    at += 1;
                } else {
                    at = member_name(bytes, at, &white)?;
                    open.push(b'}');
                    continue;
                }
            }
            b'[' => {
                at += 1;
                white(&mut at);
                if bytes.get(at) == Some(&b']') {
                    at += 1;
                } else {
                    open.push(b']');
                    continue;
                }
            }
            b'"' => at = skip_string(bytes, at)?,
            _ => at = skip_scalar(bytes, at)?,
        }
        loop {
            let Some(&close) = open.last() else { return Some(at) };
            white(&mut at);
            let next = *bytes.get(at)?;
            at += 1;
            if next == close {
                open.pop();
            } else if next == b',' {
                if close == b'}' {
                    white(&mut at);
                    at = member_name(bytes, at, &white)?;
                }
                break;
            } else {
                return None;
            }
        }
    }
}

fn member_name(bytes: &[u8], at: usize, white: &impl Fn(&mut usize)) -> Option<usize> {
    let mut at = skip_string(bytes, at)?;
    white(&mut at);
    (bytes.get(at) == Some(&b':')).then_some(at + 1)
}

fn skip_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    at += 1;
    loop {
        at = string_end(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'u' => {
                    let digits = bytes.get(at + 2..at + 6)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at += 6;
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// `true`, `false`, `null` or a number.
fn skip_scalar(bytes: &[u8], at: usize) -> Option<usize> {
    let end = bytes[at..]
        .iter()
        .position(|b| matches!(b, b',' | b'}' | b']' | b'{' | b'[' | b'"' | b':' | 0..=0x20))
        .map_or(bytes.len(), |n| at + n);
    let text = &bytes[at..end];
    let scalar = matches!(text, b"true" | b"false" | b"null") || is_number(text);
    scalar.then_some(end)
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || whole > 1 && text[0] == b'0' {
        return false;
    }
    let mut text = &text[whole..];
    if let Some(fraction) = text.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        text = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = text {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    text.is_empty()
}

/// The first newline at or after `at`; the length of `bytes` where there is none.
pub fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_ends_at_every_offset() {
        for special in [b'"', b'\\', 0, b'\n', 0x1f] {
            for length in 0..40 {
                let mut text = vec![b' '; 40];
                text[length] = special;
                for from in 0..=length {
                    assert_eq!(string_end(&text, from), length, "{special} {from}");
                }
            }
        }
        let text = "\u{20}\u{21}\u{7f}éß€🦀[]{}".repeat(5);
        assert_eq!(string_end(text.as_bytes(), 0), text.len());
    }

    #[test]
    fn value_ends_are_found_in_pieces() {
        let value = br#"{"a\"}":[{"b":"\\"},"]"],"c":{}} {"next":1}"#;
        let end = value.len() - br#" {"next":1}"#.len();
        for piece in 1..value.len() {
            let mut finder = ValueEnd::default();
            let mut start = 0;
            let found = value.chunks(piece).find_map(|chunk| {
                let found = finder.find(chunk).map(|n| start + n);
                start += chunk.len();
                found
            });
            assert_eq!(found, Some(end), "pieces of {piece}");
        }
    }

    #[test]
    fn skips_what_serde_json_takes() {
        let good = [
            "{}",
            "[]",
            "[[],{}]",
            r#"{"a":1,"b":[true,false,null]}"#,
            r#" { "a" : -1.5e+10 , "b" : "\u00e9\n" } "#,
            "\"x\"",
            "0",
            "-0.0",
            "1E5",
        ];
        let bad = [
            "{",
            "[",
            "{]",
            "[1,]",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{a:1}"#,
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[tru]",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "[1 2]",
            "[--1]",
            "[1e]",
            "nul",
        ];
        for text in good {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
            assert_eq!(skip_value(text.as_bytes(), 0, true), Some(text.trim_end().len()), "{text}");
        }
        for text in bad {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
            assert_eq!(skip_value(text.as_bytes(), 0, true), None, "{text}");
        }
        assert_eq!(skip_value(b"{\n}", 0, false), None);
    }
}
