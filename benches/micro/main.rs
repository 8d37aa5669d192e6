//! Does the work of one stage a number of times, for callgrind.sh to count its instructions.
//! Prints the numbers of items and bytes.

mod stages;

use clap::Parser;
use generate::lines::Format;
use generate::shape::Shape;
use stages::{Corpus, Stage};

/// The command line.
#[derive(Parser)]
struct Args {
    #[arg(value_enum)]
    shape: Shape,
    #[arg(value_enum)]
    format: Format,
    #[arg(value_enum)]
    stage: Stage,
    rounds: u32,
}

fn main() {
    let args = Args::parse();
    let corpus = Corpus::new(args.shape, args.format);
    (0..args.rounds).for_each(|_| corpus.run(args.stage));
    println!("{} {}", corpus.items, corpus.bytes);
}
