//! The short form of a spec: the key alone, `pk:S` and `sk:N`.

use serde_json::json;

use super::TableSpec;
use crate::error::{Error, Result};

/// Bytes of a key attribute's name, at most.
const NAME_BYTES: usize = 255;

impl TableSpec {
    /// The table of these keys, each `NAME:TYPE` with a type of `S`, `N` or `B`: the partition key, and the sort
    /// key if there is one. Format, options and compression are unknown, and so are the table's name and
    /// where the objects are.
    ///
    /// A name may hold colons: the last one parts it from the type.
    ///
    /// ```
    /// use dynarrow::import::TableSpec;
    ///
    /// let spec = TableSpec::short(&["customer:S", "placed:N"])?;
    /// assert_eq!((&*spec.partition_key, spec.sort_key.as_deref()), ("customer", Some("placed")));
    /// assert_eq!(spec.format, None);
    /// # Ok::<(), dynarrow::Error>(())
    /// ```
    pub fn short(keys: &[impl AsRef<str>]) -> Result<Self> {
        if !(1..=2).contains(&keys.len()) {
            return Err(Error::usage(format!(
                "a table has a partition key, and perhaps a sort key: one key or two (pk:S, sk:N), not {}",
                keys.len()
            )));
        }
        let (mut definitions, mut schema) = (Vec::new(), Vec::new());
        for (key, role) in keys.iter().zip(["HASH", "RANGE"]) {
            let (name, kind) = parse(key.as_ref())?;
            if schema.iter().any(|element: &serde_json::Value| element["AttributeName"] == name) {
                return Err(Error::usage(format!("the partition key and the sort key are both {name:?}")));
            }
            definitions.push(json!({"AttributeName": name, "AttributeType": kind}));
            schema.push(json!({"AttributeName": name, "KeyType": role}));
        }
        let table = json!({"AttributeDefinitions": definitions, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"});
        Ok(Self::of(json!({"TableCreationParameters": table})))
    }
}

/// Name and type of `pk:S`.
fn parse(key: &str) -> Result<(&str, &str)> {
    let Some((name, kind)) = key.rsplit_once(':') else {
        return Err(Error::usage(format!("the key {key:?} has no type: {key}:S, {key}:N or {key}:B")));
    };
    if !matches!(kind, "S" | "N" | "B") {
        return Err(Error::usage(format!("the type of the key {key:?} must be S, N or B, not {kind:?}")));
    }
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(Error::usage(format!("the name of the key {key:?} must have 1 to {NAME_BYTES} bytes, not {}", name.len())));
    }
    Ok((name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    #[test]
    fn keys() {
        let spec = TableSpec::short(&["a:b:S", "n:N"]).expect("a spec");
        assert_eq!((&*spec.partition_key, spec.sort_key.as_deref()), ("a:b", Some("n")));
        assert_eq!((spec.kind("a:b"), spec.kind("n"), spec.kind("x")), (Some(Kind::S), Some(Kind::N), None));
        assert_eq!((spec.table_name, spec.bucket, spec.format, spec.compression), (None, None, None, None));
        assert_eq!(TableSpec::short(&["b:B"]).expect("a spec").sort_key, None);
    }

    #[test]
    fn usage_errors() {
        let long = format!("{}:S", "n".repeat(256));
        for (keys, message) in [
            (&[][..], "one key or two (pk:S, sk:N), not 0"),
            (&["a:S", "b:S", "c:S"], "one key or two (pk:S, sk:N), not 3"),
            (&["pk"], "the key \"pk\" has no type: pk:S, pk:N or pk:B"),
            (&["pk:string"], "the type of the key \"pk:string\" must be S, N or B, not \"string\""),
            (&["pk:s"], "must be S, N or B, not \"s\""),
            (&[":S"], "must have 1 to 255 bytes, not 0"),
            (&[&long], "must have 1 to 255 bytes, not 256"),
            (&["pk:S", "pk:N"], "the partition key and the sort key are both \"pk\""),
        ] {
            let error = TableSpec::short(keys).expect_err(message);
            assert_eq!(error.code(), crate::error::Code::Usage);
            assert!(error.message().ends_with(message), "{error}");
        }
    }
}
