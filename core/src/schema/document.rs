//! The schema document: JSON that a person can read and edit, and that is read back.
//!
//! Each path says which Arrow type was chosen (`arrow`) for which DynamoDB type
//! (`dynamodb`), and why; what was seen of it: types and their counts, the share of items
//! that have it, digits and scale, lengths, an example, where it was first seen. To change a
//! column, edit `arrow`; to leave one out, remove its entry. `first`, `seen` and the other
//! statistics serve merging and people, not the columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::policy::Policies;
use super::summary::{Digits, First, Lengths, PathSummary, Summary};
use super::{Field, Schema, Type, names};
use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::path;

/// The version of the document.
const VERSION: u64 = 1;

impl Schema {
    /// The document.
    pub fn to_json(&self) -> Value {
        let items = self.summary.items;
        let columns = self.fields.iter().map(|field| column(field, self.summary.root.fields.get(&field.name), items));
        // What has no column is known all the same: merging needs it.
        let chosen = |name: &&String| self.fields.iter().all(|field| field.name != **name);
        let others = self.summary.root.fields.keys().filter(chosen);
        let others = others.map(|name| document(name, None, self.summary.root.fields.get(name), items));
        let overrides: Map<_, _> = self.policies.overrides.iter().map(|(path, with)| (path.clone(), with.to_string().into())).collect();
        let mut document = json!({
            "dynarrow_schema": VERSION,
            "items": items,
            "numbers": self.policies.numbers.to_string(),
            "mixed": self.policies.mixed.as_str(),
            "maps": self.policies.maps.as_str(),
            "layout": self.policies.layout.as_str(),
            "names": self.policies.names.as_str(),
            "max_fields": self.policies.max_fields,
            "max_columns": self.policies.max_columns,
            "overrides": overrides,
            "fields": columns.collect::<Vec<_>>(),
        });
        let others: Vec<_> = others.collect();
        if !others.is_empty() {
            document["without_column"] = others.into();
        }
        document
    }

    /// The schema of a document: frozen, whatever data it is used for.
    pub fn from_json(document: &Value) -> Result<Self> {
        let bad = |message: &str| bad("", message);
        if document["dynarrow_schema"].as_u64() != Some(VERSION) {
            return Err(bad(&format!("no schema document: `dynarrow_schema` must be {VERSION}")));
        }
        let text = |name: &str| match &document[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.as_str())),
            _ => Err(bad(&format!("`{name}` must be a string"))),
        };
        let count = |name: &str, default: usize| match &document[name] {
            Value::Null => Ok(default),
            value => value.as_u64().map(|n| n as usize).ok_or_else(|| bad(&format!("`{name}` must be a whole number"))),
        };
        let mut policies = Policies::default();
        if let Some(numbers) = text("numbers")? {
            policies.numbers = numbers.parse().map_err(as_schema)?;
        }
        if let Some(mixed) = text("mixed")? {
            policies.mixed = mixed.parse().map_err(as_schema)?;
        }
        if let Some(maps) = text("maps")? {
            policies.maps = maps.parse().map_err(as_schema)?;
        }
        if let Some(layout) = text("layout")? {
            policies.layout = layout.parse().map_err(as_schema)?;
        }
        if let Some(names) = text("names")? {
            policies.names = names.parse().map_err(as_schema)?;
        }
        policies.max_fields = count("max_fields", policies.max_fields)?;
        policies.max_columns = count("max_columns", policies.max_columns)?;
        let overrides = &document["overrides"];
        if !overrides.is_null() && !overrides.is_object() {
            return Err(bad("`overrides` must map paths to strings"));
        }
        for (path, with) in overrides.as_object().into_iter().flatten() {
            let with = with.as_str().ok_or_else(|| bad("`overrides` must map paths to strings"))?;
            policies.override_path(path, with).map_err(as_schema)?;
        }
        let mut summary = Summary { items: document["items"].as_u64().unwrap_or(0), root: PathSummary::default() };
        let mut fields: Vec<Field> = Vec::new();
        for entry in list(document, "fields", "")? {
            let name = name_of(entry, "")?;
            if fields.iter().any(|field| field.name == name) {
                return Err(bad(&format!("the column {name:?} stands twice")));
            }
            let mut at = String::new();
            path::push_name(&mut at, &name);
            fields.push(Field { ty: type_of(entry, &at)?, name: name.clone(), column: column_of(entry, &at)? });
            summary.root.fields.insert(name, summary_of(entry, &at)?);
        }
        if document.get("without_column").is_some() {
            for entry in list(document, "without_column", "")? {
                let name = name_of(entry, "")?;
                summary.root.fields.insert(name.clone(), summary_of(entry, &name)?);
            }
        }
        names::check(&fields, policies.names)?;
        let known = fields.clone();
        names::give(&mut fields, &known, policies.names);
        Ok(Self { fields, policies, summary: Arc::new(summary), extra: None }.frozen())
    }
}

