//! Opening an export.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::changes::ChangeIterator;
use crate::control::{Callback, watched};
use crate::convert::{ConvertReport, Converting};
use crate::diff::{DiffReport, Diffing};
use crate::error::to_py;
use crate::items::ItemIterator;
use crate::merge::{MergeReport, Merging};
use crate::options::{self, Options, choice, path_text};
use crate::read::Reader;
use crate::schema::Schema;
use crate::verify::VerifyReport;

/// An export, or data files without manifests: nothing but the manifests is read.
#[pyclass(frozen, module = "dynarrow._dynarrow")]
pub struct Export(pub dynarrow::Export);

/// Opens an export.
#[pyfunction]
pub fn open_export(py: Python<'_>, src: PathBuf, format: Option<&str>) -> PyResult<Export> {
    let src = path_text(py, src)?;
    let format = choice(py, format)?;
    let export = watched(py, None, |control| dynarrow::open_export_with(&src, control))?;
    Ok(Export(match format {
        Some(format) => export.with_format(format),
        None => export,
    }))
}

#[pymethods]
impl Export {
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The summary manifest as JSON text.
    #[getter]
    fn summary_json(&self) -> Option<String> {
        self.0.summary().map(|summary| serde_json::Value::from(summary.raw.clone()).to_string())
    }

    #[getter]
    fn files(&self) -> Vec<DataFile> {
        self.0.files().iter().map(DataFile::new).collect()
    }

    /// The format of the data files, and what says it.
    fn told_format(&self, py: Python<'_>) -> PyResult<(&'static str, Option<&'static str>)> {
        let (format, told) = py.detach(|| self.0.told_format()).map_err(|error| to_py(py, &error))?;
        Ok((format.as_str(), told.as_str()))
    }

    /// The absent files of a legacy dump; None of what is none.
    #[getter]
    fn absent(&self) -> Option<Vec<String>> {
        self.0.dump().map(|dump| dump.absent.clone())
    }

    fn read(&self, py: Python<'_>, options: Options<'_>) -> PyResult<Reader> {
        Reader::new(self.0.clone(), options.read_options(py)?).map_err(|error| to_py(py, &error))
    }

    fn infer_schema(&self, py: Python<'_>, options: Options<'_>, progress: Callback) -> PyResult<Schema> {
        let options = options.read_options(py)?;
        watched(py, progress, |control| self.0.infer_schema(&options, control)).map(Schema)
    }

    fn iter_items(&self, py: Python<'_>, options: Options<'_>) -> PyResult<ItemIterator> {
        ItemIterator::new(py, &self.0, &options.read_options(py)?)
    }

    fn verify(&self, py: Python<'_>, threads: Option<i64>, progress: Callback) -> PyResult<VerifyReport> {
        let threads = options::threads(py, threads)?;
        let report = watched(py, progress, |control| self.0.verify(threads, control))?;
        VerifyReport::new(py, report)
    }

    fn convert(
        &self,
        py: Python<'_>,
        dest: PathBuf,
        converting: Converting,
        options: Options<'_>,
        progress: Callback,
    ) -> PyResult<ConvertReport> {
        let (dest, options) = converting.parse(&path_text(py, dest)?, options.read_options(py)?).map_err(|error| to_py(py, &error))?;
        let report = watched(py, progress, |control| dynarrow::convert(&self.0, &dest, &options, control, std::io::stdout()))?;
        ConvertReport::new(py, report, options.read.check)
    }

    fn read_changes(&self, py: Python<'_>, images: &str, options: Options<'_>) -> PyResult<Reader> {
        let (images, options) = (images.parse(), options.read_options(py)?);
        let (changes, options) = watched(py, None, |control| self.0.changes(images?, options, control))?;
        Reader::new(changes, options).map_err(|error| to_py(py, &error))
    }

    fn iter_changes(&self, py: Python<'_>, options: Options<'_>) -> PyResult<ChangeIterator> {
        ChangeIterator::new(py, &self.0, &options.read_options(py)?)
    }

