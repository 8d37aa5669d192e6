//! The column rules of docs/design.md: for each kind of values the Arrow type, the DynamoDB
//! type in the metadata, and the values, all asserted.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use dynarrow::export::open::open;
use dynarrow::storage::memory::Memory;
use dynarrow::{Code, Columns, Control, Export, Mixed, Numbers, Policies, ReadOptions, Result};

fn export(values: &[&str]) -> Export {
    let lines = values.iter().map(|value| if value.is_empty() { "{}\n".to_owned() } else { format!("{{\"a\":{value}}}\n") });
    let mut storage = Memory::default();
    storage.insert("data.json", lines.collect::<String>().into_bytes());
    open(Arc::new(storage), "", "test").expect("a file")
}

fn read(values: &[&str], policies: Policies) -> Result<RecordBatch> {
    let reader = export(values).read(ReadOptions { policies, ..ReadOptions::default() }, &Control::default())?;
    reader.batches(&Control::default())?.next().expect("a batch")
}

/// `type [dynamodb type]: values`, as Arrow prints them.
fn shown(values: &[&str], policies: Policies) -> String {
    let batch = read(values, policies).expect("good data");
    let options = FormatOptions::default().with_null("null");
    let formatter = ArrayFormatter::try_new(batch.column(0), &options).expect("a known type");
    let rows: Vec<_> = (0..batch.num_rows()).map(|row| formatter.value(row).to_string()).collect();
    let schema = batch.schema();
    let field = schema.field(0);
    format!("{} [{}]: {}", field.data_type(), field.metadata()["dynamodb.type"], rows.join(" | "))
}

