//! Import files that pass the dry run, from any source of items: in the format and compression that the
//! import expects, of a size that imports fast, shuffled where the items are sorted, and with the document that the
//! AWS CLI takes. The folder that they stand in is the image of the bucket: the objects' paths are their keys, which
//! begin with the document's `S3KeyPrefix`.
//!
//! ```text
//! DEST/import-table.json        for `aws dynamodb import-table --cli-input-json`
//! DEST/data/part-00000.json.gz  the objects
//! DEST/rejected.json.gz         items that an import would refuse, in the same format (of CSV, in DynamoDB JSON)
//! DEST/rejected.jsonl           what is wrong with each of them
//! ```

use std::fs;
use std::path::Path;
use std::str::FromStr;

use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use super::advice::Order;
use super::check::{ItemCheck, Rules};
use super::files::{Folder, Objects, Rejects, SPEC, check_dest};
use super::items::{CsvLines, GoodNames, ImportItems, Lines, Prepared};
use super::shuffle::Shuffling;
use super::spec::CsvOptions;
use super::{InputFormat, TableSpec};
use crate::codec::Codec;
use crate::control::Control;
use crate::engine::ledger::Totals;
use crate::engine::pipeline::Step;
use crate::error::{Error, Result};
use crate::export::dest::{folder_of, replace_folder, temporary_folder};
use crate::export::open::Export;
use crate::export::parts::WrittenFile;
use crate::export::read::{OnError, ReadOptions};
use crate::format::SourceFormat;
use crate::format::csv;
use crate::format::encode::ItemEncoder;
use crate::format::ion::encode::Ion;
use crate::format::json::encode::DynamodbJson;
use crate::schema::Columns;

/// Whether items are shuffled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shuffle {
    /// Where the first of them are sorted by their partition key, or those of one stand together.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case: they keep their order.
    Never,
}

impl Shuffle {
    /// The names.
    pub const NAMES: &[&str] = &["auto", "always", "never"];
}

impl FromStr for Shuffle {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "always" => Self::Always,
            "never" => Self::Never,
            _ => return Err(Error::usage(format!("shuffle must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        })
    }
}

/// How import files are made.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    /// How the source is read. Records that cannot be read are not among the rejected items.
    pub read: ReadOptions,
    /// The format of the objects; the spec's, or DynamoDB JSON, for `None`.
    pub to: Option<InputFormat>,
    /// Their compression; the spec's, or gzip, for `None`.
    pub compression: Option<Codec>,
    /// Decompressed bytes behind which the next object begins.
    pub file_size: u64,
    /// Whether items are shuffled, and by what.
    pub shuffle: Shuffle,
    /// The same seed gives the same files.
    pub seed: u64,
    /// Bytes of items that are shuffled in memory at a time.
    pub memory: u64,
    /// A folder that holds what was prepared before is replaced.
    pub overwrite: bool,
    /// The table's name, where the spec has none or is to have another.
    pub table_name: Option<String>,
    /// The bucket that the objects will be in.
    pub bucket: Option<String>,
    /// What their keys begin with; `data/` where neither this nor the spec says it.
    pub prefix: Option<String>,
}

/// Decompressed bytes of an object, unless another number is given: some 250,000 items of 1 KB.
pub const FILE_SIZE: u64 = 256 << 20;
/// Bytes of items that are shuffled in memory at a time, unless another number is given.
pub const MEMORY: u64 = 256 << 20;

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            read: ReadOptions::default(),
            to: None,
            compression: None,
            file_size: FILE_SIZE,
            shuffle: Shuffle::Auto,
            seed: 0,
            memory: MEMORY,
            overwrite: false,
            table_name: None,
            bucket: None,
            prefix: None,
        }
    }
}

/// What was prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareReport {
    /// What was read.
    pub totals: Totals,
    /// The objects.
    pub files: Vec<WrittenFile>,
    /// Items in them.
    pub items: u64,
    /// Their decompressed bytes: what AWS bills.
    pub bytes: u64,
    /// Items that an import would refuse: they are in the file of rejected ones.
    pub rejected: u64,
    /// What is wrong with the first of them.
    pub first_rejected: Option<String>,
    /// Values that CSV cannot hold: imported they are strings, or left out where they are empty or null.
    pub changed: u64,
    /// The path of the first of them.
    pub first_changed: Option<String>,
    /// The items were shuffled.
    pub shuffled: bool,
    /// What the import is to be asked for: the document in `import-table.json`.
    pub spec: TableSpec,
    /// Members of it that nobody has said.
    pub missing: Vec<&'static str>,
}

impl PrepareReport {
    /// The report, without what was read.
    pub fn to_json(&self) -> Value {
        let file = |file: &WrittenFile| json!({"path": file.path.display().to_string(), "bytes": file.bytes, "rows": file.rows});
        json!({
            "files": self.files.iter().map(file).collect::<Value>(),
            "prepared": self.items,
            "bytes": self.bytes,
            "rejected": self.rejected,
            "first_rejected": self.first_rejected,
            "changed": self.changed,
            "first_changed": self.first_changed,
            "shuffled": self.shuffled,
            "spec": self.spec.to_json(),
            "missing": self.missing,
        })
    }
}

