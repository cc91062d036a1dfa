//! R02 to R04: who has signed each checkpoint.

use crate::log::{Log, Whose};
use crate::report::{Rule, Sheet};
use crate::rosters::{Named, of_coordinator, of_node};
use crate::world::World;
use koonti_disclosure::Name;
use koonti_disclosure::roster::Roster;
use koonti_evidence::checkpoint::Cosignature;
use koonti_evidence::note::{Kind, VerifierKey};
use koonti_evidence::origin::cosigner;
use koonti_evidence::trust::Quorum;
use koonti_evidence::{Checkpoint, Trust};

/// Checks the checkpoints of all logs against the newest roster.
pub(crate) fn check(world: &mut World<'_>, trust: &Trust, now: Option<u64>, sheet: &mut Sheet) {
    let signed = newest_rosters(world, sheet);
    let Some(newest) = signed.first().cloned() else { return world.give_up() };
    world.newest = Some(newest.hash());
    let keys = Keys { region: world.region, newest: &newest, signed: &signed, trust, now };
    if let Some(log) = world.any_coordinator_mut() {
        keys.check(log, sheet);
    }
    world.nodes.values_mut().for_each(|log| keys.check(log, sheet));
}

/// The rosters that governance has signed, newest first; none when the newest is not.
fn newest_rosters(world: &World<'_>, sheet: &mut Sheet) -> Vec<Roster> {
    let (named, place): (Vec<Named<'_>>, String) = match (world.any_coordinator(), world.nodes.values().next()) {
        (Some(log), _) => (of_coordinator(log).collect(), log.whose.to_string()),
        (None, Some(log)) => (of_node(log).collect(), log.whose.to_string()),
        (None, None) => return Vec::new(),
    };
    let signed = |named: &&Named<'_>| world.rosters.is_signed(named, world.region, world.governance);
    let holds = named.last().is_some_and(|named| signed(&named));
    sheet.check(Rule::R02, holds, || format!("{place}: the newest roster is missing or not signed by governance"));
    if !holds {
        return Vec::new();
    }
    named.iter().rev().filter(signed).filter_map(|named| world.rosters.get(named.roster).cloned()).collect()
}

struct Keys<'k> {
    region: &'k Name,
    newest: &'k Roster,
    /// All that governance has signed, newest first.
    signed: &'k [Roster],
    trust: &'k Trust,
    now: Option<u64>,
}

impl Keys<'_> {
    fn check<E: Send>(&self, log: &mut Log<'_, E>, sheet: &mut Sheet) {
        let Some((note, _)) = &log.note else { return };
        let known = self.log_key(&log.whose);
        let once = |key: &VerifierKey| {
            note.signatures().iter().filter(|s| s.name() == key.name() && s.key_id() == key.id()).count() == 1
        };
        let key = known.filter(once);
        if !sheet.check(Rule::R02, key.is_some(), || format!("{}: no key of the newest roster has signed", log.whose)) {
            log.give_up();
            return;
        }
        let Some(key) = key else { return };
        let signed = Checkpoint::verify(note, &key, &self.witnesses());
        if !sheet.check(Rule::R03, signed.is_ok(), || format!("{}: a signature does not verify", log.whose)) {
            log.give_up();
            return;
        }
        let Ok(signed) = signed else { return };
        let times: Vec<u64> = signed.cosignatures.iter().map(|cosignature| cosignature.time).collect();
        log.newest = times.iter().copied().max();
        let member = self.is_member(&log.whose);
        let timely = self
            .now
            .zip(log.newest)
            .is_none_or(|(now, newest)| newest <= now && (!member || newest >= now.saturating_sub(OLDEST_S)));
        let enough = self.enough(&log.whose, &signed.cosignatures);
        sheet.check(Rule::R04, enough && timely, || {
            let what = if enough { "its cosignatures are too old, or later than now" } else { "too few cosignatures" };
            format!("{}: {what}", log.whose)
        });
    }

    /// True for the coordinator and the nodes of the newest roster.
    fn is_member(&self, whose: &Whose) -> bool {
        self.witness_key(whose).is_some()
    }

    fn log_key(&self, whose: &Whose) -> Option<VerifierKey> {
        let public = match whose {
            Whose::Coordinator => self.newest.coordinator().log,
            Whose::Node(node) => self.signed.iter().find_map(|roster| roster.node(node))?.log,
        };
        VerifierKey::new(&whose.origin(self.region), Kind::Log, public).ok()
    }

    fn witness_key(&self, whose: &Whose) -> Option<VerifierKey> {
        let public = match whose {
            Whose::Coordinator => self.newest.coordinator().witness,
            Whose::Node(node) => self.newest.node(node)?.witness,
        };
        VerifierKey::new(&cosigner(&whose.origin(self.region)), Kind::Witness, public).ok()
    }

    /// The cosigners of the newest roster and of the trust file, each once.
    fn witnesses(&self) -> Vec<VerifierKey> {
        let nodes = self.newest.nodes().iter().map(|node| Whose::Node(node.name.clone()));
        let members = std::iter::once(Whose::Coordinator).chain(nodes).filter_map(|whose| self.witness_key(&whose));
        let mut keys: Vec<VerifierKey> = members.collect();
        for key in self.trust.witness_keys() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn enough(&self, whose: &Whose, cosignatures: &[Cosignature]) -> bool {
        let has =
            |whose: &Whose| self.witness_key(whose).is_some_and(|key| cosignatures.iter().any(|by| by.witness == key));
        match (self.trust.quorum(), whose) {
            (Quorum::Region, Whose::Node(_)) => has(&Whose::Coordinator),
            (Quorum::Region, Whose::Coordinator) => {
                let nodes = self.newest.nodes();
                let count = nodes.iter().filter(|node| has(&Whose::Node(node.name.clone()))).count();
                count >= needed(nodes.len(), self.newest.floor().c as usize)
            }
            _ => self.trust.quorum_met(cosignatures),
        }
    }
}

/// How many of n nodes have to cosign the coordinator's checkpoint: t of the secure
/// sum, or more than two thirds.
fn needed(n: usize, floor_c: usize) -> usize {
    let c = floor_c.max(n / 5).max(1);
    if n < 5 { 2 * n / 3 + 1 } else { (n + c) / 2 + 1 }
}

/// How old the newest cosignature of a log may be: two days.
const OLDEST_S: u64 = 2 * 86_400;
