//! Changes: the rows of an incremental export are what became of the items of a random table,
//! whatever the format, the view, and the way it is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::TimestampMicrosecondType;
use dynarrow::change::{Attributes, Change};
use dynarrow::event::Sink;
use dynarrow::item::{Items, Place};
use dynarrow::{
    Batches, Code, Control, ConvertOptions, Dest, Export, Images, Item, Layout, OnError, OutputFormat, Policies, ReadOptions, Result,
    SourceFormat, View, convert, open_export,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::tables::{self, Window, any_chain};
use dynarrow_tests::{cases, comparable_item, meaning};
use ion_rs::Element;
use ion_rs::v1_0::Binary;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const IMAGES: [Images; 3] = [Images::New, Images::Old, Images::Both];

/// A row in a form in which equal ones are equal.
type Row = (String, i64, String, Option<String>);

fn open(folder: &Path) -> Export {
    open_export(&folder.display().to_string()).expect("an export")
}

fn typed(threads: usize, batch_size: usize) -> ReadOptions {
    ReadOptions { threads, batch_size, policies: Policies { layout: Layout::Typed, ..Policies::default() }, ..ReadOptions::default() }
}

fn batches(export: &Export, images: Images, options: ReadOptions) -> Result<(RecordBatch, Vec<RecordBatch>)> {
    let (changes, options) = export.changes(images, options, &Control::default())?;
    let reader = changes.read(options, &Control::default())?;
    let empty = RecordBatch::new_empty(Arc::new(reader.arrow_schema()));
    Ok((empty, reader.batches(&Control::default())?.collect::<Result<_>>()?))
}

/// The rows of changes, the attributes on the way back from `layout="typed"`.
fn rows(export: &Export, images: Images, options: ReadOptions) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for batch in batches(export, images, options)?.1 {
        let with_old = images == Images::Both && batch.num_columns() > 2;
        let attributes = batch.project(&(2..batch.num_columns() - usize::from(with_old)).collect::<Vec<_>>()).expect("columns");
        let after = items(attributes.clone());
        let before = with_old.then(|| {
            let before = batch.column(batch.num_columns() - 1).as_struct();
            let options = RecordBatchOptions::new().with_row_count(Some(before.len()));
            let columns = RecordBatch::try_new_with_options(attributes.schema(), before.columns().to_vec(), &options);
            (0..before.len())
                .zip(items(columns.expect("the same columns")))
                .map(|(n, item)| before.is_valid(n).then_some(item))
                .collect::<Vec<_>>()
        });
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for (n, item) in after.iter().enumerate() {
            let old = before.as_ref().and_then(|before| before[n].as_ref()).map(comparable_item);
            rows.push((batch.column(0).as_string::<i32>().value(n).to_owned(), times.value(n), comparable_item(item), old));
        }
    }
    Ok(rows)
}

fn items(batch: RecordBatch) -> Vec<Item> {
    let schema = batch.schema();
    let export =
        Export::of_batches("rows", move || Ok(Batches { schema: schema.clone(), batches: Box::new(std::iter::once(Ok(batch.clone()))) }));
    let items: Result<_> = export.items(&ReadOptions::default(), &Control::default()).expect("rows").collect();
    items.expect("good rows")
}

