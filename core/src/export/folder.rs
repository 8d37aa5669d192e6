//! Writing a folder: of one table or several, divided by values, in files of a size.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use rustc_hash::{FxHashMap, FxHashSet};
use tempfile::TempDir;

use super::convert::{ConvertOptions, ConvertReport, batch_format, check_text_options};
use super::dest::{OutputFormat, check_folder, replace_folder, temporary_folder};
use super::folders::{By, Folders, SplitTable, make_folder};
use super::open::{Export, ReadAs};
use super::parts::{BatchParts, Root, TextParts, WrittenFile};
use super::read::{OnError, ReadOptions, ReadReport, Reader};
use super::sorting::{Readers, Sorted, Sorting, readers};
use crate::columns::Losses;
use crate::columns::cut::Piece;
use crate::columns::waiting::Waiting;
use crate::control::Control;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::format::csv::{self, CsvSink};
use crate::format::encode::ItemEncoder;
use crate::format::ion::encode::Ion;
use crate::format::json::encode::DynamodbJson;
use crate::format::plain::{PlainSink, Text};
use crate::item::Project;
use crate::item::keyed::{Key, Keys};
use crate::parquet::{BatchFormat, ROW_GROUP};
use crate::path;
use crate::schema::{Columns, Policies, Schema};

/// Lines that wait for their files, at most.
const LINES: usize = 16 << 20;

/// What came of a folder.
struct Written {
    read: ReadReport,
    files: Vec<WrittenFile>,
    tables: Vec<SplitTable>,
}

/// Writes a folder, which appears whole or not at all.
pub(super) fn write_folder(
    export: &Export,
    path: &Path,
    format: OutputFormat,
    options: &ConvertOptions,
    control: &Control,
) -> Result<ConvertReport> {
    let by = options.by();
    check(export, format, options, &by)?;
    check_folder(path, options.overwrite)?;
    let mut read = options.read.clone();
    // What names a folder is no column.
    read.columns = read.columns.map(|columns| columns.iter().filter(|name| !by.partition_by.contains(name)).cloned().collect());
    let job = Job { export, by, read, file_size: options.file_size, control };
    let (folder, written) = match batch_format(format, false) {
        Some(format) => job.batches(path, format)?,
        None => build(path, |root| job.text(root, format))?,
    };
    replace_folder(folder, path).map_err(|e| Error::io(&path.display().to_string(), &e))?;
    let Written { read, files, tables } = written;
    let tables = tables.into_iter().map(|table| SplitTable { folder: path.join(table.folder), ..table });
    let tables = if job.by.split_by.is_some() { tables.collect() } else { Vec::new() };
    Ok(ConvertReport { read, bytes_out: files.iter().map(|file| file.bytes).sum(), files, tables })
}

/// Has a folder built beside its place.
fn build<T>(path: &Path, write: impl FnOnce(Root<'_>) -> Result<T>) -> Result<(TempDir, T)> {
    let folder = temporary_folder(path)?;
    let written = write(Root { built: folder.path(), dest: path })?;
    Ok((folder, written))
}

/// Refuses what does not go together.
fn check(export: &Export, format: OutputFormat, options: &ConvertOptions, by: &By) -> Result<()> {
    let read = &options.read;
    let mut seen = FxHashSet::default();
    if let Some(name) = by.partition_by.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Error::usage(format!("partition_by names {name:?} twice")));
    }
    if let Some(name) = by.split_by.as_ref().filter(|name| seen.contains(name.as_str())) {
        return Err(Error::usage(format!("split_by and partition_by both name {name:?}")));
    }
    if by.max_partitions == 0 {
        return Err(Error::usage("max_partitions must be at least 1"));
    }
    if options.file_size == Some(0) {
        return Err(Error::usage("file_size must be at least 1"));
    }
    if !by.is_nothing() && matches!(export.reads(), ReadAs::Changes(..)) {
        return Err(Error::usage("partition_by and split_by are for items, not for changes"));
    }
    let is_whole = matches!(format, OutputFormat::DynamodbJson | OutputFormat::Ion);
    if is_whole && !by.partition_by.is_empty() {
        let message = format!("partition_by takes attributes out of the files, and {} is for whole items", format.as_str());
        return Err(Error::usage(format!("{message}: use split_by")));
    }
    if batch_format(format, false).is_none() {
        return check_text_options(export, format, read);
    }
    if by.split_by.is_some() && (read.schema.is_some() || read.sample.is_some()) {
        let name = if read.schema.is_some() { "a schema" } else { "sample" };
        return Err(Error::usage(format!("{name} is for one table; with split_by each has columns of its own, learnt of all its items")));
    }
    let overridden = by.partition_by.iter().find(|name| {
        let mut at = String::new();
        path::push_name(&mut at, name);
        read.policies.overrides.contains_key(&at)
    });
    match overridden {
        Some(name) => Err(Error::usage(format!("overrides: {name:?} is no column, but names folders (partition_by)"))),
        None => Ok(()),
    }
}

