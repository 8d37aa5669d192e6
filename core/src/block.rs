//! Blocks: the unit of work.
//!
//! A file's inflated bytes are cut at the first record border at or after n · 1 MiB,
//! whatever chunks they came in, so that any worker can parse any block and the results,
//! taken in order, are the same for every chunk size and thread count.
//!
//! Two ways of finding borders serve all formats but CSV ([`csv::cut`]). *Lines*: a newline ends a record, and
//! the cutter looks no deeper. *Values*: records are found one by one by their brackets,
//! for JSON documents (`{"Items": […]}`, arrays, pretty-printed text), for lines too long
//! to be held, and for Ion that is not written line by line.

use std::ops::Range;
use std::sync::Arc;

use crate::codec::Codec;
use crate::error::Code;
use crate::format::SourceFormat;
use crate::format::csv::{self, CsvOptions};
use crate::format::ion::stream::{Start, Stream, is_ion};
use crate::format::json::document::Document;
use crate::format::json::scan::{ValueEnd, line_end};
use crate::format::legacy::is_legacy;

/// A block is cut at the first record border at or after each multiple of this.
pub const BLOCK_BYTES: usize = 1 << 20;

/// A record may have so many bytes. A legal item of 400 KB can be 2.7 MiB of JSON, and a
/// line of an incremental export twice that.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// Some records of a file, whole.
#[derive(Debug)]
pub struct Block {
    /// The file's place in the list of files.
    pub file: usize,
    /// The block's place in its file.
    pub index: usize,
    /// The first byte, in the inflated file.
    pub byte: u64,
    /// The first byte's line, from 1.
    pub line: u64,
    /// The bytes.
    pub data: Vec<u8>,
    /// Where in them the records are.
    pub records: Records,
    /// The file's format, where it was known before the file was read, or where its lines are
    /// those of a legacy dump.
    pub format: Option<SourceFormat>,
    /// How the file is compressed.
    pub codec: Codec,
    /// Bytes behind the records that cannot be one.
    pub fault: Option<CutFault>,
}

/// Where the records of a block are.
#[derive(Debug, PartialEq, Eq)]
pub enum Records {
    /// Anywhere on lines; a newline ends a record.
    Lines,
    /// In these ranges, as parts of a line: a newline inside is an error.
    OnLine(Vec<Range<usize>>),
    /// In these ranges of a document: newlines are white space.
    InDocument(Vec<Range<usize>>),
    /// In an Ion stream, one after the other; the block starts so.
    Ion(Start),
    /// In lines of CSV, whose quotes may hold newlines.
    Csv(csv::cut::Start),
}

/// What a scan for a border came to.
#[derive(Default)]
pub struct Scanned {
    /// A block ends here; `None` where more bytes are needed.
    pub end: Option<usize>,
    /// What stands there is no record.
    pub fault: Option<CutFault>,
    /// So many bytes behind the block are in none.
    pub passed_over: usize,
}

/// What the cutter could make no record of.
#[derive(Debug, PartialEq, Eq)]
pub struct CutFault {
    /// The error's code.
    pub code: Code,
    /// The error's text.
    pub message: String,
    /// Where, as an index into the block's data.
    pub at: usize,
    /// Nothing behind it can be read: the file fails even where bad records are skipped.
    pub fatal: bool,
}

/// Cuts the inflated bytes of one file into blocks.
#[derive(Debug)]
pub struct Cutter {
    file: usize,
    /// The format, where it is known.
    format: Option<SourceFormat>,
    /// How CSV is read.
    csv: Arc<CsvOptions>,
    index: usize,
    /// Bytes that are in no block yet.
    buffer: Vec<u8>,
    /// The file's byte at the buffer's start, and its line.
    byte: u64,
    line: u64,
    /// Up to here the buffer is known to hold no border behind the next multiple.
    searched: usize,
    mode: Mode,
    finished: bool,
}

#[derive(Debug)]
enum Mode {
    /// The first bytes have not shown yet what the file is.
    Unknown,
    Lines,
    /// A line of more than `MAX_RECORD_BYTES`: its records one by one.
    LongLine(LongLine),
    /// Throws the rest of a line away whose record could not be held.
    RestOfLine,
    Document(Document),
    Ion(Stream),
    Csv(Box<csv::cut::Stream>),
    /// Nothing more is wanted.
    Ended,
}

