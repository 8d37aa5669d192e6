//! Schema → Arrow types.
//!
//! Only types that every consumer takes are used: utf8, int64, float64, boolean, binary,
//! decimal128, list, non-empty struct, map. Lists and maps name their children as Parquet
//! does (<https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>), so that
//! the names in the file are the same for every reader.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema as ArrowSchema, TimeUnit};

use super::{Field, Names, Schema, Timestamp, Type};
use crate::event::Kind;

/// The name of a list's elements.
pub const ELEMENT: &str = "element";
/// The metadata key that bears the DynamoDB type of a field.
pub const TYPE_KEY: &str = "dynamodb.type";
/// The metadata key that bears the attribute's name, where the field has another.
pub const NAME_KEY: &str = "dynamodb.name";
/// The metadata key of the schema that bears its layout.
pub const LAYOUT_KEY: &str = "dynarrow.layout";
/// The metadata key that says how a timestamp was written.
pub const TIMESTAMP_KEY: &str = "dynarrow.timestamp";
/// What bears the place of the DynamoDB type for the column of values without a place.
pub const EXTRA_TYPE: &str = "extra";

impl Schema {
    /// The Arrow schema. Each field bears its DynamoDB type in metadata.
    pub fn to_arrow(&self) -> ArrowSchema {
        let mut fields: Vec<_> = self.fields.iter().map(|field| field.to_arrow(self.policies.names)).collect();
        if let Some(extra) = &self.extra {
            fields.push(ArrowField::new(extra, DataType::Utf8, true).with_metadata(json_metadata(EXTRA_TYPE)));
        }
        let layout = self.policies.layout.as_str().to_owned();
        ArrowSchema::new_with_metadata(fields, HashMap::from([(LAYOUT_KEY.to_owned(), layout)]))
    }
}

impl Field {
    /// The Arrow field.
    pub fn to_arrow(&self, names: Names) -> ArrowField {
        self.ty.to_arrow_field(self.column(), &self.name, names)
    }
}

impl Type {
    /// The Arrow type.
    pub fn to_arrow(&self, names: Names) -> DataType {
        let part = |ty: &Self, name: &str| ty.to_arrow_field(name, name, names);
        match self {
            Self::Text | Self::NumberText | Self::Null | Self::Json | Self::MixedText => DataType::Utf8,
            Self::Int64 => DataType::Int64,
            Self::Decimal { precision, scale, .. } => DataType::Decimal128(*precision, *scale as i8),
            Self::Timestamp(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Float64 => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Binary => DataType::Binary,
            Self::Struct(fields) => DataType::Struct(fields.iter().map(|field| field.to_arrow(names)).collect()),
            Self::Map(value) => map_of(part(value, "value")),
            Self::EmptyMap => map_of(ArrowField::new("value", DataType::Utf8, true)),
            Self::List(element) => DataType::List(Arc::new(part(element, ELEMENT))),
            Self::EmptyList => DataType::List(Arc::new(ArrowField::new(ELEMENT, DataType::Utf8, true))),
            Self::Set(_, member) => DataType::List(Arc::new(part(member, ELEMENT))),
            Self::Typed(children) if children.is_empty() => DataType::Utf8,
            Self::Mixed(children) | Self::Typed(children) => {
                let child = |(kind, ty): &(Kind, Self)| {
                    let descriptor = kind.descriptor();
                    match names {
                        Names::Exact => part(ty, descriptor),
                        Names::Athena => ty.to_arrow_field(&descriptor.to_ascii_lowercase(), descriptor, names),
                    }
                };
                DataType::Struct(children.iter().map(child).collect())
            }
        }
    }

    /// A nullable Arrow field of this type, for what is called `name` in items.
    fn to_arrow_field(&self, column: &str, name: &str, names: Names) -> ArrowField {
        let mut metadata = match self {
            Self::Json => json_metadata(self.dynamodb_type()),
            _ => HashMap::from([(TYPE_KEY.to_owned(), self.dynamodb_type().to_owned())]),
        };
        if let Self::Timestamp(timestamp) = self {
            metadata.insert(TIMESTAMP_KEY.into(), timestamp.to_string());
        }
        if column != name {
            metadata.insert(NAME_KEY.into(), name.into());
        }
        ArrowField::new(column, self.to_arrow(names), true).with_metadata(metadata)
    }

    /// The DynamoDB type, as the field's metadata has it.
    pub fn dynamodb_type(&self) -> &'static str {
        match self {
            Self::Text => "S",
            Self::Int64 | Self::Decimal { .. } | Self::Float64 | Self::NumberText => "N",
            Self::Timestamp(Timestamp::Epoch(_)) => "N",
            Self::Timestamp(Timestamp::Text(_)) => "S",
            Self::Typed(_) => "typed",
            Self::Boolean => "BOOL",
            Self::Binary => "B",
            Self::Null => "NULL",
            Self::Struct(_) | Self::Map(_) | Self::EmptyMap => "M",
            Self::List(_) | Self::EmptyList => "L",
            Self::Set(Kind::NS, _) => "NS",
            Self::Set(Kind::BS, _) => "BS",
            Self::Set(..) => "SS",
            Self::Mixed(_) | Self::MixedText => "mixed",
            Self::Json => "json",
        }
    }
}

/// The metadata of a column of JSON text.
/// <https://arrow.apache.org/docs/format/CanonicalExtensions.html#json>
fn json_metadata(ty: &str) -> HashMap<String, String> {
    [(TYPE_KEY, ty), ("ARROW:extension:name", "arrow.json"), ("ARROW:extension:metadata", "")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn map_of(value: ArrowField) -> DataType {
    let entries = Fields::from(vec![ArrowField::new("key", DataType::Utf8, false), value]);
    DataType::Map(Arc::new(ArrowField::new("key_value", DataType::Struct(entries), false)), false)
}
