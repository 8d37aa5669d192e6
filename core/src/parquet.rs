//! Record batches → Parquet or Arrow IPC.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Float64Type, Int64Type, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Compression;
use parquet::data_type::FixedLenByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::SerializedFileWriter;
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::columns::cut::{Limit, Piece};
use crate::engine::jobs::Jobs;
use crate::error::{Code, Error, Result};

/// Rows and record bytes of a row group, at most.
pub const ROW_GROUP: Limit = Limit { rows: 131_072, bytes: 64 << 20 };

/// A format of record batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchFormat {
    /// Parquet, snappy.
    Parquet,
    /// Arrow IPC file, uncompressed.
    ArrowFile,
    /// Arrow IPC stream, uncompressed.
    ArrowStream,
}

/// Levels of an Arrow type that readers of Arrow schemas accept: they bound the depth of the
/// flatbuffer that it stands in.
const MAX_LEVELS: usize = 60;

fn levels(ty: &DataType) -> usize {
    let below = match ty {
        DataType::Struct(fields) => fields.iter().map(|field| levels(field.data_type())).max().unwrap_or(0),
        DataType::List(field) | DataType::Map(field, _) => levels(field.data_type()),
        _ => return 1,
    };
    1 + below
}

/// Writes batches of one schema.
pub enum BatchWriter<W: Write + Send> {
    /// To Parquet.
    Parquet(Box<ParquetWriter<W>>),
    /// To an Arrow IPC file.
    ArrowFile(FileWriter<W>),
    /// To an Arrow IPC stream.
    ArrowStream(StreamWriter<W>),
}

impl<W: Write + Send> BatchWriter<W> {
    /// A writer into `out`; columns of Parquet are encoded as jobs.
    pub fn new(format: BatchFormat, schema: &SchemaRef, jobs: Arc<dyn Jobs>, out: W) -> Result<Self> {
        for field in schema.fields() {
            if levels(field.data_type()) > MAX_LEVELS {
                let message = format!(
                    "the column's Arrow type has more than {MAX_LEVELS} levels, which readers refuse; \
                     say `json` for it in `overrides`, or maps=\"json\""
                );
                let mut at = String::new();
                crate::path::push_name(&mut at, field.name());
                return Err(Error::new(Code::Nesting, message).at_path(at));
            }
        }
        Ok(match format {
            BatchFormat::Parquet => Self::Parquet(Box::new(ParquetWriter::new(schema, jobs, out).map_err(|e| of_parquet(&e))?)),
            BatchFormat::ArrowFile => Self::ArrowFile(FileWriter::try_new(out, schema).map_err(|e| of_arrow(&e))?),
            BatchFormat::ArrowStream => Self::ArrowStream(StreamWriter::try_new(out, schema).map_err(|e| of_arrow(&e))?),
        })
    }

    /// Writes a batch.
    pub fn write(&mut self, piece: Piece) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(piece),
            Self::ArrowFile(writer) => writer.write(&piece.batch()?).map_err(|e| of_arrow(&e)),
            Self::ArrowStream(writer) => writer.write(&piece.batch()?).map_err(|e| of_arrow(&e)),
        }
    }

    /// Hands on what is held back of complete row groups and batches.
    pub fn flush(&mut self) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer.file.flush().map_err(|e| of_parquet(&e.into())),
            Self::ArrowFile(writer) => writer.flush().map_err(|e| of_arrow(&e)),
            Self::ArrowStream(writer) => writer.flush().map_err(|e| of_arrow(&e)),
        }
    }

    /// What is written so far goes through this.
    pub fn inner(&mut self) -> &mut W {
        match self {
            // Only `Write` calls of our own would break the file; there are none.
            Self::Parquet(writer) => writer.file.inner_mut(),
            Self::ArrowFile(writer) => writer.get_mut(),
            Self::ArrowStream(writer) => writer.get_mut(),
        }
    }

    /// Completes the output.
    pub fn finish(self) -> Result<W> {
        match self {
            Self::Parquet(writer) => writer.finish(),
            Self::ArrowFile(mut writer) => {
                writer.finish().map_err(|e| of_arrow(&e))?;
                writer.into_inner().map_err(|e| of_arrow(&e))
            }
            Self::ArrowStream(mut writer) => {
                writer.finish().map_err(|e| of_arrow(&e))?;
                writer.into_inner().map_err(|e| of_arrow(&e))
            }
        }
    }
}

/// How all is written.
fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("dynarrow {}", env!("CARGO_PKG_VERSION")))
        // Row groups end where the pieces say.
        .set_max_row_group_row_count(None)
}

