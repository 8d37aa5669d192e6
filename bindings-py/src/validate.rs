//! The dry run of an import, and what an import is asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dynarrow::import::log;
use dynarrow::import::unknown::Assumptions;
use dynarrow::import::validate::MAX_FINDINGS;
use dynarrow::{Error, Result, TableSpec, ValidateOptions};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::control::{Callback, watched};
use crate::error::to_py;
use crate::options::{path_text, threads};

/// What an import is asked for: a document or the path of one, or its key alone.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Table<'py> {
    table: Option<Bound<'py, PyAny>>,
    key: Option<Vec<String>>,
}

impl Table<'_> {
    /// As the core takes it.
    pub fn parse(&self, py: Python<'_>) -> PyResult<TableSpec> {
        let spec = match (&self.table, &self.key) {
            (Some(table), None) => return spec(table),
            (None, Some(key)) => TableSpec::short(key),
            _ => Err(Error::usage("what is imported into is said by table or by key: one of both")),
        };
        spec.map_err(|error| to_py(py, &error))
    }
}

/// The spec of a document, or in a file.
fn spec(given: &Bound<'_, PyAny>) -> PyResult<TableSpec> {
    let py = given.py();
    let spec = if let Ok(mapping) = given.cast::<PyMapping>() {
        let document = py.import("builtins")?.call_method1("dict", (mapping,))?;
        let text: String = py.import("json")?.call_method1("dumps", (document,))?.extract()?;
        TableSpec::parse(text.as_bytes())
    } else {
        TableSpec::read(given.extract::<PathBuf>()?.as_path())
    };
    spec.map_err(|error| to_py(py, &error))
}

/// The document of a request that AWS would not refuse, as JSON text.
#[pyfunction]
pub fn table_spec(table: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(spec(table)?.to_json().to_string())
}

/// How an import is checked.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Validating {
    prefix: Option<String>,
    strict: bool,
    assume: Option<BTreeMap<String, String>>,
    log: Option<PathBuf>,
    max_findings: Option<i64>,
    price_per_gb: Option<f64>,
    region: Option<String>,
    threads: Option<i64>,
}

impl Validating {
    fn parse(&self, threads: usize) -> Result<ValidateOptions> {
        let mut assumptions = Assumptions::default().strict(self.strict);
        for (name, assumed) in self.assume.iter().flatten() {
            assumptions = assumptions.assume(name.parse()?, assumed.parse()?);
        }
        let max_findings = self.max_findings.map_or(Ok(MAX_FINDINGS), |given| {
            usize::try_from(given).map_err(|_| Error::usage(format!("max_findings must be 0 or more, not {given}")))
        })?;
        Ok(ValidateOptions {
            assumptions,
            max_findings,
            threads,
            price_per_gb: self.price_per_gb,
            region: self.region.clone(),
            log: self.log.as_deref().map_or(Ok(Vec::new()), log::read)?,
        })
    }
}

/// What `ImportTable` would do: the report, as JSON text.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 hands it over
pub fn validate_import(
    py: Python<'_>,
    src: PathBuf,
    table: Table<'_>,
    validating: Validating,
    error_log: Option<PathBuf>,
    progress: Callback,
) -> PyResult<String> {
    let src = path_text(py, src)?;
    let spec = table.parse(py)?.with_prefix(validating.prefix.as_deref());
    let threads = threads(py, validating.threads)?;
    let options = validating.parse(threads).map_err(|error| to_py(py, &error))?;
    let report = watched(py, progress, |control| match &error_log {
        None => dynarrow::validate_import(&src, &spec, options, control, |_| Ok(())),
        Some(path) => log::validate_with_log(&src, &spec, options, path, control),
    })?;
    Ok(report.to_json().to_string())
}
