//! What stands over the items of a base: the last change of each key.
//!
//! The images are in a spill; of a key there is its bytes and where its image is. Where the
//! keys do not fit in memory, the keys of the base are read first, and what stands over each
//! item is found bucket by bucket (see `Places`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;

use super::spill::{Buckets, Cursor, DEEPEST, Fields, Run, Spill, hash, merge_sorted, put_bytes};
use crate::change::key::KeyNames;
use crate::control::Control;
use crate::error::Result;

/// Which of two changes of a key is the later one, and where an insert stands among the
/// others: the place of the window, and the place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The place of the window, in the order in which windows are applied.
    pub window: u32,
    /// When the item was written, in microseconds.
    pub micros: i64,
    /// File, block, and place in the block.
    pub place: (u32, u32, u32),
}

impl Order {
    /// Later ones are greater.
    fn of_change(self) -> (u32, i64, (u32, u32, u32)) {
        (self.window, self.micros, self.place)
    }

    /// By window, file and line: bytes that compare so.
    fn of_insert(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (n, part) in [self.window, self.place.0, self.place.1, self.place.2].into_iter().enumerate() {
            bytes[4 * n..][..4].copy_from_slice(&part.to_be_bytes());
        }
        bytes
    }
}

/// Where an image is; `None` where the item was deleted.
pub type Image = Option<(u64, u32)>;

/// The last change of a key.
#[derive(Debug)]
struct Entry {
    key: (u64, u32),
    order: Order,
    image: Image,
    /// The base has the key.
    met: AtomicBool,
}

/// What became of the keys of the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that the base has not.
    pub inserts: u64,
    /// Items that stand over one of the base.
    pub updates: u64,
    /// Items of the base that are there no more.
    pub deletes: u64,
    /// Deletes of keys that the base has not.
    pub unknown_deletes: u64,
}

impl Counts {
    fn add(&mut self, met: bool, image: Image) {
        *match (met, image.is_some()) {
            (true, true) => &mut self.updates,
            (true, false) => &mut self.deletes,
            (false, true) => &mut self.inserts,
            (false, false) => &mut self.unknown_deletes,
        } += 1;
    }
}

/// The last changes, by key.
#[derive(Debug, Default)]
pub struct Keys {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Keys {
    /// Bytes of memory, about.
    fn memory(&self) -> u64 {
        // Of vectors that have just doubled.
        (2 * self.bytes.len() + 2 * self.entries.len() * size_of::<Entry>() + 16 * self.entries.len()) as u64
    }

    fn key<'a>(bytes: &'a [u8], entry: &Entry) -> &'a [u8] {
        &bytes[entry.key.0 as usize..][..entry.key.1 as usize]
    }

    fn find(&self, key: &[u8]) -> Option<&Entry> {
        let same = |&n: &u32| *Self::key(&self.bytes, &self.entries[n as usize]) == *key;
        self.table.find(hash(key), same).map(|&n| &self.entries[n as usize])
    }

    fn set(&mut self, key: &[u8], order: Order, image: Image) {
        let Self { table, entries, bytes } = self;
        let same = |&n: &u32| *Self::key(bytes, &entries[n as usize]) == *key;
        if let Some(&n) = table.find(hash(key), same) {
            let entry = &mut entries[n as usize];
            if order.of_change() > entry.order.of_change() {
                (entry.order, entry.image) = (order, image);
            }
            return;
        }
        let n = entries.len() as u32;
        entries.push(Entry { key: (bytes.len() as u64, key.len() as u32), order, image, met: AtomicBool::new(false) });
        bytes.extend_from_slice(key);
        table.insert_unique(hash(key), n, |&n| hash(Self::key(bytes, &entries[n as usize])));
    }
}

/// Collects changes.
pub struct Collector {
    names: KeyNames,
    limit: u64,
    keys: Keys,
    /// The changes by buckets, when they did not fit.
    buckets: Option<Buckets>,
    images: Spill,
    spill: Spill,
}

