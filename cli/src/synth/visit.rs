//! What one register writes down about one client in one quarter.
//!
//! Promises rows in which no two different values of a field other than the
//! need stand on one date, so that "the latest value" has one meaning; between
//! dates a home or a score may change. Fields are left empty here and there, as
//! in real registers. How values are spelt is up to `register`.

use super::calendar::{ALL, Quarter};
use super::circumstances::{self, Set};
use super::draw::Draw;
use super::needs::{self, NEEDS, Needs};
use super::people::Person;
use super::populate::Member;
use super::topology::Kind;

/// Where a client lives, as the register has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Blank,
    /// Abroad or unknown: a category of its own.
    Abroad,
    Town(u8),
}

/// One row: one need on one date.
#[derive(Clone)]
pub(super) struct Row {
    /// Counted from the first day of the first quarter.
    pub(super) day: u16,
    /// 1 to 10, or 0 if not assessed.
    pub(super) need: u8,
    pub(super) primary: bool,
    /// Whether birth year and sex are filled in.
    pub(super) birth_year: bool,
    pub(super) sex: bool,
    pub(super) place: Place,
    /// Places among the household types and activities of `circumstances`, where filled in.
    pub(super) household: Option<u8>,
    pub(super) activity: Option<u8>,
    /// Of the quarter; none where no need is assessed.
    pub(super) factors: Set,
    pub(super) tasks: Set,
    /// By domain; [`NOT_ASKED`] where empty.
    pub(super) scores: [u8; NEEDS],
    pub(super) restricted: bool,
    pub(super) hidden: bool,
}

/// Stands for an empty score.
pub(super) const NOT_ASKED: u8 = u8::MAX;

/// What a register knows, and does not, about a client for good.
pub(super) struct File {
    birth_year: bool,
    sex: bool,
    place: bool,
    abroad: bool,
    household: bool,
    activity: bool,
    /// In which services the node has the client.
    tasks: Set,
    /// Writes sexes as words.
    pub(super) words: bool,
    /// The quarter in which processing was restricted or the home hidden.
    pub(super) restricted: Option<usize>,
    pub(super) hidden: Option<usize>,
}

impl File {
    /// Opens a client's file.
    pub(super) fn draw(person: &Person, member: Member, kind: Kind, draw: &mut Draw) -> Self {
        let held: Vec<usize> = (0..ALL.len()).filter(|q| member.quarters >> q & 1 == 1).collect();
        let mut some_quarter = |yes: bool| yes.then(|| held[draw.index(held.len())]);
        let hidden = some_quarter(person.hidden);
        let restricted = draw.chance(3).then(|| held[draw.index(held.len())]);
        Self {
            // Never lost for anybody who may be under 18.
            birth_year: person.birth_year > 2007 || !draw.chance(4),
            sex: !draw.chance(8),
            place: !draw.chance(5),
            abroad: draw.chance(1),
            household: !draw.chance(50),
            activity: !draw.chance(60),
            tasks: circumstances::tasks(person.situation, person.age_in(ALL[0].year), kind, draw),
            words: draw.chance(300),
            restricted,
            hidden,
        }
    }
}

/// Writes a client's rows of a quarter into `rows`, which it empties first; at
/// least one.
pub(super) fn visit(person: &Person, file: &File, q: usize, draw: &mut Draw, rows: &mut Vec<Row>) {
    rows.clear();
    let quarter = &ALL[q];
    let needs = assessed(person, draw);
    write_needs(needs, quarter, draw, rows);
    write_scores(person, needs, quarter, draw, rows);
    join_and_lead(needs, rows);
    let factors = match needs {
        Some(needs) if needs == person.needs => person.factors,
        Some(needs) => circumstances::factors(person.situation, needs, draw),
        None => Set::default(),
    };
    let under_age = person.birth_year > 2007;
    for (i, row) in rows.iter_mut().enumerate() {
        row.birth_year = file.birth_year && (under_age || !draw.chance(10));
        row.sex = file.sex && !draw.chance(15);
        row.place = match () {
            () if !file.place || draw.chance(10) => Place::Blank,
            () if file.abroad => Place::Abroad,
            () => Place::Town(person.home_on(row.day)),
        };
        row.household = (file.household && !draw.chance(20)).then_some(person.household);
        row.activity = (file.activity && !draw.chance(20)).then_some(person.activity_on(row.day));
        if row.need > 0 {
            (row.factors, row.tasks) = (factors, file.tasks);
        }
        // From the quarter in question on, not on every row.
        let mut marked =
            |from: Option<usize>| from.is_some_and(|from| (q == from && i == 0) || (q >= from && draw.chance(500)));
        row.restricted = marked(file.restricted);
        row.hidden = marked(file.hidden);
    }
}

