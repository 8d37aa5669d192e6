//! One file, pushed in chunks, handed out in blocks.

use md5::{Digest, Md5};

use super::ledger::Expected;
use super::worker::Reading;
use crate::block::{Block, Cutter};
use crate::codec::{Codec, Decompressor, Progress};
use crate::error::{Error, Result};

/// Inflated at a time.
const PIECE: usize = 256 << 10;

/// Decompresses and cuts one file.
pub struct FileFeed {
    decompressor: Decompressor,
    cutter: Cutter,
    hash: Option<Md5>,
    inflated: bool,
    failure: Option<Error>,
    bytes_in: u64,
    bytes_out: u64,
}

/// What was read of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileBytes {
    /// Compressed bytes.
    pub compressed: u64,
    /// Inflated bytes.
    pub inflated: u64,
    /// How they are compressed.
    pub codec: Codec,
    /// MD5 of the compressed bytes, where it was asked for.
    pub md5: Option<[u8; 16]>,
}

impl FileFeed {
    /// The file with this place in the list, read so; `hash` to have its MD5.
    pub fn new(file: usize, expected: &Expected, reading: &Reading, hash: bool) -> Self {
        Self {
            decompressor: Decompressor::default(),
            cutter: Cutter::new(file, reading.format_of(expected)).with_csv(reading.csv.clone()),
            hash: hash.then(Md5::new),
            inflated: false,
            failure: None,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Takes the next chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(chunk);
        }
        self.bytes_in += chunk.len() as u64;
        self.decompressor.push(chunk);
    }

    /// No more chunks will come.
    pub fn finish(&mut self) {
        self.decompressor.finish();
    }

    /// The next block; `None` where it needs more chunks, or all blocks were handed out.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(block) = self.cutter.next_block() {
                return Ok(Some(Block { codec: self.decompressor.codec(), ..block }));
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.inflated {
                return Ok(None);
            }
            // Decompressors give what they have: the room is filled piece by piece.
            let room = self.cutter.room(PIECE);
            let mut count = 0;
            let stopped = loop {
                match self.decompressor.read(&mut room[count..]) {
                    Ok(Progress::Bytes(more)) => count += more,
                    stopped => break Some(stopped),
                }
                if count == PIECE {
                    break None;
                }
            };
            self.cutter.filled(PIECE, count);
            self.bytes_out += count as u64;
            match stopped {
                Some(Ok(Progress::NeedsInput)) if count == 0 => return Ok(None),
                Some(Ok(Progress::End)) => {
                    self.inflated = true;
                    self.cutter.finish();
                }
                // What stands before the failure comes first.
                Some(Err(error)) => self.failure = Some(error),
                _ => {}
            }
        }
    }

    /// All blocks were handed out.
    pub fn is_done(&self) -> bool {
        self.inflated && self.cutter.is_done()
    }

    /// What was read so far.
    pub fn bytes(&self) -> FileBytes {
        let md5 = self.hash.clone().map(|hash| hash.finalize().into());
        FileBytes { compressed: self.bytes_in, inflated: self.bytes_out, codec: self.decompressor.codec(), md5 }
    }
}
