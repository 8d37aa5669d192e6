//! Files that come in pieces.

use std::io::{Cursor, Read};
use std::sync::Arc;

use dynarrow::export::open::open;
use dynarrow::storage::{Entry, Storage};
use dynarrow::{Export, Result};

/// Files in memory that are read in pieces of a given size.
#[derive(Clone)]
struct Chunked {
    files: Vec<(String, Arc<[u8]>)>,
    chunk: usize,
}

struct ChunkedRead(Cursor<Arc<[u8]>>, usize);

impl Read for ChunkedRead {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.1);
        self.0.read(&mut out[..count])
    }
}

impl Storage for Chunked {
    fn name(&self, key: &str) -> String {
        key.to_owned()
    }
    fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let entries = self.files.iter().filter(|(key, _)| key.starts_with(folder));
        Ok(entries.map(|(key, bytes)| Entry { key: key.clone(), size: bytes.len() as u64 }).collect())
    }
    fn list_all(&self) -> Result<Vec<Entry>> {
        self.list("")
    }
    fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.files.iter().find(|(name, _)| name == key).map(|(_, bytes)| bytes.len() as u64))
    }
    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let (_, bytes) = self.files.iter().find(|(name, _)| name == key).expect("a file");
        Ok(Box::new(ChunkedRead(Cursor::new(bytes.clone()), self.chunk)))
    }
}

/// Data files without a manifest, read in pieces of so many bytes.
pub fn files(files: Vec<Vec<u8>>, chunk: usize) -> Export {
    let files = files.into_iter().enumerate().map(|(n, bytes)| (format!("data-{n}.json"), bytes.into())).collect();
    open(Arc::new(Chunked { files, chunk }), "", "test").expect("files")
}
