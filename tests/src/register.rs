//! Small registers whose true counts a test knows.
//!
//! Of `clients` clients in each quarter every second is a man; needs go round
//! N01, N02, N03; the age group is 35-44 for the first half of the clients and
//! 55-64 for the second; all live in one municipality.
//!
//! A register of events has a row for each: of client i there are 1 + i % 6, and the
//! j-th is about need i + j, counted round N01, N02, N03 and none.

use std::fmt::Write as _;
use std::path::Path;

/// How the register is read.
const MAPPING: &str = r#"source = "adult-social-work"
register = "adult-social-work"
file = "register.csv"
[format]
delimiter = ";"
encoding = "utf-8"
date = "d.m.yyyy"
decimal = ","
[columns]
client = "client"
date = "date"
birth_year = "born"
sex = "sex"
area = "area"
need = "need"
[columns.scores]
D07 = "D07"
[restrict]
exclude_if = []
hide_area_if = []
"#;

/// Writes `register.csv` and `register.toml` for quarters such as `2026Q3`.
///
/// # Panics
/// When they cannot be written.
pub fn write(dir: &Path, clients: usize, quarters: &[&str], area: &str) {
    let mut csv = String::from("client;date;born;sex;area;need;D07\n");
    for quarter in quarters {
        let (year, number) = quarter.split_once('Q').expect("a quarter such as 2026Q3");
        let month = number.parse::<u32>().expect("a quarter's number") * 3;
        for client in 0..clients {
            let (sex, need, score) = (1 + client % 2, 1 + client % 3, client % 11);
            let born = if client < clients / 2 { 1986 } else { 1966 };
            let _ = writeln!(csv, "C-{client:05};5.{month}.{year};{born};{sex};{area};N{need:02};{score}");
        }
    }
    std::fs::write(dir.join("register.csv"), csv).expect("a register");
    std::fs::write(dir.join("register.toml"), MAPPING).expect("a mapping");
}

/// Writes the same clients in a register whose rows are events.
///
/// # Panics
/// When it cannot be written.
pub fn write_events(dir: &Path, clients: usize, quarters: &[&str], area: &str) {
    let mut csv = String::from("client;date;born;sex;area;need;D07\n");
    for quarter in quarters {
        let (year, number) = quarter.split_once('Q').expect("a quarter such as 2026Q3");
        let month = number.parse::<u32>().expect("a quarter's number") * 3;
        for client in 0..clients {
            for event in 0..=client % 6 {
                let (sex, need) = (1 + client % 2, NEEDS[(client + event) % 4]);
                let _ = writeln!(csv, "C-{client:05};{}.{month}.{year};1986;{sex};{area};{need};", 1 + event);
            }
        }
    }
    std::fs::write(dir.join("register.csv"), csv).expect("a register");
    let mapping = MAPPING.replacen("file = ", "row = \"event\"\nfile = ", 1);
    std::fs::write(dir.join("register.toml"), mapping).expect("a mapping");
}

/// What events are about, in turn.
const NEEDS: [&str; 4] = ["N01", "N02", "N03", ""];

/// How many clients of [`write_events`] have an event in a cell by sex or need, and how
/// many events that are when at most `most` of each client count.
pub fn events(clients: usize, most: usize, codes: &serde_json::Value) -> (i64, i64) {
    let code = |dimension: &str| codes[dimension].as_str();
    let in_cell = |client: &usize| code("sex").is_none_or(|sex| sex == ["1", "2"][client % 2]);
    let about = |client: usize, event: usize| match (code("need"), NEEDS[(client + event) % 4]) {
        (None | Some("ANY"), _) | (Some("unknown"), "") => true,
        (Some(code), need) => code == need,
    };
    let own = |client: usize| (0..=client % 6).filter(|event| about(client, *event)).count().min(most);
    let events: Vec<usize> = (0..clients).filter(in_cell).map(own).filter(|own| *own > 0).collect();
    let number = |n: usize| i64::try_from(n).expect("small");
    (number(events.len()), number(events.iter().sum()))
}

/// How many of a node's clients are in a cell, by the cell's codes: the truth that a
/// test holds figures against.
pub fn count(clients: usize, area: &str, codes: &serde_json::Value) -> i64 {
    let code = |dimension: &str| codes[dimension].as_str().filter(|code| *code != "ANY");
    // Which of those that go round; none when it is a code that nobody has.
    let place = |dimension: &str, names: &[&str]| match code(dimension) {
        None => Some(None),
        Some(code) => names.iter().position(|name| *name == code).map(Some),
    };
    let (sex, need) = (place("sex", &["1", "2"]), place("need", &["N01", "N02", "N03"]));
    let (Some(sex), Some(need), Some(age)) = (sex, need, place("age_group", &["35-44", "55-64"])) else { return 0 };
    let is = |wanted: Option<usize>, own: usize| wanted.is_none_or(|wanted| wanted == own);
    let counted = (0..clients)
        .filter(|client| is(sex, client % 2) && is(need, client % 3) && is(age, usize::from(*client >= clients / 2)));
    let lives_there = code("area").is_none_or(|code| code == area);
    if lives_there { i64::try_from(counted.count()).expect("small") } else { 0 }
}
