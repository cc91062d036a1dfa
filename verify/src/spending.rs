//! R13 to R15: what is spent, on what, and how each debit ends.

use crate::report::{Rule, Sheet};
use crate::state::{Asked, Stage, State};
use crate::walk::At;
use koonti_disclosure::cost::{self, Cost};
use koonti_disclosure::ledger::{Debit, Entry};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::{Policy, TableRequest, tail};

/// Checks an entry of the ledger.
pub(crate) fn check(at: &At<'_, '_>, state: &State<'_>, entry: &Entry, sheet: &mut Sheet) {
    match entry {
        Entry::Debit(debit) => {
            check_follows(at, state, debit, sheet);
            check_caps(at, state, debit, sheet);
            check_terms(at, state, debit, sheet);
        }
        Entry::Carry { debit, .. } => {
            let paid = state.debits.get(debit).filter(|paid| paid.debit.is_regional());
            let reopens = paid.is_some_and(|paid| paid.stage == Stage::Aborted);
            sheet.check(Rule::R13, reopens, || format!("{}: carries over what it cannot", at.place()));
            if let Some(paid) = paid {
                let goes_on = !has_ended(state, paid.debit);
                sheet.check(Rule::R14, goes_on, || format!("{}: carries over to what is closed", at.place()));
            }
        }
        Entry::Release { debit, request, .. } => {
            let paid = state.debits.get(debit).filter(|paid| paid.is_open());
            let ends = paid.is_some_and(|paid| paid.debit.request_id() == *request);
            sheet.check(Rule::R13, ends, || format!("{}: releases what is not open", at.place()));
        }
        Entry::Abort { debit, .. } => {
            let ends = state.debits.get(debit).is_some_and(crate::state::Paid::is_open);
            sheet.check(Rule::R13, ends, || format!("{}: ends what is not open", at.place()));
        }
        Entry::Closed { atto_delta, debits, nano_rho, period, source, .. } => {
            let spent = state.spent.get(&(source, *period));
            let sums = spent.map_or((0, 0, 0), |spent| (spent.atto_delta, spent.debits, spent.nano_rho));
            let once = !spent.is_some_and(|spent| spent.closed);
            let holds = once && sums == (*atto_delta, *debits, *nano_rho);
            sheet.check(Rule::R14, holds, || format!("{}: closes with other sums", at.place()));
        }
        Entry::Recovered { .. } => {}
    }
}

fn check_follows(at: &At<'_, '_>, state: &State<'_>, debit: &Debit, sheet: &mut Sheet) {
    let id = debit.request_id();
    let same = |asked: &&Asked| {
        let here = (asked.nonce, asked.round) == (debit.nonce(), debit.round());
        asked.requester == *debit.requester() && (debit.is_regional() || here)
    };
    let asked = state.questions.get(&id).filter(same);
    let request = at.world.blobs.request(debit.request_json());
    let periods = request.is_none_or(|request| request.periods() == debit.periods());
    let holds = asked.is_some() && state.approved.get(&id) == Some(&true) && debit.node() == at.node && periods;
    sheet.check(Rule::R13, holds, || format!("{}: not as a question and an approval before it say", at.place()));
}

fn check_caps(at: &At<'_, '_>, state: &State<'_>, debit: &Debit, sheet: &mut Sheet) {
    let Some(policy) = policy(at, state) else { return };
    let allowance = policy.allowance();
    let own_cap = allowance.nano_rho_per_requester.unwrap_or(allowance.nano_rho_per_period);
    let Cost { nano_rho, atto_delta } = debit.cost();
    let fits = |spent: u64, more: u64, cap: u64| spent.checked_add(more).is_some_and(|sum| sum <= cap);
    let holds = debit.periods().iter().all(|period| {
        let spent = state.spent.get(&(debit.source(), *period));
        let own = spent.and_then(|spent| spent.by_requester.get(debit.requester())).copied().unwrap_or(0);
        let (rho, delta) = spent.map_or((0, 0), |spent| (spent.nano_rho, spent.atto_delta));
        fits(rho, nano_rho, allowance.nano_rho_per_period)
            && fits(delta, atto_delta, allowance.atto_delta_per_period)
            && fits(own, nano_rho, own_cap)
    });
    let holds = holds && !has_ended(state, debit);
    sheet.check(Rule::R14, holds, || format!("{}: passes an allowance, or spends of what is closed", at.place()));
}

/// True when one of a debit's periods was closed, or marked as spent, before.
fn has_ended(state: &State<'_>, debit: &Debit) -> bool {
    debit.periods().iter().any(|period| state.spent.get(&(debit.source(), *period)).is_some_and(|spent| spent.ended))
}

fn check_terms(at: &At<'_, '_>, state: &State<'_>, debit: &Debit, sheet: &mut Sheet) {
    let Some(policy) = policy(at, state) else { return };
    let Some(request) = at.world.blobs.request(debit.request_json()) else {
        sheet.check(Rule::R15, false, || format!("{}: its request is none", at.place()));
        return;
    };
    let key = (policy.hash(), request.id());
    let terms = at.world.terms.get(key, || terms(&policy, &request));
    let kind = match (request.release(), debit.regional()) {
        (ReleaseKind::PerNode, None) => debit.k() == policy.k(),
        (ReleaseKind::Regional, Some(regional)) => {
            let roster = state.roster.filter(|roster| *roster == regional.roster);
            let roster = roster.and_then(|hash| at.world.rosters.get(hash));
            let quorum = roster.and_then(|roster| Quorum::of(roster).ok());
            let k = round_k(at, debit).unwrap_or(debit.k());
            let sized = quorum.map_or(at.unread(state), |quorum| quorum.h() == regional.h);
            debit.k() == k && k >= policy.k() && sized
        }
        _ => false,
    };
    let holds = kind && terms == Some((debit.cost(), debit.tau()));
    sheet.check(Rule::R15, holds, || format!("{}: its cost or terms do not follow from request and rules", at.place()));
}

/// Cost and tau of a request under a policy.
fn terms(policy: &Policy, request: &TableRequest) -> Option<(Cost, Option<i64>)> {
    let gate = policy.allowance().gate_atto_delta;
    let cost = cost::of_period(request, gate).ok()?;
    let tau = (request.release() == ReleaseKind::PerNode)
        .then(|| tail::threshold(policy.k(), request.variance(), gate, cost::cells_touched(request)));
    Some((cost, tau))
}

/// The k of a regional debit's round, where the coordinator's log tells.
fn round_k(at: &At<'_, '_>, debit: &Debit) -> Option<u32> {
    let began = at.world.spec(debit.round())?;
    Some(began.strictness().k)
}

fn policy(at: &At<'_, '_>, state: &State<'_>) -> Option<std::sync::Arc<Policy>> {
    at.world.blobs.policy(state.policy?)
}
