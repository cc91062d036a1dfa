//! What the ledger writes: entries of a node's log, in canonical JSON.
//!
//! They hold everything from which a release is computed again, but for the seed and
//! the extract; no count made from records is in any.

use super::Error;
use crate::canonical::Json;
use crate::cost::Cost;
use crate::names::{Digest, Name};
use crate::period::Period;
use crate::request::TableRequest;
use serde::{Deserialize, Serialize};

/// An entry that the ledger writes or folds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Entry {
    /// Budget is spent; noise may be drawn.
    Debit(Box<Debit>),
    /// An aborted regional debit carries over to one retry.
    Carry {
        /// The abort certificate, in hex.
        certificate: String,
        /// Sequence number of the debit.
        debit: u64,
        /// The retry's nonce.
        nonce: Digest,
        /// The retry's round.
        round: Digest,
        /// The number of the retry's seed.
        seed: u64,
        /// The retry's session.
        session: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The release of an earlier debit is stored; of a regional one, this node
    /// lets the sum be opened.
    Release {
        /// Sequence number of the debit.
        debit: u64,
        /// SHA-256 of the release's bytes, or the hash of the masked input.
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
    /// A period is closed: nothing more is debited from it.
    Closed {
        /// Failure probability spent on it, 1e-18.
        atto_delta: u64,
        /// In how many debits.
        debits: u64,
        /// Privacy loss spent on it, 1e-9 rho.
        nano_rho: u64,
        /// The period.
        period: Period,
        /// The data source.
        source: Name,
        /// Unix time, seconds.
        time: u64,
    },
    /// The node's state had been set back: whatever these periods had left counts
    /// as spent.
    Recovered {
        /// The periods.
        periods: Vec<Period>,
        /// The data source.
        source: Name,
        /// Unix time, seconds.
        time: u64,
    },
}

impl Entry {
    /// The names of its kinds, as they are written.
    pub const KINDS: [&str; 6] = ["debit", "carry", "release", "abort", "closed", "recovered"];

    /// When it was written, Unix seconds.
    pub fn time(&self) -> u64 {
        match self {
            Self::Debit(debit) => debit.time,
            Self::Carry { time, .. }
            | Self::Release { time, .. }
            | Self::Abort { time, .. }
            | Self::Closed { time, .. }
            | Self::Recovered { time, .. } => *time,
        }
    }
}

/// The record of a debit: everything from which its release is computed, but
/// for the seed of its number and the extract.
#[derive(Clone, Serialize, Deserialize)]
pub struct Debit {
    pub(crate) attempt: u32,
    pub(crate) cost: Cost,
    pub(crate) k: u32,
    pub(crate) node: Name,
    pub(crate) nonce: Digest,
    pub(crate) periods: Vec<Period>,
    pub(crate) policy: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) regional: Option<Regional>,
    pub(crate) request: Json,
    pub(crate) requester: Name,
    pub(crate) round: Digest,
    pub(crate) seed: u64,
    pub(crate) source: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tau: Option<i64>,
    pub(crate) time: u64,
    pub(crate) vintages: Vec<Digest>,
}

/// What a debit for a regional round has besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Regional {
    /// Honest contributors that the noise was sized for.
    pub h: u32,
    /// The roster under whose numbers that holds.
    pub roster: Digest,
    /// The session that the masked input was made in.
    pub session: Digest,
}

impl Debit {
    /// The number of the seed that its noise comes from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The data source whose allowance was spent.
    pub fn source(&self) -> &Name {
        &self.source
    }

    /// The periods, for each of which the cost was spent.
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// True when it paid for a masked input.
    pub fn is_regional(&self) -> bool {
        self.regional.is_some()
    }

    /// The round in which it was made, or to which it was carried.
    pub fn round(&self) -> Digest {
        self.round
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
        self.request.hash()
    }

    /// The cost of each period.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The smallest count that may be printed.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The hash of the policy that admitted the question.
    pub fn policy(&self) -> Digest {
        self.policy
    }

    /// The question paid for, as it was asked.
    pub fn request_json(&self) -> &Json {
        &self.request
    }

    /// 0, or 1 in the retry of a regional round.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The node that was debited.
    pub fn node(&self) -> &Name {
        &self.node
    }

    /// The public nonce that its noise is drawn with.
    pub fn nonce(&self) -> Digest {
        self.nonce
    }

    /// What a debit for a regional round has besides.
    pub fn regional(&self) -> Option<Regional> {
        self.regional
    }

    /// The smallest noisy count of this node that may be printed; none in a regional
    /// table.
    pub fn tau(&self) -> Option<i64> {
        self.tau
    }

    /// The vintage counted for each period.
    pub fn vintages(&self) -> &[Digest] {
        &self.vintages
    }

    /// The question paid for.
    ///
    /// # Errors
    /// When nobody knows the codebook that it was asked with.
    pub fn request(&self) -> Result<TableRequest, Error> {
        TableRequest::read(self.request.bytes()).map_err(|_| Error::Entry)
    }
}
