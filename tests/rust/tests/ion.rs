//! Ion: both paths (our own and ion-rs) read the same, whatever the form; what is written is
//! read by ion-rs to the same; an Ion export is its DynamoDB JSON twin.

use std::sync::Arc;

use dynarrow::export::open::open;
use dynarrow::storage::memory::Memory;
use dynarrow::{Control, ConvertOptions, Dest, Export, Item, OnError, OutputFormat, ReadOptions, convert};
use dynarrow_tests::ion::{blank, compare, odd_item, read, read_by_ion_rs, source};
use dynarrow_tests::{any_item, cases, choices, meaning};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Items = Vec<Map<String, Value>>;

fn any_items(most: usize) -> impl Strategy<Value = Items> {
    prop::collection::vec(any_item(), 0..most)
}

/// Bytes that matter.
const LIKELY: &[u8] = b"{}[]()\"'\\/*,:$.d0-+x \n_1a";

/// The items as a stream in forms that the pattern says.
fn odd_stream(items: &Items, pattern: &[u8]) -> String {
    let mut choice = choices(pattern);
    let mut text = String::new();
    let mut in_list = false;
    for item in items {
        if !in_list && choice().is_multiple_of(3) {
            text.push_str(["$ion_1_0 ", " $ion_1_0\n", "$ion_1_0"][usize::from(choice() % 3)]);
        }
        if !in_list && choice().is_multiple_of(8) {
            text.push('[');
            in_list = true;
        }
        let bare = choice().is_multiple_of(3)
            && !item.keys().next().is_some_and(|name| ["Item", "Record", "Keys", "Metadata"].contains(&name.as_str()));
        if bare {
            odd_item(item, &mut choice, &mut text);
        } else {
            text.push_str(["{Item:", "{ 'Item' :", "{\"Item\":"][usize::from(choice() % 3)]);
            odd_item(item, &mut choice, &mut text);
            text.push_str(if choice().is_multiple_of(5) { ",}" } else { "}" });
        }
        blank(&mut choice, &mut text);
        if in_list {
            text.push(',');
            if choice().is_multiple_of(3) {
                text.push(']');
                in_list = false;
            }
        }
        text.push_str(if choice().is_multiple_of(2) { "\n" } else { " " });
    }
    if in_list {
        text.push(']');
    }
    text
}

fn json_lines(items: &[Map<String, Value>]) -> Vec<u8> {
    items.iter().flat_map(|item| format!("{}\n", json!({"Item": item})).into_bytes()).collect()
}

fn json_source(items: &[Map<String, Value>]) -> Export {
    let mut storage = Memory::default();
    storage.insert("data.json", json_lines(items));
    open(Arc::new(storage), "", "test").expect("a file")
}

fn converted(export: &Export, to: OutputFormat) -> Vec<u8> {
    let mut out = Vec::new();
    convert(export, &Dest::Stdout(to), &ConvertOptions::default(), &Control::default(), &mut out).expect("good data");
    out
}

