//! The native half of the Python package `dynarrow`: registers what the other files define.

use pyo3::prelude::*;

#[pymodule]
fn _dynarrow(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
