//! How a register spells its rows in one of the dialects.
//!
//! Promises: rows in the order of their dates; municipalities written in the mixed
//! ways of real registers, in every dialect some by codes and names of municipalities
//! that no longer exist; and whatever the dialect, rows that mean the same.
//! Clients under 18 stand in no register that tells age groups: there is none for them.

use std::io::{self, Write};

use koonti_disclosure::Codebook;
use koonti_disclosure::codebook::Code;

use super::calendar::{self, ALL};
use super::circumstances::{ACTIVITIES, FACTORS, HOUSEHOLDS, MOST_FACTORS, MOST_TASKS, NOT_KNOWN, TASKS};
use super::dialect::{Age, Dates, Form, Layout, Places};
use super::draw::Draw;
use super::mapping;
use super::needs::{MOST_NEEDS, NEEDS};
use super::packed;
use super::people::Person;
use super::topology::Town;
use super::visit::{File, NOT_ASKED, Place, Row};

/// Swedish names that differ from the Finnish ones.
#[rustfmt::skip]
pub(super) const SWEDISH: [(&str, &str); 15] = [
    ("075", "Fredrikshamn"), ("140", "Idensalmi"), ("146", "Ilomants"), ("171", "Jorois"),
    ("176", "Juga"), ("205", "Kajana"), ("260", "Kides"), ("276", "Kontiolax"),
    ("405", "Villmanstrand"), ("426", "Libelits"), ("491", "S:t Michel"), ("624", "Pyttis"),
    ("700", "Ruokolax"), ("740", "Nyslott"), ("935", "Vederlax"),
];

/// Municipalities merged into others: code now, old code, old name.
pub(super) const MERGED: [(&str, &str, &str); 2] = [("507", "588", "Pertunmaa"), ("541", "911", "Valtimo")];

const NAMES: [&str; NEEDS] = ["N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08", "N09", "N10"];

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta", "kesäkuuta", "heinäkuuta", "elokuuta",
    "syyskuuta", "lokakuuta", "marraskuuta", "joulukuuta",
];

/// A register on its way to a file.
pub(super) struct Register<'a> {
    towns: &'a [Town],
    form: Form,
    dates: Vec<String>,
    /// The rows of each date.
    by_date: Vec<String>,
}

/// What stands in one row: one need, or all of one date.
struct Entry {
    row: Row,
    /// The most important one first, where it is among them.
    needs: Vec<u8>,
}

impl<'a> Register<'a> {
    pub(super) fn new(towns: &'a [Town], form: Form) -> Self {
        let dates: Vec<String> = calendar::days().map(|(y, m, d)| date(&form, y, m, d, true)).collect();
        let by_date = vec![String::new(); dates.len()];
        Self { towns, form, dates, by_date }
    }

    /// Adds a client's rows of a quarter; `key` is the client's at this node.
    pub(super) fn add(&mut self, key: &str, person: &Person, file: &File, q: usize, rows: &[Row], draw: &mut Draw) {
        if self.form.age == Age::Group && person.age_in(ALL[q].year) < 18 {
            return;
        }
        for entry in entries(self.form.needs, rows) {
            self.add_entry(key, person, file, q, &entry, draw);
        }
    }

    fn add_entry(&mut self, key: &str, person: &Person, file: &File, q: usize, entry: &Entry, draw: &mut Draw) {
        let (form, row) = (&self.form, &entry.row);
        let needs: Vec<&str> = entry.needs.iter().map(|number| NAMES[usize::from(*number) - 1]).collect();
        let factors: Vec<&str> = row.factors.codes(&FACTORS).collect();
        let tasks: Vec<&str> = row.tasks.codes(&TASKS).collect();
        let head = self.head(key, person, file, q, row, draw);
        let tail = self.tail(person, file, row);
        let out = &mut self.by_date[usize::from(row.day)];
        // Where one stands in each row, there is a row for each combination.
        for factors in lists(form.factors, &factors) {
            for tasks in lists(form.tasks, &tasks) {
                out.push_str(&head);
                several(out, form, form.needs, &needs, MOST_NEEDS);
                if form.needs == Layout::Rows {
                    field(out, form, if row.primary { "k" } else { "e" });
                }
                several(out, form, form.factors, factors, MOST_FACTORS);
                several(out, form, form.tasks, tasks, MOST_TASKS);
                out.push_str(&tail);
            }
        }
    }

    /// From the client to the activity, a delimiter behind each.
    fn head(&self, key: &str, person: &Person, file: &File, q: usize, row: &Row, draw: &mut Draw) -> String {
        let form = &self.form;
        let mut out = String::new();
        field(&mut out, form, key);
        field(&mut out, form, &self.dates[usize::from(row.day)]);
        field(&mut out, form, &if row.birth_year { age(form, person, ALL[q].year) } else { String::new() });
        field(&mut out, form, if row.sex { sex(person.man, file.words || form.words, form) } else { "" });
        let place = match row.place {
            Place::Blank => "",
            Place::Abroad => form.word("ulkomaat", "utlandet"),
            Place::Town(town) => spelling(form.places, &self.towns[usize::from(town)], draw),
        };
        field(&mut out, form, place);
        field(&mut out, form, &row.household.map_or(String::new(), |at| named(form, "household", &HOUSEHOLDS, at)));
        field(&mut out, form, &row.activity.map_or(String::new(), |at| named(form, "labour_status", &ACTIVITIES, at)));
        out
    }

