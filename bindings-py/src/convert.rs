//! Converting to a file or a folder.

use std::path::PathBuf;

use dynarrow::{Check, ConvertOptions, Dest, ReadOptions, Result};
use pyo3::prelude::*;

use crate::open::show;
use crate::read::ReadReport;

/// What is written, and how.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Converting {
    to: Option<String>,
    export_format: String,
    overwrite: bool,
}

impl Converting {
    /// As the core takes it, with how the source is read.
    pub fn parse(self, dest: &str, read: ReadOptions) -> Result<(Dest, ConvertOptions)> {
        let to = self.to.as_deref().map(str::parse).transpose()?;
        let export_format = self.export_format.parse()?;
        Ok((Dest::parse(dest, to)?, ConvertOptions { read, overwrite: self.overwrite, export_format }))
    }
}

/// What a conversion came to.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct ConvertReport {
    read: Py<ReadReport>,
    files: Vec<(PathBuf, u64)>,
    bytes_out: u64,
}

impl ConvertReport {
    /// Of a report of the core, in a reading that checked so much.
    pub fn new(py: Python<'_>, report: dynarrow::ConvertReport, check: Check) -> PyResult<Self> {
        let read = Py::new(py, ReadReport::new(py, &report.read, check)?)?;
        Ok(Self { read, files: report.files, bytes_out: report.bytes_out })
    }
}

#[pymethods]
impl ConvertReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = self.read.get().fields(py)?;
        fields.set_item("bytes_out", self.bytes_out)?;
        fields.set_item("files", self.files.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>())?;
        show("ConvertReport", &fields)
    }
}
