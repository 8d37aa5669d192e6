//! `diff`: what became of the items of one table in another, as changes.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::convert::{ConvertOptions, ConvertReport, check_changes_format, check_writing, convert};
use super::dest::{Dest, OutputFormat};
use super::merge::{MEMORY, WORK, beside, keys_of_rows, micros};
use super::open::{Export, open_file};
use super::read::{OnError, ReadOptions};
use crate::change::Images;
use crate::change::key::KeyNames;
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::Step;
use crate::error::{Error, Result};
use crate::format::SourceFormat;
use crate::manifest::ExportSummary;
use crate::merge::compare::{Compare, Differences, KeyedItems};
use crate::merge::spill::{SPILLED, Spill, SpilledFile};

/// Bytes of lines that are put aside at a time.
const BUFFER: usize = 256 << 10;

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
    let mut diffing = diffing.clone();
    if let Some(dest) = dest {
        // What cannot be written is not compared first.
        check_writing(a, dest, options)?;
        let (Dest::Stdout(format) | Dest::File(_, format, _) | Dest::Folder(_, format)) = dest;
        check_changes_format(*format)?;
        if let (None, Dest::File(path, ..) | Dest::Folder(path, _)) = (&diffing.temporary, dest) {
            diffing.temporary = Some(beside(path));
        }
        if matches!(dest, Dest::Folder(_, OutputFormat::Export)) {
            check_export(a, b, options.read.on_error)?;
        }
    }
    let (changes, mut report) = a.diff(b, &diffing, &options.read, control)?;
    if let Some(dest) = dest {
        let (changes, read) = changes.changes(diffing.images, options.read.clone(), control)?;
        let options = ConvertOptions { read, ..options.clone() };
        report.convert = Some(convert(&changes, dest, &options, control, stdout)?);
    }
    Ok(report)
}

/// Refuses what `merge` could not lay over the first table: an incremental export has a window.
fn check_export(a: &Export, b: &Export, on_error: OnError) -> Result<()> {
    let time = |export: &Export| -> Result<Option<String>> { Ok(export.known_summary()?.export_time) };
    let (Some(from), Some(to)) = (time(a)?, time(b)?) else {
        return Err(Error::usage("an incremental export is from one time to another: both tables must say theirs, as exports do"));
    };
    if micros(Some(&from), "exportTime", a.name())? >= micros(Some(&to), "exportTime", b.name())? {
        let message = format!("an incremental export is from one time to a later one, and the tables are of {from} and of {to}");
        return Err(Error::usage(message));
    }
    if on_error == OnError::Skip {
        return Err(Error::usage(
            "with on_error=skip an item that cannot be read would be a delete: no incremental export is made of that",
        ));
    }
    Ok(())
}

impl Export {
    /// The changes from this table to another: an incremental export, in a temporary file.
    pub fn diff(&self, other: &Self, diffing: &DiffOptions, options: &ReadOptions, control: &Control) -> Result<(Self, DiffReport)> {
        let names = self.key_names(other, diffing)?;
        let (of_a, of_b) = (self.known_summary()?, other.known_summary()?);
        let made = match &of_b.export_time {
            Some(time) => micros(Some(time), "exportTime", other.name())?,
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
        let compared = compare.finish(control)?;
        let (spill, mut bytes, mut buffer) = (Spill::new(diffing.temporary.as_deref())?, 0, Vec::with_capacity(2 * BUFFER));
        compared.lines(control, |line| {
            buffer.extend_from_slice(line);
            bytes += line.len() as u64;
            if buffer.len() >= BUFFER {
                spill.append(&buffer)?;
                buffer.clear();
            }
            Ok(())
        })?;
        spill.append(&buffer)?;
        let name = "the differences";
        let file = SpilledFile { name: name.to_owned(), spill: Arc::new(spill), bytes };
        let (from, to) = (of_a.export_time, of_b.export_time);
        let known = if of_b.raw.is_empty() { of_a.raw } else { of_b.raw };
        let changes = open_file(Arc::new(file), SPILLED, name)?.with_format(SourceFormat::DynamodbJson);
        let changes = changes.with_summary(summary(known, from, to));
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
            if let Some(names) = table.row_schemas()?.iter().find_map(|schema| keys_of_rows(schema)) {
                return Ok(names);
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
