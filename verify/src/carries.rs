//! R29 and R26, as far as they are about one node's log: rounds that were paid for,
//! carries, and what is let open.

use crate::report::{Rule, Sheet};
use crate::state::State;
use crate::walk::At;
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::ledger::{Debit, Entry, Regional};
use koonti_disclosure::names::unhex_vec;

/// Checks a carry, or the release of a regional debit.
pub(crate) fn check(at: &At<'_, '_>, state: &State<'_>, entry: &Entry, sheet: &mut Sheet) {
    match entry {
        Entry::Debit(debit) => {
            if let Some(regional) = debit.regional() {
                check_round(at, debit.round(), (debit.nonce(), debit.attempt()), (debit, regional), sheet);
            }
        }
        Entry::Carry { certificate, debit, nonce, round, .. } => {
            let paid = state.debits.get(debit).and_then(|paid| Some((paid.debit, paid.debit.regional()?)));
            if let Some(paid) = paid {
                check_round(at, *round, (*nonce, 1), paid, sheet);
            }
            let regional = paid.map(|(_, regional)| regional);
            let session = regional.map(|regional| regional.session);
            let holds = regional.is_some_and(|regional| {
                let roster = at.world.rosters.get(regional.roster);
                let certificate = unhex_vec(certificate).ok().zip(roster);
                let certificate = certificate.and_then(|(bytes, roster)| Certificate::parse(&bytes, roster).ok());
                certificate.is_some_and(|certificate| Some(certificate.session()) == session)
            });
            let missing = regional.is_some_and(|regional| at.world.rosters.is_missing(regional.roster));
            sheet.check(Rule::R29, holds || missing, || {
                format!("{}: no certificate that its first session stays sealed", at.place())
            });
        }
        Entry::Release { debit, release, .. } => {
            let paid = state.debits.get(debit).filter(|paid| paid.debit.is_regional());
            if paid.is_some() {
                let holds = state.masked.iter().any(|(masked, _)| masked == release);
                sheet.check(Rule::R29, holds, || format!("{}: lets open what it has not masked", at.place()));
            }
        }
        _ => {}
    }
}

/// Checks that a round paid for is one that has begun.
fn check_round(
    at: &At<'_, '_>,
    round: Digest,
    (nonce, attempt): (Digest, u32),
    (debit, regional): (&Debit, Regional),
    sheet: &mut Sheet,
) {
    if at.world.coordinator().is_none() {
        return;
    }
    let holds = at.world.spec(round).is_some_and(|spec| {
        let same = (spec.nonce(), spec.attempt(), spec.roster()) == (nonce, attempt, regional.roster);
        same && spec.request() == debit.request_id()
    });
    sheet.check(Rule::R26, holds, || format!("{}: of a round that did not begin so", at.place()));
}
