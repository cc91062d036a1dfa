//! Several sums at once in one region, and a roster that changes between them.

use super::{QUARTERS, counts, ends, five, ledger, names, question, rounds};
use koonti_tests::{Region, Said};
use serde_json::json;

/// Asks all questions at the same time.
fn at_once(region: &Region, asked: &[String]) -> Vec<Said> {
    let ask = |question: &String| region.run_table("aino", question);
    std::thread::scope(|scope| {
        let threads: Vec<_> = asked.iter().map(|question| scope.spawn(|| ask(question))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Four sums side by side, each of its own quarter; then five of one quarter whose
/// allowance two fit: those are counted whole, the others cost nobody anything.
#[test]
fn sums_run_side_by_side_and_never_beyond_the_allowance() {
    let mut region = five(&[]).start();
    let apart: Vec<String> = QUARTERS.iter().map(|quarter| question(quarter, "6")).collect();
    let mut spent = 0;
    for said in at_once(&region, &apart) {
        assert_eq!(said.code, 0, "{said:?}");
        counts(&said.json(), &names());
        spent = said.json()["cost_nano_rho"].as_u64().expect("a cost");
    }
    // About 105,000,000 each of the 234,000,000 that are left.
    let asked: Vec<String> = (0..5).map(|n| question("2026Q3", &format!("2.7{n}"))).collect();
    let said = at_once(&region, &asked);
    let (answered, refused): (Vec<_>, Vec<_>) = said.iter().zip(&asked).partition(|(said, _)| said.code == 0);
    assert_eq!((answered.len(), refused.len()), (2, 3), "{said:?}");
    for (said, _) in &answered {
        counts(&said.json(), &names());
        spent += said.json()["cost_nano_rho"].as_u64().expect("a cost");
    }
    assert!(spent <= 250_000_000);
    for node in names() {
        for (said, _) in &answered {
            ends(&region, node, said.json()["id"].as_str().expect("an id"), &["debit", "release"]);
        }
        assert_eq!(region.spent(node, "2026Q3"), spent, "{node}");
        assert_eq!(region.disk(node).debits().len(), 6, "{node}");
    }
    for (said, question) in &refused {
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
        let quote = region.person("aino").words("table quote --output json").words(question).ends(3).json();
        let id = quote["id"].as_str().expect("an id");
        assert!(names().iter().all(|node| ledger(&region, node, id).is_empty()));
    }
    another_roster(&mut region);
    region.audit();
}

/// A roster that the coordinator has and no node's operator has approved: no sum, no
/// cost, and what to do; then the same question is answered.
fn another_roster(region: &mut Region) {
    let token = region.invite_person("kolmas", "requester");
    region.enroll_person("kolmas", &token);
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.coordinator_daemon().wait_for_log("epoch=2");
    let asked = question("2026Q1", "5");
    let refused = region.run_table("aino", &asked);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    refused.complains("approve the newest roster at every node");
    let list = region.person("aino").words("table list --output json").ok().json();
    let id = list[0]["id"].as_str().expect("an id");
    // Those whose refusal came after it was clear that too few were left.
    let reasons = [json!("ROUND_MISMATCH"), json!("TOO_FEW_NODES")];
    assert!(list[0]["nodes"].as_array().expect("nodes").iter().all(|n| reasons.contains(&n["refusal"])), "{list}");
    for node in names() {
        assert!(ledger(region, node, id).is_empty(), "{node}");
        region.approve_roster(node, &roster);
    }
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 0, "{said:?}");
    counts(&said.json(), &names());
    assert_eq!(rounds(region, id).len(), 2);
    for node in names() {
        ends(region, node, id, &["debit", "release"]);
    }
}
