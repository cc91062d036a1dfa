//! The cells of a table: a product of public code lists.
//!
//! Cells are numbered with the exclusive dimensions first and the dimensions
//! with several categories per client behind them, each group by id, the last
//! dimension fastest. A table over dimensions of the second kind has, for each
//! combination of exclusive codes, one further cell at the end: `ANY`, the
//! distinct clients. The list follows from the request alone and says nothing
//! about data.

use crate::codebook::Codebook;
use crate::request::{Error, MOST_CELLS};
use std::collections::BTreeMap;

/// The code under which distinct clients over all categories are shown.
pub const ANY: &str = "ANY";

/// The part of the request's filters and dimensions that concerns one
/// dimension of the codebook.
#[derive(Clone)]
pub struct Axis {
    /// The dimension's id.
    pub id: String,
    /// For each code of the codebook, its place on the axis; none when the
    /// filter drops it. All places are 0 when the dimension only filters.
    pub place: Vec<Option<u32>>,
    codes: Vec<String>,
    in_table: bool,
}

/// The cells of one period, and the filters.
#[derive(Clone)]
pub struct Domain {
    exclusive: Vec<Axis>,
    several: Vec<Axis>,
    exclusive_cells: usize,
    several_cells: usize,
    has_any: bool,
}

impl Domain {
    pub(crate) fn new(
        by: &[String],
        filter: &BTreeMap<String, Vec<String>>,
        codebook: &Codebook,
    ) -> Result<Self, Error> {
        let (mut exclusive, mut several) = (Vec::new(), Vec::new());
        let mut ids: Vec<&String> = by.iter().chain(filter.keys()).collect();
        ids.sort();
        ids.dedup();
        for id in ids {
            let dimension = codebook.dimension(id).ok_or_else(|| Error::UnknownDimension(id.clone()))?;
            let in_table = by.contains(id);
            let codes = dimension.codes();
            let mut kept = vec![!filter.contains_key(id); codes.len()];
            for code in filter.get(id).into_iter().flatten() {
                let at = dimension.position(code).ok_or_else(|| Error::UnknownCode(id.clone(), code.clone()))?;
                kept[usize::from(at)] = true;
            }
            let mut axis = Axis { id: id.clone(), place: Vec::with_capacity(codes.len()), codes: Vec::new(), in_table };
            for (code, kept) in codes.iter().zip(kept) {
                let place = if in_table { axis.codes.len() } else { 0 };
                axis.place.push(kept.then(|| u32::try_from(place).expect("a dimension has under 2^16 codes")));
                if kept && in_table {
                    axis.codes.push(code.code.clone());
                }
            }
            if dimension.exclusive { exclusive.push(axis) } else { several.push(axis) }
        }
        let cells =
            |axes: &[Axis]| axes.iter().filter(|a| a.in_table).try_fold(1usize, |n, a| n.checked_mul(a.codes.len()));
        let has_any = several.iter().any(|a| a.in_table);
        let exclusive_cells = cells(&exclusive).ok_or(Error::TooLarge)?;
        let several_cells = cells(&several).ok_or(Error::TooLarge)?;
        let domain = Self { exclusive, several, exclusive_cells, several_cells, has_any };
        let total = exclusive_cells.checked_mul(domain.stride()).ok_or(Error::TooLarge)?;
        if total > MOST_CELLS { Err(Error::TooLarge) } else { Ok(domain) }
    }

    /// The number of cells of one period.
    pub fn cells(&self) -> usize {
        self.exclusive_cells * self.stride()
    }

    /// The number of cells for one combination of exclusive codes, `ANY` included.
    pub fn stride(&self) -> usize {
        self.several_cells + usize::from(self.has_any)
    }

    /// True when the table has `ANY` cells.
    pub fn has_any(&self) -> bool {
        self.has_any
    }

    /// The exclusive dimensions that the request touches.
    pub fn exclusive(&self) -> &[Axis] {
        &self.exclusive
    }

    /// The dimensions with several categories per client that it touches.
    pub fn several(&self) -> &[Axis] {
        &self.several
    }

    /// The codes of a cell, by dimension id.
    ///
    /// # Panics
    /// When `cell` is not below [`Domain::cells`].
    pub fn codes(&self, cell: usize) -> BTreeMap<String, String> {
        assert!(cell < self.cells(), "cell out of range");
        let (mut left, mut right) = (cell / self.stride(), cell % self.stride());
        let mut codes = BTreeMap::new();
        let any = self.has_any && right == self.several_cells;
        for axis in self.several.iter().rev().filter(|a| a.in_table) {
            let code = if any { ANY.to_owned() } else { axis.codes[right % axis.codes.len()].clone() };
            right /= axis.codes.len();
            codes.insert(axis.id.clone(), code);
        }
        for axis in self.exclusive.iter().rev().filter(|a| a.in_table) {
            codes.insert(axis.id.clone(), axis.codes[left % axis.codes.len()].clone());
            left /= axis.codes.len();
        }
        codes
    }
}

impl Axis {
    /// The number of places on the axis: 1 when the dimension only filters.
    pub fn len(&self) -> usize {
        if self.in_table { self.codes.len() } else { 1 }
    }

    /// True when the axis has no place; an axis of a request always has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_cells_with_any_last() {
        let by = vec!["age_group".to_owned(), "need".to_owned()];
        let filter = BTreeMap::from([
            ("need".to_owned(), vec!["N01".to_owned(), "N03".to_owned()]),
            ("sex".to_owned(), vec!["1".to_owned()]),
        ]);
        let domain = Domain::new(&by, &filter, Codebook::built_in()).unwrap();
        assert_eq!((domain.cells(), domain.stride()), (7 * 3, 3));
        let at = |c: usize| {
            let codes = domain.codes(c);
            (codes["age_group"].clone(), codes["need"].clone())
        };
        assert_eq!(at(0), ("18-24".into(), "N01".into()));
        assert_eq!(at(1), ("18-24".into(), "N03".into()));
        assert_eq!(at(2), ("18-24".into(), ANY.into()));
        assert_eq!(at(20), ("unknown".into(), ANY.into()));
        assert_eq!(domain.codes(0).len(), 2, "a filter is not a dimension of the table");
    }
}
