//! `dynarrow convert`: any source to any destination, and back.

use std::time::Instant;

use clap::Args;
use dynarrow::{Control, Result, convert};

use crate::Ending;
use crate::options::Source;
use crate::output::Output;
use crate::writing::Writing;

/// Convert an export to Parquet, Arrow, CSV or JSON lines, and back
///
/// Every item becomes a row, every attribute a column of the type its values have. Parquet, Arrow
/// and plain JSON sources become items again: as DynamoDB JSON (.json), as Amazon Ion (.ion), or as
/// a whole export of either (--to export). A file appears whole or not at all; what is lost is
/// counted and said.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Convert {
    #[command(flatten)]
    source: Source,
    /// Where to: see below
    dest: String,
    #[command(flatten)]
    writing: Writing,
}

const EXAMPLES: &str = "\
DEST:
  a file ending in .parquet, .arrow, .csv, .ndjson (plain JSON), .json (DynamoDB JSON) or .ion
  (Amazon Ion), the latter four also with .gz or .zst; a file that exists is replaced. A name
  without an ending or with / behind it is a folder, which gets part-00000.parquet (or what --to
  says); one that is not empty is refused without --overwrite, and with it where it holds a file
  that Dynarrow did not write. --partition-by, --split-by and --file-size divide it. --to export writes data files (see --export-format) and manifests
  as DynamoDB does, into a folder that stands for the bucket. --to legacy writes a folder as AWS Data
  Pipeline and the EMR connector do; relocate then says in which bucket it will stand. - is
  standard output, with --to.

Examples:
  dynarrow convert tests/data/exports/shop shop.parquet
  dynarrow convert shop shop.csv.gz --columns PK,SK,price --on-error skip
  dynarrow convert shop shop-parts/ --to ndjson --overwrite
  dynarrow convert shop shop.parquet --numbers 'decimal(18,2)' --override 'created=timestamp(s)'
  dynarrow schema shop -o s.json && dynarrow convert tomorrow shop.parquet --schema s.json
  dynarrow convert shop typed.parquet --layout typed && dynarrow convert typed.parquet shop.json.gz
  dynarrow convert shop tables/ --split-by EntityType --file-size 256MB
  dynarrow convert shop lake/ --partition-by EntityType,status
  dynarrow convert shop.parquet bucket/ --to export
  dynarrow convert shop bucket/ --to export --export-format ion
  dynarrow convert export-ion shop.json.gz
  dynarrow convert shop dump/ --to legacy && dynarrow relocate dump --to s3://bucket/dump
  dynarrow convert shop shop.ion.gz
  dynarrow convert shop - --to ndjson | jq .PK
  zstd -dc dump.json.zst | dynarrow convert - dump.parquet --json";

impl Convert {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        let dest = self.writing.dest(&self.dest)?;
        let options = self.writing.options(self.writing.read()?);
        let export = self.source.open(control)?;
        let report = {
            let _progress = self.writing.watch(control);
            convert(&export, &dest, &options, control, &mut *out)?
        };
        let time = began.elapsed();
        self.writing.say(&report, "item", &self.dest, time);
        if self.writing.json() {
            out.json(&self.writing.document(&report, time).into())?;
        }
        Ok(Ending::Done)
    }
}
