//! What stands around an item: `{Item:{…}}`, nothing, or a record of an incremental export.

use super::decode::Decoder;
use super::{foreign, scan};
use crate::error::Code;
use crate::event::Sink;
use crate::format::change::{Member, Seen, TIME};
use crate::format::record::{Decoded, Fault, Form};
use crate::path::Step;

impl Decoder<'_> {
    /// The record at the position. The item's events go to `sink`, between `begin_item` and
    /// `commit_item`, which are the caller's.
    pub fn record<S: Sink>(&mut self, form: Form, sink: &mut S) -> Decoded {
        const WRAPPER: &[u8] = b"{Item:{";
        let start = self.at;
        if !matches!(form, Form::Any | Form::Changes)
            && self.bytes[start..].starts_with(WRAPPER)
            && self.bytes.get(start + WRAPPER.len()) != Some(&b'{')
        {
            self.at = start + WRAPPER.len();
            self.attributes(sink)?;
            if self.bytes.get(self.at) == Some(&b'}') {
                self.at += 1;
                return Ok(());
            }
            return self.end_of_wrapper(start, form, sink);
        }
        self.general_record(form, sink)
    }

    #[cold]
    fn general_record<S: Sink>(&mut self, form: Form, sink: &mut S) -> Decoded {
        let start = self.at;
        if !self.opens_struct() {
            self.skip_value()?;
            return Err(Fault::new(Code::Record, start, "a record must be a struct"));
        }
        if form == Form::Any {
            return self.skip_value();
        }
        if form == Form::Changes {
            return self.change(sink);
        }
        self.at += 1;
        self.white()?;
        if self.peek() == Some(b'}') {
            if form == Form::Wrapped {
                return Err(Fault::new(Code::Record, start, "the record does not begin with `Item`"));
            }
            self.at += 1;
            return Ok(());
        }
        self.field_name()?;
        let name = std::mem::take(&mut self.scratch.text);
        self.colon()?;
        self.white()?;
        let wrapped = name == "Item" && self.opens_struct();
        if matches!(&*name, "Record" | "Keys" | "Metadata") && self.is_change(start) {
            return Err(foreign::change_in_full(form, start));
        }
        if wrapped {
            self.at += 1;
            self.attributes(sink)?;
            return self.end_of_wrapper(start, form, sink);
        }
        if form == Form::Wrapped {
            // Broken syntax comes before what the record means.
            self.at = start;
            self.skip_value()?;
            return Err(Fault::new(Code::Record, start, "the record does not begin with `Item`"));
        }
        self.at = start + 1;
        self.attributes(sink)
    }

    /// Behind the item in its wrapper.
    #[cold]
    fn end_of_wrapper<S: Sink>(&mut self, start: usize, form: Form, sink: &mut S) -> Decoded {
        self.white()?;
        if self.eat(b',') {
            self.white()?;
        }
        if self.eat(b'}') {
            return Ok(());
        }
        if self.peek().is_none() {
            return Err(self.unexpected("`}`"));
        }
        let beside = self.at;
        self.at = start;
        self.skip_value()?;
        if form == Form::Wrapped {
            return Err(Fault::new(Code::BesideItem, beside, "a member beside `Item`"));
        }
        // A bare item that has an attribute of that name, and others.
        sink.abort_item();
        sink.begin_item();
        self.depth = 0;
        self.at = start + 1;
        self.attributes(sink)
    }

    /// The change that starts here.
    fn change<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        let start = self.at;
        let mut seen = Seen::default();
        self.change_members(&mut seen, sink, true)?;
        seen.check(start)
    }

    /// The members of a change, which may all stand in a struct `Record`.
    fn change_members<S: Sink>(&mut self, seen: &mut Seen, sink: &mut S, outer: bool) -> Decoded {
        self.members(|decoder, name_at| {
            if outer && decoder.scratch.text == "Record" && decoder.opens_struct() {
                return decoder.change_members(seen, sink, false);
            }
            match seen.member(&decoder.scratch.text, name_at)? {
                _ if !decoder.opens_struct() => {
                    let value_at = decoder.at;
                    decoder.skip_value()?;
                    if decoder.text[value_at..decoder.at].starts_with("null") {
                        return Ok(());
                    }
                    Err(Fault::new(Code::Record, value_at, "the members of a change are structs"))
                }
                Member::Metadata => decoder.metadata(seen, sink),
                Member::Image(image) => {
                    sink.attribute(image).map_err(|refusal| Fault::refused(refusal, name_at))?;
                    sink.begin_map();
                    decoder.at += 1;
                    decoder.attributes(sink).map_err(|mut fault| {
                        fault.path.push(Step::Name(image.into()));
                        fault
                    })?;
                    sink.end_map();
                    Ok(())
                }
            }
        })
    }

    /// The struct that holds the time. What else it has says nothing of the item.
    fn metadata<S: Sink>(&mut self, seen: &mut Seen, sink: &mut S) -> Decoded {
        self.members(|decoder, name_at| {
            if decoder.scratch.text != TIME {
                return decoder.skip_value();
            }
            sink.attribute(TIME).map_err(|refusal| Fault::refused(refusal, name_at))?;
            seen.time();
            decoder.value(sink).map_err(Fault::of_time)
        })
    }

    /// The members of the struct that starts here; `member` reads one's value, when its name
    /// is in `scratch.text`.
    fn members(&mut self, mut member: impl FnMut(&mut Self, usize) -> Decoded) -> Decoded {
        self.at += 1;
        loop {
            self.white()?;
            // A comma may stand behind the last one.
            if self.eat(b'}') {
                return Ok(());
            }
            let name_at = self.at;
            self.field_name()?;
            self.colon()?;
            self.white()?;
            member(self, name_at)?;
            self.white()?;
            if !self.eat(b',') && self.peek() != Some(b'}') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    /// Whether a struct (not a lob) starts here.
    fn opens_struct(&self) -> bool {
        self.peek() == Some(b'{') && self.bytes.get(self.at + 1) != Some(&b'{')
    }

    /// Whether the struct at `start` is a record of an incremental export.
    fn is_change(&self, start: usize) -> bool {
        let member = |at: usize, name: &str| {
            let quoted = [name.to_owned(), format!("'{name}'"), format!("\"{name}\"")];
            scan::members(self.bytes, at).find(|(found, _)| quoted.iter().any(|name| name.as_bytes() == *found)).map(|(_, value)| value)
        };
        let is_struct = |at: &usize| self.bytes.get(*at) == Some(&b'{');
        let inner = member(start, "Record").filter(is_struct).unwrap_or(start);
        member(inner, "Metadata").filter(is_struct).is_some_and(|metadata| member(metadata, "WriteTimestampMicros").is_some())
    }
}
