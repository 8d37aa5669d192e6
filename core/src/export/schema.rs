//! Learning a schema over all items of an export.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::open::{Export, ReadAs};
use super::read::{OnError, ReadOptions};
use crate::change::Changes;
use crate::change::columns::LearnChanges;
use crate::control::Control;
use crate::engine::ledger::{Check, Totals};
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::Result;
use crate::schema::learn::{Learner, too_many_paths};
use crate::schema::summary::Summary;
use crate::schema::{Columns, Schema};

/// What was learnt of an export, by what it depends on.
#[derive(Default)]
pub struct Learnt(Mutex<Vec<(Key, Arc<Summary>)>>);

type Key = (Option<Columns>, OnError, Check, Option<u64>, usize);

impl Learnt {
    /// What was learnt with these options.
    pub fn get(&self, options: &ReadOptions) -> Option<Arc<Summary>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(key, _)| *key == Self::key(options)).map(|(_, summary)| summary.clone())
    }

    /// Keeps what was learnt with these options.
    pub fn keep(&self, options: &ReadOptions, summary: Arc<Summary>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Self::key(options), summary));
    }

    fn key(options: &ReadOptions) -> Key {
        (options.columns.clone(), options.on_error, options.check, options.sample, options.max_paths)
    }
}

impl Export {
    /// The schema of all items (of the first ones with `sample`), or the one that was given.
    /// What was learnt is kept, and not learnt again for other policies.
    pub fn infer_schema(&self, options: &ReadOptions, control: &Control) -> Result<Schema> {
        if let Some(schema) = options.given_schema()? {
            return Ok(schema);
        }
        let summary = match self.learnt().get(options) {
            Some(summary) => summary,
            None => self.learn(options, control)?.0,
        };
        options.freeze(summary)
    }

    /// The schema of all items, and what was read and skipped: always reads.
    pub fn infer_schema_and_totals(&self, options: &ReadOptions, control: &Control) -> Result<(Schema, Totals)> {
        let (summary, totals) = self.learn(options, control)?;
        Ok((options.freeze(summary)?, totals))
    }

    fn learn(&self, options: &ReadOptions, control: &Control) -> Result<(Arc<Summary>, Totals)> {
        let mut options = options.clone();
        if options.sample.is_some() {
            // The first items are those of the first blocks, one after the other.
            options.threads = 1;
        }
        let learner = options.clone();
        let mut learning = Learning::default();
        let (totals, learners) = match self.reads() {
            ReadAs::Changes(images, keys) => {
                let (images, keys) = (*images, keys.clone());
                let make = move || Changes::of(keys.clone(), LearnChanges::new(learner.learner(), images));
                let mut pipeline = Pipeline::new(self.pass(&options, control)?, make);
                learning.steps(&mut pipeline, options.sample)?;
                let totals = pipeline.totals().clone();
                (totals, pipeline.into_sinks().into_iter().map(|sink| sink.into_inner().into_learner()).collect())
            }
            _ => {
                let mut steps = self.steps(&options, control, move || learner.learner())?;
                learning.steps(&mut steps, options.sample)?;
                (steps.totals().clone(), steps.into_sinks())
            }
        };
        let summary = Arc::new(learning.finish(learners));
        // Each thread had the limit for itself.
        if summary.root.paths() > options.max_paths {
            return Err(too_many_paths(options.max_paths));
        }
        self.learnt().keep(&options, summary.clone());
        Ok((summary, totals))
    }
}

/// What the learners of a pass saw, put together, whoever drives it.
#[derive(Default)]
pub struct Learning {
    /// Good items of a file before each of its blocks.
    before: HashMap<(u64, u64), u64>,
    /// Good items of the file so far, and of all files.
    items: u64,
    learnt: u64,
}

impl Learning {
    /// Takes all steps of a pass, or those of the first items.
    fn steps(&mut self, steps: impl Iterator<Item = Result<Step<u64>>>, sample: Option<u64>) -> Result<()> {
        for step in steps {
            self.step(step?)?;
            if sample.is_some_and(|sample| self.learnt >= sample) {
                break;
            }
        }
        Ok(())
    }

    /// Takes a step of the pass; a file that failed ends it.
    pub fn step(&mut self, step: Step<u64>) -> Result<()> {
        match step {
            Step::Block { file, block, out } => {
                self.before.insert((file as u64, block as u64), self.items);
                self.items += out;
                self.learnt += out;
                Ok(())
            }
            Step::File { error, .. } => {
                self.end_file();
                error.map_or(Ok(()), Err)
            }
        }
    }

    /// Items that were learnt of so far.
    pub fn learnt(&self) -> u64 {
        self.learnt
    }

    /// A file was read to its end.
    pub fn end_file(&mut self) {
        self.items = 0;
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
