//! How verbs write: the options of all that have a DEST, and what they say of it.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use dynarrow::export::read::BATCH_SIZE;
use dynarrow::{
    Control, ConvertOptions, ConvertReport, Dest, Error, ExportFormat, MAX_PARTITIONS, OutputFormat, ReadOptions, Result, SplitTable,
    parse_size,
};
use serde_json::{Map, Value, json};

use crate::json;
use crate::options::{ColumnList, Reading, one_of};
use crate::output::{bytes, counted, example, losses, say, seconds, skipped};
use crate::progress::Progress;

// A doc comment here would stand as the text of the verbs that take these options in.

#[derive(Args, Debug)]
pub struct Writing {
    /// The format, where DEST does not end in one
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<OutputFormat>(OutputFormat::NAMES))]
    to: Option<OutputFormat>,
    /// The format of the data files of an export, with --to export
    #[arg(long, value_name = "FORMAT", default_value = "dynamodb_json", value_parser = one_of::<ExportFormat>(ExportFormat::NAMES))]
    export_format: ExportFormat,
    #[command(flatten)]
    reading: Reading,
    /// Rows of a record batch, at most
    #[arg(long, value_name = "N", default_value_t = BATCH_SIZE, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    batch_size: usize,
    #[command(flatten, next_help_heading = "Folders")]
    folders: Folders,
    /// Replace a folder that is not empty, if Dynarrow wrote all that is in it
    #[arg(long)]
    overwrite: bool,
    /// Print the report as JSON on standard output; not with DEST -
    #[arg(long)]
    json: bool,
    /// No progress bar and no closing line; what was skipped or lost is still said
    #[arg(long)]
    quiet: bool,
}

// A doc comment here would stand as the text of the verb.

#[derive(Args, Debug)]
struct Folders {
    /// Folders NAME=VALUE in DEST/ by the values of these attributes, the first outermost, as Hive
    /// has them; the attributes are no columns then. NAMES as in --columns
    #[arg(long, value_name = "NAMES", value_parser = ColumnList::from_str)]
    partition_by: Vec<ColumnList>,
    /// A table for each value of this attribute, in a folder of DEST/ that is called what the value
    /// is, with only the columns of its items; @missing for items without it
    #[arg(long, value_name = "NAME")]
    split_by: Option<String>,
    /// Begin another file in DEST/ where one has reached this size, at the next row group, batch or
    /// line: bytes, or as in 256MB or 64MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    file_size: Option<u64>,
    /// Folders in DEST/, at most
    #[arg(long, value_name = "N", default_value_t = MAX_PARTITIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    max_partitions: usize,
}

/// Tables that are said, at most.
const SHOWN_TABLES: usize = 20;

/// A size; an error says how one is written.
pub fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|e| e.message())
}

impl Writing {
    /// What the destination means.
    pub fn dest(&self, dest: &str) -> Result<Dest> {
        let dest = Dest::parse(dest, self.to)?;
        if self.json && matches!(dest, Dest::Stdout(_)) {
            return Err(Error::usage("--json prints the report on standard output, where DEST - puts the data"));
        }
        Ok(dest)
    }

    /// How sources are read.
    pub fn read(&self) -> Result<ReadOptions> {
        Ok(ReadOptions { batch_size: self.batch_size, ..self.reading.options()? })
    }

    /// How what is read so is written.
    pub fn options(&self, read: ReadOptions) -> ConvertOptions {
        let folders = &self.folders;
        ConvertOptions {
            read,
            overwrite: self.overwrite,
            export_format: self.export_format,
            partition_by: folders.partition_by.iter().flat_map(ColumnList::names).cloned().collect(),
            split_by: folders.split_by.clone(),
            file_size: folders.file_size,
            max_partitions: folders.max_partitions,
        }
    }

    /// Whether a format was named.
    pub fn has_format(&self) -> bool {
        self.to.is_some()
    }

    /// Whether the report is printed as JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether nothing is said but what was skipped or lost.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Shows progress until it is dropped.
    pub fn watch(&self, control: &Control) -> Progress {
        Progress::watch(control, self.quiet)
    }

    /// Says what was written: of records that are called so.
    pub fn say(&self, report: &ConvertReport, record: &str, dest: &str, time: Duration) {
        if !self.quiet {
            say(&closing(report, record, dest, time));
            report.tables.iter().take(SHOWN_TABLES).for_each(|table| say(&split(table)));
            if let Some(more) = report.tables.len().checked_sub(SHOWN_TABLES + 1) {
                say(&format!("  and {}: --json lists them", counted(more as u64 + 1, "more table")));
            }
        }
        let lost = losses(&report.read.losses, self.reading.extra());
        for note in skipped(&report.read.totals).into_iter().chain(lost).chain(self.reading.unchecked()) {
            say(&format!("dynarrow: {note}"));
        }
    }

    /// The report as JSON.
    pub fn document(&self, report: &ConvertReport, time: Duration) -> Map<String, Value> {
        let mut document = json::totals(&report.read.totals);
        document.insert("losses".into(), report.read.losses.to_json());
        document.insert("check".into(), self.reading.check_name().into());
        let files = report.files.iter();
        let files = files.map(|file| json!({ "path": file.path.display().to_string(), "bytes": file.bytes, "rows": file.rows }));
        document.insert("files".into(), files.collect());
        if self.folders.split_by.is_some() {
            let tables = report.tables.iter().map(|table| {
                let folder = table.folder.display().to_string();
                json!({ "value": table.value, "type": table.kind.descriptor(), "folder": folder, "items": table.items })
            });
            document.insert("tables".into(), tables.collect());
        }
        document.insert("bytes_out".into(), report.bytes_out.into());
        document.insert("seconds".into(), time.as_secs_f64().into());
        document
    }
}

/// A table of `--split-by`: which value, how many items, and where they are.
fn split(table: &SplitTable) -> String {
    let value = table.value.as_deref().map_or("(none)".into(), example);
    format!("  {value}: {} in {}", counted(table.items, "item"), dynarrow::error::printable(&table.folder.display().to_string()))
}

fn closing(report: &ConvertReport, record: &str, dest: &str, time: Duration) -> String {
    let totals = &report.read.totals;
    let inflated =
        if totals.bytes_inflated == totals.bytes_in { String::new() } else { format!(" ({} inflated)", bytes(totals.bytes_inflated)) };
    let written = match &report.files[..] {
        [file] => file.path.display().to_string(),
        _ if dest == "-" => "standard output".to_owned(),
        files => format!("{dest} ({})", counted(files.len() as u64, "file")),
    };
    let (items, bytes_in, bytes_out) = (counted(totals.items, record), bytes(totals.bytes_in), bytes(report.bytes_out));
    format!("{items}, {bytes_in}{inflated} -> {bytes_out} in {}: {}", seconds(time), dynarrow::error::printable(&written))
}
