//! The first items of an export as plain JSON lines.

use super::open::Export;
use super::read::{OnError, ReadOptions};
use crate::control::Control;
use crate::engine::pipeline::Step;
use crate::error::{Error, Result};
use crate::format::plain::PlainSink;
use crate::item::Project;

impl Export {
    /// Gives the first `count` items to `out`, as whole lines of plain JSON, some at a time.
    /// No more blocks are read than are needed. The items before a bad record come before
    /// its error.
    pub fn head(&self, count: u64, options: &ReadOptions, control: &Control, mut out: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let raise = options.on_error == OnError::Raise;
        // An error ends the block it is in; passed over, it leaves the items before it.
        let skipping = ReadOptions { on_error: OnError::Skip, ..options.clone() };
        let (columns, numbers) = (options.columns.clone(), options.policies.numbers);
        let mut pipeline = self.steps(&skipping, control, move || Project::new(PlainSink::new(numbers), columns.clone()))?;
        let (mut left, mut of_file) = (count, 0);
        while left > 0 {
            match pipeline.next().transpose()? {
                None => break,
                Some(Step::File { error: Some(error), .. }) => return Err(error),
                Some(Step::File { .. }) => of_file = 0,
                Some(Step::Block { out: text, .. }) => {
                    let bad = pipeline.totals().errors.first().filter(|_| raise).cloned();
                    let good = bad.as_ref().and_then(Error::item).map_or(left, |item| left.min(item.saturating_sub(of_file)));
                    let (lines, end) = first_lines(&text.lines, good);
                    out(&text.lines[..end])?;
                    (left, of_file) = (left - lines, of_file + lines);
                    if let Some(error) = bad.filter(|_| left > 0) {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }
}

/// How many of the first `count` lines there are, and where they end.
fn first_lines(text: &[u8], count: u64) -> (u64, usize) {
    let (mut lines, mut end) = (0, 0);
    for at in memchr::memchr_iter(b'\n', text).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        (lines, end) = (lines + 1, at + 1);
    }
    (lines, end)
}
