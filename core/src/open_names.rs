//! Names that come twice in one object, and members that come twice in one set.

use rustc_hash::FxHashSet;

use crate::event::Refusal;
use crate::name::{Key, Names};
use crate::number::Number;
use crate::path;

/// The names of the maps that are open, to find one that comes twice: for sinks that keep no names
/// themselves.
///
/// Names that were seen before at their place are known, and cost a look-up; there is an end to how
/// many are kept.
pub struct OpenNames {
    names: Names,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// Maps that were opened so far.
    maps: u64,
    /// Names without a node, of each open map.
    others: Members,
    /// The current one of each depth, where it has no node.
    texts: Vec<String>,
}

struct Node {
    name: Box<str>,
    /// The last map that had it.
    map: u64,
}

struct Open {
    /// The node of the attribute whose value the map is.
    node: u32,
    map: u64,
    /// The node of the attribute that comes.
    current: u32,
}

/// Nodes that are kept: with maps whose names are data there would be no end of them.
const MAX_NODES: usize = 10_000;
const ROOT: u32 = 0;
const NONE: u32 = u32::MAX;

impl Default for OpenNames {
    fn default() -> Self {
        let root = Node { name: "".into(), map: 0 };
        Self { names: Names::default(), nodes: vec![root], open: Vec::new(), maps: 0, others: Members::default(), texts: Vec::new() }
    }
}

impl OpenNames {
    /// The item, or a map in it, begins.
    pub fn begin(&mut self) {
        self.maps += 1;
        let node = self.open.last().map_or(ROOT, |map| map.current);
        self.open.push(Open { node, map: self.maps, current: NONE });
        self.others.begin();
    }

    /// The innermost map ends.
    pub fn end(&mut self) {
        self.open.pop();
        self.others.end();
    }

    /// How many maps are open, the item counted.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// No map is open.
    pub fn clear(&mut self) {
        self.open.clear();
        self.others.clear();
    }

    /// Adds a short name to the innermost map, by its key: its node. `None` where it is not known, or
    /// comes twice.
    #[inline]
    pub fn known(&mut self, name: Key) -> Option<u32> {
        let open = self.open.last_mut()?;
        let node = self.names.find(open.node, name)?;
        self.nodes[node as usize].has_new(open.map).then(|| {
            open.current = node;
            node
        })
    }

    /// Adds a name to the innermost map: its node, where it has one.
    pub fn add(&mut self, name: &str) -> Result<Option<u32>, Refusal> {
        let depth = self.open.len();
        let Some(open) = self.open.last_mut() else { return Ok(None) };
        let nodes = &self.nodes;
        let mut found = self.names.get(open.node, name, |node| &nodes[node as usize].name);
        if found.is_none() && open.node != NONE && nodes.len() < MAX_NODES {
            let node = nodes.len() as u32;
            self.names.insert(open.node, name, node);
            self.nodes.push(Node { name: name.into(), map: 0 });
            found = Some(node);
        }
        open.current = found.unwrap_or(NONE);
        let is_new = match found {
            Some(node) => self.nodes[node as usize].has_new(open.map),
            None => {
                self.texts.resize_with(self.texts.len().max(depth), String::new);
                name.clone_into(&mut self.texts[depth - 1]);
                self.others.is_new(name.as_bytes())
            }
        };
        if is_new { Ok(found) } else { Err(Refusal::duplicate()) }
    }

    /// The name of a node.
    #[inline]
    pub fn name(&self, node: u32) -> &str {
        &self.nodes[node as usize].name
    }

    /// The path of the attribute that comes, without the lists that it stands in.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (depth, open) in self.open.iter().enumerate() {
            let name = self.nodes.get(open.current as usize).map_or_else(|| &*self.texts[depth], |node| &node.name);
            path::push_name(&mut path, name);
        }
        path
    }
}

impl Node {
    /// Whether it is new in this map, and is in it from now on.
    #[inline]
    fn has_new(&mut self, map: u64) -> bool {
        std::mem::replace(&mut self.map, map) != map
    }
}

/// Texts of objects that are open, to find one that comes twice.
#[derive(Default)]
struct Members {
    text: Vec<u8>,
    /// End of each in `text`.
    ends: Vec<usize>,
    /// Index into `ends` of each open object's first.
    firsts: Vec<usize>,
    /// Those of open objects that have many, by the object's depth.
    large: Vec<(usize, FxHashSet<Box<[u8]>>)>,
}

/// Up to here a scan is faster than a hash set.
const SCAN: usize = 64;

impl Members {
    fn begin(&mut self) {
        self.firsts.push(self.ends.len());
    }

    fn end(&mut self) {
        self.large.pop_if(|(depth, _)| *depth == self.firsts.len());
        let first = self.firsts.pop().unwrap_or(0);
        self.ends.truncate(first);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.firsts.clear();
        self.large.clear();
    }

    fn is_new(&mut self, member: &[u8]) -> bool {
        if let Some((depth, members)) = self.large.last_mut()
            && *depth == self.firsts.len()
        {
            return members.insert(member.into());
        }
        let first = self.firsts.last().copied().unwrap_or(0);
        let mut start = if first == 0 { 0 } else { self.ends[first - 1] };
        for &end in &self.ends[first..] {
            if self.text[start..end] == *member {
                return false;
            }
            start = end;
        }
        self.text.extend_from_slice(member);
        self.ends.push(self.text.len());
        if self.ends.len() - first > SCAN {
            let mut start = if first == 0 { 0 } else { self.ends[first - 1] };
            let members = self.ends[first..].iter().map(|&end| self.text[std::mem::replace(&mut start, end)..end].into());
            self.large.push((self.firsts.len(), members.collect()));
        }
        true
    }
}

/// The members of a set, to find one that comes twice.
#[derive(Default)]
pub struct SetMembers(Members);

impl SetMembers {
    /// A set begins.
    pub fn begin(&mut self) {
        self.0.clear();
        self.0.begin();
    }

    /// Whether the set has no such string or binary yet.
    pub fn is_new(&mut self, member: &[u8]) -> bool {
        self.0.is_new(member)
    }

    /// Whether the set has no such number yet, by value.
    pub fn is_new_number(&mut self, member: Number) -> bool {
        self.0.is_new(&member.to_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_twice_in_their_own_map_only() {
        for many in [3, SCAN - 1, SCAN, SCAN + 1, 500, 2 * MAX_NODES] {
            let mut names = OpenNames::default();
            // Of the second item's names as many are known as are kept.
            for item in 0..2 {
                names.clear();
                names.begin();
                for n in 0..many {
                    assert!(names.add(&format!("a{n}")).is_ok());
                }
                names.begin();
                for n in 0..many {
                    assert!(names.add(&format!("a{n}")).is_ok(), "an inner map has names of its own");
                }
                assert!(names.add("a0").is_err() && names.known(Key::new("a0")).is_none());
                assert_eq!(names.path(), format!("a{}.a0", many - 1));
                names.end();
                assert!(names.add(&format!("a{}", many - 1)).is_err());
                assert_eq!(names.known(Key::new("b")).is_some(), item == 1 && many < MAX_NODES);
                assert_eq!(names.add("b").is_ok(), !(item == 1 && many < MAX_NODES));
                assert!(names.add("b").is_err());
            }
        }
    }
}
