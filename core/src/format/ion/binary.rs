//! Binary Ion: where its values end and what its symbol tables are. All else is for ion-rs.
//! <https://amazon-ion.github.io/ion-docs/docs/binary.html>

use super::foreign::too_deep;
use super::scan::End;
use crate::block::MAX_RECORD_BYTES;
use crate::error::Code;
use crate::format::record::{Decoded, Fault, MAX_NESTING};

/// The marker that binary Ion 1.0 begins with.
pub const MARKER: [u8; 4] = [0xe0, 0x01, 0x00, 0xea];

/// The type codes of what has values inside.
const LIST: u8 = 11;
const STRUCT: u8 = 13;
const ANNOTATION: u8 = 14;
/// `$ion_symbol_table`, and a table's `imports:$ion_symbol_table`.
const SYMBOL_TABLE: usize = 3;
const IMPORTS: [u8; 3] = [0x86, 0x71, 0x03];

/// Where the body of the value at `at` is: its start and end, past the bytes where they do
/// not hold it.
fn body(bytes: &[u8], at: usize) -> Result<(usize, usize), End> {
    let Some(&descriptor) = bytes.get(at) else { return Err(End::At(bytes.len() + 1)) };
    let (code, low) = (descriptor >> 4, descriptor & 15);
    if descriptor == MARKER[0] {
        return match bytes.get(at + 3) {
            Some(&last) if last != MARKER[3] => Err(End::Broken(at, "half a version marker")),
            _ => Ok((at + 4, at + 4)),
        };
    }
    match (code, low) {
        (15, _) => Err(End::Broken(at, "a reserved type code of binary Ion")),
        // Nulls and booleans.
        (1, _) | (_, 15) => Ok((at + 1, at + 1)),
        (STRUCT, 1) | (_, 14) => {
            let (length, start) = var_uint(bytes, at + 1)?;
            Ok((start, start.saturating_add(length)))
        }
        _ => Ok((at + 1, at + 1 + usize::from(low))),
    }
}

/// An unsigned integer of seven bits a byte, and the index behind it.
fn var_uint(bytes: &[u8], at: usize) -> Result<(usize, usize), End> {
    let mut value = 0_usize;
    for (place, &byte) in bytes.get(at..).unwrap_or_default().iter().enumerate() {
        // Nothing that long is read.
        if place > 4 {
            return Err(End::Broken(at, "a length past all limits"));
        }
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            return Ok((value, at + place + 1));
        }
    }
    Err(End::At(bytes.len() + 1))
}

/// Where the value at `at` ends; past the bytes where they do not hold it.
pub fn value_end(bytes: &[u8], at: usize) -> End {
    match body(bytes, at) {
        Ok((_, end)) => End::At(end),
        Err(end) => end,
    }
}

/// What a value at the top level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    /// A marker, a symbol table, padding.
    System,
    /// A list of records: where its elements start.
    List(usize),
    /// A record, or what stands in its place.
    Value,
}

/// What a value at the top level is; a fault where it is a symbol table that is none.
pub fn top(value: &[u8]) -> Decoded<Top> {
    match value.first().map(|&byte| (byte >> 4, byte & 15)) {
        Some((0, low)) if low != 15 => Ok(Top::System),
        Some((LIST, low)) if low != 15 => Ok(body(value, 0).map_or(Top::Value, |(start, _)| Top::List(start))),
        Some((ANNOTATION, 0)) => Ok(Top::System),
        Some((ANNOTATION, _)) => match table(value) {
            None => Ok(Top::Value),
            Some(true) => Ok(Top::System),
            Some(false) => bad(Code::Ion, "a symbol table that is no struct"),
        },
        _ => Ok(Top::Value),
    }
}

/// Whether a value that is annotated as a symbol table is a struct; `None` for another.
fn table(value: &[u8]) -> Option<bool> {
    let (start, _) = body(value, 0).ok()?;
    let (length, first) = var_uint(value, start).ok()?;
    let (symbol, _) = var_uint(value, first).ok()?;
    let inner = value.get(first.saturating_add(length)).copied().unwrap_or_default();
    (value[0] >> 4 == ANNOTATION && value[0] != MARKER[0] && symbol == SYMBOL_TABLE).then_some(inner >> 4 == STRUCT && inner & 15 != 15)
}

/// Keeps of a value at the top level what those behind it need. `false` past the limit.
pub fn see(context: &mut Vec<u8>, value: &[u8]) -> bool {
    if value.starts_with(&MARKER[..1]) {
        context.clear();
        context.extend_from_slice(value);
    } else if table(value) == Some(true) {
        // A table that imports none replaces those before it.
        if memchr::memmem::find(value, &IMPORTS).is_none() {
            context.truncate(MARKER.len());
        }
        context.extend_from_slice(value);
    }
    context.len() <= MAX_RECORD_BYTES
}

