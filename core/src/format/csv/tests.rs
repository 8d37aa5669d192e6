use super::*;
use crate::block::{BLOCK_BYTES, Cutter, MAX_RECORD_BYTES};
use crate::error::Error;
use crate::format::record::{Form, KEPT, Outcome};
use crate::format::{BlockDecoder, SourceFormat};
use crate::item::{Item, Items};

struct Read {
    items: Vec<Item>,
    outcome: Outcome,
    /// Start, length, records and broken record of each block.
    blocks: Vec<String>,
}

/// The items of a file that comes in chunks, and what the records came to.
fn read(bytes: &[u8], options: &CsvOptions, chunk: usize, skip: bool) -> Read {
    let mut cutter = Cutter::new(0, Some(SourceFormat::Csv)).with_csv(Arc::new(options.clone()));
    let mut items = Items::default();
    let mut decoder = BlockDecoder::default();
    let mut all = Outcome::default();
    let mut blocks = Vec::new();
    let mut chunks = bytes.chunks(chunk);
    loop {
        while let Some(block) = cutter.next_block() {
            blocks.push(format!("{} {} {} {:?} {:?}", block.byte, block.line, block.data.len(), block.records, block.fault));
            let mut outcome = decoder.decode(&block, Form::Either, skip.then_some(KEPT), &mut items);
            let item = |error: Error, before: u64| {
                let item = error.item().map_or(before, |item| before + item);
                error.at_item(item)
            };
            all.errors.extend(outcome.errors.drain(..).map(|error| item(error, all.records)));
            all.fatal = all.fatal.or(outcome.fatal.map(|error| item(error, all.records)));
            all.records += outcome.records;
            all.skipped += outcome.skipped;
            if all.fatal.is_some() {
                return Read { items: items.take(), outcome: all, blocks };
            }
        }
        match chunks.next() {
            Some(chunk) => cutter.push(chunk),
            None if cutter.is_done() => return Read { items: items.take(), outcome: all, blocks },
            None => cutter.finish(),
        }
    }
}

/// The same for several sizes of chunks, which make no difference.
fn read_all_ways(bytes: &[u8], options: &CsvOptions, skip: bool) -> Read {
    let whole = read(bytes, options, bytes.len().max(1), skip);
    let chunks: &[usize] = if bytes.len() < 10_000 { &[1, 2, 3, 7] } else { &[65_537, 1 << 20] };
    for &chunk in chunks {
        let found = read(bytes, options, chunk, skip);
        assert_eq!(found.blocks, whole.blocks, "chunks of {chunk}");
        assert!(found.items == whole.items, "chunks of {chunk}");
        assert_eq!(found.outcome.fatal, whole.outcome.fatal, "chunks of {chunk}");
        assert_eq!(found.outcome.errors, whole.outcome.errors, "chunks of {chunk}");
    }
    whole
}

fn good(text: &str, options: &CsvOptions) -> String {
    let Read { items, outcome, .. } = read_all_ways(text.as_bytes(), options, false);
    assert_eq!(outcome.fatal, None, "{text}");
    assert_eq!(items.len() as u64, outcome.records, "{text}");
    let shown: Vec<_> = items.iter().map(|item| format!("{item:?}")).collect();
    shown.join(" ")
}

fn error(text: &[u8], options: &CsvOptions) -> String {
    read_all_ways(text, options, false)
        .outcome
        .fatal
        .map_or_else(|| panic!("no error in {:?}", String::from_utf8_lossy(text)), |e| e.to_string())
}

fn typed(types: &[(&str, Kind)]) -> CsvOptions {
    CsvOptions { types: types.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(), ..CsvOptions::default() }
}

fn listed(delimiter: u8, names: &[&str]) -> CsvOptions {
    CsvOptions { delimiter, header: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..CsvOptions::default() }
}

