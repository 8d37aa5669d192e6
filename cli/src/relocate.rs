//! `dynarrow relocate`: the manifests of an export that was copied to another place.

use clap::Args;
use dynarrow::error::printable;
use dynarrow::{Control, Error, Location, Result, open_export_with};
use serde_json::{Value, json};

use crate::Ending;
use crate::output::Output;

/// Rewrite the manifests of an export that was copied to another place
///
/// Both manifests and their checksums, or the manifest of a legacy dump, say from then on that the
/// export stands below --to. The data files stay as they are. The files that were written are printed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Relocate {
    /// The copy of the export: a folder, or a manifest
    src: String,
    /// Where it stands, or will stand: `s3://bucket` or `s3://bucket/prefix`
    #[arg(long, value_name = "PLACE", value_parser = location)]
    to: Location,
    /// Print bucket, prefix and the files as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  aws s3 cp --recursive s3://old/exports/ copy/
  dynarrow relocate copy --to s3://new/archive
  aws s3 cp --recursive copy/ s3://new/archive/";

fn location(text: &str) -> Result<Location, String> {
    text.parse().map_err(|e: Error| e.message())
}

impl Relocate {
    pub fn run(&self, out: &mut Output, control: &Control) -> Result<Ending> {
        let written = open_export_with(&self.src, control)?.relocate(&self.to)?;
        let files = written.iter().map(|path| path.display().to_string());
        if self.json {
            out.json(&json!({ "bucket": self.to.bucket, "prefix": self.to.prefix, "files": files.collect::<Value>() }))?;
        } else {
            out.text(&files.map(|file| printable(&file) + "\n").collect::<String>())?;
        }
        Ok(Ending::Done)
    }
}
