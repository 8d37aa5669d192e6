//! The manifests of an export, and that of a legacy dump: what they say, and their checksums.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>

pub mod checksums;
pub mod files;
pub mod legacy;
pub mod summary;
pub mod write;

pub use files::FileEntry;
pub use legacy::{LEGACY, LegacyEntry, LegacyManifest};
pub use summary::ExportSummary;

/// The name of the summary manifest.
pub const SUMMARY: &str = "manifest-summary.json";
/// The name of the list of data files.
pub const FILES: &str = "manifest-files.json";
