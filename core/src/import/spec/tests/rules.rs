use super::*;

/// Members of the table's parameters, and what is said of them.
type Case<'a> = (Vec<(&'a str, Value)>, Vec<&'a str>);

/// Rules: the change, and what is said.
#[test]
fn rules() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    let definitions =
        |names: &[&str]| Value::from(names.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect::<Vec<_>>());
    let schema = |keys: &[(&str, &str)]| index("x", keys)["KeySchema"].clone();
    let indexes = |index: Value| ("GlobalSecondaryIndexes", json!([index]));
    let projected = |projection: Value| {
        let mut index = index("by-sk", &[("sk", "HASH")]);
        index["Projection"] = projection;
        indexes(index)
    };
    let of_index = |member: &str, value: Value| {
        let mut index = index("by-sk", &[("sk", "HASH")]);
        index[member] = value;
        indexes(index)
    };
    let provisioned = ("ProvisionedThroughput", json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}));
    let mode = ("BillingMode", Value::from("PROVISIONED"));
    let many = |count: usize| (0..count).map(|n| index(&format!("index-{n}"), &[("sk", "HASH")])).collect::<Vec<_>>();
    let mut searched = vector("near", 3);
    searched["SearchSchema"] = json!([{"AttributeName": "tenant", "SearchSchemaElementType": "HASH"}]);
    let cases: Vec<Case> = vec![
        (vec![("AttributeDefinitions", definitions(&["pk"]))], vec!["Invalid KeySchema: Some index key attribute have no definition"]),
        (
            vec![("AttributeDefinitions", definitions(&["pk"])), ("KeySchema", schema(&[("pk", "HASH"), ("pk", "RANGE")]))],
            vec![
                "Invalid KeySchema: Some index key attribute have no definition",
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ],
        ),
        (
            vec![("AttributeDefinitions", definitions(&["b"])), ("KeySchema", schema(&[("a", "HASH")]))],
            vec![
                "*Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [b]",
                "*Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            ],
        ),
        (
            vec![("KeySchema", schema(&[("pk", "RANGE"), ("sk", "HASH")]))],
            vec![
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
            ],
        ),
        (
            vec![("KeySchema", schema(&[("pk", "HASH")]))],
            vec!["*Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"],
        ),
        (
            vec![("AttributeDefinitions", definitions(&["pk", "sk", "c"])), indexes(index("by-sk", &[("sk", "HASH")]))],
            vec!["*Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk, c], keys used: [pk, sk]"],
        ),
        (vec![("AttributeDefinitions", definitions(&["pk", "sk", "pk"]))], vec!["Attribute Name is duplicated: pk"]),
        (
            vec![provisioned.clone()],
            vec!["*Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"],
        ),
        (
            vec![("BillingMode", Value::Null)],
            vec!["*ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"],
        ),
        (
            vec![mode.clone(), provisioned.clone(), ("OnDemandThroughput", json!({"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5}))],
            vec![
                "*MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.",
                "*MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.",
            ],
        ),
        (
            vec![
                mode.clone(),
                ("ProvisionedThroughput", json!({"ReadCapacityUnits": 1_000_000_000_001_i64, "WriteCapacityUnits": 1_000_000_000_001_i64})),
            ],
            vec![
                "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
                "Given value 1000000000001 for WriteCapacityUnits is out of bounds",
            ],
        ),
        (vec![("GlobalSecondaryIndexes", json!([]))], vec!["*List of GlobalSecondaryIndexes is empty"]),
        (
            vec![indexes(index("by-q", &[("q", "HASH")]))],
            vec!["*Some index key attributes are not defined in AttributeDefinitions. Keys: [q], AttributeDefinitions: [pk, sk]"],
        ),
        (
            vec![indexes(index("by-sk", &[("sk", "RANGE"), ("pk", "HASH")]))],
            vec!["Invalid KeySchema: The first KeySchemaElement is not a HASH key type"],
        ),
        (
            vec![indexes(index("by-sk", &[("sk", "HASH"), ("sk", "RANGE")]))],
            vec!["Both the Hash Key and the Range Key element in the KeySchema have the same name"],
        ),
        (
            vec![
                ("AttributeDefinitions", definitions(&["pk", "sk", "c", "d", "e"])),
                indexes(index("by-all", &["pk", "sk", "c", "d", "e"].map(|name| (name, "HASH")))),
            ],
            vec!["*The KeySchema exceeds the maximum allowed number of HASH key attributes"],
        ),
        (
            vec![indexes(index("by-all", &[("sk", "HASH"), ("pk", "RANGE"), ("sk", "HASH")]))],
            vec![
                "The KeySchema contains multiple key attributes with the same name",
                "*All HASH key attributes must precede RANGE key attributes in the KeySchema",
            ],
        ),
        (
            vec![("OnDemandThroughput", json!({"MaxReadRequestUnits": 0, "MaxWriteRequestUnits": -1}))],
            vec![
                "*Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
                "*Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
            ],
        ),
        (
            vec![of_index("WarmThroughput", json!({"ReadUnitsPerSecond": 11_999, "WriteUnitsPerSecond": 4000}))],
            vec!["*Requested ReadUnitsPerSecond for WarmThroughput for index by-sk is lower than initial throughput for OnDemand."],
        ),
        (
            vec![("SSESpecification", json!({"Enabled": false, "SSEType": "KMS", "KMSMasterKeyId": "k"}))],
            vec!["*SSEType can not be specified if Enabled is false", "*KMSMasterKeyId can not be specified if Enabled is false"],
        ),
        (vec![("SSESpecification", json!({"SSEType": "AES256"}))], vec!["*SSEType AES256 is not supported"]),
        (
            vec![("SSESpecification", json!({"Enabled": true, "KMSMasterKeyId": "k"}))],
            vec!["*SSEType KMS is required if KMSMasterKeyId is specified"],
        ),
        (vec![projected(json!({}))], vec!["*Unknown ProjectionType: null"]),
        (
            vec![projected(json!({"ProjectionType": "ALL", "NonKeyAttributes": ["x"]}))],
            vec!["*ProjectionType is ALL, but NonKeyAttributes is specified"],
        ),
        (vec![projected(json!({"ProjectionType": "INCLUDE"}))], vec!["*ProjectionType is INCLUDE, but NonKeyAttributes is not specified"]),
        (
            vec![projected(json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "x"]}))],
            vec!["*Duplicate element in NonKeyAttributes: x"],
        ),
        (
            vec![of_index("ProvisionedThroughput", provisioned.1.clone())],
            vec!["*ProvisionedThroughput should not be specified for index: by-sk when BillingMode is PAY_PER_REQUEST"],
        ),
        (
            vec![mode.clone(), provisioned.clone(), indexes(index("by-sk", &[("sk", "HASH")]))],
            vec!["*ProvisionedThroughput is not specified for index: by-sk"],
        ),
        (
            vec![mode.clone(), provisioned.clone(), {
                let mut index = index("by-sk", &[("sk", "HASH")]);
                index["ProvisionedThroughput"] = provisioned.1.clone();
                index["OnDemandThroughput"] = json!({"MaxWriteRequestUnits": 5});
                indexes(index)
            }],
            vec![
                "*MaxWriteRequestUnits for OnDemandThroughput for index: by-sk cannot be specified when table BillingMode is PROVISIONED.",
            ],
        ),
        (
            vec![of_index("OnDemandThroughput", json!({"MaxReadRequestUnits": 0}))],
            vec!["*Requested MaxReadRequestUnits for OnDemandThroughput for index : by-sk is outside of valid range"],
        ),
        (
            vec![("GlobalSecondaryIndexes", json!([index("dup", &[("pk", "HASH")]), index("dup", &[("sk", "HASH")])]))],
            vec!["*Duplicate index name: dup"],
        ),
        (vec![("GlobalSecondaryIndexes", many(21).into())], vec!["*GlobalSecondaryIndex count exceeds the per-table limit of 20"]),
        (vec![("GlobalSecondaryIndexes", many(20).into())], vec![]),
        (
            vec![mode, provisioned, ("VectorIndexes", json!([vector("near", 3)]))],
            vec!["*Vector indexes are only supported for PAY_PER_REQUEST tables"],
        ),
        (vec![("VectorIndexes", json!([searched]))], vec!["*One element in SearchSchema is not defined in attribute definitions"]),
        (vec![("VectorIndexes", json!([vector("near", 4097)]))], vec!["*Number of dimensions must be between 1 and 4096 inclusive."]),
        (
            vec![("VectorIndexes", (0..6).map(|n| vector(&format!("near-{n}"), 3)).collect::<Vec<_>>().into())],
            vec!["*VectorIndex count exceeds the per-table limit of 5"],
        ),
        (
            vec![("VectorIndexes", json!([vector("near", 3), vector("far", 4)]))],
            vec![
                "*Conflicting attribute definition for 'embedding'. All VectorIndexes on the same vector attribute must use the same dimensions.",
            ],
        ),
        (vec![("VectorIndexes", json!([vector("near", 3), vector("near", 3)]))], vec!["*Duplicate index name: near"]),
    ];
    for (changes, expected) in cases {
        let expected: Vec<_> = expected
            .iter()
            .map(|text| text.strip_prefix('*').map_or_else(|| (*text).to_owned(), |text| format!("{INVALID}{text}")))
            .collect();
        assert_eq!(messages(&table(&changes)), expected, "{changes:?}");
    }
    let mut json = with(&[("/InputFormat", "DYNAMODB_JSON".into()), ("/InputFormatOptions", json!({"Csv": {"Delimiter": ";"}}))]);
    assert_eq!(messages(&json), ["Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON."]);
    json["InputFormat"] = "ION".into();
    assert_eq!(messages(&json), ["Invalid Request: Unsupported InputFormatOptions for the given input format: ION."]);
    let projections: Vec<_> = (0..6)
        .map(|n| {
            let mut index = index(&format!("index-{n}"), &[("sk", "HASH")]);
            index["Projection"] =
                json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": (0..20).map(|n| format!("a{n}")).collect::<Vec<_>>()});
            index
        })
        .collect();
    let many = table(&[("GlobalSecondaryIndexes", projections.into())]);
    assert_eq!(messages(&many), ["One or more parameter values were invalid: 120 NonKeyAttributes over all indexes, and 100 are allowed"]);
}
