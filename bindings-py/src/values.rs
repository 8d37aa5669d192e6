//! Plain Python values as items: the way back of `items`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use dynarrow::event::SetMembers;
use dynarrow::format::line;
use dynarrow::format::record::MAX_NESTING;
use dynarrow::path::{Step, to_text};
use dynarrow::{AttributeValue, Code, Error, ExportFormat, Item, Number};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PyMemoryView, PySet,
    PyString, PyTuple, PyType,
};

use crate::error::to_py;
use crate::items::{Values, decimal};
use crate::options::choice;

/// Items between two looks at signals.
const CHUNK: u64 = 1_024;
/// Characters of a bad number that are shown.
const SHOWN: usize = 50;

/// A line with an item, without its newline.
#[pyfunction]
pub fn dumps(py: Python<'_>, item: &Bound<'_, PyAny>, format: Option<&str>) -> PyResult<String> {
    let format = choice(py, format)?.unwrap_or_default();
    let item = item_of(item).map_err(|bad| bad.into_py(py, None))?;
    line::dumps(&item, format).map_err(|error| to_py(py, &error))
}

/// The item on a line.
#[pyfunction]
pub fn loads<'py>(py: Python<'py>, line: &[u8], format: Option<&str>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let format = choice(py, format)?.unwrap_or_default();
    let tape = line::loads_tape(line, format).map_err(|error| to_py(py, &error))?;
    let mut values = Values::new(py)?;
    values.walk(py, tape).next(py, &mut values)
}

/// Writes dicts as lines of DynamoDB JSON.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 hands it over
pub fn spool(py: Python<'_>, items: &Bound<'_, PyAny>, path: PathBuf) -> PyResult<()> {
    let failed = |e: std::io::Error| to_py(py, &Error::io(&path.display().to_string(), &e));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
    for (index, item) in (0_u64..).zip(items.try_iter()?) {
        let item = item_of(&item?).map_err(|bad| bad.into_py(py, Some(index)))?;
        let line = line::dumps(&item, ExportFormat::DynamodbJson).map_err(|error| to_py(py, &error.at_item(index)))?;
        writeln!(out, "{line}").map_err(failed)?;
        if index % CHUNK == 0 {
            py.check_signals()?;
        }
    }
    out.flush().map_err(failed)
}

/// Why a value is none of DynamoDB's.
struct Bad {
    why: Why,
    /// The steps of the path, the innermost first.
    steps: Vec<Step>,
}

enum Why {
    Error(Error),
    Raised(PyErr),
}

impl Bad {
    fn at(mut self: Box<Self>, step: impl FnOnce() -> Step) -> Box<Self> {
        self.steps.push(step());
        self
    }

    fn into_py(mut self, py: Python<'_>, item: Option<u64>) -> PyErr {
        self.steps.reverse();
        match self.why {
            Why::Raised(raised) => raised,
            Why::Error(error) => {
                let error = if self.steps.is_empty() { error } else { error.at_path(to_text(&self.steps)) };
                to_py(py, &item.map_or(error.clone(), |item| error.at_item(item)))
            }
        }
    }
}

impl From<PyErr> for Box<Bad> {
    fn from(raised: PyErr) -> Self {
        Self::new(Bad { why: Why::Raised(raised), steps: Vec::new() })
    }
}

fn bad(code: Code, message: impl Into<String>) -> Box<Bad> {
    Box::new(Bad { why: Why::Error(Error::new(code, message)), steps: Vec::new() })
}

type Made<T> = Result<T, Box<Bad>>;

fn item_of(item: &Bound<'_, PyAny>) -> Made<Item> {
    if let Ok(dict) = item.cast::<PyDict>() {
        return map_of(dict, 1);
    }
    match mapping_of(item)? {
        Some(dict) => map_of(&dict, 1),
        None => Err(bad(Code::Record, format!("an item is a dict, not {}", type_name(item)))),
    }
}

