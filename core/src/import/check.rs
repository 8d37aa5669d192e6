//! What `ImportTable` says of an item that can be read: the rules of `PutItem`, in its words.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
//!
//! A sink like any other, so that items of all formats are checked alike. Values that are no
//! values of DynamoDB at all (numbers that are none, sets with a member twice) are the
//! decoders' errors.

use crate::change::key::{Capture, KeyNames};
use crate::event::{Kind, OpenNames, Refusal, Sink, Want};
use crate::number::Number;
use crate::path;

use super::TableSpec;
use super::size::{CONTAINER, ITEM_BYTES, MEMBER, SCALAR, number_size};

/// Maps and lists inside each other, at most: what stands in them is level 32.
const WRAPPERS: u32 = 31;
/// Bytes of an attribute's name, at most. The guide's 64 KB is one more.
const NAME_BYTES: usize = 65_535;
/// Bytes of a partition key and of a sort key, at most.
const KEY_BYTES: [usize; 2] = [2048, 1024];

/// A key attribute, and the type that its table or index gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The attribute.
    pub name: String,
    /// S, N or B.
    pub kind: Kind,
    /// The secondary index whose key it is; `None` for the table's own.
    pub index: Option<String>,
}

/// What an item is checked by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The table's partition key, its sort key, and the keys of indexes.
    pub keys: Vec<KeyRule>,
}

impl Rules {
    /// Those of the table that an import is to make.
    pub fn of(spec: &TableSpec) -> Self {
        let rule = |name: &String, index: Option<&str>| {
            Some(KeyRule { name: name.clone(), kind: spec.kind(name)?, index: index.map(str::to_owned) })
        };
        let of_table = [Some(&spec.partition_key), spec.sort_key.as_ref()].into_iter().flatten().filter_map(|name| rule(name, None));
        let of_indexes = spec.indexes.iter().flat_map(|index| {
            let names = index.partition_key.iter().chain(&index.sort_key);
            names.filter_map(|name| rule(name, Some(&index.name))).collect::<Vec<_>>()
        });
        Self { keys: of_table.chain(of_indexes).collect() }
    }

    /// The names of the table's own key.
    pub fn key_names(&self) -> KeyNames {
        KeyNames::new(self.keys.iter().filter(|key| key.index.is_none()).map(|key| &*key.name))
    }
}

/// Something that is wrong with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The attribute path.
    pub path: String,
    /// What `PutItem` says of it.
    pub message: String,
}

/// What a check found of an item.
#[derive(Debug, Default)]
pub struct Checked<'a> {
    /// What is wrong with it.
    pub faults: &'a [Fault],
    /// The bytes of its key; empty where it has none.
    pub key: &'a [u8],
    /// Its bytes, as DynamoDB counts them.
    pub size: u64,
}

/// Is given each item that was checked.
pub trait Verdicts {
    /// The item, and the bytes of its record.
    fn item(&mut self, checked: Checked<'_>, bytes: usize);
    /// An item was begun whose record is bad.
    fn bad(&mut self) {}
}

/// Checks items.
pub struct ItemCheck<V> {
    rules: Rules,
    /// What the items come to.
    pub verdicts: V,
    capture: Capture,
    names: OpenNames,
    /// The names of the attribute that comes and of those around it, and where they end.
    open: String,
    ends: Vec<usize>,
    faults: Vec<Fault>,
    size: u64,
    wrappers: u32,
    /// The set that is open, and whether it has members.
    set: Option<(Kind, bool)>,
    /// The rules that the item's own attribute which comes is under, and those that were met.
    current: Option<usize>,
    met: Vec<bool>,
}

impl<V> ItemCheck<V> {
    /// Checks by these rules.
    pub fn new(rules: Rules, verdicts: V) -> Self {
        let capture = Capture::new(rules.key_names());
        Self {
            met: vec![false; rules.keys.len()],
            rules,
            verdicts,
            capture,
            names: OpenNames::default(),
            open: String::new(),
            ends: Vec::new(),
            faults: Vec::new(),
            size: 0,
            wrappers: 0,
            set: None,
            current: None,
        }
    }

    #[cold]
    fn fault(&mut self, message: impl Into<String>) {
        let mut path = String::new();
        let mut start = 0;
        for &end in &self.ends {
            path::push_name(&mut path, &self.open[start..end]);
            start = end;
        }
        self.faults.push(Fault { path, message: message.into() });
    }

    /// A value comes, which in itself has so many bytes.
    #[inline]
    fn value(&mut self, kind: Kind, size: u64) {
        self.size += size;
        match &mut self.set {
            Some((_, used)) => *used = true,
            // A member of a map or list has a byte of its own.
            None if self.wrappers > 0 => self.size += MEMBER,
            None => {}
        }
        if self.wrappers == 0
            && let Some(first) = self.current.take()
        {
            self.key_value(first, kind, size);
        }
    }

