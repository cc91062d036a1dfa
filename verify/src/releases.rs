//! R16 to R20 and R27: what has left the nodes, as both logs tell it.

use crate::log::Log;
use crate::report::{Rule, Sheet};
use crate::share;
use crate::state::State;
use crate::walk::{At, Books, Walked};
use crate::world::{CoordinatorLog, Held, World};
use koonti_disclosure::identity::SignedRelease;
use koonti_disclosure::ledger;
use koonti_disclosure::names::unhex;
use koonti_disclosure::{Digest, Name};
use koonti_evidence::entry::coordinator::Entry;
use koonti_evidence::entry::node;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Checks a `release` entry of a node.
pub(crate) fn check_stored(at: &At<'_, '_>, state: &State<'_>, entry: &ledger::Entry, sheet: &mut Sheet) {
    let ledger::Entry::Release { debit, release, request, .. } = entry else { return };
    sheet.check(Rule::R19, !state.released.contains(request), || format!("{}: a second release", at.place()));
    let Some(paid) = state.debits.get(debit).filter(|paid| !paid.debit.is_regional()) else { return };
    let same = at.world.blobs.release(*release).is_none_or(|received| received.is_of(paid.debit));
    // Whether it holds is seen where the coordinator records it.
    if !same {
        sheet.check(Rule::R18, false, || format!("{}: its header is not what was debited", at.place()));
    }
}

/// What the coordinator records of one node.
#[derive(Default)]
struct Recorded {
    releases: BTreeSet<Digest>,
    /// The size recorded last.
    size: u64,
}

/// Checks the `released` entries of the coordinator.
pub(crate) fn check_recorded(world: &World<'_>, log: &CoordinatorLog<'_>, walked: &Walked, sheet: &mut Sheet) {
    let mut recorded: BTreeMap<&Name, Recorded> = BTreeMap::new();
    let mut ids = HashSet::new();
    let released: Vec<_> = log.iter().filter(|(_, entry)| matches!(entry, Entry::Released { .. })).collect();
    let signed = share::over(&released, |(_, entry)| is_signed(world, entry));
    for ((index, entry), signed) in released.into_iter().zip(signed) {
        let Entry::Released { head, id, index: at, node, release, .. } = entry else { continue };
        let place = || log.place(index);
        sheet.check(Rule::R19, ids.insert((*id, node)), || format!("{}: a second release", place()));
        let of = recorded.entry(node).or_default();
        of.releases.insert(*release);
        of.size = head.size;
        let books = walked.nodes.get(node);
        let (names, stored) = match world.node(node) {
            Held::Sound(other) => {
                let named = match other.at(*at) {
                    Some(node::Entry::Ledger(ledger::Entry::Release { release: named, .. })) => named == release,
                    _ => false,
                };
                (Some(named && *at < head.size), Some(books.is_some_and(|books| books.has_stored(*id, *release))))
            }
            Held::Unknown => (None, None),
        };
        if let Some(names) = names {
            sheet.check(Rule::R10, names, || format!("{}: the node's log does not name it there", place()));
        }
        let malformed = world.blobs.raw(*release).is_some() && world.blobs.release(*release).is_none();
        let holds = signed && stored.unwrap_or(true);
        if !malformed && (stored.is_some() || !holds) {
            sheet.check(Rule::R18, holds, || format!("{}: not the signed release that the node has stored", place()));
        }
    }
    for (node, recorded) in recorded {
        let stored = match world.node(node) {
            Held::Sound(_) => walked.nodes.get(node).map(|books| books.stored_below(recorded.size)).unwrap_or_default(),
            Held::Unknown => continue,
        };
        sheet.check(Rule::R20, stored == recorded.releases, || {
            format!("coordinator: other releases of node {node} than its log of {} entries has", recorded.size)
        });
    }
}

/// True when a `released` entry has the node's signature over bytes that are there.
fn is_signed(world: &World<'_>, entry: &Entry) -> bool {
    let Entry::Released { node, release, signature, .. } = entry else { return false };
    world.roster().and_then(|roster| roster.node(node)).is_some_and(|listed| {
        let signed = world.blobs.raw(*release).zip(unhex(signature).ok());
        signed.is_some_and(|(bytes, s)| SignedRelease::verify(bytes.to_vec(), s, listed.identity).is_ok())
    })
}

impl Books {
    fn has_stored(&self, id: Digest, release: Digest) -> bool {
        self.by_request.get(&id).is_some_and(|stored| stored.contains(&release))
    }

    fn stored_below(&self, size: u64) -> BTreeSet<Digest> {
        self.stored.iter().filter(|(index, _)| *index < size).map(|(_, release)| *release).collect()
    }
}

/// Checks the bytes of every release that a log names.
pub(crate) fn check_content(world: &World<'_>, sheet: &mut Sheet) {
    let mut named: BTreeMap<Digest, String> = BTreeMap::new();
    for (index, entry) in world.coordinator().into_iter().flat_map(Log::iter) {
        if let Entry::Released { release, .. } = entry {
            named.entry(*release).or_insert_with(|| format!("coordinator entry {index}"));
        }
    }
    for (_, log) in world.sound_nodes() {
        let mut regional = HashSet::new();
        for (index, entry) in log.iter() {
            match entry {
                node::Entry::Ledger(ledger::Entry::Debit(debit)) if debit.is_regional() => drop(regional.insert(index)),
                node::Entry::Ledger(ledger::Entry::Release { debit, release, .. }) if !regional.contains(debit) => {
                    named.entry(*release).or_insert_with(|| log.place(index));
                }
                _ => {}
            }
        }
    }
    for (hash, place) in named.iter().filter(|(hash, _)| world.blobs.raw(**hash).is_some()) {
        let release = world.blobs.release(*hash);
        sheet.check(Rule::R17, release.is_some(), || format!("{place}: not a release, or not of its length"));
        if let Some(release) = release {
            sheet.releases += 1;
            sheet.cells += release.cells() as u64;
            let gate = release.gate_holds();
            sheet.check(Rule::R16, gate.is_ok(), || {
                format!("{place}: {}", gate.as_ref().err().map(ToString::to_string).unwrap_or_default())
            });
        }
    }
}

/// Checks that there is something, last of all.
pub(crate) fn check_any(world: &World<'_>, sheet: &mut Sheet) {
    let logs = world.nodes.len() + usize::from(world.any_coordinator().is_some());
    let (released, cells) = (sheet.releases as usize + world.rounds.len(), sheet.cells);
    let holds = logs > 0 && released > 0 && cells > 0;
    if holds || !sheet.has_failed() {
        sheet.check(Rule::R27, holds, || format!("{logs} logs, {released} releases and opened rounds, {cells} cells"));
    }
}
