//! Errors and other values for JavaScript: plain objects, by way of JSON.

use dynarrow::{Error, ReadReport};
use js_sys::JSON;
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::*;

/// The result of everything that JavaScript calls. The error is the object that
/// [`of_error`] describes and `error.ts` makes a `DynarrowError` of.
pub type Result<T, E = JsValue> = std::result::Result<T, E>;

/// A value as JavaScript's `JSON.parse` would give it.
pub fn to_js(value: &Value) -> JsValue {
    // What serde_json writes is JSON.
    JSON::parse(&value.to_string()).unwrap_or(JsValue::NULL)
}

/// Code, message and position of an error.
pub fn of_error(error: &Error) -> Map<String, Value> {
    let members = [
        ("code", error.code().as_str().into()),
        ("message", error.message().into()),
        ("file", error.file().into()),
        ("line", error.line().into()),
        ("byte", error.byte().into()),
        ("item", error.item().into()),
        ("path", error.path().into()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is thrown: the message has the position in words, too.
#[allow(clippy::needless_pass_by_value)]
pub fn thrown(error: Error) -> JsValue {
    let mut object = of_error(&error);
    object.insert("message".into(), error.to_string().into());
    to_js(&object.into())
}

/// What a reading came to.
pub fn of_report(ReadReport { totals, losses }: &ReadReport) -> JsValue {
    let errors: Value = totals.errors.iter().map(of_error).collect();
    to_js(&json!({
        "files": totals.files,
        "items": totals.items,
        "skipped": totals.skipped,
        "errors": errors,
        "bytesIn": totals.bytes_in,
        "bytesInflated": totals.bytes_inflated,
        "losses": losses.to_json(),
    }))
}
