//! Changes → record batches: what became of the item and when, its key, its attributes.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef, TimeUnit};

use super::{Change, ChangeSink, Images, View, item};
use crate::columns::{ColumnSink, Rows};
use crate::error::{Code, Error, Result};
use crate::event::{Refusal, Sink};
use crate::schema::Schema;
use crate::schema::learn::Learner;

/// The names of the columns that are no attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeNames {
    /// What became of the item.
    pub op: String,
    /// When it was written.
    pub ts: String,
    /// The item before.
    pub old: String,
}

impl ChangeNames {
    /// `_op`, `_ts` and `_old`, with underscores behind while an attribute bears the name.
    pub fn beside(schema: &Schema) -> Self {
        let [op, ts, old] = ["_op", "_ts", "_old"].map(|name| schema.own_name(name));
        Self { op, ts, old }
    }
}

/// The Arrow schema of changes whose images have this schema.
pub fn to_arrow(schema: &Schema, images: Images) -> ArrowSchema {
    let names = ChangeNames::beside(schema);
    let inner = schema.to_arrow();
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![Arc::new(ArrowField::new(names.op, DataType::Utf8, false)), Arc::new(ArrowField::new(names.ts, time, false))];
    fields.extend(inner.fields().iter().cloned());
    // Parquet has no struct without fields.
    if images == Images::Both && !inner.fields().is_empty() {
        fields.push(Arc::new(ArrowField::new(names.old, DataType::Struct(inner.fields().clone()), true)));
    }
    ArrowSchema::new_with_metadata(fields, inner.metadata)
}

/// Learns the images that become columns.
pub struct LearnChanges {
    learner: Learner,
    images: Images,
}

impl LearnChanges {
    /// Learns by this learner.
    pub fn new(learner: Learner, images: Images) -> Self {
        Self { learner, images }
    }

    /// The learner, when all changes were learnt.
    pub fn into_learner(self) -> Learner {
        self.learner
    }
}

impl ChangeSink for LearnChanges {
    type Out = u64;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.learner.begin_block(file, block);
    }
    fn change(&mut self, change: &Change<'_>, bytes: usize) -> Result<(), Refusal> {
        let image = if self.images == Images::Old { change.old() } else { change.new_image() };
        item(&mut self.learner, bytes, |learner| change.send_row(image, learner))?;
        match change.old() {
            Some(old) if self.images == Images::Both => item(&mut self.learner, 0, |learner| change.send_row(Some(old), learner)),
            _ => Ok(()),
        }
    }
    fn end_block(&mut self) -> Result<u64> {
        Ok(self.learner.items_in_block())
    }
}

/// Fills the columns with changes.
pub struct ChangeColumns {
    schema: SchemaRef,
    view: Option<View>,
    images: Images,
    ops: Vec<&'static str>,
    micros: Vec<i64>,
    columns: ColumnSink,
    /// The items before, and which changes have one.
    old: Option<(ColumnSink, NullBufferBuilder)>,
}

impl ChangeColumns {
    /// Columns of this schema; `make` makes the sink of images.
    pub fn new(schema: SchemaRef, view: Option<View>, images: Images, make: impl Fn() -> ColumnSink) -> Self {
        let old = (images == Images::Both).then(|| (make(), NullBufferBuilder::new(0)));
        Self { schema, view, images, ops: Vec::new(), micros: Vec::new(), columns: make(), old }
    }
}

impl ChangeSink for ChangeColumns {
    type Out = Rows;
    fn begin_block(&mut self, file: usize, block: usize) {
        self.columns.begin_block(file, block);
        if let Some((old, _)) = &mut self.old {
            old.begin_block(file, block);
        }
    }

    fn change(&mut self, change: &Change<'_>, bytes: usize) -> Result<(), Refusal> {
        let Self { columns, old, images, .. } = self;
        let image = if *images == Images::Old { change.old() } else { change.new_image() };
        columns.begin_item();
        let mut sent = change.send_row(image, columns).and_then(|()| columns.check());
        if let Some((old, _)) = old {
            old.begin_item();
            if let (Ok(()), Some(before)) = (&sent, change.old()) {
                sent = change.send_row(Some(before), old).and_then(|()| old.check());
            }
        }
        // Nothing is refused from here on.
        if sent.is_err() {
            columns.abort_item();
            if let Some((old, _)) = old {
                old.abort_item();
            }
            return sent;
        }
        columns.commit_item(bytes)?;
        if let Some((old, has)) = old {
            old.commit_item(0)?;
            has.append(change.has_old());
        }
        self.ops.push(change.op(self.view).as_str());
        self.micros.push(change.micros);
        Ok(())
    }

    fn end_block(&mut self) -> Result<Rows> {
        let Rows { batch, sizes, mut losses } = self.columns.take()?;
        let micros = TimestampMicrosecondArray::from(std::mem::take(&mut self.micros)).with_timezone("UTC");
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(std::mem::take(&mut self.ops))), Arc::new(micros)];
        columns.extend(batch.columns().iter().cloned());
        if let Some((old, has)) = &mut self.old {
            let before = old.take()?;
            losses.merge(before.losses);
            if batch.num_columns() > 0 {
                let fields = before.batch.schema().fields().clone();
                let before = StructArray::try_new(fields, before.batch.columns().to_vec(), has.finish());
                columns.push(Arc::new(before.map_err(|e| Error::new(Code::Io, e.to_string()))?));
            }
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|e| Error::new(Code::Io, e.to_string()))?;
        Ok(Rows { batch, sizes, losses })
    }
}
