//! `diff`: what became of the items of one table in another, as changes.

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::changes::metadata;
use super::convert::{ConvertOptions, ConvertReport, convert};
use super::dest::Dest;
use super::merge::{MEMORY, WORK, micros};
use super::open::Export;
use super::read::ReadOptions;
use crate::change::Images;
use crate::change::key::KeyNames;
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::Step;
use crate::error::{Code, Error, Result};
use crate::manifest::ExportSummary;
use crate::merge::compare::{Compare, Differences, KeyedItems};
use crate::merge::spill::Spill;

/// How tables are compared.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// The names of the key attributes, where the tables' metadata does not say them.
    pub key: Option<Vec<String>>,
    /// The images of the changes that are written.
    pub images: Images,
    /// Bytes of memory for the whole work. What does not fit goes to temporary files.
    pub memory: u64,
    /// Where these are; `None` for the system's place.
    pub temporary: Option<PathBuf>,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self { key: None, images: Images::Both, memory: MEMORY, temporary: None }
    }
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiffReport {
    /// What became of the items.
    pub counts: Differences,
    /// The names of the key attributes.
    pub key: Vec<String>,
    /// What was read of the first table, and of the second.
    pub read: [Totals; 2],
    /// What was written, where it was asked for.
    pub convert: Option<ConvertReport>,
}

/// Compares two tables, and writes the changes from `a` to `b` to a destination, if there is one.
pub fn diff(
    a: &Export,
    b: &Export,
    dest: Option<&Dest>,
    diffing: &DiffOptions,
    options: &ConvertOptions,
    control: &Control,
    stdout: impl Write + Send,
) -> Result<DiffReport> {
    let (changes, mut report) = a.diff(b, diffing, &options.read, control)?;
    if let Some(dest) = dest {
        let read = ReadOptions { columns: options.read.columns.clone(), ..options.read.clone() };
        let (changes, read) = changes.changes(diffing.images, read, control)?;
        let options = ConvertOptions { read, ..options.clone() };
        report.convert = Some(convert(&changes, dest, &options, control, stdout)?);
    }
    Ok(report)
}

impl Export {
    /// The changes from this table to another: an incremental export, in a temporary file.
    pub fn diff(&self, other: &Self, diffing: &DiffOptions, options: &ReadOptions, control: &Control) -> Result<(Self, DiffReport)> {
        let names = self.key_names(other, diffing)?;
        let failed = |e: std::io::Error| Error::new(Code::Io, e.to_string()).in_file("a temporary file");
        let time = |export: &Self| export.summary().and_then(|summary| summary.export_time.clone());
        let made = match time(other) {
            Some(time) => micros(Some(&time), "exportTime", other.name())?,
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_micros() as i64),
        };
        let limit = diffing.memory.saturating_sub(WORK).max(diffing.memory / 4) / 2;
        let mut compare = Compare::new(Spill::new(diffing.temporary.as_deref())?, limit, made);
        // All attributes are compared.
        let options = ReadOptions { columns: None, ..options.clone() };
        let mut read = [Totals::default(), Totals::default()];
        for (n, table) in [self, other].into_iter().enumerate() {
            let names = names.clone();
            let mut steps = table.steps(&options, control, move || KeyedItems::new(names.clone()))?;
            for step in &mut steps {
                match step? {
                    Step::Block { out, .. } => compare.items(n == 1, &out)?,
                    Step::File { error, .. } => error.map_or(Ok(()), Err)?,
                }
            }
            read[n] = steps.totals().clone();
        }
        let compared = compare.finish()?;
        let (folder, mut file) = Self::spooled(diffing.temporary.as_deref())?;
        compared.lines(|line| file.write_all(line).map_err(failed))?;
        file.flush().map_err(failed)?;
        let known = other.summary().or(self.summary()).map(|summary| summary.raw.clone()).unwrap_or_default();
        let summary = summary(known, time(self), time(other));
        let changes = Self::of_spooled(folder, "the differences")?.with_summary(summary);
        let report = DiffReport { counts: compared.counts, key: names.names().to_vec(), read, convert: None };
        Ok((changes, report))
    }

    /// The names of the key attributes.
    fn key_names(&self, other: &Self, diffing: &DiffOptions) -> Result<KeyNames> {
        if let Some(key) = &diffing.key {
            if key.is_empty() || key.len() > 2 || key.iter().collect::<std::collections::HashSet<_>>().len() != key.len() {
                return Err(Error::usage("key names one or two attributes: the partition key and the sort key"));
            }
            return Ok(KeyNames::new(key.iter().cloned()));
        }
        for table in [self, other] {
            if table.format()?.is_text() {
                continue;
            }
            let keys = table.row_schemas()?.into_iter().find_map(|schema| schema.metadata.get(metadata::KEYS).cloned());
            if let Some(names) = keys.and_then(|keys| serde_json::from_str::<Vec<String>>(&keys).ok()) {
                return Ok(KeyNames::new(names));
            }
        }
        Err(Error::usage("an export does not say its key: give --key pk,sk (key=[\"pk\", \"sk\"] in Python)"))
    }
}

/// The manifest of the changes between two times.
fn summary(mut known: Map<String, Value>, from: Option<String>, to: Option<String>) -> ExportSummary {
    for name in ["exportTime", "exportArn", "itemCount", "billedSizeBytes", "startTime", "endTime"] {
        known.remove(name);
    }
    let text = |text: &str| Value::from(text);
    known.insert("exportFromTime".into(), from.clone().into());
    known.insert("exportToTime".into(), to.clone().into());
    known.insert("outputFormat".into(), text("DYNAMODB_JSON"));
    known.insert("outputView".into(), text("NEW_AND_OLD_IMAGES"));
    known.insert("exportType".into(), text("INCREMENTAL_EXPORT"));
    let of = |name: &str| known.get(name).and_then(Value::as_str).map(str::to_owned);
    ExportSummary {
        table_arn: of("tableArn"),
        table_id: of("tableId"),
        export_from_time: from,
        export_to_time: to,
        output_format: of("outputFormat"),
        output_view: of("outputView"),
        export_type: of("exportType"),
        raw: known,
        ..ExportSummary::default()
    }
}
