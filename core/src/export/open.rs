//! Opening an export: finding its manifests, and its data files where they are now.
//!
//! Exports are copied and moved. A key in a manifest is looked for by its part from
//! `AWSDynamoDB/` on, then by its base name in the places where data files stand.

use std::collections::BTreeSet;
#[cfg(not(target_arch = "wasm32"))]
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::legacy::{Dump, open_dump};
use super::rows::Batches;
use super::schema::Learnt;
use crate::change::Images;
use crate::change::key::KeyNames;
#[cfg(not(target_arch = "wasm32"))]
use crate::control::Control;
use crate::engine::ledger::Expected;
use crate::engine::rows::OpenRows;
use crate::engine::worker::Reading;
use crate::error::{Code, Error, Result};
use crate::format::SourceFormat;
use crate::format::csv::CsvOptions;
use crate::format::record::{Form, KEPT};
use crate::manifest::{ExportSummary, FILES, FileEntry, LEGACY, SUMMARY, files};
use crate::merge::index::Over;
use crate::schema::{Layout, Schema};
use crate::storage::Storage;

/// The folder that AWS puts every export into.
const AWS_FOLDER: &str = "AWSDynamoDB/";

/// A data file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// What the manifest says; `None` where there is no manifest.
    pub entry: Option<FileEntry>,
    /// Where the storage has it; `None` where it is missing.
    pub key: Option<String>,
    /// Its compressed size in bytes; `None` where it is missing or not known.
    pub size: Option<u64>,
    /// The name for messages.
    pub name: String,
}

/// An export, or data files without manifests, opened: nothing but the manifests is read.
#[derive(Clone)]
pub struct Export {
    storage: Arc<dyn Storage>,
    /// The folder with the manifests, `""` or ending in `/`; `None` without manifests.
    folder: Option<String>,
    name: String,
    summary: Option<ExportSummary>,
    /// The legacy dump that it is.
    dump: Option<Arc<Dump>>,
    files: Vec<DataFile>,
    /// The format that was asked for.
    format: Option<SourceFormat>,
    /// How CSV is read.
    csv: Arc<CsvOptions>,
    /// Batches that are in no file.
    rows: Option<Rows>,
    learnt: Arc<Learnt>,
    read_as: ReadAs,
    /// Keeps the spooled data of a pipe.
    #[cfg(not(target_arch = "wasm32"))]
    _spool: Option<Arc<tempfile::TempDir>>,
}

/// What the records of an export are read as.
#[derive(Clone, Debug, Default)]
pub(crate) enum ReadAs {
    /// As what they are, items.
    #[default]
    Items,
    /// As changes, with these images, of items with this key.
    Changes(Images, Option<KeyNames>),
    /// As what is left of them under these changes, with what the changes add.
    Merged(Arc<Over>),
}

