//! The way back: what came in can be written out again. Items → Arrow (typed, plain with its
//! metadata, plain with the schema document) → items is the identity, through Parquet and
//! IPC too; a whole export that is written verifies and reads the same.
//!
//! Items are compared as DynamoDB compares them: numbers by value, members of maps and sets
//! without order. The generator counts what it covers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dynarrow::export::open::open;
use dynarrow::schema::{Layout, Names};
use dynarrow::storage::memory::Memory;
use dynarrow::{
    AttributeValue, Batches, Code, Control, ConvertOptions, Dest, Export, Item, OutputFormat, Policies, ReadOptions, Schema, convert,
    open_export,
};
use dynarrow_tests::{any_item, comparable_item, meaning};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

type Items = Vec<Map<String, Value>>;

/// The same without NULLs in items and maps: what `layout="plain"` keeps.
fn without_nulls(item: &Item) -> Item {
    let value = |value: &AttributeValue| match value {
        AttributeValue::M(item) => AttributeValue::M(without_nulls(item)),
        AttributeValue::L(list) => AttributeValue::L(list.iter().map(elements_without_nulls).collect()),
        other => other.clone(),
    };
    item.iter().filter(|(_, value)| *value != AttributeValue::Null).map(|(name, v)| (name.clone(), value(v))).collect()
}

fn elements_without_nulls(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::M(item) => AttributeValue::M(without_nulls(item)),
        AttributeValue::L(list) => AttributeValue::L(list.iter().map(elements_without_nulls).collect()),
        other => other.clone(),
    }
}

fn source(items: &[Map<String, Value>]) -> Export {
    let mut storage = Memory::default();
    let lines: String = items.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect();
    storage.insert("data.json", lines.into_bytes());
    open(Arc::new(storage), "", "test").expect("a file")
}

fn read_all(export: &Export, schema: Option<Schema>) -> Vec<Item> {
    let options = ReadOptions { schema, ..ReadOptions::default() };
    let items: dynarrow::Result<Vec<_>> = export.items(&options, &Control::default()).expect("items").collect();
    items.expect("good items")
}

fn to_file(export: &Export, policies: Policies, schema: Option<Schema>, path: &Path) {
    let read = ReadOptions { policies, schema, batch_size: 7, ..ReadOptions::default() };
    let dest = Dest::parse(&path.display().to_string(), None).expect("a destination");
    convert(export, &dest, &ConvertOptions { read, ..ConvertOptions::default() }, &Control::default(), std::io::sink())
        .expect("a conversion");
}

/// The batches without any metadata: as polars, DuckDB and pandas hand them on.
fn bare(path: &Path) -> Export {
    let path = path.to_owned();
    Export::of_batches("frame", move || {
        let batches = Batches::of_parquet(&path)?;
        let strip = |schema: &arrow::datatypes::Schema| {
            Arc::new(arrow::datatypes::Schema::new(schema.fields().iter().map(|f| bare_field(f)).collect::<Vec<_>>()))
        };
        let schema = strip(&batches.schema);
        let stripped = schema.clone();
        let batches = batches.batches.map(move |batch| {
            let batch = batch?;
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .zip(stripped.fields())
                .map(|(c, f)| arrow::compute::cast(c, f.data_type()).expect("the same type"))
                .collect();
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(arrow::array::RecordBatch::try_new_with_options(stripped.clone(), columns, &options).expect("the same batch"))
        });
        Ok(Batches { schema, batches: Box::new(batches) })
    })
}

fn bare_field(field: &arrow::datatypes::Field) -> arrow::datatypes::Field {
    use arrow::datatypes::DataType;
    let ty = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| Arc::new(bare_field(f))).collect()),
        DataType::List(inner) => DataType::List(Arc::new(bare_field(inner))),
        DataType::Map(inner, sorted) => DataType::Map(Arc::new(bare_field(inner)), *sorted),
        other => other.clone(),
    };
    arrow::datatypes::Field::new(field.name(), ty, field.is_nullable())
}

fn compare(found: &[Item], expected: &[Item], what: &str) {
    let (found, expected): (Vec<_>, Vec<_>) = (found.iter().map(comparable_item).collect(), expected.iter().map(comparable_item).collect());
    assert_eq!(found, expected, "{what}");
}

