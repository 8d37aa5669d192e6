//! Converting an export to a file, a folder or standard output.
//!
//! A file appears whole or not at all: it is written under a temporary name in its folder
//! and renamed; a folder is built beside its place and renamed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::open::Export;
use super::read::{ReadOptions, ReadReport};
use crate::codec::{Codec, Compressor};
use crate::control::Control;
use crate::engine::pipeline::{Pipeline, Step};
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::format::csv::{self, CsvSink};
use crate::format::plain::{PlainSink, Text};
use crate::item::Project;
use crate::parquet::{BatchFormat, BatchWriter, ROW_GROUP};
use crate::schema::Columns;

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
}

impl OutputFormat {
    /// The names of all formats.
    pub const NAMES: &[&str] = &["parquet", "arrow", "csv", "ndjson"];

    /// The format's name, and the ending of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
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
            return Ok(Self::Stdout(format));
        }
        let path = PathBuf::from(dest);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if dest.ends_with('/') || path.is_dir() || !name.contains('.') {
            return Ok(Self::Folder(path, to.unwrap_or(OutputFormat::Parquet)));
        }
        let (stem, codec) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(stem), _) => (stem, Codec::Gzip),
            (_, Some(stem)) => (stem, Codec::Zstd),
            _ => (name, Codec::None),
        };
        let ending = stem.rsplit_once('.').map_or("", |(_, ending)| ending);
        let named = OutputFormat::from_str(ending).ok();
        let format = match (named, to) {
            (Some(named), Some(to)) if named != to => {
                return Err(Error::usage(format!("{dest:?} ends as {}, and the format asked for is {}", named.as_str(), to.as_str())));
            }
            (named, to) => named.or(to).ok_or_else(|| {
                Error::usage(format!("{dest:?} has no known ending (.{}); a folder ends in /", OutputFormat::NAMES.join(", .")))
            })?,
        };
        if codec != Codec::None && matches!(format, OutputFormat::Parquet | OutputFormat::Arrow) {
            return Err(Error::usage(format!("{dest:?}: a {} file is not compressed as a whole", format.as_str())));
        }
        Ok(Self::File(path, format, codec))
    }
}

/// How an export is converted.
#[derive(Clone, Debug, Default)]
pub struct ConvertOptions {
    /// How it is read.
    pub read: ReadOptions,
    /// A folder that is not empty is replaced, if all its files are Dynarrow's.
    pub overwrite: bool,
}

/// What a conversion came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConvertReport {
    /// What was read, and what was not.
    pub read: ReadReport,
    /// The files that were written, with their sizes in bytes.
    pub files: Vec<(PathBuf, u64)>,
    /// Bytes written.
    pub bytes_out: u64,
}

/// Converts an export. Standard output is `stdout`.
pub fn convert(
    export: &Export,
    dest: &Dest,
    options: &ConvertOptions,
    control: &Control,
    stdout: impl Write + Send,
) -> Result<ConvertReport> {
    match dest {
        Dest::Stdout(format) => {
            let mut out = Counted { writer: stdout, bytes: 0 };
            let read = write(export, *format, Codec::None, true, options, control, &mut out)?;
            out.flush().map_err(|e| Error::io("standard output", &e))?;
            Ok(ConvertReport { read, files: Vec::new(), bytes_out: out.bytes })
        }
        Dest::File(path, format, codec) => {
            let (read, bytes) = replace_file(path, |file| write_file(export, *format, *codec, options, control, file, path))?;
            Ok(ConvertReport { read, files: vec![(path.clone(), bytes)], bytes_out: bytes })
        }
        Dest::Folder(path, format) => {
            check_folder(path, options.overwrite)?;
            let failed = |e: &std::io::Error| Error::io(&path.display().to_string(), e);
            let folder = temporary(0o777).tempdir_in(folder_of(path)?).map_err(|e| failed(&e))?;
            let name = format!("part-00000.{}", format.as_str());
            let file = fs::File::create(folder.path().join(&name)).map_err(|e| failed(&e))?;
            let (read, bytes) = write_file(export, *format, Codec::None, options, control, &file, &path.join(&name))?;
            file.sync_all().map_err(|e| failed(&e))?;
            replace_folder(folder, path).map_err(|e| failed(&e))?;
            Ok(ConvertReport { read, files: vec![(path.join(name), bytes)], bytes_out: bytes })
        }
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
fn folder_of(path: &Path) -> Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Error::new(Code::NotFound, "there is no such folder to write into").in_file(folder.display().to_string()))
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
    number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit()) && OutputFormat::from_str(ending).is_ok()
}

