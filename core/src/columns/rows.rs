//! Record batches → events: the way back from Arrow to items.
//!
//! What a column means is said by its metadata, or by a schema document where a tool has
//! dropped the metadata (polars, DuckDB and pandas do), or else by its Arrow type alone:
//! utf8 is S, a number N, a list L. A null is *missing* in items and structs, NULL in lists
//! and map values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::types::{Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Schema as ArrowSchema, TimeUnit};

use crate::error::{Code, Error, Result};
use crate::event::{Kind, SetMembers, Sink, Want};
use crate::format::json;
use crate::format::record::Fault;
use crate::item::{self, AttributeValue, Item, Items};
use crate::number::Number;
use crate::path::{self, Step};
use crate::schema::{ELEMENT, EXTRA_TYPE, LAYOUT_KEY, Layout, NAME_KEY, Schema, TIMESTAMP_KEY, TYPE_KEY, Timestamp};

/// How the columns of batches are read.
#[derive(Clone, Debug, Default)]
pub struct RowReader {
    /// Fields that say what columns mean, where the batches do not; by their own names, and by
    /// those of the attributes.
    hints: HashMap<String, FieldRef>,
    by_attribute: HashMap<String, FieldRef>,
    layout: Layout,
}

/// The columns of one batch, ready to be read by row.
pub struct RowColumns {
    columns: Vec<(String, Column)>,
    extra: Option<StringArray>,
    rows: usize,
}

/// A column, by what its values are sent as.
enum Column {
    /// Has no values.
    Missing,
    Text(StringArray),
    NumberText(StringArray),
    JsonText(StringArray),
    Int(PrimitiveArray<Int64Type>),
    Decimal(PrimitiveArray<Decimal128Type>, i32),
    Float(PrimitiveArray<Float64Type>),
    Float32(PrimitiveArray<Float32Type>),
    Boolean(BooleanArray),
    Binary(BinaryArray),
    /// With whether it is in UTC, or a time of no zone.
    Moment(PrimitiveArray<TimestampMicrosecondType>, Written),
    Date(PrimitiveArray<Date32Type>),
    Struct(StructArray, Vec<(String, Column)>),
    Typed(StructArray, Vec<(Kind, Column)>),
    List(ListArray, Box<Column>),
    Set(Kind, ListArray, Box<Column>),
    Map(MapArray, StringArray, Box<Column>),
}

enum Written {
    As(Timestamp),
    Iso { utc: bool },
}

type Sent<T = ()> = Result<T, Box<Fault>>;

impl RowReader {
    /// Columns that say themselves what they mean, or that `schema` or `layout` explains.
    pub fn new(schema: &ArrowSchema, document: Option<&Schema>, layout: Option<Layout>) -> Self {
        let arrow = document.map(Schema::to_arrow);
        let fields = || arrow.iter().flat_map(ArrowSchema::fields);
        let hints = fields().map(|field| (field.name().clone(), field.clone())).collect();
        let by_attribute = fields().map(|field| (attribute(field).to_owned(), field.clone())).collect();
        let said = schema.metadata().get(LAYOUT_KEY).and_then(|layout| layout.parse().ok());
        Self { hints, by_attribute, layout: layout.or(said).or(document.map(|d| d.policies().layout)).unwrap_or_default() }
    }

