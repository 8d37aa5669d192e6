//! `manifest`, the list of data files of a legacy dump.
//! <https://github.com/awslabs/emr-dynamodb-connector> (`ImportInputFormat` reads it,
//! `ExportManifestRecordWriter` writes it)
//!
//! It is one JSON object, whose `entries` have the `url` of a file each, and `mandatory`, which is
//! true where it is missing. There are no counts and no checksums. Members that are unknown here
//! are of no matter, as they are to the connector.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::error::{Code, Error, Result};

/// The name of the manifest of a legacy dump.
pub const LEGACY: &str = "manifest";
/// What the connector writes, and as what.
const NAME: &str = "DynamoDB-export";
const VERSION: u64 = 3;
const ENTRIES: &str = "entries";

/// The manifest of a legacy dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyManifest {
    /// All members but `entries`.
    pub header: Map<String, Value>,
    /// The data files.
    pub entries: Vec<LegacyEntry>,
}

/// A data file of a legacy dump, as its manifest has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyEntry {
    /// Where it was written to.
    pub url: String,
    /// Whether the dump is broken without it.
    pub mandatory: bool,
    /// The whole entry.
    pub raw: Map<String, Value>,
}

impl LegacyManifest {
    /// Reads the manifest. Nonsense is `E_MANIFEST`; a URL that names no file is `E_KEY`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |message: String| Error::new(Code::Manifest, message);
        let mut header: Map<String, Value> = serde_json::from_slice(bytes).map_err(|e| bad(format!("no JSON object: {e}")))?;
        let Some(Value::Array(list)) = header.remove(ENTRIES) else {
            return Err(bad("no array `entries`: this is not the manifest of a legacy dump".into()));
        };
        let mut names = HashMap::new();
        let mut entries = Vec::with_capacity(list.len());
        for (number, value) in list.into_iter().enumerate() {
            let entry = LegacyEntry::of(value).map_err(|message| bad(format!("entry {}: {message}", number + 1)))?;
            // Files are found by their names: two of one name would be one file, read twice.
            if let Some(before) = names.insert(entry.name()?.to_owned(), number) {
                let name = entry.name()?;
                return Err(bad(format!("entries {} and {} name one file, {name:?}", before + 1, number + 1)));
            }
            entries.push(entry);
        }
        Ok(Self { header, entries })
    }

    /// A manifest of the files with these URLs, all of them mandatory, as the connector has it.
    pub fn of_urls(urls: impl Iterator<Item = String>) -> Self {
        let members = |value: Value| value.as_object().cloned().unwrap_or_default();
        let entry = |url: String| LegacyEntry { raw: members(json!({"url": url, "mandatory": true})), url, mandatory: true };
        Self { header: members(json!({"name": NAME, "version": VERSION})), entries: urls.map(entry).collect() }
    }

    /// The manifest's text, byte for byte as the connector lays it out.
    pub fn to_text(&self) -> String {
        let header = Value::from(self.header.clone()).to_string();
        let header = header.strip_suffix('}').unwrap_or(&header);
        let comma = if self.header.is_empty() { "" } else { ",\n" };
        let entries: Vec<_> = self.entries.iter().map(|entry| Value::from(entry.raw.clone()).to_string()).collect();
        format!("{header}{comma}\"{ENTRIES}\": [\n{}\n]}}", entries.join(",\n"))
    }

    /// The same files in another place, given without a final `/`.
    pub fn moved(&self, place: &str) -> Result<Self> {
        let moved = |entry: &LegacyEntry| {
            let url = format!("{place}/{}", entry.name()?);
            let mut raw = entry.raw.clone();
            raw.insert("url".into(), url.clone().into());
            Ok(LegacyEntry { url, raw, ..entry.clone() })
        };
        Ok(Self { header: self.header.clone(), entries: self.entries.iter().map(moved).collect::<Result<_>>()? })
    }
}

