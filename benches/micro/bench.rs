//! `cargo bench -p dynarrow-benches [-- orders-json/columns]`: bytes a second of each stage of
//! reading, on one thread, over each corpus.

mod stages;

use clap::ValueEnum as _;
use criterion::{Criterion, Throughput};
use generate::lines::Format;
use generate::shape::Shape;
use stages::{Corpus, Stage};

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for (format, ending) in [(Format::DynamodbJson, "json"), (Format::Ion, "ion")] {
        for (shape, name) in [(Shape::Shop, "orders"), (Shape::Narrow, "narrow"), (Shape::Wide, "wide")] {
            let corpus = Corpus::new(shape, format);
            let mut group = criterion.benchmark_group(format!("{name}-{ending}"));
            group.throughput(Throughput::Bytes(corpus.bytes));
            for stage in Stage::value_variants() {
                group.bench_function(format!("{stage:?}").to_lowercase(), |bencher| bencher.iter(|| corpus.run(*stage)));
            }
        }
    }
    criterion.final_summary();
}
