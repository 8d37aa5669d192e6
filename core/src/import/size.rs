//! The bytes of values, as DynamoDB counts them against the limit of an item: the UTF-8 bytes of
//! each attribute's name, and those of its value.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
//!
//! Strings count their UTF-8 bytes, binaries their raw ones, sets those of their members. The
//! hundred bytes an item that the documentation names are for the bill of storage, not for the limit.

use crate::item::{AttributeValue, Item};
use crate::number::Number;

/// Bytes of an item, at most: 400 KB, inclusive.
pub const ITEM_BYTES: u64 = 409_600;
/// Bytes of a BOOL or a NULL.
pub const SCALAR: u64 = 1;
/// Bytes of a list or map itself.
pub const CONTAINER: u64 = 3;
/// Bytes of an element of a list, or a member of a map, besides its value and its name.
pub const MEMBER: u64 = 1;

/// Bytes of an item.
pub fn item_size(item: &Item) -> u64 {
    item.iter().map(|(name, value)| name.len() as u64 + value_size(value)).sum()
}

/// Bytes of a value.
pub fn value_size(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::N(number) => number_size(*number),
        AttributeValue::B(bytes) => bytes.len() as u64,
        AttributeValue::Bool(_) | AttributeValue::Null => SCALAR,
        AttributeValue::M(item) => CONTAINER + MEMBER * item.len() as u64 + item_size(item),
        AttributeValue::L(values) => CONTAINER + values.iter().map(|value| MEMBER + value_size(value)).sum::<u64>(),
        AttributeValue::SS(members) => members.iter().map(|member| member.len() as u64).sum(),
        AttributeValue::NS(members) => members.iter().map(|member| number_size(*member)).sum(),
        AttributeValue::BS(members) => members.iter().map(|member| member.len() as u64).sum(),
    }
}

/// Bytes of a number.
///
/// The guide says "approximately": a byte for two significant digits and one more. Measured is
/// that the pairs of digits are those of base 100, counted from the decimal point, so that
/// `1010` has two pairs and `1.5` too; zero has a single byte, and a sign is one more.
pub fn number_size(number: Number) -> u64 {
    let (mantissa, exponent) = number.parts();
    if mantissa == 0 {
        return 1;
    }
    // Few numbers need the division of an i128. The pairs of the others are the digits of base 100 of an integer.
    if let (Ok(mut pairs), -2..=0) = (u64::try_from(mantissa.unsigned_abs()), exponent)
        && pairs <= u64::MAX / 10
    {
        if exponent == -1 {
            pairs *= 10;
        }
        while pairs.is_multiple_of(100) {
            pairs /= 100;
        }
        return 2 + u64::from(pairs.ilog10() / 2) + u64::from(mantissa < 0);
    }
    let (digits, exponent) = number.stripped();
    // The places of the first and of the last digit, from the decimal point.
    let (last, first) = (i32::from(exponent), i32::from(exponent) + digits.unsigned_abs().ilog10() as i32);
    let pairs = first.div_euclid(2) - last.div_euclid(2) + 1;
    1 + u64::from(pairs.unsigned_abs()) + u64::from(digits < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> u64 {
        number_size(Number::parse(text.as_bytes()).expect(text))
    }

    /// The sizes that nubo-db/dynamodb-conformance captured in eu-west-2, 2026-08-18.
    #[test]
    fn captured_sizes() {
        for (text, bytes) in [
            ("0", 1),
            ("1", 2),
            ("12", 2),
            ("123", 3),
            ("1234", 3),
            ("12345678901234567890123456789012345678", 20),
            ("0042", 2),
            ("100", 2),
            ("1010", 3),
            ("0.0000001", 2),
            ("1E125", 2),
            ("1E-100", 2),
            ("1.5", 3),
            ("15", 2),
            ("1.2", 3),
            ("1.200", 3),
            ("1.234", 4),
            ("3.14159", 5),
            ("123456", 4),
            ("100.5", 4),
            ("0.15", 2),
            ("-42", 3),
            ("-0", 1),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn values_and_items() {
        let text = |text: &str| AttributeValue::S(text.into());
        let map = AttributeValue::M(vec![("é".into(), text("ab")), (String::new(), AttributeValue::Null)]);
        let list = AttributeValue::L(vec![map.clone(), text(""), AttributeValue::L(vec![])]);
        assert_eq!((value_size(&map), value_size(&list)), (3 + (1 + 2 + 2) + (1 + 1), 3 + (1 + 10) + 1 + (1 + 3)));
        assert_eq!(value_size(&AttributeValue::SS(vec!["a".into(), "🦐".into(), String::new()])), 5);
        assert_eq!(value_size(&AttributeValue::NS(vec![Number::from(0), Number::from(123)])), 4);
        assert_eq!(value_size(&AttributeValue::BS(vec![vec![0, 1], vec![]])), 2);
        assert_eq!(item_size(&vec![("list".into(), list), ("b".into(), AttributeValue::Bool(true))]), 4 + 19 + 1 + 1);
    }

    /// Where the formula and the conformance project's own differ, which nobody has measured.
    #[test]
    fn digits_are_paired_from_the_decimal_point() {
        assert_eq!((size("110"), size("0.015"), size("55E3")), (3, 3, 3));
        assert_eq!((size("1E-130"), size("-1E-129"), size("-99e-130")), (2, 3, 3));
        let all = "9".repeat(38);
        assert_eq!((size(&format!("{all}E88")), size(&format!("{all}E87")), size(&format!("-{all}E-130"))), (20, 21, 21));
    }

    proptest::proptest! {
        /// The size is that of the canonical text's digits, paired by hand.
        #[test]
        fn size_of_the_text(mantissa in -(10_i128.pow(38) - 1)..10_i128.pow(38), exponent in -130_i32..=88) {
            if let Ok(number) = Number::from_parts(mantissa, exponent) {
                let text = number.to_string();
                let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
                let (odd_whole, odd_fraction) = (whole.len() % 2, fraction.len() % 2);
                let digits = format!("{}{whole}{fraction}{}", "0".repeat(odd_whole), "0".repeat(odd_fraction));
                let pairs: Vec<_> = digits.as_bytes().chunks(2).map(|pair| pair != b"00").collect();
                let expected = match (pairs.iter().position(|&used| used), pairs.iter().rposition(|&used| used)) {
                    (Some(first), Some(last)) => (last - first + 2) as u64 + u64::from(text.starts_with('-')),
                    _ => 1,
                };
                proptest::prop_assert_eq!(number_size(number), expected, "{}", text);
            }
        }
    }
}
