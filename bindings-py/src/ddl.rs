//! Tables of Athena.

use std::path::PathBuf;

use dynarrow::{DdlOptions, ReadOptions};
use pyo3::prelude::*;

use crate::control::{Callback, watched};
use crate::open::Export;
use crate::options;
use crate::schema::Schema;

/// What is to be defined.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Defining<'py> {
    table: String,
    location: String,
    iceberg: bool,
    changes: Vec<PathBuf>,
    staging: Option<String>,
    key: Vec<String>,
    schema: Option<Bound<'py, PyAny>>,
    threads: Option<i64>,
}

/// The statements that define it.
#[pyfunction]
pub fn ddl(py: Python<'_>, source: &Export, defining: Defining<'_>, progress: Callback) -> PyResult<String> {
    let Defining { table, location, iceberg, changes, staging, key, schema, threads } = defining;
    let schema = schema.as_ref().map(Schema::of).transpose()?;
    let read = ReadOptions { schema, threads: options::threads(py, threads)?, ..ReadOptions::default() };
    let options = DdlOptions { table, location, iceberg, changes, staging, key, read };
    watched(py, progress, |control| source.0.ddl(&options, control))
}