#[derive(Debug, Default)]
struct LongLine {
    found: Vec<Range<usize>>,
    /// The record that is being looked at: its start, and how far it was searched.
    open: Option<(usize, ValueEnd)>,
    at: usize,
}

impl Cutter {
    /// A cutter for the file with this place in the list of files. Where the format is not
    /// known, its first bytes tell.
    pub fn new(file: usize, format: Option<SourceFormat>) -> Self {
        Self {
            file,
            format,
            csv: Arc::default(),
            index: 0,
            buffer: Vec::new(),
            byte: 0,
            line: 1,
            searched: 0,
            mode: Mode::Unknown,
            finished: false,
        }
    }

    /// The same, where CSV is read with these options.
    #[must_use]
    pub fn with_csv(self, options: Arc<CsvOptions>) -> Self {
        Self { csv: options, ..self }
    }

    /// Room for `count` more bytes, to be followed by [`Self::filled`].
    pub fn room(&mut self, count: usize) -> &mut [u8] {
        let used = self.buffer.len();
        self.buffer.resize(used + count, 0);
        &mut self.buffer[used..]
    }

    /// Of the `count` bytes of room so many were filled.
    pub fn filled(&mut self, count: usize, filled: usize) {
        self.buffer.truncate(self.buffer.len() + filled - count);
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// No more bytes will come.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// All bytes are in blocks.
    pub fn is_done(&self) -> bool {
        self.finished && (self.buffer.is_empty() || matches!(self.mode, Mode::Ended))
    }

    /// The next block, if the bytes that came hold one.
    pub fn next_block(&mut self) -> Option<Block> {
        loop {
            match &mut self.mode {
                // A blank may be a delimiter.
                Mode::Unknown if self.format == Some(SourceFormat::Csv) => {
                    self.mode = Mode::Csv(Box::new(csv::cut::Stream::new(self.csv.clone())));
                }
                Mode::Unknown => {
                    // White space before the first record is not held.
                    let start = self.buffer.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(self.buffer.len());
                    self.drop_front(start);
                    if self.format.is_none() && is_legacy(&self.buffer, self.finished)? {
                        self.format = Some(SourceFormat::Legacy);
                    }
                    let ion = match self.format {
                        Some(format) => format == SourceFormat::Ion,
                        None => is_ion(&self.buffer, self.finished)?,
                    };
                    self.mode = if ion {
                        Mode::Ion(Stream::default())
                    } else if self.format == Some(SourceFormat::Legacy) {
                        Mode::Lines
                    } else {
                        match detect(&self.buffer, self.finished)? {
                            Shape::Lines => Mode::Lines,
                            Shape::Document => Mode::Document(Document::default()),
                        }
                    };
                }
                Mode::Lines => {
                    if let Some(end) = self.line_border() {
                        return Some(self.cut(end, Records::Lines, None));
                    }
                    if !matches!(self.mode, Mode::LongLine(_)) {
                        return None;
                    }
                }
                Mode::LongLine(_) => return self.long_line(),
                Mode::RestOfLine => {
                    let end = line_end(&self.buffer, 0);
                    self.drop_front(end);
                    if self.buffer.is_empty() {
                        return None;
                    }
                    self.mode = Mode::Lines;
                }
                Mode::Document(document) => {
                    let target = BLOCK_BYTES - (self.byte % BLOCK_BYTES as u64) as usize;
                    let state = document.scan(&self.buffer, self.finished, target);
                    let end = state.end?;
                    let found = document.take();
                    if state.fault.is_some() {
                        self.mode = Mode::Ended;
                    }
                    return Some(self.cut(end, Records::InDocument(found), state.fault));
                }
                Mode::Ion(stream) => {
                    let target = BLOCK_BYTES - (self.byte % BLOCK_BYTES as u64) as usize;
                    let state = stream.scan(&self.buffer, self.finished, target);
                    let end = state.end?;
                    let start = stream.take(end);
                    if state.fault.as_ref().is_some_and(|fault| fault.fatal) {
                        self.mode = Mode::Ended;
                    }
                    let block = self.cut(end, Records::Ion(start), state.fault);
                    self.drop_front(state.passed_over);
                    return Some(block);
                }
                Mode::Csv(stream) => {
                    let target = BLOCK_BYTES - (self.byte % BLOCK_BYTES as u64) as usize;
                    let border = stream.scan(&self.buffer, self.finished, target)?;
                    let start = stream.take(border.end);
                    if border.fault.is_some() {
                        self.mode = Mode::Ended;
                    }
                    return Some(self.cut(border.end, Records::Csv(start), border.fault));
                }
                Mode::Ended => {
                    self.buffer.clear();
                    return None;
                }
            }
        }
    }

    /// The index behind the newline at which the next block of lines ends. Turns to
    /// `Mode::LongLine` where the first line is too long to be held.
    fn line_border(&mut self) -> Option<usize> {
        if self.buffer.is_empty() {
            return None;
        }
        // The block that starts at `byte` ends at or behind the next multiple.
        let target = BLOCK_BYTES - (self.byte % BLOCK_BYTES as u64) as usize;
        let from = self.searched.max(target - 1);
        let end = if from < self.buffer.len() { line_end(&self.buffer, from) } else { self.buffer.len() };
        self.searched = end;
        if end - target.min(end) > MAX_RECORD_BYTES - BLOCK_BYTES {
            let start = memchr::memrchr(b'\n', &self.buffer[..target]).map_or(0, |at| at + 1);
            if end - start > MAX_RECORD_BYTES {
                if start > 0 {
                    return Some(start);
                }
                self.mode = Mode::LongLine(LongLine::default());
                return None;
            }
        }
        if end < self.buffer.len() {
            return Some(end + 1);
        }
        self.finished.then_some(self.buffer.len())
    }

    /// The next records of a line too long to be held.
    fn long_line(&mut self) -> Option<Block> {
        let Mode::LongLine(state) = &mut self.mode else { return None };
        let bytes = &self.buffer;
        let mut fault = None;
        let mut line_ends = false;
        while !line_ends && fault.is_none() {
            if let Some((start, finder)) = &mut state.open {
                let from = state.at;
                let newline = line_end(bytes, from);
                if let Some(end) = finder.find(&bytes[from..newline]) {
                    state.at = from + end;
                    let start = *start;
                    state.open = None;
                    if state.at - start > MAX_RECORD_BYTES {
                        state.at = start;
                        fault = Some(too_long(start));
                    } else {
                        state.found.push(start..state.at);
                    }
                } else if newline < bytes.len() || self.finished || newline - *start > MAX_RECORD_BYTES {
                    // The record is broken, or too long: what there is of it tells the decoder.
                    if newline - *start > MAX_RECORD_BYTES {
                        fault = Some(too_long(*start));
                        state.at = *start;
                    } else {
                        state.found.push(*start..newline);
                        line_ends = true;
                        state.at = newline;
                    }
                    state.open = None;
                } else {
                    state.at = newline;
                    return None;
                }
                continue;
            }
            if state.at >= BLOCK_BYTES {
                break;
            }
            match bytes.get(state.at) {
                Some(b' ' | b'\t' | b'\r') => state.at += 1,
                Some(b'{' | b'[') => state.open = Some((state.at, ValueEnd::default())),
                Some(b'\n') => line_ends = true,
                // A line without braces is one item.
                Some(_) if self.format == Some(SourceFormat::Legacy) => fault = Some(too_long(state.at)),
                Some(_) => {
                    let message = "expected an object".to_owned();
                    fault = Some(CutFault { code: Code::Json, message, at: state.at, fatal: false });
                }
                None if self.finished => line_ends = true,
                None => return None,
            }
        }
        let found = std::mem::take(&mut state.found);
        let end = state.at;
        state.at = 0;
        if line_ends {
            self.mode = Mode::Lines;
        } else if fault.is_some() {
            self.mode = Mode::RestOfLine;
        }
        Some(self.cut(end, Records::OnLine(found), fault))
    }

    /// The bytes before `end` as a block.
    fn cut(&mut self, end: usize, records: Records, fault: Option<CutFault>) -> Block {
        let rest = self.buffer.split_off(end);
        let data = std::mem::replace(&mut self.buffer, rest);
        let lines = memchr::memchr_iter(b'\n', &data).count() as u64;
        let block = Block {
            file: self.file,
            index: self.index,
            byte: self.byte,
            line: self.line,
            data,
            records,
            format: self.format,
            codec: Codec::None,
            fault,
        };
        self.index += 1;
        self.byte += end as u64;
        self.line += lines;
        self.searched = 0;
        block
    }

    fn drop_front(&mut self, count: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.buffer[..count]).count() as u64;
        self.buffer.drain(..count);
        self.byte += count as u64;
        self.searched = 0;
    }
}

