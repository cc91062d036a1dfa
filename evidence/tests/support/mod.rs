//! What the tests share: a generator with a seed, keys, a log.
#![allow(dead_code, reason = "each test binary uses its part")]

use koonti_evidence::note::{LogKey, VerifierKey, WitnessKey};
use koonti_evidence::tree::leaf_hash;
use koonti_evidence::{Checkpoint, Note, Tree};
use zeroize::Zeroizing;

/// SplitMix64: the same numbers in every run.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    /// The next number under `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// The next number under `bound`, as a place.
    pub(crate) fn place(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("small")
    }
}

/// Entry `index` of the test log: of several lengths, some empty.
pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes().repeat(usize::try_from(index % 4).expect("small"))
}

/// The tree over the first `size` entries.
pub(crate) fn tree(size: u64) -> Tree {
    (0..size).map(|index| leaf_hash(&entry(index))).collect()
}

pub(crate) fn log_key(name: &str) -> LogKey {
    LogKey::from_seed(name, Zeroizing::new([1; 32])).expect("a name")
}

pub(crate) fn witness_key(name: &str, seed: u8) -> WitnessKey {
    WitnessKey::from_seed(name, Zeroizing::new([seed; 32])).expect("a name")
}

/// A checkpoint of the test log with cosignatures of the given witnesses, at 1000.
pub(crate) fn signed(log: &LogKey, size: u64, witnesses: &[&WitnessKey]) -> Note {
    let checkpoint = Checkpoint::new(log.verifier().name(), size, tree(size).root()).expect("a checkpoint");
    let mut note = checkpoint.sign(log).expect("its own key");
    for witness in witnesses {
        note.add(checkpoint.cosign(witness, 1000).expect("a time")).expect("few");
    }
    note
}

pub(crate) fn keys(witnesses: &[&WitnessKey]) -> Vec<VerifierKey> {
    witnesses.iter().map(|key| key.verifier().clone()).collect()
}
