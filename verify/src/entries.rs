//! R08 and R09: what each log holds, entry by entry.

use crate::log::Log;
use crate::report::{Rule, Sheet};
use crate::world::{CoordinatorLog, NodeLog, World};
use koonti_disclosure::{Digest, Name};
use koonti_evidence::approvers::Chain;
use koonti_evidence::entry::coordinator::{Entry, MemberKind};
use koonti_evidence::entry::node::{self, Own};
use std::collections::BTreeMap;

/// Checks R08 on the coordinator's log.
pub(crate) fn check_coordinator(log: &mut CoordinatorLog<'_>, sheet: &mut Sheet) {
    let mut keys = Keys::new();
    check(log, sheet, |entry, first| match entry {
        Entry::Genesis { v, .. } => first && *v == 1,
        _ if first => false,
        Entry::Enrolled(it) => {
            keys.insert((it.kind, it.name.clone()), [it.spki; 2]);
            true
        }
        Entry::Renewed { by, kind, name, spki, .. } => {
            let before = keys.insert((*kind, name.clone()), [*by, *spki]);
            before.is_some_and(|before| before.contains(by))
        }
        Entry::Revoked { kind, name, .. } => keys.remove(&(*kind, name.clone())).is_some(),
        _ => true,
    });
}

/// The TLS keys with which a member may call.
type Keys = BTreeMap<(MemberKind, Name), [Digest; 2]>;

/// Checks R08 on a node's log.
pub(crate) fn check_node(log: &mut NodeLog<'_>, sheet: &mut Sheet) {
    let (mut seeds, mut approvers, mut chain) = (0, Vec::new(), Chain::default());
    check(log, sheet, |entry, first| {
        let before = chain;
        if let node::Entry::Own(own) = entry {
            chain.take(own);
        }
        match entry {
            node::Entry::Own(Own::Genesis { v, .. }) => first && *v == 1,
            _ if first => false,
            node::Entry::Own(Own::Seeds { commitments, first, .. }) => {
                let follows = *first == seeds;
                seeds = first.saturating_add(commitments.len() as u64);
                follows
            }
            node::Entry::Own(Own::Approvers { after, approvals, keys: next, .. }) => {
                let follows = before.names_approvers(&approvers, *after, next, approvals);
                approvers.clone_from(next);
                follows
            }
            _ => true,
        }
    });
}

fn check<E: Send>(log: &mut Log<'_, E>, sheet: &mut Sheet, mut follows: impl FnMut(&E, bool) -> bool) {
    if !log.rooted {
        return;
    }
    let mut sound = true;
    for (index, entry) in (0..).zip(&log.entries) {
        let holds = entry.as_ref().is_some_and(|entry| follows(entry, index == 0));
        sound &= sheet.check(Rule::R08, holds, || format!("{}: not an entry that may stand here", log.place(index)));
    }
    // A log without entries has no genesis.
    if log.entries.is_empty() {
        sound = sheet.check(Rule::R08, false, || format!("{}: the log is empty", log.whose));
    }
    log.sound &= sound;
}

/// Checks R09 on all logs.
pub(crate) fn check_times(world: &World<'_>, sheet: &mut Sheet) {
    if let Some(log) = world.coordinator() {
        times(log, Entry::time, sheet);
    }
    for (_, log) in world.sound_nodes() {
        times(log, node::Entry::time, sheet);
    }
}

fn times<E: Send>(log: &Log<'_, E>, time: impl Fn(&E) -> u64, sheet: &mut Sheet) {
    let mut last = 0;
    for (index, entry) in log.iter() {
        let now = time(entry);
        let late = log.newest.is_some_and(|newest| now > newest.saturating_add(AHEAD_S));
        sheet.check(Rule::R09, now >= last && !late, || format!("{}: its time does not fit", log.place(index)));
        last = now;
    }
}

/// How far an entry may be ahead of whoever cosigned it.
const AHEAD_S: u64 = 300;
