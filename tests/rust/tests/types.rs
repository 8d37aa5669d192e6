//! `docs/types.md` says what column each type becomes under each policy, and why; every row
//! of its tables is run here.

use std::sync::Arc;

use dynarrow::export::open::open;
use dynarrow::storage::memory::Memory;
use dynarrow::{Control, Policies, ReadOptions, Result, Schema};

fn schema(values: &[&str], policy: &str) -> Result<Schema> {
    let mut policies = Policies::default();
    for setting in policy.split(' ').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').expect("name=value");
        match name {
            "numbers" => policies.numbers = value.parse()?,
            "mixed" => policies.mixed = value.parse()?,
            "maps" => policies.maps = value.parse()?,
            "layout" => policies.layout = value.parse()?,
            "max_fields" => policies.max_fields = value.parse().expect("a number"),
            "override" => policies.override_path("a", value)?,
            _ => panic!("no policy: {name}"),
        }
    }
    let mut storage = Memory::default();
    let lines: String = values.iter().map(|value| format!("{{\"a\":{value}}}\n")).collect::<Vec<_>>().concat();
    storage.insert("data.json", lines.into_bytes());
    open(Arc::new(storage), "", "test")?.infer_schema(&ReadOptions { policies, ..ReadOptions::default() }, &Control::default())
}

#[test]
fn the_table_is_true() {
    let text = include_str!("../../../docs/types.md");
    let mut rows = 0;
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
        let [values, policy, expected, why] = cells[..] else { panic!("four cells: {line}") };
        let values: Vec<_> = values.split("`, `").collect();
        let found = match schema(&values, policy) {
            Ok(schema) => {
                let field = &schema.to_json()["fields"][0];
                let types = field["types"].as_object().map(|types| {
                    let types: Vec<_> = types.iter().map(|(kind, ty)| format!("{kind}: {}", ty.as_str().expect("text"))).collect();
                    format!(" ({})", types.join(", "))
                });
                let arrow = field["arrow"].as_str().expect("text");
                (format!("{arrow}{}", types.unwrap_or_default()), field["why"].as_str().expect("text").to_owned())
            }
            Err(error) => (error.code().to_string(), error.message()),
        };
        assert_eq!(found, (expected.to_owned(), why.to_owned()), "{line}");
        rows += 1;
    }
    assert!(rows >= 30, "{rows} rows");
}