impl Type {
    /// The Arrow type's short name, without the parts that stand below it.
    pub fn name(&self) -> String {
        match self {
            Self::Text | Self::NumberText | Self::Null | Self::MixedText | Self::Json => "utf8".into(),
            Self::Int64 => "int64".into(),
            Self::Decimal { precision, scale, rounds: false } => format!("decimal128({precision}, {scale})"),
            Self::Decimal { precision, scale, rounds: true } => format!("decimal128({precision}, {scale}) rounded"),
            Self::Float64 => "float64".into(),
            Self::Timestamp(timestamp) => timestamp.to_string(),
            Self::Boolean => "boolean".into(),
            Self::Binary => "binary".into(),
            Self::Struct(_) | Self::Mixed(_) | Self::Typed(_) => "struct".into(),
            Self::Map(_) => "map".into(),
            Self::EmptyMap => "map<utf8, utf8>".into(),
            Self::List(_) => "list".into(),
            Self::EmptyList => "list<utf8>".into(),
            Self::Set(_, member) => format!("list<{}>", member.name()),
        }
    }
}

/// A column, or a member of a struct.
fn column(field: &Field, summary: Option<&PathSummary>, of: u64) -> Value {
    let mut entry = document(&field.name, Some(&field.ty), summary, of);
    if let Some(column) = &field.column {
        entry["column"] = column.as_str().into();
    }
    entry
}

fn document(name: &str, ty: Option<&Type>, summary: Option<&PathSummary>, of: u64) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), name.into());
    describe(&mut entry, ty, summary, of);
    Value::Object(entry)
}

/// Writes what is known of a path: its type, where it has one, and what was seen of it.
fn describe(entry: &mut Map<String, Value>, ty: Option<&Type>, summary: Option<&PathSummary>, of: u64) {
    if let Some(ty) = ty {
        entry.insert("arrow".into(), ty.name().into());
        entry.insert("dynamodb".into(), ty.dynamodb_type().into());
        if let Some(path) = summary {
            entry.insert("why".into(), why(ty, path).into());
        }
    }
    if let Some(path) = summary {
        statistics(entry, path, of);
    }
    if let Some(Type::Mixed(types) | Type::Typed(types)) = ty {
        let types: Map<_, _> = types.iter().map(|(kind, ty)| (kind.descriptor().to_owned(), ty.name().into())).collect();
        entry.insert("types".into(), types.into());
    }
    let parts = parts(ty);
    let maps = summary.map_or(0, |path| path.count(Kind::M));
    let known = |name: &str| summary.and_then(|path| path.fields.get(name));
    let mut fields: Vec<_> = parts.fields.iter().map(|field| column(field, known(&field.name), maps)).collect();
    for (name, field) in summary.map(PathSummary::fields_in_order).unwrap_or_default() {
        if parts.fields.iter().all(|field| field.name != name) {
            fields.push(document(name, None, Some(field), maps));
        }
    }
    if !fields.is_empty() {
        entry.insert("fields".into(), fields.into());
    }
    let element = summary.and_then(|path| path.element.as_deref());
    if parts.element.is_some() || element.is_some() {
        let mut inner = Map::new();
        describe(&mut inner, parts.element, element, 0);
        entry.insert("element".into(), inner.into());
    }
    if let Some(value) = parts.value {
        let mut inner = Map::new();
        describe(&mut inner, Some(value), None, 0);
        entry.insert("value".into(), inner.into());
    }
}

