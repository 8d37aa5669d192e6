//! Converting to one file: Parquet, or an Arrow IPC stream.

use std::sync::Arc;

use dynarrow::columns::ColumnSink;
use dynarrow::engine::jobs::AtOnce;
use dynarrow::engine::push::PushPass;
use dynarrow::export::read::Batching;
use dynarrow::parquet::{BatchFormat, BatchWriter, ROW_GROUP};
use wasm_bindgen::prelude::*;

use crate::error::{Result, of_report, thrown};
use crate::guess::Guess;
use crate::open::Export;
use crate::options::Options;
use crate::pass::pushed;

/// A conversion under way.
#[wasm_bindgen]
pub struct Converting {
    reader: dynarrow::Reader,
    pass: PushPass<ColumnSink>,
    batching: Batching,
    /// Gone when it has finished.
    writer: Option<BatchWriter<Vec<u8>>>,
}

pushed!(Converting);

#[wasm_bindgen]
impl Export {
    /// Converts to Parquet with the schema that was guessed, learnt or given; the files are to
    /// be pushed.
    pub fn to_parquet(&self, options: &Options, guess: Option<Guess>) -> Result<Converting> {
        self.convert(options, guess, BatchFormat::Parquet).map_err(thrown)
    }

    /// The same to an Arrow IPC stream.
    pub fn to_arrow(&self, options: &Options, guess: Option<Guess>) -> Result<Converting> {
        self.convert(options, guess, BatchFormat::ArrowStream).map_err(thrown)
    }
}

impl Export {
    fn convert(&self, options: &Options, guess: Option<Guess>, format: BatchFormat) -> dynarrow::Result<Converting> {
        let group = (format == BatchFormat::Parquet).then_some(ROW_GROUP);
        let reader = guess.map_or_else(|| self.reader(options), |Guess(reader)| Ok(reader))?;
        let (pass, batching) = self.batches(&reader, options, group)?;
        let writer = BatchWriter::new(format, &batching.schema(), Arc::new(AtOnce), Vec::new())?;
        Ok(Converting { reader, pass, batching, writer: Some(writer) })
    }
}

#[wasm_bindgen]
impl Converting {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        let Some(step) = self.pass.next_step() else { return Ok(false) };
        self.batching.step(step).and_then(|()| self.write()).map_err(thrown)?;
        Ok(true)
    }

    /// Bytes of the output that are complete.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let written = std::mem::take(self.writer.as_mut()?.inner());
        (!written.is_empty()).then_some(written)
    }

    /// All files were pushed: the rest of the output. `E_CHANGED` where the schema is not that of
    /// the items.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        self.reader.check_schema(self.pass.totals().items, &[self.pass.sink()]).map_err(thrown)?;
        self.batching.finish();
        self.write().map_err(thrown)?;
        self.writer.take().map_or(Ok(Vec::new()), BatchWriter::finish).map_err(thrown)
    }

    /// What was read so far.
    pub fn report(&self) -> JsValue {
        of_report(&self.batching.report(self.pass.totals()))
    }
}

impl Converting {
    fn write(&mut self) -> dynarrow::Result<()> {
        while let (Some(writer), Some(piece)) = (&mut self.writer, self.batching.next_piece()) {
            writer.write(piece)?;
        }
        Ok(())
    }
}
