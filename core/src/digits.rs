//! The digits of numbers, many at once.

use wide::u8x16;

const ZERO: u8x16 = u8x16::new([b'0'; 16]);
const NINE: u8x16 = u8x16::new([9; 16]);

/// A number without a sign: `value × 10^-scale`, in so many bytes.
pub struct Digits {
    pub value: u64,
    pub scale: u32,
    pub length: usize,
}

/// The digits that a text begins with, perhaps with a point inside, if there is a quote behind
/// them: up to 15.
#[inline]
pub fn quoted(text: &[u8; 16]) -> Option<Digits> {
    let digits = u8x16::new(*text) - ZERO;
    // A bit for each byte that is no digit.
    let others = !digits.min(NINE).simd_eq(digits).to_bitmask() & 0xffff;
    let first = others.trailing_zeros();
    let digits = u128::from_le_bytes(digits.to_array());
    match text.get(first as usize)? {
        b'"' if first > 0 => Some(Digits { value: first_of(digits, first), scale: 0, length: first as usize }),
        b'.' if first > 0 => {
            let quote = (others & (others - 1)).trailing_zeros();
            let scale = quote - first - 1;
            if scale == 0 || text.get(quote as usize)? != &b'"' {
                return None;
            }
            let whole = (1 << (8 * first)) - 1;
            let digits = digits & whole | (digits >> 8) & !whole;
            Some(Digits { value: first_of(digits, quote - 1), scale, length: quote as usize })
        }
        _ => None,
    }
}

/// The value of up to 38 digits.
pub fn value(digits: &[u8]) -> i128 {
    const MOST: usize = 48;
    let mut bytes = [b'0'; MOST];
    if let Some(place) = MOST.checked_sub(digits.len()).and_then(|zeros| bytes.get_mut(zeros..)) {
        place.copy_from_slice(digits);
    }
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().fold(0, |sum, chunk| {
        let digits = u8x16::new(*chunk) - ZERO;
        sum * 10_i128.pow(16) + i128::from(sixteen(u128::from_le_bytes(digits.to_array())))
    })
}

/// The value of the first `count` of 16 digits, from 1 to 15.
#[inline]
fn first_of(digits: u128, count: u32) -> u64 {
    // The last digit into the last byte, zeros before the first.
    sixteen(digits << (128 - 8 * count))
}

/// The value of 16 digits, the first of them in the lowest byte.
#[inline]
fn sixteen(digits: u128) -> u64 {
    eight(digits as u64) * 100_000_000 + eight((digits >> 64) as u64)
}

/// The value of eight digits, the first of them in the lowest byte: as pairs, then both halves
/// of four by a multiplication each.
#[inline]
fn eight(digits: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = (digits * 10).wrapping_add(digits >> 8);
    let first = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let second = (pairs >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    first.wrapping_add(second) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u64, u32, usize)> {
        let mut bytes = [b'7'; 16];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        quoted(&bytes).map(|digits| (digits.value, digits.scale, digits.length))
    }

    #[test]
    fn digits_of_every_length_and_point() {
        let digits = "123456789012345";
        for length in 1..=15 {
            let whole: u64 = digits[..length].parse().expect("digits");
            assert_eq!(read(&format!("{}\"", &digits[..length])), Some((whole, 0, length)));
            for point in 1..length.min(14) {
                let text = format!("{}.{}\"", &digits[..point], &digits[point..length.min(14)]);
                let whole: u64 = digits[..length.min(14)].parse().expect("digits");
                let scale = length.min(14) - point;
                assert_eq!(read(&text), Some((whole, scale as u32, text.len() - 1)), "{text}");
            }
        }
        assert_eq!(read("999999999999999\""), Some((999_999_999_999_999, 0, 15)));
    }

    #[test]
    fn values_of_every_length() {
        let digits = "98765432109876543210987654321098765432";
        for length in 1..=38 {
            assert_eq!(Ok(value(&digits.as_bytes()[..length])), digits[..length].parse());
        }
        assert_eq!(value(b""), 0);
    }

    #[test]
    fn anything_else_is_left() {
        for text in
            ["\"", ".5\"", "5.\"", ".\"", "1.2.3\"", "-1\"", "1e5\"", "1:\"", "1/\"", "\u{e9}\"", "1234567890123456", "1.23456789012345"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
