//! The specification of one regional round: what every participant signs.
//!
//! The coordinator writes it; each node checks it against its own roster and
//! policy before it takes part, and its advert signs its hash. So a coordinator
//! that shows two nodes different terms gets adverts that fit no one round. It
//! holds no free parameter that could weaken a table: c, t, `u_min` and h must be
//! those of the roster, and k, J and eta no looser than any participant's policy.

use crate::canonical::{self, Json};
use crate::names::Digest;
use crate::policy::Admitted;
use crate::quorum::Quorum;
use crate::refusal::Refusal;
use crate::roster::Roster;
use serde::{Deserialize, Serialize};

/// The phases of a round: adverts, shares, masked inputs, confirmations, unmasking.
pub const PHASES: usize = 5;

/// How strictly a regional table must treat small cells. Ordered by no single
/// key: [`Strictness::strictest`] takes the strictest of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strictness {
    /// Chance that a table prints a cell below k, as a fraction.
    pub eta: (u64, u64),
    /// Nodes that may know one person.
    pub j: u32,
    /// Smallest count that may be printed.
    pub k: u32,
}

impl Strictness {
    /// The largest k and J and the smallest eta of the two.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        let eta = if less(self.eta, other.eta) { self.eta } else { other.eta };
        Self { eta, j: self.j.max(other.j), k: self.k.max(other.k) }
    }

    /// True when no part of this is looser than `own`.
    pub fn satisfies(self, own: Self) -> bool {
        self.k >= own.k && self.j >= own.j && !less(own.eta, self.eta)
    }

    /// True when every part lies in its range: k at least 3, J 1 to 100, eta above
    /// 0 and at most 1/2.
    pub fn in_range(self) -> bool {
        let (num, den) = self.eta;
        (crate::policy::LOWEST_K..=1_000_000).contains(&self.k)
            && (1..=100).contains(&self.j)
            && num > 0
            && den <= 1_000_000_000
            && num.checked_mul(2).is_some_and(|twice| twice <= den)
    }
}

fn less(a: (u64, u64), b: (u64, u64)) -> bool {
    u128::from(a.0) * u128::from(b.1) < u128::from(b.0) * u128::from(a.1)
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    attempt: u32,
    c: u32,
    deadlines: [u64; PHASES],
    epoch: u64,
    eta: (u64, u64),
    h: u32,
    j: u32,
    k: u32,
    n: u32,
    nonce: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Digest>,
    request: Digest,
    roster: Digest,
    t: u32,
    u_min: u32,
    v: u8,
}

/// A round specification in canonical form.
#[derive(Clone, Debug)]
pub struct RoundSpec {
    wire: Wire,
    json: Json,
    quorum: Quorum,
}

/// Why bytes are not a round specification.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// They are not canonical, or a field is missing or too many.
    #[error("not a round specification: {0}")]
    Bytes(#[from] canonical::Error),
    /// c, t, `u_min` and h do not follow from n, or a value is out of range.
    #[error("the numbers of the round specification contradict each other")]
    Numbers,
}

/// What the coordinator chooses for a round.
pub struct Choice {
    /// The question.
    pub request: Digest,
    /// Fresh and public: enters every noise stream.
    pub nonce: Digest,
    /// When each phase ends at the latest, Unix seconds, ascending.
    pub deadlines: [u64; PHASES],
    /// The strictest of all participants' rules and the region's floor.
    pub strictness: Strictness,
    /// For a retry, the round that was aborted.
    pub previous: Option<Digest>,
}

impl RoundSpec {
    /// Writes the specification of a round under a roster.
    ///
    /// # Errors
    /// When the choice is out of range or the roster has no quorum.
    pub fn new(roster: &Roster, choice: &Choice) -> Result<Self, Error> {
        let q = Quorum::of(roster).map_err(|_| Error::Numbers)?;
        Self::from_wire(Wire {
            attempt: u32::from(choice.previous.is_some()),
            c: q.c(),
            deadlines: choice.deadlines,
            epoch: roster.epoch(),
            eta: choice.strictness.eta,
            h: q.h(),
            j: choice.strictness.j,
            k: choice.strictness.k,
            n: q.n(),
            nonce: choice.nonce,
            previous: choice.previous,
            request: choice.request,
            roster: roster.hash(),
            t: q.t(),
            u_min: q.u_min(),
            v: 1,
        })
    }

