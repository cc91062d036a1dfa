//! Nodes that are halted in the middle of a sum: they keep their connections and say
//! nothing, for a while or for too long.

use super::{
    ADVERT, CHUNK, CONFIRM, SHARES, SOON, UNMASK, counts, digest, ends, five, ledger, names, question, rounds,
    wait_for, without,
};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::{Region, disk, until};
use std::time::Duration;

/// Where a person approves, in the tests in which a sum has to begin at a moment of
/// the test's own.
pub(super) const LAST: &str = "etela";

/// Two regions at the same time: most of it is waiting.
#[test]
fn a_halted_node_is_waited_for_as_long_as_a_phase_lasts() {
    std::thread::scope(|scope| {
        scope.spawn(a_node_halted_in_any_phase_comes_back);
        scope.spawn(a_node_halted_for_too_long_is_missing);
    });
}

/// In every phase one node is halted longer than an absent one is waited for, and
/// goes on before the phase's time is over: it comes back and is counted.
fn a_node_halted_in_any_phase_comes_back() {
    let mut region = five(&[LAST]).start();
    let asked = format!("{} --phase-timeout 4", question("2026Q3", "5"));
    let id = in_every_phase(&mut region, &asked, 1, |_, _| std::thread::sleep(Duration::from_millis(1_200)));
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 0, "{said:?}");
    counts(&said.json(), &names());
    assert_eq!(rounds(&region, &id).len(), 1);
    for node in names() {
        ends(&region, node, &id, &["debit", "release"]);
    }
    region.audit();
}

/// A node that is halted beyond its phase's time, though connected, is missing; when
/// it goes on, it leaves the round without having paid.
fn a_node_halted_for_too_long_is_missing() {
    let mut region = five(&[LAST]).start();
    let asked = format!("{} --phase-timeout 2", question("2026Q3", "5"));
    let id = begin_with_one_halted(&mut region, &asked, "ita");
    // Its advert and its shares come in time, its masked figures do not.
    wait_for(&region, &id, ADVERT, 4);
    region.daemon("lansi").pause();
    region.daemon("ita").go_on();
    wait_for(&region, &id, SHARES, 4);
    region.daemon("ita").pause();
    region.daemon("lansi").go_on();
    let said = region.run_table("aino", &asked);
    assert_eq!(said.code, 4, "{said:?}");
    said.complains("missing: ita: the organisation left the round before its figures were counted");
    counts(&said.json(), &without(&["ita"]));
    assert_eq!(rounds(&region, &id).len(), 1);
    region.daemon("ita").go_on();
    region.daemon("ita").wait_for_log("a message came after its deadline");
    until("it has erased its secrets", SOON, || {
        let erased = |entry: &Entry| matches!(entry, Entry::Own(Own::RoundErased { .. }));
        region.disk("ita").entries().iter().any(erased).then_some(())
    });
    assert_eq!((region.spent("ita", "2026Q3"), ledger(&region, "ita", &id)), (0, vec![]));
    let again = region.run_table("ville", &asked);
    assert_eq!((again.code, &again.out), (4, &said.out), "nobody is added later");
}

/// Takes a round through its phases, each held open by a node that is halted: two
/// nodes pass the halt on to each other. `held` is called with each phase's number
/// while its messages but one have come.
///
/// A masked input of the question has so many `chunks`.
pub(super) fn in_every_phase(
    region: &mut Region,
    asked: &str,
    chunks: usize,
    mut held: impl FnMut(&mut Region, usize),
) -> String {
    let (mut halted, mut other) = ("ita", "lansi");
    let id = begin_with_one_halted(region, asked, halted);
    for (phase, kind) in [ADVERT, SHARES, CHUNK, CONFIRM].into_iter().enumerate() {
        let each = if kind == CHUNK { chunks } else { 1 };
        let senders = wait_for(region, &id, kind, 4 * each);
        assert!(senders.len() == 4 * each && !senders.iter().any(|s| s == halted), "phase {phase}: {senders:?}");
        held(region, phase);
        region.daemon(other).pause();
        if phase == 3 {
            // Four open the sum: one halted node does not hold the last phase.
            region.daemon("keski").pause();
        }
        region.daemon(halted).go_on();
        (halted, other) = (other, halted);
    }
    assert_eq!(wait_for(region, &id, UNMASK, 3).len(), 3);
    held(region, 4);
    for node in [halted, "keski"] {
        region.daemon(node).go_on();
    }
    id
}

/// Asks, and has the sum begin when one node is halted. A person approves at [`LAST`].
fn begin_with_one_halted(region: &mut Region, asked: &str, halted: &str) -> String {
    let id = region.ask("aino", asked);
    region.wait_for_question(LAST, &id, "waiting");
    until("the others are ready", SOON, || (ready(region, &id) == 4).then_some(()));
    region.daemon(halted).pause();
    region.node(LAST).words("requests approve").arg(&id).ok();
    id
}

/// How many nodes are ready for a sum that has not begun.
fn ready(region: &Region, id: &str) -> usize {
    disk::coordinator(&region.coordinator_state()).tables.get(&digest(id)).map_or(0, |table| table.ready().count())
}
