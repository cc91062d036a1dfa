//! What the columns of a file look like, and which of them means what.

use std::collections::HashMap;

use koonti_disclosure::Codebook;
use koonti_disclosure::codebook::Dimension;

use super::super::calendar::{Date, DateFormat};
use super::super::identity::looks_like_identity_code;
use super::super::layout::AgeKind;
use super::super::mapping::Decimal;
use super::super::meaning::{age_in_years, area, birth_year, score};
use super::super::tuples::SEVERAL;

/// The dimensions, one per client, that not every register has.
pub(super) const OTHERS: [&str; 2] = ["household", "labour_status"];
/// Distinct spellings that are kept of a column.
const MOST_SPELLINGS: usize = 50_000;
/// A column means something if so many of its filled fields do, in percent.
const FITS: usize = 80;
/// The same of a column whose name says so, too.
const FITS_NAMED: usize = 50;

/// What a field may be read as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Date(DateFormat),
    BirthYear,
    Age,
    AgeGroup,
    Sex,
    Area,
    /// A code of the dimension with this id.
    Code(&'static str),
    /// Several of them, with this between them.
    Codes(&'static str, char),
    Score(Decimal),
    Identity,
}

const FORMATS: [DateFormat; 3] = [DateFormat::DayMonthYear, DateFormat::YearMonthDay, DateFormat::NamedMonth];
const SEPARATORS: [char; 4] = [',', '|', '/', ' '];

/// A column as it was seen.
pub(super) struct Column {
    pub(super) name: String,
    /// Rows in which it is not empty.
    pub(super) filled: usize,
    /// Rows by spelling, with what each may be read as.
    spellings: HashMap<String, (usize, Vec<Kind>)>,
    rows_of: HashMap<Kind, usize>,
}

/// Which column is what, by place.
#[derive(Default, Debug)]
pub(super) struct Choice {
    pub(super) client: Option<usize>,
    pub(super) date: Option<(usize, DateFormat)>,
    pub(super) age: Option<(usize, AgeKind)>,
    pub(super) sex: Option<usize>,
    pub(super) area: Option<usize>,
    pub(super) household: Option<usize>,
    pub(super) labour_status: Option<usize>,
    /// In the order of [`SEVERAL`].
    pub(super) several: [Several; SEVERAL.len()],
    pub(super) primary: Option<usize>,
    pub(super) scores: Vec<(String, usize)>,
    pub(super) decimal: Option<Decimal>,
    pub(super) exclude: Vec<usize>,
    pub(super) hide: Vec<usize>,
}

/// Where the categories of a dimension stand of which a row may name several.
#[derive(Default, Debug)]
pub(super) struct Several {
    pub(super) columns: Vec<usize>,
    pub(super) separator: Option<char>,
}

impl Column {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), filled: 0, spellings: HashMap::new(), rows_of: HashMap::new() }
    }

    /// Takes a field in.
    pub(super) fn see(&mut self, field: &str, codebook: &Codebook) {
        if field.is_empty() {
            return;
        }
        self.filled += 1;
        if let Some((rows, kinds)) = self.spellings.get_mut(field) {
            *rows += 1;
            kinds.iter().for_each(|kind| *self.rows_of.entry(*kind).or_default() += 1);
            return;
        }
        let kinds = kinds(field, codebook);
        kinds.iter().for_each(|kind| *self.rows_of.entry(*kind).or_default() += 1);
        if self.spellings.len() < MOST_SPELLINGS {
            self.spellings.insert(field.to_owned(), (1, kinds));
        }
    }

    /// Of a hundred filled fields, how many may be read as this.
    pub(super) fn percent(&self, kind: Kind) -> usize {
        100 * self.rows_of.get(&kind).copied().unwrap_or(0) / self.filled.max(1)
    }

    /// Spellings that may not be read as this, in at least `often` rows each, most first.
    pub(super) fn others(&self, kind: Kind, often: usize) -> Vec<&str> {
        let other = self.spellings.iter().filter(|(text, (rows, kinds))| {
            *rows >= often && !kinds.contains(&kind) && !kinds.contains(&Kind::Identity) && text.chars().count() <= 40
        });
        let mut other: Vec<(usize, &str)> = other.map(|(text, (rows, _))| (*rows, text.as_str())).collect();
        other.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        other.into_iter().map(|(_, text)| text).collect()
    }

    /// What marks rows in a column of few short spellings, which tell of nobody: those
    /// that do not say no.
    pub(super) fn marks(&self) -> Vec<&str> {
        const NO: [&str; 8] = ["e", "ei", "n", "no", "nej", "0", "false", "-"];
        let few = self.spellings.len() <= 4 && self.spellings.keys().all(|text| text.chars().count() <= 8);
        let shown = self.spellings.keys().filter(|text| few && !NO.contains(&text.to_lowercase().as_str()));
        let mut marks: Vec<&str> = shown.map(String::as_str).collect();
        marks.sort_unstable();
        marks
    }

    fn fits(&self, kind: Kind) -> bool {
        self.filled > 0 && self.percent(kind) >= FITS
    }

    /// True when the header has one of these words in it, whatever the case.
    fn is_called(&self, words: &[&str]) -> bool {
        let name = self.name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    }
}

