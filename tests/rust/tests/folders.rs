//! Folders that are divided by values: what is in them together is the whole, item for item;
//! a table of `split_by` is what its items alone would be; the same files for any threads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dynarrow::{
    Code, Control, ConvertOptions, ConvertReport, Dest, Item, Layout, OnError, OutputFormat, ReadOptions, Result, Schema, convert,
    open_export,
};
use dynarrow_tests::{any_item, cases};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

type Attributes = Map<String, Value>;

/// A folder to work in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A source of these lines.
    fn source(&self, name: &str, lines: &str) -> String {
        let path = self.at(name);
        fs::write(&path, lines).expect("a file");
        path.display().to_string()
    }
}

fn lines<'a>(items: impl IntoIterator<Item = &'a Attributes>) -> String {
    items.into_iter().map(|item| format!("{}\n", json!({"Item": item}))).collect()
}

fn try_convert(source: &str, dest: &Path, format: OutputFormat, options: &ConvertOptions) -> Result<ConvertReport> {
    convert(&open_export(source)?, &Dest::Folder(dest.to_owned(), format), options, &Control::default(), std::io::sink())
}

fn done(source: &str, dest: &Path, format: OutputFormat, options: &ConvertOptions) -> ConvertReport {
    try_convert(source, dest, format, options).unwrap_or_else(|e| panic!("{e}"))
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).expect("below").to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// The items of a file, in its order.
fn items_of(path: &Path) -> Vec<Item> {
    let export = open_export(&path.display().to_string()).expect("a source");
    let items: Result<_> = export.items(&ReadOptions::default(), &Control::default()).expect("items").collect();
    items.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// As text that can be compared: the names of an item have no order.
fn shown(mut item: Item) -> String {
    item.sort_by(|a, b| a.0.cmp(&b.0));
    format!("{item:?}")
}

fn typed() -> ReadOptions {
    let mut read = ReadOptions { batch_size: 7, ..ReadOptions::default() };
    read.policies.layout = Layout::Typed;
    read
}

fn split(read: ReadOptions, by: &str) -> ConvertOptions {
    ConvertOptions { read, split_by: Some(by.to_owned()), ..ConvertOptions::default() }
}

fn partition(read: ReadOptions, by: &[&str]) -> ConvertOptions {
    ConvertOptions { read, partition_by: by.iter().map(|&name| name.to_owned()).collect(), ..ConvertOptions::default() }
}

fn object(value: Value) -> Attributes {
    serde_json::from_value(value).expect("an object")
}

/// Values of any type that name folders, and none.
fn any_value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        4 => prop::sample::select(vec!["order", "Order", "a/b=c%", "é 🦐", "..", "_x", "5"]).prop_map(|s| Some(json!({"S": s}))),
        1 => "\\PC{1,12}".prop_map(|s| Some(json!({"S": s}))),
        1 => (6_u8..20).prop_map(|n| Some(json!({"N": format!("{n}.50")}))),
        1 => any::<bool>().prop_map(|b| Some(json!({"BOOL": b}))),
        1 => Just(Some(json!({"NULL": true}))),
        1 => Just(None),
    ]
}

fn any_items() -> impl Strategy<Value = Vec<Attributes>> {
    prop::collection::vec((any_item(), any_value(), any_value(), any::<u8>()), 1..60).prop_map(|items| {
        let item = |(mut item, t, u, place): (Attributes, Option<Value>, Option<Value>, u8)| {
            item.insert("id".into(), json!({"N": place.to_string()}));
            let mut named = Attributes::new();
            // First or last in the item.
            let value = |named: &mut Attributes, name: &str, value: &Option<Value>| {
                value.iter().for_each(|value| drop(named.insert(name.into(), value.clone())));
            };
            item.remove("t");
            item.remove("u");
            value(&mut named, "t", &t);
            named.append(&mut item);
            value(&mut named, "u", &u);
            named
        };
        items.into_iter().map(item).collect()
    })
}

fn key(item: &Attributes, name: &str) -> Option<Value> {
    item.get(name).filter(|value| value.get("NULL").is_none()).cloned()
}

