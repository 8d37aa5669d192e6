//! The Ion that exporters do not write, read by ion-rs: bounded slices of text, and all
//! binary Ion.
//!
//! What an Ion value means as a DynamoDB value is said here once, for both:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output.Data.ION>

use ion_rs::{Element, IonType, Sequence, Struct, Symbol, Value};

use super::binary::MAX_NUMBER_BYTES;
use super::{lex, scan};
use crate::error::Code;
use crate::event::{Discard, Kind, SetMembers, Sink, Undocumented, Want};
use crate::format::change::{Member, Seen, TIME};
use crate::format::record::{Decoded, Fault, Form, MAX_NESTING, shown};
use crate::number::Number;
use crate::path::Step;

/// The set that a list with this annotation is.
pub fn set_kind(annotation: &str) -> Option<Kind> {
    match annotation {
        "$dynamodb_SS" => Some(Kind::SS),
        "$dynamodb_NS" => Some(Kind::NS),
        "$dynamodb_BS" => Some(Kind::BS),
        _ => None,
    }
}

/// Reads values in a text, and keeps the symbols of the last tables.
#[derive(Default)]
pub struct Reader {
    tables: Vec<u8>,
    /// The texts of `$1` and up.
    symbols: Vec<Option<String>>,
}

impl Reader {
    /// The value in a text; a symbol's number by these symbol tables.
    pub fn read(&mut self, tables: &[u8], text: &str) -> Decoded<Element> {
        // What ion-rs says of it shows its own buffers, not the file's.
        let bad = || Fault::new(Code::Ion, 0, format!("not a valid Ion value: {}", shown(text)));
        if let Some(number) = text.strip_prefix('$').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())) {
            let place: usize = number.parse().map_err(|_| bad())?;
            if self.symbols.is_empty() || self.tables != tables {
                tables.clone_into(&mut self.tables);
                self.symbols = symbols(tables).ok_or_else(bad)?;
            }
            // `$0` has no text.
            let symbol = place.checked_sub(1).map_or(Some(&None), |place| self.symbols.get(place)).ok_or_else(bad)?;
            return Ok(Element::symbol(symbol.as_deref().map_or_else(Symbol::unknown_text, Symbol::owned)));
        }
        if text.len() > MAX_NUMBER_BYTES && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(Fault::new(Code::Number, 0, "a number of more than 1,024 characters"));
        }
        Element::read_one(text).map_err(|_| bad())
    }
}

/// All symbols of these tables, the system's first.
fn symbols(tables: &[u8]) -> Option<Vec<Option<String>>> {
    let tables = without_escapes(tables)?;
    // ion-rs tells a symbol by its number, and not how many there are.
    let first = |count: usize| {
        let list: String = (1..=count).map(|place| format!("${place},")).collect();
        Element::read_one(format!("{tables}[{list}]")).ok()
    };
    // There are no more than quotes, and the nine of the system.
    let (mut known, mut beyond) = (9, 11 + tables.bytes().filter(|&b| b == b'"' || b == b'\'').count());
    while beyond - known > 1 {
        let middle = known.midpoint(beyond);
        if first(middle).is_some() { known = middle } else { beyond = middle }
    }
    let list = first(known)?;
    Some(list.as_sequence()?.elements().map(|symbol| symbol.as_text().map(str::to_owned)).collect())
}

/// The symbol tables with the text in quotes written without `\x`, `\u` and `\U`: ion-rs 1.2
/// panics at some of those.
fn without_escapes(tables: &[u8]) -> Option<String> {
    let tables = std::str::from_utf8(tables).ok()?;
    let mut out = String::new();
    let mut at = 0;
    while let Some(found) = tables[at..].find(['"', '\'', '/']) {
        let start = at + found;
        out.push_str(&tables[at..start]);
        if tables.as_bytes()[start] == b'/' {
            at = scan::comment_end(tables.as_bytes(), start, true).ok()?;
            out.push(' ');
            continue;
        }
        let mut text = String::new();
        at = lex::unquote(tables, start, &mut text).ok()?;
        let quote = &tables[start..=start];
        out.push_str(quote);
        for c in text.chars() {
            match c {
                '"' | '\'' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\0' => out.push_str("\\0"),
                _ => out.push(c),
            }
        }
        out.push_str(quote);
    }
    out.push_str(&tables[at..]);
    Some(out)
}

