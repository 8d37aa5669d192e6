//! The native half of the Python package `dynarrow`: registers what the other files define.

use pyo3::prelude::*;

mod changes;
mod cli;
mod control;
mod convert;
mod ddl;
mod diff;
mod error;
mod guard;
mod items;
mod lake;
mod merge;
mod open;
mod options;
mod prepare;
mod read;
mod schema;
mod validate;
mod values;
mod verify;
mod write;

#[pymodule]
fn _dynarrow(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<open::Export>()?;
    module.add_class::<open::DataFile>()?;
    module.add_class::<read::Reader>()?;
    module.add_class::<read::ReadReport>()?;
    module.add_class::<read::Losses>()?;
    module.add_class::<read::Loss>()?;
    module.add_class::<read::Batches>()?;
    module.add_class::<read::BatchIterator>()?;
    module.add_class::<items::ItemIterator>()?;
    module.add_class::<changes::ChangeIterator>()?;
    module.add_class::<schema::Schema>()?;
    module.add_class::<schema::Field>()?;
    module.add_class::<convert::ConvertReport>()?;
    module.add_class::<convert::WrittenFile>()?;
    module.add_class::<convert::SplitTable>()?;
    module.add_class::<merge::MergeReport>()?;
    module.add_class::<merge::Window>()?;
    module.add_class::<diff::DiffReport>()?;
    module.add_class::<prepare::PrepareReport>()?;
    module.add_class::<verify::VerifyReport>()?;
    module.add_class::<verify::Finding>()?;
    module.add_class::<guard::FailingReader>()?;
    module.add_function(wrap_pyfunction!(open::open_export, module)?)?;
    module.add_function(wrap_pyfunction!(write::open_stream, module)?)?;
    module.add_function(wrap_pyfunction!(write::write, module)?)?;
    module.add_function(wrap_pyfunction!(validate::table_spec, module)?)?;
    module.add_function(wrap_pyfunction!(validate::validate_import, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::prepare_import, module)?)?;
    module.add_function(wrap_pyfunction!(ddl::ddl, module)?)?;
    module.add_function(wrap_pyfunction!(lake::fit_stream, module)?)?;
    module.add_function(wrap_pyfunction!(values::spool, module)?)?;
    module.add_function(wrap_pyfunction!(values::dumps, module)?)?;
    module.add_function(wrap_pyfunction!(values::loads, module)?)?;
    module.add_function(wrap_pyfunction!(guard::_failing_reader, module)?)?;
    module.add_function(wrap_pyfunction!(cli::_run_cli, module)?)
}
