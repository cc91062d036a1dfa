//! `kill -9` between any two steps of a release.
//!
//! Six nodes answer one question, each stopped and killed at another step, then
//! started and killed once more at a later one, then left to finish. Whatever
//! was cut short, there is one debit, one draw and one release.

use koonti_disclosure::{Digest, Period};
use koonti_node::fold::Fold;
use koonti_tests::disk::{self, of_debit, truncate_index};
use koonti_tests::{Node, Plan, Region};
use std::collections::BTreeMap;

const QUESTION: &str = "--by need,sex --period 2026Q3 --sd 5 --max-per-client 2";
const COST_NANO_RHO: u64 = 60_000_000;

/// The steps in order, and what is on the node's disk when it is killed there:
/// debits, release files, release entries.
const STEPS: [(&str, &str, [usize; 3]); 6] = [
    ("before-debit", "205", [0, 0, 0]),
    ("debited", "297", [1, 0, 0]),
    ("drawn", "491", [1, 0, 0]),
    ("computed", "167", [1, 0, 0]),
    ("release-written", "405", [1, 1, 0]),
    ("stored", "285", [1, 1, 1]),
];

#[test]
fn a_node_killed_at_any_step_pays_once_and_draws_once() {
    let mut plan = Plan::new().person("aino", "requester");
    for (step, area, _) in STEPS {
        plan = plan.node(Node { stop_at: Some(step), ..Node::auto(step, area) });
    }
    let mut region = plan.start();
    let id = region.ask("aino", QUESTION);
    for (step, _, counts) in STEPS {
        kill_at(&mut region, step, step);
        assert_eq!(on_disk(&region, step), counts, "killed at {step}");
    }
    nothing_has_left(&region, &id);

    // Killed again while it resumes, at the last step before anything is final;
    // at two nodes the index is lost as well.
    let written = "release-written";
    for (step, _, [_, _, entries]) in STEPS {
        match step {
            "stored" => std::fs::remove_dir_all(region.disk(step).config().state.join("index")).expect("an index"),
            "debited" => truncate_index(&region.disk(step).config().state),
            _ => {}
        }
        if entries == 0 {
            region.start_node_with(step, &[("KOONTI_STOP_AT", written)]);
            kill_at(&mut region, step, written);
            assert_eq!(on_disk(&region, step), [1, 1, 0], "killed at {step}, then at {written}");
        }
    }
    nothing_has_left(&region, &id);
    let first_drawn: BTreeMap<&str, Vec<u8>> =
        STEPS.iter().map(|(step, ..)| (*step, region.disk(step).release_files().remove(0))).collect();

    for (step, ..) in STEPS {
        region.start_node(step);
    }
    let table = region.run_table("aino", QUESTION);
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(6)), "{table:?}");
    let held = disk::release_files(&region.coordinator_state());
    assert_eq!(held.len(), 6);
    for (step, ..) in STEPS {
        assert_eq!(on_disk(&region, step), [1, 1, 1], "{step} has finished");
        finished_once(&region, step, &id, &first_drawn[step], &held);
    }
    let again = region.run_table("aino", QUESTION);
    assert_eq!(again.out, table.out, "and a repeat is the same");
    region.audit();
}

/// Waits until the node's log says that it has stopped at the step, and kills it.
fn kill_at(region: &mut Region, node: &str, step: &str) {
    region.daemon(node).wait_for_log(&format!("stopped at {step}"));
    region.take_node(node).kill();
}

/// Debits and release entries in the journal, release files in the folder.
fn on_disk(region: &Region, node: &str) -> [usize; 3] {
    let disk = region.disk(node);
    [disk.debits().len(), disk.release_files().len(), disk.releases().len()]
}

fn nothing_has_left(region: &Region, id: &str) {
    let state = region.coordinator_state();
    assert!(disk::release_files(&state).is_empty(), "no release has reached the coordinator");
    let id: Digest = id.parse().expect("an id");
    let fold = disk::coordinator(&state);
    let table = fold.tables.get(&id).expect("the table");
    assert!(!table.complete() && table.published.is_none());
}

/// One debit, one release of it, paid for once, and its bytes are those that
/// were drawn first, those that the coordinator holds, and those that anyone
/// with the node's keys computes from its journal.
fn finished_once(region: &Region, node: &str, id: &str, first: &[u8], held: &[Vec<u8>]) {
    let disk = region.disk(node);
    let (debits, releases) = (disk.debits(), disk.releases());
    let (seq, debit) = &debits[0];
    let release = releases[0];
    assert_eq!((release.debit, release.request.to_string().as_str()), (*seq, id));
    let bytes = disk.release_files().remove(0);
    assert_eq!(bytes, first, "{node} has drawn once");
    assert_eq!(release.sha256, Digest::of(&bytes));
    assert!(held.contains(&bytes), "{node}: the coordinator holds the same bytes");
    assert!(bytes == disk.recompute(*seq), "{node}: the bytes follow from the journal and the extract");

    let fold = disk::coordinator(&region.coordinator_state());
    let round = &fold.tables[&id.parse::<Digest>().expect("an id")];
    assert_eq!(of_debit(debit, "nonce"), round.nonce.to_string());
    assert_eq!(of_debit(debit, "round"), round.round.to_string());
    let (fold, _) = Fold::read(&disk.config().journal()).expect("a journal");
    let source = "adult-social-work".parse().expect("a name");
    let quarter: Period = "2026Q3".parse().expect("a quarter");
    assert_eq!(fold.ledger.spent(&source, quarter).cost.nano_rho, COST_NANO_RHO);
    assert_eq!(region.spent(node, "2026Q3"), COST_NANO_RHO);
    assert_eq!(fold.ledger.open().count(), 0, "{node}: no debit is left open");
}
