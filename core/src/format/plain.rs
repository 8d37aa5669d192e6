//! Plain JSON lines: items as people write them. Numbers with all their digits (or as
//! text), binary as base64, sets as arrays, NULL as null, missing attributes left out.

use super::json::encode::{write_base64, write_string};
use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::name::Key;
use crate::number::Number;
use crate::schema::Numbers;

/// Writes plain JSON values.
#[derive(Debug, Default)]
pub struct PlainWriter {
    /// The text so far.
    pub out: Vec<u8>,
    /// As what numbers are written.
    pub numbers: Numbers,
    /// Numbers that a float64 rounded.
    pub rounded: u64,
    /// For each container that is open, whether something is in it.
    open: Vec<bool>,
}

impl PlainWriter {
    /// A writer that writes numbers so.
    pub fn new(numbers: Numbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    /// Whether a container is open.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Forgets what is open, what was rounded, and the text behind `length`.
    pub fn reset(&mut self, length: usize) {
        self.open.clear();
        self.rounded = 0;
        self.out.truncate(length);
    }

    fn comma(&mut self) {
        if let Some(used) = self.open.last_mut()
            && std::mem::replace(used, true)
        {
            self.out.push(b',');
        }
    }

    /// The name of a member; its value follows.
    pub fn attribute(&mut self, name: &str) {
        self.comma();
        write_string(&mut self.out, name);
        self.out.push(b':');
        if let Some(used) = self.open.last_mut() {
            *used = false;
        }
    }

    fn value(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.comma();
        write(&mut self.out);
        self.used();
    }

    fn used(&mut self) {
        if let Some(used) = self.open.last_mut() {
            *used = true;
        }
    }

    /// A string.
    pub fn string(&mut self, value: &str) {
        self.value(|out| write_string(out, value));
    }

    /// A number.
    pub fn number(&mut self, value: Number) {
        let numbers = self.numbers;
        self.value(|out| match numbers {
            // A decimal policy is for columns: text has no precision.
            Numbers::Auto | Numbers::Decimal { .. } => value.write_to(out),
            Numbers::Float64 => out.extend_from_slice(float_text(value).as_bytes()),
            Numbers::String => {
                out.push(b'"');
                value.write_to(out);
                out.push(b'"');
            }
        });
        self.count_rounded(value);
    }

    /// Counts the number if it is written as a float64 that is another number.
    pub fn count_rounded(&mut self, value: Number) {
        self.rounded += u64::from(self.numbers == Numbers::Float64 && !value.is_kept_by(value.to_f64()));
    }

    /// A binary.
    pub fn binary(&mut self, value: &[u8]) {
        self.value(|out| write_base64(out, value));
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.value(|out| out.extend_from_slice(if value { b"true" } else { b"false" }));
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.value(|out| out.extend_from_slice(b"null"));
    }

    /// A map, list or set begins.
    pub fn begin(&mut self, kind: Kind) {
        self.comma();
        self.out.push(if kind == Kind::M { b'{' } else { b'[' });
        self.open.push(false);
    }

    /// The innermost map, list or set ends.
    pub fn end(&mut self, map: bool) {
        self.open.pop();
        self.out.push(if map { b'}' } else { b']' });
        self.used();
    }
}

/// The shortest text that reads back as the nearest float64.
pub fn float_text(value: Number) -> String {
    serde_json::Number::from_f64(value.to_f64()).map_or_else(|| value.to_string(), |number| number.to_string())
}

/// Lines of text that was made of items.
#[derive(Debug, Default)]
pub struct Text {
    /// The lines.
    pub lines: Vec<u8>,
    /// Numbers in them that a float64 rounded.
    pub rounded: u64,
}

/// Items → plain JSON lines.
#[derive(Default)]
pub struct PlainSink {
    writer: PlainWriter,
    names: OpenNames,
    committed: usize,
    rounded: u64,
}

impl PlainSink {
    /// A sink that writes numbers so.
    pub fn new(numbers: Numbers) -> Self {
        Self { writer: PlainWriter::new(numbers), ..Self::default() }
    }

    /// The lines since the last call.
    pub fn take(&mut self) -> Text {
        self.committed = 0;
        Text { lines: std::mem::take(&mut self.writer.out), rounded: std::mem::take(&mut self.rounded) }
    }
}

impl Sink for PlainSink {
    fn begin_item(&mut self) {
        self.names.clear();
        self.names.begin();
        self.writer.begin(Kind::M);
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.writer.end(true);
        self.writer.out.push(b'\n');
        self.committed = self.writer.out.len();
        self.rounded += std::mem::take(&mut self.writer.rounded);
        Ok(())
    }
    fn abort_item(&mut self) {
        self.writer.reset(self.committed);
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        self.writer.attribute(name);
        Ok(Want::Value)
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        let node = self.names.known(name)?;
        self.writer.attribute(self.names.name(node));
        Some(Want::Value)
    }
    fn string(&mut self, value: &str) {
        self.writer.string(value);
    }
    fn number(&mut self, value: Number) {
        self.writer.number(value);
    }
    fn binary(&mut self, value: &[u8]) {
        self.writer.binary(value);
    }
    fn boolean(&mut self, value: bool) {
        self.writer.boolean(value);
    }
    fn null(&mut self) {
        self.writer.null();
    }
    fn begin_map(&mut self) {
        self.names.begin();
        self.writer.begin(Kind::M);
    }
    fn end_map(&mut self) {
        self.names.end();
        self.writer.end(true);
    }
    fn begin_list(&mut self) {
        self.writer.begin(Kind::L);
    }
    fn end_list(&mut self) {
        self.writer.end(false);
    }
    fn begin_set(&mut self, kind: Kind) {
        self.writer.begin(kind);
    }
    fn end_set(&mut self) {
        self.writer.end(false);
    }
}
