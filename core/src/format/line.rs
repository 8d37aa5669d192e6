//! One item on one line.

use super::encode::{ItemEncoder, Notation};
use super::ion::encode::Ion;
use super::json::encode::DynamodbJson;
use super::record::Form;
use super::{BlockDecoder, ExportFormat};
use crate::block::{Block, Records};
use crate::codec::Codec;
use crate::error::{Code, Error, Result};
use crate::event::Sink;
use crate::format::ion::stream::Start;
use crate::item::{Item, Items, Place, Tape, send};

/// The line of an item, as an export has it, without its newline.
pub fn dumps(item: &Item, format: ExportFormat) -> Result<String> {
    match format {
        ExportFormat::DynamodbJson => written::<DynamodbJson>(item),
        ExportFormat::Ion => written::<Ion>(item),
    }
}

fn written<N: Notation>(item: &Item) -> Result<String> {
    let mut encoder = ItemEncoder::<N>::default();
    encoder.begin_item();
    let sent = send(item, &mut encoder).and_then(|()| encoder.commit_item(0));
    sent.map_err(|refusal| Error::new(refusal.code, refusal.message))?;
    let mut line = encoder.take();
    line.pop();
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// The item on a line, with or without `Item` around it. In Ion the line may be several.
pub fn loads(line: &[u8], format: ExportFormat) -> Result<Item> {
    Ok(loads_tape(line, format)?.next_item(&mut Place::default()).unwrap_or_default())
}

/// The item on a line, alone on a tape.
pub fn loads_tape(line: &[u8], format: ExportFormat) -> Result<Tape> {
    let records = match format {
        ExportFormat::DynamodbJson => Records::Lines,
        ExportFormat::Ion => Records::Ion(Start::of(line)),
    };
    let block = Block { file: 0, index: 0, byte: 0, line: 1, data: line.to_vec(), records, format: None, codec: Codec::None, fault: None };
    let mut items = Items::default();
    let outcome = BlockDecoder::default().decode(&block, Form::Either, None, &mut items);
    if let Some(error) = outcome.fatal {
        return Err(error);
    }
    match outcome.records {
        1 => Ok(items.take_tape()),
        count => Err(Error::new(Code::Record, format!("the line has {count} items, not 1"))),
    }
}
