//! Writing a whole export, as AWS writes one: data files, manifests, checksums, etags.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use md5::{Digest, Md5};

use super::convert::{ConvertOptions, ConvertReport, check_text_options};
use super::dest::{OutputFormat, check_folder, replace_folder, temporary_folder};
use super::open::{Export, ReadAs};
use super::parts;
use super::read::ReadReport;
use crate::change::Changes;
use crate::change::lines::ChangeLines;
use crate::codec::{Codec, Compressor};
use crate::columns::Losses;
use crate::control::Control;
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::{Error, Result};
use crate::format::ExportFormat;
use crate::format::encode::{ItemEncoder, Notation};
use crate::format::ion::encode::Ion;
use crate::format::json::encode::DynamodbJson;
use crate::format::plain::Text;
use crate::item::Project;
use crate::manifest::checksums::md5_base64;
use crate::manifest::write::{ExportId, WrittenFile, files_manifest, summary_manifest};
use crate::manifest::{FILES, SUMMARY};

/// A data file ends behind the item that reaches so many bytes of lines.
const FILE_BYTES: u64 = 256 << 20;

/// Writes the items of a source as a full export below `folder`, which stands for the
/// bucket. Table and times are those of the source, where it is an export.
pub fn write_export(source: &Export, folder: &Path, options: &ConvertOptions, control: &Control) -> Result<ConvertReport> {
    match options.export_format {
        ExportFormat::DynamodbJson => write::<DynamodbJson>(source, folder, options, control),
        ExportFormat::Ion => write::<Ion>(source, folder, options, control),
    }
}

fn write<N: Notation>(source: &Export, folder: &Path, options: &ConvertOptions, control: &Control) -> Result<ConvertReport> {
    check_text_options(source, OutputFormat::Export, &options.read)?;
    check_folder(folder, options.overwrite)?;
    let failed = |e: &std::io::Error| Error::io(&folder.display().to_string(), e);
    let temporary = temporary_folder(folder)?;
    let id = ExportId::now();
    let changes = if let ReadAs::Changes(_, keys) = source.reads() { Some(keys.clone()) } else { None };
    let root = temporary.path().join("AWSDynamoDB").join(id.text());
    // The data files of all incremental exports of a bucket stand in one folder.
    let data = if changes.is_some() { "AWSDynamoDB/data".to_owned() } else { format!("AWSDynamoDB/{}/data", id.text()) };
    for folder in [&root, &temporary.path().join(&data)] {
        fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    let mut writer = DataFiles {
        bucket: temporary.path(),
        data,
        id,
        format: options.export_format,
        open: None,
        written: Vec::new(),
        bytes: 0,
        stored: 0,
    };
    let mut write_all = |steps: &mut dyn Iterator<Item = Result<Step<Text>>>| {
        for step in steps {
            match step? {
                Step::Block { out, .. } => writer.write(&out.lines).map_err(|e| failed(&e))?,
                Step::File { error: Some(error), .. } => return Err(error),
                Step::File { .. } => {}
            }
        }
        Ok(())
    };
    let totals = if let Some(keys) = changes.clone() {
        let mut steps = Pipeline::new(source.pass(&options.read, control)?, move || Changes::of(keys.clone(), ChangeLines::<N>::default()));
        write_all(&mut steps)?;
        steps.totals().clone()
    } else {
        let columns = options.read.columns.clone();
        let mut steps = source.steps(&options.read, control, move || Project::new(ItemEncoder::<N>::default(), columns.clone()))?;
        write_all(&mut steps)?;
        steps.totals().clone()
    };
    writer.close().map_err(|e| failed(&e))?;
    if writer.written.is_empty() {
        // An export has a file, also where it has no items.
        writer.open().map_err(|e| failed(&e))?;
        writer.close().map_err(|e| failed(&e))?;
    }
    let DataFiles { written, bytes, mut stored, .. } = writer;
    let items = written.iter().map(|file| file.items).sum();
    let known = source.summary().map(|summary| summary.raw.clone()).unwrap_or_default();
    fs::write(root.join("_started"), "").map_err(|e| failed(&e))?;
    let mut paths = Vec::new();
    for (name, text) in [
        (SUMMARY, summary_manifest(&known, &id, None, options.export_format.in_manifest(), bytes, items)),
        (FILES, files_manifest(&written)),
    ] {
        let md5 = name.replace(".json", ".md5");
        for (name, text) in [(name, &text), (&md5, &md5_base64(text.as_bytes()))] {
            fs::write(root.join(name), text).map_err(|e| failed(&e))?;
            stored += text.len() as u64;
            let path = folder.join("AWSDynamoDB").join(id.text()).join(name);
            paths.push(parts::WrittenFile { path, bytes: text.len() as u64, rows: 0 });
        }
    }
    let data = |file: &WrittenFile| {
        let size = fs::metadata(temporary.path().join(&file.key)).map_or(0, |meta| meta.len());
        parts::WrittenFile { path: folder.join(&file.key), bytes: size, rows: file.items }
    };
    paths.extend(written.iter().map(data));
    let read = ReadReport { totals, losses: Losses::default() };
    replace_folder(temporary, folder).map_err(|e| failed(&e))?;
    Ok(ConvertReport { read, files: paths, tables: Vec::new(), bytes_out: stored })
}

struct DataFiles<'a> {
    bucket: &'a Path,
    /// The folder below it.
    data: String,
    id: ExportId,
    format: ExportFormat,
    open: Option<OpenFile>,
    written: Vec<WrittenFile>,
    /// Bytes of lines, and of files.
    bytes: u64,
    stored: u64,
}

