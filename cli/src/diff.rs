//! `dynarrow diff`: what became of the items of one table in another.

use std::time::Instant;

use clap::Args;
use dynarrow::export::merge::MEMORY;
use dynarrow::{Control, Dest, DiffOptions, Images, OutputFormat, Result, diff, open_export_with};
use serde_json::json;

use crate::Ending;
use crate::options::{ColumnList, one_of};
use crate::output::{Output, count, counted, say, skipped};
use crate::writing::{Writing, size};

/// Compare two tables: what was inserted, updated and deleted from one to the other
///
/// Items are compared as DynamoDB compares them: numbers by value, maps and sets without order.
/// The exit code is 1 where the tables differ.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    /// The table before: an export, a merge, or any other source of items
    a: String,
    /// The table after
    b: String,
    /// Where the changes go, as for `changes`; - [default] prints them as plain JSON lines
    #[arg(default_value = "-")]
    dest: String,
    /// The attributes of the primary key: the partition key and, where there is one, the sort key.
    /// Tables that merge has written as Parquet say it themselves
    #[arg(long, value_name = "NAMES")]
    key: Option<ColumnList>,
    /// The images that become columns: those after (new), those before (old), or those after with
    /// those before in one column _old (both)
    #[arg(long, value_name = "IMAGES", default_value = "both", value_parser = one_of::<Images>(Images::NAMES))]
    images: Images,
    /// Memory for the whole work: bytes, or as in 256MB or 4GiB. What does not fit is put aside in
    /// temporary files
    #[arg(long, value_name = "SIZE", default_value_t = MEMORY, value_parser = size)]
    memory: u64,
    #[command(flatten)]
    writing: Writing,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow diff monday tuesday --key PK,SK
  dynarrow diff monday tuesday changes.parquet --key PK,SK
  dynarrow diff monday tuesday changes/ --key PK,SK --to export && dynarrow merge monday changes now/
  dynarrow diff backup.json restored --key id --quiet > /dev/null && echo the same";

impl Diff {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        // With --json the document is what is printed.
        let dest = match (&*self.dest, self.writing.has_format()) {
            ("-", _) if self.writing.json() => None,
            ("-", false) => Some(Dest::Stdout(OutputFormat::Ndjson)),
            (dest, _) => Some(self.writing.dest(dest)?),
        };
        let options = self.writing.options(self.writing.read()?);
        let (a, b) = (open_export_with(&self.a, control)?, open_export_with(&self.b, control)?);
        let key = self.key.as_ref().map(|key| key.names().to_vec());
        let diffing = DiffOptions { key, images: self.images, memory: self.memory, temporary: None };
        let report = {
            let _progress = self.writing.watch(control);
            diff(&a, &b, dest.as_ref(), &diffing, &options, control, &mut *out)?
        };
        let time = began.elapsed();
        for (name, totals) in [&self.a, &self.b].into_iter().zip(&report.read) {
            if let Some(skipped) = skipped(totals) {
                say(&format!("dynarrow: {name}: {skipped}; an item that only the other table has may be one of them"));
            }
        }
        let counts = &report.counts;
        if !self.writing.quiet() {
            say(&format!(
                "{} inserted, {} updated, {} deleted, {} the same",
                counted(counts.inserts, "item"),
                count(counts.updates),
                count(counts.deletes),
                count(counts.same)
            ));
        }
        if let Some(written) = report.convert.as_ref().filter(|_| self.dest != "-") {
            self.writing.say(written, "change", &self.dest, time);
        }
        if self.writing.json() {
            let mut document = report.convert.as_ref().map(|written| self.writing.document(written, time)).unwrap_or_default();
            let of_diff = json!({
                "inserts": counts.inserts, "updates": counts.updates, "deletes": counts.deletes, "same": counts.same,
                "key": report.key, "skipped": [report.read[0].skipped, report.read[1].skipped],
            });
            document.insert("diff".into(), of_diff);
            out.json(&document.into())?;
        }
        Ok(if counts.is_empty() { Ending::Done } else { Ending::Findings })
    }
}
