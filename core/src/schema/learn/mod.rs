//! Events → summary: the sink that learns what stands at each path.
//!
//! Values are counted at once, and it is written down what to take back: an item that turns
//! out bad leaves no trace.

mod node;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::Columns;
use super::summary::{Lengths, PathSummary, Summary};
use crate::error::{Code, Error};
use crate::event::{Kind, Refusal, Sink, Want};
use crate::name::{Key, Names};
use crate::number::Number;
use node::{Count, Measures, Node, Place};

/// Paths that a summary may hold, by default: past it memory would grow with the data.
pub const MAX_PATHS: usize = 100_000;
/// Examples are cut behind so many characters.
const EXAMPLE_CHARS: usize = 60;

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// Learns from the items of any number of blocks.
pub struct Learner {
    nodes: Vec<Node>,
    names: Names,
    columns: Option<Columns>,
    max_paths: usize,
    sample: Option<u64>,
    /// The block that is read, as in [`Place`], the item in it, and the next value in that.
    block: u64,
    item: u64,
    position: u64,
    items: u64,
    /// To take back: what the item counted, and what measures were before it.
    counted: Vec<(u32, Count)>,
    before: Vec<(u32, Measures)>,
    /// The item's values at paths that no good item of a block up to this one has had: their
    /// positions and texts.
    firsts: Vec<(u32, u64, Option<String>)>,
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

#[derive(Clone, Copy)]
enum Frame {
    Map { node: u32, map: u64 },
    List { node: u32, element: u32, length: u64 },
    Set { node: u32, length: u64 },
}

impl Learner {
    /// A learner of all attributes, or of these. More than `max_paths` are an error; items
    /// past `sample` are not looked at.
    pub fn new(columns: Option<Columns>, max_paths: usize, sample: Option<u64>) -> Self {
        Self {
            nodes: vec![Node::new("", NONE)],
            names: Names::default(),
            columns,
            max_paths,
            sample,
            block: 0,
            item: 0,
            position: 0,
            items: 0,
            counted: Vec::new(),
            before: Vec::new(),
            firsts: Vec::new(),
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
        let mut summaries: Vec<PathSummary> = self.nodes.iter_mut().map(|node| node.summary(&items_before)).collect();
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

    /// The node of a name.
    fn child(&mut self, parent: u32, name: &str) -> Result<u32, Refusal> {
        let nodes = &self.nodes;
        if let Some(child) = self.names.get(parent, name, |node| &nodes[node as usize].name) {
            return Ok(child);
        }
        let child = self.add_node(name, parent)?;
        self.names.insert(parent, name, child);
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

    /// Counts the value that comes now, at its path.
    #[inline]
    fn value(&mut self, kind: Kind) -> u32 {
        if let Some(Frame::List { element, length, .. }) = self.open.last_mut() {
            *length += 1;
            self.current = *element;
        }
        self.count(self.current, Count::values(kind));
        self.position += 1;
        self.current
    }

    /// The path of the scalar that comes now, and whether it is a member of the set there, which
    /// is none of the path's values.
    #[inline]
    fn scalar(&mut self, kind: Kind) -> (u32, bool) {
        if let Some(Frame::Set { node, length }) = self.open.last_mut() {
            *length += 1;
            return (*node, true);
        }
        (self.value(kind), false)
    }

    #[inline]
    fn count(&mut self, node: u32, count: Count) {
        *self.nodes[node as usize].count(count) += 1;
        self.counted.push((node, count));
    }

    /// Takes a length in.
    #[inline]
    fn length(&mut self, node: u32, length: u64, lengths: impl Fn(&mut Measures) -> &mut Lengths) {
        let Lengths { min, max } = *lengths(&mut self.nodes[node as usize].measures);
        if length < min || length > max {
            lengths(self.changed(node)).add(length);
        }
    }

    /// The measures of a path, which the item changes: that is rare.
    #[cold]
    fn changed(&mut self, node: u32) -> &mut Measures {
        let measures = &mut self.nodes[node as usize].measures;
        self.before.push((node, *measures));
        measures
    }

    /// Takes note of a value that might be the first of its path, or the first with a text.
    #[inline]
    fn first(&mut self, node: u32, text: impl FnOnce() -> Option<String>) {
        if self.nodes[node as usize].first.block > self.block {
            self.is_first(node, text());
        }
    }

    #[cold]
    fn is_first(&mut self, node: u32, text: Option<String>) {
        self.firsts.push((node, self.position - 1, text));
    }

    #[cold]
    fn place_firsts(&mut self) {
        for (node, position, text) in self.firsts.drain(..) {
            let node = &mut self.nodes[node as usize];
            if node.first.block > self.block {
                node.first = Place { block: self.block, item: self.item, position };
                node.example = None;
            }
            // Of several values of one path in the item the first is the example.
            node.example = node.example.take().or(text);
        }
    }
}

/// A text for an example.
#[cold]
fn example(text: &str) -> String {
    let cut = text.char_indices().nth(EXAMPLE_CHARS).map_or(text.len(), |(at, _)| at);
    let more = if cut < text.len() { "…" } else { "" };
    format!("{}{more}", &text[..cut])
}

/// More paths than may be learnt.
pub fn too_many_paths(max_paths: usize) -> Error {
    let message = format!(
        "more than {max_paths} attribute paths; raise `max_paths`, or say maps=\"map\" or \"json\", or `overrides` for the path whose members are keys"
    );
    Error::new(Code::TooManyPaths, message)
}

impl Sink for Learner {
    fn begin_item(&mut self) {
        self.open.clear();
        self.position = 0;
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
        if !self.firsts.is_empty() {
            self.place_firsts();
        }
        self.counted.clear();
        self.before.clear();
        self.item += 1;
        self.items += 1;
        Ok(())
    }

    fn abort_item(&mut self) {
        self.refusal = None;
        self.firsts.clear();
        for (node, count) in self.counted.drain(..) {
            *self.nodes[node as usize].count(count) -= 1;
        }
        for (node, measures) in self.before.drain(..).rev() {
            self.nodes[node as usize].measures = measures;
        }
        for at in (self.nodes_before..self.nodes.len()).rev() {
            let Some(node) = self.nodes.pop() else { return };
            let parent = &mut self.nodes[node.parent as usize];
            if parent.element == at as u32 {
                parent.element = NONE;
            } else {
                self.names.remove(node.parent, &node.name, at as u32);
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
        let child = self.names.find(*node, name)?;
        let found = &mut self.nodes[child as usize];
        if found.seen == *map {
            return None;
        }
        found.seen = *map;
        self.current = child;
        Some(Want::Value)
    }

    #[inline]
    fn string(&mut self, value: &str) {
        let (node, is_member) = self.scalar(Kind::S);
        self.length(node, value.len() as u64, |measures| &mut measures.strings);
        if !is_member {
            self.first(node, || Some(example(value)));
        }
    }

    #[inline]
    fn number(&mut self, value: Number) {
        let (node, is_member) = self.scalar(Kind::N);
        let of = usize::from(is_member);
        let most = self.nodes[node as usize].measures.numbers[of];
        if let Some(integer) = value.to_i64() {
            let magnitude = integer.unsigned_abs();
            if magnitude > most.magnitude {
                self.changed(node).numbers[of].magnitude = magnitude;
            }
        } else {
            self.count(node, Count::beyond_int64(is_member));
            let (integer, scale) = (value.integer_digits(), value.scale());
            if integer > most.integer || scale > most.scale {
                let most = &mut self.changed(node).numbers[of];
                (most.integer, most.scale) = (most.integer.max(integer), most.scale.max(scale));
            }
        }
        if !is_member {
            self.first(node, || Some(example(&value.to_string())));
        }
    }

    fn binary(&mut self, value: &[u8]) {
        let (node, is_member) = self.scalar(Kind::B);
        self.length(node, value.len() as u64, |measures| &mut measures.binaries);
        if !is_member {
            let part = &value[..value.len().min(EXAMPLE_CHARS)];
            self.first(node, || Some(example(&STANDARD.encode(part))));
        }
    }

    fn boolean(&mut self, value: bool) {
        let node = self.value(Kind::Bool);
        self.first(node, || Some(example(if value { "true" } else { "false" })));
    }

    fn null(&mut self) {
        let node = self.value(Kind::Null);
        self.first(node, || None);
    }

    fn begin_map(&mut self) {
        let node = self.value(Kind::M);
        self.first(node, || None);
        self.maps += 1;
        self.open.push(Frame::Map { node, map: self.maps });
    }

    fn end_map(&mut self) {
        self.open.pop();
    }

    fn begin_list(&mut self) {
        let node = self.value(Kind::L);
        self.first(node, || None);
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
            self.length(node, length, |measures| &mut measures.members);
        }
    }

    fn begin_set(&mut self, kind: Kind) {
        let node = self.value(kind);
        self.first(node, || None);
        self.open.push(Frame::Set { node, length: 0 });
    }

    fn end_set(&mut self) {
        if let Some(Frame::Set { node, length }) = self.open.pop() {
            self.length(node, length, |measures| &mut measures.members);
        }
    }
}
