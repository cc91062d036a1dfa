//! What `koonti synth` writes in each dialect, read by the real import: the same people
//! give the same extracts, and the mapping that lies beside a register reads it.

use koonti_disclosure::Codebook;
use koonti_node::source::{self, Mapping};
use koonti_tests::Run;
use std::collections::BTreeMap;
use std::path::Path;

const DIALECTS: [&str; 7] = ["client-system", "spreadsheet", "warehouse", "archive", "swedish", "report", "parquet"];

fn synth(out: &Path, more: &str) -> Vec<(String, String)> {
    let said = Run::new("koonti").words("synth --seed 5 --nodes 7 --clients 1500 --out").arg(out).words(more).ok();
    let node = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[0].to_owned(), fields[3].to_owned())
    };
    said.out.lines().map(node).collect()
}

/// The mapping of a node. The program starts itself to unpack a Parquet file, which a test
/// cannot do: such a file is unpacked as the program would, and read as what that gives.
fn mapping(home: &Path) -> Mapping {
    let path = home.join("register.toml");
    let text = std::fs::read_to_string(&path).expect("a mapping");
    if !text.contains("kind = \"parquet\"") {
        return Mapping::load(&path).expect("a mapping");
    }
    let header = Run::new("koonti-node").words("register columns --").arg(home.join("register.parquet")).ok().out;
    let mut unpack = Run::new("koonti-node").words("register unpack --date d.m.yyyy --decimal=, --client=asiakas");
    for line in header.lines().skip(1) {
        let (column, why) = line.split_once(';').expect("two fields");
        assert_eq!(why, "\"\"", "{column}");
        unpack = unpack.arg(format!("--column={column}"));
    }
    let rows = unpack.arg("--").arg(home.join("register.parquet")).ok().out;
    std::fs::write(home.join("unpacked.csv"), rows).expect("a file");
    let text = text
        .replace("register.parquet", "unpacked.csv")
        .replace("kind = \"parquet\"", "delimiter = \";\"\nencoding = \"utf-8\"\ndate = \"d.m.yyyy\"\ndecimal = \",\"");
    let path = home.join("unpacked.toml");
    std::fs::write(&path, text).expect("a file");
    Mapping::load(&path).expect("a mapping")
}

/// The bytes of a node's extracts, the tags made under one key.
fn extracts(out: &Path, node: &str) -> BTreeMap<String, Vec<u8>> {
    let mapping = mapping(&out.join(node));
    assert_eq!(mapping.dimensions().len(), Codebook::built_in().dimensions().len(), "all are mapped");
    let imported = source::import(&mapping, Codebook::built_in(), &[3; 32]).unwrap_or_else(|e| panic!("{node}: {e}"));
    imported.slices.iter().map(|(period, slice)| (period.to_string(), slice.to_bytes())).collect()
}