proptest! {
    #![proptest_config(cases(12))]

    /// Each table is, byte for byte, what a conversion of its items alone makes, in every format.
    #[test]
    fn a_table_is_its_items_alone(items in any_items()) {
        prop_assume!(items.iter().any(|item| key(item, "t").is_some()));
        let place = Place::new();
        let source = place.source("all.json", &lines(&items));
        for (n, format) in [OutputFormat::Parquet, OutputFormat::Arrow, OutputFormat::Csv, OutputFormat::Ndjson, OutputFormat::Ion].into_iter().enumerate() {
            let dest = place.at(&format!("split{n}"));
            let read = || ReadOptions { batch_size: 7, ..ReadOptions::default() };
            let report = done(&source, &dest, format, &split(read(), "t"));
            prop_assert_eq!(report.files.len(), report.tables.len());
            let mut total = 0;
            for (m, (table, file)) in report.tables.iter().zip(&report.files).enumerate() {
                let of_table = |item: &&Attributes| key(item, "t").map(|value| {
                    let (kind, text) = value.as_object().and_then(|value| value.iter().next()).expect("a value");
                    let text = text.as_str().map_or_else(|| text.to_string(), |text| text.strip_suffix("0").filter(|_| kind == "N").unwrap_or(text).to_owned());
                    (kind.clone(), Some(text))
                }).unwrap_or(("NULL".into(), None)) == (table.kind.descriptor().to_owned(), table.value.clone());
                let alone: Vec<_> = items.iter().filter(of_table).collect();
                prop_assert_eq!((table.items, file.rows), (alone.len() as u64, alone.len() as u64), "{:?}", table);
                total += alone.len();
                let source = place.source("one.json", &lines(alone));
                let one = place.at(&format!("one{n}-{m}"));
                done(&source, &one, format, &ConvertOptions { read: read(), ..ConvertOptions::default() });
                prop_assert!(files(&one).values().eq([&fs::read(&file.path).expect("a file")]), "{:?}: {:?}", format, table);
                prop_assert!(file.path.starts_with(&table.folder));
            }
            prop_assert_eq!(total, items.len());
        }
    }

}