    fn changes(
        &self,
        py: Python<'_>,
        dest: PathBuf,
        images: &str,
        converting: Converting,
        options: Options<'_>,
        progress: Callback,
    ) -> PyResult<ConvertReport> {
        let (dest, mut options) = converting.parse(&path_text(py, dest)?, options.read_options(py)?).map_err(|error| to_py(py, &error))?;
        let images = images.parse();
        let report = watched(py, progress, |control| {
            let (changes, read) = self.0.changes(images?, options.read.clone(), control)?;
            options.read = read;
            dynarrow::convert(&changes, &dest, &options, control, std::io::stdout())
        })?;
        ConvertReport::new(py, report, options.read.check)
    }

    #[allow(clippy::too_many_arguments)] // Python's keywords come as three parts
    fn merge(
        &self,
        py: Python<'_>,
        increments: Vec<Bound<'_, Self>>,
        dest: PathBuf,
        merging: Merging,
        converting: Converting,
        options: Options<'_>,
        progress: Callback,
    ) -> PyResult<MergeReport> {
        let parsed = converting.parse(&path_text(py, dest)?, options.read_options(py)?);
        let parsed = parsed.and_then(|(dest, options)| Ok((dest, options, merging.parse()?)));
        let (dest, options, merging) = parsed.map_err(|error| to_py(py, &error))?;
        let increments: Vec<_> = increments.into_iter().map(|export| export.get().0.clone()).collect();
        let report =
            watched(py, progress, |control| dynarrow::merge(&self.0, &increments, &dest, &merging, &options, control, std::io::stdout()))?;
        MergeReport::new(py, report, options.read.check)
    }

    #[allow(clippy::too_many_arguments)] // Python's keywords come as three parts
    fn diff(
        &self,
        py: Python<'_>,
        other: &Self,
        dest: Option<PathBuf>,
        diffing: Diffing,
        converting: Converting,
        options: Options<'_>,
        progress: Callback,
    ) -> PyResult<DiffReport> {
        let read = options.read_options(py)?;
        let parsed = match dest.map(|dest| path_text(py, dest)).transpose()? {
            Some(dest) => converting.parse(&dest, read).map(|(dest, options)| (Some(dest), options)),
            None => converting.options(read).map(|options| (None, options)),
        };
        let parsed = parsed.and_then(|(dest, options)| Ok((dest, options, diffing.parse()?)));
        let (dest, options, diffing) = parsed.map_err(|error| to_py(py, &error))?;
        let report = watched(py, progress, |control| {
            dynarrow::diff(&self.0, &other.0, dest.as_ref(), &diffing, &options, control, std::io::stdout())
        })?;
        DiffReport::new(py, report, options.read.check)
    }

    fn relocate(&self, py: Python<'_>, to: &str) -> PyResult<Vec<PathBuf>> {
        let to = to.parse();
        py.detach(|| to.and_then(|to| self.0.relocate(&to))).map_err(|error| to_py(py, &error))
    }
}

/// A data file of an export.
#[pyclass(frozen, get_all, module = "dynarrow", from_py_object)]
#[derive(Clone)]
pub struct DataFile {
    name: String,
    key: Option<String>,
    size: Option<u64>,
    item_count: Option<u64>,
    md5: Option<String>,
    etag: Option<String>,
}

impl DataFile {
    fn new(file: &dynarrow::DataFile) -> Self {
        let entry = file.entry.as_ref();
        Self {
            name: file.name.clone(),
            key: file.key.clone(),
            size: file.size,
            item_count: entry.and_then(|entry| entry.item_count),
            md5: entry.and_then(|entry| entry.md5_checksum.clone()),
            etag: entry.and_then(|entry| entry.etag.clone()),
        }
    }
}

#[pymethods]
impl DataFile {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("name", &self.name)?;
        fields.set_item("size", self.size)?;
        fields.set_item("item_count", self.item_count)?;
        show("DataFile", &fields)
    }
}

/// `Name(key=value, …)`.
pub fn show(class: &str, fields: &Bound<'_, PyDict>) -> PyResult<String> {
    let parts = fields.iter().map(|(name, value)| Ok(format!("{}={}", name.str()?, value.repr()?)));
    Ok(format!("{class}({})", parts.collect::<PyResult<Vec<_>>>()?.join(", ")))
}
