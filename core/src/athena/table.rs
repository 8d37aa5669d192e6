//! Statements that define tables.

use arrow::datatypes::{Field, FieldRef};

use super::types::{comment, ddl_name, ddl_text, ddl_type, dml_name};
use crate::error::{Error, Result};

/// The name of a table, in a database or in the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    database: Option<String>,
    /// The table's own name.
    pub table: String,
}

impl TableName {
    /// Of `table` or `database.table`.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::usage(format!("table {text:?}: {why}"));
        let check = |part: &str| {
            if part.is_empty() || part.len() > 255 {
                return Err(bad("it must be TABLE or DATABASE.TABLE, of at most 255 bytes each"));
            }
            match part.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')) {
                Some(c) => Err(bad(&format!("{c:?} is none of a-z, 0-9, _ and -"))),
                None => Ok(part.to_owned()),
            }
        };
        match text.split_once('.') {
            Some((database, table)) => Ok(Self { database: Some(check(database)?), table: check(table)? }),
            None => Ok(Self { database: None, table: check(text)? }),
        }
    }

    /// Another table beside it.
    #[must_use]
    pub fn beside(&self, table: String) -> Self {
        Self { database: self.database.clone(), table }
    }

    /// In statements that define.
    pub fn ddl(&self) -> String {
        self.parts(ddl_name)
    }

    /// In statements on rows.
    pub fn dml(&self) -> String {
        self.parts(dml_name)
    }

    fn parts(&self, quoted: fn(&str) -> String) -> String {
        let parts: Vec<_> = self.database.iter().chain([&self.table]).map(|part| quoted(part)).collect();
        parts.join(".")
    }
}

/// A folder on S3, with `/` at its end.
pub fn location(text: &str) -> Result<String> {
    let bad = |why: &str| Err(Error::usage(format!("location {text:?}: {why}")));
    let Some(path) = text.strip_prefix("s3://") else { return bad("it must be s3://BUCKET/FOLDER/") };
    if path.is_empty() || path.starts_with('/') || path.chars().any(char::is_control) {
        return bad("it must be s3://BUCKET/FOLDER/");
    }
    if path.ends_with(".parquet") {
        return bad("Athena reads all files of a folder, not one file");
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

/// A table: its columns, and those that folders stand for.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// The columns of its files.
    pub columns: Vec<FieldRef>,
    /// The columns that stand in the names of its folders, `name=value/`.
    pub partitions: Vec<FieldRef>,
}

impl Table {
    /// All columns.
    pub fn all(&self) -> impl Iterator<Item = &FieldRef> + Clone {
        self.columns.iter().chain(&self.partitions)
    }

    /// A table over Parquet files that stand there, and what finds its folders.
    pub fn external(&self, location: &str, if_not_exists: bool) -> Vec<String> {
        let (name, columns) = (self.name.ddl(), lines(self.columns.iter(), false));
        let mut statement = format!("CREATE EXTERNAL TABLE {}{name} (\n{columns}\n)", if if_not_exists { "IF NOT EXISTS " } else { "" });
        if !self.partitions.is_empty() {
            statement += &format!("\nPARTITIONED BY (\n{}\n)", lines(self.partitions.iter(), false));
        }
        statement += &format!("\nSTORED AS PARQUET\nLOCATION {}", ddl_text(location));
        let repair = (!self.partitions.is_empty()).then(|| format!("MSCK REPAIR TABLE {name}"));
        [statement].into_iter().chain(repair).collect()
    }

    /// The same columns as an Iceberg table, whose files stand there.
    pub fn iceberg(&self, location: &str) -> String {
        let mut statement = format!("CREATE TABLE IF NOT EXISTS {} (\n{}\n)", self.name.ddl(), lines(self.all(), true));
        if !self.partitions.is_empty() {
            let names: Vec<_> = self.partitions.iter().map(|field| ddl_name(field.name())).collect();
            statement += &format!("\nPARTITIONED BY ({})", names.join(", "));
        }
        statement + &format!("\nLOCATION {}\nTBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet')", ddl_text(location))
    }

    /// More columns of an Iceberg table.
    pub fn add_columns(&self, columns: &[FieldRef]) -> String {
        // Comments have no place there.
        let columns: Vec<_> = columns.iter().map(|field| format!("  {}", definition(field, true))).collect();
        format!("ALTER TABLE {} ADD COLUMNS (\n{}\n)", self.name.ddl(), columns.join(",\n"))
    }

    /// All rows of `source`, which has the same columns, into the table while it has none: what
    /// ran twice must not double them.
    pub fn load(&self, source: &TableName) -> String {
        let columns: Vec<_> = self.all().map(|field| dml_name(field.name())).collect();
        let (table, columns) = (self.name.dml(), columns.join(", "));
        format!("INSERT INTO {table} ({columns})\nSELECT {columns}\nFROM {}\nWHERE NOT EXISTS (SELECT 1 FROM {table})", source.dml())
    }
}

/// A column without its comment.
fn definition(field: &Field, iceberg: bool) -> String {
    format!("{} {}", ddl_name(field.name()), ddl_type(field.data_type(), iceberg))
}

/// Columns, one a line.
fn lines<'a>(columns: impl Iterator<Item = &'a FieldRef>, iceberg: bool) -> String {
    let line = |field: &FieldRef| {
        let comment = comment(field).map(|text| format!(" COMMENT {}", ddl_text(&text)));
        format!("  {}{}", definition(field, iceberg), comment.unwrap_or_default())
    };
    columns.map(line).collect::<Vec<_>>().join(",\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_and_places() {
        let name = TableName::parse("my-lake.orders").expect("a name");
        assert_eq!((name.ddl(), name.dml()), ("`my-lake`.`orders`".into(), "\"my-lake\".\"orders\"".into()));
        assert_eq!(TableName::parse("orders").expect("a name").ddl(), "`orders`");
        for bad in ["", ".", "a.", ".a", "a.b.c", "Orders", "a b", "a`"] {
            assert!(TableName::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(location("s3://b/x").expect("a place"), "s3://b/x/");
        assert_eq!(location("s3://b/").expect("a place"), "s3://b/");
        for bad in ["", "s3://", "s3:///x", "https://b/x", "s3://b/x.parquet", "s3://b/\n"] {
            assert!(location(bad).is_err(), "{bad}");
        }
    }
}