impl Collector {
    /// For keys of these names, in so many bytes of memory.
    pub fn new(names: KeyNames, limit: u64, images: Spill, spill: Spill) -> Self {
        Self { names, limit, keys: Keys::default(), buckets: None, images, spill }
    }

    /// Adds the texts of images: where they begin.
    pub fn images(&mut self, text: &[u8]) -> Result<u64> {
        self.images.append(text)
    }

    /// A change.
    pub fn change(&mut self, key: &[u8], order: Order, image: Image) -> Result<()> {
        if let Some(buckets) = &mut self.buckets {
            return buckets.push(key, &change_record(key, order, image), &self.spill);
        }
        self.keys.set(key, order, image);
        if self.keys.memory() > self.limit {
            let keys = std::mem::take(&mut self.keys);
            let mut buckets = Buckets::new(0);
            for entry in &keys.entries {
                let key = Keys::key(&keys.bytes, entry);
                buckets.push(key, &change_record(key, entry.order, entry.image), &self.spill)?;
            }
            self.buckets = Some(buckets);
        }
        Ok(())
    }

    /// All changes came. What stands over the base; where the keys do not fit in memory the
    /// base's keys have to be read first.
    pub fn finish(self) -> Result<Collected> {
        let Self { names, limit, keys, buckets, images, spill } = self;
        match buckets {
            None => Ok(Collected::Over(Over { names, images, by: By::Keys(keys) })),
            Some(buckets) => {
                let changes = buckets.finish(&spill)?;
                Ok(Collected::Join(Join { names, limit, images, spill, changes, base: Buckets::new(0) }))
            }
        }
    }
}

/// What became of the changes.
pub enum Collected {
    /// They fit in memory.
    Over(Over),
    /// They did not.
    Join(Join),
}

fn change_record(key: &[u8], order: Order, image: Image) -> Vec<u8> {
    let mut record = Vec::with_capacity(key.len() + 48);
    put_bytes(&mut record, key);
    record.extend_from_slice(&order.window.to_le_bytes());
    record.extend_from_slice(&order.micros.to_le_bytes());
    for part in [order.place.0, order.place.1, order.place.2] {
        record.extend_from_slice(&part.to_le_bytes());
    }
    put_image(&mut record, image);
    record
}

/// An image without text is none: the shortest has its braces.
fn put_image(record: &mut Vec<u8>, image: Image) {
    let (at, len) = image.unwrap_or_default();
    record.extend_from_slice(&at.to_le_bytes());
    record.extend_from_slice(&len.to_le_bytes());
}

fn image(fields: &mut Fields<'_>) -> Image {
    let (at, len) = (fields.u64(), fields.u32());
    (len > 0).then_some((at, len))
}

/// Finds what stands over the items of a base whose changes do not fit in memory.
pub struct Join {
    names: KeyNames,
    limit: u64,
    images: Spill,
    spill: Spill,
    changes: Vec<Run>,
    base: Buckets,
}

impl Join {
    /// The names of the key attributes.
    pub fn names(&self) -> &KeyNames {
        &self.names
    }

    /// The key of the base's item with this place: file, block, place in the block. They come
    /// in order.
    pub fn base(&mut self, key: &[u8], place: (u32, u32, u32)) -> Result<()> {
        let mut record = Vec::with_capacity(key.len() + 16);
        put_bytes(&mut record, key);
        for part in [place.0, place.1, place.2] {
            record.extend_from_slice(&part.to_be_bytes());
        }
        self.base.push(key, &record, &self.spill)
    }

