//! Events → record batches: the sink that fills columns.
//!
//! The builders form a tree (`tree`) in the shape of the schema. A value that the schema has no place
//! for is null at its own place and stands in the column `_extra`, by its path.

mod builders;
pub mod cut;
pub mod fit;
mod losses;
pub mod rows;
mod sink;
mod tree;
pub mod waiting;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use crate::error::{Code, Error, Result};
use crate::event::{Kind, OpenNames, Refusal};
use crate::format::json::encode::{ValueEncoder, write_string};
use crate::number::Number;
use crate::path;
use crate::schema::{Extra, Schema};
use builders::Bytes;
pub use losses::{Loss, Losses};
use tree::{Builder, Fit, NONE, Node, Place, Tree};

/// What a value without a place in the schema means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unplaced {
    /// There is none: the schema was learnt from the same data, which has changed.
    Changed,
    /// The schema was guessed from a part of the data, and the guess does not hold.
    Guessed,
    /// Something to be treated by this policy.
    Extra(Extra),
}

/// Names that are no columns, and are known all the same: what they are must not grow without
/// bound.
const MAX_UNWANTED: usize = 10_000;

/// Fills the columns of a schema with items.
pub struct ColumnSink {
    schema: SchemaRef,
    tree: Tree,
    columns: Vec<u32>,
    unplaced: Unplaced,
    /// Attributes that are no columns were not asked for.
    chosen: bool,
    rows: usize,
    /// The record bytes of each row.
    sizes: Vec<u32>,
    current: u32,
    row: usize,
    /// The value of the current member comes next.
    due: bool,
    open: Vec<Frame>,
    /// The name that the schema does not know, where one is current.
    unknown: Option<String>,
    /// The text of a value that is wanted as text, or has no place.
    text: ValueEncoder,
    /// Where it goes.
    text_for: TextFor,
    /// Numbers of the set that is open.
    numbers: Vec<Number>,
    /// Names that are no columns, for their duplicates.
    unwanted: OpenNames,
    extra: ExtraColumn,
    /// Of the item, and of the good items.
    item_losses: Losses,
    losses: Losses,
    /// Why the item is refused.
    refusal: Option<Refusal>,
    /// The block that is read: file and index.
    block: u64,
    /// Names of the item that were never seen, or in a block behind this one, and where.
    sighted: Vec<(u32, Place)>,
    sightings: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextFor {
    Column(u32, usize),
    Extra,
}

/// The column `_extra`.
#[derive(Default)]
struct ExtraColumn {
    column: Bytes,
    /// The members of the row's object.
    row: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Frame {
    /// The item, or a map whose members are columns.
    Struct {
        node: u32,
        row: usize,
        last: u32,
    },
    /// A map whose members are entries.
    Map {
        node: u32,
        row: usize,
        value: u32,
        entry: usize,
    },
    List {
        node: u32,
        row: usize,
        element: u32,
        start: usize,
        next: usize,
    },
    Set {
        node: u32,
        row: usize,
        member: u32,
        next: usize,
    },
}

/// Rows of a block, in columns.
pub struct Rows {
    /// The columns.
    pub batch: RecordBatch,
    /// The bytes of each row's record in the source.
    pub sizes: Vec<u32>,
    /// What the columns lost.
    pub losses: Losses,
}

impl ColumnSink {
    /// A sink for the columns of a schema, which was learnt of all attributes, or of
    /// `chosen` ones.
    pub fn new(schema: &Schema, chosen: bool, unplaced: Unplaced) -> Self {
        let mut tree = Tree::new(unplaced == Unplaced::Guessed);
        let columns = tree.columns(schema.fields());
        Self {
            schema: Arc::new(schema.to_arrow()),
            tree,
            columns,
            unplaced,
            chosen,
            rows: 0,
            sizes: Vec::new(),
            current: NONE,
            row: 0,
            due: false,
            open: Vec::new(),
            unknown: None,
            text: ValueEncoder::default(),
            text_for: TextFor::Extra,
            numbers: Vec::new(),
            unwanted: OpenNames::default(),
            extra: ExtraColumn::default(),
            item_losses: Losses::default(),
            losses: Losses::default(),
            refusal: None,
            block: 0,
            sighted: Vec::new(),
            sightings: 0,
        }
    }

