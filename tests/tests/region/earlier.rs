//! A codebook that a newer one has followed: its extracts answer new questions, its
//! questions are answered still, and whoever reads logs knows both.

use super::signatures::{Key, link};
use koonti_disclosure::identity::Intent;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, Digest, TableRequest};
use koonti_node::extracts;
use koonti_node::keys::Keys;
use koonti_node::source::{self, Mapping};
use koonti_proto::wire::{Ask, Asked};
use koonti_tests::{Node, Plan, Region, Run, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The quarter whose extract is of the earlier codebook; 2026Q3 has one of today's.
const EARLIER: &str = "2026Q1";

#[test]
fn earlier_extracts_and_questions_are_answered_and_stay_as_they_are() {
    let earlier = &Codebook::shipped()[0];
    assert_ne!(earlier.hash(), Codebook::built_in().hash());
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    let extract = import_as_before(&region, earlier);
    let bytes = std::fs::read(&extract).expect("an extract");

    // Today's questions: what the extract does not say is unknown, the rest as it is.
    let ask = |question: &str| region.run_table("aino", &format!("{question} --period {EARLIER} --sd 5")).json();
    let by_status = ask("--by labour_status");
    assert_eq!(published(&by_status, "labour_status"), ["unknown"]);
    near(&by_status, "labour_status", "unknown", 240);
    let by_both = ask("--by contributing_factor,need --max-per-client 3");
    assert!(published(&by_both, "contributing_factor").iter().all(|code| code == "unknown" || code == "ANY"));
    near(&by_both, "need", "N01", 80);
    near(&ask("--by sex"), "sex", "1", 120);

    // A question of that time, over its own extract and over one of today.
    for (period, sd) in [(EARLIER, "6"), ("2026Q3", "6")] {
        let table = ask_as_before(&region, earlier, period, sd);
        near(&table, "sex", "2", 120);
    }
    assert!(std::fs::read(&extract).expect("an extract") == bytes, "it was rewritten");

    // Everybody who starts anew reads both in what is stored.
    let releases = region.node("kainuu").words("releases list --output json").ok().json();
    assert_eq!(releases.as_array().expect("a list").len(), 5);
    region.audit();
    region.take_coordinator().stop();
    region.take_node("kainuu").stop();
    replay(&region);
    region.start_coordinator();
    region.start_node("kainuu");
    region.wait_until_connected();
    let tables = region.person("aino").words("table list --output json").ok().json();
    let tables = tables.as_array().expect("a list");
    assert_eq!(tables.len(), 5);
    for table in tables {
        let id = table["id"].as_str().expect("an id");
        assert!(region.person("aino").words("table show").arg(id).ok().out.contains("Organisations counted: 1"));
    }
    // The same bytes at no cost, for a question of either.
    let spent = region.spent("kainuu", EARLIER);
    ask_as_before(&region, earlier, EARLIER, "6");
    assert_eq!(region.spent("kainuu", EARLIER), spent);
    region.audit();
}

/// Hands the node an extract as a version with the earlier codebook made it.
fn import_as_before(region: &Region, codebook: &Codebook) -> std::path::PathBuf {
    let disk = region.disk("kainuu");
    let keys = Keys::load(&disk.config().keys).expect("the node's keys");
    let mapping = Mapping::load(&disk.config().register).expect("a mapping");
    let imported = source::import(&mapping, codebook, &[5; 32]).expect("an import");
    let slice = imported.slices.into_values().next().expect("a quarter");
    let vintage = Digest([9; 32]);
    let period = EARLIER.parse().expect("a quarter");
    let state = &disk.config().state;
    let commitments =
        extracts::write(state, &keys.seal, vintage, &BTreeMap::from([(period, slice)])).expect("an extract");
    let order = json!({
        "do": "import", "commitments": commitments, "periods": [EARLIER], "register": mapping.register,
        "source": mapping.source, "vintage": vintage,
    });
    let path = state.join("inbox/1-earlier.json");
    std::fs::write(&path, order.to_string()).expect("an order");
    until("the daemon takes the order", Duration::from_secs(10), || (!path.exists()).then_some(()));
    assert!(!path.with_extension("bad").exists(), "the order was understood");
    until("the coordinator holds the log that says so", Duration::from_secs(20), || {
        let question = format!("table quote --by sex --period {EARLIER} --sd 5 --output json");
        let quote = region.person("aino").words(&question).say();
        (quote.code == 0 && quote.json()["nodes"][0]["refusal"].is_null()).then_some(())
    });
    state.join("extracts").join(vintage.short()).join(format!("{EARLIER}.extract"))
}

/// Asks for a table by sex as a program with the earlier codebook does; the table.
fn ask_as_before(region: &Region, codebook: &Codebook, period: &str, sd: &str) -> Value {
    let draft = Draft {
        max_events: None,
        register: "adult-social-work".into(),
        measure: Measure::Clients,
        score: None,
        by: vec!["sex".into()],
        periods: vec![period.parse().expect("a quarter")],
        release: ReleaseKind::PerNode,
        sd: Some(sd.into()),
        within: None,
        max_per_client: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::new(),
    };
    let request = TableRequest::resolve(&draft, &"ita".parse().expect("a name"), &[], codebook).expect("a question");
    assert_eq!(request.codebook(), codebook.hash());
    let id = request.id().to_string();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let signed = Key::of(region, "aino").sign("aino", request, Intent::Ask);
    let ask = Ask { request: signed, validate_only: false, timeout_s: 60, retry_missing: false, phase_timeout_s: 10 };
    let asked = runtime.block_on(link(region, "aino").ask(ask));
    assert!(matches!(asked, Ok(Asked::Table(..))), "the question is taken");
    until("the table is published", Duration::from_secs(30), || {
        let shown = region.person("aino").words("table show --output json").arg(&id).say();
        (shown.code == 0).then(|| shown.json()).filter(|table| table["cells"].is_array())
    })
}

/// The codes of a dimension that have a published figure.
fn published(table: &Value, dimension: &str) -> Vec<String> {
    let cells = table["cells"].as_array().unwrap_or_else(|| panic!("a table: {table}"));
    let shown = cells.iter().filter(|cell| cell["state"] == "published");
    let mut codes: Vec<String> =
        shown.map(|cell| cell["codes"][dimension].as_str().expect("a code").to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// A published figure lies within eight standard deviations of its truth.
fn near(table: &Value, dimension: &str, code: &str, truth: i64) {
    let cells = table["cells"].as_array().unwrap_or_else(|| panic!("a table: {table}"));
    let cell = cells.iter().find(|cell| cell["codes"][dimension] == code && cell["state"] == "published");
    let value = cell.unwrap_or_else(|| panic!("{code} is not shown"))["value"].as_i64().expect("a figure");
    assert!(value.abs_diff(truth) < 48, "{value} for {truth}");
}

/// On the node's premises every release is computed again, to the byte.
fn replay(region: &Region) {
    let home = region.home("kainuu");
    let bundle = region.dir().join("node.tar");
    region.node("kainuu").words("evidence export --out").arg(&bundle).ok();
    let run = Run::new("koonti-verify").arg("replay").arg(&bundle).arg("--state").arg(home.join("state"));
    let said = run.arg("--keys").arg(region.disk("kainuu").config().keys.clone()).words("--output json").ok();
    let rules = said.json();
    let checked: Vec<u64> =
        rules.as_array().expect("rules").iter().map(|rule| rule["checked"].as_u64().expect("a count")).collect();
    assert_eq!(checked[1..4], [2, 5, 5], "extracts, releases twice: {rules}");
}
