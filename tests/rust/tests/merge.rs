//! `merge` and `diff` over random tables: what is merged is what is true, however the exports
//! are written, in whatever order they come, in whatever memory; and what differs is what
//! has to be merged.

use std::path::Path;

use dynarrow::schema::Layout as ColumnLayout;
use dynarrow::{
    Code, Control, ConvertOptions, Counts, Dest, DiffOptions, Error, Export, ExportFormat, Item, MergeOptions, MergeReport, Numbers,
    OnError, OutputFormat, Policies, ReadOptions, convert, diff, merge, open_export,
};
use dynarrow_tests::layout::Layout;
use dynarrow_tests::tables::{Chain, Written, any_chain};
use dynarrow_tests::{cases, comparable_item, meaning};
use proptest::prelude::*;
use serde_json::json;

/// Items in a form in which equal ones are equal.
fn forms(items: &[Item]) -> Vec<String> {
    items.iter().map(comparable_item).collect()
}

fn sorted(mut forms: Vec<String>) -> Vec<String> {
    forms.sort();
    forms
}

fn truth(chain: &Chain) -> Vec<String> {
    chain.state().iter().map(|item| comparable_item(&meaning(item))).collect()
}

fn open(path: impl AsRef<Path>) -> Export {
    open_export(&path.as_ref().display().to_string()).expect("an export")
}

fn items(export: &Export, threads: usize) -> Vec<Item> {
    let options = ReadOptions { threads, ..ReadOptions::default() };
    let items: dynarrow::Result<Vec<_>> = export.items(&options, &Control::default()).expect("items").collect();
    items.expect("good items")
}

fn increments(written: &Written) -> Vec<Export> {
    written.increments.iter().map(open).collect()
}

/// As much memory as usual, or so little that everything goes to buckets.
fn merging(little: bool) -> MergeOptions {
    let usual = MergeOptions::default();
    if little { MergeOptions { memory: 0, ..usual } } else { usual }
}

fn merged(base: &Export, increments: &[Export], little: bool, threads: usize) -> Vec<String> {
    let merged = base.merged(increments, &merging(little), &ReadOptions::default(), &Control::default()).expect("a merge");
    forms(&items(&merged.export, threads))
}

fn to(path: &Path, to: Option<OutputFormat>) -> Dest {
    Dest::parse(&path.display().to_string(), to).expect("a destination")
}

fn merge_to(base: &Export, increments: &[Export], dest: &Dest, options: &ConvertOptions) -> dynarrow::Result<MergeReport> {
    merge(base, increments, dest, &MergeOptions::default(), options, &Control::default(), std::io::sink())
}

fn typed() -> ConvertOptions {
    let policies = Policies { layout: ColumnLayout::Typed, ..Policies::default() };
    ConvertOptions { read: ReadOptions { policies, ..ReadOptions::default() }, ..ConvertOptions::default() }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn what_is_merged_is_the_true_state(chain in any_chain()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        let (base, mut windows) = (open(&written.base), increments(&written));
        let truth = truth(&chain);
        prop_assert_eq!(&merged(&base, &windows, false, 1), &truth);
        prop_assert_eq!(&merged(&base, &windows, true, 2), &truth);
        // In whatever order, and twice.
        windows.reverse();
        windows.extend(windows.first().cloned());
        prop_assert_eq!(&merged(&base, &windows, true, 1), &truth);
    }
}

