//! Names that Athena can resolve.
//!
//! Athena reads the columns of Parquet by name, and lowers every name in its DDL: `userId` in a
//! file is no column that it could ever find, and `userId` and `userid` are one to it. A name
//! has at most 255 bytes. In DDL a name that begins with an underscore, or that is a keyword,
//! stands in backticks.
//! <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>

use std::collections::{HashMap, HashSet};

/// The longest name, in bytes.
const LONGEST: usize = 255;

/// Columns that Dynarrow adds to those of the items. They have their names also where attributes
/// are called so, with underscores behind them where that is exactly so.
const OWN: [&str; 4] = ["_op", "_ts", "_old", "_extra"];

fn is_allowed(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_')
}

/// What is wrong with a name, in words.
pub fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a name must not be empty".into());
    }
    if name.len() > LONGEST {
        return Err(format!("a name of {} bytes, and Athena takes {LONGEST}", name.len()));
    }
    match name.chars().find(|&c| !is_allowed(c)) {
        Some(c) if c.is_ascii_uppercase() => Err(format!("{name:?}: Athena lowers the letter {c:?}, and does not find the column then")),
        Some(c) => Err(format!("{name:?}: {c:?} is none of a-z, 0-9 and _")),
        None => Ok(()),
    }
}

/// The names that were given at one level.
#[derive(Default)]
pub struct Given {
    taken: HashSet<String>,
    /// The number that the next name of a base gets: many may have the same one.
    next: HashMap<String, usize>,
    /// These are columns, not members of a struct.
    columns: bool,
}

impl Given {
    /// The names of columns, beside which Dynarrow's own may stand.
    pub fn columns() -> Self {
        Self { columns: true, ..Self::default() }
    }

    /// This name stands already.
    pub fn keep(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A name for an attribute: lower case, other characters as `_`, with `_2`, `_3` where it stands
    /// already.
    pub fn give(&mut self, attribute: &str) -> String {
        let allowed = |c: char| Some(c.to_ascii_lowercase()).filter(|&c| is_allowed(c)).unwrap_or('_');
        let mut base: String = attribute.chars().take(LONGEST).map(allowed).collect();
        if base.is_empty() {
            base.push('_');
        }
        let first = if self.columns && OWN.contains(&base.trim_end_matches('_')) { 2 } else { 1 };
        let next = self.next.entry(base.clone()).or_insert(first);
        loop {
            let suffix = if *next == 1 { String::new() } else { format!("_{next}") };
            let name = format!("{}{suffix}", &base[..base.len().min(LONGEST - suffix.len())]);
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(attributes: &[&str]) -> Vec<String> {
        let mut given = Given::columns();
        attributes.iter().map(|attribute| given.give(attribute)).collect()
    }

    #[test]
    fn names_are_such_that_athena_resolves() {
        let long = "x".repeat(300);
        let given = names(&["userId", "userid", "USERID_2", "a-b c", "", "é🦐", "_op", "_Extra__", &long, &long, "date"]);
        let cut = format!("{}_2", "x".repeat(253));
        let long = "x".repeat(255);
        let expected = ["userid", "userid_2", "userid_2_2", "a_b_c", "_", "__", "_op_2", "_extra___2", &long, &cut, "date"];
        assert_eq!(given, expected);
    }

    #[test]
    fn names_that_were_given_stay() {
        let once = names(&["A", "a", "a_2", "A_", "a ", "_op", "_OP", "_op_2"]);
        let again: Vec<_> = once.iter().map(String::as_str).collect();
        assert_eq!(names(&again), once);
        for name in &once {
            assert_eq!(check(name), Ok(()));
        }
    }

    #[test]
    fn what_athena_cannot_resolve_is_said() {
        for (name, why) in [("", "empty"), ("userId", "'I'"), ("a b", "' '"), ("é", "'é'"), (&*"a".repeat(256), "256 bytes")] {
            let said = check(name).expect_err(name);
            assert!(said.contains(why), "{said}");
        }
    }
}
