//! Opening a legacy dump by its manifest. Dumps are moved and their manifests are not rewritten:
//! a file is looked for by its name beside the manifest, wherever its URL leads.

use std::collections::HashSet;
use std::sync::Arc;

use super::open::{DataFile, Export};
use crate::error::{Code, Error, Result};
use crate::manifest::{LEGACY, LegacyManifest};
use crate::storage::Storage;

/// A legacy dump, as its manifest has it.
#[derive(Clone, Debug)]
pub struct Dump {
    /// The folder of the manifest, `""` or ending in `/`.
    pub folder: String,
    /// The manifest.
    pub manifest: LegacyManifest,
    /// The URLs of files that are not there and that the dump is not broken without: they are
    /// none of the export's files.
    pub absent: Vec<String>,
}

impl Dump {
    /// The manifest's name for messages.
    fn name(&self, storage: &dyn Storage) -> String {
        storage.name(&format!("{}{LEGACY}", self.folder))
    }

    /// What is known of the dump without a look at its data, beyond its files.
    pub(super) fn notes(&self, storage: &dyn Storage) -> Result<Vec<Error>> {
        let note = |message: &str| Error::new(Code::Manifest, message);
        let mut notes = vec![note("a legacy dump: its manifest has no counts and no checksums to check").in_file(self.name(storage))];
        let absent = self.absent.iter().map(|url| note("the manifest names this file as not mandatory, and it is not there").in_file(url));
        notes.extend(absent);
        let named: HashSet<_> = self.manifest.entries.iter().map(|entry| entry.name()).collect::<Result<_>>()?;
        for entry in storage.list(&self.folder)? {
            let base = &entry.key[self.folder.len()..];
            // Hadoop's own files are no data: `_SUCCESS`, `_logs/…`.
            if base != LEGACY && !base.starts_with('_') && !named.contains(base) {
                notes.push(note("the manifest does not name this file").in_file(storage.name(&entry.key)));
            }
        }
        Ok(notes)
    }
}

/// Opens the dump whose manifest is in this folder.
pub(super) fn open_dump(storage: Arc<dyn Storage>, folder: &str, name: &str) -> Result<Export> {
    let key = format!("{folder}{LEGACY}");
    let in_manifest = |error: Error| error.in_file(storage.name(&key));
    let bytes = storage.read(&key)?.unwrap_or_default();
    let manifest = LegacyManifest::parse(&bytes).map_err(in_manifest)?;
    let (mut files, mut absent) = (Vec::with_capacity(manifest.entries.len()), Vec::new());
    for entry in &manifest.entries {
        let key = format!("{folder}{}", entry.name()?);
        let size = storage.size(&key)?;
        if size.is_none() && !entry.mandatory {
            absent.push(entry.url.clone());
            continue;
        }
        files.push(DataFile { entry: None, key: size.map(|_| key), size, name: entry.url.clone() });
    }
    Ok(Export::of(storage, name, files).with_dump(Dump { folder: folder.to_owned(), manifest, absent }))
}
