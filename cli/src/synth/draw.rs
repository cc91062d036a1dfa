//! Random draws that give the same answers everywhere and for ever.
//!
//! Promises: a seed and a stream number fix every draw, on every machine and
//! with every later version of the random-number crates, since all ranges are
//! made here, in integers, from plain ChaCha words. Does not promise secrecy:
//! nothing drawn here may protect anybody.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of draws.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// Opens one stream of a seed. Streams of one seed are independent.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut key = *b"--------koonti synthetic client.";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 up to, not including, `n`.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        let word = self.0.next_u32();
        ((u64::from(word) * u64::from(n)) >> 32) as u32
    }

    /// A position in a list of `len` items, which must not be empty.
    pub(super) fn index(&mut self, len: usize) -> usize {
        debug_assert!(len > 0, "nothing to draw from");
        self.below(len as u32) as usize
    }

    /// True in `permille` cases out of a thousand.
    pub(super) fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille
    }

    /// A position drawn with the given weights, whose sum must be above zero.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (position, &weight) in weights.iter().enumerate() {
            if left < weight {
                return position;
            }
            left -= weight;
        }
        weights.len() - 1
    }

    /// A bell-shaped whole number around 0 with a standard deviation of about
    /// 1.15 times `width`, never beyond four times it.
    pub(super) fn bell(&mut self, width: u32) -> i32 {
        let sum: u32 = (0..4).map(|_| self.below(2 * width + 1)).sum();
        sum as i32 - 4 * width as i32
    }
}
