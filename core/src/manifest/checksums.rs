//! The checksums of an export: MD5, as base64 in manifests and as hex in etags.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// The MD5 of the bytes, base64.
pub fn md5_base64(bytes: &[u8]) -> String {
    md5_text(&Md5::digest(bytes).into())
}

/// An MD5 as base64.
pub fn md5_text(md5: &[u8; 16]) -> String {
    STANDARD.encode(md5)
}

/// The ETag that S3 gives an object uploaded in one part: hex of the MD5 of the part's MD5,
/// and the number of parts.
pub fn etag_of(md5: &[u8; 16]) -> String {
    let mut etag: String = Md5::digest(md5).iter().map(|byte| format!("{byte:02x}")).collect();
    etag.push_str("-1");
    etag
}

/// The bytes of a base64 MD5, if it is one.
pub fn decode_md5(text: &str) -> Option<[u8; 16]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 20 bytes of gzip that AWS writes for an empty partition, and what its manifest says of them.
    #[test]
    fn checksums_are_those_of_aws() {
        let empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(md5_base64(&empty), "FjvgqIxwymKf1RbbqtrZag==");
        let md5 = decode_md5("FjvgqIxwymKf1RbbqtrZag==").expect("an MD5");
        assert_eq!(etag_of(&md5), "7deb4078f238dd87d6af0538152c04e9-1");
    }
}
