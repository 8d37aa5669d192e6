//! Reading an export as record batches.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use rustc_hash::FxHashSet;

use super::changes::metadata;
use super::open::{Export, ReadAs};
use crate::change::columns::{ChangeColumns, ChangeNames};
use crate::change::row::ChangeRow;
use crate::change::{self, Changes};
use crate::columns::cut::{Cutting, Limit, Piece};
use crate::columns::{ColumnSink, Losses, Rows, Unplaced};
use crate::control::Control;
#[cfg(not(target_arch = "wasm32"))]
use crate::engine::jobs::Jobs;
use crate::engine::ledger::{Check, Totals};
use crate::engine::pipeline::{Pass, Pipeline, Step};
use crate::engine::push::PushPass;
use crate::engine::rows::RowsPass;
use crate::engine::steps::Steps;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::merge::overlay::Overlay;
use crate::merge::steps::{Base, MergedSteps, Of};
use crate::schema::learn::{Learner, MAX_PATHS};
use crate::schema::summary::Summary;
use crate::schema::{Columns, Extra, Layout, Policies, Schema};

/// What a bad record does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Ends the work in its error.
    #[default]
    Raise,
    /// Is passed over and counted. A file that is truncated or corrupt still fails.
    Skip,
}

impl FromStr for OnError {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "raise" => Ok(Self::Raise),
            "skip" => Ok(Self::Skip),
            _ => Err(Error::usage(format!("on_error must be one of raise, skip, not {text:?}"))),
        }
    }
}

/// How an export is read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The attributes that are read, in this order; all for `None`.
    pub columns: Option<Columns>,
    /// What becomes of values where there is a choice.
    pub policies: Policies,
    /// The schema, where it is not to be learnt.
    pub schema: Option<Schema>,
    /// The layout of a source of record batches that does not say it.
    pub source_layout: Option<Layout>,
    /// What becomes of values that a frozen schema has no place for.
    pub extra: Extra,
    /// Learn from the first items only, so many.
    pub sample: Option<u64>,
    /// Attribute paths that may be learnt; more are an error.
    pub max_paths: usize,
    /// Rows of a record batch, at most.
    pub batch_size: usize,
    /// Threads; 0 for as many as the machine has cores.
    pub threads: usize,
    /// What a bad record does.
    pub on_error: OnError,
    /// What is checked against the manifest.
    pub check: Check,
}

/// Rows of a record batch, by default.
pub const BATCH_SIZE: usize = 8_192;
/// Record bytes of a batch, at most: 8,192 items of 400 KB would overflow a utf8 array.
pub const BATCH_BYTES: u64 = 32 << 20;

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            columns: None,
            policies: Policies::default(),
            schema: None,
            source_layout: None,
            extra: Extra::default(),
            sample: None,
            max_paths: MAX_PATHS,
            batch_size: BATCH_SIZE,
            threads: 0,
            on_error: OnError::Raise,
            check: Check::Count,
        }
    }
}

impl ReadOptions {
    /// The number of threads that is meant.
    pub fn thread_count(&self) -> usize {
        if cfg!(target_arch = "wasm32") {
            return 1;
        }
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        }
    }

    /// Refuses a name that stands twice: two columns of one name confuse every reader.
    pub(super) fn check_columns(&self) -> Result<()> {
        let mut seen = FxHashSet::default();
        match self.columns.iter().flat_map(|columns| columns.iter()).find(|name| !seen.insert(name.as_str())) {
            Some(name) => Err(Error::usage(format!("columns names {name:?} twice"))),
            None => Ok(()),
        }
    }

    /// A learner of what these options ask for.
    pub fn learner(&self) -> Learner {
        Learner::new(self.columns.clone(), self.max_paths, self.sample)
    }

    /// The schema of what was learnt.
    pub fn freeze(&self, summary: Arc<Summary>) -> Result<Schema> {
        let schema = Schema::freeze(summary, self.policies.clone(), self.columns.as_deref())?;
        Ok(if self.sample.is_some() { schema.frozen() } else { schema })
    }

    /// The schema that was given, with the columns that are asked for.
    pub fn given_schema(&self) -> Result<Option<Schema>> {
        let Some(schema) = &self.schema else { return Ok(None) };
        if self.policies != Policies::default() || self.sample.is_some() {
            let options = "numbers, mixed, maps, layout, names, overrides, max_fields, max_columns and sample";
            return Err(Error::usage(format!("a schema fixes the columns: {options} cannot be given with it")));
        }
        let schema = schema.clone().frozen();
        Ok(Some(match &self.columns {
            Some(columns) => schema.select(columns)?,
            None => schema,
        }))
    }

    /// The schema as it is written, and what a value means that has no place in it.
    fn placing(&self, schema: Schema) -> (Schema, Unplaced) {
        match (schema.extra(), self.extra) {
            (None, _) => (schema, Unplaced::Changed),
            (Some(_), Extra::Column) => (schema, Unplaced::Extra(Extra::Column)),
            (Some(_), other) => (schema.without_extra(), Unplaced::Extra(other)),
        }
    }

    pub(crate) fn batch_limit(&self) -> Result<Limit> {
        if self.batch_size == 0 {
            return Err(Error::usage("batch_size must be at least 1"));
        }
        Ok(Limit { rows: self.batch_size, bytes: BATCH_BYTES })
    }
}

