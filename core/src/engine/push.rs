//! A pass over files whose bytes are pushed: the browser's way, on one thread.
//!
//! It gives the steps that [`Pipeline`](super::pipeline::Pipeline) gives, so whoever takes
//! them need not know which of the two made them.

use std::sync::Arc;

use super::feed::{FileBytes, FileFeed};
use super::ledger::{Check, Expected, Ledger, Totals};
use super::pipeline::Step;
use super::worker::{BlockSink, Reading, Worker};
use crate::block::Block;
use crate::error::Error;

/// Takes the chunks of one file after the other and gives the results of their blocks.
///
/// Of each file: [`push`](Self::push) its chunks and take the steps after each, then
/// [`end`](Self::end) it and take the steps that are left. A file that failed is over
/// before its end: the chunks that follow belong to the file that [`file`](Self::file) says.
pub struct PushPass<S: BlockSink> {
    worker: Worker<S>,
    ledger: Ledger,
    files: Arc<[Expected]>,
    check: Check,
    reading: Reading,
    file: usize,
    feed: Option<FileFeed>,
    ended: bool,
}

impl<S: BlockSink> PushPass<S> {
    /// A pass over these files into this sink.
    pub fn new(files: Arc<[Expected]>, reading: Reading, check: Check, sink: S) -> Self {
        let ledger = Ledger::new(files.clone(), check).keeping(reading.skip);
        Self { worker: Worker::new(sink, reading.clone()), ledger, files, check, reading, file: 0, feed: None, ended: false }
    }

    /// The place in the list of the file that is read.
    pub fn file(&self) -> usize {
        self.file
    }

    /// Takes the next chunk of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        self.feed().push(chunk);
    }

    /// The file is at its end. One that is missing ends without a chunk.
    pub fn end(&mut self) {
        self.ended = true;
        self.feed().finish();
    }

    /// The next step that needs no more chunks. A call decodes one block, whatever a chunk
    /// inflates to.
    pub fn next_step(&mut self) -> Option<Step<S::Out>> {
        let file = self.file;
        let expected = self.files.get(file)?;
        if self.ended && expected.key.is_none() {
            let missing = expected.missing();
            return Some(self.give_up(FileBytes::default(), None, missing));
        }
        match self.feed().next_block() {
            Ok(Some(block)) => Some(self.work(&block)),
            Ok(None) if self.ended => {
                let bytes = self.feed().bytes();
                let (records, checked) = self.ledger.end_file(file, &bytes);
                self.next_file();
                Some(Step::File { file, records, bytes, rest: None, error: checked.err() })
            }
            Ok(None) => None,
            Err(error) => {
                let bytes = self.feed().bytes();
                Some(self.give_up(bytes, None, error))
            }
        }
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        self.ledger.totals()
    }

    /// The errors that were kept since the last call, where all are kept.
    pub fn take_errors(&mut self) -> Vec<Error> {
        self.ledger.take_errors()
    }

    /// The sink.
    pub fn sink(&self) -> &S {
        self.worker.sink()
    }

    /// The sink, when all files were pushed.
    pub fn into_sink(self) -> S {
        self.worker.into_sink()
    }

    fn feed(&mut self) -> &mut FileFeed {
        let (file, hash) = (self.file, self.check == Check::Md5);
        self.feed.get_or_insert_with(|| FileFeed::new(file, &self.files[file], &self.reading, hash))
    }

    fn work(&mut self, block: &Block) -> Step<S::Out> {
        let (mut outcome, out) = self.worker.work(block);
        match (self.ledger.block(self.file, &mut outcome), out) {
            (Ok(()), Ok(out)) => Step::Block { file: self.file, block: block.index, out },
            (Ok(()), Err(error)) => self.give_up(FileBytes::default(), None, error),
            (Err(error), out) => self.give_up(FileBytes::default(), out.ok(), error),
        }
    }

    /// A file that cannot be read on.
    fn give_up(&mut self, bytes: FileBytes, rest: Option<S::Out>, error: Error) -> Step<S::Out> {
        let file = self.file;
        let records = self.ledger.failed_file();
        self.next_file();
        Step::File { file, records, bytes, rest, error: Some(self.ledger.complete(file, error)) }
    }

    fn next_file(&mut self) {
        self.file += 1;
        self.feed = None;
        self.ended = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::engine::pipeline::{Pass, Pipeline};
    use crate::error::Code;
    use crate::format::record::Form;
    use crate::item::{Item, Items, Place, Project, Tape};
    use crate::storage::Storage;
    use crate::storage::memory::Memory;

    /// Place, items and, at a file's end, how it ended.
    type Seen = Vec<(usize, Vec<Item>, Option<Result<(), Code>>)>;

    fn seen(step: Step<Tape>) -> (usize, Vec<Item>, Option<Result<(), Code>>) {
        let items = |tape: Tape| {
            let mut place = Place::default();
            std::iter::from_fn(|| tape.next_item(&mut place)).collect()
        };
        match step {
            Step::Block { file, out, .. } => (file, items(out), None),
            Step::File { file, rest, error, .. } => {
                (file, rest.map(items).unwrap_or_default(), Some(error.map_or(Ok(()), |error| Err(error.code()))))
            }
        }
    }

    #[test]
    fn steps_are_those_of_the_pipeline() {
        let good = b"{\"Item\":{\"a\":{\"S\":\"x\"}}}\n{\"Item\":{\"a\":{\"N\":\"2\"}}}\n";
        let mut storage = Memory::default();
        for (key, bytes) in [("a", &good[..]), ("bad", b"{\"Item\":{}}\n]\n{\"Item\":{}}\n"), ("empty", b""), ("short", good)] {
            storage.insert(key, bytes);
        }
        let files: Arc<[Expected]> = ["a", "bad", "gone", "empty", "short"]
            .map(|name| Expected {
                name: name.into(),
                key: (name != "gone").then(|| name.into()),
                items: (name == "short").then_some(3),
                ..Expected::default()
            })
            .into();
        let reading = Reading { format: None, form: Form::Wrapped, skip: None, csv: Arc::default() };
        let make = || Project::new(Items::default(), None);
        let pass = Pass {
            storage: Arc::new(storage.clone()),
            files: files.clone(),
            reading: reading.clone(),
            check: Check::Count,
            threads: 1,
            control: Control::default(),
        };
        let mut pipeline = Pipeline::new(pass, make);
        let expected: Seen = pipeline.by_ref().map(|step| seen(step.expect("not stopped"))).collect();
        assert_eq!(expected.iter().filter(|(_, _, end)| matches!(end, Some(Err(_)))).count(), 3);
        for chunk in [1, 2, 1000] {
            let mut pass = PushPass::new(files.clone(), reading.clone(), Check::Count, make());
            let mut steps = Seen::new();
            for (place, file) in files.iter().enumerate() {
                let bytes = file.key.as_ref().map_or(Vec::new(), |key| storage.read(key).expect("reads").expect("is there"));
                for chunk in bytes.chunks(chunk) {
                    if pass.file() == place {
                        pass.push(chunk);
                        steps.extend(std::iter::from_fn(|| pass.next_step()).map(seen));
                    }
                }
                if pass.file() == place {
                    pass.end();
                    steps.extend(std::iter::from_fn(|| pass.next_step()).map(seen));
                }
            }
            assert_eq!(steps, expected, "chunks of {chunk}");
            assert_eq!(pass.totals(), pipeline.totals());
        }
    }
}