/// A key with the rest of an image.
fn with_key(change: &tables::Change, image: Option<&tables::Item>) -> tables::Item {
    let rest = image.into_iter().flatten().filter(|(name, _)| !change.key.contains_key(*name));
    change.key.iter().chain(rest).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn expected(window: &Window, images: Images) -> Vec<Row> {
    let row = |change: &tables::Change| {
        let image = if images == Images::Old { &change.old } else { &change.new };
        let old = change.old.as_ref().filter(|_| images == Images::Both);
        let text = |item: &tables::Item| comparable_item(&meaning(item));
        let item = text(&with_key(change, image.as_ref()));
        (window.op(change).as_str().to_owned(), change.micros, item, old.map(text))
    };
    window.changes().map(row).collect()
}

/// A window's files without a manifest.
fn bare(window: &Window, chunk: usize) -> Export {
    let text = |lines: Vec<String>| lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
    let format = if window.style.ion { SourceFormat::Ion } else { SourceFormat::DynamodbJson };
    files(window.lines().into_iter().map(text).collect(), chunk).with_format(format)
}

fn to_bytes(export: &Export, images: Images, format: OutputFormat, read: ReadOptions) -> Vec<u8> {
    let (changes, read) = export.changes(images, read, &Control::default()).expect("changes");
    let mut out = Vec::new();
    let options = ConvertOptions { read, ..ConvertOptions::default() };
    convert(&changes, &Dest::Stdout(format), &options, &Control::default(), &mut out).expect("good data");
    out
}

fn values(lines: &[u8]) -> Vec<Value> {
    serde_json::Deserializer::from_slice(lines).into_iter().collect::<std::result::Result<_, _>>().expect("lines of JSON")
}

/// Items as plain JSON.
fn plain(items: &[tables::Item]) -> Vec<Value> {
    let lines: String = items.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect();
    let mut out = Vec::new();
    convert(
        &files(vec![lines.into_bytes()], 1 << 20),
        &Dest::Stdout(OutputFormat::Ndjson),
        &ConvertOptions::default(),
        &Control::default(),
        &mut out,
    )
    .expect("good items");
    values(&out)
}

proptest! {
    #![proptest_config(cases(150))]

    /// 150 chains × 3.5 windows: the rows are the changes, for all images, threads and batch sizes.
    #[test]
    fn rows_are_what_became_of_the_items(chain in any_chain(), batch_size in 1_usize..6) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        for (window, folder) in chain.windows.iter().zip(&written.increments) {
            let export = open(folder);
            for (images, threads) in IMAGES.into_iter().zip([1, 2, 2]) {
                let found = rows(&export, images, typed(threads, batch_size));
                if images != Images::New && window.view == View::NewImage {
                    prop_assert_eq!(found.expect_err("no old images").code(), Code::View);
                    continue;
                }
                prop_assert_eq!(found.map_err(|e| e.to_string()), Ok(expected(window, images)), "{:?} of {}", images, folder.display());
            }
        }
    }

    /// The base and the windows of a chain are exports without a fault, and the state is what
    /// the changes make of the base.
    #[test]
    fn the_simulator_is_right(chain in any_chain()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write_under(bucket.path(), "some/where/");
        for folder in written.increments.iter().chain([&written.base]) {
            let report = open(folder).verify(1, &Control::default()).expect("a report");
            prop_assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
        let items: Result<Vec<Item>> = open(&written.base).items(&ReadOptions::default(), &Control::default()).expect("items").collect();
        let items: Vec<_> = items.expect("good items").iter().map(comparable_item).collect();
        let base: Vec<_> = chain.base.iter().flatten().map(|item| comparable_item(&meaning(item))).collect();
        prop_assert_eq!(&items, &base);
        let key = |item: &tables::Item| {
            comparable_item(&meaning(&chain.keys.iter().map(|name| (name.clone(), item[name].clone())).collect()))
        };
        let mut table: BTreeMap<_, _> = chain.base.iter().flatten().map(|item| (key(item), item.clone())).collect();
        for change in chain.windows.iter().flat_map(Window::changes) {
            let before = match &change.new {
                Some(item) => table.insert(key(&change.key), item.clone()),
                None => table.remove(&key(&change.key)),
            };
            prop_assert_eq!(&before, &change.old);
        }
        let state: BTreeMap<_, _> = chain.state().iter().map(|item| (key(item), item.clone())).collect();
        prop_assert_eq!(state.len(), chain.state().len());
        prop_assert_eq!(state, table);
    }

    /// The same in plain JSON, where own columns stand beside attributes of their names.
    #[test]
    fn lines_are_what_became_of_the_items(chain in any_chain()) {
        for window in &chain.windows {
            let images = if window.view == View::NewImage { Images::New } else { Images::Both };
            let export = bare(window, 1 << 20);
            let found = values(&to_bytes(&export, images, OutputFormat::Ndjson, ReadOptions::default()));
            let items: Vec<_> = window.changes().map(|change| with_key(change, change.new.as_ref())).collect();
            let olds: Vec<_> = window.changes().filter_map(|change| change.old.clone().filter(|_| images == Images::Both)).collect();
            let named = |name: &str| {
                let mut name = name.to_owned();
                while items.iter().chain(&olds).any(|item| item.contains_key(&name)) {
                    name.push('_');
                }
                name
            };
            let (op, ts, old) = (named("_op"), named("_ts"), named("_old"));
            let mut before = plain(&olds).into_iter();
            for ((row, item), change) in found.iter().zip(plain(&items)).zip(window.changes()) {
                let mut row = row.as_object().expect("an object").clone();
                // Without a manifest nobody knows whether an item without an old image is new.
                let known = change.op(if change.old.is_some() { window.view } else { View::NewImage });
                prop_assert_eq!(row.remove(&op), Some(json!(known.as_str())));
                let time = row.remove(&ts).expect("a time");
                prop_assert!(time.as_str().is_some_and(|time| time.starts_with("2023-11-14T0") && time.len() == 27), "{}", time);
                let of_old = change.old.as_ref().filter(|_| images == Images::Both).and_then(|_| before.next());
                prop_assert_eq!(row.remove(&old), of_old);
                prop_assert_eq!(Value::Object(row), item);
            }
            prop_assert_eq!(found.len(), items.len());
        }
    }

    /// The changes on tapes are those of the table, whole.
    #[test]
    fn tapes_hold_the_changes(chain in any_chain(), threads in 1_usize..3) {
        let bucket = tempfile::tempdir().expect("a folder");
        for (window, folder) in chain.windows.iter().zip(chain.write(bucket.path()).increments) {
            let export = open(&folder);
            let mut changes = window.changes();
            let options = ReadOptions { threads, ..ReadOptions::default() };
            for tape in export.change_tapes(&options, &Control::default()).expect("changes").0 {
                let (tape, mut place) = (tape.expect("good changes"), Place::default());
                while let Some(found) = Change::next(&tape, &mut place) {
                    let change = changes.next().expect("no more than there are");
                    prop_assert_eq!(found.op(export.view().expect("a view")), window.op(change));
                    prop_assert_eq!(found.micros, change.micros);
                    let old = change.old.as_ref().filter(|_| window.view == View::NewAndOldImages);
                    let pairs = [(Some(found.keys()), Some(&change.key)), (found.old(), old), (found.new_image(), change.new.as_ref())];
                    for (found, expected) in pairs {
                        prop_assert_eq!(found.map(owned), expected.map(meaning));
                    }
                }
            }
            prop_assert!(changes.next().is_none());
        }
    }

    /// Binary Ion, which another reader reads, gives the rows of its text.
    #[test]
    fn binary_ion_is_its_text(chain in any_chain(), chunk in 1_usize..300) {
        for window in &chain.windows {
            let mut window = window.clone();
            window.style.ion = true;
            let text = window.lines().concat().join("\n");
            // ion-rs 1.2 writes no decimals of so many digits.
            let Ok(binary) = Element::read_all(&text).expect("Ion").encode_as(Binary) else { continue };
            let read = |bytes: Vec<u8>| rows(&files(vec![bytes], chunk).with_format(SourceFormat::Ion), Images::Both, typed(1, 100));
            let expected = read(text.into_bytes()).expect("good text");
            prop_assert_eq!(expected.len(), window.changes().count());
            prop_assert_eq!(read(binary).map_err(|e| e.to_string()), Ok(expected));
        }
    }

    /// The same bytes for any chunk size and thread count, in every format; and a file with bad
    /// lines, skipped, gives what the file without them gives.
    #[test]
    fn no_cut_and_no_bad_line_leaves_a_trace(chain in any_chain(), chunk in 1_usize..300, every in 1_usize..4) {
        for window in &chain.windows {
            let mut bad = window.clone();
            bad.style.odd.clear();
            bad.style.ion = false;
            let key = window.changes().next().map(|change| change.key.clone()).unwrap_or_default();
            let good: String = bad.lines().concat().iter().flat_map(|line| [line, "\n"]).collect();
            let mut mixed = String::new();
            for (n, line) in good.lines().enumerate() {
                // Behind the first, which says what the key is.
                mixed.push_str(&format!("{line}\n"));
                if n.is_multiple_of(every) {
                    mixed.push_str(&bad_line(n / every, &key));
                }
            }
            for format in [OutputFormat::Parquet, OutputFormat::Arrow, OutputFormat::Csv, OutputFormat::Ndjson] {
                let options = |threads, on_error| ReadOptions { threads, on_error, batch_size: 3, ..ReadOptions::default() };
                let whole = to_bytes(&bare(window, 1 << 20), Images::Both, format, options(1, OnError::Raise));
                let pieces = to_bytes(&bare(window, chunk), Images::Both, format, options(2, OnError::Raise));
                prop_assert!(whole == pieces, "{:?} in pieces", format);
                let clean = to_bytes(&files(vec![good.clone().into()], 1 << 20), Images::Both, format, options(1, OnError::Raise));
                let skipped = to_bytes(&files(vec![mixed.clone().into()], chunk), Images::Both, format, options(2, OnError::Skip));
                prop_assert!(clean == skipped, "{:?} with bad lines: {}", format, mixed);
            }
        }
    }
}

fn owned(attributes: Attributes<'_>) -> Item {
    let mut items = Items::default();
    items.begin_item();
    attributes.send(&mut items).expect("distinct names");
    items.commit_item(0).expect("room");
    items.take().remove(0)
}

/// A line that is no change of an item with this key.
fn bad_line(n: usize, key: &Map<String, Value>) -> String {
    let time = json!({"WriteTimestampMicros": {"N": "1700000000000000"}});
    let mut other = key.clone();
    other.values_mut().for_each(|value| *value = json!({"S": "of another"}));
    let lines = [
        json!({"Metadata": time, "Keys": key, "NewImage": {"new": {"M": {"x": {"S": "1"}}}, "n": {"N": "1e999"}}}),
        json!({"Metadata": time, "Keys": key, "NewImage": other}),
        json!({"Metadata": time, "Keys": key, "OldImage": {"new": {"S": "x"}}}),
        json!({"Metadata": time, "NewImage": {"fresh": {"S": "x"}}}),
        json!({"Metadata": {"WriteTimestampMicros": {"N": "1.5"}}, "Keys": key, "NewImage": key}),
        json!({"Keys": key, "NewImage": {"fresh": {"S": "x"}}}),
        json!({"Item": key}),
        json!({"Metadata": time, "Keys": {"another": {"S": "x"}}}),
    ];
    format!("{}\n", lines[n % lines.len()])
}
