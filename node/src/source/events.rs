//! The events of a register whose rows are events.
//!
//! Keeps which needs stand in one row, and hands them out client by client with the
//! first need of each event marked. Events of a client come in the order of what they
//! say, so that the slices do not depend on the order of the rows; rows that say the
//! same are as many events. When an event happened is not kept.

use super::clients::Need;

/// The needs of all rows, each with its row.
pub(super) struct Events {
    needs: Vec<(Need, u32)>,
    rows: u32,
    unknown: u16,
}

impl Events {
    /// No events; one that names no need will count as `unknown`.
    pub(super) fn new(unknown: u16) -> Self {
        Self { needs: Vec::new(), rows: 0, unknown }
    }

    /// Adds a row of a quarter with the needs that it names.
    pub(super) fn add(&mut self, quarter: u32, needs: impl Iterator<Item = Need>) {
        let (before, row) = (self.needs.len(), self.rows);
        self.needs.extend(needs.map(|need| (need, row)));
        if self.needs.len() == before {
            self.needs.push((Need::new(quarter, self.unknown, false), row));
        }
        // At most MAX_ROWS of them.
        self.rows += 1;
    }

    /// All needs by quarter, event by event.
    pub(super) fn take_needs(&mut self) -> Vec<Need> {
        let mut needs = std::mem::take(&mut self.needs);
        needs.sort_unstable_by_key(|(need, row)| (need.quarter(), *row, *need));
        let mut all = Vec::with_capacity(needs.len());
        for quarter in needs.chunk_by(|(a, _), (b, _)| a.quarter() == b.quarter()) {
            let mut events: Vec<&[(Need, u32)]> = quarter.chunk_by(|(_, a), (_, b)| a == b).collect();
            events.sort_unstable_by(|a, b| a.iter().map(|(need, _)| need).cmp(b.iter().map(|(need, _)| need)));
            for event in events {
                let begins = std::iter::once(true).chain(std::iter::repeat(false));
                all.extend(event.iter().zip(begins).map(|((need, _), begins)| need.marked(begins)));
            }
        }
        all
    }
}
