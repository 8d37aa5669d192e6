//! DynamoDB JSON: every value wrapped in its type descriptor.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>
//!
//! A file is *lines* (a newline ends a record, several records may share a line) or a
//! *document* (see [`document`]). In lines, a record with a bad value costs itself, and
//! broken syntax costs the rest of its line; in a document broken syntax ends the file.

mod decode;
pub(crate) mod descriptor;
pub mod document;
pub mod encode;
pub mod scan;

use decode::{Decoder, Scratch};
use descriptor::Descriptors;
use encode::DynamodbJson;

use super::record::{Fault, Form, Outcome, Run, Skip, not_utf8};
use crate::block::{Block, Records};
use crate::error::Code;
use crate::event::Sink;
use crate::format::SourceFormat;
use crate::format::legacy::Legacy;

/// Sends the value in a text, with its descriptor, to a sink.
pub fn send_value<S: Sink>(text: &str, sink: &mut S) -> Result<(), Box<Fault>> {
    Decoder::<DynamodbJson>::new(text, true, &mut Scratch::default()).only_value(sink)
}

/// Sends the plain value in a text, which bears no descriptor, to a sink.
pub fn send_plain_value<S: Sink>(text: &str, sink: &mut S) -> Result<(), Box<Fault>> {
    Decoder::<DynamodbJson>::new(text, true, &mut Scratch::default()).only_plain_value(sink)
}

/// Reads single items, as they are written for exports.
#[derive(Default)]
pub struct ItemText(Scratch);

impl ItemText {
    /// Sends the attributes of the item in a line, `{"Item":{…}}`, to a sink.
    pub fn send<S: Sink>(&mut self, line: &str, sink: &mut S) -> Result<(), Box<Fault>> {
        Decoder::<DynamodbJson>::new(line, true, &mut self.0).record(Form::Wrapped, sink)
    }
}

/// Decodes the blocks of JSON files.
#[derive(Default)]
pub struct BlockDecoder {
    scratch: Scratch,
}

impl BlockDecoder {
    /// Sends the items of a block to `sink`. A bad record ends it, or is passed over with
    /// `skip`.
    pub fn decode<S: Sink>(&mut self, block: &Block, form: Form, skip: Skip, sink: &mut S) -> Outcome {
        match block.format {
            Some(SourceFormat::Legacy) => self.decode_as::<Legacy, S>(block, form, skip, sink),
            _ => self.decode_as::<DynamodbJson, S>(block, form, skip, sink),
        }
    }

    fn decode_as<D: Descriptors, S: Sink>(&mut self, block: &Block, form: Form, skip: Skip, sink: &mut S) -> Outcome {
        let mut run = Run::new(block, form, skip, sink);
        match &block.records {
            Records::Lines => run.lines::<D>(0..block.data.len(), &mut self.scratch),
            Records::OnLine(ranges) => {
                for range in ranges {
                    if !run.is_over() {
                        run.lines::<D>(range.clone(), &mut self.scratch);
                    }
                }
            }
            Records::InDocument(ranges) => {
                for range in ranges {
                    if !run.is_over() {
                        run.document_record(range.start, &block.data[range.clone()], &mut self.scratch);
                    }
                }
            }
            // Not JSON.
            Records::Ion(_) | Records::Csv(_) => {}
        }
        run.finish()
    }
}

