//! Arrow types → Athena's, as its two grammars write them.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::name;
use crate::error::{Code, Error, Result, printable};
use crate::path;
use crate::schema::{NAME_KEY, TYPE_KEY};

/// The keywords that are reserved in DDL.
/// <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>
const RESERVED: &str = " all alter and array as authorization between bigint binary boolean both by case cashe cast char column conf \
    constraint commit create cross cube current current_date current_timestamp cursor database date dayofweek decimal delete describe \
    distinct div double drop else end exchange exists extended external extract false fetch float floor following for foreign from full \
    function grant group grouping having if import in inner insert int integer intersect interval into is join lateral left less like \
    local macro map more none not null numeric of on only or order out outer over partialscan partition percent preceding precision \
    preserve primary procedure range reads reduce regexp references revoke right rlike rollback rollup row rows select set smallint start \
    table tablesample then time timestamp to transform trigger true truncate unbounded union uniquejoin update user using utc_timestamp \
    values varchar views when where window with ";

/// The longest comment of a column that the Glue catalog takes, in bytes.
const COMMENT: usize = 255;

/// A name in a statement that defines.
pub fn ddl_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A name in a statement on rows.
pub fn dml_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in a statement that defines.
pub fn ddl_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The name of a struct's member in a statement that defines.
fn member_name(name: &str) -> String {
    let bare = name.starts_with(|c: char| c.is_ascii_lowercase()) && !RESERVED.contains(&format!(" {name} "));
    if bare { name.to_owned() } else { ddl_name(name) }
}

/// The comment of a column: its attribute's name, where that is another. One line, no longer than
/// the catalog takes.
pub fn comment(field: &Field) -> Option<String> {
    let mut text = printable(field.metadata().get(NAME_KEY)?);
    if text.len() > COMMENT {
        const CUT: &str = "…";
        let end = (0..=COMMENT - CUT.len()).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push_str(CUT);
    }
    Some(text)
}

/// The attribute that a field holds.
pub fn attribute(field: &Field) -> &str {
    field.metadata().get(NAME_KEY).unwrap_or(field.name())
}

/// The DynamoDB type of a field, where it says one.
pub fn dynamodb_type(field: &Field) -> Option<&str> {
    field.metadata().get(TYPE_KEY).map(String::as_str)
}

/// Refuses names that Athena cannot resolve, and types that it does not have.
pub fn check<'a>(fields: impl IntoIterator<Item = &'a FieldRef>) -> Result<()> {
    check_fields(fields, "")
}

fn check_fields<'a>(fields: impl IntoIterator<Item = &'a FieldRef>, above: &str) -> Result<()> {
    let mut seen = HashSet::new();
    for field in fields {
        let mut at = above.to_owned();
        path::push_name(&mut at, attribute(field));
        let bad = |why: &str| {
            let message = format!("{why}; --names athena (names=\"athena\") writes names that Athena can resolve into the file");
            Error::new(Code::AthenaName, message).at_path(at.as_str())
        };
        name::check(field.name()).map_err(|why| bad(&why))?;
        if !seen.insert(field.name()) {
            return Err(bad(&format!("there are two columns {:?}", field.name())));
        }
        check_type(field.data_type(), &at)?;
    }
    Ok(())
}

fn check_type(ty: &DataType, at: &str) -> Result<()> {
    match ty {
        DataType::Struct(fields) => check_fields(fields, at),
        DataType::Map(..) => check_type(map_parts(ty)[0].data_type(), at).and_then(|()| check_type(map_parts(ty)[1].data_type(), at)),
        _ => match element(ty) {
            Some(element) => check_type(element.data_type(), &format!("{at}[]")),
            None if scalar(ty).is_some() => Ok(()),
            None => Err(Error::usage(format!("Athena has no type for a column of {ty}")).at_path(at)),
        },
    }
}

/// The elements of a list.
pub fn element(ty: &DataType) -> Option<&FieldRef> {
    match ty {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => Some(field),
        _ => None,
    }
}

/// Keys and values of a map; nothing of any other type.
pub fn map_parts(ty: &DataType) -> &Fields {
    static NONE: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Fields::empty);
    match ty {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields,
            _ => &NONE,
        },
        _ => &NONE,
    }
}

