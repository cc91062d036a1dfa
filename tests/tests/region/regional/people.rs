//! Regional tables where a person at each node decides.

use super::{SOON, counts, ends, five, ledger, names, question, rounds, without};
use koonti_tests::{Region, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How far each node has come, and its refusal, as a person asking sees it.
fn standings(region: &Region, id: &str) -> Vec<(String, Value)> {
    let list = region.person("ville").words("table list --output json").ok().json();
    let table = list.as_array().and_then(|all| all.iter().find(|t| t["id"] == id)).expect("the table").clone();
    let nodes = table["nodes"].as_array().expect("nodes").iter();
    nodes.map(|n| (n["progress"].as_str().expect("a code").to_owned(), n["refusal"].clone())).collect()
}

/// Waits until exactly these many nodes are ready and refused; the others wait for a
/// person.
#[track_caller]
fn wait_for_standings(region: &Region, id: &str, ready: usize, refused: usize) {
    until(&format!("{ready} ready, {refused} refused"), SOON, || {
        let standings = standings(region, id);
        let at = |code: &str| standings.iter().filter(|(progress, _)| progress == code).count();
        let found = (at("READY"), at("REFUSED"), at("AWAITING_APPROVAL"));
        (found == (ready, refused, 5 - ready - refused)).then_some(())
    });
}

/// Asks, and waits until a person at every node is asked.
fn ask(region: &Region, question: &str) -> String {
    let id = region.ask("aino", question);
    for node in names() {
        region.wait_for_question(node, &id, "waiting");
    }
    id
}

/// At the same time everywhere.
fn decide(region: &Region, nodes: &[&str], verb: &str, id: &str) {
    let decide = |node| drop(region.node(node).words("requests").arg(verb).arg(id).ok());
    std::thread::scope(|scope| nodes.iter().for_each(|node| drop(scope.spawn(|| decide(node)))));
}

#[track_caller]
fn nothing_spent(region: &Region, nodes: &[&str], quarter: &str, id: &str) {
    for node in nodes {
        assert_eq!((region.spent(node, quarter), ledger(region, node, id)), (0, vec![]), "{node}");
    }
}

#[test]
fn people_decide_before_the_sum_begins() {
    let mut region = five(&names()).start();
    // Two questions whose time runs out while the others are looked at.
    let few = Hasty::ask(&region, "2025Q4", &["ita", "lansi"]);
    let enough = Hasty::ask(&region, "2026Q1", &["etela"]);
    one_by_one(&mut region);
    two_decline(&region);
    std::thread::sleep(Duration::from_secs(14).saturating_sub(few.asked.elapsed()));
    too_few_in_time(&region, &few);
    one_is_silent(&region, &enough);
    region.audit();
}

/// A question with little time.
struct Hasty {
    question: String,
    id: String,
    asked: Instant,
}

impl Hasty {
    /// Asks; people at all nodes but the silent ones say yes at once.
    fn ask(region: &Region, quarter: &str, silent: &[&str]) -> Self {
        let (asked, question) = (Instant::now(), question(quarter, "5"));
        let id = ask(region, &format!("{question} --timeout 10"));
        decide(region, &without(silent), "approve", &id);
        wait_for_standings(region, &id, 5 - silent.len(), 0);
        let in_time = asked.elapsed() < Duration::from_secs(10);
        assert!(!in_time || rounds(region, &id).is_empty(), "the silent have time left");
        Self { question, id, asked }
    }
}

/// The sum begins with the last decision and not before; one no is named.
fn one_by_one(region: &mut Region) {
    let asked = question("2026Q3", "5");
    let id = ask(region, &asked);
    wait_for_standings(region, &id, 0, 0);
    for (n, node) in (1..).zip(without(&["keski"])) {
        decide(region, &[node], "approve", &id);
        wait_for_standings(region, &id, n, 0);
        assert!(rounds(region, &id).is_empty(), "{n} have decided, and the sum has begun");
        if n == 2 {
            // What they have said is on its disk.
            region.take_coordinator().kill();
            region.start_coordinator();
            region.wait_until_connected();
        }
    }
    // Four would be enough; the fifth is waited for all the same.
    std::thread::sleep(Duration::from_millis(700));
    assert!(rounds(region, &id).is_empty(), "the sum has begun without the fifth");
    nothing_spent(region, &names(), "2026Q3", &id);
    decide(region, &["keski"], "refuse", &id);
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 4, "{said:?}");
    said.complains("missing: keski: a person at the node declined");
    let table = said.json();
    counts(&table, &without(&["keski"]));
    assert_eq!(table["missing"], json!([{"node": "keski", "reason": "DECLINED_BY_PERSON"}]));
    // 25 x 4/3: four shares of noise are in it.
    assert_eq!(table["variance_present"], json!([100, 3]));
    nothing_spent(region, &["keski"], "2026Q3", &id);
    let cost = table["cost_nano_rho"].as_u64().expect("a cost");
    for node in without(&["keski"]) {
        ends(region, node, &id, &["debit", "release"]);
        assert_eq!(region.spent(node, "2026Q3"), cost, "{node}");
    }
}

