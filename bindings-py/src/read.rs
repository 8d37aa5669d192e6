//! Reading as record batches.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_pyarrow::PyArrowType;
use dynarrow::{Check, Code, Control, Error, ReadOptions, RecordBatches};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::control::{Callback, Watch, watched};
use crate::error::exception;
use crate::guard::{Latest, schema_capsule, stream_capsule};
use crate::open::show;
use crate::schema::Schema;

/// Reads an export as record batches, as often as wanted.
#[pyclass(frozen, module = "dynarrow._dynarrow")]
pub struct Reader {
    export: dynarrow::Export,
    options: ReadOptions,
    /// Learns at the first need: who takes all batches at once may do without.
    learnt: OnceLock<dynarrow::Reader>,
    latest: Latest,
}

impl Reader {
    /// Of an export, read like this.
    pub fn new(export: dynarrow::Export, options: ReadOptions) -> dynarrow::Result<Self> {
        export.check_options(&options)?;
        Ok(Self { export, options, learnt: OnceLock::new(), latest: Latest::default() })
    }

    fn learnt(&self, control: &Control) -> dynarrow::Result<&dynarrow::Reader> {
        if let Some(reader) = self.learnt.get() {
            return Ok(reader);
        }
        let failed = |error: &Error| {
            self.latest.begin();
            self.latest.fail(error);
        };
        let reader = self.export.read(self.options.clone(), control).inspect_err(failed)?;
        Ok(self.learnt.get_or_init(|| reader))
    }

    /// Of what was learnt; quietly learns before where that was not done.
    fn reader(&self, py: Python<'_>) -> PyResult<&dynarrow::Reader> {
        watched(py, None, |control| self.learnt(control))
    }

    fn all(&self, reader: &dynarrow::Reader, control: &Control) -> dynarrow::Result<Batches> {
        let batches = Recorded::new(reader, &self.latest, control)?.collect::<dynarrow::Result<_>>()?;
        Ok(Batches { schema: reader.arrow_schema().into(), batches })
    }
}

#[pymethods]
impl Reader {
    #[getter]
    fn name(&self) -> &str {
        self.export.name()
    }

    #[getter]
    fn is_learnt(&self) -> bool {
        self.learnt.get().is_some()
    }

    fn learn(&self, py: Python<'_>, progress: Callback) -> PyResult<()> {
        watched(py, progress, |control| self.learnt(control).map(drop))
    }

    #[getter]
    fn schema(&self, py: Python<'_>) -> PyResult<Schema> {
        self.reader(py).map(|reader| Schema(reader.schema().clone()))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.reader(py)?.arrow_schema())
    }

    /// A new stream, from the first batch on.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol lets a producer give its own schema.
        let _ = requested_schema;
        let reader = self.reader(py)?;
        let recorded = watched(py, None, |_| Recorded::new(reader, &self.latest, &Control::default()))?;
        stream_capsule(py, reader.arrow_schema().into(), recorded, &self.latest)
    }

    /// All batches, in memory: in one pass where nothing was learnt and a guess holds.
    fn collect(&self, py: Python<'_>, progress: Callback) -> PyResult<Batches> {
        watched(py, progress, |control| {
            let guessed = if self.is_learnt() { None } else { self.export.read_guessed(&self.options, control)? };
            match guessed.map(|reader| self.all(&reader, control)) {
                Some(Err(error)) if error.code() == Code::Changed => self.latest.begin(),
                Some(all) => return all,
                None => {}
            }
            self.all(self.learnt(control)?, control)
        })
    }

    /// The batches one by one, as pyarrow's.
    fn batches(&self, py: Python<'_>) -> PyResult<BatchIterator> {
        let reader = self.reader(py)?;
        let watch = Watch::new(py, None);
        let batches = watch.run(py, |control| Recorded::new(reader, &self.latest, control))?;
        Ok(BatchIterator { watch, batches: Mutex::new(batches) })
    }

    #[getter]
    fn report(&self, py: Python<'_>) -> PyResult<Option<ReadReport>> {
        let report = self.latest.get().report.clone();
        report.map(|report| ReadReport::new(py, &report, self.options.check)).transpose()
    }

    #[getter]
    fn last_error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let failure = self.latest.get().failure.clone();
        failure.map(|failure| failure.exception(py)).transpose()
    }
}

/// A reading that keeps its books where the reader finds them.
struct Recorded {
    batches: RecordBatches,
    latest: Latest,
}

impl Recorded {
    fn new(reader: &dynarrow::Reader, latest: &Latest, control: &Control) -> dynarrow::Result<Self> {
        latest.begin();
        Ok(Self { batches: reader.batches(control)?, latest: latest.clone() })
    }
}

