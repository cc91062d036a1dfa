//! Regional tables over real processes: five nodes (c = 1, t = 4, at least 4 to
//! the end, noise sized for 3), a coordinator, people.
//!
//! Each node has twice the clients of the one before, so that a table's figures
//! tell which nodes are in them: another set of nodes has sums that lie more than
//! eight standard deviations away.

mod halted;
mod large;
mod life;
mod many;
mod people;
mod quorum;
mod restart;
#[cfg(debug_assertions)]
mod retry;
#[cfg(debug_assertions)]
mod vanish;

use koonti_disclosure::{Digest, ledger};
use koonti_evidence::entry::node::Entry;
use koonti_tests::disk::{self, Kept};
use koonti_tests::{Approval, Node, Plan, Region, register, until};
use serde_json::{Value, json};
use std::time::Duration;

/// Name, municipality and clients of each node, in the order of their places.
pub(super) const FIVE: [(&str, &str, usize); 5] =
    [("etela", "205", 200), ("ita", "297", 400), ("keski", "491", 800), ("lansi", "167", 1600), ("pohja", "405", 3200)];
/// The quarters of every register: each has an allowance of its own.
pub(super) const QUARTERS: &[&str] = &["2025Q4", "2026Q1", "2026Q2", "2026Q3"];
/// Kinds of messages, as `docs/secagg-format.md` numbers them.
pub(super) const ADVERT: u8 = 0x11;
pub(super) const SHARES: u8 = 0x12;
pub(super) const CHUNK: u8 = 0x14;
pub(super) const CONFIRM: u8 = 0x15;
pub(super) const UNMASK: u8 = 0x16;
#[cfg(debug_assertions)]
pub(super) const ERASED: u8 = 0x17;
/// Longest wait for what should happen at once.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// Five nodes, of which these have a person who approves, and two people who ask.
pub(super) fn five(with_person: &[&str]) -> Plan {
    let approval = |name| if with_person.contains(&name) { Approval::Each } else { Approval::Auto };
    let node = |(name, area, clients)| Node {
        approval: approval(name),
        clients,
        quarters: QUARTERS,
        ..Node::auto(name, area)
    };
    let plan = FIVE.into_iter().map(node).fold(Plan::new(), Plan::node);
    plan.person("aino", "requester").person("ville", "requester")
}

/// A small regional question; another `sd` makes another question.
pub(super) fn question(quarter: &str, sd: &str) -> String {
    format!("--release regional --by sex --period {quarter} --sd {sd}")
}

pub(super) fn names() -> [&'static str; 5] {
    FIVE.map(|(name, ..)| name)
}

/// All nodes but these.
pub(super) fn without(missing: &[&str]) -> Vec<&'static str> {
    names().into_iter().filter(|name| !missing.contains(name)).collect()
}

/// The true number of clients of these nodes in a cell.
pub(super) fn truth(nodes: &[&str], cell: &Value) -> i64 {
    let counted = FIVE.iter().filter(|(name, ..)| nodes.contains(name));
    counted.map(|(_, area, clients)| register::count(*clients, area, &cell["codes"])).sum()
}

/// Demands a table of exactly these nodes: by its list of nodes and by its figures.
#[track_caller]
pub(super) fn counts(table: &Value, nodes: &[&str]) {
    let missing = without(nodes);
    assert_eq!((&table["nodes_counted"], &table["nodes_missing"]), (&json!(nodes.len()), &json!(missing)), "{table}");
    let sd = table["sd_present"].as_f64().expect("a standard deviation");
    let mut shown = 0;
    for cell in table["cells"].as_array().expect("cells") {
        let Some(value) = cell["value"].as_i64() else { continue };
        let truth = truth(nodes, cell);
        #[expect(clippy::cast_precision_loss, reason = "a small difference")]
        let off = (value - truth) as f64 / sd;
        assert!(off.abs() <= 8.0, "{value} where {nodes:?} have {truth}: {off:.1} standard deviations");
        shown += usize::from(truth > 0);
    }
    assert!(shown >= 2, "most figures are shown: {table}");
}

/// What a node's ledger says about a question, in order: `debit`, `abort`, `carry`,
/// `release`.
pub(super) fn ledger(region: &Region, node: &str, id: &str) -> Vec<&'static str> {
    let id = digest(id);
    let (mut own, mut story) = (Vec::new(), Vec::new());
    for (seq, entry) in (0u64..).zip(region.disk(node).entries()) {
        let Entry::Ledger(entry) = entry else { continue };
        let (debit, word) = match &entry {
            ledger::Entry::Debit(debit) if debit.request_id() == id => {
                own.push(seq);
                (seq, "debit")
            }
            ledger::Entry::Debit(_) => continue,
            ledger::Entry::Carry { debit, .. } => (*debit, "carry"),
            ledger::Entry::Release { debit, .. } => (*debit, "release"),
            ledger::Entry::Abort { debit, .. } => (*debit, "abort"),
            ledger::Entry::Closed { .. } | ledger::Entry::Recovered { .. } => continue,
        };
        if own.contains(&debit) {
            story.push(word);
        }
    }
    story
}

/// Demands that the running nodes know of what their disks say is spent.
#[track_caller]
pub(super) fn running_ledgers_agree(region: &Region, quarter: &str) {
    let quote = region.person("ville").words("table quote --output json").words(&question(quarter, "77")).ok().json();
    for node in quote["nodes"].as_array().expect("nodes") {
        let left = 250_000_000 - region.spent(node["node"].as_str().expect("a name"), quarter);
        assert_eq!(node["left_nano_rho"], json!([left]), "{node}");
    }
}

/// Waits until a node's ledger tells this story of a question: four nodes open a sum,
/// and the fifth may do so later.
#[track_caller]
pub(super) fn ends(region: &Region, node: &str, id: &str, story: &[&str]) {
    until(&format!("{node}: {story:?}"), SOON, || {
        let told = ledger(region, node, id);
        assert!(told.len() <= story.len(), "{node}: {told:?} where {story:?} was expected");
        (told == story).then_some(())
    });
}

pub(super) fn digest(id: &str) -> Digest {
    id.trim().parse().expect("an id")
}

/// The rounds of a table at the coordinator, oldest first: id, attempt, and whether
/// it failed with masked inputs.
pub(super) fn rounds(region: &Region, id: &str) -> Vec<(Digest, u32, Option<bool>)> {
    let fold = disk::coordinator(&region.coordinator_state());
    let table = fold.tables.get(&digest(id));
    let rounds = table.map(|table| table.rounds.iter()).into_iter().flatten();
    rounds.map(|round| (round.spec.round(), round.spec.attempt(), round.failed)).collect()
}

/// The messages that the coordinator has taken in a round, by node and kind.
pub(super) fn messages(region: &Region, round: Digest) -> Vec<Kept> {
    disk::round_journal(&region.coordinator_state(), round).into_iter().flatten().collect()
}

/// Waits until the newest round of a table has `count` messages of this kind, and
/// returns their senders.
#[track_caller]
pub(super) fn wait_for(region: &Region, id: &str, kind: u8, count: usize) -> Vec<String> {
    until(&format!("{count} messages of kind {kind:#x}"), SOON, || {
        let (round, ..) = *rounds(region, id).last()?;
        let of_kind = messages(region, round).into_iter().filter(|m| m.bytes[0] == kind);
        let senders: Vec<String> = of_kind.map(|m| m.node).collect();
        (senders.len() >= count).then_some(senders)
    })
}
