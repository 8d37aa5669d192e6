//! The statements that make a table in Athena of Parquet files, or an Iceberg table and what
//! brings incremental exports into it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};

use super::changes::metadata;
use super::merge::micros;
use super::open::Export;
use super::read::ReadOptions;
use super::rows::Batches;
use crate::athena::merge::Staged;
use crate::athena::name::Given;
use crate::athena::table::{Table, TableName, location};
use crate::athena::types;
use crate::control::Control;
use crate::error::{Code, Error, Result, printable};
use crate::format::SourceFormat;
use crate::schema::Names;

/// What is to be defined.
#[derive(Clone, Debug, Default)]
pub struct DdlOptions {
    /// The table: `table` or `database.table`.
    pub table: String,
    /// Its folder on S3: where the Parquet files stand, or an Iceberg table is to keep its own.
    pub location: String,
    /// An Iceberg table, not one over the Parquet files as they are.
    pub iceberg: bool,
    /// Parquet files of changes, in the order of their windows: what takes them into the Iceberg
    /// table.
    pub changes: Vec<PathBuf>,
    /// The folder on S3 below which the Parquet files for an Iceberg table stand, a folder for
    /// each; `None` for the table's folder with `_staging` behind its name.
    pub staging: Option<String>,
    /// The key attributes, where the changes do not say them.
    pub key: Vec<String>,
    /// How the schema of a source is learnt that is no Parquet.
    pub read: ReadOptions,
}

impl DdlOptions {
    fn check(&self) -> Result<()> {
        if !self.iceberg && !self.changes.is_empty() {
            return Err(Error::usage("changes go into an Iceberg table: they need --iceberg (iceberg=True)"));
        }
        if !self.iceberg && self.staging.is_some() {
            return Err(Error::usage("staging is for Iceberg tables: it needs --iceberg (iceberg=True)"));
        }
        if self.changes.is_empty() && !self.key.is_empty() {
            return Err(Error::usage("key says how changes are matched: it needs --changes (changes=)"));
        }
        if self.key.iter().collect::<BTreeSet<_>>().len() < self.key.len() {
            return Err(Error::usage("key names an attribute twice"));
        }
        Ok(())
    }
}

/// Statements as one text.
#[derive(Default)]
struct Script(String);

impl Script {
    fn say(&mut self, text: &str) {
        self.0 += &format!("-- {}\n", printable(text));
    }

    fn add(&mut self, statement: &str) {
        self.0 += &format!("{statement};\n\n");
    }
}

impl Export {
    /// The statements, each with `;` and an empty line behind it. A Parquet source is a table as it
    /// is; of any other the schema is learnt, and the table that of its conversion to Parquet with
    /// `names="athena"`.
    pub fn ddl(&self, options: &DdlOptions, control: &Control) -> Result<String> {
        options.check()?;
        let name = TableName::parse(&options.table)?;
        let at = location(&options.location)?;
        let (table, schema) = self.table(&name, options, control)?;
        types::check(table.all())?;
        let mut script = Script::default();
        if !options.iceberg {
            for statement in table.external(&at, true) {
                script.add(&statement);
            }
            return Ok(script.0.trim_end().to_owned() + "\n");
        }
        let staging = match &options.staging {
            Some(staging) => location(staging)?,
            None => format!("{}_staging/", at.trim_end_matches('/')),
        };
        script.add(&table.iceberg(&at));
        if !options.changes.is_empty() {
            take_in(table, &schema, options, &staging, &mut script)?;
        } else if self.format()? == SourceFormat::Parquet {
            let source = Table { name: name.beside(format!("{}__load", name.table)), ..table.clone() };
            stage(&source, self.name(), &staging, &mut script);
            script.add(&table.load(&source.name));
        }
        Ok(script.0.trim_end().to_owned() + "\n")
    }