/// Opens a stream of record batches, once or as often as it is asked to.
type Rows = Arc<dyn Fn() -> Result<Batches> + Send + Sync>;

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("name", &self.name).field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl Export {
    pub(super) fn of(storage: Arc<dyn Storage>, name: &str, files: Vec<DataFile>) -> Self {
        Self {
            storage,
            folder: None,
            name: name.to_owned(),
            summary: None,
            dump: None,
            files,
            format: None,
            csv: Arc::default(),
            rows: None,
            learnt: Arc::default(),
            read_as: ReadAs::default(),
            #[cfg(not(target_arch = "wasm32"))]
            _spool: None,
        }
    }

    /// Record batches as a source of items. `open` is called for each pass over them.
    pub fn of_batches(name: &str, open: impl Fn() -> Result<Batches> + Send + Sync + 'static) -> Self {
        let file = DataFile { entry: None, key: None, size: None, name: name.to_owned() };
        let storage = Arc::new(crate::storage::memory::Memory::default());
        Self { rows: Some(Arc::new(open)), format: Some(SourceFormat::Arrow), ..Self::of(storage, name, vec![file]) }
    }

    /// The same source, in a format that is not to be detected.
    #[must_use]
    pub fn with_format(self, format: SourceFormat) -> Self {
        Self { format: Some(format), ..self }
    }

    /// The same source, whose files of CSV are read so.
    pub fn with_csv(self, options: CsvOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { csv: Arc::new(options), learnt: Arc::default(), ..self })
    }

    /// How files of CSV are read.
    pub fn csv(&self) -> &CsvOptions {
        &self.csv
    }

    /// The same source, whose records are read as something else.
    pub(crate) fn read_as(self, read_as: ReadAs) -> Self {
        Self { read_as, learnt: Arc::default(), ..self }
    }

    /// The same source, known to be this export.
    pub(crate) fn with_summary(self, summary: ExportSummary) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// The same source, known to be this legacy dump.
    pub(super) fn with_dump(self, dump: Dump) -> Self {
        Self { dump: Some(Arc::new(dump)), ..self }
    }

    /// What its records are read as.
    pub(crate) fn reads(&self) -> &ReadAs {
        &self.read_as
    }

    /// The format that was asked for.
    pub(super) fn asked_format(&self) -> Option<SourceFormat> {
        self.format
    }

    /// How the records are read.
    pub(crate) fn reading(&self, skip: bool) -> Result<Reading> {
        let format = self.known_format()?.map(|(format, _)| format);
        Ok(Reading { format, form: self.form(), skip: skip.then_some(KEPT), csv: self.csv.clone() })
    }

    /// The openers of rows, of each file.
    pub(crate) fn row_sources(&self, format: SourceFormat, schema: Option<&Schema>, layout: Option<Layout>) -> Vec<OpenRows> {
        let explain = (schema.cloned(), layout);
        if let Some(rows) = &self.rows {
            let rows = rows.clone();
            return vec![Box::new(move || rows().map(|batches| batches.into_source(explain.0.as_ref(), explain.1)))];
        }
        let open = |file: &DataFile| {
            let (opener, explain) = (self.batches_of(file, format), explain.clone());
            let open: OpenRows = Box::new(move || Ok(opener()?.into_source(explain.0.as_ref(), explain.1)));
            open
        };
        self.files.iter().map(open).collect()
    }

    /// Opens the batches of a file.
    fn batches_of(&self, file: &DataFile, format: SourceFormat) -> impl FnOnce() -> Result<Batches> + Send + use<> {
        let (path, missing) = (file.key.as_ref().and_then(|key| self.storage.local_path(key)), file.name.clone());
        move || {
            let path =
                path.ok_or_else(|| Error::new(Code::Io, "Parquet and Arrow files are read from the local file system").in_file(missing))?;
            let shown = path.display().to_string();
            let batches = match format {
                SourceFormat::Parquet => Batches::of_parquet(&path),
                _ => Batches::of_ipc(&path),
            };
            batches.map_err(|e| e.in_file(shown))
        }
    }

    /// The Arrow schemas of the files, or of the batches.
    pub(crate) fn row_schemas(&self) -> Result<Vec<SchemaRef>> {
        if let Some(rows) = &self.rows {
            return Ok(vec![rows()?.schema]);
        }
        let format = self.format()?;
        self.files.iter().map(|file| Ok(self.batches_of(file, format)()?.schema)).collect()
    }

    /// What was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The summary manifest, where there is one.
    pub fn summary(&self) -> Option<&ExportSummary> {
        self.summary.as_ref()
    }

    /// The legacy dump that it is, where a manifest says so.
    pub fn dump(&self) -> Option<&Dump> {
        self.dump.as_deref()
    }

    /// The data files, in the order of the manifest, or in byte order of their names.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// What was learnt of the items.
    pub fn learnt(&self) -> &Learnt {
        &self.learnt
    }

    /// Where the files are.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The folder of the manifests, where there are any.
    pub fn folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    /// Compressed bytes of all files that are there.
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.size).sum()
    }

    /// How the records look: an export's have `Item`, or are changes.
    pub(crate) fn form(&self) -> Form {
        match &self.summary {
            _ if matches!(self.read_as, ReadAs::Changes(..)) => Form::Changes,
            Some(summary) if summary.is_incremental() => Form::Any,
            Some(_) => Form::Wrapped,
            None => Form::Either,
        }
    }

    /// Refuses what cannot be read as a table.
    pub(crate) fn require_full(&self) -> Result<()> {
        if self.summary.as_ref().is_some_and(ExportSummary::is_incremental) && matches!(self.read_as, ReadAs::Items) {
            let message = "this is an incremental export: its records are changes, not items; `changes` reads them";
            return Err(Error::new(Code::Incremental, message).in_file(&*self.name));
        }
        Ok(())
    }

    /// The files as the engine reads them.
    pub fn expected(&self) -> Arc<[Expected]> {
        let expected = |file: &DataFile| Expected {
            name: file.name.clone(),
            key: file.key.clone(),
            size: file.size,
            items: file.entry.as_ref().and_then(|entry| entry.item_count),
            md5: file.entry.as_ref().and_then(|entry| entry.md5_checksum.clone()),
        };
        self.files.iter().map(expected).collect()
    }
}

