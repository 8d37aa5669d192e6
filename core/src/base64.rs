//! Base64 with padding, read: what is well-formed at once, and the library says what is wrong with
//! anything else.
//! <https://www.rfc-editor.org/rfc/rfc4648#section-4>

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};

/// The value of each digit, or [`NONE`].
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut n = 0;
    while n < digits.len() {
        values[digits[n] as usize] = n as u8;
        n += 1;
    }
    values
};
/// No digit.
const NONE: u8 = 0x80;

/// Appends the bytes that a text stands for; at an error, some of them.
pub fn decode(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), DecodeError> {
    let start = bytes.len();
    if append(text, bytes).is_some() {
        return Ok(());
    }
    bytes.truncate(start);
    STANDARD.decode_vec(text, bytes)
}

fn append(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let (rest, padding) = match text {
        [rest @ .., b'=', b'='] => (rest, 2),
        [rest @ .., b'='] => (rest, 1),
        _ => (text, 0),
    };
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let (eights, rest) = rest.as_chunks::<8>();
    for eight in eights {
        bytes.extend_from_slice(&value(eight)?.to_be_bytes()[2..]);
    }
    let (fours, rest) = rest.as_chunks::<4>();
    for four in fours {
        bytes.extend_from_slice(&value(four)?.to_be_bytes()[5..]);
    }
    // The bits behind the last byte are zero: there is one form of each value.
    match (padding, rest) {
        (0, []) => {}
        (1, [a, b, c]) => {
            let value = value(&[*a, *b, *c])?;
            bytes.extend_from_slice(&u16::try_from(value >> 2).ok()?.to_be_bytes());
            return (value.trailing_zeros() >= 2).then_some(());
        }
        (2, [a, b]) => {
            let value = value(&[*a, *b])?;
            bytes.push(u8::try_from(value >> 4).ok()?);
            return (value.trailing_zeros() >= 4).then_some(());
        }
        _ => return None,
    }
    Some(())
}

/// The bits of digits, the last in the lowest place.
#[inline]
fn value<const N: usize>(digits: &[u8; N]) -> Option<u64> {
    let values = digits.map(|digit| VALUES[usize::from(digit)]);
    let any = values.iter().fold(0, |any, value| any | value);
    (any & NONE == 0).then(|| values.iter().fold(0, |sum, &value| sum << 6 | u64::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the library says, of the text and of all that differ from it in a byte.
    fn is_as_the_library_has_it(text: &[u8]) {
        let mut bytes = vec![7];
        let found = decode(text, &mut bytes).map(|()| bytes[1..].to_vec());
        assert_eq!(found, STANDARD.decode(text), "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn every_length_and_digit() {
        let bytes: Vec<u8> = (0..100).map(|n: u8| n.wrapping_mul(71) ^ n >> 2).collect();
        for length in 0..bytes.len() {
            let mut text = STANDARD.encode(&bytes[..length]).into_bytes();
            assert_eq!(append(&text, &mut Vec::new()), Some(()));
            is_as_the_library_has_it(&text);
            for end in text.len().saturating_sub(6)..text.len() {
                is_as_the_library_has_it(&text[..end]);
            }
            for at in (0..text.len().min(4)).chain(text.len().saturating_sub(5)..text.len()) {
                for digit in 0..=u8::MAX {
                    let before = std::mem::replace(&mut text[at], digit);
                    is_as_the_library_has_it(&text);
                    text[at] = before;
                }
            }
        }
    }
}