/// The needs of this quarter at this node, unless not assessed: mostly the
/// person's usual ones.
fn assessed(person: &Person, draw: &mut Draw) -> Option<Needs> {
    match draw.below(100) {
        0..4 => None,
        4..18 => Some(needs::needs(person.situation, draw)),
        _ => Some(person.needs),
    }
}

fn write_needs(needs: Option<Needs>, quarter: &Quarter, draw: &mut Draw, rows: &mut Vec<Row>) {
    let first = any_day(quarter, draw);
    let one_meeting = draw.chance(550);
    for number in needs.into_iter().flat_map(Needs::numbers) {
        let day = if one_meeting { first } else { any_day(quarter, draw) };
        let primary = needs.is_some_and(|n| n.primary == number);
        rows.push(row(day, number, primary));
    }
    if rows.is_empty() {
        rows.push(row(first, 0, false));
    }
    if draw.chance(90) {
        let again = draw.index(rows.len());
        repeat(again, quarter, draw, rows);
    }
    if draw.chance(30) {
        rows.push(row(any_day(quarter, draw), 0, false));
    }
}

/// Lets no need stand twice on one date, and the most important one on every date
/// with needs, so that a register with several needs a row can say the same.
fn join_and_lead(needs: Option<Needs>, rows: &mut Vec<Row>) {
    let mut joined: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        match joined.iter_mut().find(|known| (known.day, known.need) == (row.day, row.need)) {
            Some(known) => known.join(&row),
            None => joined.push(row),
        }
    }
    let days: Vec<u16> = joined.iter().filter(|row| row.need > 0).map(|row| row.day).collect();
    for day in days {
        let led = joined.iter().any(|row| row.day == day && row.primary);
        joined.extend(needs.filter(|_| !led).map(|needs| row(day, needs.primary, true)));
    }
    *rows = joined;
}

impl Row {
    /// Takes in what another row of the same date says, needs excepted.
    pub(super) fn join(&mut self, other: &Self) {
        self.birth_year |= other.birth_year;
        self.sex |= other.sex;
        self.restricted |= other.restricted;
        self.hidden |= other.hidden;
        if self.place == Place::Blank {
            self.place = other.place;
        }
        self.household = self.household.or(other.household);
        self.activity = self.activity.or(other.activity);
        if other.need > 0 {
            (self.factors, self.tasks) = (other.factors, other.tasks);
        }
        for (own, &score) in self.scores.iter_mut().zip(&other.scores) {
            if *own == NOT_ASKED {
                *own = score;
            }
        }
    }
}

/// Writes the scores of the quarter on one row, now and then on others of the
/// same date, and now and then new ones on another date.
fn write_scores(person: &Person, needs: Option<Needs>, quarter: &Quarter, draw: &mut Draw, rows: &mut Vec<Row>) {
    if !draw.chance(660) {
        return;
    }
    let at = draw.index(rows.len());
    let whole_form = draw.chance(230);
    for domain in 1..=NEEDS {
        let asked = match domain {
            7 => 920,
            _ if whole_form => 930,
            _ if needs::touches(needs, domain) => 330,
            _ => 70,
        };
        if draw.chance(asked) {
            rows[at].scores[domain - 1] = needs::score(domain, needs, person.mood, draw);
        }
    }
    let measured = rows[at].clone();
    if draw.chance(150) {
        let same_date = rows.iter_mut().filter(|r| r.day == measured.day);
        same_date.for_each(|r| r.scores = measured.scores);
    }
    if draw.chance(60) {
        let later = match rows.iter().position(|r| r.day != measured.day) {
            Some(other) => other,
            None => repeat(at, quarter, draw, rows),
        };
        for (new, &old) in rows[later].scores.iter_mut().zip(&measured.scores) {
            if old != NOT_ASKED && draw.chance(600) {
                *new = (old + draw.below(4) as u8).saturating_sub(1).min(10);
            }
        }
    }
}

/// Records the need of a row again on another date; returns the new row's
/// position.
fn repeat(at: usize, quarter: &Quarter, draw: &mut Draw, rows: &mut Vec<Row>) -> usize {
    let ahead = 1 + draw.below(u32::from(quarter.days) - 1) as u16;
    let day = quarter.start + (rows[at].day - quarter.start + ahead) % quarter.days;
    rows.push(row(day, rows[at].need, rows[at].primary));
    rows.len() - 1
}

fn any_day(quarter: &Quarter, draw: &mut Draw) -> u16 {
    quarter.start + draw.below(u32::from(quarter.days)) as u16
}

fn row(day: u16, need: u8, primary: bool) -> Row {
    Row {
        day,
        need,
        primary,
        birth_year: true,
        sex: true,
        place: Place::Blank,
        household: None,
        activity: None,
        factors: Set::default(),
        tasks: Set::default(),
        scores: [NOT_ASKED; NEEDS],
        restricted: false,
        hidden: false,
    }
}
