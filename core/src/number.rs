//! DynamoDB numbers, exactly.
//!
//! A number has at most 38 significant digits and a magnitude between 1E-130 and
//! 9.99…E+125, or is 0
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>).
//! The texts that the service takes go further than what it writes: a leading `+`, zeros
//! on both sides, `.5`, exponents.

use std::borrow::Cow;
use std::fmt;

use crate::digits::{self, Digits};

/// Significant digits that DynamoDB keeps.
pub const MAX_DIGITS: u32 = 38;
const MAX_MAGNITUDE: i32 = 125;
const MIN_MAGNITUDE: i32 = -130;
/// As far as an `i64` goes.
const POWERS_OF_TEN: [i64; 19] = {
    let mut powers = [1; 19];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// A DynamoDB number: `mantissa × 10^exponent`.
///
/// There is one form for each value, so that equality of the struct is equality by value:
/// a negative exponent has a mantissa that does not end in 0, a positive exponent stands
/// only where the integer has more than 38 digits (again without a final 0), and any other
/// integer has exponent 0. There is no negative zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    mantissa: i128,
    exponent: i16,
}

/// Why a text is not a DynamoDB number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not a number at all.
    Syntax,
    /// More than 38 significant digits.
    Digits,
    /// A magnitude above 9.99…E+125.
    Overflow,
    /// A magnitude below 1E-130.
    Underflow,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not a number",
            Self::Digits => "more than 38 significant digits",
            Self::Overflow => "magnitude above 9.9999999999999999999999999999999999999E+125",
            Self::Underflow => "magnitude below 1E-130",
        })
    }
}

