//! Where a record of CSV ends, and what is wrong with its quotes.
//!
//! Whoever cuts and whoever decodes ask the same function, so that both see the same records.

use std::borrow::Cow;
use std::ops::Range;

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A record; with `end` 0 an empty line.
    Record {
        /// Behind its last byte, without the newline.
        end: usize,
        /// Behind its newline.
        next: usize,
    },
    /// A record that is broken.
    Broken {
        /// Where.
        at: usize,
        /// Up to here the bytes were looked at.
        reach: usize,
        /// What is wrong.
        message: &'static str,
    },
    /// The bytes end inside a record.
    Beyond,
}

const STRAY: &str = "a quote inside a field without quotes";
const BEHIND: &str = "text behind the quote that ends a field";
const UNCLOSED: &str = "a quote that is never closed";
const RETURN: &str = "a carriage return without a newline in a field without quotes";

/// The record at the start of `bytes`; `finished` where nothing follows them.
pub fn record(bytes: &[u8], delimiter: u8, finished: bool) -> Found {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr3(b'\n', b'"', b'\r', rest).map(|n| at + n) else {
            return if finished { Found::Record { end: bytes.len(), next: bytes.len() } } else { Found::Beyond };
        };
        match bytes[found] {
            b'\n' => return Found::Record { end: found, next: found + 1 },
            b'\r' => {
                return match bytes.get(found + 1) {
                    Some(b'\n') => Found::Record { end: found, next: found + 2 },
                    None if !finished => Found::Beyond,
                    _ => Found::Broken { at: found, reach: found + 1, message: RETURN },
                };
            }
            _ if found > 0 && bytes[found - 1] != delimiter => {
                return Found::Broken { at: found, reach: found + 1, message: STRAY };
            }
            _ => match quoted_end(bytes, found, delimiter, finished) {
                Ok(end) => at = end,
                Err(found) => return found,
            },
        }
    }
}

/// The end of the field in quotes that starts here.
fn quoted_end(bytes: &[u8], start: usize, delimiter: u8, finished: bool) -> Result<usize, Found> {
    let mut at = start + 1;
    loop {
        let Some(quote) = memchr::memchr(b'"', &bytes[at..]) else {
            return Err(if finished { Found::Broken { at: start, reach: bytes.len(), message: UNCLOSED } } else { Found::Beyond });
        };
        at += quote + 1;
        let behind = Found::Broken { at, reach: at + 1, message: BEHIND };
        match bytes.get(at) {
            Some(b'"') => at += 1,
            Some(b'\n') => return Ok(at),
            Some(&byte) if byte == delimiter => return Ok(at),
            Some(b'\r') => {
                return match bytes.get(at + 1) {
                    Some(b'\n') => Ok(at),
                    None if !finished => Err(Found::Beyond),
                    _ => Err(behind),
                };
            }
            Some(_) => return Err(behind),
            None if finished => return Ok(at),
            None => return Err(Found::Beyond),
        }
    }
}

/// The cells of a record, as they are written. Of a broken one those that there are.
pub fn cells(record: &[u8], delimiter: u8) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let mut at = start;
        let mut in_quotes = false;
        while let Some(&byte) = record.get(at) {
            match byte {
                b'"' => in_quotes = !in_quotes,
                _ if byte == delimiter && !in_quotes => break,
                _ => {}
            }
            at += 1;
        }
        next = (at < record.len()).then_some(at + 1);
        Some(start..at)
    })
}

/// In which cell of a record a byte is.
pub fn cell_at(record: &[u8], delimiter: u8, at: usize) -> usize {
    cells(&record[..record.len().min(at)], delimiter).count().saturating_sub(1)
}

/// What a cell says.
pub fn content(cell: &[u8]) -> Cow<'_, [u8]> {
    match cell {
        [b'"', inner @ .., b'"'] => {
            let mut content = Vec::with_capacity(inner.len());
            let mut bytes = inner.iter();
            while let Some(&byte) = bytes.next() {
                content.push(byte);
                if byte == b'"' {
                    bytes.next();
                }
            }
            Cow::Owned(content)
        }
        _ => Cow::Borrowed(cell),
    }
}