/// A record that starts here is past the limit.
pub(crate) fn too_long(at: usize) -> CutFault {
    CutFault { code: Code::RecordSize, message: format!("a record of more than {} MiB", MAX_RECORD_BYTES >> 20), at, fatal: false }
}

impl CutFault {
    /// The file ends inside a value, or goes on where it should not.
    pub(crate) fn fatal(code: Code, at: usize, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at, fatal: true }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Lines,
    Document,
}

/// What a JSON file is, as far as its first bytes tell: a document where the first value is
/// an array or an object whose first member is `Items`, or where the first line ends in an
/// opening bracket; else lines.
fn detect(bytes: &[u8], finished: bool) -> Option<Shape> {
    let white = |at: usize| bytes[at..].iter().position(|b| !b.is_ascii_whitespace()).map(|n| at + n);
    let Some(start) = white(0) else { return finished.then_some(Shape::Lines) };
    match bytes[start] {
        b'[' => return Some(Shape::Document),
        b'{' => {}
        _ => return Some(Shape::Lines),
    }
    match is_page(bytes, start) {
        Some(true) => return Some(Shape::Document),
        None if !finished && bytes.len() - start <= MAX_RECORD_BYTES => return None,
        _ => {}
    }
    let newline = line_end(bytes, start);
    if newline == bytes.len() && !finished {
        return (newline - start > MAX_RECORD_BYTES).then_some(Shape::Lines);
    }
    let last = bytes[start..newline].iter().rev().find(|b| !b.is_ascii_whitespace());
    Some(if matches!(last, Some(b'{' | b'[')) { Shape::Document } else { Shape::Lines })
}

