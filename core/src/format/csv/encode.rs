//! Items → lines of CSV. Nested values stand as plain JSON text, binary as base64; null and
//! missing are an empty cell, the empty string is `""`.
//!
//! The csv crate quotes a whole record by one rule and so cannot tell an empty string from
//! an empty cell; quoting is done here, by <https://www.rfc-editor.org/rfc/rfc4180>.

use rustc_hash::FxHashMap;

use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::format::plain::{PlainWriter, Text, float_text};
use crate::number::Number;
use crate::schema::{Columns, Numbers};

/// The header line.
pub fn header(columns: &[String]) -> Vec<u8> {
    let mut line = Vec::new();
    for (n, name) in columns.iter().enumerate() {
        if n > 0 {
            line.push(b',');
        }
        write_cell(&mut line, name);
    }
    line.push(b'\n');
    line
}

fn write_cell(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let quoted = bytes.is_empty()
        || bytes.iter().any(|b| matches!(b, b'"' | b',' | b'\r' | b'\n'))
        || bytes.first().is_some_and(blank)
        || bytes.last().is_some_and(blank);
    if !quoted {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Items → lines of CSV.
pub struct CsvSink {
    places: FxHashMap<String, usize>,
    numbers: Numbers,
    /// The cells of the item, quoted; the last one is for attributes that are no columns.
    cells: Vec<Vec<u8>>,
    cell: usize,
    /// The text of the nested value that is open.
    nested: PlainWriter,
    names: OpenNames,
    out: Text,
}

impl CsvSink {
    /// A sink for these columns.
    pub fn new(columns: &Columns, numbers: Numbers) -> Self {
        Self {
            places: columns.iter().cloned().zip(0..).collect(),
            numbers,
            cells: vec![Vec::new(); columns.len() + 1],
            cell: 0,
            nested: PlainWriter::new(numbers),
            names: OpenNames::default(),
            out: Text::default(),
        }
    }

    /// The bytes of the lines that are kept.
    pub fn bytes(&self) -> usize {
        self.out.lines.len()
    }

    /// Gives those from here on.
    pub fn split_off(&mut self, at: usize) -> Vec<u8> {
        self.out.lines.split_off(at)
    }

    /// The lines since the last call.
    pub fn take(&mut self) -> Text {
        std::mem::take(&mut self.out)
    }

    fn scalar(&mut self, text: &str) {
        write_cell(&mut self.cells[self.cell], text);
    }

    fn begin(&mut self, kind: Kind) {
        self.nested.begin(kind);
    }

    fn end(&mut self, map: bool) {
        self.nested.end(map);
        if !self.nested.is_open() {
            let text = std::mem::take(&mut self.nested.out);
            self.scalar(&String::from_utf8_lossy(&text));
        }
    }
}

impl Sink for CsvSink {
    fn begin_item(&mut self) {
        self.names.clear();
        self.names.begin();
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        let Some((rest, cells)) = self.cells.split_last_mut() else { return Ok(()) };
        rest.clear();
        for (n, cell) in cells.iter_mut().enumerate() {
            if n > 0 {
                self.out.lines.push(b',');
            }
            self.out.lines.append(cell);
        }
        // A line of one empty cell would be a blank line, which readers pass over.
        if cells.len() == 1 && self.out.lines.last().is_none_or(|&b| b == b'\n') {
            self.out.lines.extend_from_slice(b"\"\"");
        }
        self.out.lines.push(b'\n');
        self.out.rounded += std::mem::take(&mut self.nested.rounded);
        Ok(())
    }
    fn abort_item(&mut self) {
        self.cells.iter_mut().for_each(Vec::clear);
        self.nested.reset(0);
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        if self.nested.is_open() {
            self.nested.attribute(name);
            return Ok(Want::Value);
        }
        self.cell = self.places.get(name).copied().unwrap_or(self.cells.len() - 1);
        Ok(Want::Value)
    }
    fn string(&mut self, value: &str) {
        if self.nested.is_open() {
            self.nested.string(value);
        } else {
            self.scalar(value);
        }
    }
    fn number(&mut self, value: Number) {
        if self.nested.is_open() {
            self.nested.number(value);
        } else if self.numbers == Numbers::Float64 {
            self.nested.count_rounded(value);
            self.scalar(&float_text(value));
        } else {
            value.write_to(&mut self.cells[self.cell]);
        }
    }
    fn binary(&mut self, value: &[u8]) {
        if self.nested.is_open() {
            self.nested.binary(value);
        } else {
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
            self.scalar(&text);
        }
    }
    fn boolean(&mut self, value: bool) {
        if self.nested.is_open() {
            self.nested.boolean(value);
        } else {
            self.scalar(if value { "true" } else { "false" });
        }
    }
    fn null(&mut self) {
        if self.nested.is_open() {
            self.nested.null();
        }
    }
    fn begin_map(&mut self) {
        self.names.begin();
        self.begin(Kind::M);
    }
    fn end_map(&mut self) {
        self.names.end();
        self.end(true);
    }
    fn begin_list(&mut self) {
        self.begin(Kind::L);
    }
    fn end_list(&mut self) {
        self.end(false);
    }
    fn begin_set(&mut self, kind: Kind) {
        self.begin(kind);
    }
    fn end_set(&mut self) {
        self.end(false);
    }
}
