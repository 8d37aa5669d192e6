//! Legacy dumps, of AWS Data Pipeline and the EMR connector: items → dump → items is the identity
//! in both forms of lines, at any chunks and on any number of threads; a dump and an export of the
//! same items give the same tables; what is broken is one error or a counted skip.

use std::fs;
use std::path::{Path, PathBuf};

use dynarrow::{
    Code, Control, ConvertOptions, Dest, DiffOptions, Export, Location, OnError, OutputFormat, ReadOptions, Result, Severity, SourceFormat,
    Told, convert, diff, open_export,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::layout::{Layout, gzip};
use dynarrow_tests::{any_item, cases, choices, comparable_item, meaning, odd_json};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Fields = Map<String, Value>;

/// A value as dumps have it: its descriptor with a lower-case first letter, a NULL under one of
/// the two names that were written, or all in upper case.
fn legacy(value: &Value, choice: &mut impl FnMut() -> u8) -> Value {
    let (descriptor, inner) = value.as_object().and_then(|object| object.iter().next()).expect("a descriptor");
    let inner = match (descriptor.as_str(), inner) {
        ("M", Value::Object(members)) => members.iter().map(|(name, value)| (name.clone(), legacy(value, choice))).collect(),
        ("L", Value::Array(values)) => values.iter().map(|value| legacy(value, choice)).collect(),
        (_, inner) => inner.clone(),
    };
    let lower = descriptor[..1].to_lowercase() + &descriptor[1..];
    let name = match choice() % 8 {
        0 if descriptor == "NULL" => "nULLValue".to_owned(),
        1 => descriptor.clone(),
        _ => lower,
    };
    json!({ name: inner })
}

/// The item as it stands in a line of JSON.
fn bare(item: &Fields, choice: &mut impl FnMut() -> u8) -> Value {
    item.iter().map(|(name, value)| (name.clone(), legacy(value, choice))).collect::<Fields>().into()
}

/// Lines of JSON, written oddly as the pattern says.
fn lines(items: &[Fields], pattern: &[u8]) -> Vec<u8> {
    let mut choice = choices(pattern);
    let mut text = String::new();
    for item in items {
        let item = bare(item, &mut choice);
        odd_json(&item, &mut choice, &mut text);
        text.push_str(if choice().is_multiple_of(7) { "\r\n\n" } else { "\n" });
    }
    text.into_bytes()
}

/// The JSON text with these control characters in strings as they are.
fn with_separators(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let (raw, length) = match escape.get(..6) {
            Some("\\u0002") => ("\u{2}", 6),
            Some("\\u0003") => ("\u{3}", 6),
            _ => (&escape[..2], 2),
        };
        out.push_str(raw);
        rest = &escape[length..];
    }
    out + rest
}

/// Whether a line without braces can carry the item.
fn is_carried(item: &Fields) -> bool {
    let is_name = |name: &String| !name.contains(['\u{2}', '\u{3}', '\n']);
    item.keys().next().is_some_and(|first| !first.starts_with(['{', ' ', '\t', '\r', '\u{c}'])) && item.keys().all(is_name)
}

/// Lines of names and values between ETX and STX.
fn delimited(items: &[Fields], pattern: &[u8]) -> Vec<u8> {
    let mut choice = choices(pattern);
    let mut all = String::new();
    for item in items {
        let attributes: Vec<_> = item
            .iter()
            .map(|(name, value)| {
                let mut text = String::new();
                odd_json(&legacy(value, &mut choice), &mut choice, &mut text);
                format!("{name}\u{3}{}", if choice().is_multiple_of(2) { with_separators(&text) } else { text })
            })
            .collect();
        all += &attributes.join("\u{2}");
        all.push_str(if choice().is_multiple_of(5) { "\r\n \n" } else { "\n" });
    }
    all.into_bytes()
}

fn read(export: &Export, threads: usize) -> Vec<String> {
    let read = ReadOptions { threads, ..ReadOptions::default() };
    let items: Result<Vec<_>> = export.items(&read, &Control::default()).expect("a reader").collect();
    items.expect("good items").iter().map(comparable_item).collect()
}

