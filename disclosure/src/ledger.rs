//! The privacy budget spent: per data source and period, never credited back.
//!
//! The ledger is a fold over durable entries. [`Ledger::debit`] writes the
//! entry through a [`DebitSink`], and only when the sink has said that the bytes
//! are on disk does a [`Permit`] exist. A permit is neither `Clone` nor `Copy`;
//! [`crate::Exact::release`] consumes it. Each debit uses up one numbered seed, and
//! none is used twice. After a crash, [`Ledger::resume`] gives back the permit of a
//! debit that ended in no release, with the seed of its number: the same bytes are
//! computed again, and no second draw exists.
//!
//! A regional round ([`Ledger::join`]) is debited before the masked input is made,
//! since others can open a sum without the help of a node that is in it. Its seed
//! is not kept: nothing of it is ever computed again. An aborted round's debit
//! carries over to one retry, and only against a [`Certificate`] that the first
//! can never be opened ([`Entry::Carry`]).
//!
//! Additive composition of zCDP under adaptive questions is a valid filter
//! (Whitehouse, Ramdas, Rogers and Wu, ICML 2023). It does not know time: a
//! period is named by the request, so that moving a clock gains nothing.

mod entry;
mod permit;

use crate::abort::Certificate;
use crate::canonical;
use crate::cost::{self, Cost};
use crate::names::{Digest, Name, hex};
use crate::period::Period;
use crate::policy::Admitted;
use crate::refusal::Refusal;
use crate::roster::Roster;
use crate::round::RoundSpec;
use crate::stream::Seed;
use std::collections::{BTreeMap, BTreeSet};

pub use entry::{Debit, Entry, Regional};
pub use permit::{Noise, Permit};

/// Where debits are made durable.
pub trait DebitSink {
    /// Why it could not.
    type Error;
    /// Appends the entry and returns its sequence number once it would survive
    /// a power cut, and not before.
    ///
    /// # Errors
    /// When the entry is not durable; no budget may then be taken as reserved.
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, Self::Error>;
}

/// What the round and the requester contribute to a debit.
pub struct Terms {
    /// Who asked.
    pub requester: Name,
    /// The coordinator's round.
    pub round: Digest,
    /// The coordinator's nonce for it.
    pub nonce: Digest,
    /// A secret seed that was never used, with its number.
    pub seed: (u64, Seed),
    /// Unix time, seconds.
    pub time: u64,
}

/// A regional round that a node is about to send its masked input to.
pub struct Joining<'a> {
    /// Who asked.
    pub requester: Name,
    /// The round.
    pub spec: &'a RoundSpec,
    /// The hash of the round and of all public keys used in it: what erasures sign.
    pub session: Digest,
    /// The roster that the node's operator approved.
    pub roster: &'a Roster,
    /// For a retry: proof that the session before can never be opened.
    pub certificate: Option<&'a Certificate>,
    /// A secret seed that was never used, with its number.
    pub seed: (u64, Seed),
    /// Unix time, seconds.
    pub time: u64,
}

/// Why a debit did not come about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebitError<E> {
    /// The question is refused; nothing was written.
    #[error("{0}")]
    Refused(Refusal),
    /// This question was debited before: its answer exists or is being computed.
    #[error("this question has been debited before")]
    AlreadyDebited,
    /// The entry could not be made durable. What is on disk is then unknown, and
    /// this ledger grants nothing more.
    #[error("the debit could not be written: start again from the journal")]
    Sink(E),
    /// An earlier debit could not be written.
    #[error("an earlier debit could not be written: start again from the journal")]
    Lost,
}

/// Why entries do not fold into a ledger.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An entry is not one this version writes.
    #[error("a journal entry is not one this version understands")]
    Entry,
    /// A seed that was used before.
    #[error("a journal entry uses a seed that was used before")]
    Seed,
    /// A release or abort without a debit.
    #[error("a journal entry ends a debit that is not open")]
    NoDebit,
}

/// What has been spent of one data source and period.
#[derive(Clone, Default)]
pub struct Spent {
    /// Sum of all debits.
    pub cost: Cost,
    by_requester: BTreeMap<Name, u64>,
    debits: u64,
    /// Why nothing more may be spent, once that is so.
    ended: Option<Refusal>,
}

impl Spent {
    /// Why nothing more may be spent, once that is so.
    pub fn ended(&self) -> Option<Refusal> {
        self.ended
    }

