//! The table spec: what `ImportTable` is asked for, as the JSON document of
//! `aws dynamodb import-table --cli-input-json`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html>
//!
//! A document is checked as AWS checks it, in three tiers, each in the words of who says it: members
//! and types that the AWS CLI itself refuses, the constraints of each member, and the rules that
//! hold between members. AWS stops at the first tier with findings, and within the last at the
//! first of them; here all are found at once, and [`answer`] says what AWS would.

mod rules;
mod shape;
mod short;

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use crate::codec::Codec;
use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::format::SourceFormat;

/// Who refuses a request, and so what the message looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The AWS CLI: a member that the request does not have, a value of another type.
    Client,
    /// The service: a member that is required, or whose value is not within its constraints.
    Constraint,
    /// The service: members that do not go together.
    Rule,
}

/// Something that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFinding {
    /// Who refuses it.
    pub tier: Tier,
    /// The member, as the service writes its path: `tableCreationParameters.keySchema.1.member.keyType`.
    pub member: String,
    /// What is said of it.
    pub message: String,
}

impl fmt::Display for SpecFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What AWS answers to a request with these findings; `None` where there are none.
///
/// Violated constraints stand in one message (`2 validation errors detected: …; …`), in the model's order;
/// of the rules the first is said.
pub fn answer(findings: &[SpecFinding]) -> Option<String> {
    let tier = findings.iter().map(|finding| finding.tier).min()?;
    let messages: Vec<_> = findings.iter().filter(|finding| finding.tier == tier).map(|finding| &*finding.message).collect();
    Some(match tier {
        Tier::Client => format!("Parameter validation failed:\n{}", messages.join("\n")),
        Tier::Constraint => {
            let plural = if messages.len() == 1 { "" } else { "s" };
            format!("{} validation error{plural} detected: {}", messages.len(), messages.join("; "))
        }
        Tier::Rule => messages.first()?.to_string(),
    })
}

/// A format that is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// DynamoDB JSON.
    DynamodbJson,
    /// Amazon Ion, text.
    Ion,
    /// CSV.
    Csv,
}

impl InputFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::DynamodbJson, Self::Ion, Self::Csv];

    /// The names of all formats, as sources have them.
    pub const NAMES: &[&str] = &["dynamodb_json", "ion", "csv"];

    /// The ending of a file's name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::DynamodbJson => "json",
            Self::Ion => "ion",
            Self::Csv => "csv",
        }
    }

    /// The format as that of a source.
    pub const fn source(self) -> SourceFormat {
        match self {
            Self::DynamodbJson => SourceFormat::DynamodbJson,
            Self::Ion => SourceFormat::Ion,
            Self::Csv => SourceFormat::Csv,
        }
    }

    /// The format's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DynamodbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
            Self::Csv => "CSV",
        }
    }
}

impl FromStr for InputFormat {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.source().as_str() == text)
            .ok_or_else(|| Error::usage(format!("an import reads dynamodb_json, ion and csv, not {text:?}")))
    }
}

/// How CSV is read.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CsvOptions.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What parts the cells: `,` `;` `:` `|`, a tab or a space.
    pub delimiter: u8,
    /// The names of the columns; without them the first line of each object is a header.
    pub header_list: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', header_list: None }
    }
}

/// What of an item stands in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    /// The whole item.
    All,
    /// Its keys.
    KeysOnly,
    /// Its keys, and these attributes.
    Include(Vec<String>),
}

/// A global secondary index. Its keys may have up to four attributes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalSecondaryIndex {
    /// Its name.
    pub name: String,
    /// The attributes of its partition key.
    pub partition_key: Vec<String>,
    /// The attributes of its sort key.
    pub sort_key: Vec<String>,
    /// What of an item stands in it.
    pub projection: Projection,
}

/// A vector index: of an item that has the attribute, it has to be a list of so many numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorIndex {
    /// Its name.
    pub name: String,
    /// The attribute that holds the vector.
    pub attribute: String,
    /// The vector's elements.
    pub dimensions: u64,
    /// The attributes of its search schema.
    pub search: Vec<String>,
}

