//! The dry run of an import.

use std::collections::BTreeMap;
use std::sync::Arc;

use dynarrow::codec::FIRST_BYTES;
use dynarrow::engine::push::PushPass;
use dynarrow::import::check::ItemCheck;
use dynarrow::import::objects::Objects;
use dynarrow::import::unknown::Assumptions;
use dynarrow::import::validate::Validation;
use dynarrow::import::{ImportReport, log};
use dynarrow::{Control, Error, TableSpec, ValidateOptions};
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use crate::error::{Result, thrown, to_js};
use crate::open::Files;
use crate::pass::pushed;

/// The options, as `validate.ts` hands them over: JSON.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    prefix: Option<String>,
    strict: bool,
    assume: BTreeMap<String, String>,
    log: Option<String>,
    max_findings: Option<usize>,
    price_per_gb: Option<f64>,
    region: Option<String>,
}

impl Options {
    fn parse(self) -> dynarrow::Result<ValidateOptions> {
        let mut assumptions = Assumptions::default().strict(self.strict);
        for (name, assumed) in &self.assume {
            assumptions = assumptions.assume(name.parse()?, assumed.parse()?);
        }
        let options = ValidateOptions::default();
        Ok(ValidateOptions {
            assumptions,
            max_findings: self.max_findings.unwrap_or(options.max_findings),
            price_per_gb: self.price_per_gb,
            region: self.region,
            log: self.log.as_deref().map_or(Ok(Vec::new()), log::parse)?,
            ..options
        })
    }
}

/// The spec of a document, or of its short form, the key alone.
fn spec(table: &str) -> dynarrow::Result<TableSpec> {
    let document: Value = serde_json::from_str(table).map_err(|error| Error::usage(format!("the table is no JSON: {error}")))?;
    let Some(key) = document.get("key") else { return TableSpec::parse(table.as_bytes()) };
    let wrong = || Error::usage("key must be an array as [\"pk:S\", \"sk:N\"], and stand alone");
    let names: Vec<_> =
        key.as_array().ok_or_else(wrong)?.iter().map(|name| name.as_str().ok_or_else(wrong)).collect::<dynarrow::Result<_>>()?;
    if document.as_object().is_some_and(|members| members.len() > 1) { Err(wrong()) } else { TableSpec::short(&names) }
}

/// The objects of an import.
#[wasm_bindgen]
pub struct Import {
    objects: Objects,
    spec: TableSpec,
    options: ValidateOptions,
}

#[wasm_bindgen]
impl Files {
    /// The objects of an import, the table and options as JSON; the prefix is not for one that is the only one.
    pub fn import(self, table: &str, options: &str, only: bool) -> Result<Import> {
        self.objects(table, options, only).map_err(thrown)
    }
}

impl Files {
    fn objects(self, table: &str, options: &str, only: bool) -> dynarrow::Result<Import> {
        let given: Options = serde_json::from_str(options).map_err(|error| Error::usage(format!("options: {error}")))?;
        let spec = spec(table)?.with_prefix(given.prefix.as_deref());
        let options = given.parse()?;
        let prefix = if only { None } else { spec.prefix.as_deref() };
        let objects = Objects::of(Arc::new(self.0), prefix)?;
        Ok(Import { objects, spec, options })
    }
}

#[wasm_bindgen]
impl Import {
    /// The keys of the objects, in the order in which they are to be pushed.
    pub fn keys(&self) -> Vec<String> {
        self.objects.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// The object whose first bytes tell what the table does not say.
    #[wasm_bindgen(getter)]
    pub fn telling(&self) -> Option<String> {
        self.objects.telling(&self.spec).map(|entry| entry.key.clone())
    }

    /// So many of its first bytes are enough.
    pub fn peeked() -> f64 {
        FIRST_BYTES as f64
    }

    /// Begins the check, with the first bytes of the object that is telling.
    pub fn validate(self, first: &[u8], logs: bool) -> Result<Validating> {
        self.validating(first, logs).map_err(thrown)
    }
}

impl Import {
    fn validating(self, first: &[u8], logs: bool) -> dynarrow::Result<Validating> {
        let (spec, input) = self.objects.told(&self.spec, first)?;
        let bucket = spec.bucket.clone();
        let validation = Validation::new(&self.objects, spec, input, self.options)?;
        let pass = validation.push_pass()?;
        Ok(Validating { pass, validation, bucket, log: logs.then(Vec::new) })
    }
}

/// A dry run under way.
#[wasm_bindgen]
pub struct Validating {
    pass: PushPass<ItemCheck>,
    validation: Validation,
    bucket: Option<String>,
    /// Entries of the error log that were not taken yet, if anybody takes them.
    log: Option<Vec<Value>>,
}

pushed!(Validating);

#[wasm_bindgen]
impl Validating {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        let Some(step) = self.pass.next_step() else { return Ok(false) };
        let errors = self.pass.take_errors();
        let found = self.validation.step(step, errors, self.pass.totals()).map_err(thrown)?;
        if let Some(log) = &mut self.log {
            log.extend(found.iter().map(|finding| finding.to_log(self.bucket.as_deref())));
        }
        Ok(true)
    }

    /// The entries of the error log that came since they were taken last.
    pub fn take_log(&mut self) -> JsValue {
        to_js(&self.log.as_mut().map(std::mem::take).unwrap_or_default().into())
    }

    /// The report, when all objects were pushed.
    pub fn finish(self) -> Result<JsValue> {
        self.validation.finish(&Control::default()).map(|report| to_js(&of_report(&report))).map_err(thrown)
    }
}

/// The report, its members named as JavaScript names them; what AWS calls something keeps AWS's name.
fn of_report(report: &ImportReport) -> Value {
    let mut document = report.to_json();
    if let Some(members) = document.as_object_mut() {
        for (name, renamed) in [("ImportTableDescription", "description"), ("item_bytes", "itemBytes")] {
            if let Some(value) = members.shift_remove(name) {
                members.insert(renamed.into(), value);
            }
        }
    }
    document
}