impl Number {
    /// The number in a text, in any form that DynamoDB takes.
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
        let mut quoted = [b'"'; 17];
        if let Some(place) = quoted.get_mut(..text.len()) {
            place.copy_from_slice(text);
        }
        match Self::quoted(&quoted) {
            Some((number, length)) if length == text.len() + 1 => Ok(number),
            _ => general(text),
        }
    }

    /// The short number that a text begins with, and the bytes up to behind the quote that ends it.
    #[inline]
    pub fn quoted(text: &[u8]) -> Option<(Self, usize)> {
        let sign = usize::from(text.first() == Some(&b'-'));
        let Digits { value, scale, length } = digits::quoted(text.get(sign..)?.first_chunk()?)?;
        let value = value as i64;
        Some((Self::from_short(if sign == 0 { value } else { -value }, scale), sign + length + 1))
    }

    /// `mantissa × 10^-scale` in its one form.
    #[inline]
    fn from_short(mut mantissa: i64, mut scale: u32) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa: i128::from(mantissa), exponent: -(scale as i16) }
    }

    /// `mantissa × 10^exponent` in its one form; `None` where DynamoDB has no such number.
    pub fn from_parts(mantissa: i128, exponent: i32) -> Result<Self, NumberError> {
        let mut digits = [0_u8; 40];
        let text = decimal_digits(mantissa.unsigned_abs(), &mut digits);
        normalise(mantissa < 0, text, exponent)
    }

    /// The value as an `i64`, where it is an integer that fits.
    #[inline]
    pub fn to_i64(self) -> Option<i64> {
        if self.exponent == 0 { i64::try_from(self.mantissa).ok() } else { None }
    }

    /// The value × 10^scale, where that is an integer of at most 38 digits: the unscaled
    /// value of a decimal128(38, scale).
    #[inline]
    pub fn to_decimal(self, scale: u8) -> Option<i128> {
        let shift = i32::from(self.exponent) + i32::from(scale);
        if self.mantissa == 0 {
            return Some(0);
        }
        // Few numbers need more than the product of two int64.
        if let (Ok(mantissa), Some(&factor)) = (i64::try_from(self.mantissa), POWERS_OF_TEN.get(shift as usize)) {
            return Some(i128::from(mantissa) * i128::from(factor));
        }
        let factor = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
        let value = self.mantissa.checked_mul(factor)?;
        (value.unsigned_abs() < 10_u128.pow(MAX_DIGITS)).then_some(value)
    }

    /// The value × 10^scale, rounded half to even, where it has at most 38 digits.
    pub fn round_to_decimal(self, scale: u8) -> Option<i128> {
        let shift = i32::from(self.exponent) + i32::from(scale);
        if shift >= 0 {
            return self.to_decimal(scale);
        }
        if shift < -38 {
            // A mantissa has at most 38 digits: less than a half is left.
            return Some(0);
        }
        let divisor = 10_i128.pow(shift.unsigned_abs());
        let (quotient, rest) = (self.mantissa / divisor, (self.mantissa % divisor).abs());
        let up = rest > divisor - rest || rest == divisor - rest && quotient % 2 != 0;
        Some(quotient + if up { self.mantissa.signum() } else { 0 })
    }

    /// The nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self.to_i64() {
            Some(value) => value as f64,
            // The standard library's parser rounds correctly, and every canonical text parses.
            None => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether the number can be had back from its nearest `f64`: whether the shortest text
    /// that stands for it (what every language prints) is the number's.
    pub fn is_kept_by(self, float: f64) -> bool {
        // 15 digits always survive.
        self.integer_digits() + self.scale() <= 15 || Self::parse(format!("{float:e}").as_bytes()) == Ok(self)
    }

    /// Digits left of the decimal point, without leading zeros (0 for 0.5).
    #[inline]
    pub fn integer_digits(self) -> u32 {
        // Few numbers need the logarithm of more than a u64, which is slow.
        let mantissa = self.mantissa.unsigned_abs();
        let log = u64::try_from(mantissa).map_or_else(|_| mantissa.checked_ilog10(), u64::checked_ilog10);
        let digits = log.map_or(0, |log| log + 1);
        digits.saturating_add_signed(i32::from(self.exponent))
    }

    /// Digits right of the decimal point, without trailing zeros.
    #[inline]
    pub fn scale(self) -> u32 {
        u32::from(self.exponent.min(0).unsigned_abs())
    }

    /// Bytes that are the same for the same value only.
    pub(crate) fn to_key(self) -> [u8; 18] {
        let mut key = [0; 18];
        key[..16].copy_from_slice(&self.mantissa.to_le_bytes());
        key[16..].copy_from_slice(&self.exponent.to_le_bytes());
        key
    }

    /// The number of such bytes.
    pub(crate) fn from_key(key: [u8; 18]) -> Self {
        let (mantissa, exponent) = key.split_at(16);
        let mantissa = mantissa.try_into().map_or(0, i128::from_le_bytes);
        Self { mantissa, exponent: exponent.try_into().map_or(0, i16::from_le_bytes) }
    }

    /// Mantissa and exponent.
    #[inline]
    pub(crate) fn parts(self) -> (i128, i16) {
        (self.mantissa, self.exponent)
    }

    /// Digits and exponent without trailing zeros: `(25, -1)`, `(6, 2)`, `(0, 0)`.
    pub fn stripped(self) -> (i128, i16) {
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        while mantissa != 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        (mantissa, exponent)
    }

    /// Writes the canonical form (what DynamoDB itself returns): plain decimal, never an
    /// exponent, no superfluous zeros.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let mut buffer = [0_u8; 40];
        let digits = decimal_digits(self.mantissa.unsigned_abs(), &mut buffer);
        if self.mantissa < 0 {
            out.push(b'-');
        }
        if self.exponent >= 0 {
            out.extend_from_slice(digits);
            out.resize(out.len() + self.exponent as usize, b'0');
            return;
        }
        let scale = usize::from(self.exponent.unsigned_abs());
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        } else {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
}

