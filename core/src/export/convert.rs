//! Converting a source to a file, a folder or standard output.

use std::fs;
use std::io::{Seek, Write};
use std::path::Path;

use super::dest::{Dest, OutputFormat, check_folder, folder_of, replace_file};
use super::folder::write_folder;
use super::folders::{By, SplitTable};
use super::open::{Export, ReadAs};
use super::parts::WrittenFile;
use super::read::{ReadOptions, ReadReport, Reader};
use super::write::write_export;
use super::write_legacy::write_legacy;
use crate::change::Images;
use crate::codec::{Codec, Compressor};
use crate::columns::Losses;
use crate::control::Control;
use crate::engine::pipeline::Step;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::format::ExportFormat;
use crate::format::SourceFormat;
use crate::format::csv::{self, CsvSink};
use crate::format::encode::ItemEncoder;
use crate::format::ion::encode::Ion;
use crate::format::json::encode::DynamodbJson;
use crate::format::plain::{PlainSink, Text};
use crate::item::Project;
use crate::parquet::{BatchFormat, BatchWriter, ROW_GROUP};
use crate::schema::{Columns, Extra, Numbers, Policies};

/// How an export is converted.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// How it is read.
    pub read: ReadOptions,
    /// A folder that is not empty is replaced, if all its files are Dynarrow's.
    pub overwrite: bool,
    /// The format of the data files of an export that is written.
    pub export_format: ExportFormat,
    /// Of a folder: attributes whose values name folders in it, `name=value`, the outermost
    /// first; they are no columns.
    pub partition_by: Columns,
    /// Of a folder: the attribute by whose values its items are told apart into tables, each a
    /// folder with columns of its own.
    pub split_by: Option<String>,
    /// Of a folder: bytes behind which the next file begins.
    pub file_size: Option<u64>,
    /// Folders in it, at most.
    pub max_partitions: usize,
}

/// Folders in a folder, at most, by default.
pub const MAX_PARTITIONS: usize = 1_000;

impl Default for ConvertOptions {
    fn default() -> Self {
        Self {
            read: ReadOptions::default(),
            overwrite: false,
            export_format: ExportFormat::default(),
            partition_by: Columns::default(),
            split_by: None,
            file_size: None,
            max_partitions: MAX_PARTITIONS,
        }
    }
}

impl ConvertOptions {
    /// How a folder is divided.
    pub(super) fn by(&self) -> By {
        By { split_by: self.split_by.clone(), partition_by: self.partition_by.clone(), max_partitions: self.max_partitions }
    }

    /// Refuses what only a folder of parts can have.
    fn check_undivided(&self) -> Result<()> {
        let given = [
            ("partition_by", !self.partition_by.is_empty()),
            ("split_by", self.split_by.is_some()),
            ("file_size", self.file_size.is_some()),
            ("max_partitions", self.max_partitions != MAX_PARTITIONS),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::usage(format!("{name} is for a folder of files (DEST/), not for one file or an export"))),
            None => Ok(()),
        }
    }
}

/// What a conversion came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConvertReport {
    /// What was read, and what was not.
    pub read: ReadReport,
    /// The files that were written.
    pub files: Vec<WrittenFile>,
    /// The tables of `split_by`, in the order in which their first items came.
    pub tables: Vec<SplitTable>,
    /// Bytes written.
    pub bytes_out: u64,
}

/// Refuses what can be refused before long work is done for it.
pub(super) fn check_writing(source: &Export, dest: &Dest, options: &ConvertOptions) -> Result<()> {
    match dest {
        Dest::Stdout(_) => {}
        Dest::File(path, ..) => {
            folder_of(path)?;
        }
        Dest::Folder(path, _) => {
            folder_of(path)?;
            check_folder(path, options.overwrite)?;
        }
    }
    let (Dest::Stdout(format) | Dest::File(_, format, _) | Dest::Folder(_, format)) = dest;
    if batch_format(*format, false).is_some() { Ok(()) } else { check_text_options(source, *format, &options.read) }
}

