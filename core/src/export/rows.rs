//! Record batches as a source: Parquet and Arrow IPC files, and streams of other tools.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::{FileReader, StreamReader};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::columns::rows::RowReader;
use crate::engine::rows::RowSource;
use crate::error::{Code, Error, Result};
use crate::schema::{Layout, Schema};

/// Record batches of one schema.
pub struct Batches {
    /// The schema of all of them.
    pub schema: SchemaRef,
    /// The batches.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

impl Batches {
    /// The batches of a Parquet file.
    pub fn of_parquet(path: &Path) -> Result<Self> {
        let failed = |e: parquet::errors::ParquetError| Error::new(Code::Format, e.to_string());
        let file = File::open(path).map_err(|e| Error::io(&path.display().to_string(), &e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?.with_batch_size(8_192);
        // That of a reader without columns has no metadata.
        let schema = builder.schema().clone();
        let reader = builder.build().map_err(failed)?;
        Ok(Self { schema, batches: Box::new(reader.map(|batch| batch.map_err(|e| Error::new(Code::Format, e.to_string())))) })
    }

    /// The batches of an Arrow IPC file or stream.
    pub fn of_ipc(path: &Path) -> Result<Self> {
        let failed = |e: arrow::error::ArrowError| Error::new(Code::Format, e.to_string());
        let unreadable = |e: std::io::Error| Error::io(&path.display().to_string(), &e);
        let mut file = File::open(path).map_err(unreadable)?;
        let mut magic = [0; 6];
        let is_file = file.read_exact(&mut magic).is_ok() && &magic == b"ARROW1";
        file.rewind().map_err(unreadable)?;
        let file = std::io::BufReader::new(file);
        if is_file {
            let reader = FileReader::try_new(file, None).map_err(failed)?;
            return Ok(Self { schema: reader.schema(), batches: Box::new(reader.map(move |batch| batch.map_err(failed))) });
        }
        let reader = StreamReader::try_new(file, None).map_err(failed)?;
        Ok(Self { schema: reader.schema(), batches: Box::new(reader.map(move |batch| batch.map_err(failed))) })
    }

    /// The batches with what their columns mean: by their metadata, or as `schema` or
    /// `layout` explains.
    pub(crate) fn into_source(self, schema: Option<&Schema>, layout: Option<Layout>) -> RowSource {
        RowSource { reader: RowReader::new(&self.schema, schema, layout), batches: self.batches }
    }
}
