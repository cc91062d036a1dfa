//! Checking proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
//!
//! Needs the sizes, the roots and the proof, and no tree. A proof has exactly the
//! hashes that its sizes call for; one more or less is refused. Whether a root is
//! the log's is not decided here: it comes from a checkpoint.

use super::{empty_root, node_hash};
use koonti_disclosure::Digest;

/// Why a proof does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The leaf lies past the end of the tree, or the old tree is the larger one.
    #[error("no proof is possible for these sizes")]
    Sizes,
    /// The proof has too many or too few hashes for its sizes.
    #[error("the proof has too many or too few hashes for its sizes")]
    Length,
    /// The hashes do not lead to the roots.
    #[error("the proof does not lead to the root")]
    Root,
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves under `root`.
///
/// # Errors
/// When it is not shown by `proof`.
pub fn verify_inclusion(leaf: Digest, index: u64, size: u64, proof: &[Digest], root: Digest) -> Result<(), Error> {
    if index >= size {
        return Err(Error::Sizes);
    }
    let mut walk = Walk { place: index, last: size - 1 };
    let mut hash = leaf;
    for sibling in proof {
        hash = if walk.up()? { node_hash(*sibling, hash) } else { node_hash(hash, *sibling) };
    }
    walk.end()?;
    if hash == root { Ok(()) } else { Err(Error::Root) }
}

/// Checks that the tree of `old` leaves under `old_root` is a beginning of that of
/// `new` leaves under `new_root`.
///
/// Equal sizes need equal roots, and size 0 the root of the empty tree; both take an
/// empty proof.
///
/// # Errors
/// When it is not shown by `proof`.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Digest],
    old_root: Digest,
    new_root: Digest,
) -> Result<(), Error> {
    if old > new {
        return Err(Error::Sizes);
    }
    if old == 0 || old == new {
        let holds = (old != 0 || old_root == empty_root()) && (old != new || old_root == new_root);
        return match (proof, holds) {
            ([], true) => Ok(()),
            ([], false) => Err(Error::Root),
            _ => Err(Error::Length),
        };
    }
    // A complete old tree is itself the subtree that the proof begins with.
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return Err(Error::Length),
    };
    let shift = (old - 1).trailing_ones();
    let mut walk = Walk { place: (old - 1) >> shift, last: (new - 1) >> shift };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if walk.up()? {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
    }
    walk.end()?;
    if old_hash == old_root && new_hash == new_root { Ok(()) } else { Err(Error::Root) }
}

/// The way from a node up to the root: its place in its row, and the row's last.
struct Walk {
    place: u64,
    last: u64,
}

impl Walk {
    /// Goes up to the next node with a sibling and past it; tells whether the
    /// sibling stands on the left.
    fn up(&mut self) -> Result<bool, Error> {
        if self.last == 0 {
            return Err(Error::Length);
        }
        let left = self.place % 2 == 1 || self.place == self.last;
        if left && self.place.is_multiple_of(2) {
            // The last node of a row may have no sibling for some rows.
            let shift = self.place.trailing_zeros();
            self.place >>= shift;
            self.last >>= shift;
        }
        self.place >>= 1;
        self.last >>= 1;
        Ok(left)
    }

    fn end(&self) -> Result<(), Error> {
        if self.last == 0 { Ok(()) } else { Err(Error::Length) }
    }
}
