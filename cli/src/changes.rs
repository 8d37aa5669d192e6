//! `dynarrow changes`: incremental exports as rows.

use std::time::Instant;

use clap::Args;
use dynarrow::{Control, Images, Result, convert};

use crate::Ending;
use crate::options::{Source, one_of};
use crate::output::Output;
use crate::writing::Writing;

/// Convert an incremental export to rows, one for each change
///
/// The columns are _op (insert, update, delete; upsert where the export holds no old images, so
/// that nobody knows), _ts (the time of the write), the key, and the attributes of the image. A
/// column of an attribute that bears one of these names is left alone: they get underscores behind.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Changes {
    #[command(flatten)]
    source: Source,
    /// Where to: see below
    dest: String,
    /// The images that become columns: those after (new; empty for a delete), those before (old;
    /// empty for an insert), or those after with those before in one column _old (both)
    #[arg(long, value_name = "IMAGES", default_value = "new", value_parser = one_of::<Images>(Images::NAMES))]
    images: Images,
    #[command(flatten)]
    writing: Writing,
}

const EXAMPLES: &str = "\
DEST:
  a file ending in .parquet, .arrow, .csv or .ndjson (plain JSON), the latter two also with .gz or
  .zst, or a folder, or -: as for convert. Changes are rows, not items: no .json or .ion is made of
  them. --to export writes them whole, as an incremental export, into a folder that stands for the
  bucket.

Examples:
  dynarrow changes tests/data/exports/shop-hour changes.parquet
  dynarrow changes shop-hour changes.parquet --images both
  dynarrow changes shop-hour changes.csv --columns total
  dynarrow changes shop-hour - --to ndjson | jq 'select(._op == \"delete\")'
  dynarrow changes shop-hour bucket/ --to export --export-format ion";

impl Changes {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let began = Instant::now();
        let dest = self.writing.dest(&self.dest)?;
        let (export, read) = self.source.open(control)?.changes(self.images, self.writing.read()?, control)?;
        let report = {
            let _progress = self.writing.watch(control);
            convert(&export, &dest, &self.writing.options(read), control, &mut *out)?
        };
        let time = began.elapsed();
        self.writing.say(&report, "change", &self.dest, time);
        if self.writing.json() {
            out.json(&self.writing.document(&report, time).into())?;
        }
        Ok(Ending::Done)
    }
}