/// A request of `ImportTable`, or as much of it as is known.
///
/// [`Self::from_json`] gives one that is complete and that AWS would take, [`Self::short`] one of which only the
/// key is known. The fields say what stands in the [document](Self::to_json), and the methods `with_…`
/// change both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// The table's name.
    pub table_name: Option<String>,
    /// The attributes of keys, and their types: S, N or B.
    pub attributes: Vec<(String, Kind)>,
    /// The attribute that is the partition key.
    pub partition_key: String,
    /// The attribute that is the sort key.
    pub sort_key: Option<String>,
    /// The global secondary indexes.
    pub indexes: Vec<GlobalSecondaryIndex>,
    /// The vector indexes.
    pub vector_indexes: Vec<VectorIndex>,
    /// The bucket that the objects are in.
    pub bucket: Option<String>,
    /// What the keys of the objects begin with: a plain string, no folder.
    pub prefix: Option<String>,
    /// The format; unknown in the short form.
    pub format: Option<InputFormat>,
    /// How CSV is read.
    pub csv: CsvOptions,
    /// The compression, `NONE` unless another is given; unknown in the short form.
    pub compression: Option<Codec>,
    document: Value,
}

impl TableSpec {
    /// The spec in a document, or all that is wrong with it.
    ///
    /// ```
    /// use dynarrow::import::{TableSpec, spec::answer};
    ///
    /// let findings = TableSpec::from_json(&serde_json::json!({
    ///     "S3BucketSource": {"S3Bucket": "orders"},
    ///     "InputFormat": "DYNAMODB_JSON",
    ///     "InputCompressionType": "BZIP2",
    ///     "TableCreationParameters": {
    ///         "TableName": "orders",
    ///         "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    ///         "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    ///         "BillingMode": "PAY_PER_REQUEST"
    ///     }
    /// }))
    /// .unwrap_err();
    /// assert_eq!(
    ///     answer(&findings).as_deref(),
    ///     Some("1 validation error detected: Value 'BZIP2' at 'inputCompressionType' failed to satisfy constraint: \
    ///           Member must satisfy enum value set: [ZSTD, NONE, GZIP]")
    /// );
    /// ```
    pub fn from_json(document: &Value) -> Result<Self, Vec<SpecFinding>> {
        let mut findings = shape::check(document);
        rules::check(document, &mut findings);
        if findings.is_empty() { Ok(Self::of(document.clone())) } else { Err(findings) }
    }

