//! A pass whose items are told apart by their values: into tables, and in these by keys.

use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::folders::{By, partition_name, table_name};
use super::open::Export;
use super::read::{ReadOptions, Reader};
use super::schema::Learning;
use crate::control::Control;
use crate::engine::jobs::Jobs;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::Step;
use crate::engine::steps::Steps;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::item::keyed::{Key, Keyed, Keys, too_many, values};
use crate::item::split::{Split, Tables};
use crate::path::{self, Step as PathStep};
use crate::schema::learn::{Learner, too_many_paths};
use crate::schema::summary::{PathSummary, Summary};

/// The steps of a pass into a sink for each table.
pub(super) enum Sorting<S: BlockSink> {
    Whole(Steps<Keyed<S>>),
    Split(Steps<Split<Keyed<S>>>),
}

/// A step of it.
pub(super) enum Sorted<T> {
    Block { file: usize, block: usize, tables: Tables<(T, Keys)> },
    File,
}

/// The key of the one table that is not split.
fn whole() -> Key {
    Key::default()
}

fn judge_partition(name: &str, kind: Kind, text: &str) -> Result<(), String> {
    partition_name(name, kind, text).map(drop)
}

fn judge_table(_: &str, _: Kind, text: &str) -> Result<(), String> {
    table_name(text, 0).map(drop)
}

impl<S: BlockSink> Sorting<S> {
    /// Begins a pass; `make` makes the sink of a table.
    pub fn new(
        export: &Export,
        read: &ReadOptions,
        control: &Control,
        by: &By,
        make: impl Fn(&Key) -> S + Send + Sync + 'static,
    ) -> Result<Self> {
        let (names, max) = (by.partition_by.clone(), by.max_partitions);
        let make = Arc::new(move |key: &Key| Keyed::new(make(key), names.clone(), judge_partition, max));
        Ok(match by.split_by.clone() {
            None => Self::Whole(export.steps(read, control, move || make(&whole()))?),
            Some(name) => Self::Split(export.steps(read, control, move || {
                let make = make.clone();
                Split::new(name.clone(), judge_table, max, move |key| make(key))
            })?),
        })
    }

    /// The next step; a file that failed ends the pass.
    pub fn next(&mut self) -> Result<Option<Sorted<S::Out>>> {
        Ok(match self {
            Self::Whole(steps) => match steps.next().transpose()? {
                Some(Step::Block { file, block, out: (out, keys) }) => {
                    let of_rows = vec![0; keys.of_rows.len()];
                    Some(Sorted::Block { file, block, tables: Tables { tables: vec![(whole(), (out, keys))], of_rows } })
                }
                other => end(other)?,
            },
            Self::Split(steps) => match steps.next().transpose()? {
                Some(Step::Block { file, block, out: tables }) => Some(Sorted::Block { file, block, tables }),
                other => end(other)?,
            },
        })
    }

    /// The threads of the pass, for work with its results.
    pub fn jobs(&self) -> Arc<dyn Jobs> {
        match self {
            Self::Whole(steps) => steps.jobs(),
            Self::Split(steps) => steps.jobs(),
        }
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        match self {
            Self::Whole(steps) => steps.totals(),
            Self::Split(steps) => steps.totals(),
        }
    }

    /// Looks at the sinks of the table, where there is one.
    pub fn with_sinks<T>(&self, look: impl FnOnce(&[&S]) -> T) -> T {
        match self {
            Self::Whole(steps) => steps.with_sinks(|sinks| look(&sinks.iter().map(|sink| sink.sink()).collect::<Vec<_>>())),
            Self::Split(_) => look(&[]),
        }
    }

    /// The sinks, when the steps were taken, by their tables.
    fn into_sinks(self) -> Vec<(Key, S)> {
        match self {
            Self::Whole(steps) => steps.into_sinks().into_iter().map(|sink| (whole(), sink.into_sink())).collect(),
            Self::Split(steps) => {
                steps.into_sinks().into_iter().flat_map(Split::into_sinks).map(|(key, sink)| (key, sink.into_sink())).collect()
            }
        }
    }
}

fn end<T, U>(step: Option<Step<U>>) -> Result<Option<Sorted<T>>> {
    match step {
        None => Ok(None),
        Some(Step::File { error: Some(error), .. }) => Err(error),
        Some(_) => Ok(Some(Sorted::File)),
    }
}

/// The readers of the tables, each with a schema of its own items, by their values.
pub(super) type Readers = FxHashMap<Key, Reader>;