/// Refuses a folder that holds something, or something that is not ours.
fn check_folder(path: &Path, overwrite: bool) -> Result<()> {
    let shown = path.display().to_string();
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(&shown, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(&shown, &e))?;
        let is_file = entry.file_type().map_err(|e| Error::io(&shown, &e))?.is_file();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !overwrite {
            return Err(Error::new(Code::DestExists, "the folder is not empty; --overwrite (overwrite=True) replaces it").in_file(shown));
        }
        if !is_file || !is_part(&name) {
            let message = format!("the folder holds {name:?}, which Dynarrow did not write; it is not overwritten");
            return Err(Error::new(Code::DestExists, message).in_file(shown));
        }
    }
    Ok(())
}

fn replace_folder(new: tempfile::TempDir, path: &Path) -> std::io::Result<()> {
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

fn write_file(
    export: &Export,
    format: OutputFormat,
    codec: Codec,
    options: &ConvertOptions,
    control: &Control,
    file: &fs::File,
    path: &Path,
) -> Result<(ReadReport, u64)> {
    let failed = |e: std::io::Error| Error::io(&path.display().to_string(), &e);
    let mut out = Counted { writer: std::io::BufWriter::with_capacity(1 << 20, file), bytes: 0 };
    let read = write(export, format, codec, false, options, control, &mut out)?;
    out.flush().map_err(failed)?;
    Ok((read, out.bytes))
}

fn write<W: Write + Send>(
    export: &Export,
    format: OutputFormat,
    codec: Codec,
    stream: bool,
    options: &ConvertOptions,
    control: &Control,
    out: &mut Counted<W>,
) -> Result<ReadReport> {
    let columns = options.read.columns.clone();
    let numbers = options.read.policies.numbers;
    match format {
        OutputFormat::Parquet => write_batches(export, BatchFormat::Parquet, options, control, out),
        OutputFormat::Arrow if stream => write_batches(export, BatchFormat::ArrowStream, options, control, out),
        OutputFormat::Arrow => write_batches(export, BatchFormat::ArrowFile, options, control, out),
        OutputFormat::Ndjson => {
            write_text(export, Vec::new(), codec, options, control, out, move || Project::new(PlainSink::new(numbers), columns.clone()))
        }
        OutputFormat::Csv => {
            // The header line stands first, so the names have to be known.
            let schema = export.infer_schema(&options.read, control)?;
            let names: Columns = schema.fields().iter().map(|field| field.name.clone()).collect();
            let header = csv::header(&names);
            write_text(export, header, codec, options, control, out, move || Project::new(CsvSink::new(&names, numbers), columns.clone()))
        }
    }
}

fn write_batches<W: Write + Send>(
    export: &Export,
    format: BatchFormat,
    options: &ConvertOptions,
    control: &Control,
    out: &mut Counted<W>,
) -> Result<ReadReport> {
    let reader = export.read(options.read.clone(), control)?;
    let group = (format == BatchFormat::Parquet).then_some(ROW_GROUP);
    let mut batches = reader.batches_in_groups(group, control)?;
    let mut writer = BatchWriter::new(format, &batches.schema(), out)?;
    while let Some(piece) = batches.next_piece()? {
        writer.write(&piece)?;
    }
    writer.finish()?;
    Ok(batches.report())
}

fn write_text<S: BlockSink<Out = Text>, W: Write>(
    export: &Export,
    header: Vec<u8>,
    codec: Codec,
    options: &ConvertOptions,
    control: &Control,
    out: &mut Counted<W>,
    make: impl Fn() -> S + Send + Sync + 'static,
) -> Result<ReadReport> {
    let failed = |e: std::io::Error| Error::new(Code::Io, e.to_string());
    let mut compressor = Compressor::new(codec, out);
    compressor.write_all(&header).map_err(failed)?;
    let mut pipeline = Pipeline::new(export.pass(&options.read, control)?, make);
    let mut rounded_numbers = 0;
    for step in &mut pipeline {
        match step? {
            Step::Block { out, .. } => {
                compressor.write_all(&out.lines).map_err(failed)?;
                rounded_numbers += out.rounded;
            }
            Step::File { error: Some(error), .. } => return Err(error),
            Step::File { .. } => {}
        }
    }
    compressor.finish().map_err(failed)?;
    Ok(ReadReport { totals: pipeline.totals().clone(), rounded_numbers })
}

/// Counts what is written.
struct Counted<W> {
    writer: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}