/// What was read, and what was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadReport {
    /// Items, bytes, skipped records.
    pub totals: Totals,
    /// What the columns lost.
    pub losses: Losses,
}

impl Export {
    pub(crate) fn pass(&self, options: &ReadOptions, control: &Control) -> Result<Pass> {
        self.require_full()?;
        self.any_pass(options, control)
    }

    /// The steps of a pass into sinks that `make` makes, whatever the source is.
    pub fn steps<S: BlockSink>(
        &self,
        options: &ReadOptions,
        control: &Control,
        make: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<Steps<S>> {
        options.check_columns()?;
        let make = Arc::new(make);
        if let ReadAs::Merged(over) = self.reads() {
            let (over, deleted, sink) = (over.clone(), Arc::new(AtomicU64::new(0)), make());
            let overlay = {
                let (over, deleted) = (over.clone(), deleted.clone());
                move || Overlay::new(make(), over.clone(), deleted.clone())
            };
            let base = match self.row_pass(options, control, &overlay)? {
                Some(rows) => Base::Rows(Box::new(rows)),
                None => Base::Files(Pipeline::new(self.pass(options, control)?, overlay)),
            };
            let pass = Of { files: self.files().len(), skip: options.on_error == OnError::Skip, control: control.clone() };
            return Ok(Steps::Merged(Box::new(MergedSteps::new(base, over, deleted, pass, sink))));
        }
        if let Some(rows) = self.row_pass(options, control, &*make)? {
            return Ok(Steps::Rows(Box::new(rows)));
        }
        let pass = self.pass(options, control)?;
        let ReadAs::Changes(images, keys) = self.reads() else { return Ok(Steps::Files(Pipeline::new(pass, move || make()))) };
        let (images, keys, view) = (*images, keys.clone(), self.view()?);
        let names = ChangeNames::beside(&self.infer_schema(options, control)?);
        let row = move || ChangeRow::new(make(), names.clone(), view, images);
        Ok(Steps::Changes(Pipeline::new(pass, move || Changes::of(keys.clone(), row()))))
    }

    /// A pass over record batches, where the source has them.
    fn row_pass<S: BlockSink>(&self, options: &ReadOptions, control: &Control, make: &impl Fn() -> S) -> Result<Option<RowsPass<S>>> {
        let format = self.format()?;
        if format.is_text() {
            return Ok(None);
        }
        let sources = self.row_sources(format, options.schema.as_ref(), options.source_layout);
        let skip = options.on_error == OnError::Skip;
        Ok(Some(RowsPass::new(self.expected(), sources, skip, control.clone(), make())))
    }

    /// The steps of a pass into the columns of a reader.
    fn row_steps(&self, reader: Reader, control: &Control) -> Result<Box<dyn RowSteps>> {
        let options = reader.options.clone();
        let ReadAs::Changes(images, keys) = self.reads() else {
            return Ok(Box::new(self.steps(&options, control, move || reader.sink())?));
        };
        let (images, keys, view, schema) = (*images, keys.clone(), self.view()?, SchemaRef::new(reader.arrow_schema()));
        let pass = self.pass(&options, control)?;
        let make = move || Changes::of(keys.clone(), ChangeColumns::new(schema.clone(), view, images, || reader.sink()));
        Ok(Box::new(Pipeline::new(pass, make)))
    }

    /// A pass also over exports that are no table.
    pub(crate) fn any_pass(&self, options: &ReadOptions, control: &Control) -> Result<Pass> {
        control.expect(self.bytes());
        Ok(Pass {
            storage: self.storage().clone(),
            files: self.expected(),
            reading: self.reading(options.on_error == OnError::Skip)?,
            check: options.check,
            threads: options.thread_count(),
            control: control.clone(),
        })
    }

    /// A pass into this sink whose bytes are pushed.
    pub fn push_pass<S: BlockSink>(&self, options: &ReadOptions, sink: S) -> Result<PushPass<S>> {
        self.require_full()?;
        options.check_columns()?;
        self.any_push_pass(options, sink)
    }

    /// A pushed pass also over exports that are no table.
    pub fn any_push_pass<S: BlockSink>(&self, options: &ReadOptions, sink: S) -> Result<PushPass<S>> {
        let reading = self.reading(options.on_error == OnError::Skip)?;
        Ok(PushPass::new(self.expected(), reading, options.check, sink))
    }

    /// Refuses what can be refused before data is read.
    pub fn check_options(&self, options: &ReadOptions) -> Result<()> {
        self.require_full()?;
        options.check_columns()?;
        options.given_schema().map(drop)
    }

    /// A reader of record batches. Learns the schema first, over all items.
    pub fn read(&self, options: ReadOptions, control: &Control) -> Result<Reader> {
        let schema = self.infer_schema(&options, control)?;
        Ok(self.read_with(schema, options))
    }

    /// A reader with a schema that was learnt from this export before.
    pub fn read_with(&self, schema: Schema, options: ReadOptions) -> Reader {
        let (schema, unplaced) = options.placing(schema);
        Reader { export: self.clone(), schema, unplaced, options, is_one: true }
    }

    pub(super) fn read_with_guess(&self, schema: Schema, options: ReadOptions) -> Reader {
        Reader { export: self.clone(), schema, unplaced: Unplaced::Guessed, options, is_one: true }
    }
}

/// Reads an export as record batches, as often as wanted.
#[derive(Clone, Debug)]
pub struct Reader {
    export: Export,
    schema: Schema,
    unplaced: Unplaced,
    options: ReadOptions,
    /// Its batches go to one file.
    is_one: bool,
}

impl Reader {
    /// The schema of all batches.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The Arrow schema of all batches, with what is known of the table in its metadata.
    pub fn arrow_schema(&self) -> ArrowSchema {
        let mut schema = match self.export.reads() {
            ReadAs::Changes(images, _) => change::columns::to_arrow(&self.schema, *images),
            _ => self.schema.to_arrow(),
        };
        schema.metadata.extend(self.export.metadata());
        // Of what no table is known it would say nothing. What was passed over was counted and said.
        let known = schema.metadata.get(metadata::TABLE).is_some() && !matches!(self.export.reads(), ReadAs::Changes(..));
        let all = self.is_one && self.options.columns.is_none() && self.options.extra == Extra::Column;
        if known && all && self.schema.is_exact() {
            schema.metadata.insert(metadata::WHOLE, "true");
        }
        schema
    }