/// Opens an export on the local file system: a folder with `manifest-summary.json`, or with the
/// `manifest` of a legacy dump, a manifest, a folder with one export below it, a folder of data files, a data file, or
/// `-` for standard input.
#[cfg(not(target_arch = "wasm32"))]
pub fn open_export(src: &str) -> Result<Export> {
    open_export_with(src, &Control::default())
}

/// The same, and `control` stops the reading of standard input and named pipes.
#[cfg(not(target_arch = "wasm32"))]
pub fn open_export_with(src: &str, control: &Control) -> Result<Export> {
    use crate::storage::local::Local;

    if src == "-" {
        return spool(|| Ok(std::io::stdin()), "standard input", control);
    }
    let path = Path::new(src);
    let meta = std::fs::metadata(path).map_err(|e| Error::io(src, &e))?;
    if meta.is_dir() {
        // An export that is named by its own folder may have its data beside it.
        let manifests = path.join(SUMMARY).is_file() || path.join(FILES).is_file();
        let real = std::fs::canonicalize(path).map_err(|e| Error::io(src, &e))?;
        if manifests && let (Some(parent), Some(own)) = (real.parent(), real.file_name().and_then(|n| n.to_str())) {
            if parent.file_name().is_some_and(|name| name == "AWSDynamoDB")
                && let Some(root) = parent.parent()
            {
                return open(Arc::new(Local::new(root)?), &format!("{AWS_FOLDER}{own}/"), src);
            }
            if !path.join("data").is_dir() {
                return open(Arc::new(Local::new(parent)?), &format!("{own}/"), src);
            }
        }
        return open(Arc::new(Local::new(path)?), "", src);
    }
    if !meta.is_file() {
        // A named pipe, as shells give for `<(command)`.
        let path = path.to_owned();
        return spool(|| std::fs::File::open(path), src, control);
    }
    if path.file_name().is_some_and(|name| name == SUMMARY || name == FILES || name == LEGACY) {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return open_export(&folder.display().to_string());
    }
    // Whoever names a link means the file that it leads to.
    let real = std::fs::canonicalize(path).map_err(|e| Error::io(src, &e))?;
    let folder = real.parent().unwrap_or(Path::new("/"));
    let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    open_file(Arc::new(Local::new(folder)?), name, src)
}

