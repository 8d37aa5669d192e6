//! Verifying: every kind of damage is a finding, all of them in one report, and what is odd
//! and harms nothing is a note.

use std::fs;
use std::path::{Path, PathBuf};

use dynarrow::{Control, Severity, VerifyReport, open_export};
use dynarrow_tests::layout::{ID, Layout, gzip, item};
use serde_json::json;

fn verify(folder: &Path) -> VerifyReport {
    open_export(&folder.display().to_string()).expect("an export").verify(2, &Control::default()).expect("a report")
}

/// Severity, code and file name of each finding.
fn found(report: &VerifyReport) -> Vec<(Severity, &'static str, String)> {
    let name = |file: Option<&str>| file.and_then(|file| file.rsplit('/').next()).unwrap_or_default().to_owned();
    report.findings.iter().map(|f| (f.severity, f.error.code().as_str(), name(f.error.file()))).collect()
}

fn data(folder: &Path, n: usize) -> PathBuf {
    folder.join(format!("data/{n:a>26}.json.gz"))
}

fn name(n: usize) -> String {
    format!("{n:a>26}.json.gz")
}

use Severity::{Error, Note};

#[test]
fn a_good_export_has_no_findings() {
    let bucket = tempfile::tempdir().expect("a folder");
    let report = verify(&Layout::default().write(bucket.path()));
    assert!(report.ok());
    assert_eq!((report.findings.len(), report.files, report.items), (0, 3, 3));
    assert!(report.bytes > 60);
}

#[test]
fn all_damage_is_found() {
    let bucket = tempfile::tempdir().expect("a folder");
    let folder = Layout { files: vec![vec![item("a", "1"), item("b", "2")]; 5], ..Layout::default() }.write(bucket.path());
    // A line less; other bytes of the same lines; a truncated file; a missing file; a bad record.
    fs::write(data(&folder, 0), gzip(item("a", "1").as_bytes())).expect("a file");
    fs::write(data(&folder, 1), format!("{}\n{}\n", item("a", "1"), item("b", "2"))).expect("a file");
    let bytes = fs::read(data(&folder, 2)).expect("a file");
    fs::write(data(&folder, 2), &bytes[..bytes.len() - 5]).expect("a file");
    fs::remove_file(data(&folder, 3)).expect("a file");
    fs::write(data(&folder, 4), gzip(format!("{}\n{{\"Item\":\n", item("a", "1")).as_bytes())).expect("a file");
    let summary = fs::read_to_string(folder.join("manifest-summary.json")).expect("a manifest");
    fs::write(folder.join("manifest-summary.json"), summary.replace("\"itemCount\":10", "\"itemCount\":11")).expect("a manifest");
    let report = verify(&folder);
    assert!(!report.ok());
    let expected = [
        ("E_MD5", "manifest-summary.json".to_owned()),
        ("E_ITEM_COUNT", name(0)),
        ("E_MD5", name(0)),
        ("E_MD5", name(1)),
        ("E_TRUNCATED", name(2)),
        ("E_FILE_MISSING", name(3)),
        ("E_JSON", name(4)),
        ("E_MD5", name(4)),
        ("E_ITEM_COUNT", ID.to_owned()),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(code, file)| (Error, code, file)).collect();
    assert_eq!(found(&report), expected, "{report:#?}");
    let broken = report.findings.iter().find(|f| f.error.code().as_str() == "E_JSON").expect("a finding");
    assert_eq!((broken.error.line(), broken.error.item()), (Some(2), Some(1)));
}

#[test]
fn notes_are_no_errors() {
    let bucket = tempfile::tempdir().expect("a folder");
    let folder = Layout { md5: false, ..Layout::default() }.write(bucket.path());
    let files = fs::read_to_string(folder.join("manifest-files.json")).expect("a manifest");
    let mut lines: Vec<serde_json::Value> = files.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines[0]["etag"] = json!("00000000000000000000000000000000-1");
    // Of several parts, or encrypted: nothing can be said.
    lines[1]["etag"] = json!("00000000000000000000000000000000-7");
    lines[2]["etag"] = json!("00000000000000000000000000000000");
    fs::write(folder.join("manifest-files.json"), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("a manifest");
    fs::write(folder.join("data/extra.json.gz"), gzip(b"")).expect("a file");
    let report = verify(&folder);
    let expected = [
        ("E_MANIFEST", "manifest-summary.json".to_owned()),
        ("E_MANIFEST", "manifest-files.json".to_owned()),
        ("E_ETAG", name(0)),
        ("E_MANIFEST", "extra.json.gz".to_owned()),
    ];
    assert_eq!(found(&report), expected.map(|(code, file)| (Note, code, file)), "{report:#?}");
    assert!(report.ok());
}

/// AWS's documentation calls the checksum files so.
#[test]
fn checksum_files_of_both_names() {
    let bucket = tempfile::tempdir().expect("a folder");
    let folder = Layout::default().write(bucket.path());
    for manifest in ["manifest-summary", "manifest-files"] {
        let (md5, checksum) = (folder.join(format!("{manifest}.md5")), folder.join(format!("{manifest}.checksum")));
        fs::rename(&md5, &checksum).expect("a move");
        fs::write(&checksum, fs::read_to_string(&checksum).expect("text") + "\n").expect("a file");
    }
    assert_eq!(found(&verify(&folder)), []);
    fs::write(folder.join("manifest-files.checksum"), "AAAAAAAAAAAAAAAAAAAAAA==").expect("a file");
    assert_eq!(found(&verify(&folder)), [(Error, "E_MD5", "manifest-files.json".to_owned())]);
}

/// The data folder of incremental exports is shared: what others left there is no finding.
#[test]
fn shared_data_folders() {
    let bucket = tempfile::tempdir().expect("a folder");
    let summary = json!({"exportType": "INCREMENTAL_EXPORT", "outputView": "NEW_IMAGE"});
    let line = json!({"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": {"pk": {"S": "a"}}}).to_string();
    let folder = Layout { summary, files: vec![vec![line], vec![]], ..Layout::default() }.write(bucket.path());
    fs::write(folder.parent().expect("a parent").join("data/other.json.gz"), gzip(b"")).expect("a file");
    assert_eq!(found(&verify(&folder)), []);
}
