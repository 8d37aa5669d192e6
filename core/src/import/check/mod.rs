//! What `ImportTable` says of an item that can be read: the rules of `PutItem`, in its words.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
//!
//! A sink like any other, so that items of all formats are checked alike: it refuses those with
//! faults, so that the source says where they are. Values that are no values of DynamoDB at all
//! (numbers that are none, binary that is no base64) are the sources' errors.

mod rules;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use rules::{Attribute, INVALID, key_fault};
pub use rules::{KeyRule, Rules};

use super::VectorIndex;
use super::objects::looks_like;
use super::size::{CONTAINER, ITEM_BYTES, MEMBER, SCALAR, number_size};
use super::unknown::Unknown;
use crate::block::{Block, Records};
use crate::change::key::Capture;
use crate::codec::Codec;
use crate::engine::worker::BlockSink;
use crate::error::{Code, Result};
use crate::event::{Asks, Kind, OpenNames, Refusal, SetMembers, Sink, Undocumented, Want};
use crate::format::SourceFormat;
use crate::name::Key;
use crate::number::Number;

/// Maps and lists inside each other, at most: what stands in them is level 32.
const WRAPPERS: u32 = 31;
/// Bytes of an attribute's name, at most. The guide's 64 KB is one more.
const NAME_BYTES: usize = 65_535;

/// Something that is wrong with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The attribute path.
    pub path: String,
    /// What `PutItem` says of it.
    pub message: String,
    /// What nobody has measured of an import of it.
    pub unknown: Option<Unknown>,
}

/// An item with faults: its error is one of `E_IMPORT`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faulty {
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// Its key is among those of the block.
    pub has_key: bool,
}

/// How the records of an object stand in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As imports take it.
    #[default]
    Lines,
    /// JSON in an array.
    JsonArray,
    /// JSON with records over several lines.
    JsonDocument,
    /// Binary Ion.
    IonBinary,
}

/// What the items of a block came to.
#[derive(Debug, Default)]
pub struct Checks {
    /// The items that were refused, in the order of their errors.
    pub faulty: Vec<Faulty>,
    /// Items that are none of those.
    pub good: u64,
    /// The bytes of all items, as DynamoDB counts them.
    pub item_bytes: u64,
    /// Items with a key.
    pub keyed: u64,
    /// Their keys, one behind the other.
    pub keys: Vec<u8>,
    /// Where each ends.
    pub key_ends: Vec<u32>,
    /// How the object is compressed.
    pub codec: Codec,
    /// How its records stand in it, as far as its first block shows.
    pub layout: Layout,
    /// The format that its first bytes have, where they are in this block.
    pub looks: Option<SourceFormat>,
    /// Its bytes up to the end of the block.
    pub end: u64,
}

/// Checks items.
pub struct ItemCheck {
    rules: Rules,
    checks: Checks,
    /// Good items are refused, too: to have their places.
    locate: bool,
    capture: Capture,
    names: OpenNames,
    /// What the item's own attributes are, by the nodes of their names.
    attributes: Vec<Attribute>,
    faults: Vec<Fault>,
    size: u64,
    wrappers: u32,
    set: Option<OpenSet>,
    members: SetMembers,
    /// The members of the set that is open, as messages show them.
    shown: String,
    /// The rules that the item's own attribute which comes is under, and those that were met.
    current: Option<usize>,
    met: Vec<bool>,
    vector: Vector,
}

#[derive(Clone, Copy)]
struct OpenSet {
    kind: Kind,
    used: bool,
    distinct: bool,
}

/// Of the attribute that comes: what vector indexes have to know.
#[derive(Default)]
struct Vector {
    /// It is one of an index.
    is_one: bool,
    /// Elements of its list.
    elements: u64,
    /// The first that is no number.
    odd: Option<(u64, Kind)>,
}

