//! An Ion stream between its values: markers, symbol tables, the list that holds the
//! records; and how its bytes are cut into blocks.
//!
//! Whoever cuts and whoever decodes walk over the same bytes with the same [`Top`], so that
//! a block can be decoded from nothing but its bytes and the [`Start`] that goes with it.

use super::binary;
use super::scan::{self, Beyond, End, Resume, is_identifier};
use crate::block::{CutFault, MAX_RECORD_BYTES, Scanned, too_long};
use crate::error::Code;

/// What a block's decoder has to know of what stands before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Where the top level stands.
    pub top: Top,
    /// The bytes are binary Ion.
    pub binary: bool,
    /// The block ends outside of a list: one that is open then ends too early.
    pub whole: bool,
    /// A broken record stands before the block: it begins at the next line that begins a
    /// record, for a record whose line was indented so far.
    pub resume: Option<usize>,
}

impl Start {
    /// The start of a stream that is one block.
    pub fn of(bytes: &[u8]) -> Self {
        Self { binary: bytes.starts_with(&binary::MARKER), whole: true, ..Self::default() }
    }
}

/// The top level of a stream, between two values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// The symbol tables since the last version marker, as they were written (in binary Ion
    /// with the marker).
    pub context: Vec<u8>,
    /// The records are the elements of a list.
    in_list: bool,
    /// A record stands before: in a list a comma or the end must follow.
    behind_value: bool,
}

/// What comes next at the top level of a text.
pub enum Next {
    /// A record, or what stands in its place, starts at this index.
    Value(usize),
    /// The bytes end between values.
    End,
    /// The bytes end in something that starts at this index.
    Beyond(usize, Beyond),
    /// What stands at the second index cannot stand there. The first is where it belongs to.
    Broken(usize, usize, &'static str),
    /// The marker of another version.
    Version(usize),
}

impl Top {
    /// Whether a list is open.
    pub fn in_list(&self) -> bool {
        self.in_list
    }

    /// A record ended, or was passed over up to its end.
    pub fn value_ended(&mut self) {
        self.behind_value = true;
    }

    /// A broken record was passed over up to a line that begins a record.
    pub fn resumed(&mut self) {
        self.behind_value = false;
    }

    /// Goes on at `at` to the next record; `at` is moved past what stands between.
    pub fn next(&mut self, bytes: &[u8], at: &mut usize, finished: bool) -> Next {
        loop {
            let Some(&byte) = bytes.get(*at) else { return Next::End };
            match byte {
                _ if scan::is_white(byte) => *at += 1,
                b'/' => match scan::comment_end(bytes, *at, finished) {
                    Ok(end) if end - *at <= MAX_RECORD_BYTES => *at = end,
                    Ok(_) => return Next::Beyond(*at, Beyond::Comment),
                    Err(End::Broken(found, message)) => return Next::Broken(found, found, message),
                    Err(_) => return Next::Beyond(*at, Beyond::Comment),
                },
                b'$' | b'\'' if !self.in_list => {
                    if let Some(next) = self.system_value(bytes, at, finished) {
                        return next;
                    }
                }
                b'[' if !self.in_list => {
                    self.in_list = true;
                    self.behind_value = false;
                    *at += 1;
                }
                b']' if self.in_list => {
                    self.in_list = false;
                    *at += 1;
                }
                b',' if self.in_list && self.behind_value => {
                    self.behind_value = false;
                    *at += 1;
                }
                _ if self.in_list && self.behind_value => return Next::Broken(*at, *at, "expected `,` or `]`"),
                _ => return Next::Value(*at),
            }
        }
    }

