//! The values by which items are told apart, taken out of them on their way to a sink.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::worker::BlockSink;
use crate::error::{Code, Result};
use crate::event::{Kind, Refusal, Sink, Want};
use crate::name;
use crate::number::Number;
use crate::path;

/// The values of some attributes of an item: each a string, a number, a boolean, or none.
pub type Key = Arc<[u8]>;

/// Appends a value to a key: its type and its text, which is empty for none.
pub fn push_value(key: &mut Vec<u8>, kind: Kind, text: &str) {
    key.push(kind as u8);
    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// The values of a key, with their types: [`Kind::Null`] for none.
pub fn values(mut key: &[u8]) -> impl Iterator<Item = (Kind, &str)> {
    std::iter::from_fn(move || {
        let (&kind, rest) = key.split_first()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        key = rest;
        let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind)?;
        Some((kind, std::str::from_utf8(text).ok()?))
    })
}

/// The text of a boolean.
pub const fn boolean_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Why an item has no key: the value of an attribute is none that could be part of one.
#[cold]
pub fn refusal(option: &str, name: &str, why: &str) -> Refusal {
    let mut at = String::new();
    path::push_name(&mut at, name);
    Refusal { code: Code::Partition, message: format!("{option}: {why}"), path: Some(at) }
}

/// What a value of a type is that is none of a key's.
pub const fn no_scalar(kind: Kind) -> &'static str {
    match kind {
        Kind::B => "a binary names no folder",
        Kind::M => "a map names no folder",
        Kind::L => "a list names no folder",
        _ => "a set names no folder",
    }
}

/// More different keys than there may be.
#[cold]
pub fn too_many(max: usize) -> Refusal {
    let message = format!("more than {max} folders: take an attribute of fewer values, or raise `max_partitions`");
    Refusal { code: Code::TooManyPartitions, message, path: None }
}

/// The keys of a block.
#[derive(Debug, Default)]
pub struct Keys {
    /// Those that its items have, each once.
    pub all: Vec<Key>,
    /// Of each item the index of its key.
    pub of_rows: Vec<u32>,
}

/// Why a value of an attribute cannot be part of a key, where it cannot.
pub type Judge = fn(&str, Kind, &str) -> Result<(), String>;

/// Takes the values of attributes out of items: the sink behind never sees them.
pub struct Keyed<S> {
    sink: S,
    names: Arc<[String]>,
    short: Vec<name::Key>,
    judge: Judge,
    max: usize,
    /// The item's values, where they were met.
    values: Vec<(Option<Kind>, String)>,
    /// Maps that are open in other attributes.
    depth: u32,
    /// The attribute whose value comes, and how many containers are open in it.
    taking: Option<(usize, u32)>,
    refusal: Option<Refusal>,
    key: Vec<u8>,
    keys: Keys,
    indices: FxHashMap<Key, u32>,
}

impl<S> Keyed<S> {
    /// A sink that takes these attributes out of items. `judge` is asked once a block of each
    /// value; more than `max` keys in a block are refused.
    pub fn new(sink: S, names: Arc<[String]>, judge: Judge, max: usize) -> Self {
        Self {
            sink,
            short: names.iter().map(|name| name::Key::new(name)).collect(),
            values: vec![(None, String::new()); names.len()],
            names,
            judge,
            max,
            depth: 0,
            taking: None,
            refusal: None,
            key: Vec::new(),
            keys: Keys::default(),
            indices: FxHashMap::default(),
        }
    }

    /// The sink behind.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// The sink behind, when all items were sent.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// A scalar; whether it is the value of an attribute that is taken, or stands in it.
    #[inline]
    fn takes(&mut self, kind: Kind, text: impl FnOnce(&mut String)) -> bool {
        let Some((at, inside)) = self.taking else { return false };
        if inside > 0 {
            return true;
        }
        self.taking = None;
        if kind == Kind::B {
            self.refuse(at, kind);
        } else {
            self.values[at].0 = Some(kind);
            text(&mut self.values[at].1);
        }
        true
    }

    /// A container begins; whether it is the value of an attribute that is taken.
    fn takes_container(&mut self, kind: Kind) -> bool {
        let Some((at, inside)) = &mut self.taking else { return false };
        *inside += 1;
        if *inside == 1 {
            let at = *at;
            self.refuse(at, kind);
        }
        true
    }