/// Sends values that ion-rs read to a sink. Faults have no index.
pub struct Sender<'a, S> {
    sink: &'a mut S,
    depth: u32,
    members: &'a mut SetMembers,
}

impl<'a, S: Sink> Sender<'a, S> {
    /// A sender of values that stand so deep in their item.
    pub fn new(sink: &'a mut S, depth: u32, members: &'a mut SetMembers) -> Self {
        Self { sink, depth, members }
    }

    /// A record. The item's events go to the sink, between `begin_item` and `commit_item`,
    /// which are the caller's.
    pub fn record(&mut self, element: &Element, form: Form) -> Decoded {
        let record = plain_struct(element).ok_or_else(|| Fault::new(Code::Record, 0, "a record must be a struct"))?;
        if form == Form::Any {
            return Ok(());
        }
        if form == Form::Changes {
            let mut seen = Seen::default();
            self.change(record, &mut seen, true)?;
            return seen.check(0);
        }
        let mut fields = record.fields();
        let (first, second) = (fields.next(), fields.next());
        if first.is_some_and(|(name, _)| matches!(name.text(), Some("Record" | "Keys" | "Metadata"))) && is_change(record) {
            return Err(change_in_full(form, 0));
        }
        let item = first.filter(|(name, _)| name.text() == Some("Item")).and_then(|(_, value)| plain_struct(value));
        match (item, second, form) {
            (Some(item), None, _) => self.attributes(item),
            (_, _, Form::Either | Form::Plain) => self.attributes(record),
            (Some(_), Some(_), _) => Err(Fault::new(Code::BesideItem, 0, "a member beside `Item`")),
            (None, _, _) => Err(Fault::new(Code::Record, 0, "the record does not begin with `Item`")),
        }
    }

    /// The members of a change, which may all stand in a struct `Record`.
    fn change(&mut self, record: &Struct, seen: &mut Seen, outer: bool) -> Decoded {
        let refused = |refusal| Fault::refused(refusal, 0);
        for (name, value) in record.fields() {
            if outer
                && name.text() == Some("Record")
                && let Some(inner) = plain_struct(value)
            {
                self.change(inner, seen, false)?;
                continue;
            }
            let member = seen.member(name.text().unwrap_or_default(), 0)?;
            if value.is_null() {
                continue;
            }
            let members = plain_struct(value).ok_or_else(|| Fault::new(Code::Record, 0, "the members of a change are structs"))?;
            if let Member::Image(image) = member {
                self.sink.attribute(image).map_err(refused)?;
                self.sink.begin_map();
                self.attributes(members).map_err(|mut fault| {
                    fault.path.push(Step::Name(image.into()));
                    fault
                })?;
                self.sink.end_map();
            } else {
                for (_, time) in members.fields().filter(|(name, _)| name.text() == Some(TIME)) {
                    self.sink.attribute(TIME).map_err(refused)?;
                    seen.time();
                    self.value(time).map_err(Fault::of_time)?;
                }
            }
        }
        Ok(())
    }

    fn attributes(&mut self, item: &Struct) -> Decoded {
        for (name, value) in item.fields() {
            let Some(name) = name.text() else {
                return Err(Fault::new(Code::IonType, 0, "a field whose name is a symbol without text"));
            };
            let sent = match self.sink.attribute(name) {
                Ok(Want::Value) => self.value(value),
                Ok(Want::Nothing) => {
                    let mut discard = Discard::default();
                    discard.begin_item();
                    Sender { sink: &mut discard, depth: self.depth, members: &mut *self.members }.value(value)
                }
                Err(refusal) => Err(Fault::refused(refusal, 0)),
            };
            if let Err(mut fault) = sent {
                fault.path.push(Step::Name(name.into()));
                return Err(fault);
            }
        }
        Ok(())
    }

