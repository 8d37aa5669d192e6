//! Random tables and what became of them: a full export and a chain of incremental ones, as
//! AWS makes them of the writes, and the state that is true in the end.
//!
//! In a window AWS says of each item what it was at the start and at the end: what was written
//! and deleted in between is no record, what was deleted and written again is an update.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#incremental-export-output>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynarrow::{Number, Op, View};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::layout::Layout;
use crate::{any_item, choices, ion, odd_json};

/// An item in DynamoDB JSON, without the wrapper.
pub type Item = Map<String, Value>;

/// The midnight before all exports, in microseconds since 1970. The base is of this moment,
/// and the windows are the hours that follow.
pub const MIDNIGHT: i64 = 1_699_920_000_000_000;
const HOUR: i64 = 3_600_000_000;

/// A table's full export, and incremental exports of the hours behind it.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The names of the key attributes: the partition key, and where there is one the sort key.
    pub keys: Vec<String>,
    /// The items of the full export, by data file.
    pub base: Vec<Vec<Item>>,
    /// How the full export is written.
    pub style: Style,
    /// What became of the items, hour by hour.
    pub windows: Vec<Window>,
    /// The items at the end: those of the base in its order, then those that came by window,
    /// file and line of the change that wrote them last.
    state: Vec<Item>,
}

/// The changes of an hour.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its changes, by data file. A key has one at most.
    pub files: Vec<Vec<Change>>,
    /// Whether its records hold both images.
    pub view: View,
    /// How it is written.
    pub style: Style,
}

/// What became of an item.
#[derive(Clone, Debug)]
pub struct Change {
    /// The time of the last write, in microseconds since 1970.
    pub micros: i64,
    /// The key, its numbers in other forms than those of the images.
    pub key: Item,
    /// The item when the window began.
    pub old: Option<Item>,
    /// The item when it ended.
    pub new: Option<Item>,
}

impl Change {
    /// What became of it, as records of this view say it.
    pub fn op(&self, view: View) -> Op {
        match (&self.old, &self.new) {
            (_, None) => Op::Delete,
            _ if view == View::NewImage => Op::Upsert,
            (None, _) => Op::Insert,
            _ => Op::Update,
        }
    }
}

impl Window {
    /// All changes, in the order of the files.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.files.iter().flatten()
    }

    /// What its records say became of an item.
    pub fn op(&self, change: &Change) -> Op {
        change.op(self.view)
    }
}

/// How the records of an export are written.
#[derive(Clone, Debug)]
pub struct Style {
    /// Ion, else DynamoDB JSON.
    pub ion: bool,
    /// Changes in Ion stand in a struct `Record`.
    pub record: bool,
    /// A space before each line but the first of Ion, as ion-java's writer leaves it.
    pub space: bool,
    /// White space, escapes and forms of values, times and missing images, and the order of
    /// members; empty for what AWS writes.
    pub odd: Vec<u8>,
}

/// Where the exports of a chain were written.
#[derive(Debug)]
pub struct Written {
    /// The folder of the full export.
    pub base: PathBuf,
    /// Those of the incremental ones.
    pub increments: Vec<PathBuf>,
}

impl Chain {
    /// The items at the end: see there.
    pub fn state(&self) -> &[Item] {
        &self.state
    }

    /// Writes all exports into one bucket, under a prefix with a final `/` or nothing.
    pub fn write_under(&self, bucket: &Path, prefix: &'static str) -> Written {
        let line = |item: &Item, n: usize| self.style.line(n, |choice, out| self.style.item(item, choice, out));
        let files = self.base.iter().map(|items| items.iter().enumerate().map(|(n, item)| line(item, n)).collect());
        let mut summary = self.style.summary(0);
        summary["version"] = json!("2020-06-30");
        summary["exportTime"] = json!(time(0));
        let base = Layout { files: files.collect(), prefix, summary, md5: true, id: id(0) }.write(bucket);
        let write = |(n, window): (usize, &Window)| window.write(n, bucket, prefix);
        Written { base, increments: self.windows.iter().enumerate().map(write).collect() }
    }

    /// Writes all exports into one bucket.
    pub fn write(&self, bucket: &Path) -> Written {
        self.write_under(bucket, "")
    }
}

