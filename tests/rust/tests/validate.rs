//! The dry run of imports beyond the facts: what a slow reader of the rules says of random objects, every
//! finding with its place, and what is assumed of what nobody knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use dynarrow::codec::{Codec, Compressor};
use dynarrow::import::log;
use dynarrow::import::objects::Objects;
use dynarrow::import::unknown::{Assumed, Assumptions, Unknown};
use dynarrow::import::validate::{ValidateOptions, validate_objects};
use dynarrow::storage::memory::Memory;
use dynarrow::{Control, ImportFinding, ImportReport, TableSpec};
use dynarrow_tests::cases;
use proptest::prelude::*;
use serde_json::{Value, json};

fn spec(format: &str, compression: &str) -> TableSpec {
    let document = json!({
        "S3BucketSource": {"S3Bucket": "bucket"},
        "InputFormat": format,
        "InputCompressionType": compression,
        "TableCreationParameters": {
            "TableName": "orders",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "BillingMode": "PAY_PER_REQUEST"
        }
    });
    TableSpec::from_json(&document).expect("a spec")
}

fn compressed(text: &str, codec: Codec) -> Vec<u8> {
    let mut compressor = Compressor::new(codec, Vec::new());
    std::io::Write::write_all(&mut compressor, text.as_bytes()).expect("memory");
    compressor.finish().expect("memory")
}

fn bucket(objects: &[(&str, Vec<u8>)]) -> Objects {
    let mut memory = Memory::default();
    for (key, bytes) in objects {
        memory.insert(*key, &bytes[..]);
    }
    Objects::of(Arc::new(memory), None).expect("lists")
}

/// The report, and all findings, whatever the number of threads.
fn check(objects: &Objects, spec: &TableSpec, options: &ValidateOptions) -> (ImportReport, Vec<ImportFinding>) {
    let [first, second, third] = [1, 2, 5].map(|threads| {
        let mut found = Vec::new();
        let options = ValidateOptions { threads, ..options.clone() };
        let report = validate_objects(objects, spec, options, &Control::default(), |finding| {
            found.push(finding.clone());
            Ok(())
        });
        (report.expect("a report"), found)
    });
    assert_eq!(first, second);
    assert_eq!(first, third);
    first
}

fn one(text: &str, spec: &TableSpec, options: &ValidateOptions) -> (ImportReport, Vec<ImportFinding>) {
    check(&bucket(&[("a", text.as_bytes().to_vec())]), spec, options)
}

/// Item, line, byte, reached, and the first message.
fn places(found: &[ImportFinding]) -> Vec<(u64, u64, u64, bool, String)> {
    let place = |finding: &ImportFinding| {
        let at = |at: Option<u64>| at.expect("a place");
        (at(finding.item), at(finding.line), at(finding.byte), finding.reached, finding.messages[0].clone())
    };
    found.iter().map(place).collect()
}

fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    (report.processed, report.imported, report.errors, report.beyond)
}

fn good(pk: &str, sk: u32) -> String {
    json!({"Item": {"pk": {"S": pk}, "sk": {"N": sk.to_string()}}}).to_string()
}

#[test]
fn json_goes_on_behind_what_cannot_be_read() {
    let missing = "One or more parameter values were invalid: Missing the key sk in the item";
    let text = format!(
        "{}\n{}\n{{\"Item\":{{\"pk\"\n{}\n{{\"pk\":{{\"S\":\"x\"}}}}\n\n{}\n",
        good("a", 1),
        r#"{"Item":{"pk":{"S":"b"}}}"#,
        r#"{"Item":{"pk":{"S":"c"},"n":{"N":"x"}}}"#,
        good("d", 1)
    );
    let (report, found) = one(&text, &spec("DYNAMODB_JSON", "NONE"), &ValidateOptions::default());
    let expected = [
        (1, 2, 41, true, missing.to_owned()),
        (2, 3, 77, true, "expected `:`, found a newline".to_owned()),
        (3, 4, 105, false, "The parameter cannot be converted to a numeric value: x".to_owned()),
        (4, 5, 118, false, "the record does not begin with `Item`".to_owned()),
    ];
    let found_places = places(&found);
    assert_eq!(found_places.iter().map(|place| (place.0, place.1, place.3)).collect::<Vec<_>>(), expected.clone().map(|e| (e.0, e.1, e.3)));
    assert_eq!(found_places[0], expected[0]);
    assert_eq!((&found_places[2].4, &found_places[3].4), (&expected[2].4, &expected[3].4));
    assert_eq!(found[2].path.as_deref(), Some("n"));
    assert_eq!(counts(&report), (3, 1, 2, 2));
    assert_eq!((report.stopped, report.items, report.bytes), (1, 3, text.len() as u64));
}

