//! Attribute names, looked up for each attribute of each item: most are short.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::format::json::scan;

/// What a name is compared by: of a short one all bytes and the quote that JSON has behind them,
/// of any other a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u128);

/// Bytes of a key.
const LONGEST: usize = 16;
/// The bytes of a name of so many, and of the quote.
const UP_TO: [u128; LONGEST] = {
    let mut masks = [u128::MAX; LONGEST];
    let mut length = 0;
    while length < LONGEST {
        masks[length] >>= 8 * (LONGEST - 1 - length);
        length += 1;
    }
    masks
};
/// The last byte of a key that is a hash. Others end in a quote or a zero.
const HASHED: u128 = 0xff << 120;

impl Key {
    /// The key of a name.
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; LONGEST];
        if name.len() < LONGEST {
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            bytes[name.len()] = b'"';
            return Self(u128::from_le_bytes(bytes));
        }
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        Self(u128::from(hasher.finish()) | HASHED)
    }

    /// The key and length of the short name that a text begins with, as JSON has it and without
    /// an escape, up to its quote.
    #[inline]
    pub fn in_json(text: &[u8; LONGEST]) -> Option<(Self, usize)> {
        let end = scan::specials(text).trailing_zeros();
        let is_name = text.get(end as usize)? == &b'"';
        is_name.then(|| (Self(u128::from_le_bytes(*text) & UP_TO[end as usize]), end as usize))
    }

    /// The key of an empty name.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == u128::from(b'"')
    }

    fn is_exact(self) -> bool {
        self.0 < HASHED
    }
}

/// Finds the members of maps by their names: open addressing, as a look-up for each attribute is
/// most of what is done with it.
#[derive(Default)]
pub struct Names {
    /// A power of two, at most half of them used.
    slots: Vec<Slot>,
    used: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    name: Key,
    /// The map's node, and the name's.
    map: u32,
    node: u32,
}

/// No node.
const NONE: u32 = u32::MAX;
const EMPTY: Slot = Slot { name: Key(0), map: NONE, node: NONE };
const FEWEST: usize = 16;

impl Slot {
    /// Where the search for it begins, among so many slots.
    #[inline]
    fn home(map: u32, name: Key, slots: usize) -> usize {
        // An odd number without a pattern. The highest bits of a product depend on all bits below them, so
        // high ones go into low ones before. No product of 128 bits: in wasm those are calls.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let folded = name.0 as u64 ^ ((name.0 >> 64) as u64).wrapping_mul(MIX) ^ u64::from(map);
        let mixed = (folded ^ folded >> 32).wrapping_mul(MIX);
        (mixed ^ mixed >> 32).wrapping_mul(MIX).wrapping_shr((slots as u64).leading_zeros() + 1) as usize
    }
}

impl Names {
    /// The node of a short name in a map.
    #[inline]
    pub fn find(&self, map: u32, name: Key) -> Option<u32> {
        self.search(map, name, |_| true).ok().map(|at| self.slots[at].node)
    }

    /// The node of a name in a map.
    pub fn get<'a>(&self, map: u32, name: &str, name_of: impl Fn(u32) -> &'a str) -> Option<u32> {
        let key = Key::new(name);
        let at = self.search(map, key, |node| key.is_exact() || name_of(node) == name);
        at.ok().map(|at| self.slots[at].node)
    }

    /// Adds a node with a name that the map does not have.
    pub fn insert(&mut self, map: u32, name: &str, node: u32) {
        self.used += 1;
        if self.used * 2 > self.slots.len() {
            let more = vec![EMPTY; (self.slots.len() * 2).max(FEWEST)];
            let slots = std::mem::replace(&mut self.slots, more);
            slots.into_iter().filter(|slot| slot.node != NONE).for_each(|slot| self.put(slot));
        }
        self.put(Slot { name: Key::new(name), map, node });
    }

    fn put(&mut self, slot: Slot) {
        if let Err(at) = self.search(slot.map, slot.name, |_| false) {
            self.slots[at] = slot;
        }
    }

    /// Takes all nodes out.
    pub fn clear(&mut self) {
        self.slots.fill(EMPTY);
        self.used = 0;
    }

    /// Takes a node out.
    pub fn remove(&mut self, map: u32, name: &str, node: u32) {
        let Ok(mut hole) = self.search(map, Key::new(name), |found| found == node) else { return };
        self.used -= 1;
        // Those behind it move up, unless that were before their home.
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot.node == NONE {
                break;
            }
            let home = Slot::home(slot.map, slot.name, self.slots.len());
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = EMPTY;
    }

    /// The slot of a name whose node `is_it`, or that where it has its place.
    #[inline]
    fn search(&self, map: u32, name: Key, is_it: impl Fn(u32) -> bool) -> Result<usize, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = Slot::home(map, name, self.slots.len());
        while let Some(slot) = self.slots.get(at) {
            if slot.name == name && slot.map == map && is_it(slot.node) {
                return Ok(at);
            }
            if slot.node == NONE {
                break;
            }
            at = (at + 1) & mask;
        }
        Err(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that differ in one place only, wherever that is.
    #[test]
    fn names_that_are_alike_stand_apart() {
        for length in 1..LONGEST {
            for at in 0..length {
                let mut names = Names::default();
                let mut steps = 0;
                for n in 0..64 {
                    let mut name = vec![b'a'; length];
                    name[at] = b' ' + n + u8::from(n > 1);
                    let name = String::from_utf8(name).expect("ASCII");
                    names.insert(NONE, &name, u32::from(n));
                    let home = Slot::home(NONE, Key::new(&name), names.slots.len());
                    let found = names.search(NONE, Key::new(&name), |_| true).expect("it was added");
                    steps += found.wrapping_sub(home) & (names.slots.len() - 1);
                }
                assert!(steps < 2 * 64, "{length} {at}: {steps} steps to 64 names");
            }
        }
    }

    #[test]
    fn names_are_told_apart_at_every_length() {
        let mut all: Vec<String> = vec![String::new()];
        for length in 1..40 {
            let plain = "a".repeat(length);
            all.extend((0..length).map(|at| format!("{}b{}", &plain[..at], &plain[at + 1..])));
            all.push(plain);
        }
        let mut names = Names::default();
        for (node, name) in all.iter().enumerate() {
            assert_eq!(names.get(7, name, |node| &all[node as usize]), None);
            names.insert(7, name, node as u32);
            names.insert(8, name, 0);
        }
        for (node, name) in all.iter().enumerate() {
            assert_eq!(names.get(7, name, |node| &all[node as usize]), Some(node as u32));
            let mut text = [b'x'; LONGEST];
            if name.len() < LONGEST {
                text[..name.len()].copy_from_slice(name.as_bytes());
                text[name.len()] = b'"';
                assert_eq!(Key::in_json(&text), Some((Key::new(name), name.len())));
                assert_eq!(names.find(7, Key::new(name)), Some(node as u32));
            } else {
                text.copy_from_slice(&name.as_bytes()[..LONGEST]);
                assert_eq!(Key::in_json(&text), None);
            }
        }
        for (node, name) in all.iter().enumerate() {
            names.remove(7, name, node as u32);
            assert_eq!(names.get(7, name, |node| &all[node as usize]), None);
            assert!(all[node + 1..].iter().all(|name| names.get(7, name, |node| &all[node as usize]).is_some()));
        }
        assert!(all.iter().all(|name| names.get(8, name, |_| name) == Some(0)));
    }
}