impl From<i64> for Number {
    #[inline]
    fn from(value: i64) -> Self {
        Self { mantissa: i128::from(value), exponent: 0 }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(40);
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// The number in a text of any length and form.
fn general(text: &[u8]) -> Result<Number, NumberError> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (body, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&rest[..at], parse_exponent(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = match body.iter().position(|&b| b == b'.') {
        Some(at) => (&body[..at], &body[at + 1..]),
        None => (body, &[][..]),
    };
    let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if whole.is_empty() && fraction.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(NumberError::Syntax);
    }
    let scale = i32::try_from(fraction.len()).map_err(|_| NumberError::Underflow)?;
    // Texts have any length (the expanded form of 1E125 has 126 digits), digits that count are few.
    let digits = if scale == 0 { Cow::Borrowed(whole) } else { Cow::Owned([whole, fraction].concat()) };
    let place = exponent.saturating_sub(scale);
    // Measured: `0e126` and `0e-131` are refused, `0.0e126` is a zero.
    if body.len() < rest.len() && digits.iter().all(|&b| b == b'0') {
        if place > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if place < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
    }
    normalise(negative, &digits, place)
}

/// An exponent's value; one too large for any number is held at ±100,000.
fn parse_exponent(text: &[u8]) -> Result<i32, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Syntax);
    }
    let value = digits.iter().fold(0_i32, |sum, b| (sum * 10 + i32::from(b - b'0')).min(100_000));
    Ok(if negative { -value } else { value })
}

/// The one form of `digits × 10^exponent`.
fn normalise(negative: bool, digits: &[u8], mut exponent: i32) -> Result<Number, NumberError> {
    let start = digits.iter().position(|&b| b != b'0').unwrap_or(digits.len());
    let end = digits.iter().rposition(|&b| b != b'0').map_or(start, |at| at + 1);
    exponent = exponent.saturating_add(i32::try_from(digits.len() - end).map_err(|_| NumberError::Overflow)?);
    let digits = &digits[start..end];
    if digits.is_empty() {
        return Ok(Number::from(0));
    }
    let magnitude = exponent.saturating_add(i32::try_from(digits.len()).map_err(|_| NumberError::Digits)? - 1);
    if magnitude > MAX_MAGNITUDE {
        return Err(NumberError::Overflow);
    }
    if magnitude < MIN_MAGNITUDE {
        return Err(NumberError::Underflow);
    }
    if digits.len() > MAX_DIGITS as usize {
        return Err(NumberError::Digits);
    }
    let mut mantissa = digits::value(digits);
    if exponent > 0 && magnitude < MAX_DIGITS as i32 {
        mantissa *= 10_i128.pow(exponent as u32);
        exponent = 0;
    }
    Ok(Number { mantissa: if negative { -mantissa } else { mantissa }, exponent: exponent as i16 })
}

