//! Legacy dumps: what AWS Data Pipeline ("Export DynamoDB table to S3") and the EMR DynamoDB
//! connector wrote, and what that connector still restores.
//! <https://github.com/awslabs/emr-dynamodb-connector>
//!
//! A dump is a folder: a [`manifest`](crate::manifest::legacy) that names the data files, or none,
//! and then every file is data. A line is an item, in one of two forms:
//!
//! - JSON without a wrapper, whose type descriptors have a lower-case first letter
//!   (`{"id":{"n":"103"},"tags":{"sS":["a"]},"gone":{"nULL":true}}`). A NULL is `nULL` since the
//!   connector of March 2023, `nULLValue` before. The connector compares descriptors without
//!   regard to case, and so does the reader here.
//! - What older pipelines wrote through Hive: names without quotes, ETX (0x03) between name and
//!   value, STX (0x02) between attributes (`id^C{"n":"103"}^Btags^C{"sS":["a"]}`). A name ends at
//!   the first ETX and holds no STX and no newline: that is all that this form cannot carry,
//!   beside white space before the first name and an item without attributes. In strings of
//!   values both bytes may stand as they are; the connector makes `,` and `:` of them.
//!
//! Blank lines are passed over. Empty sets, lists and maps are kept; the connector reads them as
//! values without a type.

pub mod detect;
mod encode;

pub use detect::is_legacy;

use super::json::descriptor::{Descriptors, Openings};
use crate::event::Kind;

/// Between two attributes.
pub const STX: u8 = 2;
/// Between a name and its value.
pub const ETX: u8 = 3;

/// The notation of legacy dumps: `{"pk":{"s":"x"}}`.
#[derive(Debug, Default)]
pub struct Legacy;

impl Descriptors for Legacy {
    const OPENINGS: Openings = Openings::new([
        b"{\"s\":\"",
        b"{\"n\":\"",
        b"{\"b\":\"",
        b"{\"b\":",
        b"{\"m\":",
        b"{\"l\":",
        b"{\"sS\":",
        b"{\"nS\":",
        b"{\"bS\":",
        b"{\"bOOL\":",
        b"{\"nULL\":",
    ]);
    const LEGACY: bool = true;

    fn kind(descriptor: &str) -> Option<Kind> {
        if descriptor.eq_ignore_ascii_case(OLD_NULL) {
            return Some(Kind::Null);
        }
        Kind::ALL.into_iter().find(|kind| kind.descriptor().eq_ignore_ascii_case(descriptor))
    }
}

/// A NULL as the connector wrote it before March 2023: the name of a field of the SDK's class.
const OLD_NULL: &str = "nULLValue";

/// A descriptor as dumps have it.
const fn descriptor(kind: Kind) -> &'static str {
    match kind {
        Kind::S => "s",
        Kind::N => "n",
        Kind::B => "b",
        Kind::Bool => "bOOL",
        Kind::M => "m",
        Kind::L => "l",
        Kind::SS => "sS",
        Kind::NS => "nS",
        Kind::BS => "bS",
        Kind::Null => "nULL",
    }
}
