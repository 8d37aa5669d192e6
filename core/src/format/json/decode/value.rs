//! Values: an object with one member, the type's descriptor.
//!
//! The shape that exporters write (`{"S":"…"}`, no white space, no escapes) is expected
//! literally; everything else that JSON allows goes a general way.

use super::super::descriptor::{Descriptors, word};
use super::Decoder;
use crate::base64;
use crate::error::Code;
use crate::event::{Kind, Sink};
use crate::format::record::{Decoded, Fault, MAX_NESTING, NO_DESCRIPTOR, SEVERAL_DESCRIPTORS, UNKNOWN_DESCRIPTOR, shown};
use crate::number::Number;
use crate::path::Step;

/// The first bytes of a value, as a number to be compared at once; zeros where there are fewer.
#[derive(Clone, Copy)]
pub struct Opening(u64);

impl Opening {
    #[inline]
    pub fn new(text: &[u8]) -> Self {
        // No value is shorter: `{"S":""}`.
        Self(text.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }
}

const FIVE: u64 = word(&[0xff; 5]);
const SIX: u64 = word(&[0xff; 6]);

impl<D: Descriptors> Decoder<'_, D> {
    /// The value that starts here.
    #[inline]
    pub(super) fn value<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        self.content(self.opening(), sink)?;
        self.end_of_value()
    }

    #[inline]
    pub(super) fn opening(&self) -> Opening {
        self.bytes.get(self.at..).map_or(Opening(0), Opening::new)
    }

    /// The value that starts here with `opening`, up to its closing brace.
    #[inline]
    pub(super) fn content<S: Sink>(&mut self, opening: Opening, sink: &mut S) -> Decoded {
        // Nearly all values are these.
        let six = opening.0 & SIX;
        if six == D::OPENINGS.string {
            self.at += 6;
            let value = self.string_body()?;
            sink.string(value);
        } else if six == D::OPENINGS.number {
            self.at += 6;
            self.number(sink)?;
        } else {
            self.other_content(opening, sink)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn other_content<S: Sink>(&mut self, Opening(opening): Opening, sink: &mut S) -> Decoded {
        let (openings, five, six) = (&D::OPENINGS, opening & FIVE, opening & SIX);
        let (kind, length) = if five == openings.map {
            (Kind::M, 5)
        } else if five == openings.list {
            (Kind::L, 5)
        } else if five == openings.binary {
            (Kind::B, 5)
        } else if six == openings.strings {
            (Kind::SS, 6)
        } else if six == openings.numbers {
            (Kind::NS, 6)
        } else if six == openings.binaries {
            (Kind::BS, 6)
        } else if opening == openings.boolean {
            (Kind::Bool, 8)
        } else if opening == openings.null {
            (Kind::Null, 8)
        } else {
            (self.descriptor()?, 0)
        };
        self.at += length;
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
        Ok(())
    }

    /// The descriptor of a value in any notation, up to its colon.
    fn descriptor(&mut self) -> Decoded<Kind> {
        self.white();
        let start = self.at;
        if !self.eat(b'{') {
            return Err(self.not_an_object("a value", Code::Descriptor));
        }
        self.white();
        if self.bytes.get(self.at) == Some(&b'}') {
            return Err(Fault::new(Code::Descriptor, start, NO_DESCRIPTOR));
        }
        let at = self.at;
        let descriptor = self.string()?;
        let Some(kind) = D::kind(descriptor) else {
            let message = format!("{UNKNOWN_DESCRIPTOR} {}", shown(descriptor));
            return Err(Fault::new(Code::Descriptor, at, message));
        };
        self.colon()?;
        Ok(kind)
    }

    /// The same of a value that nobody asked for: syntax, descriptors and names are checked.
    pub(super) fn unwanted_content(&mut self, opening: Opening) -> Decoded {
        // Texts, numbers and binaries hold no names.
        let six = opening.0 & SIX;
        if six == D::OPENINGS.string || six == D::OPENINGS.number || six == D::OPENINGS.base64 {
            self.at += 6;
            self.string_body()?;
            return Ok(());
        }
        let mut discard = std::mem::take(&mut self.scratch.discard);
        discard.begin_item();
        let result = self.content(opening, &mut discard);
        self.scratch.discard = discard;
        result
    }

    #[inline]
    pub(super) fn end_of_value(&mut self) -> Decoded {
        if self.eat(b'}') { Ok(()) } else { self.far_end_of_value() }
    }

    #[cold]
    fn far_end_of_value(&mut self) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        if self.bytes.get(self.at) == Some(&b',') {
            return Err(Fault::new(Code::Descriptor, self.at, SEVERAL_DESCRIPTORS));
        }
        Err(self.unexpected("`}`"))
    }

    pub(super) fn nest(&mut self) -> Decoded {
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
                        let number = self.number_text(sink.asks().values)?;
                        sink.number(number);
                        !sink.asks().distinct || members.is_new_number(number)
                    }
                    Kind::BS => {
                        self.binary(sink)?;
                        !sink.asks().distinct || members.is_new(&self.scratch.binary)
                    }
                    _ => {
                        let value = self.string_body()?;
                        sink.string(value);
                        !sink.asks().distinct || members.is_new(value.as_bytes())
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
    pub(super) fn end_of_element(&mut self) -> Decoded<bool> {
        self.white();
        if self.eat(b',') {
            return Ok(false);
        }
        if self.eat(b']') {
            return Ok(true);
        }
        Err(self.unexpected("`,` or `]`"))
    }

    #[inline]
    pub(super) fn number<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let number = self.number_text(sink.asks().values)?;
        sink.number(number);
        Ok(())
    }

    /// The rest of a number's text, behind the quote.
    #[inline]
    fn number_text(&mut self, matters: bool) -> Decoded<Number> {
        if matters && let Some((number, length)) = Number::quoted(&self.bytes[self.at..]) {
            self.at += length;
            return Ok(number);
        }
        self.general_number(matters)
    }

    fn general_number(&mut self, matters: bool) -> Decoded<Number> {
        let start = self.at;
        let text = self.string_body()?;
        if !matters {
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
        let result = if sink.asks().values { base64::decode(text.as_bytes(), &mut binary) } else { Ok(()) };
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
        let value = rest.first_chunk() == Some(b"true");
        if !value && rest.first_chunk() != Some(b"false") {
            return Err(self.mismatch(kind, "true or false"));
        }
        self.at += if value { 4 } else { 5 };
        Ok(value)
    }
}
