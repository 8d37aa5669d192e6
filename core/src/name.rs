//! Attribute names, looked up for each attribute of each item: most are short.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::format::json::scan;

/// What a name is compared by: of a short one all bytes and the quote that JSON has behind them,
/// of any other a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u128);

/// Bytes of a key.
const LONGEST: usize = 16;
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
        is_name.then(|| (Self(u128::from_le_bytes(*text) & u128::MAX >> (120 - 8 * end)), end as usize))
    }

    fn is_exact(self) -> bool {
        self.0 < HASHED
    }

    #[inline]
    fn hash(self) -> u64 {
        // An odd number without a pattern, and its product's upper half into the lower one.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let folded = (self.0 as u64).wrapping_mul(MIX) ^ (self.0 >> 64) as u64;
        let mixed = u128::from(folded) * u128::from(MIX);
        (mixed as u64) ^ (mixed >> 64) as u64
    }
}

/// Finds nodes by their names, which the nodes hold.
#[derive(Default)]
pub struct Names(HashTable<(Key, u32)>);

impl Names {
    /// The node with this short name.
    #[inline]
    pub fn find(&self, key: Key) -> Option<u32> {
        self.0.find(key.hash(), |(found, _)| *found == key).map(|(_, node)| *node)
    }

    /// The node with this name.
    pub fn get<'a>(&self, name: &str, name_of: impl Fn(u32) -> &'a str) -> Option<u32> {
        let key = Key::new(name);
        let is_same = |(found, node): &(Key, u32)| *found == key && (key.is_exact() || name_of(*node) == name);
        self.0.find(key.hash(), is_same).map(|(_, node)| *node)
    }

    /// Adds a node with a name that no other has.
    pub fn insert(&mut self, name: &str, node: u32) {
        let key = Key::new(name);
        self.0.insert_unique(key.hash(), (key, node), |(key, _)| key.hash());
    }

    /// Takes a node out.
    pub fn remove(&mut self, name: &str, node: u32) {
        if let Ok(entry) = self.0.find_entry(Key::new(name).hash(), |&(_, found)| found == node) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(names.get(name, |node| &all[node as usize]), None);
            names.insert(name, node as u32);
        }
        for (node, name) in all.iter().enumerate() {
            assert_eq!(names.get(name, |node| &all[node as usize]), Some(node as u32));
            let mut text = [b'x'; LONGEST];
            if name.len() < LONGEST {
                text[..name.len()].copy_from_slice(name.as_bytes());
                text[name.len()] = b'"';
                assert_eq!(Key::in_json(&text), Some((Key::new(name), name.len())));
                assert_eq!(names.find(Key::new(name)), Some(node as u32));
            } else {
                text.copy_from_slice(&name.as_bytes()[..LONGEST]);
                assert_eq!(Key::in_json(&text), None);
            }
        }
        for (node, name) in all.iter().enumerate() {
            names.remove(name, node as u32);
            assert_eq!(names.get(name, |node| &all[node as usize]), None);
        }
    }
}
