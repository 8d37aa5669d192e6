//! The parts of Ion text: strings, numbers, what is expected and what was found.

use super::scan::{self, Beyond, End};
use crate::error::Code;
use crate::format::record::{Decoded, Fault};
use crate::number::{Number, NumberError};

/// Puts a fault at an index.
pub fn at_index(at: usize) -> impl Fn(Box<Fault>) -> Box<Fault> {
    move |mut fault| {
        fault.at = at;
        fault
    }
}

/// Appends what the string or symbol that starts at `at` with its quotes says; gives the
/// index behind it.
pub fn unquote(text: &str, at: usize, out: &mut String) -> Decoded<usize> {
    let bytes = text.as_bytes();
    if !bytes[at..].starts_with(b"'''") {
        return unquote_one(text, at + 1, &bytes[at..=at], out);
    }
    // Strings of three quotes are one where several follow each other.
    let mut end = at;
    let mut next = at;
    while bytes[next..].starts_with(b"'''") {
        end = unquote_one(text, next + 3, b"'''", out)?;
        next = scan::white_end(bytes, end, true).unwrap_or(end);
    }
    Ok(end)
}

fn unquote_one(text: &str, mut at: usize, quotes: &[u8], out: &mut String) -> Decoded<usize> {
    let bytes = text.as_bytes();
    let long = quotes.len() == 3;
    loop {
        let run = bytes[at..].iter().position(|&b| b == quotes[0] || b == b'\\' || b < 0x20).map_or(bytes.len(), |n| at + n);
        out.push_str(&text[at..run]);
        at = run;
        match bytes.get(at..).unwrap_or_default() {
            rest if rest.starts_with(quotes) => return Ok(at + quotes.len()),
            [b'\\', rest @ ..] => {
                let Some((c, length)) = escape(rest) else { return Err(Fault::new(Code::Ion, at, "unknown escape")) };
                out.extend(c);
                at += 1 + length;
            }
            // A line break in a long string is one character.
            [b'\r', b'\n', ..] if long => {
                out.push('\n');
                at += 2;
            }
            [b'\n' | b'\r', ..] if long => {
                out.push('\n');
                at += 1;
            }
            [byte @ (b'\t' | 0x0b | 0x0c | b'\''), ..] => {
                out.push(char::from(*byte));
                at += 1;
            }
            [byte, ..] if *byte != b'\n' && *byte != b'\r' => {
                let message = format!("control character 0x{byte:02x} in a string; it must be escaped");
                return Err(Fault::new(Code::Ion, at, message));
            }
            _ => return Err(unexpected(text, at, "the end of the string")),
        }
    }
}

/// The escape behind a backslash and its length; a line break stands for nothing.
fn escape(bytes: &[u8]) -> Option<(Option<char>, usize)> {
    let hex = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        digits.iter().try_fold(0_u32, |sum, &b| Some(sum << 4 | char::from(b).to_digit(16)?))
    };
    let (c, length) = match bytes.first()? {
        b'"' => ('"', 1),
        b'\'' => ('\'', 1),
        b'\\' => ('\\', 1),
        b'/' => ('/', 1),
        b'?' => ('?', 1),
        b'0' => ('\0', 1),
        b'a' => ('\u{7}', 1),
        b'b' => ('\u{8}', 1),
        b't' => ('\t', 1),
        b'n' => ('\n', 1),
        b'f' => ('\u{c}', 1),
        b'r' => ('\r', 1),
        b'v' => ('\u{b}', 1),
        b'x' => (char::from_u32(hex(1, 2)?)?, 3),
        b'u' => match hex(1, 4)? {
            high @ 0xd800..0xdc00 => {
                let low = hex(7, 4).filter(|low| bytes[5..7] == *b"\\u" && (0xdc00..0xe000).contains(low))?;
                (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 11)
            }
            code => (char::from_u32(code)?, 5),
        },
        b'U' => (char::from_u32(hex(1, 8)?)?, 9),
        b'\r' if bytes.get(1) == Some(&b'\n') => return Some((None, 2)),
        b'\n' | b'\r' => return Some((None, 1)),
        _ => return None,
    };
    Some((Some(c), length))
}

/// Whether a byte ends a number.
#[inline]
pub fn ends_number(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']') || scan::is_white(byte)
}

/// The text of a number without the point at its end, if that is its only one.
#[inline]
pub fn without_point(text: &[u8]) -> Option<&[u8]> {
    match text.strip_suffix(b".") {
        Some(whole) if whole.contains(&b'.') => None,
        Some(whole) => Some(whole),
        None => Some(text),
    }
}

/// `6d2`, `1d-130`: so many digits (and a point), a `d`, an exponent. With its length.
pub fn exponent_number(rest: &[u8], mantissa: usize) -> Option<(Result<Number, NumberError>, usize)> {
    const LONGEST: usize = 64;
    if !matches!(rest[mantissa], b'd' | b'D') {
        return None;
    }
    let exponent = &rest[mantissa + 1..];
    let length = exponent.iter().position(|&b| !(b.is_ascii_digit() || matches!(b, b'-' | b'+')))?;
    let digits = without_point(&rest[..mantissa])?;
    let (exponent, whole) = (&exponent[..length], digits.len() + 1 + length);
    if !ends_number(rest[mantissa + 1 + length]) || whole > LONGEST {
        return None;
    }
    // The same number as JSON writes it.
    let mut text = [b'e'; LONGEST];
    text[..digits.len()].copy_from_slice(digits);
    text[digits.len() + 1..whole].copy_from_slice(exponent);
    Some((Number::parse(&text[..whole]), mantissa + 1 + length))
}

/// `$10`: a symbol by its place in the symbol table.
pub fn is_symbol_id(name: &[u8]) -> bool {
    name.len() > 1 && name[0] == b'$' && name[1..].iter().all(u8::is_ascii_digit)
}

/// The fault of a text that ends, or cannot go on, before a value does.
#[cold]
pub fn fault_of(end: End, text: &str) -> Box<Fault> {
    match end {
        End::Broken(at, message) => match message.strip_prefix("expected ") {
            Some(wanted) => unexpected(text, at, wanted),
            None => Fault::new(Code::Ion, at, message),
        },
        End::Beyond(Beyond::Comment) => Fault::new(Code::Ion, text.len(), "a comment that does not end"),
        End::Beyond(Beyond::Value) | End::At(_) => unexpected(text, text.len(), "the rest of the value"),
    }
}

#[cold]
pub fn unexpected(text: &str, at: usize, wanted: &str) -> Box<Fault> {
    let found = match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some('\n') => "the end of the line".to_owned(),
        Some(c) => format!("{c:?}"),
        None => "the end of the data".to_owned(),
    };
    Fault::new(Code::Ion, at, format!("expected {wanted}, found {found}"))
}