/// What is to be written.
struct Job<'a> {
    export: &'a Export,
    by: By,
    read: ReadOptions,
    file_size: Option<u64>,
    control: &'a Control,
}

impl Job<'_> {
    /// Writes batches, by a guessed schema where there is one that holds.
    fn batches(&self, path: &Path, format: BatchFormat) -> Result<(TempDir, Written)> {
        let names = &self.by.partition_by;
        // A guess is made without a look at what items are refused for.
        let guesses = self.by.split_by.is_none() && (names.is_empty() || self.read.on_error == OnError::Raise);
        if guesses && let Some(reader) = self.export.read_guessed(&self.read, self.control)? {
            match build(path, |root| self.rows(root, format, &one(reader.without(names)))) {
                // Whether a type is too deep to be written is for the learnt one to say.
                Err(error) if matches!(error.code(), Code::Changed | Code::Nesting) => {}
                written => return written,
            }
        }
        let readers = if self.by.is_nothing() {
            one(self.export.read(self.read.clone(), self.control)?)
        } else {
            readers(self.export, &self.read, self.control, &self.by)?
        };
        build(path, |root| self.rows(root, format, &readers))
    }

    fn rows(&self, root: Root<'_>, format: BatchFormat, readers: &Readers) -> Result<Written> {
        let divided = readers.iter().map(|(key, reader)| (key.clone(), reader.clone().divided()));
        let divided: Readers = if self.by.is_nothing() && self.file_size.is_none() { readers.clone() } else { divided.collect() };
        let readers = &divided;
        match readers.values().next() {
            Some(reader) if self.by.is_nothing() => self.stream(root, format, reader),
            _ => self.sort(root, format, readers),
        }
    }

    /// Writes one table into one folder, as its batches come.
    fn stream(&self, root: Root<'_>, format: BatchFormat, reader: &Reader) -> Result<Written> {
        let group = (format == BatchFormat::Parquet).then_some(ROW_GROUP);
        let mut batches = reader.batches_in_groups(group, self.control)?;
        let mut parts = BatchParts::new(root, PathBuf::new(), format, self.file_size, batches.schema(), batches.jobs());
        while let Some(piece) = batches.next_piece()? {
            parts.write(piece)?;
        }
        Ok(Written { files: parts.finish()?, read: batches.report(), tables: Vec::new() })
    }

    /// Writes tables into many folders.
    fn sort(&self, root: Root<'_>, format: BatchFormat, readers: &Readers) -> Result<Written> {
        let batch = self.read.batch_limit()?;
        let mut waiting = Waiting::new(batch, if format == BatchFormat::Parquet { ROW_GROUP } else { batch });
        let columns = readers.iter().map(|(key, reader)| (key.clone(), reader.schema().names_beside(&self.by.partition_by)));
        let mut folders = Folders::new(self.by.clone(), columns.collect());
        // Whatever a table holds that was not there when schemas were learnt has no place in none.
        let unknown = self.export.read_with(Schema::freeze(Arc::default(), Policies::default(), None)?, self.read.clone());
        let sinks = readers.clone();
        let make = move |key: &Key| sinks.get(key).unwrap_or(&unknown).sink();
        let mut sorting = Sorting::new(self.export, &self.read, self.control, &self.by, make)?;
        let (jobs, mut made, mut losses) = (sorting.jobs(), FxHashSet::default(), Losses::default());
        let mut schemas: Vec<SchemaRef> = Vec::new();
        let mut parts: Vec<BatchParts<'_>> = Vec::new();
        while let Some(step) = sorting.next()? {
            let Sorted::Block { tables, .. } = step else { continue };
            let keys: Vec<(Key, &Keys)> = tables.tables.iter().map(|(key, (_, keys))| (key.clone(), keys)).collect();
            let places = folders.place(&keys, &tables.of_rows)?;
            for key in &folders.keys_of_tables()[schemas.len()..] {
                let reader = readers.get(key).ok_or_else(changed)?;
                schemas.push(Arc::new(reader.arrow_schema()));
                waiting.add_table(schemas[schemas.len() - 1].clone());
            }
            for (table, path) in &folders.all[parts.len()..] {
                make_folder(root.built, &mut made, path).map_err(|e| root.failed(path, &e))?;
                waiting.add_folder(*table);
                parts.push(BatchParts::new(root, path.clone(), format, self.file_size, schemas[*table].clone(), jobs.clone()));
            }
            let mut out = |folder: usize, piece: Piece| {
                let ends_group = piece.ends_group;
                parts[folder].write(piece)?;
                if ends_group { parts[folder].rest() } else { Ok(()) }
            };
            let mut added = vec![false; tables.tables.len()];
            for place in &places {
                let rows = &tables.tables[place.part].1.0;
                if !std::mem::replace(&mut added[place.part], true) {
                    waiting.add_block(place.table, rows.batch.clone());
                }
                waiting.push(place.folder, place.row, rows.sizes[place.row], &mut out)?;
            }
            waiting.end_block()?;
            tables.tables.into_iter().for_each(|(_, (rows, _))| losses.merge(rows.losses));
        }
        waiting.finish(&mut |folder, piece| parts[folder].write(piece))?;
        for (key, reader) in readers {
            let items = folders.items(key);
            sorting.with_sinks(|sinks| reader.check_schema(items, sinks))?;
        }
        folders.check()?;
        let files: Result<Vec<_>> = parts.into_iter().map(BatchParts::finish).collect();
        let read = ReadReport { totals: sorting.totals().clone(), losses };
        Ok(Written { read, files: files?.concat(), tables: folders.tables })
    }

    /// Writes lines.
    fn text(&self, root: Root<'_>, format: OutputFormat) -> Result<Written> {
        let (columns, numbers) = (self.export.names_in_text(&self.read, false, self.control)?, self.read.policies.numbers);
        match format {
            OutputFormat::Ndjson => {
                self.lines(root, format, |_| Ok(Vec::new()), move |_| Project::new(PlainSink::new(numbers), columns.clone()))
            }
            OutputFormat::DynamodbJson => {
                self.lines(root, format, |_| Ok(Vec::new()), move |_| Project::new(ItemEncoder::<DynamodbJson>::default(), columns.clone()))
            }
            OutputFormat::Ion => {
                self.lines(root, format, |_| Ok(Vec::new()), move |_| Project::new(ItemEncoder::<Ion>::default(), columns.clone()))
            }
            OutputFormat::Csv => {
                // The header line stands first, so the names have to be known.
                let mut read = self.read.clone();
                read.policies.max_columns = usize::MAX;
                // A schema that is given explains a source of batches; the columns are those of the items.
                let named = |(key, reader): (Key, Reader)| {
                    let names: Columns = reader.schema().fields().iter().map(|field| field.name.clone()).collect();
                    (key, names)
                };
                let mut names: FxHashMap<_, _> = readers(self.export, &read, self.control, &self.by)?.into_iter().map(named).collect();
                if self.by.is_nothing()
                    && let Some(all) = self.export.names_in_text(&read, true, self.control)?
                {
                    names.values_mut().for_each(|names| names.clone_from(&all));
                }
                let known = names.clone();
                let header = move |key: &Key| Ok(csv::header(known.get(key).ok_or_else(changed)?));
                let none = Columns::default();
                self.lines(root, format, header, move |key| {
                    Project::new(CsvSink::new(names.get(key).unwrap_or(&none), numbers), columns.clone())
                })
            }
            OutputFormat::Parquet | OutputFormat::Arrow | OutputFormat::Export | OutputFormat::Legacy => {
                Err(Error::usage("this is no text"))
            }
        }
    }

    fn lines<S: BlockSink<Out = Text>>(
        &self,
        root: Root<'_>,
        format: OutputFormat,
        header: impl Fn(&Key) -> Result<Vec<u8>>,
        make: impl Fn(&Key) -> S + Send + Sync + 'static,
    ) -> Result<Written> {
        let mut folders = Folders::new(self.by.clone(), FxHashMap::default());
        let mut sorting = Sorting::new(self.export, &self.read, self.control, &self.by, make)?;
        let (mut made, mut losses, mut waiting) = (FxHashSet::default(), Losses::default(), 0);
        let mut parts: Vec<TextParts<'_>> = Vec::new();
        while let Some(step) = sorting.next()? {
            let Sorted::Block { tables, .. } = step else { continue };
            let keys: Vec<(Key, &Keys)> = tables.tables.iter().map(|(key, (_, keys))| (key.clone(), keys)).collect();
            let places = folders.place(&keys, &tables.of_rows)?;
            for (table, path) in &folders.all[parts.len()..] {
                make_folder(root.built, &mut made, path).map_err(|e| root.failed(path, &e))?;
                let header = header(&folders.keys_of_tables()[*table])?;
                parts.push(TextParts::new(root, path.clone(), format, self.file_size, header));
            }
            let mut rest: Vec<&[u8]> = tables.tables.iter().map(|(_, (text, _))| text.lines.as_slice()).collect();
            for place in &places {
                let (line, behind) = rest[place.part].split_at(line_end(rest[place.part], format));
                rest[place.part] = behind;
                waiting += line.len();
                parts[place.folder].line(line)?;
            }
            if waiting >= LINES {
                waiting = 0;
                parts.iter_mut().try_for_each(TextParts::rest)?;
            }
            losses.rounded.count += tables.tables.iter().map(|(_, (text, _))| text.rounded).sum::<u64>();
        }
        folders.check()?;
        if parts.is_empty() && self.by.is_nothing() {
            parts.push(TextParts::new(root, PathBuf::new(), format, self.file_size, header(&Key::default())?));
        }
        let files: Result<Vec<_>> = parts.into_iter().map(TextParts::finish).collect();
        let read = ReadReport { totals: sorting.totals().clone(), losses };
        Ok(Written { read, files: files?.concat(), tables: folders.tables })
    }
}

/// The reader of a table that is not split.
fn one(reader: Reader) -> Readers {
    [(Key::default(), reader)].into_iter().collect()
}

fn changed() -> Error {
    Error::new(Code::Changed, "the data changed between learning the schemas and reading it: there is a table more")
}

/// Behind the first line. In a cell of CSV there may be others.
fn line_end(lines: &[u8], format: OutputFormat) -> usize {
    let mut quoted = false;
    for at in memchr::memchr2_iter(b'\n', b'"', lines) {
        if lines[at] == b'\n' && !quoted {
            return at + 1;
        }
        quoted ^= lines[at] == b'"' && format == OutputFormat::Csv;
    }
    lines.len()
}
