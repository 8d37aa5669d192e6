//! The files of a folder: `part-00000.parquet` and those behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::dest::OutputFormat;
use crate::columns::cut::Piece;
use crate::engine::jobs::Jobs;
use crate::error::{Error, Result};
use crate::parquet::{BatchFormat, BatchWriter};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its rows: items; of a manifest none.
    pub rows: u64,
}

/// Reads a size: a number of bytes, also with a unit, as in `256MB` or `64MiB`.
pub fn parse_size(text: &str) -> Result<u64> {
    let bad = || Error::usage(format!("{text:?} is no size: bytes, or as 256MB (of 1000 kB) or 64MiB (of 1024 KiB)"));
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len()));
    let unit: u64 = match &*unit.trim_start().to_ascii_lowercase() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(bad()),
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)?;
    if size == 0 { Err(Error::usage("a file size must be at least 1 byte")) } else { Ok(size) }
}

/// Where files are built, and where they are to be.
#[derive(Clone, Copy)]
pub(super) struct Root<'a> {
    pub built: &'a Path,
    pub dest: &'a Path,
}

impl Root<'_> {
    /// An error of what is to be here.
    pub fn failed(&self, path: &Path, error: &io::Error) -> Error {
        Error::io(&self.dest.join(path).display().to_string(), error)
    }
}

/// The files of a folder, one after the other.
struct Files<'a> {
    root: Root<'a>,
    folder: PathBuf,
    ending: &'static str,
    /// When a file is complete.
    file_size: Option<u64>,
    written: Vec<WrittenFile>,
}

impl Files<'_> {
    /// The next file, below the root.
    fn path(&self) -> PathBuf {
        self.folder.join(format!("part-{:05}.{}", self.written.len(), self.ending))
    }

    fn next(&self) -> PartFile {
        PartFile { path: self.root.built.join(self.path()), open: None, begun: false, bytes: 0 }
    }

    fn is_full(&self, bytes: u64) -> bool {
        self.file_size.is_some_and(|size| bytes >= size)
    }

    fn failed(&self, error: &io::Error) -> Error {
        self.root.failed(&self.path(), error)
    }

    fn close(&mut self, file: PartFile, rows: u64) -> Result<()> {
        let bytes = file.finish().map_err(|e| self.failed(&e))?;
        self.written.push(WrittenFile { path: self.root.dest.join(self.path()), bytes, rows });
        Ok(())
    }
}

/// A file that is open only while it is written to: there may be more of them than a process
/// can have open.
pub(super) struct PartFile {
    path: PathBuf,
    open: Option<BufWriter<File>>,
    begun: bool,
    bytes: u64,
}

impl PartFile {
    fn opened(&mut self) -> io::Result<&mut BufWriter<File>> {
        let file = match self.open.take() {
            Some(file) => file,
            // A new file must not be one of another folder that the file system takes for this one.
            None if !self.begun => BufWriter::new(OpenOptions::new().write(true).create_new(true).open(&self.path)?),
            None => BufWriter::new(OpenOptions::new().append(true).open(&self.path)?),
        };
        self.begun = true;
        Ok(self.open.insert(file))
    }

    /// Nothing is written to it for a while.
    fn rest(&mut self) -> io::Result<()> {
        self.open.take().map_or(Ok(()), |mut file| file.flush())
    }

    fn finish(mut self) -> io::Result<u64> {
        let file = self.opened()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        Ok(self.bytes)
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.opened()?.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Writes the batches of a folder. A file ends with the row group (Parquet) or batch (Arrow)
/// that reaches its size.
pub(super) struct BatchParts<'a> {
    files: Files<'a>,
    format: BatchFormat,
    schema: SchemaRef,
    jobs: Arc<dyn Jobs>,
    /// With its rows.
    open: Option<(BatchWriter<PartFile>, u64)>,
}

impl<'a> BatchParts<'a> {
    pub fn new(
        root: Root<'a>,
        folder: PathBuf,
        format: BatchFormat,
        file_size: Option<u64>,
        schema: SchemaRef,
        jobs: Arc<dyn Jobs>,
    ) -> Self {
        let ending = if format == BatchFormat::Parquet { OutputFormat::Parquet } else { OutputFormat::Arrow }.ending();
        Self { files: Files { root, folder, ending, file_size, written: Vec::new() }, format, schema, jobs, open: None }
    }

