//! The events of one item: what every format is read into and everything is made from.
//!
//! A source (a format's decoder) walks over the bytes of a record and calls a [`Sink`]:
//! nothing between them builds a tree. An item is a transaction: between
//! [`Sink::begin_item`] and [`Sink::commit_item`] a sink may be told to forget what it has
//! seen of the item ([`Sink::abort_item`]), and is then exactly as before.
//!
//! An item is a map at the top: `attribute` and a value for each attribute. A value is one
//! scalar event, or `begin_map`, attributes, `end_map`; `begin_list`, values, `end_list`;
//! `begin_set`, members (strings, numbers or binaries), `end_set`.

use crate::error::{Code, Error};
use crate::name::Key;
use crate::number::Number;
pub use crate::open_names::{OpenNames, SetMembers};

/// A DynamoDB type, in the order in which several types at one path are told apart.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
    /// Boolean.
    Bool,
    /// Map.
    M,
    /// List.
    L,
    /// String set.
    SS,
    /// Number set.
    NS,
    /// Binary set.
    BS,
    /// Null.
    Null,
}

impl Kind {
    /// All types, in order.
    pub const ALL: [Self; 10] = [Self::S, Self::N, Self::B, Self::Bool, Self::M, Self::L, Self::SS, Self::NS, Self::BS, Self::Null];

    /// The type's descriptor.
    pub const fn descriptor(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::M => "M",
            Self::L => "L",
            Self::SS => "SS",
            Self::NS => "NS",
            Self::BS => "BS",
            Self::Null => "NULL",
        }
    }

    /// The type with this descriptor.
    pub fn from_descriptor(descriptor: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.descriptor() == descriptor)
    }

    /// The type of the members, for a set.
    pub const fn member(self) -> Option<Self> {
        match self {
            Self::SS => Some(Self::S),
            Self::NS => Some(Self::N),
            Self::BS => Some(Self::B),
            _ => None,
        }
    }
}

/// What a sink wants of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Its value's events.
    Value,
    /// Nothing: the source checks syntax, descriptors and duplicate names, and sends no events.
    Nothing,
}

/// Why a sink cannot take an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error's code.
    pub code: Code,
    /// The error's text.
    pub message: String,
    /// The attribute path, where it is another than that of the record's current value.
    pub path: Option<String>,
}

impl Refusal {
    /// The name stands a second time in one object.
    #[cold]
    pub fn duplicate() -> Self {
        Self { code: Code::DuplicateAttribute, message: "the attribute stands twice in one object".into(), path: None }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(refusal.code, refusal.message);
        match refusal.path {
            Some(path) => error.at_path(path),
            None => error,
        }
    }
}

/// A type of Ion that can be read as a DynamoDB value, and that AWS does not name among those that it writes
/// and takes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undocumented {
    /// `1`, which is not `1.`: measured, an import of it fails.
    Int,
    /// `1e0`.
    Float,
    /// `'text'`.
    Symbol,
    /// `{{"text"}}`.
    Clob,
    /// `null.int`.
    TypedNull,
}

/// What a sink asks of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Scalar values matter: where not, the source need not check that numbers are numbers and
    /// binary is base64, and sends empty ones.
    pub values: bool,
    /// Sets with a member that comes twice are to be refused.
    pub distinct: bool,
    /// Which values are of types of Ion that AWS does not document, by [`Sink::undocumented`].
    pub undocumented: bool,
}

/// A consumer of items. See the [module](self) for the order of the calls.
pub trait Sink {
    /// What the sink asks of its source, the same for as long as it lives.
    #[inline]
    fn asks(&self) -> Asks {
        Asks { values: true, distinct: true, undocumented: false }
    }

    /// A new item begins.
    fn begin_item(&mut self);
    /// The item is complete; its record had so many bytes. Where it is refused, it is
    /// aborted.
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal>;
    /// The item was bad: be as before it.
    fn abort_item(&mut self);

    /// The next value belongs to this attribute of the item or of the innermost map. A name
    /// that the object already had is refused.
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal>;
    /// The same for a short name, by its key. A sink that does not know it, or would refuse it,
    /// says nothing, and is given the name.
    #[inline]
    fn known(&mut self, _name: Key) -> Option<Want> {
        None
    }

