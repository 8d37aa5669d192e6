//! A record of an incremental export.

use super::super::descriptor::Descriptors;
use super::Decoder;
use crate::error::Code;
use crate::event::Sink;
use crate::format::change::{Member, Seen, TIME};
use crate::format::json::scan;
use crate::format::record::{Decoded, Fault, shown};
use crate::number::Number;
use crate::path::Step;

impl<D: Descriptors> Decoder<'_, D> {
    /// The members of a record, behind its opening brace.
    pub(super) fn change<S: Sink>(&mut self, start: usize, sink: &mut S) -> Decoded {
        let mut seen = Seen::default();
        self.members(|decoder, name_at| {
            let name = decoder.string()?;
            let member = seen.member(name, name_at)?;
            decoder.colon()?;
            decoder.white();
            match member {
                Member::Metadata => decoder.metadata(&mut seen, sink),
                Member::Image(_) if decoder.bytes[decoder.at..].starts_with(b"null") => {
                    decoder.at += 4;
                    Ok(())
                }
                Member::Image(image) => {
                    let refused = |refusal| Fault::refused(refusal, name_at);
                    sink.attribute(image).map_err(refused)?;
                    if !decoder.eat(b'{') {
                        return Err(decoder.not_an_object(image, Code::Record));
                    }
                    sink.begin_map();
                    decoder.attributes(sink).map_err(|mut fault| {
                        fault.path.push(Step::Name(image.into()));
                        fault
                    })?;
                    sink.end_map();
                    Ok(())
                }
            }
        })?;
        seen.check(start)
    }

    /// The object that holds the time. What else it has says nothing of the item.
    fn metadata<S: Sink>(&mut self, seen: &mut Seen, sink: &mut S) -> Decoded {
        if !self.eat(b'{') {
            return Err(self.not_an_object("`Metadata`", Code::Record));
        }
        self.members(|decoder, name_at| {
            let is_time = decoder.string()? == TIME;
            decoder.colon()?;
            decoder.white();
            if !is_time {
                decoder.at = scan::skip_value(decoder.bytes, decoder.at, decoder.newline_is_space)
                    .ok_or_else(|| Fault::new(Code::Json, name_at, "broken JSON in Metadata"))?;
                return Ok(());
            }
            sink.attribute(TIME).map_err(|refusal| Fault::refused(refusal, name_at))?;
            seen.time();
            decoder.time(sink).map_err(Fault::of_time)
        })
    }

    /// The time: `{"N":"…"}` as exports have it, or a string as the AWS guide shows it, or a
    /// number.
    fn time<S: Sink>(&mut self, sink: &mut S) -> Decoded {
        match self.bytes.get(self.at) {
            Some(b'{') => self.value(sink),
            Some(b'"') => {
                self.at += 1;
                self.number(sink)
            }
            _ => {
                let start = self.at;
                let end =
                    start + self.bytes[start..].iter().take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
                let text = &self.text[start..end];
                let number =
                    Number::parse(text.as_bytes()).map_err(|error| Fault::new(Code::Number, start, format!("{error}: {}", shown(text))))?;
                self.at = end;
                sink.number(number);
                Ok(())
            }
        }
    }

    /// The members of an object, behind its opening brace; `member` reads one, name and value.
    fn members(&mut self, mut member: impl FnMut(&mut Self, usize) -> Decoded) -> Decoded {
        self.white();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.white();
            member(self, self.at)?;
            self.white();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }
}
