//! Writing a legacy dump, as the EMR connector writes and restores one: data files without an
//! ending, of at most 100,000 items, and a manifest.
//! <https://github.com/awslabs/emr-dynamodb-connector> (`DynamoDBExport`, `DynamoDBImport`)

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::convert::{ConvertOptions, ConvertReport, check_text_options};
use super::dest::{OutputFormat, check_folder, replace_folder, temporary_folder};
use super::open::Export;
use super::parts::WrittenFile;
use super::read::ReadReport;
use crate::columns::Losses;
use crate::control::Control;
use crate::engine::pipeline::Step;
use crate::error::{Error, Result};
use crate::format::encode::ItemEncoder;
use crate::format::legacy::Legacy;
use crate::item::Project;
use crate::manifest::write::ExportId;
use crate::manifest::{LEGACY, LegacyEntry, LegacyManifest};

/// Items of a data file, at most.
const FILE_ITEMS: u64 = 100_000;

/// Writes the items of a source as a legacy dump. Its manifest has the URLs of the files where
/// they are written; [`Export::relocate`] rewrites it for a bucket.
pub fn write_legacy(source: &Export, folder: &Path, options: &ConvertOptions, control: &Control) -> Result<ConvertReport> {
    check_text_options(source, OutputFormat::Legacy, &options.read)?;
    let failed = |e: std::io::Error| Error::io(&folder.display().to_string(), &e);
    let place = url(&std::path::absolute(folder).map_err(failed)?);
    if !(options.overwrite && is_ours(folder, &place)) {
        check_folder(folder, options.overwrite)?;
    }
    let temporary = temporary_folder(folder)?;
    let mut writer = DataFiles { folder: temporary.path(), id: ExportId::now(), open: None, written: Vec::new() };
    let columns = options.read.columns.clone();
    let mut steps = source.steps(&options.read, control, move || Project::new(ItemEncoder::<Legacy>::default(), columns.clone()))?;
    for step in &mut steps {
        match step? {
            Step::Block { out, .. } => writer.write(&out.lines).map_err(failed)?,
            Step::File { error: Some(error), .. } => return Err(error),
            Step::File { .. } => {}
        }
    }
    let read = ReadReport { totals: steps.totals().clone(), losses: Losses::default() };
    writer.close().map_err(failed)?;
    let written = writer.written;
    let manifest = LegacyManifest::of_urls(written.iter().map(|file| format!("{place}/{}", file.name))).to_text();
    fs::write(temporary.path().join(LEGACY), &manifest).map_err(failed)?;
    let of_manifest = WrittenFile { path: folder.join(LEGACY), bytes: manifest.len() as u64, rows: 0 };
    let data = written.iter().map(|file| WrittenFile { path: folder.join(&file.name), bytes: file.bytes, rows: file.items });
    let files: Vec<_> = std::iter::once(of_manifest).chain(data).collect();
    replace_folder(temporary, folder).map_err(failed)?;
    Ok(ConvertReport { read, bytes_out: files.iter().map(|file| file.bytes).sum(), files, tables: Vec::new() })
}

/// Whether a folder holds a dump that was written here, by its manifest's URLs, and nothing else. One of the
/// connector's has others, and so has one that was relocated.
fn is_ours(folder: &Path, place: &str) -> bool {
    let manifest = fs::read(folder.join(LEGACY)).ok().and_then(|bytes| LegacyManifest::parse(&bytes).ok());
    let (Some(manifest), Ok(entries)) = (manifest, fs::read_dir(folder)) else { return false };
    let name_of = |entry: &LegacyEntry| Some(entry.url.strip_prefix(place)?.strip_prefix('/')?.to_owned());
    let Some(names) = manifest.entries.iter().map(name_of).collect::<Option<Vec<_>>>() else { return false };
    entries.into_iter().all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            entry.file_type().is_ok_and(|kind| kind.is_file()) && (name == LEGACY || names.contains(&name))
        })
    })
}

/// The URL of a folder, without a final `/`.
fn url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for name in path.components().filter_map(|part| part.as_os_str().to_str()).filter(|name| *name != "/" && *name != "\\") {
        url.push('/');
        for &byte in name.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
                url.push(char::from(byte));
            } else {
                url += &format!("%{byte:02X}");
            }
        }
    }
    url
}

struct DataFiles<'a> {
    folder: &'a Path,
    id: ExportId,
    open: Option<(BufWriter<File>, DataFile)>,
    written: Vec<DataFile>,
}

struct DataFile {
    name: String,
    items: u64,
    bytes: u64,
}

impl DataFiles<'_> {
    /// Writes lines, each an item.
    fn write(&mut self, mut lines: &[u8]) -> std::io::Result<()> {
        while !lines.is_empty() {
            if self.open.is_none() {
                let name = self.id.uuid(self.written.len());
                let file = BufWriter::new(File::create(self.folder.join(&name))?);
                self.open = Some((file, DataFile { name, items: 0, bytes: 0 }));
            }
            let Some((file, data)) = &mut self.open else { return Ok(()) };
            let room = (FILE_ITEMS - data.items) as usize;
            let (mut items, mut end) = (0, 0);
            for at in memchr::memchr_iter(b'\n', lines).take(room) {
                (items, end) = (items + 1, at + 1);
            }
            let (now, later) = lines.split_at(end);
            file.write_all(now)?;
            data.items += items;
            data.bytes += now.len() as u64;
            if data.items == FILE_ITEMS {
                self.close()?;
            }
            lines = later;
        }
        Ok(())
    }

    fn close(&mut self) -> std::io::Result<()> {
        let Some((mut file, data)) = self.open.take() else { return Ok(()) };
        file.flush()?;
        file.get_ref().sync_all()?;
        self.written.push(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_escaped() {
        assert_eq!(url(Path::new("/tmp/my dump/é")), "file:///tmp/my%20dump/%C3%A9");
    }
}
