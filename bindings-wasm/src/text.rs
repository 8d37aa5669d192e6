//! Converting to lines of text: DynamoDB JSON, Ion or plain JSON.

use dynarrow::engine::ledger::Totals;
use dynarrow::engine::pipeline::Step;
use dynarrow::engine::push::PushPass;
use dynarrow::engine::worker::BlockSink;
use dynarrow::format::encode::ItemEncoder;
use dynarrow::format::ion::encode::Ion;
use dynarrow::format::json::encode::DynamodbJson;
use dynarrow::format::plain::{PlainSink, Text};
use dynarrow::item::Project;
use dynarrow::{Error, Losses, ReadReport, SourceFormat};
use wasm_bindgen::prelude::*;

use crate::error::{Result, of_report, thrown};
use crate::open::Export;
use crate::options;
use crate::pass::pushed;

/// A pass into text, of whatever format.
trait TextPass {
    fn file(&self) -> usize;
    fn totals(&self) -> &Totals;
    fn push(&mut self, chunk: &[u8]);
    fn end(&mut self);
    fn next_step(&mut self) -> Option<Step<Text>>;
}

impl<S: BlockSink<Out = Text>> TextPass for PushPass<S> {
    fn file(&self) -> usize {
        self.file()
    }
    fn totals(&self) -> &Totals {
        self.totals()
    }
    fn push(&mut self, chunk: &[u8]) {
        self.push(chunk);
    }
    fn end(&mut self) {
        self.end();
    }
    fn next_step(&mut self) -> Option<Step<Text>> {
        self.next_step()
    }
}

/// A conversion to text under way.
#[wasm_bindgen]
pub struct Writing {
    pass: Box<dyn TextPass>,
    lines: Vec<u8>,
    losses: Losses,
}

pushed!(Writing);

#[wasm_bindgen]
impl Export {
    /// Converts to lines of text, with nothing learnt before; the files are to be pushed.
    pub fn to_text(&self, format: &str, given: &JsValue) -> Result<Writing> {
        let pass = self.text_pass(format, given).map_err(thrown)?;
        Ok(Writing { pass, lines: Vec::new(), losses: Losses::default() })
    }
}

impl Export {
    fn text_pass(&self, format: &str, given: &JsValue) -> dynarrow::Result<Box<dyn TextPass>> {
        let format = format.parse()?;
        let options = options::parse_text(given, format)?;
        let columns = options.columns.clone();
        Ok(match format {
            SourceFormat::DynamodbJson => {
                let sink = Project::new(ItemEncoder::<DynamodbJson>::default(), columns);
                Box::new(self.0.push_pass(&options, sink)?)
            }
            SourceFormat::Ion => {
                let sink = Project::new(ItemEncoder::<Ion>::default(), columns);
                Box::new(self.0.push_pass(&options, sink)?)
            }
            SourceFormat::Ndjson => {
                let sink = Project::new(PlainSink::new(options.policies.numbers), columns);
                Box::new(self.0.push_pass(&options, sink)?)
            }
            SourceFormat::Legacy | SourceFormat::Csv | SourceFormat::Parquet | SourceFormat::Arrow => {
                return Err(Error::usage(format!("{} is not written here", format.as_str())));
            }
        })
    }
}

#[wasm_bindgen]
impl Writing {
    /// Does a piece of work; false where more bytes are needed.
    pub fn work(&mut self) -> Result<bool> {
        match self.pass.next_step() {
            None => return Ok(false),
            Some(Step::Block { out, .. }) => {
                self.lines.extend_from_slice(&out.lines);
                self.losses.rounded.count += out.rounded;
            }
            Some(Step::File { error: Some(error), .. }) => return Err(thrown(error)),
            Some(Step::File { .. }) => {}
        }
        Ok(true)
    }

    /// Lines that are complete.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let lines = std::mem::take(&mut self.lines);
        (!lines.is_empty()).then_some(lines)
    }

    /// All files were pushed: the lines that are left.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// What was read so far.
    pub fn report(&self) -> JsValue {
        of_report(&ReadReport { totals: self.pass.totals().clone(), losses: self.losses.clone() })
    }
}
