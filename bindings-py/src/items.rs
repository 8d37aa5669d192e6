//! Items as plain Python values, as boto3's `TypeDeserializer` gives them.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use dynarrow::change::Change;
use dynarrow::item::{Place, Tape, Value};
use dynarrow::{Columns, Export, Number, ReadOptions, Tapes};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PySet, PyString, PyType};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::control::Watch;

/// Attribute names that are kept: map members may be anything, so their number has a bound.
const NAMES: usize = 8_192;
/// Numbers that are kept; a power of two. Most tables repeat theirs.
const NUMBERS: usize = 4_096;

/// The items of one reading, as dicts.
#[pyclass(module = "dynarrow")]
pub struct ItemIterator {
    watch: Watch,
    /// In a mutex, as no `Sync` is asked of sources; it is never waited for.
    tapes: Mutex<Tapes>,
    /// The items of the block that was decoded last.
    ready: Walk,
    /// A value could not be made.
    failed: bool,
    values: Values,
}

impl ItemIterator {
    /// Begins a reading.
    pub fn new(py: Python<'_>, export: &Export, options: &ReadOptions) -> PyResult<Self> {
        let watch = Watch::new(py, None);
        let tapes = watch.run(py, |control| export.tapes(options, control))?;
        Ok(Self { watch, tapes: Mutex::new(tapes), ready: Walk::default(), failed: false, values: Values::new(py)? })
    }
}

#[pymethods]
impl ItemIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if self.failed {
                return Ok(None);
            }
            match self.ready.next(py, &mut self.values) {
                Ok(None) => {}
                Ok(item) => return Ok(item),
                Err(error) => {
                    // The walk stands inside of an item: there is no next one.
                    self.failed = true;
                    return Err(error);
                }
            }
            let tapes = self.tapes.get_mut().unwrap_or_else(PoisonError::into_inner);
            // The other threads decode on while Python has the GIL and makes its values.
            let Some(tape) = self.watch.run(py, move |_| tapes.next().transpose())? else { return Ok(None) };
            self.ready = self.values.walk(py, tape);
        }
    }

    /// Records passed over so far.
    #[getter]
    fn skipped(&self) -> u64 {
        self.tapes.lock().unwrap_or_else(PoisonError::into_inner).totals().skipped
    }
}

/// The class `Decimal`.
pub fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")
}

/// A tape on the way into Python.
#[derive(Default)]
pub struct Walk {
    tape: Tape,
    /// The names on it.
    names: Vec<Py<PyString>>,
    place: Place,
}

impl Walk {
    /// The next item, or the next value inside of it.
    pub fn next<'py>(&mut self, py: Python<'py>, values: &mut Values) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.named(py, values)?.map(|(_, value)| value))
    }

    /// The next change, where the tape has changes.
    pub fn change(&mut self) -> Option<Change<'_>> {
        Change::next(&self.tape, &mut self.place)
    }

    /// The attributes that stand at a place, so many: those that are asked for.
    pub fn dict<'py>(
        &mut self,
        py: Python<'py>,
        values: &mut Values,
        (place, len): (Place, usize),
        columns: Option<&Columns>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let behind = std::mem::replace(&mut self.place, place);
        let dict = PyDict::new(py);
        for _ in 0..len {
            let Some((name, _)) = self.tape.next(&mut self.place.clone()) else { break };
            let wanted = columns.is_none_or(|columns| columns.iter().any(|column| column == self.tape.name(name)));
            if !wanted {
                self.tape.skip(&mut self.place);
            } else if let Some((name, value)) = self.named(py, values)? {
                dict.set_item(self.names[name].bind(py), value)?;
            }
        }
        self.place = behind;
        Ok(dict)
    }

    fn named<'py>(&mut self, py: Python<'py>, values: &mut Values) -> PyResult<Option<(usize, Bound<'py, PyAny>)>> {
        let Some((name, value)) = self.tape.next(&mut self.place) else { return Ok(None) };
        let value = match value {
            Value::S(text) => PyString::new(py, text).into_any(),
            Value::N(number) => values.number(py, number)?,
            Value::B(bytes) => PyBytes::new(py, bytes).into_any(),
            Value::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            Value::Null => py.None().into_bound(py),
            Value::M(len) => {
                let dict = PyDict::new(py);
                for _ in 0..len {
                    if let Some((name, value)) = self.named(py, values)? {
                        dict.set_item(self.names[name].bind(py), value)?;
                    }
                }
                dict.into_any()
            }
            Value::L(len) => PyList::new(py, self.members(py, values, len)?)?.into_any(),
            Value::SS(len) | Value::NS(len) | Value::BS(len) => PySet::new(py, self.members(py, values, len)?)?.into_any(),
        };
        Ok(Some((name, value)))
    }

    fn members<'py>(&mut self, py: Python<'py>, values: &mut Values, len: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        (0..len).filter_map(|_| self.next(py, values).transpose()).collect()
    }
}

/// Makes Python values; those that repeat and cannot change are made once.
pub struct Values {
    decimal: Py<PyType>,
    names: FxHashMap<Box<str>, Py<PyString>>,
    numbers: Vec<Option<(Number, Py<PyAny>)>>,
    text: Vec<u8>,
}

impl Values {
    /// That knows no value yet.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let numbers = std::iter::repeat_with(|| None).take(NUMBERS).collect();
        Ok(Self { decimal: decimal(py)?.clone().unbind(), names: FxHashMap::default(), numbers, text: Vec::new() })
    }

    /// The way over a tape, from its first item on.
    pub fn walk(&mut self, py: Python<'_>, tape: Tape) -> Walk {
        let names = tape.names().map(|name| self.name(py, name)).collect();
        Walk { tape, names, place: Place::default() }
    }

    fn name(&mut self, py: Python<'_>, name: &str) -> Py<PyString> {
        if let Some(known) = self.names.get(name) {
            return known.clone_ref(py);
        }
        // Interned, as the names in the caller's source are: looking them up compares pointers.
        let made = PyString::intern(py, name).unbind();
        if self.names.len() < NAMES {
            self.names.insert(name.into(), made.clone_ref(py));
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
