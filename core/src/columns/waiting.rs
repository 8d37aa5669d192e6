//! Rows that wait until the row group of their folder is complete.
//!
//! A folder's rows come one by one, among those of all others, so they stay in the blocks they
//! came in until a group of them is written at once: only one group is being written at a
//! time, and memory does not grow with the number of folders. Where too much is kept, the
//! largest groups are written before they are complete. All of this is decided row by row, so
//! that no file depends on blocks or threads.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cut::{Limit, Piece, Run};
use crate::error::Result;

/// Record bytes of the rows whose blocks are kept, at most.
const KEPT: u64 = 256 << 20;

/// The rows of all folders that wait.
pub struct Waiting {
    batch: Limit,
    group: Limit,
    tables: Vec<Table>,
    folders: Vec<Folder>,
    /// Record bytes of the rows whose blocks are kept, and of those of them that wait.
    kept: u64,
    unwritten: u64,
    /// At most so many are kept.
    most: u64,
    /// What was written is to be forgotten.
    crowded: bool,
}

struct Table {
    schema: SchemaRef,
    blocks: Vec<RecordBatch>,
}

struct Folder {
    table: usize,
    rows: Vec<Row>,
    bytes: u64,
}

#[derive(Clone, Copy)]
struct Row {
    block: u32,
    at: u32,
    bytes: u32,
}

impl Waiting {
    /// Batches and groups of them, at most so large.
    pub fn new(batch: Limit, group: Limit) -> Self {
        Self { batch, group, tables: Vec::new(), folders: Vec::new(), kept: 0, unwritten: 0, most: KEPT, crowded: false }
    }

    /// One more table, whose rows are so.
    pub fn add_table(&mut self, schema: SchemaRef) {
        self.tables.push(Table { schema, blocks: Vec::new() });
    }

    /// One more folder of a table.
    pub fn add_folder(&mut self, table: usize) {
        self.folders.push(Folder { table, rows: Vec::new(), bytes: 0 });
    }

    /// The next rows of a table: [`push`](Self::push) says where each goes.
    pub fn add_block(&mut self, table: usize, block: RecordBatch) {
        self.tables[table].blocks.push(block);
    }

    /// Puts a row of the last block of a folder's table into the folder; `out` is given the
    /// batches of each group that is complete.
    pub fn push(&mut self, folder: usize, row: usize, bytes: u32, out: &mut impl FnMut(usize, Piece) -> Result<()>) -> Result<()> {
        let to = &mut self.folders[folder];
        let block = self.tables[to.table].blocks.len() as u32 - 1;
        to.rows.push(Row { block, at: row as u32, bytes });
        to.bytes += u64::from(bytes);
        self.unwritten += u64::from(bytes);
        self.kept += u64::from(bytes);
        if to.rows.len() >= self.group.rows || to.bytes >= self.group.bytes {
            self.write(folder, out)?;
        }
        if self.kept >= self.most {
            self.make_room(out)?;
        }
        Ok(())
    }

    /// Writes the largest groups, so that half of what may be kept is free.
    #[cold]
    fn make_room(&mut self, out: &mut impl FnMut(usize, Piece) -> Result<()>) -> Result<()> {
        while self.unwritten > self.most / 2 {
            // The first of several that are as large.
            let largest = (0..self.folders.len()).rev().max_by_key(|&folder| self.folders[folder].bytes);
            match largest {
                Some(folder) => self.write(folder, out)?,
                None => break,
            }
        }
        self.kept = self.unwritten;
        self.crowded = true;
        Ok(())
    }

    /// Gives out the rows of a folder as batches of one group.
    fn write(&mut self, folder: usize, out: &mut impl FnMut(usize, Piece) -> Result<()>) -> Result<()> {
        let Folder { table, rows, bytes } = &mut self.folders[folder];
        self.unwritten -= std::mem::take(bytes);
        let (rows, table) = (std::mem::take(rows), &self.tables[*table]);
        let mut start = 0;
        let mut in_batch = 0;
        for (at, row) in rows.iter().enumerate() {
            in_batch += u64::from(row.bytes);
            let end = at + 1;
            if end == rows.len() || end - start >= self.batch.rows || in_batch >= self.batch.bytes {
                out(folder, table.piece(&rows[start..end], end == rows.len()))?;
                (start, in_batch) = (end, 0);
            }
        }
        Ok(())
    }

