//! What all formats of text share: how records look, what is wrong with one, and what the
//! records of a block come to.

use crate::block::{BLOCK_BYTES, Block, CutFault};
use crate::error::{Code, Error};
use crate::event::{Refusal, Sink};
use crate::path::{self, Step};

/// Maps and lists inside each other, at most. DynamoDB itself allows 32 levels
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes>).
pub const MAX_NESTING: u32 = 64;

/// How the records of a file look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every record has its item under `Item`, as in an export.
    Wrapped,
    /// With `Item` or bare, record by record.
    Either,
    /// Any objects: they are counted, and nothing is read from them.
    Any,
    /// Plain JSON: objects whose values bear no descriptors.
    Plain,
    /// Changes, as incremental exports have them: see [`change`](super::change).
    Changes,
}

/// What is said of a value that has no type descriptor, several, or one that is none.
pub const NO_DESCRIPTOR: &str = "a value without a type descriptor";
/// See [`NO_DESCRIPTOR`].
pub const SEVERAL_DESCRIPTORS: &str = "more than one type descriptor in a value";
/// See [`NO_DESCRIPTOR`]: what it begins with.
pub const UNKNOWN_DESCRIPTOR: &str = "unknown type descriptor";

/// What is wrong with a record.
#[derive(Debug)]
pub struct Fault {
    /// The error's code.
    pub code: Code,
    /// The error's text.
    pub message: String,
    /// Where, as an index into the text.
    pub at: usize,
    /// The steps of the attribute path, the innermost first.
    pub path: Vec<Step>,
}

impl Fault {
    /// A fault at an index, without a path.
    #[cold]
    pub fn new(code: Code, at: usize, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, message: message.into(), at, path: Vec::new() })
    }

    #[cold]
    pub(in crate::format) fn refused(refusal: Refusal, at: usize) -> Box<Self> {
        Self::new(refusal.code, at, refusal.message)
    }

    /// Whether the text is no JSON or Ion, so that the record's end cannot be known.
    pub fn is_syntax(&self) -> bool {
        matches!(self.code, Code::Json | Code::Ion | Code::Utf8 | Code::Truncated)
    }
}

/// What decoding comes to.
pub(super) type Decoded<T = ()> = Result<T, Box<Fault>>;

/// What becomes of bad records: the first one ends the pass (`None`), or they are passed over, and
/// the errors of so many are kept of one block; the rest are counted.
pub type Skip = Option<usize>;

/// Errors that are kept where all that is wanted is an idea of what is wrong.
pub const KEPT: usize = 100;

/// Errors that are kept where each one is wanted: a block has no more records.
pub const KEPT_ALL: usize = BLOCK_BYTES + 1;

/// What the records of a block came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Records, bad ones included.
    pub records: u64,
    /// Bad records that were passed over.
    pub skipped: u64,
    /// The errors of the first of them; the item counts from the block's start.
    pub errors: Vec<Error>,
    /// Why nothing behind this point was read.
    pub fatal: Option<Error>,
}

impl Outcome {
    /// Counts a bad record, or ends the block in it.
    pub fn bad_record(&mut self, error: Error, skip: Skip) {
        self.records += 1;
        let Some(kept) = skip.filter(|_| !is_no_item(error.code())) else {
            self.fatal = Some(error);
            return;
        };
        self.skipped += 1;
        if self.errors.len() < kept {
            self.errors.push(error);
        }
    }
}

/// What is wrong with more than an item: a whole file of changes is not to become an empty
/// table, nor are items to be passed over for what all of them are.
fn is_no_item(code: Code) -> bool {
    matches!(code, Code::Incremental | Code::Changed | Code::TooManyPaths | Code::TooManyPartitions | Code::Io)
}

/// The decoding of one block.
pub(super) struct Run<'a, S> {
    pub sink: &'a mut S,
    pub form: Form,
    pub skip: Skip,
    pub block: &'a Block,
    pub outcome: Outcome,
    /// An index up to which lines were counted, and the line there.
    counted: (usize, u64),
}

