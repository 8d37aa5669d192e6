//! JSON documents: values over many lines, `{"Items": […]}` as `aws dynamodb scan` prints it,
//! arrays of items or of such pages. Their records are found one by one, as the bytes
//! come; nothing but the record that is being looked at has to be held.

use std::ops::Range;

use super::scan::{self, ValueEnd};
use crate::block::{CutFault, MAX_RECORD_BYTES, Scanned, is_page};
use crate::error::Code;

/// Where the scan of a document stands.
#[derive(Debug, Default)]
pub struct Document {
    found: Vec<Range<usize>>,
    at: usize,
    /// The record that is being looked at: its start, and how far it was searched.
    record: Option<(usize, ValueEnd)>,
    open: Vec<Open>,
    expect: Expect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// An array whose elements are records, pages or arrays.
    Array,
    /// A page, behind its items.
    Page,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    /// A value, or the end of the array that has just begun.
    ValueOrEnd,
    /// A comma or a closing bracket.
    Next,
    /// A member of a page, behind its items.
    Member,
}

enum Step {
    Done,
    More,
    Fault(CutFault),
}

impl Document {
    /// The records found in the block that ends now.
    pub fn take(&mut self) -> Vec<Range<usize>> {
        self.at = 0;
        std::mem::take(&mut self.found)
    }

    /// Goes on in `bytes`, up to the first border at or behind `target`. The bytes begin
    /// where the last block ended.
    pub fn scan(&mut self, bytes: &[u8], finished: bool, target: usize) -> Scanned {
        loop {
            if self.record.is_none() && self.at >= target {
                return Scanned { end: Some(self.at), ..Scanned::default() };
            }
            match self.step(bytes, finished) {
                Step::Done => {}
                Step::Fault(fault) => return Scanned { end: Some(fault.at), fault: Some(fault), passed_over: 0 },
                Step::More if !finished => return Scanned::default(),
                Step::More => {
                    let complete = self.open.is_empty() && self.record.is_none();
                    if complete && bytes.is_empty() {
                        return Scanned::default();
                    }
                    let fault = (!complete).then(|| CutFault::fatal(Code::Truncated, bytes.len(), "the JSON document ends too early"));
                    return Scanned { end: Some(bytes.len()), fault, passed_over: 0 };
                }
            }
        }
    }

    fn step(&mut self, bytes: &[u8], finished: bool) -> Step {
        if self.record.is_some() {
            return self.rest_of_record(bytes);
        }
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let Some(&byte) = bytes.get(self.at) else { return Step::More };
        match (self.expect, byte, self.open.last()) {
            (Expect::ValueOrEnd, b']', _) | (Expect::Next, b']', Some(Open::Array)) | (Expect::Next, b'}', Some(Open::Page)) => {
                self.at += 1;
                self.open.pop();
                self.expect = self.behind_value();
            }
            (Expect::Value | Expect::ValueOrEnd, b'[', _) => {
                self.at += 1;
                self.open.push(Open::Array);
                self.expect = Expect::ValueOrEnd;
            }
            (Expect::Value | Expect::ValueOrEnd, b'{', _) => match is_page(bytes, self.at) {
                None if !finished && bytes.len() - self.at <= MAX_RECORD_BYTES => return Step::More,
                Some(true) => {
                    // Behind the bracket of the items; `is_page` has seen it.
                    self.at += bytes[self.at..].iter().position(|&b| b == b'[').map_or(0, |n| n + 1);
                    self.open.extend([Open::Page, Open::Array]);
                    self.expect = Expect::ValueOrEnd;
                }
                _ => self.record = Some((self.at, ValueEnd::default())),
            },
            (Expect::Next, b',', Some(Open::Array)) => {
                self.at += 1;
                self.expect = Expect::Value;
            }
            (Expect::Next, b',', Some(Open::Page)) => {
                self.at += 1;
                self.expect = Expect::Member;
            }
            (Expect::Member, b'"', _) => match member_end(bytes, self.at, finished) {
                Some(Some(end)) => {
                    self.at = end;
                    self.expect = Expect::Next;
                }
                None if bytes.len() - self.at <= MAX_RECORD_BYTES => return Step::More,
                _ => return Step::Fault(CutFault::fatal(Code::Json, self.at, "a member of the page that is no JSON")),
            },
            (expect, ..) => {
                let wanted = match expect {
                    Expect::Value | Expect::ValueOrEnd => "an item",
                    Expect::Next => "`,` or the end of the array or object",
                    Expect::Member => "a member of the page",
                };
                let found = String::from_utf8_lossy(&bytes[self.at..=self.at]).into_owned();
                return Step::Fault(CutFault::fatal(Code::Json, self.at, format!("expected {wanted}, found {found:?}")));
            }
        }
        Step::Done
    }

    fn rest_of_record(&mut self, bytes: &[u8]) -> Step {
        let Some((start, finder)) = &mut self.record else { return Step::Done };
        let start = *start;
        let found = finder.find(&bytes[self.at..]);
        self.at = found.map_or(bytes.len(), |n| self.at + n);
        if self.at - start > MAX_RECORD_BYTES {
            return Step::Fault(CutFault::fatal(Code::RecordSize, start, format!("a record of more than {} MiB", MAX_RECORD_BYTES >> 20)));
        }
        if found.is_none() {
            return Step::More;
        }
        self.record = None;
        self.found.push(start..self.at);
        self.expect = self.behind_value();
        Step::Done
    }

    fn behind_value(&self) -> Expect {
        if self.open.is_empty() { Expect::Value } else { Expect::Next }
    }
}

/// The index behind the member (name, colon, value) at `at`; `Some(None)` where it is
/// broken, `None` where its end has not come yet.
#[allow(clippy::option_option)] // not there yet, broken, its end
fn member_end(bytes: &[u8], at: usize, finished: bool) -> Option<Option<usize>> {
    let white = |at: usize| bytes[at..].iter().position(|b| !b.is_ascii_whitespace()).map(|n| at + n);
    let whole = || {
        let name = scan::skip_value(bytes, at, true)?;
        let colon = white(name).filter(|&n| bytes[n] == b':')?;
        let end = scan::skip_value(bytes, colon + 1, true)?;
        // A number may go on in the bytes that have not come.
        white(end).map(|_| end)
    };
    match whole() {
        Some(end) => Some(Some(end)),
        None if finished => Some(None),
        None => None,
    }
}
