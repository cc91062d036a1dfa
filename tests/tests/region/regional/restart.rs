//! The coordinator is killed in the middle of a sum and goes on from its journal.

use super::halted::{LAST, in_every_phase};
use super::{CHUNK, counts, ends, five, ledger, messages, names, question, rounds, without};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::Region;
use std::collections::BTreeSet;

/// Killed in these phases of one round, one after the other, with one or two
/// nodes halted all the while; each time it is back before they are.
fn killed_in(phases: &[usize]) {
    let mut region = five(&[LAST]).start();
    // A quarter of a phase's time is what a halted node has to come back in.
    let asked = format!("{} --phase-timeout 60", question("2026Q3", "5"));
    let mut before = Vec::new();
    let id = in_every_phase(&mut region, &asked, 1, |region, phase| {
        if !phases.contains(&phase) {
            return;
        }
        region.take_coordinator().kill();
        region.start_coordinator();
        before.push(in_journal(region));
        // All but those halted, who were away before the restart.
        let halted: &[&str] = [&["ita"], &["lansi"], &["ita"], &["lansi"], ["ita", "keski"].as_slice()][phase];
        for node in without(halted) {
            region.wait_until_node_connected(node);
        }
    });
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 0, "killed in {phases:?}: {said:?}");
    counts(&said.json(), &names());
    let rounds = rounds(&region, &id);
    assert_eq!(rounds.len(), 1, "killed in {phases:?}: one round, gone on with");
    // What was acknowledged before is still there, and nothing stands there twice.
    let kept = in_journal(&region);
    assert!(before.len() == phases.len() && before.iter().all(|before| kept.starts_with(before)));
    let distinct: BTreeSet<&(String, Vec<u8>)> = kept.iter().collect();
    assert_eq!(distinct.len(), kept.len(), "a message was taken a second time");
    // Adverts, shares, heads, chunks and confirmations of all; four or more to open.
    assert!((29..=30).contains(&kept.len()), "{} messages", kept.len());
    let chunks: Vec<&String> = kept.iter().filter(|(_, bytes)| bytes[0] == CHUNK).map(|(node, _)| node).collect();
    assert_eq!(chunks.len(), 5);
    for node in names() {
        match node {
            // Who is back last may come too late to help to open.
            "ita" | "keski" if phases.contains(&4) => assert_eq!(ledger(&region, node, &id)[0], "debit"),
            _ => ends(&region, node, &id, &["debit", "release"]),
        }
        let entries = region.disk(node).entries();
        let own = |of: fn(&Own) -> bool| entries.iter().filter(|e| matches!(e, Entry::Own(own) if of(own))).count();
        let joined = own(|own| matches!(own, Own::RoundJoined { .. }));
        let masked = own(|own| matches!(own, Own::Masked { .. }));
        assert_eq!((joined, masked), (1, 1), "{node} joins and adds once");
    }
    let again = region.run_table("ville", &asked);
    assert_eq!((again.code, &again.out), (0, &said.out));
    region.audit();
}

/// All messages of all rounds, in order.
fn in_journal(region: &Region) -> Vec<(String, Vec<u8>)> {
    let fold = koonti_tests::disk::coordinator(&region.coordinator_state());
    let rounds = fold.tables.values().flat_map(|table| table.rounds.iter().map(|round| round.spec.round()));
    rounds.flat_map(|round| messages(region, round)).map(|kept| (kept.node, kept.bytes)).collect()
}

#[test]
fn a_coordinator_killed_while_keys_are_exchanged_goes_on() {
    killed_in(&[0, 1]);
}

#[test]
fn a_coordinator_killed_while_figures_arrive_goes_on() {
    killed_in(&[2, 3, 4]);
}