/// Data that can be read once is kept in a temporary file: learning a schema and reading
/// take two passes.
#[cfg(not(target_arch = "wasm32"))]
fn spool<R: std::io::Read>(source: impl FnOnce() -> std::io::Result<R> + Send + 'static, name: &str, control: &Control) -> Result<Export> {
    use std::io::Write;
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};
    use std::time::Duration;

    let failed = |e: std::io::Error| Error::io(name, &e);
    let (folder, mut file) = Export::spooled()?;
    // Nothing stops a read of a pipe: a thread of its own waits in it.
    let (sender, chunks) = sync_channel(SPOOL_AHEAD);
    std::thread::spawn(move || {
        if let Err(error) = source().and_then(|source| send_chunks(source, |chunk| sender.send(Ok(chunk)).is_ok())) {
            let _ = sender.send(Err(error));
        }
    });
    loop {
        control.check()?;
        match chunks.recv_timeout(Duration::from_millis(50)) {
            Ok(chunk) => file.write_all(&chunk.map_err(failed)?).map_err(failed)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    file.flush().map_err(failed)?;
    drop(file);
    Export::of_spooled(folder, name)
}

#[cfg(not(target_arch = "wasm32"))]
impl Export {
    /// A file that is gone with what was opened of it.
    pub(crate) fn spooled() -> Result<(tempfile::TempDir, std::io::BufWriter<std::fs::File>)> {
        let failed = |e: std::io::Error| Error::new(Code::Io, e.to_string()).in_file("a temporary file");
        let mut builder = tempfile::Builder::new();
        builder.prefix(".dynarrow-").suffix(".tmp");
        let folder = builder.tempdir().map_err(failed)?;
        let file = std::fs::File::create(folder.path().join(SPOOLED)).map_err(failed)?;
        Ok((folder, std::io::BufWriter::new(file)))
    }

    /// Opens what was spooled.
    pub(crate) fn of_spooled(folder: tempfile::TempDir, name: &str) -> Result<Self> {
        let export = open_file(Arc::new(crate::storage::local::Local::new(folder.path())?), SPOOLED, name)?;
        Ok(Self { _spool: Some(Arc::new(folder)), ..export })
    }
}

/// The name of what is spooled, in its folder.
#[cfg(not(target_arch = "wasm32"))]
const SPOOLED: &str = "spooled";
/// Chunks that wait to be written.
#[cfg(not(target_arch = "wasm32"))]
const SPOOL_AHEAD: usize = 4;

/// Reads to the end, or until nobody takes the chunks any more.
#[cfg(not(target_arch = "wasm32"))]
fn send_chunks(mut source: impl std::io::Read, mut send: impl FnMut(Vec<u8>) -> bool) -> std::io::Result<()> {
    loop {
        let mut chunk = vec![0; 256 << 10];
        match source.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                chunk.truncate(count);
                if !send(chunk) {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens one data file of a storage. `name` is what messages call it.
pub fn open_file(storage: Arc<dyn Storage>, key: &str, name: &str) -> Result<Export> {
    let size = storage.size(key)?.ok_or_else(|| Error::new(Code::NotFound, "no such file").in_file(name))?;
    let file = DataFile { entry: None, key: Some(key.to_owned()), size: Some(size), name: name.to_owned() };
    Ok(Export::of(storage, name, vec![file]))
}

/// Opens the export in a folder of a storage (`""` for its root), or the data files there.
/// `name` is what messages call it.
pub fn open(storage: Arc<dyn Storage>, folder: &str, name: &str) -> Result<Export> {
    if storage.size(&format!("{folder}{SUMMARY}"))?.is_some() || storage.size(&format!("{folder}{FILES}"))?.is_some() {
        return open_manifests(storage, folder, name);
    }
    if storage.size(&format!("{folder}{LEGACY}"))?.is_some() {
        return open_dump(storage, folder, name);
    }
    let entries = storage.list(folder)?;
    let below = |manifest| entries.iter().filter_map(move |entry| entry.key.strip_suffix(manifest)).filter(|at| at.ends_with('/'));
    let (exports, dumps): (BTreeSet<_>, BTreeSet<_>) = (below(SUMMARY).collect(), below(LEGACY).collect());
    match (exports.len(), dumps.len()) {
        (0, 0) => {}
        (1, 0) => {
            let folder = exports.first().map_or(folder, |at| at);
            return open_manifests(storage.clone(), folder, name);
        }
        (0, 1) => {
            let folder = dumps.first().map_or(folder, |at| at);
            return open_dump(storage.clone(), folder, name);
        }
        _ => return Err(several(name, &exports.union(&dumps).copied().collect())),
    }
    // Emulators write the folders of AWS without manifests.
    let exports: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| {
            let at = entry.key.find(AWS_FOLDER)? + AWS_FOLDER.len();
            let end = at + entry.key[at..].find("/data/")?;
            Some(&entry.key[..=end])
        })
        .collect();
    if exports.len() > 1 {
        return Err(several(name, &exports));
    }
    let is_data = |key: &str| !key.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
    let files: Vec<_> = entries
        .into_iter()
        .filter(|entry| is_data(&entry.key))
        .map(|entry| DataFile { entry: None, name: storage.name(&entry.key), size: Some(entry.size), key: Some(entry.key) })
        .collect();
    if files.is_empty() {
        return Err(Error::new(Code::NotFound, "no manifest and no data files in this folder").in_file(name));
    }
    Ok(Export::of(storage, name, files))
}

fn several(name: &str, found: &BTreeSet<&str>) -> Error {
    const SHOWN: usize = 10;
    let mut list: Vec<_> = found.iter().take(SHOWN).map(|at| at.trim_end_matches('/')).collect();
    let more = format!("and {} more", found.len().saturating_sub(SHOWN));
    if found.len() > SHOWN {
        list.push(&more);
    }
    Error::new(Code::SeveralExports, format!("several exports in this folder; name one of {}", list.join(", "))).in_file(name)
}

fn open_manifests(storage: Arc<dyn Storage>, folder: &str, name: &str) -> Result<Export> {
    let missing =
        |file: &str| Error::new(Code::FileMissing, "the export has no such manifest").in_file(storage.name(&format!("{folder}{file}")));
    let summary_key = format!("{folder}{SUMMARY}");
    let bytes = storage.read(&summary_key)?.ok_or_else(|| missing(SUMMARY))?;
    let summary = ExportSummary::parse(&bytes).map_err(|e| e.in_file(storage.name(&summary_key)))?;
    let files_key = format!("{folder}{FILES}");
    let bytes = storage.read(&files_key)?.ok_or_else(|| missing(FILES))?;
    let entries = files::parse(&bytes).map_err(|e| e.in_file(storage.name(&files_key)))?;
    let mut files = Vec::with_capacity(entries.len());
    for entry in entries {
        let found = locate(&*storage, folder, &entry.data_file_s3_key)?;
        let (key, size) = found.unzip();
        files.push(DataFile { name: entry.data_file_s3_key.clone(), key, size, entry: Some(entry) });
    }
    Ok(Export { folder: Some(folder.to_owned()), summary: Some(summary), ..Export::of(storage, name, files) })
}

/// Where a data file is now, and its size.
fn locate(storage: &dyn Storage, folder: &str, key: &str) -> Result<Option<(String, u64)>> {
    let base = key.rsplit('/').next().unwrap_or(key);
    let parent = folder.trim_end_matches('/').rfind('/').map_or("", |at| &folder[..=at]);
    // The root of what AWS wrote, where the export still stands in its own folders.
    let root = parent.strip_suffix(AWS_FOLDER);
    let from_aws_folder = key.find(AWS_FOLDER).map(|at| &key[at..]);
    let candidates = [
        root.zip(from_aws_folder).map(|(root, key)| format!("{root}{key}")),
        Some(format!("{folder}data/{base}")),
        Some(format!("{folder}{base}")),
        (!folder.is_empty()).then(|| format!("{parent}data/{base}")),
        from_aws_folder.map(|key| format!("{folder}{key}")),
    ];
    for candidate in candidates.into_iter().flatten() {
        if let Some(size) = storage.size(&candidate)? {
            return Ok(Some((candidate, size)));
        }
    }
    Ok(None)
}
