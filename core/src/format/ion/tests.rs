//! What is read of Ion, in every form, and what is not.

use super::*;
use crate::block::Cutter;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::format::record::KEPT;
use crate::item::{Item, Items};

/// The items of a file that comes in chunks, and what the records came to.
fn read(bytes: &[u8], chunk: usize, form: Form, skip: bool) -> (Vec<Item>, Outcome) {
    read_with(&mut BlockDecoder::default(), bytes, chunk, form, skip)
}

fn read_with(decoder: &mut BlockDecoder, bytes: &[u8], chunk: usize, form: Form, skip: bool) -> (Vec<Item>, Outcome) {
    let mut cutter = Cutter::new(0, Some(SourceFormat::Ion));
    let mut items = Items::default();
    let mut all = Outcome::default();
    let mut chunks = bytes.chunks(chunk);
    loop {
        while let Some(block) = cutter.next_block() {
            let crate::block::Records::Ion(start) = &block.records else { panic!("not Ion") };
            let outcome = decoder.decode(&block, start, form, skip.then_some(KEPT), &mut items);
            all.errors.extend(outcome.errors);
            all.records += outcome.records;
            all.skipped += outcome.skipped;
            all.fatal = all.fatal.or(outcome.fatal);
            if all.fatal.is_some() {
                return (items.take(), all);
            }
        }
        match chunks.next() {
            Some(chunk) => cutter.push(chunk),
            None if cutter.is_done() => return (items.take(), all),
            None => cutter.finish(),
        }
    }
}

fn one_error(text: &[u8], form: Form) -> Error {
    let whole = read(text, text.len().max(1), form, false).1.fatal;
    for chunk in [1, 3, 5] {
        assert_eq!(read(text, chunk, form, false).1.fatal, whole, "chunks of {chunk}");
    }
    whole.unwrap_or_else(|| panic!("no error in {:?}", String::from_utf8_lossy(text)))
}

const EVERY_TYPE: &str = r#"$ion_1_0 {Item:{s:"aé\u00e9\x41\"\\\/\b\f\n\r\t\0\a\v\?\'",n:1d2,d:12.50,i:103.,z:-0.,b:{{aGVsbG8=}},t:true,f:false,x:null,y:null.decimal,m:{x:{}},l:[1.,[]],ss:$dynamodb_SS::["a","b"],ns:$dynamodb_NS::[1.,2.50],bs:'$dynamodb_BS'::[{{}},{{eA==}}],'odd name':"","quoted":{{ e A== }},$dollar:"",'it\'s':""}}"#;

#[test]
fn every_type_and_escape() {
    let expected = r#"[[("s", S("aééA\"\\/\u{8}\u{c}\n\r\t\0\u{7}\u{b}?'")), ("n", N(Number { mantissa: 100, exponent: 0 })), ("d", N(Number { mantissa: 125, exponent: -1 })), ("i", N(Number { mantissa: 103, exponent: 0 })), ("z", N(Number { mantissa: 0, exponent: 0 })), ("b", B([104, 101, 108, 108, 111])), ("t", Bool(true)), ("f", Bool(false)), ("x", Null), ("y", Null), ("m", M([("x", M([]))])), ("l", L([N(Number { mantissa: 1, exponent: 0 }), L([])])), ("ss", SS(["a", "b"])), ("ns", NS([Number { mantissa: 1, exponent: 0 }, Number { mantissa: 25, exponent: -1 }])), ("bs", BS([[], [120]])), ("odd name", S("")), ("quoted", B([120])), ("$dollar", S("")), ("it's", S(""))]]"#;
    for chunk in [1, 7, 1000] {
        let (items, outcome) = read(EVERY_TYPE.as_bytes(), chunk, Form::Wrapped, false);
        assert_eq!(outcome.fatal, None);
        assert_eq!(format!("{items:?}"), expected);
    }
}

