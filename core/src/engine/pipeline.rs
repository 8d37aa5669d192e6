//! Files → results of blocks, in order, on any number of threads.
//!
//! The work is of two kinds: inflating and cutting the next block of a file, which one
//! thread at a time can do for each file, and decoding a block, which any thread can do.
//! What comes next, and how far the work runs ahead of what was taken, is `State`'s. The
//! thread that takes the results works too, so that one thread needs no other.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::feed::{FileBytes, FileFeed};
use super::jobs::{Job, Jobs};
use super::ledger::{Check, Expected, Ledger, Totals};
use super::state::{FileState, Finished, OpenFile, Place, State, Task};
use super::worker::{BlockSink, Reading, Worker};
use crate::block::Block;
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::storage::Storage;

/// Read from a file at a time.
const CHUNK: usize = 256 << 10;

/// The files of a pass, and how they are read.
#[derive(Clone)]
pub struct Pass {
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    /// The files, in order.
    pub files: Arc<[Expected]>,
    /// How their records are read.
    pub reading: Reading,
    /// What is checked of them.
    pub check: Check,
    /// Threads, at least 1.
    pub threads: usize,
    /// Progress and cancellation.
    pub control: Control,
}

/// A result, in order.
#[derive(Debug)]
pub enum Step<T> {
    /// What came of the next block of a file.
    Block {
        /// The file's place in the list.
        file: usize,
        /// The block's place in its file.
        block: usize,
        /// What came of it.
        out: T,
    },
    /// A file was read to its end, or failed.
    File {
        /// The file's place in the list.
        file: usize,
        /// Records read, bad ones included.
        records: u64,
        /// What was read of it.
        bytes: FileBytes,
        /// What comes of the records before the one that it failed in, of the same block.
        rest: Option<T>,
        /// Why it failed.
        error: Option<Error>,
    },
}

/// The results of all blocks of all files.
pub struct Pipeline<S: BlockSink> {
    shared: Arc<Shared<S>>,
    threads: Vec<JoinHandle<()>>,
    ledger: Ledger,
    done: bool,
}

struct Shared<S: BlockSink> {
    pass: Pass,
    make: Box<dyn Fn() -> S + Send + Sync>,
    state: Mutex<State<S>>,
    changed: Condvar,
}

impl<S: BlockSink> Pipeline<S> {
    /// Starts a pass, with a sink of its own for each thread.
    pub fn new(pass: Pass, make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        pass.control.begin_pass();
        let state = State::new(pass.files.len());
        let ledger = Ledger::new(pass.files.clone(), pass.check).keeping(pass.reading.skip);
        let threads = pass.threads;
        let shared = Arc::new(Shared { pass, make: Box::new(make), state: Mutex::new(state), changed: Condvar::new() });
        let threads = (1..threads)
            .map(|_| {
                let shared = shared.clone();
                std::thread::spawn(move || shared.run())
            })
            .collect();
        Self { shared, threads, ledger, done: false }
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        self.ledger.totals()
    }

    /// The errors that were kept since the last call, where all are kept.
    pub fn take_errors(&mut self) -> Vec<Error> {
        self.ledger.take_errors()
    }

    /// The threads of the pass, for work with its results.
    pub fn jobs(&self) -> Arc<dyn Jobs> {
        self.shared.clone()
    }

    /// Looks at the sinks of all threads, when the results were taken.
    pub fn with_sinks<T>(&self, look: impl FnOnce(&[&S]) -> T) -> T {
        look(&self.shared.lock().workers.iter().map(Worker::sink).collect::<Vec<_>>())
    }

    /// The sinks of all threads, when the results were taken.
    pub fn into_sinks(mut self) -> Vec<S> {
        self.stop();
        let workers = std::mem::take(&mut self.shared.lock().workers);
        workers.into_iter().map(Worker::into_sink).collect()
    }

    fn stop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of the thread was kept, and is passed on when results are taken.
            let _ = thread.join();
        }
    }

    fn take(&mut self) -> Result<Option<Step<S::Out>>> {
        self.shared.pass.control.check()?;
        loop {
            let mut state = self.shared.lock();
            if let Some(panic) = state.panic.take() {
                drop(state);
                resume_unwind(panic);
            }
            let place = state.next;
            if place.0 == self.shared.pass.files.len() {
                return Ok(None);
            }
            if let Some(finished) = state.finished.remove(&place) {
                state.taken(place, &finished);
                drop(state);
                self.shared.changed.notify_all();
                return Ok(Some(self.book(place, finished)));
            }
            if let Some(task) = state.task(self.shared.pass.threads) {
                drop(state);
                self.shared.perform(task);
            } else {
                drop(self.shared.changed.wait_timeout(state, Duration::from_millis(50)));
            }
            self.shared.pass.control.check()?;
        }
    }

    fn book(&mut self, (file, block): Place, finished: Finished<S::Out>) -> Step<S::Out> {
        match finished {
            Finished::Block(mut outcome, out) => {
                self.shared.pass.control.add_items(outcome.records - outcome.skipped);
                match (self.ledger.block(file, &mut outcome), out) {
                    (Ok(()), Ok(out)) => Step::Block { file, block, out },
                    (Ok(()), Err(error)) => self.give_up(file, FileBytes::default(), None, error),
                    (Err(error), out) => self.give_up(file, FileBytes::default(), out.ok(), error),
                }
            }
            Finished::End(bytes) => {
                let (records, checked) = self.ledger.end_file(file, &bytes);
                Step::File { file, records, bytes, rest: None, error: checked.err() }
            }
            Finished::Failed(bytes, error) => self.give_up(file, bytes, None, error),
        }
    }

    /// A file that cannot be read on: the next step is the next file's.
    fn give_up(&mut self, file: usize, bytes: FileBytes, rest: Option<S::Out>, error: Error) -> Step<S::Out> {
        let mut state = self.shared.lock();
        state.abandon(file);
        drop(state);
        self.shared.changed.notify_all();
        let records = self.ledger.failed_file();
        Step::File { file, records, bytes, rest, error: Some(self.ledger.complete(file, error)) }
    }
}