#[test]
fn items() {
    let plain = CsvOptions::default();
    for (text, expected) in [
        ("a,b\n1,x\n", r#"[("a", S("1")), ("b", S("x"))]"#),
        ("a,b\n1,x", r#"[("a", S("1")), ("b", S("x"))]"#),
        ("a,b\r\n1,x\r\n,\r\n", r#"[("a", S("1")), ("b", S("x"))] []"#),
        ("\n\r\na,b\n\n\r\n1,x\n\n", r#"[("a", S("1")), ("b", S("x"))]"#),
        ("a,b\n,x\n1,\n", r#"[("b", S("x"))] [("a", S("1"))]"#),
        ("a,b\n\"\",\"x\"\r\n", r#"[("b", S("x"))]"#),
        ("a\n\"\"\n \n", r#"[] [("a", S(" "))]"#),
        ("\"a\"\"\n\",\"b,c\"\n\"1\r\n2\",\"\"\"x\"\"\"\n", r#"[("a\"\n", S("1\r\n2")), ("b,c", S("\"x\""))]"#),
        ("é;ü,b\nñ,🦐\n", r#"[("é;ü", S("ñ")), ("b", S("🦐"))]"#),
        ("a,A\n1,2\n", r#"[("a", S("1")), ("A", S("2"))]"#),
        // A mark is one at the file's start only.
        ("a,b\n\u{feff}1,\"\u{feff}\"\n", "[(\"a\", S(\"\\u{feff}1\")), (\"b\", S(\"\\u{feff}\"))]"),
        ("a,b\n", ""),
        ("a,b", ""),
        ("", ""),
        ("\n\r\n", ""),
    ] {
        assert_eq!(good(text, &plain), expected, "{text:?}");
    }
    for delimiter in DELIMITERS {
        let text = ["1", "\"x y\"", "z\n"].join(&String::from(char::from(delimiter)));
        assert_eq!(good(&text, &listed(delimiter, &["a", "b", "c"])), r#"[("a", S("1")), ("b", S("x y")), ("c", S("z"))]"#);
    }
    assert_eq!(good("\n", &listed(b';', &["a"])), "");
}

#[test]
fn types() {
    let options = typed(&[("n", Kind::N), ("b", Kind::B), ("not there", Kind::N)]);
    assert_eq!(
        good("b,n,s\neA==,1e2,1\n,,\n\"\",\"-0.50\",x\n", &options),
        r#"[("b", B([120])), ("n", N(Number { mantissa: 100, exponent: 0 })), ("s", S("1"))] [] [("n", N(Number { mantissa: -5, exponent: -1 })), ("s", S("x"))]"#
    );
    let options = typed(&[
        ("t", Kind::Bool),
        ("z", Kind::Null),
        ("m", Kind::M),
        ("l", Kind::L),
        ("ss", Kind::SS),
        ("ns", Kind::NS),
        ("bs", Kind::BS),
    ]);
    assert_eq!(
        good(
            "t,z,m,l,ss,ns,bs\nfalse,null,\"{\"\"a\"\":[1,\n{}]}\",[],\"[\"\"x\"\",\"\"\"\"]\",\"[1,\"\"2.0\"\"]\",\"[\"\"eA==\"\"]\"\n",
            &options
        ),
        r#"[("t", Bool(false)), ("z", Null), ("m", M([("a", L([N(Number { mantissa: 1, exponent: 0 }), M([])]))])), ("l", L([])), ("ss", SS(["x", ""])), ("ns", NS([Number { mantissa: 1, exponent: 0 }, Number { mantissa: 2, exponent: 0 }])), ("bs", BS([[120]]))]"#
    );
    for (row, expected) in [
        ("yes,,,,,,", "E_CSV: a cell of type BOOL must be true or false, not \"yes\" (line 2, byte 17, item 0, attribute t)"),
        (",0,,,,,", "E_CSV: a cell of type NULL must be null, not \"0\" (line 2, byte 18, item 0, attribute z)"),
        (",,[],,,,", "E_CSV: a cell of type M must be a JSON object, not \"[]\" (line 2, byte 19, item 0, attribute m)"),
        (",,,{},,,", "E_CSV: a cell of type L must be a JSON array, not \"{}\" (line 2, byte 20, item 0, attribute l)"),
        (",,,[[1],,,", "E_JSON: expected `,` or `]`, found the end of the data (line 2, byte 20, item 0, attribute l)"),
        (
            ",,,\"[{\"\"x\"\":1e999}]\",,,",
            "E_NUMBER: magnitude above 9.9999999999999999999999999999999999999E+125: \"1e999\" (line 2, byte 20, item 0, attribute l[].x)",
        ),
        (",,,,\"[\"\"x\"\",\"\"x\"\"]\",,", "E_SET: a member stands twice in the set (line 2, byte 21, item 0, attribute ss)"),
        (",,,,[1],,", "E_SET: the members of a set of type SS must be strings (line 2, byte 21, item 0, attribute ss)"),
        (",,,,[[]],,", "E_SET: the members of a set of type SS must be strings (line 2, byte 21, item 0, attribute ss)"),
        (",,,,[{}],,", "E_SET: the members of a set of type SS must be strings (line 2, byte 21, item 0, attribute ss)"),
        (",,,,,\"[1,1.0]\",", "E_SET: a member stands twice in the set (line 2, byte 22, item 0, attribute ns)"),
        (",,,,,\"[\"\"x\"\"]\",", "E_NUMBER: not a number: \"x\" (line 2, byte 22, item 0, attribute ns)"),
        (",,,,,,\"[\"\"x\"\"]\"", "E_BASE64: not base64 (Invalid input length: 1): \"x\" (line 2, byte 23, item 0, attribute bs)"),
    ] {
        assert_eq!(error(format!("t,z,m,l,ss,ns,bs\n{row}\n").as_bytes(), &options), expected, "{row}");
    }
    // What is broken inside of a set leaves nothing behind.
    let Read { items, outcome, .. } = read_all_ways(b"ss\n[[1]]\n\"[\"\"a\"\"]\"\n", &typed(&[("ss", Kind::SS)]), true);
    assert_eq!((format!("{items:?}"), outcome.skipped), (r#"[[("ss", SS(["a"]))]]"#.to_owned(), 1));
}

#[test]
fn refusals_have_a_position() {
    let options = typed(&[("n", Kind::N), ("odd b", Kind::B)]);
    for (row, expected) in [
        ("1,,x\"y\n", "E_CSV: a quote inside a field without quotes (line 3, byte 24, item 1, attribute s)"),
        ("1,, \"y\"", "E_CSV: a quote inside a field without quotes (line 3, byte 24, item 1, attribute s)"),
        ("1,,\"x\"y", "E_CSV: text behind the quote that ends a field (line 3, byte 26, item 1, attribute s)"),
        ("1,,\"x\" ", "E_CSV: text behind the quote that ends a field (line 3, byte 26, item 1, attribute s)"),
        (
            "1,,\"\na\"b\n",
            "E_CSV: text behind the quote that ends a field; 4 bytes behind its first line, 1 line, were not examined (line 4, byte 27, item 1, attribute s)",
        ),
        ("1,,\"x", "E_CSV: a quote that is never closed (line 3, byte 23, item 1, attribute s)"),
        (
            "1,,\"\na\n\n",
            "E_CSV: a quote that is never closed; 3 bytes behind its first line, 2 lines, were not examined (line 3, byte 23, item 1, attribute s)",
        ),
        ("1,,x\ry\n1,,", "E_CSV: a carriage return without a newline in a field without quotes (line 3, byte 24, item 1, attribute s)"),
        ("1,,x\r", "E_CSV: a carriage return without a newline in a field without quotes (line 3, byte 24, item 1, attribute s)"),
        ("1,,\"x\"\r", "E_CSV: text behind the quote that ends a field (line 3, byte 26, item 1, attribute s)"),
        ("1\r\n", "E_CSV_COLUMNS: the record has 1 column, the header 3 (line 3, byte 20, item 1)"),
        ("1,,x,", "E_CSV_COLUMNS: the record has 4 columns, the header 3 (line 3, byte 20, item 1)"),
        ("1,,x,\"\n\",,,,,,,,,,,", "E_CSV_COLUMNS: the record has 15 columns, the header 3 (line 3, byte 20, item 1)"),
        ("1x,,", "E_NUMBER: not a number: \"1x\" (line 3, byte 20, item 1, attribute n)"),
        ("\" 1\",,", "E_NUMBER: not a number: \" 1\" (line 3, byte 20, item 1, attribute n)"),
        ("1,\"a\",", "E_BASE64: not base64 (Invalid input length: 1): \"a\" (line 3, byte 22, item 1, attribute [\"odd b\"])"),
    ] {
        assert_eq!(error(format!("n,odd b,s\n1,,\"a\"\"b\"\n{row}").as_bytes(), &options), expected, "{row}");
    }
    for (row, expected) in [
        (&b"1,,\xff"[..], "E_UTF8: byte 0xff is not UTF-8 (line 2, byte 13, item 0, attribute s)"),
        // Two halves of a character in two cells.
        (b",\xc3,\xa9", "E_UTF8: byte 0xc3 is not UTF-8 (line 2, byte 11, item 0, attribute [\"odd b\"])"),
    ] {
        assert_eq!(error(&[b"n,odd b,s\n", row].concat(), &options), expected);
    }
}

#[test]
fn headers_that_are_none() {
    let plain = CsvOptions::default();
    for (text, expected) in [
        (&b"a,b,a\n1,2,3\n"[..], "E_CSV_HEADER: columns 1 and 3 of the header have one name, \"a\" (line 1, byte 4, item 0)"),
        (b"\na,,b\n", "E_CSV_HEADER: column 2 has no name in the header (line 2, byte 3, item 0)"),
        (b"a,\n", "E_CSV_HEADER: column 2 has no name in the header (line 1, byte 2, item 0)"),
        (b"a,b\"\n", "E_CSV: the header has a quote inside a field without quotes (line 1, byte 3, item 0)"),
        (b"a,\"b", "E_CSV: the header has a quote that is never closed (line 1, byte 2, item 0)"),
        (b"a,\xff\n", "E_UTF8: a name in the header is not UTF-8 (line 1, byte 2, item 0)"),
        (
            b"\xef\xbb\xbfa,b\n",
            "E_BYTE_ORDER_MARK: the file begins with a byte order mark, which would be part of the first column's name (line 1, byte 0, item 0)",
        ),
    ] {
        assert_eq!(error(text, &plain), expected);
        // No item can be read: nothing is to be passed over.
        let Read { items, outcome, .. } = read_all_ways(text, &plain, true);
        assert_eq!((items.len(), outcome.fatal.map(|e| e.to_string())), (0, Some(expected.to_owned())));
    }
    let usage = |options: CsvOptions| options.check().err().map(|e| e.to_string());
    assert_eq!(usage(listed(b'x', &["a"])).as_deref(), Some("E_USAGE: the delimiter of CSV must be one of , ; : | tab space, not 'x'"));
    assert_eq!(usage(listed(b',', &["a", "a"])).as_deref(), Some("E_USAGE: columns 1 and 2 of the header have one name, \"a\""));
    assert_eq!(usage(listed(b',', &[])).as_deref(), Some("E_USAGE: the header list of CSV has no names"));
    assert_eq!(usage(listed(b'\t', &["a", "b"])), None);
}

/// What is broken costs itself; where nobody knows its end, all up to the next line that is a
/// record.
#[test]
fn skipping() {
    for (text, values, errors) in [
        ("a,b\n1,2\n\"x\"y,2\n3,4\n", "13", vec![2]),
        ("a,b\n1\n1,2,3\n\"x\ny\",1,1\n3,4\n", "3", vec![1, 1, 1]),
        ("a,b\n1\"\n\"3\n\",4\n", "3\n", vec![1]),
        // A quote that stays open swallows what follows, and gives it back.
        ("a,b\n1,\"2\n3,4\n5,6\n", "35", vec![1]),
        ("a,b\n1,\"2\nonly one\n\n5,6\n", "5", vec![1]),
        ("a,b\n1,\"2\n3\",\"x\n7\n5,6\n", "5", vec![1]),
        // Also where a newline stands in the quotes of the line to go on at.
        ("a,b\n1,\"2\nx\"y\n5,\"6\n6\"\n7,8\n", "57", vec![1]),
        ("a,b\n1,\"2\n3\n", "", vec![1]),
        ("a,b\n1,2\n1,\"", "1", vec![1]),
    ] {
        let Read { items, outcome, .. } = read_all_ways(text.as_bytes(), &CsvOptions::default(), true);
        assert_eq!(outcome.fatal, None, "{text}");
        let found: String =
            items.iter().map(|item| if let crate::item::AttributeValue::S(text) = &item[0].1 { text.as_str() } else { "?" }).collect();
        assert_eq!(found, values, "{text:?}");
        assert_eq!(outcome.skipped as usize, errors.len(), "{text:?}: {:?}", outcome.errors);
        assert_eq!(outcome.records as usize, items.len() + errors.len());
    }
    let found = read_all_ways(b"a,b\n1,\"2\nonly one\n\n5,6\n7\n", &CsvOptions::default(), true).outcome.errors;
    let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "E_CSV: a quote that is never closed; 10 bytes behind its first line, 2 lines, were not examined (line 2, byte 6, item 0, attribute b)",
            "E_CSV_COLUMNS: the record has 1 column, the header 2 (line 6, byte 23, item 2)"
        ]
    );
}

/// Blocks end behind records, whatever stands in their quotes.
#[test]
fn blocks_end_where_records_do() {
    let mut bytes = b"a,b\n".to_vec();
    let mut count = 0;
    while bytes.len() < 4 * BLOCK_BYTES {
        let cell = "x\n,\"\"".repeat(count % 3000);
        bytes.extend_from_slice(if count % 7 == 0 { format!("{count},plain\n") } else { format!("{count},\"{cell}\"\n") }.as_bytes());
        count += 1;
    }
    let Read { items, outcome, blocks } = read_all_ways(&bytes, &CsvOptions::default(), false);
    assert_eq!((items.len(), outcome.fatal), (count, None));
    assert!((4..=5).contains(&blocks.len()), "{}", blocks.len());
    assert!(items.iter().enumerate().all(|(n, item)| format!("{:?}", item[0].1) == format!("S(\"{n}\")")));
}

/// Bounded memory: a record past the limit is not held, and reading goes on behind its first
/// line; so is what nobody can read behind it.
#[test]
fn records_past_the_limit() {
    let line = "xxxxxxx,yyyyyyy\n";
    let good = line.repeat((MAX_RECORD_BYTES + 10) / line.len() + 1);
    let bad = "one column only\n".repeat((2 * MAX_RECORD_BYTES) / 16 + 3);
    for (text, count, message) in [
        (format!("a,b\n1,2\n1,{}\n3,4\n", "x".repeat(MAX_RECORD_BYTES + 1)), 2, "a record of more than 16 MiB".to_owned()),
        (format!("a,b\n1,2\n1,{}\n3,4\n", "x".repeat(3 * MAX_RECORD_BYTES)), 2, "a record of more than 16 MiB".to_owned()),
        (format!("a,b\n1,\"2\n{good}"), good.len() / line.len(), "a record of more than 16 MiB".to_owned()),
        (
            format!("a,b\n1,\"2\n{bad}3,4\n"),
            1,
            format!(
                "a record of more than 16 MiB; at least {} bytes behind its first line, {} lines, were not examined",
                MAX_RECORD_BYTES - 5,
                (MAX_RECORD_BYTES - 5) / 16 + 1
            ),
        ),
    ] {
        let Read { items, outcome, .. } = read_all_ways(text.as_bytes(), &CsvOptions::default(), true);
        assert_eq!((items.len(), outcome.skipped, outcome.fatal), (count, 1, None));
        assert_eq!((outcome.errors[0].code(), outcome.errors[0].message()), (Code::RecordSize, message));
    }
    let whole = format!("a,b\n1,{}\n", "x".repeat(MAX_RECORD_BYTES - 2));
    assert_eq!(read_all_ways(whole.as_bytes(), &CsvOptions::default(), false).items.len(), 1);
}