/// The switch to ion-rs, tried at every value.
#[test]
fn any_value_may_go_to_ion_rs() {
    let (expected, _) = read(EVERY_TYPE.as_bytes(), 1000, Form::Wrapped, false);
    let mut switched = 0;
    for place in 0.. {
        let mut decoder = BlockDecoder::default();
        decoder.scratch.switch_in = Some(place);
        let (items, outcome) = read_with(&mut decoder, EVERY_TYPE.as_bytes(), 1000, Form::Wrapped, false);
        assert_eq!(outcome.fatal, None, "the value {place}");
        assert_eq!(items, expected, "the value {place}");
        if decoder.scratch.switch_in.is_some() {
            break;
        }
        switched += 1;
    }
    assert_eq!(switched, 22, "all values but the members of sets");
}

#[test]
fn forms_of_streams() {
    let item = r#"{a:"x"}"#;
    for (text, count) in [
        (format!("$ion_1_0 {{Item:{item}}}\n $ion_1_0 {{Item:{item}}}\n"), 2),
        (format!("$ion_1_0 {item} {item}{item}\n\n$ion_1_0{item}"), 4),
        (format!("{{Item:{item}}}\n{item}"), 2),
        (format!("$ion_1_0\n{{\n  Item : {item} , // said\n}}\n/* {{}} */ {item}"), 2),
        (format!("$ion_1_0 [ {{Item:{item}}}, {item} , ]"), 2),
        (format!("$ion_1_0 [\n{item},\n{item}\n]\n$ion_1_0 [{item}] {item}"), 4),
        (format!("$ion_1_0 $ion_symbol_table::{{symbols:[\"a\",\"x\"]}} {{$10:\"x\"}} {{$10:$11}} {item}"), 3),
        ("{'Item':{a:'''x'''}} {\"Item\":{'''a''':x}} {Item:{a:\"\\x78\"},}".to_owned(), 3),
        (String::new(), 0),
        ("$ion_1_0 $ion_1_0\n[]".to_owned(), 0),
        ("// nothing".to_owned(), 0),
    ] {
        for chunk in [1, 2, 7, 1 << 20] {
            let (items, outcome) = read(text.as_bytes(), chunk, Form::Either, false);
            assert_eq!(outcome.fatal, None, "{text}");
            assert_eq!((items.len(), outcome.records), (count, count as u64), "{text}");
            assert!(items.iter().all(|item| format!("{item:?}") == r#"[("a", S("x"))]"#), "{text}: {items:?}");
        }
    }
}

/// Attributes may be called as the wrappers are.
#[test]
fn names_of_wrappers_are_names_too() {
    let one = "N(Number { mantissa: 1, exponent: 0 })";
    for (text, form, expected) in [
        (r#"{Item:"x"}"#, Form::Either, r#"[("Item", S("x"))]"#.to_owned()),
        (r#"{Item:{Item:{a:"x"}}}"#, Form::Either, r#"[("Item", M([("a", S("x"))]))]"#.to_owned()),
        ("{Item:{a:1.},b:1.}", Form::Either, format!(r#"[("Item", M([("a", {one})])), ("b", {one})]"#)),
        ("{Item:{}}", Form::Either, "[]".to_owned()),
        ("{}", Form::Either, "[]".to_owned()),
        ("{Item:{Keys:{Item:null}}}", Form::Wrapped, r#"[("Keys", M([("Item", Null)]))]"#.to_owned()),
        ("{Keys:{a:null}}", Form::Either, r#"[("Keys", M([("a", Null)]))]"#.to_owned()),
        ("{Item:{{aGVsbG8=}}}", Form::Either, r#"[("Item", B([104, 101, 108, 108, 111]))]"#.to_owned()),
        ("{'\\x49tem':{'':\"\"}}", Form::Wrapped, r#"[("", S(""))]"#.to_owned()),
    ] {
        let (items, outcome) = read(text.as_bytes(), 3, form, false);
        assert_eq!(outcome.fatal, None, "{text}");
        assert_eq!(format!("{:?}", items[0]), expected, "{text}");
    }
}

/// What has an exact DynamoDB value has it in any form.
#[test]
fn other_ion_types() {
    let number = |mantissa: i128, exponent: i32| format!("N(Number {{ mantissa: {mantissa}, exponent: {exponent} }})");
    for (value, expected) in [
        ("5", number(5, 0)),
        ("-0x1F", number(-31, 0)),
        ("0b11", number(3, 0)),
        ("1_000.", number(1000, 0)),
        ("1_2.5_0d10", number(125_000_000_000, 0)),
        ("5.D-1", number(5, -1)),
        ("6d+2", number(600, 0)),
        ("1d-130", number(1, -130)),
        ("12345678901234567890123456789012345678.", number(12_345_678_901_234_567_890_123_456_789_012_345_678, 0)),
        ("1.5e1", number(15, 0)),
        ("-0e0", number(0, 0)),
        ("word", r#"S("word")"#.to_owned()),
        ("'two words'", r#"S("two words")"#.to_owned()),
        ("$4", r#"S("name")"#.to_owned()),
        ("'''one\n''' '''two'''", r#"S("one\ntwo")"#.to_owned()),
        ("\"a\\\nb\"", r#"S("ab")"#.to_owned()),
        ("\"\\U0001F990\\ud83e\\udd90\"", r#"S("🦐🦐")"#.to_owned()),
        ("{{\"c\\x00\"}}", "B([99, 0])".to_owned()),
        ("null.timestamp", "Null".to_owned()),
        ("[1., ]", format!("L([{}])", number(1, 0))),
        (
            "$dynamodb_NS:: // set\n[ 1, 0x2, ]",
            number(1, 0).replace("N(", "NS([").replace(')', ", ") + &number(2, 0)[2..].replace(')', "])"),
        ),
        ("$dynamodb_SS::[a, '''b''']", r#"SS(["a", "b"])"#.to_owned()),
    ] {
        let text = format!("{{Item:{{a: {value} }}}}");
        for chunk in [1, 1000] {
            let (items, outcome) = read(text.as_bytes(), chunk, Form::Wrapped, false);
            assert_eq!(outcome.fatal, None, "{text}");
            assert_eq!(format!("{:?}", items[0]), format!(r#"[("a", {expected})]"#), "{text}");
        }
    }
}

#[test]
fn errors_have_code_position_and_path() {
    let item = |value: &str| format!("{{Item:{{ok:1.,a:{value}}}}}");
    for (line, text) in [
        (
            item("{'b-c':[x,{d:1d999}]}"),
            "E_NUMBER: magnitude above 9.9999999999999999999999999999999999999E+125: \"1d999\" (line 2, byte 51, item 1, attribute a[\"b-c\"][].d)",
        ),
        (item("\"a\\q\""), "E_ION: unknown escape (line 2, byte 40, item 1, attribute a)"),
        (item("{{a}}"), "E_BASE64: not base64 (Invalid input length: 1): \"a\" (line 2, byte 40, item 1, attribute a)"),
        (item("2007-02-23"), "E_ION_TYPE: a timestamp has no DynamoDB value (line 2, byte 38, item 1, attribute a)"),
        (item("(a b)"), "E_ION_TYPE: an s-expression has no DynamoDB value (line 2, byte 38, item 1, attribute a)"),
        (
            item("0.1e0"),
            "E_ION_TYPE: a float that is no exact number of 38 digits has no DynamoDB value (line 2, byte 38, item 1, attribute a)",
        ),
        (item("nan"), "E_ION_TYPE: a float that is no number has no DynamoDB value (line 2, byte 38, item 1, attribute a)"),
        (item("$0"), "E_ION_TYPE: a symbol without text has no DynamoDB value (line 2, byte 38, item 1, attribute a)"),
        (item("$99"), "E_ION: not a valid Ion value: \"$99\" (line 2, byte 38, item 1, attribute a)"),
        (
            item("x::1."),
            "E_ANNOTATION: the annotation \"x\" is none of $dynamodb_SS, $dynamodb_NS, $dynamodb_BS (line 2, byte 38, item 1, attribute a)",
        ),
        (
            item("$dynamodb_SS::\"x\""),
            "E_ANNOTATION: $dynamodb_SS annotates a list, and this is none (line 2, byte 38, item 1, attribute a)",
        ),
        (item("$dynamodb_NS::[1.,\"x\"]"), "E_SET: the members of NS must be numbers (line 2, byte 56, item 1, attribute a)"),
        (item("$dynamodb_NS::[1.,1.0]"), "E_SET: a member stands twice in the set (line 2, byte 56, item 1, attribute a)"),
        (item("$dynamodb_SS::[\"x\",'''x''']"), "E_SET: a member stands twice in the set (line 2, byte 57, item 1, attribute a)"),
        (item("\"x\",ok:\"y\""), "E_DUPLICATE_ATTRIBUTE: the attribute stands twice in one object (line 2, byte 42, item 1, attribute ok)"),
        (item("01."), "E_ION: not a valid Ion value: \"01.\" (line 2, byte 38, item 1, attribute a)"),
        (item("\"x"), "E_ION: expected the end of the string, found the end of the line (line 2, byte 42, item 1, attribute a)"),
        (item("[1."), "E_ION: expected `,` or `]`, found '}' (line 2, byte 41, item 1, attribute a)"),
        (item("{b:1."), "E_ION: expected `}`, found the end of the data (line 3, byte 46, item 1)"),
        (item("\"\u{1}\""), "E_ION: control character 0x01 in a string; it must be escaped (line 2, byte 39, item 1, attribute a)"),
        ("[1., 2.]".into(), "E_RECORD: a record must be a struct (line 2, byte 24, item 1)"),
        ("{a:1.}".into(), "E_RECORD: the record does not begin with `Item` (line 2, byte 23, item 1)"),
        ("{Item:{a:1.},b:2.}".into(), "E_BESIDE_ITEM: a member beside `Item` (line 2, byte 36, item 1)"),
        (
            "{Record:{Keys:{a:1.},Metadata:{WriteTimestampMicros:1.}}}".into(),
            "E_RECORD: a record of an incremental export in a full one (line 2, byte 23, item 1)",
        ),
        ("$ion_1_1 {Item:{}}".into(), "E_ION_VERSION: an Ion version other than 1.0 (line 2, byte 23, item 1)"),
        ("{a".into(), "E_ION: expected `:`, found the end of the data (line 3, byte 26, item 1)"),
        ("}".into(), "E_ION: expected a value, found '}' (line 2, byte 23, item 1)"),
    ] {
        let error = one_error(format!("$ion_1_0 {{Item:{{a:1.}}}}\n{line}\n").as_bytes(), Form::Wrapped);
        assert_eq!(error.to_string(), text, "{line}");
    }
    let deep = |levels: usize| format!("{{Item:{{a:{}1.{}}}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(read(deep(64).as_bytes(), 1000, Form::Wrapped, false).1.fatal, None);
    assert_eq!(one_error(deep(65).as_bytes(), Form::Wrapped).code(), Code::Nesting);
    assert_eq!(one_error(deep(10_000).as_bytes(), Form::Wrapped).code(), Code::Nesting);
    assert_eq!(one_error(b"{Item:{a:\"\xff\"}}", Form::Wrapped).code(), Code::Utf8);
    assert_eq!(one_error(b"[{Item:{}}", Form::Wrapped).code(), Code::Truncated);
    assert_eq!(one_error(b"{Keys:{a:1.},Metadata:{WriteTimestampMicros:1.}}", Form::Either).code(), Code::Incremental);
}

/// What follows a broken record is read on, and its parts are no records.
#[test]
fn reading_goes_on_behind_broken_records() {
    for (text, records, items) in [
        ("$ion_1_0 {Item:{a:\"x}}\n $ion_1_0 {Item:{a:1.}}\n", 2, 1),
        ("$ion_1_0 {Item:{a:(}}\n$ion_1_0 {Item:{a:1.}}\n", 2, 1),
        ("{Item:{a:[\n {a:1.},\n {b:}\n]}}\n{Item:{a:1.}}\n", 2, 1),
        ("[\n {Item:{a:x::1.}},\n {Item:{a:1.}},\n {Item:{a:\n },\n {Item:{}}\n]", 4, 2),
        ("{Item:{a:1d999}} {Item:{a:1.}}", 2, 1),
        ("{Item:{a:\"\u{fffd}\"}}{Item:{a:1.}}", 2, 2),
        ("{Item:{a:'''\n{Item:{a:1.}}\n", 2, 1),
        ("{Item:{a:/*\n{Item:{a:1.}}\n", 1, 0),
        ("} ]\n{Item:{}}", 2, 1),
    ] {
        for chunk in [1, 3, 1000] {
            let (found, outcome) = read(text.as_bytes(), chunk, Form::Wrapped, true);
            assert_eq!(outcome.fatal, None, "{text}");
            assert_eq!((outcome.records, found.len()), (records, items), "{text}: {:?}", outcome.errors);
        }
    }
    let bytes = b"{Item:{a:\"\xff\"}} {Item:{a:1.}}\n\xff\n{Item:{a:2.}} // \xff\n{Item:{}}";
    let (found, outcome) = read(bytes, 1000, Form::Wrapped, true);
    assert_eq!((outcome.records, found.len()), (6, 3), "{:?}", outcome.errors);
}

/// Binary Ion, which ion-rs wrote.
#[test]
fn binary_is_read() {
    use ion_rs::v1_0::Binary;
    let text = r#"{Item:{a:"x",b:[1.,{c:null}],s:$dynamodb_SS::["p","q"],n:5,z:{{aGVsbG8=}}}} {a:"y"} [{Item:{a:"z"}},{a:word}]"#;
    let binary = Element::read_all(text).expect("Ion").encode_as(Binary).expect("binary");
    let (expected, _) = read(text.as_bytes(), 1000, Form::Either, false);
    assert_eq!(expected.len(), 4);
    let twice = [&binary[..], &binary[..]].concat();
    for chunk in [1, 7, 1000] {
        let (items, outcome) = read(&twice, chunk, Form::Either, false);
        assert_eq!(outcome.fatal, None);
        assert_eq!(items, [&expected[..], &expected[..]].concat());
    }
    for cut in 5..binary.len() {
        let (_, outcome) = read(&binary[..cut], 1000, Form::Either, true);
        assert!(outcome.fatal.is_none_or(|error| error.code() == Code::Truncated), "cut at {cut}");
    }
    let (_, outcome) = read(&[&binary[..], &[0xe0, 1, 1, 0xea]].concat(), 1000, Form::Either, true);
    assert_eq!(outcome.fatal.map(|error| error.code()), Some(Code::IonVersion));
}

/// A list that is not closed, wherever the file ends.
#[test]
fn lists_that_end_too_early() {
    for text in [
        "$ion_1_0 [\n",
        "$ion_1_0 [{Item:{a:\"x\"}},\n",
        "$ion_1_0 [{Item:{a:\"x\"}}\n\n  ",
        "$ion_1_0 {Item:{}}\n$ion_1_0 [{Item:{}}\n",
        "[{a:1.}",
        "{a:1.}[",
    ] {
        assert_eq!(one_error(text.as_bytes(), Form::Either).code(), Code::Truncated, "{text}");
        let line = crate::format::line::loads(text.as_bytes(), crate::ExportFormat::Ion);
        assert_eq!(line.map_err(|error| error.code()), Err(Code::Truncated), "{text}");
    }
    let good = Element::read_all("{a:1.}").expect("Ion").encode_as(ion_rs::v1_0::Binary).expect("binary");
    for (tail, code) in [(&b"\x8e"[..], Code::Truncated), (b"\xd5\x8a", Code::Truncated), (b"\xff\xff", Code::Ion)] {
        let error = crate::format::line::loads(&[&good[..], tail].concat(), crate::ExportFormat::Ion).expect_err("a broken tail");
        assert_eq!(error.code(), code);
    }
}

/// Long files are cut into the same blocks, and give the same items, for any chunks.
#[test]
fn chunks_do_not_show() {
    let lines = |before: &str, behind: &str| {
        let mut text = String::new();
        for n in 0..60_000 {
            text.push_str(&format!("{before}{{Item:{{n:{n}.,text:\"{}\"}}}}{behind}\n", "y".repeat(n % 60)));
        }
        text
    };
    let streams = [
        lines("$ion_1_0 ", ""),
        lines(" $ion_1_0 ", " // said"),
        lines("", ""),
        format!("$ion_1_0 [\n{}]", lines("  ", ",")),
        lines("$ion_1_0 ", "").replace("{Item:{n:59000.", "{Item:{m:'''5\n$ion_1_0 {Item:{}}9000''',n:1."),
        lines("", "").replace("{Item:{n:300", "{Item:{n:]300"),
    ];
    for text in streams {
        let (items, outcome) = read(text.as_bytes(), text.len(), Form::Wrapped, true);
        assert!(outcome.fatal.is_none() && items.len() > 50_000, "{:?} {}", outcome.fatal, items.len());
        for chunk in [4_093, 65_537] {
            let (found, again) = read(text.as_bytes(), chunk, Form::Wrapped, true);
            assert!(found == items, "chunks of {chunk}");
            assert_eq!((again.records, again.skipped, again.errors), (outcome.records, outcome.skipped, outcome.errors.clone()));
        }
    }
}

/// The cutter and the decoder pass over the same bytes.
#[test]
fn a_missing_comma_costs_one_record() {
    let (items, outcome) = read(b"[{Item:{a:1.}} {Item:{a:2.}}, {Item:{a:3.}}]", 3, Form::Wrapped, true);
    assert_eq!((outcome.fatal, items.len(), outcome.skipped), (None, 2, 1));
    let text = format!("[\n{{Item:{{}}}} {{Item:{{}}}},{}\n{{Item:{{}}}},\n{{Item:{{}}}}\n]", "{Item:{a:\"0123456789\"}},".repeat(100_000));
    for chunk in [4_093, 1 << 20] {
        let (items, outcome) = read(text.as_bytes(), chunk, Form::Wrapped, true);
        assert_eq!((outcome.fatal, items.len(), outcome.skipped), (None, 100_003, 1));
    }
}

/// A marker inside a value is a symbol, also at the start of a line.
#[test]
fn markers_inside_values() {
    for place in 0..64 {
        let text = format!(
            "$ion_1_0 {{Item:{{}}}}\n$ion_1_0 {{Item:{{}}}}\n$ion_1_0 {{Item:{{a:\"{}\"}}}}\n$ion_1_0 {{Item:{{b:1.,\n$ion_1_0:\"x\",c:\n$ion_1_0\n}}}}\n",
            "x".repeat((1 << 20) - 110 + place)
        );
        let (items, outcome) = read(text.as_bytes(), 65_537, Form::Wrapped, false);
        assert_eq!((outcome.fatal, items.len()), (None, 4), "{place}");
    }
}

/// Symbol tables: replaced, added to, many, and some that are none.
#[test]
fn symbol_tables() {
    let text = "$ion_symbol_table::{symbols:[\"abcdefghijkl\"]}\n{a:$10}\n".repeat(20_000);
    let (items, outcome) = read(text.as_bytes(), 65_537, Form::Either, false);
    assert_eq!((outcome.fatal, items.len()), (None, 20_000));
    let names: String = (0..5_000).map(|n| format!("\"s{n}\",")).collect();
    let values: String = (0..5_000).map(|n| format!("{{a:${},b:5e0}}\n", n + 10)).collect();
    let (items, outcome) = read(format!("$ion_symbol_table::{{symbols:[{names}]}}\n{values}").as_bytes(), 65_537, Form::Either, false);
    assert_eq!((outcome.fatal, items.len()), (None, 5_000));
    assert!(format!("{:?}", items[4_999]).starts_with(r#"[("a", S("s4999"))"#));
    for (text, code) in [
        ("$ion_symbol_table::{{aGVs}} {a:5e0}", Code::Record),
        ("$ion_symbol_table::null.struct {a:5e0}", Code::Record),
        ("$ion_symbol_table::{symbols:[\"a\"]} {a:$11}", Code::Ion),
    ] {
        assert_eq!(one_error(text.as_bytes(), Form::Either).code(), code, "{text}");
    }
}

/// One bad value of binary Ion costs one record, in a list too, and no other is lost.
#[test]
fn bad_binary_values_cost_themselves() {
    use ion_rs::v1_0::Binary;
    let text = "{a:1.} {a:2.} [{a:3.}, {a:4.}, 2007T, {a:5.}] {a:6.}";
    let binary = Element::read_all(text).expect("Ion").encode_as(Binary).expect("binary");
    for chunk in [1, 1000] {
        let (items, outcome) = read(&binary, chunk, Form::Either, true);
        assert_eq!((outcome.fatal, items.len(), outcome.skipped), (None, 6, 1), "{:?}", outcome.errors);
    }
    let good = |n: u8| vec![0xd4, 0x84, 0x52, 0xc0, n];
    for bad in
        [&[0xe4, 0x81, 0x83, 0x21, 0x05][..], &[0xe3, 0x81, 0x83, 0xdf], &[0xe4, 0x82, 0x00, 0x83, 0xdf], &[0x12], &[0x82, b'a', 0xff]]
    {
        let bytes = [&binary::MARKER[..], &good(1), bad, &good(2), &good(3)].concat();
        let (items, outcome) = read(&bytes, 1000, Form::Either, true);
        assert_eq!((outcome.fatal, items.len(), outcome.skipped), (None, 3, 1), "{bad:x?}: {:?}", outcome.errors);
    }
}

/// Hostile text ends in a time that grows with its size.
#[test]
fn hostile_text_ends() {
    let texts = [
        "{a:(/*'''*/'''\n".repeat(60_000),
        "{a:[\n".repeat(300_000),
        "{a:{{x\n".repeat(300_000),
        "{a:/*\n".repeat(300_000),
        "[\n".repeat(300_000),
        format!("{{Item:{{a:1.}}}}\n{}{{Item:{{a:1.}}}}", " ".repeat(8 << 20)),
        format!("{{Item:{{a:1.}}\n{}{{Item:{{a:1.}}}}", " ".repeat(8 << 20)),
    ];
    for text in texts {
        let (_, outcome) = read(text.as_bytes(), 256 << 10, Form::Either, true);
        assert!(outcome.records > 0);
    }
    let (_, outcome) = read(&[&binary::MARKER[..], &vec![0x12; 400_000]].concat(), 256 << 10, Form::Either, true);
    assert_eq!(outcome.skipped, 400_000);
}

/// A record that is broken far on is passed over as a whole, wherever blocks end.
#[test]
fn far_broken_records() {
    for lines in [10_000, 17_400, 17_470, 17_476, 20_000] {
        let good = "{Item:{a:\"0123456789012345678901234567890123456789012345\"}}\n";
        let text = format!("{}{{Item:{{a:'''\n{}'''b}}}}\n{}", good.repeat(lines), good.repeat(40_000), good.repeat(100));
        let (items, outcome) = read(text.as_bytes(), 1 << 20, Form::Wrapped, true);
        assert_eq!((outcome.fatal, items.len(), outcome.skipped), (None, lines + 100, 1), "{lines}: {:?}", outcome.errors);
        for chunk in [4_093, 65_537] {
            let (_, again) = read(text.as_bytes(), chunk, Form::Wrapped, true);
            assert_eq!((again.records, &again.errors), (outcome.records, &outcome.errors), "chunks of {chunk}");
        }
    }
}
