//! `dynarrow changes`: incremental exports as rows.

use clap::Args;
use dynarrow::{Control, Images, Result};

use crate::Ending;
use crate::convert::Convert;
use crate::options::one_of;
use crate::output::Output;

/// Convert an incremental export to rows, one for each change
///
/// The columns are _op (insert, update, delete; upsert where the export holds no old images, so
/// that nobody knows), _ts (the time of the write), the key, and the attributes of the image. A
/// column of an attribute that bears one of these names is left alone: they get underscores behind.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Changes {
    /// The images that become columns: those after (new; empty for a delete), those before (old;
    /// empty for an insert), or those after with those before in one column _old (both)
    #[arg(long, value_name = "IMAGES", default_value = "new", value_parser = one_of::<Images>(Images::NAMES))]
    images: Images,
    #[command(flatten)]
    convert: Convert,
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
        self.convert.run_on(|export, read| export.changes(self.images, read, control), "change", out, control)
    }
}