fn expected(items: &[Fields]) -> Vec<String> {
    items.iter().map(|item| comparable_item(&meaning(item))).collect()
}

fn forced(bytes: Vec<u8>, chunk: usize) -> Export {
    files(vec![bytes], chunk).with_format(SourceFormat::Legacy)
}

fn bytes_of(export: &Export, format: OutputFormat, threads: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let read = ReadOptions { threads, batch_size: 100, ..ReadOptions::default() };
    convert(export, &Dest::Stdout(format), &ConvertOptions { read, ..ConvertOptions::default() }, &Control::default(), &mut out)
        .expect("good data");
    out
}

fn write(export: &Export, folder: &Path) {
    let dest = Dest::parse(&folder.display().to_string(), Some(OutputFormat::Legacy)).expect("a folder");
    convert(export, &dest, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect("a dump");
}

fn open(path: &Path) -> Result<Export> {
    open_export(&path.display().to_string())
}

/// Enough for several blocks: the items again and again, each time a little different.
fn many(items: &[Fields], bytes: usize) -> Vec<Fields> {
    let mut all: Vec<Fields> = Vec::new();
    let mut size = 0;
    while size < bytes && !items.is_empty() {
        for item in items {
            let mut item = item.clone();
            item.insert("count".into(), json!({"N": all.len().to_string()}));
            size += Value::from(item.clone()).to_string().len();
            all.push(item);
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn items_come_back(items in prop::collection::vec(any_item(), 0..12), pattern in prop::collection::vec(any::<u8>(), 0..40)) {
        let text = lines(&items, &pattern);
        for chunk in [1, 3, 7, 1 << 20] {
            prop_assert_eq!(read(&forced(text.clone(), chunk), 1), expected(&items), "chunks of {}", chunk);
        }
    }

    #[test]
    fn items_without_braces_come_back(
        items in prop::collection::vec(any_item().prop_filter("what this form cannot carry", is_carried), 0..12),
        pattern in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let text = delimited(&items, &pattern);
        for chunk in [1, 3, 7, 1 << 20] {
            prop_assert_eq!(read(&files(vec![text.clone()], chunk), 1), expected(&items), "chunks of {}", chunk);
        }
    }

    #[test]
    fn what_is_written_comes_back(items in prop::collection::vec(any_item(), 0..12)) {
        let folder = tempfile::tempdir().expect("a folder");
        let export: Vec<u8> = items.iter().flat_map(|item| format!("{}\n", json!({"Item": item})).into_bytes()).collect();
        write(&files(vec![export], 1 << 20), &folder.path().join("dump"));
        let dump = open(&folder.path().join("dump")).expect("a dump");
        prop_assert_eq!(read(&dump, 2), expected(&items));
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// Also whether the format is told by the bytes or not, and in whatever form the lines are.
    #[test]
    fn dumps_and_exports_give_equal_tables(items in prop::collection::vec(any_item().prop_filter("carried", is_carried), 1..12)) {
        let all = many(&items, 3 << 20);
        let export: Vec<u8> = all.iter().flat_map(|item| format!("{}\n", json!({"Item": item})).into_bytes()).collect();
        let export = files(vec![export.clone(), export], 1 << 20);
        let (json, other) = (lines(&all, &[]), delimited(&all, &[]));
        let told = files(vec![json.clone(), other], 10_007);
        prop_assert_eq!(told.told_format().expect("a format"), (SourceFormat::Legacy, Told::Bytes));
        let forced = files(vec![json.clone(), json], 1 << 20).with_format(SourceFormat::Legacy);
        for format in [OutputFormat::Parquet, OutputFormat::Arrow, OutputFormat::Csv, OutputFormat::Ndjson, OutputFormat::DynamodbJson] {
            let whole = bytes_of(&export, format, 1);
            for (dump, threads) in [(&told, 1), (&told, 3), (&forced, 3)] {
                prop_assert!(bytes_of(dump, format, threads) == whole, "{:?} on {} threads", format, threads);
            }
        }
    }

    /// Damaged bytes are errors or are counted; where they stand does not depend on chunks.
    #[test]
    fn damage_is_counted(
        items in prop::collection::vec(any_item().prop_filter("carried", is_carried), 1..8),
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let mut text = [lines(&items, &[]), delimited(&items, &[])].concat();
        for (at, byte) in damage {
            let at = at % text.len();
            text[at] = byte;
        }
        let skipped = |chunk: usize| {
            let read = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
            let mut found = forced(text.clone(), chunk).items(&read, &Control::default()).expect("a reader");
            let items: Vec<_> = found.by_ref().map(|item| item.map(|item| comparable_item(&item))).collect();
            let totals = found.totals();
            assert_eq!(totals.skipped, totals.errors.len() as u64);
            (items, totals.errors.clone())
        };
        let whole = skipped(1 << 20);
        for chunk in [1, 5] {
            prop_assert_eq!(skipped(chunk), whole.clone());
        }
    }
}

fn error_of(bytes: &[u8]) -> String {
    let read = ReadOptions::default();
    let mut items = forced(bytes.to_vec(), 3).items(&read, &Control::default()).expect("a reader");
    let error = items.find_map(Result::err).unwrap_or_else(|| panic!("no error in {:?}", String::from_utf8_lossy(bytes)));
    error.to_string().replace("file data-0.json, ", "")
}

#[test]
fn errors_have_code_position_and_path() {
    const GOOD: &str = "{\"id\":{\"n\":\"1\"}}\n\n";
    for (line, text) in [
        // A half line at the end, as a copy that broke off leaves it.
        ("{\"id\":{\"n\":\"1", "E_JSON: expected the end of the string, found the end of the data (line 3, byte 31, item 1, attribute id)"),
        ("{\"id\":{\"n\":\"1\"}", "E_JSON: expected `,` or `}`, found the end of the data (line 3, byte 33, item 1)"),
        ("id\x03{\"n\":\"1\"", "E_JSON: expected `}`, found the end of the data (line 3, byte 29, item 1, attribute id)"),
        ("id\x03", "E_JSON: expected an object, found the end of the data (line 3, byte 21, item 1, attribute id)"),
        (
            "id\x03{\"n\":\"1\"}\x02na",
            "E_JSON: expected ETX (0x03) behind the name of an attribute, found the end of the data (line 3, byte 33, item 1)",
        ),
        (
            "id\x03{\"n\":\"1\"}\x02\n",
            "E_JSON: expected ETX (0x03) behind the name of an attribute, found the end of the line (line 3, byte 31, item 1)",
        ),
        (
            "a\x02b\x03{\"n\":\"1\"}",
            "E_JSON: expected ETX (0x03) behind the name of an attribute, found '\\u{2}' (line 3, byte 19, item 1)",
        ),
        (
            "id\x03{\"n\":\"1\"},x\x03{\"n\":\"1\"}",
            "E_JSON: expected STX (0x02) or the end of the line, found ',' (line 3, byte 30, item 1)",
        ),
        ("{\"a\":{\"x\":\"1\"}}", "E_DESCRIPTOR: unknown type descriptor \"x\" (line 3, byte 24, item 1, attribute a)"),
        ("{\"a\":{}}", "E_DESCRIPTOR: a value without a type descriptor (line 3, byte 23, item 1, attribute a)"),
        (
            "a\x03{\"m\":{\"b\":{\"l\":[{\"nsx\":[]}]}}}",
            "E_DESCRIPTOR: unknown type descriptor \"nsx\" (line 3, byte 37, item 1, attribute a.b[])",
        ),
        ("a\x03\"x\"", "E_DESCRIPTOR: a value must be an object (line 3, byte 20, item 1, attribute a)"),
        ("a\x03{\"n\":\"1x\"}", "E_NUMBER: not a number: \"1x\" (line 3, byte 26, item 1, attribute a)"),
        (
            "a\x03{\"n\":\"1\"}\x02a\x03{\"n\":\"1\"}",
            "E_DUPLICATE_ATTRIBUTE: the attribute stands twice in one object (line 3, byte 30, item 1, attribute a)",
        ),
        ("a\x03{\"s\":\"\t\"}", "E_JSON: control character 0x09 in a string; it must be escaped (line 3, byte 26, item 1, attribute a)"),
        // Other formats in the same file.
        ("{\"Item\":{\"id\":{\"S\":\"1\"}}}", "E_DESCRIPTOR: unknown type descriptor \"id\" (line 3, byte 27, item 1, attribute Item)"),
        ("[1]", "E_RECORD: a record must be an object (line 3, byte 18, item 1)"),
        ("id,name", "E_JSON: expected an object, found 'i' (line 3, byte 18, item 1)"),
        ("1\u{1}x", "E_RECORD: a record must be an object (line 3, byte 18, item 1)"),
    ] {
        assert_eq!(error_of(format!("{GOOD}{line}").as_bytes()), text, "{line:?}");
    }
    assert_eq!(error_of(b"na\x03{\"s\":\"\xff\"}\n"), "E_UTF8: byte 0xff is not UTF-8 (line 1, byte 9, item 0, attribute na)");
}

/// A bad value costs its item, and nothing else; so does broken syntax, and the rest of its line.
#[test]
fn skipping() {
    let text = "a\x03{\"n\":\"1\"}\n123\x03{\"n\":\"x\"}\x02b\x03{\"n\":\"2\"}\n{\"a\":{\"n\":\"y\"}}{\"a\":{\"n\":\"3\"}}\n{\"a\":\nb\x03{\"s\":\"\x02\x03\"}\n";
    let read = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
    let mut items = forced(text.as_bytes().to_vec(), 1).items(&read, &Control::default()).expect("a reader");
    let found: Vec<_> = items.by_ref().map(|item| comparable_item(&item.expect("good"))).collect();
    assert_eq!(found, ["\"a\":N1", "\"a\":N3", "\"b\":S\"\\u{2}\\u{3}\""]);
    let lines: Vec<_> = items.totals().errors.iter().map(|error| (error.code(), error.line())).collect();
    assert_eq!(lines, [(Code::Number, Some(2)), (Code::Number, Some(3)), (Code::Json, Some(4))]);
}

/// A line past the limit costs itself, in either form.
#[test]
fn lines_of_more_than_16_mib() {
    let long = "x".repeat(17 << 20);
    for line in [format!("a\x03{{\"s\":\"{long}\"}}"), format!("{{\"a\":{{\"s\":\"{long}\"}}}}")] {
        let text = format!("a\x03{{\"n\":\"1\"}}\n{line}\n{{\"a\":{{\"n\":\"2\"}}}}\n");
        let read = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
        let mut items = forced(text.into_bytes(), 1 << 16).items(&read, &Control::default()).expect("a reader");
        let found: Vec<_> = items.by_ref().map(|item| comparable_item(&item.expect("good"))).collect();
        assert_eq!(found, ["\"a\":N1", "\"a\":N2"]);
        let codes: Vec<_> = items.totals().errors.iter().map(|error| (error.code(), error.line())).collect();
        assert_eq!(codes, [(Code::RecordSize, Some(2))]);
    }
}

/// A dump in a folder.
struct Folder(tempfile::TempDir);

impl Folder {
    /// With the manifest that names these files, and the files, of a line each.
    fn new(manifest: &str, files: &[&str]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        if !manifest.is_empty() {
            folder.put("manifest", manifest.as_bytes());
        }
        for name in files {
            folder.put(name, format!("{{\"id\":{{\"s\":\"{name}\"}}}}\n").as_bytes());
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path
    }
}

/// The values of `id`, in order.
fn ids(export: &Export) -> Result<String> {
    let items: Result<Vec<_>> = export.items(&ReadOptions::default(), &Control::default())?.collect();
    Ok(items?.iter().map(comparable_item).collect::<Vec<_>>().join(" ").replace("\"id\":", "").replace('"', ""))
}

const MANIFEST: &str = "{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n\
    {\"url\":\"s3://bucket/dump/7d2f\",\"mandatory\":true},\n{\"url\":\"s3n://other/91ac\",\"mandatory\":true}\n]}";

#[test]
fn every_name_of_a_dump() {
    let folder = Folder::new("", &[]);
    let dump = folder.path().join("backups/2014-01-01");
    folder.put("backups/2014-01-01/manifest", MANIFEST.as_bytes());
    folder.put("backups/2014-01-01/_SUCCESS", b"");
    folder.put("backups/2014-01-01/7d2f", b"\n{\"id\":{\"s\":\"a\"}}\n\n{\"id\":{\"S\":\"b\"}}");
    folder.put("backups/2014-01-01/91ac", &gzip(b"id\x03{\"s\":\"c\"}\n"));
    for name in [dump.clone(), dump.join("manifest"), folder.path().to_owned(), folder.path().join("backups")] {
        let export = open(&name).unwrap_or_else(|e| panic!("{}: {e}", name.display()));
        assert_eq!(ids(&export).expect("items"), "Sa Sb Sc", "{}", name.display());
        assert_eq!(export.told_format().expect("a format"), (SourceFormat::Legacy, Told::Manifest));
        assert!(export.summary().is_none());
        assert_eq!(export.files()[1].name, "s3n://other/91ac");
    }
    // Without the manifest every file is data.
    fs::remove_file(dump.join("manifest")).expect("a file");
    folder.put("backups/2014-01-01/.7d2f.crc", b"crc");
    let export = open(&dump).expect("files");
    assert_eq!(ids(&export).expect("items"), "Sa Sb Sc");
    assert_eq!((export.files().len(), export.told_format().expect("a format")), (2, (SourceFormat::Legacy, Told::Bytes)));
    assert_eq!(ids(&open(&dump.join("91ac")).expect("a file")).expect("items"), "Sc");
    // Several of them, or one beside an export.
    folder.put("backups/2014-01-02/manifest", b"{\"entries\":[]}");
    folder.put("backups/2014-01-03/manifest", b"{\"entries\":[]}");
    assert_eq!(open(folder.path()).expect_err("several").code(), Code::SeveralExports);
    assert_eq!(ids(&open(&folder.path().join("backups/2014-01-02")).expect("a dump")).expect("no items"), "");
}

#[test]
fn manifests_as_documented() {
    let text = "{\"name\":\"DynamoDB-export\",\"version\":3, \"entries\":[\n{\"url\":\"s3://path/to/object/b\",\"mandatory\":false},\n\
        {\"url\":\"s3://path/to/object/gone\",\"mandatory\":false},\n{\"url\":\"s3://path/to/object/a\",\"extra\":true} ]}\n";
    let folder = Folder::new(text, &["a", "b"]);
    folder.put("c", b"{}");
    folder.put("_logs/x", b"");
    let export = open(folder.path()).expect("a dump");
    assert_eq!(ids(&export).expect("items"), "Sb Sa");
    assert_eq!(export.dump().expect("a dump").absent, ["s3://path/to/object/gone"]);
    let report = export.verify(2, &Control::default()).expect("a report");
    let notes: Vec<_> = report.findings.iter().map(|f| (f.severity, f.error.message())).collect();
    let note = |text: &str| (Severity::Note, text.to_owned());
    let expected = [
        note("a legacy dump: its manifest has no counts and no checksums to check"),
        note("the manifest names this file as not mandatory, and it is not there"),
        note("the manifest does not name this file"),
    ];
    assert_eq!(notes, expected);
    assert_eq!((report.files, report.items), (2, 2));
}

#[test]
fn broken_dumps() {
    // A mandatory file that is missing, and damage in another: all findings, and an error.
    let folder = Folder::new(MANIFEST, &["7d2f"]);
    folder.put("7d2f", b"{\"id\":{\"s\":\"a\"}}\n{\"id\":{\"z\":\"b\"}}\n{\"id\":");
    let export = open(folder.path()).expect("a dump");
    let report = export.verify(2, &Control::default()).expect("a report");
    let errors: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.error.to_string()).collect();
    let expected = [
        "E_DESCRIPTOR: unknown type descriptor \"z\" (file s3://bucket/dump/7d2f, line 2, byte 24, item 1, attribute id)",
        "E_JSON: expected an object, found the end of the data (file s3://bucket/dump/7d2f, line 3, byte 40, item 2, attribute id)",
        "E_FILE_MISSING: the manifest names this file, and it is not there (file s3n://other/91ac)",
    ];
    assert_eq!(errors, expected);
    let skip = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
    let error = export.items(&skip, &Control::default()).expect("a reader").find_map(Result::err).expect("an error");
    assert_eq!(error.code(), Code::FileMissing);
    // A manifest that is none.
    for (text, code) in [("", Code::Manifest), ("{\"id\":{\"s\":\"x\"}}", Code::Manifest), ("{\"entries\":[{\"url\":\"..\"}]}", Code::Key)]
    {
        let folder = Folder::new(" ", &["a"]);
        folder.put("manifest", text.as_bytes());
        let error = open(folder.path()).expect_err("no manifest");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.file().is_some_and(|file| file.ends_with("manifest")), "{error}");
    }
}

/// Without a manifest each file is what its bytes say; with one all are lines of a dump.
#[test]
fn mixed_formats_in_one_folder() {
    let folder = Folder::new("", &["7d2f"]);
    folder.put("91ac", b"{\"Item\":{\"id\":{\"S\":\"exported\"}}}\n");
    assert_eq!(ids(&open(folder.path()).expect("files")).expect("items"), "S7d2f Sexported");
    folder.put("manifest", MANIFEST.as_bytes());
    let error = ids(&open(folder.path()).expect("a dump")).expect_err("an export's line").to_string();
    let expected = "E_DESCRIPTOR: unknown type descriptor \"id\" (file s3n://other/91ac, line 1, byte 9, item 0, attribute Item)";
    assert_eq!(error, expected);
}

/// Has the restore kept everything?
#[test]
fn a_dump_is_compared_with_an_export() {
    let folder = Folder::new(MANIFEST, &[]);
    folder.put("7d2f", b"{\"pk\":{\"s\":\"a\"},\"n\":{\"n\":\"1\"}}\n{\"pk\":{\"s\":\"c\"},\"n\":{\"n\":\"3.0\"}}\n");
    folder.put("91ac", b"n\x03{\"n\":\"25e-1\"}\x02pk\x03{\"s\":\"b\"}\n");
    let dump = open(folder.path()).expect("a dump");
    let bucket = tempfile::tempdir().expect("a folder");
    Layout::default().write(bucket.path());
    let compared = |export: &Export| {
        let diffing = DiffOptions { key: Some(vec!["pk".into()]), ..DiffOptions::default() };
        diff(&dump, export, None, &diffing, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect("a comparison")
    };
    let same = compared(&open(bucket.path()).expect("an export")).counts;
    assert!(same.is_empty() && same.same == 3, "{same:?}");
    let other = folder.put("other.json", b"{\"pk\":{\"S\":\"a\"},\"n\":{\"N\":\"2\"}}\n{\"pk\":{\"S\":\"d\"}}\n");
    let found = compared(&open(&other).expect("a file")).counts;
    assert_eq!((found.inserts, found.updates, found.deletes), (1, 1, 2));
}

/// Byte for byte what the connector's `ExportManifestRecordWriter` writes, and at most 100,000
/// items a file.
#[test]
fn dumps_are_written_as_the_connector_writes_them() {
    let items: String = (0..100_001)
        .map(|n| format!("{{\"Item\":{{\"id\":{{\"N\":\"{n}\"}},\"z\":{{\"NULL\":true}},\"ss\":{{\"SS\":[\"a\"]}}}}}}\n"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let dump = folder.path().join("my dump");
    write(&files(vec![items.into_bytes()], 1 << 20), &dump);
    let export = open(&dump).expect("a dump");
    let names: Vec<_> = export.files().iter().map(|file| file.key.clone().expect("a file")).collect();
    let place = format!("file://{}/my%20dump", folder.path().display());
    let entries: Vec<_> = names.iter().map(|name| format!("{{\"url\":\"{place}/{name}\",\"mandatory\":true}}")).collect();
    let expected = format!("{{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n{}\n]}}", entries.join(",\n"));
    assert_eq!(fs::read_to_string(dump.join("manifest")).expect("a manifest"), expected);
    let lines = |name: &str| fs::read_to_string(dump.join(name)).expect("a file");
    let (first, second) = (lines(&names[0]), lines(&names[1]));
    assert_eq!(
        (first.lines().count(), second.as_str()),
        (100_000, "{\"id\":{\"n\":\"100000\"},\"z\":{\"nULL\":true},\"ss\":{\"sS\":[\"a\"]}}\n")
    );
    // For a bucket.
    let written = export.relocate(&"s3://bucket/old/dump".parse::<Location>().expect("a place")).expect("a manifest");
    assert_eq!(written, [dump.join("manifest")]);
    assert_eq!(fs::read_to_string(dump.join("manifest")).expect("a manifest"), expected.replace(&place, "s3://bucket/old/dump"));
    assert_eq!(open(&dump).expect("a dump").files().len(), 2);
}

#[test]
fn what_is_no_dump() {
    let source = files(vec![b"{\"Item\":{\"id\":{\"S\":\"x\"}}}".to_vec()], 100);
    let to = |dest: &str, options: &ConvertOptions| {
        let dest = Dest::parse(dest, Some(OutputFormat::Legacy))?;
        convert(&source, &dest, options, &Control::default(), std::io::sink())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump").display().to_string();
    let options = ConvertOptions::default();
    assert_eq!(to("-", &options).expect_err("no folder").to_string(), "E_USAGE: a legacy dump is a folder, not standard output");
    let split = ConvertOptions { split_by: Some("id".into()), ..ConvertOptions::default() };
    assert_eq!(to(&path, &split).expect_err("not divided").code(), Code::Usage);
    let sampled = ConvertOptions { read: ReadOptions { sample: Some(1), ..ReadOptions::default() }, ..ConvertOptions::default() };
    assert_eq!(to(&path, &sampled).expect_err("no columns").to_string(), "E_USAGE: sample is for columns, not for legacy");
    to(&path, &options).expect("a dump");
    assert_eq!(to(&path, &options).expect_err("it is there").code(), Code::DestExists);
    // Lines of a dump are no changes.
    let dump = open(&folder.path().join("dump")).expect("a dump");
    let error = dump.changes(dynarrow::Images::New, ReadOptions::default(), &Control::default()).map(|_| ()).expect_err("items");
    assert_eq!(error.message(), "changes are read from DynamoDB JSON and Ion, not from legacy");
}

/// A dump that was written here is replaced with `overwrite`; one of the connector's is not.
#[test]
fn only_dumps_of_ours_are_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let dump = folder.path().join("dump");
    let export = files(vec![b"{\"Item\":{\"a\":{\"S\":\"x\"}}}\n".to_vec()], 100);
    write(&export, &dump);
    let again = |overwrite: bool| {
        let dest = Dest::parse(&dump.display().to_string(), Some(OutputFormat::Legacy)).expect("a folder");
        let options = ConvertOptions { overwrite, ..ConvertOptions::default() };
        convert(&export, &dest, &options, &Control::default(), std::io::sink()).map(drop).map_err(|error| error.code())
    };
    assert_eq!(again(false), Err(Code::DestExists));
    assert_eq!(again(true), Ok(()));
    fs::write(dump.join("mine"), "x").expect("writes");
    assert_eq!(again(true), Err(Code::DestExists));
    fs::remove_file(dump.join("mine")).expect("removes");
    let manifest = fs::read_to_string(dump.join("manifest")).expect("a manifest");
    fs::write(dump.join("manifest"), manifest.replace("file://", "s3://")).expect("writes");
    assert_eq!(again(true), Err(Code::DestExists));
}
