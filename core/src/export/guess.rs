//! Guessing a schema from places all over the files, so that one pass may do.
//!
//! What the first items of some files hold, all items hold together: so a guess is wrong only
//! where an item has no place in it, or where the order of names is another. Both show while
//! columns are built by it ([`Unplaced::Guessed`](crate::columns::Unplaced)). What a guess
//! could hide is not guessed.

use std::io::Read;
use std::sync::Arc;

use super::open::{Export, ReadAs};
use super::read::{ReadOptions, Reader};
use super::schema::Learning;
use crate::block::Block;
use crate::control::Control;
use crate::engine::feed::{FileBytes, FileFeed};
use crate::engine::ledger::Expected;
use crate::engine::pipeline::Step;
use crate::engine::worker::{Reading, Worker};
use crate::error::Result;
use crate::merge::overlay::{ImageReader, Overlay};
use crate::schema::learn::Learner;
use crate::schema::summary::Summary;
use crate::schema::{Field, Maps, Type};

/// Compressed bytes for which a block is looked at.
const BYTES_PER_BLOCK: u64 = 8 << 20;
/// Blocks that are looked at, at least and at most. With less than the least there is little
/// to gain, and much of the data would be read twice.
const BLOCKS: (u64, u64) = (2, 64);
/// Images of changes that are looked at.
const IMAGES: usize = 4096;
/// Read from a file at a time.
const CHUNK: usize = 256 << 10;

/// Where a guess looks: at the first blocks of some files.
#[derive(Clone, Debug)]
pub struct Places {
    /// The files' places in the list.
    pub files: Vec<usize>,
    /// Blocks of each.
    blocks: usize,
}

impl Places {
    /// Of so many files those all over the list, for so many blocks together.
    fn new(files: usize, blocks: usize) -> Self {
        let count = files.min(blocks);
        Self { files: (0..count).map(|n| n * files / count).collect(), blocks: blocks.div_ceil(count.max(1)) }
    }
}

impl Export {
    /// A reader with a guessed schema, where one is worth its while. Its batches end in
    /// `E_CHANGED` where the guess turns out wrong: all of them are to be thrown away.
    pub fn read_guessed(&self, options: &ReadOptions, control: &Control) -> Result<Option<Reader>> {
        self.places(options)?.map_or(Ok(None), |places| self.guess_from(options, &places, control))
    }

    /// The same by so many blocks, also where that is not worth its while.
    pub fn guess(&self, options: &ReadOptions, blocks: usize) -> Result<Option<Reader>> {
        let places = Places::new(self.files().len(), blocks);
        if self.may_guess(options)? { self.guess_from(options, &places, &Control::default()) } else { Ok(None) }
    }

    /// Where to look, where a guess is worth its while.
    pub fn places(&self, options: &ReadOptions) -> Result<Option<Places>> {
        let blocks = self.bytes() / BYTES_PER_BLOCK;
        let worth = blocks >= BLOCKS.0 && self.may_guess(options)?;
        Ok(worth.then(|| Places::new(self.files().len(), blocks.min(BLOCKS.1) as usize)))
    }

    /// A look at these places, whose bytes are to be pushed.
    pub fn look(&self, options: &ReadOptions, places: &Places) -> Result<Looking> {
        let reading = self.reading(true)?;
        let learner = options.learner();
        let worker = match self.reads() {
            ReadAs::Merged(over) => Looker::Merged(Worker::new(Overlay::new(learner, over.clone(), Arc::default()), reading.clone())),
            _ => Looker::Items(Worker::new(learner, reading.clone())),
        };
        let learning = Learning::default();
        Ok(Looking { worker, learning, files: self.expected(), reading, blocks: places.blocks, file: None, seen: 0 })
    }

    /// A reader by what a look came to, where that is a guess.
    pub fn guessed(&self, options: &ReadOptions, summary: Summary) -> Option<Reader> {
        // A learner for all would have said so.
        if summary.root.paths() > options.max_paths {
            return None;
        }
        // Whether a column that was asked for is nowhere is not for a guess to say.
        let schema = options.freeze(Arc::new(summary)).ok()?;
        // With chosen columns nothing would contradict a guess that saw no items.
        let hides = schema.fields().is_empty() || schema.extra().is_some() || schema.fields().iter().any(hides);
        (!hides).then(|| self.read_with_guess(schema, options.clone()))
    }

    /// Where the schema is known, or is to be learnt of other items than those that are read,
    /// there is no guess.
    fn may_guess(&self, options: &ReadOptions) -> Result<bool> {
        let policies = &options.policies;
        let learns = options.schema.is_none() && options.sample.is_none() && self.learnt().get(options).is_none();
        let shows = policies.overrides.is_empty() && matches!(policies.maps, Maps::Auto | Maps::Struct);
        let items = !matches!(self.reads(), ReadAs::Changes(..));
        if !learns || !shows || !items || !self.format()?.is_text() {
            return Ok(false);
        }
        self.check_options(options).map(|()| true)
    }

