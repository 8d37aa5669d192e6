//! Learnt schemas.

use std::collections::BTreeMap;

use dynarrow::error::printable;
use dynarrow::{Code, Error, Names, Type};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::error::to_py;
use crate::guard::{field_capsule, schema_capsule};
use crate::options::path_text;

/// Names, order and types of the columns, and what was learnt to choose them.
#[pyclass(frozen, eq, module = "dynarrow", skip_from_py_object)]
#[derive(Clone, PartialEq)]
pub struct Schema(pub dynarrow::Schema);

impl Schema {
    /// What stands for a schema: one, or a document.
    pub fn of(given: &Bound<'_, PyAny>) -> PyResult<dynarrow::Schema> {
        let py = given.py();
        if let Ok(schema) = given.cast::<Self>() {
            return Ok(schema.get().0.clone());
        }
        let failed = |error: Error| to_py(py, &error);
        let text = if given.is_instance_of::<PyDict>() {
            py.import("json")?.call_method1("dumps", (given,))?.extract()?
        } else if let Ok(text) = given.extract::<String>()
            && text.trim_start().starts_with('{')
        {
            text
        } else {
            let path = path_text(py, given.extract()?)?;
            let text = std::fs::read_to_string(&path).map_err(|error| failed(Error::io(&path, &error)))?;
            return parse(&text).map_err(|error| failed(error.in_file(path)));
        };
        parse(&text).map_err(failed)
    }
}

fn parse(text: &str) -> dynarrow::Result<dynarrow::Schema> {
    let document = serde_json::from_str(text);
    let document = document.map_err(|error| Error::new(Code::Schema, format!("the schema document is no JSON: {error}")))?;
    dynarrow::Schema::from_json(&document)
}

#[pymethods]
impl Schema {
    #[getter]
    fn fields(&self) -> Vec<Field> {
        self.0.fields().iter().map(|field| Field { field: field.clone(), names: self.0.policies().names }).collect()
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.fields().iter().map(|field| field.name.as_str()).collect()
    }

    /// The schema of a document: text, a dict, or the path of a file.
    #[staticmethod]
    fn from_json(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::of(document).map(Self)
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        self.0.merge(&other.0).map(Self).map_err(|error| to_py(py, &error))
    }

    #[pyo3(name = "override")]
    #[allow(clippy::needless_pass_by_value)] // pyo3 hands it over
    fn with_overrides(&self, py: Python<'_>, overrides: BTreeMap<String, String>) -> PyResult<Self> {
        let overrides = overrides.iter().map(|(path, with)| (path.as_str(), with.as_str()));
        self.0.with_overrides(overrides).map(Self).map_err(|error| to_py(py, &error))
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
pub struct Field {
    field: dynarrow::Field,
    /// Under which names the members of its structs stand in Arrow.
    names: Names,
}

#[pymethods]
impl Field {
    #[getter]
    fn name(&self) -> &str {
        &self.field.name
    }

    #[getter]
    fn column(&self) -> &str {
        self.field.column()
    }

    #[getter]
    fn arrow(&self) -> String {
        type_text(&self.field.ty)
    }

    #[getter]
    fn dynamodb(&self) -> &'static str {
        self.field.ty.dynamodb_type()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        field_capsule(py, &self.field.to_arrow(self.names))
    }

    fn __repr__(&self) -> String {
        format!("Field({:?}, {}, {})", self.field.name, self.arrow(), self.dynamodb())
    }
}

/// The Arrow type on one line: `list<struct<a: utf8, b: int64>>`. What stands alone is named by the core.
fn type_text(ty: &Type) -> String {
    let members = |parts: Vec<String>| format!("struct<{}>", parts.join(", "));
    match ty {
        Type::Struct(fields) => {
            members(fields.iter().map(|field| format!("{}: {}", printable(&field.name), type_text(&field.ty))).collect())
        }
        Type::Mixed(types) | Type::Typed(types) => {
            members(types.iter().map(|(kind, ty)| format!("{}: {}", kind.descriptor(), type_text(ty))).collect())
        }
        Type::Map(value) => format!("map<utf8, {}>", type_text(value)),
        Type::List(element) => format!("list<{}>", type_text(element)),
        _ => ty.name(),
    }
}
