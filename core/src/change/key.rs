//! Primary keys: the attributes that tell one item of a table from another, as bytes that are
//! equal where the values are.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Attributes, Change};
use crate::error::Code;
use crate::event::Refusal;
use crate::format::change::{KEYS, NEW, OLD};
use crate::item::Value;
use crate::merge::spill::Fields;
use crate::name::Key as ShortName;
use crate::number::Number;
use crate::path::{self, Step};

/// The names of a table's key attributes: one or two.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html#HowItWorks.CoreComponents.PrimaryKey>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNames(Arc<[String]>);

impl KeyNames {
    /// These names.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether they are the same, in whatever order.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|name| other.place(name).is_some())
    }

    /// The place of a name among them.
    #[inline]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|key| key == name)
    }

    /// The key of a change, and its images have the same.
    pub fn of_change(&self, change: &Change<'_>, key: &mut Key) -> Result<(), Refusal> {
        self.of(KEYS, change.keys(), key)?;
        if change.keys().iter().count() != self.0.len() {
            return Err(self.refusal("a change whose key has other attributes than those before"));
        }
        for (name, image) in [(OLD, change.old()), (NEW, change.new_image())] {
            if let Some(image) = image {
                let mut of_image = Key::default();
                self.of(name, image, &mut of_image)?;
                if of_image.bytes() != key.bytes() {
                    return Err(self.refusal(&format!("the key of {name} is another than that of Keys")));
                }
            }
        }
        Ok(())
    }

    fn of(&self, within: &str, attributes: Attributes<'_>, key: &mut Key) -> Result<(), Refusal> {
        key.begin(self);
        for (name, value) in attributes.iter() {
            if let Some(place) = self.place(name) {
                key.set(place, value);
            }
        }
        key.end_within(Some(within), self)
    }

    fn refusal(&self, what: &str) -> Refusal {
        Refusal { code: Code::Keys, message: format!("{what}: the key is {self}"), path: None }
    }
}

impl std::fmt::Display for KeyNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The key of one item.
#[derive(Debug, Default)]
pub struct Key {
    /// The parts that came, in any order.
    parts: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Key {
    /// Another item begins.
    pub fn begin(&mut self, names: &KeyNames) {
        self.parts.resize_with(names.0.len(), Vec::new);
        self.parts.iter_mut().for_each(Vec::clear);
    }

    /// The value of the key attribute with this place. What no key can be is none.
    pub fn set(&mut self, place: usize, value: Value<'_>) {
        match value {
            Value::S(text) => self.text(place, text),
            Value::N(number) => self.number(place, number),
            Value::B(bytes) => self.binary(place, bytes),
            _ => self.parts[place].clear(),
        }
    }

    /// A string.
    pub fn text(&mut self, place: usize, text: &str) {
        self.part(place, b'S', text.as_bytes());
    }

    /// A number: equal where the values are.
    pub fn number(&mut self, place: usize, number: Number) {
        self.part(place, b'N', &number.to_key());
    }

    /// A binary.
    pub fn binary(&mut self, place: usize, bytes: &[u8]) {
        self.part(place, b'B', bytes);
    }

    fn part(&mut self, place: usize, kind: u8, bytes: &[u8]) {
        let part = &mut self.parts[place];
        part.clear();
        part.push(kind);
        part.extend_from_slice(bytes);
    }

    /// All attributes came: the key is complete.
    pub fn end(&mut self, names: &KeyNames) -> Result<(), Refusal> {
        self.end_within(None, names)
    }

    fn end_within(&mut self, within: Option<&str>, names: &KeyNames) -> Result<(), Refusal> {
        self.bytes.clear();
        for (part, name) in self.parts.iter().zip(names.names()) {
            if part.is_empty() {
                let steps: Vec<_> = within.into_iter().chain([name.as_str()]).map(|name| Step::Name(name.into())).collect();
                let refusal = names.refusal("a string, number or binary of the key is missing");
                return Err(Refusal { path: Some(path::to_text(&steps)), ..refusal });
            }
            // One part must not be taken for the begin of another.
            self.bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(part);
        }
        Ok(())
    }

    /// The bytes of the key that is complete.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The values of a complete key as texts, binary as base64.
pub(crate) fn key_texts(bytes: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = Fields(bytes);
    while let Some((kind, value)) = rest.bytes().split_first() {
        texts.push(match (kind, value.try_into()) {
            (b'N', Ok(key)) => Number::from_key(key).to_string(),
            (b'B', _) => STANDARD.encode(value),
            _ => String::from_utf8_lossy(value).into_owned(),
        });
    }
    texts
}

/// Finds the key of an item among its events.
pub(crate) struct Capture {
    names: KeyNames,
    short: Vec<ShortName>,
    key: Key,
    /// The place in the key of the attribute whose value comes now.
    place: Option<usize>,
    depth: u32,
}

impl Capture {
    /// Finds keys of these names.
    pub fn new(names: KeyNames) -> Self {
        Self { short: names.names().iter().map(|name| ShortName::new(name)).collect(), names, key: Key::default(), place: None, depth: 0 }
    }

    /// Another item begins.
    pub fn begin_item(&mut self) {
        self.key.begin(&self.names);
        self.place = None;
        self.depth = 0;
    }

    /// The place in the key of the item's attribute with this name.
    #[inline]
    pub fn attribute(&mut self, name: &str) -> Option<usize> {
        if self.depth > 0 {
            return None;
        }
        self.place = self.names.place(name);
        self.place
    }

    /// The same by the key of a short name.
    #[inline]
    pub fn known(&mut self, name: ShortName) -> Option<usize> {
        if self.depth > 0 {
            return None;
        }
        self.place = self.short.iter().position(|&key| key == name);
        self.place
    }

    #[inline]
    /// A scalar comes: `set` adds it to the key, where it is of it.
    pub fn value(&mut self, set: impl FnOnce(&mut Key, usize)) {
        if self.depth == 0
            && let Some(place) = self.place.take()
        {
            set(&mut self.key, place);
        }
    }

    /// A map, list or set begins.
    #[inline]
    pub fn open(&mut self) {
        self.depth += 1;
    }

    /// The innermost one ends.
    #[inline]
    pub fn close(&mut self) {
        self.depth -= 1;
    }

    /// Whether what comes stands in a map, list or set.
    #[inline]
    pub fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// The item is complete, and has its key.
    pub fn end(&mut self) -> Result<(), Refusal> {
        self.key.end(&self.names)
    }

    /// The bytes of the key of the item that is complete.
    pub fn key(&self) -> &[u8] {
        self.key.bytes()
    }
}
