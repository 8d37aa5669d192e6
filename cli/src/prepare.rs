//! `dynarrow prepare`: files that import.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use dynarrow::codec::Codec;
use dynarrow::event::Kind;
use dynarrow::format::csv::{CsvOptions, column_kind, delimiter};
use dynarrow::import::InputFormat;
use dynarrow::import::prepare::{FILE_SIZE, MEMORY, Shuffle};
use dynarrow::{Control, Error, OnError, PrepareOptions, PrepareReport, ReadOptions, Result, prepare_import};
use serde_json::Value;

use crate::Ending;
use crate::json;
use crate::options::{ColumnList, Explained, Source, Threads, one_of};
use crate::output::{Output, bytes, counted, example, say, seconds, skipped};
use crate::progress::Progress;
use crate::validate::Table;
use crate::writing::size;

/// Make files that import at the first try
///
/// From any source of items: objects of DynamoDB JSON, Ion or CSV in DEST/data/, divided to a size
/// that imports fast, shuffled where the items are sorted, and DEST/import-table.json for the AWS CLI.
/// Items that an import would refuse stand in DEST/rejected.*, with the reasons in DEST/rejected.jsonl,
/// and are counted.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Prepare {
    #[command(flatten)]
    source: Source,
    /// The folder that is made
    dest: String,
    #[command(flatten)]
    table: Table,
    /// The format of the objects [default: the table spec's, else DynamoDB JSON]
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<InputFormat>(InputFormat::NAMES))]
    to: Option<InputFormat>,
    /// Their compression [default: the table spec's, else gzip]
    #[arg(long, value_name = "CODEC", value_parser = one_of::<Codec>(Codec::NAMES))]
    compression: Option<Codec>,
    /// Begin another object behind so many decompressed bytes: bytes, or as in 256MB
    #[arg(long, value_name = "SIZE", default_value_t = FILE_SIZE, value_parser = size)]
    file_size: u64,
    /// Shuffle the items over all objects: where they are sorted (auto), always, or never
    #[arg(long, default_value = "auto", value_parser = one_of::<Shuffle>(Shuffle::NAMES))]
    shuffle: Shuffle,
    /// What the shuffling follows from: the same seed gives the same files
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Items that are shuffled in memory at a time; the others wait on disk beside DEST
    #[arg(long, value_name = "SIZE", default_value_t = MEMORY, value_parser = size)]
    memory: u64,
    /// Of a CSV source: types of columns that are no strings, as in price:N,tags:SS. Those of keys
    /// are known
    #[arg(long, value_name = "NAME:TYPE,…")]
    types: Option<String>,
    /// Of a CSV source: what stands between two cells, one of , ; : | tab space
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Of a CSV source: the names of its columns, where its first line is no header
    #[arg(long, value_name = "NAMES")]
    header_list: Option<ColumnList>,
    /// The table's name, for import-table.json
    #[arg(long, value_name = "NAME")]
    table_name: Option<String>,
    /// The bucket that the objects will be in
    #[arg(long)]
    bucket: Option<String>,
    /// What their keys begin with there, and their paths in DEST [default: the table spec's, else data/]
    #[arg(long)]
    prefix: Option<String>,
    #[command(flatten)]
    explained: Explained,
    /// What a record that cannot be read does: end the work, or be passed over and counted
    #[arg(long, default_value = "raise", value_parser = one_of::<OnError>(&["raise", "skip"]))]
    on_error: OnError,
    #[command(flatten)]
    threads: Threads,
    /// Rows of a record batch, at most
    #[arg(long, hide = true, default_value_t = dynarrow::export::read::BATCH_SIZE, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    batch_size: usize,
    /// Replace a folder that was prepared before
    #[arg(long)]
    overwrite: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// No progress bar and no closing line; what was rejected or changed is still said
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow prepare shop import/ --key PK:S --key SK:S --table-name shop --bucket imports
  dynarrow prepare items.csv import/ --key id:N --types 'price:N,tags:SS'
  dynarrow prepare orders.parquet import/ --table import-table.json --compression zstd
  dynarrow validate import/ --table import/import-table.json
  aws s3 sync import/data s3://imports/data && aws dynamodb import-table --cli-input-json file://import/import-table.json";

/// The types of `price:N,tags:SS`. A name may hold colons.
fn types(text: &str) -> Result<Vec<(String, Kind)>> {
    let names: ColumnList = text.parse().map_err(|message: String| Error::usage(message))?;
    let of = |column: &String| {
        let (name, kind) = column.rsplit_once(':').unwrap_or((column, ""));
        Ok((name.to_owned(), column_kind(name, kind)?))
    };
    names.names().iter().map(of).collect()
}

impl Prepare {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        let spec = self.table.spec()?;
        let source = self.source.open(control)?;
        self.explained.check(&source)?;
        let source = source.with_csv(CsvOptions {
            delimiter: self.delimiter,
            header: self.header_list.as_ref().map(|names| names.names().to_vec()),
            types: self.types.as_deref().map(types).transpose()?.into_iter().flatten().collect(),
        })?;
        let read =
            ReadOptions { on_error: self.on_error, threads: self.threads.number(), batch_size: self.batch_size, ..ReadOptions::default() };
        let options = PrepareOptions {
            read: self.explained.add_to(read)?,
            to: self.to,
            compression: self.compression,
            file_size: self.file_size,
            shuffle: self.shuffle,
            seed: self.seed,
            memory: self.memory,
            overwrite: self.overwrite,
            table_name: self.table_name.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
        };
        let report = {
            let _progress = Progress::watch(control, self.quiet);
            prepare_import(&source, Path::new(&self.dest), &spec, &options, control)?
        };
        self.say(&report, began.elapsed());
        if self.json {
            let mut document = json::totals(&report.totals);
            if let Value::Object(members) = report.to_json() {
                document.extend(members);
            }
            out.json(&document.into())?;
        }
        Ok(Ending::Done)
    }

    fn say(&self, report: &PrepareReport, time: Duration) {
        if !self.quiet {
            let shuffled = if report.shuffled { ", shuffled" } else { "" };
            let objects = format!("{}{shuffled}", counted(report.files.len() as u64, "object"));
            let items = counted(report.items, "item");
            say(&format!("{items}, {} uncompressed -> {} ({objects}) in {}", bytes(report.bytes), self.dest, seconds(time)));
            if !report.missing.is_empty() {
                say(&format!("import-table.json has no {}: --table-name and --bucket say them", report.missing.join(" and ")));
            }
        }
        let first = |first: &Option<String>| first.as_deref().map(|text| format!("; first: {}", example(text))).unwrap_or_default();
        if report.rejected > 0 {
            let said = counted(report.rejected, "item");
            say(&format!("dynarrow: {said} would not be imported, and stand in {}/rejected.*{}", self.dest, first(&report.first_rejected)));
        }
        if report.changed > 0 {
            let said = counted(report.changed, "value");
            say(&format!("dynarrow: {said} that CSV cannot hold will be strings, or missing{}", first(&report.first_changed)));
        }
        if let Some(skipped) = skipped(&report.totals) {
            say(&format!("dynarrow: {skipped}"));
        }
    }
}
