//! The objects of an import: the files of a folder that stands for the bucket, or a single file.

use std::io::Read;
use std::sync::Arc;

use super::advice::is_manifest;
use super::report::Input;
use super::spec::{CsvOptions, compression_name};
use super::{InputFormat, TableSpec};
use crate::codec::{Codec, FIRST_BYTES, first_bytes};
#[cfg(not(target_arch = "wasm32"))]
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::format::SourceFormat;
use crate::format::csv::DELIMITERS;
use crate::format::ion::stream::is_ion;
use crate::format::legacy::detect::is_legacy;
use crate::storage::{Entry, Storage};

/// Decompressed bytes.
const TELLING: usize = 64 << 10;

/// What an import may read.
#[derive(Clone)]
pub struct Objects {
    /// Where they are.
    pub storage: Arc<dyn Storage>,
    /// Their keys and sizes, in byte order of the keys.
    pub entries: Vec<Entry>,
    /// Files whose keys do not begin with the prefix.
    pub passed_over: usize,
    /// Keeps the data of a pipe.
    #[cfg(not(target_arch = "wasm32"))]
    _source: Option<crate::export::open::Export>,
}

impl Objects {
    /// All files of a storage, whose keys the prefix is matched against as the plain string that it is.
    pub fn of(storage: Arc<dyn Storage>, prefix: Option<&str>) -> Result<Self> {
        let mut entries = storage.list_all()?;
        let all = entries.len();
        entries.retain(|entry| entry.key.starts_with(prefix.unwrap_or_default()));
        Ok(Self {
            storage,
            passed_over: all - entries.len(),
            entries,
            #[cfg(not(target_arch = "wasm32"))]
            _source: None,
        })
    }

    /// The files of a local folder, or a file, a pipe or standard input (`-`) as the only object, whatever the prefix.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(src: &str, prefix: Option<&str>, control: &Control) -> Result<Self> {
        use crate::export::open::open_export_with;
        use crate::storage::local::Local;

        if src != "-" && std::fs::metadata(src).map_err(|e| Error::io(src, &e))?.is_dir() {
            return Self::of(Arc::new(Local::new(std::path::Path::new(src))?), prefix);
        }
        let source = open_export_with(src, control)?;
        let entries = source.files().iter().filter_map(|file| Some(Entry { key: file.key.clone()?, size: file.size? })).collect();
        Ok(Self { storage: source.storage().clone(), entries, passed_over: 0, _source: Some(source) })
    }

    /// What a spec that does not say it reads: as the bytes of the first object tell, manifests aside.
    pub fn tell(&self, spec: &TableSpec) -> Result<(TableSpec, Input)> {
        let mut stored = Vec::new();
        if let Some(first) = self.telling(spec) {
            let failed = |e| Error::io(&self.storage.name(&first.key), &e);
            self.storage.open(&first.key)?.take(FIRST_BYTES).read_to_end(&mut stored).map_err(failed)?;
        }
        self.told(spec, &stored)
    }

    /// The object whose first bytes, [`FIRST_BYTES`] of them, have to tell what a spec does not say; `None` where it
    /// says all, or there is none.
    pub fn telling(&self, spec: &TableSpec) -> Option<&Entry> {
        let said = spec.format.is_some() && spec.compression.is_some();
        if said { None } else { self.entries.iter().find(|entry| entry.size > 0 && !is_manifest(&entry.key)) }
    }

    /// As [`Objects::tell`], with the first bytes of the object that is [telling](Objects::telling).
    pub fn told(&self, spec: &TableSpec, stored: &[u8]) -> Result<(TableSpec, Input)> {
        if let (Some(format), Some(compression)) = (spec.format, spec.compression) {
            return Ok((spec.clone(), Input { format, compression, told: false }));
        }
        match self.telling(spec) {
            Some(first) => tell(spec, stored).map_err(|error| error.in_file(self.storage.name(&first.key))),
            None => Ok((spec.clone(), Input { format: InputFormat::DynamodbJson, compression: Codec::None, told: true })),
        }
    }
}

/// The spec with what the first bytes of an object tell, where it does not say it.
pub fn tell(spec: &TableSpec, stored: &[u8]) -> Result<(TableSpec, Input)> {
    if let Some(format) = SourceFormat::of_stored_bytes(stored) {
        let message = format!("{} cannot be imported: `prepare` makes import files of it", format.as_str());
        return Err(Error::new(Code::Format, message));
    }
    let compression = spec.compression.unwrap_or_else(|| Codec::detect(stored, true).unwrap_or_default());
    let text = first_bytes(stored, TELLING);
    let format = spec.format.unwrap_or_else(|| match looks_like(&text) {
        Some(SourceFormat::Ion) => InputFormat::Ion,
        Some(SourceFormat::Csv) => InputFormat::Csv,
        _ => InputFormat::DynamodbJson,
    });
    let csv = if format == InputFormat::Csv && spec.format.is_none() { told_csv(spec, &text) } else { spec.csv.clone() };
    Ok((spec.clone().with_input(format, &csv, compression), Input { format, compression, told: true }))
}

/// The format that the first bytes of an object have: one that is imported, or a legacy dump, which is none.
///
/// `None` where there is nothing to tell it. A byte order mark tells nothing.
pub fn looks_like(text: &[u8]) -> Option<SourceFormat> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let first = text.iter().find(|b| !b.is_ascii_whitespace())?;
    Some(match first {
        _ if is_ion(text, true) == Some(true) => SourceFormat::Ion,
        _ if is_legacy(text, true) == Some(true) => SourceFormat::Legacy,
        b'{' | b'[' => SourceFormat::DynamodbJson,
        _ => SourceFormat::Csv,
    })
}

/// The delimiter with which the header has the partition key, else the one that stands there most often.
fn told_csv(spec: &TableSpec, text: &[u8]) -> CsvOptions {
    let line = text.split(|&b| b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let cells = |delimiter: u8| line.trim_end().split(char::from(delimiter)).map(|cell| cell.trim_matches('"'));
    let score = |delimiter: u8| (cells(delimiter).any(|cell| cell == spec.partition_key), cells(delimiter).count());
    // Of equals the first: a comma is the standard.
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',');
    CsvOptions { delimiter, header_list: None }
}

/// What is said of an object that is compressed in another way than the import expects.
pub fn wrong_compression(found: Codec, expected: Codec) -> String {
    let is = match found {
        Codec::None => "is not compressed",
        Codec::Gzip => "is compressed with gzip",
        Codec::Zstd => "is compressed with zstd",
    };
    format!("the object {is}, and InputCompressionType is {}", compression_name(expected))
}