impl<'a, S> Run<'a, S> {
    pub fn new(block: &'a Block, form: Form, skip: Skip, sink: &'a mut S) -> Self {
        Self { sink, form, skip, block, outcome: Outcome::default(), counted: (0, block.line) }
    }

    /// Nothing behind this point is read.
    pub fn is_over(&self) -> bool {
        self.outcome.fatal.is_some()
    }

    /// The sink does not take an item that is good in itself.
    #[cold]
    pub fn refused(&mut self, refusal: Refusal, at: usize) {
        let mut error = self.error_at(at, refusal.code, refusal.message);
        if let Some(path) = refusal.path {
            error = error.at_path(path);
        }
        self.bad_record(error);
    }

    fn cut_fault(&mut self, fault: &CutFault) {
        let found = Fault::new(fault.code, fault.at, &*fault.message);
        if fault.fatal { self.fail(&found, 0) } else { self.bad(&found, 0) }
    }

    /// A record, or bytes that are none, with this fault.
    #[cold]
    pub fn bad(&mut self, fault: &Fault, base: usize) {
        if self.skip.is_some_and(|kept| self.outcome.errors.len() >= kept) && !is_no_item(fault.code) {
            self.outcome.records += 1;
            self.outcome.skipped += 1;
            return;
        }
        let error = self.error(fault, base);
        self.bad_record(error);
    }

    /// A record with a fault that may stand behind the block, with so many newlines between.
    #[cold]
    pub fn bad_beyond(&mut self, fault: &Fault, newlines: u64) {
        let error = self.error(fault, 0);
        let (line, byte) = (error.line().unwrap_or_default(), error.byte().unwrap_or_default());
        self.bad_record(error.at(line + newlines, byte));
    }

    /// A fault behind which nothing can be read, also where bad records are passed over.
    #[cold]
    pub fn fail(&mut self, fault: &Fault, base: usize) {
        self.outcome.fatal = Some(self.error(fault, base));
        self.outcome.records += 1;
    }

    fn error(&mut self, fault: &Fault, base: usize) -> Error {
        let error = self.error_at(base + fault.at, fault.code, &*fault.message);
        if fault.path.is_empty() { error } else { error.at_path(path::to_text(fault.path.iter().rev())) }
    }

    /// An error at an index of the block. From one to the next each line is counted once.
    fn error_at(&mut self, at: usize, code: Code, message: impl Into<String>) -> Error {
        let known = self.block.data.len().min(at);
        let (from, line) = if self.counted.0 <= known { self.counted } else { (0, self.block.line) };
        let line = line + memchr::memchr_iter(b'\n', &self.block.data[from..known]).count() as u64;
        self.counted = (known, line);
        Error::new(code, message).at(line, self.block.byte + at as u64).at_item(self.outcome.records)
    }

    /// The item is complete; its record is so long and starts at `at`.
    #[inline]
    pub fn commit(&mut self, length: usize, at: usize)
    where
        S: Sink,
    {
        match self.sink.commit_item(length) {
            Ok(()) => self.outcome.records += 1,
            Err(refusal) => {
                self.sink.abort_item();
                self.refused(refusal, at);
            }
        }
    }

    /// A record whose error is complete.
    fn bad_record(&mut self, error: Error) {
        self.outcome.bad_record(error, self.skip);
    }

    /// The fault behind the last record, if there is one.
    pub fn finish(mut self) -> Outcome {
        if let (Some(fault), None) = (&self.block.fault, &self.outcome.fatal) {
            self.cut_fault(fault);
        }
        self.outcome
    }
}

/// Makes the fault one of a byte that is no UTF-8.
pub(super) fn not_utf8(fault: &mut Fault, byte: u8) {
    fault.code = Code::Utf8;
    fault.message = format!("byte 0x{byte:02x} is not UTF-8");
}

/// A text for a message: quoted, cut where it is long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{:?}…", &text[..at]),
        None => format!("{text:?}"),
    }
}
