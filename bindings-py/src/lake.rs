//! Changes for the tables of a lake.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::{FromPyArrow, PyArrowType};
use dynarrow::columns::fit;
use dynarrow::{Code, Error, Result};
use pyo3::prelude::*;

use crate::error::to_py;
use crate::read::Batches;

/// The batches of a stream in the columns of another schema; what would be lost is refused.
#[pyfunction(name = "fit")]
pub fn fit_stream(py: Python<'_>, data: &Bound<'_, PyAny>, schema: PyArrowType<Schema>) -> PyResult<Batches> {
    let reader = RecordBatchStreamReader::from_pyarrow_bound(data)?;
    let schema = SchemaRef::new(schema.0);
    let failed = |e: ArrowError| Error::new(Code::Format, e.to_string());
    let fitted = py.detach(|| reader.map(|batch| fit::fit(&batch.map_err(failed)?, &schema)).collect::<Result<Vec<RecordBatch>>>());
    fitted.map(|batches| Batches::new(schema.clone(), batches)).map_err(|error| to_py(py, &error))
}