/// A type without parts, in statements that define and in those on rows.
fn scalar(ty: &DataType) -> Option<(String, String)> {
    let named = |ddl: &str, dml: &str| Some((ddl.to_owned(), dml.to_owned()));
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => named("string", "varchar"),
        DataType::Int8 => named("tinyint", "tinyint"),
        DataType::Int16 => named("smallint", "smallint"),
        DataType::Int32 => named("int", "integer"),
        DataType::Int64 => named("bigint", "bigint"),
        DataType::Float32 => named("float", "real"),
        DataType::Float64 => named("double", "double"),
        DataType::Boolean => named("boolean", "boolean"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => named("binary", "varbinary"),
        DataType::Date32 => named("date", "date"),
        // Athena has no time zones in tables: all is UTC, as in what Dynarrow writes.
        DataType::Timestamp(..) => named("timestamp", "timestamp(6)"),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) | DataType::Decimal128(precision, scale)
            if *scale >= 0 =>
        {
            let decimal = format!("decimal({precision},{scale})");
            named(&decimal, &decimal)
        }
        DataType::Dictionary(_, values) => scalar(values),
        _ => None,
    }
}

/// The type in a statement that defines, of a table of files or of an Iceberg table.
pub fn ddl_type(ty: &DataType, iceberg: bool) -> String {
    let part = |field: &FieldRef| ddl_type(field.data_type(), iceberg);
    match ty {
        // Iceberg has no smaller ones.
        DataType::Int8 | DataType::Int16 if iceberg => "int".into(),
        DataType::Struct(fields) => {
            let members: Vec<_> = fields.iter().map(|field| format!("{}:{}", member_name(field.name()), part(field))).collect();
            format!("struct<{}>", members.join(","))
        }
        DataType::Map(..) => format!("map<{}>", map_parts(ty).iter().map(part).collect::<Vec<_>>().join(",")),
        _ => match element(ty) {
            Some(element) => format!("array<{}>", part(element)),
            None => scalar(ty).unwrap_or_default().0,
        },
    }
}

/// The type in a statement on rows.
pub fn dml_type(ty: &DataType) -> String {
    let part = |field: &FieldRef| dml_type(field.data_type());
    match ty {
        DataType::Struct(fields) => {
            let members: Vec<_> = fields.iter().map(|field| format!("{} {}", dml_name(field.name()), part(field))).collect();
            format!("ROW({})", members.join(", "))
        }
        DataType::Map(..) => format!("MAP({})", map_parts(ty).iter().map(part).collect::<Vec<_>>().join(", ")),
        _ => match element(ty) {
            Some(element) => format!("ARRAY({})", part(element)),
            None => scalar(ty).unwrap_or_default().1,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn types_of_both_grammars() {
        let list = |ty: DataType| DataType::List(Field::new("element", ty, true).into());
        let members = vec![Field::new("date", DataType::Date32, true), Field::new("_n", list(DataType::Decimal128(38, 2)), true)];
        let ty = DataType::Struct(members.into());
        assert_eq!(ddl_type(&ty, false), "struct<`date`:date,`_n`:array<decimal(38,2)>>");
        assert_eq!(dml_type(&ty), r#"ROW("date" date, "_n" ARRAY(decimal(38,2)))"#);
        assert_eq!([ddl_type(&DataType::Int8, false), ddl_type(&DataType::Int8, true)], ["tinyint", "int"]);
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(ddl_text(r"it's \ so"), r"'it\'s \\ so'");
        let named = |name: &str| Field::new("a", DataType::Utf8, true).with_metadata(HashMap::from([(NAME_KEY.into(), name.into())]));
        assert_eq!(comment(&named("a\nb")).as_deref(), Some("a\\nb"));
        let long = comment(&named(&"é".repeat(200))).expect("a comment");
        assert!(long.len() <= COMMENT && long.ends_with('…'), "{long}");
    }

    #[test]
    fn what_athena_does_not_have_is_refused() {
        let field = |ty: DataType| FieldRef::new(Field::new("a", ty, true));
        for ty in [DataType::UInt64, DataType::Null, DataType::Decimal256(40, 0), DataType::Decimal128(3, -1)] {
            let inner = Field::new("x", DataType::List(Field::new("element", ty, true).into()), true);
            let error = check([&field(DataType::Struct(vec![inner].into()))]).expect_err("refused");
            assert_eq!((error.code(), error.path()), (Code::Usage, Some("a.x[]")));
        }
        let twice = [field(DataType::Utf8), field(DataType::Utf8)];
        assert_eq!(check(&twice).expect_err("refused").code(), Code::AthenaName);
    }
}
