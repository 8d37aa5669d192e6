//! Blocks → results: a decoder and a sink that work together on one thread.

use std::sync::Arc;

use super::ledger::Expected;
use crate::block::Block;
use crate::columns::{ColumnSink, Rows};
use crate::error::Result;
use crate::event::{AnySink, Discard, Sink};
use crate::format::csv::{CsvOptions, CsvSink};
use crate::format::encode::{ItemEncoder, Notation};
use crate::format::plain::{PlainSink, Text};
use crate::format::record::{Form, Outcome, Skip};
use crate::format::{BlockDecoder, SourceFormat};
use crate::item::{Items, Project, Tape};
use crate::schema::learn::Learner;

/// A sink that gives a result for each block.
pub trait BlockSink: Sink + Send + 'static {
    /// What comes of a block.
    type Out: Send;
    /// Whether decoders are compiled for this sink alone. For columns and learning that is 2 to 6 % of a
    /// pass, a third of a megabyte of program and a tenth of the time it takes to compile.
    const OWN_DECODER: bool = false;

    /// The items that follow are those of this block of this file.
    fn begin_block(&mut self, _file: usize, _block: usize) {}
    /// The block that just began is this one, of a file of text.
    fn begin_text(&mut self, _block: &Block) {}
    /// The block is at its end.
    fn end_block(&mut self) -> Result<Self::Out>;
}

impl BlockSink for Learner {
    /// The good items of the block.
    type Out = u64;
    const OWN_DECODER: bool = true;

    fn begin_block(&mut self, file: usize, block: usize) {
        Learner::begin_block(self, file, block);
    }
    fn end_block(&mut self) -> Result<u64> {
        Ok(self.items_in_block())
    }
}

impl BlockSink for ColumnSink {
    type Out = Rows;
    const OWN_DECODER: bool = true;

    fn begin_block(&mut self, file: usize, block: usize) {
        ColumnSink::begin_block(self, file, block);
    }
    fn end_block(&mut self) -> Result<Rows> {
        self.take()
    }
}

impl BlockSink for Project<CsvSink> {
    type Out = Text;
    fn end_block(&mut self) -> Result<Text> {
        Ok(self.sink().take())
    }
}

impl BlockSink for Project<PlainSink> {
    type Out = Text;
    fn end_block(&mut self) -> Result<Text> {
        Ok(self.sink().take())
    }
}

impl<N: Notation> BlockSink for Project<ItemEncoder<N>> {
    type Out = Text;
    fn end_block(&mut self) -> Result<Text> {
        Ok(Text { lines: self.sink().take(), rounded: 0 })
    }
}

impl BlockSink for Project<Items> {
    type Out = Tape;
    fn end_block(&mut self) -> Result<Tape> {
        Ok(self.sink().take_tape())
    }
}

impl BlockSink for Discard {
    type Out = ();
    fn end_block(&mut self) -> Result<()> {
        Ok(())
    }
}

/// How records are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Their format; `None` where the bytes of each file tell.
    pub format: Option<SourceFormat>,
    /// How they look.
    pub form: Form,
    /// What becomes of bad ones.
    pub skip: Skip,
    /// How CSV is read.
    pub csv: Arc<CsvOptions>,
}

impl Reading {
    /// The format of a file, as far as it is known before it is read.
    pub fn format_of(&self, file: &Expected) -> Option<SourceFormat> {
        self.format.or_else(|| SourceFormat::of_name(file.key.as_ref().unwrap_or(&file.name)))
    }
}

/// Decodes blocks into a sink.
pub struct Worker<S> {
    decoder: BlockDecoder,
    sink: S,
    reading: Reading,
}

impl<S: BlockSink> Worker<S> {
    /// A worker for this sink.
    pub fn new(sink: S, reading: Reading) -> Self {
        Self { decoder: BlockDecoder::default(), sink, reading }
    }

    /// Decodes a block.
    pub fn work(&mut self, block: &Block) -> (Outcome, Result<S::Out>) {
        self.sink.begin_block(block.file, block.index);
        self.sink.begin_text(block);
        let form = if block.format == Some(SourceFormat::Ndjson) { Form::Plain } else { self.reading.form };
        let Self { decoder, sink, reading } = self;
        let outcome = if S::OWN_DECODER {
            decoder.decode(block, form, reading.skip, sink)
        } else {
            decoder.decode(block, form, reading.skip, &mut AnySink::new(sink))
        };
        (outcome, self.sink.end_block())
    }

    /// The sink.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// The sink, when all blocks are decoded.
    pub fn into_sink(self) -> S {
        self.sink
    }
}
