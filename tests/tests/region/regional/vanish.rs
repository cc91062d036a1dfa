//! A node that is killed in the middle of a sum.

use super::{counts, ends, five, names, question, rounds, without};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::Region;

/// The node that is killed: in the middle of the roster, so that it adds some of its
/// masks and takes off others.
const VICTIM: &str = "keski";

/// The steps at which it is killed, in order; whether its figures are in the sum all
/// the same; and what its ledger says in the end.
const STEPS: [(&str, bool, &[&str]); 7] = [
    ("joined", false, &[]),
    ("before-debit", false, &[]),
    ("debited", false, &["debit", "abort"]),
    ("drawn", false, &["debit", "abort"]),
    ("computed", false, &["debit", "abort"]),
    ("masked", false, &["debit", "abort"]),
    ("opens", true, &["debit", "release"]),
];

/// Killed at any step, a node is missing from the sum or in it, but the sum is made;
/// it pays once or not at all, and never goes on with the round.
#[test]
fn a_node_killed_at_any_step_is_missing_or_counted() {
    let mut region = five(&[]).start();
    let (mut all, mut own) = (0, 0);
    for (n, (step, counted, story)) in STEPS.into_iter().enumerate() {
        let before = region.take_node(VICTIM);
        if n == 0 {
            before.stop();
        } else {
            before.kill();
        }
        region.start_node_with(VICTIM, &[("KOONTI_STOP_AT", step)]);
        region.wait_until_node_connected(VICTIM);
        let asked = format!("{} --phase-timeout 4", question("2026Q3", &format!("5.{n}")));
        let id = region.ask("aino", &asked);
        region.daemon(VICTIM).wait_for_log(&format!("stopped at {step}"));
        region.take_node(VICTIM).kill();
        let said = region.run_table("aino", &asked);
        let table = said.json();
        if counted {
            assert_eq!(said.code, 0, "{step}: {said:?}");
            counts(&table, &names());
        } else {
            assert_eq!(said.code, 4, "{step}: {said:?}");
            said.complains("missing: keski: the organisation left the round before its figures were counted");
            counts(&table, &without(&[VICTIM]));
        }
        all += table["cost_nano_rho"].as_u64().expect("a cost");
        own += if story.is_empty() { 0 } else { table["cost_nano_rho"].as_u64().expect("a cost") };

        region.start_node(VICTIM);
        region.wait_until_node_connected(VICTIM);
        // Its restart ends what the kill has cut short; it does nothing else.
        let again = region.run_table("ville", &asked);
        assert_eq!((again.code, &again.out), (said.code, &said.out), "{step}");
        ends(&region, VICTIM, &id, story);
        assert_eq!(region.spent(VICTIM, "2026Q3"), own, "{step}");
        for node in without(&[VICTIM]) {
            ends(&region, node, &id, &["debit", "release"]);
            assert_eq!(region.spent(node, "2026Q3"), all, "{step}");
        }
        let rounds = rounds(&region, &id);
        assert_eq!(rounds.len(), 1, "{step}: one round, no retry");
    }
    for node in names() {
        assert_eq!(joined(&region, node), STEPS.len(), "{node} joins each round once");
    }
    region.audit();
}

/// How often a node has joined a round.
fn joined(region: &Region, node: &str) -> usize {
    let entries = region.disk(node).entries();
    entries.iter().filter(|entry| matches!(entry, Entry::Own(Own::RoundJoined { .. }))).count()
}
