//! The privacy budget spent: per data source and period, never credited back.
//!
//! The ledger is a fold over durable entries. [`Ledger::debit`] writes the
//! entry through a [`DebitSink`], and only when the sink has said that the bytes
//! are on disk does a [`Permit`] exist. A permit is neither `Clone` nor `Copy`;
//! [`crate::Exact::release`] consumes it. After a crash, [`Ledger::resume`]
//! gives back the permit of a debit that ended in no release, with the seed
//! that was sealed into it: the same bytes are computed again, and no second
//! draw exists.
//!
//! Additive composition of zCDP under adaptive questions is a valid filter
//! (Whitehouse, Ramdas, Rogers and Wu, ICML 2023). It does not know time: a
//! period is named by the request, so that moving a clock gains nothing.

use crate::canonical;
use crate::codebook::Codebook;
use crate::cost::{self, Cost};
use crate::gaussian;
use crate::names::{Digest, Name};
use crate::period::Period;
use crate::policy::Admitted;
use crate::refusal::Refusal;
use crate::request::TableRequest;
use crate::stream::{Context, Seed, VectorKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::{Zeroize, ZeroizeOnDrop};

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

/// An entry that the ledger writes or folds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Entry {
    /// Budget is spent; noise may be drawn.
    Debit(Box<Debit>),
    /// The release of an earlier debit is stored.
    Release {
        /// Sequence number of the debit.
        debit: u64,
        /// SHA-256 of the release's bytes.
        release: Digest,
        /// Id of the request answered.
        request: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// An earlier debit ended without a release. The budget stays spent.
    Abort {
        /// Sequence number of the debit.
        debit: u64,
        /// Unix time, seconds.
        time: u64,
    },
}

/// The record of a debit: everything from which its release is computed, but
/// for the extract.
#[derive(Clone, Serialize, Deserialize)]
pub struct Debit {
    pub(crate) attempt: u32,
    pub(crate) cost: Cost,
    pub(crate) k: u32,
    pub(crate) node: Name,
    pub(crate) nonce: Digest,
    pub(crate) periods: Vec<Period>,
    pub(crate) policy: Digest,
    pub(crate) request: serde_json::Value,
    pub(crate) requester: Name,
    pub(crate) round: Digest,
    pub(crate) sealed_seed: String,
    pub(crate) source: Name,
    pub(crate) tau: i64,
    pub(crate) time: u64,
    pub(crate) vintages: Vec<Digest>,
}

impl Debit {
    /// The seed as it was sealed by the node.
    pub fn sealed_seed(&self) -> &str {
        &self.sealed_seed
    }

    /// Unix time of the debit, seconds.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Who asked.
    pub fn requester(&self) -> &Name {
        &self.requester
    }

    /// The id of the question paid for.
    pub fn request_id(&self) -> Digest {
        Digest::of(&canonical::to_bytes(&self.request).expect("read from canonical bytes"))
    }

    fn request(&self) -> Result<TableRequest, Error> {
        let bytes = canonical::to_bytes(&self.request).map_err(|_| Error::Entry)?;
        TableRequest::parse(&bytes, Codebook::built_in()).map_err(|_| Error::Entry)
    }
}

/// What the round and the requester contribute to a debit.
pub struct Terms {
    /// Who asked.
    pub requester: Name,
    /// The coordinator's round.
    pub round: Digest,
    /// The coordinator's nonce for it.
    pub nonce: Digest,
    /// A fresh secret seed.
    pub seed: Seed,
    /// The same seed, sealed for the journal.
    pub sealed_seed: String,
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
}

/// The ledger of one node.
#[derive(Default)]
pub struct Ledger {
    spent: BTreeMap<(Name, Period), Spent>,
    debited: BTreeMap<(Digest, Vec<Digest>), u64>,
    first_vintage: BTreeMap<(Name, Period), Digest>,
    open: BTreeMap<u64, Debit>,
    drawing: BTreeSet<u64>,
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
                self.count(seq, debit);
                self.open.insert(seq, (**debit).clone());
            }
            Entry::Release { debit, .. } => {
                let debit = self.end(*debit)?;
                for (period, vintage) in debit.periods.iter().zip(&debit.vintages) {
                    self.first_vintage.entry((debit.source.clone(), *period)).or_insert(*vintage);
                }
            }
            Entry::Abort { debit, .. } => {
                self.end(*debit)?;
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
        let debit = Debit {
            attempt: 0,
            cost: admitted.cost,
            k: admitted.k,
            node: admitted.node,
            nonce: terms.nonce,
            periods: admitted.request.periods().to_vec(),
            policy: admitted.policy,
            request: serde_json::from_slice(admitted.request.bytes()).expect("canonical bytes are JSON"),
            requester: terms.requester,
            round: terms.round,
            sealed_seed: terms.sealed_seed,
            source: admitted.source,
            tau: admitted.tau,
            time: terms.time,
            vintages: admitted.vintages,
        };
        let entry =
            canonical::to_bytes(&Entry::Debit(Box::new(debit.clone()))).expect("a debit holds names and integers");
        let seq = sink.append_synced(&entry).map_err(|error| {
            // The entry may be durable all the same: counting on would undercount.
            self.lost = true;
            DebitError::Sink(error)
        })?;
        self.count(seq, &debit);
        self.open.insert(seq, debit.clone());
        self.drawing.insert(seq);
        Ok(Permit { seq, debit, request: admitted.request, vectors: admitted.vectors, seed: terms.seed })
    }

    /// The permit of a debit that was durable before a restart and ended in
    /// nothing, with the seed unsealed from it. Each is given out once.
    ///
    /// # Errors
    /// When there is no such open debit, or its permit is out already.
    pub fn resume(&mut self, seq: u64, seed: Seed) -> Result<Permit, Error> {
        let debit = self.open.get(&seq).ok_or(Error::NoDebit)?.clone();
        if !self.drawing.insert(seq) {
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

    /// What has been spent of a data source in a period.
    pub fn spent(&self, source: &Name, period: Period) -> Spent {
        self.spent.get(&(source.clone(), period)).cloned().unwrap_or_default()
    }

    /// The vintage that a period was first released from, which it stays with:
    /// a second import gives no second look.
    pub fn first_vintage(&self, source: &Name, period: Period) -> Option<Digest> {
        self.first_vintage.get(&(source.clone(), period)).copied()
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
            *spent.by_requester.entry(debit.requester.clone()).or_default() += debit.cost.nano_rho;
        }
        self.debited.insert((debit.request_id(), debit.vintages.clone()), seq);
    }
}

/// Budget that is durably spent on one question at one node: the right to
/// compute its release, once.
#[must_use = "the budget is spent: compute the release or write the abort"]
pub struct Permit {
    pub(crate) seq: u64,
    pub(crate) debit: Debit,
    pub(crate) request: TableRequest,
    pub(crate) vectors: Vec<cost::Vector>,
    seed: Seed,
}

impl Permit {
    /// The sequence number of the debit.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The question.
    pub fn request(&self) -> &TableRequest {
        &self.request
    }

    /// The vintage to count for each period of the question.
    pub fn vintages(&self) -> &[Digest] {
        &self.debit.vintages
    }

    /// Draws the noise of the whole table. This happens before the extract is
    /// opened, so that the time it takes cannot follow the data.
    ///
    /// # Errors
    /// When a draw fails; the debit then ends in an abort.
    pub fn draw(&self) -> Result<Noise, gaussian::Error> {
        let cells = self.request.domain().cells();
        let context = Context {
            node: &self.debit.node,
            request: self.request.id(),
            vintages: &self.debit.vintages,
            round: self.debit.round,
            attempt: self.debit.attempt,
        };
        let mut periods = vec![vec![Vec::with_capacity(cells); self.vectors.len()]; self.request.periods().len()];
        for (v, vector) in (0u32..).zip(&self.vectors) {
            let key = VectorKey::derive(&self.seed, &self.debit.nonce, &context, v);
            for (p, period) in (0u16..).zip(&mut periods) {
                let noise = &mut period[v as usize];
                for cell in 0..cells as u64 {
                    noise.push(gaussian::sample(vector.variance, &mut key.cell(0, p, cell))?);
                }
            }
        }
        Ok(Noise { periods })
    }
}

/// The noise of one table; wiped when dropped, and not printable: noise and
/// published table together give the exact table.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Noise {
    pub(crate) periods: Vec<Vec<Vec<i64>>>,
}