    /// The same reader, whose batches go to several files: none of them is the whole.
    #[must_use]
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn divided(self) -> Self {
        Self { is_one: false, ..self }
    }

    /// The same reader without these columns: what is theirs must not reach the sinks.
    #[must_use]
    pub fn without(self, columns: &[String]) -> Self {
        Self { schema: self.schema.without(columns), ..self }
    }

    /// The export that is read.
    pub fn export(&self) -> &Export {
        &self.export
    }

    /// A sink for the columns.
    pub fn sink(&self) -> ColumnSink {
        ColumnSink::new(&self.schema, self.options.columns.is_some(), self.unplaced)
    }

    /// Whether the schema is that of the items that were read, so many, into these sinks.
    pub fn check_schema(&self, items: u64, sinks: &[&ColumnSink]) -> Result<()> {
        let learnt = self.schema.summary().items;
        let message = match self.unplaced {
            Unplaced::Changed if items != learnt => {
                format!("{items} items, and the schema was learnt of {learnt}; a stream can be read once only")
            }
            Unplaced::Guessed if !ColumnSink::are_in_order(sinks) => "the columns stand in another order than was guessed".into(),
            _ => return Ok(()),
        };
        Err(Error::new(Code::Changed, message))
    }

    /// The batches, from the first on.
    pub fn batches(&self, control: &Control) -> Result<RecordBatches> {
        self.batches_in_groups(None, control)
    }

