//! What the columns of a file look like, and which of what they hold may be shown.

use std::collections::{HashMap, HashSet};

use koonti_disclosure::Codebook;

use super::super::calendar::{Date, DateFormat};
use super::super::identity::looks_like_identity_code;
use super::super::mapping::Decimal;
use super::super::meaning::{age_in_years, area, birth_year, score};
use super::super::tuples::SEVERAL;
use super::OFTEN;
use super::names::{NO, NO_TO, YES, has_word_from, parts};

/// The dimensions, one per client, that not every register has.
pub(super) const OTHERS: [&str; 2] = ["household", "labour_status"];
/// Distinct spellings that are kept of a column.
const MOST_SPELLINGS: usize = 50_000;
/// A column means something if so many of its filled fields do, in percent.
pub(super) const FITS: usize = 80;
/// The same of a column whose name says so, too.
pub(super) const FITS_NAMED: usize = 50;
/// Letters of a spelling that may be shown.
const SHOWN_LETTERS: usize = 40;
/// Its digits: of more, it may be somebody's date, number or mistyped identity code.
const SHOWN_DIGITS: usize = 5;
/// Values that a column of marks has.
const MARKS: usize = 4;

pub(super) const FORMATS: [DateFormat; 3] =
    [DateFormat::DayMonthYear, DateFormat::YearMonthDay, DateFormat::NamedMonth];
/// What may stand between two codes of a field; the first is taken where two do as well.
pub(super) const SEPARATORS: [char; 7] = [',', ';', '|', '/', '+', '\n', ' '];

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
    /// One or several of them, with this between two.
    Codes(&'static str, char),
    Score(Decimal),
    Identity,
}

/// A column as it was seen.
pub(super) struct Column {
    pub(super) name: String,
    /// True when an earlier column has this name.
    pub(super) again: bool,
    /// Rows in which it is not empty.
    pub(super) filled: usize,
    spellings: HashMap<String, Spelling>,
    rows_of: HashMap<Kind, usize>,
}

struct Spelling {
    rows: usize,
    kinds: Vec<Kind>,
    /// The first of the clients who have it, hashed.
    clients: HashSet<u64>,
}

/// What seems to mark rows in a column: what does not say no.
pub(super) struct Marks<'c> {
    pub(super) shown: Vec<&'c str>,
    /// True when there are others, which may not be shown.
    pub(super) others: bool,
}

impl Column {
    pub(super) fn new(name: String, again: bool) -> Self {
        Self { name, again, filled: 0, spellings: HashMap::new(), rows_of: HashMap::new() }
    }

    /// Takes a field in.
    pub(super) fn see(&mut self, field: &str, codebook: &Codebook) {
        if field.is_empty() {
            return;
        }
        self.filled += 1;
        if let Some(Spelling { rows, kinds, .. }) = self.spellings.get_mut(field) {
            *rows += 1;
            kinds.iter().for_each(|kind| *self.rows_of.entry(*kind).or_default() += 1);
            return;
        }
        let kinds = kinds(field, codebook);
        kinds.iter().for_each(|kind| *self.rows_of.entry(*kind).or_default() += 1);
        if self.spellings.len() < MOST_SPELLINGS {
            self.spellings.insert(field.to_owned(), Spelling { rows: 1, kinds, clients: HashSet::new() });
        }
    }

    /// Takes in which client's a field is.
    pub(super) fn is_of(&mut self, field: &str, client: u64) {
        match self.spellings.get_mut(field) {
            Some(spelling) if spelling.rows >= OFTEN && spelling.clients.len() < OFTEN => {
                spelling.clients.insert(client);
            }
            _ => {}
        }
    }

    /// Distinct spellings.
    pub(super) fn distinct(&self) -> usize {
        self.spellings.len()
    }

    /// Rows that may be read as this.
    pub(super) fn rows_of(&self, kind: Kind) -> usize {
        self.rows_of.get(&kind).copied().unwrap_or(0)
    }

    /// Of a hundred filled fields, how many may be read as this.
    pub(super) fn percent(&self, kind: Kind) -> usize {
        100 * self.rows_of(kind) / self.filled.max(1)
    }

    pub(super) fn fits(&self, kind: Kind) -> bool {
        self.percent(kind) >= FITS
    }

    /// The form of dates that most fields have, and of a hundred how many.
    pub(super) fn dates(&self) -> (DateFormat, usize) {
        let percent = FORMATS.map(|format| (format, self.percent(Kind::Date(format))));
        percent.into_iter().rev().max_by_key(|(_, percent)| *percent).expect("three")
    }

    pub(super) fn holds_dates(&self) -> bool {
        self.dates().1 >= FITS_NAMED
    }

    /// Spellings that may not be read as this and may be shown, those in most rows first.
    pub(super) fn others(&self, kind: Kind) -> Vec<&str> {
        let other = self.spellings.iter().filter(|(text, it)| !it.kinds.contains(&kind) && it.is_often(text));
        let mut other: Vec<(usize, &str)> = other.map(|(text, it)| (it.rows, text.as_str())).collect();
        other.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        other.into_iter().map(|(_, text)| text).collect()
    }