/// The types below a type, whatever types stand at its path.
#[derive(Default)]
struct Parts<'a> {
    fields: &'a [Field],
    element: Option<&'a Type>,
    value: Option<&'a Type>,
}

fn parts(ty: Option<&Type>) -> Parts<'_> {
    let mut parts = Parts::default();
    let types: Vec<&Type> = match ty {
        Some(Type::Mixed(types) | Type::Typed(types)) => types.iter().map(|(_, ty)| ty).collect(),
        ty => ty.into_iter().collect(),
    };
    for ty in types {
        match ty {
            Type::Struct(fields) => parts.fields = fields,
            Type::List(element) => parts.element = Some(element),
            Type::Map(value) => parts.value = Some(value),
            _ => {}
        }
    }
    parts
}

fn statistics(entry: &mut Map<String, Value>, path: &PathSummary, of: u64) {
    let seen = Kind::ALL.into_iter().filter(|&kind| path.count(kind) > 0);
    let seen: Map<_, _> = seen.map(|kind| (kind.descriptor().to_owned(), path.count(kind).into())).collect();
    entry.insert("seen".into(), seen.into());
    let count: u64 = path.counts.iter().sum();
    if of > 0 {
        entry.insert("share".into(), json!(count as f64 / of as f64));
    }
    for (name, digits, kind) in [("digits", path.numbers, Kind::N), ("set_digits", path.set_numbers, Kind::NS)] {
        if path.count(kind) > 0 {
            let Digits { integer, scale, beyond_int64 } = digits;
            entry.insert(name.into(), json!({"integer": integer, "scale": scale, "beyond_int64": beyond_int64}));
        }
    }
    for (name, lengths) in [("string_bytes", path.strings), ("binary_bytes", path.binaries), ("members", path.members)] {
        if lengths != Lengths::default() {
            entry.insert(name.into(), json!([lengths.min, lengths.max]));
        }
    }
    if let Some(example) = &path.example {
        entry.insert("example".into(), example.clone().into());
    }
    if path.first != First::NEVER {
        entry.insert("first".into(), json!(path.first));
    }
}

/// Why a path has its type, in words.
fn why(ty: &Type, path: &PathSummary) -> String {
    let digits = if path.count(Kind::NS) > 0 { path.set_numbers } else { path.numbers };
    match ty {
        Type::Set(_, member) => why(member, path),
        Type::Int64 if digits.beyond_int64 == 0 => "all numbers are integers that fit int64".into(),
        Type::Decimal { rounds: false, scale, .. } => {
            format!("{} of the numbers fit no int64; all fit decimal128(38, {scale})", digits.beyond_int64)
        }
        Type::NumberText if digits.integer + digits.scale > crate::number::MAX_DIGITS => {
            format!("{} digits left and {} right of the point fit no decimal128", digits.integer, digits.scale)
        }
        Type::Int64 | Type::Decimal { .. } | Type::Float64 | Type::NumberText | Type::Timestamp(_) => "it was asked for".into(),
        Type::Null => "nothing but NULL was seen".into(),
        Type::Map(_) => format!("{} different members, more than max_fields, or maps=\"map\"", path.fields.len()),
        Type::EmptyMap => "always empty; Parquet has no struct without fields".into(),
        Type::EmptyList => "always empty".into(),
        Type::Typed(_) => "layout=\"typed\"".into(),
        Type::Mixed(_) | Type::MixedText => "several types stand at this path".into(),
        Type::Json if path.kinds().count() > 1 => "several types stand at this path".into(),
        Type::Json => "it was asked for".into(),
        _ => "one type was seen".into(),
    }
}

