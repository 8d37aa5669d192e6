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
    /// Where the search for it begins: in the slot that the lowest bits tell.
    #[inline]
    fn home(map: u32, name: Key) -> usize {
        // Two numbers without a pattern, drawn so that names which count up do not crowd: a look-up waits
        // for this, and one product is all there is time for.
        const FIRST: u64 = 0x466d_d7c6_4e54_7f8d;
        const SECOND: u64 = 0xa3c1_26b3_fc4d_eb27;
        let product = u128::from(name.0 as u64 ^ u64::from(map) ^ FIRST) * u128::from((name.0 >> 64) as u64 ^ SECOND);
        (product as u64 ^ (product >> 64) as u64) as usize
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
            let home = Slot::home(slot.map, slot.name);
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
        let mut at = Slot::home(map, name) & mask;
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

    /// Names that differ in one place only, wherever that is, or count up.
    #[test]
    fn names_that_are_alike_do_not_crowd() {
        const COUNT: u8 = 64;
        let of_one_place = |base: u8, length: usize, at: usize| {
            (0..COUNT).map(move |n| {
                let mut name = vec![base; length];
                // Anything but a quote.
                name[at] = b' ' + n + u8::from(n > 1);
                String::from_utf8(name).expect("ASCII")
            })
        };
        let mut families: Vec<Vec<String>> = Vec::new();
        for base in *b"aZ_x5" {
            let places = (1..LONGEST).flat_map(|length| (0..length).map(move |at| (length, at)));
            families.extend(places.map(|(length, at)| of_one_place(base, length, at).collect()));
        }
        for base in ["a", "col", "attr_", "field", "metric_", "very_long_na"] {
            families.push((0..COUNT).map(|n| format!("{base}{n}")).collect());
            families.push((0..COUNT).map(|n| format!("{base}{n:02}")).collect());
            families.push((0..COUNT).map(|n| format!("{base}{n:03}")).collect());
        }
        for (map, family) in [NONE, 3].into_iter().flat_map(|map| families.iter().map(move |family| (map, family))) {
            let mut names = Names::default();
            for (node, name) in family.iter().enumerate() {
                names.insert(map, name, node as u32);
            }
            let mut steps = 0;
            for name in family {
                let home = Slot::home(map, Key::new(name));
                let found = names.search(map, Key::new(name), |_| true).expect("it was added");
                steps += found.wrapping_sub(home) & (names.slots.len() - 1);
            }
            assert!(steps < 2 * family.len(), "{steps} steps to {family:?}");
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
