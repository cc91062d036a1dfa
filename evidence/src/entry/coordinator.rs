//! What a coordinator's log holds.

use super::Head;
use koonti_disclosure::canonical::Json;
use koonti_disclosure::roster::Role;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Refusal};
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Entry {
    /// The first entry: whose log this is.
    Genesis {
        /// The region's governance key.
        governance: Digest,
        /// The key of this log.
        log: Digest,
        /// The region.
        region: Name,
        /// Version of the program that began it.
        software: String,
        /// Unix time, seconds.
        time: u64,
        /// Version of the format.
        v: u8,
        /// The key with which the coordinator cosigns the nodes' logs.
        witness: Digest,
    },
    /// A roster is in force.
    Roster {
        /// Its number.
        epoch: u64,
        /// Its hash.
        roster: Digest,
        /// The governance key's signature, hex.
        signature: String,
        /// Unix time, seconds.
        time: u64,
    },
    /// A node or person took up an invitation.
    Enrolled(Box<Enrolled>),
    /// A member has a new TLS key. It may call with this one and with that which asked
    /// for it, and with no other.
    Renewed {
        /// SHA-256 of the TLS key that asked.
        by: Digest,
        /// Node or person.
        kind: MemberKind,
        /// Its name.
        name: Name,
        /// SHA-256 of the new TLS key.
        spki: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// A member may not call any more, until it has taken up another invitation.
    Revoked {
        /// Node or person.
        kind: MemberKind,
        /// Its name.
        name: Name,
        /// Unix time, seconds.
        time: u64,
    },
    /// A person asked for a table that nobody had asked for.
    Asked(Box<Asked>),
    /// A table is offered once more to some nodes.
    Reopened {
        /// Until when, Unix seconds.
        deadline: u64,
        /// SHA-256 of the nodes' heads at that moment.
        heads: Digest,
        /// The table.
        id: Digest,
        /// To whom.
        nodes: Vec<Name>,
        /// A fresh public nonce.
        nonce: Digest,
        /// The signed request, as it was asked now.
        request: Json,
        /// The id of this offer.
        round: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// A node released.
    Released {
        /// The node's log, cosigned, which holds the release.
        head: Head,
        /// The table.
        id: Digest,
        /// The entry of the node's log that names the release.
        index: u64,
        /// The node.
        node: Name,
        /// SHA-256 of the release's bytes.
        release: Digest,
        /// The signature of the node's identity key, hex.
        signature: String,
        /// Unix time, seconds.
        time: u64,
    },
    /// A node refused.
    Refused {
        /// The table.
        id: Digest,
        /// The node.
        node: Name,
        /// Why.
        reason: Refusal,
        /// Unix time, seconds.
        time: u64,
    },
    /// A node is ready for a regional round, if it is at least this strict.
    Ready {
        /// The table.
        id: Digest,
        /// The node.
        node: Name,
        /// Its terms.
        terms: Strictness,
        /// Unix time, seconds.
        time: u64,
    },
    /// A regional round has begun.
    RoundBegan {
        /// For a retry: the abort certificate, hex.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
        /// The table.
        id: Digest,
        /// The round's specification.
        spec: Json,
        /// Unix time, seconds.
        time: u64,
    },
    /// A regional round has failed.
    RoundFailed {
        /// The table.
        id: Digest,
        /// True when masked inputs may have been made: only a certificate then
        /// lets the nodes try again.
        inputs: bool,
        /// The round.
        round: Digest,
        /// Unix time, seconds.
        time: u64,
    },
    /// The table is closed: published if any node released.
    Closed {
        /// The nodes in a regional sum; empty for a table per organisation.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        counted: Vec<Name>,
        /// The table.
        id: Digest,
        /// SHA-256 of the published bytes; absent when no node released.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        published: Option<Digest>,
        /// Why a regional table is not published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Refusal>,
        /// Unix time, seconds.
        time: u64,
    },
    /// Evidence was fetched.
    Access {
        /// The auditor's account.
        auditor: Name,
        /// Unix time, seconds.
        time: u64,
    },
}

impl Entry {
    /// When it was written, Unix seconds.
    pub fn time(&self) -> u64 {
        match self {
            Self::Enrolled(enrolled) => enrolled.time,
            Self::Asked(asked) => asked.time,
            Self::Genesis { time, .. }
            | Self::Renewed { time, .. }
            | Self::Revoked { time, .. }
            | Self::Roster { time, .. }
            | Self::Reopened { time, .. }
            | Self::Released { time, .. }
            | Self::Refused { time, .. }
            | Self::Ready { time, .. }
            | Self::RoundBegan { time, .. }
            | Self::RoundFailed { time, .. }
            | Self::Closed { time, .. }
            | Self::Access { time, .. } => *time,
        }
    }
}

/// A member of the region.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolled {
    /// What it was invited for; proposed to governance in the draft roster.
    pub areas: Vec<String>,
    /// Its Ed25519 identity key.
    pub identity: Digest,
    /// Node or person.
    pub kind: MemberKind,
    /// A node's key for the checkpoints of its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
    /// Its name.
    pub name: Name,
    /// What a person is invited as.
    pub roles: Vec<Role>,
    /// SHA-256 of the invitation's secret, which serves once.
    pub secret_sha256: Digest,
    /// SHA-256 of its TLS key.
    pub spki: Digest,
    /// Unix time, seconds.
    pub time: u64,
    /// A node's key for cosigning the coordinator's checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Digest>,
}

/// Node or person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberKind {
    /// A node.
    Node,
    /// A person.
    Person,
}

/// A table and its round.
#[derive(Clone, Serialize, Deserialize)]
pub struct Asked {
    /// When it is published at the latest, Unix seconds.
    pub deadline: u64,
    /// SHA-256 of the nodes' heads at that moment.
    pub heads: Digest,
    /// The nodes asked.
    pub nodes: Vec<Name>,
    /// The round's public nonce.
    pub nonce: Digest,
    /// How long each phase of a regional round may take, seconds; 0 for a table
    /// per organisation.
    pub phase_timeout_s: u64,
    /// The signed request.
    pub request: Json,
    /// The round's id.
    pub round: Digest,
    /// Unix time, seconds.
    pub time: u64,
}