/// A policy in the document that makes no sense.
#[allow(clippy::needless_pass_by_value)] // for map_err
fn as_schema(error: Error) -> Error {
    bad("", &error.message())
}

fn bad(at: &str, message: &str) -> Error {
    let error = Error::new(Code::Schema, message);
    if at.is_empty() { error } else { error.at_path(at) }
}

fn list<'a>(entry: &'a Value, name: &str, at: &str) -> Result<&'a [Value]> {
    entry[name].as_array().map(Vec::as_slice).ok_or_else(|| bad(at, &format!("`{name}` must be a list")))
}

fn name_of(entry: &Value, at: &str) -> Result<String> {
    entry["name"].as_str().map(str::to_owned).ok_or_else(|| bad(at, "an entry of `fields` without a `name`"))
}

/// The name in Arrow, where there is one of its own.
fn column_of(entry: &Value, at: &str) -> Result<Option<String>> {
    match &entry["column"] {
        Value::Null => Ok(None),
        Value::String(column) => Ok(Some(column.clone())),
        _ => Err(bad(at, "`column` must be a string")),
    }
}

/// The members of a map that have a type.
fn fields_of(entry: &Value, at: &str) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for entry in list(entry, "fields", at)? {
        let name = name_of(entry, at)?;
        let mut at = at.to_owned();
        path::push_name(&mut at, &name);
        if entry.get("arrow").is_some() {
            fields.push(Field { ty: type_of(entry, &at)?, name, column: column_of(entry, &at)? });
        }
    }
    if fields.is_empty() { Err(bad(at, "a struct needs at least one of its `fields`")) } else { Ok(fields) }
}

fn type_of(entry: &Value, at: &str) -> Result<Type> {
    let text = |name: &str| entry[name].as_str().ok_or_else(|| bad(at, &format!("`{name}` must be a string")));
    let (arrow, dynamodb) = (text("arrow")?, text("dynamodb")?);
    match dynamodb {
        "mixed" if arrow == "struct" => Ok(Type::Mixed(types_of(entry, at)?)),
        "typed" => Ok(Type::Typed(types_of(entry, at)?)),
        _ => one_type(entry, dynamodb, arrow, at),
    }
}

/// The children of a path with several types.
fn types_of(entry: &Value, at: &str) -> Result<Vec<(Kind, Type)>> {
    let types = entry["types"].as_object().ok_or_else(|| bad(at, "`types` must map descriptors to Arrow types"))?;
    let mut children: Vec<(Kind, Type)> = Vec::with_capacity(types.len());
    for (descriptor, arrow) in types {
        let kind = Kind::from_descriptor(descriptor).ok_or_else(|| bad(at, &format!("unknown type descriptor {descriptor:?}")))?;
        let arrow = arrow.as_str().ok_or_else(|| bad(at, "`types` must map descriptors to Arrow types"))?;
        // NULL has a place of its own in a typed struct only, as a boolean.
        let ty = if kind == Kind::Null { Type::Boolean } else { one_type(entry, descriptor, arrow, at)? };
        children.push((kind, ty));
    }
    children.sort_by_key(|(kind, _)| *kind);
    if children.is_empty() { Err(bad(at, "`types` is empty")) } else { Ok(children) }
}

