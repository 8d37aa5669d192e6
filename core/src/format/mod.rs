//! The formats: one a file, decoding and encoding side by side.

pub mod csv;
pub mod json;
pub mod plain;
