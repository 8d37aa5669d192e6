//! The corpus of amazon-ion/ion-tests, by hand: the counts stand in `docs/ion.md`.
#![allow(clippy::print_stdout)] // they are for whoever runs it

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::event::SetMembers;
use crate::item::{Item, Items};

/// What became of a value.
type Read = Result<Vec<Item>, Code>;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "ion") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Our own path: a value as the attribute of an item.
fn ours(context: &[u8], value: &str) -> Read {
    let text = format!("{{Item:{{v:{value}\n}}}}");
    let (mut scratch, mut items) = (Scratch::default(), Items::default());
    items.begin_item();
    Decoder::new(&text, 0, context, &mut scratch).record(Form::Wrapped, &mut items).map_err(|fault| fault.code)?;
    items.commit_item(0).expect("kept");
    Ok(items.take())
}

/// The same by ion-rs; `None` where it panics.
fn theirs(context: &[u8], value: &str) -> Option<Read> {
    let text = [context, format!("{{Item:{{v:{value}\n}}}}").as_bytes()].concat();
    let element = std::panic::catch_unwind(|| Element::read_one(text)).ok()?;
    let Ok(element) = element else { return Some(Err(Code::Ion)) };
    let mut items = Items::default();
    items.begin_item();
    let sent = Sender::new(&mut items, 0, &mut SetMembers::default()).record(&element, Form::Wrapped);
    Some(sent.map_err(|fault| fault.code).map(|()| {
        items.commit_item(0).expect("kept");
        items.take()
    }))
}

#[test]
#[ignore = "needs a checkout of amazon-ion/ion-tests: DYNARROW_ION_TESTS=…/iontestdata"]
fn by_hand() {
    let root = PathBuf::from(std::env::var_os("DYNARROW_ION_TESTS").expect("DYNARROW_ION_TESTS"));
    for kind in ["good", "bad"] {
        let mut counts = BTreeMap::<String, usize>::new();
        for file in files(&root.join(kind)) {
            let shown = file.strip_prefix(&root).expect("inside").display().to_string();
            let bytes = std::fs::read(&file).expect("a file");
            let Ok(text) = std::str::from_utf8(&bytes) else {
                *counts.entry("files: not UTF-8".into()).or_default() += 1;
                continue;
            };
            let (mut top, mut at, mut refused) = (Top::default(), 0, None);
            loop {
                match top.next(&bytes, &mut at, true) {
                    Next::End => {
                        refused = refused.or(top.in_list().then_some("the stream"));
                        break;
                    }
                    Next::Value(start) => {
                        let End::At(end) = scan::value_end(&bytes, start, true) else {
                            refused = Some("no end");
                            break;
                        };
                        let value = &text[start..end];
                        let (mine, other) = (ours(&top.context, value), theirs(&top.context, value));
                        let seen = match (&mine, &other) {
                            (Ok(mine), Some(Ok(other))) if mine == other => "values: equal items".to_owned(),
                            (Err(Code::Ion), Some(Err(Code::Ion))) => "values: both refuse".to_owned(),
                            (Err(mine), Some(Err(other))) if mine == other => format!("values: both {mine}"),
                            // What is none of DynamoDB's is not always looked at as Ion.
                            (Err(mine), Some(Err(Code::Ion))) => format!("values: refused, here as {mine}"),
                            (_, None) => "values: ion-rs panics".to_owned(),
                            _ => {
                                println!("{shown}: {value:?}: {mine:?} / {other:?}");
                                "values: DIFFERENT".to_owned()
                            }
                        };
                        *counts.entry(seen).or_default() += 1;
                        if mine == Err(Code::Ion) || mine.is_err() && kind == "bad" {
                            refused = Some("a value");
                        }
                        at = end;
                        top.value_ended();
                    }
                    _ => {
                        refused = Some("the stream");
                        break;
                    }
                }
            }
            if (kind == "good") == refused.is_some() {
                println!("{shown}: {}", refused.unwrap_or("accepted"));
            }
            *counts.entry(format!("files: {}", refused.map_or("accepted".into(), |what| format!("refused ({what})")))).or_default() += 1;
        }
        println!("{kind}: {counts:#?}");
    }
}
