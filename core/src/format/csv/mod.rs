//! CSV, written and read: a header line, a line an item.
//!
//! It is read as `ImportTable` reads it: every column is a string but those with a
//! [type](CsvOptions::types), which the service gives to key attributes only; empty cells are
//! left out of the item
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html#S3DataImport.Requesting.Formats.CSV>).
//! [csv-core](https://docs.rs/csv-core) splits a record into cells. It takes what the service
//! refuses, so a pass over the record's bytes (`scan`) comes first: it finds the record's end
//! and refuses a quote inside an unquoted field, text behind a closing quote and a quote that
//! is never closed.
//!
//! What nobody has measured of the service is decided here:
//!
//! - A byte order mark is refused (`E_BYTE_ORDER_MARK`, the file fails): as part of the first column's name
//!   it would make every item lack that attribute.
//! - Header names that are empty or stand twice are refused (`E_CSV_HEADER`, the file fails).
//! - A record with another number of columns than the header has is refused, also one with a
//!   delimiter at its end.
//! - Lines without a byte are no records, anywhere; a line of blanks is one.
//! - `\r\n` ends a line as `\n` does; any other `\r` outside of quotes is refused.
//! - An empty cell in quotes is empty like any other.
//!
//! A record that is broken on its first line, one of the wrong number of columns and one with a
//! bad value cost nothing but themselves. Where the quotes of a broken record hold newlines,
//! nobody knows where it ends: reading goes on at the next line behind its first at which a
//! record begins that has the header's number of columns, and what lies between is not examined.

pub mod cut;
pub mod decode;
mod encode;
mod nested;
mod scan;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use encode::{CsvSink, header};

use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::name::Key;

/// The delimiters that `ImportTable` takes.
pub const DELIMITERS: [u8; 6] = [b',', b';', b':', b'|', b'\t', b' '];

/// How CSV is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between two cells, one of [`DELIMITERS`].
    pub delimiter: u8,
    /// The names of the columns, where the first line is not to be the header: `ImportTable`'s
    /// `HeaderList`.
    pub header: Option<Vec<String>>,
    /// The types of columns by name; all others are S. `ImportTable` has S, N and B, for the
    /// attributes of keys. Beyond it: BOOL (`true`, `false`), NULL (`null`), and M, L, SS, NS
    /// and BS as plain JSON text. Columns that a file does not have are of no matter.
    pub types: FxHashMap<String, Kind>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', header: None, types: FxHashMap::default() }
    }
}

impl CsvOptions {
    /// Refuses options that are none of CSV: another delimiter, a list of names that no header
    /// may be.
    pub fn check(&self) -> Result<()> {
        if !DELIMITERS.contains(&self.delimiter) {
            let given = char::from(self.delimiter);
            return Err(Error::usage(format!("the delimiter of CSV must be one of , ; : | tab space, not {given:?}")));
        }
        match &self.header {
            Some(names) if names.is_empty() => Err(Error::usage("the header list of CSV has no names")),
            Some(names) => Header::new(self, names.clone()).map(|_| ()).map_err(|(_, message)| Error::usage(message)),
            None => Ok(()),
        }
    }
}

/// A delimiter by its name in options: itself, `tab` or `space`.
pub fn delimiter(text: &str) -> Result<u8> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        ("space", _) => Ok(b' '),
        (_, [byte]) => Ok(*byte),
        _ => Err(Error::usage(format!("the delimiter of CSV must be one of , ; : | tab space, not {text:?}"))),
    }
}

/// The type of a column by its descriptor.
pub fn column_kind(column: &str, descriptor: &str) -> Result<Kind> {
    Kind::from_descriptor(descriptor).ok_or_else(|| {
        let types = "S, N, B, BOOL, NULL, M, L, SS, NS, BS";
        Error::usage(format!("the type of the column {column:?} must be one of {types}, not {descriptor:?}"))
    })
}

/// The columns of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    delimiter: u8,
    columns: Vec<Column>,
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    name: String,
    key: Key,
    kind: Kind,
}

impl Header {
    /// The columns with these names; else which of them cannot be a column's, and why.
    fn new(options: &CsvOptions, names: Vec<String>) -> Result<Arc<Self>, (usize, String)> {
        let mut places = FxHashMap::default();
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err((place, format!("column {} has no name in the header", place + 1)));
            }
            if let Some(first) = places.insert(name.as_str(), place) {
                let shown = super::record::shown(name);
                return Err((place, format!("columns {} and {} of the header have one name, {shown}", first + 1, place + 1)));
            }
        }
        let kind = |name: &str| options.types.get(name).copied().unwrap_or(Kind::S);
        let columns = names.into_iter().map(|name| Column { key: Key::new(&name), kind: kind(&name), name }).collect();
        Ok(Arc::new(Self { delimiter: options.delimiter, columns }))
    }

    /// The error of a record with so many columns.
    #[cold]
    fn wrong_count(&self, count: usize) -> (Code, String) {
        let plural = if count == 1 { "" } else { "s" };
        (Code::CsvColumns, format!("the record has {count} column{plural}, the header {}", self.columns.len()))
    }
}

#[cfg(test)]
mod tests;
