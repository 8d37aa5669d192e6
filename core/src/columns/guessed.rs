//! Columns by a guessed schema, beside what the items truly hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ColumnSink, Rows};
use crate::error::Result;
use crate::event::{Kind, Refusal, Sink, Want};
use crate::number::Number;
use crate::schema::learn::Learner;

/// Learns from items, and builds their columns as long as the guess holds.
pub struct GuessedColumns {
    learner: Learner,
    /// None where an item had no place in the guess.
    columns: Option<ColumnSink>,
    /// Of the sinks of all threads.
    holds: Arc<AtomicBool>,
}

impl GuessedColumns {
    /// A sink that says in `holds` when an item has no place in `columns`.
    pub fn new(learner: Learner, columns: ColumnSink, holds: Arc<AtomicBool>) -> Self {
        Self { learner, columns: Some(columns), holds }
    }

    /// The items that follow are those of this block.
    pub fn begin_block(&mut self, file: usize, block: usize) {
        self.learner.begin_block(file, block);
        if !self.holds.load(Ordering::Relaxed) {
            self.columns = None;
        }
    }

    /// The good items of the block, and their columns where the guess holds.
    pub fn end_block(&mut self) -> Result<(u64, Option<Rows>)> {
        let rows = self.columns.as_mut().map(ColumnSink::take).transpose()?;
        Ok((self.learner.items_in_block(), rows))
    }

    /// What learnt.
    pub fn into_learner(self) -> Learner {
        self.learner
    }

    #[cold]
    fn surprise(&mut self) {
        self.columns = None;
        self.holds.store(false, Ordering::Relaxed);
    }
}

/// Has both sinks take an event.
macro_rules! both {
    ($self:ident.$event:ident($($value:expr),*)) => {{
        $self.learner.$event($($value),*);
        if let Some(columns) = &mut $self.columns {
            columns.$event($($value),*);
        }
    }};
}

impl Sink for GuessedColumns {
    fn begin_item(&mut self) {
        both!(self.begin_item());
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.learner.commit_item(bytes)?;
        if let Some(Err(_)) = self.columns.as_mut().map(|columns| columns.commit_item(bytes)) {
            self.surprise();
        }
        Ok(())
    }

    fn abort_item(&mut self) {
        both!(self.abort_item());
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        let want = self.learner.attribute(name)?;
        if want == Want::Value
            && let Some(columns) = &mut self.columns
            && columns.attribute(name)? == Want::Nothing
        {
            self.surprise();
        }
        Ok(want)
    }

    fn string(&mut self, value: &str) {
        both!(self.string(value));
    }

    fn number(&mut self, value: Number) {
        both!(self.number(value));
    }

    fn binary(&mut self, value: &[u8]) {
        both!(self.binary(value));
    }

    fn boolean(&mut self, value: bool) {
        both!(self.boolean(value));
    }

    fn null(&mut self) {
        both!(self.null());
    }

    fn begin_map(&mut self) {
        both!(self.begin_map());
    }

    fn end_map(&mut self) {
        both!(self.end_map());
    }

    fn begin_list(&mut self) {
        both!(self.begin_list());
    }

    fn end_list(&mut self) {
        both!(self.end_list());
    }

    fn begin_set(&mut self, kind: Kind) {
        both!(self.begin_set(kind));
    }

    fn end_set(&mut self) {
        both!(self.end_set());
    }
}
