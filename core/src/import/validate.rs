//! The dry run of `ImportTable`: what the service would import, what it would say, and what it
//! would not come to say.
//!
//! The service stops an object at its first record that cannot be read, one without `Item` among
//! them, and where the compression is another than it was told; all else costs an item. The dry run
//! reads on, and says of each finding whether the service would have come so far.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::advice::{Facts, Order, advice};
use super::check::{Checks, Fault, ItemCheck, Layout, Rules};
use super::duplicates::{Keys, Repeated};
use super::log::LogEntry;
use super::objects::{Objects, wrong_compression};
use super::report::{ImportFinding, ImportReport, Input, Located};
use super::spec::compression_name;
use super::unknown::{Assumptions, Cost, Level, Unknown, unknown_of};
use super::words::words;
use super::{InputFormat, TableSpec};
use crate::codec::Codec;
use crate::control::Control;
use crate::engine::ledger::{Check, Expected, Totals};
use crate::engine::pipeline::{Pass, Pipeline, Step};
use crate::engine::push::PushPass;
use crate::engine::worker::Reading;
use crate::error::{Class, Code, Error, Result};
use crate::export::read::ReadOptions;
use crate::format::csv;
use crate::format::record::{Form, KEPT_ALL};

/// How an import is checked.
#[derive(Clone, Debug)]
pub struct ValidateOptions {
    /// What is assumed of what nobody knows.
    pub assumptions: Assumptions,
    /// Findings in the report, at most; the rest is counted.
    pub max_findings: usize,
    /// Threads; as many as the machine has cores for 0.
    pub threads: usize,
    /// What AWS asks for 2^30 decompressed bytes.
    pub price_per_gb: Option<f64>,
    /// The region of the import: limits differ.
    pub region: Option<String>,
    /// Entries of AWS's error log that are to be located.
    pub log: Vec<LogEntry>,
}

/// Findings in a report, unless another number is given.
pub const MAX_FINDINGS: usize = 1000;

impl Default for ValidateOptions {
    fn default() -> Self {
        Self {
            assumptions: Assumptions::default(),
            max_findings: MAX_FINDINGS,
            threads: 0,
            price_per_gb: None,
            region: None,
            log: Vec::new(),
        }
    }
}

/// What `ImportTable` would do with a local folder that stands for the bucket, or with a file that is the
/// only object. Each error is given to `entry`, also those that the report has no room for.
///
/// Fails only where the check itself cannot be done; what AWS would refuse is in the report.
#[cfg(not(target_arch = "wasm32"))]
pub fn validate_import(
    src: &str,
    spec: &TableSpec,
    options: ValidateOptions,
    control: &Control,
    entry: impl FnMut(&ImportFinding) -> Result<()>,
) -> Result<ImportReport> {
    let objects = Objects::open(src, spec.prefix.as_deref(), control)?;
    validate_objects(&objects, spec, options, control, entry)
}

/// The same for objects that were listed.
pub fn validate_objects(
    objects: &Objects,
    spec: &TableSpec,
    options: ValidateOptions,
    control: &Control,
    mut entry: impl FnMut(&ImportFinding) -> Result<()>,
) -> Result<ImportReport> {
    let (spec, input) = objects.tell(spec)?;
    let threads = ReadOptions { threads: options.threads, ..ReadOptions::default() }.thread_count();
    let mut validation = Validation::new(objects, spec, input, options)?;
    control.expect(objects.entries.iter().map(|entry| entry.size).sum());
    let pass = Pass {
        storage: objects.storage.clone(),
        files: validation.files.clone(),
        reading: validation.reading()?,
        check: Check::None,
        threads,
        control: control.clone(),
    };
    let (rules, locate) = (validation.rules.clone(), validation.locates());
    let mut pipeline = Pipeline::new(pass, move || ItemCheck::new(rules.clone()).locating(locate));
    while let Some(step) = pipeline.next() {
        let errors = pipeline.take_errors();
        for finding in validation.step(step?, errors, pipeline.totals())? {
            entry(&finding)?;
        }
    }
    validation.finish(control)
}

/// The check of an import, whoever drives the pass over its objects.
pub struct Validation {
    spec: TableSpec,
    input: Input,
    options: ValidateOptions,
    /// What items are checked by.
    pub rules: Rules,
    /// The objects as the engine reads them.
    pub files: Arc<[Expected]>,
    keys: Keys,
    order: Order,
    report: ImportReport,
    object: Option<Books>,
    /// Records of the pass before this step.
    seen: u64,
    largest: Option<(usize, u64)>,
    codecs: BTreeSet<&'static str>,
    formats: BTreeSet<&'static str>,
    /// The entries of AWS's log, by object and item.
    wanted: HashMap<String, HashMap<u64, Vec<usize>>>,
    /// Files whose keys do not begin with the prefix.
    passed_over: usize,
    /// Objects that could not be read to their end.
    unread: u64,
}

