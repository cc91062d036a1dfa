//! What a node's log holds. The ledger's own entries (`debit`, `carry`, `release`,
//! `abort`, `closed`, `recovered`) are defined in `koonti-disclosure`.

use super::{Approval, Place};
use koonti_disclosure::canonical::{self, Json};
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::ledger;
use koonti_disclosure::{Digest, Name, Period, Refusal};
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Serialize)]
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
    /// The first entry: whose log this is.
    Genesis {
        /// The region's governance key.
        governance: Digest,
        /// The node's identity key.
        identity: Digest,
        /// The key of this log.
        log: Digest,
        /// The node.
        node: Name,
        /// The region.
        region: Name,
        /// Version of the program that began it.
        software: String,
        /// Unix time, seconds.
        time: u64,
        /// Version of the format.
        v: u8,
        /// The key with which the node cosigns the coordinator's log.
        witness: Digest,
    },
    /// Who approves the node's rules from now on.
    Approvers {
        /// What the log had approved before; none in entries of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Digest>,
        /// By at least two of those before; empty for the first.
        approvals: Vec<Approval>,
        /// Their keys, ascending.
        keys: Vec<Digest>,
        /// Unix time, seconds.
        time: u64,
    },
    /// Rules of the node are in force.
    PolicyApproved {
        /// What the log had approved before; none in entries of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Digest>,
        /// By at least two of the approvers, keys ascending.
        approvals: Vec<Approval>,
        /// SHA-256 of the rules in canonical form.
        policy: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// Seeds for noise are fixed.
    Seeds {
        /// The commitment to each.
        commitments: Vec<Digest>,
        /// The number of the first.
        first: u64,
        /// Unix time, seconds.
        time: u64,
    },
    /// Extract and seeds of a vintage's periods are deleted.
    Destroyed {
        /// The periods.
        periods: Vec<Period>,
        /// Numbers of the seeds, ascending.
        seeds: Vec<u64>,
        /// Unix time, seconds.
        time: u64,
        /// The vintage.
        vintage: Digest,
    },
    /// The operator approved a roster.
    RosterApproved {
        /// Its epoch.
        epoch: u64,
        /// Its hash.
        roster: Digest,
        /// The governance key's signature, hex.
        signature: String,
        /// Unix time, seconds.
        time: u64,
    },
    /// The register was imported: a new vintage.
    Imported {
        /// The commitment to the extract of each period.
        commitments: Vec<Digest>,
        /// What it covers of the organisation, if its operator has stated it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coverage: Option<Coverage>,
        /// True when each row of the register was an event.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        events: bool,
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
    /// Where the coordinator's log asks it.
    pub asked: Place,
    /// After this time it is not begun, Unix seconds.
    pub deadline: u64,
    /// The size of this log that the coordinator's entry records.
    pub known: u64,
    /// The round's nonce.
    pub nonce: Digest,
    /// The signed request.
    pub request: Json,
    /// The round's id.
    pub round: Digest,
    /// Unix time, seconds.
    pub time: u64,
}

impl Question {
    /// The signed request, parsed; none when nobody knows the codebook that it was asked
    /// with.
    pub fn signed(&self) -> Option<SignedRequest> {
        let bytes = canonical::to_bytes(&self.request).ok()?;
        SignedRequest::parse(&bytes).ok()
    }
}

impl Entry {
    /// When it was written, Unix seconds.
    pub fn time(&self) -> u64 {
        match self {
            Self::Ledger(entry) => entry.time(),
            Self::Own(
                Own::Genesis { time, .. }
                | Own::Approvers { time, .. }
                | Own::PolicyApproved { time, .. }
                | Own::Seeds { time, .. }
                | Own::Destroyed { time, .. }
                | Own::RosterApproved { time, .. }
                | Own::Imported { time, .. }
                | Own::Approved { time, .. }
                | Own::RoundJoined { time, .. }
                | Own::Masked { time, .. }
                | Own::RoundErased { time, .. }
                | Own::Refused { time, .. },
            ) => *time,
            Self::Own(Own::Question(question)) => question.time,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When the bytes are not canonical or not of a known kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, canonical::Error> {
        let Kind { name } = serde_json::from_slice(bytes).map_err(|e| canonical::Error::Shape(e.to_string()))?;
        if ledger::Entry::KINDS.contains(&name) {
            canonical::from_bytes(bytes).map(Self::Ledger)
        } else {
            canonical::from_bytes(bytes).map(Self::Own)
        }
    }
}

/// Which kind of entry it is.
#[derive(Deserialize)]
struct Kind<'e> {
    #[serde(rename = "type")]
    name: &'e str,
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
