//! Records of CSV → events.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::cut::Start;
use super::nested;
use super::scan::{self, Found};
use super::{Column, Header};
use crate::base64;
use crate::block::Block;
use crate::error::Code;
use crate::event::{Kind, SetMembers, Sink, Want};
use crate::format::record::{Decoded, Fault, Form, Outcome, Run, Skip, not_utf8, shown};
use crate::number::Number;
use crate::path::Step;

/// Decodes the blocks of files of CSV.
#[derive(Default)]
pub struct BlockDecoder {
    splitter: Splitter,
    values: Values,
}

/// Splits records into cells.
#[derive(Default)]
struct Splitter {
    /// With its delimiter.
    reader: Option<(u8, Reader)>,
    /// The cells of a record, one behind the other.
    text: Vec<u8>,
    /// The end of each.
    ends: Vec<usize>,
}

/// Sends cells that are no strings.
#[derive(Default)]
struct Values {
    binary: Vec<u8>,
    members: SetMembers,
}

impl BlockDecoder {
    /// Sends the items of a block to `sink`. A bad record ends it, or is passed over with
    /// `skip`.
    pub fn decode<S: Sink>(&mut self, block: &Block, start: &Start, skip: Skip, sink: &mut S) -> Outcome {
        let mut run = Run::new(block, Form::Plain, skip, sink);
        if let Some(header) = &start.header {
            self.records(&mut run, start, header);
        }
        run.finish()
    }

    fn records<S: Sink>(&mut self, run: &mut Run<'_, S>, start: &Start, header: &Header) {
        let bytes = &run.block.data[..start.records.end];
        let mut at = start.records.start;
        while at < bytes.len() {
            match scan::record(&bytes[at..], header.delimiter, true) {
                Found::Record { end: 0, next } => at += next,
                Found::Record { end, next } => {
                    self.record(run, at, &bytes[at..at + next], end, header);
                    at += next;
                }
                Found::Broken { at: found, reach, message } => {
                    let mut fault = Fault::new(Code::Csv, found, message);
                    header.name(&mut fault, scan::cell_at(&bytes[at..], header.delimiter, found));
                    run.bad(&fault, at);
                    let behind = (at + reach).min(bytes.len());
                    at = memchr::memchr(b'\n', &bytes[behind..]).map_or(bytes.len(), |newline| behind + newline + 1);
                }
                // Blocks end where records do.
                Found::Beyond => break,
            }
            if run.is_over() {
                return;
            }
        }
        if let Some(broken) = &start.broken {
            let mut fault = Fault::new(broken.fault.code, broken.fault.at, &*broken.fault.message);
            if let Some(column) = broken.column {
                header.name(&mut fault, column);
            }
            run.bad_beyond(&fault, broken.lines_beyond);
        }
    }

    /// A record that starts at `at`. Its line has it up to `end`, and its newline.
    fn record<S: Sink>(&mut self, run: &mut Run<'_, S>, at: usize, line: &[u8], end: usize, header: &Header) {
        let count = self.splitter.split(line, end, header);
        if count != header.columns.len() {
            let (code, message) = header.wrong_count(count);
            run.bad(&Fault::new(code, 0, message), at);
            return;
        }
        run.sink.begin_item();
        match self.send(&line[..end], header, run.sink) {
            Ok(()) => run.commit(line.len(), at),
            Err(fault) => {
                run.sink.abort_item();
                run.bad(&fault, at);
            }
        }
    }

    fn send<S: Sink>(&mut self, record: &[u8], header: &Header, sink: &mut S) -> Decoded {
        let ends = &self.splitter.ends[..header.columns.len()];
        let bytes = &self.splitter.text[..ends.last().copied().unwrap_or(0)];
        let Ok(text) = simdutf8::basic::from_utf8(bytes) else { return Err(header.not_utf8(record)) };
        let mut from = 0;
        for (place, (column, &end)) in header.columns.iter().zip(ends).enumerate() {
            // Two halves of a character in two cells are one in `text`.
            let Some(cell) = text.get(from..end) else { return Err(header.not_utf8(record)) };
            from = end;
            if cell.is_empty() {
                continue;
            }
            let want = match sink.known(column.key) {
                Some(want) => want,
                None => match sink.attribute(&column.name) {
                    Ok(want) => want,
                    Err(refusal) => return Err(header.in_cell(Fault::refused(refusal, 0), record, place)),
                },
            };
            if want == Want::Nothing {
                continue;
            }
            if column.kind == Kind::S {
                sink.string(cell);
            } else if let Err(fault) = self.values.send(column, cell, sink) {
                return Err(header.in_cell(fault, record, place));
            }
        }
        Ok(())
    }
}

