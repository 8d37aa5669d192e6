//! What `prepare_import` writes passes the dry run and holds the same items, whatever the format; what an
//! import would refuse stands beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dynarrow::codec::{Codec, Decompressor, Progress};
use dynarrow::import::InputFormat;
use dynarrow::import::prepare::Shuffle;
use dynarrow::{
    Control, Export, Item, OnError, PrepareOptions, PrepareReport, ReadOptions, SourceFormat, TableSpec, ValidateOptions, open_export,
    prepare_import, validate_import,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::{any_item, cases, comparable_item, meaning};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn key() -> TableSpec {
    TableSpec::short(&["pk:S", "sk:N"]).expect("a spec")
}

fn source(items: &[Map<String, Value>]) -> Export {
    let lines: String = items.iter().map(|item| json!({ "Item": item }).to_string() + "\n").collect();
    files(vec![lines.into_bytes()], 1000)
}

fn prepare(source: &Export, dest: &Path, options: &PrepareOptions) -> PrepareReport {
    prepare_import(source, dest, &key(), options, &Control::default()).expect("a report")
}

fn read(source: &Export) -> Vec<Item> {
    source.items(&ReadOptions::default(), &Control::default()).expect("a reader").collect::<Result<_, _>>().expect("items")
}

fn comparable(items: &[Item]) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    items.iter().for_each(|item| *all.entry(comparable_item(item)).or_default() += 1);
    all
}

/// The report of the dry run of what was prepared, by the document that was written.
fn dry_run(dest: &Path) -> dynarrow::ImportReport {
    let mut document: Value = serde_json::from_slice(&fs::read(dest.join("import-table.json")).expect("a document")).expect("JSON");
    document["TableCreationParameters"]["TableName"] = "orders".into();
    document["S3BucketSource"]["S3Bucket"] = "bucket".into();
    let spec = TableSpec::from_json(&document).expect("AWS takes it");
    validate_import(&dest.display().to_string(), &spec, ValidateOptions::default(), &Control::default(), |finding| panic!("{finding:?}"))
        .expect("a report")
}

fn bytes_of(path: &Path) -> Vec<u8> {
    let mut decompressor = Decompressor::default();
    decompressor.push(&fs::read(path).expect("a file"));
    decompressor.finish();
    let (mut all, mut out) = (Vec::new(), vec![0; 1 << 16]);
    while let Progress::Bytes(count) = decompressor.read(&mut out).expect("whole") {
        all.extend_from_slice(&out[..count]);
    }
    all
}

/// Whether an attribute or a member of a map has no name.
fn has_empty_name(value: &Value) -> bool {
    match (value["M"].as_object(), value["L"].as_array()) {
        (Some(map), _) => map.iter().any(|(name, value)| name.is_empty() || has_empty_name(value)),
        (_, Some(list)) => list.iter().any(has_empty_name),
        _ => false,
    }
}