fn kinds(text: &str, codebook: &Codebook) -> Vec<Kind> {
    let knows = |id: &str| codebook.dimension(id).is_some_and(|d| d.recognise(text).is_some());
    let codes = |id: &str, separator: char| {
        let dimension = codebook.dimension(id);
        let all = |d| text.split(separator).all(|part| known(d, part.trim()) || part.trim().is_empty());
        text.contains(separator) && dimension.is_some_and(all)
    };
    let scored = |decimal| codebook.scores().first().is_some_and(|of| score(of, decimal, text).is_ok());
    let tests: [(bool, Kind); 6] = [
        (birth_year(text).is_ok_and(|year| (1900..2100).contains(&year)), Kind::BirthYear),
        (age_in_years(text).is_ok(), Kind::Age),
        (knows("age_group"), Kind::AgeGroup),
        (knows("sex"), Kind::Sex),
        (codebook.dimension("area").is_some_and(|areas| area(areas, text).is_ok()), Kind::Area),
        (looks_like_identity_code(text), Kind::Identity),
    ];
    let mut kinds: Vec<Kind> = tests.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect();
    kinds.extend(FORMATS.into_iter().filter(|format| Date::parse(text, *format).is_some()).map(Kind::Date));
    kinds.extend(SEVERAL.into_iter().chain(OTHERS).filter(|id| knows(id)).map(Kind::Code));
    for id in SEVERAL {
        kinds.extend(SEPARATORS.into_iter().filter(|s| codes(id, *s)).map(|s| Kind::Codes(id, s)));
    }
    kinds.extend([Decimal::Comma, Decimal::Point].into_iter().filter(|decimal| scored(*decimal)).map(Kind::Score));
    kinds
}

fn known(dimension: &Dimension, text: &str) -> bool {
    dimension.recognise(text).is_some()
}

const CLIENT: [&str; 8] = ["asiakas", "hetu", "henkilö", "henkilo", "client", "kund", "klient", "person"];
const BORN: [&str; 4] = ["synt", "föd", "fod", "birth"];
const AGED: [&str; 4] = ["ikä", "ika", "age", "ålder"];
const SEX: [&str; 3] = ["sukup", "kön", "sex"];
const AREA: [&str; 4] = ["kunta", "kommun", "municip", "area"];
const HOUSEHOLD: [&str; 5] = ["talous", "ruokakunta", "perhetyyppi", "hushåll", "household"];
const LABOUR_STATUS: [&str; 6] = ["toiminta", "työmarkkina", "tyomarkkina", "verksamhet", "labour", "activity"];
/// What the columns of each of [`SEVERAL`] are called.
const CALLED: [&[&str]; SEVERAL.len()] =
    [&["tarve", "tarpe", "need", "behov"], &["tekij", "faktor", "factor"], &["tehtäv", "tehtav", "uppgift", "task"]];
const PRIMARY: [&str; 4] = ["ensisij", "pääasi", "primary", "primär"];
const HIDE: [&str; 4] = ["turvakielto", "spärr", "sparr", "non-disclosure"];
const EXCLUDE: [&str; 4] = ["kielto", "rajoit", "restrict", "begräns"];

