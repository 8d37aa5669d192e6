//! Events → record batches: the sink that fills columns.
//!
//! The builders form a tree in an arena, one node a path and type, in the shape of the
//! schema. A name is looked up where the last item had it; only a surprise costs a hash.

mod builders;
pub mod cut;

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::error::{Code, Error, Result};
use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::format::json::encode::ValueEncoder;
use crate::number::{MAX_DIGITS, Number};
use crate::schema::{Field, Schema, Type};
use builders::{Booleans, Bytes, Lists, Validity, Values};

const NONE: u32 = u32::MAX;

/// Fills the columns of a schema with items.
pub struct ColumnSink {
    schema: SchemaRef,
    nodes: Vec<Node>,
    root: Members,
    columns: Vec<u32>,
    /// Attributes that are no columns were not asked for.
    chosen: bool,
    rows: usize,
    /// The record bytes of each row.
    sizes: Vec<u32>,
    current: u32,
    row: usize,
    open: Vec<Frame>,
    text: ValueEncoder,
    /// Names that are no columns, for their duplicates.
    unwanted: OpenNames,
    /// A value of the item has no place in the schema.
    misfit: bool,
    /// So has one of a good item: the schema was learnt from other bytes.
    changed: bool,
    /// Numbers that a float64 rounded: in the item, and in the good items.
    rounded_in_item: u64,
    rounded: u64,
}

struct Node {
    name: Box<str>,
    /// The row behind the last one that had this name.
    seen: usize,
    /// What followed this name the last time.
    next: u32,
    builder: Builder,
}

enum Builder {
    Text(Bytes),
    Int64(Values<i64>),
    Decimal(Values<i128>, u8),
    Float64(Values<f64>),
    NumberText(Bytes),
    Boolean(Booleans),
    Binary(Bytes),
    Null,
    Struct(Members, Validity),
    Map {
        lists: Lists,
        keys: Bytes,
        value: u32,
    },
    List {
        lists: Lists,
        element: u32,
    },
    Set {
        kind: Kind,
        lists: Lists,
        member: u32,
    },
    /// A child per type, in the order of [`Kind`].
    Mixed([u32; Kind::ALL.len()], Validity),
    Json(Bytes),
    MixedText(Bytes),
    EmptyMap(Lists),
    EmptyList(Lists),
}

#[derive(Default)]
struct Members {
    nodes: Vec<u32>,
    by_name: HashMap<Box<str>, u32, FxBuildHasher>,
    first: u32,
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
        next: usize,
    },
    Set {
        node: u32,
        row: usize,
        member: u32,
        next: usize,
    },
}

impl ColumnSink {
    /// A sink for the columns of a schema, which was learnt of all attributes, or of
    /// `chosen` ones.
    pub fn new(schema: &Schema, chosen: bool) -> Self {
        let mut nodes = Vec::new();
        let root = members(&mut nodes, schema.fields());
        Self {
            schema: Arc::new(schema.to_arrow()),
            columns: root.nodes.clone(),
            nodes,
            root,
            chosen,
            rows: 0,
            sizes: Vec::new(),
            current: NONE,
            row: 0,
            open: Vec::new(),
            text: ValueEncoder::default(),
            unwanted: OpenNames::default(),
            misfit: false,
            changed: false,
            rounded_in_item: 0,
            rounded: 0,
        }
    }

