//! Incremental exports as rows: what became of each item, when, its key and its images.

use super::open::{Export, ReadAs};
use super::read::ReadOptions;
#[cfg(not(target_arch = "wasm32"))]
use crate::change::columns::ChangeNames;
use crate::change::key::KeyNames;
use crate::change::{Change, ChangeSink, Changes, Images, View};
use crate::control::Control;
use crate::engine::pipeline::{Pipeline, Step};
use crate::error::{Code, Error, Result};
use crate::event::Refusal;
use crate::manifest::ExportSummary;
use crate::schema::Columns;

/// The metadata keys of an Arrow schema that say of what table and time the rows are.
pub mod metadata {
    /// The table's ARN.
    pub const TABLE: &str = "dynarrow.table";
    /// The table's id.
    pub const TABLE_ID: &str = "dynarrow.table_id";
    /// The moment whose state the items are.
    pub const EXPORT_TIME: &str = "dynarrow.export_time";
    /// The ARN of the incremental export.
    pub const EXPORT_ARN: &str = "dynarrow.export_arn";
    /// The start of its window.
    pub const FROM_TIME: &str = "dynarrow.export_from_time";
    /// The end of its window.
    pub const TO_TIME: &str = "dynarrow.export_to_time";
    /// Which images the columns of changes hold: `new`, `old` or `both`.
    pub const IMAGES: &str = "dynarrow.images";
    /// The names of the key attributes, as a JSON array.
    pub const KEYS: &str = "dynarrow.keys";
    /// `true` where nothing of the items is missing or rounded.
    pub const WHOLE: &str = "dynarrow.whole";
}

impl Export {
    /// The records as changes with these images: `read`, `convert` and `infer_schema` then
    /// give a row for each. The key attributes are always among the columns.
    pub fn changes(&self, images: Images, mut options: ReadOptions, control: &Control) -> Result<(Self, ReadOptions)> {
        self.require_incremental()?;
        if images != Images::New && self.view()? == Some(View::NewImage) {
            let message = format!("images={} asks for old images, and the export's view is NEW_IMAGE", images.as_str());
            return Err(Error::new(Code::View, message).in_file(self.name()));
        }
        control.check()?;
        let keys = self.first_keys(control)?;
        if let (Some(columns), Some(keys)) = (&options.columns, &keys) {
            let others = columns.iter().filter(|name| keys.place(name).is_none());
            options.columns = Some(keys.names().iter().chain(others).cloned().collect::<Columns>());
        }
        Ok((self.clone().read_as(ReadAs::Changes(images, keys)), options))
    }

    /// The images that its records hold; `None` where there is no manifest.
    pub fn view(&self) -> Result<Option<View>> {
        let named = self.summary().and_then(|summary| summary.output_view.as_deref());
        named.map(View::parse).transpose().map_err(|e| e.in_file(self.name()))
    }

    /// Refuses what has no changes.
    pub(crate) fn require_incremental(&self) -> Result<()> {
        if self.summary().is_some_and(|summary| !summary.is_incremental()) {
            let message = "this is a full export: its records are items, not changes";
            return Err(Error::new(Code::FullExport, message).in_file(self.name()));
        }
        if self.format()?.is_records() {
            return Ok(());
        }
        let message = format!("changes are read from DynamoDB JSON and Ion, not from {}", self.format()?.as_str());
        Err(Error::new(Code::Usage, message).in_file(self.name()))
    }

    /// The names of the key attributes, by the first change; `None` where there is none.
    pub(crate) fn first_keys(&self, control: &Control) -> Result<Option<KeyNames>> {
        let changes = self.clone().read_as(ReadAs::Changes(Images::New, None));
        // What is wrong with the data is said when it is read.
        let options = ReadOptions { threads: 1, on_error: super::read::OnError::Skip, ..ReadOptions::default() };
        let pipeline = Pipeline::new(changes.pass(&options, &Control::default())?, || Changes::new(FirstKeys(None)));
        for step in pipeline {
            control.check()?;
            match step {
                Ok(Step::Block { out: Some(keys), .. }) => return Ok(Some(keys)),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The names of what is written of each record as text, where the columns have this schema:
    /// those that were asked for, or all with `header`.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn names_in_text(&self, options: &ReadOptions, header: bool, control: &Control) -> Result<Option<Columns>> {
        let changes = matches!(self.reads(), ReadAs::Changes(..));
        if !header && (options.columns.is_none() || !changes) {
            return Ok(options.columns.clone());
        }
        // A schema that is given explains a source of batches; the columns are those of the items.
        let schema = match options.schema {
            None => self.infer_schema(options, control)?,
            Some(_) => self.infer_schema_and_totals(options, control)?.0,
        };
        let mut names: Vec<_> = schema.fields().iter().map(|field| field.name.clone()).collect();
        if let ReadAs::Changes(images, _) = self.reads() {
            let ChangeNames { op, ts, old } = ChangeNames::beside(&schema);
            names.splice(..0, [op, ts]);
            names.extend((*images == Images::Both).then_some(old));
        }
        Ok(Some(names.into()))
    }

    /// What is known of the table, for the schema of batches.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = (String, String)> {
        let of = |summary: &ExportSummary| {
            let known = [
                (metadata::TABLE, &summary.table_arn),
                (metadata::TABLE_ID, &summary.table_id),
                (metadata::EXPORT_TIME, &summary.export_time),
            ];
            let of_changes = [
                (metadata::EXPORT_ARN, &summary.export_arn),
                (metadata::FROM_TIME, &summary.export_from_time),
                (metadata::TO_TIME, &summary.export_to_time),
            ];
            let of_changes = summary.is_incremental().then_some(of_changes);
            known
                .into_iter()
                .chain(of_changes.into_iter().flatten())
                .filter_map(|(key, value)| Some((key, value.clone()?)))
                .collect::<Vec<_>>()
        };
        let (images, keys) = match self.reads() {
            ReadAs::Changes(images, keys) => (Some((metadata::IMAGES, images.as_str().to_owned())), keys.as_ref()),
            ReadAs::Merged(over) => (None, Some(over.names())),
            ReadAs::Items => (None, None),
        };
        // Where no window had a change nobody knows them.
        let keys =
            keys.filter(|keys| !keys.names().is_empty()).map(|keys| (metadata::KEYS, serde_json::Value::from(keys.names()).to_string()));
        self.summary().map(of).into_iter().flatten().chain(images).chain(keys).map(|(key, value)| (key.to_owned(), value))
    }
}

/// The names of the key attributes of the first change of a block.
struct FirstKeys(Option<KeyNames>);

impl ChangeSink for FirstKeys {
    type Out = Option<KeyNames>;
    fn change(&mut self, change: &Change<'_>, _bytes: usize) -> Result<(), Refusal> {
        self.0.get_or_insert_with(|| KeyNames::new(change.keys().iter().map(|(name, _)| name)));
        Ok(())
    }
    fn end_block(&mut self) -> Result<Self::Out> {
        Ok(self.0.take())
    }
}