/// An item of the table; some have no key that an import takes.
fn any_keyed() -> impl Strategy<Value = (Map<String, Value>, bool)> {
    (any_item(), 0..50_u8, "[a-c]{1,3}", -5..5_i32).prop_map(|(mut item, fault, pk, sk)| {
        item.insert("pk".into(), json!({ "S": pk }));
        item.insert("sk".into(), json!({ "N": sk.to_string() }));
        match fault {
            0 => drop(item.remove("sk")),
            1 => drop(item.insert("pk".into(), json!({"S": ""}))),
            2 => drop(item.insert("sk".into(), json!({"S": "1"}))),
            3 => drop(item.insert("empty".into(), json!({"SS": []}))),
            _ => {}
        }
        let is_good = fault > 3 && !has_empty_name(&json!({ "M": item }));
        (item, is_good)
    })
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn what_is_prepared_imports(
        items in prop::collection::vec(any_keyed(), 0..60),
        ion: bool,
        codec in 0..3_usize,
        shuffle in 0..3_usize,
        file_size in 1..4000_u64,
        memory in 1..2000_u64,
        seed: u64,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let dest = folder.path().join("import");
        let options = PrepareOptions {
            to: Some(if ion { InputFormat::Ion } else { InputFormat::DynamodbJson }),
            compression: Some([Codec::None, Codec::Gzip, Codec::Zstd][codec]),
            shuffle: [Shuffle::Auto, Shuffle::Always, Shuffle::Never][shuffle],
            file_size,
            memory,
            seed,
            ..PrepareOptions::default()
        };
        let source = source(&items.iter().map(|(item, _)| item.clone()).collect::<Vec<_>>());
        let report = prepare(&source, &dest, &options);
        let of = |good: bool| items.iter().filter(|(_, is_good)| *is_good == good).map(|(item, _)| meaning(item)).collect::<Vec<_>>();
        let (good, bad) = (of(true), of(false));
        prop_assert_eq!((report.items, report.rejected), (good.len() as u64, bad.len() as u64));
        let checked = dry_run(&dest);
        prop_assert!(checked.ok());
        prop_assert_eq!((checked.imported, checked.bytes, checked.objects), (report.items, report.bytes, report.files.len() as u64));
        if !good.is_empty() {
            let back = read(&open_export(&dest.join("data").display().to_string()).expect("opens"));
            if shuffle == 1 {
                prop_assert_eq!(comparable(&back), comparable(&good));
            } else {
                let texts = |items: &[Item]| items.iter().map(comparable_item).collect::<Vec<_>>();
                prop_assert_eq!(texts(&back), texts(&good), "the order is kept");
            }
        }
        let rejected = fs::read_dir(&dest).expect("a folder").map(|entry| entry.expect("an entry").path());
        let rejected: Vec<_> = rejected.filter(|path| path.display().to_string().contains("/rejected.")).collect();
        prop_assert_eq!(rejected.len(), if bad.is_empty() { 0 } else { 2 });
        if !bad.is_empty() {
            let reasons = fs::read_to_string(dest.join("rejected.jsonl")).expect("reasons");
            prop_assert_eq!(reasons.lines().count(), bad.len());
            let items = rejected.iter().find(|path| !path.ends_with("rejected.jsonl")).expect("items").display().to_string();
            prop_assert_eq!(comparable(&read(&open_export(&items).expect("opens"))), comparable(&bad));
        }
        // The same seed gives the same files, on any number of threads.
        let again = folder.path().join("again");
        let threads = ReadOptions { threads: 3, ..ReadOptions::default() };
        let second = prepare(&source, &again, &PrepareOptions { read: threads, ..options });
        prop_assert_eq!(second.files.len(), report.files.len());
        for (a, b) in report.files.iter().zip(&second.files) {
            prop_assert_eq!(fs::read(&a.path).expect("a file"), fs::read(&b.path).expect("a file"));
        }
    }

    /// CSV holds strings: what else there is, is counted, and the keys keep their types.
    #[test]
    fn csv(rows in prop::collection::vec((0..9_u8, "[a-c\"\n,;\u{e9}]{0,5}", prop::option::of(0..9_i32)), 1..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let dest = folder.path().join("import");
        let item = |(n, (pk, text, number)): (usize, &(u8, String, Option<i32>))| {
            let mut item = json!({"pk": {"S": pk.to_string()}, "sk": {"N": n.to_string()}, "text": {"S": text}});
            if let Some(number) = number {
                item["number"] = json!({"N": number.to_string()});
            }
            item.as_object().expect("an object").clone()
        };
        let items: Vec<_> = rows.iter().enumerate().map(item).collect();
        let options = PrepareOptions { to: Some(InputFormat::Csv), shuffle: Shuffle::Always, file_size: 100, ..PrepareOptions::default() };
        let report = prepare(&source(&items), &dest, &options);
        let changed = rows.iter().map(|(_, text, number)| u64::from(text.is_empty()) + u64::from(number.is_some())).sum::<u64>();
        prop_assert_eq!((report.items, report.rejected, report.changed), (rows.len() as u64, 0, changed));
        prop_assert_eq!(dry_run(&dest).imported, report.items);
        let mut expected = items;
        for item in &mut expected {
            item.retain(|_, value| value["S"] != "");
            if let Some(number) = item.get("number").and_then(|number| number["N"].as_str()).map(str::to_owned) {
                item.insert("number".into(), json!({ "S": number }));
            }
        }
        let types = [("sk".to_owned(), dynarrow::event::Kind::N)].into_iter().collect();
        let csv = dynarrow::format::csv::CsvOptions { types, ..Default::default() };
        let back = open_export(&dest.join("data").display().to_string()).expect("opens").with_format(SourceFormat::Csv).with_csv(csv).expect("options");
        prop_assert_eq!(comparable(&read(&back)), comparable(&expected.iter().map(meaning).collect::<Vec<_>>()));
    }
}

#[test]
fn sorted_items_are_shuffled_and_others_are_not() {
    let items = |pk: &dyn Fn(u64) -> u64| -> Vec<Map<String, Value>> {
        let item =
            |n: u64| json!({"pk": {"S": format!("{:05}", pk(n))}, "sk": {"N": n.to_string()}}).as_object().expect("an object").clone();
        (0..2000).map(item).collect()
    };
    for (items, shuffled) in [
        (items(&|n| n), true),
        (items(&|n| 3000 - n), true),
        (items(&|n| (n / 10 * 7919) % 2003), true),
        (items(&|n| (n * 1009) % 2003), false),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let dest = folder.path().join("import");
        let report = prepare(&source(&items), &dest, &PrepareOptions { file_size: 20_000, ..PrepareOptions::default() });
        assert_eq!((report.shuffled, report.items), (shuffled, 2000));
        assert!(report.files.len() > 3);
        let advice = dry_run(&dest).findings.iter().any(|finding| finding.messages[0].contains("partition key"));
        assert!(!advice, "what was prepared is not sorted");
    }
}

#[test]
fn csv_has_the_columns_of_good_items_and_rejects_are_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("import");
    let item = |value: Value| value.as_object().expect("an object").clone();
    let items = [
        item(json!({"pk": {"S": "a"}, "sk": {"N": "1"}, "v": {"SS": ["x", "y"]}})),
        item(json!({"pk": {"S": "b"}, "sk": {"N": "1"}, "": {"S": "x"}, "bad": {"S": "y"}})),
        item(json!({"pk": {"S": "c"}, "sk": {"S": "1"}, "set": {"SS": ["a", "b"]}})),
        item(json!({"pk": {"S": "d"}, "sk": {"N": "1"}, "set": {"SS": ["a", "a"]}})),
    ];
    let options = PrepareOptions { to: Some(InputFormat::Csv), compression: Some(Codec::None), ..PrepareOptions::default() };
    let report = prepare(&source(&items), &dest, &options);
    assert_eq!((report.items, report.rejected), (1, 3));
    assert_eq!(fs::read_to_string(&report.files[0].path).expect("text"), "pk,sk,v\na,1,\"[\"\"x\"\",\"\"y\"\"]\"\n");
    assert_eq!((report.changed, report.first_changed.as_deref()), (1, Some("v")), "a set is one value");
    let rejected = fs::read_to_string(dest.join("rejected.json")).expect("text");
    let rejected: Vec<Value> = rejected.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rejected, items[1..].iter().map(|item| json!({ "Item": item })).collect::<Vec<_>>());
}