    /// What may still be spent of an allowance: nothing once the period has ended.
    pub fn left_nano_rho(&self, allowance: u64) -> u64 {
        if self.ended.is_some() { 0 } else { allowance.saturating_sub(self.cost.nano_rho) }
    }
}

/// The ledger of one node.
#[derive(Default)]
pub struct Ledger {
    spent: BTreeMap<(Name, Period), Spent>,
    debited: BTreeMap<(Digest, Vec<Digest>), u64>,
    first_vintage: BTreeMap<(Name, Period), Digest>,
    open: BTreeMap<u64, Debit>,
    /// Regional debits whose round this node has left, and that may carry over.
    aborted: BTreeMap<u64, Debit>,
    drawing: BTreeSet<u64>,
    /// Numbers of the seeds used.
    seeds: BTreeSet<u64>,
    lost: bool,
}

impl Ledger {
    /// Folds one durable entry.
    ///
    /// # Errors
    /// When the entry contradicts those before it.
    pub fn replay(&mut self, seq: u64, entry: &Entry) -> Result<(), Error> {
        match entry {
            Entry::Debit(debit) => {
                self.use_seed(debit.seed)?;
                self.count(seq, debit);
                self.open.insert(seq, (**debit).clone());
            }
            Entry::Carry { debit, nonce, round, seed, session, .. } => {
                self.use_seed(*seed)?;
                let debit_seq = *debit;
                let mut debit = self.aborted.remove(&debit_seq).ok_or(Error::NoDebit)?;
                (debit.attempt, debit.nonce, debit.round, debit.seed) = (1, *nonce, *round, *seed);
                debit.regional = debit.regional.map(|regional| Regional { session: *session, ..regional });
                self.open.insert(debit_seq, debit);
            }
            Entry::Release { debit, .. } => {
                let debit = self.end(*debit)?;
                self.pin(&debit);
            }
            Entry::Abort { debit: seq, .. } => {
                let debit = self.end(*seq)?;
                if debit.is_regional() && debit.attempt == 0 {
                    self.aborted.insert(*seq, debit);
                }
            }
            Entry::Closed { period, source, .. } => self.end_period(source, *period, Refusal::PeriodClosed),
            Entry::Recovered { periods, source, .. } => {
                for period in periods {
                    self.end_period(source, *period, Refusal::AllowanceExhausted);
                }
            }
        }
        Ok(())
    }

    /// Says whether a question would fit. Costs nothing.
    ///
    /// # Errors
    /// Which allowance it would pass.
    pub fn check(&self, admitted: &Admitted, requester: &Name) -> Result<(), Refusal> {
        let allowance = admitted.allowance;
        let requester_cap = allowance.nano_rho_per_requester.unwrap_or(allowance.nano_rho_per_period);
        for period in admitted.request.periods() {
            let spent = self.spent(&admitted.source, *period);
            if let Some(reason) = spent.ended {
                return Err(reason);
            }
            let fits = |spent: u64, more: u64, cap: u64| spent.checked_add(more).is_some_and(|sum| sum <= cap);
            if !fits(spent.cost.nano_rho, admitted.cost.nano_rho, allowance.nano_rho_per_period)
                || !fits(spent.cost.atto_delta, admitted.cost.atto_delta, allowance.atto_delta_per_period)
            {
                return Err(Refusal::AllowanceExhausted);
            }
            let own = spent.by_requester.get(requester).copied().unwrap_or(0);
            if !fits(own, admitted.cost.nano_rho, requester_cap) {
                return Err(Refusal::RequesterAllowanceExhausted);
            }
        }
        Ok(())
    }