    /// The value that comes next is of a type of Ion that AWS does not document for DynamoDB: only
    /// said to a sink that [asks](Asks::undocumented).
    fn undocumented(&mut self, _what: Undocumented) {}

    /// A string, or a member of a string set.
    fn string(&mut self, value: &str);
    /// A number, or a member of a number set.
    fn number(&mut self, value: Number);
    /// A binary, or a member of a binary set.
    fn binary(&mut self, value: &[u8]);
    /// A boolean.
    fn boolean(&mut self, value: bool);
    /// A NULL.
    fn null(&mut self);
    /// A map begins.
    fn begin_map(&mut self);
    /// The innermost map ends.
    fn end_map(&mut self);
    /// A list begins.
    fn begin_list(&mut self);
    /// The innermost list ends.
    fn end_list(&mut self);
    /// A set of this type begins.
    fn begin_set(&mut self, kind: Kind);
    /// The set ends.
    fn end_set(&mut self);
}

/// The events of values, as they are, for the sink in a field.
macro_rules! pass_values {
    ($field:ident) => {
        fn string(&mut self, value: &str) {
            self.$field.string(value);
        }
        fn number(&mut self, value: $crate::number::Number) {
            self.$field.number(value);
        }
        fn binary(&mut self, value: &[u8]) {
            self.$field.binary(value);
        }
        fn boolean(&mut self, value: bool) {
            self.$field.boolean(value);
        }
        fn null(&mut self) {
            self.$field.null();
        }
        fn begin_map(&mut self) {
            self.$field.begin_map();
        }
        fn end_map(&mut self) {
            self.$field.end_map();
        }
        fn begin_list(&mut self) {
            self.$field.begin_list();
        }
        fn end_list(&mut self) {
            self.$field.end_list();
        }
        fn begin_set(&mut self, kind: $crate::event::Kind) {
            self.$field.begin_set(kind);
        }
        fn end_set(&mut self) {
            self.$field.end_set();
        }
    };
}
pub(crate) use pass_values;

/// A sink of any type, called by pointer: the decoders are compiled for this one, not for each of many.
pub struct AnySink<'a> {
    sink: &'a mut dyn Sink,
    asks: Asks,
}

impl<'a> AnySink<'a> {
    /// Passes everything on to this one.
    pub fn new(sink: &'a mut dyn Sink) -> Self {
        Self { asks: sink.asks(), sink }
    }
}

impl Sink for AnySink<'_> {
    #[inline]
    fn asks(&self) -> Asks {
        self.asks
    }
    #[inline]
    fn begin_item(&mut self) {
        self.sink.begin_item();
    }
    #[inline]
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.sink.commit_item(bytes)
    }
    #[inline]
    fn abort_item(&mut self) {
        self.sink.abort_item();
    }
    #[inline]
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.sink.attribute(name)
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        self.sink.known(name)
    }
    #[inline]
    fn undocumented(&mut self, what: Undocumented) {
        self.sink.undocumented(what);
    }
    pass_values!(sink);
}

/// A sink that keeps nothing: for the attributes that nobody asked for, and to count items.
#[derive(Default)]
pub struct Discard {
    names: OpenNames,
}

impl Sink for Discard {
    #[inline]
    fn asks(&self) -> Asks {
        Asks { values: false, distinct: false, undocumented: false }
    }
    fn begin_item(&mut self) {
        self.names.clear();
        self.names.begin();
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        Ok(())
    }
    fn abort_item(&mut self) {}
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        Ok(Want::Value)
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        self.names.known(name).map(|_| Want::Value)
    }
    fn string(&mut self, _value: &str) {}
    fn number(&mut self, _value: Number) {}
    fn binary(&mut self, _value: &[u8]) {}
    fn boolean(&mut self, _value: bool) {}
    fn null(&mut self) {}
    fn begin_map(&mut self) {
        self.names.begin();
    }
    fn end_map(&mut self) {
        self.names.end();
    }
    fn begin_list(&mut self) {}
    fn end_list(&mut self) {}
    fn begin_set(&mut self, _kind: Kind) {}
    fn end_set(&mut self) {}
}