    /// The columns of a batch.
    pub fn columns(&self, batch: &RecordBatch) -> Result<RowColumns> {
        let schema = batch.schema();
        let mut read = RowColumns { columns: Vec::with_capacity(batch.num_columns()), extra: None, rows: batch.num_rows() };
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let hint = self.hint(field);
            let name = name_of(field, hint);
            let mut at = String::new();
            path::push_name(&mut at, name);
            if hint.is_some_and(|hint| type_of(hint) == Some(EXTRA_TYPE)) {
                read.extra = Some(text(array, &at)?);
            } else {
                read.columns.push((name.to_owned(), self.column(array, hint, &at)?));
            }
        }
        Ok(read)
    }

    /// The field that says what a column means: itself, or else that of the document, by the
    /// attribute that it says it holds, or by its name.
    fn hint<'a>(&'a self, field: &'a ArrowField) -> Option<&'a ArrowField> {
        if type_of(field).is_some() {
            return Some(field);
        }
        let hint = self.hints.get(field.name()).or_else(|| self.by_attribute.get(attribute(field)));
        hint.map(Arc::as_ref).or(Some(field))
    }

    fn column(&self, array: &ArrayRef, hint: Option<&ArrowField>, at: &str) -> Result<Column> {
        // Past 38 digits there is no DynamoDB number; parsing the text says so.
        let is_number = matches!(array.data_type(), DataType::Decimal256(..));
        let array = &normal(array, at)?;
        let hint = hint.filter(|hint| type_of(hint).is_some());
        let ty = hint.and_then(type_of);
        let child = |name: &str| hint.and_then(|hint| child_of(hint.data_type(), name));
        Ok(match (array.data_type(), ty) {
            (DataType::Null, _) | (_, Some("NULL")) => Column::Missing,
            (DataType::Utf8, ty) if is_number || ty == Some("N") => Column::NumberText(array.as_string().clone()),
            (DataType::Utf8, Some("json")) => Column::JsonText(array.as_string().clone()),
            (DataType::Utf8, _) => Column::Text(array.as_string().clone()),
            (DataType::Int64, _) => Column::Int(array.as_primitive().clone()),
            (DataType::Decimal128(_, scale), _) => Column::Decimal(array.as_primitive().clone(), i32::from(*scale)),
            (DataType::Float64, _) => Column::Float(array.as_primitive().clone()),
            (DataType::Float32, _) => Column::Float32(array.as_primitive().clone()),
            (DataType::Boolean, _) => Column::Boolean(array.as_boolean().clone()),
            (DataType::Binary, _) => Column::Binary(array.as_binary().clone()),
            (DataType::Date32, _) => Column::Date(array.as_primitive().clone()),
            (DataType::Timestamp(_, zone), _) => {
                let written = match hint.and_then(|hint| hint.metadata().get(TIMESTAMP_KEY)) {
                    Some(timestamp) => Written::As(timestamp.parse()?),
                    None => Written::Iso { utc: zone.is_some() },
                };
                Column::Moment(array.as_primitive().clone(), written)
            }
            (DataType::Struct(fields), _) => {
                let array = array.as_struct();
                let kinds: Option<Vec<_>> = fields.iter().map(|field| Kind::from_descriptor(name_of(field, child(field.name())))).collect();
                let typed = matches!(ty, Some("mixed" | "typed")) || ty.is_none() && self.layout == Layout::Typed;
                if let (Some(kinds), true) = (kinds, typed) {
                    let children = fields.iter().zip(array.columns()).zip(kinds).map(|((field, array), kind)| {
                        let hint = child(field.name()).or(Some(field.as_ref()));
                        Ok((kind, self.column(array, hint, at)?))
                    });
                    let children = children.collect::<Result<Vec<_>>>()?.into_iter().map(|(kind, column)| (kind, as_kind(kind, column)));
                    return Ok(Column::Typed(array.clone(), children.collect()));
                }
                let members = fields.iter().zip(array.columns()).map(|(field, array)| {
                    let hint = child(field.name()).or(Some(field.as_ref()));
                    let name = name_of(field, hint);
                    let mut at = at.to_owned();
                    path::push_name(&mut at, name);
                    Ok((name.to_owned(), self.column(array, hint, &at)?))
                });
                Column::Struct(array.clone(), members.collect::<Result<_>>()?)
            }
            (DataType::List(element), _) => {
                let array = array.as_list::<i32>();
                let hint = child(ELEMENT).or(Some(element.as_ref()));
                let values = self.column(array.values(), hint, &format!("{at}[]"))?;
                match ty.and_then(Kind::from_descriptor).filter(|kind| kind.member().is_some()) {
                    Some(kind) => Column::Set(kind, array.clone(), Box::new(values)),
                    None => Column::List(array.clone(), Box::new(values)),
                }
            }
            (DataType::Map(entries, _), _) => {
                let array = array.as_map();
                let DataType::Struct(fields) = entries.data_type() else { return Err(no_place(entries.data_type(), at)) };
                let keys = text(array.keys(), at)?;
                let hint = hint.and_then(|hint| map_value(hint.data_type())).or(Some(fields[1].as_ref()));
                let values = self.column(array.values(), hint, &format!("{at}{{}}"))?;
                Column::Map(array.clone(), keys, Box::new(values))
            }
            (other, _) => return Err(no_place(other, at)),
        })
    }
}