/// Whether the object that starts here is a page of results, `{"Items": […`; `None` where
/// more bytes are needed to tell.
pub(crate) fn is_page(bytes: &[u8], start: usize) -> Option<bool> {
    let mut at = start;
    for part in [&b"{"[..], b"\"Items\"", b":", b"["] {
        at += bytes[at..].iter().position(|b| !b.is_ascii_whitespace())?;
        let there = &bytes[at..bytes.len().min(at + part.len())];
        if !part.starts_with(there) {
            return Some(false);
        }
        if there.len() < part.len() {
            return None;
        }
        at += part.len();
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: &[u8], chunk: usize) -> Vec<Block> {
        let mut cutter = Cutter::new(0, None);
        let mut blocks = Vec::new();
        for chunk in bytes.chunks(chunk) {
            cutter.push(chunk);
            blocks.extend(std::iter::from_fn(|| cutter.next_block()));
        }
        cutter.finish();
        blocks.extend(std::iter::from_fn(|| cutter.next_block()));
        assert!(cutter.is_done());
        blocks
    }

    /// Start, length and faults of the blocks: what must not depend on the chunks.
    fn shape(bytes: &[u8], chunk: usize) -> Vec<(u64, u64, usize, Records, Option<CutFault>)> {
        blocks(bytes, chunk).into_iter().map(|b| (b.byte, b.line, b.data.len(), b.records, b.fault)).collect()
    }

    fn same_for_all_chunks(bytes: &[u8]) -> Vec<(u64, u64, usize, Records, Option<CutFault>)> {
        let whole = shape(bytes, bytes.len().max(1));
        for chunk in [1 << 10, 65_537, 1 << 20] {
            assert_eq!(shape(bytes, chunk), whole, "chunks of {chunk}");
        }
        if bytes.len() < 10_000 {
            for chunk in [1, 2, 3, 7] {
                assert_eq!(shape(bytes, chunk), whole, "chunks of {chunk}");
            }
        }
        whole
    }

    #[test]
    fn white_space_is_not_held() {
        for (before, behind) in [("", "{\"a\":{\"S\":\"\"}}\n"), ("", "[{}]"), ("[", "{}]"), ("[{},", "{}]")] {
            let mut cutter = Cutter::new(0, None);
            cutter.push(before.as_bytes());
            for _ in 0..40 {
                cutter.push(&vec![b'\n'; 1 << 20]);
                std::iter::from_fn(|| cutter.next_block()).for_each(drop);
                assert!(cutter.buffer.len() <= 2 << 20, "{before}");
            }
            cutter.push(behind.as_bytes());
            cutter.finish();
            let last = std::iter::from_fn(|| cutter.next_block()).last().expect("a block");
            let lines = last.data[..last.data.len() - behind.len()].split(|&b| b == b'\n').count() as u64 - 1;
            assert_eq!(last.line + lines, (40 << 20) + 1);
        }
        // Inside a record it counts.
        for before in ["{", "[{", "{\"Items\"", "{\"Items\":"] {
            let mut cutter = Cutter::new(0, None);
            cutter.push(before.as_bytes());
            let mut fault = None;
            for _ in 0..40 {
                cutter.push(&vec![b' '; 1 << 20]);
                fault = fault.or(std::iter::from_fn(|| cutter.next_block()).find_map(|block| block.fault));
                assert!(cutter.buffer.len() <= 18 << 20, "{before}");
            }
            assert_eq!(fault.map(|fault| fault.code), Some(Code::RecordSize), "{before}");
        }
    }

    #[test]
    fn lines_are_cut_behind_each_mebibyte() {
        let mut bytes = Vec::new();
        while bytes.len() < 5 << 20 {
            let name = "x".repeat(bytes.len() % 4000);
            bytes.extend_from_slice(format!("{{\"{name}\":{{\"S\":\"\"}}}}\n").as_bytes());
        }
        let blocks = same_for_all_chunks(&bytes);
        assert!((5..=6).contains(&blocks.len()), "{}", blocks.len());
        for (n, block) in blocks.iter().enumerate().skip(1) {
            let border = block.0 as usize;
            assert_eq!(bytes[border - 1], b'\n');
            assert!(border >= n << 20 && border - (n << 20) < 4100);
        }
        assert_eq!(blocks.iter().map(|b| b.2).sum::<usize>(), bytes.len());
    }

    #[test]
    fn long_lines_are_cut_by_records() {
        let record = format!("{{\"a\":{{\"S\":\"{}\"}}}}", "}".repeat(700_000));
        let line = record.repeat(40) + "\n{}\n";
        let blocks = same_for_all_chunks(line.as_bytes());
        let records: usize = blocks.iter().map(|b| if let Records::OnLine(r) = &b.3 { r.len() } else { 0 }).sum();
        assert_eq!(records, 40);
        assert_eq!(blocks.last().map(|b| b.3 == Records::Lines), Some(true));
    }

    #[test]
    fn a_record_past_the_limit_costs_its_line() {
        let huge = format!("{{\"a\":{{\"S\":\"{}\"}}}}", "x".repeat(20 << 20));
        let bytes = format!("{{}}\n{huge}{{}}{{}}\n{{}}\n");
        let blocks = same_for_all_chunks(bytes.as_bytes());
        let faults: Vec<_> = blocks.iter().filter_map(|b| b.4.as_ref().map(|f| (f.code, b.0 + f.at as u64))).collect();
        assert_eq!(faults, [(Code::RecordSize, 3)]);
        assert_eq!(blocks.last().map(|b| (b.1, b.2)), Some((2, 4)), "the last line, with the newline of the long one");
    }

    #[test]
    fn documents_give_their_records() {
        for (text, expected) in [
            (r#"{"Items": [{"a":1}, {"b":[2]}], "Count": 2, "LastEvaluatedKey": {"a":{"S":"}"}}}"#, vec![r#"{"a":1}"#, r#"{"b":[2]}"#]),
            ("{\"Items\"\n:\n[\n{}\n]\n}", vec!["{}"]),
            ("[{\"a\":1},\n {}]\n[{}]", vec!["{\"a\":1}", "{}", "{}"]),
            ("[{\"Items\":[{\"x\":0}]},{\"Items\":[]}]", vec!["{\"x\":0}"]),
            ("{\n  \"a\": {\"S\": \"x\"}\n}\n{\n}", vec!["{\n  \"a\": {\"S\": \"x\"}\n}", "{\n}"]),
            ("[]", vec![]),
        ] {
            same_for_all_chunks(text.as_bytes());
            let found: Vec<String> = blocks(text.as_bytes(), 1)
                .iter()
                .flat_map(|b| {
                    assert_eq!(b.fault, None, "{text}");
                    let Records::InDocument(ranges) = &b.records else { panic!("not a document: {text}") };
                    ranges.iter().map(|r| String::from_utf8_lossy(&b.data[r.clone()]).into_owned())
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn broken_documents_end_in_a_fault() {
        for text in ["[{}", "[{},", "[{} {}]", "[{}]]", "{\"Items\":[{}]", "{\"Items\":[{}],\"Count\"}", "[1]", "[{\"a\":"] {
            let blocks = same_for_all_chunks(text.as_bytes());
            let fault = blocks.last().and_then(|b| b.4.as_ref());
            assert!(fault.is_some_and(|f| f.fatal), "{text}: {blocks:?}");
        }
    }
}
