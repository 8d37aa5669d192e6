//! `dynarrow convert`: any source to any destination, and back.

use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use dynarrow::export::read::BATCH_SIZE;
use dynarrow::{
    Control, ConvertOptions, ConvertReport, Dest, Error, ExportFormat, MAX_PARTITIONS, OutputFormat, ReadOptions, Result, SplitTable,
    convert, parse_size,
};
use serde_json::{Value, json};

use crate::options::{ColumnList, Reading, Source, one_of};
use crate::output::{Output, bytes, counted, example, losses, say, seconds, skipped};
use crate::progress::Progress;
use crate::{Ending, json};

/// Convert an export to Parquet, Arrow, CSV or JSON lines, and back
///
/// Every item becomes a row, every attribute a column of the type its values have. Parquet, Arrow
/// and plain JSON sources become items again: as DynamoDB JSON (.json), as Amazon Ion (.ion), or as
/// a whole export of either (--to export). A file appears whole or not at all; what is lost is
/// counted and said.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Convert {
    #[command(flatten)]
    source: Source,
    /// Where to: see below
    dest: String,
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
fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|e| e.message())
}

const EXAMPLES: &str = "\
DEST:
  a file ending in .parquet, .arrow, .csv, .ndjson (plain JSON), .json (DynamoDB JSON) or .ion
  (Amazon Ion), the latter four also with .gz or .zst; a file that exists is replaced. A name
  without an ending or with / behind it is a folder, which gets part-00000.parquet (or what --to
  says); one that is not empty is refused without --overwrite, and with it where it holds a file
  that Dynarrow did not write. --partition-by, --split-by and --file-size divide it. --to export writes data files (see --export-format) and manifests
  as DynamoDB does, into a folder that stands for the bucket. - is standard output, with --to.

Examples:
  dynarrow convert tests/data/exports/shop shop.parquet
  dynarrow convert shop shop.csv.gz --columns PK,SK,price --on-error skip
  dynarrow convert shop shop-parts/ --to ndjson --overwrite
  dynarrow convert shop shop.parquet --numbers 'decimal(18,2)' --override 'created=timestamp(s)'
  dynarrow schema shop -o s.json && dynarrow convert tomorrow shop.parquet --schema s.json
  dynarrow convert shop typed.parquet --layout typed && dynarrow convert typed.parquet shop.json.gz
  dynarrow convert shop tables/ --split-by EntityType --file-size 256MB
  dynarrow convert shop lake/ --partition-by EntityType,status
  dynarrow convert shop.parquet bucket/ --to export
  dynarrow convert shop bucket/ --to export --export-format ion
  dynarrow convert export-ion shop.json.gz
  dynarrow convert shop shop.ion.gz
  dynarrow convert shop - --to ndjson | jq .PK
  zstd -dc dump.json.zst | dynarrow convert - dump.parquet --json";

impl Convert {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        let dest = Dest::parse(&self.dest, self.to)?;
        let to_stdout = matches!(dest, Dest::Stdout(_));
        if self.json && to_stdout {
            return Err(Error::usage("--json prints the report on standard output, where DEST - puts the data"));
        }
        let read = ReadOptions { batch_size: self.batch_size, ..self.reading.options()? };
        let export = self.source.open(control)?;
        let folders = &self.folders;
        let options = ConvertOptions {
            read,
            overwrite: self.overwrite,
            export_format: self.export_format,
            partition_by: folders.partition_by.iter().flat_map(ColumnList::names).cloned().collect(),
            split_by: folders.split_by.clone(),
            file_size: folders.file_size,
            max_partitions: folders.max_partitions,
        };
        let report = {
            let _progress = Progress::watch(control, self.quiet);
            convert(&export, &dest, &options, control, &mut *out)?
        };
        let time = began.elapsed();
        if !self.quiet {
            say(&closing(&report, &self.dest, time));
            report.tables.iter().take(SHOWN_TABLES).for_each(|table| say(&split(table)));
            if let Some(more) = report.tables.len().checked_sub(SHOWN_TABLES + 1) {
                say(&format!("  and {}: --json lists them", counted(more as u64 + 1, "more table")));
            }
        }
        let lost = losses(&report.read.losses, self.reading.extra());
        for note in skipped(&report.read.totals).into_iter().chain(lost).chain(self.reading.unchecked()) {
            say(&format!("dynarrow: {note}"));
        }
        if self.json {
            out.json(&self.document(&report, time))?;
        }
        Ok(Ending::Done)
    }

    fn document(&self, report: &ConvertReport, time: Duration) -> Value {
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
        document.into()
    }
}

/// A table of `--split-by`: which value, how many items, and where they are.
fn split(table: &SplitTable) -> String {
    let value = table.value.as_deref().map_or("(none)".into(), example);
    format!("  {value}: {} in {}", counted(table.items, "item"), dynarrow::error::printable(&table.folder.display().to_string()))
}

fn closing(report: &ConvertReport, dest: &str, time: Duration) -> String {
    let totals = &report.read.totals;
    let inflated =
        if totals.bytes_inflated == totals.bytes_in { String::new() } else { format!(" ({} inflated)", bytes(totals.bytes_inflated)) };
    let written = match &report.files[..] {
        [file] => file.path.display().to_string(),
        _ if dest == "-" => "standard output".to_owned(),
        files => format!("{dest} ({})", counted(files.len() as u64, "file")),
    };
    let (items, bytes_in, bytes_out) = (counted(totals.items, "item"), bytes(totals.bytes_in), bytes(report.bytes_out));
    format!("{items}, {bytes_in}{inflated} -> {bytes_out} in {}: {}", seconds(time), dynarrow::error::printable(&written))
}
