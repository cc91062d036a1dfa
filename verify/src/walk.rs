//! One walk through each node's log, in order: every entry is shown to the rules about
//! nodes with the books as they stood before it.

use crate::log::Log;
use crate::report::Sheet;
use crate::state::{Asked, State};
use crate::world::{NodeLog, World};
use crate::{approvals, carries, coverage, order, questions, releases, share, spending};
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::ledger;
use koonti_disclosure::policy::Approval;
use koonti_disclosure::{Digest, Name, Period};
use koonti_evidence::entry::coordinator;
use koonti_evidence::entry::node::{By, Entry, Own};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What other rules need of the nodes' logs.
#[derive(Default)]
pub(crate) struct Walked {
    /// By node.
    pub(crate) nodes: BTreeMap<Name, Books>,
}

/// What is kept of one node's log.
#[derive(Default)]
pub(crate) struct Books {
    /// Releases of tables per organisation: entry and hash.
    pub(crate) stored: Vec<(u64, Digest)>,
    /// Their hashes by request.
    pub(crate) by_request: HashMap<Digest, Vec<Digest>>,
    /// Masked inputs: hash and round.
    pub(crate) masked: HashSet<(Digest, Digest)>,
    /// What is stated of the periods behind a release or a part in a round, by its hash.
    pub(crate) covered: HashMap<Digest, Vec<(Period, Coverage)>>,
}

/// One entry, and what stands before it.
pub(crate) struct At<'w, 'l> {
    pub(crate) world: &'w World<'l>,
    pub(crate) log: &'w NodeLog<'l>,
    pub(crate) node: &'w Name,
    pub(crate) asked: &'w HashMap<(Digest, Digest), u64>,
    pub(crate) index: u64,
}

impl At<'_, '_> {
    /// True when rules or roster in force are named and not there to be read.
    pub(crate) fn unread(&self, state: &State<'_>) -> bool {
        state.policy.is_some_and(|hash| self.world.blobs.policy(hash).is_none())
            || state.roster.is_some_and(|hash| self.world.rosters.get(hash).is_none())
    }

    pub(crate) fn place(&self) -> String {
        self.log.place(self.index)
    }
}

/// Walks all logs that can be read.
pub(crate) fn nodes(world: &World<'_>, sheet: &mut Sheet) -> Walked {
    let asked = order::asked(world);
    read_ahead(world);
    let logs: Vec<_> = world.sound_nodes().collect();
    let all = share::over(&logs, |(node, log)| walk(world, node, log, &asked));
    let mut walked = Walked::default();
    for ((node, _), (books, noted)) in logs.into_iter().zip(all) {
        sheet.append(noted);
        walked.nodes.insert(node.clone(), books);
    }
    walked
}

/// Reads what the coordinator's log names, so that walks do not wait for one another.
fn read_ahead(world: &World<'_>) {
    let entries: Vec<_> = world.coordinator().into_iter().flat_map(Log::iter).collect();
    share::over(&entries, |(_, entry)| match entry {
        coordinator::Entry::Asked(asked) => {
            let signed = world.blobs.signed(&asked.request)?;
            let person = world.roster()?.person(signed.requester())?;
            Some(world.blobs.verifies(&signed, person.identity))
        }
        coordinator::Entry::Released { release, .. } => world.blobs.release(*release).map(|_| true),
        _ => None,
    });
}

fn walk(world: &World<'_>, node: &Name, log: &NodeLog<'_>, asked: &HashMap<(Digest, Digest), u64>) -> (Books, Sheet) {
    let (mut state, mut books, mut sheet) = (State::default(), Books::default(), Sheet::default());
    for (index, entry) in log.iter() {
        let at = At { world, log, node, asked, index };
        let (mut signed, mut may_approve) = (None, true);
        match entry {
            Entry::Own(Own::PolicyApproved { after, approvals, policy, .. }) => {
                approvals::check(&at, &state, (*after, *policy), approvals, &mut sheet);
            }
            Entry::Own(Own::Imported { source, .. }) => questions::check_import(&at, &state, source, &mut sheet),
            Entry::Own(Own::Question(question)) => {
                let content = world.blobs.signed(&question.request);
                questions::check(&at, &state, question, content.as_deref(), &mut sheet);
                signed = content.map(|content| {
                    let (requester, not_after) = (content.requester().clone(), content.not_after());
                    let (nonce, round) = (question.nonce, question.round);
                    (content.request().id(), Asked { place: question.asked, requester, not_after, nonce, round })
                });
            }
            Entry::Ledger(entry) => {
                spending::check(&at, &state, entry, &mut sheet);
                order::check(&at, &state, entry, &mut sheet);
                carries::check(&at, &state, entry, &mut sheet);
                releases::check_stored(&at, &state, entry, &mut sheet);
                if let ledger::Entry::Debit(debit) = entry {
                    approvals::check_debit(&at, &state, debit, &mut sheet);
                    questions::check_debit(&at, &state, debit, &mut sheet);
                }
                books.take(index, entry, &state);
            }
            Entry::Own(Own::Approved { by: By::Policy, .. }) => {
                let policy = state.policy.and_then(|hash| world.blobs.policy(hash));
                // Rules that are named and missing fail R11.
                let named = state.policy.is_some();
                may_approve = policy.map_or(named, |policy| policy.approval() == Approval::Auto);
            }
            Entry::Own(_) => {}
        }
        state.take(index, entry, signed, may_approve);
    }
    books.masked = state.masked;
    (books, sheet)
}

impl Books {
    fn take(&mut self, index: u64, entry: &ledger::Entry, state: &State<'_>) {
        let stated = |debit: &u64| state.debits.get(debit).map(|paid| coverage::of_debit(state, paid.debit));
        let (debit, release, request) = match entry {
            ledger::Entry::Debit(debit) if debit.is_regional() => {
                self.covered.insert(debit.round(), coverage::of_debit(state, debit));
                return;
            }
            ledger::Entry::Carry { debit, round, .. } => {
                self.covered.insert(*round, stated(debit).unwrap_or_default());
                return;
            }
            ledger::Entry::Release { debit, release, request, .. } => (debit, release, request),
            _ => return,
        };
        let paid = state.debits.get(debit);
        if paid.is_some_and(|paid| paid.debit.is_regional()) {
            return;
        }
        self.covered.insert(*release, stated(debit).unwrap_or_default());
        self.stored.push((index, *release));
        // One of no debit fails R13; it is stored all the same.
        let id = paid.map_or(*request, |paid| paid.debit.request_id());
        self.by_request.entry(id).or_default().push(*release);
    }
}
