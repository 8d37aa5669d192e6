//! The column rules of docs/design.md: for each kind of values the Arrow type, the DynamoDB
//! type in the metadata, and the values, all asserted.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use dynarrow::export::open::open;
use dynarrow::storage::memory::Memory;
use dynarrow::{Code, Columns, Control, Export, Mixed, Numbers, Policies, ReadOptions, Result, Schema};

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
    assert_eq!(shown(&MIXED, json.clone()), format!("Utf8 [json]: {}", expected.join(" | ")));
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
    assert_eq!(shown(&values, float.clone()), "Float64 [N]: 0.1 | 9007199254740992.0 | 3.0");
    // What a float64 loses is counted.
    let reader = export(&values).read(ReadOptions { policies: float, ..ReadOptions::default() }, &Control::default()).expect("a reader");
    let mut batches = reader.batches(&Control::default()).expect("batches");
    batches.by_ref().for_each(|batch| assert!(batch.is_ok()));
    assert_eq!(batches.report().losses.rounded.count, 1);
}

#[test]
fn maps_with_many_members_are_map_columns() {
    let member = |n: usize| format!("\"m{n}\":{}", if n.is_multiple_of(2) { r#"{"N":"7"}"# } else { r#"{"S":"x"}"# });
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

/// Reads with a schema learnt from other values; what has no place stands in `_extra`.
fn read_frozen(learnt: &[&str], values: &[&str], extra: dynarrow::schema::Extra) -> Result<(String, dynarrow::columns::Losses)> {
    let control = Control::default();
    let schema = export(learnt).infer_schema(&ReadOptions::default(), &control)?;
    // A document does what the schema does.
    let document = serde_json::from_str(&schema.to_json().to_string()).expect("JSON");
    let read_back = Schema::from_json(&document)?;
    assert_eq!(read_back.to_json(), schema.to_json());
    assert_eq!(read_back.clone(), schema.frozen());
    let options = ReadOptions { schema: Some(read_back), extra, ..ReadOptions::default() };
    let reader = export(values).read(options, &control)?;
    let mut batches = reader.batches(&control)?;
    let batch = batches.next().expect("a batch")?;
    assert!(batches.next().is_none());
    let options = FormatOptions::default().with_null("null");
    let rows: Vec<_> = (0..batch.num_rows())
        .map(|row| {
            let cells = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).expect("a known type").value(row).to_string());
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect();
    Ok((rows.join(" | "), batches.report().losses))
}

#[test]
fn what_a_frozen_schema_has_no_place_for() {
    use dynarrow::schema::Extra;
    let text = r#"{"S":"x"}"#;
    for (learnt, values, expected) in [
        (
            &[r#"{"N":"1"}"#][..],
            &[r#"{"N":"2"}"#, text, r#"{"N":"2.5"}"#, r#"{"NULL":true}"#][..],
            r#"2 null | null {"a":{"S":"x"}} | null {"a":{"N":"2.5"}} | null null"#,
        ),
        (
            &[text],
            &[r#"{"N":"2"}"#, r#"{"L":[{"S":"y"}]}"#, r#"{"SS":["q"]}"#, r#"{"B":"AA=="}"#],
            r#"null {"a":{"N":"2"}} | null {"a":{"L":[{"S":"y"}]}} | null {"a":{"SS":["q"]}} | null {"a":{"B":"AA=="}}"#,
        ),
        (
            &[r#"{"M":{"k":{"L":[{"M":{"q":{"N":"1"}}}]}}}"#],
            &[r#"{"M":{"k":{"L":[{"M":{"q":{"N":"7"}}},{"M":{"q":{"S":"x"},"new name":{"BOOL":true}}},{"S":"z"}]},"more":{"M":{}}}}"#],
            r#"{k: [{q: 7}, {q: null}, null]} {"a.k[1].q":{"S":"x"},"a.k[1][\"new name\"]":{"BOOL":true},"a.k[2]":{"S":"z"},"a.more":{"M":{}}}"#,
        ),
        (&[r#"{"NS":["1"]}"#], &[r#"{"NS":["1","2.5"]}"#, r#"{"NS":["3","4"]}"#], r#"null {"a":{"NS":["1","2.5"]}} | [3, 4] null"#),
        (
            &[r#"{"S":"x"}"#, r#"{"N":"1"}"#],
            &[r#"{"BOOL":true}"#, r#"{"N":"0.5"}"#, r#"{"N":"5"}"#],
            r#"null {"a":{"BOOL":true}} | null {"a":{"N":"0.5"}} | {S: null, N: 5} null"#,
        ),
        (&[r#"{"L":[]}"#], &[r#"{"L":[{"S":"x"},{"NULL":true}]}"#], r#"[null, null] {"a[0]":{"S":"x"}}"#),
        (&[r#"{"M":{}}"#], &[r#"{"M":{"x":{"S":"y"}}}"#], r#"{x: null} {"a.x":{"S":"y"}}"#),
        (&[r#"{"NULL":true}"#], &[text], r#"null {"a":{"S":"x"}}"#),
    ] {
        let (rows, losses) = read_frozen(learnt, values, Extra::Column).expect("good data");
        assert_eq!(rows, expected, "{learnt:?}");
        assert!(losses.extra.count > 0 && losses.extra.first.is_some());
        let (dropped, same) = read_frozen(learnt, values, Extra::Drop).expect("good data");
        assert!(!dropped.contains("{\"a") && same.extra == losses.extra, "{dropped}");
        let error = read_frozen(learnt, values, Extra::Error).expect_err("no place");
        assert_eq!((error.code(), error.path()), (Code::Extra, losses.extra.first.as_ref().map(|(path, _)| path.as_str())));
    }
}

#[test]
fn options_that_do_not_go_with_a_schema() {
    let control = Control::default();
    let schema = export(&[r#"{"S":"x"}"#]).infer_schema(&ReadOptions::default(), &control).expect("a schema");
    let policies = Policies { numbers: Numbers::String, ..Policies::default() };
    let with = |options: ReadOptions| export(&[]).infer_schema(&options, &control).expect_err("both").code();
    assert_eq!(with(ReadOptions { schema: Some(schema.clone()), policies, ..ReadOptions::default() }), Code::Usage);
    assert_eq!(with(ReadOptions { schema: Some(schema), sample: Some(1), ..ReadOptions::default() }), Code::Usage);
}

#[test]
fn typed_layout_has_a_place_for_every_type() {
    let policies = Policies { layout: dynarrow::schema::Layout::Typed, ..Policies::default() };
    let values = [r#"{"S":"x"}"#, r#"{"NULL":true}"#, "", r#"{"N":"1"}"#, r#"{"L":[{"NULL":true},{"S":"y"}]}"#, r#"{"M":{}}"#];
    let found = shown(&values, policies.clone());
    let rows: Vec<_> = found.rsplit("[typed]: ").next().expect("rows").split(" | ").collect();
    assert_eq!(
        rows,
        [
            "{S: x, N: null, M: null, L: null, NULL: null}",
            "{S: null, N: null, M: null, L: null, NULL: true}",
            "null",
            "{S: null, N: 1, M: null, L: null, NULL: null}",
            "{S: null, N: null, M: null, L: [{S: null, NULL: true}, {S: y, NULL: null}], NULL: null}",
            "{S: null, N: null, M: {}, L: null, NULL: null}",
        ]
    );
    assert!(found.contains(r#""N": Int64"#) && found.contains(r#""NULL": Boolean"#), "{found}");
    assert!(shown(&[r#"{"N":"1.5"}"#], policies).starts_with(r#"Struct("N": Decimal128(38, 1)"#));
}

/// A NULL where the schema knows none is not silently a missing value.
#[test]
fn typed_layout_frozen_counts_nulls() {
    let policies = Policies { layout: dynarrow::Layout::Typed, ..Policies::default() };
    let options = ReadOptions { policies, sample: Some(1), ..ReadOptions::default() };
    let reader = export(&[r#"{"S":"x"}"#, r#"{"NULL":true}"#]).read(options, &Control::default()).expect("a reader");
    let mut batches = reader.batches(&Control::default()).expect("batches");
    let batch = batches.next().expect("a batch").expect("good data");
    let extra = ArrayFormatter::try_new(batch.column(1), &FormatOptions::default()).expect("text").value(1).to_string();
    assert_eq!(extra, r#"{"a":{"NULL":true}}"#);
    assert_eq!(batches.report().losses.extra.count, 1);
}

#[test]
fn overrides_of_single_paths() {
    let with = |path: &str, with: &str| {
        let mut policies = Policies::default();
        policies.override_path(path, with).expect("an override");
        policies
    };
    let shown = |values: &[&str], policies: Policies| {
        let batch = read(values, policies).expect("good data");
        let options = FormatOptions::default().with_null("null");
        // Timestamps show as microseconds: Arrow prints zones only with another crate.
        let plain = |array: &arrow::array::ArrayRef| match array.data_type() {
            arrow::datatypes::DataType::Timestamp(..) => arrow::compute::cast(array, &arrow::datatypes::DataType::Int64).expect("a cast"),
            _ => array.clone(),
        };
        let columns: Vec<_> = batch.columns().iter().map(plain).collect();
        let text =
            |column: usize, row: usize| ArrayFormatter::try_new(&columns[column], &options).expect("a known type").value(row).to_string();
        let rows: Vec<_> = (0..batch.num_rows()).map(|row| format!("{} {}", text(0, row), text(1, row))).collect();
        assert_eq!(batch.schema().field(1).name(), "_extra");
        format!("{}: {}", batch.schema().field(0).data_type(), rows.join(" | "))
    };
    for (values, path, ty, expected) in [
        (&[r#"{"N":"1"}"#, r#"{"N":"2.5"}"#][..], "a", "int64", r#"Int64: 1 null | null {"a":{"N":"2.5"}}"#),
        (&[r#"{"N":"1.005"}"#, r#"{"N":"1e30"}"#], "a", "decimal(10,2)", "Decimal128(10, 2): 1.00 null | null null"),
        (&[r#"{"N":"1"}"#, r#"{"S":"x"}"#], "a", "string", "Utf8: 1 null | x null"),
        (&[r#"{"M":{"b":{"N":"1"}}}"#], "a", "json", r#"Utf8: {"M":{"b":{"N":"1"}}} null"#),
        (&[r#"{"M":{"b":{"N":"1"}}}"#], "a.b", "float64", r#"Struct("b": Float64, metadata: {"dynamodb.type": "N"}): {b: 1.0} null"#),
        (
            &[r#"{"N":"1700000000"}"#, r#"{"N":"0.0000001"}"#],
            "a",
            "timestamp(s)",
            r#"Timestamp(µs, "UTC"): 1700000000000000 null | null {"a":{"N":"0.0000001"}}"#,
        ),
        (
            &[r#"{"S":"2024-02-29T00:00:00.500Z"}"#, r#"{"S":"2024-02-29"}"#],
            "a",
            "timestamp(iso)",
            r#"Timestamp(µs, "UTC"): 1709164800500000 null | null {"a":{"S":"2024-02-29"}}"#,
        ),
    ] {
        assert_eq!(shown(values, with(path, ty)), expected, "{ty}");
    }
    let error = read(&[r#"{"S":"x"}"#], with("b.c", "int64")).expect_err("no such path");
    assert_eq!(error.code(), Code::Column);
    for (path, ty) in [("a", "int32"), ("a", "decimal(39,2)"), ("a", "decimal(5,6)"), ("a..b", "int64"), ("", "json")] {
        assert!(Policies::default().override_path(path, ty).is_err(), "{path} {ty}");
    }
}

#[test]
fn columns_past_the_limit_stand_in_extra() {
    let mut storage = Memory::default();
    storage.insert("data.json", *b"{\"a\":{\"S\":\"x\"},\"b\":{\"N\":\"1\"},\"_extra\":{\"BOOL\":true},\"d\":{\"NULL\":true}}\n");
    let export = open(Arc::new(storage), "", "test").expect("a file");
    let policies = Policies { max_columns: 2, ..Policies::default() };
    let reader = export.read(ReadOptions { policies, ..ReadOptions::default() }, &Control::default()).expect("a reader");
    let mut batches = reader.batches(&Control::default()).expect("batches");
    let batch = batches.next().expect("a batch").expect("good data");
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["a", "b", "_extra_"]);
    let extra = ArrayFormatter::try_new(batch.column(2), &FormatOptions::default()).expect("text").value(0).to_string();
    assert_eq!(extra, r#"{"_extra":{"BOOL":true},"d":{"NULL":true}}"#);
    assert_eq!(batches.report().losses.extra.count, 2);
}

#[test]
fn samples_and_limits_of_learning() {
    let values = [r#"{"N":"1"}"#, r#"{"N":"2"}"#, r#"{"S":"x"}"#];
    let options = ReadOptions { sample: Some(2), ..ReadOptions::default() };
    let schema = export(&values).infer_schema(&options, &Control::default()).expect("a schema");
    assert_eq!((schema.summary().items, schema.extra()), (2, Some("_extra")));
    let options = ReadOptions { max_paths: 3, ..ReadOptions::default() };
    let wide = r#"{"M":{"a":{"S":""},"b":{"S":""},"c":{"S":""}}}"#;
    assert_eq!(export(&[wide]).infer_schema(&options, &Control::default()).expect_err("too many").code(), Code::TooManyPaths);
    let map = Policies { maps: dynarrow::schema::Maps::Map, ..Policies::default() };
    assert!(shown(&[r#"{"M":{"a":{"N":"1"}}}"#], map).ends_with("[M]: {a: 1}"));
}

#[test]
fn schema_documents_can_be_edited() {
    let control = Control::default();
    let values = [r#"{"M":{"x":{"N":"1"}}}"#, r#"{"M":{"x":{"N":"2"},"y":{"S":"z"}}}"#];
    let mut document = export(&values).infer_schema(&ReadOptions::default(), &control).expect("a schema").to_json();
    document["fields"][0]["fields"][0]["arrow"] = "utf8".into();
    let edited = Schema::from_json(&document).expect("a document");
    let x = |schema: &Schema| schema.to_json()["fields"][0]["fields"][0]["arrow"].clone();
    assert_eq!(x(&edited), "utf8");
    // What was edited survives merging, and overriding another column.
    assert_eq!(x(&edited.merge(&edited).expect("a merge")), "utf8");
    assert_eq!(edited.merge(&edited).expect("a merge").summary().items, 4);
    assert_eq!(x(&edited.with_overrides([]).expect("nothing")), "utf8");
    assert_eq!(edited.with_overrides([("a", "json")]).expect("an override").to_json()["fields"][0]["arrow"], "utf8");
    for (pointer, wrong) in [
        ("/dynarrow_schema", serde_json::json!(2)),
        ("/numbers", serde_json::json!("x")),
        ("/overrides", serde_json::json!([])),
        ("/fields/0/arrow", serde_json::json!("int64")),
        ("/fields/0/dynamodb", serde_json::json!("Q")),
        ("/fields/0/fields/0/arrow", serde_json::json!("timestamp(iso)")),
        ("/fields/0/fields/0/name", serde_json::json!(1)),
        ("/fields/0/seen", serde_json::json!({"Q": 1})),
    ] {
        let mut document = document.clone();
        *document.pointer_mut(pointer).expect("a member") = wrong;
        assert_eq!(Schema::from_json(&document).expect_err(pointer).code(), Code::Schema, "{pointer}");
    }
}

#[test]
fn names_that_are_not_asked_for_stand_once_in_an_item() {
    let read = |lines: &str| {
        let mut storage = Memory::default();
        storage.insert("data.json", lines.as_bytes());
        let export = open(Arc::new(storage), "", "test").expect("a file");
        let columns: Columns = ["a".to_owned()].into();
        let options = ReadOptions { columns: Some(columns), ..ReadOptions::default() };
        let batches: Result<Vec<_>> = export.read(options, &Control::default())?.batches(&Control::default())?.collect();
        Ok::<_, dynarrow::Error>(batches?.iter().map(RecordBatch::num_rows).sum::<usize>())
    };
    // More names than are known beside the columns, the same again and in another order, in several blocks.
    let name = |n: usize| format!("\"u{n}\":{{\"M\":{{\"a\":{{\"N\":\"{n}\"}}}}}}");
    let item =
        |names: &mut dyn Iterator<Item = usize>| format!("{{{},\"a\":{{\"S\":\"x\"}}}}\n", names.map(name).collect::<Vec<_>>().join(","));
    let mut lines = String::new();
    for n in 0..150 {
        lines += &item(&mut (n * 100..n * 100 + 150));
        lines += &item(&mut (n * 100..n * 100 + 150).rev());
    }
    assert_eq!(read(&lines).expect("good data"), 300);
    for twice in [0, 149, 14_000, 14_999] {
        let bad = lines.clone() + &item(&mut [twice, 7, twice].into_iter());
        assert_eq!(read(&bad).expect_err("a name twice").code(), Code::DuplicateAttribute, "{twice}");
    }
}
