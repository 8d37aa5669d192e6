//! The WebAssembly half of the npm package `dynarrow`: what the TypeScript in `npm/src` calls.

use wasm_bindgen::prelude::*;

/// The version of the core.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