proptest! {
    #![proptest_config(cases(30))]

    /// All partitions together are the whole, item for item, but for the attributes that name
    /// folders: these say where an item is.
    #[test]
    fn partitions_are_the_whole(items in any_items(), both in any::<bool>()) {
        let by: &[&str] = if both { &["t", "u"] } else { &["u"] };
        prop_assume!(by.iter().all(|name| items.iter().any(|item| key(item, name).is_some())));
        let place = Place::new();
        let source = place.source("all.json", &lines(&items));
        let dest = place.at("out");
        let report = done(&source, &dest, OutputFormat::Parquet, &partition(typed(), by));
        let mut found = Vec::new();
        for file in &report.files {
            let read = items_of(&file.path);
            prop_assert_eq!(read.len() as u64, file.rows);
            let folder = file.path.parent().and_then(|path| path.strip_prefix(&dest).ok()).expect("a folder").display().to_string();
            found.extend(read.into_iter().map(|item| (folder.clone(), shown(item))));
        }
        let whole = place.at("whole");
        let names: Vec<_> = by.iter().map(|&name| name.to_owned()).collect();
        done(&source, &whole, OutputFormat::Parquet, &ConvertOptions { read: typed(), ..ConvertOptions::default() });
        let all = items_of(&whole.join("part-00000.parquet"));
        let mut expected: Vec<_> = all.into_iter().zip(&items).map(|(mut item, source)| {
            item.retain(|(name, _)| !names.contains(name));
            let folder: Vec<_> = by.iter().map(|name| format!("{name}={}", text(key(source, name).as_ref()))).collect();
            (folder.join("/"), shown(item))
        }).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
        // One schema for all files.
        let schemas: Vec<_> = report.files.iter().map(|file| dynarrow::Batches::of_parquet(&file.path).expect("Parquet").schema).collect();
        prop_assert!(schemas.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

/// A value as the name of a folder has it.
fn text(value: Option<&Value>) -> String {
    let Some(value) = value else { return "__HIVE_DEFAULT_PARTITION__".into() };
    let text = match value.as_object().and_then(|value| value.iter().next()).expect("a value") {
        (kind, Value::String(text)) if kind == "N" => text.strip_suffix('0').unwrap_or(text).to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    };
    let escaped = |c: char| if "\"#%'*/:=?\\{[]^\x7f".contains(c) || c < ' ' { format!("%{:02X}", c as u32) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// Many items of four types, of which one is rare; about so many bytes.
fn many(bytes: usize) -> Vec<Attributes> {
    let mut items = Vec::new();
    let mut size = 0;
    while size < bytes {
        let n = items.len();
        let kind = if n % 997 == 0 { "rare" } else { ["order", "line", "user"][n % 3] };
        let item = object(json!({
            "id": {"N": n.to_string()},
            "text": {"S": format!("{}-{n}", "some text ".repeat(n % 11))},
            "day": {"S": format!("2024-01-{:02}", n / 13 % 31)},
            kind: {"L": [{"N": format!("{}.5", n % 100)}]},
            "type": {"S": kind},
        }));
        size += json!({"Item": item}).to_string().len();
        items.push(item);
    }
    items
}

#[test]
fn the_same_files_for_any_threads() {
    let place = Place::new();
    fs::create_dir(place.at("src")).expect("a folder");
    let items = many(6 << 20);
    for (n, part) in items.chunks(items.len() / 3 + 1).enumerate() {
        place.source(&format!("src/{n}.json"), &lines(part));
    }
    let source = place.at("src").display().to_string();
    let dest = place.at("out");
    let divided = |format, threads, which| {
        let read = ReadOptions { threads, ..ReadOptions::default() };
        let mut options = match which {
            0 => split(read, "type"),
            1 => partition(read, &["type", "day"]),
            2 => ConvertOptions { split_by: Some("type".into()), ..partition(read, &["day"]) },
            _ => ConvertOptions { read, ..ConvertOptions::default() },
        };
        options.overwrite = true;
        options.file_size = Some(100 << 10);
        done(&source, &dest, format, &options);
        files(&dest)
    };
    for format in [OutputFormat::Parquet, OutputFormat::Arrow, OutputFormat::Csv, OutputFormat::Ndjson] {
        for which in 0..4 {
            let reference = divided(format, 1, which);
            assert!(reference.len() >= 4 || format == OutputFormat::Parquet, "{}", reference.len());
            for threads in [2, 5] {
                assert!(divided(format, threads, which) == reference, "{format:?} on {threads} threads ({which})");
            }
        }
    }
}

#[test]
fn a_guess_leaves_no_trace() {
    let place = Place::new();
    let mut text = lines(&many(17 << 20));
    // A guess is made where there is no bad item to pass over, and does not hold in the second round.
    for _ in 0..2 {
        let source = place.source("all.json", &text);
        let divided = |on_error| {
            let read = ReadOptions { on_error, ..ReadOptions::default() };
            done(&source, &place.at("out"), OutputFormat::Parquet, &ConvertOptions { overwrite: true, ..partition(read, &["type"]) });
            files(&place.at("out"))
        };
        assert!(divided(OnError::Raise) == divided(OnError::Skip));
        text += "{\"Item\":{\"type\":{\"S\":\"rare\"},\"id\":{\"S\":\"late\"}}}\n";
    }
}

#[test]
fn files_end_behind_their_size() {
    let place = Place::new();
    let items = many(3 << 20);
    let source = place.source("all.json", &lines(&items));
    let options = |file_size| ConvertOptions { file_size, overwrite: true, ..ConvertOptions::default() };
    for (format, header) in [(OutputFormat::Ndjson, 0), (OutputFormat::DynamodbJson, 0), (OutputFormat::Csv, 1)] {
        let whole = done(&source, &place.at("whole"), format, &options(None)).files;
        let whole = fs::read(&whole[0].path).expect("a file");
        let report = done(&source, &place.at("parts"), format, &options(Some(200_000)));
        let head = if header == 0 { 0 } else { whole.iter().position(|&b| b == b'\n').expect("a line") + 1 };
        let mut joined = whole[..head].to_vec();
        for (n, file) in report.files.iter().enumerate() {
            let bytes = fs::read(&file.path).expect("a file");
            assert_eq!(file.path, place.at("parts").join(format!("part-{n:05}.{}", format.ending())));
            assert_eq!((file.bytes, file.rows), (bytes.len() as u64, bytecount(&bytes) - header));
            assert_eq!(bytes[..head], whole[..head]);
            assert_eq!((200_000..202_000).contains(&bytes.len()), n + 1 < report.files.len(), "{}", bytes.len());
            joined.extend_from_slice(&bytes[head..]);
        }
        assert!(joined == whole && report.files.len() > 5);
    }
    // Parquet is cut between row groups, of which there is one here; Arrow between batches.
    assert_eq!(done(&source, &place.at("p"), OutputFormat::Parquet, &options(Some(1))).files.len(), 1);
    let report = done(&source, &place.at("a"), OutputFormat::Arrow, &options(Some(1)));
    assert_eq!(report.files.len(), items.len().div_ceil(8_192));
    assert_eq!(report.files.iter().map(|file| file.rows).sum::<u64>(), items.len() as u64);
    assert_eq!(report.bytes_out, report.files.iter().map(|file| file.bytes).sum::<u64>());
}

fn bytecount(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u64
}

#[test]
fn bad_items_leave_no_trace() {
    let place = Place::new();
    let good = many(2 << 20);
    let mut bad = String::new();
    for (n, line) in lines(&good).split_inclusive('\n').enumerate() {
        if n % 50 == 0 {
            bad += [
                r#"{"Item":{"type":{"M":{"x":{"S":"y"}}},"fresh":{"S":"x"},"day":{"S":"x"}}}"#,
                r#"{"Item":{"type":{"S":"new"},"type":{"S":"new"},"day":{"S":"new"}}}"#,
                r#"{"Item":{"type":{"S":"other"},"fresh":{"N":"x"},"day":{"S":"new"}}}"#,
                r#"{"Item":{"type":{"BS":["AA=="]},"day":{"L":[]},"fresh":{"L":[{"M":{}}]}}}"#,
            ][n / 50 % 4];
            bad.push('\n');
        }
        bad += line;
    }
    let (good, bad) = (place.source("good.json", &lines(&good)), place.source("bad.json", &bad));
    for format in [OutputFormat::Parquet, OutputFormat::Csv] {
        for which in 0..3 {
            let options = |on_error, threads| {
                let read = ReadOptions { on_error, threads, ..ReadOptions::default() };
                let options = match which {
                    0 => split(read, "type"),
                    1 => partition(read, &["type"]),
                    _ => ConvertOptions { split_by: Some("type".into()), ..partition(read, &["day"]) },
                };
                ConvertOptions { overwrite: true, ..options }
            };
            done(&good, &place.at("good"), format, &options(OnError::Raise, 1));
            for threads in [1, 3] {
                let report = done(&bad, &place.at("bad"), format, &options(OnError::Skip, threads));
                assert!(report.read.totals.skipped > 10);
                assert!(files(&place.at("good")) == files(&place.at("bad")), "{format:?} on {threads} threads ({which})");
            }
        }
    }
}

#[test]
fn what_cannot_name_a_folder_is_refused() {
    let place = Place::new();
    let refused = |items: &[Value], options: &ConvertOptions| {
        let items: Vec<_> = items.iter().map(|item| object(item.clone())).collect();
        let source = place.source("one.json", &lines(&items));
        let error = try_convert(&source, &place.at("out"), OutputFormat::Parquet, options).expect_err("refused");
        assert!(!place.at("out").exists() && fs::read_dir(place.0.path()).expect("a folder").count() == 1, "{error}");
        (error.code(), error.to_string())
    };
    let read = ReadOptions::default;
    for value in
        [json!({"B": "AA=="}), json!({"M": {"t": {"S": "x"}}}), json!({"L": [{"S": "x"}]}), json!({"SS": ["x"]}), json!({"NS": ["1"]})]
    {
        for options in [partition(read(), &["t"]), split(read(), "t")] {
            let (code, text) = refused(&[json!({"t": value, "a": {"S": "x"}})], &options);
            assert!(code == Code::Partition && text.contains("names no folder") && text.contains("attribute t"), "{text}");
        }
    }
    for text in ["", "__HIVE_DEFAULT_PARTITION__", &"x".repeat(254)] {
        assert_eq!(refused(&[json!({"t": {"S": text}})], &partition(read(), &["t"])).0, Code::Partition);
    }
    assert_eq!(refused(&[json!({"t": {"S": "é".repeat(43)}})], &split(read(), "t")).0, Code::Partition);
    // The string and the number would share a folder; as tables they do not.
    let both = [json!({"t": {"S": "1"}, "a": {"S": "x"}}), json!({"t": {"N": "1.0"}, "a": {"S": "x"}})];
    let (code, text) = refused(&both, &partition(read(), &["t"]));
    assert!(code == Code::Partition && text.contains("\"1\" is of type S in one item and N in another"), "{text}");
    for name in ["nope", "T"] {
        assert_eq!(refused(&both, &partition(read(), &[name])).0, Code::Column);
        assert_eq!(refused(&both, &split(read(), name)).0, Code::Column);
    }
    let few = |options: ConvertOptions| ConvertOptions { max_partitions: 1, ..options };
    for on_error in [OnError::Raise, OnError::Skip] {
        for options in [few(partition(ReadOptions { on_error, ..read() }, &["t"])), few(split(ReadOptions { on_error, ..read() }, "t"))] {
            let (code, text) = refused(&both, &options);
            assert!(code == Code::TooManyPartitions && text.contains("`max_partitions`"), "{text}");
        }
    }
    let sampled = ReadOptions { sample: Some(1), ..read() };
    let frozen =
        ReadOptions { schema: Some(Schema::freeze(std::sync::Arc::default(), read().policies, None).expect("a schema")), ..read() };
    for options in [
        partition(read(), &["t", "t"]),
        ConvertOptions { split_by: Some("t".into()), ..partition(read(), &["t"]) },
        split(sampled, "t"),
        split(frozen, "t"),
    ] {
        assert_eq!(refused(&both, &options).0, Code::Usage);
    }
}

#[test]
fn partitions_of_a_frozen_schema() {
    let place = Place::new();
    let items = [json!({"t": {"S": "a"}, "x": {"N": "1"}}), json!({"t": {"S": "b"}, "x": {"S": "late"}})].map(object);
    let first = open_export(&place.source("first.json", &lines(&items[..1]))).expect("a source");
    let schema = first.infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema");
    let read = ReadOptions { schema: Some(schema), ..ReadOptions::default() };
    let source = place.source("all.json", &lines(&items));
    let report = done(&source, &place.at("out"), OutputFormat::Parquet, &partition(read, &["t"]));
    assert_eq!(report.read.losses.extra.count, 1);
    let names = |file: &Path| -> Vec<String> {
        dynarrow::Batches::of_parquet(file).expect("Parquet").schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    for file in &report.files {
        assert_eq!(names(&file.path), ["x", "_extra"]);
    }
    // Columns that only one table has are its own.
    let read = ReadOptions { columns: Some(["x".to_owned(), "y".to_owned(), "t".to_owned()].into()), ..ReadOptions::default() };
    let items = [json!({"t": {"S": "a"}, "x": {"N": "1"}, "z": {"S": ""}}), json!({"y": {"S": "b"}, "t": {"S": "b"}})].map(object);
    let source = place.source("two.json", &lines(&items));
    let report = done(&source, &place.at("two"), OutputFormat::Parquet, &split(read, "t"));
    assert_eq!(report.files.iter().map(|file| names(&file.path)).collect::<Vec<_>>(), [["x", "t"], ["y", "t"]]);
    // From Parquet as from JSON.
    let whole = place.at("whole");
    done(&source, &whole, OutputFormat::Parquet, &ConvertOptions::default());
    let again = done(&whole.display().to_string(), &place.at("again"), OutputFormat::Ndjson, &split(ReadOptions::default(), "t"));
    assert_eq!(
        again.tables.iter().map(|table| (table.value.as_deref(), table.items)).collect::<Vec<_>>(),
        [(Some("a"), 1), (Some("b"), 1)]
    );
}
