//! What becomes of a message, and how a round fails.

use super::Phase;
use crate::message;
use koonti_disclosure::Name;

/// A message was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is new, and the round has changed.
    New,
    /// The same bytes were taken before; nothing has changed.
    Repeat,
    /// It is new, and a share in it is not the one its holder was dealt: the node is
    /// blamed, and its shares are not used.
    Blamed,
}

/// Why a message was not taken. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The roster does not list the node.
    #[error("the roster does not list this node")]
    Unknown,
    /// It is not a message of a node.
    #[error("{0}")]
    Malformed(#[from] message::Error),
    /// It is of another round.
    #[error("the message is of another round")]
    OtherRound,
    /// This phase does not ask for it.
    #[error("the message is out of phase")]
    OutOfPhase,
    /// The node is not among those asked in this phase.
    #[error("the node is not asked in this phase")]
    NotAsked,
    /// The node has left, or has erased its secrets.
    #[error("the node has left the round")]
    Left,
    /// It differs from one of its kind that the node sent before.
    #[error("the message contradicts an earlier one")]
    Contradiction,
    /// It names another node as its sender, or blames one that is not in the roster.
    #[error("the message names another node than its sender, or one that is not in the roster")]
    Place,
    /// The signature is not the node's.
    #[error("the signature is not the node's")]
    Signature,
    /// A key stands in another advert, stands twice, or is of low order.
    #[error("a key stands twice or is of low order")]
    Keys,
    /// The shares are of another session.
    #[error("the shares are of another session")]
    Session,
    /// The shares are not one for each node that should have one.
    #[error("the shares are not one for each node asked for")]
    Sets,
    /// The masked input is not of the table's size.
    #[error("the masked input is not of the table's size")]
    Size,
    /// A chunk came before the hashes of all chunks.
    #[error("a chunk came before its masked input was announced")]
    NoHead,
    /// There is no chunk of this number.
    #[error("the masked input has no chunk of this number")]
    ChunkIndex,
    /// The chunk is not of its size.
    #[error("the chunk is not of its size")]
    ChunkSize,
    /// The chunk does not have the hash announced.
    #[error("the chunk does not have the hash announced")]
    ChunkHash,
}

/// Why a round has failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// Too few nodes answered in this phase.
    #[error("too few nodes answered in phase {0:?}")]
    TooFew(Phase),
    /// The shares that this node dealt give another secret than its advert promised.
    #[error("the node {0} dealt shares of another secret than it promised")]
    Dealer(Name),
    /// The round is over already.
    #[error("the round is over")]
    Over,
}
