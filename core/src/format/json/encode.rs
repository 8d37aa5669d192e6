//! Events → DynamoDB JSON: the text of one value, as exports write it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::number::Number;

/// Writes the text of one value at a time.
#[derive(Debug, Default)]
pub struct ValueEncoder {
    out: Vec<u8>,
    /// For each container that is open, whether something is in it.
    open: Vec<bool>,
    /// The innermost container is a set.
    in_set: bool,
}

impl ValueEncoder {
    /// Whether a value was begun and is not complete.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The text of the value that is complete.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap_or_default()
    }

    /// Forgets the value.
    pub fn clear(&mut self) {
        self.out.clear();
        self.open.clear();
        self.in_set = false;
    }

    fn comma(&mut self) {
        match self.open.last_mut() {
            None => self.out.clear(),
            Some(used) => {
                if std::mem::replace(used, true) {
                    self.out.push(b',');
                }
            }
        }
    }

    /// Opens a value of this type; the members of sets bear no descriptor.
    fn begin(&mut self, kind: Kind) {
        self.comma();
        if !self.in_set {
            self.out.extend_from_slice(b"{\"");
            self.out.extend_from_slice(kind.descriptor().as_bytes());
            self.out.extend_from_slice(b"\":");
        }
    }

    fn end(&mut self) {
        if !self.in_set {
            self.out.push(b'}');
        }
    }

    /// The name of a map's member.
    pub fn attribute(&mut self, name: &str) {
        self.comma();
        write_string(&mut self.out, name);
        self.out.push(b':');
        // The value behind it takes no comma.
        if let Some(used) = self.open.last_mut() {
            *used = false;
        }
    }

    /// A string.
    pub fn string(&mut self, value: &str) {
        self.begin(Kind::S);
        write_string(&mut self.out, value);
        self.end();
        self.used();
    }

    /// A number.
    pub fn number(&mut self, value: Number) {
        self.begin(Kind::N);
        self.out.push(b'"');
        value.write_to(&mut self.out);
        self.out.push(b'"');
        self.end();
        self.used();
    }

    /// A binary.
    pub fn binary(&mut self, value: &[u8]) {
        self.begin(Kind::B);
        write_base64(&mut self.out, value);
        self.end();
        self.used();
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.begin(Kind::Bool);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self.end();
        self.used();
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.begin(Kind::Null);
        self.out.extend_from_slice(b"true");
        self.end();
        self.used();
    }

    /// A map, list or set begins.
    pub fn begin_container(&mut self, kind: Kind) {
        self.begin(kind);
        self.out.push(if kind == Kind::M { b'{' } else { b'[' });
        self.in_set = kind.member().is_some();
        self.open.push(false);
    }

    /// The innermost map, list or set ends.
    pub fn end_container(&mut self, kind: Kind) {
        self.out.extend_from_slice(if kind == Kind::M { b"}}" } else { b"]}" });
        self.in_set = false;
        self.open.pop();
        self.used();
    }

    fn used(&mut self) {
        if let Some(used) = self.open.last_mut() {
            *used = true;
        }
    }
}

/// Items → lines of DynamoDB JSON, `{"Item":{…}}`, as exports have them.
#[derive(Default)]
pub struct ItemEncoder {
    value: ValueEncoder,
    names: OpenNames,
    /// The attributes of the item that is open.
    used: bool,
    lines: Vec<u8>,
    committed: usize,
}

impl ItemEncoder {
    /// The lines since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        self.committed = 0;
        std::mem::take(&mut self.lines)
    }

    /// A value is complete that is an attribute of the item.
    fn end_value(&mut self) {
        if !self.value.is_open() {
            self.lines.extend_from_slice(self.value.text().as_bytes());
        }
    }
}

impl Sink for ItemEncoder {
    fn begin_item(&mut self) {
        self.names.clear();
        self.names.begin();
        self.value.clear();
        self.used = false;
        self.lines.extend_from_slice(b"{\"Item\":{");
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.lines.extend_from_slice(b"}}\n");
        self.committed = self.lines.len();
        Ok(())
    }
    fn abort_item(&mut self) {
        self.lines.truncate(self.committed);
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        if self.value.is_open() {
            self.value.attribute(name);
            return Ok(Want::Value);
        }
        if std::mem::replace(&mut self.used, true) {
            self.lines.push(b',');
        }
        write_string(&mut self.lines, name);
        self.lines.push(b':');
        Ok(Want::Value)
    }
    fn string(&mut self, value: &str) {
        self.value.string(value);
        self.end_value();
    }
    fn number(&mut self, value: Number) {
        self.value.number(value);
        self.end_value();
    }
    fn binary(&mut self, value: &[u8]) {
        self.value.binary(value);
        self.end_value();
    }
    fn boolean(&mut self, value: bool) {
        self.value.boolean(value);
        self.end_value();
    }
    fn null(&mut self) {
        self.value.null();
        self.end_value();
    }
    fn begin_map(&mut self) {
        self.names.begin();
        self.value.begin_container(Kind::M);
    }
    fn end_map(&mut self) {
        self.names.end();
        self.value.end_container(Kind::M);
        self.end_value();
    }
    fn begin_list(&mut self) {
        self.value.begin_container(Kind::L);
    }
    fn end_list(&mut self) {
        self.value.end_container(Kind::L);
        self.end_value();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.value.begin_container(kind);
    }
    fn end_set(&mut self) {
        self.value.end_container(Kind::SS);
        self.end_value();
    }
}

/// Writes a JSON string, with no more escapes than JSON asks for.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let end = super::scan::string_end(bytes, start);
        out.extend_from_slice(&bytes[start..end]);
        let Some(&byte) = bytes.get(end) else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        start = end + 1;
    }
    out.push(b'"');
}

/// Writes binary as a JSON string of base64.
pub fn write_base64(out: &mut Vec<u8>, binary: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + binary.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(binary, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}
