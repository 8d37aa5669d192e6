//! Guessing a schema, so that one pass may do.

use dynarrow::ReadOptions;
use dynarrow::export::guess::Places;
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown};
use crate::open::Export;
use crate::options::Options;

/// A look at the first bytes of files all over the list.
#[wasm_bindgen]
pub struct Looking {
    inner: dynarrow::export::guess::Looking,
    places: Places,
    export: dynarrow::Export,
    options: ReadOptions,
}

/// A schema that was guessed.
#[wasm_bindgen]
pub struct Guess(pub(crate) dynarrow::Reader);

#[wasm_bindgen]
impl Export {
    /// A look, where a guess is worth its while; the files are to be pushed.
    pub fn look(&self, Options(options): &Options) -> Result<Option<Looking>> {
        let Some(places) = self.0.places(options).map_err(thrown)? else { return Ok(None) };
        let inner = self.0.look(options, &places).map_err(thrown)?;
        Ok(Some(Looking { inner, places, export: self.0.clone(), options: options.clone() }))
    }
}

#[wasm_bindgen]
impl Looking {
    /// The places in the list of the files that are looked at.
    #[wasm_bindgen(getter)]
    pub fn files(&self) -> Vec<usize> {
        self.places.files.clone()
    }

    /// What is pushed now is of this file.
    pub fn begin(&mut self, file: usize) {
        self.inner.begin(file);
    }

    /// Takes the next chunk of the file; whether more of it is wanted.
    pub fn push(&mut self, chunk: &[u8]) -> Result<bool> {
        self.inner.push(chunk);
        self.inner.wants_more().map_err(thrown)
    }

    /// The file is at its end.
    pub fn end(&mut self) -> Result<()> {
        self.inner.end();
        self.inner.wants_more().map(drop).map_err(thrown)
    }

    /// The guess, where what was seen is one.
    pub fn finish(self) -> Option<Guess> {
        self.export.guessed(&self.options, self.inner.finish()).map(Guess)
    }
}
