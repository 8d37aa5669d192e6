//! Imports: what `ImportTable` asks for, and what it would say.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>

mod advice;
pub mod check;
pub mod duplicates;
#[cfg(not(target_arch = "wasm32"))]
mod files;
#[cfg(not(target_arch = "wasm32"))]
mod items;
pub mod log;
pub mod objects;
#[cfg(not(target_arch = "wasm32"))]
pub mod prepare;
pub mod report;
#[cfg(not(target_arch = "wasm32"))]
mod shuffle;
pub mod size;
pub mod spec;
pub mod unknown;
pub mod validate;
mod words;

pub use report::{ImportFinding, ImportReport};
pub use spec::{CsvOptions, GlobalSecondaryIndex, InputFormat, Projection, SpecFinding, TableSpec, Tier, VectorIndex};
