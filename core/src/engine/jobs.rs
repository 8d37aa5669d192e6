//! Work beside a pass, on the threads of the pass.

use crate::error::Result;

/// A piece of work.
pub type Job = Box<dyn FnOnce() + Send>;

/// Who does jobs.
pub trait Jobs: Send + Sync {
    /// Has a job done, now or later, in the order they are given.
    fn push(&self, job: Job);

    /// Works until `done`. Stops where the user does.
    fn work_until(&self, done: &dyn Fn() -> bool) -> Result<()>;
}

/// Does each job at once.
pub struct AtOnce;

impl Jobs for AtOnce {
    fn push(&self, job: Job) {
        job();
    }

    fn work_until(&self, _done: &dyn Fn() -> bool) -> Result<()> {
        Ok(())
    }
}
