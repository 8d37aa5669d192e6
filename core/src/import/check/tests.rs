//! The words of `PutItem`, its limits, and sizes.

use super::*;
use crate::format::json::ItemText;

fn rules() -> Rules {
    let key = |name: &str, kind, index: Option<&str>| KeyRule { name: name.into(), kind, index: index.map(Into::into) };
    let keys = vec![key("pk", Kind::S, None), key("sk", Kind::N, None), key("g", Kind::B, Some("by-g")), key("pk", Kind::S, Some("by-pk"))];
    Rules::new(keys, Vec::new())
}

fn check(attributes: &str) -> (Vec<(String, String)>, Checks) {
    let mut check = ItemCheck::new(rules());
    let line = format!("{{\"Item\":{{{attributes}}}}}");
    check.begin_item();
    ItemText::default().send(&line, &mut check).unwrap();
    let refused = check.commit_item(line.len()).is_err();
    let mut checks = check.take();
    let faults = checks.faulty.pop().unwrap_or_default().faults;
    assert_eq!(refused, !faults.is_empty());
    (faults.into_iter().map(|fault| (fault.path, fault.message)).collect(), checks)
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
        let (found, _) = check(&attributes);
        let expected: Vec<_> = expected.into_iter().map(|(path, message)| (path.to_owned(), message)).collect();
        assert_eq!(found, expected, "{attributes}");
    }
}

#[test]
fn limits_are_inclusive() {
    // Two names and the number 1: seven bytes.
    let item = |bytes: usize| check(&format!(r#"{KEY},"t":{{"S":"{}"}}"#, "x".repeat(bytes - 8)));
    let (whole, over) = (item(409_600), item(409_601));
    assert_eq!((whole.1.item_bytes, whole.0.len(), whole.1.keyed), (409_600, 0, 1));
    assert_eq!((over.1.item_bytes, &*over.0[0].1), (409_601, "Item size has exceeded the maximum allowed size"));
    let deep = |wrappers: usize| check(&format!(r#"{KEY},"l":{}{{"NULL":true}}{}"#, r#"{"L":["#.repeat(wrappers), "]}".repeat(wrappers)));
    assert_eq!((deep(31).0.len(), deep(32).0.len()), (0, 1));
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
    assert_eq!(check(&text).1.item_bytes, crate::import::size::item_size(&items.take()[0]));
}
