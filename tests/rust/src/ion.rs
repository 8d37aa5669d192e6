//! Ion written in all its forms, and read by ion-rs alone: the other side of every
//! comparison of Ion.

use dynarrow::export::open::open_file;
use dynarrow::storage::memory::Memory;
use dynarrow::{AttributeValue, Control, Export, Item, Number, OnError, ReadOptions, Result, SourceFormat};
use ion_rs::{Element, Value as IonValue};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::sync::Arc;

/// Ion text of an item in DynamoDB JSON, in forms that `choice` says (an endless pattern):
/// white space and comments where they may stand, numbers, strings, names and nulls as
/// people and libraries write them.
pub fn odd_item(item: &Map<String, Value>, choice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push('{');
    for (n, (name, value)) in item.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        blank(choice, out);
        odd_name(name, choice, out);
        blank(choice, out);
        out.push(':');
        blank(choice, out);
        odd_value(value, choice, out);
        blank(choice, out);
    }
    if !item.is_empty() && choice().is_multiple_of(4) {
        out.push(',');
    }
    blank(choice, out);
    out.push('}');
}

/// White space or a comment.
pub fn blank(choice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push_str(match choice() % 16 {
        0 => " ",
        1 => "\n",
        2 => "\t\r\n  ",
        // ion-rs 1.2 takes no comment right behind a number or word.
        3 => " /* } \" */",
        4 => " // ' {\n",
        5 => "\u{b}",
        _ => "",
    });
}

fn odd_value(value: &Value, choice: &mut impl FnMut() -> u8, out: &mut String) {
    let (descriptor, inner) = value.as_object().and_then(|object| object.iter().next()).expect("a descriptor");
    match descriptor.as_str() {
        "S" => odd_string(inner.as_str().expect("a string"), choice, out),
        "N" => odd_number(inner.as_str().expect("a number"), choice, out),
        "B" => odd_blob(inner.as_str().expect("base64"), choice, out),
        "BOOL" => out.push_str(&inner.to_string()),
        "NULL" => out.push_str(["null", "null", "null.null", "null.decimal", "null.struct"][usize::from(choice() % 5)]),
        "M" => odd_item(inner.as_object().expect("an object"), choice, out),
        "L" => odd_list(inner, choice, out, odd_value),
        set => {
            out.push_str(&if choice().is_multiple_of(3) { format!("'$dynamodb_{set}'") } else { format!("$dynamodb_{set}") });
            blank(choice, out);
            out.push_str("::");
            blank(choice, out);
            odd_list(inner, choice, out, |member, choice, out| {
                let text = member.as_str().expect("a string");
                match set {
                    "SS" => odd_string(text, choice, out),
                    "NS" => odd_number(text, choice, out),
                    _ => odd_blob(text, choice, out),
                }
            });
        }
    }
}

fn odd_list<C: FnMut() -> u8>(list: &Value, choice: &mut C, out: &mut String, write: impl Fn(&Value, &mut C, &mut String)) {
    let list = list.as_array().expect("an array");
    out.push('[');
    for (n, value) in list.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        blank(choice, out);
        write(value, choice, out);
        blank(choice, out);
    }
    if !list.is_empty() && choice().is_multiple_of(4) {
        out.push(',');
    }
    blank(choice, out);
    out.push(']');
}

fn odd_name(name: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    let mut bytes = name.bytes();
    let bare = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !["null", "true", "false", "nan"].contains(&name);
    match choice() % 6 {
        0 => quoted(name, "\"", choice, out),
        1 => quoted(name, "'''", choice, out),
        2..=4 if bare => out.push_str(name),
        _ => quoted(name, "'", choice, out),
    }
}

fn odd_string(text: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    match choice() % 8 {
        0 => quoted(text, "'''", choice, out),
        1 => {
            let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            quoted(&text[..middle], "'''", choice, out);
            blank(choice, out);
            quoted(&text[middle..], "'''", choice, out);
        }
        2 => quoted(text, "'", choice, out),
        _ => quoted(text, "\"", choice, out),
    }
}

