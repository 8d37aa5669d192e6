//! Guessing a schema from places all over the files, so that one pass may do.
//!
//! What the first items of some files hold, all items hold together: so a guess is wrong only
//! where an item has no place in it, or where the order of names is another. Both show while
//! columns are built by it ([`Unplaced::Guessed`](crate::columns::Unplaced)). What a guess
//! could hide is not guessed.

use std::io::Read;
use std::sync::Arc;

use super::open::Export;
use super::read::{ReadOptions, Reader};
use super::schema::Learning;
use crate::engine::feed::{FileBytes, FileFeed};
use crate::engine::pipeline::Step;
use crate::engine::worker::Worker;
use crate::error::Result;
use crate::schema::learn::Learner;
use crate::schema::summary::Summary;
use crate::schema::{Field, Maps, Type};

/// Compressed bytes for which a block is looked at.
const BYTES_PER_BLOCK: u64 = 8 << 20;
/// Blocks that are looked at, at least and at most. With less than the least there is little
/// to gain, and much of the data would be read twice.
const BLOCKS: (u64, u64) = (2, 64);
/// Read from a file at a time.
const CHUNK: usize = 256 << 10;

impl Export {
    /// A reader with a guessed schema, where one is worth its while: where the schema is known,
    /// or is to be learnt of other items than those that are read, there is none. Its batches
    /// end in `E_CHANGED` where the guess turns out wrong: all of them are to be thrown away.
    pub fn read_guessed(&self, options: &ReadOptions) -> Result<Option<Reader>> {
        let blocks = self.bytes() / BYTES_PER_BLOCK;
        if blocks < BLOCKS.0 { Ok(None) } else { self.guess(options, blocks.min(BLOCKS.1) as usize) }
    }

    /// The same by so many blocks, also where that is not worth its while.
    pub fn guess(&self, options: &ReadOptions, blocks: usize) -> Result<Option<Reader>> {
        let policies = &options.policies;
        let learns = options.schema.is_none() && options.sample.is_none() && self.learnt().get(options).is_none();
        let shows = policies.overrides.is_empty() && matches!(policies.maps, Maps::Auto | Maps::Struct);
        if !learns || !shows || !self.format()?.is_text() {
            return Ok(None);
        }
        self.require_full()?;
        options.check_columns()?;
        let summary = self.look_around(options, blocks)?;
        // Whether a column that was asked for is nowhere is not for a guess to say.
        let Ok(schema) = options.freeze(Arc::new(summary)) else { return Ok(None) };
        let hides = schema.extra().is_some() || schema.fields().iter().any(hides);
        Ok((!hides).then(|| self.read_with_guess(schema, options.clone())))
    }

    /// What the first blocks of files all over the list hold.
    fn look_around(&self, options: &ReadOptions, blocks: usize) -> Result<Summary> {
        let all = self.files().len();
        let count = all.min(blocks);
        let files: Vec<usize> = (0..count).map(|n| n * all / count).collect();
        let of_each = blocks.div_ceil(count.max(1));
        let threads = options.thread_count().min(count).max(1);
        let look = |thread: usize| self.look_at(files.iter().copied().skip(thread).step_by(threads), of_each, options);
        let looked: Vec<_> = std::thread::scope(|scope| {
            let look = &look;
            let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || look(thread))).collect();
            let first = look(0);
            // A panic is met again by the pass.
            [first].into_iter().chain(others.into_iter().filter_map(|thread| thread.join().ok())).collect::<Result<_>>()
        })?;
        let mut summary = Summary::default();
        for (learning, learner) in looked {
            summary.merge(learning.finish([learner]));
        }
        Ok(summary)
    }

    /// Learns from the first blocks of these files. What is wrong with them is said by the pass.
    fn look_at(&self, files: impl Iterator<Item = usize>, blocks: usize, options: &ReadOptions) -> Result<(Learning, Learner)> {
        let reading = self.reading(true)?;
        let expected = self.expected();
        let mut worker = Worker::new(options.learner(), reading);
        let mut learning = Learning::default();
        let mut chunk = vec![0; CHUNK];
        for file in files {
            let opened = expected[file].key.as_ref().and_then(|key| self.storage().open(key).ok());
            let Some(mut reader) = opened else { continue };
            let mut feed = FileFeed::new(file, reading.format_of(&expected[file]), false);
            let mut seen = 0;
            while seen < blocks {
                match feed.next_block() {
                    Ok(Some(block)) => {
                        let (_, items) = worker.work(&block);
                        learning.step(Step::Block { file, block: block.index, out: items? })?;
                        seen += 1;
                    }
                    Ok(None) if !feed.is_done() => match reader.read(&mut chunk) {
                        Ok(0) => feed.finish(),
                        Ok(count) => feed.push(&chunk[..count]),
                        Err(_) => break,
                    },
                    _ => break,
                }
            }
            learning.step(Step::File { file, records: 0, bytes: FileBytes::default(), rest: None, error: None })?;
        }
        Ok((learning, worker.into_sink()))
    }
}

/// Whether the column takes values that would have made it another: a map column takes any
/// name, and their number has a limit.
fn hides(field: &Field) -> bool {
    fn of(ty: &Type) -> bool {
        match ty {
            Type::Map(_) => true,
            Type::Struct(fields) => fields.iter().any(hides),
            Type::List(element) => of(element),
            Type::Mixed(types) | Type::Typed(types) => types.iter().any(|(_, ty)| of(ty)),
            _ => false,
        }
    }
    of(&field.ty)
}
