//! `dynarrow schema`: the columns of an export, learnt over all its items.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use dynarrow::error::printable;
use dynarrow::event::Kind;
use dynarrow::export::dest::replace_file;
use dynarrow::schema::summary::PathSummary;
use dynarrow::{Control, Error, Field, Result, Type};

use crate::Ending;
use crate::options::{Reading, Source};
use crate::output::{Output, count, counted, example, say, skipped};
use crate::progress::Progress;

/// Learn the columns of a source: names, types, what was seen
///
/// All items are read, unless --sample is given. The schema document (-o, --json) can be read and
/// edited, and given to `convert --schema`, which then needs one pass. Of each column the tree shows its Arrow type, the
/// attribute types seen (S, N, ...) and how often, the share of items (or of maps) that have it,
/// and its first value.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Schema {
    #[command(flatten)]
    source: Source,
    /// Write the schema document to this file, and no tree
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Print the schema document
    #[arg(long)]
    json: bool,
    /// No progress bar and no closing line; what was skipped is still said
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow schema tests/data/exports/shop
  dynarrow schema tests/data/exports/shop -o shop.schema.json
  dynarrow schema shop --mixed json --columns PK,SK,lines
  dynarrow schema shop --override 'price=decimal(18,2)' --override 'lines[].qty=int64' -o fixed.json
  dynarrow schema shop --layout typed --maps map --sample 100000
  dynarrow schema shop.parquet --schema shop.schema.json
  dynarrow schema shop --json | jq -r '.fields[] | [.name, .arrow] | @tsv'";

impl Schema {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let options = self.reading.options()?;
        let export = self.source.open(control)?;
        self.reading.explained().check(&export)?;
        let (schema, totals) = {
            let _progress = Progress::watch(control, self.quiet);
            export.infer_schema_and_totals(&options, control)?
        };
        if let Some(path) = &self.output {
            let document = format!("{:#}\n", schema.to_json());
            replace_file(path, |mut file| file.write_all(document.as_bytes()).map_err(|e| Error::io(&path.display().to_string(), &e)))?;
            if !self.quiet {
                let columns = counted(schema.fields().len() as u64, "column");
                let items = counted(schema.summary().items, "item");
                say(&format!("{columns} of {items}: {}", printable(&path.display().to_string())));
            }
        }
        for note in skipped(&totals).into_iter().chain(self.reading.unchecked()) {
            say(&format!("dynarrow: {note}"));
        }
        if self.json {
            out.json(&schema.to_json())?;
        } else if self.output.is_none() {
            out.text(&tree(&schema))?;
        }
        Ok(Ending::Done)
    }
}

const TITLES: [&str; 5] = ["column", "type", "seen", "share", "example"];

/// A line of the tree: its cells under [`TITLES`].
type Row = [String; 5];

fn tree(schema: &dynarrow::Schema) -> String {
    let summary = schema.summary();
    let policies = schema.policies();
    let mut rows = vec![TITLES.map(str::to_owned)];
    for field in schema.fields() {
        add(&mut rows, field, summary.root.fields.get(&field.name), summary.items, 0);
    }
    if let Some(extra) = schema.extra() {
        rows.push([printable(extra), "utf8 (json)".into(), String::new(), String::new(), String::new()]);
    }
    let (columns, items) = (counted(schema.fields().len() as u64, "column"), counted(summary.items, "item"));
    let mut chosen = format!("numbers {}, mixed {}, maps {}, layout {}", policies.numbers, policies.mixed, policies.maps, policies.layout);
    if !policies.overrides.is_empty() {
        chosen += &format!(", {}", counted(policies.overrides.len() as u64, "override"));
    }
    let mut text = format!("{items}, {columns} ({chosen})\n\n");
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    for [name, ty, seen, share, example] in &rows {
        // What stands last in a line needs no blanks behind it.
        let line = format!("{name:<0$}  {ty:<1$}  {seen:<2$}  {share:>3$}  {example}", widths[0], widths[1], widths[2], widths[3]);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn add(rows: &mut Vec<Row>, field: &Field, path: Option<&PathSummary>, of: u64, depth: usize) {
    add_row(rows, &printable(&field.name), &field.ty, path, of, depth);
    add_parts(rows, &field.ty, path, depth + 1);
}

fn add_row(rows: &mut Vec<Row>, name: &str, ty: &Type, path: Option<&PathSummary>, of: u64, depth: usize) {
    let name = format!("{}{name}", "  ".repeat(depth));
    let seen = path.map(seen).unwrap_or_default();
    let share = path.filter(|_| of > 0).map(|path| share(path.counts.iter().sum(), of)).unwrap_or_default();
    let example = path.and_then(|path| path.example.as_deref()).map(example).unwrap_or_default();
    rows.push([name, type_name(ty), seen, share, example]);
}

/// What stands below a column.
fn add_parts(rows: &mut Vec<Row>, ty: &Type, path: Option<&PathSummary>, depth: usize) {
    match ty {
        Type::Struct(fields) => {
            let maps = path.map_or(0, |path| path.count(Kind::M));
            for field in fields {
                add(rows, field, path.and_then(|path| path.fields.get(&field.name)), maps, depth);
            }
        }
        Type::List(element) => {
            let path = path.and_then(|path| path.element.as_deref());
            add_row(rows, "[]", element, path, 0, depth);
            add_parts(rows, element, path, depth + 1);
        }
        Type::Map(value) => {
            add_row(rows, "{}", value, None, 0, depth);
            add_parts(rows, value, None, depth + 1);
        }
        Type::Mixed(types) | Type::Typed(types) => {
            for (kind, ty) in types {
                add_row(rows, kind.descriptor(), ty, None, 0, depth);
                add_parts(rows, ty, path, depth + 1);
            }
        }
        _ => {}
    }
}

fn seen(path: &PathSummary) -> String {
    let kinds = Kind::ALL.into_iter().filter(|&kind| path.count(kind) > 0);
    kinds.map(|kind| format!("{} {}", kind.descriptor(), count(path.count(kind)))).collect::<Vec<_>>().join(", ")
}

/// A share for people: 100 % is all of them, 0 % none.
fn share(part: u64, of: u64) -> String {
    let percent = part as f64 * 100.0 / of as f64;
    match percent {
        _ if part == of => "100 %".into(),
        _ if percent < 0.1 => "<0.1 %".into(),
        _ if percent < 9.95 => format!("{percent:.1} %"),
        _ => format!("{:.0} %", percent.min(99.0)),
    }
}

/// The Arrow type, without the parts that stand below it, and what it holds where that is more.
fn type_name(ty: &Type) -> String {
    let name = ty.name();
    match ty {
        Type::Json => format!("{name} (json)"),
        Type::Mixed(_) | Type::MixedText => format!("{name} (mixed)"),
        Type::Typed(_) => format!("{name} (typed)"),
        Type::Map(_) => "map<utf8, …>".into(),
        Type::Set(_, member) => format!("list<{}>", type_name(member)),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_to_all_or_none() {
        let shares = [(3, 3), (2999, 3000), (1, 3), (1, 100_000), (995, 10_000), (994, 10_000)];
        assert_eq!(shares.map(|(part, of)| share(part, of)), ["100 %", "99 %", "33 %", "<0.1 %", "10 %", "9.9 %"]);
    }
}
