//! What a conversion to Parquet cannot do without: inflating the data files alone, and writing
//! the record batches that come out of them to Parquet alone, on the same threads.
//!
//! Prints seconds as JSON: `inflate`; `tokenise`, which is inflating and decoding into a sink
//! that keeps nothing; `parquet`; and `sum`, of inflating and Parquet.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef};
use clap::Parser;
use dynarrow::event::Discard;
use dynarrow::{Control, ReadOptions, open_export};
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

/// The command line.
#[derive(Parser)]
#[command(about = "Time what a conversion cannot do without")]
struct Args {
    /// Folder of an export
    src: PathBuf,
    /// What `dynarrow convert` made of it: its record batches are written once more
    #[arg(long, requires = "out")]
    parquet: Option<PathBuf>,
    /// Where to
    #[arg(long)]
    out: Option<PathBuf>,
    /// Also inflate and decode, and keep nothing
    #[arg(long)]
    tokenise: bool,
    /// Threads
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String> {
    let threads = usize::from(args.threads);
    let inflating = inflate(&data_files(&args.src)?, threads)?;
    let mut told = format!("\"inflate\":{inflating}");
    if args.tokenise {
        told += &format!(",\"tokenise\":{}", tokenise(&args.src, threads)?);
    }
    if let (Some(parquet), Some(out)) = (&args.parquet, &args.out) {
        let groups = read(parquet)?;
        let writing = write(&groups, out, threads)?;
        told += &format!(",\"parquet\":{writing},\"sum\":{}", inflating + writing);
    }
    Ok(format!("{{{told}}}"))
}

/// The files below `folder` that stand in a folder called `data`, the largest first.
fn data_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if meta.is_dir() {
                folders.push(path);
            } else if folder.ends_with("data") {
                found.push((std::cmp::Reverse(meta.len()), path));
            }
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Has `work` done for each number below `count`, by all threads; gives the seconds.
fn on_threads(threads: usize, count: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                index if index < count => work(index)?,
                _ => return Ok(()),
            }
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().try_for_each(|handle| handle.join().expect("a worker does not panic"))
    })
    .map(|()| start.elapsed().as_secs_f64())
}

fn inflate(files: &[PathBuf], threads: usize) -> Result<f64> {
    on_threads(threads, files.len(), |index| {
        let mut bytes = MultiGzDecoder::new(File::open(&files[index])?);
        let mut buffer = vec![0; 256 << 10];
        while bytes.read(&mut buffer)? > 0 {}
        Ok(())
    })
}

fn tokenise(src: &Path, threads: usize) -> Result<f64> {
    let start = Instant::now();
    let export = open_export(&src.to_string_lossy())?;
    let options = ReadOptions { threads, ..ReadOptions::default() };
    export.steps(&options, &Control::default(), Discard::default)?.try_for_each(|step| step.map(drop))?;
    Ok(start.elapsed().as_secs_f64())
}

/// The batches of each row group, as many rows each as the product writes at a time.
fn read(parquet: &Path) -> Result<Vec<Vec<RecordBatch>>> {
    let count = ParquetRecordBatchReaderBuilder::try_new(File::open(parquet)?)?.metadata().num_row_groups();
    let group = |group| -> Result<_> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(parquet)?)?;
        let batches: std::result::Result<_, _> =
            builder.with_row_groups(vec![group]).with_batch_size(dynarrow::export::read::BATCH_SIZE).build()?.collect();
        Ok(batches?)
    };
    (0..count).map(group).collect()
}

/// Writes as the product does: snappy, else the defaults; each column of each row group on
/// whatever thread is free.
fn write(groups: &[Vec<RecordBatch>], out: &Path, threads: usize) -> Result<f64> {
    let schema = groups.first().and_then(|batches| batches.first()).ok_or("the Parquet file has no rows")?.schema();
    let start = Instant::now();
    let mut properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_max_row_group_row_count(None).build();
    let parquet_schema = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(&schema)?;
    add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
    let sink = BufWriter::new(File::create(out)?);
    let mut file = SerializedFileWriter::new(sink, parquet_schema.root_schema_ptr(), Arc::new(properties))?;

    let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
    let columns: std::result::Result<Vec<_>, _> = (0..groups.len())
        .map(|group| Ok::<_, ParquetError>(Column::of_group(group, &schema, factory.create_column_writers(group)?)))
        .collect();
    let columns: Vec<_> = columns?.into_iter().flatten().collect();
    on_threads(threads, columns.len(), |index| Ok(columns[index].encode(groups, &schema)?))?;

    let mut columns = columns.into_iter();
    for _ in groups {
        let mut group = file.next_row_group()?;
        for column in columns.by_ref().take(schema.fields().len()) {
            for chunk in column.chunks.into_inner().expect("no worker panics") {
                chunk.append_to_row_group(&mut group)?;
            }
        }
        group.close()?;
    }
    file.into_inner()?.flush()?;
    Ok(start.elapsed().as_secs_f64())
}

/// A column of a row group, with all its leaves.
struct Column {
    group: usize,
    place: usize,
    writers: Mutex<Vec<ArrowColumnWriter>>,
    chunks: Mutex<Vec<ArrowColumnChunk>>,
}

impl Column {
    /// The columns of a row group, from the writers of their leaves.
    fn of_group(group: usize, schema: &SchemaRef, writers: Vec<ArrowColumnWriter>) -> Vec<Self> {
        let mut writers = writers.into_iter();
        let column = |(place, field): (usize, &Arc<Field>)| {
            let writers = writers.by_ref().take(leaves(field.data_type())).collect();
            Self { group, place, writers: Mutex::new(writers), chunks: Mutex::default() }
        };
        schema.fields().iter().enumerate().map(column).collect()
    }

    fn encode(&self, groups: &[Vec<RecordBatch>], schema: &SchemaRef) -> std::result::Result<(), ParquetError> {
        let mut writers = std::mem::take(&mut *self.writers.lock().expect("no worker panics"));
        for batch in &groups[self.group] {
            let leaves = compute_leaves(schema.field(self.place), batch.column(self.place))?;
            writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))?;
        }
        let chunks: std::result::Result<_, _> = writers.into_iter().map(ArrowColumnWriter::close).collect();
        *self.chunks.lock().expect("no worker panics") = chunks?;
        Ok(())
    }
}

/// Columns that Parquet makes of a column of this type.
fn leaves(ty: &DataType) -> usize {
    match ty {
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        DataType::List(field) | DataType::Map(field, _) => leaves(field.data_type()),
        _ => 1,
    }
}
