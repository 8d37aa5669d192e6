//! The options that verbs share.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use dynarrow::{Check, Columns, Error, Mixed, Numbers, OnError, Policies, ReadOptions, Result};

/// More threads than any machine has cores: a larger number is a slip.
const MAX_THREADS: u64 = 1024;

// Doc comments here would stand as the text of the verbs that take these options in.

#[derive(Args, Debug)]
pub struct Threads {
    /// Threads to work on [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_THREADS))]
    threads: Option<usize>,
}

impl Threads {
    /// The number for the core: 0 is as many as there are cores.
    pub fn number(&self) -> usize {
        self.threads.unwrap_or(0)
    }
}

#[derive(Args, Debug)]
pub struct ColumnNames {
    /// Only these attributes, in this order: names with commas between them; may be repeated.
    /// A name in double quotes is a JSON string: --columns 'id,"with, comma"'
    #[arg(long, value_name = "NAMES", value_parser = ColumnList::from_str)]
    columns: Vec<ColumnList>,
}

impl ColumnNames {
    /// The names; `None` for all attributes.
    pub fn names(&self) -> Option<Columns> {
        let names: Columns = self.columns.iter().flat_map(|list| list.0.iter().cloned()).collect();
        (!names.is_empty()).then_some(names)
    }
}

#[derive(Args, Debug)]
pub struct Reading {
    /// What number columns are: int64 or decimal128 where all numbers fit, else text; float64
    /// rounds
    #[arg(long, default_value = "auto", value_parser = one_of::<Numbers>(Numbers::NAMES))]
    numbers: Numbers,
    /// What an attribute of several types becomes: a struct with a child for each type, text, or
    /// an error
    #[arg(long, default_value = "struct", value_parser = one_of::<Mixed>(Mixed::NAMES))]
    mixed: Mixed,
    #[command(flatten)]
    columns: ColumnNames,
    #[command(flatten)]
    threads: Threads,
    /// What a bad record does: end the work, or be passed over and counted. A truncated or
    /// corrupt file always ends it
    #[arg(long, default_value = "raise", value_parser = one_of::<OnError>(&["raise", "skip"]))]
    on_error: OnError,
    /// What is compared with the manifest: each file's number of items, also its MD5, or nothing
    #[arg(long, default_value = "count", value_parser = one_of::<Check>(&["count", "md5", "none"]))]
    check: Check,
}

impl Reading {
    /// The options for the core.
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            columns: self.columns.names(),
            policies: Policies { numbers: self.numbers, mixed: self.mixed, ..Policies::default() },
            threads: self.threads.number(),
            on_error: self.on_error,
            check: self.check,
            ..ReadOptions::default()
        }
    }

    /// The name of the check.
    pub fn check_name(&self) -> &'static str {
        match self.check {
            Check::None => "none",
            Check::Count => "count",
            Check::Md5 => "md5",
        }
    }

    /// What has to be said of a reading without checks.
    pub fn unchecked(&self) -> Option<String> {
        (self.check == Check::None).then(|| "--check none: the numbers of items were not compared with the manifest".into())
    }
}

/// A parser for a value with one of these names, which the help lists.
pub fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

/// The names of one `--columns`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ColumnList(Vec<String>);

impl FromStr for ColumnList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, behind) = if rest.starts_with('"') { quoted(rest)? } else { plain(rest) };
            rest = behind;
            if name.is_empty() {
                return Err("a name is empty".into());
            }
            names.push(name);
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None if rest.is_empty() => return Ok(Self(names)),
                None => return Err(format!("a comma must stand before {rest:?}")),
            }
        }
    }
}

/// The name up to the next comma, and what stands behind it.
fn plain(text: &str) -> (String, &str) {
    let (name, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
    (name.to_owned(), rest)
}

/// The JSON string that the text begins with, and what stands behind it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let name = values.next().transpose().map_err(|e| format!("no JSON string: {e}"))?.unwrap_or_default();
    let end = values.byte_offset();
    Ok((name, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names() {
        let names = |text: &str| ColumnList::from_str(text).map(|list| list.0.join("|"));
        for (text, expected) in [
            ("a", "a"),
            ("a,b c,d", "a|b c|d"),
            (r#""a,b",c"#, "a,b|c"),
            (r#"c,"a \"b\" \u00e9","ü""#, "c|a \"b\" é|ü"),
            (r#"a"b,[c"#, r#"a"b|[c"#),
        ] {
            assert_eq!(names(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in ["", "a,", ",a", "a,,b", r#""a"#, r#""a"b"#, r#""""#, r#""\x""#] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }
}
