//! Dynarrow core.
#![forbid(unsafe_code)]

pub mod block;
pub mod error;
pub mod event;
pub mod format;
pub mod item;
pub mod number;
pub mod path;
