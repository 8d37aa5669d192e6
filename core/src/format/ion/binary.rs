//! Binary Ion: where its values end and what its symbol tables are. All else is for ion-rs.
//! <https://amazon-ion.github.io/ion-docs/docs/binary.html>

use super::scan::End;
use crate::block::MAX_RECORD_BYTES;
use crate::format::record::MAX_NESTING;

/// The marker that binary Ion 1.0 begins with.
pub const MARKER: [u8; 4] = [0xe0, 0x01, 0x00, 0xea];

/// The type codes of what has values inside.
const LIST: u8 = 11;
const STRUCT: u8 = 13;
const ANNOTATION: u8 = 14;
/// `$ion_symbol_table` as a variable-length integer.
const SYMBOL_TABLE: u8 = 0x80 | 3;

/// Where the body of the value at `at` is: its start and end, past the bytes where they do
/// not hold it.
fn body(bytes: &[u8], at: usize) -> Result<(usize, usize), End> {
    let Some(&descriptor) = bytes.get(at) else { return Err(End::At(bytes.len() + 1)) };
    let (code, low) = (descriptor >> 4, descriptor & 15);
    if descriptor == MARKER[0] {
        return Ok((at + 4, at + 4));
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

/// Whether the value is none of the user's: a marker, a symbol table, padding.
pub fn is_system(value: &[u8]) -> bool {
    value.starts_with(&MARKER[..1]) || value.first().is_some_and(|&b| b >> 4 == 0 && b != 0x0f) || is_symbol_table(value)
}

fn is_symbol_table(value: &[u8]) -> bool {
    let annotated = || {
        let (start, _) = body(value, 0).ok()?;
        let (_, first) = var_uint(value, start).ok()?;
        value.get(first)
    };
    value.first().is_some_and(|&b| b >> 4 == ANNOTATION && b != MARKER[0]) && annotated() == Some(&SYMBOL_TABLE)
}

/// Keeps of a value at the top level what those behind it need. `false` past the limit.
pub fn see(context: &mut Vec<u8>, value: &[u8]) -> bool {
    if value.starts_with(&MARKER[..1]) {
        context.clear();
    }
    if value.starts_with(&MARKER[..1]) || is_symbol_table(value) {
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

/// Whether a value nests no deeper than may be: ion-rs follows it by recursion.
pub fn nests_within_limit(value: &[u8]) -> bool {
    values_nest_within(value, false, MAX_OPEN)
}

fn values_nest_within(bytes: &[u8], named: bool, levels: usize) -> bool {
    if levels == 0 {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if named {
            let Ok((_, value)) = var_uint(bytes, at) else { return true };
            at = value;
        }
        // What is broken is found by ion-rs; here it only must not lead deeper.
        let Ok((mut start, end)) = body(bytes, at) else { return true };
        let end = end.min(bytes.len());
        let code = bytes[at] >> 4;
        if code == ANNOTATION {
            let Ok((length, first)) = var_uint(bytes, start) else { return true };
            start = first.saturating_add(length);
        }
        if (LIST..=ANNOTATION).contains(&code) && start < end && !values_nest_within(&bytes[start..end], code == STRUCT, levels - 1) {
            return false;
        }
        at = end;
    }
    true
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
        assert!(nests_within_limit(&nested(MAX_OPEN - 1)));
        assert!(!nests_within_limit(&nested(MAX_OPEN + 1)));
        let deep = nested(100_000);
        assert_eq!(value_end(&deep, 0), End::At(deep.len()));
        assert!(!nests_within_limit(&deep));
    }
}
