//! What a node's journal holds: canonical JSON, one entry a frame.
//!
//! No name of a person at the node, no count, no free text. The ledger's own
//! entries (`debit`, `release`, `abort`) are defined in `koonti-disclosure`.

use koonti_disclosure::canonical;
use koonti_disclosure::ledger;
use koonti_disclosure::{Digest, Name, Period, Refusal};
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// The ledger's.
    Ledger(ledger::Entry),
    /// The node's own.
    Own(Own),
}

/// What happened at the node besides spending.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Own {
    /// The operator approved a roster.
    RosterApproved {
        /// Its epoch.
        epoch: u64,
        /// Its hash.
        roster: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The register was imported: a new vintage.
    Imported {
        /// The quarters that it holds.
        periods: Vec<Period>,
        /// The register that it was read from.
        register: Name,
        /// The data source behind it, whose allowance its figures spend.
        source: Name,
        /// Unix time, seconds.
        time: u64,
        /// Its random id.
        vintage: Digest,
    },
    /// An admitted question waits for a person, or for its turn.
    Question(Box<Question>),
    /// A person at the node, or the standing rule, said yes.
    Approved {
        /// Who.
        by: By,
        /// The question.
        request: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The node takes part in a regional round; its secrets are in memory only.
    RoundJoined {
        /// The question.
        request: Digest,
        /// The round.
        round: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The masked input of a round is made and may leave.
    Masked {
        /// The hash that names it.
        masked: Digest,
        /// The question.
        request: Digest,
        /// The round.
        round: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The secrets of a round are erased: nothing of it is ever unmasked here.
    RoundErased {
        /// The round.
        round: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The question is refused.
    Refused {
        /// Why.
        reason: Refusal,
        /// The question.
        request: Digest,
        /// Unix time, seconds.
        time: u64,
    },
}

/// Who approved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A person.
    Person,
    /// `approval = "auto"` in the policy.
    Policy,
}

/// An offer that the node's policy admits.
#[derive(Clone, Serialize, Deserialize)]
pub struct Question {
    /// After this time it is not begun, Unix seconds.
    pub deadline: u64,
    /// The round's nonce.
    pub nonce: Digest,
    /// The signed request.
    pub request: serde_json::Value,
    /// The round's id.
    pub round: Digest,
    /// Unix time, seconds.
    pub time: u64,
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// When the bytes are not canonical or not of a known kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, canonical::Error> {
        canonical::from_bytes(bytes)
    }
}

impl Own {
    /// The canonical bytes.
    ///
    /// # Panics
    /// Never: entries hold names, integers and hex.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self).expect("names, integers and hex")
    }
}
