//! What an item is checked by: the keys of the table and of its indexes, and vector indexes.

use crate::change::key::KeyNames;
use crate::event::Kind;
use crate::import::unknown::Unknown;
use crate::import::{TableSpec, VectorIndex};

/// Bytes of a partition key and of a sort key, at most.
const KEY_BYTES: [usize; 2] = [2048, 1024];
/// What many of the service's messages begin with.
pub(super) const INVALID: &str = "One or more parameter values were invalid:";

/// A key attribute, and the type that its table or index gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The attribute.
    pub name: String,
    /// S, N or B.
    pub kind: Kind,
    /// The secondary index whose key it is; `None` for the table's own.
    pub index: Option<String>,
}

/// What an item is checked by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The table's partition key, its sort key, and the keys of indexes.
    pub keys: Vec<KeyRule>,
    /// The vector indexes.
    pub vectors: Vec<VectorIndex>,
    /// For each key the next one of the same attribute.
    pub(super) next: Vec<Option<usize>>,
}

impl Rules {
    pub(super) fn new(keys: Vec<KeyRule>, vectors: Vec<VectorIndex>) -> Self {
        let behind = |at: usize| keys[at + 1..].iter().position(|key| key.name == keys[at].name).map(|n| at + 1 + n);
        let next = (0..keys.len()).map(behind).collect();
        Self { keys, vectors, next }
    }

    /// Those of the table that an import is to make.
    pub fn of(spec: &TableSpec) -> Self {
        let rule = |name: &String, index: Option<&str>| {
            Some(KeyRule { name: name.clone(), kind: spec.kind(name)?, index: index.map(str::to_owned) })
        };
        let of_table = [Some(&spec.partition_key), spec.sort_key.as_ref()].into_iter().flatten().filter_map(|name| rule(name, None));
        let of_indexes = spec.indexes.iter().flat_map(|index| {
            let names = index.partition_key.iter().chain(&index.sort_key);
            names.filter_map(|name| rule(name, Some(&index.name))).collect::<Vec<_>>()
        });
        Self::new(of_table.chain(of_indexes).collect(), spec.vector_indexes.clone())
    }

    /// What they say of an attribute of an item.
    pub(super) fn attribute(&self, name: &str) -> Attribute {
        Attribute {
            rule: self.keys.iter().position(|rule| rule.name == name),
            is_vector: self.vectors.iter().any(|index| index.attribute == name),
        }
    }

    /// The names of the table's own key.
    pub fn key_names(&self) -> KeyNames {
        KeyNames::new(self.keys.iter().filter(|key| key.index.is_none()).map(|key| &*key.name))
    }
}

/// An attribute of an item.
#[derive(Clone, Copy, Default)]
pub(super) struct Attribute {
    /// The first rule of a key that it is under.
    pub rule: Option<usize>,
    /// It is one of a vector index.
    pub is_vector: bool,
}

/// What is wrong with the value of a key attribute, for the rule at this place.
pub(super) fn key_fault(rule: &KeyRule, at: usize, kind: Kind, size: u64) -> Option<(String, Option<Unknown>)> {
    let KeyRule { name, kind: expected, index } = rule;
    if *expected != kind {
        let (expected, actual) = (expected.descriptor(), kind.descriptor());
        return Some(match index {
            None => (format!("{INVALID} Type mismatch for key {name} expected: {expected} actual: {actual}"), None),
            Some(index) => (
                format!("{INVALID} Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {index}"),
                Some(Unknown::ValueFaults),
            ),
        });
    }
    let message = if size == 0 && kind != Kind::N {
        let what = if kind == Kind::B { "binary" } else { "string" };
        let begin = "One or more parameter values are not valid.";
        let empty = format!("The AttributeValue for a key attribute cannot contain an empty {what} value.");
        match index {
            None => format!("{begin} {empty} Key: {name}"),
            Some(index) => {
                format!(
                    "{begin} A value specified for a secondary index key is not supported. {empty} IndexName: {index}, IndexKey: {name}"
                )
            }
        }
    } else if index.is_none() && at == 0 && size as usize > KEY_BYTES[0] {
        format!("{INVALID} Size of hashkey has exceeded the maximum size limit of2048 bytes")
    } else if index.is_none() && at > 0 && size as usize > KEY_BYTES[1] {
        format!("{INVALID} Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
    } else {
        return None;
    };
    Some((message, Some(Unknown::ValueFaults)))
}
