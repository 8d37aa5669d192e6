//! The builders of a schema's columns: a tree in an arena, one node a path and type.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use super::builders::{Booleans, Bytes, Lists, Validity, Values};
use crate::event::{Kind, Want};
use crate::name::Names;
use crate::number::Number;
use crate::schema::{Field, Timestamp, Type};

/// No node.
pub const NONE: u32 = u32::MAX;

pub struct Node {
    pub name: Box<str>,
    /// The row behind the last one that had this name.
    pub seen: usize,
    /// Where the name was first seen, where that matters.
    pub first: Place,
    pub builder: Builder,
}

/// A place in the order of items: names of one item by the order in which they were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub block: u64,
    pub row: u32,
    pub sighting: u32,
}

impl Place {
    /// Behind every place.
    const NEVER: Self = Self { block: u64::MAX, row: u32::MAX, sighting: u32::MAX };
}

pub enum Builder {
    Text(Bytes),
    Int64(Values<i64>),
    Decimal {
        values: Values<i128>,
        precision: u8,
        limit: u128,
        scale: u8,
        rounds: bool,
    },
    Float64(Values<f64>),
    NumberText(Bytes),
    Timestamp(Values<i64>, Timestamp),
    Boolean(Booleans),
    Binary(Bytes),
    /// Has no values.
    Null,
    Struct(Vec<u32>, Validity),
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
    /// A child per type, in the order of [`Kind`]; `typed` has one for NULL too.
    Mixed {
        children: [u32; Kind::ALL.len()],
        validity: Validity,
        typed: bool,
    },
    Json(Bytes),
    MixedText(Bytes),
    /// No column: an attribute that was not asked for.
    Unwanted,
}

/// How a number went into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// As it is.
    Exact,
    /// Rounded, as the column's policy says.
    Rounded,
    /// Not: the column's policy makes it null.
    Overflowed,
    /// Not: it has no place here.
    None,
}

/// All builders of a schema.
pub struct Tree {
    pub nodes: Vec<Node>,
    /// The members of structs, and below `NONE` the columns.
    pub names: Names,
    /// The schema is a guess: it is watched where names first stand, and what was always empty
    /// has no place for anything.
    guessed: bool,
    /// Nodes that are not of the schema: they stand behind the others.
    unwanted: usize,
}

impl Tree {
    pub fn new(guessed: bool) -> Self {
        Self { nodes: Vec::new(), names: Names::default(), guessed, unwanted: 0 }
    }

    /// How many names are known that were not asked for.
    pub fn unwanted(&self) -> usize {
        self.unwanted
    }

    /// A node for an attribute that was not asked for.
    pub fn add_unwanted(&mut self, name: &str) -> u32 {
        let node = self.push(name, Builder::Unwanted, Place::default());
        self.unwanted += 1;
        self.names.insert(NONE, name, node);
        node
    }

    /// Rows from here on have had no attribute that was not asked for.
    pub fn forget_unwanted(&mut self, rows: usize) {
        let first = self.nodes.len() - self.unwanted;
        self.nodes[first..].iter_mut().for_each(|node| node.seen = node.seen.min(rows));
    }

    fn push(&mut self, name: &str, builder: Builder, first: Place) -> u32 {
        self.nodes.push(Node { name: name.into(), seen: 0, first, builder });
        self.nodes.len() as u32 - 1
    }

    /// The members of all structs.
    pub fn structs(&self) -> impl Iterator<Item = &[u32]> {
        self.nodes.iter().filter_map(|node| if let Builder::Struct(members, _) = &node.builder { Some(&**members) } else { None })
    }

    /// The columns.
    pub fn columns(&mut self, fields: &[Field]) -> Vec<u32> {
        let columns = self.fields(fields);
        for (field, &node) in fields.iter().zip(&columns) {
            self.names.insert(NONE, &field.name, node);
        }
        columns
    }

