//! Changes → lines as incremental exports have them.

use super::{Attributes, Change, ChangeSink, item};
use crate::error::Result;
use crate::event::{Kind, Refusal};
use crate::format::change::{KEYS, NEW, OLD, TIME};
use crate::format::encode::{ItemEncoder, Notation};
use crate::format::plain::Text;
use crate::number::Number;

/// Writes each change as a line.
#[derive(Default)]
pub struct ChangeLines<N> {
    encoder: ItemEncoder<N>,
    lines: Vec<u8>,
}

impl<N: Notation> ChangeLines<N> {
    /// A member of the record that is open, with these attributes.
    fn member(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), Refusal> {
        self.encoder.take();
        item(&mut self.encoder, 0, |encoder| attributes.send(encoder))?;
        self.lines.push(b',');
        N::name(&mut self.lines, name);
        self.lines.push(b'{');
        self.lines.extend_from_slice(self.encoder.attributes());
        self.lines.push(b'}');
        Ok(())
    }

    fn record(&mut self, change: &Change<'_>) -> Result<(), Refusal> {
        let [begin, end] = N::CHANGE;
        let out = &mut self.lines;
        out.extend_from_slice(begin);
        N::name(out, "Metadata");
        out.push(b'{');
        N::name(out, TIME);
        N::begin(out, Kind::N);
        N::number(out, Number::from(change.micros));
        N::end(out);
        out.push(b'}');
        self.member(KEYS, change.keys())?;
        for (name, image) in [(OLD, change.old()), (NEW, change.new_image())] {
            if let Some(image) = image {
                self.member(name, image)?;
            }
        }
        self.lines.extend_from_slice(end);
        Ok(())
    }
}

impl<N: Notation> ChangeSink for ChangeLines<N> {
    type Out = Text;

    fn change(&mut self, change: &Change<'_>, _bytes: usize) -> Result<(), Refusal> {
        let start = self.lines.len();
        let written = self.record(change);
        if written.is_err() {
            self.lines.truncate(start);
        }
        written
    }

    fn end_block(&mut self) -> Result<Text> {
        Ok(Text { lines: std::mem::take(&mut self.lines), rounded: 0 })
    }
}
