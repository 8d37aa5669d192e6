//! `merge`: a base and the incremental exports behind it, as the table's state after the last
//! window.
//!
//! A window is the time between an incremental export's `exportFromTime` (inclusive) and
//! `exportToTime` (exclusive). Its images are states: of the changes of a key the one of the
//! window that ends last stands, and in a window the one that was written last.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html>

#[cfg(not(target_arch = "wasm32"))]
use std::io::Write;
#[cfg(not(target_arch = "wasm32"))]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::Schema as ArrowSchema;

use super::changes::metadata;
#[cfg(not(target_arch = "wasm32"))]
use super::convert::{ConvertOptions, ConvertReport, check_writing, convert};
#[cfg(not(target_arch = "wasm32"))]
use super::dest::Dest;
use super::open::{Export, ReadAs};
use super::read::{OnError, ReadOptions};
use crate::change::key::{Key, KeyNames};
use crate::change::{Change, ChangeSink, Changes, Images};
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::{Code, Error, Result};
use crate::event::Refusal;
use crate::format::encode::ItemEncoder;
use crate::format::json::encode::DynamodbJson;
use crate::manifest::ExportSummary;
use crate::merge::index::{Collected, Collector, Counts, Join, Order, Over};
use crate::merge::overlay::{Checks, KeySink};
use crate::merge::spill::Spill;
use crate::schema::timestamp::ISO;
use crate::schema::{LAYOUT_KEY, Layout, Timestamp};

/// How exports are merged.
#[derive(Clone, Debug)]
pub struct MergeOptions {
    /// Times that no window covers are no error.
    pub allow_gaps: bool,
    /// Bytes of memory for the whole work. What does not fit goes to temporary files.
    pub memory: u64,
    /// Where these are; `None` for the system's place.
    pub temporary: Option<PathBuf>,
}

/// Bytes of memory, by default.
pub const MEMORY: u64 = 1 << 30;
/// Of them for reading, decoding and writing.
pub(super) const WORK: u64 = 128 << 20;

impl Default for MergeOptions {
    fn default() -> Self {
        Self { allow_gaps: false, memory: MEMORY, temporary: None }
    }
}

impl MergeOptions {
    /// Bytes for the keys of changes.
    fn for_keys(&self) -> u64 {
        self.memory.saturating_sub(WORK).max(self.memory / 4)
    }
}

/// An incremental export of a merge.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// What was opened.
    pub name: String,
    /// Its `exportFromTime`.
    pub from: String,
    /// Its `exportToTime`.
    pub to: String,
    /// Whether it was applied: not where it ends before the base's time.
    pub applied: bool,
    /// What was read of it.
    pub totals: Totals,
}

/// What a merge came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeReport {
    /// The windows, in the order in which they are applied.
    pub windows: Vec<Window>,
    /// Times that no window covers: from, to.
    pub gaps: Vec<(String, String)>,
    /// Times that several windows cover.
    pub overlaps: Vec<(String, String)>,
    /// What became of the keys of the changes.
    pub counts: Counts,
    /// What was written, and what was read of the base.
    #[cfg(not(target_arch = "wasm32"))]
    pub convert: ConvertReport,
}

/// A base with what stands over it: reads as the table after the last window.
pub struct Merged {
    /// Gives the items of the result.
    pub export: Export,
    over: Arc<Over>,
    report: MergeReport,
}

impl Merged {
    /// What was merged, when the items were read.
    pub fn report(&self) -> MergeReport {
        MergeReport { counts: self.over.counts(), ..self.report.clone() }
    }
}

/// Merges a base and incremental exports, which may come in any order, into a destination.
#[cfg(not(target_arch = "wasm32"))]
pub fn merge(
    base: &Export,
    increments: &[Export],
    dest: &Dest,
    merging: &MergeOptions,
    options: &ConvertOptions,
    control: &Control,
    stdout: impl Write + Send,
) -> Result<MergeReport> {
    let mut merging = merging.clone();
    if let (None, Dest::File(path, ..) | Dest::Folder(path, _)) = (&merging.temporary, dest) {
        // The disk that has room for the result has room for what is put aside.
        merging.temporary = Some(beside(path));
    }
    check_writing(base, dest, options)?;
    let merged = base.merged(increments, &merging, &options.read, control)?;
    let convert = convert(&merged.export, dest, options, control, stdout)?;
    Ok(MergeReport { convert, ..merged.report() })
}

