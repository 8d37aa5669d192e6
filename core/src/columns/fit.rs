//! Batches in the columns of another schema, where that loses nothing: as the rows of a table
//! that was made before.
//!
//! Columns are matched by name, members of structs too. What the schema has and the batch has not
//! is null. A value goes where it is the same value: a number into any column of numbers that
//! holds it, a string into the string of a column of several types.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray, new_empty_array, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef};
use arrow::error::ArrowError;

use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::path;
use crate::schema::TYPE_KEY;

/// The batch in these columns; those that the schema does not have are left out.
pub fn fit(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|to| match batch.schema().column_with_name(to.name()) {
        Some((at, from)) => column(batch.column(at), from, to, &name_of(to, "")),
        None => Ok(new_null_array(to.data_type(), batch.num_rows())),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_>>()?, &options).map_err(|e| failed(&e, ""))
}

fn name_of(field: &Field, above: &str) -> String {
    let mut at = above.to_owned();
    path::push_name(&mut at, field.name());
    at
}

fn failed(error: &ArrowError, at: &str) -> Error {
    Error::usage(error.to_string()).at_path(at)
}

fn column(array: &ArrayRef, from: &Field, to: &Field, at: &str) -> Result<ArrayRef> {
    let (ty, wanted) = (array.data_type(), to.data_type());
    if ty == wanted {
        return Ok(array.clone());
    }
    if array.null_count() == array.len() {
        return Ok(new_null_array(wanted, array.len()));
    }
    let nulls = || array.nulls().cloned();
    let kind = from.metadata().get(TYPE_KEY).map(String::as_str);
    match (ty, wanted) {
        (DataType::Struct(of), DataType::Struct(members)) if is_fitting(of, members) => {
            let children = array.as_struct();
            let made = members.iter().map(|to| match of.find(to.name()) {
                Some((n, from)) => column(children.column(n), from, to, &name_of(to, at)),
                None => Ok(new_null_array(to.data_type(), array.len())),
            });
            let made = StructArray::try_new_with_length(members.clone(), made.collect::<Result<_>>()?, nulls(), array.len());
            Ok(Arc::new(made.map_err(|e| failed(&e, at))?))
        }
        // One of the types of a path that has several.
        (ty, DataType::Struct(members)) if !matches!(ty, DataType::Struct(_)) => {
            let place = members.iter().position(|to| Some(to.name().as_str()) == kind && Kind::from_descriptor(to.name()).is_some());
            let place = place.ok_or_else(|| refused(ty, wanted, at))?;
            let made = members
                .iter()
                .enumerate()
                .map(|(n, to)| if n == place { column(array, from, to, at) } else { Ok(new_null_array(to.data_type(), array.len())) });
            let made = StructArray::try_new(members.clone(), made.collect::<Result<_>>()?, nulls());
            Ok(Arc::new(made.map_err(|e| failed(&e, at))?))
        }
        (DataType::List(of), DataType::List(element)) => {
            let list = array.as_list::<i32>();
            let values = part(list.values(), of, element, &format!("{at}[]"))?;
            let made = ListArray::try_new(element.clone(), list.offsets().clone(), values, nulls());
            Ok(Arc::new(made.map_err(|e| failed(&e, at))?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(to) = entries.data_type() else { return Err(refused(ty, wanted, at)) };
            let of = map.entries().fields();
            let keys = part(map.keys(), &of[0], &to[0], at)?;
            let values = part(map.values(), &of[1], &to[1], &format!("{at}{{}}"))?;
            let made = StructArray::try_new(to.clone(), vec![keys, values], None)
                .and_then(|made| MapArray::try_new(entries.clone(), map.offsets().clone(), made, nulls(), *sorted));
            Ok(Arc::new(made.map_err(|e| failed(&e, at))?))
        }
        _ => scalar(array, wanted, at),
    }
}

/// Elements, or keys or values: of what was always empty they have no type.
fn part(values: &ArrayRef, from: &FieldRef, to: &FieldRef, at: &str) -> Result<ArrayRef> {
    if values.is_empty() { Ok(new_empty_array(to.data_type())) } else { column(values, from, to, at) }
}

/// Whether all members have a place.
fn is_fitting(of: &Fields, members: &Fields) -> bool {
    of.iter().all(|field| members.find(field.name()).is_some())
}

fn refused(from: &DataType, to: &DataType, at: &str) -> Error {
    Error::new(Code::Usage, format!("values of {from} do not fit the table's column of {to}; read the changes with the table's schema"))
        .at_path(at)
}

/// What is the same value when it is cast back.
fn scalar(array: &ArrayRef, to: &DataType, at: &str) -> Result<ArrayRef> {
    let from = array.data_type();
    let alike = from.is_numeric() && to.is_numeric()
        || from.is_string() && to.is_string()
        || from.is_binary() && to.is_binary()
        || from.is_temporal() && to.is_temporal();
    if !alike {
        return Err(refused(from, to, at));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let made = cast_with_options(array, to, &options);
    let back = made.as_ref().ok().and_then(|made| cast_with_options(made, from, &options).ok());
    match (made, back) {
        (Ok(made), Some(back)) if &back == array => Ok(made),
        _ => Err(refused(from, to, at)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Decimal128Array, Int64Array, StringArray};
    use arrow::datatypes::{Int64Type, Schema};

    use super::*;

    fn one(from: Field, array: impl Array + 'static, to: DataType) -> Result<ArrayRef> {
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![from])), vec![Arc::new(array)]).expect("a batch");
        let schema = Arc::new(Schema::new(vec![Field::new("a", to, true), Field::new("other", DataType::Binary, true)]));
        let made = fit(&batch, &schema)?;
        assert_eq!(made.column(1).null_count(), batch.num_rows());
        Ok(made.column(0).clone())
    }

    fn decimals(values: &[i128], scale: i8) -> Decimal128Array {
        Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale).expect("decimals")
    }

    #[test]
    fn numbers_go_where_they_are_the_same() {
        let int = || Field::new("a", DataType::Int64, true);
        let ints = || Int64Array::from(vec![Some(1), None]);
        assert_eq!(
            one(int(), ints(), DataType::Decimal128(38, 2)).expect("fits").as_primitive::<arrow::datatypes::Decimal128Type>().value(0),
            100
        );
        let decimal = || Field::new("a", DataType::Decimal128(38, 2), true);
        assert_eq!(one(decimal(), decimals(&[150, 200], 2), DataType::Decimal128(38, 1)).expect("fits").len(), 2);
        assert_eq!(one(decimal(), decimals(&[200], 2), DataType::Int64).expect("fits").as_primitive::<Int64Type>().value(0), 2);
        for (array, to) in [(decimals(&[155], 2), DataType::Decimal128(38, 1)), (decimals(&[150], 2), DataType::Int64)] {
            assert_eq!(one(decimal(), array, to).expect_err("rounded").path(), Some("a"));
        }
        let large = Int64Array::from(vec![9_007_199_254_740_993]);
        assert!(one(int(), large, DataType::Float64).is_err());
        assert!(one(int(), ints(), DataType::Utf8).is_err());
    }

    #[test]
    fn structs_and_lists() {
        let member = |name: &str, ty: DataType| Field::new(name, ty, true);
        let narrow: Fields = vec![member("x", DataType::Int64)].into();
        let wide: Fields = vec![member("y", DataType::Utf8), member("x", DataType::Decimal128(38, 0))].into();
        let made = |of: &Fields| StructArray::new(of.clone(), vec![Arc::new(Int64Array::from(vec![7]))], None);
        let found = one(member("a", DataType::Struct(narrow.clone())), made(&narrow), DataType::Struct(wide.clone())).expect("fits");
        assert_eq!((found.as_struct().column(0).null_count(), found.as_struct().column(1).null_count()), (1, 0));
        let other: Fields = vec![member("z", DataType::Int64)].into();
        assert!(one(member("a", DataType::Struct(other.clone())), made(&other), DataType::Struct(wide.clone())).is_err());
        // A list that was always empty.
        let list = ListArray::new_null(Arc::new(member("element", DataType::Utf8)), 0);
        let empty = ListArray::try_new(
            Arc::new(member("element", DataType::Utf8)),
            arrow::buffer::OffsetBuffer::from_lengths([0]),
            list.values().clone(),
            None,
        )
        .expect("a list");
        let to = DataType::List(Arc::new(member("element", DataType::Struct(wide))));
        let found = one(member("a", empty.data_type().clone()), empty, to).expect("fits");
        assert_eq!((found.len(), found.null_count()), (1, 0));
    }

    #[test]
    fn one_of_several_types() {
        let text = Field::new("a", DataType::Utf8, true).with_metadata(HashMap::from([(TYPE_KEY.into(), "S".into())]));
        let to = DataType::Struct(vec![Field::new("S", DataType::Utf8, true), Field::new("N", DataType::Int64, true)].into());
        let found = one(text, StringArray::from(vec![Some("x"), None]), to.clone()).expect("fits");
        assert_eq!((found.null_count(), found.as_struct().column(0).as_string::<i32>().value(0)), (1, "x"));
        assert!(one(Field::new("a", DataType::Utf8, true), StringArray::from(vec!["x"]), to).is_err());
    }
}
