//! The error log of `ImportTable`, as CloudWatch has it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>

use serde_json::Value;

use super::report::Located;
use crate::error::{Code, Error, Result};

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
