//! Two tables, compared by keys: bucket by bucket, in bounded memory.

use hashbrown::HashTable;

use super::spill::{Buckets, DEEPEST, Fields, Run, Spill, hash, merge_sorted, put_bytes};
use crate::change::key::{Key, KeyNames};
use crate::control::Control;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::event::{Refusal, Sink, Want, pass_values};
use crate::item::canonical::Canonical;
use crate::item::{Items, Tape, Value};

/// What became of the items of one table in the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Items that only the second table has.
    pub inserts: u64,
    /// Items that both have, and that are not equal.
    pub updates: u64,
    /// Items that only the first table has.
    pub deletes: u64,
    /// Items that are equal.
    pub same: u64,
}

impl Differences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inserts + self.updates + self.deletes == 0
    }
}

/// The items of a block as records: key, place, key as text, item as text.
pub struct KeyedItems {
    items: Items,
    names: KeyNames,
    key: Key,
    canonical: Canonical,
    text: Vec<u8>,
    records: Vec<u8>,
    block: (u32, u32),
    count: u32,
}

impl KeyedItems {
    /// Of keys with these names.
    pub fn new(names: KeyNames) -> Self {
        Self {
            items: Items::default(),
            names,
            key: Key::default(),
            canonical: Canonical::default(),
            text: Vec::new(),
            records: Vec::new(),
            block: (0, 0),
            count: 0,
        }
    }
}

impl Sink for KeyedItems {
    fn begin_item(&mut self) {
        self.count += 1;
        self.items.begin_item();
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.items.commit_item(bytes)?;
        let (tape, start) = self.items.last();
        let mut place = start;
        let Some((_, Value::M(len))) = tape.next(&mut place) else { return Ok(()) };
        let first = place;
        self.key.begin(&self.names);
        for _ in 0..len {
            let before = place;
            if let Some((name, value)) = tape.next(&mut place)
                && let Some(of_key) = self.names.place(tape.name(name))
            {
                self.key.set(of_key, value);
            }
            place = before;
            tape.skip(&mut place);
        }
        self.key.end(&self.names)?;
        self.text.clear();
        put_bytes(&mut self.text, self.key.bytes());
        for part in [self.block.0, self.block.1, self.count - 1] {
            self.text.extend_from_slice(&part.to_be_bytes());
        }
        let Self { names, canonical, text, .. } = self;
        let mut write = |tape: &Tape, wanted: &dyn Fn(&str) -> bool| {
            let at = text.len();
            text.extend_from_slice(&[0; 4]);
            canonical.members(tape, &mut first.clone(), len, &|name: &str| wanted(name), text);
            let written = (text.len() - at - 4) as u32;
            text[at..at + 4].copy_from_slice(&written.to_le_bytes());
        };
        write(tape, &|name| names.place(name).is_some());
        write(tape, &|_| true);
        put_bytes(&mut self.records, &self.text);
        // The tape holds one item at a time.
        self.items.forget_last();
        Ok(())
    }

    fn abort_item(&mut self) {
        self.items.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.items.attribute(name)
    }
    pass_values!(items);
}

impl BlockSink for KeyedItems {
    type Out = Vec<u8>;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.block = (file as u32, block as u32);
        self.count = 0;
    }
    fn end_block(&mut self) -> Result<Vec<u8>> {
        // The names are those of the block.
        self.items.take_tape();
        Ok(std::mem::take(&mut self.records))
    }
}

/// Compares two tables.
pub struct Compare {
    spill: Spill,
    limit: u64,
    /// The microseconds that the changes bear.
    micros: i64,
    tables: [Buckets; 2],
}

/// The changes from one table to another.
pub struct Compared {
    spill: Spill,
    /// Order and line, by order.
    lines: Vec<Run>,
    /// How many of them.
    pub counts: Differences,
}

impl Compare {
    /// In about so many bytes of memory. The changes will have been made at this time.
    pub fn new(spill: Spill, limit: u64, micros: i64) -> Self {
        Self { spill, limit, micros, tables: [Buckets::new(0), Buckets::new(0)] }
    }

    /// Records of the first table, or of the second.
    pub fn items(&mut self, second: bool, records: &[u8]) -> Result<()> {
        let mut records = Fields(records);
        while !records.0.is_empty() {
            let record = records.bytes();
            self.tables[usize::from(second)].push(Fields(record).bytes(), record, &self.spill)?;
        }
        Ok(())
    }

    /// All items came.
    pub fn finish(self, control: &Control) -> Result<Compared> {
        let Self { spill, limit, micros, tables: [a, b] } = self;
        let (a, b) = (a.finish(&spill)?, b.finish(&spill)?);
        let mut compared = Compared { spill, lines: Vec::new(), counts: Differences::default() };
        for (a, b) in a.into_iter().zip(b) {
            control.check()?;
            compared.bucket(&a, &b, limit, 1, micros)?;
        }
        Ok(compared)
    }
}