    /// Spends the cost of an admitted question, durably, and returns the permit.
    ///
    /// # Errors
    /// When the question does not fit, was debited before, or cannot be written.
    pub fn debit<S: DebitSink>(
        &mut self,
        admitted: Admitted,
        terms: Terms,
        sink: &mut S,
    ) -> Result<Permit, DebitError<S::Error>> {
        if self.lost {
            return Err(DebitError::Lost);
        }
        self.check(&admitted, &terms.requester).map_err(DebitError::Refused)?;
        let key = (admitted.request.id(), admitted.vintages.clone());
        if self.debited.contains_key(&key) {
            return Err(DebitError::AlreadyDebited);
        }
        if self.is_used(terms.seed.0) {
            return Err(DebitError::Refused(Refusal::NoSeed));
        }
        let tau = admitted.tau().ok_or(DebitError::Refused(Refusal::RoundMismatch))?;
        let debit = Debit {
            attempt: 0,
            cost: admitted.cost,
            k: admitted.k,
            node: admitted.node,
            nonce: terms.nonce,
            periods: admitted.request.periods().to_vec(),
            policy: admitted.policy,
            request: admitted.request.json(),
            regional: None,
            requester: terms.requester,
            round: terms.round,
            seed: terms.seed.0,
            source: admitted.source,
            tau: Some(tau),
            time: terms.time,
            vintages: admitted.vintages,
        };
        let seq = self.append(&Entry::Debit(Box::new(debit.clone())), sink)?;
        self.seeds.insert(debit.seed);
        self.count(seq, &debit);
        self.open.insert(seq, debit.clone());
        self.drawing.insert(seq);
        Ok(Permit { seq, debit, request: admitted.request, vectors: admitted.vectors, seed: terms.seed.1 })
    }

    /// Spends the cost of an admitted question on one regional round, durably, and
    /// returns the permit for its masked input. A question that was debited for a
    /// round before is debited no second time: its debit carries over if the
    /// certificate shows that the round before can never be opened, once.
    ///
    /// # Errors
    /// When the round is not one the node may join, the question does not fit, it
    /// was debited before and does not carry over, or the entry cannot be written.
    pub fn join<S: DebitSink>(
        &mut self,
        admitted: Admitted,
        joining: Joining<'_>,
        sink: &mut S,
    ) -> Result<Permit, DebitError<S::Error>> {
        if self.lost {
            return Err(DebitError::Lost);
        }
        let Joining { requester, spec, session, roster, certificate, seed, time } = joining;
        spec.check(&admitted, roster).map_err(DebitError::Refused)?;
        if self.is_used(seed.0) {
            return Err(DebitError::Refused(Refusal::NoSeed));
        }
        let before = self.debited.get(&(admitted.request.id(), admitted.vintages.clone())).copied();
        let (seq, debit) = if let Some(seq) = before {
            let aborted = self.aborted.get(&seq).ok_or(DebitError::AlreadyDebited)?;
            if let Some(reason) = self.ended(aborted) {
                return Err(DebitError::Refused(reason));
            }
            let sealed_for_ever = certificate.is_some_and(|certificate| {
                let sealed = |r: Regional| {
                    r.session == certificate.session() && r.roster == certificate.roster() && r.roster == spec.roster()
                };
                spec.previous() == Some(aborted.round) && aborted.regional.is_some_and(sealed)
            });
            let Some(certificate) = certificate.filter(|_| sealed_for_ever) else {
                return Err(DebitError::AlreadyDebited);
            };
            let carry = Entry::Carry {
                certificate: hex(certificate.bytes()),
                debit: seq,
                nonce: spec.nonce(),
                round: spec.round(),
                seed: seed.0,
                session,
                time,
            };
            self.append(&carry, sink)?;
            self.replay(seq, &carry).expect("the debit is in `aborted`");
            (seq, self.open[&seq].clone())
        } else {
            self.check(&admitted, &requester).map_err(DebitError::Refused)?;
            let debit = Debit {
                attempt: spec.attempt(),
                cost: admitted.cost,
                k: spec.strictness().k,
                node: admitted.node,
                nonce: spec.nonce(),
                periods: admitted.request.periods().to_vec(),
                policy: admitted.policy,
                regional: Some(Regional { h: spec.quorum().h(), roster: spec.roster(), session }),
                request: admitted.request.json(),
                requester,
                round: spec.round(),
                seed: seed.0,
                source: admitted.source,
                tau: None,
                time,
                vintages: admitted.vintages,
            };
            let seq = self.append(&Entry::Debit(Box::new(debit.clone())), sink)?;
            self.seeds.insert(debit.seed);
            self.count(seq, &debit);
            self.open.insert(seq, debit.clone());
            (seq, debit)
        };
        self.drawing.insert(seq);
        Ok(Permit { seq, debit, request: admitted.request, vectors: admitted.vectors, seed: seed.1 })
    }