    /// The scores and the marks, to the end of the line.
    fn tail(&self, person: &Person, file: &File, row: &Row) -> String {
        let form = &self.form;
        let mut out = String::new();
        for &score in &row.scores {
            let score = if score == NOT_ASKED { String::new() } else { format!("{score}{}0", form.decimal) };
            field(&mut out, form, &score);
        }
        // Rows that are left out may have been marked: then every row is.
        let all = form.age == Age::Group && person.age_in(ALL[0].year) < 18;
        field(&mut out, form, if row.restricted || all && file.restricted.is_some() { "k" } else { "" });
        out.push_str(if row.hidden || all && file.hidden.is_some() { "k" } else { "" });
        out.push_str(form.line_end);
        out
    }

    /// Writes the register.
    pub(super) fn write(&self, mut to: impl Write + Send) -> io::Result<()> {
        let form = &self.form;
        if form.packed {
            return packed::write(&mapping::typed(form), self.by_date.iter(), form.delimiter as u8, to);
        }
        if form.marked {
            to.write_all(b"\xEF\xBB\xBF")?;
        }
        let header = mapping::columns(form).join(&form.delimiter.to_string()) + form.line_end;
        to.write_all(&form.encoding.encode(&header).0)?;
        for rows in &self.by_date {
            to.write_all(&form.encoding.encode(rows).0)?;
        }
        to.flush()
    }
}

/// A row for each need, or for each date with all its needs.
fn entries(needs: Layout, rows: &[Row]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in rows {
        let own = (row.need > 0).then_some(row.need);
        let same_date = |entry: &&mut Entry| needs != Layout::Rows && entry.row.day == row.day;
        match entries.iter_mut().find(same_date) {
            Some(Entry { row: whole, needs }) => {
                whole.join(row);
                if row.primary { needs.splice(0..0, own).for_each(drop) } else { needs.extend(own) }
            }
            None => entries.push(Entry { row: row.clone(), needs: own.into_iter().collect() }),
        }
    }
    entries
}

/// What stands in each of the rows: everything, or one after the other.
fn lists<'c>(layout: Layout, codes: &'c [&'c str]) -> Vec<&'c [&'c str]> {
    match layout {
        Layout::Rows if !codes.is_empty() => codes.chunks(1).collect(),
        _ => vec![codes],
    }
}

/// A field and the delimiter behind it, in quotes where that stands in it.
fn field(out: &mut String, form: &Form, text: &str) {
    if text.contains([form.delimiter, '"']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
    out.push(form.delimiter);
}

fn several(out: &mut String, form: &Form, layout: Layout, codes: &[&str], most: usize) {
    match layout {
        Layout::Rows => field(out, form, codes.first().copied().unwrap_or_default()),
        Layout::Field(separator) => field(out, form, &codes.join(&separator.to_string())),
        Layout::Columns => (0..most).for_each(|at| field(out, form, codes.get(at).copied().unwrap_or_default())),
    }
}

fn date(form: &Form, year: u16, month: u8, day: u8, with_time: bool) -> String {
    match form.dates {
        Dates::DayMonthYear => format!("{day}.{month}.{year}"),
        Dates::WithTime if with_time => {
            format!("{year}-{month:02}-{day:02}T{:02}:{:02}:00", 8 + day % 8, 7 * (day % 8))
        }
        Dates::YearMonthDay | Dates::WithTime => format!("{year}-{month:02}-{day:02}"),
        Dates::NamedMonth => format!("{day}. {} {year}", MONTHS[usize::from(month) - 1]),
    }
}

fn age(form: &Form, person: &Person, year: u16) -> String {
    let years = person.age_in(year);
    match form.age {
        Age::BirthYear => person.birth_year.to_string(),
        Age::BirthDate => {
            let (month, day) = person.birthday();
            date(form, person.birth_year, month, day, false)
        }
        Age::Years => years.to_string(),
        Age::Group => match years {
            ..25 => "18-24".to_owned(),
            65.. => "65-".to_owned(),
            years => {
                let from = (years - 5) / 10 * 10 + 5;
                format!("{from}-{}", from + 9)
            }
        },
    }
}

fn sex(man: bool, words: bool, form: &Form) -> &'static str {
    match (man, words) {
        (true, false) => "1",
        (false, false) => "2",
        (true, true) => form.word("mies", "man"),
        (false, true) => form.word("nainen", "kvinna"),
    }
}

/// A code of a dimension, or its name.
fn named(form: &Form, id: &str, codes: &[&str], at: u8) -> String {
    let code = if at == NOT_KNOWN { "unknown" } else { codes[usize::from(at)] };
    let found = |code: &str| Codebook::built_in().dimension(id)?.codes().iter().find(|c| c.code == code);
    match found(code) {
        Some(Code { label, .. }) if form.words || at == NOT_KNOWN => {
            if form.swedish {
                label.sv.clone()
            } else {
                label.fi.clone()
            }
        }
        _ => code.to_owned(),
    }
}

/// Draws how a municipality is written.
fn spelling(places: Places, town: &Town, draw: &mut Draw) -> &'static str {
    if let Some(&(_, code, name)) = MERGED.iter().find(|m| m.0 == town.code) {
        match draw.below(100) {
            0..5 => return name,
            5..9 => return code,
            _ => {}
        }
    }
    let swedish = || SWEDISH.iter().find(|s| s.0 == town.code).map_or(town.name, |s| s.1);
    match (places, draw.below(100)) {
        (Places::Codes, _) => town.code,
        (Places::LostZeros, _) => town.code.trim_start_matches('0'),
        (Places::Finnish, _) => town.name,
        (Places::Swedish, _) => swedish(),
        (Places::Mixed, 0..60) if draw.chance(400) => town.code.trim_start_matches('0'),
        (Places::Mixed, 0..60) => town.code,
        (Places::Mixed, 60..68) => swedish(),
        (Places::Mixed, _) => town.name,
    }
}
