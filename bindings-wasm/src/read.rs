//! Reading record batches, each as an Arrow IPC stream of its own.

use std::sync::Arc;

use dynarrow::columns::ColumnSink;
use dynarrow::columns::cut::Limit;
use dynarrow::engine::jobs::AtOnce;
use dynarrow::engine::push::PushPass;
use dynarrow::export::read::Batching;
use dynarrow::parquet::{BatchFormat, BatchWriter};
use wasm_bindgen::prelude::*;

use crate::error::{Result, of_report, thrown};
use crate::open::Export;
use crate::options::Options;
use crate::pass::pushed;

/// A reading under way.
#[wasm_bindgen]
pub struct Reading {
    reader: dynarrow::Reader,
    pass: PushPass<ColumnSink>,
    batching: Batching,
}

pushed!(Reading);

#[wasm_bindgen]
impl Export {
    /// Reads with the schema that was learnt or given; the files are to be pushed.
    pub fn read(&self, options: &Options) -> Result<Reading> {
        let reader = self.reader(options).map_err(thrown)?;
        let (pass, batching) = self.batches(&reader, options, None).map_err(thrown)?;
        Ok(Reading { reader, pass, batching })
    }
}

impl Export {
    /// A reader with the schema that was learnt or given.
    pub(crate) fn reader(&self, options: &Options) -> dynarrow::Result<dynarrow::Reader> {
        Ok(self.0.read_with(self.known_schema(options)?, options.0.clone()))
    }

    /// A pass into columns, and what cuts their rows.
    pub(crate) fn batches(
        &self,
        reader: &dynarrow::Reader,
        Options(options): &Options,
        group: Option<Limit>,
    ) -> dynarrow::Result<(PushPass<ColumnSink>, Batching)> {
        Ok((self.0.push_pass(options, reader.sink())?, Batching::new(reader.arrow_schema(), options, group)?))
    }
}

#[wasm_bindgen]
impl Reading {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        let Some(step) = self.pass.next_step() else { return Ok(false) };
        self.batching.step(step).map_err(thrown)?;
        Ok(true)
    }

    /// All files were pushed: the rows that are left are a batch.
    pub fn finish(&mut self) -> Result<()> {
        self.reader.check_schema(self.pass.totals().items, &[self.pass.sink()]).map_err(thrown)?;
        self.batching.finish();
        Ok(())
    }

    /// The next batch that is complete.
    pub fn next_batch(&mut self) -> Result<Option<Vec<u8>>> {
        self.take_batch().transpose().map_err(thrown)
    }

    /// What was read so far.
    pub fn report(&self) -> JsValue {
        of_report(&self.batching.report(self.pass.totals()))
    }
}

impl Reading {
    fn take_batch(&mut self) -> Option<dynarrow::Result<Vec<u8>>> {
        let piece = self.batching.next_piece()?;
        let writer = BatchWriter::new(BatchFormat::ArrowStream, &self.batching.schema(), Arc::new(AtOnce), Vec::new());
        Some(writer.and_then(|mut writer| {
            writer.write(piece)?;
            writer.finish()
        }))
    }
}