    fn append<S: DebitSink>(&mut self, entry: &Entry, sink: &mut S) -> Result<u64, DebitError<S::Error>> {
        let bytes = canonical::to_bytes(entry).expect("an entry holds names, hex and integers");
        sink.append_synced(&bytes).map_err(|error| {
            // The entry may be durable all the same: counting on would undercount.
            self.lost = true;
            DebitError::Sink(error)
        })
    }

    /// The permit of a debit that was durable before a restart and ended in
    /// nothing, with the seed unsealed from it. Each is given out once.
    ///
    /// # Errors
    /// When there is no such open debit, its permit is out already, or it was for
    /// a regional round: that one's secrets are gone.
    pub fn resume(&mut self, seq: u64, seed: Seed) -> Result<Permit, Error> {
        let debit = self.open.get(&seq).ok_or(Error::NoDebit)?.clone();
        if debit.is_regional() || !self.drawing.insert(seq) {
            return Err(Error::NoDebit);
        }
        let request = debit.request()?;
        let vectors = cost::vectors(&request).map_err(|_| Error::Entry)?;
        Ok(Permit { seq, debit, request, vectors, seed })
    }

    /// The debits that have ended in neither release nor abort.
    pub fn open(&self) -> impl Iterator<Item = (u64, &Debit)> {
        self.open.iter().map(|(seq, debit)| (*seq, debit))
    }

    /// True when a question's debit was for a round that this node has left, and so
    /// carries over to a retry if a certificate comes with it; never of a period that has
    /// ended since.
    pub fn may_carry(&self, request: Digest) -> bool {
        self.aborted.values().any(|debit| debit.request_id() == request && self.ended(debit).is_none())
    }

    /// Why one of a debit's periods takes no further spending, if one does not.
    fn ended(&self, debit: &Debit) -> Option<Refusal> {
        debit.periods.iter().find_map(|period| self.spent.get(&(debit.source.clone(), *period))?.ended)
    }

    /// What has been spent of a data source in a period.
    pub fn spent(&self, source: &Name, period: Period) -> Spent {
        self.spent.get(&(source.clone(), period)).cloned().unwrap_or_default()
    }

    /// The vintage that a period was first released from, which it stays with:
    /// a second import gives no second look.
    pub fn first_vintage(&self, source: &Name, period: Period) -> Option<Digest> {
        self.first_vintage.get(&(source.clone(), period)).copied()
    }

    /// The entry that closes a period.
    pub fn closing(&self, source: &Name, period: Period, time: u64) -> Entry {
        let Spent { cost, debits, .. } = self.spent(source, period);
        Entry::Closed {
            atto_delta: cost.atto_delta,
            debits,
            nano_rho: cost.nano_rho,
            period,
            source: source.clone(),
            time,
        }
    }

    /// True when a seed has been used for a debit or a retry.
    pub fn is_used(&self, seed: u64) -> bool {
        self.seeds.contains(&seed)
    }

    /// The number after the last seed that was used: later ones were not.
    pub fn seeds_used(&self) -> u64 {
        self.seeds.last().map_or(0, |last| last + 1)
    }

    fn use_seed(&mut self, seed: u64) -> Result<(), Error> {
        if self.seeds.insert(seed) { Ok(()) } else { Err(Error::Seed) }
    }

    fn end_period(&mut self, source: &Name, period: Period, reason: Refusal) {
        self.spent.entry((source.clone(), period)).or_default().ended = Some(reason);
    }

    fn end(&mut self, seq: u64) -> Result<Debit, Error> {
        self.drawing.remove(&seq);
        self.open.remove(&seq).ok_or(Error::NoDebit)
    }

    fn count(&mut self, seq: u64, debit: &Debit) {
        for period in &debit.periods {
            let spent = self.spent.entry((debit.source.clone(), *period)).or_default();
            spent.cost.nano_rho += debit.cost.nano_rho;
            spent.cost.atto_delta += debit.cost.atto_delta;
            spent.debits += 1;
            *spent.by_requester.entry(debit.requester.clone()).or_default() += debit.cost.nano_rho;
        }
        self.debited.insert((debit.request_id(), debit.vintages.clone()), seq);
        // Others can open a sum that this vintage is in, whatever this node does.
        if debit.is_regional() {
            self.pin(debit);
        }
    }

    fn pin(&mut self, debit: &Debit) {
        for (period, vintage) in debit.periods.iter().zip(&debit.vintages) {
            self.first_vintage.entry((debit.source.clone(), *period)).or_insert(*vintage);
        }
    }
}