    /// The rows since the last call, with the record bytes of each, and how many numbers a
    /// float64 rounded.
    pub fn take(&mut self) -> Result<Rows> {
        if self.changed {
            return Err(Error::new(Code::Changed, "the data changed between learning the schema and reading it"));
        }
        let rows = std::mem::take(&mut self.rows);
        let fields = self.schema.fields().clone();
        let arrays = self.columns.clone().into_iter().zip(fields.iter()).map(|(node, field)| self.finish(node, field.data_type(), rows));
        let batch = arrays.collect::<Result<Vec<_>, _>>().and_then(|arrays| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
        });
        for node in &mut self.nodes {
            node.seen = 0;
        }
        let batch = batch.map_err(|error| Error::new(Code::Io, error.to_string()))?;
        Ok(Rows { batch, sizes: std::mem::take(&mut self.sizes), rounded: std::mem::take(&mut self.rounded) })
    }

    fn finish(&mut self, node: u32, ty: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        let mut builder = std::mem::replace(&mut self.nodes[node as usize].builder, Builder::Null);
        let array = self.finish_builder(&mut builder, ty, rows);
        self.nodes[node as usize].builder = builder;
        array
    }

    fn finish_builder(&mut self, builder: &mut Builder, ty: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match builder {
            Builder::Text(b) | Builder::NumberText(b) | Builder::Json(b) | Builder::MixedText(b) => b.finish_text(rows)?,
            Builder::Binary(b) => b.finish_binary(rows)?,
            Builder::Int64(b) => Arc::new(b.finish::<Int64Type>(rows)?),
            Builder::Float64(b) => Arc::new(b.finish::<Float64Type>(rows)?),
            Builder::Decimal(b, scale) => {
                Arc::new(b.finish::<Decimal128Type>(rows)?.with_precision_and_scale(MAX_DIGITS as u8, *scale as i8)?)
            }
            Builder::Boolean(b) => b.finish(rows),
            Builder::Null => arrow::array::new_null_array(ty, rows),
            Builder::Struct(members, validity) => {
                validity.pad(rows);
                self.finish_struct(members.nodes.iter().copied(), ty, validity.finish(), rows)?
            }
            Builder::Mixed(children, validity) => {
                validity.pad(rows);
                self.finish_struct(children.iter().copied().filter(|&child| child != NONE), ty, validity.finish(), rows)?
            }
            Builder::List { lists, element: child } | Builder::Set { lists, member: child, .. } => {
                let length = lists.len();
                let values = self.finish(*child, element_type(ty), length)?;
                finish_list(lists, ty, values, rows)?
            }
            Builder::EmptyList(lists) => finish_list(lists, ty, arrow::array::new_empty_array(element_type(ty)), rows)?,
            Builder::Map { lists, keys, value } => {
                let length = lists.len();
                let keys = keys.finish_text(length)?;
                let values = self.finish(*value, value_type(ty), length)?;
                finish_map(lists, ty, keys, values, rows)?
            }
            Builder::EmptyMap(lists) => {
                let empty = arrow::array::new_empty_array(&DataType::Utf8);
                finish_map(lists, ty, empty.clone(), empty, rows)?
            }
        })
    }

    fn finish_struct(
        &mut self,
        children: impl Iterator<Item = u32>,
        ty: &DataType,
        nulls: Option<NullBuffer>,
        rows: usize,
    ) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = ty else { return Err(wrong(ty)) };
        let arrays = children.zip(fields).map(|(child, field)| self.finish(child, field.data_type(), rows));
        Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), arrays.collect::<Result<_, _>>()?, nulls, rows)?))
    }

    /// Cuts a column and all below it back to so many rows.
    fn truncate(&mut self, node: u32, rows: usize) {
        let mut builder = std::mem::replace(&mut self.nodes[node as usize].builder, Builder::Null);
        self.nodes[node as usize].seen = self.nodes[node as usize].seen.min(rows);
        match &mut builder {
            Builder::Text(b) | Builder::NumberText(b) | Builder::Binary(b) | Builder::Json(b) | Builder::MixedText(b) => b.truncate(rows),
            Builder::Int64(b) => b.truncate(rows),
            Builder::Decimal(b, _) => b.truncate(rows),
            Builder::Float64(b) => b.truncate(rows),
            Builder::Boolean(b) => b.truncate(rows),
            Builder::Null => {}
            Builder::Struct(members, validity) => {
                validity.truncate(rows);
                members.nodes.iter().for_each(|&node| self.truncate(node, rows));
            }
            Builder::Mixed(children, validity) => {
                validity.truncate(rows);
                children.iter().filter(|&&node| node != NONE).for_each(|&node| self.truncate(node, rows));
            }
            Builder::List { lists, element: child } | Builder::Set { lists, member: child, .. } => {
                lists.truncate(rows);
                self.truncate(*child, lists.len());
            }
            Builder::Map { lists, keys, value } => {
                lists.truncate(rows);
                keys.truncate(lists.len());
                self.truncate(*value, lists.len());
            }
            Builder::EmptyMap(lists) | Builder::EmptyList(lists) => lists.truncate(rows),
        }
        self.nodes[node as usize].builder = builder;
    }

    /// The node and row of the value that comes now. A path with several types is told here
    /// which it is.
    #[inline]
    fn place(&mut self, kind: Kind) -> (u32, usize) {
        let (mut node, row) = match self.open.last_mut() {
            Some(Frame::List { element, next, .. }) => {
                *next += 1;
                (*element, *next - 1)
            }
            Some(Frame::Set { member, next, .. }) => {
                *next += 1;
                (*member, *next - 1)
            }
            _ => (self.current, self.row),
        };
        if let Some(Node { builder: Builder::Mixed(children, validity), .. }) = self.nodes.get_mut(node as usize)
            && kind != Kind::Null
        {
            validity.set(row);
            node = children[kind as usize];
        }
        (node, row)
    }

    #[inline]
    fn builder(&mut self, node: u32) -> Option<&mut Builder> {
        self.nodes.get_mut(node as usize).map(|node| &mut node.builder)
    }

    /// A container begins whose text is wanted, not its parts; or none has a place here.
    fn begin_text(&mut self, node: u32, row: usize, kind: Kind) {
        if let Some(Builder::Json(_) | Builder::MixedText(_)) = self.builder(node) {
            self.current = node;
            self.row = row;
            self.text.begin_container(kind);
        } else {
            self.misfit = true;
            // Whatever comes until it ends goes nowhere.
            self.current = NONE;
            self.text.begin_container(kind);
        }
    }

    fn end_text(&mut self, kind: Kind) {
        self.text.end_container(kind);
        if !self.text.is_open() {
            self.scalar_text(self.current, self.row, |_| {});
        }
    }

    /// A value whose text is wanted.
    #[cold]
    fn scalar_text(&mut self, node: u32, row: usize, write: impl FnOnce(&mut ValueEncoder)) {
        write(&mut self.text);
        match self.nodes.get_mut(node as usize) {
            Some(Node { builder: Builder::Json(b) | Builder::MixedText(b), .. }) => b.set(row, self.text.text().as_bytes()),
            _ => self.misfit = true,
        }
    }
}