    /// The table that the source is, or would be as Parquet, and its Arrow schema.
    fn table(&self, name: &TableName, options: &DdlOptions, control: &Control) -> Result<(Table, SchemaRef)> {
        if self.format()? == SourceFormat::Parquet {
            if options.read.schema.is_some() {
                return Err(Error::usage("a Parquet file says itself what its columns are: no schema can be given for it"));
            }
            let (schema, partitions) = self.parquet_schema(control)?;
            let stands = |field: &FieldRef| partitions.iter().all(|partition| partition != field.name());
            let columns: Vec<_> = schema.fields().iter().filter(|field| stands(field)).cloned().collect();
            let of = |partition: &String| match schema.field_with_name(partition) {
                Ok(field) => Arc::new(field.clone()),
                Err(_) => Arc::new(Field::new(partition, DataType::Utf8, true)),
            };
            let partitions = partitions.iter().map(of).collect();
            return Ok((Table { name: name.clone(), columns, partitions }, schema));
        }
        let mut read = options.read.clone();
        if read.schema.is_none() {
            read.policies.names = Names::Athena;
        }
        let schema = Arc::new(self.infer_schema(&read, control)?.to_arrow());
        let columns = schema.fields().iter().cloned().collect();
        Ok((Table { name: name.clone(), columns, partitions: Vec::new() }, schema))
    }

    /// The schema of all files, which must have the same, and the names of the folders that they
    /// stand in.
    fn parquet_schema(&self, control: &Control) -> Result<(SchemaRef, Vec<String>)> {
        let mut found: Option<(SchemaRef, Vec<String>)> = None;
        for file in self.files() {
            control.check()?;
            let key = file.key.as_deref().unwrap_or_default();
            let path = self.storage().local_path(key);
            let path = path.ok_or_else(|| Error::new(Code::Io, "Parquet is read from the local file system").in_file(&*file.name))?;
            let (schema, folders) = (schema_of(&path)?, folders(key));
            let other = |what: &str| {
                Error::new(Code::Usage, format!("this file has other {what} than the first: they are no one table")).in_file(&*file.name)
            };
            match &found {
                Some((first, _)) if first.fields() != schema.fields() => return Err(other("columns")),
                Some((_, first)) if *first != folders => return Err(other("folders name=value/ above it")),
                Some(_) => {}
                None => found = Some((schema, folders)),
            }
        }
        Ok(found.unwrap_or_else(|| (Arc::new(ArrowSchema::empty()), Vec::new())))
    }
}

