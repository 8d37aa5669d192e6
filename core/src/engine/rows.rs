//! A pass over record batches: the rows of each are a block.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::feed::FileBytes;
use super::ledger::{Check, Expected, Ledger, Totals};
use super::pipeline::Step;
use super::worker::BlockSink;
use crate::columns::rows::RowReader;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::event::Refusal;
use crate::format::record::{Fault, KEPT, Outcome};
use crate::path;

/// The batches of one file or stream, and how they are read.
pub struct RowSource {
    /// What their columns mean.
    pub reader: RowReader,
    /// The batches.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

/// Opens a file or stream of batches.
pub type OpenRows = Box<dyn FnOnce() -> Result<RowSource> + Send>;

/// Reads rows into a sink.
pub struct RowsPass<S: BlockSink> {
    sink: S,
    skip: bool,
    files: Arc<[Expected]>,
    ledger: Ledger,
    control: Control,
    waiting: VecDeque<OpenRows>,
    open: Option<RowSource>,
    file: usize,
    block: usize,
    done: bool,
}

impl<S: BlockSink> RowsPass<S> {
    /// A pass over these files, whose names and sizes are `files`.
    pub fn new(files: Arc<[Expected]>, sources: Vec<OpenRows>, skip: bool, control: Control, sink: S) -> Self {
        control.begin_pass();
        let ledger = Ledger::new(files.clone(), Check::None);
        Self { sink, skip, files, ledger, control, waiting: sources.into(), open: None, file: 0, block: 0, done: false }
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        self.ledger.totals()
    }

    /// The sink.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// The sink, when the steps were taken.
    pub fn into_sink(self) -> S {
        self.sink
    }

    fn step(&mut self) -> Result<Option<Step<S::Out>>> {
        self.control.check()?;
        if self.open.is_none() {
            let Some(open) = self.waiting.pop_front() else { return Ok(None) };
            match open() {
                Ok(source) => self.open = Some(source),
                Err(error) => return Ok(Some(self.end(None, Some(error)))),
            }
        }
        let next = self.open.as_mut().and_then(|source| source.batches.next());
        let batch = match next {
            None => return Ok(Some(self.end(None, None))),
            Some(Err(error)) => return Ok(Some(self.end(None, Some(error)))),
            Some(Ok(batch)) => batch,
        };
        let (mut outcome, out) = match self.batch(&batch) {
            Ok(done) => done,
            Err(error) => return Ok(Some(self.end(None, Some(error)))),
        };
        self.control.add_items(outcome.records - outcome.skipped);
        Ok(Some(match (self.ledger.block(self.file, &mut outcome), out) {
            (Ok(()), Ok(out)) => {
                self.block += 1;
                Step::Block { file: self.file, block: self.block - 1, out }
            }
            (Ok(()), Err(error)) => self.end(None, Some(error)),
            (Err(error), out) => self.end(out.ok(), Some(error)),
        }))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(Outcome, Result<S::Out>)> {
        let Some(source) = &self.open else { return Ok((Outcome::default(), self.sink.end_block())) };
        let rows = source.reader.columns(batch)?;
        let mut outcome = Outcome::default();
        self.sink.begin_block(self.file, self.block);
        for row in 0..rows.rows() {
            self.sink.begin_item();
            let sent = rows.send(row, &mut self.sink).map_err(|fault| of_fault(&fault));
            let committed = sent.and_then(|bytes| self.sink.commit_item(bytes).map_err(of_refusal));
            if let Err(error) = committed {
                self.sink.abort_item();
                outcome.bad_record(error.at_item(outcome.records), self.skip.then_some(KEPT));
                if outcome.fatal.is_some() {
                    break;
                }
            } else {
                outcome.records += 1;
            }
        }
        Ok((outcome, self.sink.end_block()))
    }

    /// The file is at its end.
    fn end(&mut self, rest: Option<S::Out>, error: Option<Error>) -> Step<S::Out> {
        let file = self.file;
        self.open = None;
        self.file += 1;
        self.block = 0;
        // Batches of a stream have no size.
        let size = self.files[file].size.unwrap_or(0);
        let bytes = FileBytes { compressed: size, inflated: size, ..FileBytes::default() };
        let (records, _) = self.ledger.end_file(file, &bytes);
        let error = error.map(|error| self.ledger.complete(file, error));
        Step::File { file, records, bytes, rest, error }
    }
}

/// A row that is no item.
fn of_fault(fault: &Fault) -> Error {
    let error = Error::new(fault.code, &*fault.message);
    if fault.path.is_empty() { error } else { error.at_path(path::to_text(fault.path.iter().rev())) }
}

/// An item that the sink does not take.
fn of_refusal(refusal: Refusal) -> Error {
    let error = Error::new(refusal.code, refusal.message);
    match refusal.path {
        Some(path) => error.at_path(path),
        None => error,
    }
}

impl<S: BlockSink> Iterator for RowsPass<S> {
    type Item = Result<Step<S::Out>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}
