//! Reads, checks and converts DynamoDB table exports.
//!
//! Every format is a source of the same few [events](event), and everything that is made of
//! items is a sink for them. Decoding is push: it takes whatever chunk has come. A schema is
//! a [summary](schema::summary) that can be merged, frozen into columns.
//!
//! ```no_run
//! use dynarrow::{Control, ReadOptions, open_export};
//!
//! let export = open_export("tests/data/exports/shop")?;
//! let reader = export.read(ReadOptions::default(), &Control::default())?;
//! for batch in reader.batches(&Control::default())? {
//!     println!("{} rows", batch?.num_rows());
//! }
//! # Ok::<(), dynarrow::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod athena;
mod base64;
pub mod block;
pub mod change;
pub mod codec;
pub mod columns;
pub mod control;
mod digits;
pub mod engine;
pub mod error;
pub mod event;
pub mod export;
pub mod format;
pub mod import;
pub mod item;
pub mod manifest;
pub mod merge;
mod name;
pub mod number;
mod open_names;
pub mod parquet;
pub mod path;
pub mod schema;
pub mod storage;

pub use change::{Images, Op, View};
pub use columns::{Loss, Losses};
pub use control::{Control, Progress};
pub use engine::ledger::{Check, Totals};
pub use error::{Class, Code, Error, Result};
#[cfg(not(target_arch = "wasm32"))]
pub use export::convert::{ConvertOptions, ConvertReport, MAX_PARTITIONS, convert};
#[cfg(not(target_arch = "wasm32"))]
pub use export::ddl::DdlOptions;
#[cfg(not(target_arch = "wasm32"))]
pub use export::dest::{Dest, OutputFormat};
#[cfg(not(target_arch = "wasm32"))]
pub use export::diff::{DiffOptions, DiffReport, diff};
#[cfg(not(target_arch = "wasm32"))]
pub use export::folders::SplitTable;
pub use export::format::Told;
pub use export::items::{ItemIter, Tapes};
pub use export::legacy::Dump;
#[cfg(not(target_arch = "wasm32"))]
pub use export::merge::merge;
pub use export::merge::{MergeOptions, MergeReport, Merged, Window};
pub use export::open::{DataFile, Export};
#[cfg(not(target_arch = "wasm32"))]
pub use export::open::{open_export, open_export_with};
#[cfg(not(target_arch = "wasm32"))]
pub use export::parts::{WrittenFile, parse_size};
pub use export::read::{OnError, ReadOptions, ReadReport, Reader, RecordBatches};
pub use export::rows::Batches;
pub use export::verify::{Finding, Severity, VerifyReport};
#[cfg(not(target_arch = "wasm32"))]
pub use export::{relocate::Location, write::write_export};
pub use format::{ExportFormat, SourceFormat};
#[cfg(not(target_arch = "wasm32"))]
pub use import::prepare::{PrepareOptions, PrepareReport, prepare_import};
#[cfg(not(target_arch = "wasm32"))]
pub use import::validate::validate_import;
pub use import::{ImportFinding, ImportReport, TableSpec, validate::ValidateOptions};
pub use item::{AttributeValue, Item};
pub use manifest::{ExportSummary, FileEntry, LegacyEntry, LegacyManifest};
pub use merge::compare::Differences;
pub use merge::index::Counts;
pub use number::Number;
pub use schema::{Columns, Extra, Field, Layout, Maps, Mixed, Names, Numbers, Override, Policies, Schema, Type};