/// The names of the folders `name=value/` that a file stands in.
fn folders(key: &str) -> Vec<String> {
    let above = key.rsplit_once('/').map_or("", |(above, _)| above);
    above.split('/').filter_map(|folder| folder.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

fn schema_of(path: &Path) -> Result<SchemaRef> {
    Batches::of_parquet(path).map(|batches| batches.schema).map_err(|e| e.in_file(path.display().to_string()))
}

/// A table over Parquet that is to be copied below `staging`, made anew.
fn stage(table: &Table, file: &str, staging: &str, script: &mut Script) {
    let at = format!("{staging}{}/", table.name.table);
    script.say(&format!("{file} stands at {at}"));
    script.add(&format!("DROP TABLE IF EXISTS {}", table.name.ddl()));
    for statement in table.external(&at, false) {
        script.add(&statement);
    }
}

/// What takes the changes in, file by file.
fn take_in(mut table: Table, schema: &ArrowSchema, options: &DdlOptions, staging: &str, script: &mut Script) -> Result<()> {
    let mut names = Given::default();
    let mut before: Option<SchemaRef> = None;
    for path in &options.changes {
        let file = path.display().to_string();
        let changes = schema_of(path)?;
        let in_file = |error: Error| error.in_file(&*file);
        check_table(schema, &changes).map_err(in_file)?;
        check_images(&changes).map_err(in_file)?;
        if is_older(schema, &changes).map_err(in_file)? {
            script.say(&format!("{file} ends before the time of the table: it is not merged"));
            continue;
        }
        check_window(before.as_deref(), &changes, &file)?;
        let staged = Staged::of(&changes).map_err(in_file)?;
        if staged.is_empty() {
            script.say(&format!("{file} holds no changes"));
            before = Some(changes);
            continue;
        }
        let keys = keys(options, &changes).map_err(in_file)?;
        types::check(&staged.columns).map_err(in_file)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let name = table.name.beside(names.give(&format!("{}__changes_{stem}", table.name.table)));
        stage(&Table { name: name.clone(), columns: staged.columns.clone(), partitions: Vec::new() }, &file, staging, script);
        let new = staged.new_columns(&table);
        if !new.is_empty() {
            script.say("From here on the table has more columns than its source says; --schema, when both are converted, avoids it");
            script.add(&table.add_columns(&new));
            table.columns.extend(new);
        }
        script.add(&staged.merge(&table, &name, &keys).map_err(in_file)?);
        before = Some(changes);
    }
    Ok(())
}

/// Whether the changes end at or before the time that the table is of, as far as both say it.
fn is_older(table: &ArrowSchema, changes: &ArrowSchema) -> Result<bool> {
    let (Some(time), Some(to)) = (table.metadata().get(metadata::EXPORT_TIME), changes.metadata().get(metadata::TO_TIME)) else {
        return Ok(false);
    };
    Ok(micros(Some(to), metadata::TO_TIME, "")? <= micros(Some(time), metadata::EXPORT_TIME, "")?)
}

/// The names of the key attributes.
fn keys(options: &DdlOptions, changes: &ArrowSchema) -> Result<Vec<String>> {
    if !options.key.is_empty() {
        return Ok(options.key.clone());
    }
    let missing = || Error::usage("the changes do not say what the table's key is: give --key PK,SK (key=)");
    let text = changes.metadata().get(metadata::KEYS).ok_or_else(missing)?;
    let keys: Vec<String> =
        serde_json::from_str(text).map_err(|e| Error::new(Code::Schema, format!("{}: no list of names: {e}", metadata::KEYS)))?;
    if keys.is_empty() { Err(missing()) } else { Ok(keys) }
}

/// Refuses changes of another table, as far as both say what they are of.
fn check_table(table: &ArrowSchema, changes: &ArrowSchema) -> Result<()> {
    for key in [metadata::TABLE_ID, metadata::TABLE] {
        if let (Some(of), Some(other)) = (table.metadata().get(key), changes.metadata().get(key))
            && of != other
        {
            let message = format!("these are changes of another table: {key} is {other:?}, and {of:?} of the source");
            return Err(Error::new(Code::OtherTable, message));
        }
    }
    Ok(())
}

/// Refuses changes that do not hold the items as they became.
fn check_images(changes: &ArrowSchema) -> Result<()> {
    if changes.metadata().get(metadata::IMAGES).is_some_and(|images| images == "old") {
        return Err(Error::usage("the changes hold the old images: to take them in is to undo them; read them with --images new"));
    }
    Ok(())
}

/// Refuses changes that do not go on where those before them ended, as far as both say it.
fn check_window(before: Option<&ArrowSchema>, changes: &ArrowSchema, file: &str) -> Result<()> {
    let time = |schema: &ArrowSchema, key: &str| match schema.metadata().get(key) {
        Some(text) => Ok(Some((micros(Some(text), key, file)?, text.clone()))),
        None => Ok::<_, Error>(None),
    };
    let Some((ended, last)) = before.map_or(Ok(None), |before| time(before, metadata::TO_TIME))? else { return Ok(()) };
    match (time(changes, metadata::FROM_TIME)?, time(changes, metadata::TO_TIME)?) {
        (Some((from, begin)), _) if from > ended => {
            let message = format!("the changes before end at {last}, these begin at {begin}: what is between them is missing");
            Err(Error::new(Code::Gap, message).in_file(file))
        }
        (_, Some((to, end))) if to < ended => {
            let message = format!("changes are taken in by the order of time: those before end at {last}, these at {end}");
            Err(Error::usage(message).in_file(file))
        }
        _ => Ok(()),
    }
}
