//! What stands between a reader and the Arrow C stream interface.
//!
//! On the other side of that interface is C: a panic that arrives there, or a NUL in an
//! error text, aborts the process, and an exception class is lost, only the text survives.
//! So panics are caught, texts are printable and bear code and position, and the typed
//! error stays with the reader. No Python is called from here: consumers pull from threads
//! of their own, with or without the GIL.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use dynarrow::error::printable;
use dynarrow::{Class, Code, Error, ReadReport};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::{exception, internal, to_py};

/// Why a reading failed.
#[derive(Clone)]
pub enum Failure {
    /// In an error.
    Error(Error),
    /// In a panic: a bug.
    Panic(String),
}

impl Failure {
    /// The exception.
    pub fn exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Error(error) => exception(py, error),
            Self::Panic(message) => internal(py, message),
        }
    }

    fn to_arrow(&self) -> ArrowError {
        match self {
            Self::Error(error) if error.code().class() == Class::Storage => {
                ArrowError::IoError(printable(&error.to_string()), std::io::Error::other("storage"))
            }
            Self::Error(error) => ArrowError::ExternalError(printable(&error.to_string()).into()),
            Self::Panic(message) => ArrowError::ExternalError(format!("E_INTERNAL: {}", printable(message)).into()),
        }
    }
}

/// What the latest reading of a reader came to.
#[derive(Clone, Default)]
pub struct Latest(Arc<Mutex<Outcome>>);

/// The outcome of a reading, so far.
#[derive(Default)]
pub struct Outcome {
    /// What was read.
    pub report: Option<ReadReport>,
    /// Why it ended early.
    pub failure: Option<Failure>,
}

impl Latest {
    /// A reading begins.
    pub fn begin(&self) {
        *self.get() = Outcome::default();
    }

    /// It ended in this error.
    pub fn fail(&self, error: &Error) {
        self.get().failure = Some(Failure::Error(error.clone()));
    }

    /// The outcome.
    pub fn get(&self) -> MutexGuard<'_, Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that can be pulled from C.
struct Guarded<I> {
    /// `None` when it failed: behind an error there is nothing.
    batches: Option<I>,
    schema: SchemaRef,
    latest: Latest,
}

impl<I: Iterator<Item = dynarrow::Result<RecordBatch>>> Iterator for Guarded<I> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = self.batches.as_mut()?;
        let failure = match catch_unwind(AssertUnwindSafe(|| batches.next())) {
            Ok(None) => return None,
            Ok(Some(Ok(batch))) => return Some(Ok(batch)),
            Ok(Some(Err(error))) => Failure::Error(error),
            Err(panic) => Failure::Panic(panic_text(&*panic)),
        };
        let batches = self.batches.take();
        // What panicked may do so again while it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(batches)));
        let error = failure.to_arrow();
        self.latest.get().failure = Some(failure);
        Some(Err(error))
    }
}

impl<I: Iterator<Item = dynarrow::Result<RecordBatch>>> RecordBatchReader for Guarded<I> {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    printable(text.unwrap_or("a panic"))
}

/// Batches as an `arrow_array_stream` capsule.
pub fn stream_capsule<'py>(
    py: Python<'py>,
    schema: SchemaRef,
    batches: impl Iterator<Item = dynarrow::Result<RecordBatch>> + Send + 'static,
    latest: &Latest,
) -> PyResult<Bound<'py, PyCapsule>> {
    check_names(&schema).map_err(|error| to_py(py, &error))?;
    let guarded = Guarded { batches: Some(batches), schema, latest: latest.clone() };
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(guarded)), c"arrow_array_stream")
}

/// A schema as an `arrow_schema` capsule.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    check_names(schema).map_err(|error| to_py(py, &error))?;
    let schema = FFI_ArrowSchema::try_from(schema).map_err(|error| to_py(py, &Error::usage(error.to_string())))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// A field as an `arrow_schema` capsule.
pub fn field_capsule<'py>(py: Python<'py>, field: &Field) -> PyResult<Bound<'py, PyCapsule>> {
    check_name(field).map_err(|error| to_py(py, &error))?;
    let field = FFI_ArrowSchema::try_from(field).map_err(|error| to_py(py, &Error::usage(error.to_string())))?;
    PyCapsule::new_with_value(py, field, c"arrow_schema")
}

fn check_names(schema: &Schema) -> dynarrow::Result<()> {
    schema.fields().iter().try_for_each(|field| check_name(field))
}

/// Names cross as C strings, which end at a NUL.
fn check_name(field: &Field) -> dynarrow::Result<()> {
    if field.name().contains('\0') {
        let name = field.name();
        let message = format!("the attribute name {name:?} has a NUL, which no Arrow stream carries; leave it out by columns=");
        return Err(Error::new(Code::Column, message));
    }
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_name(field)),
        DataType::List(field) | DataType::Map(field, _) => check_name(field),
        _ => Ok(()),
    }
}

/// Readers that fail, for the tests of this file.
#[pyclass(frozen, module = "dynarrow._dynarrow")]
pub struct FailingReader {
    panics: bool,
    message: String,
    latest: Latest,
}

/// A reader that panics, or fails in an error, with this message.
#[pyfunction]
pub fn _failing_reader(panics: bool, message: String) -> FailingReader {
    FailingReader { panics, message, latest: Latest::default() }
}

#[pymethods]
impl FailingReader {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let (panics, message) = (self.panics, self.message.clone());
        let fail = move || {
            assert!(!panics, "{message}");
            Some(Err(Error::new(Code::Json, message.clone()).in_file(message.clone()).at(1, 0)))
        };
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        stream_capsule(py, schema.into(), std::iter::from_fn(fail), &self.latest)
    }

    #[getter]
    fn last_error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let failure = self.latest.get().failure.clone();
        failure.map(|failure| failure.exception(py)).transpose()
    }
}
