//! How a notation of JSON names the types of values, and what else sets it apart.

use super::encode::DynamodbJson;
use crate::event::Kind;

/// The descriptors of a notation. The decoder is made for each, so none pays for another.
pub trait Descriptors {
    /// What nearly all values begin with, to be compared at once.
    const OPENINGS: Openings;
    /// Whether lines are those of a legacy dump: items without a wrapper, or names and values
    /// between control characters.
    const LEGACY: bool;

    /// The type with this descriptor, in any form that is read.
    fn kind(descriptor: &str) -> Option<Kind>;
}

impl Descriptors for DynamodbJson {
    const OPENINGS: Openings = Openings::new([
        b"{\"S\":\"",
        b"{\"N\":\"",
        b"{\"B\":\"",
        b"{\"B\":",
        b"{\"M\":",
        b"{\"L\":",
        b"{\"SS\":",
        b"{\"NS\":",
        b"{\"BS\":",
        b"{\"BOOL\":",
        b"{\"NULL\":",
    ]);
    const LEGACY: bool = false;

    fn kind(descriptor: &str) -> Option<Kind> {
        Kind::from_descriptor(descriptor)
    }
}

/// The first bytes of values, each as a number: up to the content of strings, numbers and
/// binaries, and up to the value of the others.
pub struct Openings {
    pub string: u64,
    pub number: u64,
    pub base64: u64,
    pub binary: u64,
    pub map: u64,
    pub list: u64,
    pub strings: u64,
    pub numbers: u64,
    pub binaries: u64,
    pub boolean: u64,
    pub null: u64,
}

impl Openings {
    /// The openings in the order of the fields.
    pub const fn new([string, number, base64, binary, map, list, strings, numbers, binaries, boolean, null]: [&[u8]; 11]) -> Self {
        Self {
            string: word(string),
            number: word(number),
            base64: word(base64),
            binary: word(binary),
            map: word(map),
            list: word(list),
            strings: word(strings),
            numbers: word(numbers),
            binaries: word(binaries),
            boolean: word(boolean),
            null: word(null),
        }
    }
}

/// Up to eight bytes as a number, with zeros behind them.
pub const fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.split_at_mut(bytes.len()).0.copy_from_slice(bytes);
    u64::from_le_bytes(word)
}