    /// The spec in a document's text. The error has all that is wrong with it, and what AWS would answer.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let refused = |message: String| Error::new(Code::TableSpec, message);
        let document = serde_json::from_slice(text).map_err(|error| refused(format!("no JSON: {error}")))?;
        Self::from_json(&document).map_err(|findings| {
            let said = answer(&findings).unwrap_or_default();
            // AWS says the first of them, or those of one kind.
            let others: Vec<_> = findings.iter().map(|finding| &*finding.message).filter(|message| !said.contains(message)).collect();
            let others = if others.is_empty() { String::new() } else { format!(" (and then: {})", others.join("; ")) };
            refused(format!("AWS would refuse the request: {said}{others}"))
        })
    }

    /// The spec in a file.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read(path: &std::path::Path) -> Result<Self> {
        let shown = path.display().to_string();
        let text = std::fs::read(path).map_err(|e| Error::io(&shown, &e))?;
        Self::parse(&text).map_err(|error| error.in_file(shown))
    }

    /// The document, its members in the order of the API's reference.
    pub fn to_json(&self) -> Value {
        let member = |name: &str| self.document.get(name).map(|value| (name.to_owned(), value.clone()));
        shape::REQUEST.iter().filter_map(|known| member(known.name)).collect::<Map<_, _>>().into()
    }

    /// The type of an attribute that is in a key.
    pub fn kind(&self, attribute: &str) -> Option<Kind> {
        self.attributes.iter().find(|(name, _)| name == attribute).map(|(_, kind)| *kind)
    }

    /// The same for a table of this name.
    #[must_use]
    pub fn with_table_name(self, name: &str) -> Self {
        self.with(|document| document["TableCreationParameters"]["TableName"] = name.into())
    }

    /// The same with objects elsewhere: in this bucket, their keys beginning with this.
    #[must_use]
    pub fn with_source(self, bucket: Option<&str>, prefix: Option<&str>) -> Self {
        let members = [("S3Bucket", bucket), ("S3KeyPrefix", prefix)].into_iter();
        let source: Map<_, _> = members.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        self.with(|document| document["S3BucketSource"] = source.into())
    }

    /// The same for objects whose keys begin with this, where that is said.
    #[must_use]
    pub fn with_prefix(self, prefix: Option<&str>) -> Self {
        let bucket = self.bucket.clone();
        if prefix.is_some() { self.with_source(bucket.as_deref(), prefix) } else { self }
    }

    /// The same for objects of this format and compression. The options are CSV's.
    #[must_use]
    pub fn with_input(self, format: InputFormat, csv: &CsvOptions, compression: Codec) -> Self {
        self.with(|document| {
            document["InputFormat"] = format.as_str().into();
            document["InputCompressionType"] = compression_name(compression).into();
            let mut options = Map::new();
            let standard = CsvOptions::default();
            if csv.delimiter != standard.delimiter {
                options.insert("Delimiter".into(), char::from(csv.delimiter).to_string().into());
            }
            if let Some(header) = &csv.header_list {
                options.insert("HeaderList".into(), header.clone().into());
            }
            if format == InputFormat::Csv && !options.is_empty() {
                document["InputFormatOptions"] = json!({"Csv": options});
            } else if let Some(document) = document.as_object_mut() {
                document.shift_remove("InputFormatOptions");
            }
        })
    }

    fn with(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        edit(&mut self.document);
        Self::of(self.document)
    }

    /// What a document says in which nothing is wrong, though members may be missing.
    fn of(document: Value) -> Self {
        let table = &document["TableCreationParameters"];
        let (source, csv) = (&document["S3BucketSource"], &document["InputFormatOptions"]["Csv"]);
        let attribute =
            |definition: &Value| Some((text(&definition["AttributeName"])?, Kind::from_descriptor(definition["AttributeType"].as_str()?)?));
        let format = InputFormat::ALL.into_iter().find(|format| document["InputFormat"] == format.as_str());
        let compression = match document["InputCompressionType"].as_str() {
            Some("GZIP") => Some(Codec::Gzip),
            Some("ZSTD") => Some(Codec::Zstd),
            Some(_) => Some(Codec::None),
            None => format.map(|_| Codec::None),
        };
        Self {
            table_name: text(&table["TableName"]),
            attributes: all(&table["AttributeDefinitions"], attribute),
            partition_key: key(&table["KeySchema"], "HASH").into_iter().next().unwrap_or_default(),
            sort_key: key(&table["KeySchema"], "RANGE").into_iter().next(),
            indexes: all(&table["GlobalSecondaryIndexes"], GlobalSecondaryIndex::of),
            vector_indexes: all(&table["VectorIndexes"], VectorIndex::of),
            bucket: text(&source["S3Bucket"]),
            prefix: text(&source["S3KeyPrefix"]),
            format,
            csv: CsvOptions {
                delimiter: csv["Delimiter"].as_str().and_then(|text| text.bytes().next()).unwrap_or(b','),
                header_list: csv["HeaderList"].is_array().then(|| all(&csv["HeaderList"], text)),
            },
            compression,
            document,
        }
    }
}

impl GlobalSecondaryIndex {
    fn of(index: &Value) -> Option<Self> {
        let projection = &index["Projection"];
        Some(Self {
            name: text(&index["IndexName"])?,
            partition_key: key(&index["KeySchema"], "HASH"),
            sort_key: key(&index["KeySchema"], "RANGE"),
            projection: match projection["ProjectionType"].as_str()? {
                "ALL" => Projection::All,
                "KEYS_ONLY" => Projection::KeysOnly,
                _ => Projection::Include(all(&projection["NonKeyAttributes"], text)),
            },
        })
    }
}

impl VectorIndex {
    fn of(index: &Value) -> Option<Self> {
        Some(Self {
            name: text(&index["IndexName"])?,
            attribute: text(&index["VectorAttribute"]["AttributeName"])?,
            dimensions: index["Dimensions"].as_u64()?,
            search: all(&index["SearchSchema"], |element| text(&element["AttributeName"])),
        })
    }
}

/// A compression's name in the API.
pub const fn compression_name(compression: Codec) -> &'static str {
    match compression {
        Codec::None => "NONE",
        Codec::Gzip => "GZIP",
        Codec::Zstd => "ZSTD",
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn all<T>(list: &Value, of: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    list.as_array().into_iter().flatten().filter_map(of).collect()
}

/// The attributes of one type in a key schema.
fn key(schema: &Value, role: &str) -> Vec<String> {
    all(schema, |element| if element["KeyType"] == role { text(&element["AttributeName"]) } else { None })
}

#[cfg(test)]
mod tests;
