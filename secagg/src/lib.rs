//! The sum: secure aggregation as state machines without I/O.
//!
//! Bytes go in, bytes come out; clock and randomness are passed in. A
//! [`node::Session`] is one node's side of a round, a [`coordinator::Round`] the
//! coordinator's. `docs/secagg-format.md` fixes every byte between them.
//!
//! # Promised
//!
//! Let at most c of n nodes work for the coordinator, which may lie as it likes.
//! Then at most one sum is opened in a round: that over one U3 of at least `u_min`
//! nodes, so of at least h honest ones, each with its share of the noise.
//!
//! *One opening only.* To take the masks off any set, t nodes must release their
//! shares, and an honest one does so only when t nodes have signed its own U3.
//! Suppose two sets were opened. Each has t signatures, and two sets of t out of n
//! nodes have at least 2t - n > c members in common, so an honest node among them.
//! But an honest node signs one U3 of one U2 of one session, ever. So there is one
//! U3 for which honest nodes release anything.
//!
//! *Never both secrets of an honest node.* For each node of U2 an honest node
//! releases either the share of its own mask (it is in U3) or that of its mask key
//! (it is not), and all honest nodes the same, U3 being one. The coordinator thus
//! has at most c shares of the other secret, and c < t. In code: an
//! [`node::Session`] that has accepted a U3 holds one share for each node and has
//! wiped the other ([`node`], `Opening`).
//!
//! *Nothing cancels among nodes that were shown different things.* The session and
//! U2 enter every mask.
//!
//! # Not promised
//!
//! That the sum is right: a node can put in what it likes. That there is one: the
//! coordinator, or n - `u_min` + 1 nodes, can stop any round. Anything when more
//! than c nodes collude. That secrets leave no trace in memory: what this crate
//! holds is wiped, what libraries and the compiler copied onto the stack may not be.

mod abort;
pub mod coordinator;
mod keys;
mod masks;
pub mod message;
pub mod node;
mod sealed;
mod shamir;
mod stream;

// The tests inside and those in `tests/` share their region.
#[cfg(test)]
extern crate self as koonti_secagg;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

pub use abort::{Abort, NOBODY};
pub use masks::MaskSet;

/// A secure source of random bytes.
pub trait Randomness {
    /// Fills `out` with fresh, secret, uniform bytes.
    ///
    /// # Errors
    /// When the source fails; the round then ends for the node.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct NoRandomness;
