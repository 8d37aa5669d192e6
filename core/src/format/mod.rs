//! The formats: one a file, decoding and encoding side by side.

use std::str::FromStr;

pub mod change;
pub mod csv;
pub mod encode;
pub mod ion;
pub mod json;
pub mod legacy;
pub mod line;
pub mod plain;
pub mod record;

use record::{Form, Outcome, Skip};

use crate::block::{Block, Records};
use crate::error::{Error, Result};
use crate::event::Sink;

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// DynamoDB JSON: with `Item`, bare, pages.
    DynamodbJson,
    /// Amazon Ion, text or binary.
    Ion,
    /// Lines of a [legacy dump](legacy), of AWS Data Pipeline or the EMR connector.
    Legacy,
    /// Plain JSON, lines or documents.
    Ndjson,
    /// CSV, as `ImportTable` reads it.
    Csv,
    /// Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
}

impl SourceFormat {
    /// The names of all formats.
    pub const NAMES: &[&str] = &["dynamodb_json", "ion", "legacy", "ndjson", "csv", "parquet", "arrow"];

    /// The format's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DynamodbJson => "dynamodb_json",
            Self::Ion => "ion",
            Self::Legacy => "legacy",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// The format that the name of a file says, for those that do.
    pub fn of_name(name: &str) -> Option<Self> {
        let stem = name.trim_end_matches(".gz").trim_end_matches(".zst");
        match stem.rsplit_once('.')?.1 {
            "ion" | "10n" => Some(Self::Ion),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The format that the first bytes of a file say, as it is stored.
    pub fn of_stored_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"PAR1") {
            return Some(Self::Parquet);
        }
        (bytes.starts_with(b"ARROW1") || bytes.starts_with(&[0xff; 4])).then_some(Self::Arrow)
    }

    /// Whether its records may be changes.
    pub const fn is_records(self) -> bool {
        matches!(self, Self::DynamodbJson | Self::Ion)
    }

    /// Whether the format is text that is cut into blocks; else it is batches of rows.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::DynamodbJson | Self::Ion | Self::Legacy | Self::Ndjson | Self::Csv)
    }
}

impl FromStr for SourceFormat {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "dynamodb_json" => Self::DynamodbJson,
            "ion" => Self::Ion,
            "legacy" => Self::Legacy,
            "ndjson" => Self::Ndjson,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            _ => return Err(Error::usage(format!("the source's format must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        })
    }
}

/// The format of an export's data files, `ExportFormat` in the API.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// DynamoDB JSON.
    #[default]
    DynamodbJson,
    /// Amazon Ion text.
    Ion,
}

impl ExportFormat {
    /// The names of all formats.
    pub const NAMES: &[&str] = &["dynamodb_json", "ion"];

    /// The format as a manifest names it.
    pub const fn in_manifest(self) -> &'static str {
        match self {
            Self::DynamodbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
        }
    }

    /// The ending of its files.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::DynamodbJson => "json",
            Self::Ion => "ion",
        }
    }
}

impl FromStr for ExportFormat {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "dynamodb_json" => Self::DynamodbJson,
            "ion" => Self::Ion,
            _ => return Err(Error::usage(format!("export_format must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        })
    }
}

/// Decodes blocks, of whatever format they are.
#[derive(Default)]
pub struct BlockDecoder {
    json: json::BlockDecoder,
    ion: ion::BlockDecoder,
    csv: csv::decode::BlockDecoder,
}

impl BlockDecoder {
    /// Sends the items of a block to `sink`. A bad record ends it, or is passed over with
    /// `skip`.
    pub fn decode<S: Sink>(&mut self, block: &Block, form: Form, skip: Skip, sink: &mut S) -> Outcome {
        match &block.records {
            Records::Ion(start) => self.ion.decode(block, start, form, skip, sink),
            Records::Csv(start) => self.csv.decode(block, start, skip, sink),
            _ => self.json.decode(block, form, skip, sink),
        }
    }
}
