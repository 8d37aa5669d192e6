//! Learning a schema over all items of an export.

use std::collections::HashMap;

use super::open::Export;
use super::read::ReadOptions;
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::Result;
use crate::schema::Schema;
use crate::schema::learn::Learner;
use crate::schema::summary::Summary;

impl Export {
    /// The schema of all items: nothing is sampled.
    pub fn infer_schema(&self, options: &ReadOptions, control: &Control) -> Result<Schema> {
        let (summary, _) = self.learn(options, control)?;
        Schema::freeze(summary, options.policies, options.columns.as_deref())
    }

    pub(crate) fn learn(&self, options: &ReadOptions, control: &Control) -> Result<(Summary, Totals)> {
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
        let totals = pipeline.totals().clone();
        let mut summary = Summary::default();
        for learner in pipeline.into_sinks() {
            summary.merge(learner.finish(|file, block| before.get(&(file, block)).copied().unwrap_or(0)));
        }
        Ok((summary, totals))
    }
}