/// The folder that a destination stands in.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn beside(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| ".".into(), Path::to_owned)
}

impl Export {
    /// This base with incremental exports laid over it, in any order.
    pub fn merged(&self, increments: &[Self], merging: &MergeOptions, options: &ReadOptions, control: &Control) -> Result<Merged> {
        if !matches!(self.reads(), ReadAs::Items) {
            return Err(Error::usage("a base is items: what is merged is written before it is merged again"));
        }
        let identity = self.identity()?;
        let plan = Plan::of(&identity, increments, merging)?;
        // Names by the first window that has a change.
        let mut names = identity.keys.clone();
        for &(at, _) in &plan.applied {
            if let Some(of_changes) = increments[at].first_keys(control)? {
                if let Some(names) = &names
                    && !names.is_same(&of_changes)
                {
                    let message = format!("the key of the base is {names}, that of the changes {of_changes}");
                    return Err(Error::new(Code::OtherTable, message).in_file(increments[at].name()));
                }
                names = Some(of_changes);
                break;
            }
        }
        let mut report = plan.report;
        let spill = || Spill::new(merging.temporary.as_deref());
        let names = names.unwrap_or_else(|| KeyNames::new([] as [String; 0]));
        let mut collector = Collector::new(names.clone(), merging.for_keys(), spill()?, spill()?);
        for (window, &(at, place)) in plan.applied.iter().enumerate() {
            let totals = increments[at].collect_changes(window as u32, &names, &mut collector, options, control)?;
            report.windows[place].totals = totals;
        }
        let over = match collector.finish()? {
            Collected::Over(over) => over,
            Collected::Join(join) => self.join(join, options, control)?,
        };
        let over = Arc::new(over);
        let format = self.format()?;
        let summary = identity.at(plan.time);
        let export = self.clone().with_format(format).with_summary(summary).read_as(ReadAs::Merged(over.clone()));
        Ok(Merged { export, over, report })
    }

    /// Reads the changes of a window.
    fn collect_changes(
        &self,
        window: u32,
        names: &KeyNames,
        collector: &mut Collector,
        options: &ReadOptions,
        control: &Control,
    ) -> Result<Totals> {
        let changes = self.clone().read_as(ReadAs::Changes(Images::New, None));
        let names = names.clone();
        let make = move || Changes::new(CollectChanges::new(names.clone()));
        let mut pipeline = Pipeline::new(changes.pass(options, control)?, make);
        for step in &mut pipeline {
            match step? {
                Step::Block { file, block, out } => {
                    let base = collector.images(&out.text)?;
                    let mut start = 0;
                    for (n, change) in out.changes.iter().enumerate() {
                        let order = Order { window, micros: change.micros, place: (file as u32, block as u32, n as u32) };
                        let image = (change.text.1 > 0).then(|| (base + u64::from(change.text.0), change.text.1));
                        collector.change(&out.keys[start..change.key_end], order, image)?;
                        start = change.key_end;
                    }
                }
                Step::File { error, .. } => error.map_or(Ok(()), Err)?,
            }
        }
        Ok(pipeline.totals().clone())
    }

    /// Reads the keys of the base, and finds what stands over each item.
    fn join(&self, mut join: Join, options: &ReadOptions, control: &Control) -> Result<Over> {
        let names = join.names().clone();
        let skip = options.on_error == OnError::Skip;
        let checks = if skip { Checks::Items(options.columns.clone()) } else { Checks::Keys };
        for step in self.steps(options, control, move || KeySink::new(names.clone(), checks.clone()))? {
            match step? {
                Step::Block { file, block, out } => {
                    let mut start = 0;
                    for &(item, end) in &out.items {
                        join.base(&out.bytes[start..end], (file as u32, block as u32, item))?;
                        start = end;
                    }
                }
                Step::File { error, .. } => error.map_or(Ok(()), Err)?,
            }
        }
        join.finish(control)
    }

    /// Of what table and time the items are.
    fn identity(&self) -> Result<Identity> {
        let unknown = |message: &str| Err(Error::new(Code::BaseUnknown, message).in_file(self.name()));
        if !self.format()?.is_text() {
            return self.identity_of_rows();
        }
        self.require_full()?;
        match self.summary() {
            None => unknown("a base needs manifests: without them nobody knows of what table and time the items are"),
            Some(summary) if summary.table_arn.is_none() || summary.export_time.is_none() => {
                unknown("the base's manifest says no tableArn or no exportTime")
            }
            Some(summary) => Ok(Identity { summary: summary.clone(), keys: None, name: self.name().to_owned() }),
        }
    }

