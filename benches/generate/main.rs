//! Writes exports to S3 as `DynamoDB` writes them, as large as wanted.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clap::Parser;

use generate::changes::{Changes, Mix};
use generate::data::{self, Compression, Written};
use generate::layout::{self, DataFile, Export, View};
use generate::lines::Format;
use generate::rng::Rng;
use generate::shape::{File, Items, Shape};

/// The command line.
#[derive(Parser)]
#[command(about = "Write an export to S3 as DynamoDB writes it", after_help = EXAMPLES)]
struct Args {
    /// Folder that stands for the bucket; missing or empty, but for the base of an incremental export
    dest: PathBuf,
    /// What the items look like
    #[arg(long, value_enum, default_value = "shop")]
    shape: Shape,
    /// Items in all files together
    #[arg(long, default_value_t = 3000)]
    items: u64,
    /// Data files, the empty ones included
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    files: u32,
    /// Empty data files, as the empty partitions of an on-demand table give them
    /// [default: 1 if there is more than one file]
    #[arg(long)]
    empty_files: Option<u32>,
    /// Decides every value, name and time
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the lines of the data files are
    #[arg(long, value_enum, default_value = "dynamodb-json")]
    format: Format,
    /// How data files are stored
    #[arg(long, value_enum, default_value = "gzip")]
    compression: Compression,
    /// The export's S3 prefix, such as team/daily
    #[arg(long)]
    prefix: Option<String>,
    /// An incremental export: what changed on the day after the full export that the other
    /// arguments give
    #[arg(long)]
    incremental: bool,
    /// What it tells of a change
    #[arg(long, value_enum, default_value = "new-and-old", requires = "incremental")]
    view: View,
    /// Items that changed [default: every tenth]
    #[arg(long, requires = "incremental")]
    changes: Option<u64>,
    /// How they divide into inserts, updates and deletes
    #[arg(long, default_value = "20:70:10", requires = "incremental")]
    mix: Mix,
}

const EXAMPLES: &str = "\
Examples:
  generate benches/data/orders --shape orders --items 600000 --files 8 --seed 1
  generate /tmp/wide --shape wide --items 100000 --files 1 --prefix team/daily
  generate /tmp/ion --format ion --items 600000 --files 8
  generate /tmp/bucket --items 600000 && generate /tmp/bucket --items 600000 --incremental
  generate tests/data/exports/shop --items 3000 --files 4 --seed 1";

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the export, gives a line that says what was written.
fn run(args: &Args) -> Result<String, String> {
    check_prefix(args.prefix.as_deref())?;
    let base = plan(args, args.items)?;
    let changes = args.changes.unwrap_or(args.items / 10);
    let plan = if args.incremental { plan(args, changes)? } else { base.clone() };
    let mut rng = Rng::new(args.seed, u64::MAX - 1);
    let view = args.incremental.then_some(args.view);
    let export = Export::new(&mut rng, args.shape.table(), args.format, args.prefix.clone(), view);
    let folder = export.folder();
    refuse_unless_empty(&if args.incremental { args.dest.join(&folder) } else { args.dest.clone() })?;
    for folder in [folder.clone(), export.data_folder()] {
        let path = args.dest.join(folder);
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if args.incremental {
        rng = Rng::new(args.seed, u64::MAX - 3); // its data files have names of their own
    }

    let ending = args.compression.ending(args.format);
    let keys: Vec<_> = plan.iter().map(|_| export.data_key(&mut rng, ending)).collect();
    let written = write_data(args, &export, &base, &plan, &keys)?;
    let files: Vec<_> = plan
        .iter()
        .zip(&keys)
        .zip(&written)
        .map(|((&items, key), written)| DataFile { key: key.clone(), items, md5: written.md5 })
        .collect();
    let total = |of: fn(&Written) -> u64| written.iter().map(of).sum::<u64>();
    let (raw, stored) = (total(|w| w.raw), total(|w| w.stored));

    let items = plan.iter().sum();
    let summary = export.summary(items, raw);
    let manifest = layout::manifest_files(&files);
    for (name, content) in [
        ("_started", String::new()),
        ("manifest-summary.md5", layout::checksum(summary.as_bytes())),
        ("manifest-summary.json", summary),
        ("manifest-files.md5", layout::checksum(manifest.as_bytes())),
        ("manifest-files.json", manifest),
    ] {
        let path = args.dest.join(format!("{folder}/{name}"));
        fs::write(&path, content).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let place = args.dest.join(folder);
    Ok(format!("{}: {items} items in {} data files, {raw} bytes of lines, {stored} stored", place.display(), files.len()))
}

/// A prefix must not lead out of DEST, and is written into manifests as it stands.
fn check_prefix(prefix: Option<&str>) -> Result<(), String> {
    let Some(prefix) = prefix else { return Ok(()) };
    let folders = prefix.strip_suffix('/').unwrap_or(prefix);
    let name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b));
    if folders.split('/').all(name) {
        Ok(())
    } else {
        Err(format!("--prefix {prefix:?}: names of letters, digits and -_.= with / between"))
    }
}

