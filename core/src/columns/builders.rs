//! The columns of one batch while it is built: plain vectors that can be cut back to any
//! row, so that an item which turns out bad leaves nothing behind.
//!
//! Every column is filled lazily: rows without a value are padded with nulls when the next
//! value comes, or at the end.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, PrimitiveArray, StringArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType};
use arrow::error::ArrowError;

/// Which rows hold a value: a bit for each.
#[derive(Default)]
pub struct Validity(Vec<u8>);

impl Validity {
    /// There is a value in `row`.
    #[inline]
    pub fn set(&mut self, row: usize) {
        match self.0.get_mut(row / 8) {
            Some(bits) => *bits |= 1 << (row % 8),
            None => self.grow(row),
        }
    }

    #[inline(never)]
    fn grow(&mut self, row: usize) {
        // Room for the next 512 rows, or so.
        self.0.resize(row / 8 + 64, 0);
        self.0[row / 8] |= 1 << (row % 8);
    }

    pub fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows.div_ceil(8));
        if let Some(last) = self.0.get_mut(rows / 8) {
            *last &= (1 << (rows % 8)) - 1;
        }
    }

    /// `None` where all rows hold a value.
    pub fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        let next = Vec::with_capacity(self.0.len());
        let mut bits = std::mem::replace(&mut self.0, next);
        bits.resize(rows.div_ceil(8), 0);
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows));
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Values of a fixed width.
#[derive(Default)]
pub struct Values<T> {
    values: Vec<T>,
    validity: Validity,
}

impl<T: ArrowNativeType> Values<T> {
    #[inline]
    pub fn set(&mut self, row: usize, value: T) {
        if self.values.len() < row {
            self.values.resize(row, T::default());
        }
        self.values.push(value);
        self.validity.set(row);
    }

    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.validity.truncate(rows);
    }

    pub fn finish<P: ArrowPrimitiveType<Native = T>>(&mut self, rows: usize) -> Result<PrimitiveArray<P>, ArrowError> {
        self.values.resize(rows, T::default());
        let next = Vec::with_capacity(rows);
        let values = ScalarBuffer::from(std::mem::replace(&mut self.values, next));
        PrimitiveArray::try_new(values, self.validity.finish(rows))
    }
}

/// Booleans.
pub struct Booleans {
    values: BooleanBufferBuilder,
    validity: Validity,
}

impl Default for Booleans {
    fn default() -> Self {
        Self { values: BooleanBufferBuilder::new(0), validity: Validity::default() }
    }
}

impl Booleans {
    pub fn set(&mut self, row: usize, value: bool) {
        if self.values.len() < row {
            self.values.append_n(row - self.values.len(), false);
        }
        self.values.append(value);
        self.validity.set(row);
    }

    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.validity.truncate(rows);
    }

    pub fn finish(&mut self, rows: usize) -> ArrayRef {
        self.values.append_n(rows - self.values.len(), false);
        Arc::new(BooleanArray::new(self.values.finish(), self.validity.finish(rows)))
    }
}

/// Where the values of variable width, or the elements of lists, begin and end.
pub struct Offsets(Vec<i32>);

impl Default for Offsets {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Offsets {
    /// Where the next value begins.
    #[inline]
    pub fn last(&self) -> usize {
        self.0.last().map_or(0, |&end| end as usize)
    }

    fn last_but_one(&self) -> usize {
        self.0.iter().rev().nth(1).map_or(0, |&end| end as usize)
    }

    #[inline(never)]
    fn pad(&mut self, rows: usize) {
        self.0.resize(rows + 1, self.last() as i32);
    }

    /// The value of `row` ends at `end`.
    #[inline]
    pub fn set(&mut self, row: usize, end: usize) {
        if self.0.len() <= row {
            self.pad(row);
        }
        // A block's bytes are bounded far below the range of an i32.
        self.0.push(i32::try_from(end).unwrap_or(i32::MAX));
    }

    pub fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows + 1);
    }

    pub fn finish(&mut self, rows: usize) -> OffsetBuffer<i32> {
        self.pad(rows);
        let mut next = Vec::with_capacity(rows + 1);
        next.push(0);
        OffsetBuffer::new(std::mem::replace(&mut self.0, next).into())
    }
}

/// Appends a value: without a call where two words hold it, which overlap where it has fewer bytes.
#[inline]
fn append(values: &mut Vec<u8>, value: &[u8]) {
    match value.len() {
        4..=8 => append_words::<4>(values, value),
        9..=16 => append_words::<8>(values, value),
        17..=32 => append_words::<16>(values, value),
        _ => values.extend_from_slice(value),
    }
}

#[inline]
fn append_words<const N: usize>(values: &mut Vec<u8>, value: &[u8]) {
    if let (Some(first), Some(last)) = (value.first_chunk::<N>(), value.last_chunk::<N>()) {
        let second = values.len() + value.len() - N;
        values.reserve(2 * N);
        values.extend_from_slice(first);
        values.truncate(second);
        values.extend_from_slice(last);
    }
}

/// Strings or binaries.
#[derive(Default)]
pub struct Bytes {
    values: Vec<u8>,
    offsets: Offsets,
    validity: Validity,
}

impl Bytes {
    #[inline]
    pub fn set(&mut self, row: usize, value: &[u8]) {
        append(&mut self.values, value);
        self.offsets.set(row, self.values.len());
        self.validity.set(row);
    }

    /// Appends what `write` writes.
    pub fn set_with(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.values);
        self.offsets.set(row, self.values.len());
        self.validity.set(row);
    }

    /// The last value.
    pub fn last(&self) -> &[u8] {
        &self.values[self.offsets.last_but_one()..]
    }

    pub fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows);
        self.validity.truncate(rows);
        self.values.truncate(self.offsets.last());
    }

    fn parts(&mut self, rows: usize) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let next = Vec::with_capacity(self.values.len());
        let values = std::mem::replace(&mut self.values, next);
        (self.offsets.finish(rows), Buffer::from_vec(values), self.validity.finish(rows))
    }

    pub fn finish_text(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let (offsets, values, nulls) = self.parts(rows);
        Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
    }

    pub fn finish_binary(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let (offsets, values, nulls) = self.parts(rows);
        Ok(Arc::new(BinaryArray::try_new(offsets, values, nulls)?))
    }
}

/// The frame of lists, sets and map columns: which rows hold one, and where its elements are.
#[derive(Default)]
pub struct Lists {
    pub offsets: Offsets,
    pub validity: Validity,
}

impl Lists {
    /// Elements so far.
    pub fn len(&self) -> usize {
        self.offsets.last()
    }

    pub fn set(&mut self, row: usize, end: usize) {
        self.offsets.set(row, end);
        self.validity.set(row);
    }

    pub fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows);
        self.validity.truncate(rows);
    }

    pub fn finish(&mut self, rows: usize) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (self.offsets.finish(rows), self.validity.finish(rows))
    }
}
