//! Arguments: from Python's to the core's.

use std::path::PathBuf;
use std::str::FromStr;

use dynarrow::export::read::BATCH_SIZE;
use dynarrow::{Columns, Error, Policies, ReadOptions, Result};
use pyo3::prelude::*;

use crate::error::to_py;

/// The options of everything that reads, as `dynarrow._options` packs them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    columns: Option<Vec<String>>,
    numbers: String,
    mixed: String,
    batch_size: Option<i64>,
    threads: Option<i64>,
    on_error: String,
    check: String,
}

impl Options {
    /// As the core takes them.
    pub fn read_options(self, py: Python<'_>) -> PyResult<ReadOptions> {
        self.parse().map_err(|error| to_py(py, &error))
    }

    fn parse(self) -> Result<ReadOptions> {
        Ok(ReadOptions {
            columns: self.columns.map(Columns::from),
            policies: Policies { numbers: self.numbers.parse()?, mixed: self.mixed.parse()? },
            batch_size: self.batch_size.map_or(Ok(BATCH_SIZE), |size| count("batch_size", size))?,
            threads: self.threads.map_or(Ok(0), |threads| count("threads", threads))?,
            on_error: self.on_error.parse()?,
            check: self.check.parse()?,
        })
    }
}

/// A number of threads; `None` is as many as the machine has cores.
pub fn threads(py: Python<'_>, threads: Option<i64>) -> PyResult<usize> {
    threads.map_or(Ok(0), |threads| count("threads", threads)).map_err(|error| to_py(py, &error))
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
