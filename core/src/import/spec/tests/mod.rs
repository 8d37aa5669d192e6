mod constraints;
mod rules;

use proptest::prelude::*;

use super::*;

fn spec() -> Value {
    json!({
        "S3BucketSource": {"S3Bucket": "orders"},
        "InputFormat": "CSV",
        "TableCreationParameters": {
            "TableName": "orders",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "BillingMode": "PAY_PER_REQUEST"
        }
    })
}

/// The spec with members put at pointers; `null` takes one away.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut document = spec();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match document.pointer_mut(parent).expect("a parent") {
            Value::Object(object) if value.is_null() => drop(object.shift_remove(name)),
            Value::Object(object) => drop(object.insert(name.to_owned(), value.clone())),
            Value::Array(list) => list[name.parse::<usize>().expect("an index")] = value.clone(),
            _ => panic!("{parent} has no members"),
        }
    }
    document
}

fn messages(document: &Value) -> Vec<String> {
    TableSpec::from_json(document).err().unwrap_or_default().into_iter().map(|finding| finding.message).collect()
}

const TABLE: &str = "/TableCreationParameters";

fn table(changes: &[(&str, Value)]) -> Value {
    let changes: Vec<_> = changes.iter().map(|(name, value)| (format!("{TABLE}/{name}"), value.clone())).collect();
    with(&changes.iter().map(|(pointer, value)| (&**pointer, value.clone())).collect::<Vec<_>>())
}

