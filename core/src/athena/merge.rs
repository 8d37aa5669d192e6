//! Changes into an Iceberg table: the statements that take a file of changes in.
//!
//! A change has the whole new item, so what it does not have is null in the table too. Columns
//! are matched by the attributes that they hold; where their types differ, values are made such
//! of the table where that loses nothing, or else are refused.
//! <https://docs.aws.amazon.com/athena/latest/ug/merge-into-statement.html>

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema as ArrowSchema};

use super::name::Given;
use super::table::{Table, TableName};
use super::types::{attribute, ddl_type, dml_name, dml_type, dynamodb_type, element, map_parts};
use crate::error::{Error, Result};
use crate::path;

/// The columns of a file of changes.
#[derive(Debug)]
pub struct Staged {
    /// What became of the item.
    op: FieldRef,
    /// All columns of the file.
    pub columns: Vec<FieldRef>,
    /// Those that are attributes.
    attributes: Vec<FieldRef>,
}

impl Staged {
    /// The columns of a file that `changes` wrote: `_op` and `_ts` stand first, with underscores
    /// behind where attributes are called so; `_old` is no attribute.
    pub fn of(schema: &ArrowSchema) -> Result<Self> {
        let columns: Vec<_> = schema.fields().iter().cloned().collect();
        let is_own = |field: &Field, name: &str| field.name().trim_end_matches('_') == name && dynamodb_type(field).is_none();
        let [op, ts, attributes @ ..] = &columns[..] else { return Err(no_changes()) };
        if !is_own(op, "_op") || !is_own(ts, "_ts") {
            return Err(no_changes());
        }
        let attributes = attributes.iter().filter(|field| !is_own(field, "_old")).cloned().collect();
        Ok(Self { op: op.clone(), attributes, columns })
    }

    /// Whether there is nothing to take in: a change has a key at least.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The attributes that the table has no column for, under names that it does not have.
    pub fn new_columns(&self, table: &Table) -> Vec<FieldRef> {
        let mut given = Given::columns();
        table.all().for_each(|field| given.keep(field.name()));
        let is_new = |field: &&FieldRef| table.all().all(|known| attribute(known) != attribute(field));
        let named = |field: &FieldRef| FieldRef::new(field.as_ref().clone().with_name(given.give(field.name())));
        self.attributes.iter().filter(is_new).map(named).collect()
    }

    /// The statement that brings the rows of `staging` into the table, which has a column for each
    /// attribute.
    pub fn merge(&self, table: &Table, staging: &TableName, keys: &[String]) -> Result<String> {
        let mut op = "_op".to_owned();
        while table.all().any(|field| *field.name() == op) {
            op.push('_');
        }
        let op = dml_name(&op);
        let mut selected = vec![format!("{} AS {op}", dml_name(self.op.name()))];
        for field in table.all() {
            let value = match self.attributes.iter().find(|staged| attribute(staged) == attribute(field)) {
                Some(staged) => convert(&dml_name(staged.name()), staged, field, 1).map_err(|why| {
                    let mut at = String::new();
                    path::push_name(&mut at, attribute(field));
                    let remedy = "convert the table and its changes with the same --schema";
                    Error::usage(format!("the changes do not fit the table's column: {why}; {remedy}")).at_path(at)
                })?,
                None => null(field),
            };
            selected.push(format!("{value} AS {}", dml_name(field.name())));
        }
        let find = |key: &String| {
            let missing = || Error::usage(format!("the key attribute {key:?} is no column of the table and its changes"));
            self.attributes.iter().find(|staged| attribute(staged) == key).ok_or_else(missing)?;
            table.all().find(|field| attribute(field) == key).ok_or_else(missing)
        };
        let keys = keys.iter().map(find).collect::<Result<Vec<_>>>()?;
        let quoted = |field: &FieldRef| dml_name(field.name());
        let on: Vec<_> = keys.iter().map(|key| format!("t.{0} = s.{0}", quoted(key))).collect();
        let set = table.all().filter(|field| !keys.contains(field)).map(|field| format!("{0} = s.{0}", quoted(field)));
        let set = set.collect::<Vec<_>>().join(", ");
        let columns = table.all().map(quoted).collect::<Vec<_>>().join(", ");
        let values = table.all().map(|field| format!("s.{}", quoted(field))).collect::<Vec<_>>().join(", ");
        // An item may be nothing but its key.
        let update = if set.is_empty() { String::new() } else { format!("WHEN MATCHED THEN UPDATE SET {set}\n") };
        Ok(format!(
            "MERGE INTO {} t\nUSING (\n  SELECT {}\n  FROM {}\n) s\nON {}\n\
             WHEN MATCHED AND s.{op} = 'delete' THEN DELETE\n{update}\
             WHEN NOT MATCHED AND s.{op} <> 'delete' THEN INSERT ({columns}) VALUES ({values})",
            table.name.dml(),
            selected.join(",\n    "),
            staging.dml(),
            on.join(" AND "),
        ))
    }
}

fn no_changes() -> Error {
    Error::usage("this is no file of changes: its first columns are not _op and _ts, as `dynarrow changes` writes them")
}

fn null(field: &Field) -> String {
    format!("CAST(NULL AS {})", dml_type(field.data_type()))
}