    /// A version marker or a symbol table, which are no records; `None` behind one.
    fn system_value(&mut self, bytes: &[u8], at: &mut usize, finished: bool) -> Option<Next> {
        if scan::starts_with_marker(&bytes[*at..], finished) == Some(true) {
            let end = *at + scan::MARKER.len();
            // As an annotation it is none.
            if !scan::white_end(bytes, end, finished).is_ok_and(|at| bytes[at..].starts_with(b"::")) {
                *at = end;
                self.context.clear();
                return None;
            }
        }
        let end = match scan::value_end(bytes, *at, finished) {
            End::At(end) => end,
            End::Beyond(beyond) => return Some(Next::Beyond(*at, beyond)),
            End::Broken(found, message) => return Some(Next::Broken(*at, found, message)),
        };
        let value = &bytes[*at..end];
        if is_marker(value) {
            return Some(Next::Version(*at));
        }
        if !is_symbol_table(value) {
            return Some(Next::Value(*at));
        }
        if self.context.len() + value.len() > MAX_RECORD_BYTES {
            return Some(Next::Broken(*at, *at, "symbol tables of more than 16 MiB"));
        }
        // A table that imports none replaces those before it.
        if [&b"imports"[..], b"$6"].iter().all(|what| memchr::memmem::find(value, what).is_none()) && !value.contains(&b'\\') {
            self.context.clear();
        }
        self.context.extend_from_slice(value);
        self.context.push(b' ');
        *at = end;
        None
    }
}

/// Whether a value is the marker of a version: `$ion_1_1`.
fn is_marker(value: &[u8]) -> bool {
    let Some(version) = value.strip_prefix(b"$ion_") else { return false };
    let mut parts = version.split(|&b| b == b'_');
    let mut number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    number() && number() && parts.next().is_none()
}

/// Whether a value is annotated as a symbol table.
fn is_symbol_table(value: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"$ion_symbol_table", b"'$ion_symbol_table'", b"$3"];
    NAMES.iter().any(|name| {
        value.strip_prefix(*name).is_some_and(|rest| {
            !rest.first().is_some_and(|&b| is_identifier(b))
                && scan::white_end(rest, 0, true).is_ok_and(|colons| {
                    let is_struct = |at: usize| rest[at..].starts_with(b"{") && !rest[at..].starts_with(b"{{");
                    rest[colons..].starts_with(b"::") && scan::white_end(rest, colons + 2, true).is_ok_and(is_struct)
                })
        })
    })
}

/// Whether the first bytes of a file are Ion rather than JSON; `None` where more are needed.
/// Ion holds all of JSON: what could be both is JSON.
pub fn is_ion(bytes: &[u8], finished: bool) -> Option<bool> {
    if binary::MARKER.starts_with(&bytes[..bytes.len().min(4)]) && !bytes.is_empty() {
        return if bytes.len() >= 4 || finished { Some(bytes.len() >= 4) } else { None };
    }
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'{' | b'[' => {}
            _ if scan::is_white(byte) => {}
            // In the second place a name follows, or a marker.
            b'$' | b'\'' | b'/' | b'_' => return Some(true),
            _ => return Some(byte.is_ascii_alphabetic() && bytes[..at].contains(&b'{')),
        }
    }
    (finished || bytes.len() > scan::MOST_BLANKS).then_some(false)
}

/// How the blocks of a stream are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// The first bytes have not shown yet.
    #[default]
    Unknown,
    /// As exporters write: every record on a line of its own that begins with the marker.
    /// Such a line is a border.
    Lines,
    /// Values, found one by one.
    Values,
    /// Binary values, found by their lengths.
    Binary,
}

/// Cuts an Ion stream.
#[derive(Debug, Default)]
pub struct Stream {
    mode: Mode,
    /// Of the block that is being looked at.
    start: Start,
    top: Top,
    resume: Option<usize>,
    at: usize,
    /// Looking again is of no use before there are so many bytes.
    wait: usize,
}

impl Stream {
    /// The start of the block that ends now, at the index that [`Self::scan`] gave.
    pub fn take(&mut self, end: usize) -> Start {
        self.at -= end.min(self.at);
        self.wait = 0;
        let next = Start { top: self.top.clone(), resume: self.resume, binary: self.start.binary, whole: false };
        let whole = self.mode == Mode::Lines;
        Start { whole, ..std::mem::replace(&mut self.start, next) }
    }

