//! What others measured of AWS, and what AWS documents of imports: each fact of
//! `tests/data/import/facts.jsonl`, which `docs/import-facts.md` lists.
//!
//! A fact is a line: `id`, `source`, `mark` (`AWS`: measured, `DOC`: documented, `V`: verified by those who gathered them),
//! `what` in a sentence, `kind`, `input`, and `expect` with the members that the fact states and no others.
//!
//! | kind | input | expect |
//! |---|---|---|
//! | `spec` | `spec` | `spec` (the messages of all findings), `answer`, `answerBegins`, `refused` |
//! | `number` | `number` | `number` (the canonical form), `refused` |
//! | `equal` | `values` | `equal` (all are the same by value) |
//! | `size` | `value`, or `item` | `size` |
//! | `import` | `spec`, `objects` | members of the `ImportTableDescription` (null: absent), `errors` |
//!
//! An object has a `key`, and its bytes as `text`, `base64` or `parts` (texts, one behind the other); `compress` is how they
//! are compressed then, as `gzip` or `zstd`. Errors are of an object and an item in it: `key`, `itemIndex`, `message`. Anywhere in
//! an input `{"repeat": text, "times": n}` stands for a long text.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynarrow::codec::{Codec, Compressor};
use dynarrow::import::objects::Objects;
use dynarrow::import::size::{item_size, value_size};
use dynarrow::import::validate::{ValidateOptions, validate_objects};
use dynarrow::import::{TableSpec, spec::answer};
use dynarrow::storage::memory::Memory;
use dynarrow::{Control, Number, event::Kind};
use dynarrow_tests::meaning;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn facts() -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/data/import/facts.jsonl")).expect("the facts");
    let mut facts: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    facts.iter_mut().for_each(|fact| repeat(&mut fact["input"]));
    facts
}

/// Puts the texts that are given by what they repeat.
fn repeat(value: &mut Value) {
    match value {
        Value::Object(object) if object.contains_key("repeat") => {
            let times = object["times"].as_u64().and_then(|times| usize::try_from(times).ok()).expect("times");
            *value = object["repeat"].as_str().expect("a text").repeat(times).into();
        }
        Value::Object(object) => object.values_mut().for_each(repeat),
        Value::Array(list) => list.iter_mut().for_each(repeat),
        _ => {}
    }
}

fn text<'a>(fact: &'a Value, member: &str) -> &'a str {
    fact[member].as_str().unwrap_or_else(|| panic!("{member} is no text: {fact}"))
}

/// The expectation's members, each of which has to be one that the kind has.
fn expected(fact: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let expect = fact["expect"].as_object().unwrap_or_else(|| panic!("no expectation: {fact}"));
    assert!(!expect.is_empty(), "{fact}");
    expect.iter().map(|(name, value)| (&**name, value))
}

fn check_spec(fact: &Value) {
    let findings = TableSpec::from_json(&fact["input"]["spec"]).err().unwrap_or_default();
    let answer = answer(&findings);
    for (name, value) in expected(fact) {
        match name {
            "spec" => assert_eq!(&Value::from(findings.iter().map(|finding| &*finding.message).collect::<Vec<_>>()), value, "{fact}"),
            "answer" => assert_eq!(answer.as_deref(), value.as_str(), "{fact}"),
            "answerBegins" => {
                let (answer, begin) = (answer.as_deref().unwrap_or_default(), value.as_str().expect("a text"));
                assert!(answer.starts_with(begin), "{answer:?}: {fact}");
            }
            "refused" => assert_eq!(Some(!findings.is_empty()), value.as_bool(), "{findings:?}: {fact}"),
            _ => panic!("nobody knows what {name} is: {fact}"),
        }
    }
}

fn check_number(fact: &Value) {
    let number = Number::parse(text(&fact["input"], "number").as_bytes());
    for (name, value) in expected(fact) {
        match name {
            "number" => assert_eq!(number.map(|number| number.to_string()).as_deref(), Ok(value.as_str().expect("a text")), "{fact}"),
            "refused" => assert_eq!(Some(number.is_err()), value.as_bool(), "{fact}"),
            _ => panic!("nobody knows what {name} is: {fact}"),
        }
    }
}

fn check_equal(fact: &Value) {
    let values = fact["input"]["values"].as_array().unwrap_or_else(|| panic!("no values: {fact}"));
    let values: Vec<_> = values.iter().map(value).collect();
    for (name, value) in expected(fact) {
        assert_eq!(name, "equal", "{fact}");
        assert_eq!(Some(values.windows(2).all(|pair| pair[0] == pair[1])), value.as_bool(), "{fact}");
    }
}

fn check_size(fact: &Value) {
    let input = &fact["input"];
    let size = match input["item"].as_object() {
        Some(item) => item_size(&meaning(item)),
        None => value_size(&value(&input["value"])),
    };
    for (name, value) in expected(fact) {
        assert_eq!(name, "size", "{fact}");
        assert_eq!(Some(size), value.as_u64(), "{fact}");
    }
}