    /// What marks rows, if the column is one of marks.
    pub(super) fn marks(&self) -> Marks<'_> {
        let says_no = |text: &str| NO.contains(&text) || NO_TO.iter().any(|no| text.starts_with(no));
        let mut marks = Marks { shown: Vec::new(), others: false };
        for (text, spelling) in &self.spellings {
            let folded = text.to_lowercase();
            if says_no(&folded) {
                continue;
            }
            if spelling.is_often(text) || spelling.rows >= OFTEN && YES.contains(&folded.as_str()) {
                marks.shown.push(text);
            } else {
                marks.others = true;
            }
        }
        marks.shown.sort_unstable();
        if marks.shown.len() > MARKS {
            marks = Marks { shown: Vec::new(), others: true };
        }
        marks
    }

    /// How most of the fields are written that are no dates in this format, if it shows.
    pub(super) fn other_dates(&self, format: DateFormat) -> Option<String> {
        let mut rows: HashMap<String, usize> = HashMap::new();
        for (text, spelling) in &self.spellings {
            if !spelling.kinds.contains(&Kind::Date(format))
                && let Some(how) = other_date(text, format)
            {
                *rows.entry(how).or_default() += spelling.rows;
            }
        }
        // A few that look so by chance explain nothing.
        let most = rows.into_iter().filter(|(_, rows)| 20 * rows >= self.filled);
        most.max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map(|(how, _)| how)
    }

    /// True when the header has one of these in it, whatever the case.
    pub(super) fn is_called(&self, any: &[&str]) -> bool {
        let name = self.name.to_lowercase();
        any.iter().any(|part| name.contains(part))
    }

    /// True when a word of the header begins with one of these, whatever the case.
    pub(super) fn has_word_from(&self, any: &[&str]) -> bool {
        has_word_from(&self.name, any)
    }

    /// The header without a number at its end, and whether it has one.
    pub(super) fn stem(&self) -> (String, bool) {
        parts(&self.name)
    }
}

impl Spelling {
    fn is_often(&self, text: &str) -> bool {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let is_short = text.chars().count() <= SHOWN_LETTERS && digits <= SHOWN_DIGITS;
        self.clients.len() >= OFTEN && !self.kinds.contains(&Kind::Identity) && is_short
    }
}

fn kinds(text: &str, codebook: &Codebook) -> Vec<Kind> {
    let knows = |id: &str, text: &str| codebook.dimension(id).is_some_and(|d| d.recognise(text).is_some());
    let codes = |id: &str, separator: char| {
        let mut parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty()).peekable();
        parts.peek().is_some() && parts.all(|part| knows(id, part))
    };
    let scored = |decimal| codebook.scores().first().is_some_and(|of| score(of, decimal, text).is_ok());
    let tests: [(bool, Kind); 6] = [
        (birth_year(text).is_ok_and(|year| (1900..2100).contains(&year)), Kind::BirthYear),
        (age_in_years(text).is_ok(), Kind::Age),
        (knows("age_group", text), Kind::AgeGroup),
        (knows("sex", text), Kind::Sex),
        (codebook.dimension("area").is_some_and(|areas| area(areas, text).is_ok()), Kind::Area),
        (looks_like_identity_code(text), Kind::Identity),
    ];
    let mut kinds: Vec<Kind> = tests.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect();
    kinds.extend(FORMATS.into_iter().filter(|format| Date::parse(text, *format).is_some()).map(Kind::Date));
    kinds.extend(SEVERAL.into_iter().chain(OTHERS).filter(|id| knows(id, text)).map(Kind::Code));
    for id in SEVERAL {
        kinds.extend(SEPARATORS.into_iter().filter(|s| codes(id, *s)).map(|s| Kind::Codes(id, s)));
    }
    kinds.extend([Decimal::Comma, Decimal::Point].into_iter().filter(|decimal| scored(*decimal)).map(Kind::Score));
    kinds
}

/// How a date is written that is none in this format.
fn other_date(text: &str, format: DateFormat) -> Option<String> {
    let is_date = |text: &str, format| Date::parse(text, format).is_some();
    if let Some(other) = FORMATS.into_iter().find(|other| *other != format && is_date(text, *other)) {
        return Some(format!("written {other}"));
    }
    let timed = text.split_once([' ', 'T']).is_some_and(|(date, _)| FORMATS.into_iter().any(|f| is_date(date, f)));
    if timed {
        return Some("dates with a time behind them".to_owned());
    }
    let slashed = text.replace('/', ".");
    if slashed != text && is_date(&slashed, DateFormat::DayMonthYear) {
        return Some("dates with slashes".to_owned());
    }
    let (day_and_month, year) = slashed.rsplit_once('.')?;
    let short = year.len() == 2 && is_date(&format!("{day_and_month}.20{year}"), DateFormat::DayMonthYear);
    short.then(|| "dates with a year of two digits".to_owned())
}