/// Rows of a block, in columns.
pub struct Rows {
    /// The columns.
    pub batch: RecordBatch,
    /// The bytes of each row's record in the source.
    pub sizes: Vec<u32>,
    /// Numbers that `numbers="float64"` rounded.
    pub rounded: u64,
}

fn members(nodes: &mut Vec<Node>, fields: &[Field]) -> Members {
    let children: Vec<_> = fields.iter().map(|field| add(nodes, &field.name, &field.ty)).collect();
    let by_name = fields.iter().zip(&children).map(|(field, &node)| (field.name.as_str().into(), node)).collect();
    for pair in children.windows(2) {
        nodes[pair[0] as usize].next = pair[1];
    }
    Members { first: children.first().copied().unwrap_or(NONE), nodes: children, by_name }
}

fn add(nodes: &mut Vec<Node>, name: &str, ty: &Type) -> u32 {
    let builder = match ty {
        Type::Text => Builder::Text(Bytes::default()),
        Type::Int64 => Builder::Int64(Values::default()),
        Type::Decimal(scale) => Builder::Decimal(Values::default(), *scale),
        Type::Float64 => Builder::Float64(Values::default()),
        Type::NumberText => Builder::NumberText(Bytes::default()),
        Type::Boolean => Builder::Boolean(Booleans::default()),
        Type::Binary => Builder::Binary(Bytes::default()),
        Type::Null => Builder::Null,
        Type::Struct(fields) => Builder::Struct(members(nodes, fields), Validity::default()),
        Type::Map(value) => Builder::Map { lists: Lists::default(), keys: Bytes::default(), value: add(nodes, "", value) },
        Type::EmptyMap => Builder::EmptyMap(Lists::default()),
        Type::List(element) => Builder::List { lists: Lists::default(), element: add(nodes, "", element) },
        Type::EmptyList => Builder::EmptyList(Lists::default()),
        Type::Set(kind, member) => Builder::Set { kind: *kind, lists: Lists::default(), member: add(nodes, "", member) },
        Type::Mixed(types) => {
            let mut children = [NONE; Kind::ALL.len()];
            for (kind, ty) in types {
                children[*kind as usize] = add(nodes, "", ty);
            }
            Builder::Mixed(children, Validity::default())
        }
        Type::Json => Builder::Json(Bytes::default()),
        Type::MixedText => Builder::MixedText(Bytes::default()),
    };
    nodes.push(Node { name: name.into(), seen: 0, next: NONE, builder });
    nodes.len() as u32 - 1
}