impl ItemCheck {
    /// Checks by these rules.
    pub fn new(rules: Rules) -> Self {
        let capture = Capture::new(rules.key_names());
        Self {
            met: vec![false; rules.keys.len()],
            rules,
            checks: Checks::default(),
            locate: false,
            capture,
            names: OpenNames::default(),
            attributes: Vec::new(),
            faults: Vec::new(),
            size: 0,
            wrappers: 0,
            set: None,
            members: SetMembers::default(),
            shown: String::new(),
            current: None,
            vector: Vector::default(),
        }
    }

    /// The same, which refuses every item, good ones without a fault: so that the source says where each is.
    #[must_use]
    pub fn locating(self, locate: bool) -> Self {
        Self { locate, ..self }
    }

    /// Whether what comes is an attribute of the item, in no map, list or set.
    pub fn at_top(&self) -> bool {
        self.wrappers == 0 && self.set.is_none()
    }

    /// What the items since the last call came to.
    pub fn take(&mut self) -> Checks {
        let next = Checks { codec: self.checks.codec, layout: self.checks.layout, end: self.checks.end, ..Checks::default() };
        std::mem::replace(&mut self.checks, next)
    }

    /// Measured of `PutItem`, not of imports.
    #[cold]
    fn fault(&mut self, message: impl Into<String>) {
        self.push(message.into(), Some(Unknown::ValueFaults));
    }

    #[cold]
    fn push(&mut self, message: String, unknown: Option<Unknown>) {
        self.faults.push(Fault { path: self.names.path(), message, unknown });
    }

    /// An attribute of the item comes.
    #[inline]
    fn own(&mut self, attribute: Attribute) {
        self.current = attribute.rule;
        self.vector.is_one = attribute.is_vector;
    }

    /// A value comes, which in itself has so many bytes.
    #[inline]
    fn value(&mut self, kind: Kind, size: u64) {
        self.size += size;
        match &mut self.set {
            Some(set) => {
                set.used = true;
                return;
            }
            // A member of a map or list has a byte of its own.
            None if self.wrappers > 0 => self.size += MEMBER,
            None => {}
        }
        if self.wrappers == 0
            && let Some(first) = self.current.take()
        {
            self.key_value(first, kind, size);
        }
        if self.vector.is_one {
            self.vector_value(kind);
        }
    }

    /// The value of an attribute that is of a key.
    fn key_value(&mut self, first: usize, kind: Kind, size: u64) {
        let mut next = Some(first);
        while let Some(at) = next {
            self.met[at] = true;
            next = self.rules.next[at];
            if let Some((message, unknown)) = key_fault(&self.rules.keys[at], at, kind, size) {
                self.push(message, unknown);
            }
        }
    }

    /// A value of the attribute of a vector index: itself, or in it.
    #[cold]
    fn vector_value(&mut self, kind: Kind) {
        match self.wrappers {
            0 if kind == Kind::L => {}
            0 => {
                self.vector.is_one = false;
                let name = self.names.path();
                for message in self.vector_faults(&name, |index| {
                    format!("Invalid type for parameter {name}, Expected: 32-bit floating point number list IndexName: {}", index.name)
                }) {
                    self.fault(message);
                }
            }
            1 => {
                if kind != Kind::N && self.vector.odd.is_none() {
                    self.vector.odd = Some((self.vector.elements, kind));
                }
                self.vector.elements += 1;
            }
            _ => {}
        }
    }

    /// The list of a vector index is at its end.
    #[cold]
    fn end_vector(&mut self) {
        let Vector { elements, odd, .. } = std::mem::take(&mut self.vector);
        let name = self.names.path();
        let messages = self.vector_faults(&name, |index| match odd {
            Some((at, kind)) => format!(
                "Invalid type for parameter {name}[{at}], Expected: 32-bit floating point number, Actual: {}. IndexName: {}",
                kind.descriptor(),
                index.name
            ),
            None if elements != index.dimensions => {
                format!("Invalid size for parameter {name}, Expected: {}, Actual: {elements} IndexName: {}", index.dimensions, index.name)
            }
            None => String::new(),
        });
        messages.into_iter().for_each(|message| self.fault(message));
    }

