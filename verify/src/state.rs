//! A node's books, folded from its log alone: what was in force before each entry.
//!
//! Sums saturate and contradictions are passed over: the rules tell of them.

use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::ledger::{self, Debit};
use koonti_disclosure::policy::Vintage;
use koonti_disclosure::{Digest, Name, Period};
use koonti_evidence::approvers::Chain;
use koonti_evidence::entry::Place;
use koonti_evidence::entry::node::{Entry, Own};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The books before one entry.
#[derive(Default)]
pub(crate) struct State<'l> {
    pub(crate) approvers: Vec<Digest>,
    pub(crate) chain: Chain,
    pub(crate) policy: Option<Digest>,
    pub(crate) roster: Option<Digest>,
    /// The newest question of each request.
    pub(crate) questions: HashMap<Digest, Asked>,
    /// Approvals of the newest question of each request, and whether the rules let
    /// whoever gave them.
    pub(crate) approved: HashMap<Digest, bool>,
    /// Batches of seeds: first number, number after the last, entry.
    batches: Vec<(u64, u64, u64)>,
    pub(crate) used: BTreeSet<u64>,
    imports: Vec<Import<'l>>,
    pub(crate) debits: BTreeMap<u64, Paid<'l>>,
    pub(crate) spent: HashMap<(&'l Name, Period), Spent<'l>>,
    /// The vintage that a source's period was first released from.
    first: HashMap<(&'l Name, Period), Digest>,
    /// Hashes of masked inputs, with their rounds.
    pub(crate) masked: HashSet<(Digest, Digest)>,
    pub(crate) released: HashSet<Digest>,
}

/// What a question says.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) place: Place,
    pub(crate) requester: Name,
    pub(crate) not_after: u64,
    pub(crate) nonce: Digest,
    pub(crate) round: Digest,
}

struct Import<'l> {
    events: bool,
    index: u64,
    coverage: Option<Coverage>,
    periods: &'l [Period],
    register: &'l Name,
    source: &'l Name,
    vintage: Digest,
}

/// A debit and what has become of it.
pub(crate) struct Paid<'l> {
    pub(crate) debit: &'l Debit,
    pub(crate) stage: Stage,
    /// The session of its round, or of its retry.
    pub(crate) session: Option<Digest>,
}

/// How a debit stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    /// Ended in nothing; a regional one may be carried over.
    Aborted,
    Carried,
    Ended,
}

/// What was spent of a source in a period.
#[derive(Default)]
pub(crate) struct Spent<'l> {
    pub(crate) nano_rho: u64,
    pub(crate) atto_delta: u64,
    pub(crate) debits: u64,
    pub(crate) by_requester: HashMap<&'l Name, u64>,
    pub(crate) ended: bool,
    pub(crate) closed: bool,
}

impl<'l> State<'l> {
    /// The entry that fixed a seed.
    pub(crate) fn fixed(&self, seed: u64) -> Option<u64> {
        self.batches.iter().find(|(first, end, _)| (*first..*end).contains(&seed)).map(|(.., index)| *index)
    }

    /// The entry that imported a period in a vintage.
    pub(crate) fn imported(&self, vintage: Digest, period: Period) -> Option<u64> {
        let holds = |i: &&Import<'_>| i.vintage == vintage && i.periods.contains(&period);
        self.imports.iter().find(holds).map(|import| import.index)
    }

    /// What the import of a period in a vintage states.
    pub(crate) fn covers(&self, vintage: Digest, period: Period) -> Option<Coverage> {
        let holds = |i: &&Import<'_>| i.vintage == vintage && i.periods.contains(&period);
        self.imports.iter().find(holds)?.coverage
    }

