//! What is done next in a pass, and how far the work may run ahead of what was taken.
//!
//! Blocks to decode come first, then the earliest file that nobody inflates: one big file keeps all
//! threads busy, and so do many small ones.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;

use super::feed::{FileBytes, FileFeed};
use super::jobs::Job;
use super::worker::{BlockSink, Worker};
use crate::block::Block;
use crate::error::{Error, Result};
use crate::format::record::Outcome;

/// File and block; a file's end stands behind its last block.
pub(super) type Place = (usize, usize);

/// What came of a block, or of the end of a file.
pub(super) enum Finished<T> {
    Block(Outcome, Result<T>),
    End(FileBytes),
    Failed(FileBytes, Error),
}

impl<T> Finished<T> {
    /// Whether it holds memory until it is taken. Counts and the like do not, and need no room: blocks
    /// of files behind the awaited one are decoded as fast as threads are free.
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Block(outcome, _) if std::mem::needs_drop::<T>() || !outcome.errors.is_empty())
    }
}

/// What was done and is to be done in a pass.
pub(super) struct State<S: BlockSink> {
    pub(super) files: Vec<FileState>,
    /// Before it all files are inflated.
    first_open: usize,
    /// Cut and not decoded.
    pub(super) ready: BTreeMap<Place, Block>,
    /// Decoded and not taken.
    pub(super) finished: BTreeMap<Place, Finished<S::Out>>,
    /// Blocks in work, or waiting and holding memory, by file.
    pub(super) pending: BTreeMap<usize, usize>,
    pub(super) workers: Vec<Worker<S>>,
    /// What is to be done with results that were taken.
    pub(super) jobs: VecDeque<Job>,
    /// What is taken next.
    pub(super) next: Place,
    pub(super) stop: bool,
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

/// A file, to those that look for work.
pub(super) enum FileState {
    Waiting,
    Open(Box<OpenFile>),
    Busy,
    Done,
}

/// A file that is being inflated.
pub(super) struct OpenFile {
    pub(super) feed: FileFeed,
    pub(super) reader: Option<Box<dyn Read + Send>>,
    pub(super) chunk: Vec<u8>,
    pub(super) blocks: usize,
}

/// What a thread does next.
#[allow(clippy::large_enum_variant)] // one at a time a thread
pub(super) enum Task<S: BlockSink> {
    Decode(Place, Block, Option<Worker<S>>),
    Inflate(usize, Option<Box<OpenFile>>),
    Job(Job),
}

/// Blocks in work, or waiting and holding memory, at most: two a thread, and a few more against uneven ones.
const fn room(threads: usize) -> usize {
    2 * threads + 2
}

impl<S: BlockSink> State<S> {
    /// Nothing is done yet of so many files.
    pub(super) fn new(files: usize) -> Self {
        Self {
            files: (0..files).map(|_| FileState::Waiting).collect(),
            first_open: 0,
            ready: BTreeMap::new(),
            finished: BTreeMap::new(),
            pending: BTreeMap::new(),
            workers: Vec::new(),
            jobs: VecDeque::new(),
            next: (0, 0),
            stop: false,
            panic: None,
        }
    }

    /// Work that can be done now.
    pub(super) fn task(&mut self, threads: usize) -> Option<Task<S>> {
        while matches!(self.files.get(self.first_open), Some(FileState::Done)) {
            self.first_open += 1;
        }
        // One thread at a time inflates a file: it must not run dry while the others decode.
        if self.ready.len() < threads
            && let Some(task) = self.inflate_awaited(threads)
        {
            return Some(task);
        }
        // What frees memory comes before what takes it.
        if let Some(job) = self.jobs.pop_front() {
            return Some(Task::Job(job));
        }
        if let Some((place, block)) = self.ready.pop_first() {
            return Some(Task::Decode(place, block, self.workers.pop()));
        }
        self.inflate_awaited(threads).or_else(|| self.inflate_ahead(threads))
    }

    /// The next block of the file whose results are taken now. It has room of its own:
    /// however far the files behind it are, all threads work on it.
    fn inflate_awaited(&mut self, threads: usize) -> Option<Task<S>> {
        let file = self.next.0;
        if self.pending.get(&file).copied().unwrap_or(0) < room(threads) { self.inflate(file) } else { None }
    }

    /// A block of one of the files behind it.
    fn inflate_ahead(&mut self, threads: usize) -> Option<Task<S>> {
        let awaited = self.next.0;
        let outstanding: usize = self.pending.range(awaited + 1..).map(|(_, count)| count).sum();
        if outstanding >= room(threads) {
            return None;
        }
        let last = self.files.len().min(self.first_open + threads);
        (self.first_open.max(awaited + 1)..last).find_map(|file| self.inflate(file))
    }

    fn inflate(&mut self, file: usize) -> Option<Task<S>> {
        let state = self.files.get_mut(file)?;
        match std::mem::replace(state, FileState::Busy) {
            FileState::Waiting => Some(Task::Inflate(file, None)),
            FileState::Open(open) => Some(Task::Inflate(file, Some(open))),
            other => {
                *state = other;
                None
            }
        }
    }

    /// A result was taken.
    pub(super) fn taken(&mut self, (file, block): Place, finished: &Finished<S::Out>) {
        if finished.is_held() {
            self.less(file);
        }
        if matches!(finished, Finished::Block(..)) {
            self.next = (file, block + 1);
        } else {
            self.next = (file + 1, 0);
        }
    }

    /// A block of the file holds no memory any more.
    pub(super) fn less(&mut self, file: usize) {
        if let Some(count) = self.pending.get_mut(&file) {
            *count -= 1;
            if *count == 0 {
                self.pending.remove(&file);
            }
        }
    }

    /// The file is not read on.
    pub(super) fn abandon(&mut self, file: usize) {
        self.files[file] = FileState::Done;
        self.ready.retain(|place, _| place.0 != file);
        self.finished.retain(|place, _| place.0 != file);
        self.pending.remove(&file);
        self.next = (file + 1, 0);
    }
}
