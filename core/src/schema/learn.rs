//! Events → summary: the sink that learns what stands at each path.
//!
//! Values are written into a journal while an item is read, and counted when it is
//! committed: an item that turns out bad leaves no trace.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::Columns;
use super::summary::{Digits, First, PathSummary, Summary};
use crate::error::Code;
use crate::event::{Kind, Refusal, Sink, Want};
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
    /// The block that is read, and the item in it.
    block: (u64, u64),
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
    /// Names behind `columns`, for their duplicates.
    unwanted: HashMap<Box<str>, u64, FxBuildHasher>,
}

struct Node {
    name: Box<str>,
    parent: u32,
    /// The map that last had this name.
    seen: u64,
    /// What followed this name, or came first in this map, the last time.
    next: u32,
    first_child: u32,
    children: HashMap<Box<str>, u32, FxBuildHasher>,
    element: u32,
    /// `first` is kept by block while learning; items are counted through at the end.
    first: Place,
    summary: PathSummary,
}

/// File, block, item in the block, position in the item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    block: (u64, u64),
    item: u64,
    position: u64,
}

#[derive(Clone, Copy)]
enum Frame {
    Map { node: u32, map: u64, last: u32 },
    List { node: u32, element: u32, length: u64 },
    Set { node: u32, length: u64 },
}

struct Entry {
    node: u32,
    event: Event,
}

enum Event {
    Kind(Kind),
    String(u64),
    Binary(u64),
    Number(Digits),
    SetNumber(Digits),
    Members(u64),
}

impl Node {
    fn new(name: &str, parent: u32) -> Self {
        Self {
            name: name.into(),
            parent,
            seen: 0,
            next: NONE,
            first_child: NONE,
            children: HashMap::default(),
            element: NONE,
            first: Place { block: (u64::MAX, u64::MAX), item: u64::MAX, position: u64::MAX },
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
            block: (0, 0),
            item: 0,
            items: 0,
            journal: Vec::new(),
            examples: Vec::new(),
            current: ROOT,
            open: Vec::new(),
            map: 0,
            maps: 0,
            nodes_before: 1,
            unwanted: HashMap::default(),
        }
    }

    /// The next items come from this block of this file.
    pub fn begin_block(&mut self, file: usize, block: usize) {
        self.block = (file as u64, block as u64);
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
                summary.first = First(place.block.0, items_before(place.block.0, place.block.1) + place.item, place.position);
            }
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

    fn child(&mut self, parent: u32, guess: u32, name: &str) -> Result<u32, Refusal> {
        if let Some(node) = self.nodes.get(guess as usize)
            && node.parent == parent
            && *node.name == *name
        {
            return Ok(guess);
        }
        if let Some(&child) = self.nodes[parent as usize].children.get(name) {
            return Ok(child);
        }
        let child = self.add_node(name, parent)?;
        self.nodes[parent as usize].children.insert(name.into(), child);
        Ok(child)
    }

    #[cold]
    fn add_node(&mut self, name: &str, parent: u32) -> Result<u32, Refusal> {
        if self.nodes.len() > self.max_paths {
            let message = format!(
                "more than {} attribute paths; raise `max_paths`, or say maps=\"map\" or \"json\", or `overrides` for the path whose members are keys",
                self.max_paths
            );
            return Err(Refusal { code: Code::TooManyPaths, message, path: None });
        }
        self.nodes.push(Node::new(name, parent));
        Ok(self.nodes.len() as u32 - 1)
    }

    /// The path of the value that comes now. Counts elements of lists.
    #[inline]
    fn value(&mut self, kind: Kind) -> u32 {
        if let Some(Frame::List { element, length, .. }) = self.open.last_mut() {
            *length += 1;
            self.current = *element;
        }
        self.journal.push(Entry { node: self.current, event: Event::Kind(kind) });
        self.current
    }

