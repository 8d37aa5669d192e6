//! Learning a schema over all items of an export.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::open::Export;
use super::read::{OnError, ReadOptions};
use crate::control::Control;
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
            None => {
                let summary = Arc::new(self.learn(options, control)?);
                self.learnt().keep(options, summary.clone());
                summary
            }
        };
        Schema::freeze(summary, options.policies, options.columns.as_deref())
    }

    fn learn(&self, options: &ReadOptions, control: &Control) -> Result<Summary> {
        let columns = options.columns.clone();
        let pass = self.pass(options, control)?;
        let mut pipeline = Pipeline::new(pass, move || Learner::new(columns.clone()));
        // Good items of a file before each of its blocks.
        let mut before: HashMap<(u64, u64), u64> = HashMap::new();
        let mut items = 0;
        for step in &mut pipeline {
            match step? {
                Step::Block { file, block, out } => {
                    before.insert((file as u64, block as u64), items);
                    items += out;
                }
                Step::File { error: Some(error), .. } => return Err(error),
                Step::File { .. } => items = 0,
            }
        }
        let mut summary = Summary::default();
        for learner in pipeline.into_sinks() {
            summary.merge(learner.finish(|file, block| before.get(&(file, block)).copied().unwrap_or(0)));
        }
        Ok(summary)
    }
}
