//! Which column means what: by its name, by what it holds, and by what is left.

use std::cmp::Ordering;

use koonti_disclosure::Codebook;

use super::super::calendar::DateFormat;
use super::super::layout::AgeKind;
use super::super::mapping::Decimal;
use super::super::tuples::SEVERAL;
use super::columns::{Column, FITS, FITS_NAMED, Kind, OTHERS, SEPARATORS};
use super::names::{
    ADVERTS, AGED, AREA, BORN, CALLED, CLIENT, DATE, EVENT, FORBIDDEN, GROUP, HIDE, HOME, HOUSEHOLD, LABOUR_STATUS,
    LIFE, NO_CLIENT, NO_HOME, NUMBER, NUMBER_WITHIN, NUMBERED, PRIMARY, RESTRICTED, SEX, YEAR,
};

/// Fields for each client, from which on a column is none of clients.
const ROWS_PER_CLIENT: usize = 50;

/// Which column is what, by place.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) client: Option<Client>,
    pub(super) date: Option<(usize, DateFormat)>,
    pub(super) other_dates: Vec<usize>,
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

/// The column that tells clients apart.
pub(super) struct Client {
    pub(super) at: usize,
    pub(super) doubt: Option<Doubt>,
}

/// Why it may be another one.
pub(super) enum Doubt {
    /// These are called so as well.
    Rivals(Vec<usize>),
    /// It is only the one that holds most different values.
    Unnamed,
}

/// Where the categories of a dimension stand of which a row may name several.
#[derive(Default)]
pub(super) struct Several {
    pub(super) columns: Vec<usize>,
    pub(super) separator: Option<char>,
}

/// How the age may be said, by columns of which this is true.
type Way<'w> = (AgeKind, &'w dyn Fn(&Column) -> bool);

/// The columns that mean nothing yet.
struct Free<'c> {
    columns: &'c [Column],
    free: Vec<bool>,
}

impl<'c> Free<'c> {
    /// All but those that no mapping can name.
    fn new(columns: &'c [Column]) -> Self {
        Self { columns, free: columns.iter().map(|column| !column.again && !column.name.is_empty()).collect() }
    }

    fn ranked<K: Ord>(&self, rank: impl Fn(&Column) -> Option<K>) -> Vec<usize> {
        let free = (0..self.columns.len()).filter(|at| self.free[*at]);
        let mut ranked: Vec<(K, usize)> = free.filter_map(|at| Some((rank(&self.columns[at])?, at))).collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0));
        ranked.into_iter().map(|(_, at)| at).collect()
    }

    /// Takes the column that ranks highest; of several, the first.
    fn best<K: Ord>(&mut self, rank: impl Fn(&Column) -> Option<K>) -> Option<usize> {
        let best = self.ranked(rank).first().copied();
        best.inspect(|at| self.free[*at] = false)
    }

    fn first(&mut self, fits: impl Fn(&Column) -> bool) -> Option<usize> {
        self.best(|column| fits(column).then_some(()))
    }

    fn all(&mut self, fits: impl Fn(&Column) -> bool) -> Vec<usize> {
        let all = self.ranked(|column| fits(column).then_some(()));
        all.iter().for_each(|at| self.free[*at] = false);
        all
    }
}

impl Client {
    /// True when the name or the fields say that it is one.
    pub(super) fn is_named(&self) -> bool {
        !matches!(self.doubt, Some(Doubt::Unnamed))
    }

    fn find(free: &mut Free<'_>, rows: usize) -> Option<Self> {
        let has_codes = |c: &Column| c.percent(Kind::Identity) > 50;
        let has_numbers = |c: &Column| {
            (c.has_word_from(&NUMBER) || c.is_called(&NUMBER_WITHIN)) && !c.is_called(&NUMBERED) || has_codes(c)
        };
        let rank = |c: &Column| {
            let called = c.is_called(&CLIENT) && !c.is_called(&NO_CLIENT) && !c.holds_dates();
            let is = (called || has_codes(c)) && ROWS_PER_CLIENT * c.distinct() >= c.filled;
            is.then_some((has_codes(c), 2 * c.filled >= rows, has_numbers(c), c.distinct()))
        };
        let at = free.best(rank)?;
        let rivals = free.ranked(rank);
        let is_sure = has_numbers(&free.columns[at]) || rivals.is_empty();
        Some(Self { at, doubt: (!is_sure).then_some(Doubt::Rivals(rivals)) })
    }
}

