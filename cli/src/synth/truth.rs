//! What a client's rows of a quarter mean: the truth that `people.csv` holds.
//!
//! Applies the rules of the import and nothing else: the latest filled-in value
//! of birth year, sex, home, household, activity and each score; distinct needs, the
//! primary one first, factors and tasks; a hidden home is unknown; nobody under 18. Whoever has restricted
//! processing is left out before this. Bounds no contributions.

use std::fmt::Write as _;

use super::calendar::ALL;
use super::circumstances::{ACTIVITIES, FACTORS, HOUSEHOLDS, TASKS};
use super::needs::NEEDS;
use super::people::Person;
use super::topology::Town;
use super::visit::{NOT_ASKED, Place, Row};

/// The first line of `people.csv`.
pub(super) const HEADER: &str =
    "node,client,period,area,age_group,sex,needs,scores,household,labour_status,factors,service_tasks\n";

const UNKNOWN: &str = "unknown";

/// Appends a client's line of a quarter, unless under 18; says whether it did.
/// `client` is the person's number at the node `node`.
pub(super) fn line(
    out: &mut String,
    (node, client): (&str, u32),
    (person, hidden): (&Person, bool),
    (q, rows): (usize, &[Row]),
    towns: &[Town],
) -> bool {
    let quarter = &ALL[q];
    let age = latest(rows, |r| r.birth_year.then_some(quarter.year - person.birth_year));
    let age_group = match age {
        None => UNKNOWN,
        Some(..18) => return false,
        Some(18..25) => "18-24",
        Some(25..35) => "25-34",
        Some(35..45) => "35-44",
        Some(45..55) => "45-54",
        Some(55..65) => "55-64",
        Some(65..) => "65-",
    };
    let sex = match latest(rows, |r| r.sex.then_some(person.man)) {
        None => UNKNOWN,
        Some(true) => "1",
        Some(false) => "2",
    };
    let place = latest(rows, |r| (r.place != Place::Blank).then_some(r.place));
    let area = match place {
        Some(Place::Town(town)) if !hidden => towns[usize::from(town)].code,
        _ => UNKNOWN,
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "{node},{},{},{area},{age_group},{sex},", client_code(client), quarter.code);
    write_needs(out, rows);
    out.push(',');
    write_scores(out, rows);
    let code = |at: u8, codes: &[&'static str]| codes.get(usize::from(at)).copied().unwrap_or(UNKNOWN);
    let household = latest(rows, |r| r.household).map_or(UNKNOWN, |at| code(at, &HOUSEHOLDS));
    let activity = latest(rows, |r| r.activity).map_or(UNKNOWN, |at| code(at, &ACTIVITIES));
    // All rows with a need have the same factors and tasks: a client's combinations are
    // those of its needs with all of these.
    let with_need = || rows.iter().filter(|r| r.need > 0);
    let factors = with_need().next().map_or_else(Vec::new, |r| r.factors.codes(&FACTORS).collect());
    let tasks = with_need().next().map_or_else(Vec::new, |r| r.tasks.codes(&TASKS).collect());
    debug_assert!(with_need().all(|r| r.factors.codes(&FACTORS).eq(factors.iter().copied())));
    let _ = writeln!(out, ",{household},{activity},{},{}", joined(&factors), joined(&tasks));
    true
}

fn joined(codes: &[&str]) -> String {
    if codes.is_empty() { UNKNOWN.to_owned() } else { codes.join("|") }
}

/// A person's name in `people.csv`, as `P0000123`.
pub(super) fn client_code(person: u32) -> String {
    format!("P{:07}", person + 1)
}

/// The value on the latest date among rows that have one.
fn latest<T>(rows: &[Row], value: impl Fn(&Row) -> Option<T>) -> Option<T> {
    let filled = rows.iter().filter_map(|r| value(r).map(|v| (r.day, v)));
    filled.max_by_key(|&(day, _)| day).map(|(_, v)| v)
}

fn write_needs(out: &mut String, rows: &[Row]) {
    let primary = rows.iter().find(|r| r.primary).map_or(0, |r| r.need);
    if primary == 0 {
        out.push_str(UNKNOWN);
        return;
    }
    let _ = write!(out, "N{primary:02}");
    let others = (1..=NEEDS as u8).filter(|&n| n != primary && rows.iter().any(|r| r.need == n));
    for need in others {
        let _ = write!(out, "|N{need:02}");
    }
}

fn write_scores(out: &mut String, rows: &[Row]) {
    let mut between = "";
    for domain in 0..NEEDS {
        let asked = |r: &Row| (r.scores[domain] != NOT_ASKED).then_some(r.scores[domain]);
        if let Some(score) = latest(rows, asked) {
            let _ = write!(out, "{between}D{:02}:{score}", domain + 1);
            between = "|";
        }
    }
}
