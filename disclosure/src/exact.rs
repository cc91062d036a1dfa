//! Values computed from client records.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A value computed from client records.
///
/// It cannot be printed, compared, cloned, serialised or taken out: the field is
/// private and no trait is implemented. [`Exact::release`] is its only door.
/// The memory is wiped when it is dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Exact<T: Zeroize>(T);

impl<T: Zeroize> Exact<T> {
    /// Closes the lid on a value. The counting kernel does this at its door.
    pub fn wrap(value: T) -> Self {
        Self(value)
    }

    pub(crate) fn value(&self) -> &T {
        &self.0
    }
}

/// Counts of one table: for each period, each vector, each cell in domain order.
#[derive(Zeroize)]
pub struct Tally {
    /// `periods[p][v][c]`; vector 0 holds clients (those with a score or an event,
    /// where that is measured), vector 1 the sums of `2x - (lo + hi)`, or the events.
    pub periods: Vec<Vec<Vec<i64>>>,
}