/// Counts how often each descriptor stands at each depth, each class of number, odd names.
fn cover(value: &Value, depth: usize, covered: &mut BTreeMap<(String, usize), usize>) {
    let Some((descriptor, inner)) = value.as_object().and_then(|object| object.iter().next()) else { return };
    *covered.entry((descriptor.clone(), depth)).or_default() += 1;
    match inner {
        Value::Object(members) if descriptor == "M" => cover_members(members, depth + 1, covered),
        Value::Array(values) if descriptor == "L" => values.iter().for_each(|value| cover(value, depth + 1, covered)),
        Value::String(number) if descriptor == "N" => {
            for class in classes(number) {
                *covered.entry((class.to_owned(), 0)).or_default() += 1;
            }
        }
        _ => {}
    }
}

fn cover_members(members: &Map<String, Value>, depth: usize, covered: &mut BTreeMap<(String, usize), usize>) {
    for (name, value) in members {
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || name.is_empty() {
            *covered.entry(("odd name".to_owned(), 0)).or_default() += 1;
        }
        cover(value, depth, covered);
    }
}

const CLASSES: [&str; 9] = ["int64", "beyond int64", "fraction", "exponent", "negative", "zero", "38 digits", "tiny", "not canonical"];

fn classes(text: &str) -> Vec<&'static str> {
    let number = dynarrow::Number::parse(text.as_bytes()).expect("a number");
    let canonical = number.to_string();
    let digits = canonical.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    let of = [
        number.to_i64().is_some(),
        number.to_i64().is_none() && number.scale() == 0,
        number.scale() > 0,
        text.contains(['e', 'E']),
        canonical.starts_with('-'),
        canonical == "0",
        digits == 38,
        number.scale() > 38,
        canonical != text,
    ];
    CLASSES.into_iter().zip(of).filter(|(_, is)| *is).map(|(class, _)| class).collect()
}

/// Items → DynamoDB JSON → items, and items → Arrow → items, typed and plain.
fn in_memory(items: &Items) {
    let expected: Vec<_> = items.iter().map(meaning).collect();
    let mut lines = Vec::new();
    let dest = Dest::Stdout(OutputFormat::DynamodbJson);
    convert(&source(items), &dest, &ConvertOptions::default(), &Control::default(), &mut lines).expect("a conversion");
    let written: Vec<_> = lines.split(|&b| b == b'\n').filter(|line| !line.is_empty()).collect();
    // serde_json reads what was written.
    let read = |line: &&[u8]| meaning(serde_json::from_slice::<Value>(line).expect("JSON")["Item"].as_object().expect("an item"));
    compare(&written.iter().map(read).collect::<Vec<_>>(), &expected, "DynamoDB JSON");
    for (layout, names) in [(Layout::Typed, Names::Exact), (Layout::Plain, Names::Exact), (Layout::Typed, Names::Athena)] {
        let policies = Policies { layout, names, ..Policies::default() };
        let options = ReadOptions { policies, threads: 1, batch_size: 11, ..ReadOptions::default() };
        let batches = source(items).read(options, &Control::default()).expect("a reader").batches(&Control::default()).expect("batches");
        let schema = batches.schema();
        let batches: Arc<Vec<_>> = Arc::new(batches.map(|batch| batch.expect("good data")).collect());
        let rows = Export::of_batches("memory", move || {
            let batches: Vec<_> = batches.iter().cloned().map(Ok).collect();
            Ok(Batches { schema: schema.clone(), batches: Box::new(batches.into_iter()) })
        });
        let found = read_all(&rows, None);
        match layout {
            Layout::Typed => compare(&found, &expected, "typed"),
            Layout::Plain => {
                let plain = |items: &[Item]| items.iter().map(without_nulls).collect::<Vec<_>>();
                compare(&plain(&found), &plain(&expected), "plain");
            }
        }
    }
}