    /// All rows of the last blocks were put into folders.
    pub fn end_block(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.crowded) {
            return Ok(());
        }
        for table in 0..self.tables.len() {
            self.tighten(table)?;
        }
        Ok(())
    }

    /// Keeps of a table's blocks only the rows that wait, in one.
    fn tighten(&mut self, table: usize) -> Result<()> {
        let mut rows: Vec<&mut Row> =
            self.folders.iter_mut().filter(|folder| folder.table == table).flat_map(|folder| &mut folder.rows).collect();
        rows.sort_unstable_by_key(|row| (row.block, row.at));
        let kept: Vec<Row> = rows.iter().map(|row| **row).collect();
        for (at, row) in rows.into_iter().enumerate() {
            (row.block, row.at) = (0, at as u32);
        }
        let table = &mut self.tables[table];
        let block = if kept.is_empty() { None } else { Some(table.piece(&kept, true).batch()?) };
        table.blocks = block.into_iter().collect();
        Ok(())
    }

    /// Gives out all that waits, folder by folder.
    pub fn finish(&mut self, out: &mut impl FnMut(usize, Piece) -> Result<()>) -> Result<()> {
        (0..self.folders.len()).try_for_each(|folder| self.write(folder, out))
    }
}

impl Table {
    /// A batch of these rows, which are in the order of the blocks.
    fn piece(&self, rows: &[Row], ends_group: bool) -> Piece {
        let (mut parts, mut runs, mut last) = (Vec::new(), Vec::<Run>::new(), None);
        for row in rows {
            if last != Some(row.block) {
                last = Some(row.block);
                parts.push(self.blocks[row.block as usize].clone());
            }
            let (part, start) = (parts.len() - 1, row.at as usize);
            match runs.last_mut() {
                Some(run) if run.part == part && run.end == start => run.end += 1,
                _ => runs.push(Run { part, start, end: start + 1 }),
            }
        }
        Piece::of_runs(self.schema.clone(), parts, runs, ends_group)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    /// Rows 0.. into folders by their remainder, in blocks of so many rows.
    fn written(most: u64, in_block: usize) -> (Vec<(usize, Vec<i64>)>, usize) {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let mut waiting = Waiting::new(Limit { rows: 3, bytes: 1000 }, Limit { rows: 50, bytes: 1000 });
        waiting.most = most;
        waiting.add_table(schema.clone());
        (0..4).for_each(|_| waiting.add_folder(0));
        let (mut groups, mut open, mut blocks) = (Vec::new(), Vec::new(), 0);
        let mut out = |folder: usize, piece: Piece| -> Result<()> {
            assert!(piece.rows <= 3);
            open.extend_from_slice(piece.batch()?.column(0).as_primitive::<Int64Type>().values());
            if piece.ends_group {
                groups.push((folder, std::mem::take(&mut open)));
            }
            Ok(())
        };
        let all: Vec<i64> = (0..1000).collect();
        for block in all.chunks(in_block) {
            let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(block.to_vec()))]).unwrap();
            waiting.add_block(0, batch);
            for (row, n) in block.iter().enumerate() {
                // Most rows are the first folder's.
                let folder = if n % 10 < 7 { 0 } else { (n % 10 - 6) as usize };
                waiting.push(folder, row, 10, &mut out).unwrap();
            }
            waiting.end_block().unwrap();
            blocks = blocks.max(waiting.tables[0].blocks.len());
        }
        waiting.finish(&mut out).unwrap();
        (groups, blocks)
    }

    #[test]
    fn groups_do_not_depend_on_blocks() {
        for most in [1, 100, 1_500, 1 << 30] {
            let (groups, _) = written(most, 1000);
            for in_block in [1, 7, 100] {
                assert_eq!(written(most, in_block).0, groups, "{in_block} rows a block, {most} bytes at most");
            }
            let mut all: Vec<i64> = groups.iter().flat_map(|(_, rows)| rows.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<_>>());
            for folder in 0..4 {
                let rows: Vec<_> = groups.iter().filter(|(of, _)| *of == folder).flat_map(|(_, rows)| rows).collect();
                assert!(rows.is_sorted());
            }
            assert!(groups.iter().all(|(_, rows)| rows.len() <= 50));
        }
    }

    #[test]
    fn blocks_are_let_go() {
        assert_eq!(written(1 << 30, 10).1, 100);
        assert!(written(500, 10).1 < 10);
    }
}
