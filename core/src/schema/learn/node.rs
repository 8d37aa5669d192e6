//! What is learnt at one path.

use super::NONE;
use crate::event::Kind;
use crate::schema::summary::{Digits, First, Lengths, PathSummary};

/// A path: an attribute's, or that of a list's elements.
pub struct Node {
    pub name: Box<str>,
    pub parent: u32,
    /// The map that last had this name.
    pub seen: u64,
    /// The list's elements.
    pub element: u32,
    /// Kept by block while learning; items are counted through at the end.
    pub first: Place,
    pub example: Option<String>,
    /// Of each type, and of the numbers that no int64 holds.
    pub counts: [u64; Count::ALL],
    pub measures: Measures,
}

/// File (the upper half) and block, item in the block, position in the item.
#[derive(Clone, Copy)]
pub struct Place {
    pub block: u64,
    pub item: u64,
    pub position: u64,
}

/// What is counted.
#[derive(Clone, Copy)]
pub struct Count(u8);

impl Count {
    const ALL: usize = Kind::ALL.len() + 2;

    /// Values of a type.
    #[inline]
    pub fn values(kind: Kind) -> Self {
        Self(kind as u8)
    }

    /// Numbers that no int64 holds, or such members of number sets.
    #[inline]
    pub fn beyond_int64(is_member: bool) -> Self {
        Self(Kind::ALL.len() as u8 + u8::from(is_member))
    }
}

/// What grows with few values: the least and the most of all.
#[derive(Clone, Copy, Default)]
pub struct Measures {
    pub strings: Lengths,
    pub binaries: Lengths,
    pub members: Lengths,
    /// Of numbers, and of the members of number sets.
    pub numbers: [Numbers; 2],
}

/// The most that numbers need.
#[derive(Clone, Copy, Default)]
pub struct Numbers {
    /// The largest magnitude of those that an int64 holds. Its digits are counted at the end.
    pub magnitude: u64,
    /// Digits of the others, on both sides of the point.
    pub integer: u32,
    pub scale: u32,
}

impl Numbers {
    fn digits(self, beyond_int64: u64) -> Digits {
        let integer = self.magnitude.checked_ilog10().map_or(0, |log| log + 1);
        Digits { integer: integer.max(self.integer), scale: self.scale, beyond_int64 }
    }
}

impl Node {
    pub fn new(name: &str, parent: u32) -> Self {
        Self {
            name: name.into(),
            parent,
            seen: 0,
            element: NONE,
            first: Place { block: u64::MAX, item: u64::MAX, position: u64::MAX },
            example: None,
            counts: [0; Count::ALL],
            measures: Measures::default(),
        }
    }

    #[inline]
    pub fn count(&mut self, count: Count) -> &mut u64 {
        &mut self.counts[usize::from(count.0)]
    }

    /// What there is to say of the path, but for those below it.
    pub fn summary(&mut self, items_before: impl Fn(u64, u64) -> u64) -> PathSummary {
        let Measures { strings, binaries, members, numbers: [numbers, set_numbers] } = self.measures;
        let mut summary = PathSummary { strings, binaries, members, example: self.example.take(), ..PathSummary::default() };
        summary.numbers = numbers.digits(*self.count(Count::beyond_int64(false)));
        summary.set_numbers = set_numbers.digits(*self.count(Count::beyond_int64(true)));
        for kind in Kind::ALL {
            summary.counts[kind as usize] = *self.count(Count::values(kind));
        }
        let Place { block, item, position } = self.first;
        if item != u64::MAX {
            let (file, block) = (block >> 32, block & u64::from(u32::MAX));
            summary.first = First(file, items_before(file, block) + item, position);
        }
        summary
    }
}
