//! Where a row stands among the cells: place tables with the strides of the
//! mixed radix multiplied in, so that a cell is a sum of one look-up per axis.
//!
//! A code that a filter drops has an offset beyond all cells, and so has every
//! sum it is part of. What it does not do: add up anything but offsets.

use crate::column::Column;
use crate::error::Error;
use crate::slice::Slice;
use koonti_disclosure::domain::Axis;
use koonti_disclosure::request::MOST_CELLS;
use koonti_disclosure::{Codebook, TableRequest};
use std::ops::Range;

/// The offset of a dropped code: more than any cell, and small enough that a
/// sum over [`MOST_AXES`] stays within 32 bits.
const DROPPED: u32 = 1 << 20;
const MOST_AXES: usize = 1 << 11;
const _: () = assert!(MOST_CELLS < DROPPED as usize && MOST_AXES * (DROPPED as usize) < u32::MAX as usize);

/// One axis of a request, seen from the columns of a slice.
pub(crate) struct Offsets {
    /// The column, counted among those of its kind.
    column: usize,
    /// For each code what it adds to the cell; at least 256 of them, so that a
    /// byte always finds one.
    by_code: Vec<u32>,
    /// The number of cells between neighbours on the axis.
    pub(crate) step: u32,
    /// The code position at each place; empty when the axis only filters.
    pub(crate) codes: Vec<u16>,
}

/// The offsets of some axes whose last one has steps of `step` cells.
///
/// # Errors
/// [`Error::Shape`] when the codebook has no such axes.
pub(crate) fn offsets(
    axes: &[Axis],
    mut step: usize,
    request: &TableRequest,
    codebook: &Codebook,
) -> Result<Vec<Offsets>, Error> {
    if axes.len() > MOST_AXES {
        return Err(Error::Shape);
    }
    let mut all = Vec::new();
    for axis in axes.iter().rev() {
        let dimension = codebook.dimension(&axis.id).ok_or(Error::Shape)?;
        let kind = codebook.dimensions().iter().filter(|d| d.exclusive == dimension.exclusive);
        let column = kind.clone().position(|d| d.id == axis.id).ok_or(Error::Shape)?;
        let narrow = u32::try_from(step).map_err(|_| Error::Shape)?;
        let mut by_code: Vec<u32> = axis.place.iter().map(|p| p.map_or(DROPPED, |p| p * narrow)).collect();
        by_code.resize(by_code.len().max(256), DROPPED);
        let in_table = request.by().contains(&axis.id);
        let codes = (0..).zip(&axis.place).filter(|(_, place)| in_table && place.is_some()).map(|(code, _)| code);
        all.push(Offsets { column, by_code, step: narrow, codes: codes.collect() });
        step *= axis.len();
    }
    all.reverse();
    Ok(all)
}

/// The sum of the offsets of one client's exclusive codes.
pub(crate) fn of_client(offsets: &[Offsets], slice: &Slice, client: usize) -> Option<usize> {
    let place = |o: &Offsets| o.by_code[usize::from(slice.exclusive[o.column].get(client))];
    let sum: u32 = offsets.iter().map(place).sum();
    (sum < DROPPED).then_some(sum as usize)
}

/// Rows whose cells can be told.
pub(crate) trait Rows: Sync {
    /// Calls `see` with the cell of each row in turn; it is beyond all cells
    /// where a filter drops the row.
    fn visit(&self, rows: Range<usize>, see: impl FnMut(u32));
}

/// Axes that all have narrow columns: the common case, unrolled for each `N`.
pub(crate) struct NarrowRows<'a, const N: usize>([(&'a [u8], &'a [u32; 256]); N]);

/// Any axes.
pub(crate) struct AnyRows<'a>(Vec<(&'a Column, &'a [u32])>);

impl<'a, const N: usize> NarrowRows<'a, N> {
    /// None unless there are `N` axes and all have narrow columns.
    pub(crate) fn new(offsets: &'a [Offsets], slice: &'a Slice) -> Option<Self> {
        let axis = |o: &'a Offsets| match &slice.several[o.column] {
            Column::Narrow(codes) => Some((codes.as_slice(), o.by_code.first_chunk()?)),
            Column::Wide(_) => None,
        };
        let axes: Option<Vec<_>> = offsets.iter().map(axis).collect();
        Some(Self(axes?.try_into().ok()?))
    }
}

impl<const N: usize> Rows for NarrowRows<'_, N> {
    #[inline(always)]
    fn visit(&self, rows: Range<usize>, mut see: impl FnMut(u32)) {
        let length = rows.len();
        let axes = self.0.map(|(codes, offsets)| (&codes[rows.clone()][..length], offsets));
        for i in 0..length {
            see(axes.iter().map(|(codes, offsets)| offsets[usize::from(codes[i])]).sum());
        }
    }
}

impl<'a> AnyRows<'a> {
    pub(crate) fn new(offsets: &'a [Offsets], slice: &'a Slice) -> Self {
        Self(offsets.iter().map(|o| (&slice.several[o.column], o.by_code.as_slice())).collect())
    }
}

impl Rows for AnyRows<'_> {
    fn visit(&self, rows: Range<usize>, mut see: impl FnMut(u32)) {
        for row in rows {
            see(self.0.iter().map(|(column, offsets)| offsets[usize::from(column.get(row))]).sum());
        }
    }
}