impl<S: Sink> Run<'_, S> {
    /// The records of lines. Where the block is not UTF-8 as a whole, line by line.
    fn lines<D: Descriptors>(&mut self, range: std::ops::Range<usize>, scratch: &mut Scratch) {
        let base = range.start;
        let bytes = &self.block.data[range];
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            self.text::<D>(text, base, None, scratch);
            return;
        }
        let mut start = 0;
        while start < bytes.len() && !self.is_over() {
            let end = (scan::line_end(bytes, start) + 1).min(bytes.len());
            let line = &bytes[start..end];
            match std::str::from_utf8(line) {
                Ok(text) => self.text::<D>(text, base + start, None, scratch),
                Err(error) => {
                    let valid = std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default();
                    self.text::<D>(valid, base + start, Some(line[valid.len()]), scratch);
                }
            }
            start = end;
        }
    }

    /// The records of a text that starts at `base` in the block. `bad` is a byte behind the
    /// text that is no UTF-8: whatever record it belongs to is broken.
    fn text<D: Descriptors>(&mut self, text: &str, base: usize, bad: Option<u8>, scratch: &mut Scratch) {
        let mut decoder = Decoder::<D>::new(text, false, scratch);
        while decoder.seek_record() {
            let start = decoder.position();
            self.sink.begin_item();
            match decoder.record(self.form, self.sink) {
                Ok(()) => {
                    self.commit(decoder.position() - start, base + start);
                    if self.is_over() {
                        return;
                    }
                }
                Err(mut fault) => {
                    self.sink.abort_item();
                    if let (Some(byte), true) = (bad, fault.is_syntax() && fault.at >= text.len()) {
                        not_utf8(&mut fault, byte);
                    }
                    let end = if fault.is_syntax() { None } else { decoder.end_of_record(start) };
                    self.bad(&fault, base);
                    if self.is_over() || end.is_none() && bad.is_some() {
                        return;
                    }
                    decoder.seek(end.unwrap_or_else(|| scan::line_end(text.as_bytes(), start)));
                }
            }
        }
        if let Some(byte) = bad {
            let mut fault = Fault::new(Code::Utf8, text.len(), "");
            not_utf8(&mut fault, byte);
            self.bad(&fault, base);
        }
    }

    fn document_record(&mut self, base: usize, bytes: &[u8], scratch: &mut Scratch) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let mut fault = Fault::new(Code::Utf8, error.valid_up_to(), "");
                not_utf8(&mut fault, bytes[error.valid_up_to()]);
                self.bad(&fault, base);
                return;
            }
        };
        let mut decoder = Decoder::<DynamodbJson>::new(text, true, scratch);
        self.sink.begin_item();
        match decoder.record(self.form, self.sink) {
            Ok(()) => self.commit(bytes.len(), base),
            Err(fault) => {
                self.sink.abort_item();
                // A document whose syntax is broken has no next record to go on with.
                let ends = fault.is_syntax() || scan::skip_value(bytes, 0, true) != Some(bytes.len());
                if ends { self.fail(&fault, base) } else { self.bad(&fault, base) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Cutter;
    use crate::error::Error;
    use crate::format::record::KEPT;
    use crate::item::{Item, Items};

    struct Read {
        items: Vec<Item>,
        outcome: Outcome,
    }

    /// The items of a file that comes in chunks, and what the records came to.
    fn read(bytes: &[u8], chunk: usize, form: Form, skip: bool) -> Read {
        let mut cutter = Cutter::new(0, Some(SourceFormat::DynamodbJson));
        let mut items = Items::default();
        let mut decoder = BlockDecoder::default();
        let mut all = Outcome::default();
        let mut chunks = bytes.chunks(chunk);
        loop {
            while let Some(block) = cutter.next_block() {
                let outcome = decoder.decode(&block, form, skip.then_some(KEPT), &mut items);
                all.errors.extend(outcome.errors);
                all.records += outcome.records;
                all.skipped += outcome.skipped;
                all.fatal = all.fatal.or(outcome.fatal);
                if all.fatal.is_some() {
                    return Read { items: items.take(), outcome: all };
                }
            }
            match chunks.next() {
                Some(chunk) => cutter.push(chunk),
                None if cutter.is_done() => return Read { items: items.take(), outcome: all },
                None => cutter.finish(),
            }
        }
    }

    fn one_error(text: &[u8], form: Form) -> Error {
        for chunk in [1, 3, 5, text.len().max(1)] {
            let found = read(text, chunk, form, false).outcome.fatal;
            let whole = read(text, text.len().max(1), form, false).outcome.fatal;
            assert_eq!(found, whole, "chunks of {chunk}");
        }
        read(text, 1 << 20, form, false).outcome.fatal.unwrap_or_else(|| panic!("no error in {:?}", String::from_utf8_lossy(text)))
    }

    #[test]
    fn every_type_and_escape() {
        let text = r#"{"Item":{"s":{"S":"aé\u00e9\ud83e\udd90\"\\\/\b\f\n\r\t\u0000"},"n":{"N":"1e2"},"b":{"B":"aGVsbG8="},"t":{"BOOL":true},"z":{"NULL":true},"m":{"M":{"x":{"M":{}}}},"l":{"L":[{"N":"1"},{"L":[]}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2.50"]},"bs":{"BS":["","eA=="]}}}"#;
        let items = read(text.as_bytes(), 1, Form::Wrapped, false).items;
        assert_eq!(
            format!("{items:?}"),
            r#"[[("s", S("aéé🦐\"\\/\u{8}\u{c}\n\r\t\0")), ("n", N(Number { mantissa: 100, exponent: 0 })), ("b", B([104, 101, 108, 108, 111])), ("t", Bool(true)), ("z", Null), ("m", M([("x", M([]))])), ("l", L([N(Number { mantissa: 1, exponent: 0 }), L([])])), ("ss", SS(["a", "b"])), ("ns", NS([Number { mantissa: 1, exponent: 0 }, Number { mantissa: 25, exponent: -1 }])), ("bs", BS([[], [120]]))]]"#,
        );
    }

    #[test]
    fn forms_of_records() {
        let item = r#"{"a":{"S":"x"}}"#;
        for (text, count) in [
            (format!("{item}\n{item}\n"), 2),
            (format!("{{\"Item\":{item}}}\n{item}"), 2),
            (format!("{item}{item} \t{item}\r\n\n   \n{item}"), 4),
            (" { \"Item\" : { \"a\" : { \"S\" : \"x\" } } } ".to_owned(), 1),
            (format!("{{\"Items\":[{item},{item}],\"Count\":2}}"), 2),
            (format!("[{item},\n{{\"Item\":{item}}}]"), 2),
            ("{\n \"a\": {\n  \"S\": \"x\"\n }\n}\n".to_owned(), 1),
            (String::new(), 0),
            ("\n \n".to_owned(), 0),
        ] {
            for chunk in [1, 2, 7, 1 << 20] {
                let Read { items, outcome } = read(text.as_bytes(), chunk, Form::Either, false);
                assert_eq!(outcome.fatal, None, "{text}");
                assert_eq!((items.len(), outcome.records), (count, count as u64), "{text}");
                assert!(items.iter().all(|item| format!("{item:?}") == r#"[("a", S("x"))]"#), "{text}: {items:?}");
            }
        }
    }

    /// Attributes may be called as the wrappers are.
    #[test]
    fn names_of_wrappers_are_names_too() {
        for (text, form, expected) in [
            (r#"{"Item":{"S":"x"}}"#, Form::Either, r#"[("Item", S("x"))]"#),
            (r#"{"Item":{"S":{"S":"x"}}}"#, Form::Either, r#"[("S", S("x"))]"#),
            (r#"{"Item":{"Item":{"S":"x"}}}"#, Form::Either, r#"[("Item", S("x"))]"#),
            (r#"{"Item":{}}"#, Form::Either, "[]"),
            (r#"{}"#, Form::Either, "[]"),
            (r#"{"Item":{"Keys":{"M":{"M":{"M":{}}}}}}"#, Form::Wrapped, r#"[("Keys", M([("M", M([]))]))]"#),
            (r#"{"Item":{"":{"S":""}}}"#, Form::Wrapped, r#"[("", S(""))]"#),
            (r#"{"\u0049tem":{"a":{"NULL":true}}}"#, Form::Wrapped, r#"[("a", Null)]"#),
        ] {
            let Read { items, outcome } = read(text.as_bytes(), 1 << 20, form, false);
            assert_eq!(outcome.fatal, None, "{text}");
            assert_eq!(format!("{:?}", items[0]), expected, "{text}");
        }
    }

    #[test]
    fn errors_have_code_position_and_path() {
        let item = |value: &str| format!("{{\"Item\":{{\"ok\":{{\"N\":\"1\"}},\"a\":{value}}}}}");
        let nested = r#"{"M":{"b-c":{"L":[{"S":"x"},{"M":{"d":{"N":"1x"}}}]}}}"#;
        for (line, text) in [
            (item(nested), "E_NUMBER: not a number: \"1x\" (line 2, byte 87, item 1, attribute a[\"b-c\"][].d)"),
            (item(r#"{"S":"x","N":"1"}"#), "E_DESCRIPTOR: more than one type descriptor in a value (line 2, byte 51, item 1, attribute a)"),
            (item("{}"), "E_DESCRIPTOR: a value without a type descriptor (line 2, byte 43, item 1, attribute a)"),
            (item(r#"{"X":"x"}"#), "E_DESCRIPTOR: unknown type descriptor \"X\" (line 2, byte 44, item 1, attribute a)"),
            (item(r#"{"s":"x"}"#), "E_DESCRIPTOR: unknown type descriptor \"s\" (line 2, byte 44, item 1, attribute a)"),
            (item(r#"{"N":1}"#), "E_DESCRIPTOR: the value of N must be a string (line 2, byte 48, item 1, attribute a)"),
            (item(r#"{"BOOL":"true"}"#), "E_DESCRIPTOR: the value of BOOL must be true or false (line 2, byte 51, item 1, attribute a)"),
            (item(r#"{"SS":["a",1]}"#), "E_DESCRIPTOR: the value of SS must be strings only (line 2, byte 54, item 1, attribute a)"),
            (item("\"x\""), "E_DESCRIPTOR: a value must be an object (line 2, byte 43, item 1, attribute a)"),
            (item(r#"{"B":"a"}"#), "E_BASE64: not base64 (Invalid input length: 1): \"a\" (line 2, byte 49, item 1, attribute a)"),
            (
                item(r#"{"S":"x"},"ok":{"S":""}"#),
                "E_DUPLICATE_ATTRIBUTE: the attribute stands twice in one object (line 2, byte 53, item 1, attribute ok)",
            ),
            (
                item(r#"{"S":"x"#),
                "E_JSON: expected the end of the string, found the end of the line (line 2, byte 52, item 1, attribute a)",
            ),
            (item(r#"{"S":"\ud800"}"#), "E_JSON: a high surrogate without a low one (line 2, byte 49, item 1, attribute a)"),
            (item(r#"{"S":"\udc00"}"#), "E_JSON: a low surrogate without a high one (line 2, byte 49, item 1, attribute a)"),
            (item(r#"{"S":"\x"}"#), "E_JSON: unknown escape (line 2, byte 49, item 1, attribute a)"),
            (
                item("{\"S\":\"\t\"}"),
                "E_JSON: control character 0x09 in a string; it must be escaped (line 2, byte 49, item 1, attribute a)",
            ),
            (r#"{"a":{"S":"x"}}"#.into(), "E_RECORD: the record does not begin with `Item` (line 2, byte 15, item 1)"),
            (r#"{"Item":{},"x":1}"#.into(), "E_BESIDE_ITEM: a member beside `Item` (line 2, byte 25, item 1)"),
            ("12".into(), "E_RECORD: a record must be an object (line 2, byte 15, item 1)"),
            (r#"{"Item":{},}"#.into(), "E_JSON: expected `\"`, found '}' (line 2, byte 26, item 1)"),
            ("{\"Item\":".into(), "E_JSON: expected an object, found the end of the line (line 2, byte 23, item 1)"),
            ("{\"Item\":{}}]".into(), "E_JSON: expected an object, found ']' (line 2, byte 26, item 2)"),
        ] {
            let file = format!("{{\"Item\":{{  }}}}\r\n{line}\n{{\"Item\":{{}}}}\n");
            assert_eq!(one_error(file.as_bytes(), Form::Wrapped).to_string(), text, "{line}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8() {
        let file = b"{\"Item\":{}}\n{\"Item\":{\"a\":{\"S\":\"\xff\"}}}\n{\"Item\":{}}\n\xc3\n{\"Item\":{}}";
        assert_eq!(one_error(file, Form::Wrapped).to_string(), "E_UTF8: byte 0xff is not UTF-8 (line 2, byte 31, item 1, attribute a)");
        let Read { items, outcome } = read(file, 5, Form::Wrapped, true);
        assert_eq!((items.len(), outcome.records, outcome.skipped), (3, 5, 2));
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = |n: usize| format!("{{\"Item\":{{\"a\":{}{{\"NULL\":true}}{}}}}}", "{\"L\":[".repeat(n), "]}".repeat(n));
        assert_eq!(read(deep(64).as_bytes(), 100, Form::Wrapped, false).outcome.fatal, None);
        assert_eq!(one_error(deep(65).as_bytes(), Form::Wrapped).code(), Code::Nesting);
        assert_eq!(one_error(deep(100_000).as_bytes(), Form::Wrapped).code(), Code::Nesting);
        let file = format!("{}\n{}", deep(100_000), deep(1));
        assert_eq!(read(file.as_bytes(), 100, Form::Wrapped, true).outcome.skipped, 1);
    }

    /// A bad value costs its record, broken syntax the rest of its line; in a document it
    /// ends the file.
    #[test]
    fn skipping() {
        let (good, value, syntax) = (r#"{"a":{"S":"x"}}"#, r#"{"a":{"N":"x"}}"#, r#"{"a":{"S":"x"}"#);
        for (text, items, skipped) in [
            (format!("{good}\n{value}\n{good}"), 2, 1),
            (format!("{good}{value}{good}\n{good}"), 3, 1),
            (format!("{good}{syntax}\n{good}"), 2, 1),
            (format!("{good}x{good}{good}\n{good}"), 2, 1),
            (format!("{syntax}{good}\n{good}"), 1, 1),
            (format!("[{good},{value},{good}]"), 2, 1),
        ] {
            for chunk in [1, 4, 1 << 20] {
                let Read { items: found, outcome } = read(text.as_bytes(), chunk, Form::Either, true);
                assert_eq!(outcome.fatal, None, "{text}");
                assert_eq!((found.len(), outcome.skipped), (items, skipped), "{text}");
                assert_eq!(outcome.records as usize, items + skipped as usize);
            }
        }
        let file = format!("[{good},{{\"a\":{{\"S\":tru}}}},{good}]");
        let Read { items, outcome } = read(file.as_bytes(), 3, Form::Either, true);
        assert_eq!((items.len(), outcome.fatal.map(|e| e.code())), (1, Some(Code::Json)));
    }

    #[test]
    fn changes_are_told_from_items() {
        let line = br#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"a":{"S":"x"}}}"#;
        assert_eq!(one_error(line, Form::Either).code(), Code::Incremental);
        assert_eq!(one_error(line, Form::Wrapped).code(), Code::Record);
    }
}