    /// The value of an attribute that is of a key.
    fn key_value(&mut self, first: usize, kind: Kind, size: u64) {
        let Some(name) = self.rules.keys.get(first).map(|rule| rule.name.clone()) else { return };
        let mut places = 0;
        for at in first..self.rules.keys.len() {
            let rule = &self.rules.keys[at];
            let of_table = rule.index.is_none();
            let place = places;
            places += usize::from(of_table);
            if rule.name != name {
                continue;
            }
            self.met[at] = true;
            let (expected, actual) = (rule.kind.descriptor(), kind.descriptor());
            let message = match &rule.index {
                None if rule.kind != kind => {
                    format!("One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} actual: {actual}")
                }
                Some(index) if rule.kind != kind => format!(
                    "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {index}"
                ),
                _ if size == 0 && kind != Kind::N => {
                    let what = if kind == Kind::B { "binary" } else { "string" };
                    let begin = "One or more parameter values are not valid.";
                    let empty = format!("The AttributeValue for a key attribute cannot contain an empty {what} value.");
                    match &rule.index {
                        None => format!("{begin} {empty} Key: {name}"),
                        Some(index) => {
                            format!(
                                "{begin} A value specified for a secondary index key is not supported. {empty} IndexName: {index}, IndexKey: {name}"
                            )
                        }
                    }
                }
                None if first + place == 0 && size as usize > KEY_BYTES[0] => {
                    "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes".to_owned()
                }
                None if first + place > 0 && size as usize > KEY_BYTES[1] => {
                    "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
                        .to_owned()
                }
                _ => continue,
            };
            self.fault(message);
        }
    }

    fn wrap(&mut self, kind: Kind) {
        self.value(kind, CONTAINER);
        self.wrappers += 1;
        self.capture.open();
        if self.wrappers == WRAPPERS + 1 {
            self.fault("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit");
        }
    }

    fn unwrap(&mut self) {
        self.wrappers -= 1;
        self.capture.close();
    }
}

impl<V: Verdicts> Sink for ItemCheck<V> {
    fn begin_item(&mut self) {
        self.capture.begin_item();
        self.names.clear();
        self.names.begin();
        self.open.clear();
        self.ends.clear();
        self.faults.clear();
        (self.size, self.wrappers, self.set, self.current) = (0, 0, None, None);
        self.met.fill(false);
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.ends.clear();
        for at in 0..self.rules.keys.len() {
            let rule = &self.rules.keys[at];
            // An item without the key of an index is not in it: no error.
            if rule.index.is_none() && !self.met[at] {
                let message = format!("One or more parameter values were invalid: Missing the key {} in the item", rule.name);
                self.faults.push(Fault { path: String::new(), message });
            }
        }
        if self.size > ITEM_BYTES {
            self.faults.push(Fault { path: String::new(), message: "Item size has exceeded the maximum allowed size".into() });
        }
        let key = if self.capture.end().is_ok() { self.capture.key() } else { &[] };
        self.verdicts.item(Checked { faults: &self.faults, key, size: self.size }, bytes);
        Ok(())
    }

    fn abort_item(&mut self) {
        self.verdicts.bad();
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        self.names.add(name)?;
        let depth = self.wrappers as usize;
        // Lists have no names: their elements stand under that of the list.
        self.ends.truncate(self.names.depth() - 1);
        self.open.truncate(self.ends.last().copied().unwrap_or(0));
        self.open.push_str(name);
        self.ends.push(self.open.len());
        self.size += name.len() as u64;
        if name.is_empty() {
            self.fault("Empty attribute name");
        } else if name.len() > NAME_BYTES {
            self.fault("Attribute name is too large, must be less than 65536 bytes");
        }
        if depth == 0 {
            self.capture.attribute(name);
            self.current = self.rules.keys.iter().position(|rule| rule.name == name);
        }
        Ok(Want::Value)
    }

