//! The Merkle tree of RFC 6962, section 2.1, over SHA-256.
//!
//! A [`Tree`] is append-only and keeps the hash of every complete subtree, so that
//! each root and proof costs O(log n) hashes, at any size the tree ever had. It
//! needs 64 bytes a leaf. It knows leaf hashes only; entries are the caller's.
//!
//! It does not sign, store or remember what it has shown to whom.

mod verify;

use koonti_disclosure::Digest;
use ring::digest::{Context, SHA256};
pub use verify::{Error, verify_consistency, verify_inclusion};

/// The hash of an entry as a leaf: SHA-256 of 0x00 and the entry.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(entry);
    Digest(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// An append-only tree over leaf hashes.
#[derive(Clone, Default)]
pub struct Tree {
    /// By height, then by place: the hashes of the complete subtrees.
    complete: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf, given as its [`leaf_hash`].
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for height in 0.. {
            if self.complete.len() == height {
                self.complete.push(Vec::new());
            }
            let row = &mut self.complete[height];
            row.push(hash);
            if row.len() % 2 == 1 {
                return;
            }
            hash = node_hash(row[row.len() - 2], hash);
        }
    }

    /// How many leaves there are.
    pub fn len(&self) -> u64 {
        self.complete.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        self.range(0, self.len())
    }

    /// The root that the tree had at `size` leaves; none when it has fewer.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        (size <= self.len()).then(|| self.range(0, size))
    }

    /// The proof that leaf `index` is in the tree of `size` leaves, from the leaf's
    /// sibling up; none when there is no such leaf or size.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.len() {
            return None;
        }
        let (mut start, mut end) = (0, size);
        let mut path = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.range(middle, end));
                end = middle;
            } else {
                path.push(self.range(start, middle));
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the tree of `old` leaves is a beginning of that of `new`; none
    /// when there are no such sizes. Empty from size 0 and for equal sizes.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        if old > new || new > self.len() {
            return None;
        }
        let (mut start, mut end) = (0, new);
        let mut path = Vec::new();
        // The verifier knows the old root, so it is left out where it is a subtree.
        let mut known = true;
        while old != 0 && old != end {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.range(middle, end));
                end = middle;
            } else {
                path.push(self.range(start, middle));
                start = middle;
                known = false;
            }
        }
        if !known {
            path.push(self.range(start, end));
        }
        path.reverse();
        Some(path)
    }

    /// The hashes of complete subtrees of `height`, `width` of them from `first` on.
    pub(crate) fn complete(&self, height: usize, first: usize, width: usize) -> &[Digest] {
        &self.complete[height][first..first + width]
    }

    /// The hash over leaves `start..end`, where `start` is a multiple of the least
    /// power of two that holds the range, as all splits from the root give it.
    fn range(&self, start: u64, end: u64) -> Digest {
        let size = end - start;
        if size == 0 {
            return empty_root();
        }
        if size.is_power_of_two() {
            let place = usize::try_from(start / size).expect("fewer subtrees than leaves in memory");
            return self.complete[size.trailing_zeros() as usize][place];
        }
        let middle = start + split(size);
        node_hash(self.range(start, middle), self.range(middle, end))
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// The hash of an inner node: SHA-256 of 0x01 and both children.
fn node_hash(left: Digest, right: Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest::of(&bytes)
}

/// The largest power of two under `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