    /// True when a period of a source was imported in a vintage, with its events where
    /// those are wanted.
    pub(crate) fn holds(&self, vintage: Digest, period: Period, source: &Name, events: bool) -> bool {
        let holds = |i: &Import<'_>| {
            i.vintage == vintage && i.source == source && i.periods.contains(&period) && (i.events || !events)
        };
        self.imports.iter().any(holds)
    }

    /// The vintage that a question about a period is answered from: the one first released
    /// from, else the newest.
    pub(crate) fn answers_from(&self, register: &Name, source: &'l Name, period: Period) -> Option<Digest> {
        let of = |i: &&Import<'_>| i.register == register && i.source == source && i.periods.contains(&period);
        let newest = || self.imports.iter().rfind(of).map(|import| import.vintage);
        self.first.get(&(source, period)).copied().or_else(newest)
    }

    /// True unless an earlier import is of another data source.
    pub(crate) fn is_of_source(&self, source: &Name) -> bool {
        self.imports.first().is_none_or(|first| first.source == source)
    }

    /// The sources behind a register.
    pub(crate) fn sources(&self, register: &Name) -> BTreeSet<&'l Name> {
        self.imports.iter().filter(|import| import.register == register).map(|import| import.source).collect()
    }

    /// A vintage of each period of a register that the log held below an entry; with
    /// events where any of the period has them: which one is counted, its debit says.
    pub(crate) fn held(&self, register: &Name, source: &Name, below: u64) -> BTreeMap<Period, Vintage> {
        let of = |i: &&Import<'_>| i.register == register && i.source == source && i.index < below;
        let mut held = BTreeMap::new();
        for import in self.imports.iter().filter(of) {
            for period in import.periods {
                let vintage = held.entry(*period).or_insert(Vintage { id: import.vintage, events: false });
                *vintage = Vintage { id: import.vintage, events: vintage.events || import.events };
            }
        }
        held
    }

    /// Takes an entry in. `signed` is a question's content, where it can be read;
    /// `may_approve` whether the rules let whoever gave an approval.
    pub(crate) fn take(&mut self, index: u64, entry: &'l Entry, signed: Option<(Digest, Asked)>, may_approve: bool) {
        if let Entry::Own(own) = entry {
            self.chain.take(own);
        }
        match entry {
            Entry::Ledger(entry) => self.take_ledger(index, entry),
            Entry::Own(own) => match own {
                Own::Approvers { keys, .. } => self.approvers.clone_from(keys),
                Own::PolicyApproved { policy, .. } => self.policy = Some(*policy),
                Own::RosterApproved { roster, .. } => self.roster = Some(*roster),
                Own::Seeds { commitments, first, .. } => {
                    self.batches.push((*first, first.saturating_add(commitments.len() as u64), index));
                }
                Own::Imported { coverage, events, periods, register, source, vintage, .. } => {
                    self.imports.push(Import {
                        events: *events,
                        index,
                        coverage: *coverage,
                        periods,
                        register,
                        source,
                        vintage: *vintage,
                    });
                }
                Own::Question(_) => {
                    if let Some((id, asked)) = signed {
                        self.approved.remove(&id);
                        self.questions.insert(id, asked);
                    }
                }
                Own::Approved { request, .. } => {
                    self.approved.insert(*request, may_approve);
                }
                Own::Masked { masked, round, .. } => drop(self.masked.insert((*masked, *round))),
                Own::Genesis { .. }
                | Own::Destroyed { .. }
                | Own::RoundJoined { .. }
                | Own::RoundErased { .. }
                | Own::Refused { .. } => {}
            },
        }
    }

    fn take_ledger(&mut self, index: u64, entry: &'l ledger::Entry) {
        match entry {
            ledger::Entry::Debit(debit) => {
                self.used.insert(debit.seed());
                for period in debit.periods() {
                    self.spent.entry((debit.source(), *period)).or_default().add(debit);
                }
                let session = debit.regional().map(|regional| regional.session);
                // Others can open a sum that its figures are in, whatever this node does.
                if session.is_some() {
                    self.pin(debit);
                }
                self.debits.insert(index, Paid { debit, stage: Stage::Open, session });
            }
            ledger::Entry::Carry { debit, seed, session, .. } => {
                self.used.insert(*seed);
                if let Some(paid) = self.debits.get_mut(debit) {
                    (paid.stage, paid.session) = (Stage::Carried, Some(*session));
                }
            }
            ledger::Entry::Release { debit, request, .. } => {
                self.released.insert(*request);
                if let Some(debit) = self.debits.get(debit).map(|paid| paid.debit) {
                    self.pin(debit);
                }
                self.end(*debit, Stage::Ended);
            }
            ledger::Entry::Abort { debit, .. } => {
                let again = self.debits.get(debit).is_some_and(|paid| paid.stage != Stage::Open);
                self.end(*debit, if again { Stage::Ended } else { Stage::Aborted });
            }
            ledger::Entry::Closed { period, source, .. } => {
                let spent = self.spent.entry((source, *period)).or_default();
                (spent.ended, spent.closed) = (true, true);
            }
            ledger::Entry::Recovered { periods, source, .. } => {
                for period in periods {
                    self.spent.entry((source, *period)).or_default().ended = true;
                }
            }
        }
    }

    fn pin(&mut self, debit: &'l Debit) {
        for (period, vintage) in debit.periods().iter().zip(debit.vintages()) {
            self.first.entry((debit.source(), *period)).or_insert(*vintage);
        }
    }

    fn end(&mut self, debit: u64, stage: Stage) {
        if let Some(paid) = self.debits.get_mut(&debit) {
            paid.stage = stage;
        }
    }
}

impl Paid<'_> {
    /// True while it may end in a release or an abort.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Carried)
    }
}

impl<'l> Spent<'l> {
    fn add(&mut self, debit: &'l Debit) {
        let cost = debit.cost();
        self.nano_rho = self.nano_rho.saturating_add(cost.nano_rho);
        self.atto_delta = self.atto_delta.saturating_add(cost.atto_delta);
        self.debits += 1;
        let own = self.by_requester.entry(debit.requester()).or_default();
        *own = own.saturating_add(cost.nano_rho);
    }
}
