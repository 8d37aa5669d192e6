//! Timestamps: numbers of seconds, milliseconds or microseconds since 1970, and texts of a
//! fixed pattern, as timestamp(us, UTC). A value that would not be written back equal
//! (numbers by value, text byte for byte) is none.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use crate::error::{Error, Result};
use crate::number::Number;

/// The pattern of texts, if none is given.
pub const ISO: &str = "YYYY-MM-DDThh:mm:ss.SSSZ";

/// How a moment is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// A number of units since 1970-01-01T00:00:00Z; the unit is 10^-n seconds: n is 0, 3 or 6.
    Epoch(u8),
    /// A text of this pattern: YYYY MM DD hh mm ss, S for digits of the fraction, and any
    /// other characters as they are. In UTC.
    Text(String),
}

impl FromStr for Timestamp {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "timestamp(s)" => Self::Epoch(0),
            "timestamp(ms)" => Self::Epoch(3),
            "timestamp(us)" => Self::Epoch(6),
            "timestamp(iso)" => Self::Text(ISO.into()),
            _ => {
                let pattern = text.strip_prefix("timestamp(iso:").and_then(|rest| rest.strip_suffix(')'));
                let Some(pattern) = pattern.filter(|pattern| ["YYYY", "MM", "DD"].iter().all(|part| pattern.contains(part))) else {
                    let known = "timestamp(s), (ms), (us), (iso) or (iso:PATTERN) with YYYY, MM, DD and, if wanted, hh, mm, ss, S";
                    return Err(Error::usage(format!("a timestamp must be one of {known}, not {text:?}")));
                };
                Self::Text(pattern.into())
            }
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(0) => f.write_str("timestamp(s)"),
            Self::Epoch(3) => f.write_str("timestamp(ms)"),
            Self::Epoch(_) => f.write_str("timestamp(us)"),
            Self::Text(pattern) if pattern == ISO => f.write_str("timestamp(iso)"),
            Self::Text(pattern) => write!(f, "timestamp(iso:{pattern})"),
        }
    }
}

impl Timestamp {
    /// The microseconds since 1970 of a number.
    pub fn of_number(&self, number: Number) -> Option<i64> {
        match self {
            Self::Epoch(digits) => number.to_decimal(6 - digits).and_then(|micros| i64::try_from(micros).ok()),
            Self::Text(_) => None,
        }
    }

    /// The number of microseconds since 1970.
    pub fn to_number(&self, micros: i64) -> Option<Number> {
        match self {
            Self::Epoch(digits) => Number::from_parts(i128::from(micros), i32::from(*digits) - 6).ok(),
            Self::Text(_) => None,
        }
    }

    /// The microseconds since 1970 of a text.
    pub fn of_text(&self, text: &str) -> Option<i64> {
        let Self::Text(pattern) = self else { return None };
        let mut parts = [1970, 1, 1, 0, 0, 0, 0];
        let (mut rest, mut pattern_rest) = (text, pattern.as_str());
        while let Some((part, length)) = next_part(pattern_rest) {
            let value = rest.get(..length)?;
            match part {
                Part::Literal => (value == &pattern_rest[..length]).then_some(())?,
                Part::Number(place) => {
                    value.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
                    parts[place] = value.parse::<u32>().ok()?;
                }
                Part::Fraction => {
                    value.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
                    let digits: String = value.chars().chain("000000".chars()).take(6).collect();
                    parts[6] = digits.parse().ok()?;
                }
            }
            (rest, pattern_rest) = (&rest[length..], &pattern_rest[length..]);
        }
        let [year, month, day, hour, minute, second, micros] = parts;
        let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
        let micros = date.and_hms_micro_opt(hour, minute, second, micros)?.and_utc().timestamp_micros();
        // What is finer than a microsecond is not written back the same.
        (self.to_text(micros)? == text).then_some(micros)
    }