fn index(name: &str, keys: &[(&str, &str)]) -> Value {
    let keys: Vec<_> = keys.iter().map(|(name, role)| json!({"AttributeName": name, "KeyType": role})).collect();
    json!({"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}})
}

fn vector(name: &str, dimensions: u64) -> Value {
    json!({
        "IndexName": name, "VectorAttribute": {"AttributeName": "embedding"}, "Dimensions": dimensions,
        "DistanceFunction": "COSINE", "Projection": {"ProjectionType": "KEYS_ONLY"}
    })
}

#[test]
fn a_whole_spec() {
    let mut by_place = index("by-place", &[("pk", "HASH"), ("sk", "HASH"), ("city", "RANGE")]);
    by_place["Projection"] = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]});
    let mut document = table(&[
        (
            "AttributeDefinitions",
            json!([["city", "B"], ["pk", "S"], ["sk", "N"]].map(|[name, kind]| json!({"AttributeName": name, "AttributeType": kind}))),
        ),
        ("GlobalSecondaryIndexes", json!([by_place, index("by-city", &[("city", "HASH")])])),
        ("VectorIndexes", json!([vector("near", 3)])),
        ("SSESpecification", json!({"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"})),
        ("OnDemandThroughput", json!({"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 1})),
    ]);
    document["ClientToken"] = "token".into();
    document["S3BucketSource"] = json!({"S3BucketOwner": "111122223333", "S3Bucket": "a.b-c", "S3KeyPrefix": "data"});
    document["InputFormatOptions"] = json!({"Csv": {"Delimiter": "\t", "HeaderList": ["pk", "sk", "a b"]}});
    document["InputCompressionType"] = "ZSTD".into();
    let spec = TableSpec::from_json(&document).expect("a spec");
    assert_eq!(spec.table_name.as_deref(), Some("orders"));
    assert_eq!((&*spec.partition_key, spec.sort_key.as_deref()), ("pk", Some("sk")));
    assert_eq!(
        (spec.kind("city"), spec.kind("pk"), spec.kind("sk"), spec.kind("total")),
        (Some(Kind::B), Some(Kind::S), Some(Kind::N), None)
    );
    assert_eq!(
        spec.indexes,
        [
            GlobalSecondaryIndex {
                name: "by-place".into(),
                partition_key: vec!["pk".into(), "sk".into()],
                sort_key: vec!["city".into()],
                projection: Projection::Include(vec!["total".into()]),
            },
            GlobalSecondaryIndex {
                name: "by-city".into(),
                partition_key: vec!["city".into()],
                sort_key: vec![],
                projection: Projection::All
            },
        ]
    );
    assert_eq!(spec.vector_indexes, [VectorIndex { name: "near".into(), attribute: "embedding".into(), dimensions: 3, search: vec![] }]);
    assert_eq!((spec.bucket.as_deref(), spec.prefix.as_deref()), (Some("a.b-c"), Some("data")));
    assert_eq!((spec.format, spec.compression), (Some(InputFormat::Csv), Some(Codec::Zstd)));
    assert_eq!(spec.csv, CsvOptions { delimiter: b'\t', header_list: Some(vec!["pk".into(), "sk".into(), "a b".into()]) });
    assert_eq!(spec.to_json(), document);
}

#[test]
fn what_is_not_given() {
    let spec = TableSpec::from_json(&spec()).expect("a spec");
    assert_eq!((spec.compression, spec.prefix, spec.csv), (Some(Codec::None), None, CsvOptions::default()));
}

#[test]
fn all_is_found_and_the_first_tier_answered() {
    let mut document = table(&[("TableName", "a;".into()), ("BillingMode", Value::Null)]);
    document["InputFormatOptions"] = json!({"Csv": {"Delimiter": ";;"}});
    let findings = TableSpec::from_json(&document).expect_err("findings");
    assert_eq!(
        answer(&findings).as_deref(),
        Some(
            r"4 validation errors detected: Value ';;' at 'inputFormatOptions.csv.delimiter' failed to satisfy constraint: Member must satisfy regular expression pattern: [,;:|\t ]; Value ';;' at 'inputFormatOptions.csv.delimiter' failed to satisfy constraint: Member must have length less than or equal to 1; Value 'a;' at 'tableCreationParameters.tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value 'a;' at 'tableCreationParameters.tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"
        )
    );
    assert_eq!((findings.len(), findings[4].tier), (5, Tier::Rule));
    assert_eq!(answer(&findings[4..]).as_deref(), Some(&*findings[4].message));
    assert_eq!(answer(&[]), None);
    document["x"] = 1.into();
    let findings = TableSpec::from_json(&document).expect_err("findings");
    assert!(answer(&findings).is_some_and(|answer| answer.starts_with("Parameter validation failed:\nUnknown parameter in input: \"x\"")));
    assert_eq!(findings.len(), 6);
}

#[test]
fn a_short_spec_becomes_a_whole_one() {
    let csv = CsvOptions { delimiter: b';', header_list: Some(vec!["pk".into()]) };
    let short = TableSpec::short(&["pk:S"]).expect("a spec");
    assert_eq!(messages(&short.to_json()).len(), 3);
    let whole = short.with_table_name("orders").with_source(Some("bucket"), Some("data/")).with_input(InputFormat::Csv, &csv, Codec::Gzip);
    assert_eq!(TableSpec::from_json(&whole.to_json()), Ok(whole.clone()));
    assert_eq!((whole.csv.clone(), whole.compression, whole.prefix.as_deref()), (csv.clone(), Some(Codec::Gzip), Some("data/")));
    let json = whole.with_input(InputFormat::DynamodbJson, &csv, Codec::None);
    assert_eq!(
        json.to_json().to_string(),
        r#"{"S3BucketSource":{"S3Bucket":"bucket","S3KeyPrefix":"data/"},"InputFormat":"DYNAMODB_JSON","InputCompressionType":"NONE","TableCreationParameters":{"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","TableName":"orders"}}"#
    );
}

/// Any spec that AWS would take, as far as its parts go.
fn specs() -> impl Strategy<Value = Value> {
    let name = "[a-zA-Z0-9_.-]{3,20}";
    let csv = (proptest::option::of("[,;:|\t ]"), proptest::option::of(proptest::collection::vec("[ !#-+\\--~]{1,9}", 1..5)));
    let input = (0..3_usize, csv, proptest::option::of(0..3_usize), proptest::option::of("[^$]{0,9}x"), proptest::option::of(".{0,9}"));
    let table = (name, any::<bool>(), any::<bool>(), proptest::collection::hash_set(name, 0..4), ".{1,9}", ".{1,9}");
    (input, table).prop_map(|((format, (delimiter, header), compression, token, prefix), (name, sort, on_demand, indexes, pk, sk))| {
        let sk = if pk == sk { format!("{sk}2") } else { sk };
        let mut keys = vec![(&*pk, "HASH")];
        keys.extend(sort.then_some((&*sk, "RANGE")));
        let mut document = json!({
            "S3BucketSource": {"S3Bucket": "bucket"},
            "InputFormat": InputFormat::ALL[format].as_str(),
            "TableCreationParameters": {
                "TableName": name,
                "AttributeDefinitions": keys.iter().map(|(name, _)| json!({"AttributeName": name, "AttributeType": "B"})).collect::<Vec<_>>(),
                "KeySchema": index("x", &keys)["KeySchema"],
                "BillingMode": if on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" },
            }
        });
        let units = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 7});
        let mut indexes: Vec<_> = indexes.iter().map(|name| index(name, &keys)).collect();
        if !on_demand {
            document["TableCreationParameters"]["ProvisionedThroughput"] = units.clone();
            indexes.iter_mut().for_each(|index| index["ProvisionedThroughput"] = units.clone());
        }
        if !indexes.is_empty() {
            document["TableCreationParameters"]["GlobalSecondaryIndexes"] = indexes.into();
        }
        if format == 2 {
            let mut options = Map::new();
            options.extend(delimiter.map(|delimiter| ("Delimiter".to_owned(), delimiter.into())));
            options.extend(header.map(|header| ("HeaderList".to_owned(), header.into())));
            document["InputFormatOptions"] = json!({"Csv": options});
        }
        if let Some(compression) = compression {
            document["InputCompressionType"] = ["NONE", "GZIP", "ZSTD"][compression].into();
        }
        if let Some(token) = token {
            document["ClientToken"] = token.into();
        }
        if let Some(prefix) = prefix {
            document["S3BucketSource"]["S3KeyPrefix"] = prefix.into();
        }
        document
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("AttributeName|KeyType|IndexName|x", inner), 0..3)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// The pointers of all values.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| pointers(value, &format!("{at}/{name}"), all)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| pointers(value, &format!("{at}/{n}"), all)),
        _ => {}
    }
}