impl Sink for ColumnSink {
    fn begin_item(&mut self) {
        self.misfit = false;
        self.rounded_in_item = 0;
        self.open.clear();
        self.text.clear();
        self.unwanted.clear();
        self.unwanted.begin();
        self.open.push(Frame::Struct { node: NONE, row: self.rows, last: NONE });
    }

    fn commit_item(&mut self, bytes: usize) {
        self.changed |= self.misfit;
        self.rounded += self.rounded_in_item;
        self.rows += 1;
        self.sizes.push(bytes as u32);
    }

    fn abort_item(&mut self) {
        for at in 0..self.columns.len() {
            self.truncate(self.columns[at], self.rows);
        }
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        if self.text.is_open() {
            self.unwanted.add(name)?;
            self.text.attribute(name);
            return Ok(Want::Value);
        }
        match self.open.last_mut() {
            Some(Frame::Struct { node, row, last }) => {
                let (node, row) = (*node, *row);
                let members = match self.nodes.get(node as usize) {
                    None => &self.root,
                    Some(Node { builder: Builder::Struct(members, _), .. }) => members,
                    Some(_) => return Ok(Want::Nothing),
                };
                let guess = if *last == NONE { members.first } else { self.nodes[*last as usize].next };
                let mut child = guess;
                if self.nodes.get(guess as usize).is_none_or(|node| *node.name != *name) {
                    let Some(&found) = members.by_name.get(name) else {
                        self.unwanted.add(name)?;
                        if self.chosen && node == NONE {
                            return Ok(Want::Nothing);
                        }
                        // Learning has seen every good item: if the value is good too, the data changed.
                        self.misfit = true;
                        self.current = NONE;
                        return Ok(Want::Value);
                    };
                    child = found;
                    if let Some(last) = self.nodes.get_mut(*last as usize) {
                        last.next = child;
                    }
                }
                *last = child;
                let seen = &mut self.nodes[child as usize].seen;
                if *seen == row + 1 {
                    return Err(Refusal::duplicate());
                }
                *seen = row + 1;
                self.current = child;
                self.row = row;
                Ok(Want::Value)
            }
            Some(Frame::Map { node, value, entry, .. }) => {
                self.unwanted.add(name)?;
                self.current = *value;
                self.row = *entry;
                *entry += 1;
                if let Some(Node { builder: Builder::Map { keys, .. }, .. }) = self.nodes.get_mut(*node as usize) {
                    keys.set(self.row, name.as_bytes());
                }
                Ok(Want::Value)
            }
            _ => Ok(Want::Nothing),
        }
    }

    #[inline]
    fn string(&mut self, value: &str) {
        if self.text.is_open() {
            return self.text.string(value);
        }
        let (node, row) = self.place(Kind::S);
        match self.builder(node) {
            Some(Builder::Text(b) | Builder::MixedText(b)) => b.set(row, value.as_bytes()),
            _ => self.scalar_text(node, row, |text| text.string(value)),
        }
    }

    #[inline]
    fn number(&mut self, value: Number) {
        if self.text.is_open() {
            return self.text.number(value);
        }
        let (node, row) = self.place(Kind::N);
        let done = match self.builder(node) {
            Some(Builder::Int64(b)) => value.to_i64().map(|value| b.set(row, value)),
            Some(Builder::Decimal(b, scale)) => value.to_decimal(*scale).map(|value| b.set(row, value)),
            Some(Builder::Float64(b)) => {
                let float = value.to_f64();
                b.set(row, float);
                self.rounded_in_item += u64::from(!value.is_kept_by(float));
                Some(())
            }
            Some(Builder::NumberText(b) | Builder::MixedText(b)) => {
                b.set_with(row, |out| value.write_to(out));
                Some(())
            }
            _ => {
                self.scalar_text(node, row, |text| text.number(value));
                Some(())
            }
        };
        self.misfit |= done.is_none();
    }

    fn binary(&mut self, value: &[u8]) {
        if self.text.is_open() {
            return self.text.binary(value);
        }
        let (node, row) = self.place(Kind::B);
        match self.builder(node) {
            Some(Builder::Binary(b)) => b.set(row, value),
            _ => self.scalar_text(node, row, |text| text.binary(value)),
        }
    }

    fn boolean(&mut self, value: bool) {
        if self.text.is_open() {
            return self.text.boolean(value);
        }
        let (node, row) = self.place(Kind::Bool);
        match self.builder(node) {
            Some(Builder::Boolean(b)) => b.set(row, value),
            Some(Builder::MixedText(b)) => b.set(row, if value { b"true" } else { b"false" }),
            _ => self.scalar_text(node, row, |text| text.boolean(value)),
        }
    }

