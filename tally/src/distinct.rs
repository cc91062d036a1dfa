//! The distinct categories of one client: the innermost loop.
//!
//! Promises to list each cell of a client's rows once, in no particular order,
//! and to forget the client before the next one.

use crate::place::Rows;
use std::ops::Range;

/// Room for the categories of one client.
pub(crate) struct Distinct {
    /// Whether a cell has been seen. One further entry, always true, stands for
    /// rows that a filter drops: they look like repetitions.
    seen: Vec<bool>,
    found: Vec<u32>,
}

impl Distinct {
    /// Room for a table of so many cells.
    pub(crate) fn new(cells: usize) -> Self {
        let mut seen = vec![false; cells];
        seen.push(true);
        Self { seen, found: vec![0; cells + 1] }
    }

    /// The distinct cells of these rows.
    pub(crate) fn of(&mut self, rows: &impl Rows, range: Range<usize>) -> &mut [u32] {
        let (seen, found) = (self.seen.as_mut_slice(), self.found.as_mut_slice());
        let dropped = seen.len() - 1;
        let mut length = 0;
        // Without a branch: every cell is written, and the next one over it
        // unless it is new. Whether it is new follows no pattern to predict.
        rows.visit(range, |cell| {
            let at = (cell as usize).min(dropped);
            found[length] = cell;
            length += usize::from(!seen[at]);
            seen[at] = true;
        });
        let found = &mut found[..length];
        for &cell in &*found {
            seen[cell as usize] = false;
        }
        found
    }
}
