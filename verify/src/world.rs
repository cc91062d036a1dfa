//! What is read of a bundle before logs are compared: logs, rosters, what each names.

use crate::blobs::{Blobs, Memo};
use crate::files::{Files, Folder};
use crate::log::{Log, Whose};
use crate::report::Sheet;
use crate::rosters::Rosters;
use crate::rounds::spec_of;
use crate::{entries, notes, share};
use koonti_disclosure::cost::Cost;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::Trust;
use koonti_evidence::entry::{coordinator, node};
use std::collections::{BTreeMap, HashMap};

/// A log of a node.
pub(crate) type NodeLog<'a> = Log<'a, node::Entry>;

/// The log of the coordinator.
pub(crate) type CoordinatorLog<'a> = Log<'a, coordinator::Entry>;

/// Cost and tau.
pub(crate) type Terms = (Cost, Option<i64>);

/// Everything in the bundle.
pub(crate) struct World<'a> {
    pub(crate) region: &'a Name,
    pub(crate) governance: Digest,
    pub(crate) blobs: Blobs<'a>,
    pub(crate) rounds: &'a BTreeMap<Digest, Folder<'a>>,
    coordinator: Option<CoordinatorLog<'a>>,
    pub(crate) nodes: BTreeMap<Name, NodeLog<'a>>,
    pub(crate) rosters: Rosters,
    /// The newest roster that governance has signed.
    pub(crate) newest: Option<Digest>,
    /// Whether rules admit a request under a roster, its area served, its periods held.
    pub(crate) admitted: Memo<(Digest, Digest, Digest, bool, bool), bool>,
    /// Cost and tau by rules and request.
    pub(crate) terms: Memo<(Digest, Digest), Option<Terms>>,
    specs: HashMap<Digest, RoundSpec>,
}

/// A log that was read.
enum Either<'a> {
    Coordinator(CoordinatorLog<'a>),
    Node(&'a Name, NodeLog<'a>),
}

/// What is in the bundle of a log.
pub(crate) enum Held<'w, L> {
    /// It can be read.
    Sound(&'w L),
    /// It is not there, or fails an early rule.
    Unknown,
}

impl<'a> World<'a> {
    pub(crate) fn read(files: &'a Files<'a>, trust: &Trust, now: Option<u64>, sheet: &mut Sheet) -> Self {
        let region = &files.region;
        let (mut coordinator, mut nodes) = (None, BTreeMap::new());
        let folders: Vec<_> = files.logs.iter().collect();
        let read = share::over(&folders, |(whose, folder)| {
            let mut noted = Sheet::default();
            let log = match whose {
                Whose::Coordinator => {
                    let parse = |bytes: &[u8]| canonical::from_bytes(bytes).ok();
                    Either::Coordinator(Log::read((*whose).clone(), region, folder, parse, &mut noted))
                }
                Whose::Node(name) => {
                    let parse = |bytes: &[u8]| node::Entry::parse(bytes).ok();
                    Either::Node(name, Log::read((*whose).clone(), region, folder, parse, &mut noted))
                }
            };
            (log, noted)
        });
        for (log, noted) in read {
            sheet.append(noted);
            match log {
                Either::Coordinator(log) => coordinator = Some(log),
                Either::Node(name, log) => drop(nodes.insert(name.clone(), log)),
            }
        }
        let rosters = Rosters::read(coordinator.as_ref(), &nodes, &files.blobs);
        let blobs = Blobs::new(&files.blobs);
        let mut world = Self {
            region,
            governance: trust.governance(),
            blobs,
            rounds: &files.rounds,
            coordinator,
            nodes,
            rosters,
            newest: None,
            admitted: Memo::new(),
            terms: Memo::new(),
            specs: HashMap::new(),
        };
        notes::check(&mut world, trust, now, sheet);
        world.coordinator.iter_mut().for_each(|log| log.check_tiles(sheet));
        world.nodes.values_mut().for_each(|log| log.check_tiles(sheet));
        world.coordinator.iter_mut().for_each(|log| entries::check_coordinator(log, sheet));
        world.nodes.values_mut().for_each(|log| entries::check_node(log, sheet));
        let began = world.coordinator().into_iter().flat_map(Log::iter);
        world.specs = began.filter_map(|(_, entry)| spec_of(entry)).map(|spec| (spec.round(), spec)).collect();
        world
    }

    /// The specification of a round that the coordinator's log has begun.
    pub(crate) fn spec(&self, round: Digest) -> Option<&RoundSpec> {
        self.specs.get(&round)
    }

    /// The coordinator's log, when it can be read.
    pub(crate) fn coordinator(&self) -> Option<&CoordinatorLog<'a>> {
        self.coordinator.as_ref().filter(|log| log.sound)
    }

    /// The coordinator's log, whatever is wrong with it.
    pub(crate) fn any_coordinator(&self) -> Option<&CoordinatorLog<'a>> {
        self.coordinator.as_ref()
    }

    pub(crate) fn any_coordinator_mut(&mut self) -> Option<&mut CoordinatorLog<'a>> {
        self.coordinator.as_mut()
    }

    /// True when every log in the bundle can be read.
    pub(crate) fn whole(&self) -> bool {
        self.coordinator.iter().all(|log| log.sound) && self.nodes.values().all(|log| log.sound)
    }

    /// No log takes part in anything further.
    pub(crate) fn give_up(&mut self) {
        self.coordinator.iter_mut().for_each(Log::give_up);
        self.nodes.values_mut().for_each(Log::give_up);
    }

    /// Node logs that can be read.
    pub(crate) fn sound_nodes(&self) -> impl Iterator<Item = (&Name, &NodeLog<'a>)> {
        self.nodes.iter().filter(|(_, log)| log.sound)
    }

    /// The log of a node that another log speaks of.
    pub(crate) fn node(&self, name: &Name) -> Held<'_, NodeLog<'a>> {
        match self.nodes.get(name) {
            Some(log) if log.sound => Held::Sound(log),
            _ => Held::Unknown,
        }
    }

    /// The newest roster.
    pub(crate) fn roster(&self) -> Option<&Roster> {
        self.rosters.get(self.newest?)
    }
}