/// What keys begin with where nobody says it.
const PREFIX: &str = "data/";

/// Makes import files of the items of a source.
pub fn prepare_import(
    source: &Export,
    dest: &Path,
    spec: &TableSpec,
    options: &PrepareOptions,
    control: &Control,
) -> Result<PrepareReport> {
    let to = options.to.or(spec.format).unwrap_or(InputFormat::DynamodbJson);
    if options.read.schema.is_some() && !matches!(source.format()?, SourceFormat::Parquet | SourceFormat::Arrow) {
        return Err(Error::usage("schema says here what the columns of a Parquet or Arrow source hold; this one is neither"));
    }
    if dest == Path::new("-") {
        return Err(Error::usage("import files are a folder, not standard output"));
    }
    folder_of(dest)?;
    check_dest(dest, options.overwrite)?;
    check_source(source, dest)?;
    let rules = Rules::of(spec);
    let source = &typed(source, &rules)?;
    let prefix = options.prefix.as_deref().or(spec.prefix.as_deref()).unwrap_or(PREFIX);
    check_prefix(prefix)?;
    let codec = options.compression.or(spec.compression).unwrap_or(Codec::Gzip);
    let work = Work { source, dest, rules, spec: described(spec, to, codec, prefix, options), prefix, to, codec, options, control };
    let check = {
        let rules = work.rules.clone();
        move || ItemCheck::new(rules.clone())
    };
    match to {
        InputFormat::DynamodbJson => work.run(&[], move || ImportItems::new(check(), ItemEncoder::<DynamodbJson>::default(), None)),
        InputFormat::Ion => work.run(&[], move || ImportItems::new(check(), ItemEncoder::<Ion>::default(), None)),
        InputFormat::Csv => {
            // The header line stands first, so the names have to be known: those of items that are imported.
            let names = work.names(check.clone())?;
            let header = csv::header(&names);
            let keys: Vec<_> = work.rules.keys.iter().map(|key| key.name.clone()).collect();
            work.run(&header, move || ImportItems::new(check(), CsvLines::new(&names), Some(keys.clone())))
        }
    }
}

/// The source, whose columns of CSV have the types that the keys have.
fn typed(source: &Export, rules: &Rules) -> Result<Export> {
    let mut options = source.csv().clone();
    for key in &rules.keys {
        if let Some(given) = options.types.insert(key.name.clone(), key.kind)
            && given != key.kind
        {
            let (name, is, given) = (&key.name, key.kind.descriptor(), given.descriptor());
            return Err(Error::usage(format!("the key {name:?} is of type {is}, and types says {given}")));
        }
    }
    source.clone().with_csv(options)
}

/// The document with what is known of the objects.
fn described(spec: &TableSpec, to: InputFormat, codec: Codec, prefix: &str, options: &PrepareOptions) -> TableSpec {
    let mut described = spec.clone().with_input(to, &CsvOptions::default(), codec);
    if let Some(name) = &options.table_name {
        described = described.with_table_name(name);
    }
    described.with_source(options.bucket.as_deref().or(spec.bucket.as_deref()), Some(prefix))
}

struct Work<'a> {
    source: &'a Export,
    dest: &'a Path,
    rules: Rules,
    spec: TableSpec,
    /// What the keys of objects begin with.
    prefix: &'a str,
    to: InputFormat,
    codec: Codec,
    options: &'a PrepareOptions,
    control: &'a Control,
}