/// Whether values of the one can stand in the other as they are.
fn is_same(from: &Field, to: &Field) -> bool {
    let of_one_kind = match (dynamodb_type(from), dynamodb_type(to)) {
        (Some(from), Some(to)) => from == to,
        _ => true,
    };
    of_one_kind
        && match (from.data_type(), to.data_type()) {
            // Members are matched by their place.
            (DataType::Struct(from), DataType::Struct(to)) => {
                from.len() == to.len() && from.iter().zip(to).all(|(from, to)| attribute(from) == attribute(to) && is_same(from, to))
            }
            (DataType::Map(..), DataType::Map(..)) => {
                map_parts(from.data_type()).iter().zip(map_parts(to.data_type())).all(|(from, to)| is_same(from, to))
            }
            (from, to) => match (element(from), element(to)) {
                (Some(from), Some(to)) => is_same(from, to),
                _ => ddl_type(from, true) == ddl_type(to, true),
            },
        }
}

/// The expression whose values are those of `value`, in the table's type; or why there is none.
fn convert(value: &str, from: &Field, to: &Field, depth: usize) -> Result<String, String> {
    let says = |field: &Field| dynamodb_type(field).map(str::to_owned);
    let (kind, into) = (says(from), says(to));
    if kind.as_deref() == Some("NULL") {
        return Ok(null(to));
    }
    if is_same(from, to) {
        return Ok(value.to_owned());
    }
    let ty = dml_type(to.data_type());
    let cast = |value: &str| format!("CAST({value} AS {ty})");
    let unless_null = |made: String| format!("CASE WHEN {value} IS NULL THEN NULL ELSE {} END", cast(&made));
    let refused = || {
        let described = |field: &Field, kind: Option<&str>| format!("{} ({})", ddl_type(field.data_type(), true), kind.unwrap_or("?"));
        Err(format!("{} is no {}", described(from, kind.as_deref()), described(to, into.as_deref())))
    };
    if let (Some("mixed"), DataType::Struct(members)) = (into.as_deref(), to.data_type())
        && kind != into
    {
        // The value is one of the types that stand there.
        let Some(place) = members.iter().position(|member| Some(attribute(member)) == kind.as_deref()) else { return refused() };
        let made =
            members.iter().enumerate().map(|(n, member)| if n == place { convert(value, from, member, depth) } else { Ok(null(member)) });
        return Ok(unless_null(format!("ROW({})", made.collect::<Result<Vec<_>, _>>()?.join(", "))));
    }
    if kind.is_some() && into.is_some() && kind != into {
        return refused();
    }
    let (x, k) = (format!("x{depth}"), format!("k{depth}"));
    // What was always empty has parts of no type.
    let is_empty = |part: &Field| dynamodb_type(part).is_none() && kind.is_some();
    match (from.data_type(), to.data_type()) {
        (DataType::Struct(of), DataType::Struct(members)) => Ok(unless_null(row(value, of, members, depth)?)),
        (map @ DataType::Map(..), DataType::Struct(members)) if is_empty(&map_parts(map)[1]) => {
            Ok(unless_null(format!("ROW({})", members.iter().map(|member| null(member)).collect::<Vec<_>>().join(", "))))
        }
        (map @ DataType::Map(..), DataType::Map(..)) if is_empty(&map_parts(map)[1]) => Ok(unless_null("MAP()".into())),
        (map @ DataType::Map(..), other @ DataType::Map(..)) => {
            let made = convert(&x, &map_parts(map)[1], &map_parts(other)[1], depth + 1)?;
            Ok(format!("transform_values({value}, ({k}, {x}) -> {made})"))
        }
        (one, other) => match (element(one), element(other)) {
            (Some(one), Some(_)) if is_empty(one) => Ok(unless_null("ARRAY[]".into())),
            (Some(one), Some(other)) => Ok(format!("transform({value}, {x} -> {})", convert(&x, one, other, depth + 1)?)),
            _ if widens(one, other) => Ok(cast(value)),
            _ => match number_text(value, one).filter(|_| is_text(other) && into.as_deref() == Some("N")) {
                Some(text) => Ok(text),
                None => refused(),
            },
        },
    }
}

/// A row of these members, out of one that has no others.
fn row(value: &str, of: &Fields, members: &Fields, depth: usize) -> Result<String, String> {
    if let Some(new) = of.iter().find(|field| members.iter().all(|member| attribute(member) != attribute(field))) {
        return Err(format!("the member {:?} is new, and Athena adds none to a struct", attribute(new)));
    }
    let made = members.iter().map(|member| match of.iter().find(|field| attribute(field) == attribute(member)) {
        Some(field) => convert(&format!("{value}.{}", dml_name(field.name())), field, member, depth),
        None => Ok(null(member)),
    });
    Ok(format!("ROW({})", made.collect::<Result<Vec<_>, _>>()?.join(", ")))
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether a cast loses nothing, or what the column's own type is to lose. What overflows a decimal
/// ends the statement.
fn widens(from: &DataType, to: &DataType) -> bool {
    let scale = |ty: &DataType| match ty {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => Some(*scale),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(0),
        _ => None,
    };
    match (from, to) {
        // Iceberg has one type for them.
        (DataType::Int8 | DataType::Int16 | DataType::Int32, DataType::Int16 | DataType::Int32 | DataType::Int64) => true,
        (DataType::Float32, DataType::Float64) => true,
        (from, DataType::Float64) => scale(from).is_some(),
        (from, to @ (DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..))) => {
            scale(from).is_some_and(|scale_from| Some(scale_from) <= scale(to))
        }
        _ => false,
    }
}

/// A number as text in its canonical plain form.
fn number_text(value: &str, from: &DataType) -> Option<String> {
    match from {
        DataType::Int64 | DataType::Decimal128(_, 0) => Some(format!("CAST({value} AS varchar)")),
        DataType::Decimal128(..) => Some(format!("rtrim(rtrim(CAST({value} AS varchar), '0'), '.')")),
        _ => None,
    }
}
