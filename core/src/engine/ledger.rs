//! The books of one pass over the files: items, skipped records, bytes; and the checks
//! against the manifest.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::feed::FileBytes;
use crate::error::{Code, Error, Result};
use crate::format::record::{KEPT, Outcome, Skip};

/// Errors of skipped records that are kept; the rest are counted.
pub const KEPT_ERRORS: usize = 100;

/// A data file, and what its manifest says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The name for messages: the manifest's key, or the path that was given.
    pub name: String,
    /// Where the storage has it; `None` where it is missing.
    pub key: Option<String>,
    /// Its compressed size, where it is known.
    pub size: Option<u64>,
    /// The manifest's `itemCount`.
    pub items: Option<u64>,
    /// The manifest's `md5Checksum`: base64, of the compressed bytes.
    pub md5: Option<String>,
}

impl Expected {
    /// The number of records, against the manifest.
    pub fn check_count(&self, records: u64) -> Result<()> {
        match self.items {
            Some(items) if items != records => {
                let message = format!("the manifest says {items} items, the file has {records}");
                Err(Error::new(Code::ItemCount, message).in_file(&*self.name))
            }
            _ => Ok(()),
        }
    }

    /// The MD5, where it was calculated, against the manifest.
    pub fn check_md5(&self, bytes: &FileBytes) -> Result<()> {
        match (&self.md5, bytes.md5.map(|md5| STANDARD.encode(md5))) {
            (Some(manifest), Some(md5)) if *manifest != md5 => {
                let message = format!("the manifest says MD5 {manifest}, the file has {md5}");
                Err(Error::new(Code::Md5, message).in_file(&*self.name))
            }
            _ => Ok(()),
        }
    }

    /// The error of a file that is not there.
    pub fn missing(&self) -> Error {
        Error::new(Code::FileMissing, "the manifest names this file, and it is not there").in_file(&*self.name)
    }
}

/// What is checked while a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    None,
    /// The number of items against the manifest.
    #[default]
    Count,
    /// Also the MD5.
    Md5,
}

impl std::str::FromStr for Check {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::None),
            "count" => Ok(Self::Count),
            "md5" => Ok(Self::Md5),
            _ => Err(Error::usage(format!("check must be one of count, md5, none, not {text:?}"))),
        }
    }
}

/// What a pass came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Files read to their end.
    pub files: u64,
    /// Good items.
    pub items: u64,
    /// Records that were passed over.
    pub skipped: u64,
    /// The errors of the first of them.
    pub errors: Vec<Error>,
    /// Compressed bytes.
    pub bytes_in: u64,
    /// Inflated bytes.
    pub bytes_inflated: u64,
}

/// Keeps the books while results come in, in order.
pub struct Ledger {
    files: Arc<[Expected]>,
    check: Check,
    /// Errors that are kept, until they are taken.
    kept: usize,
    /// Records of the file that is read.
    records: u64,
    totals: Totals,
}

impl Ledger {
    /// The books for these files.
    pub fn new(files: Arc<[Expected]>, check: Check) -> Self {
        Self { files, check, kept: KEPT_ERRORS, records: 0, totals: Totals::default() }
    }

    /// The same, which keeps all errors where each block does: somebody takes them.
    #[must_use]
    pub fn keeping(self, skip: Skip) -> Self {
        Self { kept: if skip > Some(KEPT) { usize::MAX } else { self.kept }, ..self }
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The errors that were kept since the last call.
    pub fn take_errors(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.totals.errors)
    }

    /// Books the outcome of a block; the fatal error of it, completed.
    pub fn block(&mut self, file: usize, outcome: &mut Outcome) -> Result<()> {
        let before = self.records;
        let complete = |error: Error| {
            let item = error.item().map_or(before, |item| before + item);
            error.in_file(&*self.files[file].name).at_item(item)
        };
        for error in outcome.errors.drain(..) {
            if self.totals.errors.len() < self.kept {
                self.totals.errors.push(complete(error));
            }
        }
        let fatal = outcome.fatal.take().map(complete);
        self.records += outcome.records;
        self.totals.items += outcome.records - outcome.skipped - u64::from(fatal.is_some());
        self.totals.skipped += outcome.skipped;
        fatal.map_or(Ok(()), Err)
    }

    /// Books the end of a file: its records, and what the checks say.
    pub fn end_file(&mut self, file: usize, bytes: &FileBytes) -> (u64, Result<()>) {
        let records = std::mem::take(&mut self.records);
        self.totals.files += 1;
        self.totals.bytes_in += bytes.compressed;
        self.totals.bytes_inflated += bytes.inflated;
        (records, self.check(&self.files[file], records, bytes))
    }

    fn check(&self, expected: &Expected, records: u64, bytes: &FileBytes) -> Result<()> {
        if self.check == Check::None {
            return Ok(());
        }
        expected.check_count(records)?;
        expected.check_md5(bytes)
    }

    /// The file failed: what follows belongs to the next.
    pub fn failed_file(&mut self) -> u64 {
        std::mem::take(&mut self.records)
    }

    /// Completes an error of a file.
    pub fn complete(&self, file: usize, error: Error) -> Error {
        if error.file().is_some() && error.code() != Code::NotFound { error } else { error.in_file(&*self.files[file].name) }
    }
}