#[test]
fn what_stands_beside_the_objects_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = source(&[json!({"pk": {"S": "a"}, "sk": {"N": "1"}}).as_object().expect("an object").clone()]);
    let refused = |dest: &Path, options: &PrepareOptions| {
        prepare_import(&good, dest, &key(), options, &Control::default()).map(drop).map_err(|e| e.code().as_str())
    };
    for prefix in ["r", "rejected.json", "import", "import-table.json/"] {
        let options = PrepareOptions { prefix: Some(prefix.into()), ..PrepareOptions::default() };
        assert_eq!(refused(&folder.path().join("x"), &options), Err("E_USAGE"), "{prefix}");
    }
    // A folder that only looks like one.
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).expect("creates");
    fs::write(mine.join("part-00000.json"), "precious").expect("writes");
    let options = PrepareOptions { overwrite: true, ..PrepareOptions::default() };
    assert_eq!(refused(&mine, &options), Err("E_DEST_EXISTS"));
    assert_eq!(fs::read_to_string(mine.join("part-00000.json")).expect("is there"), "precious");
    // What was prepared, as the source of what would take its place.
    let dest = folder.path().join("import");
    assert_eq!(refused(&dest, &PrepareOptions::default()), Ok(()));
    let own = open_export(&dest.join("data").display().to_string()).expect("opens");
    let error = prepare_import(&own, &dest, &key(), &options, &Control::default()).expect_err("its own source");
    assert!(error.to_string().starts_with("E_USAGE: the destination holds the source"), "{error}");
    assert_eq!(refused(Path::new("-"), &PrepareOptions::default()), Err("E_USAGE"));
}

