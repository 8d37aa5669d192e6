//! The notation of Amazon Ion, byte for byte as ion-java's text writer has it, which the
//! service uses: numbers always decimals (an integer makes an import fail), sets annotated
//! lists, names quoted only where they must be.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output.Data.ION>

use crate::event::Kind;
use crate::format::encode::{self, Notation};
use crate::number::Number;

/// Amazon Ion: `$ion_1_0 {Item:{pk:"x"}}`.
#[derive(Debug, Default)]
pub struct Ion;

/// Items → lines of Ion.
pub type ItemEncoder = encode::ItemEncoder<Ion>;

impl Notation for Ion {
    const BEGIN_ITEM: &'static [u8] = b"$ion_1_0 {Item:{";
    const CHANGE: [&'static [u8]; 2] = [b"$ion_1_0 {Record:{", b"}}\n"];
    const NULL: &'static [u8] = b"null";

    fn begin(out: &mut Vec<u8>, kind: Kind) {
        if kind.member().is_some() {
            out.extend_from_slice(b"$dynamodb_");
            out.extend_from_slice(kind.descriptor().as_bytes());
            out.extend_from_slice(b"::");
        }
    }
    fn end(_out: &mut Vec<u8>) {}
    fn name(out: &mut Vec<u8>, name: &str) {
        if is_bare(name) {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_quoted(out, name, b'\'');
        }
        out.push(b':');
    }
    fn string(out: &mut Vec<u8>, value: &str) {
        write_quoted(out, value, b'"');
    }
    fn number(out: &mut Vec<u8>, value: Number) {
        write_decimal(out, value);
    }
    fn binary(out: &mut Vec<u8>, value: &[u8]) {
        out.extend_from_slice(b"{{");
        encode::write_base64(out, value);
        out.extend_from_slice(b"}}");
    }
}

/// Whether a name needs no quotes: an identifier that is no keyword and no symbol's number.
fn is_bare(name: &str) -> bool {
    let mut bytes = name.bytes();
    let identifier = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'));
    let digits = name.strip_prefix('$').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    identifier && !digits && !matches!(name, "null" | "true" | "false" | "nan")
}

/// Writes a string or symbol in these quotes.
fn write_quoted(out: &mut Vec<u8>, text: &str, quote: u8) {
    out.push(quote);
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // DEL, and the control characters U+0080 to U+009F, which begin with 0xc2.
        let control = byte < 0x20 || byte == 0x7f || byte == 0xc2 && bytes[at + 1] < 0xa0;
        if !control && byte != quote && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0b => out.extend_from_slice(b"\\v"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ if byte == quote || byte == b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0xc2 => {
                out.extend_from_slice(format!("\\x{:02x}", bytes[at + 1]).as_bytes());
                start = at + 2;
            }
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(quote);
}

/// Writes a decimal without trailing zeros: `103.`, `6d2`, `100.5`, `1d-7`. A number is written
/// out down to 0.000001.
fn write_decimal(out: &mut Vec<u8>, value: Number) {
    const SMALLEST_WRITTEN_OUT: i32 = -6;
    let (digits, exponent) = value.stripped();
    let text = digits.unsigned_abs().to_string();
    let magnitude = i32::from(exponent) + text.len() as i32 - 1;
    if exponent < 0 && magnitude >= SMALLEST_WRITTEN_OUT {
        value.write_to(out);
        return;
    }
    if digits < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(text.as_bytes());
    if exponent == 0 {
        out.push(b'.');
    } else {
        out.extend_from_slice(format!("d{exponent}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    /// What ion-java 1.8.3 wrote for `BigDecimal.stripTrailingZeros`.
    #[test]
    fn decimals_are_ion_javas() {
        for (number, expected) in [
            ("0", "0."),
            ("-0", "0."),
            ("1", "1."),
            ("10", "1d1"),
            ("600", "6d2"),
            ("2000", "2d3"),
            ("103", "103."),
            ("100.5", "100.5"),
            ("0.1", "0.1"),
            ("0.05", "0.05"),
            ("0.123", "0.123"),
            ("1.5", "1.5"),
            ("-17.5", "-17.5"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1d-7"),
            ("0.00000012", "12d-8"),
            ("1E-130", "1d-130"),
            ("9.99E125", "999d123"),
            ("1E125", "1d125"),
            ("-6e2", "-6d2"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678."),
            ("1702062202420", "170206220242d1"),
        ] {
            let number = Number::parse(number.as_bytes()).expect("a number");
            assert_eq!(written(|out| write_decimal(out, number)), expected);
        }
    }

    /// What ion-java 1.8.3 wrote for a struct with odd names and characters.
    #[test]
    fn text_is_ion_javas() {
        let names = ["pk", "weird name", "it's", "null", "$dollar", "$10", "1abc", "a.b", "a-b", "", "é", "_u", "n\nl", "nan", "true", "$"];
        let found = names.map(|name| written(|out| Ion::name(out, name)));
        assert_eq!(found.concat(), "pk:'weird name':'it\\'s':'null':$dollar:'$10':'1abc':'a.b':'a-b':'':'é':_u:'n\\nl':'nan':'true':$:");
        let text = "q\" b\\ n\n r\r t\t \0 \u{1} \u{1f} \u{7f} \u{85} é 🦑 / ' \u{2028}";
        let expected = "\"q\\\" b\\\\ n\\n r\\r t\\t \\0 \\x01 \\x1f \\x7f \\x85 é 🦑 / ' \u{2028}\"";
        assert_eq!(written(|out| Ion::string(out, text)), expected);
        assert_eq!(written(|out| Ion::binary(out, b"hello")), "{{aGVsbG8=}}");
        assert_eq!(written(|out| Ion::binary(out, b"")), "{{}}");
    }
}