#[test]
fn one_type_at_a_path() {
    for (values, expected) in [
        (&[r#"{"S":"x"}"#, "", r#"{"NULL":true}"#, r#"{"S":""}"#][..], "Utf8 [S]: x | null | null | "),
        (&[r#"{"N":"1"}"#, r#"{"N":"1E+2"}"#, r#"{"N":"-100.0"}"#], "Int64 [N]: 1 | 100 | -100"),
        (&[r#"{"N":"9223372036854775807"}"#, r#"{"N":"-9223372036854775808"}"#], "Int64 [N]: 9223372036854775807 | -9223372036854775808"),
        (&[r#"{"N":"9223372036854775808"}"#, r#"{"N":"1"}"#], "Decimal128(38, 0) [N]: 9223372036854775808 | 1"),
        (&[r#"{"N":"1"}"#, r#"{"N":"2.50"}"#, r#"{"N":"0.125"}"#], "Decimal128(38, 3) [N]: 1.000 | 2.500 | 0.125"),
        (&[r#"{"N":"99999999999999999999999999999999999999"}"#], "Decimal128(38, 0) [N]: 99999999999999999999999999999999999999"),
        (
            &[r#"{"N":"99999999999999999999999999999999999999"}"#, r#"{"N":"0.5"}"#, r#"{"N":"1E40"}"#],
            "Utf8 [N]: 99999999999999999999999999999999999999 | 0.5 | 10000000000000000000000000000000000000000",
        ),
        (&[r#"{"BOOL":true}"#, "", r#"{"BOOL":false}"#], "Boolean [BOOL]: true | null | false"),
        (&[r#"{"B":"aGk="}"#, "", r#"{"B":""}"#], "Binary [B]: 6869 | null | "),
        (&[r#"{"NULL":true}"#, ""], "Utf8 [NULL]: null | null"),
        (
            &[r#"{"M":{"x":{"S":"1"}}}"#, "", r#"{"M":{"y":{"N":"2"}}}"#, r#"{"M":{}}"#],
            r#"Struct("x": Utf8, metadata: {"dynamodb.type": "S"}, "y": Int64, metadata: {"dynamodb.type": "N"}) [M]: {x: 1, y: null} | null | {x: null, y: 2} | {x: null, y: null}"#,
        ),
        (&[r#"{"M":{}}"#, ""], r#"Map("key_value": non-null Struct("key": non-null Utf8, "value": Utf8), unsorted) [M]: {} | null"#),
        (
            &[r#"{"L":[{"N":"1"},{"NULL":true},{"N":"3"}]}"#, "", r#"{"L":[]}"#],
            r#"List(Int64, field: 'element', metadata: {"dynamodb.type": "N"}) [L]: [1, null, 3] | null | []"#,
        ),
        (&[r#"{"L":[]}"#, ""], "List(Utf8, field: 'element') [L]: [] | null"),
        (&[r#"{"L":[{"NULL":true}]}"#], r#"List(Utf8, field: 'element', metadata: {"dynamodb.type": "NULL"}) [L]: [null]"#),
        (
            &[r#"{"L":[{"L":[{"S":"x"}]},{"L":[]}]}"#],
            r#"List(List(Utf8, field: 'element', metadata: {"dynamodb.type": "S"}), field: 'element', metadata: {"dynamodb.type": "L"}) [L]: [[x], []]"#,
        ),
        (&[r#"{"SS":["b","a"]}"#, ""], r#"List(Utf8, field: 'element', metadata: {"dynamodb.type": "S"}) [SS]: [b, a] | null"#),
        (&[r#"{"NS":["1","2.5"]}"#], r#"List(Decimal128(38, 1), field: 'element', metadata: {"dynamodb.type": "N"}) [NS]: [1.0, 2.5]"#),
        (&[r#"{"BS":["aGk="]}"#], r#"List(Binary, field: 'element', metadata: {"dynamodb.type": "B"}) [BS]: [6869]"#),
    ] {
        assert_eq!(shown(values, Policies::default()), expected, "{values:?}");
    }
}

const MIXED: [&str; 9] = [
    r#"{"S":"x\"y"}"#,
    r#"{"N":"1.50"}"#,
    r#"{"BOOL":true}"#,
    r#"{"M":{"k":{"L":[{"N":"1"},{"NULL":true}]}}}"#,
    r#"{"L":[{"S":"e"},{"N":"2"}]}"#,
    r#"{"NS":["1","2"]}"#,
    r#"{"B":"aGk="}"#,
    r#"{"NULL":true}"#,
    "",
];

#[test]
fn several_types_as_a_struct() {
    let found = shown(&MIXED, Policies::default());
    let (ty, rows) = found.split_once(" [mixed]: ").expect("mixed");
    // A child for each type seen, in the order S N B BOOL M L SS NS BS.
    let children: Vec<_> =
        ["\"S\": Utf8", "\"N\": Decimal128(38, 1)", "\"B\": Binary", "\"BOOL\": Boolean", "\"M\": Struct", "\"L\": List", "\"NS\": List"]
            .iter()
            .map(|child| ty.find(child).unwrap_or_else(|| panic!("{child} in {ty}")))
            .collect();
    assert!(children.is_sorted(), "{ty}");
    let rows: Vec<_> = rows.split(" | ").collect();
    assert!(rows[0].starts_with("{S: x\"y, N: null,") && rows[1].contains("N: 1.5,"), "{rows:?}");
    assert!(rows[3].contains("M: {k: [1, null]}") && rows[4].contains("L: [{S: e, N: null}, {S: null, N: 2}]"), "{rows:?}");
    assert_eq!(&rows[7..], ["null", "null"]);
}

#[test]
fn several_types_as_text() {
    let json = Policies { mixed: Mixed::Json, ..Policies::default() };
    let expected = [
        r#"{"S":"x\"y"}"#,
        r#"{"N":"1.5"}"#,
        r#"{"BOOL":true}"#,
        r#"{"M":{"k":{"L":[{"N":"1"},{"NULL":true}]}}}"#,
        r#"{"L":[{"S":"e"},{"N":"2"}]}"#,
        r#"{"NS":["1","2"]}"#,
        r#"{"B":"aGk="}"#,
        "null",
        "null",
    ];
    assert_eq!(shown(&MIXED, json), format!("Utf8 [json]: {}", expected.join(" | ")));
    let batch = read(&MIXED, json).expect("good data");
    assert_eq!(batch.schema().field(0).extension_type_name(), Some("arrow.json"));

    let string = Policies { mixed: Mixed::String, ..Policies::default() };
    let expected = [
        "x\"y",
        "1.5",
        "true",
        r#"{"M":{"k":{"L":[{"N":"1"},{"NULL":true}]}}}"#,
        r#"{"L":[{"S":"e"},{"N":"2"}]}"#,
        r#"{"NS":["1","2"]}"#,
        r#"{"B":"aGk="}"#,
        "null",
        "null",
    ];
    assert_eq!(shown(&MIXED, string), format!("Utf8 [mixed]: {}", expected.join(" | ")));
}

#[test]
fn several_types_as_an_error() {
    let policies = Policies { mixed: Mixed::Error, ..Policies::default() };
    let error = read(&[r#"{"M":{"b c":{"L":[{"S":"x"},{"N":"1"}]}}}"#], policies).expect_err("several types");
    assert_eq!((error.code(), error.path()), (Code::Mixed, Some(r#"a["b c"][]"#)));
    assert!(error.message().contains("1 S, 1 N"), "{error}");
}

#[test]
fn numbers_on_request() {
    let values = [r#"{"N":"0.1"}"#, r#"{"N":"9007199254740993"}"#, r#"{"N":"3"}"#];
    let string = Policies { numbers: Numbers::String, ..Policies::default() };
    assert_eq!(shown(&values, string), "Utf8 [N]: 0.1 | 9007199254740993 | 3");
    let float = Policies { numbers: Numbers::Float64, ..Policies::default() };
    assert_eq!(shown(&values, float), "Float64 [N]: 0.1 | 9007199254740992.0 | 3.0");
    // What a float64 loses is counted.
    let reader = export(&values).read(ReadOptions { policies: float, ..ReadOptions::default() }, &Control::default()).expect("a reader");
    let mut batches = reader.batches(&Control::default()).expect("batches");
    batches.by_ref().for_each(|batch| assert!(batch.is_ok()));
    assert_eq!(batches.report().rounded_numbers, 1);
}

#[test]
fn maps_with_many_members_are_map_columns() {
    let member = |n: usize| format!("\"m{n}\":{}", if n % 2 == 0 { r#"{"N":"7"}"# } else { r#"{"S":"x"}"# });
    let wide = |n: usize| format!("{{\"M\":{{{}}}}}", (0..n).map(member).collect::<Vec<_>>().join(","));
    assert!(shown(&[&wide(256)], Policies::default()).starts_with("Struct("));
    let (map, empty, none) = (wide(257), r#"{"M":{}}"#, "");
    let batch = read(&[&map, empty, none, &map], Policies::default()).expect("good data");
    let column = batch.column(0).as_any().downcast_ref::<arrow::array::MapArray>().expect("a map column");
    assert_eq!((column.value_length(0), column.value_length(1), column.is_null(2), column.value_length(3)), (257, 0, true, 257));
    assert!(shown(&[&map], Policies::default()).contains("[M]: {m0: {S: null, N: 7}, m1: {S: x, N: null}"));
}

#[test]
fn chosen_columns() {
    let mut storage = Memory::default();
    let lines = r#"{"a":{"S":"x"},"b":{"N":"not checked"},"c":{"N":"1"}}
{"c":{"N":"2"},"d":{"L":[]}}
"#;
    storage.insert("data.json", lines.as_bytes());
    let export = open(Arc::new(storage), "", "test").expect("a file");
    let read = |columns: &[&str]| {
        let columns: Columns = columns.iter().map(|&name| name.to_owned()).collect();
        let reader = export.read(ReadOptions { columns: Some(columns), ..ReadOptions::default() }, &Control::default())?;
        reader.batches(&Control::default())?.next().expect("a batch")
    };
    let batch = read(&["c", "a"]).expect("good columns");
    assert_eq!(batch.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert_eq!(batch.num_rows(), 2);
    let none = read(&[]).expect("no columns");
    assert_eq!((none.num_rows(), none.num_columns()), (2, 0));
    let error = read(&["a", "x", "y z"]).expect_err("unknown columns");
    assert_eq!(error.to_string(), "E_COLUMN: no item has an attribute \"x\", \"y z\"");
}

/// Columns stand in the order in which they were first seen, over all files.
#[test]
fn order_of_columns() {
    let mut storage = Memory::default();
    storage.insert("1.json", *b"{\"b\":{\"N\":\"1\"},\"a\":{\"NULL\":true}}\n");
    storage.insert("2.json", *b"{\"d\":{\"S\":\"\"},\"c\":{\"S\":\"\"},\"a\":{\"S\":\"\"}}\n{\"0\":{\"S\":\"\"}}\n");
    let export = open(Arc::new(storage), "", "test").expect("files");
    let schema = export.infer_schema(&ReadOptions { threads: 3, ..ReadOptions::default() }, &Control::default()).expect("a schema");
    assert_eq!(schema.fields().iter().map(|field| field.name.as_str()).collect::<String>(), "badc0");
}
