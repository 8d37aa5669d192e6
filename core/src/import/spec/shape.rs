//! The shapes of the request, and their constraints.
//!
//! What is required, lengths, ranges, patterns and enumerations are those of the service's model
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html>). The
//! order in which the values of an enumeration are said is the service's own where it was
//! measured (`[ZSTD, NONE, GZIP]`), else the model's; that a table's key has two attributes at
//! most is not in the model, yet enforced in the same words. A text's pattern is complained of
//! before its length. The order of findings at several members is the model's: the service's
//! follows no rule.

use serde_json::Value;

use super::{SpecFinding, Tier};

/// What a value has to be.
pub(super) enum Shape {
    Structure { name: &'static str, members: &'static [Member] },
    List { least: usize, most: usize, of: &'static Shape },
    Text { least: usize, most: usize, pattern: Option<Pattern> },
    Enum(&'static [&'static str]),
    Long { least: i64 },
    Boolean,
}

/// A member of a structure.
pub(super) struct Member {
    pub name: &'static str,
    required: bool,
    shape: Shape,
}

/// A regular expression, and what it comes to: it has to match all of a text.
pub(super) struct Pattern {
    text: &'static str,
    matches: fn(&str) -> bool,
}

const ANY: usize = usize::MAX;

const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

const fn text(least: usize, most: usize) -> Shape {
    Shape::Text { least, most, pattern: None }
}

const fn pattern(least: usize, most: usize, text: &'static str, matches: fn(&str) -> bool) -> Shape {
    Shape::Text { least, most, pattern: Some(Pattern { text, matches }) }
}

const fn structure(name: &'static str, members: &'static [Member]) -> Shape {
    Shape::Structure { name, members }
}

const fn list(least: usize, most: usize, of: &'static Shape) -> Shape {
    Shape::List { least, most, of }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
}

/// The name of a table or an index.
const NAME: Shape = pattern(3, 255, "[a-zA-Z0-9_.-]+", |name| !name.is_empty() && name.bytes().all(is_word));
/// The name of a key attribute, or of one that is projected.
const ATTRIBUTE: Shape = text(1, 255);
const LONG: Shape = Shape::Long { least: i64::MIN };
const POSITIVE: Shape = Shape::Long { least: 1 };

const PROVISIONED: Shape =
    structure("ProvisionedThroughput", &[required("ReadCapacityUnits", POSITIVE), required("WriteCapacityUnits", POSITIVE)]);
const ON_DEMAND: Shape = structure("OnDemandThroughput", &[optional("MaxReadRequestUnits", LONG), optional("MaxWriteRequestUnits", LONG)]);
const WARM: Shape = structure("WarmThroughput", &[optional("ReadUnitsPerSecond", LONG), optional("WriteUnitsPerSecond", LONG)]);
const KEY_ELEMENT: Shape =
    structure("KeySchemaElement", &[required("AttributeName", ATTRIBUTE), required("KeyType", Shape::Enum(&["HASH", "RANGE"]))]);
const ATTRIBUTE_DEFINITION: Shape =
    structure("AttributeDefinition", &[required("AttributeName", ATTRIBUTE), required("AttributeType", Shape::Enum(&["B", "N", "S"]))]);