impl Window {
    /// Its lines, by data file.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let line = |(n, change): (usize, &Change)| self.style.line(n, |choice, out| self.style.change(change, self.view, choice, out));
        self.files.iter().map(|changes| changes.iter().enumerate().map(line).collect()).collect()
    }

    /// Writes it as the incremental export of the n-th hour.
    pub fn write(&self, n: usize, bucket: &Path, prefix: &'static str) -> PathBuf {
        let mut summary = self.style.summary(n + 1);
        summary["version"] = json!("2023-08-01");
        summary["exportFromTime"] = json!(time(n));
        summary["exportToTime"] = json!(time(n + 1));
        summary["outputView"] = json!(if self.view == View::NewImage { "NEW_IMAGE" } else { "NEW_AND_OLD_IMAGES" });
        summary["exportType"] = json!("INCREMENTAL_EXPORT");
        Layout { files: self.lines(), prefix, summary, md5: true, id: id(n + 1) }.write(bucket)
    }
}

/// An hour, as manifests write it.
fn time(hour: usize) -> String {
    format!("2023-11-14T{hour:02}:00:00.000Z")
}

/// The id of the export that was begun a minute behind this hour.
fn id(hour: usize) -> String {
    format!("{:014}-{:08x}", (MIDNIGHT + hour as i64 * HOUR) / 1000 + 60_000, 0x0a1b_2c00 + hour)
}

impl Style {
    /// What a summary says of an export that was made behind this hour.
    fn summary(&self, hour: usize) -> Value {
        let started = time(hour).replace(":00:00.000", ":01:00.000");
        json!({
            "startTime": started,
            "endTime": started.replace(":01:", ":06:"),
            "tableId": "12345678-90ab-cdef-1234-567890abcdef",
            "s3Bucket": "bucket",
            "outputFormat": if self.ion { "ION" } else { "DYNAMODB_JSON" },
        })
    }

    /// The n-th line of a file.
    fn line(&self, n: usize, write: impl FnOnce(&mut dyn FnMut() -> u8, &mut String)) -> String {
        let mut line = String::new();
        if self.ion {
            line.push_str(if self.space && n > 0 { " $ion_1_0 " } else { "$ion_1_0 " });
        }
        let mut choice = choices(&self.odd);
        // Lines differ in their forms.
        (0..n % 7).for_each(|_| {
            choice();
        });
        write(&mut choice, &mut line);
        line
    }

    fn item(&self, item: &Item, choice: &mut dyn FnMut() -> u8, out: &mut String) {
        self.members([("Item", self.attributes(item, choice))].into(), choice, out);
    }

    fn change(&self, change: &Change, view: View, choice: &mut dyn FnMut() -> u8, out: &mut String) {
        let mut metadata = String::new();
        self.members([("WriteTimestampMicros", self.micros(change.micros, choice))].into(), choice, &mut metadata);
        let mut members = vec![("Metadata", metadata), ("Keys", self.attributes(&change.key, choice))];
        let old = change.old.as_ref().filter(|_| view == View::NewAndOldImages);
        for (name, image) in [("OldImage", old), ("NewImage", change.new.as_ref())] {
            match image {
                Some(image) => members.push((name, self.attributes(image, choice))),
                None if choice().is_multiple_of(3) => members.push((name, "null".to_owned())),
                None => {}
            }
        }
        if !self.odd.is_empty() {
            members.sort_by_cached_key(|_| choice());
        }
        if self.ion && self.record {
            let mut record = String::new();
            self.members(members, choice, &mut record);
            members = vec![("Record", record)];
        }
        self.members(members, choice, out);
    }

    /// The time, in every shape that was seen.
    fn micros(&self, micros: i64, choice: &mut dyn FnMut() -> u8) -> String {
        match (choice() % 8, self.ion) {
            (0 | 1, _) => format!("\"{micros}\""),
            (2 | 3, false) => micros.to_string(),
            (2, true) => format!("{micros}d0"),
            (_, true) => format!("{micros}."),
            (_, false) => json!({"N": micros.to_string()}).to_string(),
        }
    }

