//! Reads the written files as a stranger would: by the codebook and the rules
//! of the import, sharing nothing with the code that wrote them but the link
//! from a register's client keys to persons.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;

type Fields = HashMap<String, String>;

fn plan(nodes: usize, clients: Option<usize>) -> Plan {
    Plan { seed: 20_260_930, nodes, clients }
}

fn written(plan: &Plan) -> (tempfile::TempDir, Vec<Node>) {
    let out = tempfile::tempdir().unwrap();
    let nodes = write(plan, out.path()).unwrap();
    (out, nodes)
}

fn people(out: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(out.join("people.csv")).unwrap();
    reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// By dimension, what a register may write and the code it means.
fn codebook() -> HashMap<String, HashMap<String, String>> {
    let book: serde_json::Value = serde_json::from_str(include_str!("../../../config/codebook.json")).unwrap();
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

fn rows(path: &Path) -> Vec<Fields> {
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
    Some(vec![
        if hidden { unknown() } else { area.unwrap_or_else(unknown) },
        age_group,
        sex.unwrap_or_else(unknown),
        if needs.is_empty() { unknown() } else { needs.join("|") },
        scores.join("|"),
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

fn derived(out: &Path, nodes: &[Node], plan: &Plan, changes: &mut [usize; 2]) -> Vec<Vec<String>> {
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

#[test]
fn people_csv_says_what_the_registers_mean() {
    let mut changes = [0; 2];
    for (nodes, clients) in [(12, 5000), (66, 4000), (70, 3000), (5, 1000)] {
        let plan = plan(nodes, Some(clients));
        let (out, nodes) = written(&plan);
        let told = people(out.path());
        let found = derived(out.path(), &nodes, &plan, &mut changes);
        assert_eq!(told.len(), found.len());
        let differing = told.iter().zip(&found).find(|(told, found)| told != found);
        assert_eq!(differing, None);
        for node in &nodes {
            let clients: BTreeSet<_> = told.iter().filter(|l| l[0] == node.name).map(|l| &l[1]).collect();
            assert_eq!(clients.len(), node.clients);
        }
        let distinct = told.iter().map(|l| &l[1]).collect::<BTreeSet<_>>().len();
        assert!(distinct.abs_diff(clients) < clients / 20, "{distinct} persons");
    }
    assert!(changes.iter().all(|&n| n > 20), "values change within quarters: {changes:?}");
}

#[test]
fn a_plan_fixes_every_byte() {
    let plan = plan(12, Some(800));
    let ((one, nodes), (two, _)) = (written(&plan), written(&plan));
    let (other, _) = written(&Plan { seed: 2, ..plan });
    let read = |out: &tempfile::TempDir, file: &str| fs::read(out.path().join(file)).unwrap();
    let registers = nodes.iter().map(|n| format!("{}/register.csv", n.name));
    for file in registers.chain(["people.csv".to_owned()]) {
        assert_eq!(read(&one, &file), read(&two, &file));
        assert_ne!(read(&one, &file), read(&other, &file));
    }
}

#[test]
fn every_municipality_is_served_by_as_many_nodes_as_asked_for() {
    for count in [5, 6, 12, 20, 66, 70] {
        let (out, nodes) = written(&plan(count, Some(500)));
        assert_eq!(nodes.len(), count);
        let served: BTreeSet<&String> = nodes.iter().flat_map(|n| &n.areas).collect();
        assert_eq!(served.len(), 66);
        let folders = fs::read_dir(out.path()).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir());
        assert_eq!(folders.count(), count);
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let out = Path::new("/nonexistent");
    for nodes in [0, MAX_NODES + 1] {
        assert!(matches!(write(&plan(nodes, None), out), Err(Error::Nodes(_))));
    }
    for clients in [0, 11, MAX_CLIENTS + 1] {
        assert!(matches!(write(&plan(12, Some(clients)), out), Err(Error::Clients { .. })));
    }
}

#[test]
fn the_mapping_names_columns_that_exist() {
    let (out, nodes) = written(&plan(6, Some(100)));
    let folder = out.path().join(&nodes[0].name);
    let mapping: toml::Table = fs::read_to_string(folder.join("register.toml")).unwrap().parse().unwrap();
    let row = &rows(&folder.join(mapping["file"].as_str().unwrap()))[0];
    let columns = mapping["columns"].as_table().unwrap();
    let scores = columns["scores"].as_table().unwrap().values();
    let marks = mapping["restrict"].as_table().unwrap().values().map(|m| &m[0]);
    let plain = columns.values().filter(|c| c.is_str());
    let marked = marks.chain([&columns["primary"]]).map(|m| &m["column"]);
    let mut named: Vec<&str> = plain.chain(scores).chain(marked).map(|c| c.as_str().unwrap()).collect();
    named.sort_unstable();
    let mut held: Vec<&str> = row.keys().map(String::as_str).collect();
    held.sort_unstable();
    assert_eq!(named, held);
}

#[test]
fn other_names_of_municipalities_are_in_the_codebook() {
    let book = codebook();
    let swedish = register::SWEDISH.map(|(code, name)| (code, name));
    let merged = register::MERGED.iter().flat_map(|&(now, code, name)| [(now, code), (now, name)]);
    for (code, word) in swedish.into_iter().chain(merged) {
        assert_eq!(book["area"][word], code);
    }
}

/// Full size: what the demonstration and the public figures rest on.
fn is_large_enough(nodes: usize) {
    let (out, nodes) = written(&plan(nodes, None));
    let mut cells: HashMap<(String, String, String), u32> = HashMap::new();
    let mut homes: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut quarters: BTreeMap<String, u32> = BTreeMap::new();
    let counties: BTreeSet<&str> = nodes[..6].iter().map(|n| n.name.as_str()).collect();
    for line in people(out.path()) {
        assert!(line[6].split('|').count() <= 5);
        if counties.contains(line[0].as_str()) {
            *cells.entry((line[0].clone(), line[2].clone(), line[4].clone())).or_default() += 1;
            *quarters.entry(line[2].clone()).or_default() += 1;
        }
        homes.entry(line[1].clone()).or_default().insert(line[0].clone());
    }
    for county in counties {
        for period in PERIODS {
            for age in ["18-24", "25-34", "35-44", "45-54", "55-64", "65-"] {
                let count = cells[&(county.to_owned(), period.to_owned(), age.to_owned())];
                assert!(count >= 250, "{county} {period} {age}: {count}");
            }
        }
    }
    assert!(quarters.values().all(|n| (39_500..41_000).contains(n)), "{quarters:?}");
    let at = |n: usize| homes.values().filter(|h| h.len() == n).count();
    assert!(at(2) * 100 > homes.len() / 2 && at(1) + at(2) == homes.len());
}

#[test]
fn six_counties_are_large_enough() {
    is_large_enough(6);
}

#[test]
fn twelve_nodes_are_large_enough() {
    is_large_enough(12);
}
