//! Changes → items of any sink: what became of the item and when stand before its attributes.

use super::columns::ChangeNames;
use super::{Change, ChangeSink, Images, View, item};
use crate::engine::worker::BlockSink;
use crate::error::Result;
use crate::event::{Refusal, Want};
use crate::schema::Timestamp;

/// How `_ts` is written.
const TIME: &str = "YYYY-MM-DDThh:mm:ss.SSSSSSZ";

/// Sends each change as an item.
pub struct ChangeRow<S> {
    sink: S,
    names: ChangeNames,
    view: Option<View>,
    images: Images,
}

impl<S> ChangeRow<S> {
    /// Sends them to this sink.
    pub fn new(sink: S, names: ChangeNames, view: Option<View>, images: Images) -> Self {
        Self { sink, names, view, images }
    }

    /// The sink.
    pub fn inner(&self) -> &S {
        &self.sink
    }

    /// The sink, when all changes were sent.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

impl<S: BlockSink> ChangeSink for ChangeRow<S> {
    type Out = S::Out;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.sink.begin_block(file, block);
    }
    fn change(&mut self, change: &Change<'_>, bytes: usize) -> Result<(), Refusal> {
        let Self { sink, names, view, images } = self;
        item(sink, bytes, |sink| {
            if sink.attribute(&names.op)? == Want::Value {
                sink.string(change.op(*view).as_str());
            }
            if sink.attribute(&names.ts)? == Want::Value {
                let text = Timestamp::Text(TIME.into()).to_text(change.micros);
                sink.string(&text.unwrap_or_else(|| change.micros.to_string()));
            }
            change.send_row(if *images == Images::Old { change.old() } else { change.new_image() }, sink)?;
            match change.old() {
                Some(old) if *images == Images::Both && sink.attribute(&names.old)? == Want::Value => {
                    sink.begin_map();
                    old.send(sink)?;
                    sink.end_map();
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    }
    fn end_block(&mut self) -> Result<S::Out> {
        self.sink.end_block()
    }
}
