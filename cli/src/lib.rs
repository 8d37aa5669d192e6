//! The command `dynarrow`, as a function: the binary and the Python wheel call the same
//! [`run`].
//!
//! Results stand on standard output, everything said about them on standard error. With
//! `--json` the result, or the error, is one JSON document on standard output.

mod changes;
mod convert;
mod ddl;
mod diff;
mod head;
mod inspect;
mod json;
mod merge;
mod options;
mod output;
mod prepare;
mod progress;
mod relocate;
mod schema;
mod validate;
mod verify;
mod writing;

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use dynarrow::{Class, Control, Error};

use output::Output;

/// The exit code after Ctrl-C.
pub const INTERRUPTED: i32 = 130;

const USAGE: i32 = 2;

/// How a verb ended that did what it was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// All is well (exit code 0).
    Done,
    /// What was looked at is not as it should be (exit code 1).
    Findings,
}

#[derive(Parser)]
#[command(name = "dynarrow", bin_name = "dynarrow", version, max_term_width = 100, after_help = NOTES)]
#[command(about = "Reads, checks and converts DynamoDB table exports")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Inspect(inspect::Inspect),
    Verify(verify::Verify),
    Schema(schema::Schema),
    Head(head::Head),
    Convert(convert::Convert),
    Changes(changes::Changes),
    Merge(merge::Merge),
    Diff(diff::Diff),
    Relocate(relocate::Relocate),
    Ddl(ddl::Ddl),
    Validate(validate::Validate),
    Prepare(Box<prepare::Prepare>),
    /// Write items into a table that exists, in AWS or a local one (Python package)
    Upload(InPython),
    /// Read a table, in AWS or a local one, into an export (Python package)
    Dump(InPython),
}

/// A verb that needs boto3: the wheel's command runs it before it comes here.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
struct InPython {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _args: Vec<OsString>,
}

impl InPython {
    fn refuse(verb: &str) -> Result<Ending, Error> {
        Err(Error::usage(format!("{verb} is part of the Python package: pip install 'dynarrow[aws]' brings a dynarrow that has it")))
    }
}

const NOTES: &str = "\
SRC, everywhere:
  a folder with manifest-summary.json, a manifest, a folder with one export below it, a folder of
  data files, a data file, or - for standard input. Data files are DynamoDB JSON, Amazon Ion (text
  or binary), those of AWS Data Pipeline and the EMR connector (legacy dumps), or plain JSON
  (.ndjson, .jsonl), all also with gzip or zstd, Parquet or Arrow; see --format.

Exit codes:
  0    done; what was skipped or lost is said on standard error
  1    findings: verify found errors, diff found differences, validate an
       import that AWS would fail
  2    usage, and inputs that do not go together
  3    SRC or DEST cannot be opened, read or written
  4    bad data, also a file that the manifest names and that is missing
  130  Ctrl-C";

/// Runs the command with these arguments, the program's name first, and gives its exit code.
///
/// It writes to the standard streams of the process and installs no signal handlers:
/// whoever calls it stops it through `control`, by [`Control::cancel`] from another thread
/// or with a control that polls ([`Control::with_poll`]).
pub fn run<I>(args: I, control: &Control) -> i32
where
    I: IntoIterator<Item = OsString>,
{
    let args: Vec<_> = args.into_iter().collect();
    let mut out = Output::new();
    let ended = match Cli::try_parse_from(&args) {
        Ok(cli) => {
            let ended = match &cli.verb {
                Verb::Inspect(verb) => verb.run(&mut out, control),
                Verb::Verify(verb) => verb.run(&mut out, control),
                Verb::Schema(verb) => verb.run(&mut out, control),
                Verb::Head(verb) => verb.run(&mut out, control),
                Verb::Convert(verb) => verb.run(&mut out, control),
                Verb::Changes(verb) => verb.run(&mut out, control),
                Verb::Merge(verb) => verb.run(&mut out, control),
                Verb::Diff(verb) => verb.run(&mut out, control),
                Verb::Relocate(verb) => verb.run(&mut out, control),
                Verb::Ddl(verb) => verb.run(&mut out, control),
                Verb::Validate(verb) => verb.run(&mut out, control),
                Verb::Prepare(verb) => verb.run(&mut out, control),
                Verb::Upload(_) => InPython::refuse("upload"),
                Verb::Dump(_) => InPython::refuse("dump"),
            };
            ended.and_then(|ending| out.finish().map(|()| ending))
        }
        Err(error) => return refuse(&error, &args, &mut out),
    };
    match ended {
        Ok(Ending::Done) => 0,
        Ok(Ending::Findings) => 1,
        // Whoever read our output has seen enough, as in `dynarrow head … | head -1`.
        Err(_) if out.is_closed() => 0,
        Err(error) => fail(&error, asks_for_json(&args), &mut out),
    }
}

/// Says what clap has to say: help and versions too.
fn refuse(error: &clap::Error, args: &[OsString], out: &mut Output) -> i32 {
    // Where the standard streams are closed there is nobody to tell.
    let _ = error.print();
    if !error.use_stderr() {
        return 0;
    }
    if asks_for_json(args) {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let _ = out.json(&json::failure(&Error::usage(message))).and_then(|()| out.finish());
    }
    USAGE
}

fn fail(error: &Error, as_json: bool, out: &mut Output) -> i32 {
    output::say(&format!("dynarrow: {error}"));
    if as_json {
        let _ = out.json(&json::failure(error)).and_then(|()| out.finish());
    }
    match error.code().class() {
        Class::Usage => USAGE,
        Class::Storage => 3,
        Class::Interrupted => INTERRUPTED,
        _ => 4,
    }
}

/// Looked for in the arguments as they are: also where clap could make nothing of them.
fn asks_for_json(args: &[OsString]) -> bool {
    args.iter().skip(1).take_while(|arg| *arg != "--").any(|arg| arg == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
