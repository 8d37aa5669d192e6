//! A line of a legacy dump: an item without a wrapper, or names and values between control
//! characters. See [`legacy`](crate::format::legacy).

use super::super::descriptor::Descriptors;
use super::super::scan;
use super::Decoder;
use crate::error::Code;
use crate::event::{Sink, Want};
use crate::format::legacy::{ETX, STX};
use crate::format::record::{Decoded, Fault, Form};
use crate::path::Step;

impl<D: Descriptors> Decoder<'_, D> {
    /// The item that starts here.
    pub(super) fn line<S: Sink>(&mut self, form: Form, sink: &mut S) -> Decoded {
        let start = self.at;
        if form == Form::Changes {
            return Err(Fault::new(Code::Record, start, "a line of a legacy dump is an item, not a change"));
        }
        if !self.is_object(start) && memchr::memchr2(ETX, b'\n', &self.bytes[start..]).is_some_and(|at| self.bytes[start + at] == ETX) {
            return self.delimited(sink);
        }
        if self.eat(b'{') { self.attributes(sink) } else { Err(self.not_an_object("a record", Code::Record)) }
    }

    /// The index behind the record at `start`, if it is known though the record is bad.
    pub fn end_of_record(&self, start: usize) -> Option<usize> {
        if D::LEGACY && !self.is_object(start) {
            return None;
        }
        scan::skip_value(self.bytes, start, self.newline_is_space)
    }

    /// Whether an object starts here, and not a name whose first character is a brace.
    fn is_object(&self, at: usize) -> bool {
        let Some((b'{', rest)) = self.bytes[at..].split_first() else { return false };
        let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        matches!(next, None | Some(b'"' | b'}' | b'\n'))
    }

    /// Attributes without braces: each a name without quotes, ETX, and its value; STX between two.
    fn delimited<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        loop {
            let name_at = self.at;
            self.at += memchr::memchr3(STX, ETX, b'\n', &self.bytes[name_at..]).unwrap_or(self.bytes.len() - name_at);
            let name = &self.text[name_at..self.at];
            if !self.eat(ETX) {
                return Err(self.unexpected("ETX (0x03) behind the name of an attribute"));
            }
            let of_name = |mut fault: Box<Fault>| {
                fault.path.push(Step::Name(name.into()));
                fault
            };
            match sink.attribute(name) {
                Ok(Want::Value) => self.value(sink),
                Ok(Want::Nothing) => self.unwanted_content(self.opening()).and_then(|()| self.end_of_value()),
                Err(refusal) => Err(Fault::refused(refusal, name_at)),
            }
            .map_err(of_name)?;
            self.white();
            if !self.eat(STX) {
                return if matches!(self.bytes.get(self.at), None | Some(b'\n')) {
                    Ok(())
                } else {
                    Err(self.unexpected("STX (0x02) or the end of the line"))
                };
            }
        }
    }
}
