//! The files of a prepared folder: objects, and what an import would refuse.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::advice::MAX_OBJECTS;
use super::check::Faulty;
use crate::codec::{Codec, Compressor};
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::export::parts::WrittenFile;

/// The document for the AWS CLI.
pub const SPEC: &str = "import-table.json";
const REASONS: &str = "rejected.jsonl";

/// The folder, and how its files are written.
pub struct Folder<'a> {
    /// Where it is to be.
    pub dest: &'a Path,
    /// Where it is built.
    pub built: &'a Path,
    /// What the keys of objects begin with.
    pub prefix: &'a str,
    /// The ending of objects.
    pub ending: String,
    /// The ending of the file of items that an import would refuse.
    pub rejected_ending: String,
    /// Their compression.
    pub codec: Codec,
    /// Decompressed bytes behind which the next object begins.
    pub file_size: u64,
    /// What each object begins with.
    pub header: &'a [u8],
    /// Stops the work.
    pub control: &'a Control,
}

impl Folder<'_> {
    /// A failed write.
    pub fn failed(&self, error: &std::io::Error) -> Error {
        Error::io(&self.dest.display().to_string(), error)
    }
}

/// A file that is written, compressed.
struct OpenFile {
    writer: Compressor<BufWriter<File>>,
    path: PathBuf,
    bytes: u64,
    items: u64,
}

impl OpenFile {
    fn create(folder: &Folder<'_>, path: &Path, header: &[u8]) -> Result<Self> {
        let file = File::create_new(folder.built.join(path)).map_err(|e| folder.failed(&e))?;
        let mut writer = Compressor::new(folder.codec, BufWriter::new(file));
        writer.write_all(header).map_err(|e| folder.failed(&e))?;
        Ok(Self { writer, path: path.to_owned(), bytes: header.len() as u64, items: 0 })
    }

    fn finish(self, folder: &Folder<'_>) -> Result<WrittenFile> {
        let failed = |e: std::io::Error| folder.failed(&e);
        let file = self.writer.finish().map_err(failed)?.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(WrittenFile { path: folder.dest.join(self.path), bytes, rows: self.items })
    }
}

/// The objects, one after the other. One ends with the item that reaches its size.
pub struct Objects<'a> {
    folder: &'a Folder<'a>,
    open: Option<OpenFile>,
    written: Vec<WrittenFile>,
    bytes: u64,
}

impl<'a> Objects<'a> {
    /// None yet.
    pub fn new(folder: &'a Folder<'a>) -> Self {
        Self { folder, open: None, written: Vec::new(), bytes: 0 }
    }

    /// Writes lines, each of which ends at one of `ends`.
    pub fn write(&mut self, lines: &[u8], ends: &[usize]) -> Result<()> {
        let (mut start, mut items) = (0, 0);
        for &end in ends {
            items += 1;
            let room = self.folder.file_size.saturating_sub(self.open.as_ref().map_or(0, |open| open.bytes));
            if (end - start) as u64 >= room {
                self.put(&lines[start..end], items)?;
                self.close()?;
                (start, items) = (end, 0);
            }
        }
        if items > 0 { self.put(&lines[start..], items) } else { Ok(()) }
    }

    fn put(&mut self, lines: &[u8], items: u64) -> Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                if self.written.len() as u64 == MAX_OBJECTS {
                    let message = format!("more than {MAX_OBJECTS} objects, which an import does not take: choose a larger file_size");
                    return Err(Error::usage(message));
                }
                let key = format!("{}part-{:05}.{}", self.folder.prefix, self.written.len(), self.folder.ending);
                none.insert(OpenFile::create(self.folder, Path::new(&key), self.folder.header)?)
            }
        };
        open.writer.write_all(lines).map_err(|e| self.folder.failed(&e))?;
        open.bytes += lines.len() as u64;
        open.items += items;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        // There may be many objects in a block.
        self.folder.control.check()?;
        if let Some(open) = self.open.take() {
            self.bytes += open.bytes;
            self.written.push(open.finish(self.folder)?);
        }
        Ok(())
    }

    /// The objects, and their decompressed bytes.
    pub fn finish(mut self) -> Result<(Vec<WrittenFile>, u64)> {
        self.close()?;
        Ok((self.written, self.bytes))
    }
}

