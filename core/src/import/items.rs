//! Items → the lines of import files: those that an import takes, and those that it does not apart.

use std::mem;

use rustc_hash::FxHashSet;

use super::check::{Faulty, ItemCheck};
use crate::block::Block;
use crate::engine::worker::BlockSink;
use crate::error::Result;
use crate::event::{Asks, Kind, Refusal, Sink, Want, pass_values};
use crate::format::csv::CsvSink;
use crate::format::encode::{ItemEncoder, Notation};
use crate::format::json::encode::DynamodbJson;
use crate::number::Number;
use crate::schema::{Columns, Numbers};

/// A sink that writes a line for each item.
pub trait Lines: Sink + Send + 'static {
    /// The bytes of the lines that are kept.
    fn bytes(&self) -> usize;
    /// Gives them.
    fn take_lines(&mut self) -> Vec<u8>;
    /// Gives the line of the last item, which is not kept; the lines before it end here.
    fn rejected(&mut self, end: usize) -> Vec<u8>;
    /// The last item is kept.
    fn keep(&mut self) {}
}

impl<N: Notation> Lines for ItemEncoder<N> {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }
    fn take_lines(&mut self) -> Vec<u8> {
        self.take()
    }
    fn rejected(&mut self, end: usize) -> Vec<u8> {
        self.split_off(end)
    }
}

/// Lines of CSV. It does not hold all that an item is, so items that are not kept are DynamoDB JSON.
pub struct CsvLines {
    csv: CsvSink,
    json: ItemEncoder<DynamodbJson>,
}

impl CsvLines {
    /// With these columns.
    pub fn new(columns: &Columns) -> Self {
        Self { csv: CsvSink::new(columns, Numbers::Auto), json: ItemEncoder::default() }
    }
}

impl Lines for CsvLines {
    fn bytes(&self) -> usize {
        self.csv.bytes()
    }
    fn take_lines(&mut self) -> Vec<u8> {
        self.csv.take().lines
    }
    fn rejected(&mut self, end: usize) -> Vec<u8> {
        self.csv.split_off(end);
        self.json.take()
    }
    fn keep(&mut self) {
        self.json.take();
    }
}

/// Passes events on to two sinks.
macro_rules! to_both {
    ($a:ident, $b:ident: $($name:ident($($arg:ident: $type:ty)?);)*) => {
        $(fn $name(&mut self, $($arg: $type)?) {
            self.$a.$name($($arg)?);
            self.$b.$name($($arg)?);
        })*
    };
}

impl Sink for CsvLines {
    to_both! { csv, json:
        begin_item(); abort_item(); string(value: &str); number(value: Number); binary(value: &[u8]); boolean(value: bool); null();
        begin_map(); end_map(); begin_list(); end_list(); begin_set(kind: Kind); end_set();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.csv.commit_item(bytes)?;
        self.json.commit_item(bytes)
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.csv.attribute(name)?;
        self.json.attribute(name)
    }
}

/// The names of the attributes of good items.
pub struct GoodNames {
    check: ItemCheck,
    /// Of the item.
    names: Vec<String>,
    seen: FxHashSet<String>,
    new: Vec<String>,
}

impl GoodNames {
    /// Of the items that this finds nothing wrong with.
    pub fn new(check: ItemCheck) -> Self {
        Self { check, names: Vec::new(), seen: FxHashSet::default(), new: Vec::new() }
    }
}

impl Sink for GoodNames {
    fn asks(&self) -> Asks {
        // What is written is of documented types, whatever it was.
        Asks { undocumented: false, ..self.check.asks() }
    }
    fn begin_item(&mut self) {
        self.names.clear();
        self.check.begin_item();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.check.commit_item(bytes).is_ok() {
            for name in self.names.drain(..) {
                if self.seen.insert(name.clone()) {
                    self.new.push(name);
                }
            }
        }
        Ok(())
    }
    fn abort_item(&mut self) {
        self.check.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        if self.check.at_top() && !self.seen.contains(name) {
            self.names.push(name.to_owned());
        }
        self.check.attribute(name)
    }
    pass_values!(check);
}

impl BlockSink for GoodNames {
    type Out = Vec<String>;

    fn end_block(&mut self) -> Result<Vec<String>> {
        self.check.take();
        // Which blocks a thread sees must not show.
        self.seen.clear();
        Ok(mem::take(&mut self.new))
    }
}