    /// All keys of the base came.
    pub fn finish(self, control: &Control) -> Result<Over> {
        let Self { names, limit, images, spill, changes, base } = self;
        let base = base.finish(&spill)?;
        let mut joined = Joined::default();
        for (changes, base) in changes.into_iter().zip(base) {
            control.check()?;
            joined.bucket(&changes, &base, limit, 1, &spill)?;
        }
        let mut blocks = HashMap::new();
        let mut open: Option<((u32, u32), Vec<u8>)> = None;
        let mut close = |open: Option<((u32, u32), Vec<u8>)>| -> Result<()> {
            if let Some((at, matches)) = open {
                blocks.insert(at, (spill.append(&matches)?, matches.len() as u32));
            }
            Ok(())
        };
        merge_sorted::<12>(&joined.met, &spill, control, |record| {
            let mut place = BigEndian(record);
            let at = (place.u32(), place.u32());
            if open.as_ref().is_some_and(|(open, _)| *open != at) {
                close(open.take())?;
            }
            open.get_or_insert_with(|| (at, Vec::new())).1.extend_from_slice(place.0);
            Ok(())
        })?;
        close(open)?;
        let mut inserts = Run::default();
        merge_sorted::<16>(&joined.inserts, &spill, control, |record| inserts.push(&record[16..], &spill))?;
        inserts.flush(&spill)?;
        let places = Places { counts: joined.counts, spill, blocks, inserts };
        Ok(Over { names, images, by: By::Places(places) })
    }
}

/// Numbers whose bytes compare as they do.
struct BigEndian<'a>(&'a [u8]);

impl BigEndian<'_> {
    fn u32(&mut self) -> u32 {
        let Some((first, rest)) = self.0.split_first_chunk::<4>() else { return 0 };
        self.0 = rest;
        u32::from_be_bytes(*first)
    }
}

/// The buckets that were joined.
#[derive(Default)]
struct Joined {
    counts: Counts,
    /// Place in the base and image, by place.
    met: Vec<Run>,
    /// Order and image, by order.
    inserts: Vec<Run>,
}

impl Joined {
    fn bucket(&mut self, changes: &Run, base: &Run, limit: u64, level: u32, spill: &Spill) -> Result<()> {
        // An entry takes about three times its record.
        if changes.bytes.saturating_mul(3) > limit && level < DEEPEST {
            let (changes, base) = (changes.divide(level, spill)?, base.divide(level, spill)?);
            return changes.into_iter().zip(base).try_for_each(|(changes, base)| self.bucket(&changes, &base, limit, level + 1, spill));
        }
        let mut keys = Keys::default();
        let mut reader = changes.read(spill);
        while let Some(record) = reader.next_record()? {
            let mut fields = Fields(record);
            let key = fields.bytes();
            let (window, micros) = (fields.u32(), fields.i64());
            let place = (fields.u32(), fields.u32(), fields.u32());
            keys.set(key, Order { window, micros, place }, image(&mut fields));
        }
        let (mut met, mut record) = (Run::default(), Vec::new());
        let mut reader = base.read(spill);
        while let Some(of_base) = reader.next_record()? {
            let mut fields = Fields(of_base);
            let Some(entry) = keys.find(fields.bytes()) else { continue };
            entry.met.store(true, Ordering::Relaxed);
            record.clear();
            record.extend_from_slice(fields.0);
            put_image(&mut record, entry.image);
            met.push(&record, spill)?;
        }
        met.flush(spill)?;
        self.met.push(met);
        keys.entries.iter().for_each(|entry| self.counts.add(entry.met.load(Ordering::Relaxed), entry.image));
        let mut inserts = Run::default();
        for entry in keys.inserts() {
            record.clear();
            record.extend_from_slice(&entry.order.of_insert());
            put_image(&mut record, entry.image);
            inserts.push(&record, spill)?;
        }
        inserts.flush(spill)?;
        self.inserts.push(inserts);
        Ok(())
    }
}

impl Keys {
    /// Images of keys that the base has not, in their order.
    fn inserts(&self) -> Vec<&Entry> {
        let is_insert = |entry: &&Entry| entry.image.is_some() && !entry.met.load(Ordering::Relaxed);
        let mut inserts: Vec<_> = self.entries.iter().filter(is_insert).collect();
        inserts.sort_unstable_by_key(|entry| entry.order.of_insert());
        inserts
    }
}

/// How far the images were taken that the base has not.
pub enum Inserts {
    /// Those that are left.
    Known(std::vec::IntoIter<(u64, u32)>),
    /// A place in their run.
    Run(Cursor),
}