fn through_files(items: &Items, learnt: usize) {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name);
    let export = source(items);
    let expected: Vec<_> = items.iter().map(meaning).collect();
    let typed = Policies { layout: Layout::Typed, ..Policies::default() };

    // DynamoDB JSON → DynamoDB JSON.
    to_file(&export, Policies::default(), None, &at("x.json.gz"));
    compare(&read_all(&open_export(&at("x.json.gz").display().to_string()).expect("a file"), None), &expected, "JSON");

    // Arrow types that readers take have at most 60 levels.
    if items.iter().all(|item| depth(&Value::Object(item.clone())) < 40) {
        for file in ["typed.parquet", "typed.arrow"] {
            to_file(&export, typed.clone(), None, &at(file));
            compare(&read_all(&open_export(&at(file).display().to_string()).expect("a file"), None), &expected, file);
        }
        let plain: Vec<_> = expected.iter().map(without_nulls).collect();
        for file in ["plain.parquet", "plain.arrow"] {
            to_file(&export, Policies::default(), None, &at(file));
            let found = read_all(&open_export(&at(file).display().to_string()).expect("a file"), None);
            compare(&found.iter().map(without_nulls).collect::<Vec<_>>(), &plain, file);
        }
        // Metadata lost, the schema document given instead.
        let schema = export.infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema");
        let document = Schema::from_json(&schema.to_json()).expect("a document");
        compare(&read_all(&bare(&at("plain.parquet")), Some(document)), &plain, "plain, by the document");
        let options = ReadOptions { policies: typed, ..ReadOptions::default() };
        let schema = export.infer_schema(&options, &Control::default()).expect("a schema");
        compare(&read_all(&bare(&at("typed.parquet")), Some(schema.frozen())), &expected, "typed, by the schema");

        // Other names, by the metadata and by the schema document.
        let athena = Policies { names: Names::Athena, layout: Layout::Typed, ..Policies::default() };
        to_file(&export, athena.clone(), None, &at("athena.parquet"));
        let options = ReadOptions { policies: athena, ..ReadOptions::default() };
        let schema = export.infer_schema(&options, &Control::default()).expect("a schema");
        let document = Schema::from_json(&schema.to_json()).expect("a document");
        compare(&read_all(&open_export(&at("athena.parquet").display().to_string()).expect("a file"), None), &expected, "athena");
        compare(&read_all(&bare(&at("athena.parquet")), Some(document)), &expected, "athena, by the document");

        // Frozen on some of the items: the rest goes through `_extra`.
        let schema =
            source(&items[..learnt.min(items.len())]).infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema");
        to_file(&export, Policies::default(), Some(schema.frozen()), &at("frozen.parquet"));
        let found = read_all(&open_export(&at("frozen.parquet").display().to_string()).expect("a file"), None);
        compare(&found.iter().map(without_nulls).collect::<Vec<_>>(), &plain, "frozen");
        let options = ReadOptions { policies: Policies { names: Names::Athena, ..Policies::default() }, ..ReadOptions::default() };
        let schema = source(&items[..learnt.min(items.len())]).infer_schema(&options, &Control::default()).expect("a schema");
        to_file(&export, Policies::default(), Some(schema.frozen()), &at("frozen.parquet"));
        let found = read_all(&open_export(&at("frozen.parquet").display().to_string()).expect("a file"), None);
        compare(&found.iter().map(without_nulls).collect::<Vec<_>>(), &plain, "frozen, athena");
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Over 100,000 items; the test fails where the generator has not made each type often
/// enough at each depth that it reaches.
#[test]
fn what_came_in_can_be_written_out_again() {
    let config = ProptestConfig { cases: 3_500, failure_persistence: None, ..ProptestConfig::default() };
    let cases = (prop::collection::vec(any_item(), 0..60), 0_usize..60);
    let (made, case) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let covered = std::cell::RefCell::new(BTreeMap::new());
    let result = TestRunner::new(config).run(&cases, |(items, learnt)| {
        made.set(made.get() + items.len());
        items.iter().for_each(|item| cover_members(item, 1, &mut covered.borrow_mut()));
        in_memory(&items);
        // Files are slow to write; a part of the cases goes through them.
        case.set(case.get() + 1);
        // Parquet has no rows without columns.
        if case.get() % 40 == 0 && items.iter().any(|item| !item.is_empty()) {
            through_files(&items, learnt);
        }
        Ok(())
    });
    result.expect("the law");
    assert!(made.get() >= 100_000, "{} items", made.get());
    let covered = covered.into_inner();
    for descriptor in ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"] {
        for depth in 1..=3 {
            let count = covered.get(&(descriptor.to_owned(), depth)).copied().unwrap_or(0);
            assert!(count >= 100, "{descriptor} stood {count} times at depth {depth}");
        }
    }
    for class in CLASSES.into_iter().chain(["odd name"]) {
        let count = covered.get(&(class.to_owned(), 0)).copied().unwrap_or(0);
        assert!(count >= 100, "{class} stood {count} times");
    }
}

