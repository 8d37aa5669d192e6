//! `dynarrow validate`: the dry run of an import.

use std::path::PathBuf;

use clap::Args;
use dynarrow::import::unknown::{Assumed, Assumptions, Unknown};
use dynarrow::import::validate::MAX_FINDINGS;
use dynarrow::import::{log, unknown::Level};
use dynarrow::{Control, Error, ImportFinding, ImportReport, Result, TableSpec, ValidateOptions, validate_import};

use crate::Ending;
use crate::options::Threads;
use crate::output::{Output, bytes, count, counted, example};
use crate::progress::Progress;

/// Check what ImportTable would do with files, before AWS bills for it
///
/// What the service would import and what it would refuse, by the measured rules; every bad item,
/// also behind the point where the service stops an object; items that have one key, which
/// overwrite each other in silence; and what makes an import slow. What nobody has measured is
/// `unverified`, and counts with --strict only. The exit code is 1 where AWS would fail the import.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Validate {
    /// The objects: a folder that stands for the bucket, a file, or - for standard input
    src: String,
    #[command(flatten)]
    table: Table,
    /// Only objects whose keys begin with this: a plain string, no folder, in place of the table
    /// spec's S3KeyPrefix
    #[arg(long)]
    prefix: Option<String>,
    /// What is unverified is an error
    #[arg(long)]
    strict: bool,
    /// What to assume of something that nobody has measured: NAME=unverified, accept, item (it costs
    /// its item) or object (it costs the rest of its object); may be repeated. docs/validate.md has
    /// the names
    #[arg(long, value_name = "NAME=RULE", value_parser = assumption)]
    assume: Vec<(Unknown, Assumed)>,
    /// The error log, as AWS writes it to CloudWatch, with what else is known: a JSON line for each
    /// finding
    #[arg(long, value_name = "FILE")]
    error_log: Option<PathBuf>,
    /// AWS's own error log of an import of these objects: where its items are. Lines of JSON, or what
    /// `aws logs filter-log-events` prints
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Findings that are printed, at most; the rest is counted
    #[arg(long, value_name = "N", default_value_t = MAX_FINDINGS)]
    max_findings: usize,
    /// The price of importing 2^30 bytes, to say what the import costs
    #[arg(long, value_name = "PRICE")]
    price_per_gb: Option<f64>,
    /// The region of the import: limits differ
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    threads: Threads,
    /// Print the report as JSON: what DescribeImport would say, and the findings
    #[arg(long)]
    json: bool,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow validate files/ --table import-table.json
  dynarrow validate files/ --key pk:S --key sk:N
  dynarrow validate shop/ --key PK:S --key SK:S --prefix AWSDynamoDB/01700000000000-abcdef01/data/
  dynarrow validate items.csv --key id:N --error-log errors.jsonl
  dynarrow validate files/ --table import-table.json --log cloudwatch.json
  dynarrow validate files/ --table import-table.json --json | jq .ImportTableDescription";

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Table {
    /// What ImportTable is asked for: the JSON document of `aws dynamodb import-table
    /// --cli-input-json`
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// In place of it: the partition key, and in a second --key the sort key. Format and
    /// compression are told from the bytes
    #[arg(long, value_name = "NAME:S|N|B")]
    key: Vec<String>,
}

impl Table {
    /// The spec.
    pub fn spec(&self) -> Result<TableSpec> {
        match &self.table {
            None => TableSpec::short(&self.key),
            Some(path) => TableSpec::read(path),
        }
    }
}

fn assumption(text: &str) -> Result<(Unknown, Assumed)> {
    let (name, rule) = text.split_once('=').ok_or_else(|| Error::usage("NAME=RULE is wanted"))?;
    Ok((name.parse()?, rule.parse()?))
}

