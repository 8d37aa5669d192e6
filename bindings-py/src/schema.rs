//! Learnt schemas.

use dynarrow::error::printable;
use dynarrow::{Error, Type};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::to_py;
use crate::guard::{field_capsule, schema_capsule};

/// Names, order and types of the columns, and what was learnt to choose them.
#[pyclass(frozen, eq, module = "dynarrow")]
#[derive(PartialEq)]
pub struct Schema(pub dynarrow::Schema);

#[pymethods]
impl Schema {
    #[getter]
    fn fields(&self) -> Vec<Field> {
        self.0.fields().iter().cloned().map(Field).collect()
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.fields().iter().map(|field| field.name.as_str()).collect()
    }

    /// The schema document.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        serde_json::to_string_pretty(&self.0.to_json()).map_err(|error| to_py(py, &Error::usage(error.to_string())))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0.to_arrow())
    }

    fn __len__(&self) -> usize {
        self.0.fields().len()
    }

    fn __repr__(&self) -> String {
        let lines = self.0.fields().iter().map(|field| format!("  {}: {}\n", printable(&field.name), type_text(&field.ty)));
        format!("Schema(\n{})", lines.collect::<String>())
    }
}

/// A column.
#[pyclass(frozen, eq, module = "dynarrow", from_py_object)]
#[derive(Clone, PartialEq)]
pub struct Field(dynarrow::Field);

#[pymethods]
impl Field {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn arrow(&self) -> String {
        type_text(&self.0.ty)
    }

    #[getter]
    fn dynamodb(&self) -> &'static str {
        self.0.ty.dynamodb_type()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        field_capsule(py, &self.0.to_arrow())
    }

    fn __repr__(&self) -> String {
        format!("Field({:?}, {}, {})", self.0.name, self.arrow(), self.dynamodb())
    }
}

/// The Arrow type on one line: `list<struct<a: utf8, b: int64>>`.
fn type_text(ty: &Type) -> String {
    let members = |parts: Vec<String>| format!("struct<{}>", parts.join(", "));
    match ty {
        Type::Text | Type::NumberText | Type::Null | Type::Json | Type::MixedText => "utf8".into(),
        Type::Int64 => "int64".into(),
        Type::Decimal(scale) => format!("decimal128(38, {scale})"),
        Type::Float64 => "float64".into(),
        Type::Boolean => "boolean".into(),
        Type::Binary => "binary".into(),
        Type::Struct(fields) => {
            members(fields.iter().map(|field| format!("{}: {}", printable(&field.name), type_text(&field.ty))).collect())
        }
        Type::Mixed(types) => members(types.iter().map(|(kind, ty)| format!("{}: {}", kind.descriptor(), type_text(ty))).collect()),
        Type::Map(value) => format!("map<utf8, {}>", type_text(value)),
        Type::EmptyMap => "map<utf8, utf8>".into(),
        Type::List(element) | Type::Set(_, element) => format!("list<{}>", type_text(element)),
        Type::EmptyList => "list<utf8>".into(),
    }
}
