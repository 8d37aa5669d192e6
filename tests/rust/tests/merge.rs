//! `merge` and `diff` over random tables: what is merged is what is true, however the exports
//! are written, in whatever order they come, in whatever memory; and what differs is what
//! has to be merged.

use std::path::Path;

use dynarrow::schema::Layout;
use dynarrow::{
    Code, Control, ConvertOptions, Dest, DiffOptions, Export, ExportFormat, Item, MergeOptions, MergeReport, OutputFormat, Policies,
    ReadOptions, diff, merge, open_export,
};
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
    let policies = Policies { layout: Layout::Typed, ..Policies::default() };
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
