//! Schemas: learnt as a summary that can be merged, then frozen into columns.

mod arrow;
mod document;
mod freeze;
pub mod learn;
pub mod summary;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::event::Kind;
use summary::Summary;

/// The names of the attributes that are asked for.
pub type Columns = Arc<[String]>;

/// Maps with more different members than this become map columns.
pub const MAX_FIELDS: usize = 256;

macro_rules! policy {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "lowercase")]
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

policy! {
    /// What the column of a number is.
    Numbers: "numbers" {
        /// int64 where all fit, else decimal128 where all fit, else text: exact.
        #[default]
        Auto = "auto",
        /// float64, rounded to the nearest.
        Float64 = "float64",
        /// Text, canonical plain form: exact.
        String = "string",
    }
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

/// How a summary becomes columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Of numbers.
    pub numbers: Numbers,
    /// Of paths with several types.
    pub mixed: Mixed,
}

/// A column or a member of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The attribute's exact name; that of a list's elements and a map's values is fixed.
    pub name: String,
    /// What it holds.
    pub ty: Type,
}

/// What a column holds, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// S as utf8.
    Text,
    /// N as int64.
    Int64,
    /// N as decimal128(38, scale).
    Decimal(u8),
    /// N as float64.
    Float64,
    /// N as utf8, in canonical plain form.
    NumberText,
    /// BOOL as boolean.
    Boolean,
    /// B as binary.
    Binary,
    /// Nothing but NULL was seen: utf8.
    Null,
    /// M as struct.
    Struct(Vec<Field>),
    /// M as map from name to value.
    Map(Box<Type>),
    /// Always empty M as map<utf8, utf8>: Parquet has no struct without fields.
    EmptyMap,
    /// L as list.
    List(Box<Type>),
    /// Always empty L as list<utf8>.
    EmptyList,
    /// SS, NS or BS as list.
    Set(Kind, Box<Type>),
    /// Several types as a struct with a child for each, in the order of [`Kind`].
    Mixed(Vec<(Kind, Type)>),
    /// Several types as DynamoDB JSON text.
    Json,
    /// Several types as plain text.
    MixedText,
}

/// Names, order and types of the columns, and what was learnt to choose them.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    fields: Vec<Field>,
    policies: Policies,
    summary: Arc<Summary>,
}

impl Schema {
    /// The columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How they were chosen.
    pub fn policies(&self) -> Policies {
        self.policies
    }

    /// What was learnt.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}
