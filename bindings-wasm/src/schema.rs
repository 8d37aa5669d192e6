//! Learning a schema, and what is made of its document.

use std::sync::Arc;

use dynarrow::engine::pipeline::Step;
use dynarrow::engine::push::PushPass;
use dynarrow::schema::learn::Learner;
use dynarrow::{ReadOptions, Schema};
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown, to_js};
use crate::open::Export;
use crate::options::{self, Options};
use crate::pass::pushed;

/// The document as the core writes it.
#[wasm_bindgen]
pub fn schema_document(document: &JsValue) -> Result<JsValue> {
    options::schema(document).map(|schema| to_js(&schema.to_json())).map_err(thrown)
}

/// The document of what two schemas know together.
#[wasm_bindgen]
pub fn merge_schemas(one: &JsValue, other: &JsValue) -> Result<JsValue> {
    let merged = options::schema(one).and_then(|one| one.merge(&options::schema(other)?));
    merged.map(|schema| to_js(&schema.to_json())).map_err(thrown)
}

/// The document of a schema with other types at single paths.
#[wasm_bindgen]
pub fn override_schema(document: &JsValue, overrides: &JsValue) -> Result<JsValue> {
    let overridden = options::schema(document).and_then(|schema| {
        let overrides = options::overrides(overrides)?;
        schema.with_overrides(overrides.iter().map(|(path, with)| (path.as_str(), with.as_str())))
    });
    overridden.map(|schema| to_js(&schema.to_json())).map_err(thrown)
}

/// A learning under way.
#[wasm_bindgen]
pub struct Learning {
    pass: PushPass<Learner>,
    seen: dynarrow::export::schema::Learning,
    export: dynarrow::Export,
    options: ReadOptions,
    /// Items so far.
    learnt: u64,
}

impl Learning {
    /// The sample is complete: nothing more is to be read.
    fn is_complete(&self) -> bool {
        self.options.sample.is_some_and(|sample| self.learnt >= sample)
    }
}

pushed!(Learning, |this| if this.is_complete() { usize::MAX } else { this.pass.file() });

#[wasm_bindgen]
impl Export {
    /// Whether the schema for these options can be had without reading.
    pub fn is_learnt(&self, options: &Options) -> bool {
        options.0.schema.is_some() || self.0.learnt().get(&options.0).is_some()
    }

    /// Learns; the files are to be pushed.
    pub fn learn(&self, options: &Options) -> Result<Learning> {
        let options = options.0.clone();
        let pass = self.0.push_pass(&options, options.learner()).map_err(thrown)?;
        let seen = dynarrow::export::schema::Learning::default();
        Ok(Learning { pass, seen, export: self.0.clone(), options, learnt: 0 })
    }

    /// The document of the schema that was learnt or given.
    pub fn schema(&self, options: &Options) -> Result<JsValue> {
        self.known_schema(options).map(|schema| to_js(&schema.to_json())).map_err(thrown)
    }
}

impl Export {
    /// The schema that was given, or that of what was learnt before.
    pub(crate) fn known_schema(&self, Options(options): &Options) -> dynarrow::Result<Schema> {
        match options.given_schema()? {
            Some(schema) => Ok(schema),
            None => options.freeze(self.0.learnt().get(options).unwrap_or_default()),
        }
    }
}

#[wasm_bindgen]
impl Learning {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        if self.is_complete() {
            return Ok(false);
        }
        let Some(step) = self.pass.next_step() else { return Ok(false) };
        if let Step::Block { out, .. } = &step {
            self.learnt += out;
        }
        self.seen.step(step).map_err(thrown)?;
        Ok(true)
    }

    /// All files were pushed: the export keeps what was learnt.
    pub fn finish(self) {
        let summary = self.seen.finish([self.pass.into_sink()]);
        self.export.learnt().keep(&self.options, Arc::new(summary));
    }
}
