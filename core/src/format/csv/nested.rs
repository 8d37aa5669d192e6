//! Cells that hold more than a scalar: plain JSON text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::Code;
use crate::event::{Kind, Refusal, SetMembers, Sink, Want};
use crate::format::json::send_plain_value;
use crate::format::record::{Decoded, Fault, shown};
use crate::number::Number;

/// Whether the first character that is no blank is this one.
pub fn begins_with(cell: &str, first: char) -> bool {
    cell.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(first)
}

/// Sends the map or list in a cell.
pub fn send<S: Sink>(cell: &str, sink: &mut S) -> Decoded {
    // Where it stands in the cell is not where it stands in the file.
    send_plain_value(cell, sink).map_err(|fault| Box::new(Fault { at: 0, ..*fault }))
}

/// Sends the array in a cell as a set.
pub fn send_set<S: Sink>(cell: &str, kind: Kind, members: &mut SetMembers, sink: &mut S) -> Decoded {
    members.begin();
    let mut set = Set { sink, kind, members, is_open: false, fault: None };
    let sent = send(cell, &mut set);
    set.fault.take().map_or(sent, Err)
}

/// Takes the events of a list, and sends those of a set.
struct Set<'a, S> {
    sink: &'a mut S,
    kind: Kind,
    members: &'a mut SetMembers,
    is_open: bool,
    /// The first member that cannot be one.
    fault: Option<Box<Fault>>,
}

impl<S: Sink> Set<'_, S> {
    #[cold]
    fn refuse(&mut self, code: Code, message: String) {
        self.fault.get_or_insert_with(|| Fault::new(code, 0, message));
    }

    fn other_type(&mut self) {
        let expected = match self.kind {
            Kind::SS => "strings",
            Kind::NS => "numbers",
            _ => "base64 strings",
        };
        self.refuse(Code::Set, format!("the members of a set of type {} must be {expected}", self.kind.descriptor()));
    }

    fn check(&mut self, is_new: bool) -> bool {
        if !is_new {
            self.refuse(Code::Set, "a member stands twice in the set".into());
        }
        is_new
    }
}

impl<S: Sink> Sink for Set<'_, S> {
    fn begin_item(&mut self) {}
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        Ok(())
    }
    fn abort_item(&mut self) {}
    fn attribute(&mut self, _name: &str) -> Result<Want, Refusal> {
        Ok(Want::Value)
    }
    fn string(&mut self, value: &str) {
        match self.kind {
            Kind::SS => {
                let is_new = self.members.is_new(value.as_bytes());
                if self.check(is_new) {
                    self.sink.string(value);
                }
            }
            // Where all digits are to be kept, other tools write numbers as text.
            Kind::NS => match Number::parse(value.as_bytes()) {
                Ok(number) => self.number(number),
                Err(error) => self.refuse(Code::Number, format!("{error}: {}", shown(value))),
            },
            _ => match STANDARD.decode(value) {
                Ok(binary) => {
                    let is_new = self.members.is_new(&binary);
                    if self.check(is_new) {
                        self.sink.binary(&binary);
                    }
                }
                Err(error) => self.refuse(Code::Base64, format!("not base64 ({error}): {}", shown(value))),
            },
        }
    }
    fn number(&mut self, value: Number) {
        if self.kind != Kind::NS {
            return self.other_type();
        }
        let is_new = self.members.is_new_number(value);
        if self.check(is_new) {
            self.sink.number(value);
        }
    }
    fn binary(&mut self, _value: &[u8]) {
        self.other_type();
    }
    fn boolean(&mut self, _value: bool) {
        self.other_type();
    }
    fn null(&mut self) {
        self.other_type();
    }
    fn begin_map(&mut self) {
        self.other_type();
    }
    fn end_map(&mut self) {}
    fn begin_list(&mut self) {
        if std::mem::replace(&mut self.is_open, true) {
            self.other_type();
        } else {
            self.sink.begin_set(self.kind);
        }
    }
    fn end_list(&mut self) {
        // Of a list inside the item is aborted anyway.
        if self.fault.is_none() {
            self.sink.end_set();
        }
    }
    fn begin_set(&mut self, _kind: Kind) {
        self.other_type();
    }
    fn end_set(&mut self) {}
}
