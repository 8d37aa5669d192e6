//! Events → text: values and items in the notation of a format, as exports write them.

use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::name::Key;
use crate::number::Number;

/// How a format writes values.
pub trait Notation: Default + Send + 'static {
    /// What stands before the attributes of an item on its line.
    const BEGIN_ITEM: &'static [u8];
    /// What stands behind them.
    const END_ITEM: &'static [u8] = b"}}\n";
    /// What stands before and behind the members of a change on its line.
    const CHANGE: [&'static [u8]; 2];
    /// A NULL.
    const NULL: &'static [u8];

    /// What stands before a value of this type that is no member of a set.
    fn begin(out: &mut Vec<u8>, kind: Kind);
    /// What stands behind it.
    fn end(out: &mut Vec<u8>);
    /// The name of an attribute or member, and its colon.
    fn name(out: &mut Vec<u8>, name: &str);
    /// A string.
    fn string(out: &mut Vec<u8>, value: &str);
    /// A number.
    fn number(out: &mut Vec<u8>, value: Number);
    /// A binary.
    fn binary(out: &mut Vec<u8>, value: &[u8]);
}

/// Writes the text of one value at a time.
#[derive(Debug, Default)]
pub struct ValueEncoder<N> {
    notation: PhantomData<N>,
    out: Vec<u8>,
    /// For each container that is open, whether something is in it.
    open: Vec<bool>,
    /// The innermost container is a set.
    in_set: bool,
}

impl<N: Notation> ValueEncoder<N> {
    /// Whether a value was begun and is not complete.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The text of the value that is complete.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap_or_default()
    }

    /// Forgets the value.
    pub fn clear(&mut self) {
        self.out.clear();
        self.open.clear();
        self.in_set = false;
    }

    fn comma(&mut self) {
        match self.open.last_mut() {
            None => self.out.clear(),
            Some(used) => {
                if std::mem::replace(used, true) {
                    self.out.push(b',');
                }
            }
        }
    }

    /// One value, behind its comma.
    fn value(&mut self, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
        self.comma();
        if !self.in_set {
            N::begin(&mut self.out, kind);
        }
        write(&mut self.out);
        if !self.in_set {
            N::end(&mut self.out);
        }
        self.used();
    }

    /// The name of a map's member.
    pub fn attribute(&mut self, name: &str) {
        self.comma();
        N::name(&mut self.out, name);
        // The value behind it takes no comma.
        if let Some(used) = self.open.last_mut() {
            *used = false;
        }
    }

    /// A string.
    pub fn string(&mut self, value: &str) {
        self.value(Kind::S, |out| N::string(out, value));
    }

    /// A number.
    pub fn number(&mut self, value: Number) {
        self.value(Kind::N, |out| N::number(out, value));
    }

    /// A binary.
    pub fn binary(&mut self, value: &[u8]) {
        self.value(Kind::B, |out| N::binary(out, value));
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.value(Kind::Bool, |out| out.extend_from_slice(if value { b"true" } else { b"false" }));
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.value(Kind::Null, |out| out.extend_from_slice(N::NULL));
    }

    /// A map, list or set begins.
    pub fn begin_container(&mut self, kind: Kind) {
        self.comma();
        N::begin(&mut self.out, kind);
        self.out.push(if kind == Kind::M { b'{' } else { b'[' });
        self.in_set = kind.member().is_some();
        self.open.push(false);
    }

    /// The innermost map, list or set ends.
    pub fn end_container(&mut self, kind: Kind) {
        self.out.push(if kind == Kind::M { b'}' } else { b']' });
        N::end(&mut self.out);
        self.in_set = false;
        self.open.pop();
        self.used();
    }

    fn used(&mut self) {
        if let Some(used) = self.open.last_mut() {
            *used = true;
        }
    }
}

/// Items → lines as exports have them, an item each.
#[derive(Default)]
pub struct ItemEncoder<N> {
    value: ValueEncoder<N>,
    names: OpenNames,
    /// The attributes of the item that is open.
    used: bool,
    lines: Vec<u8>,
    committed: usize,
}

impl<N: Notation> ItemEncoder<N> {
    /// The text of one attribute behind the other, of the one item that was committed.
    pub fn attributes(&self) -> &[u8] {
        let end = self.lines.len().saturating_sub(N::END_ITEM.len());
        self.lines.get(N::BEGIN_ITEM.len()..end).unwrap_or_default()
    }

    /// The bytes of the lines that are kept.
    pub fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// Gives those from here on.
    pub fn split_off(&mut self, at: usize) -> Vec<u8> {
        self.committed = at;
        self.lines.split_off(at)
    }

    /// The lines since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        self.committed = 0;
        std::mem::take(&mut self.lines)
    }

    /// An attribute of the item comes, or a member of the map that is open.
    fn begin_attribute(value: &mut ValueEncoder<N>, lines: &mut Vec<u8>, used: &mut bool, name: &str) {
        if value.is_open() {
            value.attribute(name);
            return;
        }
        if std::mem::replace(used, true) {
            lines.push(b',');
        }
        N::name(lines, name);
    }

    /// A value is complete that is an attribute of the item.
    fn end_value(&mut self) {
        if !self.value.is_open() {
            self.lines.extend_from_slice(self.value.text().as_bytes());
        }
    }
}

impl<N: Notation> Sink for ItemEncoder<N> {
    fn begin_item(&mut self) {
        self.names.clear();
        self.names.begin();
        self.value.clear();
        self.used = false;
        self.lines.extend_from_slice(N::BEGIN_ITEM);
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.lines.extend_from_slice(N::END_ITEM);
        self.committed = self.lines.len();
        Ok(())
    }
    fn abort_item(&mut self) {
        self.lines.truncate(self.committed);
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        Self::begin_attribute(&mut self.value, &mut self.lines, &mut self.used, name);
        Ok(Want::Value)
    }
    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        let node = self.names.known(name)?;
        Self::begin_attribute(&mut self.value, &mut self.lines, &mut self.used, self.names.name(node));
        Some(Want::Value)
    }
    fn string(&mut self, value: &str) {
        self.value.string(value);
        self.end_value();
    }
    fn number(&mut self, value: Number) {
        self.value.number(value);
        self.end_value();
    }
    fn binary(&mut self, value: &[u8]) {
        self.value.binary(value);
        self.end_value();
    }
    fn boolean(&mut self, value: bool) {
        self.value.boolean(value);
        self.end_value();
    }
    fn null(&mut self) {
        self.value.null();
        self.end_value();
    }
    fn begin_map(&mut self) {
        self.names.begin();
        self.value.begin_container(Kind::M);
    }
    fn end_map(&mut self) {
        self.names.end();
        self.value.end_container(Kind::M);
        self.end_value();
    }
    fn begin_list(&mut self) {
        self.value.begin_container(Kind::L);
    }
    fn end_list(&mut self) {
        self.value.end_container(Kind::L);
        self.end_value();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.value.begin_container(kind);
    }
    fn end_set(&mut self) {
        self.value.end_container(Kind::SS);
        self.end_value();
    }
}

/// Writes binary as base64.
pub fn write_base64(out: &mut Vec<u8>, binary: &[u8]) {
    let start = out.len();
    out.resize(start + binary.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(binary, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}