/// The books of an object.
struct Books {
    file: usize,
    /// Records that were read.
    records: u64,
    /// Bytes that were.
    bytes: u64,
    item_bytes: u64,
    /// Errors that the service counts.
    errors: u64,
    /// The item at which the service stops, and the byte.
    stop: Option<(u64, u64)>,
    /// It is in another format: what cannot be read of it says nothing.
    foreign: bool,
}

impl Validation {
    /// A check of these objects.
    pub fn new(objects: &Objects, spec: TableSpec, input: Input, options: ValidateOptions) -> Result<Self> {
        let expected = |entry: &crate::storage::Entry| Expected {
            name: objects.storage.name(&entry.key),
            key: Some(entry.key.clone()),
            size: Some(entry.size),
            ..Expected::default()
        };
        let report = ImportReport {
            spec: spec.clone(),
            input,
            objects: objects.entries.len() as u64,
            stopped: 0,
            processed: 0,
            imported: 0,
            errors: 0,
            processed_bytes: 0,
            beyond: 0,
            unverified: 0,
            items: 0,
            bytes: 0,
            item_bytes: 0,
            price: None,
            findings: Vec::new(),
            omitted: 0,
            duplicates: Repeated::default(),
            located: options.log.iter().map(LogEntry::unlocated).collect(),
        };
        if options.price_per_gb.is_some_and(|price| !price.is_finite() || price < 0.0) {
            return Err(Error::usage("the price of 2^30 bytes must be a number, and not below 0"));
        }
        let mut wanted: HashMap<String, HashMap<u64, Vec<usize>>> = HashMap::new();
        for (place, entry) in options.log.iter().enumerate() {
            wanted.entry(entry.key.clone()).or_default().entry(entry.item).or_default().push(place);
        }
        Ok(Self {
            rules: Rules::of(&spec),
            spec,
            input,
            options,
            files: objects.entries.iter().map(expected).collect(),
            keys: Keys::new()?,
            order: Order::default(),
            report,
            object: None,
            seen: 0,
            largest: None,
            codecs: BTreeSet::new(),
            formats: BTreeSet::new(),
            wanted,
            passed_over: objects.passed_over,
            unread: 0,
        })
    }

