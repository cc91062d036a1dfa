//! The meaning of a row: the mapping, the codebook and the header put together.
//!
//! Codes one row after the other, without memory of clients. Every mapped column
//! of every row is read, also of people who will turn out to be excluded, so
//! that a personal identity code is found wherever it stands.

use std::collections::HashMap;

use koonti_disclosure::Codebook;
use koonti_disclosure::codebook::{Dimension, Score};

use super::MAX_PERIODS;
use super::age::Age;
use super::calendar::{Date, DateFormat, Quarter};
use super::column::{ClientColumn, Column, Fault, Marker, settle};
use super::encoding::Encoding;
use super::error::{At, Error, MappingFault, RowFault, Rule};
use super::identity::looks_like_identity_code;
use super::layout::{Condition, SeveralColumns};
use super::mapping::{Decimal, Mapping};
use super::meaning::{area, score};
use super::needs::{Layout, Lists, Needs};
use super::record::Shape;
use super::restrict::Restricting;
use super::rows::Row;
use super::tuples::{Named, SEVERAL, Tuple, combine};

/// Where the values stand in [`Coded::latest`]: these, then the mapped scores.
pub(super) const LATEST: [&str; 5] = ["age_group", "sex", "area", "household", "labour_status"];
pub(super) const AGE_GROUP: usize = 0;
pub(super) const AREA: usize = 2;

