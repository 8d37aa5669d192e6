//! The way back: Arrow streams as a source, and items written from any source.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatchReader;
use arrow::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::FromPyArrow;
use dynarrow::codec::Codec;
use dynarrow::{Batches, Check, Code, ConvertOptions, Dest, Error, OutputFormat, ReadOptions, Result};
use pyo3::prelude::*;

use crate::control::{Callback, watched};
use crate::convert::ConvertReport;
use crate::error::to_py;
use crate::open::Export;
use crate::options::{choice, path_text};
use crate::schema::Schema;

/// Any object with `__arrow_c_stream__` as a source. Each pass over it asks for a stream.
#[pyfunction]
pub fn open_stream(data: Py<PyAny>) -> Export {
    let data = Arc::new(data);
    let open = move || -> Result<Batches> {
        let reader = Python::attach(|py| {
            let made = RecordBatchStreamReader::from_pyarrow_bound(data.bind(py));
            made.map_err(|raised| Error::new(Code::Format, format!("this is no stream of record batches: {raised}")))
        })?;
        let schema = reader.schema();
        let batches = reader.map(|batch| batch.map_err(|e| Error::new(Code::Format, e.to_string())));
        Ok(Batches { schema, batches: Box::new(batches) })
    };
    Export(dynarrow::Export::of_batches("data", open))
}

/// How items are written.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Writing<'py> {
    schema: Option<Bound<'py, PyAny>>,
    layout: Option<String>,
    format: String,
    export_format: String,
    compression: Option<String>,
    overwrite: bool,
}

impl Writing<'_> {
    fn parse(self, py: Python<'_>, dest: PathBuf) -> PyResult<(Dest, ConvertOptions)> {
        let dest = self.dest(&path_text(py, dest)?).map_err(|error| to_py(py, &error))?;
        let schema = self.schema.as_ref().map(Schema::of).transpose()?;
        let source_layout = choice(py, self.layout.as_deref())?;
        let export_format = self.export_format.parse().map_err(|error| to_py(py, &error))?;
        let read = ReadOptions { schema, source_layout, ..ReadOptions::default() };
        Ok((dest, ConvertOptions { read, overwrite: self.overwrite, export_format, ..ConvertOptions::default() }))
    }

    fn dest(&self, path: &str) -> Result<Dest> {
        let format: OutputFormat = self.format.parse()?;
        let dest = Dest::parse(path, Some(format))?;
        let Some(compression) = &self.compression else { return Ok(dest) };
        let codec: Codec = compression.parse()?;
        match dest {
            Dest::File(_, OutputFormat::Parquet | OutputFormat::Arrow, _) if codec != Codec::None => {
                Err(Error::usage(format!("a {} file is not compressed as a whole", format.as_str())))
            }
            Dest::File(path, format, _) => Ok(Dest::File(path, format, codec)),
            dest if codec == Codec::None => Ok(dest),
            _ => Err(Error::usage("compression is for a file: name one")),
        }
    }
}

/// Writes the items of a source to `dest`.
#[pyfunction]
pub fn write(py: Python<'_>, source: &Export, dest: PathBuf, writing: Writing<'_>, progress: Callback) -> PyResult<ConvertReport> {
    let (dest, options) = writing.parse(py, dest)?;
    let report = watched(py, progress, |control| dynarrow::convert(&source.0, &dest, &options, control, std::io::stdout()))?;
    ConvertReport::new(py, report, Check::Count)
}