/// Two say no: three are too few. When they have changed their minds, the same
/// question is answered.
fn two_decline(region: &Region) {
    let asked = question("2026Q2", "5");
    let id = ask(region, &asked);
    let two = ["ita", "lansi"];
    decide(region, &two, "refuse", &id);
    wait_for_standings(region, &id, 0, 2);
    decide(region, &without(&two), "approve", &id);
    let refused = region.run_table("aino", &asked);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    refused.complains("too few organisations can take part");
    let (no, few) = (json!("DECLINED_BY_PERSON"), json!("TOO_FEW_NODES"));
    let reasons: Vec<Value> = standings(region, &id).into_iter().map(|(_, refusal)| refusal).collect();
    assert_eq!(reasons, [&few, &no, &few, &no, &few].map(Clone::clone));
    assert!(rounds(region, &id).is_empty());
    nothing_spent(region, &names(), "2026Q2", &id);

    decide(region, &two, "approve", &id);
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 0, "{said:?}");
    counts(&said.json(), &names());
}

/// Two have not decided when the time is over: three are too few. Asked again, with
/// time enough, it is answered: nobody refuses it for having been late once.
fn too_few_in_time(region: &Region, Hasty { question, id, .. }: &Hasty) {
    let shown = region.person("aino").words("table show").arg(id).ends(3);
    shown.complains("too few organisations can take part");
    nothing_spent(region, &names(), "2025Q4", id);
    let again = region.ask("aino", question);
    assert_eq!(again, *id);
    // Those who had said yes may be asked again or not.
    let asked_again = until("all have answered or ask a person", SOON, || {
        let standings = standings(region, id);
        let known = |(progress, _): &(String, Value)| progress == "READY" || progress == "AWAITING_APPROVAL";
        assert!(standings.iter().all(|(progress, _)| progress != "REFUSED"), "{standings:?}");
        standings.iter().all(known).then_some(standings)
    });
    let waiting = names().into_iter().zip(asked_again).filter(|(_, (progress, _))| progress == "AWAITING_APPROVAL");
    decide(region, &waiting.map(|(node, _)| node).collect::<Vec<_>>(), "approve", id);
    let said = region.run_table("aino", question);
    assert_eq!(said.code, 0, "{said:?}");
    counts(&said.json(), &names());
}

/// One has not decided when the time is over: the sum begins with the four. The late
/// yes costs nothing and changes nothing.
fn one_is_silent(region: &Region, Hasty { question, id, .. }: &Hasty) {
    let said = region.run_table("aino", question);
    assert_eq!(said.code, 4, "{said:?}");
    counts(&said.json(), &without(&["etela"]));
    assert_eq!(said.json()["missing"], json!([{"node": "etela", "reason": "NO_ANSWER"}]));
    region.node("etela").words("requests approve").arg(id).say();
    let again = region.run_table("ville", question);
    assert_eq!((again.code, &again.out), (4, &said.out));
    nothing_spent(region, &["etela"], "2026Q1", id);
}
