//! An export as `DynamoDB` lays it out in a bucket: names, manifests and their checksums.
//!
//! ```text
//! <prefix>/AWSDynamoDB/<ExportId>/_started               0 bytes
//! <prefix>/AWSDynamoDB/<ExportId>/manifest-summary.json  one line, no newline at the end
//! <prefix>/AWSDynamoDB/<ExportId>/manifest-summary.md5   base64 of its MD5, 24 bytes
//! <prefix>/AWSDynamoDB/<ExportId>/manifest-files.json    one line a data file, each ends in \n
//! <prefix>/AWSDynamoDB/<ExportId>/manifest-files.md5     base64 of its MD5, 24 bytes
//! <prefix>/AWSDynamoDB/<ExportId>/data/<26 characters>.json.gz  of a full export
//! <prefix>/AWSDynamoDB/data/<26 characters>.json.gz             of an incremental one
//! ```
//!
//! The checksum files end in `.md5` and have no newline, and a full export's summary has no
//! `exportType`: so it is on real exports from 2020 to 2026, whatever the guide says.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;
use md5::{Digest as _, Md5};

use crate::lines::Format;
use crate::rng::Rng;
use crate::time::iso_millis;

/// What stands for the account in all ARNs.
const TABLES: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table";
const BUCKET: &str = "example-exports";

/// What an incremental export tells of a changed item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// How it is
    New,
    /// How it was and how it is
    NewAndOld,
}

/// What an incremental export covers: the day after its base, the full export of the same seed.
#[derive(Clone, Copy)]
pub struct Window {
    /// In milliseconds from 1970 on, included.
    pub from: u64,
    /// Not included.
    pub to: u64,
    /// What is told of a change.
    pub view: View,
}

/// An export, before its data is known.
pub struct Export {
    id: String,
    started: u64,
    ended: u64,
    table: &'static str,
    table_id: String,
    format: Format,
    prefix: Option<String>,
    window: Option<Window>,
}

/// A data file as the manifest tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Full key in the bucket.
    pub key: String,
    /// Lines in it.
    pub items: u64,
    /// Of the bytes as they are stored: of the compressed ones.
    pub md5: [u8; 16],
}

impl Export {
    /// An export of `table` at a time that `rng` gives: within 2025, the items are older. With
    /// a view an incremental one, of the day that follows.
    pub fn new(rng: &mut Rng, table: &'static str, format: Format, prefix: Option<String>, view: Option<View>) -> Self {
        let mut started = 1_735_689_600_000 + rng.below(365 * 86_400_000);
        let window = view.map(|view| {
            let from = started / 1000 * 1000;
            Window { from, to: from + 86_400_000, view }
        });
        if let Some(window) = window {
            // Whole seconds, as the ids of incremental exports show.
            started = window.to + 60_000;
        }
        let id = format!("{started:014}-{:08x}", rng.bits() as u32);
        // Even an export of three items takes some five minutes.
        let ended = started + 300_000 + rng.below(60_000);
        let table_id = rng.uuid();
        Self { id, started, ended, table, table_id, format, prefix, window }
    }

    /// The key of the export's folder, without a slash at the end. A prefix that ends in one
    /// does not lead to two.
    pub fn folder(&self) -> String {
        format!("{}/{}", self.exports(), self.id)
    }

    /// The key of the folder of all exports under the prefix.
    fn exports(&self) -> String {
        let slash = |prefix: &String| if prefix.ends_with('/') { "" } else { "/" };
        let prefix = self.prefix.as_ref().map(|p| format!("{p}{}", slash(p))).unwrap_or_default();
        format!("{prefix}AWSDynamoDB")
    }

    /// The key of the folder of the data files, which all incremental exports share.
    pub fn data_folder(&self) -> String {
        format!("{}/data", if self.window.is_some() { self.exports() } else { self.folder() })
    }

    /// What an incremental export covers.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// A key for a data file: 16 random bytes as base32.
    pub fn data_key(&self, rng: &mut Rng, ending: &str) -> String {
        format!("{}/{}{ending}", self.data_folder(), base32(rng.bytes()))
    }