impl Several {
    fn find(id: &'static str, called: &[&str], free: &mut Free<'_>) -> Self {
        let one = Kind::Code(id);
        // Every register has needs. A word such as "other" alone says of no column what it is.
        let must_be = id == SEVERAL[0];
        let reads = |c: &Column, kind| {
            c.fits(kind) && (must_be || c.distinct() > 2) || c.is_called(called) && c.percent(kind) >= FITS_NAMED
        };
        // A list is what reads more fields than one code does.
        let separator = |c: &Column| {
            let rows = |separator: &char| c.rows_of(Kind::Codes(id, *separator));
            let most = SEPARATORS.into_iter().rev().max_by_key(rows)?;
            (rows(&most) > c.rows_of(one) && reads(c, Kind::Codes(id, most))).then_some(most)
        };
        let listed = |c: &Column| Some((c.is_called(called), c.rows_of(Kind::Codes(id, separator(c)?))));
        let has_siblings = |c: &Column, all: &[Column]| {
            let (stem, numbered) = c.stem();
            numbered && all.iter().filter(|other| other.stem() == (stem.clone(), true)).count() > 1
        };
        let columns = free.columns;
        if let Some(at) = free.best(|c| listed(c).filter(|_| !has_siblings(c, columns))) {
            return Self { separator: separator(&columns[at]), columns: vec![at] };
        }
        let mut found = free.all(|c| reads(c, one));
        if found.is_empty() && must_be {
            found.extend(free.first(|c| c.is_called(called) && !c.holds_dates()));
        }
        let stems: Vec<String> = found.iter().map(|at| columns[*at].stem().0).collect();
        found.extend(free.all(|c| {
            let (stem, numbered) = c.stem();
            numbered && stems.contains(&stem) && (c.filled == 0 || c.percent(one) >= FITS_NAMED)
        }));
        found.sort_unstable();
        Self { columns: found, separator: None }
    }
}

impl Choice {
    /// By what so many rows hold.
    pub(super) fn of(columns: &[Column], rows: usize, codebook: &Codebook) -> Self {
        let mut free = Free::new(columns);
        // What is found by its name first: a column of 1 and 2 may be many things.
        let hide = free.all(|c| c.is_called(&HIDE) && !c.holds_dates());
        let mut exclude = free.all(|c| c.is_called(&RESTRICTED) && !c.holds_dates());
        if exclude.is_empty() {
            exclude = free.all(|c| c.is_called(&FORBIDDEN) && !c.is_called(&ADVERTS) && !c.holds_dates());
        }
        let primary = free.first(|c| c.is_called(&PRIMARY) && c.percent(Kind::Code(SEVERAL[0])) < FITS_NAMED);
        let client = Client::find(&mut free, rows);
        let mut choice = Self { hide, exclude, primary, client, ..Self::default() };
        choice.find_scores(&mut free, codebook);
        choice.find_date(&mut free, rows);
        choice.find_age(&mut free);
        choice.find_place(&mut free);
        choice.household = free.first(|c| c.is_called(&HOUSEHOLD) && c.percent(Kind::Code(OTHERS[0])) >= FITS_NAMED);
        choice.labour_status =
            free.first(|c| c.is_called(&LABOUR_STATUS) && c.percent(Kind::Code(OTHERS[1])) >= FITS_NAMED);
        for ((id, called), several) in SEVERAL.into_iter().zip(CALLED).zip(&mut choice.several) {
            *several = Several::find(id, called, &mut free);
        }
        if choice.client.is_none() {
            let most = free.best(|c| (c.distinct() > 0 && !c.holds_dates()).then_some(c.distinct()));
            choice.client = most.map(|at| Client { at, doubt: Some(Doubt::Unnamed) });
        }
        choice
    }

    /// The columns that something means.
    pub(super) fn used(&self) -> Vec<usize> {
        let Self { client, date, age, sex, area, household, labour_status, primary, .. } = self;
        let Self { several, scores, exclude, hide, .. } = self;
        let client = client.as_ref().map(|client| client.at);
        let one = [client, date.map(|d| d.0), age.map(|a| a.0), *sex, *area, *household, *labour_status, *primary];
        let listed = several.iter().flat_map(|several| &several.columns).chain(exclude).chain(hide);
        one.into_iter().flatten().chain(listed.copied()).chain(scores.iter().map(|(_, at)| *at)).collect()
    }