impl LegacyEntry {
    fn of(value: Value) -> Result<Self, String> {
        let Value::Object(raw) = value else { return Err(format!("must be an object, not {value}")) };
        let url = match raw.get("url") {
            Some(Value::String(url)) => url.clone(),
            Some(other) => return Err(format!("url must be a string, not {other}")),
            None => return Err("no url".into()),
        };
        let mandatory = match raw.get("mandatory") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(mandatory)) => *mandatory,
            Some(other) => return Err(format!("mandatory must be true or false, not {other}")),
        };
        Ok(Self { url, mandatory, raw })
    }

    /// The file's name: dumps are moved, and their manifests still name the place before.
    pub fn name(&self) -> Result<&str> {
        let name = self.url.rsplit('/').next().unwrap_or_default();
        let bad = matches!(name, "" | "." | "..") || name.contains(['\\', '\0']);
        if bad { Err(Error::new(Code::Key, format!("the manifest names {:?}, which is no file", self.url))) } else { Ok(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ExportManifestRecordWriter` writes: a sample made by its rules.
    const WRITTEN: &str = "{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n\
        {\"url\":\"s3://bucket/dump/7d2f\",\"mandatory\":true},\n\
        {\"url\":\"s3://bucket/dump/91ac\",\"mandatory\":true}\n]}";

    #[test]
    fn it_is_written_as_the_connector_does() {
        let manifest = LegacyManifest::of_urls(["s3://bucket/dump/7d2f".to_owned(), "s3://bucket/dump/91ac".to_owned()].into_iter());
        assert_eq!(manifest.to_text(), WRITTEN);
        assert_eq!(LegacyManifest::parse(WRITTEN.as_bytes()), Ok(manifest.clone()));
        let moved = manifest.moved("s3://other").unwrap();
        assert_eq!(moved.to_text(), WRITTEN.replace("s3://bucket/dump", "s3://other"));
        assert_eq!(
            LegacyManifest::of_urls(std::iter::empty()).to_text(),
            "{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n\n]}"
        );
    }

    #[test]
    fn other_members_and_spacing_are_read_and_kept() {
        let text = "{ \"name\":\"DynamoDB-export\", \"version\":3, \"new\":[1], \"entries\":[\r\n\
            {\"url\":\"s3n://path/to/92dd\",\"mandatory\":false,\"extra\":{\"a\":1}},\n{\"url\":\"hdfs:///x/ba3f\"} ] }\n";
        let manifest = LegacyManifest::parse(text.as_bytes()).unwrap();
        let found: Vec<_> = manifest.entries.iter().map(|entry| (entry.name().unwrap(), entry.mandatory)).collect();
        assert_eq!(found, [("92dd", false), ("ba3f", true)]);
        let moved = manifest.moved("s3://b").unwrap().to_text();
        let expected = "{\"name\":\"DynamoDB-export\",\"version\":3,\"new\":[1],\n\"entries\": [\n\
            {\"url\":\"s3://b/92dd\",\"mandatory\":false,\"extra\":{\"a\":1}},\n{\"url\":\"s3://b/ba3f\"}\n]}";
        assert_eq!(moved, expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, message) in [
            ("[]", "E_MANIFEST: no JSON object: invalid type: sequence, expected a map at line 1 column 0"),
            ("{\"version\":3}", "E_MANIFEST: no array `entries`: this is not the manifest of a legacy dump"),
            ("{\"entries\":[3]}", "E_MANIFEST: entry 1: must be an object, not 3"),
            ("{\"entries\":[{\"url\":\"s3://a/b\"},{}]}", "E_MANIFEST: entry 2: no url"),
            ("{\"entries\":[{\"url\":null}]}", "E_MANIFEST: entry 1: url must be a string, not null"),
            ("{\"entries\":[{\"url\":\"a\",\"mandatory\":1}]}", "E_MANIFEST: entry 1: mandatory must be true or false, not 1"),
            ("{\"entries\":[{\"url\":\"s3://a/\"}]}", "E_KEY: the manifest names \"s3://a/\", which is no file"),
            ("{\"entries\":[{\"url\":\"s3://a/..\"}]}", "E_KEY: the manifest names \"s3://a/..\", which is no file"),
            ("{\"entries\":[{\"url\":\"s3://a/x\"},{\"url\":\"s3://b/x\"}]}", "E_MANIFEST: entries 1 and 2 name one file, \"x\""),
        ] {
            assert_eq!(LegacyManifest::parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
    }
}