/// What stands over a base.
#[derive(Debug)]
pub struct Over {
    names: KeyNames,
    images: Spill,
    by: By,
}

#[derive(Debug)]
enum By {
    Keys(Keys),
    Places(Places),
}

/// What stands over each block of the base: found beforehand.
#[derive(Debug)]
struct Places {
    counts: Counts,
    spill: Spill,
    blocks: HashMap<(u32, u32), (u64, u32)>,
    inserts: Run,
}

/// What stands over the items of a block: places in it, and images.
#[derive(Debug, Default)]
pub struct OfBlock {
    bytes: Vec<u8>,
    at: usize,
}

impl OfBlock {
    fn next(&mut self, item: u32) -> Option<Image> {
        loop {
            let (place, rest) = self.bytes.get(self.at..)?.split_first_chunk::<4>()?;
            match u32::from_be_bytes(*place).cmp(&item) {
                // That item turned out bad.
                std::cmp::Ordering::Less => self.at += 16,
                std::cmp::Ordering::Equal => {
                    self.at += 16;
                    return Some(image(&mut Fields(rest)));
                }
                std::cmp::Ordering::Greater => return None,
            }
        }
    }
}

impl Over {
    /// The names of the key attributes.
    pub fn names(&self) -> &KeyNames {
        &self.names
    }

    /// What stands over the items of a block.
    pub fn begin_block(&self, file: usize, block: usize, of_block: &mut OfBlock) -> Result<()> {
        of_block.at = 0;
        of_block.bytes.clear();
        match &self.by {
            By::Places(places) => match places.blocks.get(&(file as u32, block as u32)) {
                Some(&(at, len)) => places.spill.read(at, len as usize, &mut of_block.bytes),
                None => Ok(()),
            },
            By::Keys(_) => Ok(()),
        }
    }

    /// What stands over the item with this key and place in its block, if anything does.
    #[inline]
    pub fn over(&self, key: &[u8], item: u32, of_block: &mut OfBlock) -> Option<Image> {
        match &self.by {
            By::Keys(keys) => {
                let entry = keys.find(key)?;
                entry.met.store(true, Ordering::Relaxed);
                Some(entry.image)
            }
            By::Places(_) => of_block.next(item),
        }
    }

    /// The text of an image.
    pub fn image(&self, (at, len): (u64, u32), out: &mut Vec<u8>) -> Result<()> {
        self.images.read(at, len as usize, out)
    }

    /// The images of keys that the base has not, in order, when all of the base was read.
    pub fn inserts(&self) -> Inserts {
        match &self.by {
            By::Keys(keys) => Inserts::Known(keys.inserts().into_iter().filter_map(|entry| entry.image).collect::<Vec<_>>().into_iter()),
            By::Places(_) => Inserts::Run(Cursor::default()),
        }
    }

    /// The next of them.
    pub fn next_insert(&self, inserts: &mut Inserts) -> Result<Option<(u64, u32)>> {
        match (inserts, &self.by) {
            (Inserts::Known(images), _) => Ok(images.next()),
            (Inserts::Run(cursor), By::Places(places)) => {
                Ok(cursor.next_record(&places.inserts, &places.spill)?.and_then(|record| image(&mut Fields(record))))
            }
            (Inserts::Run(_), By::Keys(_)) => Ok(None),
        }
    }

    /// Some images of those that stand in the end.
    pub fn some(&self, count: usize) -> Vec<(u64, u32)> {
        let mut images = Vec::new();
        if let By::Keys(keys) = &self.by {
            let step = keys.entries.len().div_ceil(count).max(1);
            images.extend(keys.entries.iter().step_by(step).filter_map(|entry| entry.image));
        }
        images
    }

    /// What became of the keys, when all of the base was read.
    pub fn counts(&self) -> Counts {
        match &self.by {
            By::Places(places) => places.counts,
            By::Keys(keys) => {
                let mut counts = Counts::default();
                keys.entries.iter().for_each(|entry| counts.add(entry.met.load(Ordering::Relaxed), entry.image));
                counts
            }
        }
    }
}