/// The objects as the bucket has them.
fn objects(fact: &Value) -> Memory {
    let mut memory = Memory::default();
    for object in fact["input"]["objects"].as_array().unwrap_or_else(|| panic!("no objects: {fact}")) {
        let bytes = match (object["text"].as_str(), object["base64"].as_str(), object["parts"].as_array()) {
            (Some(text), None, None) => text.as_bytes().to_vec(),
            (None, Some(base64), None) => STANDARD.decode(base64).expect("base64"),
            (None, None, Some(parts)) => parts.iter().map(|part| part.as_str().expect("a text")).collect::<String>().into_bytes(),
            _ => panic!("an object has text, base64 or parts: {fact}"),
        };
        let codec = match object["compress"].as_str() {
            None => Codec::None,
            Some("gzip") => Codec::Gzip,
            Some("zstd") => Codec::Zstd,
            Some(other) => panic!("nobody knows how to compress with {other}: {fact}"),
        };
        let mut compressor = Compressor::new(codec, Vec::new());
        compressor.write_all(&bytes).expect("memory");
        memory.insert(text(object, "key"), compressor.finish().expect("memory"));
    }
    memory
}

fn check_import(fact: &Value) {
    let spec = TableSpec::from_json(&fact["input"]["spec"]).unwrap_or_else(|findings| panic!("{findings:?}: {fact}"));
    let objects = Objects::of(Arc::new(objects(fact)), spec.prefix.as_deref()).expect("lists");
    for threads in [1, 3] {
        let mut log = Vec::new();
        let options = ValidateOptions { threads, ..ValidateOptions::default() };
        let report = validate_objects(&objects, &spec, options, &Control::default(), |finding| {
            log.push(finding.to_log(spec.bucket.as_deref()));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}: {fact}"));
        let description = report.description();
        assert_eq!(report.processed, report.imported + report.errors, "{fact}");
        assert_eq!(report.unverified, 0, "a fact is verified: {report:?}");
        for (name, value) in expected(fact) {
            if name == "errors" {
                let errors: Vec<_> = log.iter().filter(|entry| entry["dynarrow"]["reached"] == true).collect();
                let wanted = value.as_array().expect("errors");
                assert_eq!(errors.len(), wanted.len(), "{errors:?}: {fact}");
                for (error, wanted) in errors.iter().zip(wanted) {
                    let pointer = &error["itemS3Pointer"];
                    assert_eq!(
                        (&pointer["bucket"], &pointer["key"]),
                        (&fact["input"]["spec"]["S3BucketSource"]["S3Bucket"], &wanted["key"])
                    );
                    assert_eq!(pointer["itemIndex"], wanted["itemIndex"], "{fact}");
                    if let Some(message) = wanted.get("message") {
                        assert_eq!(error["errorMessages"], serde_json::json!([message]), "{fact}");
                    }
                }
            } else {
                assert_eq!(description.get(name).unwrap_or(&Value::Null), value, "{name}, {:?}: {fact:.1500}", report.findings);
            }
        }
    }
}

fn value(value: &Value) -> dynarrow::AttributeValue {
    let (descriptor, _) = value.as_object().and_then(|object| object.iter().next()).expect("a descriptor");
    assert!(Kind::from_descriptor(descriptor).is_some(), "{value}");
    meaning(&[("value".to_owned(), value.clone())].into_iter().collect()).remove(0).1
}

#[test]
fn facts_hold() {
    for fact in facts() {
        assert!(matches!(text(&fact, "mark"), "AWS" | "DOC" | "V"), "{fact}");
        assert!(!text(&fact, "source").is_empty() && text(&fact, "what").ends_with('.'), "{fact}");
        match text(&fact, "kind") {
            "spec" => check_spec(&fact),
            "number" => check_number(&fact),
            "equal" => check_equal(&fact),
            "size" => check_size(&fact),
            "import" => check_import(&fact),
            kind => panic!("nobody knows how to check a fact of kind {kind}: {fact}"),
        }
    }
}

/// `docs/import-facts.md` names each fact, and no other.
#[test]
fn facts_are_listed() {
    let ids: Vec<_> = facts().iter().map(|fact| text(fact, "id").to_owned()).collect();
    let known: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(known.len(), ids.len(), "an id stands twice");
    let page = fs::read_to_string(root().join("docs/import-facts.md")).expect("the page");
    let listed: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let listed: Vec<_> = listed.into_iter().filter(|name| known.contains(*name) || is_id(name)).map(str::to_owned).collect();
    assert_eq!(listed, ids, "the page's ids, in its order, are those of the facts");
}

/// Whether a text has the form of an id: `json-01`.
fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(name, number)| {
        name.bytes().all(|b| b.is_ascii_lowercase()) && number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit())
    })
}