fn refuse_unless_empty(dest: &Path) -> Result<(), String> {
    let empty = match fs::read_dir(dest) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(format!("{}: {error}", dest.display())),
    };
    if empty { Ok(()) } else { Err(format!("{}: not empty", dest.display())) }
}

/// How many items each data file gets: about as many, as a hash of the keys would give; the
/// empty files stand at places that the seed decides.
fn plan(args: &Args, items: u64) -> Result<Vec<u64>, String> {
    let files = args.files as usize;
    let empty = args.empty_files.unwrap_or(u32::from(files > 1)) as usize;
    if empty > files || (empty == files && items > 0) {
        return Err(format!("--empty-files {empty}: no file is left for the items"));
    }
    let mut rng = Rng::new(args.seed, u64::MAX - 2);
    let weights: Vec<_> = (empty..files).map(|_| 90 + rng.below(21)).collect();
    let whole: u64 = weights.iter().sum();
    let (mut weight_so_far, mut items_so_far) = (0, 0);
    let mut plan = vec![0; empty];
    for weight in weights {
        weight_so_far += weight;
        let until = (u128::from(items) * u128::from(weight_so_far) / u128::from(whole)) as u64;
        plan.push(until - items_so_far);
        items_so_far = until;
    }
    rng.shuffle(&mut plan);
    Ok(plan)
}

/// Writes the data files on all cores; the results stand in the files' order.
fn write_data(args: &Args, export: &Export, base: &[u64], plan: &[u64], keys: &[String]) -> Result<Vec<Written>, String> {
    let write_file = |index: usize| {
        let path = args.dest.join(&keys[index]);
        let file = File { index: index as u64, count: plan.len() as u64, seed: args.seed };
        let mut lines: Box<dyn Items> = match export.window() {
            None => args.shape.items(file),
            Some(window) => Box::new(Changes::new(args.shape, args.format, file, window, args.mix, base[index], plan[index])?),
        };
        fs::File::create_new(&path)
            .map(BufWriter::new)
            .and_then(|sink| data::write(sink, (args.compression, args.format), &mut *lines, plan[index]))
            .map_err(|e| format!("{}: {e}", path.display()))
    };
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= plan.len() {
                return Ok(done);
            }
            done.push((index, write_file(index)?));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(plan.len());
    let parts: Result<Vec<Vec<_>>, String> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let results = handles.into_iter().map(|h| h.join().expect("a worker does not panic"));
        results.collect()
    });
    let mut done: Vec<_> = parts?.into_iter().flatten().collect();
    done.sort_unstable_by_key(|&(index, _)| index);
    Ok(done.into_iter().map(|(_, written)| written).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(more: &[&str]) -> Args {
        Args::parse_from(["generate", "dest"].iter().chain(more))
    }

    #[test]
    fn the_files_together_hold_all_items_and_one_is_empty() {
        for (items, files) in [("0", "1"), ("1", "1"), ("1", "2"), ("7", "5"), ("100000", "8")] {
            let args = args(&["--items", items, "--files", files]);
            let plan = plan(&args, args.items).unwrap();
            assert_eq!(plan.len(), args.files as usize);
            assert_eq!(plan.iter().sum::<u64>(), args.items);
            assert!(plan.len() == 1 || plan.contains(&0));
        }
    }

    #[test]
    fn empty_files_must_leave_room() {
        let plan = |more: &[&str]| plan(&args(more), args(more).items);
        assert_eq!(plan(&["--files", "1", "--items", "5"]).unwrap(), [5]);
        assert_eq!(plan(&["--files", "2", "--items", "0", "--empty-files", "2"]).unwrap(), [0, 0]);
        assert!(plan(&["--files", "2", "--items", "5", "--empty-files", "2"]).is_err());
        let full = plan(&["--files", "3", "--items", "90", "--empty-files", "0"]).unwrap();
        assert!(!full.contains(&0));
    }

    #[test]
    fn prefixes_that_would_leave_dest_are_refused() {
        for good in ["a", "foo/bar", "foo/bar/", "dt=2025-01-01"] {
            assert!(check_prefix(Some(good)).is_ok(), "{good}");
        }
        for bad in ["", "/", "/a", "a//b", "../a", "a/..", "a\"b", "a\\b"] {
            assert!(check_prefix(Some(bad)).is_err(), "{bad}");
        }
    }
}
