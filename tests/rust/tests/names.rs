//! The law of names="athena": at every depth the names are such that Athena resolves them, no two
//! are the same, and each attribute is found again; what has a name keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields};
use dynarrow::athena::name;
use dynarrow::export::open::open;
use dynarrow::schema::{NAME_KEY, Names};
use dynarrow::storage::memory::Memory;
use dynarrow::{Control, Layout, Policies, ReadOptions, Schema};
use dynarrow_tests::{any_item, cases};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn schema(items: &[Map<String, Value>], policies: Policies) -> Schema {
    let mut storage = Memory::default();
    let lines: String = items.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect();
    storage.insert("data.json", lines.into_bytes());
    let options = ReadOptions { policies, threads: 1, ..ReadOptions::default() };
    open(Arc::new(storage), "", "test").expect("a file").infer_schema(&options, &Control::default()).expect("a schema")
}

fn athena(layout: Layout) -> Policies {
    Policies { names: Names::Athena, layout, ..Policies::default() }
}

/// The fields of the one stand where those of the other do, under names that Athena resolves.
fn check(named: &Fields, exact: &Fields) {
    assert_eq!(named.len(), exact.len());
    let names: BTreeSet<_> = named.iter().map(|field| field.name()).collect();
    assert_eq!(names.len(), named.len(), "{names:?}");
    for (named, exact) in named.iter().zip(exact) {
        assert_eq!(name::check(named.name()), Ok(()));
        assert_eq!(named.metadata().get(NAME_KEY).unwrap_or(named.name()), exact.name());
        check_type(named, exact);
    }
}

fn check_type(named: &FieldRef, exact: &FieldRef) {
    match (named.data_type(), exact.data_type()) {
        (DataType::Struct(named), DataType::Struct(exact)) => check(named, exact),
        (DataType::List(named), DataType::List(exact)) | (DataType::Map(named, _), DataType::Map(exact, _)) => check_type(named, exact),
        (named, exact) => assert_eq!(named, exact),
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_name_is_one_that_athena_resolves(items in prop::collection::vec(any_item(), 0..20), typed in any::<bool>()) {
        let layout = if typed { Layout::Typed } else { Layout::Plain };
        let named = schema(&items, athena(layout));
        let exact = schema(&items, Policies { layout, ..Policies::default() });
        check(named.to_arrow().fields(), exact.to_arrow().fields());
    }

    /// Through the document, and where it grows by other items.
    #[test]
    fn what_has_a_name_keeps_it(items in prop::collection::vec(any_item(), 0..12), others in prop::collection::vec(any_item(), 0..12)) {
        let one = schema(&items, athena(Layout::Plain));
        let read = Schema::from_json(&one.to_json()).expect("a document");
        prop_assert_eq!(read.fields(), one.fields());
        let grown = one.merge(&schema(&others, athena(Layout::Plain))).expect("the same policies");
        for field in one.fields() {
            let column = grown.fields().iter().find(|grown| grown.name == field.name).map(dynarrow::Field::column);
            prop_assert_eq!(column, Some(field.column()));
        }
        let names: BTreeSet<_> = grown.fields().iter().map(dynarrow::Field::column).collect();
        prop_assert_eq!(names.len(), grown.fields().len());
    }
}

/// A person may name columns: not two the same, and none that Athena would not find.
#[test]
fn columns_of_a_document() {
    let item = |value: &str| json!({"userId": {"S": value}, "USERID": {"M": {"Zip": {"S": "x"}}}});
    let items = [item("a").as_object().expect("an object").clone()];
    let document = schema(&items, athena(Layout::Plain)).to_json();
    assert_eq!((&document["fields"][0]["column"], &document["fields"][1]["column"]), (&json!("userid"), &json!("userid_2")));
    assert_eq!(document["fields"][1]["fields"][0]["column"], "zip");
    let with = |at: usize, column: Value| {
        let mut document = document.clone();
        document["fields"][at]["column"] = column;
        Schema::from_json(&document)
    };
    let names = |schema: &Schema| schema.to_arrow().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    assert_eq!(names(&with(1, json!("user")).expect("a name")), ["userid", "user", "_extra"]);
    assert_eq!(names(&with(1, Value::Null).expect("no name")), ["userid", "userid_2", "_extra"]);
    for (column, why) in [(json!("userid"), "stands twice"), (json!("User"), "lowers"), (json!(7), "must be a string")] {
        let error = with(1, column).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.path(), Some("USERID"));
    }
    // The policies are others where the names are.
    let exact = schema(&items, Policies::default());
    assert!(exact.merge(&schema(&items, athena(Layout::Plain))).is_err());
}