/// Converts an export. Standard output is `stdout`.
pub fn convert(
    export: &Export,
    dest: &Dest,
    options: &ConvertOptions,
    control: &Control,
    stdout: impl Write + Send,
) -> Result<ConvertReport> {
    let is_export = matches!(dest, Dest::Folder(_, OutputFormat::Export));
    if options.export_format != ExportFormat::default() && !is_export {
        return Err(Error::usage("export_format is for an export: --to export (to=\"export\" in Python)"));
    }
    if !matches!(dest, Dest::Folder(_, format) if !format.is_whole_folder()) {
        options.check_undivided()?;
    }
    match dest {
        Dest::Stdout(format) => {
            let mut out = Counted { writer: stdout, bytes: 0 };
            let read = write(export, *format, Codec::None, true, options, control, &mut out)?;
            out.flush().map_err(|e| Error::io("standard output", &e))?;
            Ok(ConvertReport { read, bytes_out: out.bytes, ..ConvertReport::default() })
        }
        Dest::File(path, format, codec) => {
            let (read, bytes) = replace_file(path, |file| write_file(export, *format, *codec, options, control, file, path))?;
            let file = WrittenFile { path: path.clone(), bytes, rows: read.totals.items };
            Ok(ConvertReport { read, files: vec![file], tables: Vec::new(), bytes_out: bytes })
        }
        Dest::Folder(path, OutputFormat::Export) => write_export(export, path, options, control),
        Dest::Folder(path, OutputFormat::Legacy) => write_legacy(export, path, options, control),
        Dest::Folder(path, format) => write_folder(export, path, *format, options, control),
    }
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
    let out = || Counted { writer: std::io::BufWriter::with_capacity(1 << 20, file), bytes: 0 };
    if let Some(format) = batch_format(format, false)
        && let Some(reader) = export.read_guessed(&options.read, control)?
    {
        let mut out = out();
        match write_batches(&reader, format, control, &mut out) {
            // Whether a type is too deep to be written is for the learnt one to say.
            Err(error) if matches!(error.code(), Code::Changed | Code::Nesting) => {}
            written => {
                out.flush().map_err(failed)?;
                return Ok((written?, out.bytes));
            }
        }
        drop(out);
        file.set_len(0).and_then(|()| (&*file).rewind()).map_err(failed)?;
    }
    let mut out = out();
    let read = write(export, format, codec, false, options, control, &mut out)?;
    out.flush().map_err(failed)?;
    Ok((read, out.bytes))
}

/// The format of batches that this is, in a file or as a stream.
pub(super) fn batch_format(format: OutputFormat, stream: bool) -> Option<BatchFormat> {
    match format {
        OutputFormat::Parquet => Some(BatchFormat::Parquet),
        OutputFormat::Arrow if stream => Some(BatchFormat::ArrowStream),
        OutputFormat::Arrow => Some(BatchFormat::ArrowFile),
        _ => None,
    }
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
    let numbers = options.read.policies.numbers;
    if let Some(format) = batch_format(format, stream) {
        return write_batches(&export.read(options.read.clone(), control)?, format, control, out);
    }
    check_text_options(export, format, &options.read)?;
    let columns = export.names_in_text(&options.read, false, control)?;
    match format {
        OutputFormat::Ndjson => {
            write_text(export, &[], codec, options, control, out, move || Project::new(PlainSink::new(numbers), columns.clone()))
        }
        OutputFormat::DynamodbJson => write_text(export, &[], codec, options, control, out, move || {
            Project::new(ItemEncoder::<DynamodbJson>::default(), columns.clone())
        }),
        OutputFormat::Ion => {
            write_text(export, &[], codec, options, control, out, move || Project::new(ItemEncoder::<Ion>::default(), columns.clone()))
        }
        OutputFormat::Parquet | OutputFormat::Arrow | OutputFormat::Export | OutputFormat::Legacy => Err(Error::usage("this is no text")),
        OutputFormat::Csv => {
            // The header line stands first, so the names have to be known.
            let mut read = options.read.clone();
            read.policies.max_columns = usize::MAX;
            let names = export.names_in_text(&read, true, control)?.unwrap_or_default();
            let header = csv::header(&names);
            write_text(export, &header, codec, options, control, out, move || Project::new(CsvSink::new(&names, numbers), columns.clone()))
        }
    }
}

