//! Events: six nodes, of which one has a register without any, asked per organisation
//! and for a regional sum; figures held against the registers, the evidence verified.

use koonti_tests::{Events, Node, Plan, Region, Run, register};
use serde_json::{Value, json};

const CLIENTS: usize = 360;
/// At most so many events of one client in a figure; the most active have six.
const MOST: usize = 3;
const HELD: [(&str, &str); 5] =
    [("etela", "205"), ("ita", "297"), ("keski", "491"), ("lansi", "167"), ("pohja", "405")];
const BY_SEX: &str = "--measure events --max-events 3 --by sex --period 2026Q3 --sd 5";

#[test]
fn events_from_register_to_figures() {
    let node = |(name, area)| Node { clients: CLIENTS, events: Events::Held, ..Node::auto(name, area) };
    let plan = HELD.into_iter().map(node).fold(Plan::new(), Plan::node);
    let plan = plan.node(Node { events: Events::NotHeld, ..Node::auto("vanha", "564") });
    let mut region = plan.person("aino", "requester").start();
    refused_where_not_held(&region);
    per_organisation(&region);
    regional(&region);
    region.audit();
    let spent: Vec<u64> = HELD.iter().map(|(node, _)| region.spent(node, "2026Q3")).collect();
    // Each twice its clients, but that the regional one's second vector has a smaller rest.
    assert_eq!(spent, [40_000_000 + 50_000_000 + 42_933_334; 5]);
    assert_eq!(region.spent("vanha", "2026Q3"), 0);
    replayed(&mut region);
}

/// The node without events would refuse, and nothing is spent for it; nor is it for a
/// question that is none.
fn refused_where_not_held(region: &Region) {
    let quote = region.person("aino").words("table quote --output json").words(BY_SEX).say();
    quote.complains("the noise on events is 3 times that on clients");
    let quote = quote.json();
    for node in quote["nodes"].as_array().expect("nodes") {
        let held = node["node"] != "vanha";
        assert_eq!(node["refusal"], if held { Value::Null } else { json!("MEASURE_NOT_HELD") }, "{node}");
        assert!(!held || node["cost_nano_rho"] == 40_000_000, "{node}");
    }
    let ask = |line: &str| region.person("aino").words("table run --by sex --period 2026Q3 --sd 5").words(line).ends(2);
    ask("--measure events").complains("needs max_events, from 1 to 100");
    ask("--max-events 3").complains("only that measure has it");
}

fn per_organisation(region: &Region) {
    let said = region.run_table("aino", BY_SEX);
    assert_eq!(said.code, 4, "a node is missing: {said:?}");
    let table = said.json();
    assert_eq!(table["missing"], json!([{"node": "vanha", "reason": "MEASURE_NOT_HELD"}]));
    assert_eq!(table["cost_nano_rho"], 40_000_000);
    // Two figures of each of five nodes: a standard deviation of 5 and of 15 on each.
    figures(&table, 5.0f64.sqrt() * 5.0, 2);
    let by_need = "--measure events --max-events 3 --by need --where need=N01,N02,N03,unknown --max-per-client 5";
    let by_need = region.run_table("aino", &format!("{by_need} --period 2026Q3 --sd 10"));
    assert_eq!(by_need.code, 4, "{by_need:?}");
    figures(&by_need.json(), 5.0f64.sqrt() * 10.0, 5);

    let list = region.node("keski").words("releases list").ok().out;
    assert!(list.contains("events by sex, 2026Q3, at most 3 events per client and figure"), "{list}");
    let id = table["id"].as_str().expect("an id");
    let own = region.node("keski").words("releases show --output json").arg(id).ok().json();
    let men = own.as_array().expect("cells").iter().find(|c| c["codes"]["sex"] == "1").expect("a cell");
    let (clients, events) = register::events(CLIENTS, MOST, &men["codes"]);
    near(&men["clients"], clients, 5.0);
    near(&men["value"], events, 15.0);
    let shown = region.person("aino").words("table show").arg(id).ends(4).out;
    for said in [
        "Events / sex",
        "events per client",
        "At most 3 events per client and figure counted",
        "3 times that on clients",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

fn regional(region: &Region) {
    let said = region.run_table("aino", &format!("--release regional {BY_SEX}"));
    assert_eq!(said.code, 4, "one of six is missing: {said:?}");
    let table = said.json();
    assert_eq!((&table["nodes_counted"], &table["nodes_missing"]), (&json!(5), &json!(["vanha"])));
    // Of six nodes five give noise sized for four: 25 times 5/4.
    assert_eq!(table["variance_present"], json!([125, 4]));
    assert_eq!(table["cost_nano_rho"], 42_933_334);
    figures(&table, table["sd_present"].as_f64().expect("a number"), 2);
    for cell in table["cells"].as_array().expect("cells").iter().filter(|c| c["state"] == "published") {
        let half = (cell["high"].as_i64().expect("high") - cell["low"].as_i64().expect("low")) / 2;
        assert!((32..=33).contains(&half), "1.96 times 3 times the root of 125/4: {cell}");
        assert_eq!(cell.get("share"), None, "{cell}");
    }
}

/// Published are so many figures, and they are the registers' but for noise.
fn figures(table: &Value, sd: f64, expected: usize) {
    let published: Vec<&Value> =
        table["cells"].as_array().expect("cells").iter().filter(|c| c["state"] == "published").collect();
    assert_eq!(published.len(), expected, "{table}");
    for cell in published {
        let (clients, events) = register::events(CLIENTS, MOST, &cell["codes"]);
        near(&cell["clients"], 5 * clients, sd);
        near(&cell["value"], 5 * events, 3.0 * sd);
        #[expect(clippy::cast_precision_loss, reason = "small figures")]
        let truth = events as f64 / clients as f64;
        let ratio = cell["per_client"]["value"].as_f64().expect("a ratio");
        assert!((ratio - truth).abs() < 0.5 && cell.get("sum").is_none(), "{ratio} where it is {truth}: {cell}");
    }
}

/// Six standard deviations: further away once in 500 million.
fn near(figure: &Value, truth: i64, sd: f64) {
    let figure = figure.as_i64().expect("a figure");
    #[expect(clippy::cast_precision_loss, reason = "small figures")]
    let off = (figure - truth) as f64;
    assert!(off.abs() <= 6.0 * sd, "{figure} where it is {truth}");
}

/// On the premises the same release is computed again from seed and extract.
fn replayed(region: &mut Region) {
    region.take_node("keski").stop();
    let (bundle, home) = (region.dir().join("node.tar"), region.home("keski"));
    region.node("keski").words("evidence export --out").arg(&bundle).ok();
    let run = Run::new("koonti-verify").arg("replay").arg(&bundle).arg("--state").arg(home.join("state"));
    let run = run.arg("--keys").arg(region.disk("keski").config().keys.clone());
    let rules = run.words("--output json").ok().json();
    let checked: Vec<Option<u64>> = rules.as_array().expect("rules").iter().map(|r| r["checked"].as_u64()).collect();
    assert_eq!(checked[1..4], [Some(1), Some(2), Some(2)], "{rules}");
}