struct OpenFile {
    writer: Compressor<Hashed>,
    name: String,
    items: u64,
    bytes: u64,
}

/// A file, with the MD5 of what is written to it.
struct Hashed {
    file: BufWriter<File>,
    md5: Md5,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write_all(bytes)?;
        self.md5.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl DataFiles<'_> {
    /// Writes lines, each an item.
    fn write(&mut self, mut lines: &[u8]) -> std::io::Result<()> {
        while !lines.is_empty() {
            if self.open.is_none() {
                self.open()?;
            }
            let Some(open) = &mut self.open else { return Ok(()) };
            // Cut by bytes of lines alone, so that blocks do not show.
            let room = (FILE_BYTES - open.bytes) as usize;
            let end = match lines.get(room.saturating_sub(1)..).and_then(|rest| memchr::memchr(b'\n', rest)) {
                Some(at) => room.saturating_sub(1) + at + 1,
                None => lines.len(),
            };
            let (now, later) = lines.split_at(end);
            open.writer.write_all(now)?;
            open.items += memchr::memchr_iter(b'\n', now).count() as u64;
            open.bytes += now.len() as u64;
            if open.bytes >= FILE_BYTES {
                self.close()?;
            }
            lines = later;
        }
        Ok(())
    }

    fn open(&mut self) -> std::io::Result<()> {
        let name = format!("{}.{}.gz", self.id.file_name(self.written.len()), self.format.ending());
        let file = BufWriter::new(File::create(self.bucket.join(&self.data).join(&name))?);
        let hashed = Hashed { file, md5: Md5::new(), bytes: 0 };
        self.open = Some(OpenFile { writer: Compressor::new(Codec::Gzip, hashed), name, items: 0, bytes: 0 });
        Ok(())
    }

    fn close(&mut self) -> std::io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let mut hashed = open.writer.finish()?;
        hashed.flush()?;
        hashed.file.get_ref().sync_all()?;
        let key = format!("{}/{}", self.data, open.name);
        self.written.push(WrittenFile { key, items: open.items, md5: hashed.md5.finalize().into() });
        self.bytes += open.bytes;
        self.stored += hashed.bytes;
        Ok(())
    }
}
