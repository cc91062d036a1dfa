//! What a coordinator's journal holds: canonical JSON, one entry a frame.

use koonti_disclosure::roster::Role;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Refusal};
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Entry {
    /// A node or person took up an invitation.
    Enrolled(Box<Enrolled>),
    /// A person asked for a table that nobody had asked for.
    Asked(Box<Asked>),
    /// A table is offered once more to some nodes.
    Reopened {
        /// Until when, Unix seconds.
        deadline: u64,
        /// The table.
        id: Digest,
        /// To whom.
        nodes: Vec<Name>,
        /// The signed request, as it was asked now.
        request: serde_json::Value,
        /// Unix time, seconds.
        time: u64,
    },
    /// A node released.
    Released {
        /// The table.
        id: Digest,
        /// The node.
        node: Name,
        /// SHA-256 of the release's bytes.
        release: Digest,
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
        spec: serde_json::Value,
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
    /// The nodes asked.
    pub nodes: Vec<Name>,
    /// The round's public nonce.
    pub nonce: Digest,
    /// How long each phase of a regional round may take, seconds; 0 for a table
    /// per organisation.
    pub phase_timeout_s: u64,
    /// The signed request.
    pub request: serde_json::Value,
    /// The round's id.
    pub round: Digest,
    /// Unix time, seconds.
    pub time: u64,
}
