//! The schema document: JSON that a person can read. Each path with the types seen and
//! their counts, the share of items that have it, what its values are like, where it was
//! first seen, and the Arrow type that was chosen, with the reason.

use serde_json::{Map, Value, json};

use super::summary::{Lengths, PathSummary};
use super::{Field, Schema, Type};
use crate::event::Kind;

/// The version of the document.
const VERSION: u32 = 1;

impl Schema {
    /// The document.
    pub fn to_json(&self) -> Value {
        let items = self.summary().items;
        let fields: Vec<_> =
            self.fields().iter().map(|field| document(field, self.summary().root.fields.get(&field.name), items)).collect();
        json!({
            "dynarrow_schema": VERSION,
            "items": items,
            "numbers": self.policies().numbers.as_str(),
            "mixed": self.policies().mixed.as_str(),
            "fields": fields,
        })
    }
}

fn document(field: &Field, summary: Option<&PathSummary>, of: u64) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), field.name.clone().into());
    describe(&mut entry, &field.ty, summary, of);
    Value::Object(entry)
}

fn describe(entry: &mut Map<String, Value>, ty: &Type, summary: Option<&PathSummary>, of: u64) {
    entry.insert("arrow".into(), ty.to_arrow().to_string().into());
    entry.insert("dynamodb".into(), ty.dynamodb_type().into());
    let Some(path) = summary else { return };
    entry.insert("why".into(), why(ty, path).into());
    let seen: Map<_, _> = Kind::ALL
        .into_iter()
        .filter(|&kind| path.count(kind) > 0)
        .map(|kind| (kind.descriptor().to_owned(), path.count(kind).into()))
        .collect();
    entry.insert("seen".into(), seen.into());
    let count: u64 = path.counts.iter().sum();
    if of > 0 {
        entry.insert("share".into(), json!(count as f64 / of as f64));
    }
    if path.count(Kind::N) > 0 {
        entry.insert("digits".into(), json!({"integer": path.numbers.integer, "scale": path.numbers.scale}));
    }
    if path.count(Kind::NS) > 0 {
        entry.insert("set_digits".into(), json!({"integer": path.set_numbers.integer, "scale": path.set_numbers.scale}));
    }
    for (name, lengths) in [("string_bytes", path.strings), ("binary_bytes", path.binaries), ("members", path.members)] {
        if lengths != Lengths::default() {
            entry.insert(name.into(), json!([lengths.min, lengths.max]));
        }
    }
    if let Some(example) = &path.example {
        entry.insert("example".into(), example.clone().into());
    }
    entry.insert("first".into(), json!(path.first));
    parts(entry, ty, path);
}

fn parts(entry: &mut Map<String, Value>, ty: &Type, path: &PathSummary) {
    match ty {
        Type::Struct(fields) => {
            let maps = path.count(Kind::M);
            let fields: Vec<_> = fields.iter().map(|field| document(field, path.fields.get(&field.name), maps)).collect();
            entry.insert("fields".into(), fields.into());
        }
        Type::List(element) => {
            let mut inner = Map::new();
            describe(&mut inner, element, path.element.as_deref(), 0);
            entry.insert("element".into(), inner.into());
        }
        Type::Mixed(types) => types.iter().for_each(|(_, ty)| parts(entry, ty, path)),
        _ => {}
    }
}

/// Why a path has its type, in words.
fn why(ty: &Type, path: &PathSummary) -> String {
    let digits = if path.count(Kind::NS) > 0 { path.set_numbers } else { path.numbers };
    match ty {
        Type::Int64 => "all numbers are integers that fit int64".into(),
        Type::Decimal(scale) => format!("{} of the numbers fit no int64; all fit decimal128(38, {scale})", digits.beyond_int64),
        Type::NumberText if digits.integer + digits.scale > crate::number::MAX_DIGITS => {
            format!("{} digits left and {} right of the point fit no decimal128", digits.integer, digits.scale)
        }
        Type::Float64 | Type::NumberText => "numbers were asked for so".into(),
        Type::Null => "nothing but NULL was seen".into(),
        Type::Map(_) => format!("{} different members: too many for a struct", path.fields.len()),
        Type::EmptyMap => "always empty; Parquet has no struct without fields".into(),
        Type::EmptyList => "always empty".into(),
        Type::Mixed(_) | Type::Json | Type::MixedText => "several types stand at this path".into(),
        _ => "one type was seen".into(),
    }
}
