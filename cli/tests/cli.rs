//! The command from outside: what every verb prints, every exit code, and that bad input
//! gives one clear error and leaves nothing behind.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The sample export: 3,000 items in 4 files.
fn shop() -> String {
    format!("{}/../tests/data/exports/shop", env!("CARGO_MANIFEST_DIR"))
}

/// What a call of the command came to.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
    bytes: Vec<u8>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr), bytes: output.stdout }
    }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The one line on standard error of a command that failed.
    #[track_caller]
    fn error(&self, code: i32) -> &str {
        assert_eq!((self.code, self.out.as_str(), self.err.lines().count()), (code, "", 1), "{self:?}");
        self.err.trim_end().strip_prefix("dynarrow: ").unwrap()
    }

    /// The same call came to nothing worse than this.
    #[track_caller]
    fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dynarrow"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Ran {
    command(args).stdin(Stdio::null()).output().unwrap().into()
}

fn run_with_input(args: &[&str], input: &[u8]) -> Ran {
    let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // It may have ended before it read all.
    let _ = writer.join().unwrap();
    output.into()
}

/// A folder of a test's own.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    /// All files and folders, with the files' contents.
    fn listing(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                    found.insert(path, None);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
        found
    }

    /// An export of these data files, as `DynamoDB` lays it out; its folder.
    fn export(&self, files: &[DataFile]) -> String {
        self.export_with(files, &json!({}))
    }

    fn export_with(&self, files: &[DataFile], summary: &Value) -> String {
        let folder = "AWSDynamoDB/01700000000000-abcdef01";
        let mut lines = String::new();
        for file in files {
            let key = file.key.clone().unwrap_or(format!("{folder}/data/{}", file.name));
            if file.written {
                self.write(&format!("export/{folder}/data/{}", file.name), &file.bytes);
            }
            let md5 = STANDARD.encode(Md5::digest(&file.bytes));
            let etag = format!("{}-1", hex(&Md5::digest(Md5::digest(&file.bytes))));
            lines += &json!({ "itemCount": file.items, "md5Checksum": md5, "etag": etag, "dataFileS3Key": key }).to_string();
            lines.push('\n');
        }
        let mut head = json!({
            "version": "2020-06-30",
            "tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Small",
            "exportTime": "2023-11-14T22:13:20.000Z",
            "s3Bucket": "bucket",
            "s3Prefix": null,
            "itemCount": files.iter().map(|file| file.items).sum::<u64>(),
            "outputFormat": "DYNAMODB_JSON",
        });
        head.as_object_mut().unwrap().extend(summary.as_object().unwrap().clone());
        for (name, text) in [("manifest-summary", head.to_string()), ("manifest-files", lines)] {
            self.write(&format!("export/{folder}/{name}.json"), &text);
            self.write(&format!("export/{folder}/{name}.md5"), STANDARD.encode(Md5::digest(&text)));
        }
        self.at("export")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A data file, and what the manifest says of it.
struct DataFile {
    name: &'static str,
    key: Option<String>,
    items: u64,
    bytes: Vec<u8>,
    written: bool,
}

impl DataFile {
    /// A gzip file with these lines, as many items as there are lines.
    fn new(name: &'static str, lines: &str) -> Self {
        Self { name, key: None, items: lines.lines().count() as u64, bytes: gzip(lines.as_bytes()), written: true }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Lines of items with an id and a text.
fn lines(numbers: std::ops::Range<u64>) -> String {
    use std::fmt::Write as _;
    numbers.fold(String::new(), |mut text, n| {
        writeln!(text, r#"{{"Item":{{"id":{{"N":"{n}"}},"text":{{"S":"the text of item {n}"}}}}}}"#).unwrap();
        text
    })
}

/// Two items with a bad one between them, the record on line 2.
const ONE_BAD: &str = "{\"Item\":{\"id\":{\"N\":\"1\"}}}\n{\"Item\":{\"id\":{\"N\":\"x\"}}}\n{\"Item\":{\"id\":{\"N\":\"3\"}}}\n";

// ---- The verbs ----

#[test]
fn help_and_version() {
    assert_eq!(run(&["--version"]).done().out, format!("dynarrow {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]).done().out;
    for text in ["inspect", "verify", "schema", "head", "convert", "relocate", "ddl", "Exit codes", "SRC"] {
        assert!(help.contains(text), "{text} in {help}");
    }
    for verb in ["inspect", "verify", "schema", "head", "convert", "relocate", "ddl"] {
        let help = run(&[verb, "--help"]).done().out;
        assert!(help.contains("Examples:") && help.contains(&format!("dynarrow {verb} ")), "{help}");
    }
    let help = run(&["convert", "--help"]).done().out;
    for text in [".ion", "Amazon Ion", "--export-format <FORMAT>", "[possible values: dynamodb_json, ion]"] {
        assert!(help.contains(text), "{text} in {help}");
    }
}

#[test]
fn inspect_for_people() {
    let out = run(&["inspect", &shop()]).done().out;
    for text in ["table         Shop\n", "type          full\n", "items         3,000\n", "files         4, ", "1,064 items"] {
        assert!(out.contains(text), "{text} in {out}");
    }
    assert!(!out.contains("MISSING"));
    let place = Place::new();
    let file = place.write("a.json", lines(0..2));
    let out = run(&["inspect", &file]).done().out;
    assert!(out.contains("(no manifest)\nformat        dynamodb_json\nfiles         1, "), "{out}");
    assert_eq!(run(&["inspect", &file, "--json"]).done().json()["format"], "dynamodb_json");
}

#[test]
fn inspect_for_machines() {
    let place = Place::new();
    let gone = DataFile { written: false, ..DataFile::new("b.json.gz", &lines(2..4)) };
    let export = place.export_with(&[DataFile::new("a.json.gz", &lines(0..2)), gone], &json!({ "unknown": [1] }));
    let document = run(&["inspect", &export, "--json"]).done().json();
    assert_eq!(document["summary"]["unknown"], json!([1]));
    assert_eq!((&document["summary"]["itemCount"], &document["format"]), (&json!(4), &Value::Null));
    let files = document["files"].as_array().unwrap();
    assert_eq!(files.iter().map(|file| &file["missing"]).collect::<Vec<_>>(), [false, true]);
    assert_eq!(files[0]["manifest"]["itemCount"], 2);
    assert_eq!(files[0]["bytes"], fs::metadata(files[0]["path"].as_str().unwrap()).unwrap().len());
    assert_eq!((&files[1]["path"], &files[1]["bytes"]), (&Value::Null, &Value::Null));
    assert!(run(&["inspect", &export]).done().out.contains(", 1 MISSING\n"));
}

#[test]
fn verify_finds_nothing_in_a_good_export() {
    let ran = run(&["verify", &shop()]).done();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("4 files, 3,000 items, 388 kB: no errors\n", ""));
    let document = run(&["verify", &shop(), "--json"]).done().json();
    assert_eq!(document, json!({ "ok": true, "files": 4, "items": 3000, "bytes": 387_968, "errors": 0, "notes": 0, "findings": [] }));
}

#[test]
fn verify_prints_all_findings() {
    let place = Place::new();
    let gone = DataFile { written: false, ..DataFile::new("gone.json.gz", &lines(0..2)) };
    let short = DataFile { items: 5, ..DataFile::new("short.json.gz", &lines(2..4)) };
    let export = place.export(&[
        gone,
        short,
        DataFile::new("bad.json.gz", &ONE_BAD.replace("\"N\":\"x\"", "\"X\":\"x\"")),
        DataFile::new("good.json.gz", &lines(4..6)),
    ]);
    place.write("export/AWSDynamoDB/01700000000000-abcdef01/data/extra.json.gz", "");
    fs::write(place.at("export/AWSDynamoDB/01700000000000-abcdef01/manifest-files.md5"), "AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let ran = run(&["verify", &export]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let found: Vec<_> = ran.out.lines().map(|line| line.split(':').next().unwrap()).collect();
    let expected = ["error  E_MD5", "error  E_FILE_MISSING", "error  E_ITEM_COUNT", "error  E_DESCRIPTOR", "note   E_MANIFEST"];
    assert_eq!(found[..5], expected, "{}", ran.out);
    assert!(ran.out.ends_with(": 4 errors, 1 note\n"), "{}", ran.out);

    let document = run(&["verify", &export, "--json", "--threads", "1"]).json();
    assert_eq!((&document["ok"], &document["errors"], &document["notes"]), (&json!(false), &json!(4), &json!(1)));
    let bad = &document["findings"][3];
    assert_eq!(
        (&bad["severity"], &bad["code"], &bad["line"], &bad["item"]),
        (&json!("error"), &json!("E_DESCRIPTOR"), &json!(2), &json!(1))
    );
    assert_eq!(bad["path"], "id");
    assert!(bad["file"].as_str().unwrap().ends_with("bad.json.gz"));
}

#[test]
fn verify_only_notes_what_harms_nothing() {
    let place = Place::new();
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..2))]);
    fs::remove_file(place.at("export/AWSDynamoDB/01700000000000-abcdef01/manifest-summary.md5")).unwrap();
    let ran = run(&["verify", &export]).done();
    assert!(ran.out.starts_with("note   E_MANIFEST: ") && ran.out.ends_with(": no errors, 1 note\n"), "{}", ran.out);
}

#[test]
fn schema_as_a_tree_and_as_a_document() {
    let out = run(&["schema", &shop()]).done().out;
    assert!(out.starts_with("3,000 items, 37 columns (numbers auto, mixed struct, maps auto, layout plain)\n"), "{out}");
    let cells = |name: &str| -> Vec<String> {
        let line = out.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(cells("price"), ["price", "decimal128(38, 2)", "N 247", "8.2 %", "118.33"]);
    assert_eq!(cells("ref"), ["ref", "struct (mixed)", "S 2,038, N 962", "100 %", "R-6914390"]);
    assert_eq!(cells("sku"), ["sku", "utf8", "S 3,438", "100 %", "SKU-001502"]);

    let place = Place::new();
    let file = place.at("shop.schema.json");
    let ran = run(&["schema", &shop(), "-o", &file]).done();
    assert_eq!((ran.out.as_str(), ran.err), ("", format!("37 columns of 3,000 items: {file}\n")));
    let printed = run(&["schema", &shop(), "--json", "--threads", "3"]).done();
    assert_eq!(place.read("shop.schema.json"), printed.out);
    assert_eq!((&printed.json()["items"], printed.json()["fields"].as_array().unwrap().len()), (&json!(3000), 37));
    assert_eq!(place.listing().len(), 1);
}

#[test]
fn schema_takes_policies_and_columns() {
    let args = ["schema", &shop(), "--json", "--numbers", "string", "--mixed", "json", "--columns", "total,ref", "--columns", "PK"];
    let document = run(&args).done().json();
    let fields: Vec<_> = document["fields"].as_array().unwrap().iter().map(|field| (&field["name"], &field["dynamodb"])).collect();
    assert_eq!(json!(fields), json!([["total", "N"], ["ref", "json"], ["PK", "S"]]));
    assert_eq!((&document["numbers"], &document["mixed"]), (&json!("string"), &json!("json")));
    assert_eq!(document["fields"][0]["arrow"], "utf8");
    let ran = run(&["schema", &shop(), "--mixed", "error"]);
    assert_eq!(ran.error(4), "E_MIXED: several types at one path: 2038 S, 962 N (attribute ref)");
}

#[test]
fn names_with_commas() {
    let place = Place::new();
    let file = place.write("a.json", r#"{"a,b":{"N":"1"},"a":{"N":"2"},"b\"":{"N":"3"},"\"":{"N":"4"}}"#);
    let out = run(&["head", &file, "--columns", r#"a,"a,b",b""#, "--columns", r#""\"""#]).done().out;
    assert_eq!(out, "{\"a,b\":1,\"a\":2,\"b\\\"\":3,\"\\\"\":4}\n");
    assert_eq!(run(&["convert", &file, &place.at("x.csv"), "--columns", r#""a,b",a"#]).done().code, 0);
    assert_eq!(place.read("x.csv"), "\"a,b\",a\n1,2\n");
    assert_eq!(run(&["head", &file, "--columns", "a,,b"]).code, 2);
}

#[test]
fn head_prints_plain_lines() {
    let out = run(&["head", &shop()]).done().out;
    assert_eq!(out.lines().count(), 10);
    assert_eq!(run(&["head", &shop(), "-n", "3000"]).done().out.lines().count(), 3000);
    assert_eq!(run(&["head", &shop(), "-n", "4000"]).done().out.lines().count(), 3000);
    assert_eq!(run(&["head", &shop(), "-n", "0"]).done().out, "");
    let out = run(&["head", &shop(), "-n", "2", "--columns", "PK,ledgerId"]).done().out;
    assert_eq!(out, "{\"PK\":\"PRODUCT#SKU-000000\"}\n{\"ledgerId\":9365161044153874395,\"PK\":\"USER#0000000000000000\"}\n");
}

#[test]
fn head_reads_no_more_than_it_needs() {
    let place = Place::new();
    // The second file is rubbish, and the first has a bad record: only who comes there sees it.
    let export = place.export(&[
        DataFile::new("a.json.gz", &lines(0..100)),
        DataFile::new("b.json.gz", ONE_BAD),
        DataFile { bytes: b"\x1f\x8brubbish".to_vec(), ..DataFile::new("c.json.gz", "") },
    ]);
    assert_eq!(run(&["head", &export, "-n", "100"]).done().out.lines().count(), 100);
    assert_eq!(run(&["head", &export, "-n", "101"]).done().out.lines().last(), Some(r#"{"id":1}"#));
    let ran = run(&["head", &export, "-n", "102"]);
    assert_eq!((ran.code, ran.out.lines().count()), (4, 101));
    assert!(ran.err.starts_with("dynarrow: E_NUMBER: ") && ran.err.contains("line 2, byte "), "{}", ran.err);
}

#[test]
fn a_closed_pipe_is_no_error() {
    for args in [&["head", &shop(), "-n", "3000"][..], &["convert", &shop(), "-", "--to", "ndjson"], &["schema", &shop(), "--json"]] {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn standard_input() {
    let place = Place::new();
    let input = lines(0..3);
    assert_eq!(run_with_input(&["head", "-", "-n", "1"], input.as_bytes()).done().out, "{\"id\":0,\"text\":\"the text of item 0\"}\n");
    assert_eq!(run_with_input(&["head", "-"], &gzip(input.as_bytes())).done().out.lines().count(), 3);
    let scanned = r#"{"Items": [{"id": {"N": "1"}},  {"id": {"N": "2"}}], "Count": 2, "ScannedCount": 2}"#;
    assert_eq!(run_with_input(&["head", "-"], scanned.as_bytes()).done().out, "{\"id\":1}\n{\"id\":2}\n");
    run_with_input(&["convert", "-", &place.at("x.csv")], input.as_bytes()).done();
    assert_eq!(place.read("x.csv").lines().count(), 4);
    assert!(run_with_input(&["schema", "-"], input.as_bytes()).done().out.starts_with("3 items, 2 columns"));
    let bad = run_with_input(&["convert", "-", &place.at("y.csv")], ONE_BAD.as_bytes());
    assert!(bad.error(4).ends_with("(file standard input, line 2, byte 46, item 1, attribute id)"), "{}", bad.err);
    assert_eq!(place.listing().len(), 1);
}

// ---- Converting ----

/// Every type, awkward values, an attribute that comes late.
const EVERY_TYPE: &str = concat!(
    r#"{"Item":{"id":{"N":"1"},"s":{"S":"a \"q\", b\nc"},"n":{"N":"12345678901234567890.5"},"b":{"B":"AAH/"},"t":{"BOOL":true},"#,
    r#""z":{"NULL":true},"m":{"M":{"x":{"N":"1E+2"},"y":{"L":[{"S":"ü"},{"NULL":true}]}}},"#,
    r#""l":{"L":[{"N":"1"},{"N":"-2.50"}]},"ss":{"SS":["p","q"]},"ns":{"NS":["3","4"]},"bs":{"BS":["AA=="]}}}"#,
    "\n",
    r#"{"Item":{"id":{"N":"2"},"s":{"S":""},"t":{"BOOL":false},"m":{"M":{}},"late":{"S":"x"}}}"#,
    "\n",
);

#[test]
fn ndjson_and_csv_are_right() {
    let place = Place::new();
    let export = place.export(&[DataFile::new("a.json.gz", EVERY_TYPE)]);
    run(&["convert", &export, &place.at("x.ndjson")]).done();
    let expected = concat!(
        r#"{"id":1,"s":"a \"q\", b\nc","n":12345678901234567890.5,"b":"AAH/","t":true,"z":null,"m":{"x":100,"y":["ü",null]},"#,
        r#""l":[1,-2.5],"ss":["p","q"],"ns":[3,4],"bs":["AA=="]}"#,
        "\n",
        r#"{"id":2,"s":"","t":false,"m":{},"late":"x"}"#,
        "\n",
    );
    assert_eq!(place.read("x.ndjson"), expected);
    assert_eq!(run(&["convert", &export, "-", "--to", "ndjson"]).done().out, expected);

    run(&["convert", &export, &place.at("x.csv")]).done();
    let expected = concat!(
        "id,s,n,b,t,z,m,l,ss,ns,bs,late\n",
        "1,\"a \"\"q\"\", b\nc\",12345678901234567890.5,AAH/,true,,\"{\"\"x\"\":100,\"\"y\"\":[\"\"ü\"\",null]}\",\"[1,-2.5]\",",
        "\"[\"\"p\"\",\"\"q\"\"]\",\"[3,4]\",\"[\"\"AA==\"\"]\",\n",
        "2,\"\",,,false,,{},,,,,x\n",
    );
    assert_eq!(place.read("x.csv"), expected);

    run(&["convert", &export, &place.at("y.csv"), "--columns", "late,id"]).done();
    assert_eq!(place.read("y.csv"), "late,id\n,1\nx,2\n");
    run(&["convert", &export, &place.at("y.ndjson"), "--columns", "late,id", "--numbers", "string"]).done();
    assert_eq!(place.read("y.ndjson"), "{\"id\":\"1\"}\n{\"id\":\"2\",\"late\":\"x\"}\n");
}

#[test]
fn parquet_and_arrow_are_right() {
    let place = Place::new();
    let export = place.export(&[DataFile::new("a.json.gz", EVERY_TYPE), DataFile::new("b.json.gz", &lines(3..10))]);
    run(&["convert", &export, &place.at("x.parquet")]).done();
    let parquet = fs::File::open(place.at("x.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap();
    let schema = reader.schema().clone();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "s", "n", "b", "t", "z", "m", "l", "ss", "ns", "bs", "late", "text"]);
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 9);

    run(&["convert", &export, &place.at("x.arrow")]).done();
    let file = fs::File::open(place.at("x.arrow")).unwrap();
    let batches = arrow::ipc::reader::FileReader::try_new(file, None).unwrap().map(Result::unwrap);
    assert_eq!(batches.map(|batch| batch.num_rows()).collect::<Vec<_>>(), [9]);
    let stream = run(&["convert", &export, "-", "--to", "arrow", "--batch-size", "4"]).done().bytes;
    let batches = arrow::ipc::reader::StreamReader::try_new(&stream[..], None).unwrap().map(Result::unwrap);
    assert_eq!(batches.map(|batch| batch.num_rows()).collect::<Vec<_>>(), [4, 4, 1]);
}

#[test]
fn threads_do_not_change_a_byte() {
    let place = Place::new();
    let big = place.export(&[DataFile::new("a.json.gz", &lines(0..60_000)), DataFile::new("b.json.gz", &lines(0..7))]);
    for src in [&shop(), &big] {
        for ending in ["parquet", "arrow", "csv", "ndjson", "ion"] {
            let bytes = |threads: &str| {
                let dest = place.at(&format!("x.{ending}"));
                run(&["convert", src, &dest, "--threads", threads]).done();
                fs::read(dest).unwrap()
            };
            let one = bytes("1");
            for threads in ["2", "5"] {
                assert!(one == bytes(threads), "{src} as {ending} on {threads} threads");
            }
        }
    }
}

#[test]
fn text_is_compressed_by_its_ending() {
    let place = Place::new();
    let file = place.write("a.json", lines(0..5));
    run(&["convert", &file, &place.at("x.csv")]).done();
    for codec in ["gz", "zst"] {
        run(&["convert", &file, &place.at(&format!("x.csv.{codec}"))]).done();
    }
    let mut text = String::new();
    let packed = fs::read(place.at("x.csv.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text).unwrap();
    assert_eq!(text, place.read("x.csv"));
    assert_eq!(fs::read(place.at("x.csv.zst")).unwrap()[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    for dest in ["x.parquet.gz", "x.arrow.zst", "x.gz", "x.txt", "x.parquet.txt"] {
        let ran = run(&["convert", &file, &place.at(dest)]);
        assert!(ran.error(2).starts_with("E_USAGE: "), "{}", ran.err);
    }
    assert_eq!(place.listing().len(), 4);
}

#[test]
fn destinations() {
    let place = Place::new();
    let file = place.write("a.json", lines(0..5));
    let names = |place: &Place| -> Vec<String> {
        place.listing().keys().map(|path| path.strip_prefix(place.0.path()).unwrap().to_str().unwrap().to_owned()).collect()
    };
    // A file that exists is replaced; --to must not contradict the ending.
    for _ in 0..2 {
        run(&["convert", &file, &place.at("x.parquet"), "--to", "parquet"]).done();
    }
    assert!(run(&["convert", &file, &place.at("x.parquet"), "--to", "csv"]).error(2).starts_with("E_USAGE: "));
    // A folder: by its slash, by having no ending, by being one.
    run(&["convert", &file, &place.at("f.d/")]).done();
    run(&["convert", &file, &place.at("g"), "--to", "csv"]).done();
    fs::create_dir(place.at("h.x")).unwrap();
    run(&["convert", &file, &place.at("h.x"), "--to", "ndjson"]).done();
    let all = ["a.json", "f.d", "f.d/part-00000.parquet", "g", "g/part-00000.csv", "h.x", "h.x/part-00000.ndjson", "x.parquet"];
    assert_eq!(names(&place), all);
    // One that is not empty is refused, replaced with --overwrite, and kept where it holds what is not ours.
    let before = place.listing();
    let ran = run(&["convert", &file, &place.at("g"), "--to", "ndjson"]);
    assert!(ran.error(3).starts_with("E_DEST_EXISTS: the folder is not empty; --overwrite "), "{}", ran.err);
    assert_eq!(place.listing(), before);
    run(&["convert", &file, &place.at("g"), "--to", "ndjson", "--overwrite"]).done();
    assert!(names(&place).contains(&"g/part-00000.ndjson".into()) && !names(&place).contains(&"g/part-00000.csv".into()));
    place.write("g/mine.txt", "mine");
    let before = place.listing();
    let ran = run(&["convert", &file, &place.at("g"), "--overwrite"]);
    assert!(ran.error(3).starts_with("E_DEST_EXISTS: the folder holds \"mine.txt\""), "{}", ran.err);
    assert_eq!(place.listing(), before);
    fs::remove_file(place.at("g/mine.txt")).unwrap();
    place.write("g/part-00001.csv/mine", "mine");
    let before = place.listing();
    let ran = run(&["convert", &file, &place.at("g"), "--overwrite"]);
    assert!(ran.error(3).starts_with("E_DEST_EXISTS: the folder holds \"part-00001.csv/mine\""), "{}", ran.err);
    assert_eq!(place.listing(), before);
    // Standard output needs a format, and has no room for a report.
    assert!(run(&["convert", &file, "-"]).error(2).starts_with("E_USAGE: "));
    let ran = run(&["convert", &file, "-", "--to", "csv", "--json"]);
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (2, &json!("E_USAGE")));
    // A folder that is not there, and a place that is none.
    assert!(run(&["convert", &file, &place.at("none/x.parquet")]).error(3).starts_with("E_NOT_FOUND: "));
    assert!(run(&["convert", &file, &format!("{file}/x.parquet")]).error(3).starts_with("E_NOT_FOUND: "));
    assert_eq!(place.listing(), before);
}

#[test]
fn divided_folders() {
    let place = Place::new();
    let kind = |n: u64| [r#","t":{"S":"a b"}"#, r#","t":{"S":"B"},"own":{"N":"1"}"#, ""][n as usize % 3];
    let lines: String = (0..9).map(|n| format!("{{\"Item\":{{\"id\":{{\"N\":\"{n}\"}}{}}}}}\n", kind(n))).collect();
    let file = place.write("a.json", lines);
    let names = |report: &Value| -> Vec<String> {
        let path = |file: &Value| file["path"].as_str().unwrap().strip_prefix(&place.at("out/")).unwrap().to_owned();
        report["files"].as_array().unwrap().iter().map(path).collect()
    };
    let ran = run(&["convert", &file, &place.at("out/"), "--partition-by", "t", "--json"]).done();
    let report = ran.json();
    assert_eq!(names(&report), ["t=a b/", "t=B/", "t=__HIVE_DEFAULT_PARTITION__/"].map(|folder| format!("{folder}part-00000.parquet")));
    assert!(report["files"].as_array().unwrap().iter().all(|file| file["rows"] == 3) && report.get("tables").is_none());
    assert!(ran.err.trim_end().ends_with("out/ (3 files)"), "{}", ran.err);
    // What was divided is replaced as any other output, and holds nothing else.
    let before = place.listing();
    assert!(run(&["convert", &file, &place.at("out")]).error(3).starts_with("E_DEST_EXISTS: the folder is not empty"));
    place.write("out/t=B/mine", "mine");
    let ran = run(&["convert", &file, &place.at("out"), "--overwrite"]);
    assert!(ran.error(3).starts_with("E_DEST_EXISTS: the folder holds \"t=B/mine\""), "{}", ran.err);
    fs::remove_file(place.at("out/t=B/mine")).unwrap();
    assert_eq!(place.listing(), before);
    let args = ["convert", &file, &place.at("out/"), "--split-by", "t", "--to", "csv", "--file-size", "8B", "--overwrite", "--json"];
    let ran = run(&args).done();
    let report = ran.json();
    assert_eq!(names(&report)[..3], ["a%20b/part-00000.csv", "a%20b/part-00001.csv", "a%20b/part-00002.csv"]);
    let folder = |name: &str| place.at(&format!("out/{name}"));
    let tables = json!([
        { "value": "a b", "type": "S", "folder": folder("a%20b"), "items": 3 },
        { "value": "B", "type": "S", "folder": folder("B"), "items": 3 },
        { "value": null, "type": "NULL", "folder": folder("@missing"), "items": 3 },
    ]);
    assert_eq!(report["tables"], tables);
    assert!(ran.err.contains("  a b: 3 items in ") && ran.err.contains("  (none): 3 items in "), "{}", ran.err);
    let text = |name: &str| fs::read_to_string(place.at(name)).unwrap();
    assert_eq!(text("out/a%20b/part-00000.csv"), "id,t\n0,a b\n");
    assert_eq!(text("out/B/part-00000.csv"), "id,t,own\n1,B,1\n");
    assert_eq!(text("out/@missing/part-00000.csv"), "id\n2\n5\n8\n");
    // What makes no sense is refused before anything is read.
    let before = place.listing();
    for (args, text) in [
        (&["--file-size", "1 furlong"][..], "is no size"),
        (&["--partition-by", "t,t"], "partition_by names \"t\" twice"),
        (&["--partition-by", "t", "--split-by", "t"], "split_by and partition_by both name \"t\""),
        (&["--partition-by", "t", "--to", "ion"], "use split_by"),
        (&["--split-by", "t", "--sample", "1"], "sample is for one table"),
        (&["--split-by", "nope"], "E_COLUMN: split_by: no item has an attribute \"nope\""),
        (&["--split-by", "t", "--to", "export"], "split_by is for a folder of files (DEST/)"),
    ] {
        let ran = run(&[&["convert", &file, &place.at("new/")], args].concat());
        assert!(ran.code == 2 && ran.err.contains(text), "{ran:?}");
    }
    let ran = run(&["convert", &file, &place.at("new.parquet"), "--partition-by", "t"]);
    assert!(ran.error(2).starts_with("E_USAGE: partition_by is for a folder of files (DEST/)"), "{}", ran.err);
    let ran = run(&["convert", &file, &place.at("new/"), "--partition-by", "id", "--max-partitions", "8", "--on-error", "skip"]);
    assert!(ran.error(4).starts_with("E_TOO_MANY_PARTITIONS: more than 8 folders: "), "{}", ran.err);
    assert_eq!(place.listing(), before);
}

#[cfg(unix)]
#[test]
fn outputs_have_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.write("a.json", lines(0..5));
    run(&["convert", &file, &place.at("x.csv")]).done();
    run(&["convert", &file, &place.at("folder/")]).done();
    run(&["schema", &file, "-o", &place.at("schema.json")]).done();
    let mode = |name: &str| fs::metadata(place.at(name)).unwrap().permissions().mode() & 0o777;
    fs::create_dir(place.at("new")).unwrap();
    for name in ["x.csv", "folder/part-00000.parquet", "schema.json"] {
        assert_eq!(mode(name), mode("a.json"), "{name}");
    }
    assert_eq!(mode("folder"), mode("new"));
}

#[test]
fn the_report() {
    let place = Place::new();
    let ran = run(&["convert", &shop(), &place.at("x.parquet")]).done();
    assert_eq!((ran.out.as_str(), ran.err.lines().count()), ("", 1));
    assert!(ran.err.starts_with("3,000 items, 388 kB (1.6 MB inflated) -> "), "{}", ran.err);
    let ran = run(&["convert", &shop(), &place.at("x.parquet"), "--quiet"]).done();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));

    let report = run(&["convert", &shop(), &place.at("x.parquet"), "--json", "--check", "md5"]).done().json();
    let size = fs::metadata(place.at("x.parquet")).unwrap().len();
    assert_eq!(report["files"], json!([{ "path": place.at("x.parquet"), "bytes": size, "rows": 3000 }]));
    let counts = ["files_in", "items", "bytes_in", "bytes_inflated", "skipped", "bytes_out"];
    assert_eq!(json!(counts.map(|name| &report[name])), json!([4, 3000, 387_968, 1_588_065, 0, size]));
    assert_eq!((&report["errors"], &report["check"]), (&json!([]), &json!("md5")));
    assert_eq!(report["losses"], json!({ "rounded": { "count": 0 }, "overflowed": { "count": 0 }, "extra": { "count": 0 } }));
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_is_lost_is_said() {
    let place = Place::new();
    let file = place.write("a.json", format!("{ONE_BAD}{{\"id\":{{\"N\":\"9007199254740993\"}}}}\n{{\"id\":1}}\n"));
    let said = "dynarrow: 2 records skipped; first: E_NUMBER: ";
    for dest in ["x.parquet", "x.csv", "x.ndjson"] {
        let args = ["convert", &file, &place.at(dest), "--on-error", "skip", "--quiet", "--numbers", "float64", "--check", "none"];
        let ran = run(&args).done();
        let err: Vec<_> = ran.err.lines().collect();
        assert!(err[0].starts_with(said) && err[0].ends_with("line 2, byte 46, item 1, attribute id)"), "{dest}: {err:?}");
        assert!(err[1].starts_with("dynarrow: 1 number rounded"), "{dest}: {err:?}");
        assert_eq!(err[2], "dynarrow: --check none: the numbers of items were not compared with the manifest", "{dest}");
        assert_eq!(err.len(), 3, "{dest}");
    }
    let ran = run(&["convert", &file, &place.at("x.csv"), "--on-error", "skip", "--json"]).done();
    assert_eq!((&ran.json()["items"], &ran.json()["skipped"]), (&json!(3), &json!(2)));
    let errors: Vec<_> = ran.json()["errors"].as_array().unwrap().iter().map(|e| json!([e["code"], e["line"], e["item"]])).collect();
    assert_eq!(json!(errors), json!([["E_NUMBER", 2, 1], ["E_DESCRIPTOR", 5, 4]]));
    assert_eq!(place.read("x.csv"), "id\n1\n3\n9007199254740993\n");
    assert!(run(&["schema", &file, "--on-error", "skip", "--quiet"]).done().err.starts_with(said));
}

// ---- Policies, frozen schemas, the way back ----

/// The items of a source, as plain JSON.
#[track_caller]
fn items(src: &str) -> Vec<Value> {
    let out = run(&["head", src, "-n", "1000000"]).done().out;
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The items without NULLs in them and their maps, which `layout="plain"` does not keep.
fn without_nulls(mut items: Vec<Value>) -> Vec<Value> {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|_, member| !member.is_null());
                members.values_mut().for_each(clean);
            }
            Value::Array(elements) => elements.iter_mut().for_each(clean),
            _ => {}
        }
    }
    items.iter_mut().for_each(clean);
    items
}

/// Names and types of the columns of a Parquet file.
fn columns(path: &str) -> Vec<(String, String)> {
    let file = fs::File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().to_string())).collect()
}

fn pairs(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|&(name, ty)| (name.to_owned(), ty.to_owned())).collect()
}

#[test]
fn a_frozen_schema() {
    let place = Place::new();
    let learnt = place.write("a.json", lines(0..10));
    let schema = place.at("s.json");
    run(&["schema", &learnt, "-o", &schema, "--quiet"]).done();
    let later = concat!(
        r#"{"Item":{"id":{"N":"10"},"text":{"S":"x"},"late":{"L":[{"N":"1"}]}}}"#,
        "\n",
        r#"{"Item":{"id":{"N":"1.5"},"text":{"NULL":true}}}"#,
        "\n",
    );
    let later = place.write("b.json", later);
    let ran = run(&["convert", &later, &place.at("x.parquet"), "--schema", &schema, "--json", "--quiet"]).done();
    let extra = json!({ "count": 2, "path": "late", "value": r#"{"L":[{"N":"1"}]}"# });
    assert_eq!(ran.json()["losses"]["extra"], extra, "{ran:?}");
    let said = r#"dynarrow: 2 values fit no column: in _extra; first: {"L":[{"N":"1"}]} (attribute late)"#;
    assert_eq!(ran.err.trim_end(), said);
    assert_eq!(columns(&place.at("x.parquet")), pairs(&[("id", "Int64"), ("text", "Utf8"), ("_extra", "Utf8")]));
    // Nothing is lost: the way back puts the values in their places.
    assert_eq!(items(&place.at("x.parquet")), [json!({"id": 10, "text": "x", "late": [1]}), json!({"id": 1.5})]);
    // One pass: nothing is learnt, which this would end.
    run(&["convert", &later, &place.at("x.parquet"), "--schema", &schema, "--max-paths", "1"]).done();
    let args = ["convert", &later, &place.at("y.parquet"), "--schema", &schema, "--extra"];
    let ran = run(&[&args[..], &["drop", "--quiet"]].concat()).done();
    assert_eq!(ran.err.trim_end(), said.replace("in _extra", "dropped"));
    assert_eq!(columns(&place.at("y.parquet")), pairs(&[("id", "Int64"), ("text", "Utf8")]));
    let error = run(&[&args[..], &["error"]].concat());
    assert!(error.error(4).starts_with("E_EXTRA: "), "{}", error.err);
    let ran = run(&["convert", &later, &place.at("z.parquet"), "--schema", &schema, "--columns", "text", "--quiet"]).done();
    assert_eq!(columns(&place.at("z.parquet")), pairs(&[("text", "Utf8"), ("_extra", "Utf8")]), "{ran:?}");
    // Documents that are none.
    for (name, text) in [("bad.json", "{"), ("none.json", "{}")] {
        let ran = run(&["convert", &later, &place.at("w.parquet"), "--schema", &place.write(name, text)]);
        assert!(ran.error(2).starts_with("E_SCHEMA: ") && ran.err.contains(name), "{}", ran.err);
    }
    assert!(run(&["convert", &later, &place.at("w.parquet"), "--schema", &place.at("gone")]).error(3).starts_with("E_NOT_FOUND: "));
    for verb in ["schema", "head"] {
        assert!(run(&[verb, &later, "--schema", &schema]).error(2).starts_with("E_USAGE: --schema "));
    }
}

#[test]
fn policies() {
    let place = Place::new();
    let text = concat!(
        r#"{"Item":{"id":{"N":"1"},"price":{"N":"1.005"},"at":{"N":"1700000000"},"m":{"M":{"a":{"N":"1"},"b":{"N":"2"}}}}}"#,
        "\n",
        r#"{"Item":{"id":{"N":"2"},"price":{"N":"123456"},"at":{"N":"1.5E-7"},"a=b":{"S":"x"}}}"#,
        "\n",
    );
    let file = place.write("a.json", text);
    let dest = place.at("x.parquet");
    let convert = |options: &[&str]| {
        let ran = run(&[&["convert", &file, &dest, "--quiet"], options].concat()).done();
        (columns(&dest), ran.err)
    };
    let (found, err) = convert(&["--override", "price=decimal(5,2)", "--override", "at=timestamp(s)", "--override", r#"["a=b"]=json"#]);
    let types: Vec<_> = found.iter().map(|(name, ty)| format!("{name} {}", ty.split('(').next().unwrap())).collect();
    assert_eq!(types, ["id Int64", "price Decimal128", "at Timestamp", "m Struct", "a=b Utf8", "_extra Utf8"]);
    let said = [
        "dynarrow: 1 number rounded; first: 1.005 (attribute price)",
        "dynarrow: 1 number overflowed: null; first: 123456 (attribute price)",
        r#"dynarrow: 1 value fit no column: in _extra; first: {"N":"0.00000015"} (attribute at)"#,
    ];
    assert_eq!(err.lines().collect::<Vec<_>>(), said);

    assert_eq!(convert(&["--numbers", "string", "--columns", "id,price"]).0, pairs(&[("id", "Utf8"), ("price", "Utf8")]));
    let (found, err) = convert(&["--numbers", "decimal(20, 3)", "--columns", "price,at"]);
    assert_eq!(found, pairs(&[("price", "Decimal128(20, 3)"), ("at", "Decimal128(20, 3)")]));
    assert_eq!(err, "dynarrow: 1 number rounded; first: 0.00000015 (attribute at)\n");
    for (options, ty) in [
        (&["--maps", "json"][..], "Utf8"),
        (&["--maps", "map"], "Map"),
        (&["--max-fields", "1"], "Map"),
        (&["--layout", "typed"], "Struct"),
    ] {
        let (found, _) = convert(&[options, &["--columns", "m"]].concat());
        assert!(found[0].1.starts_with(ty), "{options:?}: {found:?}");
    }
    let (found, err) = convert(&["--max-columns", "1"]);
    assert_eq!(found, pairs(&[("id", "Int64"), ("_extra", "Utf8")]));
    assert!(err.starts_with("dynarrow: 6 values fit no column: in _extra; first: "), "{err}");
    let (found, _) = convert(&["--sample", "1", "--columns", "id,price"]);
    assert_eq!(found.last().unwrap().0, "_extra");
    let ran = run(&["convert", &file, &dest, "--max-paths", "3"]);
    assert!(ran.error(4).starts_with("E_TOO_MANY_PATHS: "), "{}", ran.err);

    let out = run(&["schema", &file, "--layout", "typed", "--override", "price=float64"]).done().out;
    assert!(out.contains("layout typed, 1 override)\n") && out.contains("struct (typed)") && out.contains("_extra"), "{out}");
}

#[test]
fn the_way_back() {
    let place = Place::new();
    let small = place.export(&[DataFile::new("a.json.gz", EVERY_TYPE)]);
    for src in [shop(), small] {
        let expected = items(&src);
        for ending in ["parquet", "arrow"] {
            let (typed, plain) = (place.at(&format!("typed.{ending}")), place.at(&format!("plain.{ending}")));
            run(&["convert", &src, &typed, "--layout", "typed"]).done();
            run(&["convert", &typed, &place.at("back.json.gz")]).done();
            assert_eq!(items(&place.at("back.json.gz")), expected);
            run(&["convert", &src, &plain]).done();
            run(&["convert", &plain, &place.at("back.json.zst")]).done();
            assert_eq!(items(&place.at("back.json.zst")), without_nulls(expected.clone()));
            assert_eq!(items(&plain), without_nulls(expected.clone()));
        }
        run(&["convert", &src, &place.at("x.ndjson")]).done();
        assert_eq!(items(&place.at("x.ndjson")), expected);
        fs::copy(place.at("x.ndjson"), place.at("plain.txt")).unwrap();
        let out = run(&["head", &place.at("plain.txt"), "-n", "1000000", "--format", "ndjson"]).done().out;
        assert_eq!(out.lines().count(), expected.len());
    }
    let out = run(&["convert", &shop(), "-", "--to", "dynamodb_json"]).done().out;
    assert!(out.lines().count() == 3000 && out.starts_with(r#"{"Item":{"#));
}

/// The same Parquet file as other tools write it: without what we say of its columns.
fn strip(from: &str, to: &str) {
    use arrow::array::RecordBatchReader as _;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(from).unwrap()).unwrap().build().unwrap();
    let schema = reader.schema();
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_metadata(std::collections::HashMap::new()));
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
    let mut writer = ArrowWriter::try_new(fs::File::create(to).unwrap(), schema.clone(), None).unwrap();
    for batch in reader {
        let batch = arrow::array::RecordBatch::try_new(schema.clone(), batch.unwrap().columns().to_vec()).unwrap();
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn a_schema_explains_files_of_other_tools() {
    let place = Place::new();
    let file = place.write("a.json", r#"{"Item":{"n":{"N":"1.5"},"at":{"N":"1700000000"},"s":{"S":"x"}}}"#);
    let policies = ["--numbers", "string", "--override", "at=timestamp(s)"];
    let (ours, theirs, schema) = (place.at("ours.parquet"), place.at("theirs.parquet"), place.at("s.json"));
    run(&[&["convert", &file, &ours], &policies[..]].concat()).done();
    run(&[&["schema", &file, "-o", &schema], &policies[..]].concat()).done();
    strip(&ours, &theirs);
    let expected = [json!({"n": 1.5, "at": 1_700_000_000, "s": "x"})];
    assert_eq!(items(&ours), expected);
    assert_eq!(items(&theirs), [json!({"n": "1.5", "at": "2023-11-14T22:13:20Z", "s": "x"})]);
    let out = run(&["head", &theirs, "--schema", &schema]).done().out;
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), expected[0]);
    run(&["convert", &theirs, &place.at("back.json"), "--schema", &schema]).done();
    assert_eq!(items(&place.at("back.json")), expected);
    let learnt = run(&["schema", &theirs, "--schema", &schema, "--json"]).done().json();
    let types: Vec<_> = learnt["fields"].as_array().unwrap().iter().map(|field| &field["dynamodb"]).collect();
    assert_eq!(json!(types), json!(["N", "N", "S"]));

    // The layout alone.
    run(&["convert", &file, &ours, "--layout", "typed", "--columns", "s"]).done();
    strip(&ours, &theirs);
    assert_eq!(items(&theirs), [json!({"s": {"S": "x"}})]);
    let out = run(&["head", &theirs, "--source-layout", "typed"]).done().out;
    assert_eq!(out, "{\"s\":\"x\"}\n");
}

#[test]
fn a_whole_export_is_written_and_relocated() {
    let place = Place::new();
    let folder = place.at("bucket");
    run(&["convert", &shop(), &place.at("x.parquet"), "--layout", "typed"]).done();
    let report = run(&["convert", &place.at("x.parquet"), &folder, "--to", "export", "--json"]).done().json();
    assert_eq!(report["items"], 3000);
    for file in report["files"].as_array().unwrap() {
        assert_eq!(file["bytes"], fs::metadata(file["path"].as_str().unwrap()).unwrap().len());
    }
    let checked = |place: &str| {
        let ran = run(&["verify", &folder]).done();
        assert!(ran.out.starts_with("1 file, 3,000 items, ") && ran.out.ends_with(": no errors\n"), "{}", ran.out);
        assert_eq!(items(&folder).len(), 3000);
        let summary = run(&["inspect", &folder, "--json"]).done().json()["summary"].clone();
        assert_eq!(summary["s3Bucket"].as_str().unwrap_or_default(), place);
        summary
    };
    assert_eq!(items(&folder), items(&shop()));
    let ran = run(&["convert", &shop(), &folder, "--to", "export"]);
    assert!(ran.error(3).starts_with("E_DEST_EXISTS: "), "{}", ran.err);

    let ran = run(&["relocate", &folder, "--to", "s3://elsewhere/a/b/"]).done();
    let names: Vec<_> = ran.out.lines().map(|line| Path::new(line).file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["manifest-summary.json", "manifest-summary.md5", "manifest-files.json", "manifest-files.md5"]);
    assert_eq!(checked("elsewhere")["s3Prefix"], "a/b");
    let report = run(&["relocate", &folder, "--to", "s3://third", "--json"]).done().json();
    assert_eq!((&report["bucket"], &report["prefix"]), (&json!("third"), &json!("")));
    assert_eq!(report["files"].as_array().unwrap().len(), 4);
    assert_eq!(checked("third")["s3Prefix"], Value::Null);
    let file = place.write("a.json", lines(0..3));
    assert!(run(&["relocate", &file, "--to", "s3://x"]).error(4).starts_with("E_MANIFEST: "));
}

// ---- Amazon Ion ----

/// What an Ion export says of itself.
#[test]
fn names_and_tables_for_athena() {
    let place = Place::new();
    let file = place.at("shop.parquet");
    let table = ["--table", "lake.shop", "--location", "s3://bucket/shop"];
    let ddl = |src: &str, more: &[&str]| run(&[&["ddl", src], &table[..], more].concat());
    run(&["convert", &shop(), &file, "--quiet"]).done();
    assert!(ddl(&file, &[]).error(2).starts_with("E_ATHENA_NAME: "));

    run(&["convert", &shop(), &file, "--names", "athena", "--quiet"]).done();
    let text = ddl(&file, &[]).done().out;
    assert!(text.starts_with("CREATE EXTERNAL TABLE IF NOT EXISTS `lake`.`shop` (\n"), "{text}");
    assert!(text.contains("  `pk` string COMMENT 'PK',\n"), "{text}");
    assert!(text.ends_with("STORED AS PARQUET\nLOCATION 's3://bucket/shop/';\n"), "{text}");
    assert_eq!(ddl(&shop(), &[]).done().out, text);
    assert_eq!(items(&file).len(), 3_000);
    assert!(items(&file)[0].get("PK").is_some());

    let schema = place.at("s.json");
    run(&["schema", &shop(), "-o", &schema, "--names", "athena", "--quiet"]).done();
    assert!(ddl(&shop(), &["--schema", &schema]).done().out.contains("  `_extra` string\n"));
    assert!(ddl(&file, &["--schema", &schema]).error(2).contains("schema"));
    let text = ddl(&file, &["--iceberg", "--staging", "s3://other/x"]).done().out;
    for part in ["'table_type'='ICEBERG'", "LOCATION 's3://other/x/shop__load/'", "INSERT INTO \"lake\".\"shop\""] {
        assert!(text.contains(part), "{text}");
    }

    // Folders of partitions bear such names too.
    let folder = place.at("parts");
    run(&["convert", &shop(), &folder, "--names", "athena", "--partition-by", "EntityType", "--quiet"]).done();
    let text = ddl(&folder, &[]).done().out;
    assert!(text.contains("PARTITIONED BY (\n  `entitytype` string\n)") && text.ends_with("MSCK REPAIR TABLE `lake`.`shop`;\n"), "{text}");

    for args in [&["--changes", "x"][..], &["--staging", "s3://x"], &["--iceberg", "--key", "PK"]] {
        assert_eq!(ddl(&file, args).code, 2);
    }
    assert!(ddl(&file, &["--iceberg", "--changes", &file, "--key", "PK"]).error(2).contains("_op and _ts"));
    assert!(run(&["schema", &shop(), "--names", "athena", "--schema", &schema]).code == 2);
}

fn ion() -> Value {
    json!({ "outputFormat": "ION" })
}

/// The same lines as of [`lines`], in Ion.
fn ion_lines(numbers: std::ops::Range<u64>) -> String {
    use std::fmt::Write as _;
    numbers.fold(String::new(), |mut text, n| {
        writeln!(text, r#"$ion_1_0 {{Item:{{id:{n}.,text:"the text of item {n}"}}}}"#).unwrap();
        text
    })
}

/// Two items with one between them whose number is too large.
const ONE_BAD_ION: &str = "$ion_1_0 {Item:{id:1.}}\n$ion_1_0 {Item:{id:2.,m:{d:1d999}}}\n$ion_1_0 {Item:{id:3.}}\n";

#[test]
fn an_ion_export() {
    let place = Place::new();
    let folder = place.at("bucket");
    let args = ["convert", &shop(), &folder, "--to", "export", "--export-format", "ion", "--json", "--quiet"];
    let report = run(&args).done().json();
    let paths: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths.iter().filter(|path| path.ends_with(".ion.gz")).count(), 1, "{paths:?}");

    let ran = run(&["verify", &folder]).done();
    assert!(ran.out.starts_with("1 file, 3,000 items, ") && ran.out.ends_with(": no errors\n"), "{}", ran.out);
    let out = run(&["inspect", &folder]).done().out;
    for text in ["table         Shop\n", "format        ION\n", "items         3,000\n", ".ion.gz\n"] {
        assert!(out.contains(text), "{text} in {out}");
    }
    let document = run(&["inspect", &folder, "--json"]).done().json();
    assert_eq!(document["summary"]["outputFormat"], "ION");
    let source = run(&["inspect", &shop(), "--json"]).done().json();
    assert_eq!(document["summary"]["tableArn"], source["summary"]["tableArn"]);

    // It is the same table to every verb.
    for args in [&["schema"][..], &["schema", "--json", "--layout", "typed"], &["head", "-n", "3000"]] {
        let of = |src: &str| run(&[&[args[0], src], &args[1..]].concat()).done().out;
        assert!(of(&folder) == of(&shop()), "{args:?}");
    }
    for format in ["parquet", "arrow", "csv", "ndjson", "dynamodb_json", "ion"] {
        let of = |src: &str| run(&["convert", src, "-", "--to", format, "--check", "md5", "--quiet"]).done().bytes;
        assert!(of(&folder) == of(&shop()), "{format}");
    }
}

#[test]
fn ion_is_right() {
    let place = Place::new();
    let file = place.write("a.json", EVERY_TYPE);
    let expected = concat!(
        r#"$ion_1_0 {Item:{id:1.,s:"a \"q\", b\nc",n:12345678901234567890.5,b:{{AAH/}},t:true,z:null,m:{x:1d2,y:["ü",null]},"#,
        r#"l:[1.,-2.5],ss:$dynamodb_SS::["p","q"],ns:$dynamodb_NS::[3.,4.],bs:$dynamodb_BS::[{{AA==}}]}}"#,
        "\n",
        r#"$ion_1_0 {Item:{id:2.,s:"",t:false,m:{},late:"x"}}"#,
        "\n",
    );
    assert_eq!(run(&["convert", &file, "-", "--to", "ion"]).done().out, expected);
    for dest in ["x.ion", "x.ion.gz", "x.ion.zst", "part"] {
        run(&["convert", &file, &place.at(dest), "--to", "ion"]).done();
        assert_eq!(items(&place.at(dest)), items(&file), "{dest}");
    }
    assert_eq!(place.read("x.ion"), expected);
    assert_eq!(place.read("part/part-00000.ion"), expected);
    assert_eq!(fs::read(place.at("x.ion.gz")).unwrap()[..2], [0x1f, 0x8b]);
    assert_eq!(fs::read(place.at("x.ion.zst")).unwrap()[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    run(&["convert", &file, &place.at("part"), "--overwrite"]).done();

    // By way of columns; and one attribute alone.
    run(&["convert", &place.at("x.ion.gz"), &place.at("x.parquet"), "--layout", "typed"]).done();
    run(&["convert", &place.at("x.parquet"), &place.at("back.ion")]).done();
    assert_eq!(items(&place.at("back.ion")), items(&file));
    assert_eq!(
        run(&["convert", &file, "-", "--to", "ion", "--columns", "late"]).done().out,
        "$ion_1_0 {Item:{}}\n$ion_1_0 {Item:{late:\"x\"}}\n"
    );
    let ran = run(&["convert", &file, &place.at("y.ion"), "--layout", "typed"]);
    assert_eq!(ran.error(2), "E_USAGE: layout is for columns, not for ion");
}

/// A dump of AWS Data Pipeline: told by its manifest or its bytes, read by the same verbs, written.
#[test]
fn legacy_dumps() {
    let place = Place::new();
    place.write(
        "dump/manifest",
        r#"{"entries":[{"url":"s3://old/dump/a"},{"url":"s3://old/dump/b"},{"url":"s3://old/dump/c","mandatory":false}]}"#,
    );
    place.write("dump/a", "{\"id\":{\"n\":\"1\"},\"tags\":{\"sS\":[\"x\"]}}\n\n");
    place.write("dump/b", gzip(b"id\x03{\"n\":\"2\"}\x02gone\x03{\"nULLValue\":true}\n"));
    let dump = place.at("dump");
    let out = run(&["inspect", &dump]).done().out;
    for text in [
        "dump (a legacy dump, of Data Pipeline or the EMR connector)\nformat        legacy (by the manifest)\nfiles         2, ",
        "s3://old/dump/a\n",
        "absent     not mandatory  s3://old/dump/c\n",
    ] {
        assert!(out.contains(text), "{text}: {out}");
    }
    let document = run(&["inspect", &dump, "--json"]).done().json();
    assert_eq!((&document["format"], &document["format_told_by"]), (&json!("legacy"), &json!("manifest")));
    assert_eq!(document["absent"], json!(["s3://old/dump/c"]));
    let out = run(&["inspect", &place.at("dump/b")]).done().out;
    assert!(out.contains("(no manifest)\nformat        legacy (by its first bytes)\n"), "{out}");
    let verified = run(&["verify", &dump]).done().out;
    assert!(verified.contains("2 files, 2 items, ") && verified.ends_with(": no errors, 2 notes\n"), "{verified}");
    let lines = "{\"id\":1,\"tags\":[\"x\"]}\n{\"id\":2,\"gone\":null}\n";
    let ran = run(&["head", &dump]).done();
    assert_eq!(ran.out, lines);
    let said = "dynarrow: 1 file of the manifest not read, not there and not mandatory; first: s3://old/dump/c\n";
    assert_eq!(ran.err, said);
    assert_eq!(run(&["convert", &dump, "-", "--to", "ndjson", "--format", "legacy", "--quiet"]).done().out, lines);
    let forced = run_with_input(&["head", "-", "--format", "legacy"], b"{\"id\":{\"N\":\"1\"}}").done();
    assert_eq!(forced.out, "{\"id\":1}\n");

    // There and back, and for a bucket.
    let new = place.at("new");
    run(&["convert", &dump, &new, "--to", "legacy"]).done();
    assert_eq!(run(&["head", &new]).done().out, lines);
    assert_eq!(run(&["diff", &dump, &new, "--key", "id", "--quiet"]).done().out, "");
    run(&["relocate", &new, "--to", "s3://bucket/dump"]).done();
    assert!(
        place
            .read("new/manifest")
            .starts_with("{\"name\":\"DynamoDB-export\",\"version\":3,\n\"entries\": [\n{\"url\":\"s3://bucket/dump/")
    );
    assert!(run(&["convert", &dump, "-", "--to", "legacy"]).error(2).ends_with("a legacy dump is a folder, not standard output"));
}

/// Also where no name tells the format.
#[test]
fn ion_is_told_by_its_bytes() {
    let place = Place::new();
    let text = ion_lines(0..3);
    let expected = run_with_input(&["head", "-"], lines(0..3).as_bytes()).done().out;
    let binary = b"\xe0\x01\x00\xea\xd3\x84\x81x";
    for (input, expected) in [(text.as_bytes(), expected.as_str()), (&gzip(text.as_bytes()), &expected), (binary, "{\"name\":\"x\"}\n")] {
        assert_eq!(run_with_input(&["head", "-"], input).done().out, expected);
        assert_eq!(run_with_input(&["convert", "-", "-", "--to", "ndjson", "--quiet"], input).done().out, expected);
        let ran = run_with_input(&["inspect", "-"], input).done();
        assert!(ran.out.contains("format        ion (by its first bytes)\n"), "{}", ran.out);
    }
    run_with_input(&["convert", "-", &place.at("x.csv")], text.as_bytes()).done();
    assert_eq!(place.read("x.csv").lines().count(), 4);
    let bad = run_with_input(&["convert", "-", &place.at("y.csv")], ONE_BAD_ION.as_bytes());
    assert!(bad.error(4).ends_with("(file standard input, line 2, byte 51, item 1, attribute m.d)"), "{}", bad.err);

    // JSON is Ion too, if one says so.
    let both = place.write("both.json", r#"{"id":1}"#);
    assert!(run(&["head", &both]).error(4).starts_with("E_DESCRIPTOR: "));
    assert_eq!(run(&["head", &both, "--format", "ion"]).done().out, "{\"id\":1}\n");
    let file = place.write("a.ion", &text);
    assert!(run(&["head", &file, "--format", "dynamodb_json"]).error(4).starts_with("E_JSON: "));
    place.write("folder/a.ion", &text);
    place.write("folder/b.json", lines(3..5));
    let folder = place.at("folder");
    assert_eq!(run(&["head", &folder]).done().out.lines().count(), 5);
    assert!(run(&["inspect", &folder]).done().out.contains("format        ion (the first file, by its name)\n"));
}

#[test]
fn a_bad_value_in_a_line_of_ion() {
    let place = Place::new();
    let files = [DataFile::new("a.ion.gz", &ion_lines(0..5)), DataFile::new("b.ion.gz", ONE_BAD_ION)];
    let export = place.export_with(&files, &ion());
    fails(&place, &export, "E_NUMBER", &format!("(file {DATA}/b.ion.gz, line 2, byte 51, item 1, attribute m.d)"));
    let ran = run(&["convert", &export, &place.at("bucket"), "--to", "export", "--export-format", "ion"]);
    assert!(ran.error(4).starts_with("E_NUMBER: ") && !Path::new(&place.at("bucket")).exists(), "{}", ran.err);
    assert!(run(&["schema", &export]).error(4).starts_with("E_NUMBER: "));
    let ran = run(&["head", &export]);
    assert_eq!((ran.code, ran.out.lines().count()), (4, 6));

    let ran = run(&["convert", &export, &place.at("x.csv"), "--on-error", "skip", "--json", "--quiet"]).done();
    assert!(ran.err.starts_with("dynarrow: 1 record skipped; first: E_NUMBER: "), "{}", ran.err);
    let report = ran.json();
    assert_eq!((&report["items"], &report["skipped"]), (&json!(7), &json!(1)));
    let error = &report["errors"][0];
    let found = json!([error["code"], error["file"], error["line"], error["byte"], error["item"], error["path"]]);
    assert_eq!(found, json!(["E_NUMBER", format!("{DATA}/b.ion.gz"), 2, 51, 1, "m.d"]));
    assert_eq!(place.read("x.csv").lines().count(), 8);
}

#[test]
fn broken_ion_in_a_line() {
    let place = Place::new();
    let text = ion_lines(0..40_000);
    let broken = text.replace(r#""the text of item 33333"}"#, r#""the text of item 33333}"#);
    let files = [DataFile::new("a.ion.gz", &ion_lines(0..5)), DataFile::new("b.ion.gz", &broken)];
    let export = place.export_with(&files, &ion());
    let line = broken.lines().nth(33_333).unwrap();
    let end = broken.lines().take(33_333).map(|line| line.len() + 1).sum::<usize>() + line.len();
    let at = format!("(file {DATA}/b.ion.gz, line 33334, byte {end}, item 33333, attribute text)");
    fails(&place, &export, "E_ION", &at);
    let ran = run(&["verify", &export]);
    assert!(ran.code == 1 && ran.out.starts_with("error  E_ION: ") && ran.out.ends_with(": 1 error\n"), "{ran:?}");
    assert!(ran.out.contains(&at), "{}", ran.out);
}

#[test]
fn ion_of_an_incremental_export() {
    let place = Place::new();
    let record = "$ion_1_0 {Record:{Metadata:{WriteTimestampMicros:1.},Keys:{id:1.},NewImage:{id:1.}}}\n";
    let file = place.write("a.ion", record);
    for options in [&[][..], &["--on-error", "skip"]] {
        let ran = run(&[&["convert", &file, &place.at("x.csv")], options].concat());
        let error = ran.error(2);
        assert!(error.starts_with("E_INCREMENTAL: ") && error.ends_with(", line 1, byte 9, item 0)"), "{error}");
    }
    let mut summary = ion();
    summary.as_object_mut().unwrap().extend([("exportType".into(), json!("INCREMENTAL_EXPORT"))]);
    let export = place.export_with(&[DataFile::new("a.ion.gz", record)], &summary);
    assert!(run(&["head", &export]).error(2).starts_with("E_INCREMENTAL: "));
    assert!(run(&["verify", &export]).done().out.starts_with("1 file, 1 item, "));
    assert!(run(&["inspect", &export]).done().out.contains("type          incremental\nformat        ION\n"));
}

// ---- Exit codes and bad input ----

#[test]
fn verbs_of_the_python_package_say_so() {
    for verb in ["upload", "dump"] {
        for args in [&[verb][..], &[verb, "--help"], &[verb, "a", "b", "--endpoint-url", "http://localhost:8000"]] {
            let ran = run(args);
            let expected =
                format!("E_USAGE: {verb} is part of the Python package: pip install 'dynarrow[aws]' brings a dynarrow that has it");
            assert_eq!(ran.error(2), expected);
        }
    }
}

#[test]
fn usage_errors() {
    let place = Place::new();
    let x = place.at("x.parquet");
    for args in [
        &[][..],
        &["nonsense"],
        &["head"],
        &["head", &shop(), "-n", "x"],
        &["convert", &shop()],
        &["convert", &shop(), &x, "--numbers", "x"],
        &["convert", &shop(), &x, "--threads", "0"],
        &["convert", &shop(), &x, "--threads", "1000000"],
        &["convert", &shop(), &x, "--batch-size", "0"],
        &["convert", &shop(), &x, "--columns", ""],
        &["convert", &shop(), &x, "--on-error", "x"],
        &["convert", &shop(), &x, "--check", "x"],
        &["convert", &shop(), &x, "--to", "x"],
        &["convert", &shop(), &x, "--layout", "x"],
        &["convert", &shop(), &x, "--maps", "x"],
        &["convert", &shop(), &x, "--extra", "x"],
        &["convert", &shop(), &x, "--format", "x"],
        &["convert", &shop(), &x, "--sample", "0"],
        &["convert", &shop(), &x, "--numbers", "decimal(39,2)"],
        &["convert", &shop(), &x, "--override", "price"],
        &["convert", &shop(), &x, "--override", "price=x"],
        &["convert", &shop(), &x, "--override", "a b=int64"],
        &["convert", &shop(), &x, "--schema", "s.json", "--numbers", "auto"],
        &["convert", &shop(), &x, "--schema", "s.json", "--override", "price=int64"],
        &["convert", &shop(), &x, "--schema", "s.json", "--sample", "10"],
        &["convert", &shop(), "-", "--to", "export"],
        &["convert", &shop(), &x, "--export-format", "ion"],
        &["convert", &shop(), "-", "--to", "ion", "--export-format", "ion"],
        &["convert", &shop(), &place.at("bucket"), "--to", "export", "--export-format", "x"],
        &["relocate", &shop()],
        &["relocate", &shop(), "--to", "/a/folder"],
        &["verify", &shop(), "--nonsense"],
    ] {
        let ran = run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(!ran.err.is_empty());
    }
    for columns in ["nope", "PK,PK"] {
        let ran = run(&["convert", &shop(), &x, "--columns", columns]);
        assert!(ran.error(2).starts_with("E_"), "{}", ran.err);
    }
    let ran = run(&["convert", &shop(), &x, "--numbers", "x", "--json"]);
    assert_eq!(ran.code, 2);
    let expected = json!({ "code": "E_USAGE", "message": "invalid value 'x' for '--numbers <auto|float64|decimal(p,s)|string>': numbers must be one of auto, float64, decimal(p,s), string, not \"x\"",
        "file": null, "line": null, "byte": null, "item": null, "path": null });
    assert_eq!(ran.json(), json!({ "error": expected }));
    assert!(place.listing().is_empty());
}

#[test]
fn inputs_that_do_not_go_together() {
    let place = Place::new();
    let export = place
        .export_with(&[DataFile::new("a.json.gz", "")], &json!({ "exportType": "INCREMENTAL_EXPORT", "outputView": "NEW_AND_OLD_IMAGES" }));
    for args in [&["convert", &export, &place.at("x.parquet")][..], &["head", &export], &["schema", &export]] {
        assert!(run(args).error(2).starts_with("E_INCREMENTAL: "));
    }
    assert!(run(&["inspect", &export]).done().out.contains("type          incremental, NEW_AND_OLD_IMAGES\n"));
    let other = place.at("export/AWSDynamoDB/01700000000001-abcdef01");
    fs::create_dir(&other).unwrap();
    for name in ["manifest-summary.json", "manifest-files.json"] {
        fs::copy(place.at(&format!("export/AWSDynamoDB/01700000000000-abcdef01/{name}")), format!("{other}/{name}")).unwrap();
    }
    let ran = run(&["inspect", &export]);
    assert!(ran.error(2).starts_with("E_SEVERAL_EXPORTS: ") && ran.err.contains("01700000000001-abcdef01"), "{}", ran.err);
}

#[test]
fn sources_that_cannot_be_read() {
    let place = Place::new();
    let (empty, missing) = (place.at("empty"), place.at("missing"));
    fs::create_dir(&empty).unwrap();
    for verb in ["inspect", "verify", "schema", "head"] {
        for src in [&empty, &missing] {
            assert!(run(&[verb, src]).error(3).starts_with("E_NOT_FOUND: "), "{verb} {src}");
        }
    }
    let ran = run(&["inspect", &missing, "--json"]);
    assert_eq!((ran.code, ran.err.lines().count()), (3, 1));
    assert_eq!((&ran.json()["error"]["code"], &ran.json()["error"]["file"]), (&json!("E_NOT_FOUND"), &json!(missing)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for args in [&["head", &shop(), "-n", "3000"][..], &["convert", &shop(), "-", "--to", "parquet"], &["inspect", &shop()]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = Ran::from(command(args).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ran.code, 3, "{args:?}");
        assert!(ran.err.starts_with("dynarrow: E_IO: ") && ran.err.contains("No space left"), "{}", ran.err);
    }
}

/// Converts to every kind of destination: the same error, and nothing left behind.
#[track_caller]
fn fails(place: &Place, src: &str, code: &str, position: &str) {
    let folder = place.at("dest");
    fs::create_dir(&folder).unwrap();
    place.write("dest/x.csv", "what was there before");
    let before = place.listing();
    for dest in ["x.parquet", "x.arrow", "x.csv", "x.ndjson.gz", "x.ion.zst", "parts/"] {
        for threads in ["1", "4"] {
            let ran = run(&["convert", src, &format!("{folder}/{dest}"), "--threads", threads]);
            let error = ran.error(4);
            assert!(error.starts_with(&format!("{code}: ")) && error.ends_with(position), "{dest} on {threads} threads: {error}");
            assert_eq!(place.listing(), before, "{dest}");
        }
    }
    let ran = run(&["convert", src, &format!("{folder}/x.parquet"), "--json"]);
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (4, &json!(code)));
    assert_eq!(place.listing(), before);
}

const DATA: &str = "AWSDynamoDB/01700000000000-abcdef01/data";

#[test]
fn a_truncated_gzip_file() {
    let place = Place::new();
    let mut cut = DataFile::new("b.json.gz", &lines(0..1000));
    cut.bytes.truncate(cut.bytes.len() / 2);
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..5)), cut]);
    fails(&place, &export, "E_TRUNCATED", &format!("(file {DATA}/b.json.gz)"));
    let ran = run(&["convert", &export, &place.at("x.csv"), "--on-error", "skip"]);
    assert!(ran.error(4).starts_with("E_TRUNCATED: "), "skipping passes over records only: {}", ran.err);
}

#[test]
fn broken_json_in_a_line() {
    let place = Place::new();
    let text = lines(0..40_000);
    let broken = text.replace(r#""the text of item 33333"}"#, r#""the text of item 33333}"#);
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..5)), DataFile::new("b.json.gz", &broken)]);
    let line = broken.lines().nth(33_333).unwrap();
    let end = broken.lines().take(33_333).map(|line| line.len() + 1).sum::<usize>() + line.len();
    let at = format!("(file {DATA}/b.json.gz, line 33334, byte {end}, item 33333, attribute text)");
    fails(&place, &export, "E_JSON", &at);
}

#[test]
fn a_manifest_that_names_a_file_that_is_not_there() {
    let place = Place::new();
    let gone = DataFile { written: false, ..DataFile::new("b.json.gz", &lines(5..7)) };
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..5)), gone]);
    fails(&place, &export, "E_FILE_MISSING", &format!("(file {DATA}/b.json.gz)"));
}

#[test]
fn a_file_with_fewer_lines_than_the_manifest_says() {
    let place = Place::new();
    let short = DataFile { items: 1001, ..DataFile::new("a.json.gz", &lines(0..1000)) };
    let export = place.export(&[short, DataFile::new("b.json.gz", &lines(5..7))]);
    let message = "E_ITEM_COUNT: the manifest says 1001 items, the file has 1000";
    fails(&place, &export, "E_ITEM_COUNT", &format!("(file {DATA}/a.json.gz)"));
    assert!(run(&["schema", &export]).error(4).starts_with(message));
    assert!(run(&["head", &export, "-n", "2000"]).err.starts_with(&format!("dynarrow: {message}")));
    run(&["head", &export, "-n", "1000"]).done();
    let unchecked = run(&["convert", &export, &place.at("x.csv"), "--check", "none"]).done();
    assert!(unchecked.err.contains("--check none"), "{}", unchecked.err);
}

#[test]
fn another_md5_than_the_manifest_says() {
    let place = Place::new();
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..10))]);
    fs::write(place.at(&format!("export/{DATA}/a.json.gz")), gzip(lines(10..20).as_bytes())).unwrap();
    run(&["convert", &export, &place.at("x.csv")]).done();
    for dest in ["y.csv", "y.parquet"] {
        let ran = run(&["convert", &export, &place.at(dest), "--check", "md5"]);
        assert!(ran.error(4).starts_with("E_MD5: "), "{}", ran.err);
    }
    assert_eq!(run(&["verify", &export]).code, 1);
    assert!(!Path::new(&place.at("y.csv")).exists());
}

#[test]
fn a_key_that_leads_out_of_the_export() {
    for key in ["AWSDynamoDB/x/data/../../../../secret.json.gz", "/etc/passwd", "s3://other/x.json.gz"] {
        let place = Place::new();
        place.write("secret.json.gz", gzip(lines(0..5).as_bytes()));
        let file = DataFile { key: Some(key.into()), ..DataFile::new("a.json.gz", &lines(0..5)) };
        let export = place.export(&[file]);
        let ran = run(&["head", &export]);
        assert!(ran.error(4).starts_with(&format!("E_KEY: the manifest names the key {key:?}")), "{}", ran.err);
        assert!(ran.err.contains("manifest-files.json"), "{}", ran.err);
    }
    let place = Place::new();
    let file = DataFile { key: Some("AWSDynamoDB/../../x".into()), ..DataFile::new("a.json.gz", &lines(0..5)) };
    let export = place.export(&[file]);
    let manifest = place.at("export/AWSDynamoDB/01700000000000-abcdef01/manifest-files.json");
    fails(&place, &export, "E_KEY", &format!("(file {manifest}, line 1, byte 0)"));
}

#[test]
fn a_record_of_20_mib() {
    let place = Place::new();
    let text = format!("{}{{\"Item\":{{\"id\":{{\"S\":\"{}\"}}}}}}\n{}", lines(0..3), "x".repeat(20 << 20), lines(3..6));
    let export = place.export(&[DataFile::new("a.json.gz", &text)]);
    let at = lines(0..3).len();
    fails(&place, &export, "E_RECORD_SIZE", &format!("(file {DATA}/a.json.gz, line 4, byte {at}, item 3)"));
    let ran = run(&["convert", &export, &place.at("x.csv"), "--on-error", "skip"]).done();
    assert!(ran.err.contains("1 record skipped; first: E_RECORD_SIZE"), "{}", ran.err);
    assert_eq!(place.read("x.csv").lines().count(), 7);
}

#[test]
fn broken_manifests() {
    let place = Place::new();
    let export = place.export(&[DataFile::new("a.json.gz", &lines(0..5))]);
    let manifest = "export/AWSDynamoDB/01700000000000-abcdef01/manifest-files.json";
    let good = place.read(manifest);
    place.write(manifest, format!("{good}{{\"itemCount\":\n"));
    let ran = run(&["inspect", &export]);
    assert!(ran.error(4).starts_with("E_MANIFEST: ") && ran.err.contains(&format!(", line 2, byte {})", good.len())), "{}", ran.err);
    fs::remove_file(place.at(manifest)).unwrap();
    assert!(run(&["verify", &export]).error(4).starts_with("E_FILE_MISSING: "));
}

#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Ctrl-C in the midst of a conversion.
#[cfg(unix)]
#[test]
fn interrupted() {
    use std::time::{Duration, Instant};

    let place = Place::new();
    // Far more work than there is time until the signal comes: one file under many names.
    let file = place.write("src/0.json.gz", gzip(lines(0..200_000).as_bytes()));
    for n in 1..200 {
        fs::hard_link(&file, place.at(&format!("src/{n}.json.gz"))).unwrap();
    }
    let dest = place.at("dest");
    fs::create_dir(&dest).unwrap();
    for (name, args) in [("x.parquet", &[][..]), ("x.ndjson", &["--threads", "1"]), ("parts/", &["--json"])] {
        let mut child = command(&["convert", &place.at("src"), &format!("{dest}/{name}")])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It is at work as soon as its temporary file stands there.
        let deadline = Instant::now() + Duration::from_secs(60);
        while fs::read_dir(&dest).unwrap().next().is_none() {
            assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no temporary file for {name}");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(50));
        interrupt(&child);
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (130, "dynarrow: E_INTERRUPTED: stopped\n"), "{name}");
        if args == ["--json"] {
            assert_eq!(ran.json()["error"]["code"], "E_INTERRUPTED");
        }
        assert!(fs::read_dir(&dest).unwrap().next().is_none(), "{name}");
    }
}

/// A named pipe, as a shell gives for `<(zcat …)`, is read once, as standard input is.
#[cfg(unix)]
#[test]
fn a_named_pipe() {
    let place = Place::new();
    let pipe = place.at("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, lines(0..3)))
    };
    // CSV takes two passes.
    run(&["convert", &pipe, &place.at("x.csv")]).done();
    assert_eq!(place.read("x.csv").lines().count(), 4);
    writer.join().unwrap().unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_to_a_data_file() {
    let place = Place::new();
    let file = place.write("elsewhere/a.json", lines(0..3));
    fs::create_dir(place.at("here")).unwrap();
    std::os::unix::fs::symlink(&file, place.at("here/link.json")).unwrap();
    assert_eq!(run(&["head", &place.at("here/link.json")]).done().out.lines().count(), 3);
}

/// Ctrl-C while standard input neither ends nor says anything.
#[cfg(unix)]
#[test]
fn interrupted_while_waiting_for_input() {
    let place = Place::new();
    let mut child = command(&["head", "-"])
        .env("TMPDIR", place.at(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{").unwrap();
    while place.listing().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (130, "dynarrow: E_INTERRUPTED: stopped\n"));
    assert!(place.listing().is_empty());
}