impl Splitter {
    /// Splits a record that stands in its line up to `end`: how many cells it has.
    fn split(&mut self, line: &[u8], end: usize, header: &Header) -> usize {
        let wanted = header.columns.len();
        // One more of each than a good record fills: what is full is too much.
        if self.text.len() < line.len() + 2 {
            self.text.resize(line.len() + 2, 0);
        }
        if self.ends.len() < wanted + 1 {
            self.ends.resize(wanted + 1, 0);
        }
        let (text, ends) = (&mut self.text[..], &mut self.ends[..=wanted]);
        let (_, reader) = match &mut self.reader {
            Some(reader) if reader.0 == header.delimiter => reader,
            reader => reader.insert((header.delimiter, reader_of(header.delimiter))),
        };
        // With its newline it is done at once.
        let whole = line.len() == end + 1;
        let (mut result, _, written, mut count) = reader.read_record(if whole { line } else { &line[..end] }, text, ends);
        if !whole && result == ReadRecordResult::InputEmpty {
            let (last, _, _, more) = reader.read_record(b"\n", &mut text[written..], &mut ends[count..]);
            result = last;
            count += more;
        }
        if result == ReadRecordResult::Record {
            return count;
        }
        // More cells than there is room for: the reader is inside of the record.
        self.reader = None;
        scan::cells(&line[..end], header.delimiter).count()
    }
}

/// A reader at the start of a record.
fn reader_of(delimiter: u8) -> Reader {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
    // A reader passes over a byte order mark at the first bytes that it sees. There is none
    // here, and what looks like it belongs to a cell.
    reader.read_record(b"\n", &mut [0; 2], &mut [0; 2]);
    reader
}

impl Values {
    fn send<S: Sink>(&mut self, column: &Column, cell: &str, sink: &mut S) -> Decoded {
        let mismatch = |expected: &str| {
            let message = format!("a cell of type {} must be {expected}, not {}", column.kind.descriptor(), shown(cell));
            Err(Fault::new(Code::Csv, 0, message))
        };
        match column.kind {
            Kind::S => sink.string(cell),
            Kind::N if !sink.asks().values => sink.number(Number::from(0)),
            Kind::N => match Number::parse(cell.as_bytes()) {
                Ok(number) => sink.number(number),
                Err(error) => return Err(Fault::new(Code::Number, 0, format!("{error}: {}", shown(cell)))),
            },
            Kind::B if !sink.asks().values => sink.binary(&[]),
            Kind::B => {
                self.binary.clear();
                if let Err(error) = base64::decode(cell.as_bytes(), &mut self.binary) {
                    return Err(Fault::new(Code::Base64, 0, format!("not base64 ({error}): {}", shown(cell))));
                }
                sink.binary(&self.binary);
            }
            Kind::Bool => match cell {
                "true" => sink.boolean(true),
                "false" => sink.boolean(false),
                _ => return mismatch("true or false"),
            },
            Kind::Null => match cell {
                "null" => sink.null(),
                _ => return mismatch("null"),
            },
            Kind::M if !nested::begins_with(cell, '{') => return mismatch("a JSON object"),
            Kind::L | Kind::SS | Kind::NS | Kind::BS if !nested::begins_with(cell, '[') => return mismatch("a JSON array"),
            Kind::M | Kind::L => nested::send(cell, sink)?,
            Kind::SS | Kind::NS | Kind::BS => nested::send_set(cell, column.kind, &mut self.members, sink)?,
        }
        Ok(())
    }
}

impl Header {
    /// The fault is in this column.
    #[cold]
    fn name(&self, fault: &mut Fault, column: usize) {
        if let Some(column) = self.columns.get(column) {
            fault.path.push(Step::Name(column.name.as_str().into()));
        }
    }

    /// The fault is in this cell of a record.
    #[cold]
    fn in_cell(&self, mut fault: Box<Fault>, record: &[u8], place: usize) -> Box<Fault> {
        fault.at = scan::cells(record, self.delimiter).nth(place).map_or(0, |cell| cell.start);
        self.name(&mut fault, place);
        fault
    }

    /// The fault of a record with a byte that is no UTF-8.
    #[cold]
    fn not_utf8(&self, record: &[u8]) -> Box<Fault> {
        let at = std::str::from_utf8(record).map_or_else(|error| error.valid_up_to(), str::len);
        let mut fault = Fault::new(Code::Utf8, at, "");
        not_utf8(&mut fault, record.get(at).copied().unwrap_or_default());
        self.name(&mut fault, scan::cell_at(record, self.delimiter, at));
        fault
    }
}
