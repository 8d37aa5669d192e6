//! Single records of incremental exports: every shape of the time, own columns beside
//! attributes, what is refused, and where an error stands.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use dynarrow::export::open::open_file;
use dynarrow::storage::memory::Memory;
use dynarrow::{
    Code, Control, ConvertOptions, Dest, Error, Export, Images, OnError, OutputFormat, ReadOptions, Result, SourceFormat, convert,
    open_export,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::layout::{Layout, TABLE, item};
use ion_rs::v1_0::Binary;
use ion_rs::{Element, WriteConfig};
use serde_json::{Value, json};

const MICROS: i64 = 1_700_000_000_000_001;

fn json_file(text: &str) -> Export {
    files(vec![text.as_bytes().to_vec()], 7)
}

fn ion_file(bytes: &[u8]) -> Export {
    let mut storage = Memory::default();
    storage.insert("data.ion", bytes);
    open_file(Arc::new(storage), "data.ion", "data.ion").expect("a file").with_format(SourceFormat::Ion)
}

fn read(export: &Export, images: Images, options: ReadOptions) -> Result<RecordBatch> {
    let (changes, options) = export.changes(images, options, &Control::default())?;
    let reader = changes.read(options, &Control::default())?;
    let schema = Arc::new(reader.arrow_schema());
    let batches: Vec<_> = reader.batches(&Control::default())?.collect::<Result<_>>()?;
    Ok(arrow::compute::concat_batches(&schema, &batches).expect("one schema"))
}

fn rows(export: &Export) -> RecordBatch {
    read(export, Images::New, ReadOptions::default()).expect("good changes")
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn text(export: &Export, images: Images, format: OutputFormat, columns: Option<&[&str]>) -> Result<String> {
    let columns = columns.map(|columns| columns.iter().map(|&name| name.to_owned()).collect());
    let (changes, read) = export.changes(images, ReadOptions { columns, ..ReadOptions::default() }, &Control::default())?;
    let mut out = Vec::new();
    convert(&changes, &Dest::Stdout(format), &ConvertOptions { read, ..ConvertOptions::default() }, &Control::default(), &mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

fn change(key: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    let mut record = json!({"Metadata": {"WriteTimestampMicros": {"N": MICROS.to_string()}}, "Keys": {"pk": {"S": key}}});
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            record[name] = image.clone();
            record[name]["pk"] = json!({"S": key});
        }
    }
    record.to_string() + "\n"
}

#[test]
fn every_shape_of_the_time_is_read() {
    for time in ["{\"N\":\"T\"}", "\"T\"", "T", " T ", "T.0", "Te0", "{ \"N\" : \"T.000\" }", "{\"S\":\"T\"}"] {
        let time = time.replace('T', &MICROS.to_string());
        let line = format!("{{\"Metadata\":{{\"more\":[1],\"WriteTimestampMicros\":{time}}},\"Keys\":{{\"pk\":{{\"S\":\"a\"}}}}}}");
        assert_eq!(rows(&json_file(&line)).column(1).as_primitive::<TimestampMicrosecondType>().values(), &[MICROS], "{time}");
    }
    for time in ["T.", "T", "Td0", "\"T\"", "'''T'''", "T.000", "1_700_000_000_000_001."] {
        let time = time.replace('T', &MICROS.to_string());
        let record = format!("{{Metadata:{{more:[a],WriteTimestampMicros:{time}}},Keys:{{pk:\"a\"}}}}");
        for text in [format!("$ion_1_0 {record}"), format!(" $ion_1_0 {{Record:{record},}}"), format!("[{record}]")] {
            let binary = Element::read_all(&text).expect("Ion").encode_as(Binary).expect("binary");
            for bytes in [text.as_bytes(), &binary] {
                let batch = rows(&ion_file(bytes));
                assert_eq!(batch.column(1).as_primitive::<TimestampMicrosecondType>().values(), &[MICROS], "{text}");
            }
        }
    }
}

#[test]
fn binary_ion_is_the_text() {
    let text = "$ion_1_0 {Record:{Keys:{pk:\"a\",n:1.},Metadata:{WriteTimestampMicros:5.},NewImage:{pk:\"a\",n:1d0,s:$dynamodb_NS::[1.,2.]},OldImage:null}}
        {Keys:{n:2.,pk:\"b\"},Metadata:{WriteTimestampMicros:6.},OldImage:{pk:\"b\",n:2.,m:{l:[{{aGk=}}]}}}";
    let binary = Element::read_all(text).expect("Ion").encode_as(Binary).expect("binary");
    for images in [Images::New, Images::Old, Images::Both] {
        let [of_text, of_binary] =
            [text.as_bytes(), &binary].map(|bytes| read(&ion_file(bytes), images, ReadOptions::default()).expect("good changes"));
        assert_eq!(of_text, of_binary);
        assert_eq!(of_text.num_rows(), 2);
    }
}

#[test]
fn own_columns_stand_beside_attributes_of_their_names() {
    let new = json!({"_op": {"S": "mine"}, "_ts": {"N": "1"}, "_ts_": {"N": "2"}, "x": {"N": "3"}});
    let file = change("a", Some(&json!({"_old": {"S": "before"}})), Some(&new));
    let batch = read(&json_file(&file), Images::Both, ReadOptions::default()).expect("a change");
    assert_eq!(names(&batch), ["_op_", "_ts__", "pk", "_op", "_ts", "_ts_", "x", "_old", "_old_"]);
    assert_eq!(batch.column(0).as_string::<i32>().value(0), "update");
    assert_eq!(batch.column(3).as_string::<i32>().value(0), "mine");
    let batch = read(&json_file(&file), Images::Old, ReadOptions::default()).expect("a change");
    assert_eq!(names(&batch), ["_op", "_ts", "pk", "_old"]);
    assert_eq!(
        text(&json_file(&file), Images::Both, OutputFormat::Csv, None).expect("a change"),
        "_op_,_ts__,pk,_op,_ts,_ts_,x,_old,_old_\n\
         update,2023-11-14T22:13:20.000001Z,a,mine,1,2,3,,\"{\"\"_old\"\":\"\"before\"\",\"\"pk\"\":\"\"a\"\"}\"\n"
    );
}

#[test]
fn the_key_is_always_among_the_columns() {
    let file = change("a", None, Some(&json!({"x": {"N": "1"}, "y": {"N": "2"}}))) + &change("b", Some(&json!({"y": {"N": "3"}})), None);
    let columns = Some(["y"].map(str::to_owned).into_iter().collect());
    let options = ReadOptions { columns, ..ReadOptions::default() };
    assert_eq!(names(&read(&json_file(&file), Images::New, options.clone()).expect("changes")), ["_op", "_ts", "pk", "y"]);
    let batch = read(&json_file(&file), Images::Both, options).expect("changes");
    assert_eq!(names(&batch), ["_op", "_ts", "pk", "y", "_old"]);
    assert_eq!(batch.column(4).as_struct().column_names(), ["pk", "y"]);
    let lines = text(&json_file(&file), Images::New, OutputFormat::Ndjson, Some(&["y"])).expect("changes");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0], json!({"_op": "upsert", "_ts": "2023-11-14T22:13:20.000001Z", "pk": "a", "y": 2}));
    assert_eq!(lines[1], json!({"_op": "delete", "_ts": "2023-11-14T22:13:20.000001Z", "pk": "b"}));
    let csv = text(&json_file(&file), Images::Old, OutputFormat::Csv, Some(&["y", "pk"])).expect("changes");
    assert_eq!(csv, "_op,_ts,pk,y\nupsert,2023-11-14T22:13:20.000001Z,a,\ndelete,2023-11-14T22:13:20.000001Z,b,3\n");
}

fn incremental(files: Vec<Vec<String>>, view: &str) -> Layout {
    let summary = json!({
        "exportType": "INCREMENTAL_EXPORT", "outputView": view, "tableId": "id",
        "exportFromTime": "2023-11-14T22:00:00.000Z", "exportToTime": "2023-11-14T23:00:00.000Z",
    });
    Layout { files, summary, ..Layout::default() }
}

fn open(folder: &Path) -> Export {
    open_export(&folder.display().to_string()).expect("an export")
}

#[test]
fn no_changes_are_no_rows() {
    let bucket = tempfile::tempdir().expect("a folder");
    let export = open(&incremental(vec![vec![], vec![]], "NEW_AND_OLD_IMAGES").write(bucket.path()));
    for images in [Images::New, Images::Old, Images::Both] {
        let batch = read(&export, images, ReadOptions::default()).expect("no changes");
        assert_eq!((names(&batch), batch.num_rows()), (vec!["_op".to_owned(), "_ts".to_owned()], 0));
    }
    assert_eq!(text(&export, Images::New, OutputFormat::Ndjson, None), Ok(String::new()));
}

#[test]
fn the_schema_says_what_the_changes_are_of() {
    let bucket = tempfile::tempdir().expect("a folder");
    let line = change("a", None, Some(&json!({})));
    let export = open(&incremental(vec![vec![], vec![line.trim_end().to_owned()]], "NEW_IMAGE").write(bucket.path()));
    let metadata = rows(&export).schema().metadata().clone();
    let of = |name: &str| metadata.get(&format!("dynarrow.{name}")).map(String::as_str);
    assert_eq!(of("table"), Some(TABLE));
    assert_eq!(of("keys"), Some("[\"pk\"]"));
    assert_eq!(of("export_from_time"), Some("2023-11-14T22:00:00.000Z"));
    assert_eq!(of("export_to_time"), Some("2023-11-14T23:00:00.000Z"));
    assert!(of("export_arn").is_some_and(|arn| arn.starts_with(TABLE)));
}

#[test]
fn what_has_no_changes_is_refused() {
    let code = |found: Result<RecordBatch>| found.expect_err("no changes").code();
    let read = |export: &Export, images| read(export, images, ReadOptions::default());
    let bucket = tempfile::tempdir().expect("a folder");
    let full = open(&Layout::default().write(bucket.path()));
    assert_eq!(code(read(&full, Images::New)), Code::FullExport);
    assert_eq!(full.change_tapes(&ReadOptions::default(), &Control::default()).err().map(|e| e.code()), Some(Code::FullExport));
    let bucket = tempfile::tempdir().expect("a folder");
    let lines = vec![vec![change("a", None, None).trim_end().to_owned()]];
    let new = open(&incremental(lines.clone(), "NEW_IMAGE").write(bucket.path()));
    for images in [Images::Old, Images::Both] {
        let error = read(&new, images).expect_err("no old images");
        assert_eq!((error.code(), error.code().class()), (Code::View, dynarrow::Class::Usage));
    }
    assert_eq!(new.read(ReadOptions::default(), &Control::default()).err().map(|e| e.code()), Some(Code::Incremental));
    let bucket = tempfile::tempdir().expect("a folder");
    assert_eq!(code(read(&open(&incremental(lines, "SOME_IMAGES").write(bucket.path())), Images::New)), Code::Manifest);
    for format in [SourceFormat::Ndjson, SourceFormat::Parquet] {
        assert_eq!(code(read(&json_file("{}").with_format(format), Images::New)), Code::Usage);
    }
    // Items are no changes, nor are changes written as items.
    assert_eq!(code(read(&json_file(&item("a", "1")), Images::New)), Code::Record);
    for format in [OutputFormat::DynamodbJson, OutputFormat::Ion] {
        assert_eq!(text(&new, Images::New, format, None).map_err(|e| e.code()), Err(Code::Usage));
    }
}

/// Asserts the error of a record that stands in the third line, and its place in that line.
fn refused(export: impl Fn(&str) -> Export, good: &str, bad: &str, code: Code, path: Option<&str>, at: &str) {
    let text = format!("{good}\n{good}\n{bad}\n{good}\n");
    let error = read(&export(&text), Images::Both, ReadOptions::default()).expect_err(bad);
    let found = |error: &Error| (error.code(), error.path().map(str::to_owned), error.line(), error.item());
    assert_eq!(found(&error), (code, path.map(str::to_owned), Some(3), Some(2)), "{bad}: {error}");
    let byte = 2 * (good.len() + 1) + bad.find(at).expect("a place");
    assert_eq!(error.byte(), Some(byte as u64), "{bad}: {error}");
    let options = ReadOptions { on_error: OnError::Skip, ..ReadOptions::default() };
    assert_eq!(read(&export(&text), Images::Both, options).map(|batch| batch.num_rows()), Ok(3), "{bad}");
}

#[test]
fn bad_records_are_refused_at_their_place() {
    let keys = "\"Keys\":{\"pk\":{\"S\":\"a\"}}";
    let time = "\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1\"}}";
    let good = format!("{{{time},{keys}}}");
    let micros = Some("Metadata.WriteTimestampMicros");
    for (bad, code, path, at) in [
        ("{\"Item\":{\"pk\":{\"S\":\"a\"}}}", Code::Record, None, "\"Item"),
        ("[]", Code::Record, None, "["),
        ("{KEYS}", Code::Record, None, "{"),
        ("{\"Metadata\":{},KEYS}", Code::Record, None, "{"),
        ("{\"Metadata\":null,KEYS}", Code::Record, None, "null"),
        ("{TIME}", Code::Record, None, "{"),
        ("{TIME,\"Keys\":null}", Code::Record, None, "{"),
        ("{TIME,\"Keys\":{}}", Code::Record, None, "{"),
        ("{TIME,KEYS,\"Image\":{}}", Code::Record, None, "\"Image"),
        ("{TIME,KEYS,\"NewImage\":3}", Code::Record, None, "3"),
        ("{TIME,KEYS,\"OldImage\":null,\"OldImage\":null}", Code::Record, None, "\"OldImage\":null}"),
        ("{TIME,TIME,KEYS}", Code::Record, None, "\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1\"}},\"Keys"),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1.5\"}}}", Code::Record, micros, "{"),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1e19\"}}}", Code::Record, micros, "{"),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":{\"BOOL\":true}}}", Code::Record, micros, "{"),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"x\"}}}", Code::Number, micros, "x\""),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":\"x\"}}", Code::Number, micros, "x\""),
        ("{KEYS,\"Metadata\":{\"WriteTimestampMicros\":true}}", Code::Number, micros, "true"),
        (
            "{TIME,KEYS,\"NewImage\":{\"pk\":{\"S\":\"a\"},\"m\":{\"M\":{\"n\":{\"N\":\"1e999\"}}}}}",
            Code::Number,
            Some("NewImage.m.n"),
            "1e999",
        ),
        (
            "{TIME,KEYS,\"NewImage\":{\"pk\":{\"S\":\"a\"},\"x\":{\"S\":\"\"},\"x\":{\"S\":\"\"}}}",
            Code::DuplicateAttribute,
            Some("NewImage.x"),
            "\"x\":{\"S\":\"\"}}}",
        ),
        ("{TIME,KEYS,\"NewImage\":{\"x\":{\"S\":\"\"}}}", Code::Keys, Some("NewImage.pk"), "{"),
        ("{TIME,KEYS,\"NewImage\":{\"pk\":{\"BOOL\":true}}}", Code::Keys, Some("NewImage.pk"), "{"),
        ("{TIME,KEYS,\"OldImage\":{\"pk\":{\"S\":\"b\"}}}", Code::Keys, None, "{"),
        ("{TIME,\"Keys\":{\"pk\":{\"L\":[]}}}", Code::Keys, Some("Keys.pk"), "{"),
        ("{TIME,\"Keys\":{\"id\":{\"S\":\"a\"}}}", Code::Keys, Some("Keys.pk"), "{"),
        ("{TIME,\"Keys\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"a\"}}}", Code::Keys, None, "{"),
        ("{TIME,KEYS", Code::Json, None, ""),
    ] {
        let bad = bad.replace("TIME", time).replace("KEYS", keys);
        if code == Code::Json {
            let error = read(&json_file(&format!("{good}\n{bad}\n{good}\n")), Images::New, ReadOptions::default()).expect_err("broken");
            assert_eq!((error.code(), error.line()), (code, Some(2)), "{error}");
            continue;
        }
        refused(json_file, &good, &bad, code, path, at);
    }
}

