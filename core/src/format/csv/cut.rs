//! CSV → blocks: cut at the borders of records, which only their quotes tell, with the header
//! for each block.

use std::ops::Range;
use std::sync::Arc;

use super::scan::{self, Found};
use super::{CsvOptions, Header};
use crate::block::{CutFault, MAX_RECORD_BYTES, too_long};
use crate::error::Code;

/// What a block's decoder has to know beside its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// The columns; `None` where the file has none.
    pub header: Option<Arc<Header>>,
    /// Where in the block the records are, one after the other.
    pub records: Range<usize>,
    /// The record behind them that is broken, and nobody knows where it ends.
    pub broken: Option<Broken>,
}

/// A broken record whose end is not known.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong, and where, counted from the block's start.
    pub fault: CutFault,
    /// In which column, where that is known.
    pub column: Option<usize>,
    /// Newlines between the block's end and it, where it is behind that.
    pub lines_beyond: u64,
}

/// What a scan for a border came to.
pub struct Border {
    /// A block ends here.
    pub end: usize,
    /// The file fails here.
    pub fault: Option<CutFault>,
}

/// How far the bytes are read. Indices are into the bytes since the last border.
#[derive(Debug)]
enum State {
    /// The header comes next.
    Header,
    /// A record starts at `at`.
    Records,
    /// A broken record starts at `start`, and a line to go on at is looked for from `at` on:
    /// behind its next newline. So many lines were none.
    Broken { broken: Broken, start: usize, lines: u64 },
    /// No such line was near. With `inside` `at` is inside of a line.
    Resuming { inside: bool },
}

/// Cuts a file of CSV.
#[derive(Debug)]
pub struct Stream {
    options: Arc<CsvOptions>,
    header: Option<Arc<Header>>,
    /// The file's first bytes were looked at.
    begun: bool,
    state: State,
    at: usize,
    /// The block's first record.
    first: usize,
    /// Looking again is of no use before there are so many bytes.
    wait: usize,
}

/// A record, or `None` where it needs more bytes.
enum Next {
    Record { end: usize, next: usize },
    Broken { at: usize, reach: usize, message: &'static str },
    TooLong,
    Beyond,
}

impl Stream {
    /// The start of a file.
    pub fn new(options: Arc<CsvOptions>) -> Self {
        Self { options, header: None, begun: false, state: State::Header, at: 0, first: 0, wait: 0 }
    }

    /// The start of the block that ends now, at the index that [`Self::scan`] gave.
    pub fn take(&mut self, end: usize) -> Start {
        let header = self.header.clone();
        let (records, broken) = match std::mem::replace(&mut self.state, State::Records) {
            State::Broken { broken, start, .. } => {
                // Where the block ends inside of a line, what follows is not known to be a record.
                let inside = self.at > end;
                self.at = end;
                self.state = if inside { State::Resuming { inside } } else { State::Records };
                (self.first..start, Some(broken))
            }
            state @ (State::Resuming { .. } | State::Header) => {
                self.state = state;
                (end..end, None)
            }
            State::Records => (self.first..end, None),
        };
        self.at -= end.min(self.at);
        self.first = 0;
        self.wait = 0;
        Start { header, records, broken }
    }

    /// Goes on in `bytes`, up to the first border at or behind `target`. The bytes begin where
    /// the last block ended. `None` where more of them are needed.
    pub fn scan(&mut self, bytes: &[u8], finished: bool, target: usize) -> Option<Border> {
        if bytes.is_empty() || bytes.len() < self.wait && !finished {
            return None;
        }
        loop {
            match self.state {
                State::Header => {
                    if let Some(border) = self.read_header(bytes, finished, target)? {
                        return Some(border);
                    }
                }
                State::Records => {
                    if let Some(end) = self.records(bytes, finished, target)? {
                        return border(end);
                    }
                }
                State::Broken { .. } => return self.behind_broken(bytes, finished).and_then(border),
                State::Resuming { inside } => {
                    if let Some(end) = self.resume(bytes, finished, target, inside)? {
                        return border(end);
                    }
                }
            }
        }
    }

