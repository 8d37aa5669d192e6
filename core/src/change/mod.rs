//! Changes: what an incremental export says of an item in one record.
//!
//! A record comes as an item of up to four attributes (see [`format::change`]). It is kept
//! on a tape until it is whole, as its parts may stand in any order, and then given to a
//! [`ChangeSink`], which sends of it what it needs to sinks of items.
//!
//! [`format::change`]: crate::format::change

pub mod columns;
pub mod key;
pub mod lines;
pub mod row;

use std::str::FromStr;

use key::{Key, KeyNames};

use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::event::{Refusal, Sink, Want, pass_values};
use crate::format::change::{KEYS, NEW, OLD, TIME};
use crate::item::{Items, Place, Tape, Value};
use crate::number::Number;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// It is new.
    Insert,
    /// It was there before.
    Update,
    /// It is there; whether it was before is not known.
    Upsert,
    /// It is there no more.
    Delete,
}

impl Op {
    /// The name, as the column `_op` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }
}

/// What the records of an incremental export hold: `ExportViewType` in the API.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_IncrementalExportSpecification.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The items after.
    NewImage,
    /// The items before and after.
    NewAndOldImages,
}

impl View {
    /// The view with the name that a manifest has. The text of the API also says `NEW_IMAGES`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "NEW_IMAGE" | "NEW_IMAGES" => Ok(Self::NewImage),
            "NEW_AND_OLD_IMAGES" => Ok(Self::NewAndOldImages),
            _ => Err(Error::new(Code::Manifest, format!("outputView {name}: NEW_IMAGE and NEW_AND_OLD_IMAGES are known"))),
        }
    }
}

/// The images that are read of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Images {
    /// The items after, null for a delete.
    #[default]
    New,
    /// The items before, null for an insert.
    Old,
    /// The items after as columns, those before in one column `_old`.
    Both,
}

impl Images {
    /// The names of all.
    pub const NAMES: &[&str] = &["new", "old", "both"];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Both => "both",
        }
    }
}

impl FromStr for Images {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "new" => Ok(Self::New),
            "old" => Ok(Self::Old),
            "both" => Ok(Self::Both),
            _ => Err(Error::usage(format!("images must be one of {}, not {text:?}", Self::NAMES.join(", ")))),
        }
    }
}

/// The members of a map on a tape.
#[derive(Clone, Copy, Debug)]
struct Part {
    place: Place,
    len: usize,
}

/// One change, on a tape.
#[derive(Debug)]
pub struct Change<'a> {
    tape: &'a Tape,
    /// When the item was written, in microseconds since 1970.
    pub micros: i64,
    keys: Part,
    old: Option<Part>,
    new: Option<Part>,
}

impl<'a> Change<'a> {
    /// The record that stands at a place of a tape.
    pub fn read(tape: &'a Tape, place: &mut Place) -> Result<Self, Refusal> {
        let bad = |message: &str| Refusal { code: Code::Record, message: message.to_owned(), path: None };
        let Some((_, Value::M(members))) = tape.next(place) else { return Err(bad("no record")) };
        let (mut micros, mut keys, mut old, mut new) = (None, None, None, None);
        for _ in 0..members {
            let value = *place;
            let Some((name, of)) = tape.next(place) else { break };
            let part = if let Value::M(len) = of { Some(Part { place: *place, len }) } else { None };
            match tape.name(name) {
                KEYS => keys = part,
                OLD => old = part,
                NEW => new = part,
                TIME => micros = microseconds(of),
                _ => {}
            }
            *place = value;
            tape.skip(place);
        }
        let micros = micros.ok_or_else(|| Refusal {
            path: Some(format!("Metadata.{TIME}")),
            ..bad("the time of writing must be a whole number of microseconds")
        })?;
        let keys = keys.filter(|keys| keys.len > 0).ok_or_else(|| bad("a change without Keys"))?;
        Ok(Self { tape, micros, keys, old, new })
    }

    /// The next change of a tape on which changes are kept; `None` behind the last.
    pub fn next(tape: &'a Tape, place: &mut Place) -> Option<Self> {
        // It was read before it was kept.
        tape.next(&mut place.clone()).and_then(|_| Self::read(tape, place).ok())
    }

    /// What became of the item, where the records hold so much.
    pub fn op(&self, view: Option<View>) -> Op {
        match (self.new.is_some(), self.old.is_some(), view) {
            (false, _, _) => Op::Delete,
            (_, true, _) => Op::Update,
            (_, _, Some(View::NewAndOldImages)) => Op::Insert,
            _ => Op::Upsert,
        }
    }

    /// Whether there is an item after.
    pub fn has_new(&self) -> bool {
        self.new.is_some()
    }

    /// Whether there was an item before, as far as the record says it.
    pub fn has_old(&self) -> bool {
        self.old.is_some()
    }