/// Refuses formats of items for changes.
pub(super) fn check_changes_format(format: OutputFormat) -> Result<()> {
    if !format.is_exact() || format == OutputFormat::Export {
        return Ok(());
    }
    let message =
        format!("changes are rows: they are written as parquet, arrow, csv, ndjson or a whole export, not as {}", format.as_str());
    Err(Error::usage(message))
}

/// Refuses what only columns of a type can do: to leave it out silently would be worse.
pub(super) fn check_text_options(export: &Export, format: OutputFormat, read: &ReadOptions) -> Result<()> {
    let policies = &read.policies;
    let default = Policies::default();
    let explains = matches!(export.format()?, SourceFormat::Parquet | SourceFormat::Arrow);
    if matches!(export.reads(), ReadAs::Changes(..)) {
        check_changes_format(format)?;
    }
    if let ReadAs::Changes(images, _) = export.reads()
        && format == OutputFormat::Export
    {
        if *images == Images::Old {
            return Err(Error::usage("images=old is for rows: an incremental export has whole changes"));
        }
        if read.columns.is_some() {
            return Err(Error::usage("columns is for rows: an incremental export has whole images"));
        }
        if export.view()?.is_none() {
            return Err(Error::usage("an incremental export is written of a source with manifests, which say its window and view"));
        }
    }
    // A number is exact where items are written as they are.
    let exact = format.is_exact();
    let given = [
        ("numbers", exact && policies.numbers != default.numbers),
        ("numbers=decimal", matches!(policies.numbers, Numbers::Decimal { .. })),
        ("mixed", policies.mixed != default.mixed),
        ("maps", policies.maps != default.maps),
        ("layout", policies.layout != default.layout),
        ("names", policies.names != default.names),
        ("overrides", !policies.overrides.is_empty()),
        ("max_fields", policies.max_fields != default.max_fields),
        ("max_columns", policies.max_columns != default.max_columns),
        ("sample", read.sample.is_some()),
        ("extra", read.extra != Extra::default()),
        ("schema", read.schema.is_some() && !explains),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::usage(format!("{name} is for columns, not for {}", format.as_str()))),
        None => Ok(()),
    }
}

fn write_batches<W: Write + Send>(reader: &Reader, format: BatchFormat, control: &Control, out: &mut Counted<W>) -> Result<ReadReport> {
    let group = (format == BatchFormat::Parquet).then_some(ROW_GROUP);
    let mut batches = reader.batches_in_groups(group, control)?;
    let mut writer = BatchWriter::new(format, &batches.schema(), batches.jobs(), out)?;
    while let Some(piece) = batches.next_piece()? {
        writer.write(piece)?;
    }
    writer.finish()?;
    Ok(batches.report())
}

fn write_text<S: BlockSink<Out = Text>, W: Write>(
    export: &Export,
    header: &[u8],
    codec: Codec,
    options: &ConvertOptions,
    control: &Control,
    out: &mut Counted<W>,
    make: impl Fn() -> S + Send + Sync + 'static,
) -> Result<ReadReport> {
    let failed = |e: std::io::Error| Error::new(Code::Io, e.to_string());
    let mut compressor = Compressor::new(codec, out);
    compressor.write_all(header).map_err(failed)?;
    let mut pipeline = export.steps(&options.read, control, make)?;
    let mut losses = Losses::default();
    for step in &mut pipeline {
        match step? {
            Step::Block { out, .. } => {
                compressor.write_all(&out.lines).map_err(failed)?;
                losses.rounded.count += out.rounded;
            }
            Step::File { error: Some(error), .. } => return Err(error),
            Step::File { .. } => {}
        }
    }
    compressor.finish().map_err(failed)?;
    Ok(ReadReport { totals: pipeline.totals().clone(), losses })
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
