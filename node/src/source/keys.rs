//! Numbers the clients of a register by their keys.
//!
//! Keys may be personal identity codes. They lie in blocks that never move, so
//! that no copy is left behind, and that are wiped when the import is over; the
//! table over them holds keyed hashes only. Nothing here can be printed.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use zeroize::Zeroizing;

const BLOCK_BYTES: usize = 256 * 1024;

/// The keys of all clients, in the order in which they were met.
#[derive(Default)]
pub(super) struct Keys {
    hashing: RandomState,
    /// The newest client of each hash; older ones follow by `Span::older`.
    newest: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    spans: Vec<Span>,
    blocks: Vec<Zeroizing<Vec<u8>>>,
    /// The client asked for last.
    recent: u32,
}

/// Where a key lies.
struct Span {
    block: u32,
    start: u32,
    end: u32,
    /// The next client whose key has the same hash, or [`NONE`].
    older: u32,
}

const NONE: u32 = u32::MAX;

impl Keys {
    /// The number of clients.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The key of a client.
    pub(super) fn get(&self, client: u32) -> &[u8] {
        let span = &self.spans[client as usize];
        &self.blocks[span.block as usize][span.start as usize..span.end as usize]
    }

    /// The number of the client with this key, which is given out if need be.
    pub(super) fn number(&mut self, key: &[u8]) -> u32 {
        // Registers write the rows of a visit one behind the other.
        if (self.recent as usize) < self.len() && self.get(self.recent) == key {
            return self.recent;
        }
        let hash = self.hashing.hash_one(key);
        self.recent = self.find(key, hash).unwrap_or_else(|| self.add(key, hash));
        self.recent
    }

    fn find(&self, key: &[u8], hash: u64) -> Option<u32> {
        let mut at = self.newest.get(&hash).copied().unwrap_or(NONE);
        while at != NONE && self.get(at) != key {
            at = self.spans[at as usize].older;
        }
        (at != NONE).then_some(at)
    }

    fn add(&mut self, key: &[u8], hash: u64) -> u32 {
        let client = u32::try_from(self.spans.len()).expect("rows are limited, and so are clients");
        let full = self.blocks.last().is_none_or(|block| block.len() + key.len() > BLOCK_BYTES);
        if full {
            self.blocks.push(Zeroizing::new(Vec::with_capacity(BLOCK_BYTES.max(key.len()))));
        }
        let block = self.blocks.len() - 1;
        let start = self.blocks[block].len();
        self.blocks[block].extend_from_slice(key);
        let older = match self.newest.entry(hash) {
            Entry::Occupied(mut entry) => entry.insert(client),
            Entry::Vacant(entry) => {
                entry.insert(client);
                NONE
            }
        };
        self.spans.push(Span { block: block as u32, start: start as u32, end: (start + key.len()) as u32, older });
        client
    }
}

/// Takes a hash for its own hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_are_one_client_and_others_are_not() {
        let mut keys = Keys::default();
        let key = |i: u32| format!("asiakas-{i}-{}", "x".repeat(i as usize % 100));
        // More than one block, and twice over, so that keys are found again.
        for round in 0..2 {
            for i in 0..20_000 {
                assert_eq!(keys.number(key(i).as_bytes()), i, "round {round}");
                assert_eq!(keys.number(key(i).as_bytes()), i);
            }
        }
        assert!(keys.blocks.len() > 1 && keys.blocks.iter().all(|b| b.capacity() == BLOCK_BYTES));
        assert_eq!(keys.len(), 20_000);
        assert_eq!(keys.get(77), key(77).as_bytes());
    }

    #[test]
    fn keys_with_one_hash_stay_apart() {
        let mut keys = Keys::default();
        assert_eq!([keys.add(b"a", 7), keys.add(b"b", 7), keys.add(b"c", 7)], [0, 1, 2]);
        assert_eq!([b"a", b"b", b"c"].map(|key| keys.find(key, 7)), [Some(0), Some(1), Some(2)]);
        assert_eq!(keys.find(b"d", 7), None);
        assert_eq!(keys.find(b"a", 8), None);
    }
}