#[test]
fn csv_goes_on_at_the_next_record() {
    let text = "pk,sk,v\na,1,x\nb,1,5\" disk\nc,one,x\nd,1\ne,1,x\n";
    let (report, found) = one(text, &spec("CSV", "NONE"), &ValidateOptions::default());
    let all: Vec<_> = found.iter().map(|f| (f.item, f.line, f.code.as_str(), f.reached, f.level.as_str())).collect();
    assert_eq!(
        all,
        [
            (Some(1), Some(3), "E_CSV", true, "error"),
            (Some(2), Some(4), "E_NUMBER", false, "error"),
            (Some(3), Some(5), "E_CSV_COLUMNS", false, "unverified"),
        ]
    );
    assert_eq!(counts(&report), (2, 1, 1, 2));
}

#[test]
fn ion_goes_on_at_the_next_line() {
    let text = "$ion_1_0 {Item:{pk:\"a\",sk:1.}}\n$ion_1_0 {Item:{pk:\"b\",sk:}}\n$ion_1_0 {Item:{pk:\"c\",sk:1}}\n$ion_1_0 {Item:{pk:'d',sk:1.}}\n";
    let (report, found) = one(text, &spec("ION", "NONE"), &ValidateOptions::default());
    let all: Vec<_> = found.iter().map(|f| (f.item, f.line, f.code.as_str(), f.reached, f.level.as_str(), f.unknown)).collect();
    assert_eq!(
        all,
        [
            (Some(1), Some(2), "E_ION", true, "error", None),
            (Some(2), Some(3), "E_IMPORT", false, "error", Some(Unknown::ValueFaults)),
            (Some(3), Some(4), "E_IMPORT", false, "unverified", Some(Unknown::IonTypes)),
        ]
    );
    assert_eq!(found[1].messages, ["an Ion int (1), not a decimal (1.) is not among the types that AWS documents for imports"]);
    assert_eq!(counts(&report), (2, 1, 1, 2));
}

#[test]
fn blocks_of_many_bad_records_are_kept_whole() {
    // 70,000 rows to a block and more: ragged ones, then ten without a key.
    let ragged: String = "id,v\n".to_owned() + &"1\n".repeat(200_000);
    let key = TableSpec::short(&["id:N"]).expect("a spec");
    let (report, found) = one(&ragged, &key, &ValidateOptions::default());
    assert_eq!((report.ok(), report.unverified, found.len(), report.omitted), (true, 200_000, 200_000, 199_000));
    let rows: String = (0..70_000).map(|n| format!("{n},\n")).collect();
    let text = format!("id,v\n{rows}{}", ",a\n".repeat(10));
    let entries = vec![log::LogEntry { key: "a".into(), item: 69_999, messages: Vec::new() }];
    let (report, _) = one(&text, &key, &ValidateOptions { log: entries, ..ValidateOptions::default() });
    assert_eq!((counts(&report), report.located[0].line), ((70_010, 70_000, 10, 0), Some(70_001)));
    let stopped = format!("{}garbage\n{}\n", "{\"Item\":{}}\n".repeat(70_000), good("a", 1));
    let (report, _) = one(&stopped, &spec("DYNAMODB_JSON", "NONE"), &ValidateOptions::default());
    assert_eq!((counts(&report), report.stopped), ((70_001, 0, 70_001, 0), 1));
}

#[test]
fn a_byte_order_mark_tells_no_format() {
    let key = TableSpec::short(&["pk:S", "sk:N"]).expect("a spec");
    for text in [format!("\u{feff}{}\n{}\n", good("a", 1), good("b", 1)), "\u{feff}$ion_1_0 {Item:{pk:\"a\",sk:1.}}\n".into()] {
        let (report, _) = one(&text, &key, &ValidateOptions::default());
        assert_ne!(report.to_json()["input"]["format"], "CSV");
    }
    // An empty object has no format.
    let objects = bucket(&[("_SUCCESS", Vec::new()), ("a", b"pk,sk\na,1\n".to_vec())]);
    let (report, _) = check(&objects, &key, &ValidateOptions::default());
    assert_eq!((report.imported, report.findings.iter().filter(|f| f.messages[0].contains("several")).count()), (1, 0));
}

