//! Opening an export whose files JavaScript holds.

use std::sync::Arc;

use dynarrow::DataFile;
use dynarrow::export::open;
use dynarrow::manifest::LEGACY;
use dynarrow::storage::memory::Memory;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown, to_js};

/// The files of a source: manifests with their bytes, data files by their sizes.
#[wasm_bindgen]
pub struct Files(pub(crate) Memory);

#[wasm_bindgen]
impl Files {
    /// No files yet; messages put `root` before their keys.
    #[wasm_bindgen(constructor)]
    pub fn new(root: String) -> Self {
        Self(Memory::with_root(root))
    }

    /// Whether a file is small and wanted whole: a manifest or its checksum.
    pub fn is_manifest(key: &str) -> bool {
        let base = key.rsplit('/').next().unwrap_or_default();
        base == LEGACY || base.starts_with("manifest-") && [".json", ".md5", ".checksum"].iter().any(|ending| base.ends_with(ending))
    }

    /// Adds a file whose bytes will be pushed.
    pub fn add(&mut self, key: String, size: f64) {
        self.0.insert_size(key, size as u64);
    }

    /// Adds a manifest.
    pub fn add_manifest(&mut self, key: String, bytes: Vec<u8>) {
        self.0.insert(key, bytes);
    }

    /// Opens the export in a folder (`""` for the root), or the data files there.
    pub fn open(self, folder: &str, name: &str) -> Result<Export> {
        open::open(Arc::new(self.0), folder, name).map(Export).map_err(thrown)
    }

    /// Opens one data file.
    pub fn open_file(self, key: &str, name: &str) -> Result<Export> {
        open::open_file(Arc::new(self.0), key, name).map(Export).map_err(thrown)
    }
}

/// An opened export.
#[wasm_bindgen]
pub struct Export(pub(crate) dynarrow::Export);

#[wasm_bindgen]
impl Export {
    /// The same export, in a format that is not to be detected.
    pub fn with_format(self, format: &str) -> Result<Self> {
        format.parse().map(|format| Self(self.0.with_format(format))).map_err(thrown)
    }

    /// The summary manifest as it stands in the export, or null.
    pub fn summary(&self) -> JsValue {
        self.0.summary().map_or(JsValue::NULL, |summary| to_js(&summary.raw.clone().into()))
    }

    /// The data files.
    pub fn files(&self) -> JsValue {
        to_js(&self.0.files().iter().map(of_file).collect())
    }
}

fn of_file(file: &DataFile) -> Value {
    let entry = file.entry.as_ref();
    json!({
        "name": file.name,
        "key": file.key,
        "size": file.size,
        "itemCount": entry.and_then(|entry| entry.item_count),
        "md5Checksum": entry.and_then(|entry| entry.md5_checksum.as_deref()),
        "etag": entry.and_then(|entry| entry.etag.as_deref()),
    })
}