    pub(crate) fn batches_in_groups(&self, group: Option<Limit>, control: &Control) -> Result<RecordBatches> {
        let batching = Batching::new(self.arrow_schema(), &self.options, group)?;
        let pipeline = self.export.row_steps(self.clone(), control)?;
        Ok(RecordBatches { pipeline, batching, reader: self.clone(), done: false })
    }
}

/// The steps of a pass whose results are rows.
trait RowSteps: Iterator<Item = Result<Step<Rows>>> + Send {
    fn totals(&self) -> &Totals;
    #[cfg(not(target_arch = "wasm32"))]
    fn jobs(&self) -> Arc<dyn Jobs>;
    /// Whether the schema was that of the items, when all steps were taken.
    fn check(&self, reader: &Reader) -> Result<()>;
}

impl RowSteps for Steps<ColumnSink> {
    fn totals(&self) -> &Totals {
        Steps::totals(self)
    }
    #[cfg(not(target_arch = "wasm32"))]
    fn jobs(&self) -> Arc<dyn Jobs> {
        Steps::jobs(self)
    }
    fn check(&self, reader: &Reader) -> Result<()> {
        self.with_sinks(|sinks| reader.check_schema(self.totals().items, sinks))
    }
}

impl RowSteps for Pipeline<Changes<ChangeColumns>> {
    fn totals(&self) -> &Totals {
        Pipeline::totals(self)
    }
    #[cfg(not(target_arch = "wasm32"))]
    fn jobs(&self) -> Arc<dyn Jobs> {
        Pipeline::jobs(self)
    }
    fn check(&self, _reader: &Reader) -> Result<()> {
        // What has no place in the schema was said of each value.
        Ok(())
    }
}

/// The batches of one reading.
pub struct RecordBatches {
    pipeline: Box<dyn RowSteps>,
    batching: Batching,
    reader: Reader,
    done: bool,
}

impl RecordBatches {
    /// The schema of all batches.
    pub fn schema(&self) -> SchemaRef {
        self.batching.schema()
    }

    /// What was read so far.
    pub fn report(&self) -> ReadReport {
        self.batching.report(self.pipeline.totals())
    }

    /// The threads that read, for work with the batches.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn jobs(&self) -> Arc<dyn Jobs> {
        self.pipeline.jobs()
    }

    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.batching.next_piece() {
                return Ok(Some(piece));
            }
            if self.done {
                return Ok(None);
            }
            match self.pipeline.next().transpose()? {
                Some(step) => self.batching.step(step)?,
                None => {
                    self.done = true;
                    self.pipeline.check(&self.reader)?;
                    self.batching.finish();
                }
            }
        }
    }
}

/// The rows of a pass, cut into batches, whoever drives it.
pub struct Batching {
    cutting: Cutting,
    schema: SchemaRef,
    ready: VecDeque<Piece>,
    losses: Losses,
}

impl Batching {
    /// Batches of this schema; groups of them, where they are wanted.
    pub fn new(schema: ArrowSchema, options: &ReadOptions, group: Option<Limit>) -> Result<Self> {
        let schema = SchemaRef::new(schema);
        let cutting = Cutting::new(schema.clone(), options.batch_limit()?, group);
        Ok(Self { cutting, schema, ready: VecDeque::new(), losses: Losses::default() })
    }

    /// The schema of all batches.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Takes a step of the pass; a file that failed ends it.
    pub fn step(&mut self, step: Step<Rows>) -> Result<()> {
        match step {
            Step::Block { out, .. } => {
                self.losses.merge(out.losses.clone());
                let ready = &mut self.ready;
                self.cutting.push(&out, |piece| {
                    ready.push_back(piece);
                    Ok(())
                })
            }
            Step::File { error, .. } => error.map_or(Ok(()), Err),
        }
    }

    /// All files were read: the rows that are left are a batch.
    pub fn finish(&mut self) {
        self.ready.extend(self.cutting.finish());
    }

    /// The next batch that is complete.
    pub fn next_piece(&mut self) -> Option<Piece> {
        self.ready.pop_front()
    }

    /// What was read, when the pass came to these totals.
    pub fn report(&self, totals: &Totals) -> ReadReport {
        ReadReport { totals: totals.clone(), losses: self.losses.clone() }
    }
}

impl Iterator for RecordBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_piece().and_then(|piece| piece.map(|piece| piece.batch()).transpose());
        // Behind an error there is nothing.
        self.done |= next.is_err();
        next.transpose()
    }
}
