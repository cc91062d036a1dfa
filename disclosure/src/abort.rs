//! Abort certificates: proof that a round can never be opened.
//!
//! A reservation of one round carries over to one retry only if nobody can open
//! the first. A node that signs an [`Erasure`] has erased its secrets of the session
//! and unmasks nothing of it. Of `n + c - t + 1` such signatures at most c lie, so
//! at least `n - t + 1` nodes have truly erased, and fewer than t are left: the
//! masked inputs of that session stay sealed for ever.
//!
//! What is signed is the session, the hash of all public keys of the round, and not
//! the round: a node whose disk was put back may join a round once more, but with
//! new keys, and so in a session whose erasure says nothing about the first.

use crate::identity::{self, RoundLabel};
use crate::names::Digest;
use crate::quorum::Quorum;
use crate::roster::Roster;

/// A node's signature that it has erased its secrets of a session.
pub type Erasure = [u8; 64];

/// Enough erasures of one session, every signature checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    session: Digest,
    roster: Digest,
    bytes: Vec<u8>,
}

/// Why bytes are not a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The length or the order of the places is wrong.
    #[error("not an abort certificate")]
    Bytes,
    /// A signature is not that of the node at its place.
    #[error("an erasure is not signed by the node it names")]
    Signature,
    /// So few nodes have signed that the others could still open the session.
    #[error("too few nodes have erased their secrets")]
    TooFew,
}

impl Certificate {
    /// Collects erasures, given with the places of their nodes in the roster.
    ///
    /// # Errors
    /// When there are too few, or one does not verify.
    pub fn new(session: Digest, erasures: &[(u16, Erasure)], roster: &Roster) -> Result<Self, Error> {
        let count = u16::try_from(erasures.len()).map_err(|_| Error::Bytes)?;
        let mut bytes = [session.0.as_slice(), &count.to_be_bytes()].concat();
        for (place, signature) in erasures {
            bytes.extend_from_slice(&place.to_be_bytes());
            bytes.extend_from_slice(signature);
        }
        Self::parse(&bytes, roster)
    }

    /// Reads a certificate: the session, a count, then place and signature of each.
    ///
    /// # Errors
    /// When it is malformed, has too few signatures, or one does not verify.
    pub fn parse(bytes: &[u8], roster: &Roster) -> Result<Self, Error> {
        let (session, rest) = bytes.split_first_chunk::<32>().ok_or(Error::Bytes)?;
        let (count, rest) = rest.split_first_chunk::<2>().ok_or(Error::Bytes)?;
        let count = usize::from(u16::from_be_bytes(*count));
        if rest.len() != count * 66 {
            return Err(Error::Bytes);
        }
        let mut last = None;
        for erasure in rest.chunks_exact(66) {
            let place = u16::from_be_bytes([erasure[0], erasure[1]]);
            if last.is_some_and(|last| last >= place) {
                return Err(Error::Bytes);
            }
            last = Some(place);
            let node = roster.nodes().get(usize::from(place)).ok_or(Error::Bytes)?;
            let signature = erasure[2..].try_into().expect("64 bytes");
            identity::check_round(RoundLabel::Abort, session, &signature, node.identity)
                .map_err(|_| Error::Signature)?;
        }
        let needed = Quorum::of(roster).map_err(|_| Error::TooFew)?.erasures() as usize;
        if count < needed {
            return Err(Error::TooFew);
        }
        Ok(Self { session: Digest(*session), roster: roster.hash(), bytes: bytes.to_vec() })
    }

    /// The session that can never be opened.
    pub fn session(&self) -> Digest {
        self.session
    }

    /// The roster under whose numbers that holds.
    pub fn roster(&self) -> Digest {
        self.roster
    }

    /// As it is sent and stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
