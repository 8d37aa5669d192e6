//! Laying changes over the items of a base, while they are read.
//!
//! An item is a transaction. It goes to its sink as it is read, and when its key is known and
//! a change stands over it, it is taken back, and the image sent instead. So whatever can be
//! made of items can be made of a table's state after its changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::index::{OfBlock, Over};
use crate::change::key::{Capture, KeyNames};
use crate::engine::worker::BlockSink;
use crate::error::{Code, Error, Result};
use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::format::json::ItemText;
use crate::name;
use crate::number::Number;
use crate::schema::Columns;

/// Lays changes over the items that come.
pub struct Overlay<S> {
    sink: S,
    over: Arc<Over>,
    capture: Capture,
    /// The sink does not want the attribute that comes: it is of the key.
    muted: bool,
    of_block: OfBlock,
    /// Why what stands over the block is not known.
    failure: Option<Error>,
    /// Items that began in the block.
    items: u32,
    /// Items that are there no more, of all sinks of the pass.
    deleted: Arc<AtomicU64>,
    image: ImageReader,
}

impl<S: BlockSink> Overlay<S> {
    /// Lays these changes over the items for a sink, and counts those that go.
    pub fn new(sink: S, over: Arc<Over>, deleted: Arc<AtomicU64>) -> Self {
        let capture = Capture::new(over.names().clone());
        Self {
            sink,
            over,
            capture,
            muted: false,
            of_block: OfBlock::default(),
            failure: None,
            items: 0,
            deleted,
            image: ImageReader::default(),
        }
    }

    /// The sink.
    pub fn inner(&self) -> &S {
        &self.sink
    }

    /// The sink, when all items came.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

/// Reads images as items.
#[derive(Default)]
pub struct ImageReader {
    text: Vec<u8>,
    reader: ItemText,
}

impl ImageReader {
    /// Sends an image to a sink as an item.
    pub fn send<S: Sink>(&mut self, over: &Over, image: (u64, u32), sink: &mut S) -> Result<(), Refusal> {
        let failed = |message: String| Refusal { code: Code::Io, message, path: None };
        over.image(image, &mut self.text).map_err(|error| failed(error.to_string()))?;
        let Ok(text) = std::str::from_utf8(&self.text) else { return Err(failed("an image is not what was written".into())) };
        let reader = &mut self.reader;
        crate::change::item(sink, text.len(), |sink| {
            reader.send(text, sink).map_err(|fault| Refusal {
                code: fault.code,
                message: fault.message.clone(),
                path: (!fault.path.is_empty()).then(|| crate::path::to_text(fault.path.iter().rev())),
            })
        })
    }
}

impl<S: BlockSink> Sink for Overlay<S> {
    fn begin_item(&mut self) {
        self.items += 1;
        self.muted = false;
        self.capture.begin_item();
        self.sink.begin_item();
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        if let Some(failure) = &self.failure {
            return Err(Refusal { code: failure.code(), message: failure.to_string(), path: None });
        }
        self.capture.end()?;
        match self.over.over(self.capture.key(), self.items - 1, &mut self.of_block) {
            None => self.sink.commit_item(bytes),
            Some(image) => {
                self.sink.abort_item();
                match image {
                    Some(image) => self.image.send(&self.over, image, &mut self.sink),
                    None => {
                        self.deleted.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    }
                }
            }
        }
    }

    fn abort_item(&mut self) {
        self.sink.abort_item();
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        if self.muted && self.capture.is_inside() {
            // The value of a key attribute that is none is passed over.
            return Ok(Want::Nothing);
        }
        let want = self.sink.attribute(name)?;
        let of_key = self.capture.attribute(name).is_some();
        if !self.capture.is_inside() {
            self.muted = of_key && want == Want::Nothing;
        }
        Ok(if self.muted { Want::Value } else { want })
    }

    #[inline]
    fn known(&mut self, name: name::Key) -> Option<Want> {
        if self.muted && self.capture.is_inside() {
            return None;
        }
        let want = self.sink.known(name)?;
        let of_key = self.capture.known(name).is_some();
        if !self.capture.is_inside() {
            self.muted = of_key && want == Want::Nothing;
        }
        Some(if self.muted { Want::Value } else { want })
    }

