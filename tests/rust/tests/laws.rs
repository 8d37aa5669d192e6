//! The laws of the design, over random items: decoding is what serde_json says it is; the
//! same bytes for any chunk size and thread count; the same rows and schema for any batch
//! size; a file with bad lines, skipped, is the file without them; schemas merge.

use std::io::Read;
use std::sync::Arc;

use dynarrow::schema::summary::Summary;
use dynarrow::{
    Code, Control, ConvertOptions, Dest, Export, Layout, Mixed, OnError, OutputFormat, Policies, ReadOptions, Reader, Result, Schema,
    convert,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::{any_item, cases, choices, meaning, odd_json};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Items = Vec<Map<String, Value>>;

fn lines(items: &[Map<String, Value>]) -> Vec<u8> {
    items.iter().flat_map(|item| format!("{}\n", json!({"Item": item})).into_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut out).expect("memory");
    out
}

fn options(threads: usize, on_error: OnError) -> ReadOptions {
    ReadOptions { threads, on_error, batch_size: 100, ..ReadOptions::default() }
}

fn bytes_of(export: &Export, format: OutputFormat, read: &ReadOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let options = ConvertOptions { read: read.clone(), ..ConvertOptions::default() };
    convert(export, &Dest::Stdout(format), &options, &Control::default(), &mut out).expect("good data");
    out
}

const FORMATS: [OutputFormat; 4] = [OutputFormat::Parquet, OutputFormat::Arrow, OutputFormat::Csv, OutputFormat::Ndjson];

fn any_items(most: usize) -> impl Strategy<Value = Items> {
    prop::collection::vec(any_item(), 0..most)
}

/// Enough lines for several blocks: the items again and again, each time a little different.
fn many(items: &Items, bytes: usize) -> Items {
    let mut all = Items::new();
    let mut size = 0;
    while size < bytes && !items.is_empty() {
        for item in items {
            let mut item = item.clone();
            item.insert("count".into(), json!({"N": all.len().to_string()}));
            size += json!({"Item": item}).to_string().len();
            all.push(item);
        }
    }
    all
}

/// Asserts that lines among which every n-th is bad, skipped, give what the good ones give.
fn skipping_leaves_no_trace_of(items: &Items, every: usize) {
    const BAD: [&str; 8] = [
        "{\"Item\":{\"fresh\":{\"S\":\"x\"},\"a\":{\"N\":\"1e1000\"}}}",
        "{\"Item\":{\"pk\":{\"L\":[{\"N\":\"1.5\"},{\"M\":{\"q\":{\"B\":\"AA==\"}}}]},\"a\":{\"S\":\"x\",\"N\":\"1\"}}}",
        "{\"Item\":{\"pk\":{\"S\":\"y\"},\"pk\":{\"S\":\"x\"}}}",
        "{\"Item\":{\"pk\":{\"M\":{\"z\":{\"SS\":[\"q\"]}}},\"b\":{\"B\":\"x\"}}}",
        "{\"pk\":",
        "{\"Item\":{\"c\":{\"L\":[{\"S\":\"x\"},{\"S\":\"y\"}",
        "\u{1}",
        "{\"Item\":{\"price\":{\"Q\":\"x\"}}}",
    ];
    let all = many(items, 3 << 20);
    let good = lines(&all);
    let mut bad = Vec::new();
    for (n, line) in good.split_inclusive(|&b| b == b'\n').enumerate() {
        if n % every == 0 {
            bad.extend_from_slice(BAD[(n / every) % BAD.len()].as_bytes());
            bad.push(b'\n');
        }
        bad.extend_from_slice(line);
    }
    for format in FORMATS {
        for threads in [1, 3] {
            let skipped = bytes_of(&files(vec![bad.clone()], 10_007), format, &options(threads, OnError::Skip));
            let clean = bytes_of(&files(vec![good.clone()], 1 << 20), format, &options(1, OnError::Raise));
            assert!(skipped == clean, "{format:?} on {threads} threads");
        }
    }
}

/// The columns of a guess by so many blocks, where it holds, after a look at what is learnt:
/// it holds where, and only where, it is the schema that is learnt.
fn guessed(data: &[Vec<u8>], read: &ReadOptions, blocks: usize) -> Option<bool> {
    let control = Control::default();
    let all = |reader: &Reader| -> Result<Vec<_>> { reader.batches(&control)?.collect() };
    let guess = files(data.to_vec(), 1 << 20).guess(read, blocks).expect("readable files")?;
    let learnt = files(data.to_vec(), 1 << 20).read(read.clone(), &control).expect("good data");
    let is_right = guess.schema().fields() == learnt.schema().fields() && guess.schema().extra() == learnt.schema().extra();
    match all(&guess) {
        Ok(batches) => {
            assert!(is_right, "held to be right: {:?}, and it is {:?}", guess.schema().fields(), learnt.schema().fields());
            assert_eq!(batches, all(&learnt).expect("good data"));
        }
        Err(error) => {
            assert_eq!(error.code(), Code::Changed);
            assert!(!is_right, "{error}, and it is right: {:?}", guess.schema().fields());
        }
    }
    Some(is_right)
}

#[test]
fn guesses_are_found_out() {
    let item = |text: &str| serde_json::from_str::<Map<String, Value>>(text).expect("JSON");
    let first =
        item(r#"{"pk":{"S":"x"},"n":{"N":"1"},"m":{"M":{"a":{"S":"x"},"b":{"S":"x"}}},"em":{"M":{}},"el":{"L":[]},"null":{"NULL":true}}"#);
    for (other, holds) in [
        (r#"{"n":{"N":"-7"},"pk":{"S":""},"m":{"M":{"b":{"NULL":true}}},"em":{"NULL":true},"el":{"L":[]}}"#, true),
        (r#"{"n":{"N":"1.5"}}"#, false),
        (r#"{"n":{"S":"1"}}"#, false),
        (r#"{"m":{"M":{"c":{"NULL":true}}}}"#, false),
        (r#"{"em":{"M":{"a":{"NULL":true}}}}"#, false),
        (r#"{"el":{"L":[{"NULL":true}]}}"#, false),
        (r#"{"null":{"BOOL":true}}"#, false),
        (r#"{"new":{"NULL":true}}"#, false),
    ] {
        let data = [lines(std::slice::from_ref(&first)), lines(&[item(other)])];
        assert_eq!(guessed(&data, &options(2, OnError::Raise), 1), Some(holds), "{other}");
    }
    // The second file has what the first one has behind it, in another order.
    let data = [lines(&[item(r#"{"a":{"S":"x"}}"#)]), lines(&[item(r#"{"c":{"S":"x"}}"#), item(r#"{"b":{"S":"x"}}"#)])];
    assert_eq!(guessed(&data, &options(2, OnError::Raise), 2), Some(true));
    let mut late = many(&vec![item(r#"{"a":{"S":"x"}}"#)], 2 << 20);
    late.push(item(r#"{"b":{"S":"x"}}"#));
    let data = [lines(&late), lines(&[item(r#"{"c":{"S":"x"}}"#), item(r#"{"b":{"S":"x"}}"#)])];
    assert_eq!(guessed(&data, &options(2, OnError::Raise), 2), Some(false), "b comes before c");
}

#[test]
fn a_guess_that_hides_something_is_none() {
    let item = |text: &str| serde_json::from_str::<Map<String, Value>>(text).expect("JSON");
    let guess = |data: Vec<Vec<u8>>, read: &ReadOptions, blocks| files(data, 1 << 20).guess(read, blocks).expect("readable files");
    let one = lines(&[item(r#"{"id":{"S":"x"},"a":{"S":"x"}}"#)]);
    // The files that are looked at are empty: no column would contradict it.
    let chosen = ReadOptions { columns: Some(["id".to_owned()].into()), ..options(2, OnError::Raise) };
    assert!(guess(vec![Vec::new(), one.clone()], &chosen, 1).is_none());
    assert_eq!(guessed(&[one.clone(), one.clone()], &chosen, 1), Some(true));
    // JSON text takes any names, and their number has a limit.
    let two = lines(&[item(r#"{"a":{"M":{"b":{"S":"x"}}}}"#)]);
    for mixed in [Mixed::Json, Mixed::String] {
        let mut read = options(2, OnError::Raise);
        read.policies.mixed = mixed;
        assert!(guess(vec![one.clone(), two.clone()], &read, 2).is_none());
    }
    // So many paths together, on whatever threads they were found.
    for (max_paths, threads) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
        let read = ReadOptions { max_paths, ..options(threads, OnError::Skip) };
        let holds = guess(vec![one.clone(), two.clone()], &read, 2)
            .is_some_and(|reader| reader.batches(&Control::default()).expect("batches").all(|batch| batch.is_ok()));
        assert_eq!(holds, max_paths == 3);
        let learnt = files(vec![one.clone(), two.clone()], 1 << 20).infer_schema(&read, &Control::default());
        assert_eq!(learnt.err().map(|error| error.code()), (max_paths == 2).then_some(Code::TooManyPaths));
    }
}

#[test]
fn elements_of_lists_are_paths_too() {
    let list = lines(&[serde_json::from_str(r#"{"l":{"L":[{"S":"x"}]}}"#).expect("JSON")]);
    for (max_paths, code) in [(1, Some(Code::TooManyPaths)), (2, None)] {
        let read = ReadOptions { max_paths, ..options(1, OnError::Raise) };
        let learnt = files(vec![list.clone()], 1 << 20).infer_schema(&read, &Control::default());
        assert_eq!(learnt.err().map(|error| error.code()), code);
    }
}

/// A path that a bad item leaves behind may be another one by the next item.
#[test]
fn a_bad_item_leaves_no_expectation() {
    let text = [
        r#"{"Item":{"a":{"M":{"p":{"S":"x"}}}}}"#,
        r#"{"Item":{"a":{"M":{"p":{"S":"x"},"q":{"N":"x"}}}}}"#,
        r#"{"Item":{"a":{"L":[{"S":"x"}]}}}"#,
        r#"{"Item":{"a":{"M":{"p":{"S":"x"},"":{"S":"x"}}}}}"#,
    ];
    let export = files(vec![text.join("\n").into_bytes()], 1 << 20);
    let reader = export.read(options(1, OnError::Skip), &Control::default()).expect("good data");
    let rows: Result<Vec<_>> = reader.batches(&Control::default()).expect("batches").collect();
    assert_eq!(rows.expect("the schema of these items").iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 3);
}

#[test]
fn skipping_leaves_no_trace_of_one_column() {
    skipping_leaves_no_trace_of(&vec![Map::new()], 2);
}

proptest! {
    #![proptest_config(cases(400))]

    /// 400 × 32 items on average: decoded as serde_json reads them, however they are written.
    #[test]
    fn decoding_agrees_with_serde_json(items in any_items(64), pattern in prop::collection::vec(any::<u8>(), 1..50), chunk in 1_usize..200) {
        // A bare item whose first attribute is `Item` looks like a wrapper.
        prop_assume!(!items.iter().any(|item| item.keys().next().is_some_and(|name| name == "Item" || name == "Items" || name == "Metadata")));
        let mut choice = choices(&pattern);
        let mut text = String::new();
        for (n, item) in items.iter().enumerate() {
            let record = if n % 3 == 0 { Value::Object(item.clone()) } else { json!({"Item": item}) };
            odd_json(&record, &mut choice, &mut text);
            if !choice().is_multiple_of(4) {
                text.push('\n');
            }
        }
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            prop_assert!(value.is_ok(), "serde_json reads the text");
        }
        let bytes = if pattern[0] % 2 == 0 { text.into_bytes() } else { gzip(text.as_bytes()) };
        let export = files(vec![bytes], chunk);
        let found: Result<Vec<_>> = export.items(&options(1, OnError::Raise), &Control::default()).expect("items").collect();
        let expected: Vec<_> = items.iter().map(meaning).collect();
        prop_assert_eq!(found.map_err(|e| e.to_string()), Ok(expected));
    }

    /// Merging summaries is commutative and associative, and learning from the parts is
    /// learning from the whole.
    #[test]
    fn schemas_merge(items in any_items(40), at in 0.0..1.0_f64) {
        let cut = (items.len() as f64 * at) as usize;
        let (first, second) = items.split_at(cut);
        let learn = |files_of: Vec<Vec<u8>>| -> Summary {
            let schema = files(files_of, 1000).infer_schema(&options(2, OnError::Raise), &Control::default()).expect("a schema");
            schema.summary().clone()
        };
        let whole = learn(vec![lines(first), lines(second)]);
        // An empty file keeps the places in the list.
        let (a, b) = (learn(vec![lines(first), Vec::new()]), learn(vec![Vec::new(), lines(second)]));
        let merged = |parts: [&Summary; 3]| {
            let mut sum = Summary::default();
            parts.into_iter().for_each(|part| sum.merge(part.clone()));
            sum
        };
        let empty = Summary::default();
        prop_assert_eq!(&merged([&a, &b, &empty]), &whole);
        prop_assert_eq!(&merged([&b, &empty, &a]), &whole);
        let mut right = b.clone();
        right.merge(a.clone());
        prop_assert_eq!(&right, &whole);
        let freeze = |summary: &Summary| Schema::freeze(Arc::new(summary.clone()), Policies::default(), None).map(|s| s.to_json());
        prop_assert_eq!(freeze(&right), freeze(&whole));
    }

    /// A guessed schema holds where it is the schema of all items, and only there.
    #[test]
    fn guesses_hold_or_are_found_out(
        items in prop::collection::vec(any_item(), 1..5),
        places in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..6), 1..5),
        blocks in 1_usize..4,
        typed in any::<bool>(),
        skip in any::<bool>(),
    ) {
        let data: Vec<_> = places
            .iter()
            .map(|file| {
                let mut text = lines(&file.iter().map(|place| place.get(&items).clone()).collect::<Vec<_>>());
                if skip {
                    text.extend_from_slice(b"{\"Item\":{\"fresh\":{\"S\":\"x\"},\"a\":{\"N\":\"1e1000\"}}}\n");
                    text.extend_from_slice(&lines(&items[..1]));
                }
                text
            })
            .collect();
        let mut read = options(2, if skip { OnError::Skip } else { OnError::Raise });
        read.policies.layout = if typed { Layout::Typed } else { Layout::Plain };
        guessed(&data, &read, blocks);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    /// The same bytes for any chunk size and thread count, in every format.
    #[test]
    fn same_bytes_for_any_chunks_and_threads(items in any_items(60)) {
        let all = many(&items, 5 << 20);
        let (first, second) = all.split_at(all.len() / 3);
        let data = vec![lines(first), gzip(&lines(second)), gzip(&[])];
        for format in FORMATS {
            let reference = bytes_of(&files(data.clone(), 1 << 20), format, &options(1, OnError::Raise));
            for (chunk, threads) in [(1 << 20, 2), (4_093, 1), (65_537, 3), (1 << 20, 8)] {
                let found = bytes_of(&files(data.clone(), chunk), format, &options(threads, OnError::Raise));
                prop_assert!(found == reference, "{format:?} in chunks of {chunk} on {threads} threads");
            }
        }
    }

    /// A file with bad lines, read with `skip`, gives the bytes of the file without them.
    #[test]
    fn skipping_leaves_no_trace(items in any_items(60), every in 2_usize..40) {
        skipping_leaves_no_trace_of(&items, every);
    }

    /// The same rows and schema for any batch size.
    #[test]
    fn batch_sizes_do_not_show(items in any_items(60)) {
        let all = many(&items, 200 << 10);
        let export = files(vec![lines(&all)], 1 << 20);
        let rows = |batch_size: usize| {
            let read = ReadOptions { batch_size, ..options(2, OnError::Raise) };
            let batches = export.read(read, &Control::default()).expect("a reader").batches(&Control::default()).expect("batches");
            let schema = batches.schema();
            let batches: Vec<_> = batches.map(|batch| batch.expect("good data")).collect();
            assert!(batches.iter().rev().skip(1).all(|batch| batch.num_rows() == batch_size));
            arrow::compute::concat_batches(&schema, &batches).expect("one schema")
        };
        let reference = rows(8_192);
        prop_assert_eq!(reference.num_rows(), all.len());
        for batch_size in [1, 3, 1000] {
            prop_assert!(rows(batch_size) == reference, "batches of {batch_size}");
        }
    }
}
