//! Files in memory: for tests, and for the manifests that a browser hands over. A file may
//! be known by its size alone; its bytes then reach the decoders another way.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use super::{Entry, Storage};
use crate::error::{Code, Error, Result};

/// Files under keys, in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    root: String,
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug)]
enum File {
    Bytes(Arc<[u8]>),
    Size(u64),
}

impl Memory {
    /// No files yet; messages put `root` before their keys.
    pub fn with_root(root: impl Into<String>) -> Self {
        Self { root: root.into(), files: BTreeMap::new() }
    }

    /// Adds a file.
    pub fn insert(&mut self, key: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.files.insert(key.into(), File::Bytes(bytes.into()));
    }

    /// Adds a file whose bytes are elsewhere.
    pub fn insert_size(&mut self, key: impl Into<String>, size: u64) {
        self.files.insert(key.into(), File::Size(size));
    }
}

impl Storage for Memory {
    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let visible = |key: &str| !key[folder.len()..].split('/').any(|part| part.starts_with('.'));
        let files = self.files.range(folder.to_owned()..).take_while(|(key, _)| key.starts_with(folder));
        Ok(files.filter(|(key, _)| visible(key)).map(|(key, file)| Entry { key: key.clone(), size: file.size() }).collect())
    }

    fn list_all(&self) -> Result<Vec<Entry>> {
        Ok(self.files.iter().map(|(key, file)| Entry { key: key.clone(), size: file.size() }).collect())
    }

    fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.files.get(key).map(File::size))
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        match self.files.get(key) {
            Some(File::Bytes(bytes)) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Some(File::Size(_)) => Err(Error::new(Code::Io, "the bytes of this file are not in memory").in_file(self.name(key))),
            None => Err(Error::new(Code::NotFound, "no such file").in_file(self.name(key))),
        }
    }
}

impl File {
    fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Size(size) => *size,
        }
    }
}