fn mapping_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Ok(mapping) = value.cast::<PyMapping>() else { return Ok(None) };
    let dict = PyDict::new(value.py());
    dict.update(mapping)?;
    Ok(Some(dict))
}

fn map_of(dict: &Bound<'_, PyDict>, depth: usize) -> Made<Item> {
    let mut item = Vec::with_capacity(dict.len());
    for (name, value) in dict {
        let Ok(text) = name.cast::<PyString>() else {
            return Err(bad(Code::Record, format!("a name is a str, not {}", type_name(&name))));
        };
        let name = text_of(text)?;
        match value_of(&value, depth) {
            Ok(value) => item.push((name, value)),
            Err(bad) => return Err(bad.at(|| Step::Name(name.into()))),
        }
    }
    Ok(item)
}

fn value_of(value: &Bound<'_, PyAny>, depth: usize) -> Made<AttributeValue> {
    if depth > MAX_NESTING as usize {
        return Err(bad(Code::Nesting, format!("values are nested deeper than {MAX_NESTING}")));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return text_of(text).map(AttributeValue::S);
    }
    if let Some(number) = number_of(value)? {
        return Ok(AttributeValue::N(number));
    }
    if value.is_none() {
        return Ok(AttributeValue::Null);
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(AttributeValue::Bool(value.is_true()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return map_of(dict, depth + 1).map(AttributeValue::M);
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let mut list = Vec::with_capacity(value.len()?);
        for (index, value) in value.try_iter()?.enumerate() {
            list.push(value_of(&value?, depth + 1).map_err(|bad| bad.at(|| Step::Index(index)))?);
        }
        return Ok(AttributeValue::L(list));
    }
    if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
        return set_of(value);
    }
    if let Some(bytes) = bytes_of(value)? {
        return Ok(AttributeValue::B(bytes));
    }
    if let Some(text) = moment_of(value)? {
        return Ok(AttributeValue::S(text));
    }
    if let Some(dict) = mapping_of(value)? {
        return map_of(&dict, depth + 1).map(AttributeValue::M);
    }
    // A scalar of numpy is a Python value in a wrapper.
    if module_of(value).starts_with("numpy") && value.hasattr(intern!(value.py(), "item"))? {
        let inner = value.call_method0(intern!(value.py(), "item"))?;
        if module_of(&inner) == "builtins" {
            return value_of(&inner, depth + 1);
        }
    }
    Err(bad(Code::Usage, format!("{} is no value of an item", type_name(value))))
}

fn set_of(set: &Bound<'_, PyAny>) -> Made<AttributeValue> {
    let members = set.try_iter()?.map(|member| value_of(&member?, 1)).collect::<Made<Vec<_>>>()?;
    // Python's set may hold two values that are one for DynamoDB: 0.1 and Decimal("0.1").
    let mut seen = SetMembers::default();
    seen.begin();
    let all_new = members.iter().all(|member| match member {
        AttributeValue::S(text) => seen.is_new(text.as_bytes()),
        AttributeValue::N(number) => seen.is_new_number(*number),
        AttributeValue::B(bytes) => seen.is_new(bytes),
        _ => true,
    });
    let of_one_type = || bad(Code::Descriptor, "the members of a set are all str, all numbers or all bytes");
    let set = match members.first() {
        None => return Err(bad(Code::Descriptor, "an empty set has no type")),
        Some(AttributeValue::S(_)) => {
            let text = |member| if let AttributeValue::S(text) = member { Ok(text) } else { Err(of_one_type()) };
            AttributeValue::SS(members.into_iter().map(text).collect::<Made<_>>()?)
        }
        Some(AttributeValue::N(_)) => {
            let number = |member| if let AttributeValue::N(number) = member { Ok(number) } else { Err(of_one_type()) };
            AttributeValue::NS(members.into_iter().map(number).collect::<Made<_>>()?)
        }
        Some(AttributeValue::B(_)) => {
            let bytes = |member| if let AttributeValue::B(bytes) = member { Ok(bytes) } else { Err(of_one_type()) };
            AttributeValue::BS(members.into_iter().map(bytes).collect::<Made<_>>()?)
        }
        Some(_) => return Err(of_one_type()),
    };
    if all_new { Ok(set) } else { Err(bad(Code::Set, "a member stands twice in the set")) }
}

fn text_of(text: &Bound<'_, PyString>) -> Made<String> {
    text.to_str().map(str::to_owned).map_err(|_| bad(Code::Utf8, "a str with a lone surrogate is no text"))
}

fn number_of(value: &Bound<'_, PyAny>) -> Made<Option<Number>> {
    let py = value.py();
    if let Ok(int) = value.cast::<PyInt>() {
        if value.is_instance_of::<PyBool>() {
            return Ok(None);
        }
        if let Ok(small) = int.extract::<i64>() {
            return Ok(Some(Number::from(small)));
        }
        // Python refuses to write integers of thousands of digits.
        let text = int.call_method0(intern!(py, "__str__"));
        let text = text.map_err(|_| bad(Code::Number, "an int past DynamoDB's range"))?;
        return parse(&text.str()?.to_string_lossy()).map(Some);
    }
    if value.is_instance_of::<PyFloat>() {
        // By __repr__ of float itself: numpy's float64 is a float and shows itself another way.
        let text = py.get_type::<PyFloat>().call_method1(intern!(py, "__repr__"), (value,))?;
        return parse(&text.str()?.to_string_lossy()).map(Some);
    }
    if value.is_instance(decimal(py)?)? {
        return parse(&value.str()?.to_string_lossy()).map(Some);
    }
    Ok(None)
}

fn parse(text: &str) -> Made<Number> {
    Number::parse(text.as_bytes()).map_err(|error| {
        if text.chars().any(|c| matches!(c, 'n' | 'N' | 'i' | 'I')) {
            return bad(Code::Number, format!("{text} is no DynamoDB number"));
        }
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        bad(Code::Number, format!("{shown}{more}: {error}"))
    })
}

fn bytes_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(Some(bytes.to_vec()));
    }
    if value.is_instance_of::<PyMemoryView>() {
        return value.call_method0(intern!(value.py(), "tobytes"))?.extract().map(Some);
    }
    // boto3's Binary.
    if module_of(value).starts_with("boto3") && value.hasattr(intern!(value.py(), "value"))? {
        let inner = value.getattr(intern!(value.py(), "value"))?;
        return Ok(if module_of(&inner) == "builtins" { bytes_of(&inner)? } else { None });
    }
    Ok(None)
}

/// Date and time as ISO text; in UTC, where a time zone is known, as frames are written.
fn moment_of(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    static UTC: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let iso =
        |value: &Bound<'_, PyAny>| Ok::<_, PyErr>(value.call_method0(intern!(py, "isoformat"))?.str()?.to_string_lossy().into_owned());
    if value.is_instance_of::<PyDateTime>() {
        if value.call_method0(intern!(py, "utcoffset"))?.is_none() {
            return iso(value).map(Some);
        }
        let utc = UTC.get_or_try_init(py, || Ok::<_, PyErr>(py.import("datetime")?.getattr("timezone")?.getattr("utc")?.unbind()))?;
        let text = iso(&value.call_method1(intern!(py, "astimezone"), (utc,))?)?;
        return Ok(Some(text.replace("+00:00", "Z")));
    }
    if value.is_instance_of::<PyDate>() { iso(value).map(Some) } else { Ok(None) }
}

fn module_of(value: &Bound<'_, PyAny>) -> String {
    value.get_type().module().map_or_else(|_| String::new(), |module| module.to_string_lossy().into_owned())
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    let ty: Bound<'_, PyType> = value.get_type();
    ty.name().map_or_else(|_| "this".into(), |name| name.to_string_lossy().into_owned())
}
