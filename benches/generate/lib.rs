//! Exports to S3 as `DynamoDB` writes them, made from a seed: for measuring, tests and examples.
//!
//! It shares no code with the core: it is a second, independent statement of what an export
//! looks like. The same arguments give the same bytes, times and names included, on any number
//! of threads; only another version of the compressor may pack the same lines differently.

pub mod changes;
pub mod data;
pub mod layout;
pub mod lines;
mod narrow;
pub mod rng;
pub mod shape;
mod shop;
mod time;
mod wide;
mod words;
