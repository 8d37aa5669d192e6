//! The corpus in `tests/data`: valid files against their items, invalid ones against the
//! code in their name and the position in `expected.json`; each in pieces of several sizes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dynarrow::{Control, Error, Item, OnError, ReadOptions, Result, open_export};
use dynarrow_tests::meaning;
use serde_json::{Value, json};

const FORMATS: [&str; 2] = ["dynamodb_json", "ion"];

fn data(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(format)
}

fn corpus(format: &str, folder: &str) -> Vec<PathBuf> {
    let folder = data(format).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.retain(|file| !file.to_string_lossy().ends_with(".items") && file.file_name() != Some("expected.json".as_ref()));
    assert!(files.len() > 20);
    files
}

fn items(file: &Path, on_error: OnError, threads: usize) -> Result<Vec<Item>> {
    let options = ReadOptions { on_error, threads, ..ReadOptions::default() };
    open_export(&file.display().to_string())?.items(&options, &Control::default())?.collect()
}

#[test]
fn valid_files() {
    for file in FORMATS.into_iter().flat_map(|format| corpus(format, "valid")) {
        let expected = fs::read_to_string(format!("{}.items", file.display())).expect("the items");
        let expected: Vec<_> = expected
            .lines()
            .map(|line| meaning(serde_json::from_str::<Value>(line).expect("JSON").as_object().expect("an item")))
            .collect();
        for threads in [1, 3] {
            assert_eq!(items(&file, OnError::Raise, threads), Ok(expected.clone()), "{}", file.display());
            assert_eq!(items(&file, OnError::Skip, threads), Ok(expected.clone()), "{}", file.display());
        }
    }
}

fn position(error: &Error) -> Value {
    json!({"code": error.code().as_str(), "line": error.line(), "byte": error.byte(), "item": error.item(), "path": error.path(), "message": error.message()})
}

#[test]
fn invalid_files() {
    for format in FORMATS {
        let mut found = BTreeMap::new();
        for file in corpus(format, "invalid") {
            let name = file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            let code = name.split(['-', '.']).next().expect("a code");
            let error = items(&file, OnError::Raise, 2).expect_err(&name);
            assert_eq!(error.code().as_str(), code, "{name}: {error}");
            assert!(error.file().is_some_and(|file| file.ends_with(&name)), "{name}: {error}");
            assert_eq!(items(&file, OnError::Raise, 1), Err(error.clone()), "{name}");
            found.insert(name, position(&error));
        }
        let expected = data(format).join("invalid/expected.json");
        if std::env::var_os("DYNARROW_WRITE_EXPECTED").is_some() {
            fs::write(&expected, serde_json::to_string_pretty(&found).expect("JSON") + "\n").expect("a file");
        }
        let expected: BTreeMap<String, Value> = serde_json::from_str(&fs::read_to_string(expected).expect("expected.json")).expect("JSON");
        assert_eq!(found, expected);
    }
}

/// Broken compression, broken documents, other versions and changes always fail; other records
/// are passed over.
#[test]
fn invalid_files_skipped() {
    for file in FORMATS.into_iter().flat_map(|format| corpus(format, "invalid")) {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let always = ["TRUNCATED", "COMPRESSION", "INCREMENTAL", "VERSION", "document", "binary"].iter().any(|what| name.contains(what));
        match items(&file, OnError::Skip, 2) {
            Ok(items) => assert!(!always && !items.is_empty(), "{name}"),
            Err(error) => assert!(always, "{name}: {error}"),
        }
    }
}
