//! Rewriting the manifests of an export that was copied to another place.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::dest::replace_file;
use super::open::Export;
use crate::error::{Code, Error, Result};
use crate::manifest::checksums::md5_base64;
use crate::manifest::{FILES, LEGACY, SUMMARY};

/// Where an export is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The bucket.
    pub bucket: String,
    /// The prefix in it, without a final `/`; may be empty.
    pub prefix: String,
}

impl Location {
    /// The place, without a final `/`.
    fn url(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

impl std::str::FromStr for Location {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let rest = text.strip_prefix("s3://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let rest = rest.ok_or_else(|| Error::usage(format!("the place must be s3://bucket or s3://bucket/prefix, not {text:?}")))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Error::usage(format!("the prefix {prefix:?} has an empty part, or one that leads elsewhere")));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl Export {
    /// Rewrites both manifests and their checksums, or the manifest of a legacy dump, to say that
    /// the export stands in `to`. The files that were written.
    pub fn relocate(&self, to: &Location) -> Result<Vec<PathBuf>> {
        if let Some(dump) = self.dump() {
            let path = self.manifest_path(&format!("{}{LEGACY}", dump.folder))?;
            replace(&path, &dump.manifest.moved(&to.url())?.to_text())?;
            return Ok(vec![path]);
        }
        let (Some(folder), Some(summary)) = (self.folder(), self.summary()) else {
            return Err(Error::new(Code::Manifest, "no manifest to rewrite").in_file(self.name()));
        };
        let prefix = if to.prefix.is_empty() { String::new() } else { format!("{}/", to.prefix) };
        let moved = |key: &str| {
            let at = key.find("AWSDynamoDB/").ok_or_else(|| Error::new(Code::Manifest, format!("the key {key:?} has no AWSDynamoDB/")))?;
            Ok::<_, Error>(format!("{prefix}{}", &key[at..]))
        };
        let mut raw = summary.raw.clone();
        raw.insert("s3Bucket".into(), to.bucket.clone().into());
        raw.insert("s3Prefix".into(), if to.prefix.is_empty() { Value::Null } else { to.prefix.clone().into() });
        if let Some(key) = &summary.manifest_files_s3_key {
            raw.insert("manifestFilesS3Key".into(), moved(key)?.into());
        }
        let mut lines = String::new();
        for entry in self.files().iter().filter_map(|file| file.entry.as_ref()) {
            let mut raw = entry.raw.clone();
            raw.insert("dataFileS3Key".into(), moved(&entry.data_file_s3_key)?.into());
            lines += &(Value::Object(raw).to_string() + "\n");
        }
        let mut written = Vec::new();
        for (name, text) in [(SUMMARY, Value::Object(raw).to_string()), (FILES, lines)] {
            let path = |name: &str| self.manifest_path(&format!("{folder}{name}"));
            let md5 = name.replace(".json", ".md5");
            for (name, text) in [(name, &text), (&md5, &md5_base64(text.as_bytes()))] {
                let path = path(name)?;
                replace(&path, text)?;
                written.push(path);
            }
            // A checksum under the other name would now be wrong.
            let other = path(&name.replace(".json", ".checksum"))?;
            if other.exists() {
                replace(&other, &md5_base64(text.as_bytes()))?;
                written.push(other);
            }
        }
        Ok(written)
    }

    fn manifest_path(&self, key: &str) -> Result<PathBuf> {
        let path = self.storage().local_path(key);
        path.ok_or_else(|| Error::new(Code::Io, "manifests are rewritten on the local file system").in_file(key))
    }
}

fn replace(path: &Path, text: &str) -> Result<()> {
    replace_file(path, |mut file| file.write_all(text.as_bytes()).map_err(|e| Error::io(&path.display().to_string(), &e)))
}
