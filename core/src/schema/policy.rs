//! Policies: what becomes of values where there is a choice. All are kept in the schema
//! document.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::timestamp::Timestamp;
use crate::error::{Error, Result};
use crate::number::MAX_DIGITS;
use crate::path;

macro_rules! policy {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The names of all values.
            pub const NAMES: &[&str] = &[$($text),*];
            /// The name of this one.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Error::usage(format!("{} must be one of {}, not {text:?}", $what, Self::NAMES.join(", ")))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// What the column of a number is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// int64 where all fit, else decimal128 where all fit, else text: exact.
    #[default]
    Auto,
    /// float64, rounded to the nearest; what that loses is counted.
    Float64,
    /// decimal128 of this precision and scale, rounded half to even; what overflows is
    /// null. Both are counted.
    Decimal {
        /// Digits in all, at most 38.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Text, canonical plain form: exact.
    String,
}

impl Numbers {
    /// The names of all values.
    pub const NAMES: &[&str] = &["auto", "float64", "decimal(p,s)", "string"];
}

impl FromStr for Numbers {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "float64" => Ok(Self::Float64),
            "string" => Ok(Self::String),
            _ => match parse_decimal(text) {
                Some((precision, scale)) => Ok(Self::Decimal { precision, scale }),
                None => Err(Error::usage(format!("numbers must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
            },
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Float64 => f.write_str("float64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
        }
    }
}

/// Precision and scale of `decimal(p,s)`, where they make sense.
fn parse_decimal(text: &str) -> Option<(u8, u8)> {
    let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale): (u8, u8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    (1..=MAX_DIGITS as u8).contains(&precision).then_some(())?;
    (scale <= precision).then_some((precision, scale))
}

policy! {
    /// What the column of a path with several types is.
    Mixed: "mixed" {
        /// A struct with a child per type.
        #[default]
        Struct = "struct",
        /// The DynamoDB JSON of the value, as text.
        Json = "json",
        /// Strings as they are, numbers in plain form, true and false; the rest as JSON text.
        String = "string",
        /// None: it is an error.
        Error = "error",
    }
}

policy! {
    /// What the column of a map is.
    Maps: "maps" {
        /// A struct; past `max_fields` different members a map column.
        #[default]
        Auto = "auto",
        /// A struct, however many members.
        Struct = "struct",
        /// A map column, whose value joins the types of all members.
        Map = "map",
        /// The DynamoDB JSON of the value, as text.
        Json = "json",
    }
}

policy! {
    /// How values stand in columns.
    Layout: "layout" {
        /// As what they are.
        #[default]
        Plain = "plain",
        /// Each value in a struct of the types seen at its path, NULL too: nothing is lost.
        Typed = "typed",
    }
}

policy! {
    /// Under which names columns, and members of structs, stand in Arrow.
    Names: "names" {
        /// Under those of the attributes.
        #[default]
        Exact = "exact",
        /// Under such that Athena can resolve; the attributes' own stand in the metadata.
        Athena = "athena",
    }
}

policy! {
    /// What becomes of values that a frozen schema has no place for.
    Extra: "extra" {
        /// They stand in the column `_extra`, by their path.
        #[default]
        Column = "column",
        /// They are dropped and counted.
        Drop = "drop",
        /// They are an error.
        Error = "error",
    }
}

/// What one path is made, whatever was learnt of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Override {
    /// Numbers as this policy says.
    Numbers(Numbers),
    /// int64.
    Int64,
    /// Text: strings as they are, numbers in plain form.
    String,
    /// The DynamoDB JSON of the value, as text.
    Json,
    /// Maps as this policy says.
    Maps(Maps),
    /// A moment.
    Timestamp(Timestamp),
}

impl FromStr for Override {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "int64" => Self::Int64,
            "string" => Self::String,
            "json" => Self::Json,
            "struct" => Self::Maps(Maps::Struct),
            "map" => Self::Maps(Maps::Map),
            _ if text.starts_with("timestamp") => Self::Timestamp(text.parse()?),
            _ => match text.parse::<Numbers>() {
                Ok(numbers) => Self::Numbers(numbers),
                Err(_) => {
                    let known = "int64, float64, decimal(p,s), string, json, struct, map, timestamp(s), timestamp(ms), timestamp(us), timestamp(iso)";
                    return Err(Error::usage(format!("an override must be one of {known}, not {text:?}")));
                }
            },
        })
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(numbers) => numbers.fmt(f),
            Self::Int64 => f.write_str("int64"),
            Self::String => f.write_str("string"),
            Self::Json => f.write_str("json"),
            Self::Maps(maps) => maps.fmt(f),
            Self::Timestamp(timestamp) => timestamp.fmt(f),
        }
    }
}

/// Maps with more different members than this become map columns.
pub const MAX_FIELDS: usize = 256;
/// Attributes past this go to `_extra`.
pub const MAX_COLUMNS: usize = 2_000;

/// How a summary becomes columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    /// Of numbers.
    pub numbers: Numbers,
    /// Of paths with several types.
    pub mixed: Mixed,
    /// Of maps.
    pub maps: Maps,
    /// Of all values.
    pub layout: Layout,
    /// Of the columns' names.
    pub names: Names,
    /// Members of a struct, at most, with `maps="auto"`.
    pub max_fields: usize,
    /// Columns, at most.
    pub max_columns: usize,
    /// Of single paths, by the path's text.
    pub overrides: BTreeMap<String, Override>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            numbers: Numbers::default(),
            mixed: Mixed::default(),
            maps: Maps::default(),
            layout: Layout::default(),
            names: Names::default(),
            max_fields: MAX_FIELDS,
            max_columns: MAX_COLUMNS,
            overrides: BTreeMap::new(),
        }
    }
}

impl Policies {
    /// Overrides one path: `price`, `lines[].qty`, `["odd name"].x`.
    pub fn override_path(&mut self, at: &str, with: &str) -> Result<()> {
        let steps = path::parse(at)?;
        let with = with.parse().map_err(|e: Error| Error::usage(format!("overrides[{at:?}]: {}", e.message())))?;
        self.overrides.insert(path::to_text(&steps), with);
        Ok(())
    }
}