fn one_type(entry: &Value, dynamodb: &str, arrow: &str, at: &str) -> Result<Type> {
    let unknown = || bad(at, &format!("there is no column {arrow:?} for {dynamodb}"));
    if arrow.starts_with("timestamp") {
        let timestamp: super::Timestamp = arrow.parse().map_err(|e: Error| bad(at, &e.message()))?;
        let of = if matches!(timestamp, super::Timestamp::Epoch(_)) { "N" } else { "S" };
        return if dynamodb == of { Ok(Type::Timestamp(timestamp)) } else { Err(unknown()) };
    }
    Ok(match (dynamodb, arrow) {
        ("S", "utf8") => Type::Text,
        ("B", "binary") => Type::Binary,
        ("BOOL", "boolean") => Type::Boolean,
        ("NULL", "utf8") => Type::Null,
        ("json" | "M", "utf8") => Type::Json,
        ("mixed", "utf8") => Type::MixedText,
        ("N", _) => number_type(arrow).ok_or_else(unknown)?,
        ("M", "struct") => Type::Struct(fields_of(entry, at)?),
        ("M", "map") => Type::Map(Box::new(type_of(&entry["value"], &format!("{at}{{}}"))?)),
        ("M", "map<utf8, utf8>") => Type::EmptyMap,
        ("L", "list") => Type::List(Box::new(type_of(&entry["element"], &format!("{at}[]"))?)),
        ("L", "list<utf8>") => Type::EmptyList,
        ("SS", "list<utf8>") => Type::Set(Kind::SS, Box::new(Type::Text)),
        ("BS", "list<binary>") => Type::Set(Kind::BS, Box::new(Type::Binary)),
        ("NS", _) => {
            let member = arrow.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')).and_then(number_type);
            Type::Set(Kind::NS, Box::new(member.ok_or_else(unknown)?))
        }
        _ => return Err(unknown()),
    })
}

fn number_type(arrow: &str) -> Option<Type> {
    Some(match arrow {
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "utf8" => Type::NumberText,
        _ => {
            let (decimal, rounds) = arrow.strip_suffix(" rounded").map_or((arrow, false), |decimal| (decimal, true));
            let decimal = decimal.replace("decimal128(", "decimal(").replace(' ', "");
            let super::Numbers::Decimal { precision, scale } = decimal.parse().ok()? else { return None };
            Type::Decimal { precision, scale, rounds }
        }
    })
}

fn summary_of(entry: &Value, at: &str) -> Result<PathSummary> {
    let mut path = PathSummary::default();
    if let Some(seen) = entry["seen"].as_object() {
        for (descriptor, count) in seen {
            let kind =
                Kind::from_descriptor(descriptor).ok_or_else(|| bad(at, &format!("unknown type descriptor {descriptor:?} in `seen`")))?;
            path.counts[kind as usize] = count.as_u64().ok_or_else(|| bad(at, "the counts in `seen` must be whole numbers"))?;
        }
    }
    let read = |name: &str| entry.get(name).cloned();
    let wrong = |name: &str| bad(at, &format!("`{name}` cannot be read"));
    for (name, lengths) in [("string_bytes", &mut path.strings), ("binary_bytes", &mut path.binaries), ("members", &mut path.members)] {
        if let Some(value) = read(name) {
            let (min, max) = serde_json::from_value(value).map_err(|_| wrong(name))?;
            *lengths = Lengths { min, max };
        }
    }
    for (name, digits) in [("digits", &mut path.numbers), ("set_digits", &mut path.set_numbers)] {
        if let Some(value) = read(name) {
            *digits = serde_json::from_value(value).map_err(|_| wrong(name))?;
        }
    }
    if let Some(value) = read("first") {
        path.first = serde_json::from_value(value).map_err(|_| wrong("first"))?;
    }
    path.example = entry["example"].as_str().map(str::to_owned);
    let mut fields = BTreeMap::new();
    for field in entry["fields"].as_array().into_iter().flatten() {
        let name = name_of(field, at)?;
        let mut at = at.to_owned();
        path::push_name(&mut at, &name);
        fields.insert(name, summary_of(field, &at)?);
    }
    path.fields = fields;
    if let Some(element) = entry.get("element") {
        path.element = Some(Box::new(summary_of(element, &format!("{at}[]"))?));
    }
    Ok(path)
}
