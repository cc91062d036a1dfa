//! What the synthetic registers promise, checked on the written files.

mod derive;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::*;
use derive::{codebook, derived};
use koonti_disclosure::coverage::Coverage;

fn plan(nodes: usize, clients: Option<usize>) -> Plan {
    Plan { seed: 20_260_930, nodes, clients, dialect: None, events: false }
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

#[test]
fn people_csv_says_what_the_registers_mean() {
    let mut changes = [0; 2];
    for (nodes, clients) in [(12, 5000), (66, 4000), (70, 3000), (5, 1000)] {
        // The other dialects mean the same: their extracts are equal, as `koonti-tests` proves.
        let plan = Plan { dialect: Some(Dialect::ClientSystem), ..plan(nodes, Some(clients)) };
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
    // A seed with which each node has the same dialect.
    let (other, _) = written(&Plan { seed: plan.seed + dialect::ALL.len() as u64, ..plan });
    let read = |out: &tempfile::TempDir, file: &str| fs::read(out.path().join(file)).unwrap();
    let registers = nodes.iter().map(|n| format!("{}/{}", n.name, n.dialect.form().file()));
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
fn the_mapping_names_every_column() {
    for dialect in dialect::ALL {
        let form = dialect.form();
        let mapping: toml::Table = mapping::mapping(&form, false, Coverage::All).parse().unwrap();
        let mut named = BTreeSet::new();
        names(&mapping["columns"], &mut named);
        names(&mapping["restrict"], &mut named);
        for column in mapping::columns(&form) {
            assert!(named.contains(&column), "{dialect:?}: {column}");
        }
    }
}

/// Every string of a part of a mapping.
fn names(value: &toml::Value, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::String(name) => {
            found.insert(name.clone());
        }
        toml::Value::Array(list) => list.iter().for_each(|v| names(v, found)),
        toml::Value::Table(table) => table.values().for_each(|v| names(v, found)),
        _ => {}
    }
}

#[test]
fn seven_nodes_have_every_dialect_and_those_everything_that_is_read() {
    for (seed, nodes) in [(1, 7), (2, 7), (7, 12), (11, 66)] {
        let seen: HashSet<String> =
            (0..nodes).map(|at| format!("{:?}", mixed(&Plan { seed, ..plan(nodes, None) }, at))).collect();
        assert_eq!(seen.len(), dialect::ALL.len());
    }
    let forms = dialect::ALL.map(Dialect::form);
    let kinds = |kind: &dyn Fn(&dialect::Form) -> String| forms.iter().map(kind).collect::<HashSet<_>>().len();
    assert_eq!(kinds(&|f| f.delimiter.to_string()), 3);
    assert_eq!(kinds(&|f| format!("{} {}", f.encoding.name(), f.marked)), 4);
    let date = |f: &dialect::Form| {
        let mapping = mapping::mapping(f, false, Coverage::All);
        mapping.lines().find(|l| l.starts_with("date =")).map(str::to_owned)
    };
    assert_eq!(kinds(&|f| date(f).unwrap_or_default()), 4, "three, and none in a file that types them");
    assert_eq!(kinds(&|f| f.file().to_owned()), 2);
    assert!(forms.iter().any(|f| matches!(f.dates, dialect::Dates::WithTime)));
    assert_eq!(kinds(&|f| f.decimal.to_string()), 2);
    assert_eq!(kinds(&|f| (f.age as u8).to_string()), 4);
    assert_eq!(kinds(&|f| (f.places as u8).to_string()), 5);
    let layouts: [fn(&dialect::Form) -> dialect::Layout; 3] = [|f| f.needs, |f| f.factors, |f| f.tasks];
    for layout in layouts {
        assert!(kinds(&|f| format!("{:?}", std::mem::discriminant(&layout(f)))) == 3);
    }
}

#[test]
fn the_dialect_changes_nobody() {
    let people = |dialect| {
        let (out, _) = written(&Plan { dialect, ..plan(6, Some(600)) });
        fs::read(out.path().join("people.csv")).unwrap()
    };
    let mixed = people(None);
    assert!(dialect::ALL.into_iter().all(|dialect| people(Some(dialect)) == mixed));
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
    assert!(quarters.values().all(|n| (39_900..40_900).contains(n)), "{quarters:?}");
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
