//! The WebAssembly half of the npm package `dynarrow`: what the TypeScript in `npm/src` calls.
//!
//! JavaScript holds the files and pushes their chunks; the work on them is the core's. A
//! call does a bounded piece of work, so that a page can go on in between. One verb a file.

mod convert;
mod error;
mod guess;
mod open;
mod options;
mod pass;
mod read;
mod schema;
mod text;
mod validate;
mod verify;

use wasm_bindgen::prelude::*;

/// The version of the core.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
