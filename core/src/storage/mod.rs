//! Where bytes are: listing and opening files over local folders and memory.

#[cfg(not(target_arch = "wasm32"))]
pub mod local;
pub mod memory;

use std::io::Read;

use crate::error::Result;

/// A file of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key: a path below the storage's root, with `/`.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Files under keys.
pub trait Storage: Send + Sync {
    /// How messages call a key.
    fn name(&self, key: &str) -> String;
    /// All files whose keys begin with this folder (`""` for all, else ending in `/`), in
    /// byte order of their keys. Hidden files and folders (`.…`) are left out.
    fn list(&self, folder: &str) -> Result<Vec<Entry>>;
    /// All files, hidden ones too, in byte order of their keys.
    fn list_all(&self) -> Result<Vec<Entry>>;
    /// The size of a file; `None` where there is none.
    fn size(&self, key: &str) -> Result<Option<u64>>;
    /// Opens a file.
    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>>;

    /// The file's path, where it is on the local file system.
    fn local_path(&self, _key: &str) -> Option<std::path::PathBuf> {
        None
    }

    /// The bytes of a small file; `None` where there is none.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        if self.size(key)?.is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.open(key)?.read_to_end(&mut bytes).map_err(|e| crate::error::Error::io(&self.name(key), &e))?;
        Ok(Some(bytes))
    }
}
