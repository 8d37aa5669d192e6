//! Opening: every way to name an export, and exports that were moved.

use std::fs;
use std::path::Path;

use dynarrow::{Code, Control, Export, ReadOptions, Result, open_export};
use dynarrow_tests::layout::{ID, Layout, gzip, item};
use serde_json::json;

fn open(path: &Path) -> Result<Export> {
    open_export(&path.display().to_string())
}

/// The values of `pk`, in order.
fn keys(export: &Export) -> String {
    let items: Result<Vec<_>> = export.items(&ReadOptions::default(), &Control::default()).expect("items").collect();
    let key = |item: dynarrow::Item| item.into_iter().find(|(name, _)| name == "pk").map(|(_, value)| format!("{value:?}"));
    items.expect("good items").into_iter().filter_map(key).collect::<Vec<_>>().join(" ")
}

const ABC: &str = r#"S("a") S("b") S("c")"#;

#[test]
fn every_name_of_an_export() {
    for prefix in ["", "some/prefix/"] {
        let bucket = tempfile::tempdir().expect("a folder");
        let folder = Layout { prefix, ..Layout::default() }.write(bucket.path());
        for name in [
            folder.clone(),
            folder.join("manifest-summary.json"),
            folder.join("manifest-files.json"),
            bucket.path().to_owned(),
            bucket.path().join(format!("{prefix}AWSDynamoDB")),
        ] {
            let export = open(&name).unwrap_or_else(|e| panic!("{}: {e}", name.display()));
            assert_eq!(keys(&export), ABC, "{}", name.display());
            assert_eq!(export.files().len(), 3);
            let summary = export.summary().expect("a manifest");
            assert_eq!((summary.item_count, summary.export_type.as_deref()), (Some(3), None));
        }
    }
}

#[test]
fn exports_that_were_moved() {
    // Copied without the folders above, renamed, flattened.
    for place in ["copy", "deep/er/copy", "AWSDynamoDB/renamed"] {
        let (bucket, elsewhere) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let folder = Layout { prefix: "p/", ..Layout::default() }.write(bucket.path());
        let moved = elsewhere.path().join(place);
        fs::create_dir_all(moved.parent().expect("a parent")).expect("a folder");
        fs::rename(&folder, &moved).expect("a move");
        assert_eq!(keys(&open(&moved).expect("an export")), ABC, "{place}");
        assert_eq!(keys(&open(elsewhere.path()).expect("an export")), ABC, "{place}");
        for file in fs::read_dir(moved.join("data")).expect("a folder") {
            let file = file.expect("a file").path();
            fs::rename(&file, moved.join(file.file_name().expect("a name"))).expect("a move");
        }
        fs::remove_dir(moved.join("data")).expect("an empty folder");
        assert_eq!(keys(&open(&moved).expect("an export")), ABC, "{place}, flat");
    }
}

#[test]
fn versions_of_manifests() {
    for (summary, missing) in [
        (json!({"version": "2023-08-01", "exportType": "FULL_EXPORT", "outputView": null}), false),
        (json!({"exportType": "FULL_EXPORT", "aNewMember": {"x": 1}}), false),
        (json!({"version": null, "s3Prefix": null, "itemCount": null}), true),
    ] {
        let bucket = tempfile::tempdir().expect("a folder");
        let folder = Layout { summary, md5: false, ..Layout::default() }.write(bucket.path());
        let export = open(&folder).expect("an export");
        assert_eq!(keys(&export), ABC);
        assert_eq!(export.summary().expect("a manifest").item_count.is_none(), missing);
    }
}

