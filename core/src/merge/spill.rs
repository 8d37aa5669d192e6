//! What does not fit in memory: bytes on disk that nobody else sees, and records in buckets
//! by their hash.
//!
//! The file has no name, so that nothing is left of it, however the process ends.

use std::hash::BuildHasher;
use std::io::Read;
use std::sync::Arc;
#[cfg(not(target_arch = "wasm32"))]
use std::{fs::File, io, path::Path};

use rustc_hash::FxBuildHasher;

use crate::control::Control;
use crate::error::Result;
use crate::storage::{Entry, Storage};

/// Bytes that can be added to and read anywhere, from any thread: in a file; in memory where
/// there are none.
#[derive(Debug)]
pub struct Spill {
    #[cfg(not(target_arch = "wasm32"))]
    file: File,
    #[cfg(not(target_arch = "wasm32"))]
    len: std::sync::atomic::AtomicU64,
    #[cfg(target_arch = "wasm32")]
    bytes: std::sync::Mutex<Vec<u8>>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Spill {
    /// Nothing yet; on the disk of this folder, or of the system's temporary files.
    pub fn new(folder: Option<&Path>) -> Result<Self> {
        let file = match folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        };
        Ok(Self { file: file.map_err(|e| failed(&e))?, len: 0.into() })
    }

    /// Adds bytes: where they begin.
    pub fn append(&self, bytes: &[u8]) -> Result<u64> {
        let at = self.len.fetch_add(bytes.len() as u64, std::sync::atomic::Ordering::Relaxed);
        write_at(&self.file, bytes, at).map_err(|e| failed(&e))?;
        Ok(at)
    }

    /// Reads so many bytes into `out`.
    pub fn read(&self, at: u64, len: usize, out: &mut Vec<u8>) -> Result<()> {
        out.resize(len, 0);
        read_at(&self.file, out, at).map_err(|e| failed(&e))
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn failed(error: &io::Error) -> crate::error::Error {
    crate::error::Error::new(crate::error::Code::Io, error.to_string()).in_file("a temporary file")
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        (bytes, at) = (&bytes[count..], at + count as u64);
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        match std::os::windows::fs::FileExt::seek_read(file, &mut out[done..], at + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
impl Spill {
    /// Nothing yet.
    pub fn new(_folder: Option<&std::path::Path>) -> Result<Self> {
        Ok(Self { bytes: std::sync::Mutex::default() })
    }

    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds bytes: where they begin.
    pub fn append(&self, bytes: &[u8]) -> Result<u64> {
        let mut all = self.bytes();
        all.extend_from_slice(bytes);
        Ok((all.len() - bytes.len()) as u64)
    }

    /// Reads so many bytes into `out`.
    pub fn read(&self, at: u64, len: usize, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        out.extend_from_slice(&self.bytes()[at as usize..][..len]);
        Ok(())
    }
}

/// A spill as a file that is read like any other, and is gone with the last who reads it.
pub struct SpilledFile {
    /// How messages call it.
    pub name: String,
    /// Its bytes: all that were added.
    pub spill: Arc<Spill>,
    /// How many they are.
    pub bytes: u64,
}

/// The only key of the storage of a spilled file.
pub const SPILLED: &str = "spilled";

impl Storage for SpilledFile {
    fn name(&self, _key: &str) -> String {
        self.name.clone()
    }
    fn list(&self, _folder: &str) -> Result<Vec<Entry>> {
        Ok(vec![Entry { key: SPILLED.into(), size: self.bytes }])
    }
    fn list_all(&self) -> Result<Vec<Entry>> {
        self.list("")
    }
    fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok((key == SPILLED).then_some(self.bytes))
    }
    fn open(&self, _key: &str) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(SpillReader { spill: self.spill.clone(), at: 0, left: self.bytes, buffer: Vec::new() }))
    }
}

struct SpillReader {
    spill: Arc<Spill>,
    at: u64,
    left: u64,
    buffer: Vec<u8>,
}

impl Read for SpillReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.left.min(out.len() as u64) as usize;
        self.spill.read(self.at, count, &mut self.buffer).map_err(std::io::Error::other)?;
        out[..count].copy_from_slice(&self.buffer);
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// A bucket's records go to the spill when they come to so many bytes.
const CHUNK: usize = 32 << 10;

/// Records that stand in a spill, in chunks of whole records.
#[derive(Debug, Default)]
pub struct Run {
    buffer: Vec<u8>,
    chunks: Vec<(u64, u32)>,
    /// Bytes in all.
    pub bytes: u64,
}

impl Run {
    /// Adds a record.
    pub fn push(&mut self, record: &[u8], spill: &Spill) -> Result<()> {
        self.buffer.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(record);
        self.bytes += record.len() as u64 + 4;
        if self.buffer.len() >= CHUNK { self.flush(spill) } else { Ok(()) }
    }

