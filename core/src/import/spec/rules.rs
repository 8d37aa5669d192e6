//! What the service checks of a request whose members all are as they have to be: how they go
//! together.
//!
//! These are the checks of `CreateTable`
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>), in the
//! words and the order that others measured (architect/dynalite, nubo-db/dynamodb-conformance, and the
//! recorded quirks of aws-controllers-k8s), and the coupling of format and options. The service
//! says the first only; here each rule is asked whose members are as they have to be. That indexes
//! name 100 attributes at most is documented, but nobody has seen the service's words for it: it stands in ours.

use std::fmt::Display;

use serde_json::Value;

use super::{SpecFinding, Tier};

/// Global secondary indexes of a table, at most.
const INDEXES: usize = 20;
/// Vector indexes of a table, at most.
const VECTOR_INDEXES: usize = 5;
/// Dimensions of a vector, at most.
const DIMENSIONS: i64 = 4096;
/// Attributes of a partition key, and of a sort key, of a global secondary index, at most.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html>
const KEY_ATTRIBUTES: usize = 4;
/// Attributes that all indexes project by name, at most.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-secondary-indexes-projected-attributes>
const PROJECTED: usize = 100;
/// What an on-demand table or index can do from the start.
const INITIAL_UNITS: [(&str, i64); 2] = [("ReadUnitsPerSecond", 12_000), ("WriteUnitsPerSecond", 4_000)];
/// Capacity units, at most.
const UNITS: i64 = 1_000_000_000_000;

/// All rules that the request breaks, behind what was found of its shapes.
pub(super) fn check(request: &Value, findings: &mut Vec<SpecFinding>) {
    let mut rules = Rules { request, table: &request["TableCreationParameters"], findings };
    rules.format();
    rules.billing();
    rules.keys();
    rules.encryption();
    rules.indexes();
    rules.vector_indexes();
}

struct Rules<'a> {
    request: &'a Value,
    table: &'a Value,
    findings: &'a mut Vec<SpecFinding>,
}

