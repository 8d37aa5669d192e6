//! Items as plain Python values, as boto3's `TypeDeserializer` gives them.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use dynarrow::{AttributeValue, Export, Item, ItemIter, Number, ReadOptions};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PySet, PyString, PyType};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::control::Watch;

/// Items that are taken from the decoder at a time, without the GIL.
const CHUNK: usize = 1_024;
/// Attribute names that are kept: map members may be anything, so their number has a bound.
const NAMES: usize = 8_192;
/// Numbers that are kept; a power of two. Most tables repeat theirs.
const NUMBERS: usize = 4_096;

/// The items of one reading, as dicts.
#[pyclass(module = "dynarrow")]
pub struct ItemIterator {
    watch: Watch,
    /// In a mutex, as no `Sync` is asked of sources; it is never waited for.
    items: Mutex<ItemIter>,
    /// Decoded, not yet asked for.
    ready: std::vec::IntoIter<Item>,
    /// What ended the reading, behind the items that stand before it.
    failure: Option<PyErr>,
    values: Values,
}

impl ItemIterator {
    /// Begins a reading.
    pub fn new(py: Python<'_>, export: &Export, options: &ReadOptions) -> PyResult<Self> {
        let watch = Watch::new(py, None);
        let items = watch.run(py, |control| export.items(options, control))?;
        let decimal = decimal(py)?.clone().unbind();
        Ok(Self { watch, items: Mutex::new(items), ready: Vec::new().into_iter(), failure: None, values: Values::new(decimal) })
    }
}

#[pymethods]
impl ItemIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.ready.len() == 0 {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let (items, mut chunk) = (self.items.get_mut().unwrap_or_else(PoisonError::into_inner), Vec::with_capacity(CHUNK));
            let decoded = &mut chunk;
            let result = self.watch.run(py, move |_| {
                for item in items.take(CHUNK) {
                    decoded.push(item?);
                }
                Ok(())
            });
            self.failure = result.err();
            self.ready = chunk.into_iter();
            if let (0, Some(failure)) = (self.ready.len(), self.failure.take_if(|_| self.ready.len() == 0)) {
                return Err(failure);
            }
        }
        self.ready.next().map(|item| self.values.map(py, item)).transpose()
    }

    /// Items read so far, and records passed over.
    #[getter]
    fn skipped(&self) -> u64 {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).totals().skipped
    }
}

/// The class `Decimal`.
pub fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")
}

/// Makes Python values; those that repeat and cannot change are made once.
pub struct Values {
    decimal: Py<PyType>,
    names: FxHashMap<String, Py<PyString>>,
    numbers: Vec<Option<(Number, Py<PyAny>)>>,
    text: Vec<u8>,
}

impl Values {
    /// With this class `Decimal`.
    pub fn new(decimal: Py<PyType>) -> Self {
        let numbers = std::iter::repeat_with(|| None).take(NUMBERS).collect();
        Self { decimal, names: FxHashMap::default(), numbers, text: Vec::new() }
    }

    /// The dict of an item or map.
    pub fn map<'py>(&mut self, py: Python<'py>, item: Item) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, value) in item {
            let value = self.value(py, value)?;
            dict.set_item(self.name(py, name), value)?;
        }
        Ok(dict)
    }

    fn value<'py>(&mut self, py: Python<'py>, value: AttributeValue) -> PyResult<Bound<'py, PyAny>> {
        Ok(match value {
            AttributeValue::S(text) => PyString::new(py, &text).into_any(),
            AttributeValue::N(number) => self.number(py, number)?,
            AttributeValue::B(bytes) => PyBytes::new(py, &bytes).into_any(),
            AttributeValue::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            AttributeValue::Null => py.None().into_bound(py),
            AttributeValue::M(map) => self.map(py, map)?.into_any(),
            AttributeValue::L(list) => {
                let values: Vec<_> = list.into_iter().map(|value| self.value(py, value)).collect::<PyResult<_>>()?;
                PyList::new(py, values)?.into_any()
            }
            AttributeValue::SS(set) => PySet::new(py, set)?.into_any(),
            AttributeValue::BS(set) => PySet::new(py, set.iter().map(|member| PyBytes::new(py, member)))?.into_any(),
            AttributeValue::NS(set) => {
                let values: Vec<_> = set.into_iter().map(|number| self.number(py, number)).collect::<PyResult<_>>()?;
                PySet::new(py, values)?.into_any()
            }
        })
    }

    fn name<'py>(&mut self, py: Python<'py>, name: String) -> Bound<'py, PyString> {
        if let Some(known) = self.names.get(name.as_str()) {
            return known.bind(py).clone();
        }
        // Interned, as the names in the caller's source are: looking them up compares pointers.
        let made = PyString::intern(py, &name);
        if self.names.len() < NAMES {
            self.names.insert(name, made.clone().unbind());
        }
        made
    }

    fn number<'py>(&mut self, py: Python<'py>, number: Number) -> PyResult<Bound<'py, PyAny>> {
        // The upper bits of this hash are the mixed ones.
        let slot = (FxBuildHasher.hash_one(number) >> 40) as usize % NUMBERS;
        if let Some((known, value)) = &self.numbers[slot]
            && *known == number
        {
            return Ok(value.bind(py).clone());
        }
        self.text.clear();
        number.write_to(&mut self.text);
        // An integer of more than 38 digits ends in zeros. As an exponent they are no digits of
        // the Decimal, so that boto3 takes the value back.
        let digits = self.text.len() - usize::from(self.text.starts_with(b"-"));
        if digits > 38 && !self.text.contains(&b'.') {
            let zeros = self.text.iter().rev().take_while(|&&byte| byte == b'0').count();
            self.text.truncate(self.text.len() - zeros);
            self.text.extend_from_slice(format!("E+{zeros}").as_bytes());
        }
        let text = String::from_utf8_lossy(&self.text);
        let value = self.decimal.bind(py).call1((&*text,))?;
        self.numbers[slot] = Some((number, value.clone().unbind()));
        Ok(value)
    }
}