    /// The header. Inner `None` where it is one; outer where more bytes are needed.
    #[allow(clippy::option_option)]
    fn read_header(&mut self, bytes: &[u8], finished: bool, target: usize) -> Option<Option<Border>> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let fails = |fault: CutFault| Some(Some(Border { end: fault.at, fault: Some(fault) }));
        let fatal = |code: Code, at: usize, message: String| fails(CutFault::fatal(code, at, message));
        // Only at the file's start it is a mark.
        if !self.begun && MARK.starts_with(&bytes[..bytes.len().min(MARK.len())]) {
            if bytes.len() < MARK.len() && !finished {
                return None;
            }
            if bytes.len() < MARK.len() {
                return fatal(Code::ByteOrderMark, 0, "the file ends inside a byte order mark".into());
            }
            return fatal(
                Code::ByteOrderMark,
                0,
                "the file begins with a byte order mark, which would be part of the first column's name".into(),
            );
        }
        self.begun = true;
        if let Some(names) = &self.options.header {
            match Header::new(&self.options, names.clone()) {
                Ok(header) => self.header = Some(header),
                Err((_, message)) => return fatal(Code::CsvHeader, 0, message),
            }
            self.state = State::Records;
            return Some(None);
        }
        loop {
            if self.at == bytes.len() {
                if !finished {
                    return None;
                }
                // Nothing but empty lines: no header, and no items.
                self.state = State::Records;
                return Some(None);
            }
            if self.at >= target {
                return Some(border(self.at));
            }
            let (end, next) = match self.record_at(bytes, self.at, finished) {
                Next::Beyond => return None,
                Next::TooLong => return fails(CutFault { fatal: true, ..too_long(self.at) }),
                Next::Broken { at, message, .. } => return fatal(Code::Csv, at, format!("the header has {message}")),
                Next::Record { end, next } if end == self.at => {
                    self.at = next;
                    continue;
                }
                Next::Record { end, next } => (end, next),
            };
            let line = &bytes[self.at..end];
            let mut names = Vec::new();
            for cell in scan::cells(line, self.options.delimiter) {
                match String::from_utf8(scan::content(&line[cell.clone()]).into_owned()) {
                    Ok(name) => names.push(name),
                    Err(_) => {
                        let message = "a name in the header is not UTF-8";
                        return fails(CutFault::fatal(Code::Utf8, self.at + cell.start, message));
                    }
                }
            }
            match Header::new(&self.options, names) {
                Ok(header) => self.header = Some(header),
                Err((place, message)) => {
                    let start = scan::cells(line, self.options.delimiter).nth(place).map_or(0, |cell| cell.start);
                    return fatal(Code::CsvHeader, self.at + start, message);
                }
            }
            self.at = next;
            self.first = next;
            self.state = State::Records;
            return Some(None);
        }
    }

    /// Goes on from record to record: the block's end, or `None` where a broken one is found.
    #[allow(clippy::option_option)]
    fn records(&mut self, bytes: &[u8], finished: bool, target: usize) -> Option<Option<usize>> {
        loop {
            // Up to the next quote every newline ends a record.
            let near = &bytes[self.at..bytes.len().min(target).max(self.at)];
            let plain = &near[..memchr::memchr(b'"', near).unwrap_or(near.len())];
            if let Some(newline) = memchr::memrchr(b'\n', plain) {
                self.at += newline + 1;
            }
            if self.at >= target {
                return Some(Some(self.at));
            }
            if self.at == bytes.len() {
                return finished.then_some(Some(self.at));
            }
            let start = self.at;
            let (fault, column) = match self.record_at(bytes, start, finished) {
                Next::Beyond => return None,
                Next::Record { next, .. } => {
                    self.at = next;
                    continue;
                }
                Next::TooLong => (too_long(start), None),
                Next::Broken { at, reach, message } => {
                    if memchr::memchr(b'\n', &bytes[start..reach]).is_none() {
                        // The decoder says it, and goes on at the next line, too.
                        let limit = bytes.len().min(start + MAX_RECORD_BYTES);
                        if let Some(newline) = memchr::memchr(b'\n', &bytes[reach.min(limit)..limit]) {
                            self.at = reach + newline + 1;
                            continue;
                        }
                        if limit == bytes.len() {
                            self.at = if finished { limit } else { start };
                            self.wait_for(bytes, start);
                            if finished {
                                continue;
                            }
                            return None;
                        }
                    }
                    let message = message.to_owned();
                    let column = scan::cell_at(&bytes[start..], self.options.delimiter, at - start);
                    (CutFault { code: Code::Csv, message, at, fatal: false }, Some(column))
                }
            };
            self.state = State::Broken { broken: Broken { fault, column, lines_beyond: 0 }, start, lines: 0 };
            return Some(None);
        }
    }

