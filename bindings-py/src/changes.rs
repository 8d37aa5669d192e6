//! Changes of items: as dicts.

use std::sync::{Mutex, PoisonError};

use dynarrow::change::Attributes;
use dynarrow::{Code, Columns, Error, Export, ReadOptions, Tapes, View};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

use crate::control::Watch;
use crate::error::to_py;
use crate::items::{Values, Walk};

/// The changes of one reading, as dicts.
#[pyclass(module = "dynarrow")]
pub struct ChangeIterator {
    watch: Watch,
    /// In a mutex, as no `Sync` is asked of sources; it is never waited for.
    tapes: Mutex<Tapes>,
    view: Option<View>,
    columns: Option<Columns>,
    /// The changes of the block that was decoded last.
    ready: Walk,
    /// A value could not be made.
    failed: bool,
    values: Values,
}

impl ChangeIterator {
    /// Begins a reading.
    pub fn new(py: Python<'_>, export: &Export, options: &ReadOptions) -> PyResult<Self> {
        let watch = Watch::new(py, None);
        let (view, (tapes, columns)) = watch.run(py, |control| Ok((export.view()?, export.change_tapes(options, control)?)))?;
        Ok(Self { watch, tapes: Mutex::new(tapes), view, columns, ready: Walk::default(), failed: false, values: Values::new(py)? })
    }

    /// The next change of the block.
    fn change<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(change) = self.ready.change() else { return Ok(None) };
        let op = PyString::intern(py, change.op(self.view).as_str());
        let (micros, keys, old, new) = (change.micros, change.keys().place(), change.old(), change.new_image());
        let (old, new) = (old.map(Attributes::place), new.map(Attributes::place));
        let dict = PyDict::new(py);
        dict.set_item(intern!(py, "op"), op)?;
        dict.set_item(intern!(py, "ts"), datetime(py, micros)?)?;
        dict.set_item(intern!(py, "keys"), self.ready.dict(py, &mut self.values, keys, None)?)?;
        for (name, image) in [(intern!(py, "old"), old), (intern!(py, "new"), new)] {
            let image = image.map(|image| self.ready.dict(py, &mut self.values, image, self.columns.as_ref())).transpose()?;
            dict.set_item(name, image)?;
        }
        Ok(Some(dict))
    }
}

#[pymethods]
impl ChangeIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        loop {
            if self.failed {
                return Ok(None);
            }
            match self.change(py) {
                Ok(None) => {}
                Ok(change) => return Ok(change),
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
            let tapes = self.tapes.get_mut().unwrap_or_else(PoisonError::into_inner);
            // The other threads decode on while Python has the GIL and makes its values.
            let Some(tape) = self.watch.run(py, move |_| tapes.next().transpose())? else { return Ok(None) };
            self.ready = self.values.walk(py, tape);
        }
    }

    /// Records passed over so far.
    #[getter]
    fn skipped(&self) -> u64 {
        self.tapes.lock().unwrap_or_else(PoisonError::into_inner).totals().skipped
    }
}

/// A time in UTC, to the microsecond.
fn datetime(py: Python<'_>, micros: i64) -> PyResult<Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static DELTA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let epoch = EPOCH.get_or_try_init(py, || {
        let module = py.import("datetime")?;
        let utc = module.getattr("timezone")?.getattr("utc")?;
        module.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, utc)).map(Bound::unbind)
    })?;
    let delta = DELTA.import(py, "datetime", "timedelta")?;
    let time = delta.call1((0, 0, micros)).and_then(|delta| epoch.bind(py).add(delta));
    time.map_err(|_| to_py(py, &Error::new(Code::Record, format!("{micros} microseconds since 1970 are past what datetime holds"))))
}
