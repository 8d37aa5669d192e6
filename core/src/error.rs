//! The one error of this crate.
//!
//! Every failure, in every language, carries a [`Code`] and as much of its position as is
//! known: file, line (from 1), byte (from 0, in the decompressed file), item (from 0, in
//! its file, bad records counted) and attribute path (`a.b[].c`).

use std::fmt;

/// What kind of failure an error is: decides the exit code of the command and the
/// exception class in the bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// A wrong argument, or inputs that do not go together (exit code 2).
    Usage,
    /// A source or destination that cannot be opened, read or written (exit code 3).
    Storage,
    /// Bad data (exit code 4).
    Data,
    /// Stopped by the user (exit code 130).
    Interrupted,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $class:ident;)*) => {
        /// The code of an error, stable across versions and languages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code's text, `E_…`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The class of the failure.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }
        }
    };
}

codes! {
    /// An option or argument that makes no sense.
    Usage = "E_USAGE", Usage;
    /// `columns=` names an attribute that no item has.
    Column = "E_COLUMN", Usage;
    /// A schema document that cannot be understood.
    Schema = "E_SCHEMA", Usage;
    /// An incremental export where a full one is read.
    Incremental = "E_INCREMENTAL", Usage;
    /// A full export where an incremental one is read.
    FullExport = "E_FULL_EXPORT", Usage;
    /// Old images are asked of an export that has none.
    View = "E_VIEW", Usage;
    /// Exports of different tables.
    OtherTable = "E_OTHER_TABLE", Usage;
    /// A base of which nobody knows the table or the time.
    BaseUnknown = "E_BASE_UNKNOWN", Usage;
    /// A time that no incremental export covers.
    Gap = "E_GAP", Usage;
    /// A folder that holds several exports: one has to be named.
    SeveralExports = "E_SEVERAL_EXPORTS", Usage;
    /// A name of a column that Athena cannot resolve.
    AthenaName = "E_ATHENA_NAME", Usage;
    /// A table spec that AWS would refuse.
    TableSpec = "E_TABLE_SPEC", Usage;
    /// A compression that this build cannot read or write.
    Codec = "E_CODEC", Usage;
    /// A value that a frozen schema has no place for, and `extra="error"`.
    Extra = "E_EXTRA", Data;
    /// `mixed="error"` and a path with several types.
    Mixed = "E_MIXED", Data;
    /// The source does not exist.
    NotFound = "E_NOT_FOUND", Storage;
    /// Reading or writing failed.
    Io = "E_IO", Storage;
    /// The destination holds something that is not to be overwritten.
    DestExists = "E_DEST_EXISTS", Storage;
    /// The source changed while it was read.
    Changed = "E_CHANGED", Storage;
    /// Bytes in no format that is known here.
    Format = "E_FORMAT", Data;
    /// A manifest that cannot be understood.
    Manifest = "E_MANIFEST", Data;
    /// A key in a manifest that leaves the export's root.
    Key = "E_KEY", Data;
    /// A file that the manifest names and that is not there.
    FileMissing = "E_FILE_MISSING", Data;
    /// A file with another number of items than the manifest says.
    ItemCount = "E_ITEM_COUNT", Data;
    /// A file with another MD5 than the manifest says.
    Md5 = "E_MD5", Data;
    /// An etag that does not follow from the file's MD5.
    Etag = "E_ETAG", Data;
    /// A gzip or zstd stream that is broken.
    Compression = "E_COMPRESSION", Data;
    /// A gzip or zstd stream, a JSON document, a list of Ion records, or binary Ion, that ends too early.
    Truncated = "E_TRUNCATED", Data;
    /// Broken JSON.
    Json = "E_JSON", Data;
    /// Broken Ion.
    Ion = "E_ION", Data;
    /// An Ion version marker other than 1.0.
    IonVersion = "E_ION_VERSION", Data;
    /// An Ion value that no DynamoDB value is: a timestamp, an s-expression, a symbol without
    /// text, a float that is no number of 38 digits.
    IonType = "E_ION_TYPE", Data;
    /// An Ion annotation that is unknown, or that does not fit its value.
    Annotation = "E_ANNOTATION", Data;
    /// Broken CSV: a quote or carriage return where none may be, a cell that its column's type does
    /// not take.
    Csv = "E_CSV", Data;
    /// A record of CSV with another number of columns than the header.
    CsvColumns = "E_CSV_COLUMNS", Data;
    /// A header of CSV whose names are empty or not distinct.
    CsvHeader = "E_CSV_HEADER", Data;
    /// A byte order mark.
    ByteOrderMark = "E_BYTE_ORDER_MARK", Data;
    /// Bytes that are not UTF-8.
    Utf8 = "E_UTF8", Data;
    /// JSON or Ion that is not an item: no object or struct, no `Item`.
    Record = "E_RECORD", Data;
    /// A record with members beside its `Item`.
    BesideItem = "E_BESIDE_ITEM", Data;
    /// A record past the size limit.
    RecordSize = "E_RECORD_SIZE", Data;
    /// An item without its key attributes, or a change whose key is another than its image's.
    Keys = "E_KEYS", Data;
    /// A type descriptor that is unknown, missing or not alone, or whose value is of another kind.
    Descriptor = "E_DESCRIPTOR", Data;
    /// A set with a member that comes twice (by value), or that is of another type.
    Set = "E_SET", Data;
    /// An attribute that comes twice in one object.
    DuplicateAttribute = "E_DUPLICATE_ATTRIBUTE", Data;
    /// A number that is none, or past DynamoDB's range or precision.
    Number = "E_NUMBER", Data;
    /// Binary that is not base64.
    Base64 = "E_BASE64", Data;
    /// Values nested past the limit.
    Nesting = "E_NESTING", Data;
    /// An item that `ImportTable` would not import.
    Import = "E_IMPORT", Data;
    /// More attribute paths than `max_paths`.
    TooManyPaths = "E_TOO_MANY_PATHS", Data;
    /// A value that cannot name a folder of `partition_by` or `split_by`.
    Partition = "E_PARTITION", Data;
    /// More folders than `max_partitions`.
    TooManyPartitions = "E_TOO_MANY_PARTITIONS", Data;
    /// Stopped by the user.
    Interrupted = "E_INTERRUPTED", Interrupted;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with its code and position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    file: Option<String>,
    line: Option<u64>,
    byte: Option<u64>,
    item: Option<u64>,
    path: Option<String>,
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a position.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), file: None, line: None, byte: None, item: None, path: None }))
    }

    /// A wrong argument.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// A failed read or write of `what`.
    pub fn io(what: &str, error: &std::io::Error) -> Self {
        let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::Io };
        Self::new(code, error.to_string()).in_file(what)
    }

    /// The same error, in a file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.file = Some(file.into());
        self
    }

    /// The same error, at a line (from 1) and byte (from 0) of its decompressed file.
    #[must_use]
    pub fn at(mut self, line: u64, byte: u64) -> Self {
        self.0.line = Some(line);
        self.0.byte = Some(byte);
        self
    }

    /// The same error, at an item (from 0) of its file.
    #[must_use]
    pub fn at_item(mut self, item: u64) -> Self {
        self.0.item = Some(item);
        self
    }

    /// The same error, at an attribute path.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<String>) -> Self {
        self.0.path = Some(path.into());
        self
    }

    /// The error's code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, without code and position. Control characters are escaped.
    pub fn message(&self) -> String {
        printable(&self.0.message)
    }

    /// The file, as the manifest or the caller names it.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The line in the decompressed file, from 1.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// The byte in the decompressed file, from 0.
    pub fn byte(&self) -> Option<u64> {
        self.0.byte
    }

    /// The item in its file, from 0, bad records counted.
    pub fn item(&self) -> Option<u64> {
        self.0.item
    }

    /// The attribute path, `a.b[].c`.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.message())?;
        let mut lead = " (";
        let mut part = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            let result = write!(f, "{lead}{name} {value}");
            lead = ", ";
            result
        };
        if let Some(file) = &self.0.file {
            part(f, "file", &printable(file))?;
        }
        if let Some(line) = self.0.line {
            part(f, "line", &line)?;
        }
        if let Some(byte) = self.0.byte {
            part(f, "byte", &byte)?;
        }
        if let Some(item) = self.0.item {
            part(f, "item", &item)?;
        }
        if let Some(path) = &self.0.path {
            part(f, "attribute", &printable(path))?;
        }
        if lead == ", " { f.write_str(")") } else { Ok(()) }
    }
}

impl std::error::Error for Error {}

/// The text with control characters escaped: a NUL in an error text that crosses the Arrow
/// C stream interface aborts the process on the other side, and terminals obey the rest.
pub fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_code_message_and_position() {
        let error = Error::new(Code::Number, "no number: \"1\0x\"").in_file("data/a.json.gz").at(3, 120).at_item(2).at_path("a.b[]");
        assert_eq!(error.to_string(), "E_NUMBER: no number: \"1\\u{0}x\" (file data/a.json.gz, line 3, byte 120, item 2, attribute a.b[])");
        assert_eq!(Error::usage("no").to_string(), "E_USAGE: no");
    }

    #[test]
    fn codes_are_distinct() {
        let texts: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
