//! What nobody has measured of imports: each a rule with a name, so that whoever knows better can
//! say so. `docs/import-facts.md` says what is known.

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error, Result};

/// What an error costs an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Nothing: the item is imported.
    Nothing,
    /// Its item.
    Item,
    /// Its item and all that follow in the object.
    Object,
}

macro_rules! unknowns {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $cost:ident, $assumed:ident;)*) => {
        /// Something of which nobody knows what an import does with it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unknown { $($(#[$doc])* $name,)* }

        impl Unknown {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in options and findings.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it costs where it is counted and no rule says more.
            pub const fn cost(self) -> Cost {
                match self { $(Self::$name => Cost::$cost,)* }
            }

            /// What is assumed of it unless something else is said.
            pub const fn assumed(self) -> Assumed {
                match self { $(Self::$name => Assumed::$assumed,)* }
            }
        }
    };
}

unknowns! {
    /// A value that `PutItem` refuses: that it costs its item was measured for keys and empty names only.
    ValueFaults = "value_faults", Item, Item;
    /// Records in a JSON array.
    JsonArray = "json_array", Object, Unverified;
    /// JSON with records over several lines.
    JsonDocument = "json_document", Object, Unverified;
    /// Members beside `Item`. The item is not checked.
    BesideItem = "beside_item", Item, Unverified;
    /// An attribute that stands twice in one object. The item is not checked.
    DuplicateAttributes = "duplicate_attributes", Item, Unverified;
    /// A record with bytes that are not UTF-8. It is not checked.
    NotUtf8 = "not_utf8", Object, Unverified;
    /// A byte order mark. The first record is not checked; of CSV no record is.
    ByteOrderMark = "byte_order_mark", Object, Unverified;
    /// Floats, symbols, clobs, typed nulls, timestamps and s-expressions of Ion.
    IonTypes = "ion_types", Item, Unverified;
    /// Binary Ion.
    IonBinary = "ion_binary", Object, Unverified;
    /// A record of CSV with another number of columns than the header. It is not checked.
    CsvColumns = "csv_columns", Item, Unverified;
    /// A header of CSV with names that are empty or stand twice. No record is checked.
    CsvHeader = "csv_header", Object, Unverified;
}

impl FromStr for Unknown {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|unknown| unknown.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|unknown| unknown.as_str()).collect();
            Error::usage(format!("nothing that is unknown of imports has the name {text:?}: there are {}", all.join(", ")))
        })
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is assumed of something unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// Nothing: it is a finding, which counts only where the check is strict.
    Unverified,
    /// It is imported.
    Accept,
    /// It costs its item.
    Item,
    /// It costs the rest of its object.
    Object,
}

impl Assumed {
    /// The names.
    pub const NAMES: &[&str] = &["unverified", "accept", "item", "object"];
}

impl FromStr for Assumed {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "unverified" => Self::Unverified,
            "accept" => Self::Accept,
            "item" => Self::Item,
            "object" => Self::Object,
            _ => return Err(Error::usage(format!("an assumption must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        })
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing: nothing fails.
    Advice,
    /// Nobody knows whether it fails.
    Unverified,
    /// The import fails.
    Error,
}

impl Level {
    /// The level's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Unverified => "unverified",
            Self::Error => "error",
        }
    }
}

/// What is assumed of all that is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumptions {
    assumed: Vec<(Unknown, Assumed)>,
    strict: bool,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self { assumed: Unknown::ALL.iter().map(|&unknown| (unknown, unknown.assumed())).collect(), strict: false }
    }
}

impl Assumptions {
    /// The same, where what is unverified counts as an error, or not.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same, with something else assumed of this.
    #[must_use]
    pub fn assume(mut self, unknown: Unknown, assumed: Assumed) -> Self {
        self.assumed.iter_mut().filter(|(name, _)| *name == unknown).for_each(|(_, to)| *to = assumed);
        self
    }

    /// What it comes to; `None` where nothing is to be said of it.
    pub fn judge(&self, unknown: Unknown) -> Option<(Level, Cost)> {
        let assumed = self.assumed.iter().find(|(name, _)| *name == unknown).map_or(unknown.assumed(), |(_, assumed)| *assumed);
        match assumed {
            Assumed::Accept => None,
            Assumed::Unverified if self.strict => Some((Level::Error, unknown.cost())),
            Assumed::Unverified => Some((Level::Unverified, Cost::Nothing)),
            Assumed::Item => Some((Level::Error, Cost::Item)),
            Assumed::Object => Some((Level::Error, Cost::Object)),
        }
    }
}

/// What an error of a record is unknown as; `None` where it is known that the record cannot be read,
/// which ends the object.
pub fn unknown_of(code: Code) -> Option<Unknown> {
    Some(match code {
        Code::Number | Code::Set | Code::Base64 | Code::Descriptor | Code::Nesting | Code::Annotation => Unknown::ValueFaults,
        Code::BesideItem => Unknown::BesideItem,
        Code::DuplicateAttribute => Unknown::DuplicateAttributes,
        Code::Utf8 => Unknown::NotUtf8,
        Code::ByteOrderMark => Unknown::ByteOrderMark,
        Code::IonType => Unknown::IonTypes,
        Code::CsvColumns => Unknown::CsvColumns,
        Code::CsvHeader => Unknown::CsvHeader,
        _ => return None,
    })
}
