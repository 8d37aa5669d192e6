//! Progress and cancellation of long work.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Code, Error, Result};

/// Shared by the work, which counts, and by whoever watches or stops it.
#[derive(Clone, Default)]
pub struct Control(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    items: AtomicU64,
    poll: Mutex<Option<Poll>>,
}

/// Called now and then from the thread that asked for the work; `false` stops it.
pub type Poll = Box<dyn FnMut(Progress) -> bool + Send>;

/// How far the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Compressed bytes that were read, over all passes.
    pub done: u64,
    /// Compressed bytes to read, over all passes; 0 where it is not known.
    pub total: u64,
    /// Items read in this pass.
    pub items: u64,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&self.progress()).finish()
    }
}

impl Control {
    /// A control that calls `poll` from the working thread.
    pub fn with_poll(poll: Poll) -> Self {
        let control = Self::default();
        *control.0.poll.lock().unwrap_or_else(PoisonError::into_inner) = Some(poll);
        control
    }

    /// Stops the work at the next block.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// How far the work is.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.0.done.load(Ordering::Relaxed),
            total: self.0.total.load(Ordering::Relaxed),
            items: self.0.items.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// So many more bytes will be read.
    pub(crate) fn expect(&self, bytes: u64) {
        self.0.total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.0.done.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn begin_pass(&self) {
        self.0.items.store(0, Ordering::Relaxed);
    }

    pub(crate) fn add_items(&self, items: u64) {
        self.0.items.fetch_add(items, Ordering::Relaxed);
    }

    /// Polls, on the thread that asked for the work.
    pub(crate) fn check(&self) -> Result<()> {
        let progress = self.progress();
        if let Some(poll) = &mut *self.0.poll.lock().unwrap_or_else(PoisonError::into_inner)
            && !poll(progress)
        {
            self.cancel();
        }
        if self.is_cancelled() { Err(Error::new(Code::Interrupted, "stopped")) } else { Ok(()) }
    }
}
