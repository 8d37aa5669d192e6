//! Exports: opening, checking, reading, converting. One verb a file.

#[cfg(not(target_arch = "wasm32"))]
pub mod convert;
pub mod head;
pub mod open;
pub mod read;
pub mod schema;
pub mod verify;
