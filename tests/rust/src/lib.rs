//! Random items, written and read by serde_json alone, and exports as AWS lays them out:
//! the other side of every comparison.

pub mod chunked;
pub mod ion;
pub mod layout;
pub mod tables;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynarrow::{AttributeValue, Item, Number};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Random cases of a law; more by hand with `DYNARROW_CASES`.
pub fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("DYNARROW_CASES").map_or(usual, |cases| cases.parse().expect("a number"));
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The choice at which everything that is written oddly is written as exports have it.
pub const PLAIN: u8 = 46;

/// An endless pattern of choices; without any, `PLAIN`.
pub fn choices(pattern: &[u8]) -> impl FnMut() -> u8 {
    let mut at = 0;
    move || {
        at += 1;
        pattern.get(at % pattern.len().max(1)).map_or(PLAIN, |choice| choice.wrapping_add((at / pattern.len()) as u8))
    }
}

/// A value in DynamoDB JSON, of any type, at most so deep.
pub fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        4 => any_text().prop_map(|s| json!({"S": s})),
        4 => any_number().prop_map(|n| json!({"N": n})),
        1 => any_binary().prop_map(|b| json!({"B": b})),
        1 => any::<bool>().prop_map(|b| json!({"BOOL": b})),
        1 => Just(json!({"NULL": true})),
        1 => prop::collection::btree_set(any_text(), 1..4).prop_map(|s| json!({"SS": s})),
        1 => prop::collection::vec(any_number(), 1..4).prop_map(|s| json!({"NS": distinct(s)})),
        1 => prop::collection::btree_set(any_binary(), 1..4).prop_map(|s| json!({"BS": s})),
    ];
    scalar.prop_recursive(5, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|l| json!({"L": l})),
            prop::collection::btree_map(any_name(), inner, 0..5).prop_map(|m| json!({"M": m})),
        ]
    })
}

/// The numbers without those that stood before, by value: a set has none twice.
fn distinct(numbers: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    let is_new = |text: &String| {
        let number = Number::parse(text.as_bytes()).expect("a number");
        let is_new = !seen.contains(&number);
        seen.push(number);
        is_new
    };
    numbers.into_iter().filter(is_new).collect()
}

/// An item in DynamoDB JSON, without the wrapper.
pub fn any_item() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(any_name(), any_value(), 0..7).prop_map(|item| item.into_iter().collect())
}

/// Names: few, so that paths meet in different items and have several types; some odd.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["pk", "sk", "a", "b", "c", "price"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["S", "N", "M", "Item", "Items", "Keys", "_extra", "", "a.b", "A", "a[]", "\"", "\\", "\n", "é", "🦐", "\0"])
            .prop_map(str::to_owned),
        1 => any_text(),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{0,12}",
        2 => "\\PC{0,20}",
        1 => any::<String>(),
        1 => "[\"\\\\\n\r\t\u{0}-\u{1f}/é€🦐]{0,10}",
    ]
}

fn any_binary() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| STANDARD.encode(bytes))
}

/// The text of a number, in every form that DynamoDB takes.
fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<i32>().prop_map(|n| n.to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        2 => (any::<i32>(), 1_u32..6).prop_map(|(n, scale)| format!("{}.{:0width$}", n, n.unsigned_abs() % 10_u32.pow(scale), width = scale as usize)),
        1 => "-?[1-9][0-9]{0,37}",
        1 => "-?0\\.0{0,30}[1-9][0-9]{0,30}",
        1 => ("-?[1-9](\\.[0-9]{1,10})?", -120_i32..115).prop_map(|(mantissa, exponent)| format!("{mantissa}E{exponent}")),
        1 => prop::sample::select(vec!["0", "-0", "0.0", "00012", "1.500", "+7", ".5", "1e125", "1e-130", "99999999999999999999999999999999999999"])
            .prop_map(str::to_owned),
    ]
}

