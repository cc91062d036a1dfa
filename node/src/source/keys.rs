//! Numbers the clients of a register by their keys, with something kept of each.
//!
//! Keys may be personal identity codes. They lie in blocks that never move, so
//! that no copy is left behind, and that are wiped when the import is over; the
//! table over them holds keyed hashes only. Nothing here can be printed.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use zeroize::{Zeroize, Zeroizing};

/// Keys of at most this many bytes lie beside what is kept of their client.
const INLINE_BYTES: usize = 15;
/// In the last byte of [`Entry::key`]: the key lies in a block.
const IN_BLOCK: u8 = u8::MAX;
const BLOCK_BYTES: usize = 256 * 1024;
const BLOCK_ENTRIES: usize = 8192;
const NONE: u32 = u32::MAX;

/// All clients, in the order in which they were met, and a `T` of each.
pub(super) struct Keys<T> {
    hashing: RandomState,
    /// The newest client of each hash; older ones follow by `Entry::older`.
    newest: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    entries: Vec<Vec<Entry<T>>>,
    len: u32,
    /// Keys too long for their entries.
    blocks: Vec<Zeroizing<Vec<u8>>>,
    /// The client asked for last.
    recent: u32,
}

struct Entry<T> {
    /// The key and its length, or the place of the key in a block and [`IN_BLOCK`].
    key: [u8; INLINE_BYTES + 1],
    /// The next client whose key has the same hash, or [`NONE`].
    older: u32,
    kept: T,
}

impl<T: Default> Keys<T> {
    pub(super) fn new() -> Self {
        Self {
            hashing: RandomState::new(),
            newest: HashMap::default(),
            entries: Vec::new(),
            len: 0,
            blocks: Vec::new(),
            recent: NONE,
        }
    }

    /// The number of clients.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The key of a client.
    pub(super) fn key(&self, client: u32) -> &[u8] {
        let key = &self.entry(client).key;
        match key[INLINE_BYTES] {
            IN_BLOCK => {
                let [block, start, length] = [0, 4, 8].map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|i| key[at + i])));
                &self.blocks[block as usize][start as usize..][..length as usize]
            }
            length => &key[..usize::from(length)],
        }
    }

    /// What is kept of a client.
    pub(super) fn kept(&self, client: u32) -> &T {
        &self.entry(client).kept
    }

    /// What is kept of a client, to change it.
    pub(super) fn kept_mut(&mut self, client: u32) -> &mut T {
        let at = client as usize;
        &mut self.entries[at / BLOCK_ENTRIES][at % BLOCK_ENTRIES].kept
    }

    /// The number of the client with this key, which is given out if need be.
    pub(super) fn number(&mut self, key: &[u8]) -> u32 {
        // Registers write the rows of a visit one behind the other.
        if self.recent != NONE && self.key(self.recent) == key {
            return self.recent;
        }
        let hash = self.hashing.hash_one(key);
        self.recent = self.find(key, hash).unwrap_or_else(|| self.add(key, hash));
        self.recent
    }

    fn entry(&self, client: u32) -> &Entry<T> {
        let at = client as usize;
        &self.entries[at / BLOCK_ENTRIES][at % BLOCK_ENTRIES]
    }

    fn find(&self, key: &[u8], hash: u64) -> Option<u32> {
        let mut at = self.newest.get(&hash).copied().unwrap_or(NONE);
        while at != NONE && self.key(at) != key {
            at = self.entry(at).older;
        }
        (at != NONE).then_some(at)
    }

    fn add(&mut self, key: &[u8], hash: u64) -> u32 {
        let client = self.len;
        self.len += 1;
        let mut written = [0; INLINE_BYTES + 1];
        if key.len() <= INLINE_BYTES {
            written[..key.len()].copy_from_slice(key);
            written[INLINE_BYTES] = key.len() as u8;
        } else {
            for (at, number) in [0, 4, 8].into_iter().zip(self.add_to_block(key)) {
                written[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            written[INLINE_BYTES] = IN_BLOCK;
        }
        let older = self.newest.insert(hash, client).unwrap_or(NONE);
        if self.entries.last().is_none_or(|block| block.len() == BLOCK_ENTRIES) {
            self.entries.push(Vec::with_capacity(BLOCK_ENTRIES));
        }
        self.entries[client as usize / BLOCK_ENTRIES].push(Entry { key: written, older, kept: T::default() });
        written.zeroize();
        client
    }

    /// Writes a key into a block; returns the block, the place in it and the length.
    fn add_to_block(&mut self, key: &[u8]) -> [u32; 3] {
        if self.blocks.last().is_none_or(|block| block.len() + key.len() > BLOCK_BYTES) {
            self.blocks.push(Zeroizing::new(Vec::with_capacity(BLOCK_BYTES)));
        }
        let block = self.blocks.len() - 1;
        let start = self.blocks[block].len();
        self.blocks[block].extend_from_slice(key);
        [block as u32, start as u32, key.len() as u32]
    }
}

impl<T> Drop for Keys<T> {
    fn drop(&mut self) {
        self.entries.iter_mut().flatten().for_each(|entry| entry.key.zeroize());
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
        let mut keys = Keys::new();
        let key = |i: u32| format!("{i}-{}", "x".repeat(i as usize % 40));
        // More than one block of each kind, and twice over, so that keys are found again.
        for round in 0..2 {
            for i in 0..20_000 {
                assert_eq!(keys.number(key(i).as_bytes()), i, "round {round}");
                assert_eq!(keys.number(key(i).as_bytes()), i);
                *keys.kept_mut(i) += i;
            }
        }
        assert!(keys.blocks.len() > 1 && keys.entries.len() > 1);
        assert!(keys.blocks.iter().all(|block| block.capacity() == BLOCK_BYTES));
        assert_eq!(keys.len(), 20_000);
        for i in 0..20_000 {
            assert_eq!((keys.key(i), *keys.kept(i)), (key(i).as_bytes(), 2 * i));
        }
    }

    #[test]
    fn short_and_long_keys_stay_apart() {
        let mut keys = Keys::<()>::new();
        // What the entry of a long key holds is no key itself.
        let all: Vec<Vec<u8>> = (0..40).flat_map(|n| [vec![0; n], vec![1; n], vec![u8::MAX; n]]).collect();
        let numbers: Vec<u32> = all.iter().map(|key| keys.number(key)).collect();
        assert_eq!(numbers[..3], [0, 0, 0], "the empty key");
        assert_eq!(numbers[3..], (1..=117).collect::<Vec<_>>());
    }

    #[test]
    fn keys_with_one_hash_stay_apart() {
        let mut keys = Keys::<()>::new();
        assert_eq!([keys.add(b"a", 7), keys.add(b"b", 7), keys.add(b"c", 7)], [0, 1, 2]);
        assert_eq!([b"a", b"b", b"c"].map(|key| keys.find(key, 7)), [Some(0), Some(1), Some(2)]);
        assert_eq!(keys.find(b"d", 7), None);
        assert_eq!(keys.find(b"a", 8), None);
    }
}
