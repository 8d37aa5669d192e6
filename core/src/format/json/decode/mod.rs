//! DynamoDB JSON → events: one record, from a slice that holds it whole.
//!
//! A record is `{"Item":{…}}`, as exports have it, or the bare `{…}` of `get-item` and `scan`;
//! an attribute value is an object with one member, its type descriptor
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>).
//! The shape that exporters write (`{"S":"…"}`, no white space, no escapes) is expected
//! literally; everything else that JSON allows goes a general way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

mod change;
mod lex;
mod plain;

use super::super::record::{Decoded, Fault, Form, MAX_NESTING, shown};
use super::scan;
use crate::error::Code;
use crate::event::{Discard, Kind, SetMembers, Sink, Want};
use crate::number::Number;
use crate::path::Step;

/// Reads records from a text.
pub struct Decoder<'a> {
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

impl<'a> Decoder<'a> {
    /// A decoder of the records in `text`. In lines a newline ends a record; in documents it
    /// is white space.
    pub fn new(text: &'a str, newline_is_space: bool, scratch: &'a mut Scratch) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, newline_is_space, depth: 0, scratch }
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
        let start = self.at;
        if matches!(form, Form::Wrapped | Form::Either)
            && self.bytes[start..].starts_with(b"{\"Item\":{")
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
            return Err(Fault::new(Code::Record, self.at, "a member beside `Item`"));
        }
        Err(self.unexpected("`}`"))
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
            let behind = self.bytes.get(name_at + 1..).unwrap_or_default();
            let want = if self.bytes.get(name_at) == Some(&b'"')
                && let Some((length, want)) = sink.expected(behind)
            {
                self.at += 1 + length;
                want
            } else {
                let name = self.string()?;
                match sink.attribute(name) {
                    Ok(want) => want,
                    Err(refusal) => return Err(self.in_attribute(Fault::refused(refusal, name_at), name_at)),
                }
            };
            if self.bytes.get(self.at) == Some(&b':') {
                self.at += 1;
            } else {
                self.colon()?;
            }
            let value = match want {
                Want::Value => self.value(sink),
                Want::Nothing => self.unwanted_value(),
            };
            if let Err(fault) = value {
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

    /// A value that nobody asked for: syntax, descriptors and names are checked all the same.
    fn unwanted_value(&mut self) -> Decoded {
        // Texts, numbers and binaries hold no names.
        if let Some([b'{', b'"', b'S' | b'N' | b'B', b'"', b':', b'"']) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<6>) {
            self.at += 6;
            self.string_body()?;
            return self.end_of_value();
        }
        let mut discard = std::mem::take(&mut self.scratch.discard);
        discard.begin_item();
        let result = self.value(&mut discard);
        self.scratch.discard = discard;
        result
    }

    /// The members of a record, behind its opening brace, for their syntax alone.
    fn unwanted_record(&mut self) -> Decoded {
        let mut discard = std::mem::take(&mut self.scratch.discard);
        discard.begin_item();
        let result = self.attributes(&mut discard);
        self.scratch.discard = discard;
        result
    }

    #[inline]
    fn value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        // No value is shorter: `{"S":""}`.
        let Some(head) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) else { return self.general_value(sink) };
        match head {
            [b'{', b'"', kind, b'"', b':', opener, ..] => match (kind, opener) {
                (b'S', b'"') => {
                    self.at += 6;
                    let value = self.string_body()?;
                    sink.string(value);
                }
                (b'N', b'"') => {
                    self.at += 6;
                    self.number(sink)?;
                }
                (b'M', b'{') => {
                    self.at += 6;
                    self.map(sink)?;
                }
                (b'L', b'[') => {
                    self.at += 6;
                    self.list(sink)?;
                }
                (b'B', b'"') => {
                    self.at += 6;
                    self.binary(sink)?;
                }
                _ => return self.general_value(sink),
            },
            b"{\"BOOL\":" => {
                self.at += 8;
                self.white();
                let value = self.boolean(Kind::Bool)?;
                sink.boolean(value);
            }
            b"{\"NULL\":" => {
                self.at += 8;
                self.white();
                self.boolean(Kind::Null)?;
                sink.null();
            }
            [b'{', b'"', kind @ (b'S' | b'N' | b'B'), b'S', b'"', b':', b'[', _] => {
                self.at += 7;
                let kind = match kind {
                    b'N' => Kind::NS,
                    b'B' => Kind::BS,
                    _ => Kind::SS,
                };
                self.set(kind, sink)?;
            }
            _ => return self.general_value(sink),
        }
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(());
        }
        self.end_of_value()
    }

    fn general_value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.white();
        let start = self.at;
        if !self.eat(b'{') {
            return Err(self.not_an_object("a value", Code::Descriptor));
        }
        self.white();
        if self.bytes.get(self.at) == Some(&b'}') {
            return Err(Fault::new(Code::Descriptor, start, "a value without a type descriptor"));
        }
        let at = self.at;
        let descriptor = self.string()?;
        let Some(kind) = Kind::from_descriptor(descriptor) else {
            let message = format!("unknown type descriptor {}", shown(descriptor));
            return Err(Fault::new(Code::Descriptor, at, message));
        };
        self.colon()?;
        self.white();
        match kind {
            Kind::S => {
                self.expect(b'"', kind, "a string")?;
                let value = self.string_body()?;
                sink.string(value);
            }
            Kind::N => {
                self.expect(b'"', kind, "a string")?;
                self.number(sink)?;
            }
            Kind::B => {
                self.expect(b'"', kind, "a string")?;
                self.binary(sink)?;
            }
            Kind::Bool => {
                let value = self.boolean(kind)?;
                sink.boolean(value);
            }
            // The service takes `{"NULL":false}` too, and reads it back as true.
            Kind::Null => {
                self.boolean(kind)?;
                sink.null();
            }
            Kind::M => {
                self.expect(b'{', kind, "an object")?;
                self.map(sink)?;
            }
            Kind::L => {
                self.expect(b'[', kind, "an array")?;
                self.list(sink)?;
            }
            Kind::SS | Kind::NS | Kind::BS => {
                self.expect(b'[', kind, "an array")?;
                self.set(kind, sink)?;
            }
        }
        self.end_of_value()
    }

    fn end_of_value(&mut self) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        if self.bytes.get(self.at) == Some(&b',') {
            return Err(Fault::new(Code::Descriptor, self.at, "more than one type descriptor in a value"));
        }
        Err(self.unexpected("`}`"))
    }

    fn nest(&mut self) -> Decoded {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(Fault::new(Code::Nesting, self.at, format!("maps and lists nested past {MAX_NESTING} levels")));
        }
        Ok(())
    }

    fn map<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.nest()?;
        sink.begin_map();
        self.attributes(sink)?;
        sink.end_map();
        self.depth -= 1;
        Ok(())
    }

    fn list<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.nest()?;
        sink.begin_list();
        self.white();
        if !self.eat(b']') {
            loop {
                if let Err(mut fault) = self.value(sink) {
                    fault.path.push(Step::Element);
                    return Err(fault);
                }
                if self.end_of_element()? {
                    break;
                }
            }
        }
        sink.end_list();
        self.depth -= 1;
        Ok(())
    }

    fn set<S: Sink>(&mut self, kind: Kind, sink: &mut S) -> Decoded {
        sink.begin_set(kind);
        let mut members = std::mem::take(&mut self.scratch.members);
        members.begin();
        self.white();
        if !self.eat(b']') {
            loop {
                self.white();
                let start = self.at;
                self.expect(b'"', kind, "strings only")?;
                let is_new = match kind {
                    Kind::NS => {
                        let number = self.number_text::<S>()?;
                        sink.number(number);
                        !S::VALUES || members.is_new_number(number)
                    }
                    Kind::BS => {
                        self.binary(sink)?;
                        !S::VALUES || members.is_new(&self.scratch.binary)
                    }
                    _ => {
                        let value = self.string_body()?;
                        sink.string(value);
                        !S::VALUES || members.is_new(value.as_bytes())
                    }
                };
                if !is_new {
                    return Err(Fault::new(Code::Set, start, "a member stands twice in the set"));
                }
                if self.end_of_element()? {
                    break;
                }
            }
        }
        self.scratch.members = members;
        sink.end_set();
        Ok(())
    }

    /// Behind an element: whether the array ends here.
    fn end_of_element(&mut self) -> Decoded<bool> {
        self.white();
        if self.eat(b',') {
            return Ok(false);
        }
        if self.eat(b']') {
            return Ok(true);
        }
        Err(self.unexpected("`,` or `]`"))
    }

    fn number<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let number = self.number_text::<S>()?;
        sink.number(number);
        Ok(())
    }

    /// The rest of a number's text, behind the quote.
    #[inline]
    fn number_text<S: Sink>(&mut self) -> Decoded<Number> {
        let start = self.at;
        let text = self.string_body()?;
        if !S::VALUES {
            return Ok(Number::from(0));
        }
        Number::parse(text.as_bytes()).map_err(|error| Fault::new(Code::Number, start, format!("{error}: {}", shown(text))))
    }

    /// The rest of a binary's text, behind the quote.
    fn binary<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at;
        let mut binary = std::mem::take(&mut self.scratch.binary);
        binary.clear();
        let text = self.string_body()?;
        let result = if S::VALUES { STANDARD.decode_vec(text, &mut binary) } else { Ok(()) };
        let result = match result {
            Ok(()) => {
                sink.binary(&binary);
                Ok(())
            }
            Err(error) => {
                let message = format!("not base64 ({error}): {}", shown(text));
                Err(Fault::new(Code::Base64, start, message))
            }
        };
        self.scratch.binary = binary;
        result
    }

    fn boolean(&mut self, kind: Kind) -> Decoded<bool> {
        let rest = &self.bytes[self.at..];
        let value = rest.starts_with(b"true");
        if !value && !rest.starts_with(b"false") {
            return Err(self.mismatch(kind, "true or false"));
        }
        self.at += if value { 4 } else { 5 };
        Ok(value)
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