/// What an item of DynamoDB JSON means.
pub fn meaning(item: &Map<String, Value>) -> Item {
    item.iter().map(|(name, value)| (name.clone(), value_meaning(value))).collect()
}

fn value_meaning(value: &Value) -> AttributeValue {
    let (descriptor, inner) = value.as_object().and_then(|object| object.iter().next()).expect("a descriptor");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let number = |value: &Value| Number::parse(text(value).as_bytes()).expect("a number");
    let binary = |value: &Value| STANDARD.decode(text(value)).expect("base64");
    let all = |value: &Value| value.as_array().expect("an array").clone();
    match descriptor.as_str() {
        "S" => AttributeValue::S(text(inner)),
        "N" => AttributeValue::N(number(inner)),
        "B" => AttributeValue::B(binary(inner)),
        "BOOL" => AttributeValue::Bool(inner.as_bool().expect("a boolean")),
        "NULL" => AttributeValue::Null,
        "M" => AttributeValue::M(meaning(inner.as_object().expect("an object"))),
        "L" => AttributeValue::L(all(inner).iter().map(value_meaning).collect()),
        "SS" => AttributeValue::SS(all(inner).iter().map(text).collect()),
        "NS" => AttributeValue::NS(all(inner).iter().map(number).collect()),
        "BS" => AttributeValue::BS(all(inner).iter().map(binary).collect()),
        other => panic!("no type: {other}"),
    }
}

/// A form in which equal values are equal, as DynamoDB compares them: numbers by value, members
/// of maps and sets without order.
fn comparable(value: &AttributeValue) -> String {
    let sorted = |mut members: Vec<String>| {
        members.sort();
        members.join(",")
    };
    match value {
        AttributeValue::S(text) => format!("S{text:?}"),
        AttributeValue::N(number) => format!("N{number}"),
        AttributeValue::B(bytes) => format!("B{bytes:?}"),
        AttributeValue::Bool(value) => format!("BOOL{value}"),
        AttributeValue::Null => "NULL".into(),
        AttributeValue::M(item) => format!("M{{{}}}", comparable_item(item)),
        AttributeValue::L(list) => format!("L[{}]", list.iter().map(comparable).collect::<Vec<_>>().join(",")),
        AttributeValue::SS(members) => format!("SS[{}]", sorted(members.iter().map(|m| format!("{m:?}")).collect())),
        AttributeValue::NS(members) => format!("NS[{}]", sorted(members.iter().map(ToString::to_string).collect())),
        AttributeValue::BS(members) => format!("BS[{}]", sorted(members.iter().map(|m| format!("{m:?}")).collect())),
    }
}

/// A form in which equal items are equal.
pub fn comparable_item(item: &Item) -> String {
    let members: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, comparable(value))).collect();
    // No Debug of texts of values: escapes of escapes double at each depth.
    members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect::<Vec<_>>().join(",")
}

/// JSON text with white space at every place that allows it, and characters escaped that
/// need not be, as `choice` says (an endless pattern).
pub fn odd_json(value: &Value, choice: &mut impl FnMut() -> u8, out: &mut String) {
    let blank = |choice: &mut dyn FnMut() -> u8, out: &mut String| match choice() % 6 {
        0 => out.push(' '),
        1 => out.push('\t'),
        2 => out.push_str("  \r"),
        _ => {}
    };
    blank(choice, out);
    match value {
        Value::String(text) => odd_string(text, choice, out),
        Value::Array(values) => {
            out.push('[');
            for (n, value) in values.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                odd_json(value, choice, out);
            }
            blank(choice, out);
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                blank(choice, out);
                odd_string(name, choice, out);
                blank(choice, out);
                out.push(':');
                odd_json(value, choice, out);
            }
            blank(choice, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    blank(choice, out);
}

fn odd_string(text: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if c < ' ' || c == '"' || c == '\\' || choice().is_multiple_of(5) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&if choice().is_multiple_of(2) { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
}
