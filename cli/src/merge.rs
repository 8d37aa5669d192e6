//! `dynarrow merge`: a base and the incremental exports behind it, as one table.

use std::time::Instant;

use clap::Args;
use dynarrow::export::merge::MEMORY;
use dynarrow::{Control, MergeOptions, MergeReport, Result, Window, merge, open_export_with};
use serde_json::{Value, json};

use crate::Ending;
use crate::output::{Output, counted, say, skipped};
use crate::writing::{Writing, size};

/// Merge a full export and incremental exports into the table as it was after the last one
///
/// Items stand in the base's order with what became of them; items that are new stand behind. The
/// incremental exports may come in any order and overlap: the change of the window that ends last
/// stands. A time that none of them covers is an error, as is another table. What was written is a
/// base for the next merge, if it is an export (--to export) or Parquet with --layout typed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = "dynarrow merge [OPTIONS] <BASE> <INC>... <DEST>")]
pub struct Merge {
    /// A full export, or a table that merge has written
    base: String,
    /// Incremental exports of the same table, each named by its own folder or manifest; behind
    /// them the destination, as for convert
    #[arg(value_name = "INC... DEST", num_args = 2.., required = true)]
    rest: Vec<String>,
    /// Merge also where no incremental export covers some of the time
    #[arg(long)]
    allow_gaps: bool,
    /// Memory for the whole work: bytes, or as in 256MB or 4GiB. What does not fit is put aside in
    /// files without names, beside DEST
    #[arg(long, value_name = "SIZE", default_value_t = MEMORY, value_parser = size)]
    memory: u64,
    #[command(flatten)]
    writing: Writing,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow merge tests/data/exports/shop tests/data/exports/shop-hour today.parquet
  dynarrow merge full AWSDynamoDB/0170*/ now/ --to export
  dynarrow merge now hour-25 next/ --to export
  dynarrow merge base.parquet hour-1 hour-2 now.parquet --layout typed
  dynarrow merge full hour-* - --to ndjson | jq .PK";

impl Merge {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        let (to, increments) = self.rest.split_last().map_or(("", &[][..]), |(to, increments)| (to.as_str(), increments));
        let dest = self.writing.dest(to)?;
        let options = self.writing.options(self.writing.read()?);
        let base = open_export_with(&self.base, control)?;
        let increments = increments.iter().map(|src| open_export_with(src, control)).collect::<Result<Vec<_>>>()?;
        let merging = MergeOptions { allow_gaps: self.allow_gaps, memory: self.memory, temporary: None };
        let report = {
            let _progress = self.writing.watch(control);
            merge(&base, &increments, &dest, &merging, &options, control, &mut *out)?
        };
        let time = began.elapsed();
        notes(&report).iter().for_each(|note| say(&format!("dynarrow: {note}")));
        if !self.writing.quiet() {
            let counts = &report.counts;
            let changes = report.windows.iter().map(|window| window.totals.items).sum();
            say(&format!(
                "{} of {}: {} inserted, {} updated, {} deleted",
                counted(changes, "change"),
                counted(report.windows.iter().filter(|window| window.applied).count() as u64, "window"),
                crate::output::count(counts.inserts),
                crate::output::count(counts.updates),
                crate::output::count(counts.deletes),
            ));
        }
        self.writing.say(&report.convert, "item", to, time);
        if self.writing.json() {
            let mut document = self.writing.document(&report.convert, time);
            document.insert("merge".into(), document_of(&report));
            out.json(&document.into())?;
        }
        Ok(Ending::Done)
    }
}

/// What is worth a word of the windows.
fn notes(report: &MergeReport) -> Vec<String> {
    let mut notes = Vec::new();
    for window in report.windows.iter().filter(|window| !window.applied) {
        notes.push(format!("{} ends at {}, before the base's time: it is not applied", window.name, window.to));
    }
    for (from, to) in &report.gaps {
        notes.push(format!("no incremental export covers the time from {from} to {to}"));
    }
    for (from, to) in &report.overlaps {
        notes.push(format!("several incremental exports cover the time from {from} to {to}; the one that ends last stands"));
    }
    for window in &report.windows {
        notes.extend(skipped(&window.totals).map(|skipped| format!("{}: {skipped}", window.name)));
    }
    if report.counts.unknown_deletes > 0 {
        notes.push(format!("{} of items that the base does not have", counted(report.counts.unknown_deletes, "delete")));
    }
    notes
}

fn document_of(report: &MergeReport) -> Value {
    let window = |window: &Window| {
        json!({
            "name": window.name, "from": window.from, "to": window.to, "applied": window.applied,
            "changes": window.totals.items, "skipped": window.totals.skipped,
        })
    };
    let times = |times: &[(String, String)]| times.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect::<Value>();
    let counts = &report.counts;
    json!({
        "inserts": counts.inserts,
        "updates": counts.updates,
        "deletes": counts.deletes,
        "unknown_deletes": counts.unknown_deletes,
        "windows": report.windows.iter().map(window).collect::<Value>(),
        "gaps": times(&report.gaps),
        "overlaps": times(&report.overlaps),
    })
}