    fn string(&mut self, value: &str) {
        self.capture.value(|key, place| key.text(place, value));
        self.value(Kind::S, value.len() as u64);
    }
    fn number(&mut self, value: Number) {
        self.capture.value(|key, place| key.number(place, value));
        self.value(Kind::N, number_size(value));
    }
    fn binary(&mut self, value: &[u8]) {
        self.capture.value(|key, place| key.binary(place, value));
        self.value(Kind::B, value.len() as u64);
    }
    fn boolean(&mut self, _value: bool) {
        self.value(Kind::Bool, SCALAR);
    }
    fn null(&mut self) {
        self.value(Kind::Null, SCALAR);
    }
    fn begin_map(&mut self) {
        self.wrap(Kind::M);
        self.names.begin();
    }
    fn end_map(&mut self) {
        self.names.end();
        self.unwrap();
    }
    fn begin_list(&mut self) {
        self.wrap(Kind::L);
    }
    fn end_list(&mut self) {
        self.unwrap();
    }
    fn begin_set(&mut self, kind: Kind) {
        self.value(kind, 0);
        self.capture.open();
        self.set = Some((kind, false));
    }
    fn end_set(&mut self) {
        self.capture.close();
        let message = match self.set.take() {
            Some((Kind::SS, false)) => "One or more parameter values were invalid: An string set  may not be empty",
            Some((Kind::NS, false)) => "One or more parameter values were invalid: An number set  may not be empty",
            Some((Kind::BS, false)) => "One or more parameter values were invalid: Binary sets should not be empty",
            _ => return,
        };
        self.fault(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json::ItemText;

    #[derive(Default)]
    struct Kept {
        faults: Vec<(String, String)>,
        size: u64,
        has_key: bool,
    }

    impl Verdicts for Kept {
        fn item(&mut self, checked: Checked<'_>, _bytes: usize) {
            self.faults = checked.faults.iter().map(|fault| (fault.path.clone(), fault.message.clone())).collect();
            self.size = checked.size;
            self.has_key = !checked.key.is_empty();
        }
    }

    fn rules() -> Rules {
        let key = |name: &str, kind, index: Option<&str>| KeyRule { name: name.into(), kind, index: index.map(Into::into) };
        let keys =
            vec![key("pk", Kind::S, None), key("sk", Kind::N, None), key("g", Kind::B, Some("by-g")), key("pk", Kind::S, Some("by-pk"))];
        Rules { keys }
    }

    fn check(attributes: &str) -> Kept {
        let mut check = ItemCheck::new(rules(), Kept::default());
        let line = format!("{{\"Item\":{{{attributes}}}}}");
        check.begin_item();
        ItemText::default().send(&line, &mut check).unwrap();
        check.commit_item(line.len()).unwrap();
        check.verdicts
    }

    const KEY: &str = r#""pk":{"S":"a"},"sk":{"N":"1"}"#;

    #[test]
    fn what_put_item_says() {
        let begin = "One or more parameter values were invalid:";
        let cases = [
            (KEY.to_owned(), vec![]),
            (r#""pk":{"S":"a"}"#.into(), vec![("", format!("{begin} Missing the key sk in the item"))]),
            (
                r#""pk":{"N":"1"},"sk":{"N":"1"}"#.into(),
                vec![
                    ("pk", format!("{begin} Type mismatch for key pk expected: S actual: N")),
                    ("pk", format!("{begin} Type mismatch for Index Key pk Expected: S Actual: N IndexName: by-pk")),
                ],
            ),
            (
                r#""pk":{"S":"a"},"sk":{"M":{"pk":{"S":"x"}}}"#.into(),
                vec![("sk", format!("{begin} Type mismatch for key sk expected: N actual: M"))],
            ),
            (
                format!(r#"{KEY},"g":{{"B":""}}"#),
                vec![(
                    "g",
                    "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty binary value. IndexName: by-g, IndexKey: g".into(),
                )],
            ),
            (
                format!(r#""pk":{{"S":"{}"}},"sk":{{"N":"1"}}"#, "x".repeat(2049)),
                vec![("pk", format!("{begin} Size of hashkey has exceeded the maximum size limit of2048 bytes"))],
            ),
            (format!(r#"{KEY},"l":{{"L":[{{"M":{{"s":{{"SS":[]}}}}}}]}}"#), vec![("l.s", format!("{begin} An string set  may not be empty"))]),
            (format!(r#"{KEY},"m":{{"M":{{"":{{"NULL":true}}}}}}"#), vec![(r#"m[""]"#, "Empty attribute name".into())]),
        ];
        for (attributes, expected) in cases {
            let found = check(&attributes).faults;
            let expected: Vec<_> = expected.into_iter().map(|(path, message)| (path.to_owned(), message)).collect();
            assert_eq!(found, expected, "{attributes}");
        }
    }

    #[test]
    fn limits_are_inclusive() {
        // Two names and the number 1: seven bytes.
        let item = |bytes: usize| check(&format!(r#"{KEY},"t":{{"S":"{}"}}"#, "x".repeat(bytes - 8)));
        let (whole, over) = (item(409_600), item(409_601));
        assert_eq!((whole.size, whole.faults.len(), whole.has_key), (409_600, 0, true));
        assert_eq!((over.size, &*over.faults[0].1), (409_601, "Item size has exceeded the maximum allowed size"));
        let deep =
            |wrappers: usize| check(&format!(r#"{KEY},"l":{}{{"NULL":true}}{}"#, r#"{"L":["#.repeat(wrappers), "]}".repeat(wrappers)));
        assert_eq!((deep(31).faults.len(), deep(32).faults.len()), (0, 1));
    }

    #[test]
    fn sizes_are_those_of_owned_items() {
        let text = format!(
            r#"{KEY},"m":{{"M":{{"é":{{"L":[{{"N":"-1.5"}},{{"BS":["AAA="]}},{{"BOOL":true}}]}},"e":{{"M":{{}}}}}}}},"z":{{"NULL":true}}"#
        );
        let mut items = crate::item::Items::default();
        items.begin_item();
        ItemText::default().send(&format!("{{\"Item\":{{{text}}}}}"), &mut items).unwrap();
        items.commit_item(0).unwrap();
        assert_eq!(check(&text).size, crate::import::size::item_size(&items.take()[0]));
    }
}
