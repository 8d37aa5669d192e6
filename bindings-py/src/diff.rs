//! Comparing two tables.

use dynarrow::{Check, DiffOptions, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::ConvertReport;
use crate::merge::memory;
use crate::open::show;

/// How tables are compared.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Diffing {
    key: Option<Vec<String>>,
    images: String,
    memory: Option<String>,
}

impl Diffing {
    /// As the core takes it.
    pub fn parse(self) -> Result<DiffOptions> {
        Ok(DiffOptions { key: self.key, images: self.images.parse()?, memory: memory(self.memory.as_deref())?, temporary: None })
    }
}

/// What a comparison came to.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct DiffReport {
    inserts: u64,
    updates: u64,
    deletes: u64,
    same: u64,
    key: Vec<String>,
    /// Records of either table that were passed over.
    skipped: (u64, u64),
    convert: Option<Py<ConvertReport>>,
}

impl DiffReport {
    /// Of a report of the core, in a reading that checked so much.
    pub fn new(py: Python<'_>, report: dynarrow::DiffReport, check: Check) -> PyResult<Self> {
        let dynarrow::Differences { inserts, updates, deletes, same } = report.counts;
        let convert = report.convert.map(|convert| Py::new(py, ConvertReport::new(py, convert, check)?)).transpose()?;
        let skipped = (report.read[0].skipped, report.read[1].skipped);
        Ok(Self { inserts, updates, deletes, same, key: report.key, skipped, convert })
    }
}

#[pymethods]
impl DiffReport {
    /// Whether the tables have equal items.
    #[getter]
    fn ok(&self) -> bool {
        self.inserts + self.updates + self.deletes == 0
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("inserts", self.inserts)?;
        fields.set_item("updates", self.updates)?;
        fields.set_item("deletes", self.deletes)?;
        fields.set_item("same", self.same)?;
        fields.set_item("key", self.key.clone())?;
        if self.skipped != (0, 0) {
            fields.set_item("skipped", self.skipped)?;
        }
        show("DiffReport", &fields)
    }
}
