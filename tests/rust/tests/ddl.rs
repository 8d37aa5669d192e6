//! `ddl`: the statements for tables of every shape, and what is refused. What the statements do is
//! tested in Python, where there are parsers of SQL and an engine that runs them.

use std::fs;
use std::path::{Path, PathBuf};

use dynarrow::schema::Names;
use dynarrow::{
    Code, Control, ConvertOptions, DdlOptions, Dest, Export, Images, Policies, ReadOptions, Result, Schema, convert, open_export,
};
use dynarrow_tests::cases;
use dynarrow_tests::tables::any_chain;
use proptest::prelude::*;
use serde_json::{Value, json};

fn open(path: &Path) -> Export {
    open_export(&path.display().to_string()).expect("a source")
}

fn athena() -> ReadOptions {
    ReadOptions { policies: Policies { names: Names::Athena, ..Policies::default() }, threads: 1, ..ReadOptions::default() }
}

fn write(export: &Export, read: ReadOptions, path: &Path) {
    let dest = Dest::parse(&path.display().to_string(), None).expect("a destination");
    let options = ConvertOptions { read, ..ConvertOptions::default() };
    convert(export, &dest, &options, &Control::default(), std::io::sink()).expect("a conversion");
}

fn write_changes(export: &Path, images: Images, read: ReadOptions, path: &Path) {
    let (changes, read) = open(export).changes(images, read, &Control::default()).expect("changes");
    write(&changes, read, path);
}

/// Items as a Parquet file.
fn parquet(path: &Path, items: &[Value], read: ReadOptions) {
    let lines = path.with_extension("json");
    fs::write(&lines, items.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect::<String>()).expect("a file");
    write(&open(&lines), read, path);
    fs::remove_file(lines).expect("the file");
}

fn options() -> DdlOptions {
    DdlOptions { table: "lake.t".into(), location: "s3://bucket/t".into(), ..DdlOptions::default() }
}

fn iceberg(changes: &[PathBuf], key: &[String]) -> DdlOptions {
    DdlOptions { iceberg: true, changes: changes.to_vec(), key: key.to_vec(), ..options() }
}

fn ddl(source: &Path, options: &DdlOptions) -> Result<String> {
    open(source).ddl(options, &Control::default())
}

/// The statements, by what they begin with.
fn begins(text: &str) -> Vec<&str> {
    let statements = text.split(";\n").map(|statement| statement.lines().find(|line| !line.is_empty() && !line.starts_with("--")));
    statements.flatten().map(|line| line.split('`').next().unwrap_or_default().split('"').next().unwrap_or_default().trim()).collect()
}

proptest! {
    #![proptest_config(cases(40))]

    /// By one schema all fits, whatever the items and their changes hold; without one it fits, or
    /// the column is said that does not.
    #[test]
    fn any_changes_of_any_table(chain in any_chain()) {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: String| place.path().join(name);
        let written = chain.write(&at("bucket".into()));
        let base = open(&written.base);
        if chain.base.iter().flatten().count() == 0 {
            return Ok(());
        }
        let schema = base.infer_schema(&athena(), &Control::default()).expect("a schema");
        let by_schema = || ReadOptions { schema: Some(schema.clone().frozen()), threads: 1, ..ReadOptions::default() };
        write(&base, by_schema(), &at("base.parquet".into()));
        write(&base, athena(), &at("learnt.parquet".into()));
        let files = |stem: &str, read: &dyn Fn() -> ReadOptions| {
            let write = |(n, export): (usize, &PathBuf)| {
                let path = at(format!("{stem}-{n}.parquet"));
                write_changes(export, Images::New, read(), &path);
                path
            };
            written.increments.iter().enumerate().map(write).collect::<Vec<_>>()
        };
        let fixed = files("fixed", &by_schema);
        let text = ddl(&at("base.parquet".into()), &iceberg(&fixed, &chain.keys)).expect("all fits");
        let mut expected = vec!["CREATE TABLE IF NOT EXISTS"];
        expected.extend(fixed.iter().flat_map(|_| ["DROP TABLE IF EXISTS", "CREATE EXTERNAL TABLE", "MERGE INTO"]));
        prop_assert_eq!(begins(&text), expected, "{}", text);
        match ddl(&at("learnt.parquet".into()), &iceberg(&files("learnt", &athena), &chain.keys)) {
            Ok(text) => {
                let taken = text.matches("MERGE INTO").count() + text.matches("holds no changes").count();
                prop_assert_eq!(taken, written.increments.len());
            }
            Err(error) => {
                prop_assert_eq!(error.code(), Code::Usage);
                prop_assert!(error.path().is_some() && error.to_string().contains("--schema"), "{}", error);
            }
        }
    }
}

