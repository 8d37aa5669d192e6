//! Events → summary: the sink that learns what stands at each path.
//!
//! Values are written into a journal while an item is read, and counted when it is
//! committed: an item that turns out bad leaves no trace.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::Columns;
use super::summary::{Digits, First, PathSummary, Summary};
use crate::error::{Code, Error};
use crate::event::{Kind, Refusal, Sink, Want};
use crate::name::{Key, Names};
use crate::number::Number;

/// Paths that a summary may hold, by default: past it memory would grow with the data.
pub const MAX_PATHS: usize = 100_000;
/// Examples are cut behind so many characters.
const EXAMPLE_CHARS: usize = 60;

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// Learns from the items of any number of blocks.
pub struct Learner {
    nodes: Vec<Node>,
    columns: Option<Columns>,
    max_paths: usize,
    sample: Option<u64>,
    /// The block that is read, as in [`Place`], and the item in it.
    block: u64,
    item: u64,
    items: u64,
    journal: Vec<Entry>,
    examples: Vec<(u32, String)>,
    /// The path of the next value, and its map's.
    current: u32,
    open: Vec<Frame>,
    /// Identifies the map that is open: a name is twice in it if it bears its number.
    map: u64,
    maps: u64,
    nodes_before: usize,
    /// Why the item is refused.
    refusal: Option<Refusal>,
    /// Names behind `columns`, for their duplicates.
    unwanted: HashMap<Box<str>, u64, FxBuildHasher>,
}

struct Node {
    name: Box<str>,
    parent: u32,
    /// The map that last had this name.
    seen: u64,
    children: Names,
    element: u32,
    /// `first` is kept by block while learning; items are counted through at the end.
    first: Place,
    /// The largest magnitudes of integers that fit an int64: of the numbers, and of the members
    /// of number sets. Their digits are counted at the end.
    integers: u64,
    set_integers: u64,
    summary: PathSummary,
}

/// File (the upper half) and block, item in the block, position in the item.
#[derive(Clone, Copy)]
struct Place {
    block: u64,
    item: u64,
    position: u64,
}

#[derive(Clone, Copy)]
enum Frame {
    Map { node: u32, map: u64 },
    List { node: u32, element: u32, length: u64 },
    Set { node: u32, length: u64 },
}

/// What is written down of a value.
#[derive(Clone, Copy)]
struct Entry {
    node: u32,
    event: Event,
    /// A length, a magnitude, or digits.
    measure: u64,
}

#[derive(Clone, Copy)]
enum Event {
    /// A value of a type that has no measure, or gets it at its end.
    Kind(Kind),
    /// A string, and its bytes.
    String,
    /// A binary, and its bytes.
    Binary,
    /// An integer that fits an int64, and its magnitude.
    Integer,
    /// Any other number, and its digits.
    Number,
    SetString,
    SetBinary,
    SetInteger,
    SetNumber,
    /// The members of a list or set.
    Members,
}

impl Node {
    fn new(name: &str, parent: u32) -> Self {
        Self {
            name: name.into(),
            parent,
            seen: 0,
            children: Names::default(),
            element: NONE,
            first: Place { block: u64::MAX, item: u64::MAX, position: u64::MAX },
            integers: 0,
            set_integers: 0,
            summary: PathSummary::default(),
        }
    }
}

impl Learner {
    /// A learner of all attributes, or of these. More than `max_paths` are an error; items
    /// past `sample` are not looked at.
    pub fn new(columns: Option<Columns>, max_paths: usize, sample: Option<u64>) -> Self {
        Self {
            nodes: vec![Node::new("", NONE)],
            columns,
            max_paths,
            sample,
            block: 0,
            item: 0,
            items: 0,
            journal: Vec::new(),
            examples: Vec::new(),
            current: ROOT,
            open: Vec::new(),
            map: 0,
            maps: 0,
            nodes_before: 1,
            refusal: None,
            unwanted: HashMap::default(),
        }
    }

    /// The next items come from this block of this file.
    pub fn begin_block(&mut self, file: usize, block: usize) {
        self.block = (file as u64) << 32 | block as u64;
        self.item = 0;
    }

    /// Good items in the block so far.
    pub fn items_in_block(&self) -> u64 {
        self.item
    }

    /// What was learnt. `items_before` tells how many good items of a file stand before a
    /// block of it.
    pub fn finish(mut self, items_before: impl Fn(u64, u64) -> u64) -> Summary {
        let mut summaries: Vec<PathSummary> = Vec::with_capacity(self.nodes.len());
        for node in &mut self.nodes {
            let mut summary = std::mem::take(&mut node.summary);
            let place = node.first;
            if place.item != u64::MAX {
                let (file, block) = (place.block >> 32, place.block & u64::from(u32::MAX));
                summary.first = First(file, items_before(file, block) + place.item, place.position);
            }
            summary.numbers.integer = summary.numbers.integer.max(digits(node.integers));
            summary.set_numbers.integer = summary.set_numbers.integer.max(digits(node.set_integers));
            summaries.push(summary);
        }
        // Children stand behind their parents, so from the back every node is complete.
        while let (Some(node), Some(summary)) = (self.nodes.pop(), summaries.pop()) {
            let Some(parent) = summaries.get_mut(node.parent as usize) else {
                return Summary { items: self.items, root: summary };
            };
            if self.nodes[node.parent as usize].element == self.nodes.len() as u32 {
                parent.element = Some(Box::new(summary));
            } else {
                parent.fields.insert(node.name.into(), summary);
            }
        }
        Summary::default()
    }