    /// Behind a broken record: the start of the next line that is a record of as many columns
    /// as the header has, if there is one in the bytes that a record may have.
    fn behind_broken(&mut self, bytes: &[u8], finished: bool) -> Option<usize> {
        let State::Broken { start, .. } = self.state else { return None };
        let limit = bytes.len().min(start + MAX_RECORD_BYTES);
        let mut found = None;
        while found.is_none() {
            match memchr::memchr(b'\n', &bytes[self.at.min(limit)..limit]) {
                Some(newline) => {
                    let line = self.at + newline + 1;
                    if line == bytes.len() {
                        if !finished {
                            return None;
                        }
                        found = Some(line);
                    } else if self.is_record(bytes, line, finished)? {
                        found = Some(line);
                    } else if let State::Broken { lines, .. } = &mut self.state {
                        *lines += 1;
                    }
                    self.at = line;
                }
                None if limit == bytes.len() && !finished => return None,
                None => break,
            }
        }
        let end = found.unwrap_or(limit);
        if let State::Broken { broken, start, lines } = &mut self.state {
            let beyond = bytes.get(end..broken.fault.at).unwrap_or_default();
            broken.lines_beyond = memchr::memchr_iter(b'\n', beyond).count() as u64;
            let first = memchr::memchr(b'\n', &bytes[*start..end]).map_or(end, |newline| *start + newline + 1);
            if end > first {
                let least = if found.is_none() && end < bytes.len() { "at least " } else { "" };
                let lines = (*lines).max(1);
                let plural = if lines == 1 { "" } else { "s" };
                broken.fault.message +=
                    &format!("; {least}{} bytes behind its first line, {lines} line{plural}, were not examined", end - first);
            }
            // Inside of a line, unless that is where the file ends.
            self.at = if found.is_none() && !(finished && end == bytes.len()) { end + 1 } else { end };
        }
        Some(end)
    }

    /// Looks for a line to go on at: the block's end, or `None` where one is found.
    #[allow(clippy::option_option)]
    fn resume(&mut self, bytes: &[u8], finished: bool, target: usize, mut inside: bool) -> Option<Option<usize>> {
        loop {
            if inside {
                let limit = bytes.len().min(target);
                let newline = memchr::memchr(b'\n', &bytes[self.at.min(limit)..limit]);
                self.at = newline.map_or(limit, |newline| self.at + newline + 1);
                inside = newline.is_none();
                self.state = State::Resuming { inside };
            }
            if self.at >= target {
                return Some(Some(self.at));
            }
            if self.at == bytes.len() {
                return finished.then_some(Some(self.at));
            }
            if self.is_record(bytes, self.at, finished)? {
                self.first = self.at;
                self.state = State::Records;
                return Some(None);
            }
            inside = true;
        }
    }

    /// Whether a record with the header's number of columns starts here.
    fn is_record(&mut self, bytes: &[u8], at: usize, finished: bool) -> Option<bool> {
        match self.record_at(bytes, at, finished) {
            Next::Beyond => None,
            Next::Record { end, .. } => {
                let columns = self.header.as_ref().map_or(0, |header| header.columns.len());
                Some(end > at && scan::cells(&bytes[at..end], self.options.delimiter).count() == columns)
            }
            Next::Broken { .. } | Next::TooLong => Some(false),
        }
    }

    /// The record that starts here. Whether it is too long must not depend on how many bytes
    /// have come: no more are looked at than one may have, with its newline.
    fn record_at(&mut self, bytes: &[u8], start: usize, finished: bool) -> Next {
        let limit = bytes.len().min(start + MAX_RECORD_BYTES + 2);
        let cut = limit < bytes.len();
        match scan::record(&bytes[start..limit], self.options.delimiter, finished && !cut) {
            Found::Record { end, .. } if end > MAX_RECORD_BYTES => Next::TooLong,
            Found::Record { end, next } => Next::Record { end: start + end, next: start + next },
            Found::Broken { at, reach, message } => Next::Broken { at: start + at, reach: start + reach, message },
            Found::Beyond if cut => Next::TooLong,
            Found::Beyond => {
                self.wait_for(bytes, start);
                Next::Beyond
            }
        }
    }

    /// What starts here needs more bytes: twice as many each time, so that each is looked at
    /// twice on average.
    fn wait_for(&mut self, bytes: &[u8], start: usize) {
        self.wait = (2 * bytes.len() - start + 1).min(start + MAX_RECORD_BYTES + 3);
    }
}

#[allow(clippy::unnecessary_wraps)] // as scan gives it
fn border(end: usize) -> Option<Border> {
    Some(Border { end, fault: None })
}