proptest! {
    #![proptest_config(cases(400))]

    /// 400 × 20 items on average: whatever the form, the items are read, and ion-rs reads the same.
    #[test]
    fn every_form_is_read(items in any_items(40), pattern in prop::collection::vec(any::<u8>(), 1..60)) {
        let text = odd_stream(&items, &pattern);
        let expected: Vec<Item> = items.iter().map(meaning).collect();
        prop_assert_eq!(read_by_ion_rs(text.as_bytes()), Some(expected.clone()), "ion-rs: {}", text);
        prop_assert_eq!(read(text.as_bytes(), OnError::Raise).map_err(|e| e.to_string()), Ok(expected), "{}", text);
    }

    /// On text with a few bytes changed both agree whether it is good, and what it says.
    #[test]
    fn both_agree_on_broken_text(
        items in any_items(4),
        pattern in prop::collection::vec(any::<u8>(), 1..60),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..4),
    ) {
        let mut bytes = odd_stream(&items, &pattern).into_bytes();
        for (at, byte, edit) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = LIKELY[usize::from(byte) % LIKELY.len()],
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, LIKELY[usize::from(byte) % LIKELY.len()]),
                _ => bytes.truncate(at),
            }
        }
        compare(&bytes);
    }

    /// JSON → Ion → JSON: the same items, and the same bytes of what is canonical (numbers are,
    /// once they have been written).
    #[test]
    fn json_to_ion_and_back(items in any_items(40)) {
        let export = json_source(&items);
        let ion = converted(&export, OutputFormat::Ion);
        let expected: Vec<Item> = items.iter().map(meaning).collect();
        prop_assert_eq!(read_by_ion_rs(&ion), Some(expected.clone()), "what is written is read by ion-rs");
        prop_assert_eq!(read(&ion, OnError::Raise).map_err(|e| e.to_string()), Ok(expected));
        let canonical = converted(&export, OutputFormat::DynamodbJson);
        prop_assert_eq!(converted(&source(&ion), OutputFormat::DynamodbJson), canonical);
        prop_assert_eq!(converted(&source(&ion), OutputFormat::Ion), ion);
    }

    /// Tables and schemas are those of DynamoDB JSON.
    #[test]
    fn ion_is_its_json_twin(items in any_items(40), pattern in prop::collection::vec(any::<u8>(), 1..60)) {
        prop_assume!(items.iter().any(|item| !item.is_empty()));
        let (json, ion) = (json_source(&items), source(odd_stream(&items, &pattern).as_bytes()));
        let schema = |export: &Export| export.infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema").to_json();
        prop_assert_eq!(schema(&ion), schema(&json));
        for to in [OutputFormat::Arrow, OutputFormat::Parquet, OutputFormat::Csv, OutputFormat::Ndjson] {
            prop_assert!(converted(&ion, to) == converted(&json, to), "{to:?}");
        }
    }
}

const BAD: [&str; 8] = [
    "$ion_1_0 {Item:{pk:\"x\",n:1d1000}}\n",
    "$ion_1_0 {Item:{fresh:1.,pk:\"x\n",
    " $ion_1_0 {Item:{pk:[1.,{q:{{AA==}}},(x)]}}\n",
    "{Item:{pk:1.,pk:2.}}\n",
    "$ion_1_0 {Item:{pk:}}\n",
    "}\n",
    "$ion_1_0 {Item:{pk:$dynamodb_NS::[1.,1.]}}\n",
    "$ion_1_0 {Item:{pk:x::1.}}\n",
];

/// Whole files: the same bytes for any thread count, with bad lines passed over and without.
#[test]
fn threads_and_bad_lines_do_not_show() {
    let line = |n: usize| format!("$ion_1_0 {{Item:{{pk:\"k{n}\",n:{n}.5,l:[{n}.,{{m:null}}],s:$dynamodb_SS::[\"a\",\"b{n}\"]}}}}\n");
    let good: String = (0..60_000).map(line).collect();
    let bad: String = (0..60_000).map(|n| if n % 7 == 0 { BAD[n / 7 % BAD.len()].to_owned() + &line(n) } else { line(n) }).collect();
    let bytes = |text: &str, threads: usize, on_error| {
        let mut out = Vec::new();
        let read = ReadOptions { threads, on_error, ..ReadOptions::default() };
        let options = ConvertOptions { read, ..ConvertOptions::default() };
        let report = convert(&source(text.as_bytes()), &Dest::Stdout(OutputFormat::Parquet), &options, &Control::default(), &mut out);
        (out, report.expect("good lines").read.totals.skipped)
    };
    let (clean, _) = bytes(&good, 1, OnError::Raise);
    for threads in [1, 2, 5] {
        assert!(bytes(&good, threads, OnError::Raise).0 == clean, "{threads} threads");
        let (skipped, count) = bytes(&bad, threads, OnError::Skip);
        assert_eq!(count, 60_000_u64.div_ceil(7));
        assert!(skipped == clean, "bad lines on {threads} threads");
    }
}
