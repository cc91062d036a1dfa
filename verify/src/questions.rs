//! R12, and the question's half of R10: who asked, whether they may, where it is asked,
//! and of what it is counted.

use crate::report::{Rule, Sheet};
use crate::state::State;
use crate::walk::At;
use koonti_disclosure::identity::{Intent, SignedRequest};
use koonti_disclosure::ledger::Debit;
use koonti_disclosure::policy::Holdings;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::request::Measure;
use koonti_disclosure::roster::{Role, Roster};
use koonti_disclosure::{Name, TableRequest};
use koonti_evidence::entry::coordinator;
use koonti_evidence::entry::node::Question;

/// Checks a `question`; `content` is its request, when it can be read.
pub(crate) fn check(
    at: &At<'_, '_>,
    state: &State<'_>,
    question: &Question,
    content: Option<&SignedRequest>,
    sheet: &mut Sheet,
) {
    let roster = state.roster.and_then(|hash| at.world.rosters.get(hash));
    let person = content.zip(roster).and_then(|(signed, roster)| roster.person(signed.requester()));
    let person = person.filter(|person| person.roles.contains(&Role::Requester));
    let signed = content.zip(person).is_some_and(|(signed, person)| {
        signed.intent() == Intent::Ask && at.world.blobs.verifies(signed, person.identity)
    });
    // Rules and rosters that are missing fail R11 and R24.
    let unread = at.unread(state);
    if !unread {
        sheet.check(Rule::R12, signed, || format!("{}: not asked by a requester of the roster", at.place()));
    }
    let admitted = content.zip(roster).is_some_and(|(signed, roster)| {
        let request = signed.request();
        let mut sources = state.sources(request.register()).into_iter();
        sources.any(|source| admits(at, state, roster, request, source, at.index))
    });
    if !unread {
        sheet.check(Rule::R12, admitted, || format!("{}: the rules in force do not admit it", at.place()));
    }
    if let Some(log) = at.world.coordinator() {
        let asks = question.asked.index < question.asked.size
            && log.at(question.asked.index).is_some_and(|entry| asks(at, entry, question));
        sheet.check(Rule::R10, asks, || format!("{}: the coordinator's log does not ask it so", at.place()));
    }
}

/// Checks an `imported`: a second data source would be a second allowance.
pub(crate) fn check_import(at: &At<'_, '_>, state: &State<'_>, source: &Name, sheet: &mut Sheet) {
    sheet.check(Rule::R12, state.is_of_source(source), || format!("{}: of another data source", at.place()));
}

/// Checks what R12 says of a `debit`.
pub(crate) fn check_debit<'l>(at: &At<'_, '_>, state: &State<'l>, debit: &'l Debit, sheet: &mut Sheet) {
    let asked = state.questions.get(&debit.request_id());
    let timely = asked.is_none_or(|asked| asked.not_after >= debit.time());
    let request = at.world.blobs.request(debit.request_json());
    let roster = state.roster.and_then(|hash| at.world.rosters.get(hash));
    let admitted = request
        .as_ref()
        .zip(roster)
        .is_some_and(|(request, roster)| admits(at, state, roster, request, debit.source(), at.index));
    let events = request.as_ref().is_some_and(|request| request.measure() == Measure::Events);
    let of = debit.periods().iter().zip(debit.vintages());
    let imported = debit.periods().len() == debit.vintages().len()
        && of.into_iter().all(|(period, vintage)| state.holds(*vintage, *period, debit.source(), events));
    let of = debit.periods().iter().zip(debit.vintages());
    let chosen = request.as_ref().is_none_or(|request| {
        let from = |period| state.answers_from(request.register(), debit.source(), period);
        of.into_iter().all(|(period, vintage)| from(*period) == Some(*vintage))
    });
    let unread = at.unread(state);
    let holds = timely && imported && chosen && (admitted || unread);
    if !unread || !holds {
        sheet.check(Rule::R12, holds, || {
            format!(
                "{}: after the question's end, not admitted by the rules in force, or of another extract",
                at.place()
            )
        });
    }
}

fn admits(
    at: &At<'_, '_>,
    state: &State<'_>,
    roster: &Roster,
    request: &TableRequest,
    source: &Name,
    below: u64,
) -> bool {
    let Some(hash) = state.policy else { return false };
    let Some(policy) = at.world.blobs.policy(hash) else { return false };
    let held = state.held(request.register(), source, below);
    let areas = roster.node(at.node).map(|node| node.areas.as_slice()).unwrap_or_default();
    let served = request.filter("area").is_none_or(|codes| codes.iter().any(|code| areas.contains(code)));
    let events = request.measure() == Measure::Events;
    let holds_all =
        request.periods().iter().all(|period| held.get(period).is_some_and(|vintage| vintage.events || !events));
    let holdings = Holdings {
        region: at.world.region,
        node: at.node,
        register: request.register(),
        source,
        areas,
        vintages: &held,
        floor: roster.floor(),
        quorum: Quorum::of(roster).ok(),
    };
    // The answer depends on no more of the holdings than this.
    let key = (hash, request.id(), roster.hash(), served, holds_all);
    at.world.admitted.get(key, || policy.admit(request, &holdings).is_ok())
}

fn asks(at: &At<'_, '_>, entry: &coordinator::Entry, question: &Question) -> bool {
    let (at_latest, nonce, round, request, nodes, heads) = match entry {
        coordinator::Entry::Asked(asked) => {
            (asked.deadline, &asked.nonce, &asked.round, &asked.request, &asked.nodes, &asked.heads)
        }
        coordinator::Entry::Reopened { deadline, heads, nodes, nonce, request, round, .. } => {
            (*deadline, nonce, round, request, nodes, heads)
        }
        _ => return false,
    };
    let heads = at.world.blobs.heads(*heads);
    // Heads that are missing fail R06.
    let known = heads.is_none_or(|heads| heads.of(at.node).is_some_and(|head| head.size == question.known));
    let same = *request == question.request;
    (at_latest, *nonce, *round) == (question.deadline, question.nonce, question.round)
        && same
        && nodes.contains(at.node)
        && known
}
