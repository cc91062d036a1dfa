//! Reads registers as a stranger would: by the codebook and the rules of the
//! import, sharing nothing with the code that wrote them but the link from a
//! register's client keys to persons.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::super::{Node, Plan, key, populate, topology, truth};

pub(super) type Fields = HashMap<String, String>;

/// What `people.csv` should hold, from the registers of the nodes alone.
/// Counts in `changes` how often a home, and a score, changed in a quarter.
pub(super) fn derived(out: &Path, nodes: &[Node], plan: &Plan, changes: &mut [usize; 2]) -> Vec<Vec<String>> {
    let persons = persons(plan);
    let mut lines = Vec::new();
    for node in nodes {
        let rows = rows(&out.join(&node.name).join("register.csv"));
        let mut clients: BTreeMap<&str, Vec<&Fields>> = BTreeMap::new();
        rows.iter().for_each(|r| clients.entry(&r["asiakas"]).or_default().push(r));
        for (key, rows) in clients {
            if rows.iter().any(|r| r["kielto"] == "k") {
                continue;
            }
            let hidden = rows.iter().any(|r| r["turvakielto"] == "k");
            let mut quarters: BTreeMap<String, Vec<&Fields>> = BTreeMap::new();
            for row in rows {
                let (year, month, _) = date(row);
                quarters.entry(format!("{year}Q{}", month.div_ceil(3))).or_default().push(row);
            }
            for (period, rows) in quarters {
                let line = vec![node.name.clone(), persons[&node.name][key].clone(), period];
                lines.extend(meaning(&rows, hidden, changes).map(|m| [line, m].concat()));
            }
        }
    }
    lines.sort();
    lines
}

/// By dimension, what a register may write and the code it means.
pub(super) fn codebook() -> HashMap<String, HashMap<String, String>> {
    let book: serde_json::Value = serde_json::from_str(include_str!("../../../../config/codebook.json")).unwrap();
    let mut all = HashMap::new();
    for dimension in book["dimensions"].as_array().unwrap() {
        let mut codes = HashMap::new();
        for entry in dimension["codes"].as_array().unwrap() {
            let code = entry["code"].as_str().unwrap();
            let synonyms = entry["synonyms"].as_array().into_iter().flatten();
            let words = [&entry["code"], &entry["fi"], &entry["sv"]].into_iter().chain(synonyms);
            for word in words.filter_map(|w| w.as_str()) {
                codes.insert(word.to_owned(), code.to_owned());
                codes.insert(word.trim_start_matches('0').to_owned(), code.to_owned());
            }
        }
        all.insert(dimension["id"].as_str().unwrap().to_owned(), codes);
    }
    all
}

pub(super) fn rows(path: &Path) -> Vec<Fields> {
    let bytes = fs::read(path).unwrap();
    assert!(bytes.ends_with(b"\r\n"));
    let (text, _, replaced) = encoding_rs::WINDOWS_1252.decode(&bytes);
    assert!(!replaced);
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
    reader.deserialize().map(|r| r.unwrap()).collect()
}

/// Year, month, day.
fn date(row: &Fields) -> (u32, u32, u32) {
    let parts: Vec<u32> = row["pvm"].split('.').map(|p| p.parse().unwrap()).collect();
    (parts[2], parts[1], parts[0])
}

/// The latest filled-in value of a field; none contradicts it on its date.
fn latest(rows: &[&Fields], code: impl Fn(&Fields) -> Option<String>, changes: &mut usize) -> Option<String> {
    let mut by_date = BTreeMap::new();
    for row in rows {
        if let Some(value) = code(row) {
            let before = by_date.insert(date(row), value.clone());
            assert!(before.is_none_or(|b| b == value), "two values on {}", row["pvm"]);
        }
    }
    *changes += usize::from(by_date.values().collect::<BTreeSet<_>>().len() > 1);
    by_date.pop_last().map(|(_, value)| value)
}

