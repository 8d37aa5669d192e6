//! Exports: opening, checking, reading, converting. One verb a file.

pub mod changes;
#[cfg(not(target_arch = "wasm32"))]
pub mod convert;
#[cfg(not(target_arch = "wasm32"))]
pub mod ddl;
#[cfg(not(target_arch = "wasm32"))]
pub mod dest;
#[cfg(not(target_arch = "wasm32"))]
pub mod diff;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
#[cfg(not(target_arch = "wasm32"))]
pub mod folders;
pub mod format;
pub mod guess;
pub mod head;
pub mod items;
pub mod legacy;
pub mod merge;
pub mod open;
#[cfg(not(target_arch = "wasm32"))]
pub mod parts;
pub mod read;
#[cfg(not(target_arch = "wasm32"))]
pub mod relocate;
pub mod rows;
pub mod schema;
#[cfg(not(target_arch = "wasm32"))]
mod sorting;
pub mod verify;
#[cfg(not(target_arch = "wasm32"))]
pub mod write;
#[cfg(not(target_arch = "wasm32"))]
mod write_legacy;
