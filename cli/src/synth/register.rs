//! How a register spells its rows: `register.csv` in a common Finnish dialect,
//! and the mapping file beside it.
//!
//! Promises `;`, windows-1252, CRLF, `d.m.yyyy`, decimal commas, rows in the
//! order of their dates, and municipalities written in the mixed ways of real
//! registers: codes, codes that lost a leading zero, Finnish and Swedish
//! names, and municipalities that no longer exist.

use std::io::{self, Write};

use encoding_rs::WINDOWS_1252;

use super::calendar;
use super::draw::Draw;
use super::people::Person;
use super::topology::Town;
use super::visit::{File, NOT_ASKED, Place, Row};

/// The mapping file, the same for every node.
pub(super) const MAPPING: &str = include_str!("register.toml");

const HEADER: &str = "asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;tarve;ensisijainen;\
    D01;D02;D03;D04;D05;D06;D07;D08;D09;D10;kielto;turvakielto\r\n";

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

/// A register on its way to a file.
pub(super) struct Register<'a> {
    towns: &'a [Town],
    dates: Vec<String>,
    /// The rows of each date.
    by_date: Vec<String>,
}

impl<'a> Register<'a> {
    pub(super) fn new(towns: &'a [Town]) -> Self {
        let dates = calendar::dates();
        let by_date = vec![String::new(); dates.len()];
        Self { towns, dates, by_date }
    }

    /// Adds a client's rows of a quarter; `key` is the client's at this node.
    pub(super) fn add(&mut self, key: &str, person: &Person, file: &File, rows: &[Row], draw: &mut Draw) {
        for row in rows {
            let day = usize::from(row.day);
            let out = &mut self.by_date[day];
            out.push_str(key);
            out.push(';');
            out.push_str(&self.dates[day]);
            out.push(';');
            if row.birth_year {
                push_number(out, u32::from(person.birth_year));
            }
            out.push(';');
            if row.sex {
                out.push_str(sex(person.man, file.words));
            }
            out.push(';');
            match row.place {
                Place::Blank => {}
                Place::Abroad => out.push_str("ulkomaat"),
                Place::Town(town) => out.push_str(spelling(&self.towns[usize::from(town)], draw)),
            }
            out.push(';');
            if row.need > 0 {
                out.push_str(if row.need < 10 { "N0" } else { "N" });
                push_number(out, u32::from(row.need));
            }
            out.push_str(if row.primary { ";k" } else { ";e" });
            for &score in &row.scores {
                out.push(';');
                if score != NOT_ASKED {
                    push_number(out, u32::from(score));
                    out.push_str(",0");
                }
            }
            out.push_str(if row.restricted { ";k;" } else { ";;" });
            out.push_str(if row.hidden { "k\r\n" } else { "\r\n" });
        }
    }

    /// Writes the register and empties it for the next node.
    pub(super) fn write(&mut self, mut to: impl Write) -> io::Result<()> {
        to.write_all(&WINDOWS_1252.encode(HEADER).0)?;
        for rows in &mut self.by_date {
            to.write_all(&WINDOWS_1252.encode(rows).0)?;
            rows.clear();
        }
        to.flush()
    }
}

fn sex(man: bool, words: bool) -> &'static str {
    match (man, words) {
        (true, false) => "1",
        (false, false) => "2",
        (true, true) => "mies",
        (false, true) => "nainen",
    }
}

/// Draws how a municipality is written.
fn spelling(town: &Town, draw: &mut Draw) -> &'static str {
    if let Some(&(_, code, name)) = MERGED.iter().find(|m| m.0 == town.code) {
        match draw.below(100) {
            0..5 => return name,
            5..9 => return code,
            _ => {}
        }
    }
    match draw.below(100) {
        0..60 if town.code.starts_with('0') && draw.chance(400) => town.code.trim_start_matches('0'),
        0..60 => town.code,
        60..68 => SWEDISH.iter().find(|s| s.0 == town.code).map_or(town.name, |s| s.1),
        _ => town.name,
    }
}

fn push_number(out: &mut String, number: u32) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}