const PROJECTION: Shape = structure(
    "Projection",
    &[optional("ProjectionType", Shape::Enum(&["ALL", "INCLUDE", "KEYS_ONLY"])), optional("NonKeyAttributes", list(1, 20, &ATTRIBUTE))],
);
const SECONDARY_INDEX: Shape = structure(
    "GlobalSecondaryIndex",
    &[
        required("IndexName", NAME),
        required("KeySchema", list(1, ANY, &KEY_ELEMENT)),
        required("Projection", PROJECTION),
        optional("ProvisionedThroughput", PROVISIONED),
        optional("OnDemandThroughput", ON_DEMAND),
        optional("WarmThroughput", WARM),
    ],
);
const SEARCH_ELEMENT: Shape = structure(
    "SearchSchemaElement",
    &[required("AttributeName", text(0, 65_535)), required("SearchSchemaElementType", Shape::Enum(&["HASH", "INLINE_FILTER"]))],
);
const VECTOR_INDEX: Shape = structure(
    "VectorIndex",
    &[
        required("IndexName", NAME),
        required("VectorAttribute", structure("VectorAttributeDefinition", &[required("AttributeName", ATTRIBUTE)])),
        optional("SearchSchema", list(1, ANY, &SEARCH_ELEMENT)),
        required("Projection", PROJECTION),
        required("Dimensions", POSITIVE),
        required("DistanceFunction", Shape::Enum(&["COSINE", "DOT_PRODUCT", "EUCLIDEAN"])),
    ],
);
const ENCRYPTION: Shape = structure(
    "SSESpecification",
    &[optional("Enabled", Shape::Boolean), optional("SSEType", Shape::Enum(&["AES256", "KMS"])), optional("KMSMasterKeyId", text(0, ANY))],
);
const TABLE: Shape = structure(
    "TableCreationParameters",
    &[
        required("TableName", NAME),
        required("AttributeDefinitions", list(0, ANY, &ATTRIBUTE_DEFINITION)),
        required("KeySchema", list(1, 2, &KEY_ELEMENT)),
        optional("BillingMode", Shape::Enum(&["PROVISIONED", "PAY_PER_REQUEST"])),
        optional("ProvisionedThroughput", PROVISIONED),
        optional("OnDemandThroughput", ON_DEMAND),
        optional("SSESpecification", ENCRYPTION),
        optional("GlobalSecondaryIndexes", list(0, ANY, &SECONDARY_INDEX)),
        optional("VectorIndexes", list(0, ANY, &VECTOR_INDEX)),
    ],
);
const CSV: Shape = structure(
    "CsvOptions",
    &[
        optional("Delimiter", pattern(1, 1, r"[,;:|\t ]", |text| matches!(text, "," | ";" | ":" | "|" | "\t" | " "))),
        optional("HeaderList", list(1, 255, &HEADER)),
    ],
);
/// Printable ASCII but for the quote and the comma.
const HEADER: Shape = pattern(1, 65_536, r"[\x20-\x21\x23-\x2B\x2D-\x7E]*", |text| {
    text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b','))
});
const SOURCE: Shape = structure(
    "S3BucketSource",
    &[
        optional("S3BucketOwner", pattern(0, ANY, "[0-9]{12}", |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))),
        required("S3Bucket", pattern(0, 255, r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$", is_bucket)),
        optional("S3KeyPrefix", text(0, 1024)),
    ],
);

fn is_bucket(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [first, .., last] if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric()) && bytes.iter().all(|&b| is_word(b))
}

/// The members of the request, in the model's order.
pub(super) const REQUEST: &[Member] = &[
    optional("ClientToken", pattern(0, ANY, r"^[^\$]+$", |text| !text.is_empty() && !text.contains('$'))),
    required("S3BucketSource", SOURCE),
    required("InputFormat", Shape::Enum(&["DYNAMODB_JSON", "ION", "CSV"])),
    optional("InputFormatOptions", structure("InputFormatOptions", &[optional("Csv", CSV)])),
    optional("InputCompressionType", Shape::Enum(&["ZSTD", "NONE", "GZIP"])),
    required("TableCreationParameters", TABLE),
];

/// All that is wrong with a request by its shapes.
pub(super) fn check(request: &Value) -> Vec<SpecFinding> {
    let mut check = Check { findings: Vec::new() };
    check.value(&Place::default(), &structure("ImportTableInput", REQUEST), request);
    check.findings
}

/// Where a value stands, in the service's words (`keySchema.1.member.keyType`) and in those of
/// the AWS CLI (`KeySchema[0].KeyType`).
#[derive(Default)]
struct Place {
    service: String,
    client: String,
}

impl Place {
    fn member(&self, name: &str) -> Self {
        let dot = if self.service.is_empty() { "" } else { "." };
        Self { service: format!("{}{dot}{}", self.service, lower_first(name)), client: format!("{}{dot}{name}", self.client) }
    }

    fn element(&self, index: usize) -> Self {
        Self { service: format!("{}.{}.member", self.service, index + 1), client: format!("{}[{index}]", self.client) }
    }

    fn client(&self) -> &str {
        if self.client.is_empty() { "input" } else { &self.client }
    }
}

pub(super) fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

struct Check {
    findings: Vec<SpecFinding>,
}

impl Check {
    fn constraint(&mut self, place: &Place, shown: &str, constraint: &str) {
        let message = format!("Value {shown} at '{}' failed to satisfy constraint: {constraint}", place.service);
        self.findings.push(SpecFinding { tier: Tier::Constraint, member: place.service.clone(), message });
    }

    fn client(&mut self, place: &Place, message: String) {
        self.findings.push(SpecFinding { tier: Tier::Client, member: place.service.clone(), message });
    }