#[test]
fn a_prefix_is_said() {
    let key = TableSpec::short(&["pk:S", "sk:N"]).expect("a spec").with_prefix(Some("data/"));
    let (report, _) = one(&good("a", 1), &key, &ValidateOptions::default());
    assert_eq!(report.description()["S3BucketSource"], json!({"S3KeyPrefix": "data/"}));
    let other = spec("DYNAMODB_JSON", "NONE").with_prefix(Some("x")).with_prefix(None);
    assert_eq!(other.to_json()["S3BucketSource"], json!({"S3Bucket": "bucket", "S3KeyPrefix": "x"}));
}

#[test]
fn an_odd_first_line_hides_nothing() {
    let text = format!("# items\n{}\n{{\n]\n{}\n", good("a", 1), good("b", 1));
    let (report, found) = one(&text, &spec("DYNAMODB_JSON", "NONE"), &ValidateOptions::default());
    let all: Vec<_> = found.iter().map(|f| (f.item, f.line, f.reached)).collect();
    assert_eq!(all, [(Some(0), Some(1), true), (Some(2), Some(3), false), (Some(3), Some(4), false)]);
    assert_eq!((counts(&report), report.omitted, report.items), ((1, 0, 1, 2), 0, 2));
}

/// What each unknown costs: nothing and unverified, an error where the check is strict, and what a rule says.
#[test]
fn assumptions() {
    let lines = |bad: &str| format!("{}\n{bad}\n{}\n{}\n", good("a", 1), good("b", 1), good("c", 1));
    let after = r#""pk":{"S":"x"},"sk":{"N":"1"}"#;
    let strict_costs_item = [
        (Unknown::BesideItem, "DYNAMODB_JSON", lines(&format!("{{\"Item\":{{{after}}},\"x\":1}}"))),
        (Unknown::DuplicateAttributes, "DYNAMODB_JSON", lines(&format!("{{\"Item\":{{{after},\"pk\":{{\"S\":\"y\"}}}}}}"))),
        (
            Unknown::IonTypes,
            "ION",
            "{Item:{pk:\"a\",sk:1.}}\n{Item:{pk:\"x\",sk:1e0}}\n{Item:{pk:\"b\",sk:1.}}\n{Item:{pk:\"c\",sk:1.}}\n".into(),
        ),
        (Unknown::CsvColumns, "CSV", "pk,sk\na,1\nx\nb,1\nc,1\n".into()),
    ];
    for (unknown, format, text) in strict_costs_item {
        let spec = spec(format, "NONE");
        let run = |assumptions: Assumptions| one(&text, &spec, &ValidateOptions { assumptions, ..ValidateOptions::default() });
        let (report, found) = run(Assumptions::default());
        assert_eq!((counts(&report), report.unverified), ((4, 4, 0, 0), 1), "{unknown}");
        assert_eq!((found.len(), found[0].unknown, found[0].item), (1, Some(unknown), Some(1)), "{unknown}");
        assert_eq!(counts(&run(Assumptions::default().strict(true)).0), (4, 3, 1, 0), "{unknown}");
        let (accepted, none) = run(Assumptions::default().strict(true).assume(unknown, Assumed::Accept));
        assert_eq!((counts(&accepted), none.len()), ((4, 4, 0, 0), 0), "{unknown}");
        let (stopped, _) = run(Assumptions::default().assume(unknown, Assumed::Object));
        assert_eq!(counts(&stopped), (2, 1, 1, 0), "{unknown}");
    }
    let item = format!("{{\"Item\":{{{after}}}}}");
    let of_objects = [
        (Unknown::JsonArray, "DYNAMODB_JSON", format!("[{item},{item}]").into_bytes()),
        (Unknown::JsonDocument, "DYNAMODB_JSON", format!("{{\n\"Item\":{{{after}}}\n}}\n{{\n\"Item\":{{{after}}}\n}}").into_bytes()),
        (Unknown::ByteOrderMark, "DYNAMODB_JSON", format!("\u{feff}{item}\n{item}\n").into_bytes()),
        (Unknown::ByteOrderMark, "CSV", "\u{feff}pk,sk\na,1\n".as_bytes().to_vec()),
        (Unknown::CsvHeader, "CSV", b"pk,sk,sk\na,1,2\n".to_vec()),
        (
            Unknown::NotUtf8,
            "DYNAMODB_JSON",
            [item.as_bytes(), b"\n{\"Item\":{\"pk\":{\"S\":\"\xff\"},\"sk\":{\"N\":\"1\"}}}\n", item.as_bytes()].concat(),
        ),
    ];
    for (unknown, format, bytes) in of_objects {
        let (objects, spec) = (bucket(&[("a", bytes)]), spec(format, "NONE"));
        let run = |assumptions: Assumptions| check(&objects, &spec, &ValidateOptions { assumptions, ..ValidateOptions::default() });
        let (report, found) = run(Assumptions::default());
        assert!(report.ok() && report.unverified == 1, "{unknown}: {report:?}");
        assert_eq!((found.len(), found[0].unknown), (1, Some(unknown)));
        let (strict, _) = run(Assumptions::default().strict(true));
        assert_eq!((strict.errors, strict.stopped), (1, 1), "{unknown}: {strict:?}");
        assert!(run(Assumptions::default().assume(unknown, Assumed::Accept)).1.is_empty(), "{unknown}");
    }
    // Counted by default: what PutItem refuses.
    let text = lines(r#"{"Item":{"pk":{"S":"x"},"sk":{"N":"1"},"n":{"N":""}}}"#);
    let run = |assumptions: Assumptions| {
        counts(&one(&text, &spec("DYNAMODB_JSON", "NONE"), &ValidateOptions { assumptions, ..ValidateOptions::default() }).0)
    };
    assert_eq!(run(Assumptions::default()), (4, 3, 1, 0));
    assert_eq!(run(Assumptions::default().assume(Unknown::ValueFaults, Assumed::Object)), (2, 1, 1, 0));
}

#[test]
fn an_object_in_another_form_is_one_error_and_a_hint() {
    let json = format!("{}\n{}\n", good("a", 1), good("b", 1));
    let objects = bucket(&[
        ("1.json.gz", compressed(&json, Codec::Gzip)),
        ("2.json", json.clone().into_bytes()),
        ("3.ion.gz", compressed("$ion_1_0 {Item:{pk:\"a\",sk:1.}}\n$ion_1_0 {Item:{pk:\"b\",sk:1.}}\n", Codec::Gzip)),
        ("4.json.gz", compressed(&json, Codec::Gzip)[..40].to_vec()),
        ("5.json.gz", [compressed(&json.repeat(40_000), Codec::Gzip), compressed(&json, Codec::Gzip)[..40].to_vec()].concat()),
    ]);
    let (report, found) = check(&objects, &spec("DYNAMODB_JSON", "GZIP"), &ValidateOptions::default());
    let all: Vec<_> =
        found.iter().map(|f| (f.key.as_deref().expect("an object"), f.code.as_str(), f.messages.last().map(|m| &**m))).collect();
    assert_eq!(
        all[..2],
        [
            ("2.json", "E_COMPRESSION", Some("the object is not compressed, and InputCompressionType is GZIP")),
            ("3.ion.gz", "E_JSON", Some("the object does not look like DYNAMODB_JSON")),
        ]
    );
    // The second line of the object in Ion stands in the log, and is not listed.
    assert_eq!((all[2].0, found[2].reached, report.omitted), ("3.ion.gz", false, 1));
    assert_eq!((all[3].0, all[3].1, found[3].item), ("4.json.gz", "E_TRUNCATED", Some(0)));
    // Of what stands before the break the last mebibyte is not looked at.
    let before = found[4].item.expect("an item");
    assert_eq!((all[4].0, all[4].1, all.len()), ("5.json.gz", "E_TRUNCATED", 5));
    assert!((50_000..80_000).contains(&before), "{before}");
    assert_eq!((report.processed, report.imported, report.errors, report.beyond), (6 + before, 2 + before, 4, 1));
    let advice: Vec<_> = report.findings.iter().filter(|f| f.key.is_none()).map(|f| &*f.messages[0]).collect();
    assert!(advice.contains(&"objects of several compressions (GZIP, NONE): an import reads one"), "{advice:?}");
    assert!(advice.contains(&"objects of several formats (dynamodb_json, ion): an import reads one"), "{advice:?}");
}

#[test]
fn entries_of_aws_are_located() {
    let text = format!("{}\n\n{}\n{}\n", good("a", 1), r#"{"Item":{"pk":{"S":"b"}}}"#, good("c", 1));
    let entry = |key: &str, item: u64| {
        json!({"itemS3Pointer": {"bucket": "b", "key": key, "itemIndex": item}, "importArn": "arn", "errorMessages": ["said"]}).to_string()
    };
    let lines = [entry("a", 1), entry("a", 2), entry("a", 7), entry("gone", 0)].join("\n");
    let events: Vec<_> = lines.lines().map(|line| json!({"timestamp": 1, "message": line})).collect();
    let entries = log::parse(&lines).expect("a log");
    assert_eq!(log::parse(&json!({ "events": events }).to_string()).expect("a log"), entries);
    let options = ValidateOptions { log: entries, ..ValidateOptions::default() };
    let (report, _) = one(&text, &spec("DYNAMODB_JSON", "NONE"), &options);
    let located: Vec<_> = report.located.iter().map(|l| (l.item, l.line, l.byte, l.found.len(), &*l.messages[0])).collect();
    assert_eq!(
        located,
        [(1, Some(3), Some(42), 1, "said"), (2, Some(4), Some(68), 0, "said"), (7, None, None, 0, "said"), (0, None, None, 0, "said")]
    );
    assert_eq!(counts(&report), (3, 2, 1, 0), "what is located is counted as ever");
    let error = log::parse("{}\n").expect_err("no entry");
    assert_eq!((error.code().as_str(), error.line()), ("E_FORMAT", Some(1)));
}

#[test]
fn the_short_form_tells_format_and_compression() {
    let key = TableSpec::short(&["pk:S", "sk:N"]).expect("a spec");
    let json = format!("{}\n", good("a", 1));
    for (text, codec, told) in [
        (&*json, Codec::None, ("DYNAMODB_JSON", "NONE", Value::Null)),
        (&json, Codec::Zstd, ("DYNAMODB_JSON", "ZSTD", Value::Null)),
        ("$ion_1_0 {Item:{pk:\"a\",sk:1.}}\n", Codec::Gzip, ("ION", "GZIP", Value::Null)),
        ("pk,sk\na,1\n", Codec::None, ("CSV", "NONE", ",".into())),
        ("sk;pk;a,b,c,d\n1;a;x\n", Codec::None, ("CSV", "NONE", ";".into())),
        ("sk;pk\n1;a\n", Codec::Zstd, ("CSV", "ZSTD", ";".into())),
        ("$ion_1_0 {Item:{pk:\"a\",sk:1.}}\n", Codec::Zstd, ("ION", "ZSTD", Value::Null)),
        ("pk\tsk\na\t1\n", Codec::Gzip, ("CSV", "GZIP", "\t".into())),
    ] {
        let (report, _) = check(&bucket(&[("x", compressed(text, codec))]), &key, &ValidateOptions::default());
        let input = &report.to_json()["input"];
        assert_eq!((&input["format"], &input["compression"], &input["delimiter"]), (&told.0.into(), &told.1.into(), &told.2), "{text}");
        assert_eq!((input["told"].as_bool(), report.imported), (Some(true), 1), "{text}: {report:?}");
    }
    let parquet = bucket(&[("x", b"PAR1....".to_vec())]);
    let error = validate_objects(&parquet, &key, ValidateOptions::default(), &Control::default(), |_| Ok(())).expect_err("no import");
    assert_eq!(error.code().as_str(), "E_FORMAT");
}

/// A line of an object, and what the service does with it.
#[derive(Clone, Debug)]
enum Line {
    Good(u8, u8),
    Blank,
    NoKey,
    BadNumber,
    Broken,
    NoItem,
    Long(u8),
}

impl Line {
    fn text(&self) -> String {
        match self {
            // A number in one of its forms: keys are equal by value.
            Self::Good(pk, sk) => {
                format!("{{\"Item\":{{\"pk\":{{\"S\":\"{pk}\"}},\"sk\":{{\"N\":\"{sk}{}\"}}}}}}", ["", ".0", "e0"][*sk as usize % 3])
            }
            Self::Blank => "  ".into(),
            Self::NoKey => r#"{"Item":{"sk":{"N":"1"}}}"#.into(),
            Self::BadNumber => r#"{"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"n":{"N":"1e400"}}}"#.into(),
            Self::Broken => r#"{"Item":{"pk":{"S":"a"},"sk""#.into(),
            Self::NoItem => r#"{"pk":{"S":"a"},"sk":{"N":"1"}}"#.into(),
            Self::Long(pk) => good(&format!("{pk}{}", "x".repeat(2000)), u32::from(*pk)),
        }
    }
}

fn any_line() -> impl Strategy<Value = Line> {
    prop_oneof![
        20 => (0..6_u8, 0..6_u8).prop_map(|(pk, sk)| Line::Good(pk, sk)),
        2 => Just(Line::Blank),
        2 => Just(Line::NoKey),
        1 => Just(Line::BadNumber),
        1 => Just(Line::Broken),
        1 => Just(Line::NoItem),
        4 => any::<u8>().prop_map(Line::Long),
    ]
}

proptest! {
    #![proptest_config(cases(60))]

    /// Counts, places and duplicates are those of a slow reader, for objects of many blocks too.
    #[test]
    fn as_a_slow_reader_says(objects in prop::collection::vec(prop::collection::vec(any_line(), 0..60), 1..4), times in 1..40_usize) {
        let (mut files, mut expected, mut keys) = (Vec::new(), Vec::new(), BTreeMap::<(String, String), Vec<(usize, u64)>>::new());
        let (mut processed, mut errors, mut beyond, mut processed_bytes) = (0, 0, 0, 0);
        for (place, lines) in objects.iter().enumerate() {
            let (mut text, mut item, mut stop) = (String::new(), 0_u64, None);
            for (line_number, line) in std::iter::repeat_n(lines, times).flatten().enumerate() {
                let (bad, stops) = match line {
                    Line::Blank | Line::Good(..) | Line::Long(_) => (false, false),
                    Line::NoKey | Line::BadNumber => (true, false),
                    Line::Broken | Line::NoItem => (true, true),
                };
                let key = match line {
                    Line::Good(pk, sk) => Some((pk.to_string(), sk.to_string())),
                    Line::Long(pk) => Some((format!("{pk}{}", "x".repeat(2000)), pk.to_string())),
                    _ => None,
                };
                if let Some(key) = key {
                    keys.entry(key).or_default().push((place, item));
                }
                if bad {
                    expected.push((place, item, line_number as u64 + 1, stop.is_none()));
                    if stop.is_none() { errors += 1 } else { beyond += 1 }
                }
                if stops && stop.is_none() {
                    stop = Some(item);
                }
                item += u64::from(!matches!(line, Line::Blank));
                text += &line.text();
                text.push('\n');
            }
            processed += stop.map_or(item, |stop| stop + 1);
            if stop.is_none() {
                processed_bytes += text.len() as u64;
            }
            files.push((format!("{place}"), text));
        }
        let stored: Vec<_> = files.iter().map(|(key, text)| (key.as_str(), compressed(text, Codec::Gzip))).collect();
        let options = ValidateOptions { max_findings: 7, ..ValidateOptions::default() };
        let (report, found) = check(&bucket(&stored), &spec("DYNAMODB_JSON", "GZIP"), &options);
        let places: Vec<_> = found
            .iter()
            .map(|f| (f.key.as_deref().map_or(0, |key| key.parse().expect("a number")), f.item.unwrap_or(0), f.line.unwrap_or(0), f.reached))
            .collect();
        prop_assert_eq!(&places, &expected);
        prop_assert_eq!(counts(&report), (processed, processed - errors, errors, beyond));
        prop_assert_eq!(report.findings.iter().filter(|f| f.key.is_some()).count(), expected.len().min(7));
        prop_assert_eq!(report.omitted, expected.len().saturating_sub(7) as u64);
        if report.stopped == 0 {
            prop_assert_eq!(report.processed_bytes, processed_bytes);
        }
        let mut repeated: Vec<_> = keys.iter().filter(|(_, at)| at.len() > 1).collect();
        repeated.sort_by_key(|(_, at)| at[0]);
        prop_assert_eq!(report.duplicates.keys, repeated.len() as u64);
        prop_assert_eq!(report.duplicates.items, repeated.iter().map(|(_, at)| at.len() as u64 - 1).sum::<u64>());
        for (example, ((pk, sk), at)) in report.duplicates.examples.iter().zip(&repeated) {
            prop_assert_eq!(&example.key, &[("pk".to_owned(), pk.clone()), ("sk".to_owned(), sk.clone())]);
            let pointers = [&example.first, &example.second].map(|p| (p.key.parse::<usize>().expect("a number"), p.item));
            prop_assert_eq!((pointers[0], pointers[1]), (at[0], at[1]));
        }
    }
}
