//! How far a file was read, and what ended that.
//!
//! Whatever the readers have found, in whatever order: the first of it in the file
//! counts, as if one had read it from the top.

use std::collections::BTreeMap;

use super::MAX_PERIODS;
use super::calendar::Quarter;
use super::error::RowFault;
use super::split::{Halt, Place, Reader};

/// The end of the reading.
pub(super) struct Ending {
    /// The rows and lines of the file before each block, and of all.
    before: Vec<(u64, u64)>,
    pub(super) quarters: Vec<Quarter>,
    /// What ended it before the file did.
    pub(super) halt: Option<(Place, Halt)>,
}

impl Ending {
    /// Of readers who are done; `behind` are the lines of the blocks up to the one
    /// with the header.
    pub(super) fn of(readers: &mut [Reader<'_>], behind: &[u32]) -> Self {
        let mut blocks: Vec<(u64, u64)> = behind.iter().map(|lines| (0, u64::from(*lines))).collect();
        for extent in readers.iter().flat_map(|reader| &reader.extents) {
            let block = extent.block as usize;
            blocks.resize(blocks.len().max(block + 1), (0, 0));
            blocks[block].0 += u64::from(extent.rows);
            blocks[block].1 += u64::from(extent.lines);
        }
        let mut before = vec![(0, 0)];
        for (rows, lines) in blocks {
            let last = before[before.len() - 1];
            before.push((last.0 + rows, last.1 + lines));
        }
        let halts = readers.iter_mut().filter_map(|reader| reader.halt.take()).collect::<Vec<_>>();
        // A row that is none is noticed before its fields.
        let halt = uneven(readers).into_iter().chain(halts).min_by_key(|(place, _)| *place);

        let mut met: BTreeMap<Quarter, Place> = BTreeMap::new();
        for coder in readers.iter().map(|reader| &reader.coder) {
            for (quarter, place) in coder.plan.quarters.iter().zip(&coder.met) {
                met.entry(*quarter).and_modify(|first| *first = *place.min(first)).or_insert(*place);
            }
        }
        let quarters = met.keys().copied().collect();
        let mut places: Vec<Place> = met.into_values().collect();
        places.sort_unstable();
        // The date of a row is read before what else might have ended the reading there,
        // if it is a row.
        let precedes = |place: &Place, (other, halt): &(Place, Halt)| {
            place < other || place == other && matches!(halt, Halt::Field(_))
        };
        let halt = match (places.get(MAX_PERIODS), halt) {
            (Some(place), halt) if halt.as_ref().is_none_or(|halt| precedes(place, halt)) => {
                Some((*place, Halt::Field(readers[0].coder.plan.too_many_quarters())))
            }
            (_, halt) => halt,
        };
        Self { before, quarters, halt }
    }

    /// The rows of the file, as far as it was read.
    pub(super) fn rows(&self) -> u64 {
        self.before[self.before.len() - 1].0
    }

    /// True when the file was read further than it may have rows.
    pub(super) fn is_beyond(&self, max_rows: u64) -> bool {
        match &self.halt {
            None => self.rows() > max_rows,
            Some((place, halt)) => {
                let before = self.before[place.block as usize].0 + u64::from(place.row);
                // The row that ended it counts, if it is one.
                before + u64::from(matches!(halt, Halt::Row(_) | Halt::Field(_))) > max_rows
            }
        }
    }

    /// The line of the file of a line of a block.
    pub(super) fn line(&self, block: u32, line: u32) -> u64 {
        self.before[block as usize].1 + u64::from(line)
    }
}

/// The first row that has other fields than the first row of the file, as far as that shows
/// in the first rows of the readers only.
fn uneven(readers: &[Reader<'_>]) -> Option<(Place, Halt)> {
    let firsts = || readers.iter().filter_map(|reader| reader.width.first);
    let (_, before) = firsts().min()?;
    let (place, found) = firsts().filter(|(_, found)| *found != before).min()?;
    Some((place, Halt::Row(RowFault::Uneven { found, before })))
}
