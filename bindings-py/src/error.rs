//! The core's one error → the exception classes of `dynarrow._errors`.

use dynarrow::{Class, Code, Error};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// An error of the core as what `raise` takes.
pub fn to_py(py: Python<'_>, error: &Error) -> PyErr {
    if error.code().class() == Class::Interrupted {
        return PyKeyboardInterrupt::new_err(());
    }
    exception(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

/// An error of the core as an exception object.
pub fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("file", error.file())?;
    fields.set_item("line", error.line())?;
    fields.set_item("byte", error.byte())?;
    fields.set_item("item", error.item())?;
    fields.set_item("path", error.path())?;
    class(py, error.code())?.call((error.to_string(), error.code().as_str(), error.message()), Some(&fields))
}

/// The exception of a panic: a bug here, which no code of the core names.
pub fn internal<'py>(py: Python<'py>, message: &str) -> PyResult<Bound<'py, PyAny>> {
    base(py)?.call1((format!("E_INTERNAL: {message}"), "E_INTERNAL", message))
}

fn base(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    BASE.import(py, "dynarrow._errors", "DynarrowError")
}

fn class(py: Python<'_>, code: Code) -> PyResult<&Bound<'_, PyType>> {
    static USAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static STORAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static NOT_FOUND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static DATA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let (cell, name) = match (code, code.class()) {
        (Code::NotFound, _) => (&NOT_FOUND, "NotFoundError"),
        (_, Class::Usage) => (&USAGE, "UsageError"),
        (_, Class::Storage) => (&STORAGE, "StorageError"),
        (_, Class::Data) => (&DATA, "DataError"),
        // What `last_error` says after Ctrl-C.
        _ => return base(py),
    };
    cell.import(py, "dynarrow._errors", name)
}