#[test]
fn bad_records_of_ion_are_refused_at_their_place() {
    let good = "$ion_1_0 {Record:{Metadata:{WriteTimestampMicros:1.},Keys:{pk:\"a\"}}}";
    let micros = Some("Metadata.WriteTimestampMicros");
    for (bad, code, path, at) in [
        ("{Item:{pk:\"a\"}}", Code::Record, None, "Item"),
        ("[[]]", Code::Record, None, "[]"),
        ("{Record:{KEYS}}", Code::Record, None, "{"),
        ("{Record:{TIME}}", Code::Record, None, "{"),
        ("{Record:null}", Code::Record, None, "Record"),
        ("{Record:{TIME,KEYS},Keys:{x:1}}", Code::Record, None, "Keys:{x"),
        ("{Record:{TIME,KEYS},more:1}", Code::Record, None, "more"),
        ("{Record:{Record:{TIME,KEYS}}}", Code::Record, None, "Record:{M"),
        ("{TIME,KEYS,NewImage:3}", Code::Record, None, "3"),
        ("{KEYS,Metadata:{WriteTimestampMicros:1.5}}", Code::Record, micros, "{"),
        ("{KEYS,Metadata:{WriteTimestampMicros:2024-01-01T}}", Code::IonType, micros, "2024"),
        ("{TIME,KEYS,NewImage:{pk:\"a\",n:1d999}}", Code::Number, Some("NewImage.n"), "1d999"),
        ("{TIME,KEYS,NewImage:{n:1.}}", Code::Keys, Some("NewImage.pk"), "{"),
        ("{TIME,KEYS,OldImage:{pk:\"b\"}}", Code::Keys, None, "{"),
    ] {
        let bad = bad.replace("TIME", "Metadata:{WriteTimestampMicros:1.}").replace("KEYS", "Keys:{pk:\"a\"}");
        refused(|text| ion_file(text.as_bytes()), good, &bad, code, path, at);
        // Binary Ion has no places; it is refused alike.
        let text = format!("{good} {good} {bad}");
        let Ok(elements) = Element::read_all(&text) else { continue };
        let error = read(&ion_file(&elements.encode_as(Binary).expect("binary")), Images::New, ReadOptions::default()).expect_err(&bad);
        assert_eq!((error.code(), error.path()), (code, path), "{bad}: {error}");
    }
}
