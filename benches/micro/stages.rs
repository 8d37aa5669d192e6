//! The stages of reading, alone, over named corpora that the generator makes in memory.

use std::hint::black_box;

use clap::ValueEnum;
use dynarrow::block::{Block, Cutter};
use dynarrow::columns::{ColumnSink, Unplaced};
use dynarrow::engine::worker::BlockSink;
use dynarrow::event::Discard;
use dynarrow::format::BlockDecoder;
use dynarrow::format::record::Form;
use dynarrow::schema::Schema;
use dynarrow::schema::learn::{Learner, MAX_PATHS};
use generate::lines::{Format, Lines};
use generate::shape::{File, Shape};

/// Bytes of a corpus: more than the caches hold, some blocks.
const BYTES: usize = 4 << 20;

/// Items of a shape in a format, cut into blocks.
pub struct Corpus {
    /// The bytes of all blocks.
    pub bytes: u64,
    /// Their items.
    pub items: u64,
    blocks: Vec<Block>,
    schema: Schema,
}

/// What is done with the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Decoded, and nothing is kept
    Decode,
    /// Decoded, and a schema is learnt
    Learn,
    /// Decoded, and columns are filled
    Columns,
}

impl Corpus {
    /// The corpus of this shape and format.
    pub fn new(shape: Shape, format: Format) -> Self {
        let mut source = shape.items(File { index: 0, count: 1, seed: 1 });
        let mut lines = Lines::new(format);
        let mut items = 0;
        while lines.lines().len() < BYTES {
            source.write_next(&mut lines);
            items += 1;
        }
        let mut cutter = Cutter::new(0, None);
        cutter.push(lines.lines());
        cutter.finish();
        let blocks: Vec<_> = std::iter::from_fn(|| cutter.next_block()).collect();

        let mut learner = Learner::new(None, MAX_PATHS, None);
        decode(&blocks, &mut learner, items);
        let summary = learner.finish(|_, _| 0).into();
        let schema = Schema::freeze(summary, dynarrow::Policies::default(), None).expect("the shapes have a schema");
        Self { bytes: lines.lines().len() as u64, items, blocks, schema }
    }

    /// Does all the work of a stage once.
    pub fn run(&self, stage: Stage) {
        match stage {
            Stage::Decode => decode(&self.blocks, &mut Discard::default(), self.items),
            Stage::Learn => {
                let mut learner = Learner::new(None, MAX_PATHS, None);
                decode(&self.blocks, &mut learner, self.items);
                black_box(learner.finish(|_, _| 0));
            }
            Stage::Columns => decode(&self.blocks, &mut ColumnSink::new(&self.schema, false, Unplaced::Changed), self.items),
        }
    }
}

fn decode<S: BlockSink>(blocks: &[Block], sink: &mut S, items: u64) {
    let mut decoder = BlockDecoder::default();
    let mut records = 0;
    for block in blocks {
        sink.begin_block(block.file, block.index);
        records += decoder.decode(block, Form::Wrapped, None, sink).records;
        black_box(sink.end_block().expect("the columns are those of the items"));
    }
    assert_eq!(records, items, "all items were read");
}