/// A child of a typed struct is what its name says.
fn as_kind(kind: Kind, column: Column) -> Column {
    match (kind, column) {
        (Kind::N, Column::Text(array)) => Column::NumberText(array),
        (Kind::SS | Kind::NS | Kind::BS, Column::List(array, values)) => {
            let values = if kind == Kind::NS { as_kind(Kind::N, *values) } else { *values };
            Column::Set(kind, array, Box::new(values))
        }
        (_, column) => column,
    }
}

impl RowColumns {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Sends the attributes of a row to a sink; the bytes of their values. `begin_item` and
    /// `commit_item` are the caller's.
    pub fn send<S: Sink>(&self, row: usize, sink: &mut S) -> Sent<usize> {
        let mut bytes = 0;
        match self.extra.as_ref().filter(|extra| extra.is_valid(row)) {
            None => send_members(&self.columns, row, sink, &mut bytes)?,
            Some(extra) => {
                let mut items = Items::default();
                items.begin_item();
                send_members(&self.columns, row, &mut items, &mut bytes)?;
                items.commit_item(bytes).map_err(|refusal| Fault::new(refusal.code, 0, refusal.message))?;
                let mut item = items.take().pop().unwrap_or_default();
                put_back(&mut item, extra.value(row))?;
                bytes += extra.value(row).len();
                item::send(&item, sink).map_err(|refusal| Fault::new(refusal.code, 0, refusal.message))?;
            }
        }
        Ok(bytes)
    }
}

fn send_members<S: Sink>(columns: &[(String, Column)], row: usize, sink: &mut S, bytes: &mut usize) -> Sent {
    for (name, column) in columns {
        if !column.has_value(row) {
            continue;
        }
        let named = |mut fault: Box<Fault>| {
            fault.path.push(Step::Name(name.as_str().into()));
            fault
        };
        let want = sink.attribute(name).map_err(|refusal| named(Fault::new(refusal.code, 0, refusal.message)))?;
        *bytes += name.len();
        if want == Want::Value {
            column.send(row, sink, bytes).map_err(named)?;
        }
    }
    Ok(())
}

impl Column {
    /// Whether there is a value in a row: a null is none.
    fn has_value(&self, row: usize) -> bool {
        match self {
            Self::Missing => false,
            Self::Text(array) | Self::NumberText(array) | Self::JsonText(array) => array.is_valid(row),
            Self::Int(array) => array.is_valid(row),
            Self::Decimal(array, _) => array.is_valid(row),
            Self::Float(array) => array.is_valid(row),
            Self::Float32(array) => array.is_valid(row),
            Self::Boolean(array) => array.is_valid(row),
            Self::Binary(array) => array.is_valid(row),
            Self::Moment(array, _) => array.is_valid(row),
            Self::Date(array) => array.is_valid(row),
            Self::Struct(array, _) => array.is_valid(row),
            Self::Typed(array, children) => array.is_valid(row) && children.iter().any(|(_, child)| child.has_value(row)),
            Self::List(array, _) | Self::Set(_, array, _) => array.is_valid(row),
            Self::Map(array, ..) => array.is_valid(row),
        }
    }

    /// Whether a row's value, which could be sent, is none of the set's members so far.
    fn is_new_member(&self, row: usize, seen: &mut SetMembers) -> bool {
        let number = match self {
            Self::Text(array) => return seen.is_new(array.value(row).as_bytes()),
            Self::Binary(array) => return seen.is_new(array.value(row)),
            Self::Moment(array, _) => return seen.is_new(&array.value(row).to_le_bytes()),
            Self::Date(array) => return seen.is_new(&array.value(row).to_le_bytes()),
            Self::NumberText(array) => number(array.value(row)).ok(),
            Self::Int(array) => Some(array.value(row).into()),
            Self::Decimal(array, scale) => Number::from_parts(array.value(row), -scale).ok(),
            Self::Float(array) => float(array.value(row), true).ok(),
            Self::Float32(array) => float(array.value(row), true).ok(),
            _ => None,
        };
        number.is_none_or(|number| seen.is_new_number(number))
    }

