//! Batches of a fixed size out of the rows of blocks.
//!
//! A batch closes at so many rows or source bytes, whichever comes first, and a group of
//! batches (a Parquet row group) likewise. Both count committed records only, so that no
//! cut depends on blocks, schema, chosen columns or skipped records.

use arrow::array::{Array, ArrayRef, MutableArrayData, RecordBatch, RecordBatchOptions, make_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::Rows;
use crate::error::{Code, Error, Result};

/// When a batch or group closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At so many rows.
    pub rows: usize,
    /// At so many bytes of records.
    pub bytes: u64,
}

/// The rows of a batch, in as many parts as the blocks they came in, and whether the group
/// ends with it.
#[derive(Debug)]
pub struct Piece {
    schema: SchemaRef,
    parts: Vec<RecordBatch>,
    /// The rows of the parts, where they are not all of them.
    runs: Option<Vec<Run>>,
    /// How many rows.
    pub rows: usize,
    /// The group ends here.
    pub ends_group: bool,
}

/// Rows of a part that stand behind each other.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The part.
    pub part: usize,
    /// The first row.
    pub start: usize,
    /// Behind the last row.
    pub end: usize,
}

impl Piece {
    /// A batch of these rows of these parts.
    pub fn of_runs(schema: SchemaRef, parts: Vec<RecordBatch>, runs: Vec<Run>, ends_group: bool) -> Self {
        let rows = runs.iter().map(|run| run.end - run.start).sum();
        Self { schema, parts, runs: Some(runs), rows, ends_group }
    }

    /// The batch.
    pub fn batch(&self) -> Result<RecordBatch> {
        let columns: Result<_, _> = (0..self.schema.fields().len()).map(|column| self.column(column)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        columns
            .and_then(|columns| RecordBatch::try_new_with_options(self.schema.clone(), columns, &options))
            .map_err(|e| Error::new(Code::Io, e.to_string()))
    }

    /// One column of the parts, copied: the bytes of an array then depend on its values alone,
    /// not on where the parts were cut.
    pub fn column(&self, column: usize) -> Result<ArrayRef, ArrowError> {
        // In wasm this would be half a megabyte, for types that no column has.
        #[cfg(not(target_arch = "wasm32"))]
        if let (None, 2..) = (&self.runs, self.parts.len()) {
            return arrow::compute::concat(&self.parts.iter().map(|part| part.column(column).as_ref()).collect::<Vec<_>>());
        }
        let data: Vec<_> = self.parts.iter().map(|part| part.column(column).to_data()).collect();
        let mut joined = MutableArrayData::new(data.iter().collect(), false, self.rows);
        match &self.runs {
            Some(runs) => runs.iter().try_for_each(|run| joined.try_extend(run.part, run.start, run.end))?,
            None => self.parts.iter().enumerate().try_for_each(|(n, part)| joined.try_extend(n, 0, part.num_rows()))?,
        }
        Ok(make_array(joined.freeze()))
    }
}

/// Cuts rows into batches.
pub struct Cutting {
    schema: SchemaRef,
    batch: Limit,
    group: Option<Limit>,
    parts: Vec<RecordBatch>,
    in_batch: Limit,
    in_group: Limit,
}

const NOTHING: Limit = Limit { rows: 0, bytes: 0 };

impl Limit {
    fn add(&mut self, bytes: u64) {
        self.rows += 1;
        self.bytes += bytes;
    }

    fn is_reached(self, limit: Self) -> bool {
        self.rows >= limit.rows || self.bytes >= limit.bytes
    }
}

impl Cutting {
    /// Batches of this schema, at most so large; groups, where they are wanted, too.
    pub fn new(schema: SchemaRef, batch: Limit, group: Option<Limit>) -> Self {
        Self { schema, batch, group, parts: Vec::new(), in_batch: NOTHING, in_group: NOTHING }
    }

    /// Takes the next rows; `out` is given each batch that is complete.
    pub fn push(&mut self, rows: &Rows, mut out: impl FnMut(Piece) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for (row, &bytes) in rows.sizes.iter().enumerate() {
            self.in_batch.add(u64::from(bytes));
            self.in_group.add(u64::from(bytes));
            let ends_group = self.group.is_some_and(|group| self.in_group.is_reached(group));
            if ends_group || self.in_batch.is_reached(self.batch) {
                self.parts.push(rows.batch.slice(start, row + 1 - start));
                start = row + 1;
                if ends_group {
                    self.in_group = NOTHING;
                }
                out(self.close(ends_group))?;
            }
        }
        if start < rows.sizes.len() {
            self.parts.push(rows.batch.slice(start, rows.sizes.len() - start));
        }
        Ok(())
    }

    /// The rows that are left.
    pub fn finish(&mut self) -> Option<Piece> {
        (!self.parts.is_empty()).then(|| self.close(true))
    }

    fn close(&mut self, ends_group: bool) -> Piece {
        let rows = std::mem::replace(&mut self.in_batch, NOTHING).rows;
        Piece { schema: self.schema.clone(), parts: std::mem::take(&mut self.parts), runs: None, rows, ends_group }
    }
}