    /// Whether each item is to be located.
    pub fn locates(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// How the objects are read.
    pub fn reading(&self) -> Result<Reading> {
        let csv = csv::CsvOptions {
            delimiter: self.spec.csv.delimiter,
            header: self.spec.csv.header_list.clone(),
            types: self.rules.keys.iter().map(|key| (key.name.clone(), key.kind)).collect(),
        };
        if self.input.format == InputFormat::Csv {
            csv.check()?;
        }
        Ok(Reading { format: Some(self.input.format.source()), form: Form::Wrapped, skip: Some(KEPT_ALL), csv: Arc::new(csv) })
    }

    /// A pass whose bytes are pushed.
    pub fn push_pass(&self) -> Result<PushPass<ItemCheck>> {
        let sink = ItemCheck::new(self.rules.clone()).locating(self.locates());
        Ok(PushPass::new(self.files.clone(), self.reading()?, Check::None, sink))
    }

    /// Takes a step of the pass, the errors of its records, and what the pass came to so far: what was found.
    pub fn step(&mut self, step: Step<Checks>, errors: Vec<Error>, totals: &Totals) -> Result<Vec<ImportFinding>> {
        let mut found = Vec::new();
        let all = totals.items + totals.skipped;
        let records = all - std::mem::replace(&mut self.seen, all);
        match step {
            Step::Block { file, out, .. } => self.checks(file, out, errors, records, &mut found)?,
            Step::File { file, records: of_file, bytes, rest, error, .. } => {
                if let Some(error) = error.as_ref().filter(|error| is_no_finding(error)) {
                    return Err(error.clone());
                }
                match rest {
                    Some(out) => self.checks(file, out, errors, records, &mut found)?,
                    None => {
                        let codec = (bytes.compressed > 0 || error.is_some()).then_some(bytes.codec);
                        self.begin(file, codec, &mut found);
                    }
                }
                self.end(file, of_file, bytes.inflated, error, &mut found);
            }
        }
        Ok(found)
    }

    /// What was found when all objects were read.
    pub fn finish(mut self, control: &Control) -> Result<ImportReport> {
        let report = &mut self.report;
        let objects: Vec<_> = self.files.iter().map(|file| file.key.clone().unwrap_or_default()).collect();
        report.duplicates = self.keys.finish(&self.rules.key_names(), &objects, control)?;
        let facts = Facts {
            objects: self.files.iter().map(|file| (file.key.as_deref().unwrap_or_default(), file.size.unwrap_or(0))).collect(),
            largest: self.largest,
            codecs: self.codecs,
            formats: self.formats,
            items: report.items,
            item_bytes: report.item_bytes,
            order: &self.order,
            region: self.options.region.as_deref(),
        };
        report.findings.extend(advice(&facts));
        if let Some(prefix) = self.spec.prefix.as_deref().filter(|_| self.files.is_empty() && self.passed_over > 0) {
            let found = self.passed_over;
            let message =
                format!("no object's key begins with S3KeyPrefix {prefix:?}; the folder, which stands for the bucket, has {found} files");
            report.findings.push(ImportFinding::advice(message));
        }
        if self.unread > 0 {
            let plural = if self.unread == 1 { "" } else { "s" };
            let message =
                format!("{} object{plural} could not be read to the end: items, bytes and price are of what was read", self.unread);
            report.findings.push(ImportFinding::advice(message));
        }
        report.price = self.options.price_per_gb.map(|price| price * report.bytes as f64 / f64::from(1 << 30));
        Ok(self.report)
    }

    /// The object's first step.
    fn begin(&mut self, file: usize, codec: Option<Codec>, found: &mut Vec<ImportFinding>) -> bool {
        if self.object.is_some() {
            return false;
        }
        self.object = Some(Books { file, records: 0, bytes: 0, item_bytes: 0, errors: 0, stop: None, foreign: false });
        self.order.begin();
        if let Some(codec) = codec {
            self.codecs.insert(compression_name(codec));
            if codec != self.input.compression {
                let error = Error::new(Code::Compression, wrong_compression(codec, self.input.compression)).at(1, 0).at_item(0);
                self.find(&error, vec![error.message()], None, found);
            }
        }
        true
    }

    /// What came of a block.
    fn checks(&mut self, file: usize, checks: Checks, errors: Vec<Error>, records: u64, found: &mut Vec<ImportFinding>) -> Result<()> {
        if self.begin(file, Some(checks.codec), found) {
            self.layout(&checks, found);
        }
        let before = self.object.as_ref().map_or(0, |object| object.records);
        let mut keyless = Vec::new();
        let mut faulty = checks.faulty.into_iter();
        for error in errors {
            let item = error.item().unwrap_or(0);
            if error.code() == Code::Import {
                let of_item = faulty.next().unwrap_or_default();
                self.locate(item, &error, of_item.faults.iter().map(|fault| &*fault.message));
                if !of_item.faults.is_empty() {
                    self.report.items += 1;
                    self.faults(&error, of_item.faults, found);
                }
                if !of_item.has_key {
                    keyless.push(item);
                }
            } else {
                let said = words(&error);
                self.locate(item, &error, std::iter::once(&*said));
                self.find(&error, vec![said], unknown_of(error.code()), found);
                keyless.push(item);
            }
        }
        self.report.items += checks.good;
        self.report.item_bytes += checks.item_bytes;
        if let Some(object) = &mut self.object {
            object.records += records;
            object.bytes = checks.end;
            object.item_bytes += checks.item_bytes;
        }
        let mut keyless = keyless.into_iter().peekable();
        let (mut item, mut start) = (before, 0);
        for end in checks.key_ends {
            while keyless.next_if_eq(&item).is_some() {
                item += 1;
            }
            let key = &checks.keys[start..end as usize];
            self.keys.push(key, file as u32, item)?;
            self.order.push(key);
            start = end as usize;
            item += 1;
        }
        Ok(())
    }

    /// What the object's first bytes show.
    fn layout(&mut self, checks: &Checks, found: &mut Vec<ImportFinding>) {
        let (unknown, message) = match checks.layout {
            Layout::Lines => (None, ""),
            Layout::JsonArray => (Some(Unknown::JsonArray), "the records stand in a JSON array"),
            Layout::JsonDocument => (Some(Unknown::JsonDocument), "the records are not on lines of their own"),
            Layout::IonBinary => (Some(Unknown::IonBinary), "the object is binary Ion"),
        };
        if let Some(unknown) = unknown {
            let error = Error::new(Code::Format, message).at(1, 0).at_item(0);
            self.find(&error, vec![message.to_owned()], Some(unknown), found);
        }
        if let Some(looks) = checks.looks {
            // Where something could be read of it, it is the first line alone that is odd.
            let is_read = checks.good > 0 || !checks.faulty.is_empty();
            let expected = self.input.format.source();
            let format = if is_read { expected } else { looks };
            self.formats.insert(format.as_str());
            if let Some(object) = &mut self.object {
                object.foreign = format != expected;
            }
        }
    }

    /// The object ended, with this error if it could not be read to its end.
    fn end(&mut self, file: usize, records: u64, inflated: u64, error: Option<Error>, found: &mut Vec<ImportFinding>) {
        let mut processed = records;
        let is_cut = error.is_some();
        if let Some(error) = error {
            // A broken stream is in none of the records that were counted.
            let item = error.item().unwrap_or(records);
            let error = error.at_item(item);
            let unknown = unknown_of(error.code());
            let said = words(&error);
            self.locate(item, &error, std::iter::once(&*said));
            // It costs a record; so does what nobody knows, where it counts.
            processed = records.max(item + 1);
            if self.find(&error, vec![said], unknown, found) == Some(Cost::Nothing) {
                processed -= 1;
            }
        }
        let Some(object) = self.object.take() else { return };
        let bytes = object.bytes.max(inflated);
        self.unread += u64::from(is_cut);
        let (processed, processed_bytes) = match object.stop {
            Some((item, byte)) => {
                self.report.stopped += 1;
                (item + 1, byte.min(bytes))
            }
            None => (processed, bytes),
        };
        self.report.processed += processed;
        self.report.errors += object.errors;
        self.report.imported += processed.saturating_sub(object.errors);
        self.report.processed_bytes += processed_bytes;
        self.report.bytes += bytes;
        if self.largest.is_none_or(|(_, most)| most < object.item_bytes) {
            self.largest = Some((file, object.item_bytes));
        }
    }

    /// An item with faults is as bad as the worst of them.
    fn faults(&mut self, error: &Error, faults: Vec<Fault>, found: &mut Vec<ImportFinding>) {
        let judged = |fault: &Fault| match fault.unknown {
            Some(unknown) => self.options.assumptions.judge(unknown),
            None => Some((Level::Error, Cost::Item)),
        };
        let worst = faults.iter().filter_map(|fault| Some((judged(fault)?, fault.unknown))).max_by_key(|(judged, _)| *judged);
        let Some(((level, cost), unknown)) = worst else { return };
        let messages = faults.into_iter().map(|fault| fault.message).collect();
        self.book(error, messages, level, cost, unknown, found);
    }

    /// A finding, unless it is assumed to be none: its cost.
    fn find(&mut self, error: &Error, messages: Vec<String>, unknown: Option<Unknown>, found: &mut Vec<ImportFinding>) -> Option<Cost> {
        let (level, cost) = match unknown {
            Some(unknown) => self.options.assumptions.judge(unknown)?,
            None => (Level::Error, Cost::Object),
        };
        self.book(error, messages, level, cost, unknown, found);
        Some(cost)
    }

    fn book(
        &mut self,
        error: &Error,
        mut messages: Vec<String>,
        level: Level,
        cost: Cost,
        unknown: Option<Unknown>,
        found: &mut Vec<ImportFinding>,
    ) {
        let Some(object) = &mut self.object else { return };
        let (item, reached) = (error.item().unwrap_or(0), object.stop.is_none());
        let is_foreign = object.foreign && cost == Cost::Object;
        if is_foreign && reached {
            messages.push(format!("the object does not look like {}", self.input.format.as_str()));
        }
        match (level, reached) {
            (_, false) => self.report.beyond += 1,
            (Level::Error, true) => object.errors += 1,
            (_, true) => self.report.unverified += 1,
        }
        if cost == Cost::Object && reached {
            // A broken stream has no place: it stops behind what was read.
            object.stop = Some((item, error.byte().unwrap_or(u64::MAX)));
        }
        let finding = ImportFinding {
            level,
            code: error.code(),
            key: self.files[object.file].key.clone(),
            item: Some(item),
            line: error.line(),
            byte: error.byte(),
            path: error.path().map(str::to_owned),
            messages,
            reached,
            unknown,
        };
        // The rest of an object in another format has as many errors as lines.
        let is_listed = reached || !is_foreign;
        if is_listed && self.report.findings.len() < self.options.max_findings {
            self.report.findings.push(finding.clone());
        } else {
            self.report.omitted += 1;
        }
        found.push(finding);
    }

    /// The places of AWS's entries for this item.
    fn locate<'a>(&mut self, item: u64, error: &Error, found: impl Iterator<Item = &'a str>) {
        let Some(object) = &self.object else { return };
        let entries = self.files[object.file].key.as_ref().and_then(|key| self.wanted.get(key)?.get(&item));
        let Some(places) = entries else { return };
        let found: Vec<_> = found.map(str::to_owned).collect();
        for &place in places {
            let located: &mut Located = &mut self.report.located[place];
            located.line = error.line();
            located.byte = error.byte();
            located.path = error.path().map(str::to_owned);
            located.found.clone_from(&found);
        }
    }
}

/// Whether an error is one of the check, not of the data.
fn is_no_finding(error: &Error) -> bool {
    matches!(error.code().class(), Class::Storage | Class::Interrupted | Class::Usage)
}
