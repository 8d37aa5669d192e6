//! A pass over files whose bytes are pushed: the browser's way, on one thread.

use std::sync::Arc;

use super::feed::FileFeed;
use super::ledger::{Check, Expected, Ledger, Totals};
use super::worker::{BlockSink, Reading, Worker};
use crate::error::Result;

/// Takes the chunks of one file after the other and gives the results of their blocks.
pub struct PushPass<S: BlockSink> {
    worker: Worker<S>,
    ledger: Ledger,
    check: Check,
    file: usize,
    feed: Option<FileFeed>,
}

impl<S: BlockSink> PushPass<S> {
    /// A pass over these files into this sink.
    pub fn new(files: Arc<[Expected]>, reading: Reading, check: Check, sink: S) -> Self {
        Self { worker: Worker::new(sink, reading), ledger: Ledger::new(files, check), check, file: 0, feed: None }
    }

    /// Takes the next chunk of the file; `out` is given the result of each block, with the
    /// file's and the block's place.
    pub fn push(&mut self, chunk: &[u8], out: impl FnMut(usize, usize, S::Out) -> Result<()>) -> Result<()> {
        let (file, check) = (self.file, self.check);
        self.feed.get_or_insert_with(|| FileFeed::new(file, check == Check::Md5)).push(chunk);
        self.drain(out)
    }

    /// The file is at its end; the next chunk is the next file's. The file's records.
    pub fn end_file(&mut self, out: impl FnMut(usize, usize, S::Out) -> Result<()>) -> Result<u64> {
        let (file, check) = (self.file, self.check);
        self.feed.get_or_insert_with(|| FileFeed::new(file, check == Check::Md5)).finish();
        let drained = self.drain(out);
        let bytes = self.feed.take().map(|feed| feed.bytes()).unwrap_or_default();
        self.file += 1;
        if let Err(error) = drained {
            self.ledger.failed_file();
            return Err(error);
        }
        let (records, checked) = self.ledger.end_file(file, &bytes);
        checked.map(|()| records)
    }

    /// What the pass came to so far.
    pub fn totals(&self) -> &Totals {
        self.ledger.totals()
    }

    /// The sink, when all files were pushed.
    pub fn into_sink(self) -> S {
        self.worker.into_sink()
    }

    fn drain(&mut self, mut out: impl FnMut(usize, usize, S::Out) -> Result<()>) -> Result<()> {
        let Some(feed) = &mut self.feed else { return Ok(()) };
        while let Some(block) = feed.next_block().map_err(|e| self.ledger.complete(self.file, e))? {
            let (mut outcome, result) = self.worker.work(&block);
            self.ledger.block(self.file, &mut outcome)?;
            out(self.file, block.index, result?)?;
        }
        Ok(())
    }
}
