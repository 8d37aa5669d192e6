//! Learning a schema over all items of an export.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::open::Export;
use super::read::{OnError, ReadOptions};
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::Result;
use crate::schema::learn::Learner;
use crate::schema::summary::Summary;
use crate::schema::{Columns, Schema};

/// What was learnt of an export, by what it depends on.
#[derive(Default)]
pub struct Learnt(Mutex<Vec<(Option<Columns>, OnError, Arc<Summary>)>>);

impl Learnt {
    /// What was learnt with these options.
    pub fn get(&self, options: &ReadOptions) -> Option<Arc<Summary>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(columns, on_error, _): &&(Option<Columns>, OnError, _)| *columns == options.columns && *on_error == options.on_error;
        known.iter().find(same).map(|(.., summary)| summary.clone())
    }

    /// Keeps what was learnt with these options.
    pub fn keep(&self, options: &ReadOptions, summary: Arc<Summary>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((options.columns.clone(), options.on_error, summary));
    }
}

impl Export {
    /// The schema of all items: nothing is sampled. What was learnt is kept, and not learnt
    /// again for other policies.
    pub fn infer_schema(&self, options: &ReadOptions, control: &Control) -> Result<Schema> {
        let summary = match self.learnt().get(options) {
            Some(summary) => summary,
            None => self.learn(options, control)?.0,
        };
        Schema::freeze(summary, options.policies.clone(), options.columns.as_deref())
    }

    /// The schema of all items, and what was read and skipped: always reads.
    pub fn infer_schema_and_totals(&self, options: &ReadOptions, control: &Control) -> Result<(Schema, Totals)> {
        let (summary, totals) = self.learn(options, control)?;
        let schema = Schema::freeze(summary, options.policies.clone(), options.columns.as_deref())?;
        Ok((schema, totals))
    }

    fn learn(&self, options: &ReadOptions, control: &Control) -> Result<(Arc<Summary>, Totals)> {
        let columns = options.columns.clone();
        let pass = self.pass(options, control)?;
        let mut pipeline = Pipeline::new(pass, move || Learner::new(columns.clone()));
        let mut learning = Learning::default();
        for step in &mut pipeline {
            learning.step(step?)?;
        }
        let totals = pipeline.totals().clone();
        let summary = Arc::new(learning.finish(pipeline.into_sinks()));
        self.learnt().keep(options, summary.clone());
        Ok((summary, totals))
    }
}

/// What the learners of a pass saw, put together, whoever drives it.
#[derive(Default)]
pub struct Learning {
    /// Good items of a file before each of its blocks.
    before: HashMap<(u64, u64), u64>,
    items: u64,
}

impl Learning {
    /// Takes a step of the pass; a file that failed ends it.
    pub fn step(&mut self, step: Step<u64>) -> Result<()> {
        match step {
            Step::Block { file, block, out } => {
                self.before.insert((file as u64, block as u64), self.items);
                self.items += out;
                Ok(())
            }
            Step::File { error, .. } => {
                self.items = 0;
                error.map_or(Ok(()), Err)
            }
        }
    }

    /// What was learnt, when all files were read.
    pub fn finish(self, learners: impl IntoIterator<Item = Learner>) -> Summary {
        let mut summary = Summary::default();
        for learner in learners {
            summary.merge(learner.finish(|file, block| self.before.get(&(file, block)).copied().unwrap_or(0)));
        }
        summary
    }
}
