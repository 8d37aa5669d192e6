//! Changes laid over a base: the sinks and the books of `merge`.

pub mod compare;
pub mod index;
pub mod overlay;
pub mod spill;
pub mod steps;
