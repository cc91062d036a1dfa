//! R17, of blobs: there is none that no log names.

use crate::log::Log;
use crate::report::{Rule, Sheet};
use crate::world::World;
use koonti_disclosure::{Digest, ledger};
use koonti_evidence::entry::coordinator;
use koonti_evidence::entry::node::{Entry, Own};
use std::collections::HashSet;

/// Checks the blobs, when every log can be read.
pub(crate) fn check(world: &World<'_>, sheet: &mut Sheet) {
    if !world.whole() {
        return;
    }
    let by_coordinator = world.coordinator().into_iter().flat_map(Log::iter).filter_map(|(_, entry)| match entry {
        coordinator::Entry::Roster { roster, .. } => Some(*roster),
        coordinator::Entry::Asked(asked) => Some(asked.heads),
        coordinator::Entry::Reopened { heads, .. } => Some(*heads),
        coordinator::Entry::Released { release, .. } => Some(*release),
        coordinator::Entry::Closed { published, .. } => *published,
        _ => None,
    });
    let by_nodes = world.sound_nodes().flat_map(|(_, log)| log.iter()).filter_map(|(_, entry)| match entry {
        Entry::Own(Own::PolicyApproved { policy, .. }) => Some(*policy),
        Entry::Own(Own::RosterApproved { roster, .. }) => Some(*roster),
        Entry::Ledger(ledger::Entry::Release { release, .. }) => Some(*release),
        _ => None,
    });
    let named: HashSet<Digest> = by_coordinator.chain(by_nodes).collect();
    for blob in world.blobs.all().filter(|blob| !named.contains(blob)) {
        sheet.check(Rule::R17, false, || format!("blobs/{blob}: no log names it"));
    }
}