    fn find_scores(&mut self, free: &mut Free<'_>, codebook: &Codebook) {
        for of in codebook.scores() {
            let scored = |c: &Column| {
                c.name.eq_ignore_ascii_case(&of.id)
                    && [Decimal::Comma, Decimal::Point].iter().any(|d| c.fits(Kind::Score(*d)))
            };
            self.scores.extend(free.first(scored).map(|at| (of.id.clone(), at)));
        }
        let rows = |decimal| -> usize {
            self.scores.iter().map(|(_, at)| free.columns[*at].rows_of(Kind::Score(decimal))).sum()
        };
        self.decimal = match rows(Decimal::Comma).cmp(&rows(Decimal::Point)) {
            Ordering::Less => Some(Decimal::Point),
            Ordering::Greater => Some(Decimal::Comma),
            Ordering::Equal => None,
        };
    }

    fn find_date(&mut self, free: &mut Free<'_>, rows: usize) {
        let is_date = |c: &Column| {
            let (_, percent) = c.dates();
            !c.is_called(&BORN) && (percent >= FITS || c.is_called(&DATE) && percent >= FITS_NAMED)
        };
        let rank = |c: &Column| {
            let called = usize::from(c.is_called(&DATE)) + usize::from(c.is_called(&EVENT));
            is_date(c).then_some((2 * c.filled >= rows, !c.is_called(&LIFE), called, c.filled))
        };
        // What is called a date comes before nothing, whatever is in it.
        let called = |c: &Column| {
            let is = c.is_called(&DATE) && !c.is_called(&BORN) && !c.is_called(&LIFE);
            (is && (c.filled > 0 || rows == 0)).then_some(c.filled)
        };
        let found = free.best(rank).or_else(|| free.best(called));
        self.date = found.map(|at| (at, free.columns[at].dates().0));
        self.other_dates = free.ranked(|c| (c.filled > 0 && is_date(c)).then_some(()));
    }

    /// Of several columns that say it, the one that says it best.
    fn find_age(&mut self, free: &mut Free<'_>) {
        let born = |c: &Column| c.is_called(&BORN);
        let is_group = |c: &Column| c.has_word_from(&AGED) && c.is_called(&GROUP);
        let ways: [Way<'_>; 8] = [
            (AgeKind::BirthYear, &|c| born(c) && c.fits(Kind::BirthYear)),
            (AgeKind::BirthDate, &|c| born(c) && c.dates().1 >= FITS),
            (AgeKind::Years, &|c| c.has_word_from(&AGED) && !is_group(c) && c.fits(Kind::Age)),
            (AgeKind::Group, &|c| c.has_word_from(&AGED) && (is_group(c) || c.fits(Kind::AgeGroup))),
            // By their names alone.
            (AgeKind::BirthYear, &|c| born(c) && c.is_called(&YEAR)),
            (AgeKind::BirthDate, &|c| born(c) && (c.is_called(&DATE) || c.is_called(&["aika", "tid"]))),
            (AgeKind::Years, &|c| c.has_word_from(&AGED) && c.filled > 0 && c.percent(Kind::Age) > 0),
            (AgeKind::Years, &|c| c.has_word_from(&AGED) && c.filled == 0),
        ];
        self.age = ways.into_iter().find_map(|(kind, is)| Some((free.first(is)?, kind)));
    }

    fn find_place(&mut self, free: &mut Free<'_>) {
        self.sex = free
            .first(|c| c.is_called(&SEX) && (c.percent(Kind::Sex) >= FITS_NAMED || c.filled == 0))
            .or_else(|| free.first(|c| c.fits(Kind::Sex) && c.distinct() <= 6));
        let called = |c: &Column| c.is_called(&AREA) && !c.is_called(&HOUSEHOLD);
        let is_home = |c: &Column| (c.is_called(&HOME), !c.is_called(&NO_HOME));
        self.area = free
            .best(|c| (called(c) && c.percent(Kind::Area) >= FITS_NAMED).then_some((is_home(c), c.percent(Kind::Area))))
            .or_else(|| free.first(|c| c.fits(Kind::Area) && c.distinct() > 2 && !c.is_called(&NO_HOME)))
            .or_else(|| free.best(|c| called(c).then_some(is_home(c))));
    }
}
