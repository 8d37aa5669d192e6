//! Learning a schema.

use std::sync::Arc;

use dynarrow::ReadOptions;
use dynarrow::engine::push::PushPass;
use dynarrow::schema::learn::Learner;
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown, to_js};
use crate::open::Export;
use crate::options::Options;
use crate::pass::pushed;

/// A learning under way.
#[wasm_bindgen]
pub struct Learning {
    pass: PushPass<Learner>,
    seen: dynarrow::export::schema::Learning,
    export: dynarrow::Export,
    options: ReadOptions,
}

pushed!(Learning);

#[wasm_bindgen]
impl Export {
    /// Whether the schema for these options can be had without reading.
    pub fn is_learnt(&self, options: &Options) -> bool {
        self.0.learnt().get(&options.0).is_some()
    }

    /// Learns; the files are to be pushed.
    pub fn learn(&self, options: &Options) -> Result<Learning> {
        let options = options.0.clone();
        let pass = self.0.push_pass(&options, Learner::new(options.columns.clone())).map_err(thrown)?;
        Ok(Learning { pass, seen: dynarrow::export::schema::Learning::default(), export: self.0.clone(), options })
    }

    /// The document of the schema that was learnt.
    pub fn schema(&self, options: &Options) -> Result<JsValue> {
        self.learnt_schema(options).map(|schema| to_js(&schema.to_json()))
    }
}

impl Export {
    pub(crate) fn learnt_schema(&self, options: &Options) -> Result<dynarrow::Schema> {
        let options = &options.0;
        // Nothing is read where it was learnt before.
        let summary = self.0.learnt().get(options).unwrap_or_default();
        dynarrow::Schema::freeze(summary, options.policies, options.columns.as_deref()).map_err(thrown)
    }
}

#[wasm_bindgen]
impl Learning {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        let Some(step) = self.pass.next_step() else { return Ok(false) };
        self.seen.step(step).map_err(thrown)?;
        Ok(true)
    }

    /// All files were pushed: the export keeps what was learnt.
    pub fn finish(self) {
        let summary = self.seen.finish([self.pass.into_sink()]);
        self.export.learnt().keep(&self.options, Arc::new(summary));
    }
}