fn quoted(text: &str, quotes: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push_str(quotes);
    for c in text.chars() {
        match c {
            '\n' if quotes == "'''" && choice().is_multiple_of(2) => out.push('\n'),
            '\u{7}' => out.push_str("\\a"),
            '\0' => out.push_str("\\0"),
            '"' | '\'' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // An escaped line break is none.
            'a' if choice().is_multiple_of(11) => out.push_str("\\\na"),
            ' '.. if c != '\u{7f}' && !choice().is_multiple_of(5) => out.push(c),
            '\0'..='\u{ff}' if choice().is_multiple_of(2) => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            '\0'..='\u{d7ff}' if choice().is_multiple_of(2) => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push_str(quotes);
}

fn odd_number(text: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    let number = Number::parse(text.as_bytes()).expect("a number");
    let (digits, exponent) = number.stripped();
    match choice() % 6 {
        0 => {
            let _ = write!(out, "{digits}d{exponent}");
        }
        1 => {
            let zero = if digits == 0 { "" } else { "0" };
            let _ = write!(out, "{digits}{zero}.0D{:+}", exponent - 1);
        }
        2 if exponent == 0 => {
            let _ = write!(out, "{digits}");
        }
        3 if exponent == 0 && digits >= 0 => {
            let _ = write!(out, "0x{digits:x}");
        }
        _ => {
            let plain = number.to_string();
            out.push_str(&plain);
            if !plain.contains('.') {
                out.push('.');
            }
        }
    }
}

fn odd_blob(base64: &str, choice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push_str("{{");
    let padding = base64.find('=').unwrap_or(base64.len());
    for c in base64[..padding].chars() {
        if choice().is_multiple_of(9) {
            out.push_str(" \n");
        }
        out.push(c);
    }
    out.push_str(&base64[padding..]);
    out.push_str(if choice().is_multiple_of(3) { " }}" } else { "}}" });
}

/// What ion-rs makes of a stream: the item of each record; `None` where it refuses the
/// stream, or a record is no item.
pub fn read_by_ion_rs(stream: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for element in &Element::read_all(stream).ok()? {
        match element.as_list().filter(|_| element.annotations().is_empty()) {
            Some(list) => list.elements().try_for_each(|element| record(element).map(|item| items.push(item)))?,
            None => items.push(record(element)?),
        }
    }
    Some(items)
}

fn record(element: &Element) -> Option<Item> {
    let record = element.as_struct().filter(|_| element.annotations().is_empty())?;
    let mut fields = record.fields();
    match (fields.next(), fields.next()) {
        (Some((name, item)), None) if name.text() == Some("Item") && item.annotations().is_empty() => {
            map(item.as_struct().unwrap_or(record))
        }
        _ => map(record),
    }
}

fn map(fields: &ion_rs::Struct) -> Option<Item> {
    let mut item = Item::new();
    for (name, element) in fields.fields() {
        let name = name.text()?;
        if item.iter().any(|(known, _)| known == name) {
            return None;
        }
        item.push((name.to_owned(), value(element)?));
    }
    Some(item)
}

fn value(element: &Element) -> Option<AttributeValue> {
    let mut annotations = element.annotations().iter();
    let set = match (annotations.next(), annotations.next()) {
        (None, _) => None,
        (Some(annotation), None) => Some(annotation.text()?),
        _ => return None,
    };
    if let Some(set) = set {
        let IonValue::List(list) = element.value() else { return None };
        let members: Option<Vec<_>> = list.elements().map(|member| value(member).filter(|_| member.annotations().is_empty())).collect();
        let members = members?;
        if members.iter().enumerate().any(|(n, member)| members[..n].contains(member)) {
            return None;
        }
        return match set {
            "$dynamodb_SS" => members
                .into_iter()
                .map(|m| if let AttributeValue::S(m) = m { Some(m) } else { None })
                .collect::<Option<_>>()
                .map(AttributeValue::SS),
            "$dynamodb_NS" => members
                .into_iter()
                .map(|m| if let AttributeValue::N(m) = m { Some(m) } else { None })
                .collect::<Option<_>>()
                .map(AttributeValue::NS),
            "$dynamodb_BS" => members
                .into_iter()
                .map(|m| if let AttributeValue::B(m) = m { Some(m) } else { None })
                .collect::<Option<_>>()
                .map(AttributeValue::BS),
            _ => None,
        };
    }
    let number = |text: String| Number::parse(text.as_bytes()).ok().map(AttributeValue::N);
    match element.value() {
        IonValue::Null(_) => Some(AttributeValue::Null),
        IonValue::Bool(value) => Some(AttributeValue::Bool(*value)),
        IonValue::Int(int) => number(int.to_string()),
        IonValue::Decimal(decimal) => number(format!("{}e{}", decimal.coefficient(), decimal.exponent())),
        IonValue::Float(float) if float.is_finite() => number(format!("{float:.1075}")),
        IonValue::String(text) => Some(AttributeValue::S(text.text().to_owned())),
        IonValue::Symbol(symbol) => symbol.text().map(|text| AttributeValue::S(text.to_owned())),
        IonValue::Blob(bytes) | IonValue::Clob(bytes) => Some(AttributeValue::B(bytes.as_ref().to_vec())),
        IonValue::List(list) => list.elements().map(value).collect::<Option<_>>().map(AttributeValue::L),
        IonValue::Struct(fields) => map(fields).map(AttributeValue::M),
        IonValue::Float(_) | IonValue::Timestamp(_) | IonValue::SExp(_) => None,
    }
}

/// A stream as a source.
pub fn source(stream: &[u8]) -> Export {
    let mut storage = Memory::default();
    storage.insert("data.ion", stream);
    open_file(Arc::new(storage), "data.ion", "data.ion").expect("a file").with_format(SourceFormat::Ion)
}

/// What Dynarrow makes of a stream.
pub fn read(stream: &[u8], on_error: OnError) -> Result<Vec<Item>> {
    let options = ReadOptions { threads: 1, on_error, ..ReadOptions::default() };
    source(stream).items(&options, &Control::default())?.collect()
}

/// Compares both on any bytes; panics where they disagree. What they are known to disagree
/// on is in `docs/ion.md`.
pub fn compare(stream: &[u8]) {
    let ours = read(stream, OnError::Raise);
    // Must end, and not panic.
    let _ = read(stream, OnError::Skip);
    // ion-rs follows nesting by recursion.
    if nesting(stream) > 200 {
        return;
    }
    // ion-rs 1.2 panics at escapes of characters that are none, and at `\\x80` and above.
    let Ok(theirs) = std::panic::catch_unwind(|| read_by_ion_rs(stream)) else { return };
    let shown = String::from_utf8_lossy(stream);
    match (&ours, &theirs) {
        (Ok(ours), Some(theirs)) => assert_eq!(ours, theirs, "{shown:?}"),
        (Ok(ours), None) => assert!(is_known(stream), "ion-rs refuses what was read as {ours:?}: {shown:?}"),
        (Err(error), Some(theirs)) => {
            // ion-rs 1.2 takes base64 without its padding.
            let known = ["E_INCREMENTAL", "E_NESTING", "E_BASE64"].contains(&error.code().as_str()) || is_known(stream);
            assert!(known, "{error}, where ion-rs reads {theirs:?}: {shown:?}");
        }
        (Err(_), None) => {}
    }
}

fn nesting(stream: &[u8]) -> usize {
    stream.iter().filter(|b| matches!(b, b'[' | b'{' | b'(')).count()
}

/// Whether the bytes hold something that the two read differently.
fn is_known(stream: &[u8]) -> bool {
    let has = |what: &[u8]| stream.windows(what.len()).any(|window| window == what);
    // A comment right behind a number or word.
    let touching = stream.windows(2).any(|pair| pair[1] == b'/' && (pair[0].is_ascii_alphanumeric() || b"._$".contains(&pair[0])));
    let padded = stream.windows(2).any(|pair| pair[0] == b'=' && pair[1].is_ascii_whitespace());
    // An exponent past all integers, of a zero.
    let exponent = stream
        .split(|b| matches!(b, b'd' | b'D'))
        .any(|rest| rest.iter().take_while(|b| b.is_ascii_digit() || b"+-_".contains(b)).count() > 18);
    // `$1a` is an identifier, which ion-rs takes for half a symbol's number.
    let dollar = stream.windows(2).any(|pair| pair[0] == b'$' && pair[1].is_ascii_digit());
    // In comments ion-rs takes any bytes.
    let bytes = std::str::from_utf8(stream).is_err();
    touching || padded || exponent || dollar || bytes || has(b"$ion_")
}
