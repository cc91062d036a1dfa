//! The contribution bound: which of a client's categories are counted when
//! there are more than the request allows.
//!
//! Primary ones first, then by SHA-256 of request id, client tag and the code
//! positions (16 bits each, big-endian) on the axes of the table. The choice
//! depends on this client's rows and the request alone: never on another client,
//! the client's ordinal or the order of rows. That is what makes the sensitivity
//! of a table its `max_per_client`.

use crate::place::{Offsets, Rows};
use crate::slice::Slice;
use koonti_disclosure::TableRequest;
use ring::digest::{SHA256, digest};

/// The bound of one request, with room to work in.
pub(crate) struct Bound<'a> {
    most: usize,
    axes: &'a [Offsets],
    /// For each cell whether a row of the client makes it primary.
    primary: Vec<bool>,
    message: Vec<u8>,
    ranked: Vec<([u8; 32], u32)>,
}

impl<'a> Bound<'a> {
    /// The bound of a request, given its axes with several categories and the
    /// number of cells that they span.
    pub(crate) fn new(request: &TableRequest, axes: &'a [Offsets], cells: usize) -> Self {
        // Without a bound no axis of the table has several categories, and the
        // one cell that all rows share exceeds nothing.
        let most = request.max_per_client().map_or(usize::MAX, usize::from);
        Self { most, axes, primary: vec![false; cells], message: request.id().0.to_vec(), ranked: Vec::new() }
    }

    /// The cells to count of a client's distinct ones.
    pub(crate) fn cut<'c>(
        &mut self,
        cells: &'c mut [u32],
        rows: &impl Rows,
        slice: &Slice,
        client: usize,
    ) -> &'c [u32] {
        if cells.len() <= self.most {
            return cells;
        }
        for row in slice.rows_of(client).filter(|&row| slice.is_primary(row)) {
            // A row that a filter drops lies beyond all cells.
            rows.visit(row..row + 1, |cell| self.primary.get_mut(cell as usize).into_iter().for_each(|p| *p = true));
        }
        cells.sort_unstable_by_key(|&cell| !self.primary[cell as usize]);
        let primary = cells.partition_point(|&cell| self.primary[cell as usize]);
        for &cell in &cells[..primary] {
            self.primary[cell as usize] = false;
        }
        // Only the group in which the cut falls has to be ranked.
        let (certain, contested) =
            if primary > self.most { (0, &mut cells[..primary]) } else { (primary, &mut cells[primary..]) };
        self.rank(contested, self.most - certain, &slice.tags[client]);
        &cells[..self.most]
    }

    /// Brings the `wanted` cells of lowest hash to the front.
    fn rank(&mut self, cells: &mut [u32], wanted: usize, tag: &[u8; 16]) {
        if wanted == 0 {
            return;
        }
        self.ranked.clear();
        for &cell in &*cells {
            let hash = self.hash(cell, tag);
            self.ranked.push((hash, cell));
        }
        self.ranked.select_nth_unstable(wanted - 1);
        for (cell, (_, ranked)) in cells.iter_mut().zip(&self.ranked) {
            *cell = *ranked;
        }
    }

    fn hash(&mut self, cell: u32, tag: &[u8; 16]) -> [u8; 32] {
        self.message.truncate(32);
        self.message.extend_from_slice(tag);
        for axis in self.axes.iter().filter(|axis| !axis.codes.is_empty()) {
            let place = (cell / axis.step) as usize % axis.codes.len();
            self.message.extend_from_slice(&axis.codes[place].to_be_bytes());
        }
        digest(&SHA256, &self.message).as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}
