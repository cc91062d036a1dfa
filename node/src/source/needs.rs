//! The needs of a row, its factors or its service tasks, in the three layouts that
//! registers have: one in a column, several in one field, or several columns with
//! one each.
//!
//! All of them are read, also behind a fault, so that a personal identity code
//! is found wherever it stands. An empty part of a field names nothing, as an
//! empty field does; a need that stands twice counts as in two rows.

use koonti_disclosure::codebook::Dimension;

use super::MAX_NEEDS;
use super::column::{Column, Fault, Marker, settle};
use super::error::Rule;
use super::rows::Row;
use super::tuples::Named;

/// From so many kept codes on, [`Lists`] begins anew.
const KEPT_CODES: usize = 1 << 16;
/// The bits of a list's length: it is at most [`MAX_NEEDS`].
const LENGTH_BITS: u32 = 7;

/// How a row names its categories of a dimension.
pub(super) struct Needs<'a> {
    pub(super) layout: Layout,
    pub(super) dimension: &'a Dimension,
    /// What messages call one of them.
    pub(super) of: &'static str,
}

/// Where they stand.
pub(super) enum Layout {
    /// One, and what marks the row as the client's most important need.
    One(Column, Option<Marker>),
    /// Several in one field; `ranked` when the first is the most important.
    Separated { column: Column, separator: char, ranked: bool, lists: Lists },
    /// One in each column; `ranked` when the first column has the most important.
    Columns { columns: Vec<Column>, ranked: bool },
}

/// What recent fields of several categories mean. A column keeps one number of each
/// spelling: here it is the place and the length of a list.
#[derive(Default)]
pub(super) struct Lists(Vec<u16>);

impl Needs<'_> {
    /// Adds the categories of the row to `named`, and its first fault to `fault`.
    #[inline]
    pub(super) fn read(
        &mut self,
        row: Row<'_>,
        named: &mut Vec<Named>,
        fault: &mut Option<Fault>,
    ) -> Result<(), Fault> {
        let (dimension, of) = (self.dimension, self.of);
        let need = |text: &str| dimension.recognise(text).ok_or(Rule::Category { of });
        match &mut self.layout {
            Layout::One(column, marker) => {
                let code = settle(fault, column.read_code(row, need))?;
                let primary = match marker {
                    Some(marker) => settle(fault, marker.holds(row).map(Some))? == Some(true),
                    None => false,
                };
                named.extend(code.map(|code| (code, primary)));
            }
            Layout::Separated { column, separator, ranked, lists } => {
                if lists.0.len() >= KEPT_CODES {
                    lists.0.clear();
                    column.forget();
                }
                let list = column.read(row, |text| lists.add(text, *separator, dimension, of));
                let codes = settle(fault, list)?.map_or(&[][..], |list| lists.get(list));
                named.extend(codes.iter().enumerate().map(|(at, code)| (*code, *ranked && at == 0)));
            }
            Layout::Columns { columns, ranked } => {
                for (at, column) in columns.iter_mut().enumerate() {
                    let code = settle(fault, column.read_code(row, need))?;
                    named.extend(code.map(|code| (code, *ranked && at == 0)));
                }
            }
        }
        Ok(())
    }

    /// Says that the row names too many of them.
    pub(super) fn fault(&self, rule: Rule) -> Fault {
        match &self.layout {
            Layout::One(column, _) | Layout::Separated { column, .. } => column.fault(rule),
            Layout::Columns { columns, .. } => columns[0].fault(rule),
        }
    }
}

impl Lists {
    /// Keeps the codes of a field; returns what [`Self::get`] finds them by.
    fn add(&mut self, text: &str, separator: char, dimension: &Dimension, of: &'static str) -> Result<u32, Rule> {
        let start = self.0.len();
        for part in text.split(separator).map(str::trim).filter(|part| !part.is_empty()) {
            if self.0.len() - start == MAX_NEEDS {
                return Err(Rule::TooManyCategories { of });
            }
            self.0.push(dimension.recognise(part).ok_or(Rule::Categories { of, separator })?);
        }
        Ok((start << LENGTH_BITS | (self.0.len() - start)) as u32)
    }

    fn get(&self, list: u32) -> &[u16] {
        let (start, length) = (list >> LENGTH_BITS, list & ((1 << LENGTH_BITS) - 1));
        &self.0[start as usize..][..length as usize]
    }
}
