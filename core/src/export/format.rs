//! The format of data files, and what says it.

use std::io::Read;

use super::open::Export;
use crate::codec::{FIRST_BYTES, first_bytes};
use crate::error::{Code, Error, Result};
use crate::format::SourceFormat;
use crate::format::ion::stream::is_ion;
use crate::format::legacy::is_legacy;

/// Decompressed bytes that are looked at to tell a format.
const TELLING: usize = 16 << 10;

/// What says the format of data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Whoever opened them.
    Asked,
    /// The manifest.
    Manifest,
    /// The name of the first file.
    Name,
    /// The first bytes of the first file.
    Bytes,
    /// Nothing: what is not known to be anything else is DynamoDB JSON.
    Nothing,
}

impl Told {
    /// What it is, in a word; `None` where nothing says the format.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Asked => Some("option"),
            Self::Manifest => Some("manifest"),
            Self::Name => Some("name"),
            Self::Bytes => Some("bytes"),
            Self::Nothing => None,
        }
    }
}

impl Export {
    /// The format of the data files: of the first, where no manifest says it.
    pub fn format(&self) -> Result<SourceFormat> {
        self.told_format().map(|(format, _)| format)
    }

    /// The same, and what says it.
    pub fn told_format(&self) -> Result<(SourceFormat, Told)> {
        if let Some(known) = self.known_format()? {
            return Ok(known);
        }
        let Some((file, key)) = self.files().first().and_then(|file| Some((file, file.key.as_ref()?))) else {
            return Ok((SourceFormat::DynamodbJson, Told::Nothing));
        };
        // Bytes that are not in memory here are decoded as text.
        let mut stored = Vec::new();
        if let Ok(reader) = self.storage().open(key) {
            reader.take(FIRST_BYTES).read_to_end(&mut stored).map_err(|e| Error::io(&file.name, &e))?;
        }
        if let Some(format) = SourceFormat::of_stored_bytes(&stored) {
            return Ok((format, Told::Bytes));
        }
        if let Some(format) = SourceFormat::of_name(key) {
            return Ok((format, Told::Name));
        }
        // What is broken is said by who reads it.
        let text = first_bytes(&stored, TELLING);
        Ok(if is_legacy(&text, false) == Some(true) {
            (SourceFormat::Legacy, Told::Bytes)
        } else if is_ion(&text, false) == Some(true) {
            (SourceFormat::Ion, Told::Bytes)
        } else {
            (SourceFormat::DynamodbJson, Told::Nothing)
        })
    }

    /// The format that was asked for, or that the manifest says.
    pub(super) fn known_format(&self) -> Result<Option<(SourceFormat, Told)>> {
        if let Some(format) = self.asked_format() {
            return Ok(Some((format, Told::Asked)));
        }
        if self.dump().is_some() {
            return Ok(Some((SourceFormat::Legacy, Told::Manifest)));
        }
        let Some(summary) = self.summary() else { return Ok(None) };
        match summary.output_format.as_deref() {
            None | Some("DYNAMODB_JSON") => Ok(Some((SourceFormat::DynamodbJson, Told::Manifest))),
            Some("ION") => Ok(Some((SourceFormat::Ion, Told::Manifest))),
            Some(format) => {
                Err(Error::new(Code::Format, format!("outputFormat {format}: DYNAMODB_JSON and ION are read")).in_file(self.name()))
            }
        }
    }
}
