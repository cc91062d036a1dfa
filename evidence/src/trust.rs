//! Whom an auditor trusts: a text file after C2SP `tlog-policy`, with one line more.
//!
//! ```text
//! log <key> [<url>]
//! witness <name> <key> [<url>]
//! group <name> <k>|any|all <member>...
//! quorum <name>|none
//! governance <64 hex digits>
//! ```
//!
//! Keys are verifier keys as text. Names serve this file only. A line refers to lines
//! above it. There is exactly one `quorum` and one `governance`: the public key that
//! signs the region's rosters. Lines that begin with `#` are comments.
//!
//! Stricter than C2SP: the file is UTF-8, URLs are not kept, one name is one log,
//! and no public key stands in two lines, whatever its kind.
//!
//! The auditor keeps this file. One that comes with the evidence proves nothing.

mod parse;

use crate::checkpoint::Cosignature;
use crate::note::VerifierKey;
use koonti_disclosure::Digest;
pub use parse::{Error, Fault};
use std::collections::BTreeSet;

/// The logs, witnesses and quorum that somebody trusts.
#[derive(Clone, Debug)]
pub struct Trust {
    logs: Vec<VerifierKey>,
    members: Vec<Member>,
    quorum: Quorum,
    governance: Digest,
}

impl Trust {
    /// The log keys, each of one origin.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The key of log `origin`, when it is trusted.
    pub fn log(&self, origin: &str) -> Option<&VerifierKey> {
        self.logs.iter().find(|key| key.name() == origin)
    }

    /// The witnesses by the names that this file gives them.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifierKey)> {
        self.members.iter().filter_map(|member| match &member.rule {
            Rule::Witness(key) => Some((member.name.as_str(), key)),
            Rule::Group { .. } => None,
        })
    }

    /// The witnesses' keys, to read checkpoints with.
    pub fn witness_keys(&self) -> Vec<VerifierKey> {
        self.witnesses().map(|(_, key)| key.clone()).collect()
    }

    /// The public key that signs the region's rosters.
    pub fn governance(&self) -> Digest {
        self.governance
    }

    /// What the file demands of cosignatures.
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Whether the witnesses of these cosignatures are enough. Times are not judged.
    pub fn quorum_met(&self, cosignatures: &[Cosignature]) -> bool {
        let signed = |key: &VerifierKey| cosignatures.iter().any(|cosignature| cosignature.witness == *key);
        self.satisfied(&self.witnesses().filter(|(_, key)| signed(key)).map(|(name, _)| name).collect())
    }

    /// Whether witnesses of these names, as this file gives them, are enough.
    pub fn satisfied(&self, names: &BTreeSet<&str>) -> bool {
        let Quorum::Member(quorum) = self.quorum else { return true };
        // Members stand behind what they refer to, so one pass decides all.
        let mut holds: Vec<bool> = Vec::new();
        for member in &self.members {
            holds.push(match &member.rule {
                Rule::Witness(_) => names.contains(member.name.as_str()),
                Rule::Group { least, of } => of.iter().filter(|place| holds[**place]).count() >= *least,
            });
        }
        holds[quorum]
    }
}

/// What a file demands of cosignatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quorum {
    /// It has no `quorum` line: what the region's own rules demand.
    Region,
    /// `quorum none`: nothing.
    None,
    /// The member at this place.
    Member(usize),
}

/// A witness, or a group of members that stand before it.
#[derive(Clone, Debug)]
struct Member {
    name: String,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Witness(VerifierKey),
    Group { least: usize, of: Vec<usize> },
}
