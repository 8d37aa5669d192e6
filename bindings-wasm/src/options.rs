//! The options of a reading, as JavaScript gives them.

use std::str::FromStr;

use dynarrow::{Error, Numbers, ReadOptions, Schema, SourceFormat};
use js_sys::{Array, JSON, Map, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown};

const NAMES: [&str; 18] = [
    "columns",
    "numbers",
    "mixed",
    "maps",
    "layout",
    "names",
    "overrides",
    "maxFields",
    "maxColumns",
    "schema",
    "extra",
    "sample",
    "maxPaths",
    "batchSize",
    "onError",
    "check",
    "signal",
    "onProgress",
];

/// Those that are for lines of text, too.
const TEXT_NAMES: [&str; 6] = ["columns", "numbers", "onError", "check", "signal", "onProgress"];

/// How an export is read.
#[wasm_bindgen]
pub struct Options(pub(crate) ReadOptions);

#[wasm_bindgen]
impl Options {
    /// Reads the members of an object. What is left out has its default.
    #[wasm_bindgen(constructor)]
    pub fn new(given: &JsValue) -> Result<Self> {
        parse(given).map(Self).map_err(thrown)
    }
}

fn parse(given: &JsValue) -> dynarrow::Result<ReadOptions> {
    let mut options = ReadOptions::default();
    let Some(object) = given.dyn_ref::<Object>() else {
        return if is_absent(given) { Ok(options) } else { Err(Error::usage("options must be an object")) };
    };
    for name in Object::keys(object) {
        let name = name.as_string().unwrap_or_default();
        if !NAMES.contains(&name.as_str()) {
            return Err(Error::usage(format!("{name:?} is not an option; the options are {}", NAMES.join(", "))));
        }
    }
    set(given, "numbers", &mut options.policies.numbers)?;
    set(given, "mixed", &mut options.policies.mixed)?;
    set(given, "maps", &mut options.policies.maps)?;
    set(given, "layout", &mut options.policies.layout)?;
    set(given, "names", &mut options.policies.names)?;
    set(given, "extra", &mut options.extra)?;
    set(given, "onError", &mut options.on_error)?;
    set(given, "check", &mut options.check)?;
    set_count(given, "maxFields", &mut options.policies.max_fields)?;
    set_count(given, "maxColumns", &mut options.policies.max_columns)?;
    set_count(given, "maxPaths", &mut options.max_paths)?;
    set_count(given, "batchSize", &mut options.batch_size)?;
    options.sample = count(given, "sample")?.map(u64::from);
    if let Some(overrides) = member(given, "overrides") {
        for (path, with) in self::overrides(&overrides)? {
            options.policies.override_path(&path, &with)?;
        }
    }
    if let Some(schema) = member(given, "schema") {
        options.schema = Some(self::schema(&schema)?);
    }
    if let Some(columns) = member(given, "columns") {
        let wrong = || Error::usage("columns must be an array of attribute names");
        let names = columns.dyn_ref::<Array>().ok_or_else(wrong)?.iter();
        options.columns = Some(names.map(|name| name.as_string().ok_or_else(wrong)).collect::<dynarrow::Result<_>>()?);
    }
    Ok(options)
}

/// The options of a conversion to text. What only columns of a type can do is refused: to
/// leave it out silently would be worse.
pub fn parse_text(given: &JsValue, format: SourceFormat) -> dynarrow::Result<ReadOptions> {
    let options = parse(given)?;
    let refuse = |what: &str, takes: &str| Err(Error::usage(format!("{what} is for {takes}, not for {}", format.as_str())));
    if let Some(name) = NAMES.iter().find(|name| !TEXT_NAMES.contains(name) && member(given, name).is_some()) {
        return refuse(name, "Parquet and Arrow");
    }
    if matches!(options.policies.numbers, Numbers::Decimal { .. }) {
        return refuse("numbers=decimal", "Parquet and Arrow");
    }
    if options.policies.numbers != Numbers::default() && format != SourceFormat::Ndjson {
        return refuse("numbers", "Parquet, Arrow and ndjson");
    }
    Ok(options)
}

fn is_absent(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
}

fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !is_absent(value))
}

fn set<T: FromStr<Err = Error>>(object: &JsValue, name: &str, option: &mut T) -> dynarrow::Result<()> {
    if let Some(value) = member(object, name) {
        let text = value.as_string().ok_or_else(|| Error::usage(format!("{name} must be a string")))?;
        *option = text.parse()?;
    }
    Ok(())
}

fn set_count(object: &JsValue, name: &str, option: &mut usize) -> dynarrow::Result<()> {
    if let Some(count) = count(object, name)? {
        *option = count as usize;
    }
    Ok(())
}

fn count(object: &JsValue, name: &str) -> dynarrow::Result<Option<u32>> {
    let Some(value) = member(object, name) else { return Ok(None) };
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number));
    number.map(|number| Some(number as u32)).ok_or_else(|| Error::usage(format!("{name} must be a whole number of at least 1")))
}

/// The members of an object of paths and types.
pub fn overrides(given: &JsValue) -> dynarrow::Result<Vec<(String, String)>> {
    let wrong = || Error::usage("overrides must be an object of paths and types, as {\"lines[].qty\": \"int64\"}");
    let object = given.dyn_ref::<Object>().filter(|object| !Array::is_array(object) && !object.is_instance_of::<Map>());
    let entries = Object::entries(object.ok_or_else(wrong)?).into_iter().map(|entry| Array::from(&entry));
    entries.map(|entry| entry.get(0).as_string().zip(entry.get(1).as_string()).ok_or_else(wrong)).collect()
}

/// A schema from its document, or from what has one.
pub fn schema(given: &JsValue) -> dynarrow::Result<Schema> {
    let wrong = || Error::usage("a schema must be a Schema or its document");
    let object = given.dyn_ref::<Object>().ok_or_else(wrong)?;
    let text = JSON::stringify(object).ok().and_then(|text| text.as_string()).ok_or_else(wrong)?;
    Schema::from_json(&serde_json::from_str(&text).map_err(|_| wrong())?)
}