    /// A value.
    pub fn value(&mut self, element: &Element) -> Decoded {
        if !element.annotations().is_empty() {
            return self.set(element);
        }
        if self.sink.asks().undocumented {
            self.say_type(element);
        }
        match element.value() {
            Value::Null(_) => self.sink.null(),
            Value::Bool(value) => self.sink.boolean(*value),
            Value::Struct(map) => {
                self.nest()?;
                self.sink.begin_map();
                self.attributes(map)?;
                self.sink.end_map();
                self.depth -= 1;
            }
            Value::List(list) => {
                self.nest()?;
                self.sink.begin_list();
                for element in list.elements() {
                    self.value(element).map_err(|mut fault| {
                        fault.path.push(Step::Element);
                        fault
                    })?;
                }
                self.sink.end_list();
                self.depth -= 1;
            }
            _ => match Self::scalar(element, self.sink.asks().values)? {
                Scalar::Text(text) => self.sink.string(text),
                Scalar::Number(number) => self.sink.number(number),
                Scalar::Bytes(bytes) => self.sink.binary(bytes),
            },
        }
        Ok(())
    }

    fn say_type(&mut self, element: &Element) {
        let what = match element.value() {
            Value::Int(_) => Undocumented::Int,
            Value::Float(_) => Undocumented::Float,
            Value::Symbol(_) => Undocumented::Symbol,
            Value::Clob(_) => Undocumented::Clob,
            Value::Null(kind) if *kind != IonType::Null => Undocumented::TypedNull,
            _ => return,
        };
        self.sink.undocumented(what);
    }

    /// A list with an annotation.
    fn set(&mut self, element: &Element) -> Decoded {
        let mut annotations = element.annotations().iter();
        let (first, more) = (annotations.next().and_then(|symbol| symbol.text()), annotations.next().is_some());
        let kind = first.filter(|_| !more).and_then(set_kind);
        let Some(kind) = kind else {
            return Err(unknown_annotation(first.unwrap_or("$0")));
        };
        let Value::List(list) = element.value() else { return Err(no_list(kind)) };
        self.sink.begin_set(kind);
        self.members.begin();
        self.all_members(list, kind)?;
        self.sink.end_set();
        Ok(())
    }

    fn all_members(&mut self, list: &Sequence, kind: Kind) -> Decoded {
        list.elements().try_for_each(|member| self.member(member, kind))
    }

    /// A member of the set that is open.
    pub fn member(&mut self, element: &Element, kind: Kind) -> Decoded {
        let ion_type = element.ion_type();
        let fits = match kind {
            Kind::NS => matches!(ion_type, IonType::Decimal | IonType::Int | IonType::Float),
            Kind::BS => matches!(ion_type, IonType::Blob | IonType::Clob),
            _ => matches!(ion_type, IonType::String | IonType::Symbol),
        };
        if !fits || element.is_null() || !element.annotations().is_empty() {
            return Err(wrong_member(kind));
        }
        let asks = self.sink.asks();
        if asks.undocumented {
            self.say_type(element);
        }
        let is_new = match Self::scalar(element, asks.values)? {
            Scalar::Text(text) => {
                self.sink.string(text);
                !asks.distinct || self.members.is_new(text.as_bytes())
            }
            Scalar::Number(number) => {
                self.sink.number(number);
                !asks.distinct || self.members.is_new_number(number)
            }
            Scalar::Bytes(bytes) => {
                self.sink.binary(bytes);
                !asks.distinct || self.members.is_new(bytes)
            }
        };
        if is_new { Ok(()) } else { Err(twice()) }
    }