impl Validate {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let spec = self.table.spec()?.with_prefix(self.prefix.as_deref());
        let assumptions = Assumptions::default().strict(self.strict);
        let options = ValidateOptions {
            assumptions: self.assume.iter().fold(assumptions, |all, &(unknown, assumed)| all.assume(unknown, assumed)),
            max_findings: self.max_findings,
            threads: self.threads.number(),
            price_per_gb: self.price_per_gb,
            region: self.region.clone(),
            log: self.log.as_deref().map_or(Ok(Vec::new()), log::read)?,
        };
        let report = {
            let _progress = Progress::watch(control, self.quiet);
            match &self.error_log {
                None => validate_import(&self.src, &spec, options, control, |_| Ok(()))?,
                Some(path) => log::validate_with_log(&self.src, &spec, options, path, control)?,
            }
        };
        if self.json {
            out.json(&report.to_json())?;
        } else {
            out.text(&text(&report))?;
        }
        Ok(if report.ok() { Ending::Done } else { Ending::Findings })
    }
}

fn text(report: &ImportReport) -> String {
    let mut lines: Vec<_> = report.findings.iter().map(line).collect();
    if report.omitted > 0 {
        lines.push(format!("{} more; --error-log has all, and --max-findings shows more", counted(report.omitted, "finding")));
    }
    for located in &report.located {
        let place = match (located.line, located.byte) {
            (Some(line), Some(byte)) => format!("line {line}, byte {byte}"),
            _ => "not found here".into(),
        };
        let path = located.path.as_ref().map(|path| format!(", attribute {path}")).unwrap_or_default();
        let found = if located.found.is_empty() { "nothing found".into() } else { located.found.join("; ") };
        lines.push(format!(
            "logged      {} item {}: {place}{path}: {} (here: {found})",
            located.key,
            located.item,
            located.messages.join("; ")
        ));
    }
    let duplicates = &report.duplicates;
    for repeated in &duplicates.examples {
        let key: Vec<_> = repeated.key.iter().map(|(name, value)| format!("{name}={}", example(value))).collect();
        let (first, second) = (&repeated.first, &repeated.second);
        lines.push(format!(
            "duplicate   {}: {}, {} item {} and {} item {}",
            key.join(", "),
            counted(repeated.items, "item"),
            first.key,
            first.item,
            second.key,
            second.item
        ));
    }
    if duplicates.items > 0 {
        let what = format!("{} would overwrite another in silence", counted(duplicates.items, "item"));
        lines.push(format!("{what}: {} of several items", counted(duplicates.keys, "key")));
    }
    let input = report.input;
    let told = if input.told { " (told from the bytes)" } else { "" };
    let compression = dynarrow::import::spec::compression_name(input.compression);
    lines.push(format!("{}: {}, {compression}{told}", counted(report.objects, "object"), input.format.as_str()));
    if report.beyond > 0 || report.stopped > 0 {
        let stopped = format!("the service stops {} before the end", counted(report.stopped, "object"));
        lines.push(format!("{stopped}; {} behind that", counted(report.beyond, "finding")));
    }
    if report.unverified > 0 {
        let plural = if report.unverified == 1 { "is" } else { "are" };
        lines.push(format!("{} {plural} unverified: --strict counts them", counted(report.unverified, "finding")));
    }
    if let Some(price) = report.price {
        lines.push(format!("{} uncompressed: the import costs {price:.2}", bytes(report.bytes)));
    }
    let counts = format!("{} processed, {} imported", counted(report.processed, "item"), count(report.imported));
    let errors = if report.errors == 0 { "no errors".into() } else { counted(report.errors, "error") };
    lines.push(format!("{}: {counts}, {errors}, {}", if report.ok() { "COMPLETED" } else { "FAILED" }, bytes(report.processed_bytes)));
    lines.join("\n") + "\n"
}

fn line(finding: &ImportFinding) -> String {
    let level = match finding.level {
        Level::Error if !finding.reached => "beyond",
        level => level.as_str(),
    };
    let mut place = Vec::new();
    if let Some(key) = &finding.key {
        place.push(dynarrow::error::printable(key));
    }
    for (name, at) in [("item", finding.item), ("line", finding.line), ("byte", finding.byte)] {
        place.extend(at.map(|at| format!("{name} {at}")));
    }
    place.extend(finding.path.as_ref().map(|path| format!("attribute {}", dynarrow::error::printable(path))));
    place.extend(finding.unknown.map(|unknown| format!("assumption {unknown}")));
    let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
    format!("{level:<11} {}{place}", dynarrow::error::printable(&finding.messages.join("; ")))
}