    /// All records are in the spill.
    pub fn flush(&mut self, spill: &Spill) -> Result<()> {
        if !self.buffer.is_empty() {
            let at = spill.append(&self.buffer)?;
            self.chunks.push((at, self.buffer.len() as u32));
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// The records by buckets of a level. Each begins with its key.
    pub fn divide(&self, level: u32, spill: &Spill) -> Result<Vec<Self>> {
        let mut buckets = Buckets::new(level);
        let mut reader = self.read(spill);
        while let Some(record) = reader.next_record()? {
            buckets.push(Fields(record).bytes(), record, spill)?;
        }
        buckets.finish(spill)
    }

    /// Reads the records, when all are in the spill.
    pub fn read<'a>(&'a self, spill: &'a Spill) -> RunReader<'a> {
        RunReader { run: self, spill, cursor: Cursor::default() }
    }
}

/// How far a run was read.
#[derive(Debug, Default)]
pub struct Cursor {
    next: usize,
    chunk: Vec<u8>,
    at: usize,
}

impl Cursor {
    /// The next record of the run.
    pub fn next_record(&mut self, run: &Run, spill: &Spill) -> Result<Option<&[u8]>> {
        if self.at == self.chunk.len() {
            let Some(&(at, len)) = run.chunks.get(self.next) else { return Ok(None) };
            spill.read(at, len as usize, &mut self.chunk)?;
            self.next += 1;
            self.at = 0;
        }
        let mut fields = Fields(&self.chunk[self.at..]);
        let record = fields.bytes();
        self.at += 4 + record.len();
        Ok(Some(record))
    }
}

/// Reads the records of a run in order.
pub struct RunReader<'a> {
    run: &'a Run,
    spill: &'a Spill,
    cursor: Cursor,
}

impl RunReader<'_> {
    /// The next record.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>> {
        self.cursor.next_record(self.run, self.spill)
    }
}

/// Past so many levels the keys of a bucket are one key.
pub const DEEPEST: u32 = 8;

/// The hash of a key.
pub fn hash(key: &[u8]) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// A hash whose high bits tell nothing of those of another level: `splitmix64`'s last steps.
fn mixed(hash: u64, level: u32) -> u64 {
    let mut mixed = hash.wrapping_add(u64::from(level + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Runs of records, by the hash of their keys.
pub struct Buckets {
    runs: Vec<Run>,
    level: u32,
}

impl Buckets {
    /// How many there are.
    pub const COUNT: usize = 64;

    /// Empty ones; what stands in one bucket of a level stands in several of the next.
    pub fn new(level: u32) -> Self {
        Self { runs: (0..Self::COUNT).map(|_| Run::default()).collect(), level }
    }

    /// Adds a record under its key.
    pub fn push(&mut self, key: &[u8], record: &[u8], spill: &Spill) -> Result<()> {
        let bucket = mixed(hash(key), self.level) >> (u64::BITS - Self::COUNT.trailing_zeros());
        self.runs[bucket as usize].push(record, spill)
    }

    /// The runs, all in the spill.
    pub fn finish(mut self, spill: &Spill) -> Result<Vec<Run>> {
        self.runs.iter_mut().try_for_each(|run| run.flush(spill))?;
        Ok(self.runs)
    }
}

/// Appends a text of bytes to a record.
pub fn put_bytes(record: &mut Vec<u8>, bytes: &[u8]) {
    record.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    record.extend_from_slice(bytes);
}

/// Reads the fields of a record in order. A record is as it was written: what is missing is 0.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => [0; N],
        }
    }

    /// A number.
    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    /// A number.
    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    /// A number.
    pub fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }

    /// A text of bytes.
    pub fn bytes(&mut self) -> &'a [u8] {
        let len = (self.u32() as usize).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

/// Merges runs whose records stand in the order of their first `N` bytes, read as they are.
pub fn merge_sorted<const N: usize>(
    runs: &[Run],
    spill: &Spill,
    control: &Control,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    let mut readers: Vec<_> = runs.iter().map(|run| run.read(spill)).collect();
    let mut heads = BinaryHeap::new();
    let mut records: Vec<Vec<u8>> = vec![Vec::new(); runs.len()];
    let mut pull = |n: usize, record: &mut Vec<u8>| -> Result<Option<[u8; N]>> {
        let Some(next) = readers[n].next_record()? else { return Ok(None) };
        record.clear();
        record.extend_from_slice(next);
        let mut order = [0; N];
        let len = N.min(next.len());
        order[..len].copy_from_slice(&next[..len]);
        Ok(Some(order))
    };
    for (n, record) in records.iter_mut().enumerate() {
        heads.extend(pull(n, record)?.map(|order| Reverse((order, n))));
    }
    let mut merged = 0_u64;
    while let Some(Reverse((_, n))) = heads.pop() {
        if merged.is_multiple_of(4096) {
            control.check()?;
        }
        merged += 1;
        each(&records[n])?;
        heads.extend(pull(n, &mut records[n])?.map(|order| Reverse((order, n))));
    }
    Ok(())
}
