//! Writes small exports as AWS lays them out, with true checksums.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Value, json};

/// The id of an export that is written without another.
pub const ID: &str = "01700000000000-0a1b2c3d";

/// The table that every export is of.
pub const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/t";

/// An export to write.
pub struct Layout {
    /// The lines of each data file.
    pub files: Vec<Vec<String>>,
    /// The prefix in the bucket, with a final `/`, or nothing.
    pub prefix: &'static str,
    /// Members of the summary that are added, or replaced; null ones as null.
    pub summary: Value,
    /// Whether the `.md5` files are written.
    pub md5: bool,
    /// Its id. Incremental exports share a folder of data files, whose names hold the id's end.
    pub id: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            files: vec![vec![item("a", "1"), item("b", "2.5")], vec![], vec![item("c", "3")]],
            prefix: "",
            summary: json!({}),
            md5: true,
            id: ID.to_owned(),
        }
    }
}

/// A line with the attributes `pk` and `n`.
pub fn item(pk: &str, n: &str) -> String {
    json!({"Item": {"pk": {"S": pk}, "n": {"N": n}}}).to_string()
}

/// gzip, as one member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn base64_md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

impl Layout {
    /// Writes the export below `bucket`; the folder with its manifests.
    pub fn write(&self, bucket: &Path) -> PathBuf {
        let id = &self.id;
        let incremental = self.summary["exportType"] == "INCREMENTAL_EXPORT";
        let ending = if self.summary["outputFormat"] == "ION" { "ion" } else { "json" };
        let folder = bucket.join(format!("{}AWSDynamoDB/{id}", self.prefix));
        let data = if incremental { folder.parent().expect("a parent").join("data") } else { folder.join("data") };
        fs::create_dir_all(&folder).expect("a folder");
        fs::create_dir_all(&data).expect("a folder");
        fs::write(folder.join("_started"), "").expect("a file");
        let mut lines = String::new();
        for (n, file) in self.files.iter().enumerate() {
            let bytes = gzip(file.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().as_bytes());
            let own = if id == ID { format!("{n}") } else { format!("{}{n}", &id[id.len() - 8..]) };
            let name = format!("{own:a>26}.{ending}.gz");
            fs::write(data.join(&name), &bytes).expect("a file");
            let own = if incremental { String::new() } else { format!("{id}/") };
            let etag: String = Md5::digest(Md5::digest(&bytes)).iter().map(|b| format!("{b:02x}")).collect();
            let entry = json!({
                "itemCount": file.len(),
                "md5Checksum": base64_md5(&bytes),
                "etag": format!("{etag}-1"),
                "dataFileS3Key": format!("{}AWSDynamoDB/{own}data/{name}", self.prefix),
            });
            lines.push_str(&format!("{entry}\n"));
        }
        let mut summary = json!({
            "version": "2020-06-30",
            "exportArn": format!("{TABLE}/export/{id}"),
            "tableArn": TABLE,
            "s3Prefix": (!self.prefix.is_empty()).then(|| self.prefix.trim_end_matches('/')),
            "manifestFilesS3Key": format!("{}AWSDynamoDB/{id}/manifest-files.json", self.prefix),
            "itemCount": self.files.iter().map(Vec::len).sum::<usize>(),
            "outputFormat": "DYNAMODB_JSON",
        });
        for (name, value) in self.summary.as_object().into_iter().flatten() {
            summary[name] = value.clone();
        }
        for (name, bytes) in [("manifest-summary", summary.to_string()), ("manifest-files", lines)] {
            if self.md5 {
                fs::write(folder.join(format!("{name}.md5")), base64_md5(bytes.as_bytes())).expect("a file");
            }
            fs::write(folder.join(format!("{name}.json")), bytes).expect("a file");
        }
        folder
    }
}