    /// Goes on in `bytes`, up to the first border at or behind `target`. The bytes begin
    /// where the last block ended.
    pub fn scan(&mut self, bytes: &[u8], finished: bool, target: usize) -> Scanned {
        let none = Scanned::default();
        if bytes.len() < self.wait && !finished {
            return none;
        }
        loop {
            match self.mode {
                Mode::Unknown => match kind(bytes, finished) {
                    Some(mode) => {
                        self.mode = mode;
                        self.start.binary = mode == Mode::Binary;
                    }
                    None => return none,
                },
                Mode::Lines => match self.line_border(bytes, finished, target) {
                    Some(Some(end)) => return border(end),
                    Some(None) => return none,
                    None => {
                        self.mode = Mode::Values;
                        self.at = 0;
                    }
                },
                Mode::Values => return self.values(bytes, finished, target),
                Mode::Binary => return self.binary(bytes, finished, target),
            }
        }
    }

    /// The border at the next line that begins with the marker. Outer `None` where the lines
    /// cannot be told from text inside a value: then values are found one by one.
    #[allow(clippy::option_option)] // no such border, not yet, here
    fn line_border(&mut self, bytes: &[u8], finished: bool, target: usize) -> Option<Option<usize>> {
        if bytes.is_empty() {
            return Some(None);
        }
        let mut at = self.at.max(target - 1);
        let end = loop {
            let Some(found) = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) else {
                self.at = at.max(bytes.len());
                if !finished {
                    return if bytes.len() > target + MAX_RECORD_BYTES { None } else { Some(None) };
                }
                break bytes.len();
            };
            let newline = at + found;
            let blanks = bytes[newline + 1..].iter().take_while(|&&b| matches!(b, b' ' | b'\t')).count();
            match starts_record(&bytes[newline + 1 + blanks..], finished) {
                Some(true) => break newline + 1,
                Some(false) => at = newline + 1,
                None => {
                    self.at = newline;
                    return if bytes.len() > target + MAX_RECORD_BYTES { None } else { Some(None) };
                }
            }
        };
        let block = &bytes[..end];
        // Only inside these a line that begins with the marker is no new value.
        let hides = [&b"'''"[..], b"/*", b"\\\n", b"\\\r"].into_iter().any(|what| memchr::memmem::find(block, what).is_some());
        if hides || end > target + MAX_RECORD_BYTES {
            return None;
        }
        self.at = end;
        self.top = Top::default();
        Some(Some(end))
    }

    fn values(&mut self, bytes: &[u8], finished: bool, target: usize) -> Scanned {
        loop {
            if let Some(indent) = self.resume {
                match scan::resume(bytes, self.at, indent, finished) {
                    Resume::At(at) => {
                        self.at = at;
                        self.resume = None;
                        self.top.resumed();
                    }
                    // Nothing before `at` begins a record, wherever the search goes on.
                    Resume::Later(at) if at >= target => {
                        self.at = target;
                        return border(target);
                    }
                    Resume::Later(at) if !finished => {
                        self.at = at;
                        return Scanned::default();
                    }
                    Resume::Later(_) => {
                        self.at = bytes.len();
                        self.resume = None;
                    }
                }
            } else if self.at >= target {
                return border(self.at);
            }
            let (start, end) = match self.top.next(bytes, &mut self.at, finished) {
                Next::Value(start) => (start, scan::value_end(bytes, start, finished)),
                Next::Beyond(start, beyond) => (start, End::Beyond(beyond)),
                // What stands there is passed over, as the decoder does.
                Next::Broken(start, ..) => (start, scan::value_end(bytes, start, finished)),
                // The decoder says it, and nothing behind it is read.
                Next::Version(_) => return border(bytes.len()),
                Next::End if !finished && self.at >= target => return border(self.at),
                Next::End if !finished => return Scanned::default(),
                Next::End => {
                    let fault =
                        self.top.in_list.then(|| CutFault::fatal(Code::Truncated, bytes.len(), "the list of records ends too early"));
                    let end = (fault.is_some() || !bytes.is_empty()).then_some(bytes.len());
                    return Scanned { end, fault, passed_over: 0 };
                }
            };
            let length = match end {
                End::At(end) | End::Broken(end, _) => end - start,
                End::Beyond(_) => bytes.len() - start,
            };
            if length > MAX_RECORD_BYTES {
                self.resume = Some(scan::indent(bytes, start));
                self.at = start;
                return Scanned { end: Some(start), fault: Some(too_long(start)), passed_over: MAX_RECORD_BYTES };
            }
            match end {
                End::At(end) => {
                    self.at = end;
                    self.top.value_ended();
                }
                End::Beyond(_) if !finished => {
                    // Twice as much of the value each time: it is looked at twice on average.
                    self.wait = start + 2 * length + 1;
                    return Scanned::default();
                }
                // A comment has no lines to go on at.
                End::Beyond(Beyond::Comment) => self.at = bytes.len(),
                End::Beyond(Beyond::Value) | End::Broken(..) => {
                    self.resume = Some(scan::indent(bytes, start));
                    self.at = start;
                    let passed_over = scan::behind_broken(bytes, start, end) - start;
                    if passed_over > 0 {
                        // No block holds it: where one ends would show in what is read.
                        let message = format!("a record that is broken; {passed_over} bytes were passed over");
                        let fault = CutFault { code: Code::Ion, message, at: start, fatal: false };
                        return Scanned { end: Some(start), fault: Some(fault), passed_over };
                    }
                }
            }
        }
    }

    fn binary(&mut self, bytes: &[u8], finished: bool, target: usize) -> Scanned {
        loop {
            let start = self.at;
            if start >= target {
                return border(start);
            }
            let fatal = |fault: CutFault| Scanned { end: Some(start), fault: Some(CutFault { fatal: true, ..fault }), passed_over: 0 };
            match binary::value_end(bytes, start) {
                // Its length says where the next one starts, but not whether it is one.
                End::At(end) if end - start > MAX_RECORD_BYTES => return fatal(too_long(start)),
                End::At(end) if end <= bytes.len() => {
                    if !binary::see(&mut self.top.context, &bytes[start..end]) {
                        return fatal(too_long(start));
                    }
                    self.at = end;
                }
                End::Broken(at, message) => return fatal(CutFault::fatal(Code::Ion, at, message)),
                _ if !finished => return Scanned::default(),
                _ if start == bytes.len() => return Scanned { end: (start > 0).then_some(start), fault: None, passed_over: 0 },
                _ => return fatal(CutFault::fatal(Code::Truncated, start, "the binary Ion ends inside a value")),
            }
        }
    }
}