/// Each type at each depth to 31, in lists and in maps.
#[test]
fn every_type_at_every_depth() {
    let values = [
        json!({"S": "é🦐\"\n"}),
        json!({"N": "1e-130"}),
        json!({"B": "AP8="}),
        json!({"BOOL": false}),
        json!({"NULL": true}),
        json!({"M": {}}),
        json!({"L": []}),
        json!({"SS": ["a", ""]}),
        json!({"NS": ["1", "2.5"]}),
        json!({"BS": ["", "AA=="]}),
    ];
    for depth in 0..=31 {
        let items: Items = values
            .iter()
            .flat_map(|value| {
                let nest = |list: bool| {
                    let wrap = |value: Value, _| if list { json!({"L": [value, {"S": "x"}]}) } else { json!({"M": {"a.b": value}}) };
                    let value = (0..depth).fold(value.clone(), wrap);
                    Map::from_iter([(format!("a{list}"), value)])
                };
                [nest(true), nest(false)]
            })
            .collect();
        let export = source(&items);
        let expected: Vec<_> = items.iter().map(meaning).collect();
        let place = tempfile::tempdir().expect("a folder");
        for file in ["x.json", "x.parquet", "x.arrow"] {
            let path = place.path().join(file);
            let layout = if file == "x.json" { Layout::Plain } else { Layout::Typed };
            let policies = Policies { layout, ..Policies::default() };
            let read = ReadOptions { policies, ..ReadOptions::default() };
            let dest = Dest::parse(&path.display().to_string(), None).expect("a destination");
            let done = convert(&export, &dest, &ConvertOptions { read, ..ConvertOptions::default() }, &Control::default(), std::io::sink());
            // Readers refuse Arrow types of more than 60 levels; each list or map takes two of them
            // here, and a set at the bottom three.
            assert_eq!(done.is_ok(), file == "x.json" || 2 * depth + 3 <= 60, "{file} at depth {depth}");
            match done {
                Ok(_) => compare(
                    &read_all(&open_export(&path.display().to_string()).expect("a file"), None),
                    &expected,
                    &format!("{file} at depth {depth}"),
                ),
                Err(error) => assert_eq!(error.code(), Code::Nesting, "{file} at depth {depth}: {error}"),
            }
        }
    }
}

