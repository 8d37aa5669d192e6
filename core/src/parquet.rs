//! Record batches → Parquet or Arrow IPC.

use std::io::Write;

use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::columns::cut::{Limit, Piece};
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
    Parquet(Box<ArrowWriter<W>>),
    /// To an Arrow IPC file.
    ArrowFile(FileWriter<W>),
    /// To an Arrow IPC stream.
    ArrowStream(StreamWriter<W>),
}

impl<W: Write + Send> BatchWriter<W> {
    /// A writer into `out`.
    pub fn new(format: BatchFormat, schema: &SchemaRef, out: W) -> Result<Self> {
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
            BatchFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_created_by(format!("dynarrow {}", env!("CARGO_PKG_VERSION")))
                    // Row groups end where the pieces say.
                    .set_max_row_group_row_count(None)
                    .build();
                Self::Parquet(Box::new(ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(|e| of_parquet(&e))?))
            }
            BatchFormat::ArrowFile => Self::ArrowFile(FileWriter::try_new(out, schema).map_err(|e| of_arrow(&e))?),
            BatchFormat::ArrowStream => Self::ArrowStream(StreamWriter::try_new(out, schema).map_err(|e| of_arrow(&e))?),
        })
    }

    /// Writes a batch.
    pub fn write(&mut self, piece: &Piece) -> Result<()> {
        match self {
            // Parquet counts rows by their values.
            Self::Parquet(_) if piece.batch.num_columns() == 0 && piece.batch.num_rows() > 0 => {
                Err(Error::new(Code::Usage, "the items have no attributes, and Parquet has no rows without columns"))
            }
            Self::Parquet(writer) => {
                writer.write(&piece.batch).map_err(|e| of_parquet(&e))?;
                if piece.ends_group {
                    writer.flush().map_err(|e| of_parquet(&e))?;
                }
                Ok(())
            }
            Self::ArrowFile(writer) => writer.write(&piece.batch).map_err(|e| of_arrow(&e)),
            Self::ArrowStream(writer) => writer.write(&piece.batch).map_err(|e| of_arrow(&e)),
        }
    }

    /// What is written so far goes through this.
    pub fn inner(&mut self) -> &mut W {
        match self {
            // Only `Write` calls of our own would break the file; there are none.
            Self::Parquet(writer) => writer.inner_mut(),
            Self::ArrowFile(writer) => writer.get_mut(),
            Self::ArrowStream(writer) => writer.get_mut(),
        }
    }

    /// Completes the output.
    pub fn finish(self) -> Result<W> {
        match self {
            Self::Parquet(writer) => writer.into_inner().map_err(|e| of_parquet(&e)),
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

fn of_arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::new(Code::Io, error.to_string()),
        other => Error::new(Code::Io, other.to_string()),
    }
}

fn of_parquet(error: &ParquetError) -> Error {
    Error::new(Code::Io, error.to_string())
}