    /// A container ends; whether it is one of an attribute that is taken.
    fn ends_container(&mut self) -> bool {
        let Some((_, inside)) = &mut self.taking else { return false };
        *inside -= 1;
        if *inside == 0 {
            self.taking = None;
        }
        true
    }

    #[cold]
    fn refuse(&mut self, at: usize, kind: Kind) {
        self.refusal = Some(refusal("partition_by", &self.names[at], no_scalar(kind)));
    }

    /// The index of the item's key among those of the block, or behind them where it is new.
    fn index(&mut self) -> Result<u32, Refusal> {
        self.key.clear();
        for (kind, text) in &self.values {
            push_value(&mut self.key, kind.unwrap_or(Kind::Null), text);
        }
        if let Some(&index) = self.indices.get(&*self.key) {
            return Ok(index);
        }
        for (name, (kind, text)) in self.names.iter().zip(&self.values) {
            (self.judge)(name, kind.unwrap_or(Kind::Null), text).map_err(|why| refusal("partition_by", name, &why))?;
        }
        if self.keys.all.len() >= self.max {
            return Err(too_many(self.max));
        }
        Ok(self.keys.all.len() as u32)
    }
}

impl<S: Sink> Sink for Keyed<S> {
    fn begin_item(&mut self) {
        self.depth = 0;
        self.taking = None;
        self.refusal = None;
        for (kind, text) in &mut self.values {
            *kind = None;
            text.clear();
        }
        self.sink.begin_item();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        let index = self.index()?;
        self.sink.commit_item(bytes)?;
        if index as usize == self.keys.all.len() {
            let key = Key::from(&*self.key);
            self.keys.all.push(key.clone());
            self.indices.insert(key, index);
        }
        self.keys.of_rows.push(index);
        Ok(())
    }
    fn abort_item(&mut self) {
        self.sink.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        if self.taking.is_some() {
            // Of a map that is refused already.
            return Ok(Want::Nothing);
        }
        if self.depth == 0
            && let Some(at) = self.names.iter().position(|known| known == name)
        {
            if self.values[at].0.replace(Kind::Null).is_some() {
                return Err(Refusal::duplicate());
            }
            self.taking = Some((at, 0));
            return Ok(Want::Value);
        }
        self.sink.attribute(name)
    }
    #[inline]
    fn known(&mut self, name: name::Key) -> Option<Want> {
        let is_taken = self.depth == 0 && self.short.contains(&name);
        if is_taken || self.taking.is_some() { None } else { self.sink.known(name) }
    }
    fn string(&mut self, value: &str) {
        if !self.takes(Kind::S, |text| text.push_str(value)) {
            self.sink.string(value);
        }
    }
    fn number(&mut self, value: Number) {
        if !self.takes(Kind::N, |text| text.push_str(&value.to_string())) {
            self.sink.number(value);
        }
    }
    fn binary(&mut self, value: &[u8]) {
        if !self.takes(Kind::B, |_| {}) {
            self.sink.binary(value);
        }
    }
    fn boolean(&mut self, value: bool) {
        if !self.takes(Kind::Bool, |text| text.push_str(boolean_text(value))) {
            self.sink.boolean(value);
        }
    }
    fn null(&mut self) {
        if !self.takes(Kind::Null, |_| {}) {
            self.sink.null();
        }
    }
    fn begin_map(&mut self) {
        if !self.takes_container(Kind::M) {
            self.depth += 1;
            self.sink.begin_map();
        }
    }
    fn end_map(&mut self) {
        if !self.ends_container() {
            self.depth -= 1;
            self.sink.end_map();
        }
    }
    fn begin_list(&mut self) {
        if !self.takes_container(Kind::L) {
            self.sink.begin_list();
        }
    }
    fn end_list(&mut self) {
        if !self.ends_container() {
            self.sink.end_list();
        }
    }
    fn begin_set(&mut self, kind: Kind) {
        if !self.takes_container(kind) {
            self.sink.begin_set(kind);
        }
    }
    fn end_set(&mut self) {
        if !self.ends_container() {
            self.sink.end_set();
        }
    }
}

impl<S: BlockSink> BlockSink for Keyed<S> {
    type Out = (S::Out, Keys);
    fn begin_block(&mut self, file: usize, block: usize) {
        self.sink.begin_block(file, block);
    }
    fn end_block(&mut self) -> Result<Self::Out> {
        self.indices.clear();
        Ok((self.sink.end_block()?, std::mem::take(&mut self.keys)))
    }
}