    /// Sends the value of a row that has one.
    fn send<S: Sink>(&self, row: usize, sink: &mut S, bytes: &mut usize) -> Sent {
        *bytes += 8;
        match self {
            Self::Missing => sink.null(),
            Self::Text(array) => {
                *bytes += array.value(row).len();
                sink.string(array.value(row));
            }
            Self::NumberText(array) => sink.number(number(array.value(row))?),
            Self::JsonText(array) => {
                *bytes += array.value(row).len();
                json::send_value(array.value(row), sink)?;
            }
            Self::Int(array) => sink.number(array.value(row).into()),
            Self::Decimal(array, scale) => {
                let number = Number::from_parts(array.value(row), -scale);
                sink.number(number.map_err(|e| Fault::new(Code::Number, 0, e.to_string()))?);
            }
            Self::Float(array) => sink.number(float(array.value(row), array.value(row).is_finite())?),
            Self::Float32(array) => sink.number(float(array.value(row), array.value(row).is_finite())?),
            Self::Boolean(array) => sink.boolean(array.value(row)),
            Self::Binary(array) => {
                *bytes += array.value(row).len();
                sink.binary(array.value(row));
            }
            Self::Moment(array, written) => moment(array.value(row), written, sink)?,
            Self::Date(array) => {
                let date = array.value_as_date(row).ok_or_else(|| Fault::new(Code::Number, 0, "a date out of range"))?;
                sink.string(&date.to_string());
            }
            Self::Struct(_, members) => {
                sink.begin_map();
                send_members(members, row, sink, bytes)?;
                sink.end_map();
            }
            Self::Typed(_, children) => {
                let mut present = children.iter().filter(|(_, child)| child.has_value(row));
                let (first, second) = (present.next(), present.next());
                if second.is_some() {
                    return Err(Fault::new(Code::Descriptor, 0, "a value with several types in one row"));
                }
                match first {
                    None | Some((Kind::Null, _)) => sink.null(),
                    Some((_, child)) => child.send(row, sink, bytes)?,
                }
            }
            Self::List(array, values) => {
                sink.begin_list();
                for at in range(array, row) {
                    if values.has_value(at) {
                        values.send(at, sink, bytes).map_err(in_list)?;
                    } else {
                        sink.null();
                    }
                }
                sink.end_list();
            }
            Self::Set(kind, array, members) => {
                sink.begin_set(*kind);
                let mut seen = SetMembers::default();
                seen.begin();
                for at in range(array, row) {
                    if !members.has_value(at) {
                        return Err(in_list(Fault::new(Code::Descriptor, 0, "a null in a set")));
                    }
                    members.send(at, sink, bytes).map_err(in_list)?;
                    if !members.is_new_member(at, &mut seen) {
                        return Err(Fault::new(Code::Set, 0, "a member stands twice in the set"));
                    }
                }
                sink.end_set();
            }
            Self::Map(array, keys, values) => {
                sink.begin_map();
                let offsets = array.value_offsets();
                for at in offsets[row] as usize..offsets[row + 1] as usize {
                    let key = keys.value(at);
                    let named = |mut fault: Box<Fault>| {
                        fault.path.push(Step::Name(key.into()));
                        fault
                    };
                    let want = sink.attribute(key).map_err(|refusal| named(Fault::new(refusal.code, 0, refusal.message)))?;
                    if want == Want::Nothing {
                        continue;
                    }
                    if values.has_value(at) {
                        values.send(at, sink, bytes).map_err(named)?;
                    } else {
                        sink.null();
                    }
                }
                sink.end_map();
            }
        }
        Ok(())
    }
}

fn in_list(mut fault: Box<Fault>) -> Box<Fault> {
    fault.path.push(Step::Element);
    fault
}

