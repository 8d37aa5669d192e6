//! What was learnt of items: a summary that can be merged.
//!
//! Learning from two sets of items and merging gives what learning from their union gives;
//! merging is commutative and associative. So learning runs in parallel, across machines
//! and over time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Kind;

/// Where a path was first seen: the file's place in the manifest, the item's index among
/// the good items of its file, the value's place in the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct First(pub u64, pub u64, pub u64);

impl First {
    /// Behind every place.
    pub const NEVER: Self = Self(u64::MAX, u64::MAX, u64::MAX);
}

/// Lengths, in bytes (of strings and binaries) or members (of lists and sets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

impl Default for Lengths {
    fn default() -> Self {
        Self { min: u64::MAX, max: 0 }
    }
}

impl Lengths {
    /// Takes a length in.
    #[inline]
    pub fn add(&mut self, length: u64) {
        self.min = self.min.min(length);
        self.max = self.max.max(length);
    }

    fn merge(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// What the numbers of a path need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digits {
    /// Digits left of the decimal point, at most.
    pub integer: u32,
    /// Digits right of it, at most.
    pub scale: u32,
    /// Numbers that no int64 holds: with a fraction, or too large.
    pub beyond_int64: u64,
}

impl Digits {
    fn merge(&mut self, other: &Self) {
        self.integer = self.integer.max(other.integer);
        self.scale = self.scale.max(other.scale);
        self.beyond_int64 += other.beyond_int64;
    }
}

/// What stands at one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathSummary {
    /// Where it was first seen.
    pub first: First,
    /// Values of each type, in the order of [`Kind::ALL`].
    pub counts: [u64; Kind::ALL.len()],
    /// Lengths of the strings (members of string sets too).
    pub strings: Lengths,
    /// Lengths of the binaries (members of binary sets too).
    pub binaries: Lengths,
    /// Members of the lists and sets.
    pub members: Lengths,
    /// Of the numbers.
    pub numbers: Digits,
    /// Of the members of number sets.
    pub set_numbers: Digits,
    /// The first string, number, boolean or binary, as text, where the first value is one.
    pub example: Option<String>,
    /// The members of the maps.
    pub fields: BTreeMap<String, PathSummary>,
    /// The elements of the lists.
    pub element: Option<Box<PathSummary>>,
}

impl Default for PathSummary {
    fn default() -> Self {
        Self {
            first: First::NEVER,
            counts: [0; Kind::ALL.len()],
            strings: Lengths::default(),
            binaries: Lengths::default(),
            members: Lengths::default(),
            numbers: Digits::default(),
            set_numbers: Digits::default(),
            example: None,
            fields: BTreeMap::new(),
            element: None,
        }
    }
}

impl PathSummary {
    /// Values of a type.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// The types seen, without NULL, in order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| kind != Kind::Null && self.count(kind) > 0)
    }

    /// Paths below this one.
    pub fn paths(&self) -> usize {
        let below = self.fields.values().chain(self.element.as_deref());
        below.map(|path| 1 + path.paths()).sum()
    }

    /// The members of the maps, first seen first.
    pub fn fields_in_order(&self) -> Vec<(&str, &Self)> {
        let mut fields: Vec<_> = self.fields.iter().map(|(name, field)| (name.as_str(), field)).collect();
        // The map is sorted by name, and the sort is stable: ties stand by name.
        fields.sort_by_key(|(_, field)| field.first);
        fields
    }

    /// Takes in what another summary knows of the same path.
    pub fn merge(&mut self, other: Self) {
        match other.first.cmp(&self.first) {
            std::cmp::Ordering::Less => self.example = other.example,
            std::cmp::Ordering::Equal => self.example = self.example.take().into_iter().chain(other.example).min(),
            std::cmp::Ordering::Greater => {}
        }
        self.first = self.first.min(other.first);
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.strings.merge(&other.strings);
        self.binaries.merge(&other.binaries);
        self.members.merge(&other.members);
        self.numbers.merge(&other.numbers);
        self.set_numbers.merge(&other.set_numbers);
        for (name, field) in other.fields {
            self.fields.entry(name).or_default().merge(field);
        }
        if let Some(element) = other.element {
            self.element.get_or_insert_default().merge(*element);
        }
    }
}

/// What was learnt of items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Items that were looked at.
    pub items: u64,
    /// The attributes, as the fields of the item.
    pub root: PathSummary,
}

impl Summary {
    /// Takes in what was learnt of other items.
    pub fn merge(&mut self, other: Self) {
        self.items += other.items;
        self.root.merge(other.root);
    }
}