proptest! {
    #![proptest_config(cases(150))]

    /// A merge written as an export, or as typed Parquet, is a base like any other.
    #[test]
    fn a_merge_is_a_base(chain in any_chain(), ion in any::<bool>(), parquet in any::<bool>()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        let mut base = open(&written.base);
        for (n, window) in increments(&written).into_iter().enumerate() {
            // Items without any attribute but a key there are always.
            let path = bucket.path().join(format!("merged-{n}{}", if parquet { ".parquet" } else { "" }));
            let (dest, options) = if parquet {
                (to(&path, None), typed())
            } else {
                let export_format = if ion { ExportFormat::Ion } else { ExportFormat::DynamodbJson };
                (to(&path, Some(OutputFormat::Export)), ConvertOptions { export_format, ..ConvertOptions::default() })
            };
            let report = match merge_to(&base, &[window], &dest, &options) {
                // A table without items has no columns, and Parquet no rows without any.
                Err(error) if parquet && error.code() == Code::Usage => return Ok(()),
                report => report.expect("a merge"),
            };
            prop_assert!(report.windows.iter().all(|window| window.applied) && report.gaps.is_empty());
            base = open(&path);
            if !parquet {
                let found = base.verify(1, &Control::default()).expect("a report");
                prop_assert!(found.findings.is_empty(), "{:?}", found.findings);
            }
        }
        prop_assert_eq!(sorted(forms(&items(&base, 1))), sorted(truth(&chain)));
    }

    /// The schema is that of the result, guessed or learnt, and its rows are the items.
    #[test]
    fn the_schema_is_that_of_the_result(chain in any_chain(), little in any::<bool>()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        let (base, windows) = (open(&written.base), increments(&written));
        let options = ReadOptions::default();
        let merged = base.merged(&windows, &merging(little), &options, &Control::default()).expect("a merge");
        let lines: Vec<String> = chain.state().iter().map(|item| json!({"Item": item}).to_string()).collect();
        std::fs::write(bucket.path().join("truth.json"), lines.join("\n")).expect("a file");
        let truth = open(bucket.path().join("truth.json"));
        let schema = truth.infer_schema(&options, &Control::default()).expect("a schema");
        let learnt = merged.export.infer_schema(&options, &Control::default()).expect("a schema");
        prop_assert_eq!(schema.fields(), learnt.fields());
        if let Some(guessed) = base.merged(&windows, &merging(little), &options, &Control::default()).expect("a merge")
            .export.guess(&options, 2).expect("a guess")
        {
            let batches: dynarrow::Result<Vec<_>> = guessed.batches(&Control::default()).expect("batches").collect();
            match batches {
                Ok(_) => prop_assert_eq!(guessed.schema().fields(), schema.fields()),
                Err(error) => prop_assert_eq!(error.code(), Code::Changed),
            }
        }
    }

    /// What differs is what has to be merged.
    #[test]
    fn merging_the_differences_gives_the_other(chain in any_chain(), little in any::<bool>(), ion in any::<bool>()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        let (base, windows) = (open(&written.base), increments(&written));
        let after = bucket.path().join("after");
        merge_to(&base, &windows, &to(&after, Some(OutputFormat::Export)), &ConvertOptions::default()).expect("a merge");
        let after = open(&after);
        let changes = bucket.path().join("changes");
        let diffing = DiffOptions {
            key: Some(chain.keys.clone()),
            memory: if little { 0 } else { 1 << 30 },
            ..DiffOptions::default()
        };
        let export_format = if ion { ExportFormat::Ion } else { ExportFormat::DynamodbJson };
        let options = ConvertOptions { export_format, ..ConvertOptions::default() };
        let dest = to(&changes, Some(OutputFormat::Export));
        let report = diff(&base, &after, Some(&dest), &diffing, &options, &Control::default(), std::io::sink()).expect("a comparison");
        let (before, now) = (sorted(forms(&items(&base, 1))), sorted(truth(&chain)));
        prop_assert_eq!(report.counts.is_empty(), before == now);
        prop_assert_eq!(report.counts.same + report.counts.updates + report.counts.inserts, now.len() as u64);
        prop_assert_eq!(report.counts.same + report.counts.updates + report.counts.deletes, before.len() as u64);
        prop_assert_eq!(report.counts.same, before.iter().filter(|item| now.contains(item)).count() as u64);
        let changes = open(&changes);
        prop_assert!(changes.verify(1, &Control::default()).expect("a report").findings.is_empty());
        prop_assert_eq!(sorted(merged(&base, &[changes], false, 1)), now);
        // Nothing differs from itself.
        let same = diff(&after, &after, None, &diffing, &options, &Control::default(), std::io::sink()).expect("a comparison");
        prop_assert!(same.counts.is_empty());
    }
}

