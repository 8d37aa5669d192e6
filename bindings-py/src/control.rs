//! Long work: the GIL released, Ctrl-C and progress polled from the calling thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dynarrow::{Control, Progress};
use pyo3::prelude::*;

use crate::error::to_py;

/// Between two looks at signals: attaching to the interpreter costs, and people do not notice.
pub const POLL: Duration = Duration::from_millis(100);

/// Called with compressed bytes read, compressed bytes to read (0: unknown) and items.
pub type Callback = Option<Py<PyAny>>;

/// A control that looks at signals and reports progress, and what Python raised there.
pub struct Watch {
    /// For the work.
    pub control: Control,
    raised: Arc<Mutex<Option<PyErr>>>,
    progress: Callback,
}

impl Watch {
    /// `Python::check_signals` works on the main thread alone, so the thread that asked for the
    /// work polls.
    pub fn new(py: Python<'_>, progress: Callback) -> Self {
        let raised = Arc::new(Mutex::new(None));
        let (kept, callback) = (raised.clone(), progress.as_ref().map(|callback| callback.clone_ref(py)));
        let mut last = Instant::now();
        let control = Control::with_poll(Box::new(move |progress| {
            if last.elapsed() < POLL {
                return true;
            }
            last = Instant::now();
            let polled = Python::attach(|py| {
                py.check_signals()?;
                callback.as_ref().map_or(Ok(()), |callback| report(callback.bind(py), progress))
            });
            let go_on = polled.is_ok();
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = polled.err();
            go_on
        }));
        Self { control, raised, progress }
    }

    /// Does the work without the GIL.
    pub fn run<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&Control) -> dynarrow::Result<T> + Send) -> PyResult<T> {
        let control = &self.control;
        let result = py.detach(|| work(control));
        if let Some(raised) = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(raised);
        }
        let result = result.map_err(|error| to_py(py, &error))?;
        // Short work was never polled, and the last poll came before the end.
        if let Some(callback) = &self.progress {
            report(callback.bind(py), control.progress())?;
        }
        Ok(result)
    }
}

/// Does work that is one call.
pub fn watched<T: Send>(py: Python<'_>, progress: Callback, work: impl FnOnce(&Control) -> dynarrow::Result<T> + Send) -> PyResult<T> {
    Watch::new(py, progress).run(py, work)
}

fn report(callback: &Bound<'_, PyAny>, progress: Progress) -> PyResult<()> {
    callback.call1((progress.done, progress.total, progress.items)).map(drop)
}
