//! A folder of the local file system.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Entry, Storage};
use crate::error::{Code, Error, Result};

/// The files below a folder. A key never leaves it, also not through links.
#[derive(Clone, Debug)]
pub struct Local {
    root: PathBuf,
    /// The folder as it really is, links followed.
    real: PathBuf,
}

impl Local {
    /// The files below `root`.
    pub fn new(root: &Path) -> Result<Self> {
        let real = fs::canonicalize(root).map_err(|e| Error::io(&root.display().to_string(), &e))?;
        Ok(Self { root: root.to_owned(), real })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn walked(&self, folder: &str, hidden: bool) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        let path = self.path(folder);
        if path.is_dir() {
            walk(&path, folder, hidden, &mut found)?;
        }
        found.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
        Ok(found)
    }
}

impl Storage for Local {
    fn name(&self, key: &str) -> String {
        self.root.join(key).display().to_string()
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        self.walked(folder, false)
    }

    fn list_all(&self) -> Result<Vec<Entry>> {
        self.walked("", true)
    }

    fn size(&self, key: &str) -> Result<Option<u64>> {
        let path = self.path(key);
        let meta = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => meta,
            Ok(_) => return Ok(None),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(Error::io(&self.name(key), &error)),
        };
        let real = fs::canonicalize(&path).map_err(|e| Error::io(&self.name(key), &e))?;
        if !real.starts_with(&self.real) {
            let message = format!("a link out of {}", self.root.display());
            return Err(Error::new(Code::Key, message).in_file(self.name(key)));
        }
        Ok(Some(meta.len()))
    }

    fn local_path(&self, key: &str) -> Option<PathBuf> {
        Some(self.path(key))
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let file = File::open(self.path(key)).map_err(|e| Error::io(&self.name(key), &e))?;
        Ok(Box::new(file))
    }
}

/// The files below a folder, with hidden ones or without.
fn walk(folder: &Path, prefix: &str, hidden: bool, found: &mut Vec<Entry>) -> Result<()> {
    let failed = |e: &std::io::Error| Error::io(&folder.display().to_string(), e);
    for entry in fs::read_dir(folder).map_err(|e| failed(&e))? {
        let entry = entry.map_err(|e| failed(&e))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(Error::new(Code::Io, "a file name that is not UTF-8").in_file(entry.path().display().to_string()));
        };
        if name.starts_with('.') && !hidden {
            continue;
        }
        let meta = fs::metadata(entry.path()).map_err(|e| Error::io(&entry.path().display().to_string(), &e))?;
        let key = format!("{prefix}{name}");
        if !meta.is_dir() {
            found.push(Entry { key, size: meta.len() });
        } else if !entry.file_type().map_err(|e| failed(&e))?.is_symlink() {
            // Links to folders may lead in circles.
            walk(&entry.path(), &format!("{key}/"), hidden, found)?;
        }
    }
    Ok(())
}