    /// An item, a key or an image.
    fn attributes(&self, item: &Item, mut choice: &mut dyn FnMut() -> u8) -> String {
        let mut out = String::new();
        if self.ion {
            ion::odd_item(item, &mut choice, &mut out);
        } else {
            odd_json(&Value::Object(item.clone()), &mut choice, &mut out);
        }
        out
    }

    /// An object or struct of members whose values are text.
    fn members(&self, members: Vec<(&str, String)>, mut choice: &mut dyn FnMut() -> u8, out: &mut String) {
        out.push('{');
        for (n, (name, value)) in members.into_iter().enumerate() {
            out.push_str(if n > 0 { "," } else { "" });
            if self.ion {
                ion::blank(&mut choice, out);
                let _ = if choice().is_multiple_of(5) { write!(out, "'{name}'") } else { write!(out, "{name}") };
                out.push(':');
                ion::blank(&mut choice, out);
                out.push_str(&value);
                ion::blank(&mut choice, out);
            } else {
                let _ = if choice().is_multiple_of(5) { write!(out, " \"{name}\"\t: {value} ") } else { write!(out, "\"{name}\":{value}") };
            }
        }
        out.push('}');
    }
}

/// Values of a key attribute that are few, so that keys meet, and easily taken for each other:
/// one begins another, and two together are another two.
fn key_value(kind: char, n: u8, form: u8) -> Value {
    const TEXTS: [&str; 8] = ["a", "ab", "b", "bc", "abc", "1", "\0", "é🦐"];
    const NUMBERS: [&str; 8] = ["0", "1", "-1", "10", "0.1", "1.25", "1E-130", "99999999999999999999999999999999999999"];
    const BYTES: [&[u8]; 8] = [b"a", b"ab", b"b", b"\0", b"\0\0", b"\x01\0\0\0", b"\xff", b"1"];
    let n = usize::from(n % 8);
    match kind {
        'S' => json!({"S": TEXTS[n]}),
        'N' => json!({"N": in_form(NUMBERS[n], form)}),
        _ => json!({"B": STANDARD.encode(BYTES[n])}),
    }
}

/// A number of the same value, written in another way.
fn in_form(number: &str, form: u8) -> String {
    let (digits, exponent) = Number::parse(number.as_bytes()).expect("a number").stripped();
    match form % 4 {
        0 => format!("{digits}E{exponent}"),
        1 => format!("{digits}e{exponent:+}"),
        2 if number.contains('.') && !number.contains('E') => format!("{number}00"),
        2 if number.len() < 38 && !number.contains('E') => format!("{number}.0"),
        _ => number.to_owned(),
    }
}

/// A key among those of a chain.
type KeyId = (u8, u8);

/// What happens to an item: it is written, or deleted.
type Write = (Index, Option<Item>, u8);

#[derive(Debug)]
struct Table {
    names: Vec<String>,
    kinds: Vec<char>,
}

impl Table {
    /// The key with this id, in another form each time.
    fn key(&self, id: KeyId, form: u8) -> Item {
        let parts = [(id.0, form), (id.1, form / 4)];
        self.names.iter().zip(&self.kinds).zip(parts).map(|((name, kind), (n, form))| (name.clone(), key_value(*kind, n, form))).collect()
    }

    /// The item with this key.
    fn item(&self, id: KeyId, form: u8, mut item: Item) -> Item {
        item.extend(self.key(id, form));
        item
    }
}

/// Spreads values over data files, some of which may be empty.
fn spread<T>(values: Vec<T>, files: usize, pattern: &[u8]) -> Vec<Vec<T>> {
    let mut choice = choices(pattern);
    let mut spread: Vec<Vec<T>> = (0..files).map(|_| Vec::new()).collect();
    values.into_iter().for_each(|value| spread[usize::from(choice()) % files].push(value));
    spread
}

