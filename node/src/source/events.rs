//! The events of a client in a quarter, of a register whose rows are events.
//!
//! Each row is one event, also one that names nothing. They come in the order of what
//! they say, so that the slices do not depend on the order of the rows; rows that say
//! the same are as many events. When an event happened is not kept.

use std::ops::Range;

/// Puts events in order, with room to work in.
#[derive(Default)]
pub(super) struct Events {
    /// The tuples of all rows, and where those of each row stand.
    tuples: Vec<u128>,
    rows: Vec<Range<usize>>,
}

impl Events {
    /// Writes the tuples of the rows event by event, and whether each begins one. A row
    /// without any counts as `nothing`.
    pub(super) fn lay<T: Iterator<Item = u128>>(
        &mut self,
        rows: impl Iterator<Item = T>,
        nothing: u128,
        to: &mut Vec<u128>,
        begins: &mut Vec<bool>,
    ) {
        self.tuples.clear();
        self.rows.clear();
        for row in rows {
            let start = self.tuples.len();
            self.tuples.extend(row);
            if self.tuples.len() == start {
                self.tuples.push(nothing);
            }
            self.tuples[start..].sort_unstable();
            self.rows.push(start..self.tuples.len());
        }
        let Self { tuples, rows } = self;
        rows.sort_unstable_by(|a, b| tuples[a.clone()].cmp(&tuples[b.clone()]));
        to.clear();
        begins.clear();
        for row in rows {
            to.extend_from_slice(&tuples[row.clone()]);
            begins.extend(row.clone().map(|at| at == row.start));
        }
    }
}