    /// Reads a specification.
    ///
    /// # Errors
    /// When the bytes are not canonical or its numbers do not fit together.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_wire(canonical::from_bytes(bytes)?)
    }

    fn from_wire(wire: Wire) -> Result<Self, Error> {
        let q = Quorum::new(wire.n, wire.c).map_err(|_| Error::Numbers)?;
        let strictness = Strictness { eta: wire.eta, j: wire.j, k: wire.k };
        let sound = (wire.c, wire.t, wire.u_min, wire.h) == (q.c(), q.t(), q.u_min(), q.h())
            && strictness.in_range()
            && wire.deadlines.windows(2).all(|w| w[0] < w[1])
            && wire.attempt == u32::from(wire.previous.is_some())
            && wire.v == 1;
        if !sound {
            return Err(Error::Numbers);
        }
        Ok(Self { json: Json::of(&wire)?, quorum: q, wire })
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        self.json.bytes()
    }

    /// The same, to be embedded.
    pub fn json(&self) -> Json {
        self.json.clone()
    }

    /// The round: SHA-256 of the canonical bytes.
    pub fn round(&self) -> Digest {
        self.json.hash()
    }

    /// The numbers that follow from the roster.
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// How small cells are treated.
    pub fn strictness(&self) -> Strictness {
        Strictness { eta: self.wire.eta, j: self.wire.j, k: self.wire.k }
    }

    /// The question.
    pub fn request(&self) -> Digest {
        self.wire.request
    }

    /// The roster, as the SHA-256 of its canonical bytes.
    pub fn roster(&self) -> Digest {
        self.wire.roster
    }

    /// The coordinator's nonce.
    pub fn nonce(&self) -> Digest {
        self.wire.nonce
    }

    /// The number of the roster.
    pub fn epoch(&self) -> u64 {
        self.wire.epoch
    }

    /// 0, or 1 for the one retry.
    pub fn attempt(&self) -> u32 {
        self.wire.attempt
    }

    /// The round that this one retries.
    pub fn previous(&self) -> Option<Digest> {
        self.wire.previous
    }

    /// When phase `phase` (0 to 4) ends at the latest, Unix seconds.
    pub fn deadline(&self, phase: usize) -> u64 {
        self.wire.deadlines[phase]
    }

    /// Checks the specification against a node's own roster and rules.
    ///
    /// # Errors
    /// When it is of another question or roster, or looser than the node's own
    /// rules or its region's floor.
    pub fn check(&self, admitted: &Admitted, roster: &Roster) -> Result<(), Refusal> {
        let own = admitted.strictness().ok_or(Refusal::RoundMismatch)?;
        let quorum = Quorum::of(roster).map_err(|_| Refusal::TooFewNodes)?;
        let same = self.request() == admitted.request().id()
            && (self.wire.epoch, self.roster()) == (roster.epoch(), roster.hash())
            && self.quorum == quorum;
        if !same {
            return Err(Refusal::RoundMismatch);
        }
        if self.strictness().satisfies(own) { Ok(()) } else { Err(Refusal::RoundLooser) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_of_all_rules() {
        let a = Strictness { eta: (1, 100), j: 2, k: 10 };
        let b = Strictness { eta: (1, 1000), j: 1, k: 5 };
        let both = a.strictest(b);
        assert_eq!(both, Strictness { eta: (1, 1000), j: 2, k: 10 });
        assert!(both.satisfies(a) && both.satisfies(b) && !a.satisfies(b) && !b.satisfies(a));
        // The same chance in other terms is no looser.
        assert!(Strictness { eta: (2, 200), ..a }.satisfies(a));
        assert!(!Strictness { eta: (3, 4), ..a }.in_range() && !Strictness { k: 2, ..a }.in_range());
        assert!(!Strictness { eta: (0, 4), ..a }.in_range() && !Strictness { j: 0, ..a }.in_range());
    }
}
