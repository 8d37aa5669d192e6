//! `manifest-files.json`: a line for each data file.

use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};

/// A data file, as the manifest has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Items in the file.
    pub item_count: Option<u64>,
    /// The MD5 of the compressed file, base64.
    pub md5_checksum: Option<String>,
    /// The ETag of the S3 object.
    pub etag: Option<String>,
    /// The file's key in the bucket, prefix included.
    pub data_file_s3_key: String,
    /// The whole line.
    pub raw: Map<String, Value>,
}

/// Reads the manifest: JSON lines.
pub fn parse(bytes: &[u8]) -> Result<Vec<FileEntry>> {
    let mut entries = Vec::new();
    let mut byte = 0;
    for (number, line) in bytes.split(|&b| b == b'\n').enumerate() {
        if !line.iter().all(u8::is_ascii_whitespace) {
            entries.push(entry(line).map_err(|e| e.at(number as u64 + 1, byte))?);
        }
        byte += line.len() as u64 + 1;
    }
    Ok(entries)
}

fn entry(line: &[u8]) -> Result<FileEntry> {
    let bad = |message: String| Error::new(Code::Manifest, message);
    let raw: Map<String, Value> = serde_json::from_slice(line).map_err(|e| bad(format!("no JSON object: {e}")))?;
    let text = |name: &str| match raw.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(bad(format!("{name} must be a string, not {other}"))),
    };
    let item_count = match raw.get("itemCount") {
        None | Some(Value::Null) => None,
        Some(value) => Some(value.as_u64().ok_or_else(|| bad(format!("itemCount must be a whole number, not {value}")))?),
    };
    let md5_checksum = text("md5Checksum")?;
    let etag = text("etag")?;
    let data_file_s3_key = text("dataFileS3Key")?.ok_or_else(|| bad("no dataFileS3Key".into()))?;
    check_key(&data_file_s3_key)?;
    Ok(FileEntry { item_count, md5_checksum, etag, data_file_s3_key, raw })
}

/// Refuses a key that would lead out of the export.
fn check_key(key: &str) -> Result<()> {
    let bad = key.is_empty()
        || key.starts_with('/')
        || key.contains('\\')
        || key.contains("://")
        || key.contains('\0')
        || key.split('/').any(|part| part == ".." || part == ".");
    if bad { Err(Error::new(Code::Key, format!("the manifest names the key {key:?}, which leads out of the export"))) } else { Ok(()) }
}
