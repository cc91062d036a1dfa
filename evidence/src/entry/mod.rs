//! What logs hold: canonical JSON, one entry a leaf, closed schemas.
//!
//! A journal's entries are its log's leaves, so these are the types that the daemons
//! write and the verifier reads; `docs/evidence-format.md` lists them. No entry has a
//! count made from records or free text, and of persons only account names.

pub mod coordinator;
pub mod node;

use koonti_disclosure::{Digest, Name, canonical};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest entry, bytes: what an entry bundle of `tlog-tiles` takes.
pub const LONGEST: usize = 65_535;

/// The state of a log, as another party has seen it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The root of its tree.
    pub root: Digest,
    /// Its number of entries.
    pub size: u64,
}

/// An entry of a log, and the state of the log that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The entry's index.
    pub index: u64,
    /// The root of the tree.
    pub root: Digest,
    /// The number of entries.
    pub size: u64,
}

/// The nodes' logs, as the coordinator has cosigned them: size and root by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Heads(pub BTreeMap<Name, (u64, Digest)>);

impl Heads {
    /// The canonical bytes, whose SHA-256 stands in the coordinator's entries.
    ///
    /// # Panics
    /// Never: they hold names, integers and hex.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self).expect("names, integers and hex")
    }

    /// The head of one node's log.
    pub fn of(&self, node: &Name) -> Option<Head> {
        self.0.get(node).map(|(size, root)| Head { root: *root, size: *size })
    }
}

/// A person's signature under a node's rules, or under who approves them next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The person's Ed25519 key.
    pub key: Digest,
    /// Their signature, hex.
    pub signature: String,
}