    fn open(&mut self) -> Result<()> {
        let writer = BatchWriter::new(self.format, &self.schema, self.jobs.clone(), self.files.next())?;
        self.open = Some((writer, 0));
        Ok(())
    }

    pub fn write(&mut self, piece: Piece) -> Result<()> {
        if self.open.is_none() {
            self.open()?;
        }
        let Some((writer, rows)) = &mut self.open else { return Ok(()) };
        let may_end = piece.ends_group || self.format != BatchFormat::Parquet;
        *rows += piece.rows as u64;
        writer.write(piece)?;
        if may_end && self.files.file_size.is_some() {
            writer.flush()?;
            if self.files.is_full(writer.inner().bytes) {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Nothing is written for a while.
    pub fn rest(&mut self) -> Result<()> {
        let Some((writer, _)) = &mut self.open else { return Ok(()) };
        writer.flush()?;
        writer.inner().rest().map_err(|e| self.files.failed(&e))
    }

    fn close(&mut self) -> Result<()> {
        let Some((writer, rows)) = self.open.take() else { return Ok(()) };
        self.files.close(writer.finish()?, rows)
    }

    /// The files; one at least.
    pub fn finish(mut self) -> Result<Vec<WrittenFile>> {
        if self.open.is_none() && self.files.written.is_empty() {
            self.open()?;
        }
        self.close()?;
        Ok(self.files.written)
    }
}

/// Writes the lines of a folder. A file ends with the line that reaches its size.
pub(super) struct TextParts<'a> {
    files: Files<'a>,
    /// The first line of each file.
    header: Vec<u8>,
    /// With its rows.
    open: Option<(PartFile, u64)>,
    /// Lines that wait.
    buffer: Vec<u8>,
}

impl<'a> TextParts<'a> {
    pub fn new(root: Root<'a>, folder: PathBuf, format: OutputFormat, file_size: Option<u64>, header: Vec<u8>) -> Self {
        let files = Files { root, folder, ending: format.ending(), file_size, written: Vec::new() };
        Self { files, header, open: None, buffer: Vec::new() }
    }

    fn open(&mut self) {
        self.open = Some((self.files.next(), 0));
        self.buffer.extend_from_slice(&self.header);
    }

    pub fn line(&mut self, line: &[u8]) -> Result<()> {
        if self.open.is_none() {
            self.open();
        }
        self.buffer.extend_from_slice(line);
        let Some((file, rows)) = &mut self.open else { return Ok(()) };
        *rows += 1;
        let bytes = file.bytes + self.buffer.len() as u64;
        if self.files.is_full(bytes) { self.close() } else { Ok(()) }
    }

    /// Writes the lines that wait. Nothing is written for a while.
    pub fn rest(&mut self) -> Result<()> {
        let Some((file, _)) = &mut self.open else { return Ok(()) };
        let buffer = std::mem::take(&mut self.buffer);
        file.write_all(&buffer).and_then(|()| file.rest()).map_err(|e| self.files.failed(&e))
    }

    fn close(&mut self) -> Result<()> {
        self.rest()?;
        self.open.take().map_or(Ok(()), |(file, rows)| self.files.close(file, rows))
    }

    /// The files; one at least.
    pub fn finish(mut self) -> Result<Vec<WrittenFile>> {
        if self.open.is_none() && self.files.written.is_empty() {
            self.open();
        }
        self.close()?;
        Ok(self.files.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, size) in [("1", 1), ("256MB", 256_000_000), ("64MiB", 64 << 20), ("1 gib", 1 << 30), ("10kB", 10_000), ("7b", 7)] {
            assert_eq!(parse_size(text).ok(), Some(size), "{text}");
        }
        for bad in ["", "0", "0MB", "-1", "1.5GB", "MB", "1XB", "1MBB", "99999999999TiB", "18446744073709551616"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
