//! Changes for the tables of a lake.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ffi_stream::ArrowArrayStreamReader;
use arrow_pyarrow::{FromPyArrow, PyArrowType};
use pyo3::prelude::*;

use crate::control::watched;
use crate::read::Batches;

/// The batches of a stream in the columns of another schema; what would be lost is refused.
#[pyfunction]
pub fn fit(py: Python<'_>, data: &Bound<'_, PyAny>, schema: PyArrowType<Schema>) -> PyResult<Batches> {
    let reader = ArrowArrayStreamReader::from_pyarrow_bound(data)?;
    let schema = SchemaRef::new(schema.0);
    watched(py, None, |control| {
        let failed = |e: arrow::error::ArrowError| dynarrow::Error::new(dynarrow::Code::Format, e.to_string());
        let batches = reader.map(|batch| {
            control.check()?;
            dynarrow::columns::fit::fit(&batch.map_err(failed)?, &schema)
        });
        Ok(Batches::new(schema.clone(), batches.collect::<dynarrow::Result<Vec<RecordBatch>>>()?))
    })
}