/// Learns the schema of each table, or takes the one that was given.
pub(super) fn readers(export: &Export, read: &ReadOptions, control: &Control, by: &By) -> Result<Readers> {
    if read.schema.is_some() {
        return Ok([(whole(), export.read(read.clone(), control)?.without(&by.partition_by))].into_iter().collect());
    }
    let learnt = learn(export, read, control, by)?;
    if by.split_by.is_some() {
        check_choices(read, &learnt)?;
    }
    let reader = |(key, summary): (Key, Summary)| {
        let read = if by.split_by.is_some() { of_table(read, &summary)? } else { read.clone() };
        let schema = read.freeze(Arc::new(summary))?;
        Ok((key, export.read_with(schema, read)))
    };
    learnt.into_iter().map(reader).collect()
}

fn learn(export: &Export, read: &ReadOptions, control: &Control, by: &By) -> Result<Vec<(Key, Summary)>> {
    let mut read = read.clone();
    if read.sample.is_some() {
        // The first items are those of the first blocks, one after the other.
        read.threads = 1;
    }
    let options = read.clone();
    let mut sorting = Sorting::new(export, &read, control, by, move |_| options.learner())?;
    let mut learning: HashMap<Key, Learning> = HashMap::new();
    while let Some(step) = sorting.next()? {
        match step {
            Sorted::File => learning.values_mut().for_each(Learning::end_file),
            Sorted::Block { file, block, tables } => {
                for (key, (out, _)) in tables.tables {
                    learning.entry(key).or_default().step(Step::Block { file, block, out })?;
                }
            }
        }
        if learning.len() > by.max_partitions {
            return Err(too_many(by.max_partitions).into());
        }
        if read.sample.is_some_and(|sample| learning.values().map(Learning::learnt).sum::<u64>() >= sample) {
            break;
        }
    }
    let mut learners: HashMap<Key, Vec<Learner>> = HashMap::new();
    for (key, learner) in sorting.into_sinks() {
        learners.entry(key).or_default().push(learner);
    }
    // Without items there is a table all the same, unless tables are told apart by items.
    if by.split_by.is_none() {
        learners.entry(whole()).or_default();
    }
    let mut summaries = Vec::with_capacity(learners.len());
    for (key, learners) in learners {
        let summary = learning.remove(&key).unwrap_or_default().finish(learners);
        // Each thread had the limit for itself.
        if summary.root.paths() > read.max_paths {
            return Err(too_many_paths(read.max_paths));
        }
        summaries.push((key, summary));
    }
    if by.split_by.is_some() {
        // Items that were passed over may have left a table.
        summaries.retain(|(_, summary)| summary.items > 0);
        if let (Some(name), false) = (&by.split_by, summaries.iter().any(|(key, _)| values(key).any(|(kind, _)| kind != Kind::Null)))
            && !summaries.is_empty()
        {
            return Err(Error::new(Code::Column, format!("split_by: no item has an attribute {name:?}")));
        }
    }
    Ok(summaries)
}

/// Refuses columns and overrides that stand for nothing in all tables.
fn check_choices(read: &ReadOptions, learnt: &[(Key, Summary)]) -> Result<()> {
    if learnt.is_empty() {
        return Ok(());
    }
    let nowhere = |name: &&String| learnt.iter().all(|(_, summary)| !summary.root.fields.contains_key(*name));
    let missing: Vec<_> = read.columns.iter().flat_map(|columns| columns.iter()).filter(nowhere).map(|name| format!("{name:?}")).collect();
    if !missing.is_empty() {
        return Err(Error::new(Code::Column, format!("no item has an attribute {}", missing.join(", "))));
    }
    for path in read.policies.overrides.keys() {
        let steps = path::parse(path)?;
        if learnt.iter().all(|(_, summary)| !has(&summary.root, &steps)) {
            return Err(Error::new(Code::Column, format!("overrides: there is no column at {path:?}")));
        }
    }
    Ok(())
}

/// The options for a table: columns and overrides that it has nothing for are those of others.
fn of_table(read: &ReadOptions, summary: &Summary) -> Result<ReadOptions> {
    let mut read = read.clone();
    read.columns = read.columns.map(|columns| columns.iter().filter(|name| summary.root.fields.contains_key(*name)).cloned().collect());
    let mut kept = std::collections::BTreeMap::new();
    for (path, with) in std::mem::take(&mut read.policies.overrides) {
        if has(&summary.root, &path::parse(&path)?) {
            kept.insert(path, with);
        }
    }
    read.policies.overrides = kept;
    Ok(read)
}

/// Whether something stands at a path.
fn has(summary: &PathSummary, steps: &[PathStep]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    match step {
        PathStep::Name(name) => summary.fields.get(&**name).is_some_and(|field| has(field, rest)),
        PathStep::Element | PathStep::Index(_) => summary.element.as_deref().is_some_and(|element| has(element, rest)),
        PathStep::Value => summary.fields.values().any(|field| has(field, rest)),
    }
}
