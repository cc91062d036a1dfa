//! The events of a register whose rows are events.
//!
//! Keeps which tuples stand in one row, and hands them out client by client with the
//! first of each event marked. Events of a client come in the order of what they
//! say, so that the slices do not depend on the order of the rows; rows that say the
//! same are as many events. When an event happened is not kept.

use super::clients::OfQuarter;
use super::tuples::{SEVERAL, Tuple};

/// The tuples of all rows, each with its row.
pub(super) struct Events {
    tuples: Vec<(OfQuarter, u32)>,
    rows: u32,
    unknown: [u16; SEVERAL.len()],
}

impl Events {
    /// No events; one that names nothing will count as `unknown`.
    pub(super) fn new(unknown: [u16; SEVERAL.len()]) -> Self {
        Self { tuples: Vec::new(), rows: 0, unknown }
    }

    /// Adds a row of a quarter with the tuples that it stands for.
    pub(super) fn add(&mut self, quarter: u32, tuples: impl Iterator<Item = OfQuarter>) {
        let (before, row) = (self.tuples.len(), self.rows);
        self.tuples.extend(tuples.map(|tuple| (tuple, row)));
        if self.tuples.len() == before {
            let nothing = Tuple { codes: self.unknown, primary: false };
            self.tuples.push((OfQuarter::new(quarter, nothing), row));
        }
        // At most MAX_ROWS of them.
        self.rows += 1;
    }

    /// All tuples by quarter, event by event.
    pub(super) fn take_tuples(&mut self) -> Vec<OfQuarter> {
        let mut tuples = std::mem::take(&mut self.tuples);
        tuples.sort_unstable_by_key(|(tuple, row)| (tuple.quarter(), *row, *tuple));
        let mut all = Vec::with_capacity(tuples.len());
        for quarter in tuples.chunk_by(|(a, _), (b, _)| a.quarter() == b.quarter()) {
            let mut events: Vec<&[(OfQuarter, u32)]> = quarter.chunk_by(|(_, a), (_, b)| a == b).collect();
            events.sort_unstable_by(|a, b| a.iter().map(|(tuple, _)| tuple).cmp(b.iter().map(|(tuple, _)| tuple)));
            for event in events {
                let begins = std::iter::once(true).chain(std::iter::repeat(false));
                all.extend(event.iter().zip(begins).map(|((tuple, _), begins)| tuple.marked(begins)));
            }
        }
        all
    }
}
