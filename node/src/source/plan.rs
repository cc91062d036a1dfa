//! The meaning of a row: the mapping, the codebook and the header put together.
//!
//! Codes one row after the other, without memory of clients. Every mapped column
//! of every row is read, also of people who will turn out to be excluded, so
//! that a personal identity code is found wherever it stands.

use std::collections::HashMap;
use std::io::Read;

use koonti_disclosure::codebook::{Dimension, Score};
use koonti_disclosure::{Codebook, Period};

use super::MAX_PERIODS;
use super::calendar::Date;
use super::column::{ClientColumn, Column, Fault};
use super::encoding::Encoding;
use super::error::{Error, MappingFault, RowFault, Rule};
use super::identity::looks_like_identity_code;
use super::mapping::{Condition, Decimal, Mapping};
use super::meaning::{age_codes, area, birth_year, score};
use super::rows::Rows;

/// Where the values stand in [`Coded::latest`]: these, then the mapped scores.
pub(super) const LATEST: [&str; 3] = ["age_group", "sex", "area"];
pub(super) const AGE_GROUP: usize = 0;
pub(super) const AREA: usize = 2;
/// The dimension of which a row names one code.
pub(super) const NEED: &str = "need";

/// How to read each row of a register.
pub(super) struct Plan<'a> {
    pub(super) client: ClientColumn,
    date: Column,
    birth_year: Column,
    sex: Column,
    area: Column,
    need: Column,
    primary: Option<Marker>,
    /// The mapped scores, in the order of their ids.
    pub(super) scores: Vec<(Column, &'a Score)>,
    exclude: Vec<Marker>,
    hide: Vec<Marker>,
    decimal: Decimal,
    age_codes: Vec<u16>,
    sexes: &'a Dimension,
    areas: &'a Dimension,
    needs: &'a Dimension,
    /// The periods met so far.
    pub(super) periods: Vec<Period>,
}

/// A column that marks rows with a value, folded to lower case.
struct Marker(Column, String);

/// A row in codes.
#[derive(Default)]
pub(super) struct Coded {
    /// Its place in [`Plan::periods`].
    pub(super) period: u8,
    /// Rises with the date within the period, from 1.
    pub(super) day: u8,
    /// The values of which the latest counts; none for empty fields.
    pub(super) latest: Vec<Option<u16>>,
    pub(super) need: Option<u16>,
    pub(super) primary: bool,
    /// What is wrong with the area, which counts unless the area is hidden.
    pub(super) area_fault: Option<Fault>,
}

/// Whom a row marks.
#[derive(Default, Clone, Copy)]
pub(super) struct Marks {
    pub(super) exclude: bool,
    pub(super) hide_area: bool,
}

impl<'a> Plan<'a> {
    /// Finds the mapped columns in the header, which `rows` has just read.
    pub(super) fn new<R: Read>(rows: &Rows<R>, mapping: &Mapping, codebook: &'a Codebook) -> Result<Self, Error> {
        let dimension = |id, exclusive| {
            let found = codebook.dimension(id).filter(|d| d.exclusive == exclusive);
            found.ok_or_else(|| mapping.fault(MappingFault::NoDimension { dimension: id }))
        };
        let row_fault = |fault| Error::Row { file: mapping.file.clone(), line: rows.line(), fault };
        let places = places(rows, mapping.format.encoding).map_err(row_fault)?;
        let place = |name: &str| match places.get(name.trim()) {
            Some(&at) => Ok(at),
            None => Err(row_fault(RowFault::NoColumn { column: name.trim().to_owned() })),
        };
        let column = |name: &str| Ok::<_, Error>(Column::new(name.trim(), place(name)?, mapping.format.encoding));
        let marker = |c: &Condition| Ok::<_, Error>(Marker(column(&c.column)?, c.value.trim().to_lowercase()));
        let mut scores = Vec::new();
        for (id, name) in &mapping.columns.scores {
            let unknown = || mapping.fault(MappingFault::UnknownScore { score: id.clone() });
            scores.push((column(name)?, codebook.score(id).ok_or_else(unknown)?));
        }
        let client = mapping.columns.client.trim();
        Ok(Self {
            client: ClientColumn::new(client, place(client)?, mapping.format.encoding),
            date: column(&mapping.columns.date)?,
            birth_year: column(&mapping.columns.birth_year)?,
            sex: column(&mapping.columns.sex)?,
            area: column(&mapping.columns.area)?,
            need: column(&mapping.columns.need)?,
            primary: mapping.columns.primary.as_ref().map(marker).transpose()?,
            scores,
            exclude: mapping.restrict.exclude_if.iter().map(marker).collect::<Result<_, _>>()?,
            hide: mapping.restrict.hide_area_if.iter().map(marker).collect::<Result<_, _>>()?,
            decimal: mapping.format.decimal,
            age_codes: age_codes(dimension("age_group", true)?),
            sexes: dimension("sex", true)?,
            areas: dimension("area", true)?,
            needs: dimension(NEED, false)?,
            periods: Vec::new(),
        })
    }