fn border(end: usize) -> Scanned {
    Scanned { end: Some(end), fault: None, passed_over: 0 }
}

/// Whether a line's first record starts here, behind its marker: in the middle of a value a
/// marker is a symbol, and no bracket follows it.
fn starts_record(bytes: &[u8], finished: bool) -> Option<bool> {
    if !scan::starts_with_marker(bytes, finished)? {
        return Some(false);
    }
    match bytes[scan::MARKER.len()..].iter().find(|b| !matches!(b, b' ' | b'\t')) {
        Some(next) => Some(matches!(next, b'{' | b'[')),
        None => finished.then_some(false),
    }
}

/// How a stream is written, as its first bytes show.
fn kind(bytes: &[u8], finished: bool) -> Option<Mode> {
    if bytes.starts_with(&binary::MARKER[..1]) {
        return Some(Mode::Binary);
    }
    // Lines, if the first two are: the second is where others differ.
    let Some(newline) = memchr::memchr(b'\n', bytes) else {
        return if finished || bytes.len() > MAX_RECORD_BYTES { Some(Mode::Values) } else { None };
    };
    let line = |from: usize| {
        let start = bytes[from..].iter().position(|b| !matches!(b, b' ' | b'\t')).map_or(bytes.len(), |n| from + n);
        match start == bytes.len() {
            // Nobody indents so far.
            true if start - from > scan::MOST_BLANKS => Some(false),
            true => finished.then_some(true),
            false => starts_record(&bytes[start..], finished),
        }
    };
    match (line(0)?, line(newline + 1)?) {
        (true, true) => Some(Mode::Lines),
        _ => Some(Mode::Values),
    }
}
