//! How old a client is, in the four ways in which registers say it.
//!
//! Whatever the register says, a category of the codebook comes out, or
//! [`OUTSIDE`] for an age that has none. Of a birth date only the year is used,
//! so that it means the same as a birth year.

use koonti_disclosure::codebook::Dimension;

use super::calendar::{Date, DateFormat};
use super::column::{Column, Fault};
use super::error::Rule;
use super::layout::AgeKind;
use super::meaning::{OLDEST_YEARS, OUTSIDE, age_group, age_in_years, birth_year};
use super::rows::Row;

/// The column that says how old clients are.
pub(super) struct Age<'a> {
    column: Column,
    kind: AgeKind,
    format: DateFormat,
    groups: &'a Dimension,
    /// The category of every age that is believed, or [`OUTSIDE`].
    codes: Vec<u16>,
}

/// What a field says of an age; a category only with the year of its row.
#[derive(Clone, Copy)]
pub(super) struct Said(u32);

impl<'a> Age<'a> {
    pub(super) fn new(column: Column, kind: AgeKind, format: DateFormat, groups: &'a Dimension) -> Self {
        Self { column, kind, format, groups, codes: codes(groups) }
    }

    /// What the row says; none when it says nothing.
    #[inline]
    pub(super) fn read(&mut self, row: Row<'_>) -> Result<Option<Said>, Fault> {
        let Self { kind, format, groups, codes, .. } = self;
        let said = self.column.read(row, |text| match *kind {
            AgeKind::BirthYear => birth_year(text),
            AgeKind::BirthDate => {
                Date::parse(text, *format).map(|date| date.year.into()).ok_or(Rule::BirthDate { format: *format })
            }
            AgeKind::Years => age_in_years(text).map(|years| codes[usize::from(years)].into()),
            AgeKind::Group => age_group(groups, text).map(u32::from),
        });
        Ok(said?.map(Said))
    }

    /// The category in a row of this year.
    pub(super) fn code(&self, Said(said): Said, year: u16) -> Result<u16, Fault> {
        let rule = match self.kind {
            AgeKind::Years | AgeKind::Group => return Ok(said as u16),
            AgeKind::BirthYear => Rule::BirthYear,
            AgeKind::BirthDate => Rule::BirthDate { format: self.format },
        };
        let years = u32::from(year).checked_sub(said);
        let code = years.and_then(|years| self.codes.get(years as usize));
        code.copied().ok_or_else(|| self.column.fault(rule))
    }
}

fn codes(groups: &Dimension) -> Vec<u16> {
    (0..=OLDEST_YEARS).map(|years| groups.of_age(years).unwrap_or(OUTSIDE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::Codebook;

    #[test]
    fn ages_have_a_category_or_are_outside() {
        let codes = codes(Codebook::built_in().dimension("age_group").unwrap());
        assert_eq!((codes[0], codes[17], codes[18], codes[24], codes[25]), (OUTSIDE, OUTSIDE, 0, 0, 1));
        assert_eq!(codes.len(), 151);
        assert_eq!(codes[150], 5);
    }
}
