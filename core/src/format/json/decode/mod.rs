//! DynamoDB JSON → events: one record, from a slice that holds it whole.
//!
//! A record is `{"Item":{…}}`, as exports have it, or the bare `{…}` of `get-item` and `scan`;
//! an attribute value is an object with one member, its type descriptor
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>).
//! The shape that exporters write (`{"S":"…"}`, no white space, no escapes) is expected
//! literally; everything else that JSON allows goes a general way.

mod change;
mod lex;
mod line;
mod plain;
mod value;

use std::marker::PhantomData;

use super::super::record::{Decoded, Fault, Form};
use super::descriptor::Descriptors;
use super::scan;
use crate::error::Code;
use crate::event::{Discard, SetMembers, Sink, Want};
use crate::name::Key;
use crate::path::Step;
use value::Opening;

/// Reads records from a text.
pub struct Decoder<'a, D> {
    descriptors: PhantomData<D>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    newline_is_space: bool,
    depth: u32,
    scratch: &'a mut Scratch,
}

/// Buffers that are used again from record to record.
#[derive(Default)]
pub struct Scratch {
    unescaped: String,
    binary: Vec<u8>,
    discard: Discard,
    members: SetMembers,
}

impl<'a, D: Descriptors> Decoder<'a, D> {
    /// A decoder of the records in `text`. In lines a newline ends a record; in documents it
    /// is white space.
    pub fn new(text: &'a str, newline_is_space: bool, scratch: &'a mut Scratch) -> Self {
        Self { descriptors: PhantomData, text, bytes: text.as_bytes(), at: 0, newline_is_space, depth: 0, scratch }
    }

    /// The index of the next byte.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes on at an index.
    pub fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// Passes over white space, newlines too; whether something follows.
    pub fn seek_record(&mut self) -> bool {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at < self.bytes.len()
    }

    /// The record at the position. The item's events go to `sink`, between `begin_item`
    /// and `commit_item`, which are the caller's.
    pub fn record<S: Sink>(&mut self, form: Form, sink: &mut S) -> Decoded {
        self.depth = 0;
        if D::LEGACY {
            return self.line(form, sink);
        }
        let start = self.at;
        if matches!(form, Form::Wrapped | Form::Either)
            && self.bytes[start..].first_chunk() == Some(b"{\"Item\":{")
            && (form == Form::Wrapped || self.is_wrapped(start))
        {
            self.at = start + b"{\"Item\":{".len();
            self.attributes(sink)?;
            return self.end_of_wrapper();
        }
        self.general_record(form, sink)
    }

    #[cold]
    fn general_record<S: Sink>(&mut self, form: Form, sink: &mut S) -> Decoded {
        let start = self.at;
        if !self.eat(b'{') {
            if self.text[start..].starts_with('\u{feff}') {
                return Err(Fault::new(Code::ByteOrderMark, start, "a byte order mark before the record"));
            }
            return Err(self.not_an_object("a record", Code::Record));
        }
        if form == Form::Any {
            self.at = scan::skip_value(self.bytes, start, self.newline_is_space)
                .ok_or_else(|| Fault::new(Code::Json, start, "broken JSON in this record"))?;
            return Ok(());
        }
        if form == Form::Plain {
            return self.plain_members(sink);
        }
        if form == Form::Changes {
            return self.change(start, sink);
        }
        if form == Form::Either && !self.is_wrapped(start) {
            if self.is_change(start) {
                return Err(Fault::new(Code::Incremental, start, "a record of an incremental export; `changes` reads these"));
            }
            return self.attributes(sink);
        }
        if form == Form::Wrapped && !self.item_comes_first(start) {
            // Broken syntax comes before what the record means.
            if let Err(fault) = self.unwanted_record()
                && fault.is_syntax()
            {
                return Err(fault);
            }
            let message = if self.is_change(start) {
                "a record of an incremental export in a full one"
            } else {
                "the record does not begin with `Item`"
            };
            return Err(Fault::new(Code::Record, start, message));
        }
        self.white();
        self.string()?;
        self.colon()?;
        self.white();
        if !self.eat(b'{') {
            return Err(self.not_an_object("`Item`", Code::Record));
        }
        self.attributes(sink)?;
        self.end_of_wrapper()
    }

