//! One text for all equal items: DynamoDB JSON with names and the members of sets in byte
//! order, and numbers in their one form.
//!
//! Numbers are equal by value, maps and sets without order: items are equal where their texts
//! are. Incremental exports have the attributes of images in this order, too.

use super::{Place, Tape, Value};
use crate::event::Kind;
use crate::format::encode::Notation;
use crate::format::json::encode::DynamodbJson as Json;

/// Writes canonical texts.
#[derive(Default)]
pub struct Canonical {
    /// Members that are to be put in order: the index of the name, where each begins and ends.
    parts: Vec<(usize, usize, usize)>,
    moved: Vec<u8>,
}

impl Canonical {
    /// Writes so many members of a map that are wanted, with its braces.
    pub fn members(&mut self, tape: &Tape, place: &mut Place, len: usize, wanted: &impl Fn(&str) -> bool, out: &mut Vec<u8>) {
        out.push(b'{');
        let (first, start) = (self.parts.len(), out.len());
        for _ in 0..len {
            let before = *place;
            let Some((name, value)) = tape.next(place) else { break };
            if !wanted(tape.name(name)) {
                *place = before;
                tape.skip(place);
                continue;
            }
            let at = out.len();
            Json::name(out, tape.name(name));
            self.value(tape, place, value, out);
            self.parts.push((name, at, out.len()));
        }
        self.parts[first..].sort_unstable_by_key(|&(name, ..)| tape.name(name));
        self.arrange(first, start, out);
        out.push(b'}');
    }

    fn value(&mut self, tape: &Tape, place: &mut Place, value: Value<'_>, out: &mut Vec<u8>) {
        let kind = match value {
            Value::S(_) => Kind::S,
            Value::N(_) => Kind::N,
            Value::B(_) => Kind::B,
            Value::Bool(_) => Kind::Bool,
            Value::Null => Kind::Null,
            Value::M(_) => Kind::M,
            Value::L(_) => Kind::L,
            Value::SS(_) => Kind::SS,
            Value::NS(_) => Kind::NS,
            Value::BS(_) => Kind::BS,
        };
        Json::begin(out, kind);
        match value {
            Value::M(len) => self.members(tape, place, len, &|_| true, out),
            Value::L(len) => {
                out.push(b'[');
                for n in 0..len {
                    let Some((_, element)) = tape.next(place) else { break };
                    if n > 0 {
                        out.push(b',');
                    }
                    self.value(tape, place, element, out);
                }
                out.push(b']');
            }
            Value::SS(len) | Value::NS(len) | Value::BS(len) => {
                out.push(b'[');
                let (first, start) = (self.parts.len(), out.len());
                for _ in 0..len {
                    let Some((_, member)) = tape.next(place) else { break };
                    let at = out.len();
                    scalar(member, out);
                    self.parts.push((0, at, out.len()));
                }
                self.parts[first..].sort_unstable_by(|a, b| out[a.1..a.2].cmp(&out[b.1..b.2]));
                self.arrange(first, start, out);
                out.push(b']');
            }
            value => scalar(value, out),
        }
        Json::end(out);
    }

    /// Puts the parts from `first` on, which stand in `out` from `start` on, in their order.
    fn arrange(&mut self, first: usize, start: usize, out: &mut Vec<u8>) {
        self.moved.clear();
        for (n, &(_, from, to)) in self.parts[first..].iter().enumerate() {
            if n > 0 {
                self.moved.push(b',');
            }
            self.moved.extend_from_slice(&out[from..to]);
        }
        self.parts.truncate(first);
        out.truncate(start);
        out.extend_from_slice(&self.moved);
    }
}

fn scalar(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::S(text) => Json::string(out, text),
        Value::N(number) => Json::number(out, number),
        Value::B(bytes) => Json::binary(out, bytes),
        Value::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        _ => out.extend_from_slice(Json::NULL),
    }
}