    /// The member of a struct, or with `NONE` of the item, that has this name.
    pub fn member(&self, parent: u32, name: &str) -> Option<u32> {
        self.names.get(parent, name, |node| &self.nodes[node as usize].name)
    }

    /// Nodes that are members of nothing yet.
    fn fields(&mut self, fields: &[Field]) -> Vec<u32> {
        fields.iter().map(|field| self.add(&field.name, &field.ty)).collect()
    }

    fn add(&mut self, name: &str, ty: &Type) -> u32 {
        let builder = match ty {
            Type::Text => Builder::Text(Bytes::default()),
            Type::Int64 => Builder::Int64(Values::default()),
            Type::Decimal { precision, scale, rounds } => {
                let limit = 10_u128.pow(u32::from(*precision));
                Builder::Decimal { values: Values::default(), precision: *precision, limit, scale: *scale, rounds: *rounds }
            }
            Type::Float64 => Builder::Float64(Values::default()),
            Type::NumberText => Builder::NumberText(Bytes::default()),
            Type::Timestamp(timestamp) => Builder::Timestamp(Values::default(), timestamp.clone()),
            Type::Boolean => Builder::Boolean(Booleans::default()),
            Type::Binary => Builder::Binary(Bytes::default()),
            Type::Null => Builder::Null,
            Type::Struct(fields) => Builder::Struct(self.fields(fields), Validity::default()),
            Type::Map(value) => self.map(value),
            Type::EmptyMap if self.guessed => Builder::Map { lists: Lists::default(), keys: Bytes::default(), value: NONE },
            Type::EmptyMap => self.map(&Type::Null),
            Type::List(element) => self.list(element),
            Type::EmptyList if self.guessed => Builder::List { lists: Lists::default(), element: NONE },
            Type::EmptyList => self.list(&Type::Null),
            Type::Set(kind, member) => Builder::Set { kind: *kind, lists: Lists::default(), member: self.add("", member) },
            Type::Mixed(types) | Type::Typed(types) => {
                let mut children = [NONE; Kind::ALL.len()];
                for (kind, ty) in types {
                    children[*kind as usize] = self.add("", ty);
                }
                Builder::Mixed { children, validity: Validity::default(), typed: matches!(ty, Type::Typed(_)) }
            }
            Type::Json => Builder::Json(Bytes::default()),
            Type::MixedText => Builder::MixedText(Bytes::default()),
        };
        let node = self.push(name, builder, if self.guessed { Place::NEVER } else { Place::default() });
        if let Builder::Struct(members, _) = &self.nodes[node as usize].builder {
            for &member in members {
                self.names.insert(node, &self.nodes[member as usize].name, member);
            }
        }
        node
    }

    fn map(&mut self, value: &Type) -> Builder {
        Builder::Map { lists: Lists::default(), keys: Bytes::default(), value: self.add("", value) }
    }

    fn list(&mut self, element: &Type) -> Builder {
        Builder::List { lists: Lists::default(), element: self.add("", element) }
    }

    #[inline]
    pub fn builder(&mut self, node: u32) -> Option<&mut Builder> {
        self.nodes.get_mut(node as usize).map(|node| &mut node.builder)
    }