    /// The node of a name that was not expected here.
    fn child(&mut self, parent: u32, name: &str) -> Result<u32, Refusal> {
        let nodes = &self.nodes;
        if let Some(child) = nodes[parent as usize].children.get(name, |node| &nodes[node as usize].name) {
            return Ok(child);
        }
        let child = self.add_node(name, parent)?;
        self.nodes[parent as usize].children.insert(name, child);
        Ok(child)
    }

    #[cold]
    fn add_node(&mut self, name: &str, parent: u32) -> Result<u32, Refusal> {
        if self.nodes.len() > self.max_paths {
            let error = too_many_paths(self.max_paths);
            return Err(Refusal { code: error.code(), message: error.message(), path: None });
        }
        self.nodes.push(Node::new(name, parent));
        Ok(self.nodes.len() as u32 - 1)
    }

    /// The path of the value that comes now. Counts elements of lists.
    #[inline]
    fn value(&mut self, event: Event, measure: u64) -> u32 {
        if let Some(Frame::List { element, length, .. }) = self.open.last_mut() {
            *length += 1;
            self.current = *element;
        }
        self.journal.push(Entry { node: self.current, event, measure });
        self.current
    }

    /// Writes a member down, if a set is open.
    #[inline]
    fn is_member(&mut self, event: Event, measure: u64) -> bool {
        let Some(Frame::Set { node, length }) = self.open.last_mut() else { return false };
        *length += 1;
        self.journal.push(Entry { node: *node, event, measure });
        true
    }

    /// Whether the value that comes now is the first of its path.
    #[inline]
    fn is_first(&self, node: u32) -> bool {
        self.nodes[node as usize].first.block > self.block
    }

    #[cold]
    fn example(&mut self, node: u32, text: &str) {
        let cut = text.char_indices().nth(EXAMPLE_CHARS).map_or(text.len(), |(at, _)| at);
        let more = if cut < text.len() { "…" } else { "" };
        self.examples.push((node, format!("{}{more}", &text[..cut])));
    }
}

/// More paths than may be learnt.
pub fn too_many_paths(max_paths: usize) -> Error {
    let message = format!(
        "more than {max_paths} attribute paths; raise `max_paths`, or say maps=\"map\" or \"json\", or `overrides` for the path whose members are keys"
    );
    Error::new(Code::TooManyPaths, message)
}

/// The digits of an integer, 0 for 0.
fn digits(magnitude: u64) -> u32 {
    magnitude.checked_ilog10().map_or(0, |log| log + 1)
}