    /// The one value of DynamoDB that a scalar is; a number only where `values` matter.
    fn scalar(element: &Element, values: bool) -> Decoded<Scalar<'_>> {
        let no_value = |what: &str| Fault::new(Code::IonType, 0, format!("{what} has no DynamoDB value"));
        let number = |text: String| {
            if !values {
                return Ok(Scalar::Number(Number::from(0)));
            }
            let number = Number::parse(text.as_bytes()).map_err(|error| Fault::new(Code::Number, 0, format!("{error}: {}", shown(&text))));
            number.map(Scalar::Number)
        };
        match element.value() {
            Value::String(text) => Ok(Scalar::Text(text.text())),
            Value::Symbol(symbol) => symbol.text().map(Scalar::Text).ok_or_else(|| no_value("a symbol without text")),
            Value::Blob(bytes) | Value::Clob(bytes) => Ok(Scalar::Bytes(bytes.as_ref())),
            Value::Int(int) => number(int.to_string()),
            Value::Decimal(decimal) => number(format!("{}e{}", decimal.coefficient(), decimal.exponent())),
            // All digits of the binary fraction: one more than any has.
            Value::Float(float) if float.is_finite() => match number(format!("{float:.1075}")) {
                Err(_) => Err(no_value("a float that is no exact number of 38 digits")),
                exact => exact,
            },
            Value::Float(_) => Err(no_value("a float that is no number")),
            Value::Timestamp(_) => Err(no_value("a timestamp")),
            Value::SExp(_) => Err(no_value("an s-expression")),
            Value::Null(_) | Value::Bool(_) | Value::List(_) | Value::Struct(_) => Err(no_value("this")),
        }
    }

    fn nest(&mut self) -> Decoded {
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(too_deep(0)) } else { Ok(()) }
    }
}

enum Scalar<'e> {
    Text(&'e str),
    Number(Number),
    Bytes(&'e [u8]),
}

/// A struct that is no null and has no annotations.
fn plain_struct(element: &Element) -> Option<&Struct> {
    if element.annotations().is_empty() { element.as_struct() } else { None }
}

/// Whether a record is one of an incremental export.
fn is_change(record: &Struct) -> bool {
    let inner = record.get("Record").and_then(Element::as_struct).unwrap_or(record);
    inner.get("Metadata").and_then(Element::as_struct).is_some_and(|metadata| metadata.get("WriteTimestampMicros").is_some())
}

/// A record of an incremental export stands where items are read.
pub fn change_in_full(form: Form, at: usize) -> Box<Fault> {
    match form {
        Form::Wrapped => Fault::new(Code::Record, at, "a record of an incremental export in a full one"),
        _ => Fault::new(Code::Incremental, at, "a record of an incremental export; `changes` reads these"),
    }
}

/// The annotation of a set stands before something that is no list.
pub fn no_list(kind: Kind) -> Box<Fault> {
    Fault::new(Code::Annotation, 0, format!("$dynamodb_{} annotates a list, and this is none", kind.descriptor()))
}

/// An annotation that no set has.
pub fn unknown_annotation(annotation: &str) -> Box<Fault> {
    let message = format!("the annotation {} is none of $dynamodb_SS, $dynamodb_NS, $dynamodb_BS", shown(annotation));
    Fault::new(Code::Annotation, 0, message)
}

/// A member is of another type.
pub fn wrong_member(kind: Kind) -> Box<Fault> {
    let what = match kind {
        Kind::NS => "numbers",
        Kind::BS => "blobs",
        _ => "strings",
    };
    Fault::new(Code::Set, 0, format!("the members of {} must be {what}", kind.descriptor()))
}

/// A member stands twice.
pub fn twice() -> Box<Fault> {
    Fault::new(Code::Set, 0, "a member stands twice in the set")
}

/// Maps and lists nest too deep.
pub fn too_deep(at: usize) -> Box<Fault> {
    Fault::new(Code::Nesting, at, format!("maps and lists nested past {MAX_NESTING} levels"))
}
