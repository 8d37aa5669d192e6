//! `dynarrow head`: the first items as plain JSON lines.

use clap::Args;
use dynarrow::{Control, ReadOptions, Result};

use crate::Ending;
use crate::options::{ColumnNames, Explained, Source};
use crate::output::Output;

/// Print the first items as plain JSON lines
///
/// Numbers are JSON numbers with all their digits, binary is base64, sets are arrays. No more of
/// the export is read than is needed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Head {
    #[command(flatten)]
    source: Source,
    /// Items to print
    #[arg(short = 'n', long = "items", value_name = "N", default_value_t = 10)]
    items: u64,
    #[command(flatten)]
    columns: ColumnNames,
    #[command(flatten)]
    explained: Explained,
}

const EXAMPLES: &str = "\
Examples:
  dynarrow head tests/data/exports/shop
  dynarrow head tests/data/exports/shop -n 3 --columns PK,SK
  dynarrow head shop.parquet
  dynarrow head shop.ion.gz
  aws dynamodb scan --table-name Shop | dynarrow head - -n 1 | jq";

impl Head {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        // More threads would only read ahead what nobody asked for.
        let options = ReadOptions { columns: self.columns.names(), threads: 1, ..ReadOptions::default() };
        let options = self.explained.add_to(options)?;
        let export = self.source.open(control)?;
        self.explained.check(&export)?;
        export.head(self.items, &options, control, |lines| out.bytes(lines))?;
        Ok(Ending::Done)
    }
}