/// The version of a marker, if the value is one.
pub fn version(value: &[u8]) -> Option<(u8, u8)> {
    if value.first() == Some(&MARKER[0]) { Some((*value.get(1)?, *value.get(2)?)) } else { None }
}

/// Containers and annotations inside each other, at most: what an item may have, its
/// wrappers, a list around it, and the annotations of sets.
const MAX_OPEN: usize = MAX_NESTING as usize + 8;

/// Bytes of a number, at most: with all the zeros that anybody writes, none of DynamoDB's has
/// as many, and longer ones take ion-rs a time that grows with their square.
pub const MAX_NUMBER_BYTES: usize = 1024;

/// Checks that every part of a value fits into what it is a part of, and that it nests no
/// deeper than may be: ion-rs 1.2 panics at some values that do not, and recurses.
pub fn check(value: &[u8]) -> Decoded {
    check_values(value, false, MAX_OPEN)
}

fn bad<T>(code: Code, message: &str) -> Decoded<T> {
    Err(Fault::new(code, 0, message))
}

fn check_values(bytes: &[u8], named: bool, levels: usize) -> Decoded {
    let mut at = 0;
    while at < bytes.len() {
        if named {
            at = inner_var_uint(bytes, at)?.1;
        }
        at = check_value(bytes, at, levels)?;
    }
    Ok(())
}

/// Checks the value at `at`; gives the index behind it.
fn check_value(bytes: &[u8], at: usize, levels: usize) -> Decoded<usize> {
    const BROKEN: &str = "broken binary Ion";
    let Some(levels) = levels.checked_sub(1) else { return Err(too_deep(0)) };
    let (start, end) = match body(bytes, at) {
        Ok((start, end)) if end <= bytes.len() && at < bytes.len() => (start, end),
        _ => return bad(Code::Ion, "a value past the end of what it is in"),
    };
    let (code, low, body) = (bytes[at] >> 4, bytes[at] & 15, &bytes[start..end]);
    if code == ANNOTATION && !(3..15).contains(&low) {
        return bad(Code::Ion, BROKEN);
    }
    if low == 15 {
        return Ok(end);
    }
    match code {
        1 if low > 1 => return bad(Code::Ion, BROKEN),
        2 | 3 | 5 if body.len() > MAX_NUMBER_BYTES => return bad(Code::Number, "a number of more than 1,024 bytes"),
        4 if !matches!(body.len(), 0 | 4 | 8) => return bad(Code::Ion, BROKEN),
        // The exponent comes first.
        5 if !body.is_empty() && body.iter().take(5).all(|byte| byte & 0x80 == 0) => return bad(Code::Ion, BROKEN),
        6 => return bad(Code::IonType, "a timestamp has no DynamoDB value"),
        7 if body.len() > 4 => return bad(Code::Ion, BROKEN),
        LIST => check_values(body, false, levels)?,
        12 => return bad(Code::IonType, "an s-expression has no DynamoDB value"),
        STRUCT => check_values(body, true, levels)?,
        ANNOTATION => {
            let (length, first) = inner_var_uint(body, 0)?;
            let value = first.saturating_add(length);
            let mut name = first;
            while name < value && value < body.len() {
                name = inner_var_uint(body, name)?.1;
            }
            let annotates = body.get(value).is_some_and(|byte| !matches!(byte >> 4, 0 | ANNOTATION) || *byte == 0x0f);
            if length == 0 || name != value || !annotates || check_value(body, value, levels)? != body.len() {
                return bad(Code::Ion, BROKEN);
            }
        }
        _ => {}
    }
    Ok(end)
}

fn inner_var_uint(bytes: &[u8], at: usize) -> Decoded<(usize, usize)> {
    var_uint(bytes, at).or_else(|_| bad(Code::Ion, "a length past the end of what it is in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_measured() {
        let nested = |levels: usize| {
            let mut value = vec![0x20];
            for level in 0..levels {
                if level % 2 == 0 {
                    value.insert(0, 0x84); // the name of a member
                }
                let mut outer = vec![if level % 2 == 0 { 0xde } else { 0xbe }];
                outer.extend([(value.len() >> 14) as u8, (value.len() >> 7) as u8 & 0x7f, value.len() as u8 & 0x7f | 0x80]);
                outer.append(&mut value);
                value = outer;
            }
            value
        };
        let code = |value: &[u8]| check(value).map_err(|fault| fault.code);
        assert_eq!(code(&nested(MAX_OPEN - 1)), Ok(()));
        assert_eq!(code(&nested(MAX_OPEN + 1)), Err(Code::Nesting));
        let deep = nested(100_000);
        assert_eq!(value_end(&deep, 0), End::At(deep.len()));
        assert_eq!(code(&deep), Err(Code::Nesting));
    }
}
