//! Amazon Ion: values with types of their own, in text or binary.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output.Data.ION>
//!
//! What exporters write (a line `$ion_1_0 {Item:{…}}` for each item) is read by our own
//! decoder (`decode`); a value in another form, and all binary Ion, by ion-rs (`foreign`).
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
mod wrapper;

use std::ops::Range;

use decode::{Decoder, Scratch};
use foreign::Sender;
use ion_rs::Element;
use lex::fault_of;
use scan::{Beyond, End, Resume};
use stream::{Next, Start, Top};

use super::record::{Decoded, Fault, Form, Outcome, Run, Skip, not_utf8};
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
    pub fn decode<S: Sink>(&mut self, block: &Block, start: &Start, form: Form, skip: Skip, sink: &mut S) -> Outcome {
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
            let end = scan::value_end(bytes, base + record, true);
            let record = base + record;
            let from = scan::behind_broken(bytes, record, end);
            if !matches!(end, End::At(_)) && from > record {
                fault.message.push_str(&format!("; {} bytes were passed over", from - record));
            }
            self.bad(&fault, base);
            let next = match end {
                End::At(end) => {
                    top.value_ended();
                    end
                }
                // A comment has no lines to go on at.
                End::Beyond(Beyond::Comment) => return None,
                _ => match scan::resume(bytes, from, scan::indent(bytes, record), true) {
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
        let mut context = start.top.context.clone();
        self.binary_values(0..self.block.data.len(), &mut context, false, scratch);
    }

    /// The records in a part of binary Ion: at the top, or in a list there. They are given to
    /// ion-rs some at a time.
    fn binary_values(&mut self, part: Range<usize>, context: &mut Vec<u8>, in_list: bool, scratch: &mut Scratch) {
        let data = &self.block.data[..part.end];
        let mut at = part.start;
        let mut good = Vec::new();
        while !self.is_over() {
            // As many good values as make up for the tables that ion-rs reads before them.
            let first = at;
            let window = first + context.len().max(BINARY_WINDOW);
            let mut stop = None;
            while at < data.len() && at < window && stop.is_none() {
                let end = match binary::value_end(data, at) {
                    End::At(end) if end <= data.len() => end,
                    End::Broken(at, message) => {
                        stop = Some(Stop::Ends(Fault::new(Code::Ion, at, message)));
                        break;
                    }
                    _ => {
                        stop = Some(Stop::Ends(Fault::new(Code::Truncated, at, "the binary Ion ends inside a value")));
                        break;
                    }
                };
                let value = &data[at..end];
                let what = binary::top(value).and_then(|what| match what {
                    binary::Top::System if in_list && value[0] >> 4 != 0 => Err(Fault::new(Code::Ion, 0, "a symbol table in a list")),
                    binary::Top::System if value[0] >> 4 == 0 || binary::version(value).is_some() => Ok(what),
                    binary::Top::List(_) if !in_list => Ok(what),
                    _ => binary::check(value).map(|()| what),
                });
                stop = match (what, binary::version(value)) {
                    (_, Some(version)) if version != (1, 0) => {
                        Some(Stop::Ends(Fault::new(Code::IonVersion, at, "an Ion version other than 1.0")))
                    }
                    (Err(fault), _) => Some(Stop::Bad(fault, at..end)),
                    (Ok(binary::Top::System), _) if value[0] >> 4 == 0 => None,
                    (Ok(binary::Top::System), _) => Some(Stop::System(at..end)),
                    (Ok(binary::Top::List(start)), _) if !in_list => Some(Stop::List(at + start..end)),
                    (Ok(_), _) => {
                        good.push(at..end);
                        None
                    }
                };
                at = end;
            }
            self.binary_records(data, context, &good, scratch);
            good.clear();
            if self.is_over() {
                return;
            }
            match stop {
                None if at >= data.len() => return,
                None => {}
                Some(Stop::Ends(fault)) => return self.fail(&fault, 0),
                Some(Stop::Bad(fault, value)) => self.bad(&fault, value.start),
                Some(Stop::System(value)) => {
                    binary::see(context, &data[value]);
                }
                Some(Stop::List(elements)) => self.binary_values(elements, context, true, scratch),
            }
        }
    }

    /// Records whose frames are good, behind the tables that hold for them.
    fn binary_records(&mut self, data: &[u8], context: &[u8], mut values: &[Range<usize>], scratch: &mut Scratch) {
        while !values.is_empty() {
            let mut bytes = context.to_vec();
            values.iter().for_each(|value| bytes.extend_from_slice(&data[value.clone()]));
            let mut elements = Element::iter(bytes).into_iter().flatten();
            let mut read = 0;
            for value in values {
                let Some(Ok(element)) = elements.next() else { break };
                read += 1;
                self.element(&element, value.start, value.len(), scratch);
                if self.is_over() {
                    return;
                }
            }
            // Behind one that it refuses ion-rs is asked anew.
            values = &values[read..];
            if let Some(refused) = values.first() {
                self.bad(&Fault::new(Code::Ion, refused.start, "not a valid Ion value"), 0);
                if self.is_over() {
                    return;
                }
                values = &values[1..];
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

/// Bytes of binary Ion that ion-rs is given at a time, at least.
const BINARY_WINDOW: usize = 4096;

/// Why a run of good binary values ends.
enum Stop {
    /// Nothing behind it can be read.
    Ends(Box<Fault>),
    /// A bad value.
    Bad(Box<Fault>, Range<usize>),
    /// A marker or symbol table.
    System(Range<usize>),
    /// A list of records, here.
    List(Range<usize>),
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
