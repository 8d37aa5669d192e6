//! Items to a sink for each value of an attribute, which then sees these items alone.
//!
//! The value may stand last in its item, so an item is kept on a tape until it is complete.

use rustc_hash::FxHashMap;

use super::keyed::{Judge, Key, boolean_text, no_scalar, push_value, refusal, too_many, values};
use super::{Items, Value};
use crate::engine::worker::BlockSink;
use crate::error::Result;
use crate::event::{Kind, Refusal, Sink, Want, pass_values};

/// Makes the sink for the items of a value.
type Make<S> = Box<dyn Fn(&Key) -> S + Send>;

/// Sends each item to the sink of its value.
pub struct Split<S> {
    name: String,
    judge: Judge,
    max: usize,
    make: Make<S>,
    item: Items,
    tables: Vec<Table<S>>,
    indices: FxHashMap<Key, usize>,
    key: Vec<u8>,
    block: (usize, usize),
    /// The tables that have items in the block, and of each of its items the index among them.
    in_block: Vec<usize>,
    of_rows: Vec<u32>,
}

struct Table<S> {
    key: Key,
    sink: S,
    /// Its index among those that have items in the block.
    in_block: Option<u32>,
}

/// What came of a block, by the values of its items.
#[derive(Debug)]
pub struct Tables<T> {
    /// Each value, and what came of its items.
    pub tables: Vec<(Key, T)>,
    /// Of each item the index of its table.
    pub of_rows: Vec<u32>,
}

impl<S> Split<S> {
    /// A sink by the values of this attribute, of which there may be so many. `judge` is
    /// asked of each of them.
    pub fn new(name: String, judge: Judge, max: usize, make: impl Fn(&Key) -> S + Send + 'static) -> Self {
        Self {
            name,
            judge,
            max,
            make: Box::new(make),
            item: Items::default(),
            tables: Vec::new(),
            indices: FxHashMap::default(),
            key: Vec::new(),
            block: (0, 0),
            in_block: Vec::new(),
            of_rows: Vec::new(),
        }
    }

    /// The sinks, by their values.
    pub fn into_sinks(self) -> impl Iterator<Item = (Key, S)> {
        self.tables.into_iter().map(|table| (table.key, table.sink))
    }

    /// Reads the item's value, as a key.
    fn read_key(&mut self) -> Result<(), Refusal> {
        self.key.clear();
        let (tape, mut place) = self.item.last();
        let Some((_, Value::M(len))) = tape.next(&mut place) else { return Ok(()) };
        for _ in 0..len {
            let Some((name, value)) = tape.next(&mut place) else { break };
            if *tape.name(name) != *self.name {
                tape.pass(value, &mut place);
                continue;
            }
            let refused = |kind| Err(refusal("split_by", &self.name, no_scalar(kind)));
            match value {
                Value::S(text) => push_value(&mut self.key, Kind::S, text),
                Value::N(number) => push_value(&mut self.key, Kind::N, &number.to_string()),
                Value::Bool(value) => push_value(&mut self.key, Kind::Bool, boolean_text(value)),
                Value::Null => break,
                Value::B(_) => return refused(Kind::B),
                Value::M(_) => return refused(Kind::M),
                Value::L(_) => return refused(Kind::L),
                Value::SS(_) | Value::NS(_) | Value::BS(_) => return refused(Kind::SS),
            }
            return Ok(());
        }
        push_value(&mut self.key, Kind::Null, "");
        Ok(())
    }

    /// Takes back the table that was added last.
    #[cold]
    fn remove_table(&mut self) {
        self.in_block.pop();
        if let Some(table) = self.tables.pop() {
            self.indices.remove(&table.key);
        }
    }

    #[cold]
    fn add_table(&mut self) -> Result<usize, Refusal> {
        if self.tables.len() >= self.max {
            return Err(too_many(self.max));
        }
        for (kind, text) in values(&self.key) {
            (self.judge)(&self.name, kind, text).map_err(|why| refusal("split_by", &self.name, &why))?;
        }
        let key = Key::from(&*self.key);
        let sink = (self.make)(&key);
        self.indices.insert(key.clone(), self.tables.len());
        self.tables.push(Table { key, sink, in_block: None });
        Ok(self.tables.len() - 1)
    }
}

impl<S: BlockSink> Split<S> {
    /// Sends the item that is complete to its sink.
    fn send(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.read_key()?;
        let tables = self.tables.len();
        let at = match self.indices.get(&*self.key) {
            Some(&at) => at,
            None => self.add_table()?,
        };
        let table = &mut self.tables[at];
        let index = *table.in_block.get_or_insert_with(|| {
            table.sink.begin_block(self.block.0, self.block.1);
            self.in_block.push(at);
            self.in_block.len() as u32 - 1
        });
        let (tape, mut place) = self.item.last();
        table.sink.begin_item();
        let sent = tape.send(&mut place, &mut table.sink).and_then(|()| table.sink.commit_item(bytes));
        match sent {
            Ok(()) => self.of_rows.push(index),
            // A bad item leaves no table behind.
            Err(_) if at == tables => self.remove_table(),
            Err(_) => table.sink.abort_item(),
        }
        sent
    }
}

impl<S: BlockSink> Sink for Split<S> {
    fn begin_item(&mut self) {
        self.item.begin_item();
    }
    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.item.commit_item(bytes)?;
        let sent = self.send(bytes);
        self.item.forget_last();
        sent
    }
    fn abort_item(&mut self) {
        self.item.abort_item();
    }
    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.item.attribute(name)
    }
    pass_values!(item);
}

impl<S: BlockSink> BlockSink for Split<S> {
    type Out = Tables<S::Out>;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.block = (file, block);
    }
    fn end_block(&mut self) -> Result<Self::Out> {
        // Names are kept for a block: there is no end to those that may come.
        drop(self.item.take_tape());
        let mut tables = Vec::with_capacity(self.in_block.len());
        for at in self.in_block.drain(..) {
            let table = &mut self.tables[at];
            table.in_block = None;
            tables.push((table.key.clone(), table.sink.end_block()?));
        }
        Ok(Tables { tables, of_rows: std::mem::take(&mut self.of_rows) })
    }
}