proptest! {
    /// What is written is read back as the same.
    #[test]
    fn specs_round_trip(document in specs(), format in 0..3_usize, header in proptest::option::of(Just(vec!["pk".to_owned()]))) {
        let spec = TableSpec::from_json(&document);
        prop_assert!(spec.is_ok(), "{spec:?}");
        if let Ok(spec) = spec {
            prop_assert_eq!(&spec.to_json(), &document);
            let csv = CsvOptions { delimiter: b'|', header_list: header };
            let spec = spec.with_input(InputFormat::ALL[format], &csv, Codec::Zstd).with_source(Some("other"), None).with_table_name("other");
            prop_assert_eq!(TableSpec::from_json(&spec.to_json()), Ok(spec));
        }
    }

    /// Whatever stands somewhere in a spec, there is an answer: findings, or the same document back.
    #[test]
    fn any_document_is_answered(document in specs(), value in any_json(), place in any::<proptest::sample::Index>()) {
        let mut all: Vec<String> = Vec::new();
        pointers(&document, "", &mut all);
        let mut document = document;
        *document.pointer_mut(&all[place.index(all.len())]).expect("a value") = value;
        match TableSpec::from_json(&document) {
            Ok(spec) => prop_assert_eq!(spec.to_json(), document),
            Err(findings) => prop_assert!(answer(&findings).is_some()),
        }
    }
}
