//! Reading an export as items.

use super::open::Export;
use super::read::ReadOptions;
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::Step;
use crate::engine::steps::Steps;
use crate::error::{Error, Result};
use crate::item::{Item, Items, Place, Project, Tape};

impl Export {
    /// The items, one by one.
    pub fn items(&self, options: &ReadOptions, control: &Control) -> Result<ItemIter> {
        Ok(ItemIter { tapes: self.tapes(options, control)?, tape: Tape::default(), place: Place::default() })
    }

    /// The items of a block at a time, for those who make their own of them.
    pub fn tapes(&self, options: &ReadOptions, control: &Control) -> Result<Tapes> {
        let columns = options.columns.clone();
        let steps = self.steps(options, control, move || Project::new(Items::default(), columns.clone()))?;
        Ok(Tapes { steps, failure: None, done: false })
    }
}

/// The items of an export, in order. What stands before an error comes before it.
pub struct ItemIter {
    tapes: Tapes,
    tape: Tape,
    place: Place,
}

impl ItemIter {
    /// What was read so far.
    pub fn totals(&self) -> &Totals {
        self.tapes.totals()
    }
}

impl Iterator for ItemIter {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.tape.next_item(&mut self.place) {
                return Some(Ok(item));
            }
            match self.tapes.next()? {
                Ok(tape) => (self.tape, self.place) = (tape, Place::default()),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The items of an export by blocks, in order. What stands before an error comes before it.
pub struct Tapes {
    steps: Steps<Project<Items>>,
    /// The error that comes next.
    failure: Option<Error>,
    done: bool,
}

impl Tapes {
    /// What was read so far.
    pub fn totals(&self) -> &Totals {
        self.steps.totals()
    }
}

impl Iterator for Tapes {
    type Item = Result<Tape>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            if let Some(error) = self.failure.take() {
                self.done = true;
                return Some(Err(error));
            }
            match self.steps.next()? {
                Ok(Step::Block { out, .. }) => return Some(Ok(out)),
                Ok(Step::File { rest, error, .. }) => {
                    self.failure = error;
                    if let Some(tape) = rest {
                        return Some(Ok(tape));
                    }
                }
                Err(error) => self.failure = Some(error),
            }
        }
        None
    }
}