/// What the command says of a register, but for what a dialect may change: how many
/// rows there are, and who is left out of it for being under age.
fn report(out: &Path, node: &str) -> Vec<String> {
    let home = out.join(node);
    let toml = include_str!("../../../config/node.toml");
    std::fs::write(home.join("node.toml"), toml).expect("a file");
    std::fs::write(home.join("policy.toml"), include_str!("../../../config/policy.toml")).expect("a file");
    let said = Run::new("koonti-node").arg("--config").arg(home.join("node.toml")).words("import --dry-run").ok();
    let lines = said.out.lines().filter(|line| line.contains(" 202") || line.contains("unknown"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_same_people_in_every_dialect_give_the_same_extracts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mixed = folder.path().join("mixed");
    let nodes = synth(&mixed, "");
    let mut seen: Vec<&str> = nodes.iter().map(|(_, dialect)| dialect.as_str()).collect();
    seen.sort_unstable();
    let mut all = DIALECTS;
    all.sort_unstable();
    assert_eq!(seen, all, "each of seven nodes writes otherwise");
    let people = std::fs::read(mixed.join("people.csv")).expect("people.csv");
    let expected: Vec<_> = nodes.iter().map(|(node, _)| extracts(&mixed, node)).collect();
    assert!(expected.iter().all(|slices| slices.len() == 5));
    for dialect in DIALECTS {
        let out = folder.path().join(dialect);
        synth(&out, &format!("--dialect {dialect}"));
        assert!(std::fs::read(out.join("people.csv")).expect("people.csv") == people, "{dialect}");
        for ((node, _), expected) in nodes.iter().zip(&expected) {
            assert!(extracts(&out, node) == *expected, "{node} as {dialect}");
        }
    }
    // The command itself, on one node in each dialect.
    let (first, _) = &nodes[0];
    let reports: Vec<_> = DIALECTS.iter().map(|dialect| report(&folder.path().join(dialect), first)).collect();
    assert_eq!(reports[0].len(), 6, "a header and five quarters: {:?}", reports[0]);
    assert!(reports[0][0].contains("labour_status unknown"), "{:?}", reports[0]);
    assert!(reports.iter().all(|report| *report == reports[0]), "{reports:#?}");
}

/// The keys of a mapping, in order, but for what only its author can know: what it covers,
/// the order of several needs in a row, and what marks too few rows to be seen.
fn keys(mapping: &str) -> Vec<&str> {
    let (head, restrict) = mapping.split_once("[restrict]").expect("a section");
    let keys = head.lines().map(|line| line.split_once('#').map_or(line, |(key, _)| key).trim());
    let told = |line: &&str| *line == "primary = \"first\"" || line.starts_with("coverage = ");
    let keys = keys.filter(|line| !line.is_empty() && !told(line));
    let marks = restrict.lines().filter(|line| line.contains("_if = "));
    let marks = marks.map(|line| line.trim_start_matches("# ").split_once(", value").expect("a value").0);
    keys.chain(marks).collect()
}

/// What is drafted from a register is the mapping that came with it, in every dialect.
#[test]
fn the_draft_of_a_register_is_its_mapping() {
    let folder = tempfile::tempdir().expect("a folder");
    for dialect in DIALECTS {
        let out = folder.path().join(dialect);
        let home = out.join(&synth(&out, &format!("--dialect {dialect}"))[0].0);
        let expected = std::fs::read_to_string(home.join("register.toml")).expect("a mapping");
        let is_parquet = dialect == "parquet";
        let register = home.join(if is_parquet { "register.parquet" } else { "register.csv" });
        let draft = home.join("draft.toml");
        Run::new("koonti-node").words("register draft").arg(&register).arg("--out").arg(&draft).ok();
        let draft = std::fs::read_to_string(&draft).expect("a draft");
        assert!(draft.contains("from all rows"), "{dialect}: {draft}");
        // Where their bytes are the same, nothing shows which of two encodings it is.
        let expected = expected.replace("\"iso-8859-15\"", "\"windows-1252\"");
        let mut found = keys(&draft);
        if is_parquet {
            // It need not say what such a file says itself.
            found.retain(|line| !["date = \"yyyy-mm-dd\"", "decimal = \".\""].contains(line));
        }
        assert_eq!(found, keys(&expected), "{dialect}: {draft}");
    }
}

/// One that is cut off is none.
#[test]
fn no_draft_of_half_a_parquet_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let register = folder.path().join(&synth(folder.path(), "--dialect parquet")[0].0).join("register.parquet");
    let bytes = std::fs::read(&register).expect("a register");
    std::fs::write(&register, &bytes[..bytes.len() / 2]).expect("a file");
    let draft = Run::new("koonti-node").words("register draft").arg(&register);
    draft.ends(1).complains("not a Parquet file, or a damaged one: export it anew");
}

/// Registers of events are read as such, whichever dialect they are in.
#[test]
fn visits_are_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = synth(folder.path(), "--events");
    for (node, _) in &nodes {
        let mapping = mapping(&folder.path().join(node));
        assert_eq!(mapping.row, source::Row::Event, "{node}");
        let imported =
            source::import(&mapping, Codebook::built_in(), &[3; 32]).unwrap_or_else(|e| panic!("{node}: {e}"));
        assert!(imported.slices.values().all(koonti_tally::Slice::has_events), "{node}");
    }
    let dialects: std::collections::BTreeSet<&String> = nodes.iter().map(|(_, dialect)| dialect).collect();
    assert_eq!(dialects.len(), 3, "{dialects:?}");
    let refused = Run::new("koonti").words("synth --events --dialect archive --out").arg(folder.path().join("none"));
    refused.ends(1).complains("its rows are no events");
}