    fn value(&mut self, place: &Place, shape: &Shape, value: &Value) {
        let shown = || format!("'{}'", shown(value, shape));
        match (shape, value) {
            (Shape::Structure { members, .. }, Value::Object(object)) => {
                for member in *members {
                    let place = place.member(member.name);
                    match object.get(member.name) {
                        Some(value) => self.value(&place, &member.shape, value),
                        None if member.required => self.constraint(&place, "null", "Member must not be null"),
                        None => {}
                    }
                }
                for name in object.keys().filter(|name| members.iter().all(|member| member.name != **name)) {
                    let known: Vec<_> = members.iter().map(|member| member.name).collect();
                    let message = format!("Unknown parameter in {}: \"{name}\", must be one of: {}", place.client(), known.join(", "));
                    self.client(&place.member(name), message);
                }
            }
            (Shape::List { least, most, of }, Value::Array(values)) => {
                self.length(place, &shown(), values.len(), *least, *most);
                for (index, value) in values.iter().enumerate() {
                    self.value(&place.element(index), of, value);
                }
            }
            (Shape::Text { least, most, pattern }, Value::String(text)) => {
                if let Some(Pattern { text: pattern, .. }) = pattern.as_ref().filter(|pattern| !(pattern.matches)(text)) {
                    self.constraint(place, &shown(), &format!("Member must satisfy regular expression pattern: {pattern}"));
                }
                // The service counts as Java does.
                self.length(place, &shown(), text.encode_utf16().count(), *least, *most);
            }
            (Shape::Enum(values), Value::String(text)) => {
                if !values.contains(&&**text) {
                    self.constraint(place, &shown(), &format!("Member must satisfy enum value set: [{}]", values.join(", ")));
                }
            }
            (Shape::Long { least }, Value::Number(number)) if number.is_i64() => {
                if number.as_i64().is_some_and(|number| number < *least) {
                    self.constraint(place, &shown(), &format!("Member must have value greater than or equal to {least}"));
                }
            }
            (Shape::Boolean, Value::Bool(_)) => {}
            _ => {
                let (text, kind) = python(value);
                let message =
                    format!("Invalid type for parameter {}, value: {text}, type: {kind}, valid types: {}", place.client(), shape.types());
                self.client(place, message);
            }
        }
    }

    fn length(&mut self, place: &Place, shown: &str, length: usize, least: usize, most: usize) {
        if length < least {
            self.constraint(place, shown, &format!("Member must have length greater than or equal to {least}"));
        }
        if length > most {
            self.constraint(place, shown, &format!("Member must have length less than or equal to {most}"));
        }
    }
}

impl Shape {
    /// What the AWS CLI calls the types that it takes.
    const fn types(&self) -> &'static str {
        match self {
            Self::Structure { .. } => "<class 'dict'>",
            Self::List { .. } => "<class 'list'>, <class 'tuple'>",
            Self::Text { .. } | Self::Enum(_) => "<class 'str'>",
            Self::Long { .. } => "<class 'int'>",
            Self::Boolean => "<class 'bool'>",
        }
    }
}

/// A value as the service prints it: `[KeySchemaElement(attributeName=pk, keyType=HASH)]`.
fn shown(value: &Value, shape: &Shape) -> String {
    match (shape, value) {
        (_, Value::String(text)) => text.clone(),
        (Shape::List { of, .. }, Value::Array(values)) => {
            format!("[{}]", values.iter().map(|value| shown(value, of)).collect::<Vec<_>>().join(", "))
        }
        (Shape::Structure { name, members }, Value::Object(object)) => {
            let member = |member: &Member| {
                let value = object.get(member.name).map_or_else(|| "null".into(), |value| shown(value, &member.shape));
                format!("{}={value}", lower_first(member.name))
            };
            format!("{name}({})", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

/// A value as Python prints it, and its class: the AWS CLI is written in it.
fn python(value: &Value) -> (String, &'static str) {
    fn repr(value: &Value) -> String {
        match value {
            Value::String(text) => {
                let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
                let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
                format!("{quote}{}{quote}", if quote == '\'' { escaped.replace('\'', "\\'") } else { escaped })
            }
            Value::Array(values) => format!("[{}]", values.iter().map(repr).collect::<Vec<_>>().join(", ")),
            Value::Object(object) => {
                let members: Vec<_> =
                    object.iter().map(|(name, value)| format!("{}: {}", repr(&name.as_str().into()), repr(value))).collect();
                format!("{{{}}}", members.join(", "))
            }
            _ => python(value).0,
        }
    }
    match value {
        Value::Null => ("None".into(), "<class 'NoneType'>"),
        Value::Bool(true) => ("True".into(), "<class 'bool'>"),
        Value::Bool(false) => ("False".into(), "<class 'bool'>"),
        Value::Number(number) if number.is_f64() => (number.to_string(), "<class 'float'>"),
        Value::Number(number) => (number.to_string(), "<class 'int'>"),
        Value::String(text) => (text.clone(), "<class 'str'>"),
        Value::Array(_) => (repr(value), "<class 'list'>"),
        Value::Object(_) => (repr(value), "<class 'dict'>"),
    }
}