/// What the rows of one client in one quarter mean, from area to scores;
/// nothing for somebody under 18.
fn meaning(rows: &[&Fields], hidden: bool, changes: &mut [usize; 2]) -> Option<Vec<String>> {
    thread_local!(static BOOK: HashMap<String, HashMap<String, String>> = codebook());
    let coded = |dimension: &str, column: &str, row: &Fields| {
        let value = &row[column];
        (!value.is_empty()).then(|| BOOK.with(|b| b[dimension][value].clone()))
    };
    let unknown = || "unknown".to_owned();
    let area = latest(rows, |r| coded("area", "kotikunta", r), &mut changes[0]);
    let filled = |column: &str, r: &Fields| (!r[column].is_empty()).then(|| r[column].clone());
    let born = latest(rows, |r| filled("syntymävuosi", r), &mut 0);
    let age_group = match born.map(|b| date(rows[0]).0 - b.parse::<u32>().unwrap()) {
        None => unknown(),
        Some(..18) => return None,
        Some(18..=24) => "18-24".to_owned(),
        Some(65..) => "65-".to_owned(),
        Some(age) => {
            let from = (age - 5) / 10 * 10 + 5;
            format!("{from}-{}", from + 9)
        }
    };
    let sex = latest(rows, |r| coded("sex", "sukupuoli", r), &mut 0);
    let need = |r: &&&Fields| coded("need", "tarve", r);
    let all: BTreeSet<String> = rows.iter().filter_map(|r| need(&r)).collect();
    let first: BTreeSet<String> = rows.iter().filter(|r| r["ensisijainen"] == "k").filter_map(|r| need(&r)).collect();
    assert_eq!(first.len(), usize::from(!all.is_empty()), "one primary need");
    let needs: Vec<&str> = first.iter().chain(all.difference(&first)).map(String::as_str).collect();
    let mut scores = Vec::new();
    for domain in 1..=10 {
        let column = format!("D{domain:02}");
        if let Some(score) = latest(rows, |r| filled(&column, r), &mut changes[1]) {
            let whole: u8 = score.strip_suffix(",0").unwrap().parse().unwrap();
            assert!(whole <= 10);
            scores.push(format!("{column}:{whole}"));
        }
    }
    // Factors and tasks stand with every need, the same throughout a quarter.
    let listed = |column: &str| {
        let of = |r: &&Fields| r[column].split('|').filter(|c| !c.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let lists: BTreeSet<Vec<String>> = rows.iter().filter(|r| !r["tarve"].is_empty()).map(of).collect();
        assert!(lists.len() < 2, "{column} differs within a quarter");
        assert!(rows.iter().all(|r| !r["tarve"].is_empty() || r[column].is_empty()));
        lists.into_iter().next().filter(|list| !list.is_empty()).map_or_else(unknown, |list| list.join("|"))
    };
    let household = latest(rows, |r| coded("household", "kotitalous", r), &mut 0);
    let activity = latest(rows, |r| coded("labour_status", "toiminta", r), &mut 0);
    Some(vec![
        if hidden { unknown() } else { area.unwrap_or_else(unknown) },
        age_group,
        sex.unwrap_or_else(unknown),
        if needs.is_empty() { unknown() } else { needs.join("|") },
        scores.join("|"),
        household.unwrap_or_else(unknown),
        activity.unwrap_or_else(unknown),
        listed("tekija"),
        listed("palvelutehtava"),
    ])
}

/// Each site's client keys and the persons they stand for.
fn persons(plan: &Plan) -> HashMap<String, HashMap<String, String>> {
    let towns = topology::towns();
    let sites = topology::sites(plan.nodes, &towns);
    let region = populate::populate(plan.seed, plan.clients, &towns, &sites);
    let named = (0..sites.len()).map(|at| {
        let members = region.members[at].iter().enumerate();
        let pairs = members.map(|(nth, member)| {
            let person = &region.people[member.person as usize];
            (key(&sites, at, nth, person), truth::client_code(member.person))
        });
        let keys: HashMap<_, _> = pairs.collect();
        assert_eq!(keys.len(), region.members[at].len(), "keys are distinct");
        (sites[at].name.clone(), keys)
    });
    named.collect()
}