/// The parts of a record.
struct Record<'a> {
    key: &'a [u8],
    place: &'a [u8],
    keys: &'a [u8],
    item: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(record: &'a [u8]) -> Self {
        let mut fields = Fields(record);
        let key = fields.bytes();
        let (place, rest) = fields.0.split_at(12.min(fields.0.len()));
        fields.0 = rest;
        Self { key, place, keys: fields.bytes(), item: fields.bytes() }
    }
}

impl Compared {
    fn bucket(&mut self, a: &Run, b: &Run, limit: u64, level: u32, micros: i64) -> Result<()> {
        // Of the second table only the keys are kept that the first does not have.
        if (a.bytes > limit || b.bytes / 4 > limit) && level < DEEPEST {
            let (a, b) = (a.divide(level, &self.spill)?, b.divide(level, &self.spill)?);
            return a.into_iter().zip(b).try_for_each(|(a, b)| self.bucket(&a, &b, limit, level + 1, micros));
        }
        let spill = &self.spill;
        // The items of the first table: where each record stands, and whether it was met.
        let (mut records, mut items): (Vec<u8>, Vec<(usize, usize, bool)>) = (Vec::with_capacity(a.bytes as usize), Vec::new());
        let mut table = HashTable::new();
        let record = |records: &[u8], (from, to, _): (usize, usize, bool)| Record::read(&records[from..to]).key.to_vec();
        let mut reader = a.read(spill);
        while let Some(next) = reader.next_record()? {
            let key = Record::read(next).key;
            let same = |&n: &usize| Record::read(&records[items[n].0..items[n].1]).key == key;
            if table.find(hash(key), same).is_some() {
                return Err(twice(next));
            }
            let from = records.len();
            records.extend_from_slice(next);
            items.push((from, records.len(), false));
            table.insert_unique(hash(Record::read(next).key), items.len() - 1, |&n| hash(&record(&records, items[n])));
        }
        let (mut changed, mut gone) = (Run::default(), Run::default());
        let mut line = Vec::new();
        let mut reader = b.read(spill);
        let mut inserted: HashTable<Box<[u8]>> = HashTable::new();
        while let Some(next) = reader.next_record()? {
            let new = Record::read(next);
            let same = |&n: &usize| Record::read(&records[items[n].0..items[n].1]).key == new.key;
            let old = match table.find(hash(new.key), same) {
                Some(&n) => {
                    if std::mem::replace(&mut items[n].2, true) {
                        return Err(twice(next));
                    }
                    let old = Record::read(&records[items[n].0..items[n].1]);
                    if old.item == new.item {
                        self.counts.same += 1;
                        continue;
                    }
                    self.counts.updates += 1;
                    Some(old.item)
                }
                None => {
                    if inserted.find(hash(new.key), |key| **key == *new.key).is_some() {
                        return Err(twice(next));
                    }
                    inserted.insert_unique(hash(new.key), new.key.into(), |key| hash(key));
                    self.counts.inserts += 1;
                    None
                }
            };
            write_line(&mut line, 0, &new, micros, old, Some(new.item));
            changed.push(&line, spill)?;
        }
        for &(from, to, _) in items.iter().filter(|(.., met)| !met) {
            let old = Record::read(&records[from..to]);
            self.counts.deletes += 1;
            write_line(&mut line, 1, &old, micros, Some(old.item), None);
            gone.push(&line, spill)?;
        }
        for mut run in [changed, gone] {
            run.flush(spill)?;
            self.lines.push(run);
        }
        Ok(())
    }

    /// The lines of the changes, as incremental exports have them: inserts and updates in the
    /// order of the second table, then deletes in that of the first.
    pub fn lines(&self, control: &Control, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        merge_sorted::<13>(&self.lines, &self.spill, control, |record| each(&record[13..]))
    }
}

/// Two items of a table have one key: it is not of the table.
fn twice(record: &[u8]) -> Error {
    let keys = String::from_utf8_lossy(Record::read(record).keys).into_owned();
    Error::new(Code::Keys, format!("two items of one table have the key {keys}"))
}

fn write_line(line: &mut Vec<u8>, rank: u8, of: &Record<'_>, micros: i64, old: Option<&[u8]>, new: Option<&[u8]>) {
    line.clear();
    line.push(rank);
    line.extend_from_slice(of.place);
    line.extend_from_slice(format!("{{\"Metadata\":{{\"WriteTimestampMicros\":{{\"N\":\"{micros}\"}}}},\"Keys\":").as_bytes());
    line.extend_from_slice(of.keys);
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            line.extend_from_slice(b",\"");
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(b"\":");
            line.extend_from_slice(image);
        }
    }
    line.extend_from_slice(b"}\n");
}