fn range(array: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = array.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

fn number(text: &str) -> Sent<Number> {
    Number::parse(text.as_bytes()).map_err(|error| Fault::new(Code::Number, 0, format!("{error}: {text:?}")))
}

/// The number that the shortest text of a float stands for.
fn float(value: impl std::fmt::LowerExp + std::fmt::Display, finite: bool) -> Sent<Number> {
    if !finite {
        return Err(Fault::new(Code::Number, 0, format!("{value} is no DynamoDB number")));
    }
    number(&format!("{value:e}"))
}

fn moment<S: Sink>(micros: i64, written: &Written, sink: &mut S) -> Sent {
    let bad = || Fault::new(Code::Number, 0, "a timestamp out of range");
    match written {
        Written::As(timestamp @ Timestamp::Epoch(_)) => sink.number(timestamp.to_number(micros).ok_or_else(bad)?),
        Written::As(timestamp @ Timestamp::Text(_)) => sink.string(&timestamp.to_text(micros).ok_or_else(bad)?),
        Written::Iso { utc } => {
            let fraction = if micros % 1_000_000 == 0 { "" } else { ".SSSSSS" };
            let zone = if *utc { "Z" } else { "" };
            let pattern = Timestamp::Text(format!("YYYY-MM-DDThh:mm:ss{fraction}{zone}"));
            sink.string(&pattern.to_text(micros).ok_or_else(bad)?);
        }
    }
    Ok(())
}

/// Puts the values of `_extra` back to their places.
fn put_back(item: &mut Item, text: &str) -> Sent {
    let bad = |message: String| Fault::new(Code::Schema, 0, format!("{EXTRA_TYPE}: {message}"));
    let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|e| bad(format!("no JSON object: {e}")))?;
    for (at, value) in values {
        let steps = path::parse(&at).map_err(|e| bad(e.message()))?;
        let mut items = Items::default();
        items.begin_item();
        items.attribute("value").map_err(|refusal| bad(refusal.message))?;
        json::send_value(&value.to_string(), &mut items)?;
        items.commit_item(0).map_err(|refusal| bad(refusal.message))?;
        let value = items.take().pop().and_then(|mut item| item.pop()).map(|(_, value)| value);
        let value = value.ok_or_else(|| bad(format!("{at} has no value")))?;
        put_value(item, &steps, value).ok_or_else(|| bad(format!("{at} leads nowhere")))?;
    }
    Ok(())
}

fn put_value(item: &mut Item, steps: &[Step], value: AttributeValue) -> Option<()> {
    let (Step::Name(name), rest) = steps.split_first()? else { return None };
    let found = item.iter().position(|(known, _)| **known == **name);
    let (last, rest) = (rest.is_empty(), rest);
    match found {
        Some(at) if last => item[at].1 = value,
        None if last => item.push((name.to_string(), value)),
        Some(at) => put_below(&mut item[at].1, rest, value)?,
        None => return None,
    }
    Some(())
}

fn put_below(place: &mut AttributeValue, steps: &[Step], value: AttributeValue) -> Option<()> {
    match (steps.split_first(), place) {
        (None, place) => *place = value,
        (Some((Step::Index(at), rest)), AttributeValue::L(list)) => put_below(list.get_mut(*at)?, rest, value)?,
        (Some((Step::Name(_), _)), AttributeValue::M(item)) => put_value(item, steps, value)?,
        _ => return None,
    }
    Some(())
}

fn type_of(field: &ArrowField) -> Option<&str> {
    field.metadata().get(TYPE_KEY).map(String::as_str)
}

/// The name of the attribute that a field holds, as far as it says so itself.
fn attribute(field: &ArrowField) -> &str {
    field.metadata().get(NAME_KEY).unwrap_or(field.name())
}

/// The name of the attribute that a field holds: by itself, or as its hint says.
fn name_of<'a>(field: &'a ArrowField, hint: Option<&'a ArrowField>) -> &'a str {
    attribute(hint.filter(|_| type_of(field).is_none()).unwrap_or(field))
}

fn child_of<'a>(ty: &'a DataType, name: &str) -> Option<&'a ArrowField> {
    match ty {
        DataType::Struct(fields) => fields.iter().find(|field| field.name() == name).map(std::convert::AsRef::as_ref),
        DataType::List(field) => Some(field),
        _ => None,
    }
}

fn map_value(ty: &DataType) -> Option<&ArrowField> {
    let DataType::Map(entries, _) = ty else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    fields.get(1).map(std::convert::AsRef::as_ref)
}

fn no_place(ty: &DataType, at: &str) -> Error {
    Error::new(Code::Usage, format!("a column of {ty} has no DynamoDB type")).at_path(at)
}

/// The array as one of the types that are read here.
fn normal(array: &ArrayRef, at: &str) -> Result<ArrayRef> {
    let to = match array.data_type() {
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Decimal256(..) | DataType::Time32(_) | DataType::Time64(_) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::LargeList(field) | DataType::FixedSizeList(field, _) | DataType::ListView(field) | DataType::LargeListView(field) => {
            DataType::List(field.clone())
        }
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        _ => return Ok(array.clone()),
    };
    let array = cast(array, &to).map_err(|e| Error::new(Code::Usage, e.to_string()).at_path(at))?;
    // A dictionary may hold any type.
    normal(&array, at)
}

fn text(array: &ArrayRef, at: &str) -> Result<StringArray> {
    let array = normal(array, at)?;
    array.as_string_opt().cloned().ok_or_else(|| no_place(array.data_type(), at))
}