impl Iterator for Recorded {
    type Item = dynarrow::Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.batches.next();
        self.latest.get().report = Some(self.batches.report());
        if let Some(Err(error)) = &next {
            self.latest.fail(error);
        }
        next
    }
}

/// Record batches in memory, which any Arrow library takes.
#[pyclass(frozen, module = "dynarrow._dynarrow")]
pub struct Batches {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Batches {
    /// Batches of this schema.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }
}

#[pymethods]
impl Batches {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        stream_capsule(py, Arc::clone(&self.schema), self.batches.clone().into_iter().map(Ok), &Latest::default())
    }
}

/// The batches of one reading, as pyarrow's.
#[pyclass(module = "dynarrow._dynarrow")]
pub struct BatchIterator {
    watch: Watch,
    /// In a mutex, as no `Sync` is asked of sources; it is never waited for.
    batches: Mutex<Recorded>,
}

#[pymethods]
impl BatchIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<PyArrowType<RecordBatch>>> {
        let batches = self.batches.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(self.watch.run(py, |_| batches.next().transpose())?.map(PyArrowType))
    }
}

/// What was read, and what was not.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct ReadReport {
    /// Good items.
    pub items: u64,
    /// Records that were passed over.
    pub skipped: u64,
    /// The errors of the first of them.
    pub errors: Vec<Py<PyAny>>,
    /// Files read to their end.
    pub files: u64,
    /// Compressed bytes.
    pub bytes_in: u64,
    /// Inflated bytes.
    pub bytes_inflated: u64,
    /// What the columns lost.
    pub losses: Py<Losses>,
    /// What was checked.
    pub check: &'static str,
}

impl ReadReport {
    /// Of a report of the core, in a reading that checked so much.
    pub fn new(py: Python<'_>, report: &dynarrow::ReadReport, check: Check) -> PyResult<Self> {
        let errors = report.totals.errors.iter().map(|error| Ok(exception(py, error)?.unbind()));
        Ok(Self {
            items: report.totals.items,
            skipped: report.totals.skipped,
            errors: errors.collect::<PyResult<_>>()?,
            files: report.totals.files,
            bytes_in: report.totals.bytes_in,
            bytes_inflated: report.totals.bytes_inflated,
            losses: Py::new(py, Losses::new(py, &report.losses)?)?,
            check: match check {
                Check::None => "none",
                Check::Count => "count",
                Check::Md5 => "md5",
            },
        })
    }

    /// All but the errors, for `repr`.
    pub fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("items", self.items)?;
        fields.set_item("skipped", self.skipped)?;
        fields.set_item("files", self.files)?;
        fields.set_item("bytes_in", self.bytes_in)?;
        fields.set_item("bytes_inflated", self.bytes_inflated)?;
        fields.set_item("losses", &self.losses)?;
        fields.set_item("check", self.check)?;
        Ok(fields)
    }
}

#[pymethods]
impl ReadReport {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        show("ReadReport", &self.fields(py)?)
    }
}

/// What columns lost, counted.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct Losses {
    rounded: Py<Loss>,
    overflowed: Py<Loss>,
    extra: Py<Loss>,
}

impl Losses {
    fn new(py: Python<'_>, losses: &dynarrow::Losses) -> PyResult<Self> {
        let loss = |loss: &dynarrow::Loss| {
            let (path, value) = loss.first.clone().unzip();
            Py::new(py, Loss { count: loss.count, path, value })
        };
        Ok(Self { rounded: loss(&losses.rounded)?, overflowed: loss(&losses.overflowed)?, extra: loss(&losses.extra)? })
    }
}

#[pymethods]
impl Losses {
    fn __bool__(&self) -> bool {
        [&self.rounded, &self.overflowed, &self.extra].into_iter().any(|loss| loss.get().count > 0)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        for (name, loss) in [("rounded", &self.rounded), ("overflowed", &self.overflowed), ("extra", &self.extra)] {
            if loss.get().count > 0 {
                fields.set_item(name, loss)?;
            }
        }
        show("Losses", &fields)
    }
}

/// One way of losing.
#[pyclass(frozen, get_all, module = "dynarrow")]
pub struct Loss {
    count: u64,
    path: Option<String>,
    value: Option<String>,
}

#[pymethods]
impl Loss {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = PyDict::new(py);
        fields.set_item("count", self.count)?;
        if self.count > 0 {
            fields.set_item("path", self.path.as_deref())?;
            fields.set_item("value", self.value.as_deref())?;
        }
        show("Loss", &fields)
    }
}
