//! A random order of more items than fit in memory.

use std::path::Path;

use super::files::Objects;
use crate::control::Control;
use crate::error::Result;
use crate::merge::spill::{Buckets, DEEPEST, Fields, Run, Spill, put_bytes};

/// Items in random buckets on disk: a bucket that fits in memory is shuffled there.
pub struct Shuffling {
    random: fastrand::Rng,
    spill: Spill,
    buckets: Buckets,
    record: Vec<u8>,
}

impl Shuffling {
    /// No items yet; buckets are on the disk of this folder.
    pub fn new(seed: u64, folder: &Path) -> Result<Self> {
        Ok(Self { random: fastrand::Rng::with_seed(seed), spill: Spill::new(Some(folder))?, buckets: Buckets::new(0), record: Vec::new() })
    }

    /// Adds items, each of which ends at one of `ends`.
    pub fn push(&mut self, lines: &[u8], ends: &[usize]) -> Result<()> {
        let mut start = 0;
        for &end in ends {
            let key = self.random.u64(..).to_le_bytes();
            self.record.clear();
            put_bytes(&mut self.record, &key);
            self.record.extend_from_slice(&lines[start..end]);
            self.buckets.push(&key, &self.record, &self.spill)?;
            start = end;
        }
        Ok(())
    }

    /// Writes all, with so many bytes in memory at a time.
    pub fn write(self, memory: u64, control: &Control, objects: &mut Objects<'_>) -> Result<()> {
        let Self { mut random, spill, buckets, .. } = self;
        let runs = buckets.finish(&spill)?;
        runs.iter().try_for_each(|run| write_shuffled(run, 0, memory, &spill, &mut random, control, objects))
    }
}

fn write_shuffled(
    run: &Run,
    level: u32,
    memory: u64,
    spill: &Spill,
    random: &mut fastrand::Rng,
    control: &Control,
    objects: &mut Objects<'_>,
) -> Result<()> {
    control.check()?;
    if run.bytes > memory && level < DEEPEST {
        let parts = run.divide(level + 1, spill)?;
        return parts.iter().try_for_each(|part| write_shuffled(part, level + 1, memory, spill, random, control, objects));
    }
    let (mut lines, mut places) = (Vec::with_capacity(run.bytes as usize), Vec::new());
    let mut reader = run.read(spill);
    while let Some(record) = reader.next_record()? {
        let mut fields = Fields(record);
        fields.bytes();
        let start = lines.len();
        lines.extend_from_slice(fields.0);
        places.push((start, lines.len()));
    }
    random.shuffle(&mut places);
    places.into_iter().try_for_each(|(start, end)| objects.write(&lines[start..end], &[end - start]))
}
