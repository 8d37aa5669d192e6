//! The formats: one a file, decoding and encoding side by side.

pub mod json;