/// What is read with `skip` is the same in any memory: also of items that are bad in what only
/// their values say.
#[test]
fn bad_items_are_passed_over_in_any_memory() {
    let one = One::new();
    let item = |n: u32| json!({"Item": {"pk": {"S": format!("k{n}")}, "v": {"N": "0"}}}).to_string();
    let mut lines: Vec<String> = (0..8).map(item).collect();
    lines[1] = r#"{"Item":{"pk":{"S":"k1"},"v":{"N":"abc"}}}"#.into();
    lines[4] = r#"{"Item":{"pk":{"S":"k4"},"v":{"NS":["1","1.0"]}}}"#.into();
    lines[6] = r#"{"Item":{"pk":{"S":"k6"},"m":{"M":{"a":{"B":"?"}}}}}"#.into();
    let base = one.base(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let bad = r#"{"Metadata":{"WriteTimestampMicros":{"N":"9"}},"Keys":{"pk":{"S":"k0"}},"NewImage":{"pk":{"S":"k0"},"v":{"N":"x"}}}"#;
    let changes = [put("k1", 9, 1), put("k2", 9, 2), delete("k3", 3), put("k5", 9, 4), put("n1", 9, 5), put("k7", 9, 6), bad.into()];
    let window = one.window(0, 5, &changes.iter().map(String::as_str).collect::<Vec<_>>());
    for columns in [None, Some(vec!["pk".to_owned(), "v".to_owned()]), Some(vec!["pk".to_owned(), "m".to_owned()])] {
        let options = ReadOptions { on_error: OnError::Skip, columns: columns.map(Into::into), ..ReadOptions::default() };
        let [usual, little] = [false, true].map(|little| {
            let merged = base.merged(std::slice::from_ref(&window), &merging(little), &options, &Control::default()).expect("a merge");
            let items: dynarrow::Result<Vec<_>> = merged.export.items(&options, &Control::default()).expect("items").collect();
            (forms(&items.expect("good items")), merged.report().counts)
        });
        assert_eq!(usual, little, "{:?}", options.columns);
    }
}

/// A part of a table, or one that was rounded, is no base.
#[test]
fn what_has_lost_something_is_no_base() {
    let one = One::new();
    let base = one.base(&[A, B]);
    let window = one.window(0, 5, &[&put("a", 2, 1)]);
    let with = |change: &dyn Fn(&mut ConvertOptions)| {
        let mut options = typed();
        change(&mut options);
        options
    };
    let cases: [(&str, ConvertOptions); 6] = [
        ("whole", typed()),
        ("columns", with(&|o| o.read.columns = Some(vec!["pk".to_owned()].into()))),
        ("float", with(&|o| o.read.policies.numbers = Numbers::Float64)),
        ("parts", with(&|o| o.file_size = Some(1))),
        ("partitions", with(&|o| o.partition_by = vec!["n".to_owned()].into())),
        ("split", with(&|o| o.split_by = Some("n".into()))),
    ];
    for (name, options) in cases {
        let folder = one.bucket.path().join(name);
        convert(&base, &to(&folder, None), &options, &Control::default(), std::io::sink()).expect("a conversion");
        let merged = open(&folder).merged(std::slice::from_ref(&window), &merging(false), &ReadOptions::default(), &Control::default());
        match merged {
            Ok(_) => assert_eq!(name, "whole"),
            Err(error) => assert_eq!((error.code(), name != "whole"), (Code::BaseUnknown, true), "{name}"),
        }
    }
}

/// What a document says of columns is for the output: files that say what they hold are read by
/// that.
#[test]
fn a_schema_is_for_the_result() {
    let one = One::new();
    let (base, window) = (one.base(&[A, B]), one.window(0, 5, &[&put("a", 2, 1), &put("c", 3, 2)]));
    let file = one.bucket.path().join("typed.parquet");
    convert(&base, &to(&file, None), &typed(), &Control::default(), std::io::sink()).expect("a conversion");
    let schema = base.infer_schema(&ReadOptions::default(), &Control::default()).expect("a schema");
    let options = ConvertOptions { read: ReadOptions { schema: Some(schema), ..ReadOptions::default() }, ..ConvertOptions::default() };
    let dest = one.bucket.path().join("plain.parquet");
    merge_to(&open(&file), &[window], &to(&dest, None), &options).expect("a merge");
    assert_eq!(forms(&items(&open(&dest), 1)).len(), 3);
}

/// Between tables that do not say two times, one after the other, there is no incremental export.
#[test]
fn differences_have_a_window() {
    let one = One::new();
    let a = one.base(&[A, B]);
    let file = one.bucket.path().join("b.json");
    std::fs::write(&file, A).expect("a file");
    let dest = to(&one.bucket.path().join("changes"), Some(OutputFormat::Export));
    let diffing = DiffOptions { key: Some(vec!["pk".into()]), ..DiffOptions::default() };
    for b in [&a, &open(&file)] {
        let error = diff(&a, b, Some(&dest), &diffing, &ConvertOptions::default(), &Control::default(), std::io::sink());
        assert_eq!(error.expect_err("no window").code(), Code::Usage);
    }
    // Typed Parquet says its time as an export does.
    let later = one.write("3", json!({"exportTime": "2026-01-14T11:00:00.000Z"}), &[A, r#"{"Item":{"pk":{"S":"b"},"n":{"N":"7"}}}"#]);
    let file = one.bucket.path().join("later.parquet");
    convert(&later, &to(&file, None), &typed(), &Control::default(), std::io::sink()).expect("a conversion");
    diff(&a, &open(&file), Some(&dest), &diffing, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect("differences");
    let changes = open(one.bucket.path().join("changes"));
    assert_eq!(merged(&a, &[changes], false, 1), forms(&items(&later, 1)));
}

/// An export of one table, laid out by hand.
struct One {
    bucket: tempfile::TempDir,
}

impl One {
    fn new() -> Self {
        Self { bucket: tempfile::tempdir().expect("a folder") }
    }

    fn write(&self, id: &str, summary: serde_json::Value, lines: &[&str]) -> Export {
        let files = vec![lines.iter().map(|line| (*line).to_owned()).collect()];
        let layout = Layout { files, summary, id: format!("01700000000000-{id:0>8}"), ..Layout::default() };
        open(layout.write(self.bucket.path()))
    }

    fn base(&self, lines: &[&str]) -> Export {
        self.write("0", json!({"exportTime": "2026-01-14T10:00:00.000Z", "tableId": "t"}), lines)
    }

    /// The window between two minutes behind ten.
    fn window(&self, from: u32, to: u32, lines: &[&str]) -> Export {
        self.window_of(from, to, &json!({"tableId": "t"}), lines)
    }

    fn window_of(&self, from: u32, to: u32, more: &serde_json::Value, lines: &[&str]) -> Export {
        let id = to.to_string();
        let mut summary = json!({
            "exportType": "INCREMENTAL_EXPORT",
            "outputView": "NEW_IMAGE",
            "exportArn": format!("arn:aws:dynamodb:eu-west-1:123456789012:table/t/export/{from}-{to}"),
            "exportFromTime": format!("2026-01-14T10:{from:02}:00.000Z"),
            "exportToTime": format!("2026-01-14T10:{to:02}:00.000Z"),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            summary[name] = value.clone();
        }
        self.write(&format!("{from}{id}"), summary, lines)
    }

    fn refused(&self, base: &Export, increments: &[Export]) -> Error {
        let dest = self.bucket.path().join("out.parquet");
        let error = merge_to(base, increments, &to(&dest, None), &ConvertOptions::default()).expect_err("a refusal");
        assert!(!dest.exists(), "nothing is written");
        let left = std::fs::read_dir(self.bucket.path()).expect("a folder").filter_map(Result::ok);
        assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().contains(".tmp")), "nothing is left behind");
        error
    }
}

const A: &str = r#"{"Item":{"pk":{"S":"a"},"n":{"N":"1"}}}"#;
const B: &str = r#"{"Item":{"pk":{"S":"b"},"n":{"N":"2"}}}"#;

fn put(pk: &str, n: u32, micros: u64) -> String {
    let (key, item) = (json!({"pk": {"S": pk}}), json!({"pk": {"S": pk}, "n": {"N": n.to_string()}}));
    json!({"Metadata": {"WriteTimestampMicros": {"N": micros.to_string()}}, "Keys": key, "NewImage": item}).to_string()
}

fn delete(pk: &str, micros: u64) -> String {
    json!({"Metadata": {"WriteTimestampMicros": {"N": micros.to_string()}}, "Keys": {"pk": {"S": pk}}}).to_string()
}

#[test]
fn what_does_not_go_together_is_refused() {
    let one = One::new();
    let base = one.base(&[A]);
    let (first, third) = (one.window(0, 5, &[&put("a", 2, 1)]), one.window(10, 15, &[&put("a", 3, 2)]));
    let text = |error: &Error| error.to_string();
    let gap = one.refused(&base, &[third.clone(), first.clone()]);
    assert_eq!(gap.code(), Code::Gap);
    assert!(text(&gap).contains("from 2026-01-14T10:05:00.000Z to 2026-01-14T10:10:00.000Z"), "{gap}");
    assert_eq!(one.refused(&first, std::slice::from_ref(&third)).code(), Code::Incremental);
    assert_eq!(one.refused(&base, std::slice::from_ref(&base)).code(), Code::FullExport);
    let other = one.window_of(5, 6, &json!({"tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/u"}), &[]);
    assert_eq!(one.refused(&base, &[first.clone(), other]).code(), Code::OtherTable);
    let again = one.window_of(5, 7, &json!({"tableId": "another"}), &[]);
    assert_eq!(one.refused(&base, &[first.clone(), again]).code(), Code::OtherTable);
    let view = one.window_of(5, 8, &json!({"tableId": "t", "outputView": "OLD_IMAGE"}), &[]);
    assert_eq!(one.refused(&base, &[first.clone(), view]).code(), Code::Manifest);
    let timeless = one.window_of(5, 9, &json!({"tableId": "t", "exportToTime": null}), &[]);
    assert_eq!(one.refused(&base, &[first.clone(), timeless]).code(), Code::Manifest);
    // What nobody knows the time or table of is no base.
    let file = one.bucket.path().join("data.json");
    std::fs::write(&file, A).expect("a file");
    assert_eq!(one.refused(&open(&file), std::slice::from_ref(&first)).code(), Code::BaseUnknown);
    for (name, options) in [("plain", ConvertOptions::default()), ("typed", typed())] {
        let parquet = one.bucket.path().join(format!("{name}.parquet"));
        let written = convert(&open(&file), &to(&parquet, None), &options, &Control::default(), std::io::sink());
        written.expect("a conversion");
        assert_eq!(one.refused(&open(&parquet), std::slice::from_ref(&first)).code(), Code::BaseUnknown, "{name}");
    }
}

#[test]
fn bad_changes_and_items_have_a_position() {
    let one = One::new();
    let base = one.base(&[A, B]);
    for (n, (line, code)) in [
        (r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"NewImage":{"pk":{"S":"a"}}}"#, Code::Record),
        (r#"{"Keys":{"pk":{"S":"a"}},"NewImage":{"pk":{"S":"a"}}}"#, Code::Record),
        (r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"pk":{"S":"a"}},"NewImage":{"n":{"N":"1"}}}"#, Code::Keys),
        (r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"pk":{"S":"a"}},"NewImage":{"pk":{"S":"b"}}}"#, Code::Keys),
        (r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"other":{"S":"a"}}}"#, Code::Keys),
        (A, Code::Record),
    ]
    .into_iter()
    .enumerate()
    {
        let window = one.window(0, n as u32 + 1, &[&put("a", 2, 1), line]);
        let error = one.refused(&base, &[window]);
        assert_eq!((error.code(), error.line(), error.item()), (code, Some(2), Some(1)), "{line}: {error}");
    }
    let keyless = one.write("9", json!({"exportTime": "2026-01-14T10:00:00.000Z"}), &[A, r#"{"Item":{"n":{"N":"1"}}}"#]);
    let error = one.refused(&keyless, &[one.window(0, 20, &[&put("a", 2, 1)])]);
    assert_eq!((error.code(), error.line(), error.path()), (Code::Keys, Some(2), Some("pk")), "{error}");
}

#[test]
fn windows_are_applied_by_their_ends_and_noted() {
    let one = One::new();
    let base = one.base(&[A, B]);
    let dest = one.bucket.path().join("out.json");
    // Ends at the base's time; covers the next two; deletes what is not there; the last.
    let old = one.write(
        "1",
        json!({
            "exportType": "INCREMENTAL_EXPORT", "outputView": "NEW_IMAGE", "tableId": "t",
            "exportFromTime": "2026-01-14T09:00:00.000Z", "exportToTime": "2026-01-14T10:00:00.000Z",
        }),
        &[&put("a", 100, 1)],
    );
    let (wide, narrow, last) = (
        one.window(0, 9, &[&put("a", 9, 50), &put("c", 3, 51)]),
        one.window(2, 5, &[&put("a", 5, 70), &delete("b", 71)]),
        one.window(9, 12, &[&delete("nobody", 90), &put("b", 7, 91)]),
    );
    let windows = [last, narrow, old, wide];
    let report = merge_to(&base, &windows, &to(&dest, None), &ConvertOptions::default()).expect("a merge");
    let text = std::fs::read_to_string(&dest).expect("a file");
    let expected = [
        r#"{"Item":{"pk":{"S":"a"},"n":{"N":"9"}}}"#,
        r#"{"Item":{"pk":{"S":"b"},"n":{"N":"7"}}}"#,
        r#"{"Item":{"pk":{"S":"c"},"n":{"N":"3"}}}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    let applied: Vec<_> = report.windows.iter().map(|window| (window.to[14..16].to_owned(), window.applied)).collect();
    assert_eq!(applied, [("00".into(), false), ("05".into(), true), ("09".into(), true), ("12".into(), true)]);
    assert_eq!(report.overlaps.len(), 1, "{:?}", report.overlaps);
    assert!(report.gaps.is_empty());
    let Counts { inserts, updates, deletes, unknown_deletes } = report.counts;
    assert_eq!((inserts, updates, deletes, unknown_deletes), (1, 2, 0, 1));
    assert_eq!(report.convert.read.totals.items, 3);
}

#[test]
fn gaps_are_merged_over_where_that_is_asked_for() {
    let one = One::new();
    let base = one.base(&[A]);
    let window = one.window(10, 15, &[&put("a", 3, 2)]);
    let merging = MergeOptions { allow_gaps: true, ..MergeOptions::default() };
    let merged = base.merged(&[window], &merging, &ReadOptions::default(), &Control::default()).expect("a merge");
    assert_eq!(merged.report().gaps, [("2026-01-14T10:00:00.000Z".into(), "2026-01-14T10:10:00.000Z".into())]);
    assert_eq!(forms(&items(&merged.export, 1)).len(), 1);
}

#[test]
fn a_key_that_comes_twice_is_no_key() {
    let one = One::new();
    let (a, twice) = (one.base(&[A, B]), one.write("2", json!({"exportTime": "2026-01-14T11:00:00.000Z"}), &[A, A, B]));
    let diffing = DiffOptions { key: Some(vec!["pk".into()]), ..DiffOptions::default() };
    for (a, b) in [(&a, &twice), (&twice, &a)] {
        let error = diff(a, b, None, &diffing, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect_err("twice");
        assert_eq!(error.code(), Code::Keys, "{error}");
        assert!(error.to_string().contains(r#"{"pk":{"S":"a"}}"#), "{error}");
    }
    let keyless = DiffOptions::default();
    let error = diff(&a, &a, None, &keyless, &ConvertOptions::default(), &Control::default(), std::io::sink()).expect_err("no key");
    assert_eq!(error.code(), Code::Usage);
}
