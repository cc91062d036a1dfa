//! R21: seeds and extracts are fixed before the nonce is known, and used once.

use crate::log::Log;
use crate::report::{Rule, Sheet};
use crate::state::State;
use crate::walk::At;
use crate::world::World;
use koonti_disclosure::Digest;
use koonti_disclosure::ledger::{Debit, Entry};
use koonti_evidence::entry::coordinator;
use std::collections::HashMap;

/// Where the coordinator's log asks: index by nonce and round.
pub(crate) fn asked(world: &World<'_>) -> HashMap<(Digest, Digest), u64> {
    let mut asked = HashMap::new();
    for (index, entry) in world.coordinator().into_iter().flat_map(Log::iter) {
        match entry {
            coordinator::Entry::Asked(entry) => drop(asked.entry((entry.nonce, entry.round)).or_insert(index)),
            coordinator::Entry::Reopened { nonce, round, .. } => drop(asked.entry((*nonce, *round)).or_insert(index)),
            _ => {}
        }
    }
    asked
}

/// Checks a debit or carry.
pub(crate) fn check(at: &At<'_, '_>, state: &State<'_>, entry: &Entry, sheet: &mut Sheet) {
    let (seed, debit) = match entry {
        Entry::Debit(debit) => (debit.seed(), Some(&**debit)),
        Entry::Carry { debit, seed, .. } => (*seed, state.debits.get(debit).map(|paid| paid.debit)),
        _ => return,
    };
    let fresh = !state.used.contains(&seed);
    // Without the coordinator's log it can only be seen to fail.
    if at.world.coordinator().is_some() || !fresh {
        let holds = fresh && debit.is_some_and(|debit| fixed_before(at, state, seed, debit));
        sheet.check(Rule::R21, holds, || {
            format!("{}: its seed was used, or it or an extract not fixed before the nonce was known", at.place())
        });
    }
}

fn fixed_before(at: &At<'_, '_>, state: &State<'_>, seed: u64, debit: &Debit) -> bool {
    let index = if debit.is_regional() {
        state.questions.get(&debit.request_id()).map(|question| question.place.index)
    } else {
        at.asked.get(&(debit.nonce(), debit.round())).copied()
    };
    let asked = index.and_then(|index| at.world.coordinator()?.at(index));
    let heads = match asked {
        Some(coordinator::Entry::Asked(asked)) => asked.heads,
        Some(coordinator::Entry::Reopened { heads, .. }) => *heads,
        _ => return false,
    };
    // Heads that are missing fail R06.
    let Some(heads) = at.world.blobs.heads(heads) else { return true };
    let Some(size) = heads.of(at.node).map(|head| head.size) else { return false };
    let before = |index: Option<u64>| index.is_some_and(|index| index < size);
    let vintages = debit.periods().iter().zip(debit.vintages());
    before(state.fixed(seed))
        && debit.periods().len() == debit.vintages().len()
        && vintages.into_iter().all(|(period, vintage)| before(state.imported(*vintage, *period)))
}
