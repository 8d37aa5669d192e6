//! `dynarrow ddl`: tables of Athena.

use std::path::PathBuf;

use clap::Args;
use dynarrow::{Control, DdlOptions, ReadOptions, Result};

use crate::Ending;
use crate::options::{ColumnList, Source, Threads, read_schema};
use crate::output::Output;

/// Print the statements that make a table in Athena
///
/// SRC is a Parquet file, or a folder of such, as they stand at --location: also in folders
/// ATTRIBUTE=VALUE/, which become partitions. Names that Athena cannot resolve are refused: convert
/// with --names athena, which writes such into the file; the attributes' own are the comments of
/// the columns. Of any other SRC the schema is learnt, and the table is that of its Parquet with
/// --names athena. Nothing is sent anywhere.
#[derive(Args, Debug)]
#[command(after_help = NOTES)]
pub struct Ddl {
    #[command(flatten)]
    source: Source,
    /// The table: TABLE or DATABASE.TABLE
    #[arg(long, value_name = "NAME")]
    table: String,
    /// Its folder: where the Parquet files stand, or where an Iceberg table is to keep its own
    #[arg(long, value_name = "s3://…")]
    location: String,
    /// An Iceberg table, and what loads SRC into it (or the changes, with --changes)
    #[arg(long)]
    iceberg: bool,
    /// A Parquet file of an incremental export's changes, as `changes` writes it, to be taken into
    /// the Iceberg table; may be repeated, by the order of time
    #[arg(long, value_name = "PARQUET", requires = "iceberg")]
    changes: Vec<PathBuf>,
    /// The folder below which the Parquet files for the Iceberg table are put, each in a folder of its
    /// own [default: that of the table with _staging behind its name]
    #[arg(long, value_name = "s3://…", requires = "iceberg")]
    staging: Option<String>,
    /// The table's key attributes, where the changes do not say them: --key PK,SK
    #[arg(long, value_name = "NAMES", requires = "changes")]
    key: Option<ColumnList>,
    /// The schema document that SRC is converted with, where it is no Parquet: it is not learnt then
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
}

const NOTES: &str = "\
A change has the whole new item: MERGE INTO sets a column to null that it does not have. Where the
types of columns differ, values are cast if nothing is lost by it; else the changes are refused:
convert the table and its changes with the same --schema, which also adds no columns. Changes that
have new attributes add columns to the table, which SRC then does not say: give all changes from
there on again, in order, or a new SRC.

Examples:
  dynarrow convert shop shop.parquet --names athena
  dynarrow ddl shop.parquet --table lake.shop --location s3://bucket/shop/
  dynarrow ddl shop.parquet --table lake.shop --location s3://bucket/shop-ice/ --iceberg
  dynarrow changes inc-1 inc-1.parquet --names athena
  dynarrow ddl shop.parquet --table lake.shop --location s3://bucket/shop-ice/ --iceberg \\
    --changes inc-1.parquet --staging s3://bucket/staging/";

impl Ddl {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let schema = self.schema.as_deref().map(read_schema).transpose()?;
        let options = DdlOptions {
            table: self.table.clone(),
            location: self.location.clone(),
            iceberg: self.iceberg,
            changes: self.changes.clone(),
            staging: self.staging.clone(),
            key: self.key.as_ref().map(|key| key.names().to_vec()).unwrap_or_default(),
            read: ReadOptions { schema, threads: self.threads.number(), ..ReadOptions::default() },
        };
        out.text(&self.source.open(control)?.ddl(&options, control)?)?;
        Ok(Ending::Done)
    }
}