    fn end_of_wrapper(&mut self) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        if self.bytes.get(self.at) == Some(&b',') {
            return Err(self.beside_item());
        }
        Err(self.unexpected("`}`"))
    }

    /// The fault of a record that goes on behind its item: broken syntax comes before what it means.
    #[cold]
    fn beside_item(&mut self) -> Box<Fault> {
        let beside = Fault::new(Code::BesideItem, self.at, "a member beside `Item`");
        self.other_members().err().unwrap_or(beside)
    }

    /// The members of an object from a comma on, for their syntax alone.
    fn other_members(&mut self) -> Decoded {
        while self.eat(b',') {
            self.white();
            self.string()?;
            self.colon()?;
            self.white();
            let start = self.at;
            self.at = scan::skip_value(self.bytes, start, self.newline_is_space)
                .ok_or_else(|| Fault::new(Code::Json, start, "broken JSON in this record"))?;
            self.white();
        }
        if self.eat(b'}') { Ok(()) } else { Err(self.unexpected("`,` or `}`")) }
    }

    /// Whether the record at `start` has its item under `Item`. A bare item may have an
    /// attribute of that name: its value is then a descriptor with no object behind it.
    fn is_wrapped(&mut self, start: usize) -> bool {
        let back = std::mem::replace(&mut self.at, start);
        let wrapped = self.opens_with("Item")
            && match self.first_member() {
                Some(Some(_)) => self.bytes.get(self.at) == Some(&b'{'),
                Some(None) | None => true,
            };
        self.at = back;
        wrapped
    }

    fn item_comes_first(&mut self, start: usize) -> bool {
        let back = std::mem::replace(&mut self.at, start);
        let first = self.opens_with("Item");
        self.at = back;
        first
    }

    /// Whether the record at `start` is a line of an incremental export.
    fn is_change(&mut self, start: usize) -> bool {
        let back = std::mem::replace(&mut self.at, start);
        let change = self.opens_with("Metadata") && self.first_member().flatten().as_deref() == Some("WriteTimestampMicros");
        self.at = back;
        change
    }

    /// Whether an object starts here whose first member has this name; goes to its value.
    fn opens_with(&mut self, name: &str) -> bool {
        self.first_member().flatten().as_deref() == Some(name)
    }

    /// Goes to the value of the first member of the object that starts here: its name, or
    /// `Some(None)` where the object is empty, or `None` where no object starts here.
    #[allow(clippy::option_option)] // no object, an empty one, one with a member
    fn first_member(&mut self) -> Option<Option<String>> {
        let start = self.at;
        if !self.eat(b'{') {
            return None;
        }
        self.white();
        if self.bytes.get(self.at) == Some(&b'}') {
            return Some(None);
        }
        let name = self.string().ok().map(str::to_owned);
        if name.is_none() || self.colon().is_err() {
            self.at = start;
            return None;
        }
        self.white();
        Some(name)
    }

    /// The value of one attribute, with its descriptor: the text has nothing else.
    pub fn only_value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.value(sink)?;
        self.white();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.unexpected("the end of the value")) }
    }

    /// The members of an item or map, behind its opening brace.
    fn attributes<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let name_at = self.at;
            let (want, opening) = match self.known_name(sink) {
                Some(found) => found,
                None => (self.name(sink)?, self.opening()),
            };
            let value = match want {
                Want::Value => self.content(opening, sink),
                Want::Nothing => self.unwanted_content(opening),
            };
            if value.is_ok() && self.bytes[self.at..].first_chunk() == Some(b"},\"") {
                self.at += 2;
                continue;
            }
            if let Err(fault) = value.and_then(|()| self.end_of_value()) {
                return Err(self.in_attribute(fault, name_at));
            }
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {
                    self.white();
                    if self.eat(b'}') {
                        return Ok(());
                    }
                    if !self.eat(b',') {
                        return Err(self.unexpected("`,` or `}`"));
                    }
                }
            }
            self.white();
        }
    }

    /// The name that starts here, if it is short and the sink knows it, with its colon; and what
    /// the value behind it begins with.
    #[inline]
    fn known_name<S: Sink>(&mut self, sink: &mut S) -> Option<(Want, Opening)> {
        // Enough for any short name with quotes and colon, and an opening.
        let [b'"', text @ ..] = self.bytes.get(self.at..)?.first_chunk::<32>()? else { return None };
        let (key, length) = Key::in_json(text.first_chunk()?)?;
        let [b':', behind @ ..] = text.get(length + 1..)? else { return None };
        let opening = Opening::new(behind);
        let want = sink.known(key)?;
        self.at += length + 3;
        Some((want, opening))
    }

    /// Any name that starts here, with its colon.
    #[inline(never)]
    fn name<S: Sink>(&mut self, sink: &mut S) -> Decoded<Want> {
        let name_at = self.at;
        let name = self.string()?;
        let want = match sink.attribute(name) {
            Ok(want) => want,
            Err(refusal) => return Err(self.in_attribute(Fault::refused(refusal, name_at), name_at)),
        };
        self.colon()?;
        Ok(want)
    }

    /// The members of a record, behind its opening brace, for their syntax alone.
    fn unwanted_record(&mut self) -> Decoded {
        let mut discard = std::mem::take(&mut self.scratch.discard);
        discard.begin_item();
        let result = self.attributes(&mut discard);
        self.scratch.discard = discard;
        result
    }

    #[cold]
    fn in_attribute(&mut self, mut fault: Box<Fault>, name_at: usize) -> Box<Fault> {
        self.at = name_at;
        if let Ok(name) = self.string() {
            fault.path.push(Step::Name(name.into()));
        }
        fault
    }
}
