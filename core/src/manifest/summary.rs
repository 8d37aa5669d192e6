//! `manifest-summary.json`: one JSON object about the export.

use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};

/// The summary manifest. Times are as written, `YYYY-MM-DDThh:mm:ss.SSSZ`. A member that is
/// missing or null is `None`; members unknown here are in [`Self::raw`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// `2020-06-30` for full exports, `2023-08-01` for incremental ones.
    pub version: Option<String>,
    /// The export's ARN.
    pub export_arn: Option<String>,
    /// When the export began.
    pub start_time: Option<String>,
    /// When it ended.
    pub end_time: Option<String>,
    /// The table's ARN.
    pub table_arn: Option<String>,
    /// The table's id.
    pub table_id: Option<String>,
    /// The moment whose state a full export holds.
    pub export_time: Option<String>,
    /// The start of an incremental export's window, inclusive.
    pub export_from_time: Option<String>,
    /// The end of an incremental export's window, exclusive.
    pub export_to_time: Option<String>,
    /// The bucket that was exported to.
    pub s3_bucket: Option<String>,
    /// The prefix in the bucket, as it was given.
    pub s3_prefix: Option<String>,
    /// The key of `manifest-files.json` in the bucket.
    pub manifest_files_s3_key: Option<String>,
    /// What AWS billed; says nothing of the files' sizes.
    pub billed_size_bytes: Option<u64>,
    /// Items over all files.
    pub item_count: Option<u64>,
    /// `DYNAMODB_JSON` or `ION`.
    pub output_format: Option<String>,
    /// `NEW_IMAGE` or `NEW_AND_OLD_IMAGES`, of incremental exports.
    pub output_view: Option<String>,
    /// `FULL_EXPORT` or `INCREMENTAL_EXPORT`. Full exports leave it out.
    pub export_type: Option<String>,
    /// The whole document.
    pub raw: Map<String, Value>,
}

impl ExportSummary {
    /// Reads the manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |message: String| Error::new(Code::Manifest, message);
        let raw: Map<String, Value> = serde_json::from_slice(bytes).map_err(|e| bad(format!("no JSON object: {e}")))?;
        let text = |name: &str| match raw.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(bad(format!("{name} must be a string, not {other}"))),
        };
        let count = |name: &str| match raw.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| bad(format!("{name} must be a whole number, not {value}"))),
        };
        Ok(Self {
            version: text("version")?,
            export_arn: text("exportArn")?,
            start_time: text("startTime")?,
            end_time: text("endTime")?,
            table_arn: text("tableArn")?,
            table_id: text("tableId")?,
            export_time: text("exportTime")?,
            export_from_time: text("exportFromTime")?,
            export_to_time: text("exportToTime")?,
            s3_bucket: text("s3Bucket")?,
            s3_prefix: text("s3Prefix")?,
            manifest_files_s3_key: text("manifestFilesS3Key")?,
            billed_size_bytes: count("billedSizeBytes")?,
            item_count: count("itemCount")?,
            output_format: text("outputFormat")?,
            output_view: text("outputView")?,
            export_type: text("exportType")?,
            raw,
        })
    }

    /// Whether the export is incremental. A full one says nothing.
    pub fn is_incremental(&self) -> bool {
        match self.export_type.as_deref() {
            Some(export_type) => export_type == "INCREMENTAL_EXPORT",
            None => self.export_from_time.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_type_is_full_and_unknown_members_are_kept() {
        let summary = ExportSummary::parse(br#"{"version":"2020-06-30","s3Prefix":null,"itemCount":3,"new":[1]}"#).expect("good");
        assert!(!summary.is_incremental());
        assert_eq!((summary.s3_prefix, summary.item_count), (None, Some(3)));
        assert_eq!(summary.raw["new"], serde_json::json!([1]));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [&b"[]"[..], b"", b"{\"itemCount\":\"3\"}", b"{\"itemCount\":-1}", b"{\"tableArn\":1}"] {
            assert_eq!(ExportSummary::parse(bad).expect_err("bad").code(), Code::Manifest);
        }
    }
}
