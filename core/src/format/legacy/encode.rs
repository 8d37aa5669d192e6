//! The notation of legacy dumps, as the EMR connector writes it.

use super::{Legacy, descriptor};
use crate::event::Kind;
use crate::format::encode::Notation;
use crate::format::json::encode::DynamodbJson;
use crate::number::Number;

impl Notation for Legacy {
    const BEGIN_ITEM: &'static [u8] = b"{";
    const END_ITEM: &'static [u8] = b"}\n";
    const CHANGE: [&'static [u8]; 2] = DynamodbJson::CHANGE;
    const NULL: &'static [u8] = DynamodbJson::NULL;

    fn begin(out: &mut Vec<u8>, kind: Kind) {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(descriptor(kind).as_bytes());
        out.extend_from_slice(b"\":");
    }
    fn end(out: &mut Vec<u8>) {
        DynamodbJson::end(out);
    }
    fn name(out: &mut Vec<u8>, name: &str) {
        DynamodbJson::name(out, name);
    }
    fn string(out: &mut Vec<u8>, value: &str) {
        DynamodbJson::string(out, value);
    }
    fn number(out: &mut Vec<u8>, value: Number) {
        DynamodbJson::number(out, value);
    }
    fn binary(out: &mut Vec<u8>, value: &[u8]) {
        DynamodbJson::binary(out, value);
    }
}