impl Sink for Learner {
    fn begin_item(&mut self) {
        self.journal.clear();
        self.examples.clear();
        self.open.clear();
        self.maps += 1;
        self.map = self.maps;
        self.nodes_before = self.nodes.len();
        self.open.push(Frame::Map { node: ROOT, map: self.map });
    }

    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        if self.sample.is_some_and(|sample| self.items >= sample) {
            self.abort_item();
            return Ok(());
        }
        let mut position = 0;
        for Entry { node, event, measure } in &self.journal {
            let node = &mut self.nodes[*node as usize];
            let kind = match event {
                Event::Kind(kind) => *kind,
                Event::String => Kind::S,
                Event::Binary => Kind::B,
                Event::Integer | Event::Number => Kind::N,
                _ => {
                    match event {
                        Event::SetString => node.summary.strings.add(*measure),
                        Event::SetBinary => node.summary.binaries.add(*measure),
                        Event::SetInteger => node.set_integers = node.set_integers.max(*measure),
                        Event::SetNumber => add_digits(&mut node.summary.set_numbers, *measure),
                        _ => node.summary.members.add(*measure),
                    }
                    continue;
                }
            };
            if node.first.block > self.block {
                node.first = Place { block: self.block, item: self.item, position };
                node.summary.example = None;
            }
            position += 1;
            node.summary.counts[kind as usize] += 1;
            match event {
                Event::String => node.summary.strings.add(*measure),
                Event::Binary => node.summary.binaries.add(*measure),
                Event::Integer => node.integers = node.integers.max(*measure),
                Event::Number => add_digits(&mut node.summary.numbers, *measure),
                _ => {}
            }
        }
        for (node, text) in self.examples.drain(..) {
            let node = &mut self.nodes[node as usize];
            // Of several values of one path in the item the first is the example.
            if node.first.block == self.block && node.first.item == self.item && node.summary.example.is_none() {
                node.summary.example = Some(text);
            }
        }
        self.item += 1;
        self.items += 1;
        Ok(())
    }

    fn abort_item(&mut self) {
        self.refusal = None;
        for at in (self.nodes_before..self.nodes.len()).rev() {
            let Some(node) = self.nodes.pop() else { return };
            let parent = &mut self.nodes[node.parent as usize];
            if parent.element == at as u32 {
                parent.element = NONE;
            } else {
                parent.children.remove(&node.name, at as u32);
            }
        }
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        let depth = self.open.len();
        let Some(Frame::Map { node, map }) = self.open.last().copied() else { return Ok(Want::Nothing) };
        if depth == 1
            && let Some(columns) = &self.columns
            && !columns.iter().any(|column| column == name)
        {
            return match self.unwanted.get_mut(name) {
                Some(seen) if *seen == map => Err(Refusal::duplicate()),
                Some(seen) => {
                    *seen = map;
                    Ok(Want::Nothing)
                }
                None => {
                    // A table of names that nobody wants must not grow without bound.
                    if self.unwanted.len() >= self.max_paths {
                        self.unwanted.retain(|_, seen| *seen == map);
                    }
                    self.unwanted.insert(name.into(), map);
                    Ok(Want::Nothing)
                }
            };
        }
        let child = self.child(node, name)?;
        let found = &mut self.nodes[child as usize];
        if found.seen == map {
            return Err(Refusal::duplicate());
        }
        found.seen = map;
        self.current = child;
        Ok(Want::Value)
    }

    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        let Some(Frame::Map { node, map }) = self.open.last() else { return None };
        let child = self.nodes[*node as usize].children.find(name)?;
        let found = &mut self.nodes[child as usize];
        if found.seen == *map {
            return None;
        }
        found.seen = *map;
        self.current = child;
        Some(Want::Value)
    }

    fn string(&mut self, value: &str) {
        let length = value.len() as u64;
        if self.is_member(Event::SetString, length) {
            return;
        }
        let node = self.value(Event::String, length);
        if self.is_first(node) {
            self.example(node, value);
        }
    }

    fn number(&mut self, value: Number) {
        let (measure, fits) = match value.to_i64() {
            Some(integer) => (integer.unsigned_abs(), true),
            None => (u64::from(value.integer_digits()) << 32 | u64::from(value.scale()), false),
        };
        if self.is_member(if fits { Event::SetInteger } else { Event::SetNumber }, measure) {
            return;
        }
        let node = self.value(if fits { Event::Integer } else { Event::Number }, measure);
        if self.is_first(node) {
            self.example(node, &value.to_string());
        }
    }

    fn binary(&mut self, value: &[u8]) {
        let length = value.len() as u64;
        if self.is_member(Event::SetBinary, length) {
            return;
        }
        let node = self.value(Event::Binary, length);
        if self.is_first(node) {
            let part = &value[..value.len().min(EXAMPLE_CHARS)];
            self.example(node, &base64::Engine::encode(&base64::engine::general_purpose::STANDARD, part));
        }
    }

    fn boolean(&mut self, value: bool) {
        let node = self.value(Event::Kind(Kind::Bool), 0);
        if self.is_first(node) {
            self.example(node, if value { "true" } else { "false" });
        }
    }

    fn null(&mut self) {
        self.value(Event::Kind(Kind::Null), 0);
    }

    fn begin_map(&mut self) {
        let node = self.value(Event::Kind(Kind::M), 0);
        self.maps += 1;
        self.open.push(Frame::Map { node, map: self.maps });
    }

    fn end_map(&mut self) {
        self.open.pop();
    }

    fn begin_list(&mut self) {
        let node = self.value(Event::Kind(Kind::L), 0);
        let mut element = self.nodes[node as usize].element;
        if element == NONE {
            match self.add_node("", node) {
                Ok(added) => {
                    element = added;
                    self.nodes[node as usize].element = added;
                }
                Err(refusal) => {
                    // Until the item is refused, its elements stand where the list does.
                    element = node;
                    self.refusal = Some(refusal);
                }
            }
        }
        self.open.push(Frame::List { node, element, length: 0 });
    }

    fn end_list(&mut self) {
        if let Some(Frame::List { node, length, .. }) = self.open.pop() {
            self.journal.push(Entry { node, event: Event::Members, measure: length });
        }
    }

    fn begin_set(&mut self, kind: Kind) {
        let node = self.value(Event::Kind(kind), 0);
        self.open.push(Frame::Set { node, length: 0 });
    }

    fn end_set(&mut self) {
        if let Some(Frame::Set { node, length }) = self.open.pop() {
            self.journal.push(Entry { node, event: Event::Members, measure: length });
        }
    }
}

/// Takes in the digits of a number that no int64 holds.
fn add_digits(sum: &mut Digits, digits: u64) {
    sum.integer = sum.integer.max((digits >> 32) as u32);
    sum.scale = sum.scale.max(digits as u32);
    sum.beyond_int64 += 1;
}
