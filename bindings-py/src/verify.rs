//! Checking an export against its manifests.

use dynarrow::Severity;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::exception;
use crate::open::show;

/// What a check came to.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct VerifyReport {
    ok: bool,
    findings: Vec<Py<Finding>>,
    files: u64,
    items: u64,
    bytes: u64,
}

impl VerifyReport {
    /// Of a report of the core.
    pub fn new(py: Python<'_>, report: dynarrow::VerifyReport) -> PyResult<Self> {
        let ok = report.ok();
        let (files, items, bytes) = (report.files, report.items, report.bytes);
        let findings = report.findings.into_iter().map(|finding| Py::new(py, Finding::new(py, &finding)?));
        Ok(Self { ok, findings: findings.collect::<PyResult<_>>()?, files, items, bytes })
    }
}

#[pymethods]
impl VerifyReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("ok", self.ok)?;
        fields.set_item("files", self.files)?;
        fields.set_item("items", self.items)?;
        fields.set_item("bytes", self.bytes)?;
        fields.set_item("findings", self.findings.iter().map(|finding| finding.clone_ref(py)).collect::<Vec<_>>())?;
        show("VerifyReport", &fields)
    }
}

/// One thing that was found.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct Finding {
    severity: &'static str,
    code: &'static str,
    file: Option<String>,
    message: String,
    error: Py<PyAny>,
}

impl Finding {
    fn new(py: Python<'_>, finding: &dynarrow::Finding) -> PyResult<Self> {
        Ok(Self {
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Note => "note",
            },
            code: finding.error.code().as_str(),
            file: finding.error.file().map(str::to_owned),
            message: finding.error.message(),
            error: exception(py, &finding.error)?.unbind(),
        })
    }
}

#[pymethods]
impl Finding {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("severity", self.severity)?;
        fields.set_item("code", self.code)?;
        fields.set_item("file", self.file.as_deref())?;
        fields.set_item("message", &self.message)?;
        show("Finding", &fields)
    }
}