    /// The same of Parquet or Arrow files that were written by Dynarrow and have lost nothing.
    fn identity_of_rows(&self) -> Result<Identity> {
        let unknown = |message: &str| Err(Error::new(Code::BaseUnknown, message).in_file(self.name()));
        let mut found: Option<Identity> = None;
        for schema in self.row_schemas()? {
            let is = |key: &str, value: &str| schema.metadata.get(key).is_some_and(|found| found == value);
            if !is(LAYOUT_KEY, Layout::Typed.as_str()) {
                return unknown("a base of Parquet or Arrow must be written with layout=typed, which loses nothing");
            }
            let summary = summary_of_rows(&schema);
            if summary.table_arn.is_none() || summary.export_time.is_none() {
                return unknown("the base's metadata says no table or no time: it was not written from an export");
            }
            if !is(metadata::WHOLE, "true") {
                let lost = "columns, partition_by, split_by, file_size, extra other than column, rounded numbers";
                return unknown(&format!(
                    "the base may be a part of its table, or have lost something ({lost}): it does not say that it is whole"
                ));
            }
            let keys = keys_of_rows(&schema);
            let identity = Identity { summary, keys, name: self.name().to_owned() };
            if found.as_ref().is_some_and(|found| *found != identity) {
                return unknown("the files of the base are of different tables or times");
            }
            found = Some(identity);
        }
        found.map_or_else(|| unknown("the base has no files"), Ok)
    }

    /// What is known of the items' table and time.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn known_summary(&self) -> Result<ExportSummary> {
        if let Some(summary) = self.summary() {
            return Ok(summary.clone());
        }
        let schemas = if self.format()?.is_text() { Vec::new() } else { self.row_schemas()? };
        Ok(schemas.first().map(|schema| summary_of_rows(schema)).unwrap_or_default())
    }
}

/// What the metadata of batches says of their table and time.
fn summary_of_rows(schema: &ArrowSchema) -> ExportSummary {
    let of = |key: &str| schema.metadata.get(key).cloned();
    let (table_arn, table_id, export_time) = (of(metadata::TABLE), of(metadata::TABLE_ID), of(metadata::EXPORT_TIME));
    let mut summary = ExportSummary { table_arn, table_id, export_time, ..ExportSummary::default() };
    for (name, value) in [("tableArn", &summary.table_arn), ("tableId", &summary.table_id), ("exportTime", &summary.export_time)] {
        summary.raw.extend(value.clone().map(|value| (name.into(), value.into())));
    }
    summary
}

/// The key that the metadata of batches says.
pub(super) fn keys_of_rows(schema: &ArrowSchema) -> Option<KeyNames> {
    let keys = schema.metadata.get(metadata::KEYS)?;
    serde_json::from_str::<Vec<String>>(keys).ok().map(KeyNames::new)
}

/// Of what table and time a base is.
#[derive(Clone, Debug, PartialEq)]
struct Identity {
    summary: ExportSummary,
    keys: Option<KeyNames>,
    name: String,
}

impl Identity {
    /// The same table at another time.
    fn at(self, time: Option<String>) -> ExportSummary {
        let mut summary = self.summary;
        if let Some(time) = time {
            summary.raw.insert("exportTime".into(), time.clone().into());
            summary.export_time = Some(time);
        }
        summary
    }
}

/// Which windows are applied, in what order.
struct Plan {
    /// Their places among the increments, and in the report.
    applied: Vec<(usize, usize)>,
    /// The end of the last one.
    time: Option<String>,
    report: MergeReport,
}