impl Several {
    /// The columns of the dimension `id`; `take` finds the first that fits and is free.
    fn of(id: &'static str, called: &[&str], take: &mut impl FnMut(&dyn Fn(&Column) -> bool) -> Option<usize>) -> Self {
        let one = Kind::Code(id);
        // A word such as "other" alone says of no column what it is.
        let fits = |c: &Column| c.fits(one) && (id == SEVERAL[0] || c.spellings.len() > 2);
        let mut several = Self::default();
        while let Some(at) = take(&|c| fits(c) || c.is_called(called) && c.percent(one) >= FITS_NAMED) {
            several.columns.push(at);
        }
        // One in most fields and several in some are a list, too.
        let list = |c: &Column, separator| {
            let lists = c.percent(Kind::Codes(id, separator));
            lists > 0 && lists + c.percent(one) >= FITS
        };
        for separator in SEPARATORS {
            if several.columns.is_empty()
                && let Some(at) = take(&|c| list(c, separator))
            {
                several = Self { columns: vec![at], separator: Some(separator) };
            }
        }
        several
    }
}

impl Choice {
    pub(super) fn of(columns: &[Column], codebook: &Codebook) -> Self {
        let mut taken = vec![false; columns.len()];
        let mut take = |fits: &dyn Fn(&Column) -> bool| {
            let found = (0..columns.len()).find(|at| !taken[*at] && fits(&columns[*at]))?;
            taken[found] = true;
            Some(found)
        };
        let mut choice = Self::default();
        // What is found by its name first: a column of 1 and 2 may be many things.
        choice.hide.extend(take(&|c| c.is_called(&HIDE)));
        choice.exclude.extend(take(&|c| c.is_called(&EXCLUDE)));
        choice.primary = take(&|c| c.is_called(&PRIMARY) && !c.marks().is_empty());
        choice.client = take(&|c| c.percent(Kind::Identity) > 50).or_else(|| take(&|c| c.is_called(&CLIENT)));
        for of in codebook.scores() {
            let scored = |c: &Column| {
                c.name.eq_ignore_ascii_case(&of.id)
                    && [Decimal::Comma, Decimal::Point].iter().any(|d| c.fits(Kind::Score(*d)))
            };
            choice.scores.extend(take(&scored).map(|at| (of.id.clone(), at)));
        }
        let comma = |at: &usize| columns[*at].percent(Kind::Score(Decimal::Comma));
        let point = |at: &usize| columns[*at].percent(Kind::Score(Decimal::Point));
        let scores = choice.scores.iter().map(|(_, at)| at);
        choice.decimal = match scores.clone().map(comma).sum::<usize>().cmp(&scores.map(point).sum::<usize>()) {
            std::cmp::Ordering::Less => Some(Decimal::Point),
            std::cmp::Ordering::Greater => Some(Decimal::Comma),
            std::cmp::Ordering::Equal => None,
        };
        choice.age = [
            (AgeKind::Group, take(&|c| c.is_called(&AGED) && c.fits(Kind::AgeGroup))),
            (AgeKind::Years, take(&|c| c.is_called(&AGED) && c.fits(Kind::Age))),
            (AgeKind::BirthYear, take(&|c| c.is_called(&BORN) && c.fits(Kind::BirthYear))),
        ]
        .into_iter()
        .find_map(|(kind, at)| Some((at?, kind)));
        for format in FORMATS {
            if choice.age.is_none() {
                let born = take(&|c| c.is_called(&BORN) && c.fits(Kind::Date(format)));
                choice.age = born.map(|at| (at, AgeKind::BirthDate));
            }
            choice.date = choice
                .date
                .or_else(|| take(&|c| !c.is_called(&BORN) && c.fits(Kind::Date(format))).map(|at| (at, format)));
        }
        let named = |words: &'static [&'static str], kind| {
            move |c: &Column| c.is_called(words) && c.percent(kind) >= FITS_NAMED
        };
        choice.sex = take(&named(&SEX, Kind::Sex)).or_else(|| take(&|c| c.fits(Kind::Sex) && c.spellings.len() <= 6));
        choice.area =
            take(&named(&AREA, Kind::Area)).or_else(|| take(&|c| c.fits(Kind::Area) && c.spellings.len() > 2));
        choice.household = take(&named(&HOUSEHOLD, Kind::Code(OTHERS[0])));
        choice.labour_status = take(&named(&LABOUR_STATUS, Kind::Code(OTHERS[1])));
        for ((id, called), several) in SEVERAL.into_iter().zip(CALLED).zip(&mut choice.several) {
            *several = Several::of(id, called, &mut take);
        }
        // Every register has needs.
        let needs = &mut choice.several[0].columns;
        needs.extend(if needs.is_empty() { take(&|c| c.is_called(CALLED[0])) } else { None });
        let most = |at: &usize| columns[*at].spellings.len();
        choice.client = choice.client.or_else(|| (0..columns.len()).filter(|at| !taken[*at]).max_by_key(most));
        choice
    }
}
