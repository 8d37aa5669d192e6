//! Arguments: from Python's to the core's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use dynarrow::export::read::BATCH_SIZE;
use dynarrow::schema::learn::MAX_PATHS;
use dynarrow::schema::policy::{MAX_COLUMNS, MAX_FIELDS};
use dynarrow::{Columns, Error, Policies, ReadOptions, Result};
use pyo3::prelude::*;

use crate::error::to_py;
use crate::schema::Schema;

/// The options of everything that reads, as `dynarrow._options` packs them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options<'py> {
    columns: Option<Vec<String>>,
    numbers: String,
    mixed: String,
    maps: String,
    layout: String,
    names: String,
    max_fields: Option<i64>,
    max_columns: Option<i64>,
    overrides: Option<BTreeMap<String, String>>,
    schema: Option<Bound<'py, PyAny>>,
    extra: String,
    source_layout: Option<String>,
    sample: Option<i64>,
    max_paths: Option<i64>,
    batch_size: Option<i64>,
    threads: Option<i64>,
    on_error: String,
    check: String,
}

impl Options<'_> {
    /// As the core takes them.
    pub fn read_options(self, py: Python<'_>) -> PyResult<ReadOptions> {
        let schema = self.schema.as_ref().map(Schema::of).transpose()?;
        self.parse(schema).map_err(|error| to_py(py, &error))
    }

    fn parse(self, schema: Option<dynarrow::Schema>) -> Result<ReadOptions> {
        let mut policies = Policies {
            numbers: self.numbers.parse()?,
            mixed: self.mixed.parse()?,
            maps: self.maps.parse()?,
            layout: self.layout.parse()?,
            names: self.names.parse()?,
            max_fields: count_or("max_fields", self.max_fields, MAX_FIELDS)?,
            max_columns: count_or("max_columns", self.max_columns, MAX_COLUMNS)?,
            ..Policies::default()
        };
        for (path, with) in self.overrides.iter().flatten() {
            policies.override_path(path, with)?;
        }
        Ok(ReadOptions {
            columns: self.columns.map(Columns::from),
            policies,
            schema,
            source_layout: self.source_layout.as_deref().map(str::parse).transpose()?,
            extra: self.extra.parse()?,
            sample: self.sample.map(|sample| count("sample", sample)).transpose()?.map(|sample| sample as u64),
            max_paths: count_or("max_paths", self.max_paths, MAX_PATHS)?,
            batch_size: count_or("batch_size", self.batch_size, BATCH_SIZE)?,
            threads: count_or("threads", self.threads, 0)?,
            on_error: self.on_error.parse()?,
            check: self.check.parse()?,
        })
    }
}

/// A number of threads; `None` is as many as the machine has cores.
pub fn threads(py: Python<'_>, threads: Option<i64>) -> PyResult<usize> {
    threads.map_or(Ok(0), |threads| count("threads", threads)).map_err(|error| to_py(py, &error))
}

/// A number of things, at least one.
pub fn count_or(name: &str, value: Option<i64>, default: usize) -> Result<usize> {
    value.map_or(Ok(default), |value| count(name, value))
}

fn count(name: &str, value: i64) -> Result<usize> {
    match usize::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(Error::usage(format!("{name} must be at least 1, not {value}"))),
    }
}

/// A path as the core takes it.
pub fn path_text(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    path.into_os_string().into_string().map_err(|path| {
        let message = format!("the path {} is not UTF-8", path.display());
        to_py(py, &Error::usage(message))
    })
}

/// A named choice that may be left out.
pub fn choice<T: FromStr<Err = Error>>(py: Python<'_>, text: Option<&str>) -> PyResult<Option<T>> {
    text.map(str::parse).transpose().map_err(|error| to_py(py, &error))
}
