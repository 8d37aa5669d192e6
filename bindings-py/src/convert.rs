//! Converting to a file or a folder.

use std::path::PathBuf;

use dynarrow::{Check, ConvertOptions, Dest, MAX_PARTITIONS, ReadOptions, Result, parse_size};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::open::show;
use crate::options::count_or;
use crate::read::ReadReport;

/// What is written, and how.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Converting {
    to: Option<String>,
    export_format: String,
    partition_by: Option<Vec<String>>,
    split_by: Option<String>,
    file_size: Option<String>,
    max_partitions: Option<i64>,
    overwrite: bool,
}

impl Converting {
    /// As the core takes it, with how the source is read.
    pub fn parse(self, dest: &str, read: ReadOptions) -> Result<(Dest, ConvertOptions)> {
        let to = self.to.as_deref().map(str::parse).transpose()?;
        Ok((Dest::parse(dest, to)?, self.options(read)?))
    }

    /// The same where nothing may be written.
    pub fn options(self, read: ReadOptions) -> Result<ConvertOptions> {
        Ok(ConvertOptions {
            read,
            overwrite: self.overwrite,
            export_format: self.export_format.parse()?,
            partition_by: self.partition_by.unwrap_or_default().into(),
            split_by: self.split_by,
            file_size: self.file_size.as_deref().map(parse_size).transpose()?,
            max_partitions: count_or("max_partitions", self.max_partitions, MAX_PARTITIONS)?,
        })
    }
}

/// What a conversion came to.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct ConvertReport {
    read: Py<ReadReport>,
    files: Vec<Py<WrittenFile>>,
    tables: Vec<Py<SplitTable>>,
    bytes_out: u64,
}

impl ConvertReport {
    /// Of a report of the core, in a reading that checked so much.
    pub fn new(py: Python<'_>, report: dynarrow::ConvertReport, check: Check) -> PyResult<Self> {
        let read = Py::new(py, ReadReport::new(py, &report.read, check)?)?;
        let files = report.files.into_iter().map(|file| Py::new(py, WrittenFile(file))).collect::<PyResult<_>>()?;
        let tables = report.tables.into_iter().map(|table| Py::new(py, SplitTable(table))).collect::<PyResult<_>>()?;
        Ok(Self { read, files, tables, bytes_out: report.bytes_out })
    }
}

#[pymethods]
impl ConvertReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = self.read.get().fields(py)?;
        fields.set_item("bytes_out", self.bytes_out)?;
        fields.set_item("files", self.files.iter().map(|file| file.get().0.path.display().to_string()).collect::<Vec<_>>())?;
        if !self.tables.is_empty() {
            fields.set_item("tables", self.tables.iter().map(|table| table.get().value()).collect::<Vec<_>>())?;
        }
        show("ConvertReport", &fields)
    }
}

/// A file that was written.
#[pyclass(frozen, eq, module = "dynarrow")]
#[derive(PartialEq)]
pub struct WrittenFile(dynarrow::WrittenFile);

impl WrittenFile {
    /// Of a file of the core.
    pub fn new(file: dynarrow::WrittenFile) -> Self {
        Self(file)
    }
}

#[pymethods]
impl WrittenFile {
    #[getter]
    fn path(&self) -> PathBuf {
        self.0.path.clone()
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("path", self.0.path.display().to_string())?;
        fields.set_item("bytes", self.0.bytes)?;
        fields.set_item("rows", self.0.rows)?;
        show("WrittenFile", &fields)
    }
}

/// A table of `split_by`.
#[pyclass(frozen, eq, module = "dynarrow")]
#[derive(PartialEq)]
pub struct SplitTable(dynarrow::SplitTable);

#[pymethods]
impl SplitTable {
    #[getter]
    fn value(&self) -> Option<String> {
        self.0.value.clone()
    }

    #[getter]
    fn r#type(&self) -> &'static str {
        self.0.kind.descriptor()
    }

    #[getter]
    fn folder(&self) -> PathBuf {
        self.0.folder.clone()
    }

    #[getter]
    fn items(&self) -> u64 {
        self.0.items
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("value", self.value())?;
        fields.set_item("type", self.r#type())?;
        fields.set_item("folder", self.0.folder.display().to_string())?;
        fields.set_item("items", self.0.items)?;
        show("SplitTable", &fields)
    }
}