    /// The text of microseconds since 1970.
    pub fn to_text(&self, micros: i64) -> Option<String> {
        let Self::Text(pattern) = self else { return None };
        let moment = DateTime::from_timestamp_micros(micros)?;
        let year = u32::try_from(moment.year()).ok().filter(|&year| year < 10_000)?;
        let parts = [year, moment.month(), moment.day(), moment.hour(), moment.minute(), moment.second()];
        let fraction = format!("{:06}000000000", moment.timestamp_subsec_micros());
        let mut out = String::with_capacity(pattern.len());
        let mut pattern = pattern.as_str();
        while let Some((part, length)) = next_part(pattern) {
            match part {
                Part::Literal => out.push_str(&pattern[..length]),
                Part::Number(place) => out.push_str(&format!("{:0length$}", parts[place])),
                Part::Fraction => out.push_str(fraction.get(..length)?),
            }
            pattern = &pattern[length..];
        }
        Some(out)
    }
}

enum Part {
    Literal,
    Number(usize),
    Fraction,
}

/// What a pattern begins with, and its length in bytes, which is that of its values too.
fn next_part(pattern: &str) -> Option<(Part, usize)> {
    for (place, name) in ["YYYY", "MM", "DD", "hh", "mm", "ss"].into_iter().enumerate() {
        if pattern.starts_with(name) {
            return Some((Part::Number(place), name.len()));
        }
    }
    let fraction = pattern.bytes().take_while(|&b| b == b'S').count();
    if fraction > 0 {
        return Some((Part::Fraction, fraction));
    }
    pattern.chars().next().map(|c| (Part::Literal, c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(timestamp: &str, text: &str) -> Option<i64> {
        timestamp.parse::<Timestamp>().unwrap().of_text(text)
    }

    #[test]
    fn texts_are_read_where_they_are_written_back() {
        assert_eq!(micros("timestamp(iso)", "1970-01-01T00:00:00.001Z"), Some(1_000));
        assert_eq!(micros("timestamp(iso)", "1969-12-31T23:59:59.999Z"), Some(-1_000));
        assert_eq!(micros("timestamp(iso)", "2024-02-29T12:30:45.678Z"), Some(1_709_209_845_678_000));
        assert_eq!(micros("timestamp(iso:YYYY-MM-DD)", "2000-01-01"), Some(946_684_800_000_000));
        assert_eq!(micros("timestamp(iso:DD.MM.YYYY hh:mm)", "01.01.2000 00:01"), Some(946_684_860_000_000));
        for text in [
            "2023-02-29T00:00:00.000Z",
            "2024-13-01T00:00:00.000Z",
            "2024-01-01T24:00:00.000Z",
            "2024-01-01T00:00:60.000Z",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.000",
            "2024-01-01T00:00:00.000+1",
            "é",
            "",
        ] {
            assert_eq!(micros("timestamp(iso)", text), None, "{text}");
        }
        // Finer than a microsecond.
        assert_eq!(micros("timestamp(iso:YYYY-MM-DDThh:mm:ss.SSSSSSSSS)", "2024-01-01T00:00:00.000000001"), None);
        assert!(micros("timestamp(iso:YYYY-MM-DDThh:mm:ss.SSSSSSSSS)", "2024-01-01T00:00:00.000001000").is_some());
    }

    #[test]
    fn numbers_are_exact() {
        let of =
            |timestamp: &str, number: &str| timestamp.parse::<Timestamp>().unwrap().of_number(Number::parse(number.as_bytes()).unwrap());
        assert_eq!(of("timestamp(s)", "1.5"), Some(1_500_000));
        assert_eq!(of("timestamp(ms)", "-1"), Some(-1_000));
        assert_eq!(of("timestamp(us)", "1.5"), None);
        assert_eq!(of("timestamp(s)", "1e30"), None);
        assert_eq!(Timestamp::Epoch(0).to_number(1_500_000), Number::parse(b"1.5").ok());
        assert_eq!(Timestamp::Epoch(3).to_number(-1_000), Number::parse(b"-1").ok());
    }

    #[test]
    fn every_day_of_a_thousand_years() {
        let day = Timestamp::Text("YYYYMMDD".into());
        for days in -200_000..200_000 {
            let micros = days * 86_400_000_000;
            let text = day.to_text(micros).unwrap();
            assert_eq!(day.of_text(&text), Some(micros), "{text}");
        }
    }

    #[test]
    fn names_round_trip() {
        for text in ["timestamp(s)", "timestamp(ms)", "timestamp(us)", "timestamp(iso)", "timestamp(iso:YYYY/MM/DD hh)"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        for text in ["timestamp", "timestamp(ns)", "timestamp(iso:hh)", "timestamp(iso"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
