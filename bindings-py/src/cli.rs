//! The command `dynarrow`: the command-line tool's own `run`.

use std::ffi::OsString;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use dynarrow::Control;
use pyo3::prelude::*;

use crate::control::POLL;

/// How long stopped work may clean up; one that waits for standard input never would.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the command; its exit code.
#[pyfunction]
pub fn _run_cli(py: Python<'_>, args: Vec<OsString>) -> i32 {
    let control = Control::default();
    let (sender, mut receiver) = channel();
    let work = control.clone();
    // On a thread of its own, so that this one can look at signals whatever the work waits for.
    let thread = std::thread::spawn(move || sender.send(dynarrow_cli::run(args, &work)));
    let mut stopped: Option<Instant> = None;
    loop {
        let receiver = &mut receiver;
        match py.detach(move || receiver.recv_timeout(POLL)) {
            Ok(code) => {
                let _ = thread.join();
                return code;
            }
            // It panicked, and has said so.
            Err(RecvTimeoutError::Disconnected) => return 70,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if py.check_signals().is_err() {
            if stopped.is_some() {
                return 130;
            }
            control.cancel();
            stopped = Some(Instant::now());
        }
        if stopped.is_some_and(|at| at.elapsed() > GRACE) {
            return 130;
        }
    }
}