    /// True when the mapping restricts anybody.
    pub(super) fn restricts(&self) -> bool {
        !self.exclude.is_empty() || !self.hide.is_empty()
    }

    /// Whom the row marks.
    pub(super) fn marks<R: Read>(&mut self, rows: &Rows<R>) -> Result<Marks, Fault> {
        let mut marks = Marks::default();
        for marker in &mut self.exclude {
            marks.exclude |= marker.holds(rows)?;
        }
        for marker in &mut self.hide {
            marks.hide_area |= marker.holds(rows)?;
        }
        Ok(marks)
    }

    /// Codes the row.
    pub(super) fn code<R: Read>(&mut self, rows: &Rows<R>, coded: &mut Coded) -> Result<(), Fault> {
        let mut first = None;
        coded.latest.clear();
        coded.area_fault = None;

        let periods = &mut self.periods;
        let date = settle(&mut first, self.date.read(rows, |text| date(text, periods)))?;
        let birth_year = settle(&mut first, self.birth_year.read(rows, birth_year))?;
        let sex = settle(&mut first, self.sex.read_code(rows, |text| self.sexes.recognise(text).ok_or(Rule::Sex)))?;
        let area = settle(&mut coded.area_fault, self.area.read_code(rows, |text| area(self.areas, text)))?;
        coded.need =
            settle(&mut first, self.need.read_code(rows, |text| self.needs.recognise(text).ok_or(Rule::Need)))?;
        if let Some(marker) = &mut self.primary {
            coded.primary = settle(&mut first, marker.holds(rows).map(Some))? == Some(true);
        }
        coded.latest.extend([None, sex, area]);
        for (column, scale) in &mut self.scores {
            let value = column.read_code(rows, |text| score(scale, self.decimal, text));
            coded.latest.push(settle(&mut first, value)?);
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        let Some(date) = date else { return Err(self.date.fault(Rule::Empty)) };
        let [period, day, year @ ..] = date.to_be_bytes();
        (coded.period, coded.day) = (period, day);
        if let Some(birth_year) = birth_year {
            let years = u32::from(u16::from_be_bytes(year)).checked_sub(birth_year);
            let code = years.and_then(|years| self.age_codes.get(years as usize));
            coded.latest[AGE_GROUP] = Some(*code.ok_or_else(|| self.birth_year.fault(Rule::BirthYear))?);
        }
        Ok(())
    }
}

impl Marker {
    fn holds<R: Read>(&mut self, rows: &Rows<R>) -> Result<bool, Fault> {
        let Self(column, value) = self;
        Ok(column.read(rows, |text| Ok(u16::from(text.to_lowercase() == *value)))? == Some(1))
    }
}

/// Keeps the first fault of a row for later, but not one that ends the import.
fn settle<T>(first: &mut Option<Fault>, read: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match read {
        Err(fault) if !fault.rule.is_final() => {
            first.get_or_insert(fault);
            Ok(None)
        }
        read => read,
    }
}

/// The place of the date's period, the rank of the date in it, and its year, as
/// bytes of one number.
fn date(text: &str, periods: &mut Vec<Period>) -> Result<u32, Rule> {
    let date = Date::parse(text).ok_or(Rule::Date)?;
    let period = date.period().ok_or(Rule::Date)?;
    let at = periods.iter().position(|p| *p == period).unwrap_or_else(|| {
        periods.push(period);
        periods.len() - 1
    });
    if periods.len() > MAX_PERIODS {
        return Err(Rule::TooManyPeriods);
    }
    let [high, low] = date.year.to_be_bytes();
    Ok(u32::from_be_bytes([at as u8, date.rank(), high, low]))
}

/// The places of the named columns.
fn places(header: &Rows<impl Read>, encoding: Encoding) -> Result<HashMap<String, usize>, RowFault> {
    let mut places = HashMap::new();
    for at in 0..header.len() {
        let name = encoding.text(header.field(at)).trim().to_owned();
        if looks_like_identity_code(&name) {
            return Err(RowFault::HeaderIdentityCode { column: at + 1 });
        }
        // Spreadsheets leave columns without a name; none of them can be mapped.
        if !name.is_empty()
            && let Some(first) = places.insert(name, at)
        {
            return Err(RowFault::SameName { first: first + 1, second: at + 1 });
        }
    }
    Ok(places)
}