    /// manifest-summary.json. `size` goes into `billedSizeBytes`, which in real exports follows
    /// no rule that could be checked.
    pub fn summary(&self, items: u64, size: u64) -> String {
        let Self { id, table, table_id, .. } = self;
        let (started, ended) = (iso_millis(self.started), iso_millis(self.ended));
        let prefix = self.prefix.as_ref().map_or("null".into(), |p| format!("\"{p}\""));
        let folder = self.folder();
        let (version, time, kind) = match self.window {
            None => ("2020-06-30", format!(r#""exportTime":"{started}""#), ""),
            Some(Window { from, to, view }) => (
                "2023-08-01",
                format!(r#""exportFromTime":"{}","exportToTime":"{}""#, iso_millis(from), iso_millis(to)),
                match view {
                    View::New => r#","outputView":"NEW_IMAGE","exportType":"INCREMENTAL_EXPORT""#,
                    View::NewAndOld => r#","outputView":"NEW_AND_OLD_IMAGES","exportType":"INCREMENTAL_EXPORT""#,
                },
            ),
        };
        // An incremental export is never billed for less.
        let size = if self.window.is_some() { size.max(10_000_000) } else { size };
        format!(
            concat!(
                r#"{{"version":"{version}","exportArn":"{TABLES}/{table}/export/{id}","#,
                r#""startTime":"{started}","endTime":"{ended}","tableArn":"{TABLES}/{table}","#,
                r#""tableId":"{table_id}",{time},"s3Bucket":"{BUCKET}","#,
                r#""s3Prefix":{prefix},"s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,"#,
                r#""manifestFilesS3Key":"{folder}/manifest-files.json","#,
                r#""billedSizeBytes":{size},"itemCount":{items},"#,
                r#""outputFormat":"{format}"{kind}}}"#
            ),
            version = version,
            TABLES = TABLES,
            BUCKET = BUCKET,
            table = table,
            id = id,
            started = started,
            ended = ended,
            table_id = table_id,
            time = time,
            prefix = prefix,
            folder = folder,
            size = size,
            items = items,
            kind = kind,
            format = if self.format == Format::Ion { "ION" } else { "DYNAMODB_JSON" },
        )
    }
}

/// manifest-files.json
pub fn manifest_files(files: &[DataFile]) -> String {
    let mut lines = String::new();
    for DataFile { key, items, md5 } in files {
        // Writing into a String cannot fail.
        let _ = writeln!(
            lines,
            r#"{{"itemCount":{items},"md5Checksum":"{}","etag":"{}","dataFileS3Key":"{key}"}}"#,
            BASE64.encode(md5),
            etag(md5)
        );
    }
    lines
}

/// The text of a `.md5` file: 24 characters, no newline.
pub fn checksum(content: &[u8]) -> String {
    BASE64.encode(Md5::digest(content))
}

/// S3's etag of an object that was uploaded as one part: the MD5 of the parts' raw MD5s, then
/// `-` and their number.
fn etag(md5: &[u8; 16]) -> String {
    let mut text = String::with_capacity(34);
    for byte in Md5::digest(md5) {
        let _ = write!(text, "{byte:02x}");
    }
    text + "-1"
}

/// Lower-case base32 without padding: 26 characters for 16 bytes, the last carries 3 bits.
fn base32(bytes: [u8; 16]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let number = u128::from_be_bytes(bytes);
    let group = |n: u32| {
        if n < 25 { number >> (123 - 5 * n) } else { number << 2 }
    };
    (0..26).map(|n| char::from(DIGITS[(group(n) & 31) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(prefix: Option<&str>) -> Export {
        Export::new(&mut Rng::new(1, 0), "Shop", Format::DynamodbJson, prefix.map(String::from), None)
    }

    #[test]
    fn the_checksums_of_an_empty_data_file_are_those_of_real_exports() {
        let empty = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let md5 = Md5::digest(empty).into();
        assert_eq!(checksum(&empty), "FjvgqIxwymKf1RbbqtrZag==");
        assert_eq!(etag(&md5), "7deb4078f238dd87d6af0538152c04e9-1");
        let file = DataFile { key: "AWSDynamoDB/x/data/y.json.gz".into(), items: 0, md5 };
        assert_eq!(
            manifest_files(&[file.clone(), file]),
            concat!(
                r#"{"itemCount":0,"md5Checksum":"FjvgqIxwymKf1RbbqtrZag==","#,
                r#""etag":"7deb4078f238dd87d6af0538152c04e9-1","#,
                r#""dataFileS3Key":"AWSDynamoDB/x/data/y.json.gz"}"#,
                "\n",
                r#"{"itemCount":0,"md5Checksum":"FjvgqIxwymKf1RbbqtrZag==","#,
                r#""etag":"7deb4078f238dd87d6af0538152c04e9-1","#,
                r#""dataFileS3Key":"AWSDynamoDB/x/data/y.json.gz"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn the_etag_of_a_file_in_a_real_export() {
        let mut md5 = [0; 16];
        BASE64.decode_slice("rzAeIrtALbOlNdK5Hh8tgA==", &mut md5).unwrap();
        assert_eq!(etag(&md5), "d1663e415aedcbf3c4977cde7002d2bf-1");
    }

    #[test]
    fn an_export_id_is_the_start_in_milliseconds_and_eight_hex_digits() {
        for seed in 0..50 {
            let export = Export::new(&mut Rng::new(seed, 0), "Shop", Format::DynamodbJson, None, None);
            let (millis, random) = export.id.split_once('-').unwrap();
            assert_eq!((millis.len(), random.len()), (14, 8));
            assert!(random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            let start = iso_millis(millis.parse().unwrap());
            assert!(export.summary(0, 0).contains(&format!("\"startTime\":\"{start}\"")));
        }
    }

    #[test]
    fn data_keys_decode_to_sixteen_bytes() {
        assert_eq!(base32([0; 16]), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(base32([0xFF; 16]), "77777777777777777777777774");
        // RFC 4648: "foobar" is MZXW6YTBOI
        assert!(base32(*b"foobar\0\0\0\0\0\0\0\0\0\0").starts_with("mzxw6ytboi"));
    }

    #[test]
    fn a_prefix_is_kept_as_given_and_joined_with_one_slash() {
        let id = export(None).id;
        assert_eq!(export(None).folder(), format!("AWSDynamoDB/{id}"));
        assert_eq!(export(Some("a/b")).folder(), format!("a/b/AWSDynamoDB/{id}"));
        assert_eq!(export(Some("a/b/")).folder(), format!("a/b/AWSDynamoDB/{id}"));
        assert!(export(None).summary(1, 2).contains(r#""s3Prefix":null,"#));
        assert!(export(Some("a/b/")).summary(1, 2).contains(r#""s3Prefix":"a/b/","#));
    }

    #[test]
    fn the_fields_of_a_summary_in_their_order() {
        let summary = export(None).summary(3, 19);
        let mut rest = summary.as_str();
        for name in [
            "version",
            "exportArn",
            "startTime",
            "endTime",
            "tableArn",
            "tableId",
            "exportTime",
            "s3Bucket",
            "s3Prefix",
            "s3SseAlgorithm",
            "s3SseKmsKeyId",
            "manifestFilesS3Key",
            "billedSizeBytes",
            "itemCount",
            "outputFormat",
        ] {
            let found = rest.find(&format!("\"{name}\":")).unwrap();
            assert!(found <= 1 || rest[..found].ends_with(','), "{name}");
            rest = &rest[found + 1..];
        }
        assert!(summary.starts_with(r#"{"version":"2020-06-30","#));
        assert!(summary.ends_with(r#","itemCount":3,"outputFormat":"DYNAMODB_JSON"}"#));
    }

    #[test]
    fn an_incremental_export_says_its_window_and_shares_its_data_folder() {
        let incremental = |view| Export::new(&mut Rng::new(1, 0), "Shop", Format::Ion, Some("a".into()), Some(view));
        let (export, base) = (incremental(View::NewAndOld), export(None));
        assert!(export.data_key(&mut Rng::new(1, 1), ".ion.gz").starts_with("a/AWSDynamoDB/data/"));
        assert_eq!(export.folder(), format!("a/AWSDynamoDB/{}", export.id));
        assert_eq!(&export.id[11..15], "000-");
        let summary = export.summary(3, 19);
        assert!(summary.starts_with(r#"{"version":"2023-08-01","#));
        let window = export.window().unwrap();
        assert_eq!(window.from, base.started / 1000 * 1000);
        let (from, to) = (iso_millis(window.from), iso_millis(window.to));
        let id = &base.table_id;
        assert!(summary.contains(&format!(r#""tableId":"{id}","exportFromTime":"{from}","exportToTime":"{to}","s3Bucket":"#)));
        assert!(summary.ends_with(concat!(
            r#","billedSizeBytes":10000000,"itemCount":3,"outputFormat":"ION","#,
            r#""outputView":"NEW_AND_OLD_IMAGES","exportType":"INCREMENTAL_EXPORT"}"#
        )));
        assert!(incremental(View::New).summary(3, 19).contains(r#""outputView":"NEW_IMAGE","#));
    }
}