    fn guess_from(&self, options: &ReadOptions, places: &Places, control: &Control) -> Result<Option<Reader>> {
        let files = &places.files;
        let threads = options.thread_count().min(files.len()).max(1);
        let look = |thread: usize, check: &dyn Fn() -> Result<()>| {
            self.look_at(files.iter().copied().skip(thread).step_by(threads), self.look(options, places)?, check)
        };
        let looked: Vec<_> = std::thread::scope(|scope| {
            let look = &look;
            let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || look(thread, &|| Ok(())))).collect();
            let first = look(0, &|| control.check());
            // A panic is met again by the pass.
            [first].into_iter().chain(others.into_iter().filter_map(|thread| thread.join().ok())).collect::<Result<_>>()
        })?;
        let mut summary = Summary::default();
        for looking in looked {
            summary.merge(looking.finish());
        }
        if let ReadAs::Merged(over) = self.reads() {
            let mut learner = options.learner();
            learner.begin_block(self.files().len(), 0);
            let mut reader = ImageReader::default();
            // What is refused is said by the pass.
            over.some(IMAGES).into_iter().for_each(|image| drop(reader.send(over, image, &mut learner)));
            summary.merge(learner.finish(|_, _| 0));
        }
        Ok(self.guessed(options, summary))
    }

    /// Looks at these files; `check` may stop it.
    fn look_at(&self, files: impl Iterator<Item = usize>, mut looking: Looking, check: &dyn Fn() -> Result<()>) -> Result<Looking> {
        let mut chunk = vec![0; CHUNK];
        for file in files {
            let key = looking.files[file].key.as_ref();
            let Some(mut reader) = key.and_then(|key| self.storage().open(key).ok()) else { continue };
            looking.begin(file);
            while looking.wants_more()? {
                check()?;
                match reader.read(&mut chunk) {
                    Ok(count) if count > 0 => looking.push(&chunk[..count]),
                    _ => looking.end(),
                }
            }
        }
        Ok(looking)
    }
}

/// What looks at a block.
#[allow(clippy::large_enum_variant)] // one a thread
enum Looker {
    Items(Worker<Learner>),
    Merged(Worker<Overlay<Learner>>),
}

impl Looker {
    fn work(&mut self, block: &Block) -> Result<u64> {
        match self {
            Self::Items(worker) => worker.work(block).1,
            Self::Merged(worker) => worker.work(block).1,
        }
    }

    fn into_learner(self) -> Learner {
        match self {
            Self::Items(worker) => worker.into_sink(),
            Self::Merged(worker) => worker.into_sink().into_inner(),
        }
    }
}

/// Learns from the first blocks of some files, whose bytes are pushed. What is wrong with them
/// is said by the pass.
pub struct Looking {
    worker: Looker,
    learning: Learning,
    files: Arc<[Expected]>,
    reading: Reading,
    /// That are wanted of each file.
    blocks: usize,
    /// The file that is looked at, and its place in the list.
    file: Option<(usize, FileFeed)>,
    /// Blocks of it.
    seen: usize,
}

impl Looking {
    /// What is pushed now is of this file.
    pub fn begin(&mut self, file: usize) {
        self.file = Some((file, FileFeed::new(file, &self.files[file], &self.reading, false)));
        self.seen = 0;
    }

    /// Takes the next chunk of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        if let Some((_, feed)) = &mut self.file {
            feed.push(chunk);
        }
    }

    /// The file is at its end.
    pub fn end(&mut self) {
        if let Some((_, feed)) = &mut self.file {
            feed.finish();
        }
    }

    /// Learns from what was pushed; whether more of the file is wanted.
    pub fn wants_more(&mut self) -> Result<bool> {
        let Some((file, feed)) = &mut self.file else { return Ok(false) };
        let file = *file;
        while self.seen < self.blocks {
            match feed.next_block() {
                Ok(Some(block)) => {
                    let items = self.worker.work(&block)?;
                    self.learning.step(Step::Block { file, block: block.index, out: items })?;
                    self.seen += 1;
                }
                Ok(None) if !feed.is_done() => return Ok(true),
                _ => break,
            }
        }
        self.file = None;
        self.learning.step(Step::File { file, records: 0, bytes: FileBytes::default(), rest: None, error: None })?;
        Ok(false)
    }

    /// What was learnt.
    pub fn finish(self) -> Summary {
        self.learning.finish([self.worker.into_learner()])
    }
}

/// Whether the column takes values that would have made it another, or none: a map column and
/// JSON text take any name, and the number of names has a limit.
fn hides(field: &Field) -> bool {
    fn of(ty: &Type) -> bool {
        match ty {
            Type::Map(_) | Type::Json | Type::MixedText => true,
            Type::Struct(fields) => fields.iter().any(hides),
            Type::List(element) => of(element),
            Type::Mixed(types) | Type::Typed(types) => types.iter().any(|(_, ty)| of(ty)),
            _ => false,
        }
    }
    of(&field.ty)
}
