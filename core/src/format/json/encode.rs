//! The notation of DynamoDB JSON, as exports write it.

use crate::event::Kind;
use crate::format::encode::{self, Notation};
use crate::number::Number;

/// DynamoDB JSON: `{"Item":{"pk":{"S":"x"}}}`.
#[derive(Debug, Default)]
pub struct DynamodbJson;

/// Writes the text of one value at a time.
pub type ValueEncoder = encode::ValueEncoder<DynamodbJson>;
/// Items → lines of DynamoDB JSON.
pub type ItemEncoder = encode::ItemEncoder<DynamodbJson>;

impl Notation for DynamodbJson {
    const BEGIN_ITEM: &'static [u8] = b"{\"Item\":{";
    const CHANGE: [&'static [u8]; 2] = [b"{", b"}\n"];
    const NULL: &'static [u8] = b"true";

    fn begin(out: &mut Vec<u8>, kind: Kind) {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(kind.descriptor().as_bytes());
        out.extend_from_slice(b"\":");
    }
    fn end(out: &mut Vec<u8>) {
        out.push(b'}');
    }
    fn name(out: &mut Vec<u8>, name: &str) {
        write_string(out, name);
        out.push(b':');
    }
    fn string(out: &mut Vec<u8>, value: &str) {
        write_string(out, value);
    }
    fn number(out: &mut Vec<u8>, value: Number) {
        out.push(b'"');
        value.write_to(out);
        out.push(b'"');
    }
    fn binary(out: &mut Vec<u8>, value: &[u8]) {
        write_base64(out, value);
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
    encode::write_base64(out, binary);
    out.push(b'"');
}
