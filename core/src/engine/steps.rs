//! The steps of a pass, whatever the source is.

use std::sync::Arc;

use super::jobs::{AtOnce, Jobs};
use super::ledger::Totals;
use super::pipeline::{Pipeline, Step};
use super::rows::RowsPass;
use super::worker::BlockSink;
use crate::change::Changes;
use crate::change::row::ChangeRow;
use crate::error::Result;
use crate::merge::steps::MergedSteps;

/// A pass over files of text, or over rows.
pub enum Steps<S: BlockSink> {
    /// Over files of text, on threads.
    Files(Pipeline<S>),
    /// Over files of changes, on threads.
    Changes(Pipeline<Changes<ChangeRow<S>>>),
    /// Over a base, with changes over it.
    Merged(Box<MergedSteps<S>>),
    /// Over record batches.
    Rows(Box<RowsPass<S>>),
}

impl<S: BlockSink> Steps<S> {
    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        match self {
            Self::Files(pipeline) => pipeline.totals(),
            Self::Merged(steps) => steps.totals(),
            Self::Changes(pipeline) => pipeline.totals(),
            Self::Rows(rows) => rows.totals(),
        }
    }

    /// The threads of the pass, for work with its results.
    pub fn jobs(&self) -> Arc<dyn Jobs> {
        match self {
            Self::Files(pipeline) => pipeline.jobs(),
            Self::Merged(steps) => steps.jobs(),
            Self::Changes(pipeline) => pipeline.jobs(),
            Self::Rows(_) => Arc::new(AtOnce),
        }
    }

    /// Looks at the sinks, when the steps were taken.
    pub fn with_sinks<T>(&self, look: impl FnOnce(&[&S]) -> T) -> T {
        match self {
            Self::Files(pipeline) => pipeline.with_sinks(look),
            Self::Merged(steps) => steps.with_sinks(look),
            Self::Changes(pipeline) => {
                pipeline.with_sinks(|sinks| look(&sinks.iter().map(|sink| sink.inner().inner()).collect::<Vec<_>>()))
            }
            Self::Rows(rows) => look(&[rows.sink()]),
        }
    }

    /// The sinks, when the steps were taken.
    pub fn into_sinks(self) -> Vec<S> {
        match self {
            Self::Files(pipeline) => pipeline.into_sinks(),
            Self::Merged(steps) => steps.into_sinks(),
            Self::Changes(pipeline) => pipeline.into_sinks().into_iter().map(|sink| sink.into_inner().into_inner()).collect(),
            Self::Rows(rows) => vec![rows.into_sink()],
        }
    }
}

impl<S: BlockSink> Iterator for Steps<S> {
    type Item = Result<Step<S::Out>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Files(pipeline) => pipeline.next(),
            Self::Merged(steps) => steps.next(),
            Self::Changes(pipeline) => pipeline.next(),
            Self::Rows(rows) => rows.next(),
        }
    }
}