#[test]
fn data_without_manifests() {
    let bucket = tempfile::tempdir().expect("a folder");
    let folder = Layout::default().write(bucket.path());
    for manifest in ["manifest-summary.json", "manifest-files.json", "manifest-summary.md5", "manifest-files.md5"] {
        fs::remove_file(folder.join(manifest)).expect("a manifest");
    }
    for name in [bucket.path().to_owned(), folder.clone(), folder.join("data")] {
        let export = open(&name).expect("files");
        assert!(export.summary().is_none());
        assert_eq!(keys(&export), ABC, "{}", name.display());
    }
    // Every file by itself, compressed or not, wrapped or bare.
    let plain = bucket.path().join("plain.json");
    fs::write(&plain, format!("{}\n{{\"pk\":{{\"S\":\"d\"}}}}", item("a", "1"))).expect("a file");
    assert_eq!(keys(&open(&plain).expect("a file")), r#"S("a") S("d")"#);
    let members = bucket.path().join("members.gz");
    fs::write(&members, [gzip(item("a", "1").as_bytes()), gzip(b"\n"), gzip(item("b", "1").as_bytes())].concat()).expect("a file");
    assert_eq!(keys(&open(&members).expect("a file")), r#"S("a") S("b")"#);
}

#[test]
fn what_cannot_be_opened() {
    let bucket = tempfile::tempdir().expect("a folder");
    let code = |path: &Path| open(path).map(|export| keys(&export)).expect_err("no export").code();
    assert_eq!(code(&bucket.path().join("nothing")), Code::NotFound);
    assert_eq!(code(bucket.path()), Code::NotFound);
    let one = Layout::default().write(&bucket.path().join("one"));
    Layout::default().write(&bucket.path().join("two"));
    let error = open(bucket.path()).expect_err("two exports");
    assert_eq!(error.code(), Code::SeveralExports);
    assert!(error.message().contains(&format!("one/AWSDynamoDB/{ID}")), "{error}");
    fs::remove_file(one.join("manifest-files.json")).expect("a manifest");
    assert_eq!(code(&one), Code::FileMissing);
    fs::write(one.join("manifest-files.json"), "{\"itemCount\":1}\n").expect("a manifest");
    assert_eq!(code(&one), Code::Manifest);
    fs::write(one.join("manifest-summary.json"), "{").expect("a manifest");
    assert_eq!(code(&one), Code::Manifest);
}

#[test]
fn keys_never_leave_the_export() {
    for key in ["../../../etc/passwd", "/etc/passwd", "AWSDynamoDB/../../x", "s3://other/x", "a\\..\\b", ""] {
        let bucket = tempfile::tempdir().expect("a folder");
        let folder = Layout::default().write(bucket.path());
        fs::write(folder.join("manifest-files.json"), json!({"itemCount": 1, "dataFileS3Key": key}).to_string()).expect("a manifest");
        assert_eq!(open(&folder).expect_err("a bad key").code(), Code::Key, "{key}");
    }
}

#[cfg(unix)]
#[test]
fn links_never_leave_the_export() {
    let (bucket, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let folder = Layout::default().write(bucket.path());
    let file = fs::read_dir(folder.join("data")).expect("a folder").next().expect("a file").expect("a file").path();
    let secret = outside.path().join("secret");
    fs::rename(&file, &secret).expect("a move");
    std::os::unix::fs::symlink(&secret, &file).expect("a link");
    assert_eq!(open(&folder).expect_err("a link out").code(), Code::Key);
    // An export that is itself reached through a link is none of that.
    let link = outside.path().join("link");
    let other = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(Layout::default().write(other.path()), &link).expect("a link");
    assert_eq!(keys(&open(&link).expect("an export")), ABC);
}

#[test]
fn incremental_exports_are_no_tables() {
    let bucket = tempfile::tempdir().expect("a folder");
    let summary = json!({"version": "2023-08-01", "exportType": "INCREMENTAL_EXPORT", "outputView": "NEW_IMAGE"});
    let line = json!({"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": {"pk": {"S": "a"}}}).to_string();
    let folder = Layout { summary, files: vec![vec![line]], ..Layout::default() }.write(bucket.path());
    let export = open(&folder).expect("an export");
    let error = export.infer_schema(&ReadOptions::default(), &Control::default()).expect_err("changes");
    assert_eq!(error.code(), Code::Incremental);
    assert!(error.message().contains("`changes`"));
    // Its files are found all the same, and can be verified.
    let report = export.verify(1, &Control::default()).expect("a report");
    assert!(report.ok() && report.items == 1, "{report:?}");
    // Without its manifest, its lines show what it is.
    let data = folder.parent().expect("a parent").join("data");
    let error = open(&data).expect("files").infer_schema(&ReadOptions::default(), &Control::default()).expect_err("changes");
    assert_eq!(error.code(), Code::Incremental);
}
