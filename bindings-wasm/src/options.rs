//! The options of a reading, as JavaScript gives them.

use std::str::FromStr;

use dynarrow::{Error, ReadOptions};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown};

const NAMES: [&str; 8] = ["columns", "numbers", "mixed", "batchSize", "onError", "check", "signal", "onProgress"];

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
    set(given, "onError", &mut options.on_error)?;
    set(given, "check", &mut options.check)?;
    if let Some(size) = member(given, "batchSize") {
        let number = size.as_f64().filter(|size| size.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(size));
        options.batch_size = number.ok_or_else(|| Error::usage("batchSize must be a whole number of at least 1"))? as usize;
    }
    if let Some(columns) = member(given, "columns") {
        let wrong = || Error::usage("columns must be an array of attribute names");
        let names = columns.dyn_ref::<Array>().ok_or_else(wrong)?.iter();
        options.columns = Some(names.map(|name| name.as_string().ok_or_else(wrong)).collect::<dynarrow::Result<_>>()?);
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
