//! R24: rosters and the keys of each `genesis`.

use crate::report::{Rule, Sheet};
use crate::world::{CoordinatorLog, NodeLog, World};
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, Name};
use koonti_evidence::entry::coordinator;
use koonti_evidence::entry::node::{Entry, Own};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The rosters that logs name, as far as they can be read.
pub(crate) struct Rosters(HashMap<Digest, Roster>, HashSet<Digest>);

/// A roster as an entry names it.
pub(crate) struct Named<'a> {
    pub(crate) index: u64,
    pub(crate) epoch: u64,
    pub(crate) roster: Digest,
    signature: &'a str,
}

impl Rosters {
    pub(crate) fn read(
        coordinator: Option<&CoordinatorLog<'_>>,
        nodes: &BTreeMap<Name, NodeLog<'_>>,
        blobs: &HashMap<Digest, &[u8]>,
    ) -> Self {
        let by_coordinator = coordinator.into_iter().flat_map(of_coordinator).map(|named| named.roster);
        let by_nodes = nodes.values().flat_map(of_node).map(|named| named.roster);
        let (mut rosters, mut missing) = (HashMap::new(), HashSet::new());
        for hash in by_coordinator.chain(by_nodes) {
            match blobs.get(&hash).and_then(|bytes| Roster::parse(bytes).ok()) {
                _ if rosters.contains_key(&hash) => {}
                Some(roster) => drop(rosters.insert(hash, roster)),
                None => {
                    missing.insert(hash);
                }
            }
        }
        Self(rosters, missing)
    }

    /// True for a roster that a log names and that cannot be read: R24 fails on it.
    pub(crate) fn is_missing(&self, hash: Digest) -> bool {
        self.1.contains(&hash)
    }

    pub(crate) fn get(&self, hash: Digest) -> Option<&Roster> {
        self.0.get(&hash)
    }

    /// True when an entry names a roster of the region that governance has signed.
    pub(crate) fn is_signed(&self, named: &Named<'_>, region: &Name, governance: Digest) -> bool {
        let Some(roster) = self.get(named.roster) else { return false };
        let signed = unhex(named.signature).is_ok_and(|s| SignedRoster::of(roster.clone(), s, governance).is_ok());
        signed && roster.region() == region
    }
}

/// The rosters of the coordinator's log.
pub(crate) fn of_coordinator<'l>(log: &'l CoordinatorLog<'_>) -> impl Iterator<Item = Named<'l>> {
    log.iter().filter_map(|(index, entry)| match entry {
        coordinator::Entry::Roster { epoch, roster, signature, .. } => {
            Some(Named { index, epoch: *epoch, roster: *roster, signature })
        }
        _ => None,
    })
}

/// The rosters of a node's log.
pub(crate) fn of_node<'l>(log: &'l NodeLog<'_>) -> impl Iterator<Item = Named<'l>> {
    log.iter().filter_map(|(index, entry)| match entry {
        Entry::Own(Own::RosterApproved { epoch, roster, signature, .. }) => {
            Some(Named { index, epoch: *epoch, roster: *roster, signature })
        }
        _ => None,
    })
}

/// Checks R24.
pub(crate) fn check(world: &World<'_>, sheet: &mut Sheet) {
    if let Some(log) = world.coordinator() {
        check_named(world, of_coordinator(log), |index| log.place(index), sheet);
        if let Some(coordinator::Entry::Genesis { governance, log: key, region, witness, .. }) = log.at(0) {
            let same = |roster: &Roster| (roster.coordinator().log, roster.coordinator().witness) == (*key, *witness);
            let holds = (*governance, region) == (world.governance, world.region) && world.rosters.0.values().all(same);
            sheet.check(Rule::R24, holds, || format!("{}: not the keys of the rosters", log.place(0)));
        }
    }
    for (name, log) in world.sound_nodes() {
        check_named(world, of_node(log), |index| log.place(index), sheet);
        if let Some(Entry::Own(Own::Genesis { governance, identity, log: key, node, region, witness, .. })) = log.at(0)
        {
            let same = |roster: &Roster| {
                let listed = roster.node(name).map(|n| (n.identity, n.log, n.witness));
                listed.is_none_or(|keys| keys == (*identity, *key, *witness))
            };
            let own = (*governance, region, node) == (world.governance, world.region, name);
            let holds = own && world.rosters.0.values().all(same);
            sheet.check(Rule::R24, holds, || format!("{}: not the keys of the rosters", log.place(0)));
        }
    }
}

fn check_named<'l>(
    world: &World<'_>,
    named: impl Iterator<Item = Named<'l>>,
    place: impl Fn(u64) -> String,
    sheet: &mut Sheet,
) {
    let mut last = None;
    for named in named {
        let later = last.is_none_or(|last| last < named.epoch);
        let signed = world.rosters.is_signed(&named, world.region, world.governance);
        let epoch = world.rosters.get(named.roster).is_none_or(|roster| roster.epoch() == named.epoch);
        sheet.check(Rule::R24, later && signed && epoch, || {
            format!("{}: a roster that governance has not signed, or an older one", place(named.index))
        });
        last = Some(named.epoch);
    }
}
