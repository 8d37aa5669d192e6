//! Import files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dynarrow::format::csv::{self, CsvOptions};
use dynarrow::import::prepare::{FILE_SIZE, MEMORY};
use dynarrow::{Check, PrepareOptions, ReadOptions, Result, parse_size};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::control::{Callback, watched};
use crate::convert::WrittenFile;
use crate::error::to_py;
use crate::open::{Export, show};
use crate::options::Options;
use crate::read::ReadReport;
use crate::validate::Table;

/// How import files are made.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Preparing {
    to: Option<String>,
    compression: Option<String>,
    file_size: Option<String>,
    shuffle: String,
    seed: u64,
    memory: Option<String>,
    types: Option<BTreeMap<String, String>>,
    delimiter: Option<String>,
    header_list: Option<Vec<String>>,
    table_name: Option<String>,
    bucket: Option<String>,
    prefix: Option<String>,
    overwrite: bool,
}

impl Preparing {
    fn options(&self, read: ReadOptions) -> Result<PrepareOptions> {
        Ok(PrepareOptions {
            read,
            to: self.to.as_deref().map(str::parse).transpose()?,
            compression: self.compression.as_deref().map(str::parse).transpose()?,
            file_size: self.file_size.as_deref().map_or(Ok(FILE_SIZE), parse_size)?,
            shuffle: self.shuffle.parse()?,
            seed: self.seed,
            memory: self.memory.as_deref().map_or(Ok(MEMORY), parse_size)?,
            overwrite: self.overwrite,
            table_name: self.table_name.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
        })
    }

    fn csv(&self) -> Result<CsvOptions> {
        let kinds = self.types.iter().flatten().map(|(name, kind)| Ok((name.clone(), csv::column_kind(name, kind)?)));
        Ok(CsvOptions {
            delimiter: self.delimiter.as_deref().map_or(Ok(CsvOptions::default().delimiter), csv::delimiter)?,
            header: self.header_list.clone(),
            types: kinds.collect::<Result<_>>()?,
        })
    }
}

/// Makes import files of the items of a source.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 hands it over
pub fn prepare_import(
    py: Python<'_>,
    source: &Export,
    dest: PathBuf,
    table: Table<'_>,
    preparing: Preparing,
    options: Options<'_>,
    progress: Callback,
) -> PyResult<PrepareReport> {
    let spec = table.parse(py)?;
    let read = options.read_options(py)?;
    let check = read.check;
    let parsed = preparing.options(read).and_then(|options| Ok((options, source.0.clone().with_csv(preparing.csv()?)?)));
    let (options, source) = parsed.map_err(|error| to_py(py, &error))?;
    let report = watched(py, progress, |control| dynarrow::prepare_import(&source, &dest, &spec, &options, control))?;
    PrepareReport::new(py, report, check)
}

/// What was prepared.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct PrepareReport {
    read: Py<ReadReport>,
    files: Vec<Py<WrittenFile>>,
    items: u64,
    bytes: u64,
    rejected: u64,
    first_rejected: Option<String>,
    changed: u64,
    first_changed: Option<String>,
    shuffled: bool,
    spec: Py<PyAny>,
    missing: Vec<&'static str>,
}

impl PrepareReport {
    fn new(py: Python<'_>, report: dynarrow::PrepareReport, check: Check) -> PyResult<Self> {
        let spec = py.import("json")?.call_method1("loads", (report.spec.to_json().to_string(),))?.unbind();
        let read = dynarrow::ReadReport { totals: report.totals, ..dynarrow::ReadReport::default() };
        Ok(Self {
            read: Py::new(py, ReadReport::new(py, &read, check)?)?,
            files: report.files.into_iter().map(|file| Py::new(py, WrittenFile::new(file))).collect::<PyResult<_>>()?,
            items: report.items,
            bytes: report.bytes,
            rejected: report.rejected,
            first_rejected: report.first_rejected,
            changed: report.changed,
            first_changed: report.first_changed,
            shuffled: report.shuffled,
            spec,
            missing: report.missing,
        })
    }
}

#[pymethods]
impl PrepareReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("items", self.items)?;
        fields.set_item("bytes", self.bytes)?;
        fields.set_item("files", self.files.len())?;
        fields.set_item("shuffled", self.shuffled)?;
        fields.set_item("rejected", self.rejected)?;
        for (name, first) in [("first_rejected", &self.first_rejected), ("first_changed", &self.first_changed)] {
            if first.is_some() {
                fields.set_item(name, first)?;
            }
        }
        fields.set_item("changed", self.changed)?;
        if !self.missing.is_empty() {
            fields.set_item("missing", self.missing.clone())?;
        }
        fields.set_item("read", self.read.clone_ref(py))?;
        show("PrepareReport", &fields)
    }
}
