//! Attribute names, looked up for each attribute of each item: most are short.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// Whether two names are the same.
#[inline]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && ends(a).map_or_else(|| a == b, |a| Some(a) == ends(b))
}

/// The bytes of a name that stands so in JSON, and in no other way that anybody writes.
pub fn in_json(name: &str) -> Option<Box<[u8]>> {
    let plain = name.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    plain.then(|| [name.as_bytes(), b"\""].concat().into())
}

/// Whether the text of a name, behind its quote, begins with these bytes of [`in_json`].
#[inline]
pub fn begins(text: &[u8], expected: &[u8]) -> bool {
    text.get(..expected.len()).is_some_and(|text| is_same(text, expected))
}

/// All bytes of a name of up to 16, in two words that may overlap.
#[inline]
fn ends(name: &[u8]) -> Option<(u64, u64)> {
    match name.len() {
        8..=16 => Some((u64::from_le_bytes(*name.first_chunk()?), u64::from_le_bytes(*name.last_chunk()?))),
        4..=7 => Some((u32::from_le_bytes(*name.first_chunk()?).into(), u32::from_le_bytes(*name.last_chunk()?).into())),
        2..=3 => Some((u16::from_le_bytes(*name.first_chunk()?).into(), u16::from_le_bytes(*name.last_chunk()?).into())),
        _ => None,
    }
}

#[inline]
fn hash(name: &str) -> u64 {
    // An odd number without a pattern, and its product's upper half into the lower one.
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = name.as_bytes();
    let folded = ends(bytes).map_or_else(
        || {
            let mut hasher = FxHasher::default();
            hasher.write(bytes);
            hasher.finish()
        },
        |(first, last)| first.wrapping_mul(MIX) ^ last ^ bytes.len() as u64,
    );
    let mixed = u128::from(folded) * u128::from(MIX);
    (mixed as u64) ^ (mixed >> 64) as u64
}

/// Finds nodes by their names, which the nodes hold.
#[derive(Default)]
pub struct Names(HashTable<u32>);

impl Names {
    /// The node with this name.
    #[inline]
    pub fn get<'a>(&self, name: &str, name_of: impl Fn(u32) -> &'a str) -> Option<u32> {
        self.0.find(hash(name), |&node| is_same(name_of(node).as_bytes(), name.as_bytes())).copied()
    }

    /// Adds a node with a name that no other has.
    pub fn insert<'a>(&mut self, name: &str, node: u32, name_of: impl Fn(u32) -> &'a str) {
        self.0.insert_unique(hash(name), node, |&node| hash(name_of(node)));
    }

    /// Takes a node out.
    pub fn remove(&mut self, name: &str, node: u32) {
        if let Ok(entry) = self.0.find_entry(hash(name), |&found| found == node) {
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
            names.insert(name, node as u32, |node| &all[node as usize]);
        }
        for (node, name) in all.iter().enumerate() {
            assert_eq!(names.get(name, |node| &all[node as usize]), Some(node as u32));
            assert!(all.iter().all(|other| is_same(name.as_bytes(), other.as_bytes()) == (name == other)));
        }
        for (node, name) in all.iter().enumerate() {
            names.remove(name, node as u32);
            assert_eq!(names.get(name, |node| &all[node as usize]), None);
        }
    }
}