    /// The column of a node, with so many rows; the builders begin anew.
    pub fn finish(&mut self, node: u32, ty: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        if node == NONE {
            return Ok(new_null_array(ty, rows));
        }
        self.nodes[node as usize].seen = 0;
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
            Builder::Decimal { values, precision, scale, .. } => {
                Arc::new(values.finish::<Decimal128Type>(rows)?.with_precision_and_scale(*precision, *scale as i8)?)
            }
            Builder::Timestamp(b, _) => Arc::new(b.finish::<TimestampMicrosecondType>(rows)?.with_timezone("UTC")),
            Builder::Boolean(b) => b.finish(rows),
            Builder::Null | Builder::Unwanted => new_null_array(ty, rows),
            Builder::Struct(members, validity) => self.finish_struct(members.iter().copied(), ty, validity.finish(rows), rows)?,
            Builder::Mixed { children, .. } if children.iter().all(|&child| child == NONE) => new_null_array(ty, rows),
            Builder::Mixed { children, validity, .. } => {
                self.finish_struct(children.iter().copied().filter(|&child| child != NONE), ty, validity.finish(rows), rows)?
            }
            Builder::List { lists, element: child } | Builder::Set { lists, member: child, .. } => {
                let DataType::List(field) = ty else { return Err(wrong(ty)) };
                let values = self.finish(*child, field.data_type(), lists.len())?;
                let (offsets, nulls) = lists.finish(rows);
                Arc::new(ListArray::try_new(field.clone(), offsets, values, nulls)?)
            }
            Builder::Map { lists, keys, value } => {
                let DataType::Map(field, ordered) = ty else { return Err(wrong(ty)) };
                let DataType::Struct(fields) = field.data_type() else { return Err(wrong(ty)) };
                let length = lists.len();
                let entries = vec![keys.finish_text(length)?, self.finish(*value, fields[1].data_type(), length)?];
                let (offsets, nulls) = lists.finish(rows);
                let entries = StructArray::try_new(fields.clone(), entries, None)?;
                Arc::new(MapArray::try_new(field.clone(), offsets, entries, nulls, *ordered)?)
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
    pub fn truncate(&mut self, node: u32, rows: usize) {
        if node == NONE {
            return;
        }
        let mut builder = std::mem::replace(&mut self.nodes[node as usize].builder, Builder::Null);
        self.nodes[node as usize].seen = self.nodes[node as usize].seen.min(rows);
        match &mut builder {
            Builder::Text(b) | Builder::NumberText(b) | Builder::Binary(b) | Builder::Json(b) | Builder::MixedText(b) => b.truncate(rows),
            Builder::Int64(b) | Builder::Timestamp(b, _) => b.truncate(rows),
            Builder::Decimal { values, .. } => values.truncate(rows),
            Builder::Float64(b) => b.truncate(rows),
            Builder::Boolean(b) => b.truncate(rows),
            Builder::Null | Builder::Unwanted => {}
            Builder::Struct(members, validity) => {
                validity.truncate(rows);
                members.iter().for_each(|&node| self.truncate(node, rows));
            }
            Builder::Mixed { children, validity, .. } => {
                validity.truncate(rows);
                children.iter().for_each(|&node| self.truncate(node, rows));
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
        }
        self.nodes[node as usize].builder = builder;
    }
}

impl Builder {
    /// What a source is to send of a value.
    #[inline]
    pub fn want(&self) -> Want {
        if matches!(self, Self::Unwanted) { Want::Nothing } else { Want::Value }
    }

    /// Puts a number into its row, if it has a place here.
    #[inline]
    pub fn set_number(&mut self, row: usize, value: Number) -> Fit {
        match self {
            Self::Int64(b) => match value.to_i64() {
                Some(value) => b.set(row, value),
                None => return Fit::None,
            },
            Self::Decimal { values, limit, scale, rounds, .. } => {
                let fits = |value: &i128| value.unsigned_abs() < *limit;
                match value.to_decimal(*scale).filter(fits) {
                    Some(value) => values.set(row, value),
                    None if !*rounds => return Fit::None,
                    None => match value.round_to_decimal(*scale).filter(fits) {
                        Some(value) => {
                            values.set(row, value);
                            return Fit::Rounded;
                        }
                        None => return Fit::Overflowed,
                    },
                }
            }
            Self::Float64(b) => {
                let float = value.to_f64();
                b.set(row, float);
                if !value.is_kept_by(float) {
                    return Fit::Rounded;
                }
            }
            Self::NumberText(b) | Self::MixedText(b) => b.set_with(row, |out| value.write_to(out)),
            Self::Timestamp(b, timestamp) => match timestamp.of_number(value) {
                Some(micros) => b.set(row, micros),
                None => return Fit::None,
            },
            _ => return Fit::None,
        }
        Fit::Exact
    }
}

fn wrong(ty: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("a builder does not fit {ty}"))
}