    fn null(&mut self) {
        if self.text.is_open() {
            return self.text.null();
        }
        // A null is what a row without a value is; only the place in a list counts.
        self.place(Kind::Null);
    }

    fn begin_map(&mut self) {
        self.unwanted.begin();
        if self.text.is_open() {
            return self.text.begin_container(Kind::M);
        }
        let (node, row) = self.place(Kind::M);
        match self.builder(node) {
            Some(Builder::Struct(_, validity)) => {
                validity.set(row);
                self.open.push(Frame::Struct { node, row, last: NONE });
            }
            Some(Builder::Map { lists, value, .. }) => {
                let frame = Frame::Map { node, row, value: *value, entry: lists.len() };
                self.open.push(frame);
            }
            Some(Builder::EmptyMap(_)) => self.open.push(Frame::Map { node, row, value: NONE, entry: 0 }),
            _ => self.begin_text(node, row, Kind::M),
        }
    }

    fn end_map(&mut self) {
        self.unwanted.end();
        if self.text.is_open() {
            return self.end_text(Kind::M);
        }
        if let Some(Frame::Map { node, row, entry, .. }) = self.open.pop() {
            match self.builder(node) {
                Some(Builder::Map { lists, .. }) => lists.set(row, entry),
                Some(Builder::EmptyMap(lists)) => {
                    lists.set(row, 0);
                    self.misfit |= entry > 0;
                }
                _ => {}
            }
        }
    }

    fn begin_list(&mut self) {
        if self.text.is_open() {
            return self.text.begin_container(Kind::L);
        }
        let (node, row) = self.place(Kind::L);
        match self.builder(node) {
            Some(Builder::List { lists, element }) => {
                let frame = Frame::List { node, row, element: *element, next: lists.len() };
                self.open.push(frame);
            }
            Some(Builder::EmptyList(_)) => self.open.push(Frame::List { node, row, element: NONE, next: 0 }),
            _ => self.begin_text(node, row, Kind::L),
        }
    }

    fn end_list(&mut self) {
        if self.text.is_open() {
            return self.end_text(Kind::L);
        }
        if let Some(Frame::List { node, row, next, .. }) = self.open.pop() {
            match self.builder(node) {
                Some(Builder::List { lists, .. }) => lists.set(row, next),
                Some(Builder::EmptyList(lists)) => {
                    lists.set(row, 0);
                    self.misfit |= next > 0;
                }
                _ => {}
            }
        }
    }

    fn begin_set(&mut self, kind: Kind) {
        if self.text.is_open() {
            return self.text.begin_container(kind);
        }
        let (node, row) = self.place(kind);
        match self.builder(node) {
            Some(Builder::Set { kind: of, lists, member }) if *of == kind => {
                let frame = Frame::Set { node, row, member: *member, next: lists.len() };
                self.open.push(frame);
            }
            _ => self.begin_text(node, row, kind),
        }
    }

    fn end_set(&mut self) {
        if self.text.is_open() {
            return self.end_text(Kind::SS);
        }
        if let Some(Frame::Set { node, row, next, .. }) = self.open.pop()
            && let Some(Builder::Set { lists, .. }) = self.builder(node)
        {
            lists.set(row, next);
        }
    }
}

fn element_type(ty: &DataType) -> &DataType {
    match ty {
        DataType::List(field) => field.data_type(),
        other => other,
    }
}

fn value_type(ty: &DataType) -> &DataType {
    match ty {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields[1].data_type(),
            other => other,
        },
        other => other,
    }
}

fn finish_list(lists: &mut Lists, ty: &DataType, values: ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    let DataType::List(field) = ty else { return Err(wrong(ty)) };
    let (offsets, nulls) = lists.finish(rows);
    Ok(Arc::new(ListArray::try_new(field.clone(), offsets, values, nulls)?))
}

fn finish_map(lists: &mut Lists, ty: &DataType, keys: ArrayRef, values: ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(field, ordered) = ty else { return Err(wrong(ty)) };
    let DataType::Struct(fields) = field.data_type() else { return Err(wrong(ty)) };
    let (offsets, nulls) = lists.finish(rows);
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(field.clone(), offsets, entries, nulls, *ordered)?))
}

fn wrong(ty: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("a builder does not fit {ty}"))
}
