//! Primary keys that come twice: AWS overwrites the one item with the other in silence, and which
//! is left is random.
//!
//! The keys stand in buckets on disk, and one bucket at a time is looked at: memory does not grow with
//! their number.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use crate::change::key::{KeyNames, key_texts};
use crate::control::Control;
use crate::error::Result;
use crate::merge::spill::{Buckets, DEEPEST, Fields, Run, Spill, hash, put_bytes};

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// The object.
    pub key: String,
    /// The item in it, from 0.
    pub item: u64,
}

/// A key that several items have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedKey {
    /// Its attributes, and their values as text; binary as base64.
    pub key: Vec<(String, String)>,
    /// Items that have it.
    pub items: u64,
    /// The first of them.
    pub first: Pointer,
    /// The second.
    pub second: Pointer,
}

/// Keys that several items have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Such keys.
    pub keys: u64,
    /// Items that overwrite another, or are overwritten: all but one of each key.
    pub items: u64,
    /// The first of the keys.
    pub examples: Vec<RepeatedKey>,
}

impl Repeated {
    /// The members; examples with their key as an object.
    pub fn to_json(&self) -> Value {
        let pointer = |at: &Pointer| json!({ "key": at.key, "item": at.item });
        let example = |repeated: &RepeatedKey| {
            let key: Map<_, _> = repeated.key.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect();
            json!({ "key": key, "items": repeated.items, "first": pointer(&repeated.first), "second": pointer(&repeated.second) })
        };
        json!({ "keys": self.keys, "items": self.items, "examples": self.examples.iter().map(example).collect::<Value>() })
    }
}

/// Bytes of keys that are looked at in memory at a time.
const BUDGET: u64 = 32 << 20;
/// Keys that are named.
const EXAMPLES: usize = 20;

/// Gathers keys.
pub struct Keys {
    spill: Spill,
    buckets: Buckets,
    record: Vec<u8>,
}

/// Object and item.
type At = (u32, u64);

/// A key of several items: how many, and the second of them.
struct Seen {
    items: u64,
    second: At,
}

impl Keys {
    /// None yet.
    pub fn new() -> Result<Self> {
        Ok(Self { spill: Spill::new(None)?, buckets: Buckets::new(0), record: Vec::new() })
    }

    /// Adds the key of an item. Items come in their order.
    pub fn push(&mut self, key: &[u8], object: u32, item: u64) -> Result<()> {
        self.record.clear();
        put_bytes(&mut self.record, key);
        self.record.extend_from_slice(&object.to_le_bytes());
        self.record.extend_from_slice(&item.to_le_bytes());
        self.buckets.push(key, &self.record, &self.spill)
    }

    /// The keys that came twice. `objects` are the names of the objects.
    pub fn finish(self, names: &KeyNames, objects: &[String], control: &Control) -> Result<Repeated> {
        let runs = self.buckets.finish(&self.spill)?;
        let mut found = Found::default();
        for run in &runs {
            found.look(run, 0, &self.spill, control)?;
        }
        found.first.sort_by_key(|(at, ..)| *at);
        let pointer = |(object, item): At| Pointer { key: objects[object as usize].clone(), item };
        let examples = found.first.into_iter().take(EXAMPLES).map(|(first, key, seen)| RepeatedKey {
            key: names.names().iter().cloned().zip(key_texts(&key)).collect(),
            items: seen.items,
            first: pointer(first),
            second: pointer(seen.second),
        });
        Ok(Repeated { keys: found.keys, items: found.items, examples: examples.collect() })
    }
}

#[derive(Default)]
struct Found {
    keys: u64,
    items: u64,
    /// Those that begin first, and a few more.
    first: Vec<(At, Box<[u8]>, Seen)>,
}

impl Found {
    fn look(&mut self, run: &Run, level: u32, spill: &Spill, control: &Control) -> Result<()> {
        control.check()?;
        if run.bytes > BUDGET && level < DEEPEST {
            return run.divide(level + 1, spill)?.iter().try_for_each(|part| {
                // One key that so many items have is not divided any further.
                let level = if part.bytes > run.bytes / 10 * 9 { DEEPEST } else { level + 1 };
                self.look(part, level, spill, control)
            });
        }
        // The records one behind the other, and where each begins, by the hashes of their keys. Of
        // records of one key that stand together two are kept, and a number behind the second.
        let (mut records, mut places, mut more) = (Vec::new(), Vec::<(u64, usize)>::new(), FxHashMap::<usize, u64>::default());
        let mut reader = run.read(spill);
        while let Some(record) = reader.next_record()? {
            let key = Fields(record).bytes();
            let is_same = |place: &(u64, usize)| Fields(&records[place.1..]).bytes() == key;
            if let [.., before, last] = &places[..]
                && is_same(last)
                && is_same(before)
            {
                *more.entry(last.1).or_default() += 1;
                continue;
            }
            places.push((hash(key), records.len()));
            records.extend_from_slice(record);
        }
        places.sort_unstable();
        let read = |at: usize| {
            let mut fields = Fields(&records[at..]);
            (fields.bytes(), (fields.u32(), fields.u64()))
        };
        for same in places.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            // Keys of one hash are one key, or nearly so.
            let mut keys: Vec<(&[u8], At, Seen)> = Vec::new();
            for &(_, place) in same {
                let (key, at) = read(place);
                let items = 1 + more.get(&place).copied().unwrap_or(0);
                match keys.iter_mut().find(|(known, ..)| *known == key) {
                    Some((_, first, seen)) => {
                        if seen.second == *first {
                            seen.second = at;
                        }
                        seen.items += items;
                    }
                    None => keys.push((key, at, Seen { items, second: at })),
                }
            }
            for (key, first, seen) in keys {
                if seen.items > 1 {
                    self.keys += 1;
                    self.items += seen.items - 1;
                    self.first.push((first, key.into(), seen));
                }
            }
            if self.first.len() > 8 * EXAMPLES {
                self.first.sort_by_key(|(at, ..)| *at);
                self.first.truncate(EXAMPLES);
            }
        }
        Ok(())
    }
}
