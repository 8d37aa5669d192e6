//! Reading an export as items, or as the changes it has of them.

use super::open::{Export, ReadAs};
use super::read::ReadOptions;
use crate::change::{Changes, Images, KeepChanges};
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::{Pipeline, Step};
use crate::engine::steps::Steps;
use crate::error::{Error, Result};
use crate::item::{Item, Items, Place, Project, Tape};
use crate::schema::Columns;

impl Export {
    /// The items, one by one.
    pub fn items(&self, options: &ReadOptions, control: &Control) -> Result<ItemIter> {
        Ok(ItemIter { tapes: self.tapes(options, control)?, tape: Tape::default(), place: Place::default() })
    }

    /// The items of a block at a time, for those who make their own of them.
    pub fn tapes(&self, options: &ReadOptions, control: &Control) -> Result<Tapes> {
        let columns = options.columns.clone();
        let steps = self.steps(options, control, move || Project::new(Items::default(), columns.clone()))?;
        Ok(Tapes::new(steps))
    }

    /// The changes of a block of an incremental export at a time: see [`Change::next`]. They are
    /// whole; with them come the attributes that were asked for, and the key's.
    ///
    /// [`Change::next`]: crate::change::Change::next
    pub fn change_tapes(&self, options: &ReadOptions, control: &Control) -> Result<(Tapes, Option<Columns>)> {
        let (changes, options) = self.changes(Images::New, options.clone(), control)?;
        options.check_columns()?;
        let ReadAs::Changes(_, keys) = changes.reads() else { return Err(Error::usage("these are no changes")) };
        let (pass, keys) = (changes.pass(&options, control)?, keys.clone());
        let tapes = Tapes::new(Pipeline::new(pass, move || Changes::of(keys.clone(), KeepChanges::default())));
        Ok((tapes, options.columns))
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

/// A pass whose results are tapes.
trait TapeSteps: Iterator<Item = Result<Step<Tape>>> + Send {
    fn totals(&self) -> &Totals;
}

impl TapeSteps for Steps<Project<Items>> {
    fn totals(&self) -> &Totals {
        Steps::totals(self)
    }
}

impl TapeSteps for Pipeline<Changes<KeepChanges>> {
    fn totals(&self) -> &Totals {
        Pipeline::totals(self)
    }
}

/// The items of an export by blocks, in order. What stands before an error comes before it.
pub struct Tapes {
    steps: Box<dyn TapeSteps>,
    /// The error that comes next.
    failure: Option<Error>,
    done: bool,
}

impl Tapes {
    fn new(steps: impl TapeSteps + 'static) -> Self {
        Self { steps: Box::new(steps), failure: None, done: false }
    }

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
