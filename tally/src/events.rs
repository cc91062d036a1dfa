//! How many events of one client a table counts.
//!
//! An event is counted once in each kept cell that it touches, and once in `ANY` if
//! it touches any; of one client at most so many in each figure as the question
//! says. Which cells are kept is decided before ([`crate::bound`]), from all rows
//! of the client. It depends on nothing but this client's own rows.

use crate::place::Rows;
use crate::slice::Slice;
use koonti_disclosure::TableRequest;

/// The events of one client at a time, with room to work in.
pub(crate) struct Events {
    most: i64,
    /// For each cell one more than its place among the kept ones; 0 is not kept.
    places: Vec<u32>,
    /// For each kept cell its events, and the number of the last event that touched it.
    counts: Vec<(i64, i64)>,
}

impl Events {
    /// None unless the request measures events. `cells` as in [`crate::bound::Bound`].
    pub(crate) fn new(request: &TableRequest, cells: usize) -> Option<Self> {
        let most = request.max_events()?.into();
        Some(Self { most, places: vec![0; cells], counts: Vec::new() })
    }

    /// All events of the client, for tables that touch no dimension of several categories.
    pub(crate) fn all(&self, slice: &Slice, client: usize) -> i64 {
        let begun = slice.rows_of(client).filter(|&row| slice.begins_event(row)).count();
        i64::try_from(begun).map_or(self.most, |begun| begun.min(self.most))
    }

    /// Hands each kept cell with its events to `see`; returns those that touch any.
    pub(crate) fn of(
        &mut self,
        kept: &[u32],
        rows: &impl Rows,
        slice: &Slice,
        client: usize,
        mut see: impl FnMut(usize, i64),
    ) -> i64 {
        for (place, &cell) in (1..).zip(kept) {
            self.places[cell as usize] = place;
        }
        self.counts.clear();
        self.counts.resize(kept.len(), (0, 0));
        // Events are numbered from 1: the first row of a client begins one.
        let (mut event, mut last, mut any) = (0, 0, 0);
        let mut row = slice.rows_of(client).start;
        rows.visit(slice.rows_of(client), |cell| {
            event += i64::from(slice.begins_event(row));
            row += 1;
            // A row that a filter drops lies beyond all cells.
            let place = self.places.get(cell as usize).copied().unwrap_or(0);
            let Some((count, touched)) = (place as usize).checked_sub(1).map(|at| &mut self.counts[at]) else { return };
            if *touched != event {
                (*count, *touched) = (*count + 1, event);
            }
            any += i64::from(last != event);
            last = event;
        });
        for (&cell, (count, _)) in kept.iter().zip(&self.counts) {
            self.places[cell as usize] = 0;
            see(cell as usize, (*count).min(self.most));
        }
        any.min(self.most)
    }
}
