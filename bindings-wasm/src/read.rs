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
    pass: PushPass<ColumnSink>,
    batching: Batching,
}

pushed!(Reading);

#[wasm_bindgen]
impl Export {
    /// Reads with the schema that was learnt or given; the files are to be pushed.
    pub fn read(&self, options: &Options) -> Result<Reading> {
        let (pass, batching) = self.batches(options, None)?;
        Ok(Reading { pass, batching })
    }
}

impl Export {
    /// A pass into columns, and what cuts their rows.
    pub(crate) fn batches(&self, options: &Options, group: Option<Limit>) -> Result<(PushPass<ColumnSink>, Batching)> {
        let schema = self.known_schema(options).map_err(thrown)?;
        let reader = self.0.read_with(schema, options.0.clone());
        let pass = self.0.push_pass(&options.0, reader.sink()).map_err(thrown)?;
        Ok((pass, Batching::new(reader.schema(), &options.0, group).map_err(thrown)?))
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
    pub fn finish(&mut self) {
        self.batching.finish();
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
