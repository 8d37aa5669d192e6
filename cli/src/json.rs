//! The shapes of `--json`. Members bear the names of the core's fields.

use dynarrow::{Error, Totals};
use serde_json::{Map, Value, json};

/// An error with its position: what is not known is null.
pub fn error(error: &Error) -> Value {
    json!({
        "code": error.code().as_str(),
        "message": error.message(),
        "file": error.file(),
        "line": error.line(),
        "byte": error.byte(),
        "item": error.item(),
        "path": error.path(),
    })
}

/// The document of a command that failed.
pub fn failure(failure: &Error) -> Value {
    json!({ "error": error(failure) })
}

/// What a pass came to.
pub fn totals(totals: &Totals) -> Map<String, Value> {
    let members = [
        ("files_in", totals.files.into()),
        ("items", totals.items.into()),
        ("bytes_in", totals.bytes_in.into()),
        ("bytes_inflated", totals.bytes_inflated.into()),
        ("skipped", totals.skipped.into()),
        ("errors", totals.errors.iter().map(error).collect()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
