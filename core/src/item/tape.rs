//! The items of a block in a few pieces of memory: what stands between the decoders and
//! those who make items of a kind of their own.
//!
//! An owned item takes an allocation for each name and text, made on one thread and freed
//! on another. A tape takes none: its values stand in the order of the source, each with the
//! index of its name, and texts stand behind each other in one string. Whoever reads it walks
//! over the values, and looks a name up once for all items that have it.

use super::{AttributeValue, Item};
use crate::event::{Kind, Refusal, Sink, Want};
use crate::name::Key;
use crate::number::Number;

/// The items of a block, each a map at the top.
#[derive(Debug, Default)]
pub struct Tape {
    marks: Vec<Mark>,
    names: Vec<Box<str>>,
    text: String,
    bytes: Vec<u8>,
    numbers: Vec<Number>,
}

/// A value. Its text, bytes or number stand behind those of the values before it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    kind: Kind,
    name: u32,
    /// Bytes of a text or binary, members of what has members, 1 for true.
    len: usize,
}

/// A value on a tape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// String.
    S(&'a str),
    /// Number.
    N(Number),
    /// Binary.
    B(&'a [u8]),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// A map: so many values with names follow.
    M(usize),
    /// A list: so many values follow.
    L(usize),
    /// A string set: so many strings follow.
    SS(usize),
    /// A number set: so many numbers follow.
    NS(usize),
    /// A binary set: so many binaries follow.
    BS(usize),
}

/// How far a walk over a tape has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    mark: usize,
    text: usize,
    byte: usize,
    number: usize,
}

impl Tape {
    /// The names on the tape.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// The next value, with the index of its name where it is a map's. Behind an item it is
    /// the map that is the next item.
    #[inline]
    pub fn next(&self, place: &mut Place) -> Option<(usize, Value<'_>)> {
        let Mark { kind, name, len } = *self.marks.get(place.mark)?;
        place.mark += 1;
        let value = match kind {
            Kind::S => {
                place.text += len;
                Value::S(&self.text[place.text - len..place.text])
            }
            Kind::N => {
                place.number += 1;
                Value::N(self.numbers[place.number - 1])
            }
            Kind::B => {
                place.byte += len;
                Value::B(&self.bytes[place.byte - len..place.byte])
            }
            Kind::Bool => Value::Bool(len == 1),
            Kind::Null => Value::Null,
            Kind::M => Value::M(len),
            Kind::L => Value::L(len),
            Kind::SS => Value::SS(len),
            Kind::NS => Value::NS(len),
            Kind::BS => Value::BS(len),
        };
        Some((name as usize, value))
    }

    /// The name with this index.
    #[inline]
    pub fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    /// Passes over the next value.
    pub fn skip(&self, place: &mut Place) {
        if let Some((_, value)) = self.next(place) {
            self.pass(value, place);
        }
    }

    /// Sends so many members of a map to a sink: those whose names are wanted.
    pub fn send_members<S: Sink>(
        &self,
        place: &mut Place,
        len: usize,
        sink: &mut S,
        wanted: &impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        for _ in 0..len {
            let Some((name, value)) = self.next(place) else { break };
            let name = self.name(name);
            if wanted(name) && sink.attribute(name)? == Want::Value {
                self.send_value(value, place, sink)?;
            } else {
                self.pass(value, place);
            }
        }
        Ok(())
    }

    /// The next item, owned.
    pub fn next_item(&self, place: &mut Place) -> Option<Item> {
        match self.owned(place)?.1 {
            AttributeValue::M(item) => Some(item),
            _ => None,
        }
    }

    /// The attributes of the next item, to a sink. `begin_item` and `commit_item` are the
    /// caller's.
    pub fn send<S: Sink>(&self, place: &mut Place, sink: &mut S) -> Result<(), Refusal> {
        match self.next(place) {
            Some((_, Value::M(len))) => self.send_members(place, len, sink, &|_| true),
            _ => Ok(()),
        }
    }