/// What the items of a block became.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The lines of good items, and where each ends.
    pub lines: Vec<u8>,
    /// Their ends.
    pub ends: Vec<usize>,
    /// Bad items, one behind the other.
    pub rejected: Vec<u8>,
    /// What is wrong with each of them.
    pub faulty: Vec<Faulty>,
    /// Values that CSV cannot hold: they are strings when they are imported, or are left out.
    pub changed: u64,
    /// The first path of such a value.
    pub first_changed: Option<String>,
}

/// Writes items that an import takes.
pub struct ImportItems<E> {
    check: ItemCheck,
    lines: E,
    out: Prepared,
    /// Of CSV: the item's own attribute that comes, where it may be of no key.
    csv: Option<Csv>,
}

/// What is counted of items in CSV.
struct Csv {
    keys: Vec<String>,
    attribute: String,
    is_key: bool,
    /// Of the item.
    changed: u64,
    first: Option<String>,
}

impl<E: Lines> ImportItems<E> {
    /// With the names of key attributes, which CSV imports by their types, where CSV is written.
    pub fn new(check: ItemCheck, lines: E, csv_keys: Option<Vec<String>>) -> Self {
        let csv = csv_keys.map(|keys| Csv { keys, attribute: String::new(), is_key: false, changed: 0, first: None });
        Self { check, lines, out: Prepared::default(), csv }
    }

    /// A value comes that CSV holds as a string, or not at all.
    fn value(&mut self, is_kept: bool) {
        if let Some(csv) = &mut self.csv
            && self.check.at_top()
            && !csv.is_key
            && !is_kept
        {
            csv.changed += 1;
            csv.first.get_or_insert_with(|| csv.attribute.clone());
        }
    }
}

impl<E: Lines> Sink for ImportItems<E> {
    fn asks(&self) -> Asks {
        // What is written is of documented types, whatever it was.
        Asks { undocumented: false, ..self.check.asks() }
    }
    fn begin_item(&mut self) {
        self.check.begin_item();
        self.lines.begin_item();
        if let Some(csv) = &mut self.csv {
            (csv.changed, csv.first) = (0, None);
        }
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        let is_bad = self.check.commit_item(bytes).is_err();
        let start = self.out.ends.last().copied().unwrap_or(0);
        self.lines.commit_item(bytes)?;
        if is_bad {
            self.out.rejected.append(&mut self.lines.rejected(start));
            return Ok(());
        }
        self.lines.keep();
        self.out.ends.push(self.lines.bytes());
        if let Some(csv) = &mut self.csv {
            self.out.changed += csv.changed;
            if self.out.first_changed.is_none() {
                self.out.first_changed = csv.first.take();
            }
        }
        Ok(())
    }

    to_both! { check, lines: abort_item(); end_map(); end_list(); end_set(); }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.check.attribute(name)?;
        if let Some(csv) = &mut self.csv
            && self.check.at_top()
        {
            name.clone_into(&mut csv.attribute);
            csv.is_key = csv.keys.iter().any(|key| key == name);
        }
        self.lines.attribute(name)
    }

    fn string(&mut self, value: &str) {
        self.value(!value.is_empty());
        self.check.string(value);
        self.lines.string(value);
    }
    fn number(&mut self, value: Number) {
        self.value(false);
        self.check.number(value);
        self.lines.number(value);
    }
    fn binary(&mut self, value: &[u8]) {
        self.value(false);
        self.check.binary(value);
        self.lines.binary(value);
    }
    fn boolean(&mut self, value: bool) {
        self.value(false);
        self.check.boolean(value);
        self.lines.boolean(value);
    }
    fn null(&mut self) {
        self.value(false);
        self.check.null();
        self.lines.null();
    }
    fn begin_map(&mut self) {
        self.value(false);
        self.check.begin_map();
        self.lines.begin_map();
    }
    fn begin_list(&mut self) {
        self.value(false);
        self.check.begin_list();
        self.lines.begin_list();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.value(false);
        self.check.begin_set(kind);
        self.lines.begin_set(kind);
    }
}

impl<E: Lines> BlockSink for ImportItems<E> {
    type Out = Prepared;

    fn begin_text(&mut self, block: &Block) {
        self.check.begin_text(block);
    }

    fn end_block(&mut self) -> Result<Prepared> {
        let (faulty, lines) = (self.check.take().faulty, self.lines.take_lines());
        Ok(Prepared { lines, faulty, ..mem::take(&mut self.out) })
    }
}
