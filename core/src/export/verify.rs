//! Checking an export against its manifests: all findings, not the first.
//!
//! Errors: a checksum or count that differs, a file that is missing, truncated, corrupt or
//! not what its format says. Notes: what is odd and harms nothing.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::open::Export;
use super::read::{OnError, ReadOptions};
use crate::control::Control;
use crate::engine::ledger::{Check, Expected, Totals};
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::{Code, Error, Result};
use crate::event::Discard;
use crate::format::SourceFormat;
use crate::manifest::checksums::{decode_md5, etag_of, md5_base64};
use crate::manifest::{FILES, SUMMARY};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The export is not what its manifests say.
    Error,
    /// Worth knowing.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is, and where.
    pub error: Error,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerifyReport {
    /// Everything that was found: the manifests first, then the files in order.
    pub findings: Vec<Finding>,
    /// Data files.
    pub files: u64,
    /// Records in them.
    pub items: u64,
    /// Their compressed bytes.
    pub bytes: u64,
}

impl VerifyReport {
    /// No finding is an error.
    pub fn ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    fn error(&mut self, error: Error) {
        self.findings.push(Finding { severity: Severity::Error, error });
    }

    fn note(&mut self, error: Error) {
        self.findings.push(Finding { severity: Severity::Note, error });
    }
}

impl Export {
    /// Checks manifests and data files. Fails only where the check itself cannot be done.
    pub fn verify(&self, threads: usize, control: &Control) -> Result<VerifyReport> {
        let mut verification = Verification::new(self)?;
        let options = ReadOptions { threads, ..Verification::options() };
        let mut pipeline = Pipeline::new(self.any_pass(&options, control)?, Discard::default);
        while let Some(step) = pipeline.next() {
            verification.step(step?, pipeline.totals());
        }
        verification.finish(pipeline.totals())
    }
}

/// The check of an export, whoever drives the pass over its files.
pub struct Verification {
    export: Export,
    files: Arc<[Expected]>,
    report: VerifyReport,
    /// Errors of records that were reported.
    reported: usize,
}

impl Verification {
    /// Checks the manifests.
    pub fn new(export: &Export) -> Result<Self> {
        if let format @ (SourceFormat::Parquet | SourceFormat::Arrow) = export.format()? {
            return Err(Error::usage(format!("there is nothing to verify in a file of format {format:?}")).in_file(export.name()));
        }
        let mut report = VerifyReport::default();
        export.check_manifests(&mut report)?;
        Ok(Self { export: export.clone(), files: export.expected(), report, reported: 0 })
    }

    /// How the files are to be read.
    pub fn options() -> ReadOptions {
        ReadOptions { on_error: OnError::Skip, check: Check::Md5, ..ReadOptions::default() }
    }

    /// Takes a step of the pass, and what it came to so far.
    pub fn step(&mut self, step: Step<()>, totals: &Totals) {
        for error in &totals.errors[self.reported..] {
            self.report.error(error.clone());
        }
        self.reported = totals.errors.len();
        if let Step::File { file, records, bytes, error, .. } = step {
            self.report.files += 1;
            self.report.items += records;
            self.report.bytes += bytes.compressed;
            // A file with another count was read to its end, and may have another MD5 too.
            let more = match &error {
                Some(error) if error.code() == Code::ItemCount => self.files[file].check_md5(&bytes).err(),
                _ => None,
            };
            error.into_iter().chain(more).for_each(|error| self.report.error(error));
            self.export.check_etag(file, &mut self.report);
        }
    }

    /// What the check came to, when all files were read.
    pub fn finish(mut self, totals: &Totals) -> Result<VerifyReport> {
        let more = totals.skipped - self.reported as u64;
        if more > 0 {
            self.report.error(Error::new(Code::Record, format!("{more} more bad records")));
        }
        self.export.check_sum(&mut self.report);
        self.export.check_extra_files(&mut self.report)?;
        Ok(self.report)
    }
}

impl Export {
    fn check_manifests(&self, report: &mut VerifyReport) -> Result<()> {
        if let Some(dump) = self.dump() {
            dump.notes(&**self.storage())?.into_iter().for_each(|note| report.note(note));
            return Ok(());
        }
        let Some(folder) = self.folder() else {
            report.note(Error::new(Code::Manifest, "no manifest: counts and checksums cannot be checked").in_file(self.name()));
            return Ok(());
        };
        for manifest in [SUMMARY, FILES] {
            let name = self.storage().name(&format!("{folder}{manifest}"));
            let stem = manifest.trim_end_matches(".json");
            // AWS writes `.md5`; its documentation says `.checksum`.
            let mut stored = None;
            for ending in ["md5", "checksum"] {
                if stored.is_none() {
                    stored = self.storage().read(&format!("{folder}{stem}.{ending}"))?;
                }
            }
            let bytes = self.storage().read(&format!("{folder}{manifest}"))?.unwrap_or_default();
            match stored {
                None => report.note(Error::new(Code::Manifest, "no .md5 file: the manifest cannot be checked").in_file(name)),
                Some(stored) => {
                    let stored = String::from_utf8_lossy(&stored).trim().to_owned();
                    let actual = md5_base64(&bytes);
                    if stored != actual {
                        let message = format!("the .md5 file says MD5 {stored}, the manifest has {actual}");
                        report.error(Error::new(Code::Md5, message).in_file(name));
                    }
                }
            }
        }
        Ok(())
    }

    /// An etag of one part follows from the MD5. Where it alone differs, the object was
    /// uploaded another way; the data is checked by its MD5.
    fn check_etag(&self, file: usize, report: &mut VerifyReport) {
        let Some(entry) = &self.files()[file].entry else { return };
        let (Some(etag), Some(md5)) = (&entry.etag, entry.md5_checksum.as_deref().and_then(decode_md5)) else { return };
        if etag.ends_with("-1") && *etag != etag_of(&md5) {
            let message = format!("the manifest says etag {etag}, its MD5 gives {}", etag_of(&md5));
            report.note(Error::new(Code::Etag, message).in_file(&*self.files()[file].name));
        }
    }

    fn check_sum(&self, report: &mut VerifyReport) {
        let Some(total) = self.summary().and_then(|summary| summary.item_count) else { return };
        let listed: u64 = self.files().iter().filter_map(|file| file.entry.as_ref()?.item_count).sum();
        if total != listed {
            let message = format!("manifest-summary.json says {total} items, the lines of manifest-files.json {listed}");
            report.error(Error::new(Code::ItemCount, message).in_file(self.name()));
        }
    }

    /// Files in a full export's own data folder that the manifest does not name.
    fn check_extra_files(&self, report: &mut VerifyReport) -> Result<()> {
        let Some(folder) = self.folder() else { return Ok(()) };
        let known: HashSet<_> = self.files().iter().filter_map(|file| file.key.as_deref()).collect();
        for entry in self.storage().list(&format!("{folder}data/"))? {
            if !known.contains(entry.key.as_str()) {
                let name = self.storage().name(&entry.key);
                report.note(Error::new(Code::Manifest, "the manifest does not name this file").in_file(name));
            }
        }
        Ok(())
    }
}