impl<'a> Rules<'a> {
    /// Whether nothing is wrong with the shapes of these members, or above or below them.
    fn sound(&self, members: &[&str]) -> bool {
        let within = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| b.is_empty() || rest.is_empty() || rest.starts_with('.'));
        !members.iter().any(|member| {
            let found =
                |finding: &SpecFinding| finding.tier != Tier::Rule && (within(&finding.member, member) || within(member, &finding.member));
            self.findings.iter().any(found)
        })
    }

    /// [`Self::sound`] for members of the table's parameters.
    fn sound_in_table(&self, members: &[&str]) -> bool {
        members.iter().all(|member| self.sound(&[&in_table(member)]))
    }

    fn refuse(&mut self, member: &str, message: impl Display) {
        self.findings.push(SpecFinding { tier: Tier::Rule, member: member.to_owned(), message: message.to_string() });
    }

    fn invalid(&mut self, member: &str, message: impl Display) {
        self.refuse(member, format!("One or more parameter values were invalid: {message}"));
    }

    fn on_demand(&self) -> bool {
        self.table["BillingMode"] == "PAY_PER_REQUEST"
    }

    fn format(&mut self) {
        let format = self.request["InputFormat"].as_str().unwrap_or_default();
        let given = !self.request["InputFormatOptions"]["Csv"].is_null();
        if given && format != "CSV" && self.sound(&["inputFormat"]) {
            self.refuse(
                "inputFormatOptions",
                format!("Invalid Request: Unsupported InputFormatOptions for the given input format: {format}."),
            );
        }
    }

    fn billing(&mut self) {
        if !self.sound_in_table(&["billingMode"]) {
            return;
        }
        let (table, on_demand) = (self.table, self.on_demand());
        let throughput = &table["ProvisionedThroughput"];
        if self.sound_in_table(&["provisionedThroughput"]) {
            let member = in_table("provisionedThroughput");
            match (on_demand, throughput.is_null()) {
                (true, false) => self.invalid(
                    &member,
                    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
                ),
                (false, true) => {
                    self.invalid(
                        &member,
                        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
                    );
                }
                _ => self.bounds(&member, throughput),
            }
        }
        if self.sound_in_table(&["onDemandThroughput"]) {
            self.on_demand_units(&in_table("onDemandThroughput"), &table["OnDemandThroughput"], None);
        }
    }

    /// The units of an on-demand throughput: of the table, or of an index.
    fn on_demand_units(&mut self, member: &str, throughput: &Value, index: Option<&str>) {
        for name in ["MaxWriteRequestUnits", "MaxReadRequestUnits"] {
            let Some(units) = throughput[name].as_i64() else { continue };
            if !self.on_demand() {
                let index = index.map(|index| format!(" for index: {index}")).unwrap_or_default();
                self.invalid(
                    member,
                    format!("{name} for OnDemandThroughput{index} cannot be specified when table BillingMode is PROVISIONED."),
                );
            } else if units < 1 {
                let of = index.map_or_else(|| "table".to_owned(), |index| format!("index : {index}"));
                self.invalid(member, format!("Requested {name} for OnDemandThroughput for {of} is outside of valid range"));
            }
        }
    }

    fn bounds(&mut self, member: &str, throughput: &Value) {
        for name in ["ReadCapacityUnits", "WriteCapacityUnits"] {
            if let Some(units) = throughput[name].as_i64().filter(|units| *units > UNITS) {
                self.refuse(member, format!("Given value {units} for {name} is out of bounds"));
            }
        }
    }

    fn encryption(&mut self) {
        let (encryption, member) = (&self.table["SSESpecification"], in_table("sSESpecification"));
        if !self.sound(&[&member]) {
            return;
        }
        let (kind, key) = (&encryption["SSEType"], &encryption["KMSMasterKeyId"]);
        if encryption["Enabled"] == false {
            for (name, _) in [("SSEType", kind), ("KMSMasterKeyId", key)].iter().filter(|(_, value)| !value.is_null()) {
                self.invalid(&member, format!("{name} can not be specified if Enabled is false"));
            }
        } else if kind == "AES256" {
            self.invalid(&member, "SSEType AES256 is not supported");
        } else if kind.is_null() && !key.is_null() {
            self.invalid(&member, "SSEType KMS is required if KMSMasterKeyId is specified");
        }
    }

    fn keys(&mut self) {
        let (defined, keys) = (self.defined(), names(&self.table["KeySchema"]));
        let (definitions, member) = (in_table("attributeDefinitions"), in_table("keySchema"));
        let sound = self.sound_in_table(&["attributeDefinitions"]);
        if sound {
            for name in twice(&defined) {
                self.refuse(&definitions, format!("Attribute Name is duplicated: {name}"));
            }
        }
        if !self.sound_in_table(&["keySchema"]) {
            return;
        }
        if sound && keys.len() > defined.len() {
            self.refuse(&member, "Invalid KeySchema: Some index key attribute have no definition");
        } else if sound {
            self.key_attributes(&member, &keys);
        }
        self.order(&member, &self.table["KeySchema"]);
        if key_types(&self.table["KeySchema"]).get(1).is_some_and(|second| *second != "RANGE") {
            self.refuse(&member, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        }
        if sound && self.sound_in_table(&["globalSecondaryIndexes", "vectorIndexes"]) {
            self.unused(&definitions, &defined, keys);
        }
    }

    /// Definitions of attributes that are in no key: each has to be in one.
    fn unused(&mut self, member: &str, defined: &[&str], keys: Vec<&str>) {
        let table = self.table;
        let schemas = elements(&table["GlobalSecondaryIndexes"]).iter().map(|index| &index["KeySchema"]);
        let schemas: Vec<_> = schemas.chain(elements(&table["VectorIndexes"]).iter().map(|index| &index["SearchSchema"])).collect();
        let mut used: Vec<&str> = Vec::new();
        for name in keys.into_iter().chain(schemas.iter().flat_map(|schema| names(schema))) {
            if !used.contains(&name) {
                used.push(name);
            }
        }
        if defined.iter().all(|name| used.contains(name)) {
            return;
        }
        if table["GlobalSecondaryIndexes"].is_null() && table["VectorIndexes"].is_null() {
            self.invalid(
                member,
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            );
        } else {
            let (defined, used) = (defined.join(", "), used.join(", "));
            self.invalid(member, format!("Some AttributeDefinitions are not used. AttributeDefinitions: [{defined}], keys used: [{used}]"));
        }
    }

    fn defined(&self) -> Vec<&'a str> {
        names(&self.table["AttributeDefinitions"])
    }

    /// The attributes of a key have to be defined.
    fn key_attributes(&mut self, member: &str, keys: &[&str]) {
        let defined = self.defined();
        if keys.iter().any(|key| !defined.contains(key)) {
            let (keys, defined) = (keys.join(", "), defined.join(", "));
            self.invalid(
                member,
                format!(
                    "Some index key attributes are not defined in AttributeDefinitions. Keys: [{keys}], AttributeDefinitions: [{defined}]"
                ),
            );
        }
    }

    /// The attributes of a key are distinct, and it begins with a partition key.
    fn order(&mut self, member: &str, schema: &Value) {
        let names = names(schema);
        if !twice(&names).is_empty() {
            self.refuse(
                member,
                if names.len() == 2 {
                    "Both the Hash Key and the Range Key element in the KeySchema have the same name"
                } else {
                    "The KeySchema contains multiple key attributes with the same name"
                },
            );
        }
        if key_types(schema).first().is_some_and(|first| *first != "HASH") {
            self.refuse(member, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
        }
    }

    fn indexes(&mut self) {
        let Some(indexes) = self.table["GlobalSecondaryIndexes"].as_array() else { return };
        if !self.sound_in_table(&["globalSecondaryIndexes"]) {
            return;
        }
        let member = in_table("globalSecondaryIndexes");
        if indexes.is_empty() {
            self.invalid(&member, "List of GlobalSecondaryIndexes is empty");
        }
        for (n, index) in indexes.iter().enumerate() {
            self.index(&format!("{member}.{}.member", n + 1), index);
        }
        let index_names = index_names(self.table);
        for name in twice(&index_names) {
            self.invalid(&member, format!("Duplicate index name: {name}"));
        }
        if indexes.len() > INDEXES {
            self.invalid(&member, format!("GlobalSecondaryIndex count exceeds the per-table limit of {INDEXES}"));
        }
        let projected: usize = indexes.iter().map(|index| elements(&index["Projection"]["NonKeyAttributes"]).len()).sum();
        if projected > PROJECTED {
            self.invalid(&member, format!("{projected} NonKeyAttributes over all indexes, and {PROJECTED} are allowed"));
        }
    }

    fn index(&mut self, member: &str, index: &Value) {
        let name = index["IndexName"].as_str().unwrap_or_default();
        let (schema, at) = (&index["KeySchema"], format!("{member}.keySchema"));
        if self.sound_in_table(&["attributeDefinitions"]) {
            self.key_attributes(&at, &names(schema));
        }
        self.order(&at, schema);
        let types = key_types(schema);
        if types.first() == Some(&"HASH") && !types.is_sorted() {
            self.invalid(&at, "All HASH key attributes must precede RANGE key attributes in the KeySchema");
        }
        for role in ["HASH", "RANGE"] {
            if types.iter().filter(|kind| **kind == role).count() > KEY_ATTRIBUTES {
                self.invalid(&at, format!("The KeySchema exceeds the maximum allowed number of {role} key attributes"));
            }
        }
        self.projection(&format!("{member}.projection"), &index["Projection"]);
        if self.sound_in_table(&["billingMode"]) {
            self.index_billing(member, name, index);
        }
    }

    fn projection(&mut self, member: &str, projection: &Value) {
        let named = !projection["NonKeyAttributes"].is_null();
        match projection["ProjectionType"].as_str() {
            None => self.invalid(member, "Unknown ProjectionType: null"),
            Some("INCLUDE") if !named => self.invalid(member, "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
            Some(kind) if kind != "INCLUDE" && named => {
                self.invalid(member, format!("ProjectionType is {kind}, but NonKeyAttributes is specified"));
            }
            Some(_) => {}
        }
        let named: Vec<_> = elements(&projection["NonKeyAttributes"]).iter().filter_map(Value::as_str).collect();
        for name in twice(&named) {
            self.invalid(member, format!("Duplicate element in NonKeyAttributes: {name}"));
        }
    }

    fn index_billing(&mut self, member: &str, name: &str, index: &Value) {
        let throughput = &index["ProvisionedThroughput"];
        let at = format!("{member}.provisionedThroughput");
        match (self.on_demand(), throughput.is_null()) {
            (true, false) => self.invalid(
                &at,
                format!("ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"),
            ),
            (false, true) => self.invalid(&at, format!("ProvisionedThroughput is not specified for index: {name}")),
            _ => self.bounds(&at, throughput),
        }
        self.on_demand_units(&format!("{member}.onDemandThroughput"), &index["OnDemandThroughput"], Some(name));
        if !self.on_demand() {
            return;
        }
        for (units, initial) in INITIAL_UNITS {
            if index["WarmThroughput"][units].as_i64().is_some_and(|given| given < initial) {
                let message =
                    format!("Requested {units} for WarmThroughput for index {name} is lower than initial throughput for OnDemand.");
                self.invalid(&format!("{member}.warmThroughput"), message);
            }
        }
    }

    fn vector_indexes(&mut self) {
        let Some(indexes) = self.table["VectorIndexes"].as_array() else { return };
        if !self.sound_in_table(&["vectorIndexes"]) {
            return;
        }
        let member = in_table("vectorIndexes");
        if !indexes.is_empty() && self.sound_in_table(&["billingMode"]) && !self.on_demand() {
            self.invalid(&member, "Vector indexes are only supported for PAY_PER_REQUEST tables");
        }
        if indexes.len() > VECTOR_INDEXES {
            self.invalid(&member, format!("VectorIndex count exceeds the per-table limit of {VECTOR_INDEXES}"));
        }
        let vector = |index: &Value| (index["VectorAttribute"]["AttributeName"].clone(), index["Dimensions"].clone());
        for (n, index) in indexes.iter().enumerate() {
            let at = format!("{member}.{}.member", n + 1);
            if index["Dimensions"].as_i64().is_some_and(|dimensions| dimensions > DIMENSIONS) {
                self.invalid(&at, format!("Number of dimensions must be between 1 and {DIMENSIONS} inclusive."));
            }
            let defined = self.defined();
            let complete = names(&index["SearchSchema"]).iter().all(|name| defined.contains(name));
            if !complete && self.sound_in_table(&["attributeDefinitions"]) {
                self.invalid(&at, "One element in SearchSchema is not defined in attribute definitions");
            }
            let (attribute, dimensions) = vector(index);
            let other = |before: &Value| vector(before).0 == attribute && vector(before).1 != dimensions;
            if let Some(attribute) = attribute.as_str().filter(|_| indexes[..n].iter().any(other)) {
                let message = format!(
                    "Conflicting attribute definition for '{attribute}'. All VectorIndexes on the same vector attribute must use the same dimensions."
                );
                self.invalid(&at, message);
            }
        }
        // With secondary indexes all names were compared there.
        if self.table["GlobalSecondaryIndexes"].is_null() {
            for name in twice(&index_names(self.table)) {
                self.invalid(&member, format!("Duplicate index name: {name}"));
            }
        }
    }
}

fn in_table(member: &str) -> String {
    format!("tableCreationParameters.{member}")
}

/// A list's elements; none where there is no list.
fn elements(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// The attributes that the elements of a schema, or definitions, name.
fn names(schema: &Value) -> Vec<&str> {
    elements(schema).iter().filter_map(|element| element["AttributeName"].as_str()).collect()
}

fn key_types(schema: &Value) -> Vec<&str> {
    elements(schema).iter().filter_map(|element| element["KeyType"].as_str()).collect()
}

fn index_names(table: &Value) -> Vec<&str> {
    let lists = [&table["GlobalSecondaryIndexes"], &table["VectorIndexes"]];
    lists.into_iter().flat_map(elements).filter_map(|index| index["IndexName"].as_str()).collect()
}

/// The names that stand a second time.
fn twice<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let again = |(n, name): (usize, &&'a str)| names[..n].contains(name).then_some(*name);
    names.iter().enumerate().filter_map(again).collect()
}