    /// The items that follow are those of this block.
    pub fn begin_block(&mut self, file: usize, block: usize) {
        self.block = (file as u64) << 32 | block as u64;
    }

    /// Whether the columns and the members of structs stand in the order in which the sinks of
    /// a pass first saw them, as those of a learnt schema do.
    pub fn are_in_order(sinks: &[&Self]) -> bool {
        let Some(sink) = sinks.first() else { return true };
        let first = |node: u32| sinks.iter().map(|sink| sink.tree.nodes[node as usize].first).min();
        let columns = (!sink.chosen).then_some(&*sink.columns);
        columns.into_iter().chain(sink.tree.structs()).all(|members| members.is_sorted_by_key(|&node| first(node)))
    }

    /// The rows since the last call.
    pub fn take(&mut self) -> Result<Rows> {
        let rows = std::mem::take(&mut self.rows);
        let schema = self.schema.clone();
        let mut arrays = Vec::with_capacity(schema.fields().len());
        let failed = |e: arrow::error::ArrowError| Error::new(Code::Io, e.to_string());
        for (n, field) in schema.fields().iter().enumerate() {
            arrays.push(match self.columns.get(n) {
                Some(&node) => self.tree.finish(node, field.data_type(), rows).map_err(failed)?,
                None => self.extra.column.finish_text(rows).map_err(failed)?,
            });
        }
        self.tree.forget_unwanted(0);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options).map_err(failed)?;
        Ok(Rows { batch, sizes: std::mem::take(&mut self.sizes), losses: std::mem::take(&mut self.losses) })
    }

    /// Whether the item that is open can be committed.
    pub(crate) fn check(&mut self) -> Result<(), Refusal> {
        self.refusal.take().map_or(Ok(()), Err)
    }

    /// The node and row of the value that comes now, and the node above it of a path with
    /// several types. `NONE` where this type has no place.
    #[inline]
    fn place(&mut self, kind: Kind) -> (u32, usize, u32) {
        self.due = false;
        let (node, row) = match self.open.last_mut() {
            Some(Frame::List { element, next, .. }) => {
                *next += 1;
                (*element, *next - 1)
            }
            _ => (self.current, self.row),
        };
        match self.tree.nodes.get(node as usize) {
            Some(Node { builder: Builder::Mixed { children, .. }, .. }) => (children[kind as usize], row, node),
            _ => (node, row, NONE),
        }
    }

    /// The value has found its place: on a path with several types its child.
    #[inline]
    fn placed(&mut self, above: u32, row: usize) {
        if above != NONE {
            self.is_placed(above, row);
        }
    }

    fn is_placed(&mut self, above: u32, row: usize) {
        if let Some(Builder::Mixed { validity, .. }) = self.tree.builder(above) {
            validity.set(row);
        }
    }

    /// The current name was never seen before, or in a block behind this one.
    #[cold]
    fn sight(&mut self) {
        self.sightings += 1;
        let here = Place { block: self.block, row: self.rows as u32, sighting: self.sightings };
        let first = &mut self.tree.nodes[self.current as usize].first;
        self.sighted.push((self.current, std::mem::replace(first, here)));
    }

    /// The path of the value that comes now, with indices.
    #[cold]
    fn path(&self) -> String {
        let mut at = String::new();
        for (n, frame) in self.open.iter().enumerate() {
            match frame {
                Frame::Struct { last, .. } => match (&self.unknown, self.tree.nodes.get(*last as usize)) {
                    (Some(name), _) if n + 1 == self.open.len() => path::push_name(&mut at, name),
                    (_, Some(node)) => path::push_name(&mut at, &node.name),
                    _ => {}
                },
                Frame::Map { node, .. } => {
                    if let Some(Node { builder: Builder::Map { keys, .. }, .. }) = self.tree.nodes.get(*node as usize) {
                        path::push_name(&mut at, &String::from_utf8_lossy(keys.last()));
                    }
                }
                Frame::List { start, next, .. } => at.push_str(&format!("[{}]", next - 1 - start)),
                Frame::Set { .. } => {}
            }
        }
        at
    }

