//! DynamoDB JSON: every value wrapped in its type descriptor.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>
//!
//! A file is *lines* (a newline ends a record, several records may share a line) or a
//! *document* (see [`document`]). In lines, a record with a bad value costs itself, and
//! broken syntax costs the rest of its line; in a document broken syntax ends the file.

mod decode;
pub mod document;
pub mod encode;
pub mod scan;

use decode::{Decoder, Fault, Scratch};
pub use decode::{Form, MAX_NESTING};

use crate::block::{Block, CutFault, Records, error_at};
use crate::error::{Code, Error};
use crate::event::Sink;
use crate::path;

/// Bad records whose errors are kept of one block; the rest are counted.
const KEPT: usize = 100;

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

/// Decodes the blocks of JSON files.
#[derive(Default)]
pub struct BlockDecoder {
    scratch: Scratch,
}

struct Run<'a, S> {
    sink: &'a mut S,
    form: Form,
    skip: bool,
    block: &'a Block,
    outcome: Outcome,
}

impl BlockDecoder {
    /// Sends the items of a block to `sink`. A bad record ends it, or is passed over with
    /// `skip`.
    pub fn decode<S: Sink>(&mut self, block: &Block, form: Form, skip: bool, sink: &mut S) -> Outcome {
        let mut run = Run { sink, form, skip, block, outcome: Outcome::default() };
        match &block.records {
            Records::Lines => run.lines(0..block.data.len(), &mut self.scratch),
            Records::OnLine(ranges) => {
                for range in ranges {
                    if run.outcome.fatal.is_none() {
                        run.lines(range.clone(), &mut self.scratch);
                    }
                }
            }
            Records::InDocument(ranges) => {
                for range in ranges {
                    if run.outcome.fatal.is_none() {
                        run.document_record(range.start, &block.data[range.clone()], &mut self.scratch);
                    }
                }
            }
        }
        if let (Some(fault), None) = (&block.fault, &run.outcome.fatal) {
            run.cut_fault(fault);
        }
        run.outcome
    }
}

impl<S: Sink> Run<'_, S> {
    /// The records of lines. Where the block is not UTF-8 as a whole, line by line.
    fn lines(&mut self, range: std::ops::Range<usize>, scratch: &mut Scratch) {
        let base = range.start;
        let bytes = &self.block.data[range];
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            self.text(text, base, None, scratch);
            return;
        }
        let mut start = 0;
        while start < bytes.len() && self.outcome.fatal.is_none() {
            let end = (scan::line_end(bytes, start) + 1).min(bytes.len());
            let line = &bytes[start..end];
            match std::str::from_utf8(line) {
                Ok(text) => self.text(text, base + start, None, scratch),
                Err(error) => {
                    let valid = std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default();
                    self.text(valid, base + start, Some(line[valid.len()]), scratch);
                }
            }
            start = end;
        }
    }

    /// The records of a text that starts at `base` in the block. `bad` is a byte behind the
    /// text that is no UTF-8: whatever record it belongs to is broken.
    fn text(&mut self, text: &str, base: usize, bad: Option<u8>, scratch: &mut Scratch) {
        let mut decoder = Decoder::new(text, false, scratch);
        while decoder.seek_record() {
            let start = decoder.position();
            self.sink.begin_item();
            match decoder.record(self.form, self.sink) {
                Ok(()) => {
                    self.outcome.records += 1;
                    self.sink.commit_item(decoder.position() - start);
                }
                Err(mut fault) => {
                    self.sink.abort_item();
                    if let (Some(byte), true) = (bad, fault.is_syntax() && fault.at >= text.len()) {
                        not_utf8(&mut fault, byte);
                    }
                    let end = if fault.is_syntax() { None } else { scan::skip_value(text.as_bytes(), start, false) };
                    self.bad(&fault, base);
                    if self.outcome.fatal.is_some() || end.is_none() && bad.is_some() {
                        return;
                    }
                    decoder.seek(end.unwrap_or_else(|| scan::line_end(text.as_bytes(), start)));
                }
            }
        }
        if let Some(byte) = bad {
            let mut fault = Fault::new(Code::Utf8, text.len(), "");
            not_utf8(&mut fault, byte);
            self.bad(&fault, base);
        }
    }

    fn document_record(&mut self, base: usize, bytes: &[u8], scratch: &mut Scratch) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let mut fault = Fault::new(Code::Utf8, error.valid_up_to(), "");
                not_utf8(&mut fault, bytes[error.valid_up_to()]);
                self.bad(&fault, base);
                return;
            }
        };
        let mut decoder = Decoder::new(text, true, scratch);
        self.sink.begin_item();
        if let Err(fault) = decoder.record(self.form, self.sink) {
            self.sink.abort_item();
            self.bad(&fault, base);
            // A document whose syntax is broken has no next record to go on with.
            if fault.is_syntax() || scan::skip_value(bytes, 0, true) != Some(bytes.len()) {
                let error = self.outcome.errors.pop();
                self.outcome.fatal = self.outcome.fatal.take().or(error);
            }
        } else {
            self.outcome.records += 1;
            self.sink.commit_item(bytes.len());
        }
    }

    fn cut_fault(&mut self, fault: &CutFault) {
        self.bad(&Fault::new(fault.code, fault.at, &*fault.message), 0);
        if fault.fatal && self.outcome.fatal.is_none() {
            self.outcome.fatal = self.outcome.errors.pop();
        }
    }

    /// Counts a bad record, or ends the run in it.
    #[cold]
    fn bad(&mut self, fault: &Fault, base: usize) {
        if !self.skip || self.outcome.errors.len() < KEPT {
            let mut error = error_at(self.block, base + fault.at, fault.code, &*fault.message).at_item(self.outcome.records);
            if !fault.path.is_empty() {
                error = error.at_path(path::to_text(fault.path.iter().rev()));
            }
            if self.skip {
                self.outcome.errors.push(error);
            } else {
                self.outcome.fatal = Some(error);
            }
        }
        self.outcome.records += 1;
        self.outcome.skipped += u64::from(self.skip);
    }
}

fn not_utf8(fault: &mut Fault, byte: u8) {
    fault.code = Code::Utf8;
    fault.message = format!("byte 0x{byte:02x} is not UTF-8");
}
