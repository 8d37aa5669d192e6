//! Imports: what `ImportTable` asks for, and what it would say.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>

pub mod check;
pub mod size;
pub mod spec;

pub use spec::{CsvOptions, GlobalSecondaryIndex, InputFormat, Projection, SpecFinding, TableSpec, Tier, VectorIndex};