/// The decimal digits of a value, at the end of the buffer.
fn decimal_digits(mut value: u128, buffer: &mut [u8; 40]) -> &[u8] {
    let mut at = buffer.len();
    // Division of a u128 is slow: split off what fits a u64.
    while value > u128::from(u64::MAX) {
        buffer[at - 1] = b'0' + (value % 10) as u8;
        value /= 10;
        at -= 1;
    }
    let mut value = value as u64;
    loop {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Number::parse(text.as_bytes()).map_or_else(|e| format!("{e:?}"), |n| n.to_string())
    }

    /// The canonical forms that DynamoDB returns, and its refusals.
    #[test]
    fn canonical_forms() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("0e5", "0"),
            ("1e3", "1000"),
            ("1E+2", "100"),
            ("100.000", "100"),
            ("1.10", "1.1"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("+1.5", "1.5"),
            ("0001.23", "1.23"),
            ("5.", "5"),
            ("1e-20", "0.00000000000000000001"),
            ("0.000001", "0.000001"),
            ("-17.5", "-17.5"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("1234567890123456789012345678901234567800", "1234567890123456789012345678901234567800"),
            ("9223372036854775808", "9223372036854775808"),
            ("123456789012345678", "123456789012345678"),
            ("", "Syntax"),
            ("-", "Syntax"),
            (".", "Syntax"),
            ("e5", "Syntax"),
            ("1e", "Syntax"),
            ("1e+", "Syntax"),
            (" 1", "Syntax"),
            ("1 ", "Syntax"),
            ("NaN", "Syntax"),
            ("Infinity", "Syntax"),
            ("0x10", "Syntax"),
            ("1.2.3", "Syntax"),
            ("--1", "Syntax"),
            ("+-1", "Syntax"),
            ("123456789012345678901234567890123456789", "Digits"),
            ("0.123456789012345678901234567890123456789", "Digits"),
            ("1e126", "Overflow"),
            ("99999999999999999999999999999999999999e89", "Overflow"),
            ("1e999999999999", "Overflow"),
            ("1e-131", "Underflow"),
            ("1e-999999999999", "Underflow"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
        assert_eq!(canonical("1e125"), format!("1{}", "0".repeat(125)));
        assert_eq!(canonical("1e-130"), format!("0.{}1", "0".repeat(129)));
        assert_eq!(canonical(&format!("1{}", "0".repeat(125))), format!("1{}", "0".repeat(125)));
    }

    #[test]
    fn equality_is_by_value() {
        for group in
            [&["1", "1.0", "1e0", "10e-1", "0.1e1"][..], &["0.5", ".50", "5e-1"], &["1e40", "10e39", &format!("1{}", "0".repeat(40))]]
        {
            let numbers: Vec<_> = group.iter().map(|t| Number::parse(t.as_bytes())).collect();
            assert!(numbers.windows(2).all(|w| w[0] == w[1] && w[0].is_ok()), "{numbers:?}");
        }
    }

    #[test]
    fn decimals_are_exact_or_none() {
        let number = |text: &str| Number::parse(text.as_bytes()).expect("a number");
        assert_eq!(number("12.5").to_decimal(2), Some(1250));
        assert_eq!(number("12.5").to_decimal(0), None);
        assert_eq!(number("-3").to_decimal(3), Some(-3000));
        assert_eq!(number("99999999999999999999999999999999999999").to_decimal(0), Some(10_i128.pow(38) - 1));
        assert_eq!(number("99999999999999999999999999999999999999").to_decimal(1), None);
        assert_eq!(number("1e40").to_decimal(0), None);
        assert_eq!(number("0").to_decimal(38), Some(0));
        assert_eq!((number("0.05").integer_digits(), number("0.05").scale()), (0, 2));
        assert_eq!((number("120.05").integer_digits(), number("1e40").integer_digits()), (3, 41));
        assert_eq!(number("9223372036854775807").to_i64(), Some(i64::MAX));
        assert_eq!(number("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(number("9223372036854775808").to_i64(), None);
        assert!((number("0.1").to_f64() - 0.1).abs() < f64::EPSILON);
    }

    #[test]
    fn rounding_is_half_to_even() {
        let round = |text: &str, scale| Number::parse(text.as_bytes()).expect("a number").round_to_decimal(scale);
        for (text, scale, expected) in [
            ("0.5", 0, 0),
            ("1.5", 0, 2),
            ("2.5", 0, 2),
            ("-2.5", 0, -2),
            ("-3.5", 0, -4),
            ("2.51", 0, 3),
            ("2.49", 0, 2),
            ("1.005", 2, 100),
            ("1.015", 2, 102),
            ("7", 2, 700),
            ("1e-130", 2, 0),
            ("-1e-130", 0, 0),
        ] {
            assert_eq!(round(text, scale), Some(expected), "{text}");
        }
        assert_eq!(round("1e125", 0), None);
    }

    proptest::proptest! {
        #[test]
        fn text_round_trips(mantissa in -(10_i128.pow(38) - 1)..10_i128.pow(38), exponent in -130_i32..=88) {
            if let Ok(number) = Number::from_parts(mantissa, exponent) {
                proptest::prop_assert_eq!(Number::parse(number.to_string().as_bytes()), Ok(number));
                proptest::prop_assert_eq!(Number::parse(format!("{mantissa}e{exponent}").as_bytes()), Ok(number));
            }
        }
    }
}