    fn send_value<S: Sink>(&self, value: Value<'_>, place: &mut Place, sink: &mut S) -> Result<(), Refusal> {
        match value {
            Value::S(text) => sink.string(text),
            Value::N(number) => sink.number(number),
            Value::B(bytes) => sink.binary(bytes),
            Value::Bool(value) => sink.boolean(value),
            Value::Null => sink.null(),
            Value::M(len) => {
                sink.begin_map();
                self.send_members(place, len, sink, &|_| true)?;
                sink.end_map();
            }
            Value::L(len) => {
                sink.begin_list();
                self.send_values(len, place, sink)?;
                sink.end_list();
            }
            Value::SS(len) => self.send_set(Kind::SS, len, place, sink)?,
            Value::NS(len) => self.send_set(Kind::NS, len, place, sink)?,
            Value::BS(len) => self.send_set(Kind::BS, len, place, sink)?,
        }
        Ok(())
    }

    fn send_values<S: Sink>(&self, len: usize, place: &mut Place, sink: &mut S) -> Result<(), Refusal> {
        for _ in 0..len {
            let Some((_, value)) = self.next(place) else { break };
            self.send_value(value, place, sink)?;
        }
        Ok(())
    }

    fn send_set<S: Sink>(&self, kind: Kind, len: usize, place: &mut Place, sink: &mut S) -> Result<(), Refusal> {
        sink.begin_set(kind);
        self.send_values(len, place, sink)?;
        sink.end_set();
        Ok(())
    }

    /// Passes over what stands in a value that was read.
    pub fn pass(&self, value: Value<'_>, place: &mut Place) {
        if let Value::M(len) | Value::L(len) | Value::SS(len) | Value::NS(len) | Value::BS(len) = value {
            for _ in 0..len {
                let Some((_, value)) = self.next(place) else { break };
                self.pass(value, place);
            }
        }
    }

    fn truncate(&mut self, place: Place) {
        self.marks.truncate(place.mark);
        self.text.truncate(place.text);
        self.bytes.truncate(place.byte);
        self.numbers.truncate(place.number);
    }

    fn owned(&self, place: &mut Place) -> Option<(usize, AttributeValue)> {
        let (name, value) = self.next(place)?;
        let value = match value {
            Value::S(text) => AttributeValue::S(text.to_owned()),
            Value::N(number) => AttributeValue::N(number),
            Value::B(bytes) => AttributeValue::B(bytes.to_owned()),
            Value::Bool(value) => AttributeValue::Bool(value),
            Value::Null => AttributeValue::Null,
            Value::M(len) => AttributeValue::M(self.members(len, place, |name, value| Some((self.names[name].to_string(), value)))),
            Value::L(len) => AttributeValue::L(self.members(len, place, |_, value| Some(value))),
            Value::SS(len) => AttributeValue::SS(self.members(len, place, |_, value| match value {
                AttributeValue::S(member) => Some(member),
                _ => None,
            })),
            Value::NS(len) => AttributeValue::NS(self.members(len, place, |_, value| match value {
                AttributeValue::N(member) => Some(member),
                _ => None,
            })),
            Value::BS(len) => AttributeValue::BS(self.members(len, place, |_, value| match value {
                AttributeValue::B(member) => Some(member),
                _ => None,
            })),
        };
        Some((name, value))
    }

    fn members<T>(&self, len: usize, place: &mut Place, of: impl Fn(usize, AttributeValue) -> Option<T>) -> Vec<T> {
        (0..len).filter_map(|_| self.owned(place).and_then(|(name, value)| of(name, value))).collect()
    }
}

/// Collects items.
#[derive(Default)]
#[allow(clippy::struct_field_names)] // they are items
pub struct Items {
    tape: Tape,
    names: Names,
    /// The name of the next value.
    name: u32,
    /// The marks of the maps, lists and sets that are open.
    open: Vec<usize>,
    /// Lengths of the tape's parts before the item.
    start: Place,
}

impl Items {
    /// The items committed since the last call, as they are kept.
    pub fn take_tape(&mut self) -> Tape {
        self.names.forget();
        std::mem::take(&mut self.tape)
    }

    /// The items committed since the last call, owned.
    pub fn take(&mut self) -> Vec<Item> {
        let (tape, mut place) = (self.take_tape(), Place::default());
        std::iter::from_fn(|| tape.next_item(&mut place)).collect()
    }

    /// The tape, and where the item on it begins that was committed last.
    pub fn last(&self) -> (&Tape, Place) {
        (&self.tape, self.start)
    }

