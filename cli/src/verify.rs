//! `dynarrow verify`: an export against its manifests.

use clap::Args;
use dynarrow::{Control, Result, Severity, VerifyReport, open_export_with};
use serde_json::{Value, json};

use crate::Ending;
use crate::json;
use crate::options::Threads;
use crate::output::{Output, bytes, counted};
use crate::progress::Progress;

/// Check an export against its manifests: checksums, counts, files
///
/// All findings are printed. Errors (exit code 1): a checksum or count that differs, a file that
/// is missing, truncated or corrupt, a record that is no item. Notes (exit code 0): what is odd
/// and harms nothing, such as a manifest without .md5 file.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Verify {
    /// The export: a folder, a manifest, a data file, or - for standard input
    src: String,
    #[command(flatten)]
    threads: Threads,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow verify tests/data/exports/shop
  dynarrow verify shop && dynarrow convert shop shop.parquet
  dynarrow verify shop --json | jq -r '.findings[] | select(.severity == \"error\") | .file'";

impl Verify {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let export = open_export_with(&self.src, control)?;
        let report = {
            let _progress = Progress::watch(control, self.quiet);
            export.verify(self.threads.number(), control)?
        };
        if self.json {
            out.json(&document(&report))?;
        } else {
            out.text(&text(&report))?;
        }
        Ok(if report.ok() { Ending::Done } else { Ending::Findings })
    }
}

fn number(report: &VerifyReport, severity: Severity) -> u64 {
    report.findings.iter().filter(|finding| finding.severity == severity).count() as u64
}

fn document(report: &VerifyReport) -> Value {
    let findings = report.findings.iter().map(|finding| {
        let mut entry = json!({ "severity": finding.severity });
        if let (Value::Object(entry), Value::Object(error)) = (&mut entry, json::error(&finding.error)) {
            entry.extend(error);
        }
        entry
    });
    json!({
        "ok": report.ok(),
        "files": report.files,
        "items": report.items,
        "bytes": report.bytes,
        "errors": number(report, Severity::Error),
        "notes": number(report, Severity::Note),
        "findings": findings.collect::<Value>(),
    })
}

fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text += match finding.severity {
            Severity::Error => "error  ",
            Severity::Note => "note   ",
        };
        text += &finding.error.to_string();
        text.push('\n');
    }
    let (errors, notes) = (number(report, Severity::Error), number(report, Severity::Note));
    let read = format!("{}, {}, {}", counted(report.files, "file"), counted(report.items, "item"), bytes(report.bytes));
    let errors = if errors == 0 { "no errors".into() } else { counted(errors, "error") };
    let notes = if notes == 0 { String::new() } else { format!(", {}", counted(notes, "note")) };
    text + &format!("{read}: {errors}{notes}\n")
}