    #[inline]
    fn string(&mut self, value: &str) {
        self.capture.value(|key, place| key.text(place, value));
        if !self.muted {
            self.sink.string(value);
        }
    }
    #[inline]
    fn number(&mut self, value: Number) {
        self.capture.value(|key, place| key.number(place, value));
        if !self.muted {
            self.sink.number(value);
        }
    }
    fn binary(&mut self, value: &[u8]) {
        self.capture.value(|key, place| key.binary(place, value));
        if !self.muted {
            self.sink.binary(value);
        }
    }
    fn boolean(&mut self, value: bool) {
        if !self.muted {
            self.sink.boolean(value);
        }
    }
    fn null(&mut self) {
        if !self.muted {
            self.sink.null();
        }
    }
    fn begin_map(&mut self) {
        self.capture.open();
        if !self.muted {
            self.sink.begin_map();
        }
    }
    fn end_map(&mut self) {
        self.capture.close();
        if !self.muted {
            self.sink.end_map();
        }
    }
    fn begin_list(&mut self) {
        self.capture.open();
        if !self.muted {
            self.sink.begin_list();
        }
    }
    fn end_list(&mut self) {
        self.capture.close();
        if !self.muted {
            self.sink.end_list();
        }
    }
    fn begin_set(&mut self, kind: Kind) {
        self.capture.open();
        if !self.muted {
            self.sink.begin_set(kind);
        }
    }
    fn end_set(&mut self) {
        self.capture.close();
        if !self.muted {
            self.sink.end_set();
        }
    }
}

impl<S: BlockSink> BlockSink for Overlay<S> {
    type Out = S::Out;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.items = 0;
        self.failure = self.over.begin_block(file, block, &mut self.of_block).err();
        self.sink.begin_block(file, block);
    }
    fn end_block(&mut self) -> Result<S::Out> {
        self.sink.end_block()
    }
}

/// The keys of the items of a block, one after the other.
#[derive(Default)]
pub struct KeysOfBlock {
    /// The bytes of all.
    pub bytes: Vec<u8>,
    /// The place of each item in its block, and the end of its key.
    pub items: Vec<(u32, usize)>,
}

/// What is looked at beside the key.
#[derive(Clone, Debug)]
pub enum Checks {
    /// Nothing: a bad item is an error when it is read.
    Keys,
    /// The attributes that will be read (all for `None`): where bad items are passed over, an item
    /// has a key only if it will be an item.
    Items(Option<Columns>),
}

/// Finds the keys of items that are good.
pub struct KeySink {
    capture: Capture,
    /// The names of open maps, for those that come twice.
    names: OpenNames,
    checks: Checks,
    items: u32,
    keys: KeysOfBlock,
}

impl KeySink {
    /// Finds keys of these names.
    pub fn new(names: KeyNames, checks: Checks) -> Self {
        let (names, capture) = (OpenNames::default(), Capture::new(names));
        Self { capture, names, checks, items: 0, keys: KeysOfBlock::default() }
    }
}

impl Sink for KeySink {
    fn begin_item(&mut self) {
        self.items += 1;
        self.names.clear();
        self.names.begin();
        self.capture.begin_item();
    }
    fn commit_item(&mut self, _bytes: usize) -> Result<(), Refusal> {
        self.capture.end()?;
        self.keys.bytes.extend_from_slice(self.capture.key());
        self.keys.items.push((self.items - 1, self.keys.bytes.len()));
        Ok(())
    }
    fn abort_item(&mut self) {}
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        if self.capture.is_inside() {
            return Ok(Want::Value);
        }
        let is_checked = match &self.checks {
            Checks::Keys => false,
            Checks::Items(None) => true,
            Checks::Items(Some(columns)) => columns.iter().any(|column| column == name),
        };
        Ok(if self.capture.attribute(name).is_some() || is_checked { Want::Value } else { Want::Nothing })
    }
    fn string(&mut self, value: &str) {
        self.capture.value(|key, place| key.text(place, value));
    }
    fn number(&mut self, value: Number) {
        self.capture.value(|key, place| key.number(place, value));
    }
    fn binary(&mut self, value: &[u8]) {
        self.capture.value(|key, place| key.binary(place, value));
    }
    fn boolean(&mut self, _value: bool) {}
    fn null(&mut self) {}
    fn begin_map(&mut self) {
        self.capture.open();
        self.names.begin();
    }
    fn end_map(&mut self) {
        self.capture.close();
        self.names.end();
    }
    fn begin_list(&mut self) {
        self.capture.open();
    }
    fn end_list(&mut self) {
        self.capture.close();
    }
    fn begin_set(&mut self, _kind: Kind) {
        self.capture.open();
    }
    fn end_set(&mut self) {
        self.capture.close();
    }
}

impl BlockSink for KeySink {
    type Out = KeysOfBlock;
    fn begin_block(&mut self, _file: usize, _block: usize) {
        self.items = 0;
    }
    fn end_block(&mut self) -> Result<KeysOfBlock> {
        Ok(std::mem::take(&mut self.keys))
    }
}