#[test]
fn a_table_of_files_and_folders() {
    let place = tempfile::tempdir().expect("a folder");
    let item =
        json!({"userId": {"S": "a"}, "it's": {"N": "1.5"}, "date": {"M": {"Date": {"BOOL": true}}}, "_x": {"NS": ["1"]}, "m": {"M": {}}});
    let file = place.path().join("x.parquet");
    parquet(&file, std::slice::from_ref(&item), athena());
    let columns = "  `userid` string COMMENT 'userId',\n  `it_s` decimal(38,1) COMMENT 'it\\'s',\n  `date` struct<`date`:boolean>,\n  \
                   `_x` array<bigint>,\n  `m` map<string,string>\n";
    let table = format!("CREATE EXTERNAL TABLE IF NOT EXISTS `lake`.`t` (\n{columns})\n");
    let stored = "STORED AS PARQUET\nLOCATION 's3://bucket/t/';\n";
    assert_eq!(ddl(&file, &options()).expect("a table"), format!("{table}{stored}"));
    // What is no Parquet is what it would be.
    let lines = place.path().join("x.json");
    fs::write(&lines, json!({"Item": item}).to_string()).expect("a file");
    assert_eq!(ddl(&lines, &options()).expect("a table"), format!("{table}{stored}"));

    let folder = place.path().join("parts");
    for part in ["region=eu/day=1", "region=us/day=1"] {
        let part = folder.join(part);
        fs::create_dir_all(&part).expect("a folder");
        fs::copy(&file, part.join("part-00000.parquet")).expect("a copy");
    }
    let by = "PARTITIONED BY (\n  `region` string,\n  `day` string\n)\n";
    let repair = "\nMSCK REPAIR TABLE `lake`.`t`;\n";
    assert_eq!(ddl(&folder, &options()).expect("a table"), format!("{table}{by}{stored}{repair}"));
    let text = ddl(&folder, &iceberg(&[], &[])).expect("a table");
    assert_eq!(
        begins(&text),
        ["CREATE TABLE IF NOT EXISTS", "DROP TABLE IF EXISTS", "CREATE EXTERNAL TABLE", "MSCK REPAIR TABLE", "INSERT INTO"]
    );
    assert!(text.contains("`day` string\n)\nPARTITIONED BY (`region`, `day`)\nLOCATION 's3://bucket/t/'\n"), "{text}");
    assert!(text.contains("LOCATION 's3://bucket/t_staging/t__load/'"), "{text}");

    // Parts that are no one table.
    fs::create_dir_all(folder.join("region=jp")).expect("a folder");
    fs::copy(&file, folder.join("region=jp/part-00000.parquet")).expect("a copy");
    assert!(ddl(&folder, &options()).expect_err("other folders").to_string().contains("other folders"));
    fs::remove_dir_all(folder.join("region=jp")).expect("the folder");
    parquet(&folder.join("region=us/day=1/part-00001.parquet"), &[json!({"a": {"S": "b"}})], athena());
    assert!(ddl(&folder, &options()).expect_err("other columns").to_string().contains("other columns"));
}

#[test]
fn what_is_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("x.parquet");
    for (item, path) in [
        (json!({"userId": {"S": "a"}}), "userId"),
        (json!({"a": {"L": [{"M": {"b c": {"S": "a"}}}]}}), "a[][\"b c\"]"),
        (json!({"a": {"S": "b"}, "é": {"S": "b"}}), "[\"é\"]"),
        (json!({"x".repeat(256): {"S": "b"}}), &"x".repeat(256)),
    ] {
        parquet(&file, &[item], ReadOptions::default());
        let error = ddl(&file, &options()).expect_err(path);
        assert_eq!((error.code(), error.path()), (Code::AthenaName, Some(path)));
        assert!(error.to_string().contains("--names athena"), "{error}");
    }
    parquet(&file, &[json!({"a": {"S": "b"}})], athena());
    let changes = std::slice::from_ref(&file);
    for (options, why) in [
        (DdlOptions { table: "Lake.T".into(), ..options() }, "'L'"),
        (DdlOptions { location: "bucket".into(), ..options() }, "s3://"),
        (DdlOptions { changes: changes.to_vec(), ..options() }, "--iceberg"),
        (DdlOptions { staging: Some("s3://b/".into()), ..options() }, "--iceberg"),
        (DdlOptions { staging: Some("b".into()), ..iceberg(&[], &[]) }, "s3://"),
        (iceberg(&[], &["a".into()]), "--changes"),
        (iceberg(changes, &["a".into(), "a".into()]), "twice"),
        (iceberg(changes, &["a".into()]), "_op and _ts"),
        (
            DdlOptions {
                read: ReadOptions {
                    schema: Some(Schema::clone(&open(&file).infer_schema(&athena(), &Control::default()).expect("a schema"))),
                    ..ReadOptions::default()
                },
                ..options()
            },
            "schema",
        ),
    ] {
        let error = ddl(&file, &options).expect_err(why);
        assert!(error.code() == Code::Usage && error.to_string().contains(why), "{error}");
    }
}
