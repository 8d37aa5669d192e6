use super::*;

/// The constraint of each member: its value, and what is said of it behind `failed to satisfy constraint: Member must `.
#[test]
fn constraints() {
    let long = |length: usize| Value::from("n".repeat(length));
    let element = |member: &str, value: Value| {
        let mut element = json!({"AttributeName": "pk", "KeyType": "HASH"});
        element[member] = value;
        json!([element])
    };
    let token = r"satisfy regular expression pattern: ^[^\$]+$";
    let bucket = r"satisfy regular expression pattern: ^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$";
    let header = r"satisfy regular expression pattern: [\x20-\x21\x23-\x2B\x2D-\x7E]*";
    let delimiter = r"satisfy regular expression pattern: [,;:|\t ]";
    let name = "satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    let csv = |member: &str, value: Value| json!({"Csv": {member: value}});
    let (least, most) = (
        |length: usize| format!("have length greater than or equal to {length}"),
        |length: usize| format!("have length less than or equal to {length}"),
    );
    let one = "have value greater than or equal to 1".to_owned();
    let cases: Vec<(&str, Value, &str, String, Vec<String>)> = vec![
        ("/ClientToken", "".into(), "clientToken", "''".into(), vec![token.into()]),
        ("/ClientToken", "a$b".into(), "clientToken", "'a$b'".into(), vec![token.into()]),
        ("/S3BucketSource", Value::Null, "s3BucketSource", "null".into(), vec!["not be null".into()]),
        ("/S3BucketSource/S3Bucket", Value::Null, "s3BucketSource.s3Bucket", "null".into(), vec!["not be null".into()]),
        ("/S3BucketSource/S3Bucket", "a".into(), "s3BucketSource.s3Bucket", "'a'".into(), vec![bucket.into()]),
        ("/S3BucketSource/S3Bucket", "-ab".into(), "s3BucketSource.s3Bucket", "'-ab'".into(), vec![bucket.into()]),
        ("/S3BucketSource/S3Bucket", "ab.".into(), "s3BucketSource.s3Bucket", "'ab.'".into(), vec![bucket.into()]),
        ("/S3BucketSource/S3Bucket", "a/b".into(), "s3BucketSource.s3Bucket", "'a/b'".into(), vec![bucket.into()]),
        ("/S3BucketSource/S3Bucket", long(256), "s3BucketSource.s3Bucket", format!("'{}'", "n".repeat(256)), vec![most(255)]),
        (
            "/S3BucketSource/S3BucketOwner",
            "12345678901".into(),
            "s3BucketSource.s3BucketOwner",
            "'12345678901'".into(),
            vec!["satisfy regular expression pattern: [0-9]{12}".into()],
        ),
        ("/S3BucketSource/S3KeyPrefix", long(1025), "s3BucketSource.s3KeyPrefix", format!("'{}'", "n".repeat(1025)), vec![most(1024)]),
        ("/InputFormat", Value::Null, "inputFormat", "null".into(), vec!["not be null".into()]),
        ("/InputFormat", "csv".into(), "inputFormat", "'csv'".into(), vec!["satisfy enum value set: [DYNAMODB_JSON, ION, CSV]".into()]),
        (
            "/InputFormatOptions",
            csv("Delimiter", "".into()),
            "inputFormatOptions.csv.delimiter",
            "''".into(),
            vec![delimiter.into(), least(1)],
        ),
        (
            "/InputFormatOptions",
            csv("Delimiter", ";;".into()),
            "inputFormatOptions.csv.delimiter",
            "';;'".into(),
            vec![delimiter.into(), most(1)],
        ),
        ("/InputFormatOptions", csv("Delimiter", "/".into()), "inputFormatOptions.csv.delimiter", "'/'".into(), vec![delimiter.into()]),
        ("/InputFormatOptions", csv("HeaderList", json!([])), "inputFormatOptions.csv.headerList", "'[]'".into(), vec![least(1)]),
        (
            "/InputFormatOptions",
            csv("HeaderList", vec!["a"; 256].into()),
            "inputFormatOptions.csv.headerList",
            format!("'[{}]'", ["a"; 256].join(", ")),
            vec![most(255)],
        ),
        ("/InputFormatOptions", csv("HeaderList", json!([""])), "inputFormatOptions.csv.headerList.1.member", "''".into(), vec![least(1)]),
        (
            "/InputFormatOptions",
            csv("HeaderList", json!(["a", "b,c"])),
            "inputFormatOptions.csv.headerList.2.member",
            "'b,c'".into(),
            vec![header.into()],
        ),
        (
            "/InputFormatOptions",
            csv("HeaderList", json!(["\""])),
            "inputFormatOptions.csv.headerList.1.member",
            "'\"'".into(),
            vec![header.into()],
        ),
        (
            "/InputFormatOptions",
            csv("HeaderList", json!(["é"])),
            "inputFormatOptions.csv.headerList.1.member",
            "'é'".into(),
            vec![header.into()],
        ),
        (
            "/InputFormatOptions",
            csv("HeaderList", json!([long(65_537)])),
            "inputFormatOptions.csv.headerList.1.member",
            format!("'{}'", "n".repeat(65_537)),
            vec![most(65_536)],
        ),
        (
            "/InputCompressionType",
            "BZIP2".into(),
            "inputCompressionType",
            "'BZIP2'".into(),
            vec!["satisfy enum value set: [ZSTD, NONE, GZIP]".into()],
        ),
        ("/TableCreationParameters", Value::Null, "tableCreationParameters", "null".into(), vec!["not be null".into()]),
        ("/TableCreationParameters/TableName", Value::Null, "tableCreationParameters.tableName", "null".into(), vec!["not be null".into()]),
        ("/TableCreationParameters/TableName", "ab".into(), "tableCreationParameters.tableName", "'ab'".into(), vec![least(3)]),
        ("/TableCreationParameters/TableName", "".into(), "tableCreationParameters.tableName", "''".into(), vec![name.into(), least(3)]),
        ("/TableCreationParameters/TableName", "a b".into(), "tableCreationParameters.tableName", "'a b'".into(), vec![name.into()]),
        (
            "/TableCreationParameters/TableName",
            long(256),
            "tableCreationParameters.tableName",
            format!("'{}'", "n".repeat(256)),
            vec![most(255)],
        ),
        ("/TableCreationParameters/KeySchema", json!([]), "tableCreationParameters.keySchema", "'[]'".into(), vec![least(1)]),
        (
            "/TableCreationParameters/KeySchema",
            json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}, {"AttributeName": "x", "KeyType": "RANGE"}]),
            "tableCreationParameters.keySchema",
            "'[KeySchemaElement(attributeName=pk, keyType=HASH), KeySchemaElement(attributeName=sk, keyType=RANGE), \
             KeySchemaElement(attributeName=x, keyType=RANGE)]'"
                .into(),
            vec![most(2)],
        ),
        (
            "/TableCreationParameters/KeySchema",
            element("KeyType", "INVALID".into()),
            "tableCreationParameters.keySchema.1.member.keyType",
            "'INVALID'".into(),
            vec!["satisfy enum value set: [HASH, RANGE]".into()],
        ),
        (
            "/TableCreationParameters/KeySchema",
            element("AttributeName", "".into()),
            "tableCreationParameters.keySchema.1.member.attributeName",
            "''".into(),
            vec![least(1)],
        ),
        (
            "/TableCreationParameters/KeySchema",
            element("AttributeName", long(256)),
            "tableCreationParameters.keySchema.1.member.attributeName",
            format!("'{}'", "n".repeat(256)),
            vec![most(255)],
        ),
        (
            "/TableCreationParameters/AttributeDefinitions/1/AttributeType",
            "SS".into(),
            "tableCreationParameters.attributeDefinitions.2.member.attributeType",
            "'SS'".into(),
            vec!["satisfy enum value set: [B, N, S]".into()],
        ),
        (
            "/TableCreationParameters/BillingMode",
            "FREE".into(),
            "tableCreationParameters.billingMode",
            "'FREE'".into(),
            vec!["satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]".into()],
        ),
        (
            "/TableCreationParameters/ProvisionedThroughput",
            json!({"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}),
            "tableCreationParameters.provisionedThroughput.readCapacityUnits",
            "'0'".into(),
            vec![one.clone()],
        ),
        (
            "/TableCreationParameters/ProvisionedThroughput",
            json!({"ReadCapacityUnits": 1}),
            "tableCreationParameters.provisionedThroughput.writeCapacityUnits",
            "null".into(),
            vec!["not be null".into()],
        ),
        (
            "/TableCreationParameters/SSESpecification",
            json!({"SSEType": "AES"}),
            "tableCreationParameters.sSESpecification.sSEType",
            "'AES'".into(),
            vec!["satisfy enum value set: [AES256, KMS]".into()],
        ),
        (
            "/TableCreationParameters/GlobalSecondaryIndexes",
            json!([{"IndexName": "ab", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]),
            "tableCreationParameters.globalSecondaryIndexes.1.member.indexName",
            "'ab'".into(),
            vec![least(3)],
        ),
        (
            "/TableCreationParameters/GlobalSecondaryIndexes",
            json!([{"IndexName": "abc", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}]}]),
            "tableCreationParameters.globalSecondaryIndexes.1.member.projection",
            "null".into(),
            vec!["not be null".into()],
        ),
        (
            "/TableCreationParameters/GlobalSecondaryIndexes",
            json!([{"IndexName": "abc", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "all"}}]),
            "tableCreationParameters.globalSecondaryIndexes.1.member.projection.projectionType",
            "'all'".into(),
            vec!["satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]".into()],
        ),
        (
            "/TableCreationParameters/GlobalSecondaryIndexes",
            json!([{"IndexName": "abc", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": []}}]),
            "tableCreationParameters.globalSecondaryIndexes.1.member.projection.nonKeyAttributes",
            "'[]'".into(),
            vec![least(1)],
        ),
        (
            "/TableCreationParameters/GlobalSecondaryIndexes",
            json!([{"IndexName": "abc", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}}]),
            "tableCreationParameters.globalSecondaryIndexes.1.member.projection.nonKeyAttributes",
            format!("'[{}]'", (0..21).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
            vec![most(20)],
        ),
        (
            "/TableCreationParameters/VectorIndexes",
            json!([vector("near", 0)]),
            "tableCreationParameters.vectorIndexes.1.member.dimensions",
            "'0'".into(),
            vec![one],
        ),
    ];
    for (pointer, value, member, shown, constraints) in cases {
        let document = with(&[(pointer, value)]);
        let findings: Vec<_> =
            TableSpec::from_json(&document).expect_err(pointer).into_iter().filter(|f| f.tier == Tier::Constraint).collect();
        let expected: Vec<_> = constraints
            .iter()
            .map(|constraint| SpecFinding {
                tier: Tier::Constraint,
                member: member.into(),
                message: format!("Value {shown} at '{member}' failed to satisfy constraint: Member must {constraint}"),
            })
            .collect();
        assert_eq!(findings, expected, "{pointer}");
    }
}

#[test]
fn constraints_are_met_at_their_bounds() {
    let text = |length: usize| Value::from("n".repeat(length));
    for changes in [
        vec![("/ClientToken", "a\nb".into())],
        vec![("/S3BucketSource/S3Bucket", "ab".into()), ("/S3BucketSource/S3KeyPrefix", text(1024))],
        vec![("/S3BucketSource/S3Bucket", "A_b-c.d".into()), ("/S3BucketSource/S3KeyPrefix", "".into())],
        vec![("/InputFormatOptions", json!({"Csv": {"HeaderList": vec![" !#$%&'()*+-./~"; 255]}}))],
        vec![("/InputFormatOptions", json!({"Csv": {"Delimiter": "|", "HeaderList": [text(65_536)]}}))],
        vec![("/InputFormatOptions", json!({}))],
        vec![("/TableCreationParameters/TableName", text(255))],
        vec![("/TableCreationParameters/TableName", "_.-".into())],
    ] {
        assert_eq!(messages(&with(&changes)), [""; 0], "{changes:?}");
    }
}

#[test]
fn what_the_cli_refuses() {
    for (pointer, value, message) in [
        (
            "/InputForm",
            "CSV".into(),
            "Unknown parameter in input: \"InputForm\", must be one of: ClientToken, S3BucketSource, InputFormat, InputFormatOptions, \
             InputCompressionType, TableCreationParameters",
        ),
        (
            "/TableCreationParameters/KeySchema/1/keyType",
            "RANGE".into(),
            "Unknown parameter in TableCreationParameters.KeySchema[1]: \"keyType\", must be one of: AttributeName, KeyType",
        ),
        (
            "/TableCreationParameters/LocalSecondaryIndexes",
            json!([]),
            "Unknown parameter in TableCreationParameters: \"LocalSecondaryIndexes\", must be one of: TableName, AttributeDefinitions, KeySchema, \
             BillingMode, ProvisionedThroughput, OnDemandThroughput, SSESpecification, GlobalSecondaryIndexes, VectorIndexes",
        ),
        ("/InputFormat", 7.into(), "Invalid type for parameter InputFormat, value: 7, type: <class 'int'>, valid types: <class 'str'>"),
        (
            "/TableCreationParameters/KeySchema",
            json!({"AttributeName": "it's", "KeyType": null}),
            "Invalid type for parameter TableCreationParameters.KeySchema, value: {'AttributeName': \"it's\", 'KeyType': None}, \
             type: <class 'dict'>, valid types: <class 'list'>, <class 'tuple'>",
        ),
        (
            "/TableCreationParameters/SSESpecification",
            json!([true, 1.5]),
            "Invalid type for parameter TableCreationParameters.SSESpecification, value: [True, 1.5], type: <class 'list'>, \
             valid types: <class 'dict'>",
        ),
        (
            "/TableCreationParameters/SSESpecification",
            json!({"Enabled": "yes"}),
            "Invalid type for parameter TableCreationParameters.SSESpecification.Enabled, value: yes, type: <class 'str'>, \
             valid types: <class 'bool'>",
        ),
        (
            "/TableCreationParameters/OnDemandThroughput",
            json!({"MaxReadRequestUnits": 1.5}),
            "Invalid type for parameter TableCreationParameters.OnDemandThroughput.MaxReadRequestUnits, value: 1.5, type: <class 'float'>, \
             valid types: <class 'int'>",
        ),
    ] {
        assert_eq!(messages(&with(&[(pointer, value)])), [message]);
    }
    assert_eq!(messages(&json!([])), ["Invalid type for parameter input, value: [], type: <class 'list'>, valid types: <class 'dict'>"]);
    let mut null = spec();
    null["InputFormat"] = Value::Null;
    assert_eq!(
        messages(&null),
        ["Invalid type for parameter InputFormat, value: None, type: <class 'NoneType'>, valid types: <class 'str'>"]
    );
}