#[test]
fn a_written_export_is_one() {
    let items: Items = (0..1000).map(|n| Map::from_iter([("pk".to_owned(), json!({"N": n.to_string()}))])).collect();
    let place = tempfile::tempdir().expect("a folder");
    let bucket = place.path().join("bucket");
    let dest = Dest::parse(&bucket.display().to_string(), Some(OutputFormat::Export)).expect("a destination");
    let report = convert(&source(&items), &dest, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect("an export");
    assert_eq!(report.read.totals.items, 1000);
    let export = open_export(&bucket.display().to_string()).expect("an export");
    let verified = export.verify(2, &Control::default()).expect("a report");
    assert!(verified.ok() && verified.findings.is_empty() && verified.items == 1000, "{verified:?}");
    compare(&read_all(&export, None), &items.iter().map(meaning).collect::<Vec<_>>(), "the export");
    let raw: Vec<_> = export.summary().expect("a manifest").raw.keys().cloned().collect();
    let aws = "version exportArn startTime endTime tableArn tableId exportTime s3Bucket s3Prefix s3SseAlgorithm s3SseKmsKeyId manifestFilesS3Key billedSizeBytes itemCount outputFormat";
    assert_eq!(raw.join(" "), aws);
    // And moved, and its manifests rewritten.
    export.relocate(&"s3://elsewhere/some/prefix/".parse().expect("a place")).expect("manifests");
    let export = open_export(&bucket.display().to_string()).expect("an export");
    let summary = export.summary().expect("a manifest");
    assert_eq!((summary.s3_bucket.as_deref(), summary.s3_prefix.as_deref()), (Some("elsewhere"), Some("some/prefix")));
    assert!(export.files()[0].name.starts_with("some/prefix/AWSDynamoDB/"));
    let verified = export.verify(2, &Control::default()).expect("a report");
    assert!(verified.ok() && verified.findings.is_empty(), "{verified:?}");
}

/// Frames that never saw DynamoDB.
#[test]
fn plain_frames() {
    use arrow::array::{
        ArrayRef, Date32Array, Float32Array, Float64Array, LargeStringArray, StringDictionaryBuilder, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::Int32Type;
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.append_value("d");
    dictionary.append_null();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ("f", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("g", Arc::new(Float32Array::from(vec![0.1, 1e30]))),
        ("t", Arc::new(LargeStringArray::from(vec![Some("x"), None]))),
        ("d", Arc::new(Date32Array::from(vec![0, 19_000]))),
        ("ts", Arc::new(TimestampSecondArray::from(vec![0, 1_700_000_000]).with_timezone("UTC"))),
        ("k", Arc::new(dictionary.finish())),
    ];
    let batch = arrow::array::RecordBatch::try_from_iter(columns).expect("a batch");
    let of = |batch: arrow::array::RecordBatch| {
        Export::of_batches("frame", move || Ok(Batches { schema: batch.schema(), batches: Box::new(std::iter::once(Ok(batch.clone()))) }))
    };
    let items: Vec<_> = read_all(&of(batch), None).iter().map(|item| format!("{item:?}")).collect();
    let number = |n: &str| format!("N({:?})", dynarrow::Number::parse(n.as_bytes()).expect("a number"));
    assert_eq!(
        items[0],
        format!(
            r#"[("u", {}), ("f", {}), ("g", {}), ("t", S("x")), ("d", S("1970-01-01")), ("ts", S("1970-01-01T00:00:00Z")), ("k", S("d"))]"#,
            number("18446744073709551615"),
            number("0.1"),
            number("0.1")
        )
    );
    assert_eq!(
        items[1],
        format!(r#"[("u", {}), ("g", {}), ("d", S("2022-01-08")), ("ts", S("2023-11-14T22:13:20Z"))]"#, number("0"), number("1e30"))
    );
    let bad: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
    let batch = arrow::array::RecordBatch::try_from_iter([("price", bad)]).expect("a batch");
    let error = of(batch).items(&ReadOptions::default(), &Control::default()).expect("items").find_map(Result::err).expect("NaN");
    assert_eq!((error.code(), error.item(), error.path()), (Code::Number, Some(1), Some("price")));
}

/// Plain JSON lines are a source too: numbers keep their digits.
#[test]
fn plain_json_lines() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("x.ndjson");
    std::fs::write(
        &path,
        "{\"a\":1.50,\"b\":[1,null,{\"c\":true}],\"d\":null,\"e\":\"\\u00e9\"}\n{\"n\":12345678901234567890123456789012345678}\n",
    )
    .expect("a file");
    let items = read_all(&open_export(&path.display().to_string()).expect("a file"), None);
    let expected = [
        json!({"a": {"N": "1.5"}, "b": {"L": [{"N": "1"}, {"NULL": true}, {"M": {"c": {"BOOL": true}}}]}, "d": {"NULL": true}, "e": {"S": "é"}}),
        json!({"n": {"N": "12345678901234567890123456789012345678"}}),
    ];
    compare(&items, &expected.iter().map(|item| meaning(item.as_object().expect("an item"))).collect::<Vec<_>>(), "plain JSON");
}

/// An item of a frame that a frozen schema has no place for is refused at its own path.
#[test]
fn rows_are_refused_at_their_path() {
    let item = |n: &str| json!({"a": {"L": [{"N": "1"}, {"N": n}]}}).as_object().expect("an item").clone();
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("x.parquet");
    to_file(&source(&[item("2"), item("2.5")]), Policies::default(), None, &path);
    let schema = source(&[item("2")]).infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema");
    let read = ReadOptions { schema: Some(schema), extra: dynarrow::Extra::Error, ..ReadOptions::default() };
    let rows = open_export(&path.display().to_string()).expect("a file");
    let dest = Dest::Stdout(OutputFormat::Parquet);
    let options = ConvertOptions { read, ..ConvertOptions::default() };
    let error = convert(&rows, &dest, &options, &Control::default(), std::io::sink()).expect_err("no place");
    assert_eq!((error.code(), error.item(), error.path()), (Code::Extra, Some(1), Some("a[1]")));
}

/// A stream that is empty the second time is an error, not an empty table.
#[test]
fn a_stream_that_can_be_read_once() {
    let values: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![1, 2]));
    let batch = arrow::array::RecordBatch::try_from_iter([("a", values)]).expect("a batch");
    let once = std::sync::Mutex::new(Some(batch.clone()));
    let rows = Export::of_batches("stream", move || {
        let batches = once.lock().expect("no panic").take().map(Ok);
        Ok(Batches { schema: batch.schema(), batches: Box::new(batches.into_iter()) })
    });
    let dest = Dest::Stdout(OutputFormat::Parquet);
    let error = convert(&rows, &dest, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect_err("an empty stream");
    assert_eq!(error.code(), Code::Changed);
}
