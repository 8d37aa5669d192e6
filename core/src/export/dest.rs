//! Destinations: what a name means, and how what is written appears whole or not at all.
//!
//! A file is written under a temporary name in its folder and renamed; a folder is built
//! beside its place and renamed.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::folders::is_folder;
use crate::codec::Codec;
use crate::error::{Code, Error, Result};

/// A format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Parquet, snappy.
    Parquet,
    /// Arrow IPC: a file; on standard output a stream.
    Arrow,
    /// CSV with a header line.
    Csv,
    /// Plain JSON lines.
    Ndjson,
    /// DynamoDB JSON lines, `{"Item":{…}}`.
    DynamodbJson,
    /// Amazon Ion lines, `$ion_1_0 {Item:{…}}`.
    Ion,
    /// A whole export with manifests, in a folder that stands for the bucket.
    Export,
    /// A folder as AWS Data Pipeline and the EMR connector write it, with their manifest.
    Legacy,
}

impl OutputFormat {
    /// The names of all formats.
    pub const NAMES: &[&str] = &["parquet", "arrow", "csv", "ndjson", "dynamodb_json", "ion", "export", "legacy"];

    /// The format whose files end so.
    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "json" => Some(Self::DynamodbJson),
            "parquet" | "arrow" | "csv" | "ndjson" | "ion" => Self::from_str(ending).ok(),
            _ => None,
        }
    }

    /// The ending of its files.
    pub const fn ending(self) -> &'static str {
        if matches!(self, Self::DynamodbJson) { "json" } else { self.as_str() }
    }

    /// Whether it is a folder with manifests, which is not divided.
    pub const fn is_whole_folder(self) -> bool {
        matches!(self, Self::Export | Self::Legacy)
    }

    /// Whether items are written as they are: whole, with all their types and exact numbers.
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::DynamodbJson | Self::Ion | Self::Export | Self::Legacy)
    }

    /// The format's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::DynamodbJson => "dynamodb_json",
            Self::Ion => "ion",
            Self::Export => "export",
            Self::Legacy => "legacy",
        }
    }
}

impl FromStr for OutputFormat {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            "csv" => Self::Csv,
            "ndjson" => Self::Ndjson,
            "dynamodb_json" => Self::DynamodbJson,
            "ion" => Self::Ion,
            "export" => Self::Export,
            "legacy" => Self::Legacy,
            _ => return Err(Error::usage(format!("the format must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        })
    }
}

/// Where a conversion goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dest {
    /// Standard output.
    Stdout(OutputFormat),
    /// A file, compressed as a whole where it is text.
    File(PathBuf, OutputFormat, Codec),
    /// A folder of `part-00000.<ending>`.
    Folder(PathBuf, OutputFormat),
}

impl Dest {
    /// What a destination means: `-`, a name with a known ending, or a folder (a name that
    /// ends in `/`, that is one, or that has no ending). `to` names the format where the
    /// name does not.
    pub fn parse(dest: &str, to: Option<OutputFormat>) -> Result<Self> {
        if dest == "-" {
            let format = to.ok_or_else(|| Error::usage("standard output needs a format: give --to (to= in Python)"))?;
            if format.is_whole_folder() {
                let what = if format == OutputFormat::Export { "an export" } else { "a legacy dump" };
                return Err(Error::usage(format!("{what} is a folder, not standard output")));
            }
            return Ok(Self::Stdout(format));
        }
        let path = PathBuf::from(dest);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if to.is_some_and(OutputFormat::is_whole_folder) || dest.ends_with('/') || path.is_dir() || !name.contains('.') {
            return Ok(Self::Folder(path, to.unwrap_or(OutputFormat::Parquet)));
        }
        let (stem, codec) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(stem), _) => (stem, Codec::Gzip),
            (_, Some(stem)) => (stem, Codec::Zstd),
            _ => (name, Codec::None),
        };
        let ending = stem.rsplit_once('.').map_or("", |(_, ending)| ending);
        let named = OutputFormat::of_ending(ending);
        let format = match (named, to) {
            (Some(named), Some(to)) if named != to => {
                return Err(Error::usage(format!("{dest:?} ends as {}, and the format asked for is {}", named.as_str(), to.as_str())));
            }
            (named, to) => named.or(to).ok_or_else(|| {
                Error::usage(format!("{dest:?} has no known ending (.parquet, .arrow, .csv, .ndjson, .json, .ion); a folder ends in /"))
            })?,
        };
        if codec != Codec::None && matches!(format, OutputFormat::Parquet | OutputFormat::Arrow) {
            return Err(Error::usage(format!("{dest:?}: a {} file is not compressed as a whole", format.as_str())));
        }
        Ok(Self::File(path, format, codec))
    }
}

