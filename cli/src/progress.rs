//! The progress bar: drawn by a thread of its own from what the work counts, and only where
//! a person watches.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dynarrow::Control;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::count;

const TICK: Duration = Duration::from_millis(100);

/// A bar that is drawn until it is dropped.
#[derive(Debug)]
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Watches the work of `control`, if standard error is a terminal and nobody asked for
    /// quiet.
    pub fn watch(control: &Control, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (stop, stopped) = channel();
        let control = control.clone();
        let thread = std::thread::spawn(move || {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{decimal_bytes} of {decimal_total_bytes} {wide_bar} {msg}") {
                bar.set_style(style);
            }
            let (mut began, mut last) = (Instant::now(), 0);
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let now = control.progress();
                if now.items < last {
                    // Another pass has begun.
                    began = Instant::now();
                }
                last = now.items;
                let rate = now.items as f64 / began.elapsed().as_secs_f64().max(TICK.as_secs_f64());
                bar.set_length(now.total);
                bar.set_position(now.done);
                bar.set_message(format!("{} items/s", count(rate as u64)));
            }
            bar.finish_and_clear();
        });
        Self(Some((stop, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // The bar is gone before anything else is said; if drawing it failed, it is gone too.
            let _ = thread.join();
        }
    }
}