impl Work<'_> {
    fn run<E: Lines>(&self, header: &[u8], make: impl Fn() -> ImportItems<E> + Send + Sync + 'static) -> Result<PrepareReport> {
        let shuffled = match self.options.shuffle {
            Shuffle::Always => true,
            Shuffle::Never => false,
            Shuffle::Auto => self.is_sorted()?,
        };
        let failed = |e: &std::io::Error| Error::io(&self.dest.display().to_string(), e);
        let temporary = temporary_folder(self.dest)?;
        if let Some(end) = self.prefix.rfind('/') {
            fs::create_dir_all(temporary.path().join(&self.prefix[..end])).map_err(|e| failed(&e))?;
        }
        // CSV does not hold all that an item is.
        let rejected = if self.to == InputFormat::Csv { InputFormat::DynamodbJson } else { self.to };
        let folder = Folder {
            dest: self.dest,
            built: temporary.path(),
            prefix: self.prefix,
            ending: format!("{}{}", self.to.ending(), self.codec.ending()),
            rejected_ending: format!("{}{}", rejected.ending(), self.codec.ending()),
            control: self.control,
            codec: self.codec,
            file_size: self.options.file_size,
            header,
        };
        let (mut objects, mut rejects) = (Objects::new(&folder), Rejects::new(&folder));
        let mut shuffling = if shuffled { Some(Shuffling::new(self.options.seed, folder_of(self.dest)?)?) } else { None };
        let mut report = PrepareReport {
            totals: Totals::default(),
            files: Vec::new(),
            items: 0,
            bytes: 0,
            rejected: 0,
            first_rejected: None,
            changed: 0,
            first_changed: None,
            shuffled,
            spec: self.spec.clone(),
            missing: self.missing(),
        };
        let mut steps = self.source.steps(&self.options.read, self.control, make)?;
        for step in &mut steps {
            let out = match step? {
                Step::File { error: Some(error), .. } => return Err(error),
                Step::File { .. } => continue,
                Step::Block { out, .. } => out,
            };
            let Prepared { lines, ends, rejected, faulty, changed, first_changed } = out;
            report.items += ends.len() as u64;
            report.changed += changed;
            report.first_changed = report.first_changed.take().or(first_changed);
            report.rejected += faulty.len() as u64;
            if report.first_rejected.is_none() {
                report.first_rejected = faulty.first().and_then(|item| item.faults.first()).map(|fault| fault.message.clone());
            }
            rejects.write(&rejected, &faulty)?;
            match &mut shuffling {
                None => objects.write(&lines, &ends)?,
                Some(shuffling) => shuffling.push(&lines, &ends)?,
            }
        }
        report.totals = steps.totals().clone();
        drop(steps);
        if let Some(shuffling) = shuffling {
            shuffling.write(self.options.memory, self.control, &mut objects)?;
        }
        rejects.finish()?;
        (report.files, report.bytes) = objects.finish()?;
        let text = format!("{:#}\n", self.spec.to_json());
        fs::write(temporary.path().join(SPEC), text).map_err(|e| failed(&e))?;
        replace_folder(temporary, self.dest).map_err(|e| failed(&e))?;
        Ok(report)
    }

    /// The names of the attributes of good items, in the order in which they came.
    fn names(&self, check: impl Fn() -> ItemCheck + Send + Sync + 'static) -> Result<Columns> {
        let (mut names, mut known) = (Vec::new(), FxHashSet::default());
        for step in self.source.steps(&self.options.read, self.control, move || GoodNames::new(check()))? {
            match step? {
                Step::File { error: Some(error), .. } => return Err(error),
                Step::File { .. } => {}
                Step::Block { out, .. } => names.extend(out.into_iter().filter(|name| known.insert(name.clone()))),
            }
        }
        Ok(names.into())
    }

    /// Whether the first items stand in the order of their partition keys. Sources are in some order, or in none.
    fn is_sorted(&self) -> Result<bool> {
        const LOOKED_AT: u64 = 20_000;
        let rules = self.rules.clone();
        let read = ReadOptions { on_error: OnError::Skip, ..self.options.read.clone() };
        // A look at the first items is no progress.
        let control = Control::default();
        let (mut order, mut seen) = (Order::default(), 0);
        for step in self.source.steps(&read, &control, move || ItemCheck::new(rules.clone()))? {
            self.control.check()?;
            let Step::Block { out, .. } = step? else { continue };
            let mut start = 0;
            for end in out.key_ends {
                order.push(&out.keys[start..end as usize]);
                start = end as usize;
                seen += 1;
            }
            if seen >= LOOKED_AT {
                break;
            }
        }
        Ok(order.is_sorted())
    }

    /// What the document does not say, and AWS requires.
    fn missing(&self) -> Vec<&'static str> {
        let members = [("TableName", self.spec.table_name.is_some()), ("S3Bucket", self.spec.bucket.is_some())];
        members.into_iter().filter(|(_, known)| !known).map(|(name, _)| name).collect()
    }
}

/// Refuses a source that would be replaced by what is made of it.
fn check_source(source: &Export, dest: &Path) -> Result<()> {
    let Ok(dest) = fs::canonicalize(dest) else { return Ok(()) };
    let keys = source.files().iter().filter_map(|file| file.key.as_deref());
    let paths = keys.filter_map(|key| fs::canonicalize(source.storage().local_path(key)?).ok());
    match paths.into_iter().find(|path| path.starts_with(&dest)) {
        Some(path) => Err(Error::usage(format!("the destination holds the source, {}", path.display()))),
        None => Ok(()),
    }
}

/// A prefix is a path in the folder, beside which nothing else has its name.
fn check_prefix(prefix: &str) -> Result<()> {
    let is_path = prefix.split('/').all(|part| !matches!(part, "." | "..")) && !prefix.contains("//") && !prefix.contains('\\');
    if prefix.is_empty() || prefix.starts_with('/') || !is_path {
        return Err(Error::usage(format!("the prefix of the objects must be a path below the bucket, as in data/, not {prefix:?}")));
    }
    // A prefix is a plain string: what stands beside the objects must not be one.
    for beside in [SPEC, "rejected."] {
        if beside.starts_with(prefix) || prefix.starts_with(beside) {
            return Err(Error::usage(format!("the prefix {prefix:?} would take {beside} for an object, which stands beside them")));
        }
    }
    Ok(())
}