#[test]
fn a_legacy_dump_becomes_an_import() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dump, dest) = (folder.path().join("dump"), folder.path().join("import"));
    fs::create_dir(&dump).expect("creates");
    fs::write(
        dump.join("manifest"),
        "{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n{\"url\":\"s3://gone/a\",\"mandatory\":true}\n]}",
    )
    .expect("writes");
    fs::write(dump.join("a"), "{\"pk\":{\"s\":\"a\"},\"sk\":{\"n\":\"1\"},\"t\":{\"sS\":[\"x\"]}}\n{\"pk\":{\"s\":\"b\"}}\n")
        .expect("writes");
    let report = prepare(&open_export(&dump.display().to_string()).expect("opens"), &dest, &PrepareOptions::default());
    assert_eq!((report.items, report.rejected), (1, 1));
    assert_eq!(dry_run(&dest).imported, 1);
    assert_eq!(
        String::from_utf8(bytes_of(&report.files[0].path)).expect("text"),
        "{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"},\"t\":{\"SS\":[\"x\"]}}}\n"
    );
    // As it is, it does not import, and the dry run says what to do.
    let file = dump.join("a").display().to_string();
    let report = validate_import(&file, &key(), ValidateOptions::default(), &Control::default(), |_| Ok(())).expect("a report");
    assert_eq!((report.processed, report.errors, report.stopped), (1, 1, 1));
    let said: Vec<_> = report.findings.iter().flat_map(|finding| &finding.messages).map(String::as_str).collect();
    assert!(
        said.contains(&"the object does not look like DYNAMODB_JSON")
            && said.contains(&"legacy dumps cannot be imported; `prepare` makes import files of them"),
        "{said:?}"
    );
}

#[test]
fn typed_csv_becomes_typed_items() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("import");
    let csv = files(vec![b"pk,sk,price,tags\na,1,2.50,\"[\"\"x\"\",\"\"y\"\"]\"\nb,x,1,\n".to_vec()], 7).with_format(SourceFormat::Csv);
    let types = [("price".to_owned(), dynarrow::event::Kind::N), ("tags".to_owned(), dynarrow::event::Kind::SS)].into_iter().collect();
    let typed = csv.with_csv(dynarrow::format::csv::CsvOptions { types, ..Default::default() }).expect("options");
    let skipping = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
    let options =
        PrepareOptions { read: skipping, table_name: Some("t_1".into()), bucket: Some("imports".into()), ..PrepareOptions::default() };
    let report = prepare(&typed, &dest, &options);
    assert_eq!((report.items, report.rejected, report.totals.skipped, report.missing.len()), (1, 0, 1, 0));
    assert_eq!(
        String::from_utf8(bytes_of(&dest.join("data/part-00000.json.gz"))).expect("text"),
        "{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"},\"price\":{\"N\":\"2.5\"},\"tags\":{\"SS\":[\"x\",\"y\"]}}}\n"
    );
    let document: Value = serde_json::from_slice(&fs::read(dest.join("import-table.json")).expect("a document")).expect("JSON");
    assert_eq!(document["S3BucketSource"], json!({"S3Bucket": "imports", "S3KeyPrefix": "data/"}));
    assert!(TableSpec::from_json(&document).is_ok(), "the document is complete");
    // What stands there is replaced only where it was prepared.
    let refused = |options: &PrepareOptions| {
        prepare_import(&typed, &dest, &key(), options, &Control::default()).map(drop).map_err(|e| e.code().as_str())
    };
    assert_eq!(refused(&options), Err("E_DEST_EXISTS"));
    assert_eq!(refused(&PrepareOptions { overwrite: true, ..options.clone() }), Ok(()));
    fs::write(dest.join("data/mine.txt"), "x").expect("writes");
    assert_eq!(refused(&PrepareOptions { overwrite: true, ..options }), Err("E_DEST_EXISTS"));
    // The prefix is the path.
    let there = PrepareOptions { prefix: Some("a/b-".into()), ..PrepareOptions::default() };
    let good = source(&[json!({"pk": {"S": "a"}, "sk": {"N": "1"}}).as_object().expect("an object").clone()]);
    let report = prepare(&good, &folder.path().join("there"), &there);
    assert!(report.files[0].path.ends_with("there/a/b-part-00000.json.gz"));
    assert_eq!(dry_run(&folder.path().join("there")).imported, 1);
    prepare(&good, &folder.path().join("there"), &PrepareOptions { overwrite: true, ..there });
    for prefix in ["", "/a/", "../x", "a//b", "a/../../b"] {
        let options = PrepareOptions { prefix: Some(prefix.into()), ..PrepareOptions::default() };
        let error = prepare_import(&good, &folder.path().join("x"), &key(), &options, &Control::default()).expect_err(prefix);
        assert_eq!(error.code().as_str(), "E_USAGE");
    }
    let other = [("sk".to_owned(), dynarrow::event::Kind::S)].into_iter().collect();
    let other = typed.with_csv(dynarrow::format::csv::CsvOptions { types: other, ..Default::default() }).expect("options");
    let error =
        prepare_import(&other, &folder.path().join("x"), &key(), &PrepareOptions::default(), &Control::default()).expect_err("two types");
    assert_eq!(error.to_string(), "E_USAGE: the key \"sk\" is of type N, and types says S");
}
