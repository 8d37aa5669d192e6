//! The steps of a pass over a base and what stands over it: the base's own, and behind them
//! the items that it has not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::index::{Inserts, Over};
use super::overlay::{ImageReader, Overlay};
use crate::control::Control;
use crate::engine::feed::FileBytes;
use crate::engine::jobs::{AtOnce, Jobs};
use crate::engine::ledger::{KEPT_ERRORS, Totals};
use crate::engine::pipeline::{Pipeline, Step};
use crate::engine::rows::RowsPass;
use crate::engine::worker::BlockSink;
use crate::error::{Error, Result};
use crate::format::record::{KEPT, Outcome};

/// The base's own steps.
pub enum Base<S: BlockSink> {
    /// Over files of text, on threads.
    Files(Pipeline<Overlay<S>>),
    /// Over record batches.
    Rows(Box<RowsPass<Overlay<S>>>),
}

impl<S: BlockSink> Base<S> {
    fn totals(&self) -> &Totals {
        match self {
            Self::Files(pipeline) => pipeline.totals(),
            Self::Rows(rows) => rows.totals(),
        }
    }

    fn next(&mut self) -> Option<Result<Step<S::Out>>> {
        match self {
            Self::Files(pipeline) => pipeline.next(),
            Self::Rows(rows) => rows.next(),
        }
    }
}

/// Bytes of images that are a block.
const BLOCK: u64 = 1 << 20;

/// All steps.
pub struct MergedSteps<S: BlockSink> {
    base: Base<S>,
    over: Arc<Over>,
    deleted: Arc<AtomicU64>,
    /// Files of the base.
    files: usize,
    skip: bool,
    control: Control,
    /// For the items that the base has not.
    sink: S,
    inserts: Option<Sending>,
    totals: Totals,
    done: bool,
}

/// Of what a pass is.
pub struct Of {
    /// Files of the base.
    pub files: usize,
    /// Bad items are passed over.
    pub skip: bool,
    /// Progress and cancellation.
    pub control: Control,
}

/// The items that the base has not, as far as they are sent.
struct Sending {
    images: Inserts,
    reader: ImageReader,
    block: usize,
    records: u64,
    good: u64,
}

impl<S: BlockSink> MergedSteps<S> {
    /// The steps over a base, into sinks of which `sink` is one more.
    pub fn new(base: Base<S>, over: Arc<Over>, deleted: Arc<AtomicU64>, pass: Of, sink: S) -> Self {
        let Of { files, skip, control } = pass;
        Self { base, over, deleted, files, skip, control, sink, inserts: None, totals: Totals::default(), done: false }
    }

    /// What the pass came to so far: the items are those of the result.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The threads of the pass, for work with its results.
    pub fn jobs(&self) -> Arc<dyn Jobs> {
        match &self.base {
            Base::Files(pipeline) => pipeline.jobs(),
            Base::Rows(_) => Arc::new(AtOnce),
        }
    }

    /// Looks at the sinks, when the steps were taken.
    pub fn with_sinks<T>(&self, look: impl FnOnce(&[&S]) -> T) -> T {
        match &self.base {
            Base::Files(pipeline) => {
                pipeline.with_sinks(|sinks| look(&sinks.iter().map(|overlay| overlay.inner()).chain([&self.sink]).collect::<Vec<_>>()))
            }
            Base::Rows(rows) => look(&[rows.sink().inner(), &self.sink]),
        }
    }

    /// The sinks, when the steps were taken.
    pub fn into_sinks(self) -> Vec<S> {
        let mut sinks: Vec<_> = match self.base {
            Base::Files(pipeline) => pipeline.into_sinks().into_iter().map(Overlay::into_inner).collect(),
            Base::Rows(rows) => vec![rows.into_sink().into_inner()],
        };
        sinks.push(self.sink);
        sinks
    }

    fn insert_step(&mut self) -> Result<Option<Step<S::Out>>> {
        if self.inserts.is_none() {
            let images = self.over.inserts();
            self.inserts = Some(Sending { images, reader: ImageReader::default(), block: 0, records: 0, good: 0 });
        }
        self.control.check()?;
        let Some(inserts) = &mut self.inserts else { return Ok(None) };
        let (mut bytes, mut outcome) = (0, Outcome::default());
        let file = self.files;
        self.sink.begin_block(file, inserts.block);
        while bytes < BLOCK
            && outcome.fatal.is_none()
            && let Some(image) = self.over.next_insert(&mut inserts.images)?
        {
            bytes += u64::from(image.1);
            match inserts.reader.send(&self.over, image, &mut self.sink) {
                Ok(()) => {
                    outcome.records += 1;
                    inserts.good += 1;
                }
                Err(refusal) => {
                    let error = Error::new(refusal.code, refusal.message).at_item(inserts.records + outcome.records);
                    outcome.bad_record(refusal.path.into_iter().fold(error, Error::at_path), self.skip.then_some(KEPT));
                }
            }
        }
        let out = self.sink.end_block();
        inserts.records += outcome.records;
        inserts.block += 1;
        self.control.add_items(outcome.records - outcome.skipped);
        self.totals.skipped += outcome.skipped;
        let room = KEPT_ERRORS.saturating_sub(self.totals.errors.len());
        self.totals.errors.extend(outcome.errors.into_iter().take(room));
        if let Some(error) = outcome.fatal {
            return Err(error);
        }
        if bytes > 0 {
            return Ok(Some(Step::Block { file, block: inserts.block - 1, out: out? }));
        }
        self.done = true;
        Ok(Some(Step::File { file, records: inserts.records, bytes: FileBytes::default(), rest: None, error: None }))
    }
}

impl<S: BlockSink> Iterator for MergedSteps<S> {
    type Item = Result<Step<S::Out>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if self.inserts.is_none() {
            let step = self.base.next();
            self.totals.clone_from(self.base.totals());
            self.totals.items -= self.deleted.load(Ordering::Relaxed).min(self.totals.items);
            if step.is_some() {
                return step;
            }
        }
        let before = self.inserts.as_ref().map_or(0, |inserts| inserts.good);
        let step = self.insert_step().transpose();
        self.totals.items += self.inserts.as_ref().map_or(0, |inserts| inserts.good) - before;
        self.done |= !matches!(step, Some(Ok(_)));
        step
    }
}