impl<S: BlockSink> Iterator for Pipeline<S> {
    /// The errors here are of the whole pass: it was stopped.
    type Item = Result<Step<S::Out>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.take().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

impl<S: BlockSink> Drop for Pipeline<S> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<S: BlockSink> Jobs for Shared<S> {
    fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_all();
    }

    fn work_until(&self, done: &dyn Fn() -> bool) -> Result<()> {
        loop {
            self.pass.control.check()?;
            let mut state = self.lock();
            if let Some(panic) = state.panic.take() {
                drop(state);
                resume_unwind(panic);
            }
            if done() {
                return Ok(());
            }
            if let Some(task) = state.task(self.pass.threads) {
                drop(state);
                self.perform(task);
            } else {
                drop(self.changed.wait_timeout(state, Duration::from_millis(50)));
            }
        }
    }
}

impl<S: BlockSink> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread of its own does.
    fn run(&self) {
        let mut state = self.lock();
        while !state.stop && !self.pass.control.is_cancelled() {
            if let Some(task) = state.task(self.pass.threads) {
                drop(state);
                self.perform(task);
                state = self.lock();
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Does a task; a panic is kept for the thread that takes the results.
    fn perform(&self, task: Task<S>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.perform_task(task))) {
            self.lock().panic = Some(panic);
        }
        // Whoever looked before the task was done waits by now, also for what a job changed.
        drop(self.lock());
        self.changed.notify_all();
    }

    fn perform_task(&self, task: Task<S>) {
        match task {
            Task::Job(job) => job(),
            Task::Decode(place, block, worker) => {
                let mut worker = worker.unwrap_or_else(|| Worker::new((self.make)(), self.pass.reading.clone()));
                let (outcome, out) = worker.work(&block);
                let mut state = self.lock();
                state.workers.push(worker);
                // A file that was given up meanwhile has no place for results.
                if place >= state.next {
                    let finished = Finished::Block(outcome, out);
                    if !finished.is_held() {
                        state.less(place.0);
                    }
                    state.finished.insert(place, finished);
                }
            }
            Task::Inflate(file, open) => {
                let result = match open {
                    Some(open) => self.inflate(open),
                    None => self.open(file).and_then(|open| self.inflate(open)),
                };
                let mut state = self.lock();
                if file < state.next.0 {
                    state.files[file] = FileState::Done;
                    return;
                }
                match result {
                    Ok((block, mut open)) => {
                        let place = (file, open.blocks);
                        match block {
                            Some(block) => {
                                open.blocks += 1;
                                *state.pending.entry(file).or_default() += 1;
                                state.ready.insert(place, block);
                                state.files[file] = FileState::Open(open);
                            }
                            None => {
                                state.finished.insert(place, Finished::End(open.feed.bytes()));
                                state.files[file] = FileState::Done;
                            }
                        }
                    }
                    Err((error, blocks, bytes)) => {
                        state.finished.insert((file, blocks), Finished::Failed(bytes, error));
                        state.files[file] = FileState::Done;
                    }
                }
            }
        }
    }

    fn open(&self, file: usize) -> Result<Box<OpenFile>, (Error, usize, FileBytes)> {
        let expected = &self.pass.files[file];
        let opened = match &expected.key {
            Some(key) => self.pass.storage.open(key),
            None => Err(expected.missing()),
        };
        let reader = opened.map_err(|error| (error, 0, FileBytes::default()))?;
        let feed = FileFeed::new(file, expected, &self.pass.reading, self.pass.check == Check::Md5);
        Ok(Box::new(OpenFile { feed, reader: Some(reader), chunk: vec![0; CHUNK], blocks: 0 }))
    }

    /// The next block of a file, or its end.
    #[allow(clippy::type_complexity)]
    fn inflate(&self, mut open: Box<OpenFile>) -> Result<(Option<Block>, Box<OpenFile>), (Error, usize, FileBytes)> {
        loop {
            match open.feed.next_block() {
                Ok(Some(block)) => return Ok((Some(block), open)),
                Ok(None) if open.feed.is_done() => {
                    self.drain(&mut open).map_err(|error| (error, open.blocks, open.feed.bytes()))?;
                    return Ok((None, open));
                }
                Ok(None) => {}
                Err(error) => return Err((error, open.blocks, open.feed.bytes())),
            }
            if let Err(error) = self.read(&mut open) {
                return Err((error, open.blocks, open.feed.bytes()));
            }
        }
    }

    fn read(&self, open: &mut OpenFile) -> Result<()> {
        if self.pass.control.is_cancelled() {
            return Err(Error::new(Code::Interrupted, "stopped"));
        }
        let Some(reader) = &mut open.reader else {
            return Ok(());
        };
        let count = reader.read(&mut open.chunk).map_err(|e| Error::new(Code::Io, e.to_string()))?;
        self.pass.control.read(count);
        if count == 0 {
            open.reader = None;
            open.feed.finish();
        } else {
            open.feed.push(&open.chunk[..count]);
        }
        Ok(())
    }

    /// Reads what stands behind the end of the data, for the MD5.
    fn drain(&self, open: &mut OpenFile) -> Result<()> {
        while open.reader.is_some() {
            self.read(open)?;
        }
        Ok(())
    }
}
