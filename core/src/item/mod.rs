//! Items that are kept: on a [tape](Tape), or owned, for tests and small work.

pub mod canonical;
pub mod keyed;
pub mod split;
mod tape;

use crate::event::{Asks, Kind, OpenNames, Refusal, Sink, Want};
use crate::name::Key;
use crate::number::Number;
use crate::schema::Columns;

pub use tape::{Items, Place, Tape, Value};

/// An owned attribute value.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// String.
    S(String),
    /// Number.
    N(Number),
    /// Binary.
    B(Vec<u8>),
    /// Boolean.
    Bool(bool),
    /// Map, in the order of the source.
    M(Item),
    /// List.
    L(Vec<AttributeValue>),
    /// String set, in the order of the source.
    SS(Vec<String>),
    /// Number set, in the order of the source.
    NS(Vec<Number>),
    /// Binary set, in the order of the source.
    BS(Vec<Vec<u8>>),
    /// Null.
    Null,
}

/// The attributes of an item or map, in the order of the source.
pub type Item = Vec<(String, AttributeValue)>;

/// Sends an item's attributes to a sink, as a source does.
pub fn send<S: Sink>(item: &Item, sink: &mut S) -> Result<(), Refusal> {
    for (name, value) in item {
        if sink.attribute(name)? == Want::Value {
            send_value(value, sink)?;
        }
    }
    Ok(())
}

fn send_value<S: Sink>(value: &AttributeValue, sink: &mut S) -> Result<(), Refusal> {
    match value {
        AttributeValue::S(value) => sink.string(value),
        AttributeValue::N(value) => sink.number(*value),
        AttributeValue::B(value) => sink.binary(value),
        AttributeValue::Bool(value) => sink.boolean(*value),
        AttributeValue::Null => sink.null(),
        AttributeValue::M(item) => {
            sink.begin_map();
            send(item, sink)?;
            sink.end_map();
        }
        AttributeValue::L(values) => {
            sink.begin_list();
            values.iter().try_for_each(|value| send_value(value, sink))?;
            sink.end_list();
        }
        AttributeValue::SS(members) => {
            sink.begin_set(Kind::SS);
            members.iter().for_each(|member| sink.string(member));
            sink.end_set();
        }
        AttributeValue::NS(members) => {
            sink.begin_set(Kind::NS);
            members.iter().for_each(|member| sink.number(*member));
            sink.end_set();
        }
        AttributeValue::BS(members) => {
            sink.begin_set(Kind::BS);
            members.iter().for_each(|member| sink.binary(member));
            sink.end_set();
        }
    }
    Ok(())
}

/// The attributes that are asked for, and nothing else of the items: `columns=` for sinks
/// that do not choose columns themselves.
pub struct Project<S> {
    sink: S,
    columns: Option<Columns>,
    depth: u32,
    names: OpenNames,
}

impl<S: Sink> Project<S> {
    /// All attributes for `None`.
    pub fn new(sink: S, columns: Option<Columns>) -> Self {
        Self { sink, columns, depth: 0, names: OpenNames::default() }
    }

    /// The sink behind.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }
}

impl<S: Sink> Sink for Project<S> {
    fn asks(&self) -> Asks {
        self.sink.asks()
    }
    fn begin_item(&mut self) {
        self.depth = 0;
        self.names.clear();
        self.names.begin();
        self.sink.begin_item();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.sink.commit_item(bytes)
    }
    fn abort_item(&mut self) {
        self.sink.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        match &self.columns {
            Some(columns) if self.depth == 0 => {
                if columns.iter().any(|column| column == name) {
                    return self.sink.attribute(name);
                }
                // The sink behind never sees these names, so their duplicates are found here.
                self.names.add(name)?;
                Ok(Want::Nothing)
            }
            _ => self.sink.attribute(name),
        }
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        if self.depth == 0 && self.columns.is_some() { None } else { self.sink.known(name) }
    }
    fn string(&mut self, value: &str) {
        self.sink.string(value);
    }
    fn number(&mut self, value: Number) {
        self.sink.number(value);
    }
    fn binary(&mut self, value: &[u8]) {
        self.sink.binary(value);
    }
    fn boolean(&mut self, value: bool) {
        self.sink.boolean(value);
    }
    fn null(&mut self) {
        self.sink.null();
    }
    fn begin_map(&mut self) {
        self.depth += 1;
        self.sink.begin_map();
    }
    fn end_map(&mut self) {
        self.depth -= 1;
        self.sink.end_map();
    }
    fn begin_list(&mut self) {
        self.depth += 1;
        self.sink.begin_list();
    }
    fn end_list(&mut self) {
        self.depth -= 1;
        self.sink.end_list();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.sink.begin_set(kind);
    }
    fn end_set(&mut self) {
        self.sink.end_set();
    }
}