impl Plan {
    fn of(base: &Identity, increments: &[Export], merging: &MergeOptions) -> Result<Self> {
        let base_time = micros(base.summary.export_time.as_deref(), "exportTime", &base.name)?;
        let mut windows = Vec::new();
        for (at, export) in increments.iter().enumerate() {
            export.require_incremental()?;
            let summary = export.summary().ok_or_else(|| {
                let message = "an incremental export needs its manifests: they say its table and its window";
                Error::new(Code::Manifest, message).in_file(export.name())
            })?;
            export.view()?;
            let same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
            let of_base = &base.summary;
            if summary.table_arn != of_base.table_arn || !same(&summary.table_id, &of_base.table_id) {
                let of = |summary: &ExportSummary| {
                    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "unknown".into());
                    format!("{} (id {})", part(&summary.table_arn), part(&summary.table_id))
                };
                let message = format!("the changes are of table {}, the base is of {}", of(summary), of(of_base));
                return Err(Error::new(Code::OtherTable, message).in_file(export.name()));
            }
            let from = micros(summary.export_from_time.as_deref(), "exportFromTime", export.name())?;
            let to = micros(summary.export_to_time.as_deref(), "exportToTime", export.name())?;
            let arn = summary.export_arn.clone().unwrap_or_default();
            windows.push((to, from, arn, at));
        }
        windows.sort();
        // The same export given twice is one.
        windows.dedup_by(|a, b| !a.2.is_empty() && a.2 == b.2);
        let mut report = MergeReport::default();
        let mut applied = Vec::new();
        for &(to, from, _, at) in &windows {
            if to > base_time {
                applied.push((at, report.windows.len()));
            }
            let window = Window {
                name: increments[at].name().to_owned(),
                from: text(from),
                to: text(to),
                applied: to > base_time,
                totals: Totals::default(),
            };
            report.windows.push(window);
        }
        let mut by_start: Vec<_> = windows.iter().filter(|window| window.0 > base_time).map(|&(to, from, _, _)| (from, to)).collect();
        by_start.sort_unstable();
        let mut covered = base_time;
        for (from, to) in by_start {
            if from > covered {
                report.gaps.push((text(covered), text(from)));
            } else if from < covered && covered > base_time {
                report.overlaps.push((text(from), text(covered.min(to))));
            }
            covered = covered.max(to);
        }
        if let (Some((from, to)), false) = (report.gaps.first(), merging.allow_gaps) {
            let message =
                format!("no incremental export covers the time from {from} to {to}; --allow-gaps (allow_gaps=True) merges all the same");
            return Err(Error::new(Code::Gap, message).in_file(&*base.name));
        }
        let time = windows.last().filter(|window| window.0 > base_time).map(|window| text(window.0));
        Ok(Self { applied, time, report })
    }
}

/// The microseconds of a time in a manifest.
pub(super) fn micros(time: Option<&str>, member: &str, file: &str) -> Result<i64> {
    let bad = |message: String| Error::new(Code::Manifest, message).in_file(file);
    let time = time.ok_or_else(|| bad(format!("the manifest says no {member}")))?;
    let parsed = [ISO, "YYYY-MM-DDThh:mm:ssZ", "YYYY-MM-DDThh:mm:ss.SSSSSSZ"];
    let parsed = parsed.into_iter().find_map(|pattern| Timestamp::Text(pattern.into()).of_text(time));
    parsed.ok_or_else(|| bad(format!("{member} must be a time like 2026-01-14T10:00:00.000Z, not {time:?}")))
}

fn text(micros: i64) -> String {
    Timestamp::Text(ISO.into()).to_text(micros).unwrap_or_else(|| micros.to_string())
}

/// The changes of a block: keys and images as text.
#[derive(Default)]
struct OfBlock {
    text: Vec<u8>,
    keys: Vec<u8>,
    changes: Vec<OneChange>,
}

struct OneChange {
    micros: i64,
    /// Where its key ends.
    key_end: usize,
    /// Where its image begins, and its bytes: 0 where there is none.
    text: (u32, u32),
}

struct CollectChanges {
    names: KeyNames,
    key: Key,
    encoder: ItemEncoder<DynamodbJson>,
    of_block: OfBlock,
}

impl CollectChanges {
    fn new(names: KeyNames) -> Self {
        Self { names, key: Key::default(), encoder: ItemEncoder::default(), of_block: OfBlock::default() }
    }
}

impl ChangeSink for CollectChanges {
    type Out = OfBlock;

    fn change(&mut self, change: &Change<'_>, _bytes: usize) -> Result<(), Refusal> {
        self.names.of_change(change, &mut self.key)?;
        let of_block = &mut self.of_block;
        let start = of_block.text.len();
        if let Some(image) = change.new_image() {
            crate::change::item(&mut self.encoder, 0, |encoder| image.send(encoder))?;
            of_block.text.append(&mut self.encoder.take());
        }
        of_block.keys.extend_from_slice(self.key.bytes());
        let text = (start as u32, (of_block.text.len() - start) as u32);
        of_block.changes.push(OneChange { micros: change.micros, key_end: of_block.keys.len(), text });
        Ok(())
    }

    fn end_block(&mut self) -> Result<OfBlock> {
        Ok(std::mem::take(&mut self.of_block))
    }
}
