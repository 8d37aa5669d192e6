//! Checking an export against its manifests.

use dynarrow::engine::push::PushPass;
use dynarrow::event::Discard;
use dynarrow::export::verify::Verification;
use dynarrow::{Finding, VerifyReport};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use crate::error::{Result, of_error, thrown, to_js};
use crate::open::Export;
use crate::pass::pushed;

/// A check under way.
#[wasm_bindgen]
pub struct Verifying {
    pass: PushPass<Discard>,
    verification: Verification,
}

pushed!(Verifying);

#[wasm_bindgen]
impl Export {
    /// Checks the manifests; the files are to be pushed.
    pub fn verify(&self) -> Result<Verifying> {
        let verification = Verification::new(&self.0).map_err(thrown)?;
        let pass = self.0.any_push_pass(&Verification::options(), Discard::default()).map_err(thrown)?;
        Ok(Verifying { pass, verification })
    }
}

#[wasm_bindgen]
impl Verifying {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> bool {
        let step = self.pass.next_step();
        let is_some = step.is_some();
        if let Some(step) = step {
            self.verification.step(step, self.pass.totals());
        }
        is_some
    }

    /// The report, when all files were pushed.
    pub fn finish(self) -> Result<JsValue> {
        self.verification.finish(self.pass.totals()).map(|report| to_js(&of_report(&report))).map_err(thrown)
    }
}

fn of_report(report: &VerifyReport) -> Value {
    let findings: Value = report.findings.iter().map(of_finding).collect();
    json!({
        "ok": report.ok(),
        "findings": findings,
        "files": report.files,
        "items": report.items,
        "bytes": report.bytes,
    })
}

fn of_finding(finding: &Finding) -> Value {
    let mut object = of_error(&finding.error);
    object.insert("severity".into(), json!(finding.severity));
    object.into()
}