/// The tables' keys: names that also mean something else, and all types.
fn any_table() -> impl Strategy<Value = Table> {
    let names = [("pk", "sk"), ("sk", "pk"), ("id", "a"), ("Keys", "NewImage"), ("_op", "_ts"), ("Item", "é.b")];
    (select(names.to_vec()), select(vec!['S', 'N', 'B']), prop::option::of(select(vec!['S', 'N', 'B']))).prop_map(|(names, kind, sort)| {
        let sort = sort.map(|kind| (names.1, kind));
        let (names, kinds) = [Some((names.0, kind)), sort].into_iter().flatten().map(|(name, kind)| (name.to_owned(), kind)).unzip();
        Table { names, kinds }
    })
}

fn any_style() -> impl Strategy<Value = Style> {
    let odd = prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(any::<u8>(), 1..40)];
    (any::<[bool; 3]>(), odd).prop_map(|([ion, record, space], odd)| Style { ion, record, space, odd })
}

/// A table and what became of it in one to six hours.
pub fn any_chain() -> impl Strategy<Value = Chain> {
    let write = || (any::<Index>(), prop::option::weighted(0.7, any_item()), any::<u8>());
    let window = (prop::collection::vec(write(), 0..14), any::<bool>(), any_style(), 1_usize..4);
    (
        any_table(),
        prop::collection::btree_set((0_u8..8, 0_u8..8), 1..9),
        prop::collection::vec((any::<Option<u8>>(), any_item()), 9),
        (1_usize..5, any_style()),
        prop::collection::vec(window, 1..=6),
    )
        .prop_map(|(table, ids, base, (files, style), windows)| {
            // A table without a sort key has the first part alone.
            let mut ids: Vec<KeyId> = ids.into_iter().map(|(pk, sk)| (pk, if table.kinds.len() > 1 { sk } else { 0 })).collect();
            ids.dedup();
            chain(&table, &ids, base, files, style, windows)
        })
}

fn chain(
    table: &Table,
    ids: &[KeyId],
    base: Vec<(Option<u8>, Item)>,
    files: usize,
    style: Style,
    hours: Vec<(Vec<Write>, bool, Style, usize)>,
) -> Chain {
    let base: Vec<_> = ids.iter().zip(base).filter_map(|(id, (form, item))| Some((*id, table.item(*id, form?, item)))).collect();
    let base = spread(base, files, &style.odd);
    let mut now: BTreeMap<KeyId, Item> = base.iter().flatten().cloned().collect();
    // Where the items stand that the base does not have: in the window that wrote them last.
    let mut order: Vec<KeyId> = base.iter().flatten().map(|(id, _)| *id).collect();
    let of_base = order.len();
    let mut windows = Vec::new();
    for (hour, (writes, both, style, files)) in hours.into_iter().enumerate() {
        let before = now.clone();
        let mut written: BTreeMap<KeyId, (i64, u8)> = BTreeMap::new();
        let step = HOUR / (writes.len() as i64 + 1);
        for (n, (index, item, form)) in writes.into_iter().enumerate() {
            let id = *index.get(ids);
            written.insert(id, (MIDNIGHT + hour as i64 * HOUR + n as i64 * step + i64::from(form), form));
            match item {
                Some(item) => now.insert(id, table.item(id, form, item)),
                None => now.remove(&id),
            };
        }
        let change = |(id, (micros, form)): (KeyId, (i64, u8))| {
            let (old, new) = (before.get(&id).cloned(), now.get(&id).cloned());
            let mut key = table.key(id, form.wrapping_add(5));
            if form.is_multiple_of(3) {
                key = key.into_iter().rev().collect();
            }
            (old.is_some() || new.is_some()).then_some((id, Change { micros, key, old, new }))
        };
        let files = spread(written.into_iter().filter_map(change).collect(), files, &style.odd);
        for (id, change) in files.iter().flatten() {
            if !order[..of_base].contains(id) {
                order.retain(|other| other != id);
                order.extend(change.new.is_some().then_some(*id));
            }
        }
        let files = files.into_iter().map(|file| file.into_iter().map(|(_, change)| change).collect()).collect();
        windows.push(Window { files, view: if both { View::NewAndOldImages } else { View::NewImage }, style });
    }
    let state = order.iter().filter_map(|id| now.get(id).cloned()).collect();
    let base = base.into_iter().map(|file| file.into_iter().map(|(_, item)| item).collect()).collect();
    Chain { keys: table.names.clone(), base, style, windows, state }
}