/// The items that an import would refuse, and why: files that there are only where there are such items.
pub struct Rejects<'a> {
    folder: &'a Folder<'a>,
    open: Option<(OpenFile, BufWriter<File>)>,
}

impl<'a> Rejects<'a> {
    /// None yet.
    pub fn new(folder: &'a Folder<'a>) -> Self {
        Self { folder, open: None }
    }

    /// Writes items, and what is wrong with each.
    pub fn write(&mut self, lines: &[u8], faulty: &[Faulty]) -> Result<()> {
        if faulty.is_empty() {
            return Ok(());
        }
        let failed = |e: std::io::Error| self.folder.failed(&e);
        let (items, reasons) = match &mut self.open {
            Some(open) => open,
            none => {
                let path = PathBuf::from(format!("rejected.{}", self.folder.rejected_ending));
                let items = OpenFile::create(self.folder, &path, &[])?;
                let reasons = File::create_new(self.folder.built.join(REASONS)).map_err(failed)?;
                none.insert((items, BufWriter::new(reasons)))
            }
        };
        items.writer.write_all(lines).map_err(failed)?;
        for item in faulty {
            let errors: Value = item.faults.iter().map(|fault| json!({"path": fault.path, "message": fault.message})).collect();
            writeln!(reasons, "{}", json!({"item": items.items, "errors": errors})).map_err(failed)?;
            items.items += 1;
        }
        Ok(())
    }

    /// All is written.
    pub fn finish(self) -> Result<()> {
        let Some((items, mut reasons)) = self.open else { return Ok(()) };
        items.finish(self.folder)?;
        reasons.flush().and_then(|()| reasons.get_ref().sync_all()).map_err(|e| self.folder.failed(&e))
    }
}

/// Refuses a folder that holds something, or something that was not prepared.
pub fn check_dest(dest: &Path, overwrite: bool) -> Result<()> {
    let shown = dest.display().to_string();
    let failed = |e: std::io::Error| Error::io(&shown, &e);
    let is_empty = match fs::read_dir(dest) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let refused = |message: String| Err(Error::new(Code::DestExists, message).in_file(&*shown));
    if !is_empty && !overwrite {
        return refused("the folder is not empty; --overwrite (overwrite=True) replaces it".into());
    }
    if is_empty {
        return Ok(());
    }
    // What was prepared says where its objects are.
    let document: Value = fs::read(dest.join(SPEC)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let prefix = document["S3BucketSource"]["S3KeyPrefix"].as_str().unwrap_or_default();
    match foreign(dest, "", prefix).map_err(failed)? {
        None if prefix.is_empty() => refused(format!("the folder has no {SPEC}: it was not prepared, and is not overwritten")),
        Some(name) => refused(format!("the folder holds {name:?}, which Dynarrow did not prepare; it is not overwritten")),
        None => Ok(()),
    }
}

/// What is no object whose key begins with the prefix, nor what stands beside the objects. Keys are of files below `folder`,
/// whose own is `above`.
fn foreign(folder: &Path, above: &str, prefix: &str) -> std::io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, key) = (entry.file_type()?, format!("{above}{}", entry.file_name().to_string_lossy()));
        if kind.is_dir() {
            if let Some(found) = foreign(&entry.path(), &format!("{key}/"), prefix)? {
                return Ok(Some(found));
            }
            continue;
        }
        let is_ours = key == SPEC || key == REASONS || is_of(&key, "rejected") || key.strip_prefix(prefix).is_some_and(is_object);
        if !kind.is_file() || !is_ours {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Whether what stands behind the prefix is the name of an object: `part-00000.json.gz`.
fn is_object(name: &str) -> bool {
    let Some(number) = name.strip_prefix("part-").and_then(|rest| rest.get(..5)) else { return false };
    number.bytes().all(|b| b.is_ascii_digit()) && is_of(name, &format!("part-{number}"))
}

/// Whether a file has this name and the ending of a format.
fn is_of(name: &str, stem: &str) -> bool {
    let Some(ending) = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let format = ending.strip_suffix(".gz").or_else(|| ending.strip_suffix(".zst")).unwrap_or(ending);
    matches!(format, "json" | "ion" | "csv")
}