    /// What is said of each vector index of this attribute.
    fn vector_faults(&self, name: &str, say: impl Fn(&VectorIndex) -> String) -> Vec<String> {
        let said = self.rules.vectors.iter().filter(|index| index.attribute == name).map(say).filter(|said| !said.is_empty());
        said.map(|said| format!("One or more parameter values were invalid. {said}")).collect()
    }

    fn wrap(&mut self, kind: Kind) {
        self.value(kind, CONTAINER);
        self.wrappers += 1;
        self.capture.open();
        if self.wrappers == WRAPPERS + 1 {
            self.fault("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit");
        }
    }

    fn unwrap(&mut self) {
        self.wrappers -= 1;
        self.capture.close();
        if self.wrappers == 0 && self.vector.is_one {
            self.end_vector();
        }
    }

    /// A member of the set that is open: whether it is new, and how messages show it.
    fn member(&mut self, is_new: impl FnOnce(&mut SetMembers) -> bool, show: impl FnOnce(&mut String)) {
        if let Some(set) = &mut self.set {
            set.distinct &= is_new(&mut self.members);
            if !self.shown.is_empty() {
                self.shown.push_str(", ");
            }
            show(&mut self.shown);
        }
    }

    /// What is wrong with the item as a whole.
    fn whole(&mut self) {
        self.names.clear();
        for at in 0..self.rules.keys.len() {
            let rule = &self.rules.keys[at];
            // An item without the key of an index is not in it: no error.
            if rule.index.is_none() && !self.met[at] {
                self.push(format!("{INVALID} Missing the key {} in the item", rule.name), None);
            }
        }
        if self.size > ITEM_BYTES {
            self.fault("Item size has exceeded the maximum allowed size");
        }
    }
}

