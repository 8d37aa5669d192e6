//! Athena.

pub mod name;