    /// The attributes of the key.
    pub fn keys(&self) -> Attributes<'a> {
        Attributes { tape: self.tape, part: self.keys }
    }

    /// The item before.
    pub fn old(&self) -> Option<Attributes<'a>> {
        self.old.map(|part| Attributes { tape: self.tape, part })
    }

    /// The item after.
    pub fn new_image(&self) -> Option<Attributes<'a>> {
        self.new.map(|part| Attributes { tape: self.tape, part })
    }

    /// Sends the key and, behind it, the rest of an image.
    pub fn send_row<S: Sink>(&self, image: Option<Attributes<'_>>, sink: &mut S) -> Result<(), Refusal> {
        self.keys().send(sink)?;
        let is_key = |name: &str| self.keys().iter().any(|(key, _)| key == name);
        match image {
            Some(image) => image.tape.send_members(&mut image.part.place.clone(), image.part.len, sink, &|name| !is_key(name)),
            None => Ok(()),
        }
    }
}

/// The attributes of a key or an image.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    tape: &'a Tape,
    part: Part,
}

impl<'a> Attributes<'a> {
    /// Sends them to a sink.
    pub fn send<S: Sink>(self, sink: &mut S) -> Result<(), Refusal> {
        self.tape.send_members(&mut self.part.place.clone(), self.part.len, sink, &|_| true)
    }

    /// Where they stand on their tape, and how many they are.
    pub fn place(self) -> (Place, usize) {
        (self.part.place, self.part.len)
    }

    /// Names and values; of maps, lists and sets how many values they have.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut place = self.part.place;
        (0..self.part.len).filter_map(move |_| {
            let mut behind = place;
            let (name, value) = self.tape.next(&mut behind)?;
            self.tape.skip(&mut place);
            Some((self.tape.name(name), value))
        })
    }
}

fn microseconds(value: Value<'_>) -> Option<i64> {
    match value {
        Value::N(number) => number.to_i64(),
        Value::S(text) => Number::parse(text.as_bytes()).ok()?.to_i64(),
        _ => None,
    }
}

/// Keeps changes as they are, on a tape for each block.
#[derive(Default)]
pub struct KeepChanges(Tape);

impl ChangeSink for KeepChanges {
    type Out = Tape;
    const KEEPS: bool = true;
    fn change(&mut self, _change: &Change<'_>, _bytes: usize) -> Result<(), Refusal> {
        Ok(())
    }
    fn keep(&mut self, tape: Tape) {
        self.0 = tape;
    }
    fn end_block(&mut self) -> Result<Tape> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// A consumer of changes.
pub trait ChangeSink: Send + 'static {
    /// What comes of a block.
    type Out: Send;
    /// The changes that follow are those of this block of this file.
    fn begin_block(&mut self, _file: usize, _block: usize) {}
    /// A change, whose record had so many bytes. Where it is refused it leaves no trace.
    fn change(&mut self, change: &Change<'_>, bytes: usize) -> Result<(), Refusal>;
    /// The block is at its end.
    fn end_block(&mut self) -> Result<Self::Out>;

    /// Whether the records of a block stay on their tape, which then comes before its end.
    const KEEPS: bool = false;
    /// The tape with the changes of the block, see [`Change::read`].
    fn keep(&mut self, _tape: Tape) {}
}

/// Gives records of changes to their consumer.
pub struct Changes<C> {
    items: Items,
    /// The key that every change must have, where it is known.
    keys: Option<KeyNames>,
    key: Key,
    to: C,
}

impl<C> Changes<C> {
    /// Gives them to this consumer, of whatever key they are.
    pub fn new(to: C) -> Self {
        Self::of(None, to)
    }

    /// Gives them to this consumer: changes of items with this key. In whose image is another
    /// is bad, as what is read of it would be neither.
    pub fn of(keys: Option<KeyNames>, to: C) -> Self {
        Self { items: Items::default(), keys, key: Key::default(), to }
    }

    /// The consumer.
    pub fn inner(&self) -> &C {
        &self.to
    }

    /// The consumer, when all changes were given.
    pub fn into_inner(self) -> C {
        self.to
    }
}

impl<C: ChangeSink> Sink for Changes<C> {
    fn begin_item(&mut self) {
        self.items.begin_item();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.items.commit_item(bytes)?;
        let (tape, mut place) = self.items.last();
        let change = Change::read(tape, &mut place)?;
        if let Some(names) = &self.keys {
            names.of_change(&change, &mut self.key)?;
        }
        self.to.change(&change, bytes)?;
        // Else the tape holds one record at a time.
        if !C::KEEPS {
            self.items.forget_last();
        }
        Ok(())
    }
    fn abort_item(&mut self) {
        self.items.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.items.attribute(name)
    }
    pass_values!(items);
}

impl<C: ChangeSink> BlockSink for Changes<C> {
    type Out = C::Out;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.to.begin_block(file, block);
    }
    fn end_block(&mut self) -> Result<C::Out> {
        // The names are those of the block.
        self.to.keep(self.items.take_tape());
        self.to.end_block()
    }
}

/// Does the work on an item of a sink that the item's events come from a tape: whole or not at
/// all.
pub(crate) fn item<S: Sink>(sink: &mut S, bytes: usize, send: impl FnOnce(&mut S) -> Result<(), Refusal>) -> Result<(), Refusal> {
    sink.begin_item();
    let done = send(sink).and_then(|()| sink.commit_item(bytes));
    if done.is_err() {
        sink.abort_item();
    }
    done
}