impl Sink for ItemCheck {
    fn asks(&self) -> Asks {
        Asks { values: true, distinct: false, undocumented: true }
    }
    fn begin_item(&mut self) {
        self.capture.begin_item();
        self.names.clear();
        self.names.begin();
        self.faults.clear();
        (self.size, self.wrappers, self.set, self.current) = (0, 0, None, None);
        self.vector = Vector::default();
        self.met.fill(false);
    }

    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.whole();
        self.checks.item_bytes += self.size;
        // What is only unknown may be imported, and then its key counts.
        let has_key = self.faults.iter().all(|fault| matches!(fault.unknown, Some(Unknown::IonTypes))) && self.capture.end().is_ok();
        if has_key {
            self.checks.keys.extend_from_slice(self.capture.key());
            self.checks.key_ends.push(self.checks.keys.len() as u32);
            self.checks.keyed += 1;
        }
        if self.faults.is_empty() {
            self.checks.good += 1;
            if !self.locate {
                return Ok(());
            }
        }
        let faults = std::mem::take(&mut self.faults);
        let messages: Vec<_> = faults.iter().map(|fault| &*fault.message).collect();
        let path = faults.first().map(|fault| fault.path.clone()).filter(|path| !path.is_empty());
        let refusal = Refusal { code: Code::Import, message: messages.join("; "), path };
        self.checks.faulty.push(Faulty { faults, has_key });
        Err(refusal)
    }

    fn abort_item(&mut self) {}

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        let node = self.names.add(name)?;
        if name.is_empty() {
            self.push("Empty attribute name".into(), None);
        } else if name.len() > NAME_BYTES {
            self.fault("Attribute name is too large, must be less than 65536 bytes");
        }
        if self.wrappers == 0 {
            self.capture.attribute(name);
            let attribute = self.rules.attribute(name);
            if let Some(node) = node {
                self.attributes.resize(self.attributes.len().max(node as usize + 1), Attribute::default());
                self.attributes[node as usize] = attribute;
            }
            self.own(attribute);
        }
        self.size += name.len() as u64;
        Ok(Want::Value)
    }

    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        if name.is_empty() {
            return None;
        }
        let node = self.names.known(name)?;
        self.size += self.names.name(node).len() as u64;
        if self.wrappers == 0 {
            self.capture.known(name);
            let attribute = self.attributes.get(node as usize).copied().unwrap_or_default();
            self.own(attribute);
        }
        Some(Want::Value)
    }

    #[cold]
    fn undocumented(&mut self, what: Undocumented) {
        let (what, unknown) = match what {
            // Measured: the import fails.
            Undocumented::Int => ("an Ion int (1), not a decimal (1.)", Some(Unknown::ValueFaults)),
            Undocumented::Float => ("an Ion float", Some(Unknown::IonTypes)),
            Undocumented::Symbol => ("an Ion symbol", Some(Unknown::IonTypes)),
            Undocumented::Clob => ("an Ion clob", Some(Unknown::IonTypes)),
            Undocumented::TypedNull => ("a typed null of Ion", Some(Unknown::IonTypes)),
        };
        self.push(format!("{what} is not among the types that AWS documents for imports"), unknown);
    }

    fn string(&mut self, value: &str) {
        self.capture.value(|key, place| key.text(place, value));
        if self.set.is_some() {
            self.member(|members| members.is_new(value.as_bytes()), |shown| shown.push_str(value));
        }
        self.value(Kind::S, value.len() as u64);
    }
    fn number(&mut self, value: Number) {
        self.capture.value(|key, place| key.number(place, value));
        if self.set.is_some() {
            self.member(|members| members.is_new_number(value), |_| {});
        }
        self.value(Kind::N, number_size(value));
    }
    fn binary(&mut self, value: &[u8]) {
        self.capture.value(|key, place| key.binary(place, value));
        if self.set.is_some() {
            self.member(|members| members.is_new(value), |shown| STANDARD.encode_string(value, shown));
        }
        self.value(Kind::B, value.len() as u64);
    }
    fn boolean(&mut self, _value: bool) {
        self.value(Kind::Bool, SCALAR);
    }
    fn null(&mut self) {
        self.value(Kind::Null, SCALAR);
    }
    fn begin_map(&mut self) {
        self.wrap(Kind::M);
        self.names.begin();
    }
    fn end_map(&mut self) {
        self.names.end();
        self.unwrap();
    }
    fn begin_list(&mut self) {
        self.wrap(Kind::L);
    }
    fn end_list(&mut self) {
        self.unwrap();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.value(kind, 0);
        self.capture.open();
        self.members.begin();
        self.shown.clear();
        self.set = Some(OpenSet { kind, used: false, distinct: true });
    }
    fn end_set(&mut self) {
        self.capture.close();
        let Some(OpenSet { kind, used, distinct }) = self.set.take() else { return };
        let shown = &self.shown;
        let message = match kind {
            Kind::SS if !used => format!("{INVALID} An string set  may not be empty"),
            Kind::NS if !used => format!("{INVALID} An number set  may not be empty"),
            Kind::BS if !used => format!("{INVALID} Binary sets should not be empty"),
            _ if distinct => return,
            Kind::NS => "Input collection contains duplicates".into(),
            Kind::BS => format!("{INVALID} Input collection [{shown}]of type BS contains duplicates."),
            _ => format!("{INVALID} Input collection [{shown}] contains duplicates."),
        };
        self.fault(message);
    }
}

impl BlockSink for ItemCheck {
    type Out = Checks;

    fn begin_text(&mut self, block: &Block) {
        self.checks.codec = block.codec;
        self.checks.end = block.byte + block.data.len() as u64;
        self.checks.looks = if block.index == 0 { looks_like(&block.data) } else { None };
        self.checks.layout = match &block.records {
            Records::InDocument(_) if block.index == 0 => {
                let is_array = block.data.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
                if is_array { Layout::JsonArray } else { Layout::JsonDocument }
            }
            Records::Ion(start) if start.binary => Layout::IonBinary,
            _ => Layout::Lines,
        };
    }

    fn end_block(&mut self) -> Result<Checks> {
        Ok(self.take())
    }
}

#[cfg(test)]
mod tests;
