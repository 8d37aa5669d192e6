//! Amazon Ion: values with types of their own, in text or binary.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output.Data.ION>
//!
//! What exporters write (a line `$ion_1_0 {Item:{…}}` for each item) is read by our own
//! [decoder](decode); a value in another form, and all binary Ion, by ion-rs ([foreign]).
//! A stream is cut into blocks by [stream], which also knows version markers, symbol tables
//! and the list that may hold the records.
//!
//! A record with a bad value costs itself. Behind broken syntax reading goes on at the next
//! line that begins a record: with the marker, or with `{` no further in than the broken one.

mod binary;
mod decode;
pub mod encode;
mod foreign;
mod lex;
mod scan;
pub mod stream;

use decode::{Decoder, Scratch};
use foreign::Sender;
use ion_rs::Element;
use lex::fault_of;
use scan::{Beyond, End, Resume};
use stream::{Next, Start, Top};

use super::record::{Decoded, Fault, Form, Outcome, Run, not_utf8};
use crate::block::Block;
use crate::error::Code;
use crate::event::Sink;

/// Decodes the blocks of Ion files.
#[derive(Default)]
pub struct BlockDecoder {
    scratch: Scratch,
}

impl BlockDecoder {
    /// Sends the items of a block to `sink`. A bad record ends it, or is passed over with
    /// `skip`.
    pub fn decode<S: Sink>(&mut self, block: &Block, start: &Start, form: Form, skip: bool, sink: &mut S) -> Outcome {
        let mut run = Run::new(block, form, skip, sink);
        if start.binary {
            run.binary(start, &mut self.scratch);
        } else {
            run.stream(start, &mut self.scratch);
        }
        run.finish()
    }
}

impl<S: Sink> Run<'_, S> {
    /// The records of a text.
    fn stream(&mut self, start: &Start, scratch: &mut Scratch) {
        let bytes = &self.block.data[..];
        let mut top = start.top.clone();
        let mut base = 0;
        if let Some(indent) = start.resume {
            match scan::resume(bytes, 0, indent, true) {
                Resume::At(first) => base = first,
                Resume::Later(_) => return,
            }
            top.resumed();
        }
        // As a whole where that is UTF-8, else from one bad byte to the next.
        while let Some(next) = self.ion_text(bytes, base, &mut top, scratch) {
            base = next;
        }
        if start.whole && top.in_list() && !self.is_over() {
            self.fail(&Fault::new(Code::Truncated, bytes.len(), "the list of records ends too early"), 0);
        }
    }

    /// The records from `base` on, up to a byte that is no UTF-8: where to go on behind the
    /// record that it is in.
    fn ion_text(&mut self, bytes: &[u8], base: usize, top: &mut Top, scratch: &mut Scratch) -> Option<usize> {
        let (text, bad) = valid(&bytes[base..]);
        let mut at = 0;
        while !self.is_over() {
            let (record, mut fault) = match top.next(text.as_bytes(), &mut at, true) {
                Next::End => (at, bad.map(|_| Fault::new(Code::Utf8, at, ""))?),
                Next::Version(at) => {
                    self.fail(&Fault::new(Code::IonVersion, at, "an Ion version other than 1.0"), base);
                    return None;
                }
                Next::Broken(record, at, message) => (record, fault_of(End::Broken(at, message), text)),
                Next::Beyond(record, beyond) => (record, fault_of(End::Beyond(beyond), text)),
                Next::Value(record) => {
                    let mut decoder = Decoder::new(text, record, &top.context, scratch);
                    self.sink.begin_item();
                    match decoder.record(self.form, self.sink) {
                        Ok(()) => {
                            at = decoder.position();
                            top.value_ended();
                            self.commit(at - record, base + record);
                            continue;
                        }
                        Err(fault) => {
                            self.sink.abort_item();
                            (record, fault)
                        }
                    }
                }
            };
            if let (Some(byte), true) = (bad, fault.is_syntax() && fault.at >= text.len()) {
                fault.at = text.len();
                not_utf8(&mut fault, byte);
            }
            self.bad(&fault, base);
            let record = base + record;
            let next = match scan::value_end(bytes, record, true) {
                End::At(end) => {
                    top.value_ended();
                    end
                }
                // A comment has no lines to go on at.
                End::Beyond(Beyond::Comment) => return None,
                _ => match scan::resume(bytes, record, scan::indent(bytes, record), true) {
                    Resume::At(next) => {
                        top.resumed();
                        next
                    }
                    Resume::Later(_) => return None,
                },
            };
            at = next - base;
            if at > text.len() {
                return Some(next);
            }
        }
        None
    }

    /// The records of binary Ion.
    fn binary(&mut self, start: &Start, scratch: &mut Scratch) {
        let data = &self.block.data[..];
        let mut context = start.top.context.clone();
        let mut at = 0;
        while at < data.len() && !self.is_over() {
            // One reader for as many values as are good.
            let mut bytes = context.clone();
            bytes.extend_from_slice(&data[at..]);
            let Ok(elements) = Element::iter(bytes) else {
                return self.bad(&Fault::new(Code::Ion, at, "binary Ion that cannot be read"), 0);
            };
            let mut elements = elements.fuse();
            loop {
                if at == data.len() {
                    return;
                }
                let end = match binary::value_end(data, at) {
                    End::At(end) if end <= data.len() => end,
                    End::Broken(at, message) => return self.fail(&Fault::new(Code::Ion, at, message), 0),
                    _ => return self.fail(&Fault::new(Code::Truncated, at, "the binary Ion ends inside a value"), 0),
                };
                let value = &data[at..end];
                let record = std::mem::replace(&mut at, end);
                if let Some(version) = binary::version(value)
                    && version != (1, 0)
                {
                    return self.fail(&Fault::new(Code::IonVersion, record, "an Ion version other than 1.0"), 0);
                }
                let version_or_padding = value[0] >> 4 == 0 && value[0] != 0x0f || binary::version(value).is_some();
                if !version_or_padding && let Err(fault) = binary::check(value) {
                    self.bad(&fault, record);
                    break;
                }
                if binary::is_system(value) {
                    binary::see(&mut context, value);
                    continue;
                }
                let Some(Ok(element)) = elements.next() else {
                    self.bad(&Fault::new(Code::Ion, record, "not a valid Ion value"), 0);
                    break;
                };
                match element.as_list().filter(|_| element.annotations().is_empty()) {
                    Some(list) => list.elements().for_each(|element| self.element(element, record, 0, scratch)),
                    None => self.element(&element, record, value.len(), scratch),
                }
                if self.is_over() {
                    return;
                }
            }
        }
    }

    /// A record that ion-rs read.
    fn element(&mut self, element: &Element, at: usize, length: usize, scratch: &mut Scratch) {
        if self.is_over() {
            return;
        }
        self.sink.begin_item();
        let sent: Decoded = Sender::new(self.sink, 0, &mut scratch.members).record(element, self.form);
        match sent {
            Ok(()) => self.commit(length, at),
            Err(fault) => {
                self.sink.abort_item();
                self.bad(&fault, at);
            }
        }
    }
}

/// What of the bytes is UTF-8 up to the first byte that is not, and that byte.
fn valid(bytes: &[u8]) -> (&str, Option<u8>) {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            (std::str::from_utf8(good).unwrap_or_default(), bad.first().copied())
        }
    }
}

#[cfg(test)]
mod ion_tests;
#[cfg(test)]
mod tests;