    /// A scalar that is wanted as text, or has no place.
    #[cold]
    fn scalar_text(&mut self, node: u32, row: usize, above: u32, write: impl FnOnce(&mut ValueEncoder)) {
        self.text_target(node, row, above);
        write(&mut self.text);
        self.end_text();
    }

    /// A container that is wanted as text, or has no place.
    #[cold]
    fn begin_text(&mut self, node: u32, row: usize, above: u32, kind: Kind) {
        self.text_target(node, row, above);
        self.text.begin_container(kind);
    }

    fn text_target(&mut self, node: u32, row: usize, above: u32) {
        self.text_for = match self.tree.builder(node) {
            Some(Builder::Json(_) | Builder::MixedText(_)) => {
                self.placed(above, row);
                TextFor::Column(node, row)
            }
            _ => TextFor::Extra,
        };
    }

    fn end_container_text(&mut self, kind: Kind) {
        self.text.end_container(kind);
        if !self.text.is_open() {
            self.end_text();
        }
    }

    fn end_text(&mut self) {
        match self.text_for {
            TextFor::Column(node, row) => {
                if let Some(Builder::Json(b) | Builder::MixedText(b)) = self.tree.builder(node) {
                    b.set(row, self.text.text().as_bytes());
                }
            }
            TextFor::Extra => self.has_no_place(),
        }
    }

    /// The value whose text is complete has no place in the schema.
    #[cold]
    fn has_no_place(&mut self) {
        let at = self.path();
        let text = self.text.text();
        match self.unplaced {
            Unplaced::Changed | Unplaced::Guessed => {
                let message = match self.unplaced {
                    Unplaced::Guessed => "the schema was guessed, and has no place for this value",
                    _ => "the data changed between learning the schema and reading it",
                };
                let message = message.to_owned();
                self.refusal = Some(Refusal { code: Code::Changed, message, path: Some(at) });
                return;
            }
            Unplaced::Extra(Extra::Error) => {
                if self.refusal.is_none() {
                    let message = format!("the schema has no place for {}", shortened(text));
                    self.refusal = Some(Refusal { code: Code::Extra, message, path: Some(at) });
                }
                return;
            }
            Unplaced::Extra(Extra::Column) => {
                let row = &mut self.extra.row;
                row.push(if row.is_empty() { b'{' } else { b',' });
                write_string(row, &at);
                row.push(b':');
                row.extend_from_slice(text.as_bytes());
            }
            Unplaced::Extra(Extra::Drop) => {}
        }
        let loss = &mut self.item_losses.extra;
        loss.count += 1;
        if loss.first.is_none() && self.losses.extra.first.is_none() {
            loss.first = Some((at, shortened(text)));
        }
    }

    #[cold]
    fn lost(&mut self, fit: Fit, value: Number) {
        let first = match fit {
            Fit::Rounded => self.losses.rounded.first.is_none() && self.item_losses.rounded.first.is_none(),
            _ => self.losses.overflowed.first.is_none() && self.item_losses.overflowed.first.is_none(),
        };
        let example = first.then(|| (self.path(), value.to_string()));
        let loss = if fit == Fit::Rounded { &mut self.item_losses.rounded } else { &mut self.item_losses.overflowed };
        loss.count += 1;
        loss.first = loss.first.take().or(example);
    }

    /// The members of a number set: all of them have a place, or the set has none.
    fn end_number_set(&mut self, node: u32, row: usize, member: u32, start: usize) {
        let numbers = std::mem::take(&mut self.numbers);
        for (n, &number) in numbers.iter().enumerate() {
            let Some(builder) = self.tree.builder(member) else { return };
            match builder.set_number(start + n, number) {
                Fit::Exact => {}
                Fit::None => {
                    self.tree.truncate(member, start);
                    self.text_for = TextFor::Extra;
                    self.text.begin_container(Kind::NS);
                    numbers.iter().for_each(|&number| self.text.number(number));
                    self.end_container_text(Kind::NS);
                    self.numbers = numbers;
                    return;
                }
                fit => self.lost(fit, number),
            }
        }
        if let Some(Builder::Set { lists, .. }) = self.tree.builder(node) {
            lists.set(row, start + numbers.len());
        }
        self.numbers = numbers;
    }
}

/// A text for a message.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 100;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
