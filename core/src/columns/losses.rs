//! What columns lose, counted: nothing is changed without being said.

use serde_json::{Value, json};

/// One way of losing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Values.
    pub count: u64,
    /// The first of them: its path (with indices) and its text.
    pub first: Option<(String, String)>,
}

/// What was lost, or found no place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Numbers that a float64 or a `decimal(p,s)` column rounded.
    pub rounded: Loss,
    /// Numbers that overflow a `decimal(p,s)` column: null.
    pub overflowed: Loss,
    /// Values that a frozen schema has no place for: in `_extra`, or dropped.
    pub extra: Loss,
}

impl Loss {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }

    fn to_json(&self) -> Value {
        match &self.first {
            Some((path, value)) => json!({"count": self.count, "path": path, "value": value}),
            None => json!({"count": self.count}),
        }
    }
}

impl Losses {
    /// Adds what came later.
    pub fn merge(&mut self, later: Self) {
        self.rounded.merge(later.rounded);
        self.overflowed.merge(later.overflowed);
        self.extra.merge(later.extra);
    }

    /// Nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.rounded.count + self.overflowed.count + self.extra.count == 0
    }

    /// Counts and examples, by name.
    pub fn to_json(&self) -> Value {
        json!({"rounded": self.rounded.to_json(), "overflowed": self.overflowed.to_json(), "extra": self.extra.to_json()})
    }
}