/// Gives the arrays that are leaves of a Parquet schema, in its order.
fn each_leaf(array: &ArrayRef, give: &mut impl FnMut(&ArrayRef)) {
    match array.data_type() {
        DataType::Struct(_) => array.as_struct().columns().iter().for_each(|child| each_leaf(child, give)),
        DataType::List(_) => each_leaf(array.as_list::<i32>().values(), give),
        DataType::Map(..) => array.as_map().entries().columns().iter().for_each(|child| each_leaf(child, give)),
        _ => give(array),
    }
}

/// Values that tell whether they repeat.
const ENOUGH: usize = 1_024;

/// Whether values stand more than once, most of them: only then a dictionary is worth its
/// while, which hashes each value. A few values do not tell: the library drops a dictionary
/// that does not help.
fn repeats(array: &ArrayRef) -> bool {
    fn distinct<T: Hash>(values: impl Iterator<Item = Option<T>>) -> usize {
        values.flatten().map(|value| FxBuildHasher.hash_one(value)).collect::<FxHashSet<_>>().len()
    }
    let distinct = match array.data_type() {
        DataType::Utf8 => distinct(array.as_string::<i32>().iter()),
        DataType::Binary => distinct(array.as_binary::<i32>().iter()),
        DataType::Int64 => distinct(array.as_primitive::<Int64Type>().iter()),
        DataType::Timestamp(..) => distinct(array.as_primitive::<TimestampMicrosecondType>().iter()),
        DataType::Decimal128(..) => distinct(array.as_primitive::<Decimal128Type>().iter()),
        DataType::Float64 => distinct(array.as_primitive::<Float64Type>().iter().map(|value| value.map(f64::to_bits))),
        _ => return true,
    };
    let values = array.len() - array.null_count();
    values < ENOUGH || 2 * distinct <= values
}

/// Batches of a column that wait to be encoded, at most: a column that takes longer than the
/// others holds the rows of all.
const WAITING: usize = 2;

/// Writes Parquet. Every column is a lane of its own, which any thread goes on with: its
/// batches in order, so that the bytes are the same for any number of threads.
pub struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    schema: SchemaRef,
    jobs: Arc<dyn Jobs>,
    /// The columns of the row group that is open.
    lanes: Vec<Arc<Lane>>,
    /// A lane has failed.
    failed: Arc<AtomicBool>,
}

struct Lane {
    column: usize,
    field: FieldRef,
    state: Mutex<LaneState>,
    failed: Arc<AtomicBool>,
}

#[derive(Default)]
struct LaneState {
    waiting: VecDeque<Arc<Piece>>,
    /// A job is at work on the lane, or is to be.
    busy: bool,
    /// No more batches come.
    closing: bool,
    /// One for each leaf of the column.
    writers: Vec<ArrowColumnWriter>,
    chunks: Option<Vec<ArrowColumnChunk>>,
    error: Option<Error>,
}