/// Has a file written under a temporary name in its folder, and puts it in its place when it
/// is whole.
pub fn replace_file<T>(path: &Path, write: impl FnOnce(&fs::File) -> Result<T>) -> Result<T> {
    let failed = |e: &std::io::Error| Error::io(&path.display().to_string(), e);
    let file = temporary(0o666).tempfile_in(folder_of(path)?).map_err(|e| failed(&e))?;
    let written = write(file.as_file())?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(written)
}

/// The folder that a file or folder is to stand in.
pub(crate) fn folder_of(path: &Path) -> Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Error::new(Code::NotFound, "there is no such folder to write into").in_file(folder.display().to_string()))
}

/// A folder beside `path`, to be put in its place when it is whole.
pub(crate) fn temporary_folder(path: &Path) -> Result<tempfile::TempDir> {
    temporary(0o777).tempdir_in(folder_of(path)?).map_err(|e| Error::io(&path.display().to_string(), &e))
}

/// Names and permissions of what is not complete.
#[cfg_attr(not(unix), allow(unused_variables))]
fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dynarrow-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's mask applies, as to any new file or folder.
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    builder
}

fn is_part(name: &str) -> bool {
    let Some((number, ending)) = name.strip_prefix("part-").and_then(|rest| rest.split_once('.')) else { return false };
    number.len() >= 5 && number.bytes().all(|b| b.is_ascii_digit()) && OutputFormat::of_ending(ending).is_some()
}

/// Refuses a folder that holds something, or something that is not ours.
pub(crate) fn check_folder(path: &Path, overwrite: bool) -> Result<()> {
    let shown = path.display().to_string();
    let mut entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(&shown, &error)),
    };
    if !overwrite && entries.next().is_some() {
        return Err(Error::new(Code::DestExists, "the folder is not empty; --overwrite (overwrite=True) replaces it").in_file(shown));
    }
    match foreign(path).map_err(|e| Error::io(&shown, &e))? {
        None => Ok(()),
        Some(name) => {
            let name = name.strip_prefix(path).unwrap_or(&name).display().to_string();
            let message = format!("the folder holds {name:?}, which Dynarrow did not write; it is not overwritten");
            Err(Error::new(Code::DestExists, message).in_file(shown))
        }
    }
}

/// What stands in a folder and is neither a part nor a folder of parts.
fn foreign(path: &Path) -> std::io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (ty, name) = (entry.file_type()?, entry.file_name());
        let name = name.to_string_lossy();
        if ty.is_dir() && is_folder(&name) {
            // An output has no folder without parts.
            let is_empty = fs::read_dir(entry.path())?.next().is_none();
            let found = if is_empty { Some(entry.path()) } else { foreign(&entry.path())? };
            if found.is_some() {
                return Ok(found);
            }
        } else if !ty.is_file() || !is_part(&name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// Puts a folder that is whole in its place.
pub(crate) fn replace_folder(new: tempfile::TempDir, path: &Path) -> std::io::Result<()> {
    let old = new.path().with_extension("old");
    let exists = path.exists();
    if exists {
        fs::rename(path, &old)?;
    }
    if let Err(error) = fs::rename(new.path(), path) {
        if exists {
            fs::rename(&old, path)?;
        }
        return Err(error);
    }
    // It stands in its place now; there is nothing left to clean up under the old name.
    let _ = new.keep();
    if exists { fs::remove_dir_all(&old) } else { Ok(()) }
}
