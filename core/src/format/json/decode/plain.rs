//! Plain JSON → events: objects whose values bear no descriptors. Strings are S, numbers N
//! with all their digits, arrays L, objects M.

use super::super::descriptor::Descriptors;
use super::super::scan;
use super::Decoder;
use crate::error::Code;
use crate::event::{Discard, Sink, Want};
use crate::format::record::{Decoded, Fault, shown};
use crate::number::Number;
use crate::path::Step;

impl<D: Descriptors> Decoder<'_, D> {
    /// One value: the text has nothing else.
    pub fn only_plain_value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.plain_value(sink)?;
        self.white();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.unexpected("the end of the value")) }
    }

    /// The members of a plain object, behind its opening brace.
    pub(super) fn plain_members<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.white();
            let name_at = self.at;
            let name = self.string()?;
            let want = match sink.attribute(name) {
                Ok(want) => want,
                Err(refusal) => return Err(self.in_attribute(Fault::refused(refusal, name_at), name_at)),
            };
            self.colon()?;
            let value = if want == Want::Value { self.plain_value(sink) } else { self.plain_value(&mut Discard::default()) };
            if let Err(fault) = value {
                return Err(self.in_attribute(fault, name_at));
            }
            self.white();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn plain_value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.white();
        match self.bytes.get(self.at) {
            Some(b'"') => {
                self.at += 1;
                let value = self.string_body()?;
                sink.string(value);
            }
            Some(b'{') => {
                self.at += 1;
                self.nest()?;
                sink.begin_map();
                self.plain_members(sink)?;
                sink.end_map();
                self.depth -= 1;
            }
            Some(b'[') => {
                self.at += 1;
                self.nest()?;
                sink.begin_list();
                self.white();
                if !self.eat(b']') {
                    loop {
                        if let Err(mut fault) = self.plain_value(sink) {
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
            }
            _ => {
                let end = scan::skip_value(self.bytes, self.at, self.newline_is_space).ok_or_else(|| self.unexpected("a value"))?;
                match &self.bytes[self.at..end] {
                    b"true" => sink.boolean(true),
                    b"false" => sink.boolean(false),
                    b"null" => sink.null(),
                    number => match Number::parse(number) {
                        Ok(number) => sink.number(number),
                        Err(error) => {
                            let message = format!("{error}: {}", shown(&self.text[self.at..end]));
                            return Err(Fault::new(Code::Number, self.at, message));
                        }
                    },
                }
                self.at = end;
            }
        }
        Ok(())
    }
}
