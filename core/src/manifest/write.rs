//! Writing manifests, as AWS writes them: compact JSON, the members in AWS's order, nulls
//! written, a final newline after each line of the file list and none after the summary.

use std::time::{SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use crate::schema::Timestamp;
use crate::schema::timestamp::ISO;

/// A data file, for its line in `manifest-files.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Its key below the bucket.
    pub key: String,
    /// Its items.
    pub items: u64,
    /// The MD5 of its compressed bytes.
    pub md5: [u8; 16],
}

/// The lines of `manifest-files.json`.
pub fn files_manifest(files: &[WrittenFile]) -> String {
    let line = |file: &WrittenFile| {
        let md5 = super::checksums::md5_text(&file.md5);
        let etag = super::checksums::etag_of(&file.md5);
        json!({"itemCount": file.items, "md5Checksum": md5, "etag": etag, "dataFileS3Key": file.key}).to_string() + "\n"
    };
    files.iter().map(line).collect()
}

/// The summary of an export: what `known` says (of the export that the items are from),
/// and what the writing determines.
pub fn summary_manifest(
    known: &Map<String, Value>,
    id: &ExportId,
    prefix: Option<&str>,
    output_format: &str,
    bytes: u64,
    items: u64,
) -> String {
    let text = |name: &str| known.get(name).and_then(Value::as_str);
    let table_arn = text("tableArn").unwrap_or("arn:aws:dynamodb:us-east-1:000000000000:table/unknown");
    let folder = prefix.map(|prefix| format!("{}/", prefix.trim_end_matches('/'))).unwrap_or_default();
    let or_null = |name: &str| known.get(name).cloned().unwrap_or(Value::Null);
    let incremental = text("exportType") == Some("INCREMENTAL_EXPORT");
    let mut summary = Map::new();
    let mut put = |members: Value| summary.extend(members.as_object().cloned().into_iter().flatten());
    put(json!({
        "version": if incremental { "2023-08-01" } else { "2020-06-30" },
        "exportArn": format!("{table_arn}/export/{}", id.text()),
        "startTime": id.time(),
        "endTime": id.time(),
        "tableArn": table_arn,
        "tableId": or_null("tableId"),
    }));
    if incremental {
        put(json!({ "exportFromTime": or_null("exportFromTime"), "exportToTime": or_null("exportToTime") }));
    } else {
        put(json!({ "exportTime": text("exportTime").map_or_else(|| id.time(), str::to_owned) }));
    }
    put(json!({
        "s3Bucket": or_null("s3Bucket"),
        "s3Prefix": prefix,
        "s3SseAlgorithm": text("s3SseAlgorithm").unwrap_or("AES256"),
        "s3SseKmsKeyId": Value::Null,
        "manifestFilesS3Key": format!("{folder}AWSDynamoDB/{}/{}", id.text(), super::FILES),
        "billedSizeBytes": bytes,
        "itemCount": items,
        "outputFormat": output_format,
    }));
    if incremental {
        put(json!({ "outputView": or_null("outputView"), "exportType": "INCREMENTAL_EXPORT" }));
    }
    Value::from(summary).to_string()
}

/// The id of an export: the milliseconds of its start, and eight hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportId {
    millis: u64,
    suffix: u32,
}

impl ExportId {
    /// An id for an export that starts now. The digits come from the time too.
    pub fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let hash = Md5::digest(now.as_nanos().to_le_bytes());
        Self { millis: now.as_millis() as u64, suffix: u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]) }
    }

    /// The id's text.
    pub fn text(&self) -> String {
        format!("{:014}-{:08x}", self.millis, self.suffix)
    }

    /// The start's text.
    pub fn time(&self) -> String {
        Timestamp::Text(ISO.into()).to_text(self.millis as i64 * 1000).unwrap_or_default()
    }

    /// The name of the n-th data file of a legacy dump: a UUID of version 4, as Java makes them.
    pub fn uuid(&self, n: usize) -> String {
        let hash: [u8; 16] = Md5::digest(format!("{}/{n}", self.text())).into();
        let bits = u128::from_be_bytes(hash) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// The base name of the n-th data file: 16 bytes in base32, as AWS names them.
    pub fn file_name(&self, n: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let hash = Md5::digest(format!("{}/{n}", self.text()));
        let mut name = String::with_capacity(26);
        let (mut bits, mut count) = (0_u32, 0);
        for byte in hash {
            bits = bits << 8 | u32::from(byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                name.push(char::from(ALPHABET[(bits >> count) as usize & 31]));
            }
        }
        name.push(char::from(ALPHABET[(bits << (5 - count)) as usize & 31]));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id, time and shape of names of an export by AWS (May 2024).
    #[test]
    fn ids_and_names_are_those_of_aws() {
        let id = ExportId { millis: 1_715_685_260_608, suffix: 0xc488_b4e1 };
        assert_eq!(id.text(), "01715685260608-c488b4e1");
        assert_eq!(id.time(), "2024-05-14T11:14:20.608Z");
        let uuid = id.uuid(0);
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!((lengths, &uuid[14..15]), (vec![8, 4, 4, 4, 12], "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
        let names: std::collections::BTreeSet<_> = (0..100).map(|n| id.file_name(n)).collect();
        assert_eq!(names.len(), 100);
        assert!(names.iter().all(|name| name.len() == 26 && name.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))));
    }
}
