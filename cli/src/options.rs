//! The options that verbs share.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, RangedU64ValueParser, Resettable, TypedValueParser};
use dynarrow::error::printable;
use dynarrow::schema::learn::MAX_PATHS;
use dynarrow::schema::policy::{MAX_COLUMNS, MAX_FIELDS};
use dynarrow::{
    Check, Code, Columns, Control, Error, Export, Extra, Layout, Maps, Mixed, Names, Numbers, OnError, Policies, ReadOptions, Result,
    Schema, SourceFormat, open_export_with, path,
};

use crate::output::{counted, say};

/// More threads than any machine has cores: a larger number is a slip.
const MAX_THREADS: u64 = 1024;

// Doc comments here would stand as the text of the verbs that take these options in.

#[derive(Args, Debug)]
pub struct Source {
    /// The source: an export (a folder or a manifest), a data file, or - for standard input
    pub src: String,
    /// The format of its data files, where their bytes and names do not tell it
    #[arg(long, value_parser = one_of::<SourceFormat>(SourceFormat::NAMES))]
    format: Option<SourceFormat>,
}

impl Source {
    /// Opens it.
    pub fn open(&self, control: &Control) -> Result<Export> {
        let export = open_export_with(&self.src, control)?;
        if let Some((first, more)) = export.dump().and_then(|dump| dump.absent.split_first()) {
            let first = printable(first);
            let files = counted(more.len() as u64 + 1, "file");
            say(&format!("dynarrow: {files} of the manifest not read, not there and not mandatory; first: {first}"));
        }
        Ok(match self.format {
            Some(format) => export.with_format(format),
            None => export,
        })
    }
}

#[derive(Args, Debug)]
pub struct Explained {
    /// A schema document, as `schema -o` writes it: it fixes the columns that `convert` writes, in
    /// one pass, and says what the columns of a Parquet or Arrow source hold
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The layout of a Parquet or Arrow source that does not say it itself
    #[arg(long, value_parser = one_of::<Layout>(Layout::NAMES))]
    source_layout: Option<Layout>,
}

impl Explained {
    /// Refuses a schema document where it would say nothing: the verb fixes no columns, and the
    /// source has none that it could explain.
    pub fn check(&self, export: &Export) -> Result<()> {
        if self.schema.is_none() || matches!(export.format()?, SourceFormat::Parquet | SourceFormat::Arrow) {
            return Ok(());
        }
        Err(Error::usage("--schema says here what the columns of a Parquet or Arrow source hold; this one is neither"))
    }

    /// The same options, with what is known of the source's columns.
    pub fn add_to(&self, options: ReadOptions) -> Result<ReadOptions> {
        let schema = self.schema.as_deref().map(read_schema).transpose()?;
        Ok(ReadOptions { schema, source_layout: self.source_layout, ..options })
    }
}

/// The schema of a document in a file.
pub fn read_schema(path: &Path) -> Result<Schema> {
    let shown = path.display().to_string();
    let text = fs::read(path).map_err(|e| Error::io(&shown, &e))?;
    let document = serde_json::from_slice(&text).map_err(|e| Error::new(Code::Schema, format!("no JSON: {e}")).in_file(&shown))?;
    Schema::from_json(&document).map_err(|e| e.in_file(shown))
}

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
pub struct Choices {
    /// What number columns are: int64 or decimal128 where all numbers fit, else text (auto);
    /// text (string); float64 and decimal(p,s) round, and what that loses is counted
    #[arg(long, value_name = "auto|float64|decimal(p,s)|string", default_value = "auto", value_parser = numbers, conflicts_with = "schema")]
    numbers: Numbers,
    /// What an attribute of several types becomes: a struct with a child for each type, JSON,
    /// plain text, or an error
    #[arg(long, default_value = "struct", value_parser = one_of::<Mixed>(Mixed::NAMES), conflicts_with = "schema")]
    mixed: Mixed,
    /// What maps become: structs, past --max-fields map columns (auto); always structs; map
    /// columns; JSON
    #[arg(long, default_value = "auto", value_parser = one_of::<Maps>(Maps::NAMES), conflicts_with = "schema")]
    maps: Maps,
    /// How values stand in columns: as what they are, or each in a struct of the types seen at
    /// its path (typed), where also NULL is kept
    #[arg(long, default_value = "plain", value_parser = one_of::<Layout>(Layout::NAMES), conflicts_with = "schema")]
    layout: Layout,
    /// Under which names columns stand in Parquet and Arrow: those of the attributes, or such that
    /// Athena can resolve, at every depth (lower case, a-z, 0-9 and _); the attributes' own then
    /// stand in the metadata
    #[arg(long, default_value = "exact", value_parser = one_of::<Names>(Names::NAMES), conflicts_with = "schema")]
    names: Names,
    /// What becomes of a value that the columns have no place for, with --schema, --override,
    /// --sample or past --max-columns: it stands in the column _extra, is dropped and counted, or
    /// ends the work
    #[arg(long, default_value = "column", value_parser = one_of::<Extra>(Extra::NAMES))]
    extra: Extra,
    /// What one path becomes: int64, float64, decimal(p,s), string, json, struct, map,
    /// timestamp(s), (ms), (us), (iso) or (iso:PATTERN); may be repeated:
    /// --override 'lines[].qty=int64' --override 'created=timestamp(s)'
    #[arg(long = "override", value_name = "PATH=TYPE", conflicts_with = "schema")]
    overrides: Vec<PathOverride>,
    /// Learn from the first N items only
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..), conflicts_with = "schema")]
    sample: Option<u64>,
    /// A map with more different members than this becomes a map column, with --maps auto
    #[arg(long, value_name = "N", default_value_t = MAX_FIELDS, conflicts_with = "schema")]
    max_fields: usize,
    /// Attributes past this number have no column of their own and stand in _extra
    #[arg(long, value_name = "N", default_value_t = MAX_COLUMNS, conflicts_with = "schema")]
    max_columns: usize,
    /// Attribute paths that may be learnt: more are an error
    #[arg(long, value_name = "N", default_value_t = MAX_PATHS)]
    max_paths: usize,
    #[command(flatten)]
    explained: Explained,
}