    #[inline]
    fn log(&mut self, event: Event) {
        self.journal.push(Entry { node: self.current, event });
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

    fn set_node(&mut self) -> Option<u32> {
        match self.open.last_mut() {
            Some(Frame::Set { node, length }) => {
                *length += 1;
                Some(*node)
            }
            _ => None,
        }
    }
}

fn digits(number: Number) -> Digits {
    Digits { integer: number.integer_digits(), scale: number.scale(), beyond_int64: u64::from(number.to_i64().is_none()) }
}

impl Sink for Learner {
    fn begin_item(&mut self) {
        self.journal.clear();
        self.examples.clear();
        self.open.clear();
        self.maps += 1;
        self.map = self.maps;
        self.nodes_before = self.nodes.len();
        self.open.push(Frame::Map { node: ROOT, map: self.map, last: NONE });
    }

    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        if self.sample.is_some_and(|sample| self.items >= sample) {
            self.abort_item();
            return Ok(());
        }
        let mut position = 0;
        for Entry { node, event } in &self.journal {
            let node = &mut self.nodes[*node as usize];
            match event {
                Event::Kind(kind) => {
                    if node.first.block > self.block {
                        node.first = Place { block: self.block, item: self.item, position };
                        node.summary.example = None;
                    }
                    position += 1;
                    node.summary.counts[*kind as usize] += 1;
                }
                Event::String(length) => node.summary.strings.add(*length),
                Event::Binary(length) => node.summary.binaries.add(*length),
                Event::Members(length) => node.summary.members.add(*length),
                Event::Number(digits) => add_digits(&mut node.summary.numbers, digits),
                Event::SetNumber(digits) => add_digits(&mut node.summary.set_numbers, digits),
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
        for at in (self.nodes_before..self.nodes.len()).rev() {
            let Some(node) = self.nodes.pop() else { return };
            let parent = &mut self.nodes[node.parent as usize];
            if parent.element == at as u32 {
                parent.element = NONE;
            } else {
                parent.children.remove(&node.name);
            }
        }
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        let depth = self.open.len();
        let Some(Frame::Map { node, map, last }) = self.open.last().copied() else { return Ok(Want::Nothing) };
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
        let guess = if last == NONE { self.nodes[node as usize].first_child } else { self.nodes[last as usize].next };
        let child = self.child(node, guess, name)?;
        if child != guess {
            if last == NONE {
                self.nodes[node as usize].first_child = child;
            } else {
                self.nodes[last as usize].next = child;
            }
        }
        let seen = &mut self.nodes[child as usize].seen;
        if *seen == map {
            return Err(Refusal::duplicate());
        }
        *seen = map;
        if let Some(Frame::Map { last, .. }) = self.open.last_mut() {
            *last = child;
        }
        self.current = child;
        Ok(Want::Value)
    }

    fn string(&mut self, value: &str) {
        if let Some(node) = self.set_node() {
            self.current = node;
        } else {
            let node = self.value(Kind::S);
            if self.is_first(node) {
                self.example(node, value);
            }
        }
        self.log(Event::String(value.len() as u64));
    }

    fn number(&mut self, value: Number) {
        if let Some(node) = self.set_node() {
            self.current = node;
            self.log(Event::SetNumber(digits(value)));
            return;
        }
        let node = self.value(Kind::N);
        if self.is_first(node) {
            self.example(node, &value.to_string());
        }
        self.log(Event::Number(digits(value)));
    }

    fn binary(&mut self, value: &[u8]) {
        if let Some(node) = self.set_node() {
            self.current = node;
        } else {
            let node = self.value(Kind::B);
            if self.is_first(node) {
                let part = &value[..value.len().min(EXAMPLE_CHARS)];
                self.example(node, &base64::Engine::encode(&base64::engine::general_purpose::STANDARD, part));
            }
        }
        self.log(Event::Binary(value.len() as u64));
    }

    fn boolean(&mut self, value: bool) {
        let node = self.value(Kind::Bool);
        if self.is_first(node) {
            self.example(node, if value { "true" } else { "false" });
        }
    }

    fn null(&mut self) {
        self.value(Kind::Null);
    }

    fn begin_map(&mut self) {
        let node = self.value(Kind::M);
        self.maps += 1;
        self.open.push(Frame::Map { node, map: self.maps, last: NONE });
    }

    fn end_map(&mut self) {
        self.open.pop();
    }

    fn begin_list(&mut self) {
        let node = self.value(Kind::L);
        let mut element = self.nodes[node as usize].element;
        if element == NONE {
            // Past the limit elements share their list's node; the next name is refused.
            element = self.add_node("", node).unwrap_or(node);
            if element != node {
                self.nodes[node as usize].element = element;
            }
        }
        self.open.push(Frame::List { node, element, length: 0 });
    }

    fn end_list(&mut self) {
        if let Some(Frame::List { node, length, .. }) = self.open.pop() {
            self.journal.push(Entry { node, event: Event::Members(length) });
        }
    }

    fn begin_set(&mut self, kind: Kind) {
        let node = self.value(kind);
        self.open.push(Frame::Set { node, length: 0 });
    }

    fn end_set(&mut self) {
        if let Some(Frame::Set { node, length }) = self.open.pop() {
            self.journal.push(Entry { node, event: Event::Members(length) });
        }
    }
}

fn add_digits(sum: &mut Digits, digits: &Digits) {
    sum.integer = sum.integer.max(digits.integer);
    sum.scale = sum.scale.max(digits.scale);
    sum.beyond_int64 += digits.beyond_int64;
}