impl<W: Write + Send> ParquetWriter<W> {
    fn new(schema: &SchemaRef, jobs: Arc<dyn Jobs>, out: W) -> Result<Self, ParquetError> {
        let mut properties = properties().build();
        let parquet_schema = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(schema)?;
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let file = SerializedFileWriter::new(out, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
        Ok(Self { file, schema: schema.clone(), jobs, lanes: Vec::new(), failed: Arc::default() })
    }

    fn write(&mut self, piece: Piece) -> Result<()> {
        // Parquet counts rows by their values.
        if self.schema.fields().is_empty() && piece.rows > 0 {
            return Err(Error::new(Code::Usage, "the items have no attributes, and Parquet has no rows without columns"));
        }
        if self.lanes.is_empty() {
            self.open_group(&piece).map_err(|e| of_parquet(&e))?;
        }
        let piece = Arc::new(piece);
        for lane in &self.lanes {
            lane.lock().waiting.push_back(piece.clone());
            self.start(lane);
        }
        self.work_until(|lane| lane.waiting.len() <= WAITING)?;
        if piece.ends_group { self.close_group() } else { Ok(()) }
    }

    /// Begins a row group with this batch, which tells how its columns are best encoded.
    fn open_group(&mut self, first: &Piece) -> Result<(), ParquetError> {
        let mut properties = properties();
        let mut leaves = Vec::with_capacity(self.file.schema_descr().num_columns());
        for column in 0..self.schema.fields().len() {
            each_leaf(&first.column(column)?, &mut |leaf| leaves.push(repeats(leaf)));
        }
        for (column, repeats) in self.file.schema_descr().columns().iter().zip(leaves) {
            properties = properties.set_column_dictionary_enabled(column.path().clone(), repeats);
        }
        // The library takes the properties of columns from those of a file: this one gets nothing.
        let pattern = SerializedFileWriter::new(std::io::sink(), self.file.schema_descr().root_schema_ptr(), Arc::new(properties.build()))?;
        let writers =
            ArrowRowGroupWriterFactory::new(&pattern, self.schema.clone()).create_column_writers(self.file.flushed_row_groups().len())?;
        let lane = |(column, field): (usize, &FieldRef)| Lane {
            column,
            field: field.clone(),
            state: Mutex::default(),
            failed: self.failed.clone(),
        };
        let lanes: Vec<_> = self.schema.fields().iter().enumerate().map(lane).collect();
        for (leaf, writer) in writers.into_iter().enumerate() {
            lanes[self.file.schema_descr().get_column_root_idx(leaf)].lock().writers.push(writer);
        }
        self.lanes = lanes.into_iter().map(Arc::new).collect();
        Ok(())
    }

    fn close_group(&mut self) -> Result<()> {
        for lane in &self.lanes {
            lane.lock().closing = true;
            self.start(lane);
        }
        self.work_until(|lane| lane.chunks.is_some())?;
        let mut group = self.file.next_row_group().map_err(|e| of_parquet(&e))?;
        for lane in self.lanes.drain(..) {
            for chunk in lane.lock().chunks.take().into_iter().flatten() {
                chunk.append_to_row_group(&mut group).map_err(|e| of_parquet(&e))?;
            }
        }
        group.close().map_err(|e| of_parquet(&e))?;
        Ok(())
    }

    fn finish(mut self) -> Result<W> {
        // The last batch may have been full.
        if !self.lanes.is_empty() {
            self.close_group()?;
        }
        self.file.into_inner().map_err(|e| of_parquet(&e))
    }

    /// Has a lane worked on, if nobody is.
    fn start(&self, lane: &Arc<Lane>) {
        if !std::mem::replace(&mut lane.lock().busy, true) {
            let lane = lane.clone();
            self.jobs.push(Box::new(move || lane.run()));
        }
    }

    /// Works until all lanes are so, or one has failed.
    fn work_until(&self, done: impl Fn(&LaneState) -> bool) -> Result<()> {
        // A lane that is so stays so: none is looked at twice.
        let first = Cell::new(0);
        self.jobs.work_until(&|| {
            while let Some(lane) = self.lanes.get(first.get()) {
                let state = lane.lock();
                if state.error.is_some() {
                    return true;
                }
                if !done(&state) {
                    return self.failed.load(Ordering::Relaxed);
                }
                first.set(first.get() + 1);
            }
            true
        })?;
        self.lanes.iter().find_map(|lane| lane.lock().error.take()).map_or(Ok(()), Err)
    }
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Encodes what waits.
    fn run(&self) {
        let mut state = self.lock();
        while state.error.is_none() {
            if let Some(piece) = state.waiting.pop_front() {
                let mut writers = std::mem::take(&mut state.writers);
                drop(state);
                let encoded = self.encode(&piece, &mut writers);
                drop(piece);
                state = self.lock();
                state.writers = writers;
                state.error = encoded.err().map(|e| of_parquet(&e));
            } else if state.closing && state.chunks.is_none() {
                let writers = std::mem::take(&mut state.writers);
                drop(state);
                let closed: Result<_, _> = writers.into_iter().map(close).collect();
                state = self.lock();
                match closed {
                    Ok(chunks) => state.chunks = Some(chunks),
                    Err(error) => state.error = Some(of_parquet(&error)),
                }
            } else {
                break;
            }
        }
        state.busy = false;
        if state.error.is_some() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    fn encode(&self, piece: &Piece, writers: &mut [ArrowColumnWriter]) -> Result<(), ParquetError> {
        let array = piece.column(self.column)?;
        let leaves = compute_leaves(&self.field, &array)?;
        writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))
    }
}

/// A column's part of a row group, complete. Its statistics are kept to the end of the file,
/// and those of decimals are slices of whole batches: only their own bytes are to stay.
fn close(writer: ArrowColumnWriter) -> Result<ArrowColumnChunk, ParquetError> {
    let mut chunk = writer.close()?;
    let metadata = &mut chunk.close_mut().metadata;
    if let Some(Statistics::FixedLenByteArray(of)) = metadata.statistics() {
        let own = |value: Option<&FixedLenByteArray>| value.map(|value| FixedLenByteArray::from(value.data().to_vec()));
        let (min, max) = (own(of.min_opt()), own(of.max_opt()));
        let own = ValueStatistics::new(min, max, of.distinct_count(), of.null_count_opt(), false)
            .with_min_is_exact(of.min_is_exact())
            .with_max_is_exact(of.max_is_exact())
            .with_backwards_compatible_min_max(of.is_min_max_backwards_compatible());
        *metadata = metadata.clone().into_builder().set_statistics(Statistics::FixedLenByteArray(own)).build()?;
    }
    Ok(chunk)
}

fn of_arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::new(Code::Io, error.to_string()),
        other => Error::new(Code::Io, other.to_string()),
    }
}

fn of_parquet(error: &ParquetError) -> Error {
    Error::new(Code::Io, error.to_string())
}
