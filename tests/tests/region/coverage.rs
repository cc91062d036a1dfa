//! What registers cover, as their operators state it: into the log with the import, under
//! every table that counts the register, and checked against the logs.

use koonti_tests::{Node, Plan, Region, until};
use serde_json::{Value, json};
use std::time::Duration;

const QUARTERS: &[&str] = &["2026Q2", "2026Q3"];

/// Five organisations: one states a pilot, one everything, three nothing.
fn region() -> Region {
    let areas = [("etela", "205"), ("ita", "297"), ("keski", "491"), ("lansi", "167"), ("pohja", "405")];
    let state = |name| match name {
        "ita" => Some("pilot"),
        "keski" => Some("all"),
        _ => None,
    };
    let node = |(name, area)| Node { coverage: state(name), quarters: QUARTERS, ..Node::auto(name, area) };
    areas.into_iter().map(node).fold(Plan::new(), Plan::node).person("aino", "requester").start()
}

fn stated(coverage: &str, node: &str, periods: &[&str]) -> Value {
    json!({"coverage": coverage, "node": node, "periods": periods})
}

#[test]
fn a_table_says_what_its_registers_cover() {
    let region = region();
    let per_node = "--by sex --period 2026Q3 --sd 5";
    let regional = "--release regional --by sex --period 2026Q3 --sd 5";
    let expected = json!([stated("pilot", "ita", &["2026Q3"]), stated("all", "keski", &["2026Q3"])]);
    for question in [per_node, regional] {
        let said = region.run_table("aino", question);
        assert_eq!((said.code, &said.json()["coverage"]), (0, &expected), "{said:?}");
        let id = said.json()["id"].as_str().expect("an id").to_owned();
        let shown = region.person("aino").words("table show").arg(&id).ok().out;
        for note in ["covers a pilot only: ita", "covers all units: keski", "not stated: etela, lansi, pohja"] {
            assert!(shown.contains(note), "{note} is not in\n{shown}");
        }
        let csv = region.person("aino").words("table show --output csv").arg(&id).ok().out;
        assert!(csv.lines().next().expect("a header").ends_with(",coverage"), "{csv}");
        assert!(csv.lines().skip(1).all(|line| line.ends_with(",all: keski; pilot: ita")), "{csv}");
    }

    // The pilot becomes everything; the quarter that was released from stays with the
    // extract it was released from, and so with what was stated of that.
    let mapping = region.home("ita").join("register.toml");
    let text = std::fs::read_to_string(&mapping).expect("a mapping");
    std::fs::write(&mapping, text.replace("\"pilot\"", "\"all\"")).expect("a file");
    let imported = region.node("ita").arg("import").ok();
    assert!(imported.out.contains("states that the register covers all units"), "{}", imported.out);
    let all = || (region.disk("ita").entries().len() as u64 == mirrored(&region, "ita")).then_some(());
    until("the import is in the coordinator's copy", Duration::from_secs(20), all);
    let said = region.run_table("aino", "--by sex --period 2026Q2,2026Q3 --sd 6");
    let expected = json!([
        stated("all", "ita", &["2026Q2"]),
        stated("pilot", "ita", &["2026Q3"]),
        stated("all", "keski", QUARTERS),
    ]);
    assert_eq!((said.code, &said.json()["coverage"]), (0, &expected), "{said:?}");
    let id = said.json()["id"].as_str().expect("an id").to_owned();
    let shown = region.person("aino").words("table show").arg(&id).ok().out;
    assert!(shown.contains("covers a pilot only: ita (2026Q3)"), "{shown}");

    let list = region.node("ita").words("releases list --output json").ok().json();
    let covers: Vec<&Value> = list.as_array().expect("a list").iter().map(|item| &item["coverage"]).collect();
    let pilot = json!({"2026Q3": "pilot"});
    assert_eq!(covers, [&pilot, &pilot, &json!({"2026Q2": "all", "2026Q3": "pilot"})]);
    let silent = region.node("etela").words("releases list --output json").ok().json();
    assert!(silent.as_array().expect("a list").iter().all(|item| item.get("coverage").is_none()), "{silent}");
    let check = region.node("etela").words("check --output json").say().json();
    let item = check.as_array().expect("items").iter().find(|item| item["item"] == "coverage").expect("an item");
    assert!(item["text"].as_str().expect("a text").contains("does not state"), "{item}");

    region.audit();
}

/// How many entries of a node's log the coordinator holds.
fn mirrored(region: &Region, node: &str) -> u64 {
    let path = region.coordinator_state().join("logs").join(format!("{node}.journal"));
    koonti_journal::read(&path).map_or(0, |entries| entries.len() as u64)
}