impl Choices {
    fn policies(&self) -> Result<Policies> {
        let mut policies = Policies {
            numbers: self.numbers,
            mixed: self.mixed,
            maps: self.maps,
            layout: self.layout,
            names: self.names,
            max_fields: self.max_fields,
            max_columns: self.max_columns,
            ..Policies::default()
        };
        for PathOverride { path, with } in &self.overrides {
            policies.override_path(path, with)?;
        }
        Ok(policies)
    }
}

#[derive(Args, Debug)]
pub struct Reading {
    #[command(flatten, next_help_heading = "Columns")]
    choices: Choices,
    #[command(flatten)]
    columns: ColumnNames,
    #[command(flatten, next_help_heading = Resettable::Reset)]
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
    pub fn options(&self) -> Result<ReadOptions> {
        let choices = &self.choices;
        choices.explained.add_to(ReadOptions {
            columns: self.columns.names(),
            policies: choices.policies()?,
            extra: choices.extra,
            sample: choices.sample,
            max_paths: choices.max_paths,
            threads: self.threads.number(),
            on_error: self.on_error,
            check: self.check,
            ..ReadOptions::default()
        })
    }

    /// What is known of the source's columns.
    pub fn explained(&self) -> &Explained {
        &self.choices.explained
    }

    /// What becomes of values that the columns have no place for.
    pub fn extra(&self) -> Extra {
        self.choices.extra
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

/// The policy of numbers; an error says what there is.
fn numbers(text: &str) -> Result<Numbers, String> {
    text.parse().map_err(|e: Error| e.message())
}

/// One `--override`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PathOverride {
    path: String,
    with: String,
}

impl FromStr for PathOverride {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A quoted name may hold a = too.
        let mut splits = text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let split = splits.clone().find(|(at, _)| path::parse(at).is_ok()).or_else(|| splits.next());
        let (path, with) = split.ok_or("it must be PATH=TYPE, as in price=decimal(18,2)")?;
        Policies::default().override_path(path, with).map_err(|e| e.message())?;
        Ok(Self { path: path.to_owned(), with: with.to_owned() })
    }
}

/// Names of attributes with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnList(Vec<String>);

impl ColumnList {
    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

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
    fn overrides() {
        let pair = |text: &str| PathOverride::from_str(text).map(|one| format!("{} is {}", one.path, one.with));
        for (text, expected) in [
            ("price=decimal(18,2)", "price is decimal(18,2)"),
            ("lines[].qty=int64", "lines[].qty is int64"),
            (r#"["a=b"].c=json"#, r#"["a=b"].c is json"#),
            ("at=timestamp(iso:YYYY=MM=DD)", "at is timestamp(iso:YYYY=MM=DD)"),
        ] {
            assert_eq!(pair(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in ["", "price", "price=", "=int64", "price=nope", "a b=int64", r#"["a=b"=int64"#, "price=decimal(50,2)"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }

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
