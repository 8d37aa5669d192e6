//! Merging incremental exports into a base.

use dynarrow::export::merge::MEMORY;
use dynarrow::{Check, MergeOptions, Result, parse_size};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::ConvertReport;
use crate::open::show;

/// How exports are merged.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Merging {
    allow_gaps: bool,
    memory: Option<String>,
}

impl Merging {
    /// As the core takes it.
    pub fn parse(self) -> Result<MergeOptions> {
        Ok(MergeOptions { allow_gaps: self.allow_gaps, memory: memory(self.memory.as_deref())?, temporary: None })
    }
}

/// Bytes of memory.
pub fn memory(text: Option<&str>) -> Result<u64> {
    text.map_or(Ok(MEMORY), parse_size)
}

/// What a merge came to.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct MergeReport {
    convert: Py<ConvertReport>,
    inserts: u64,
    updates: u64,
    deletes: u64,
    unknown_deletes: u64,
    windows: Vec<Py<Window>>,
    gaps: Vec<(String, String)>,
    overlaps: Vec<(String, String)>,
}

impl MergeReport {
    /// Of a report of the core, in a reading that checked so much.
    pub fn new(py: Python<'_>, report: dynarrow::MergeReport, check: Check) -> PyResult<Self> {
        let windows = report.windows.into_iter().map(|window| Py::new(py, Window(window))).collect::<PyResult<_>>()?;
        let dynarrow::Counts { inserts, updates, deletes, unknown_deletes } = report.counts;
        let convert = Py::new(py, ConvertReport::new(py, report.convert, check)?)?;
        Ok(Self { convert, inserts, updates, deletes, unknown_deletes, windows, gaps: report.gaps, overlaps: report.overlaps })
    }
}

#[pymethods]
impl MergeReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("inserts", self.inserts)?;
        fields.set_item("updates", self.updates)?;
        fields.set_item("deletes", self.deletes)?;
        fields.set_item("unknown_deletes", self.unknown_deletes)?;
        fields.set_item("windows", self.windows.iter().map(|window| window.clone_ref(py)).collect::<Vec<_>>())?;
        if !self.gaps.is_empty() {
            fields.set_item("gaps", self.gaps.clone())?;
        }
        if !self.overlaps.is_empty() {
            fields.set_item("overlaps", self.overlaps.clone())?;
        }
        fields.set_item("convert", self.convert.clone_ref(py))?;
        show("MergeReport", &fields)
    }
}

/// An incremental export of a merge.
#[pyclass(frozen, eq, module = "dynarrow")]
#[derive(PartialEq)]
pub struct Window(dynarrow::Window);

#[pymethods]
impl Window {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    #[allow(clippy::wrong_self_convention)] // the window is from a time to a time
    fn from_time(&self) -> &str {
        &self.0.from
    }

    #[getter]
    fn to_time(&self) -> &str {
        &self.0.to
    }

    #[getter]
    fn applied(&self) -> bool {
        self.0.applied
    }

    #[getter]
    fn changes(&self) -> u64 {
        self.0.totals.items
    }

    #[getter]
    fn skipped(&self) -> u64 {
        self.0.totals.skipped
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("name", self.name())?;
        fields.set_item("from_time", self.from_time())?;
        fields.set_item("to_time", self.to_time())?;
        fields.set_item("applied", self.applied())?;
        fields.set_item("changes", self.changes())?;
        fields.set_item("skipped", self.skipped())?;
        show("Window", &fields)
    }
}
