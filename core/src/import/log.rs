//! The error log of `ImportTable`, as CloudWatch has it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>

#[cfg(not(target_arch = "wasm32"))]
use std::{fs, io::BufWriter, io::Write, path::Path};

use serde_json::Value;

use super::report::Located;
#[cfg(not(target_arch = "wasm32"))]
use super::validate::{ValidateOptions, validate_objects};
#[cfg(not(target_arch = "wasm32"))]
use super::{ImportReport, TableSpec, objects::Objects};
#[cfg(not(target_arch = "wasm32"))]
use crate::control::Control;
use crate::error::{Code, Error, Result};
#[cfg(not(target_arch = "wasm32"))]
use crate::export::dest::replace_file;

/// An entry: an item that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The object.
    pub key: String,
    /// The item in it, from 0.
    pub item: u64,
    /// What AWS says of it.
    pub messages: Vec<String>,
}

impl LogEntry {
    pub(super) fn unlocated(&self) -> Located {
        let Self { key, item, messages } = self.clone();
        Located { key, item, messages, line: None, byte: None, path: None, found: Vec::new() }
    }
}

/// The entries of a log: lines of JSON, as they stand in a stream, or the document of
/// `aws logs get-log-events` and `filter-log-events`.
pub fn parse(text: &str) -> Result<Vec<LogEntry>> {
    if let Ok(document) = serde_json::from_str::<Value>(text)
        && let Some(events) = document["events"].as_array()
    {
        let entry = |(n, event): (usize, &Value)| {
            let message = event["message"].as_str().unwrap_or_default();
            parse_entry(message).ok_or_else(|| bad(format!("event {n} is no entry of an import's error log: {message:.60}")))
        };
        return events.iter().enumerate().map(entry).collect();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let entry = |(n, line): (usize, &str)| {
        parse_entry(line).ok_or_else(|| {
            bad("not an entry of an import's error log: itemS3Pointer with key and itemIndex is wanted".into()).at(n as u64 + 1, 0)
        })
    };
    lines.map(entry).collect()
}

/// The entries of a log in a file.
#[cfg(not(target_arch = "wasm32"))]
pub fn read(path: &Path) -> Result<Vec<LogEntry>> {
    let shown = path.display().to_string();
    let text = fs::read(path).map_err(|e| Error::io(&shown, &e))?;
    parse(&String::from_utf8_lossy(&text)).map_err(|error| error.in_file(shown))
}

/// As [`crate::validate_import`], with a log of our own: a line for each finding, as
/// [`to_log`](super::ImportFinding::to_log) has it. The file appears whole or not at all.
#[cfg(not(target_arch = "wasm32"))]
pub fn validate_with_log(src: &str, spec: &TableSpec, options: ValidateOptions, log: &Path, control: &Control) -> Result<ImportReport> {
    let failed = |e: std::io::Error| Error::io(&log.display().to_string(), &e);
    // Listed before the log is begun, which is no object.
    let objects = Objects::open(src, spec.prefix.as_deref(), control)?;
    check_place(&objects, src, log)?;
    replace_file(log, |file| {
        let mut lines = BufWriter::new(file);
        let report = validate_objects(&objects, spec, options, control, |finding| {
            writeln!(lines, "{}", finding.to_log(spec.bucket.as_deref())).map_err(failed)
        })?;
        lines.flush().map_err(failed)?;
        Ok(report)
    })
}

/// Refuses a log that would be an object, or take the place of one.
#[cfg(not(target_arch = "wasm32"))]
fn check_place(objects: &Objects, src: &str, log: &Path) -> Result<()> {
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Some(name), Ok(src)) = (fs::canonicalize(folder), log.file_name(), fs::canonicalize(src)) else { return Ok(()) };
    let log = folder.join(name);
    let path_of = |key: &str| objects.storage.local_path(key).and_then(|path| fs::canonicalize(path).ok());
    let is_object = objects.entries.iter().any(|entry| path_of(&entry.key).is_some_and(|path| path == log));
    if is_object || src.is_dir() && log.starts_with(&src) {
        return Err(Error::usage(format!("the error log {} would stand among the objects", log.display())));
    }
    Ok(())
}

fn bad(message: String) -> Error {
    Error::new(Code::Format, message)
}

fn parse_entry(line: &str) -> Option<LogEntry> {
    // Exported logs may have the time before the message.
    let entry: Value = serde_json::from_str(&line[line.find('{')?..]).ok()?;
    let pointer = &entry["itemS3Pointer"];
    let messages = entry["errorMessages"].as_array().into_iter().flatten().filter_map(|message| Some(message.as_str()?.to_owned()));
    Some(LogEntry { key: pointer["key"].as_str()?.to_owned(), item: pointer["itemIndex"].as_u64()?, messages: messages.collect() })
}