/// How to read each row of a register.
pub(super) struct Plan<'a> {
    pub(super) client: ClientColumn,
    date: Column,
    age: Age<'a>,
    sex: Column,
    area: Column,
    /// The last two of [`LATEST`], where they are mapped.
    others: [Option<(Column, &'a Dimension, &'static str)>; 2],
    /// In the order of [`SEVERAL`], what is mapped of them, and their `unknown`.
    several: [Option<Needs<'a>>; SEVERAL.len()],
    pub(super) unknown: [u16; SEVERAL.len()],
    /// The mapped scores, in the order of their ids.
    pub(super) scores: Vec<(Column, &'a Score)>,
    restricting: Vec<Restricting>,
    format: DateFormat,
    decimal: Decimal,
    sexes: &'a Dimension,
    areas: &'a Dimension,
    /// The quarters met so far.
    pub(super) quarters: Vec<Quarter>,
}

/// A row in codes.
#[derive(Default)]
pub(super) struct Coded {
    pub(super) quarter: Quarter,
    /// Rises with the date within the quarter, from 1.
    pub(super) day: u8,
    /// The values of which the latest counts; none for empty fields.
    pub(super) latest: Vec<Option<u16>>,
    /// What the row names of each dimension of [`SEVERAL`], and the combinations.
    pub(super) named: [Vec<Named>; SEVERAL.len()],
    pub(super) tuples: Vec<Tuple>,
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
    /// Finds the mapped columns in the header.
    pub(super) fn new(header: Row<'_>, at: At, mapping: &Mapping, codebook: &'a Codebook) -> Result<Self, Error> {
        let dimension = |id, exclusive| {
            let found = codebook.dimension(id).filter(|d| d.exclusive == exclusive);
            found.ok_or_else(|| mapping.fault(MappingFault::NoDimension { dimension: id }))
        };
        let row_fault = |fault| Error::Row { file: mapping.file.clone(), at, fault };
        let places = places(header, mapping.format.encoding).map_err(row_fault)?;
        let place = |name: &str| match places.get(name.trim()) {
            Some((at, None)) => Ok(*at),
            Some((first, Some(second))) => Err(row_fault(RowFault::SameName { first: first + 1, second: second + 1 })),
            None => Err(row_fault(RowFault::NoColumn { column: name.trim().to_owned() })),
        };
        let column = |name: &str| Ok::<_, Error>(Column::new(name.trim(), place(name)?, mapping.format.encoding));
        let marker = |c: &Condition| Ok::<_, Error>(Marker(column(&c.column)?, c.value.trim().to_lowercase()));
        let age = &mapping.columns.age;
        let layout = |columns: &SeveralColumns| {
            Ok::<_, Error>(match columns {
                SeveralColumns::One { column: name, primary } => {
                    Layout::One(column(name)?, primary.as_ref().map(marker).transpose()?)
                }
                SeveralColumns::Separated { column: name, separator, ranked } => Layout::Separated {
                    column: column(name)?,
                    separator: *separator,
                    ranked: *ranked,
                    lists: Lists::default(),
                },
                SeveralColumns::Columns { columns, ranked } => Layout::Columns {
                    columns: columns.iter().map(|name| column(name)).collect::<Result<_, _>>()?,
                    ranked: *ranked,
                },
            })
        };
        let several = |columns: Option<&SeveralColumns>, id, of| {
            let needs =
                |columns| Ok::<_, Error>(Needs { layout: layout(columns)?, dimension: dimension(id, false)?, of });
            columns.map(needs).transpose()
        };
        let other = |name: &Option<String>, id, of| {
            let other = |name: &String| Ok::<_, Error>((column(name)?, dimension(id, true)?, of));
            name.as_ref().map(other).transpose()
        };
        let named = &mapping.columns;
        let [need, factor, task] = SEVERAL;
        let mut scores = Vec::new();
        for (id, name) in &mapping.columns.scores {
            let unknown = || mapping.fault(MappingFault::UnknownScore { score: id.clone() });
            scores.push((column(name)?, codebook.score(id).ok_or_else(unknown)?));
        }
        let client = mapping.columns.client.trim();
        Ok(Self {
            client: ClientColumn::new(client, place(client)?, mapping.format.encoding),
            date: column(&mapping.columns.date)?,
            age: Age::new(column(&age.column)?, age.kind, mapping.format.date, dimension(LATEST[AGE_GROUP], true)?),
            sex: column(&mapping.columns.sex)?,
            area: column(&mapping.columns.area)?,
            others: [
                other(&named.household, "household", "household type")?,
                other(&named.labour_status, "labour_status", "labour status")?,
            ],
            several: [
                several(Some(&named.needs), need, "need")?,
                several(named.factors.as_ref(), factor, "contributing factor")?,
                several(named.service_task.as_ref(), task, "service task")?,
            ],
            unknown: SEVERAL.map(|id| codebook.dimension(id).map_or(0, Dimension::unknown)),
            scores,
            restricting: mapping.restrict.columns(column)?,
            format: mapping.format.date,
            decimal: mapping.format.decimal,
            sexes: dimension("sex", true)?,
            areas: dimension("area", true)?,
            quarters: Vec::new(),
        })
    }

    /// How many values a row has.
    pub(super) fn shape(&self) -> Shape {
        Shape { latest: LATEST.len() + self.scores.len(), codes: SEVERAL.len() }
    }

    /// A date in one quarter too many for one import.
    pub(super) fn too_many_quarters(&self) -> Fault {
        self.date.fault(Rule::TooManyPeriods)
    }

    /// True when the mapping restricts anybody.
    pub(super) fn restricts(&self) -> bool {
        !self.restricting.is_empty()
    }

    /// Whom the row marks.
    pub(super) fn marks(&mut self, row: Row<'_>) -> Result<Marks, Fault> {
        let mut marks = Marks::default();
        for column in &mut self.restricting {
            let Marks { exclude, hide_area } = column.read(row)?;
            marks.exclude |= exclude;
            marks.hide_area |= hide_area;
        }
        Ok(marks)
    }

    /// Codes the row.
    pub(super) fn code(&mut self, row: Row<'_>, coded: &mut Coded) -> Result<(), Fault> {
        let mut first = None;
        coded.latest.clear();
        coded.area_fault = None;

        let (quarters, format) = (&mut self.quarters, self.format);
        let date = settle(&mut first, self.date.read(row, |text| date(text, format, quarters)))?;
        let age = settle(&mut first, self.age.read(row))?;
        let sex = settle(&mut first, self.sex.read_code(row, |text| self.sexes.recognise(text).ok_or(Rule::Sex)))?;
        let area = settle(&mut coded.area_fault, self.area.read_code(row, |text| area(self.areas, text)))?;
        coded.latest.extend([None, sex, area]);
        for other in &mut self.others {
            let code = match other {
                Some((column, dimension, of)) => {
                    let meaning = |text: &str| dimension.recognise(text).ok_or(Rule::Category { of });
                    settle(&mut first, column.read_code(row, meaning))?
                }
                None => None,
            };
            coded.latest.push(code);
        }
        for (several, named) in self.several.iter_mut().zip(&mut coded.named) {
            named.clear();
            if let Some(several) = several {
                several.read(row, named, &mut first)?;
            }
        }
        if let Err(at) = combine(&coded.named, self.unknown, &mut coded.tuples) {
            let fault = self.several[at].as_ref().map(|several| several.fault(Rule::TooManyTuples));
            first = first.or(fault);
        }
        for (column, scale) in &mut self.scores {
            let value = column.read_code(row, |text| score(scale, self.decimal, text));
            coded.latest.push(settle(&mut first, value)?);
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        let Some(date) = date else { return Err(self.date.fault(Rule::Empty)) };
        (coded.quarter, coded.day) = (Quarter((date >> 16) as u16), date as u8);
        if let Some(said) = age {
            coded.latest[AGE_GROUP] = Some(self.age.code(said, coded.quarter.year())?);
        }
        Ok(())
    }
}

/// The quarter of the date and the rank of the date in it, as parts of one number.
fn date(text: &str, format: DateFormat, quarters: &mut Vec<Quarter>) -> Result<u32, Rule> {
    let date = Date::parse(text, format).ok_or(Rule::Date { format })?;
    let quarter = date.quarter().ok_or(Rule::Date { format })?;
    if !quarters.contains(&quarter) {
        quarters.push(quarter);
    }
    if quarters.len() > MAX_PERIODS {
        return Err(Rule::TooManyPeriods);
    }
    Ok(u32::from(quarter.0) << 16 | u32::from(date.rank()))
}

/// The places of the named columns; of a name that stands twice or more often, two.
fn places(header: Row<'_>, encoding: Encoding) -> Result<HashMap<String, (usize, Option<usize>)>, RowFault> {
    let mut places: HashMap<String, (usize, Option<usize>)> = HashMap::new();
    for at in 0..header.len() {
        let name = encoding.text(header.field(at)).trim().to_owned();
        if looks_like_identity_code(&name) {
            return Err(RowFault::HeaderIdentityCode { column: at + 1 });
        }
        // Spreadsheets leave columns without a name; none of them can be mapped.
        if !name.is_empty() {
            places.entry(name).and_modify(|(_, second)| *second = second.or(Some(at))).or_insert((at, None));
        }
    }
    Ok(places)
}