    /// Forgets the item committed last, and keeps the names.
    pub fn forget_last(&mut self) {
        self.tape.truncate(self.start);
    }

    #[inline]
    fn value(&mut self, kind: Kind, len: usize) {
        if let Some(&open) = self.open.last() {
            self.tape.marks[open].len += 1;
        }
        self.tape.marks.push(Mark { kind, name: self.name, len });
    }

    fn open(&mut self, kind: Kind) {
        self.value(kind, 0);
        self.open.push(self.tape.marks.len() - 1);
    }
}

impl Sink for Items {
    fn begin_item(&mut self) {
        let tape = &self.tape;
        self.start = Place { mark: tape.marks.len(), text: tape.text.len(), byte: tape.bytes.len(), number: tape.numbers.len() };
        self.open(Kind::M);
        self.names.begin();
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.names.end();
        self.open.pop();
        Ok(())
    }
    fn abort_item(&mut self) {
        self.tape.truncate(self.start);
        self.open.clear();
        self.names.end_all();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.name = self.names.add(name, &mut self.tape.names).ok_or_else(Refusal::duplicate)?;
        Ok(Want::Value)
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        self.name = self.names.known(name)?;
        Some(Want::Value)
    }
    fn string(&mut self, value: &str) {
        self.value(Kind::S, value.len());
        self.tape.text.push_str(value);
    }
    fn number(&mut self, value: Number) {
        self.value(Kind::N, 0);
        self.tape.numbers.push(value);
    }
    fn binary(&mut self, value: &[u8]) {
        self.value(Kind::B, value.len());
        self.tape.bytes.extend_from_slice(value);
    }
    fn boolean(&mut self, value: bool) {
        self.value(Kind::Bool, usize::from(value));
    }
    fn null(&mut self) {
        self.value(Kind::Null, 0);
    }
    fn begin_map(&mut self) {
        self.open(Kind::M);
        self.names.begin();
    }
    fn end_map(&mut self) {
        self.names.end();
        self.open.pop();
    }
    fn begin_list(&mut self) {
        self.open(Kind::L);
    }
    fn end_list(&mut self) {
        self.open.pop();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.open(kind);
    }
    fn end_set(&mut self) {
        self.open.pop();
    }
}

/// The indices of a tape's names, and which of them the open maps have.
#[derive(Default)]
struct Names {
    indices: crate::name::Names,
    /// For each name, how deep the innermost open map stands that has it; 0 for none.
    depths: Vec<u32>,
    /// The names of the open maps, and what stood in `depths` before.
    added: Vec<(u32, u32)>,
    /// Where the names of each open map begin in `added`.
    maps: Vec<usize>,
}

/// All maps of a tape share its names.
const TAPE: u32 = 0;

impl Names {
    fn begin(&mut self) {
        self.maps.push(self.added.len());
    }

    fn end(&mut self) {
        let first = self.maps.pop().unwrap_or(0);
        for (name, before) in self.added.drain(first..) {
            self.depths[name as usize] = before;
        }
    }

    fn end_all(&mut self) {
        while !self.maps.is_empty() {
            self.end();
        }
    }

    /// Another tape begins. No map is open.
    fn forget(&mut self) {
        self.indices.clear();
        self.depths.clear();
    }

    /// Adds a name to the innermost map; `None` where it has the name.
    #[inline]
    fn add(&mut self, name: &str, names: &mut Vec<Box<str>>) -> Option<u32> {
        let index = match self.indices.get(TAPE, name, |index| &names[index as usize]) {
            Some(index) => index,
            None => {
                let index = names.len() as u32;
                names.push(name.into());
                self.depths.push(0);
                self.indices.insert(TAPE, name, index);
                index
            }
        };
        self.put(index)
    }

    /// The same for a short name that the tape has.
    #[inline]
    fn known(&mut self, name: Key) -> Option<u32> {
        let index = self.indices.find(TAPE, name)?;
        self.put(index)
    }

    #[inline]
    fn put(&mut self, index: u32) -> Option<u32> {
        let (depth, before) = (self.maps.len() as u32, self.depths[index as usize]);
        if before == depth {
            return None;
        }
        self.depths[index as usize] = depth;
        self.added.push((index, before));
        Some(index)
    }
}
