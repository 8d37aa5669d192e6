//! What a dry run came to.

use serde_json::{Map, Value, json};

use super::duplicates::Repeated;
use super::spec::compression_name;
use super::unknown::{Level, Unknown};
use super::{InputFormat, TableSpec};
use crate::codec::Codec;
use crate::error::Code;

/// What `DescribeImport` says of an import with errors.
pub const FAILURE_CODE: &str = "ItemValidationError";
/// The message with it.
pub const FAILURE_MESSAGE: &str =
    "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details.";

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFinding {
    /// How grave it is.
    pub level: Level,
    /// What it is.
    pub code: Code,
    /// The object; `None` for what is said of all of them.
    pub key: Option<String>,
    /// The item in the object, from 0: `itemIndex` in AWS's log.
    pub item: Option<u64>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The byte in the decompressed object, from 0.
    pub byte: Option<u64>,
    /// The attribute path.
    pub path: Option<String>,
    /// What is wrong: in the words of the service where they are known, which says the first.
    pub messages: Vec<String>,
    /// Whether the service comes so far: it stops an object at its first record that cannot be read.
    pub reached: bool,
    /// What nobody knows of it.
    pub unknown: Option<Unknown>,
}

impl ImportFinding {
    /// Of all objects.
    pub(super) fn advice(message: impl Into<String>) -> Self {
        Self {
            level: Level::Advice,
            code: Code::Import,
            key: None,
            item: None,
            line: None,
            byte: None,
            path: None,
            messages: vec![message.into()],
            reached: true,
            unknown: None,
        }
    }

    /// The members of the finding; what is not known is null.
    pub fn to_json(&self) -> Value {
        json!({
            "level": self.level.as_str(),
            "code": self.code.as_str(),
            "key": self.key,
            "item": self.item,
            "line": self.line,
            "byte": self.byte,
            "path": self.path,
            "messages": self.messages,
            "reached": self.reached,
            "unknown": self.unknown.map(Unknown::as_str),
        })
    }

    /// The entry of the error log, as `ImportTable` writes it to CloudWatch
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>),
    /// with what else is known under `dynarrow`.
    pub fn to_log(&self, bucket: Option<&str>) -> Value {
        json!({
            "itemS3Pointer": { "bucket": bucket, "key": self.key, "itemIndex": self.item },
            "errorMessages": self.messages,
            "dynarrow": {
                "level": self.level.as_str(),
                "code": self.code.as_str(),
                "reached": self.reached,
                "line": self.line,
                "byte": self.byte,
                "path": self.path,
                "unknown": self.unknown.map(Unknown::as_str),
            },
        })
    }
}

/// Where an entry of AWS's error log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The object.
    pub key: String,
    /// The item in it, from 0.
    pub item: u64,
    /// What AWS says.
    pub messages: Vec<String>,
    /// The line, from 1; `None` where the object or the item is not here.
    pub line: Option<u64>,
    /// The byte in the decompressed object.
    pub byte: Option<u64>,
    /// The attribute path, where the dry run finds a fault there.
    pub path: Option<String>,
    /// What the dry run says of the item; empty where nothing.
    pub found: Vec<String>,
}

impl Located {
    fn to_json(&self) -> Value {
        json!({
            "key": self.key,
            "item": self.item,
            "messages": self.messages,
            "line": self.line,
            "byte": self.byte,
            "path": self.path,
            "found": self.found,
        })
    }
}

/// What the import reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The format of the objects.
    pub format: InputFormat,
    /// Their compression.
    pub compression: Codec,
    /// Nobody said so: it was told from the bytes of the first object.
    pub told: bool,
}

/// What a dry run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportReport {
    /// What was asked for.
    pub spec: TableSpec,
    /// What is read.
    pub input: Input,
    /// Objects under the prefix.
    pub objects: u64,
    /// Of them, those that the service stops reading before their end.
    pub stopped: u64,
    /// Items that the service processes: those it imports, and errors.
    pub processed: u64,
    /// Items that it writes. Those with a key that came before overwrite it.
    pub imported: u64,
    /// Errors.
    pub errors: u64,
    /// Decompressed bytes that it processes.
    pub processed_bytes: u64,
    /// Findings behind the points where the service stops.
    pub beyond: u64,
    /// Findings of which nobody knows whether they are errors.
    pub unverified: u64,
    /// All items that can be read, also behind those points.
    pub items: u64,
    /// Decompressed bytes of all objects: what AWS bills.
    pub bytes: u64,
    /// Bytes of all items, as DynamoDB counts them.
    pub item_bytes: u64,
    /// What the import costs, by the price that was given.
    pub price: Option<f64>,
    /// What was found, in the order of the objects; advice behind it.
    pub findings: Vec<ImportFinding>,
    /// Findings that are not in the list, which was full.
    pub omitted: u64,
    /// Items that have one key.
    pub duplicates: Repeated,
    /// Where the entries of AWS's log are, if one was given.
    pub located: Vec<Located>,
}

impl ImportReport {
    /// Whether the service would say `COMPLETED`.
    pub fn ok(&self) -> bool {
        self.errors == 0
    }

    /// What `DescribeImport` would say, under the API's names.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTableDescription.html>
    pub fn description(&self) -> Value {
        let document = self.spec.to_json();
        let mut members = Map::new();
        members.insert("ImportStatus".into(), if self.ok() { "COMPLETED" } else { "FAILED" }.into());
        for name in ["ClientToken", "S3BucketSource", "InputFormat", "InputFormatOptions"] {
            if let Some(value) = document.get(name) {
                members.insert(name.into(), value.clone());
            }
        }
        members.insert("InputFormat".into(), self.input.format.as_str().into());
        members.insert("InputCompressionType".into(), compression_name(self.input.compression).into());
        members.insert("TableCreationParameters".into(), document["TableCreationParameters"].clone());
        members.insert("ErrorCount".into(), self.errors.into());
        members.insert("ProcessedSizeBytes".into(), self.processed_bytes.into());
        members.insert("ProcessedItemCount".into(), self.processed.into());
        members.insert("ImportedItemCount".into(), self.imported.into());
        if !self.ok() {
            members.insert("FailureCode".into(), FAILURE_CODE.into());
            members.insert("FailureMessage".into(), FAILURE_MESSAGE.into());
        }
        members.into()
    }

    /// The report as one document: the description, and the findings beside it.
    pub fn to_json(&self) -> Value {
        let csv = &self.spec.csv;
        json!({
            "ok": self.ok(),
            "ImportTableDescription": self.description(),
            "input": {
                "format": self.input.format.as_str(),
                "compression": compression_name(self.input.compression),
                "delimiter": (self.input.format == InputFormat::Csv).then(|| char::from(csv.delimiter).to_string()),
                "told": self.input.told,
            },
            "objects": self.objects,
            "stopped": self.stopped,
            "errors": self.errors,
            "unverified": self.unverified,
            "beyond": self.beyond,
            "items": self.items,
            "bytes": self.bytes,
            "item_bytes": self.item_bytes,
            "price": self.price,
            "findings": self.findings.iter().map(ImportFinding::to_json).collect::<Value>(),
            "omitted": self.omitted,
            "duplicates": self.duplicates.to_json(),
            "located": self.located.iter().map(Located::to_json).collect::<Value>(),
        })
    }
}
