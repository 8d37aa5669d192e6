//! `dynarrow inspect`: the metadata of an export, printed.

use std::fmt::Write as _;

use clap::Args;
use dynarrow::error::printable;
use dynarrow::{Control, Export, ExportSummary, Result, SourceFormat, Told, open_export_with};
use serde_json::{Value, json};

use crate::Ending;
use crate::output::{Output, bytes, count, counted};

/// Files that are listed, at most; missing ones always are.
const LISTED: usize = 20;

/// Show what an export is: its table, times, items and files
///
/// Reads the manifests only; where there are none, the first bytes of the first file, which tell its
/// format. `verify` checks that the data are what the manifests say.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Inspect {
    /// The export: a folder, a manifest, a data file, or - for standard input
    src: String,
    /// Print the summary manifest and the files as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow inspect tests/data/exports/shop
  dynarrow inspect s3-copy/AWSDynamoDB/01754291340850-fceb8e51/manifest-summary.json
  dynarrow inspect shop --json | jq '.files[] | select(.missing) | .name'";

impl Inspect {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let export = open_export_with(&self.src, control)?;
        if self.json {
            out.json(&document(&export)?)?;
        } else {
            out.text(&text(&export)?)?;
        }
        Ok(Ending::Done)
    }
}

/// The format of the data files where no summary says it, and what does.
fn told_format(export: &Export) -> Result<Option<(SourceFormat, Told)>> {
    if export.summary().is_some() { Ok(None) } else { export.told_format().map(Some) }
}

fn document(export: &Export) -> Result<Value> {
    let files = export.files().iter().map(|file| {
        json!({
            "name": file.name,
            "path": file.key.as_ref().map(|key| export.storage().name(key)),
            "missing": file.key.is_none(),
            "bytes": file.size,
            "manifest": file.entry.as_ref().map(|entry| &entry.raw),
        })
    });
    let format = told_format(export)?;
    Ok(json!({
        "source": export.name(),
        "summary": export.summary().map(|summary| &summary.raw),
        "format": format.map(|(format, _)| format.as_str()),
        "format_told_by": format.and_then(|(_, told)| told.as_str()),
        "absent": export.dump().map(|dump| &dump.absent),
        "bytes": export.bytes(),
        "files": files.collect::<Value>(),
    }))
}

fn text(export: &Export) -> Result<String> {
    let mut text = String::new();
    if let Some(summary) = export.summary() {
        for (label, value) in lines(summary) {
            if let Some(value) = value {
                let _ = writeln!(text, "{label:<14}{}", printable(&value));
            }
        }
    } else {
        let what = if export.dump().is_some() { "a legacy dump, of Data Pipeline or the EMR connector" } else { "no manifest" };
        let _ = writeln!(text, "{:<14}{} ({what})", "source", printable(export.name()));
    }
    let files = export.files();
    if let Some((format, told)) = told_format(export)? {
        // Where no manifest says it, the other files may be in other formats.
        let of = if files.len() > 1 && told != Told::Manifest { Some("the first file") } else { None };
        let by = match told {
            Told::Manifest => Some("by the manifest"),
            Told::Name => Some("by its name"),
            Told::Bytes => Some("by its first bytes"),
            Told::Asked | Told::Nothing => None,
        };
        let why: Vec<_> = of.into_iter().chain(by).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
        let _ = writeln!(text, "{:<14}{}{why}", "format", format.as_str());
    }
    let missing = files.iter().filter(|file| file.key.is_none()).count() as u64;
    let _ = write!(text, "{:<14}{}, {}", "files", count(files.len() as u64), bytes(export.bytes()));
    let _ = writeln!(text, "{}", if missing > 0 { format!(", {} MISSING", count(missing)) } else { String::new() });
    let listed = |&(n, file): &(usize, &dynarrow::DataFile)| n < LISTED || file.key.is_none();
    for (_, file) in files.iter().enumerate().filter(listed) {
        let items = file.entry.as_ref().and_then(|entry| entry.item_count).map(|items| counted(items, "item")).unwrap_or_default();
        let size = file.size.map_or("MISSING".into(), bytes);
        let _ = writeln!(text, "  {size:>8}  {items:>16}  {}", printable(&file.name));
    }
    for url in export.dump().into_iter().flat_map(|dump| &dump.absent) {
        let _ = writeln!(text, "  {:>8}  {:>16}  {}", "absent", "not mandatory", printable(url));
    }
    let left = files.iter().skip(LISTED).filter(|file| file.key.is_some()).count() as u64;
    if left > 0 {
        let _ = writeln!(text, "  and {}; --json lists all", counted(left, "more file"));
    }
    Ok(text)
}

fn lines(summary: &ExportSummary) -> [(&'static str, Option<String>); 10] {
    let kind = if summary.is_incremental() { "incremental" } else { "full" };
    let window = summary.export_from_time.as_ref().zip(summary.export_to_time.as_ref());
    let run = summary.start_time.as_ref().zip(summary.end_time.as_ref());
    let place = summary.s3_bucket.as_ref().map(|bucket| match &summary.s3_prefix {
        Some(prefix) => format!("s3://{bucket}/{prefix}"),
        None => format!("s3://{bucket}"),
    });
    [
        ("table", summary.table_arn.as_deref().map(|arn| table_name(arn).to_owned())),
        ("table ARN", summary.table_arn.clone()),
        ("export ARN", summary.export_arn.clone()),
        ("type", Some([kind].into_iter().chain(summary.output_view.as_deref()).collect::<Vec<_>>().join(", "))),
        ("format", summary.output_format.clone()),
        ("state of", summary.export_time.clone()),
        ("changes", window.map(|(from, to)| format!("{from} to {to}"))),
        ("written", run.map(|(start, end)| format!("{start} to {end}"))),
        ("written to", place),
        ("items", summary.item_count.map(count)),
    ]
}

/// The name in an ARN `arn:aws:dynamodb:<region>:<account>:table/<name>`.
fn table_name(arn: &str) -> &str {
    arn.split_once(":table/").map_or(arn, |(_, name)| name)
}
