//! Mask streams, and how they are added to words.
//!
//! A stream is the AES-256-GCM keystream over zeros in chunks of 2^20 bytes, a
//! key of its own for every seed, vector and width. Tags authenticate nothing
//! here and are dropped; ring computes them all the same, which costs time and no
//! safety. ring does not wipe its expanded keys: the seeds are wiped, and they
//! are what is kept.

use crate::keys::{Key, stream_key};
use koonti_disclosure::Digest;
use koonti_disclosure::masked::Ring;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

/// Bytes under one nonce.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Whether a stream is added or taken off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

impl Sign {
    /// With what sign `one` wears the mask that it shares with `other`.
    pub(crate) fn of(one: u16, other: u16) -> Self {
        if other > one { Self::Plus } else { Self::Minus }
    }

    /// The other one.
    pub(crate) fn opposite(self) -> Self {
        if self == Self::Plus { Self::Minus } else { Self::Plus }
    }
}

/// A seed with the sign of its streams.
pub(crate) type Signed = (Key, Sign);

/// A ring key for the stream of one vector.
fn cipher(u2h: Digest, seed: &Key, w: u32, ring: Ring) -> LessSafeKey {
    let key = stream_key(u2h, seed, w, ring.bits());
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a key of 32 bytes"))
}

/// Writes chunk `j` of a stream, from its beginning.
fn fill(cipher: &LessSafeKey, j: u64, out: &mut [u8]) {
    let mut nonce = [0; NONCE_LEN];
    nonce[4..].copy_from_slice(&j.to_be_bytes());
    out.fill(0);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let _tag = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), out).expect("2^20 bytes are within the limit");
}

/// Adds the streams of all seeds for vector `w` to its words, or takes them off.
///
/// Chunk by chunk, so that the words stay in cache while the seeds pass.
pub(crate) fn apply(u2h: Digest, seeds: &[Signed], w: u32, ring: Ring, words: &mut [u8]) {
    let ciphers: Vec<_> = seeds.iter().map(|(seed, sign)| (cipher(u2h, seed, w, ring), *sign)).collect();
    let mut buffer = Zeroizing::new(vec![0; words.len().min(CHUNK_BYTES)]);
    for (j, words) in (0u64..).zip(words.chunks_mut(CHUNK_BYTES)) {
        let buffer = &mut buffer[..words.len()];
        for (cipher, sign) in &ciphers {
            fill(cipher, j, buffer);
            add(ring, *sign, words, buffer);
        }
    }
    buffer.zeroize();
}

/// Adds words to words, or takes them off, modulo 2 to the ring's width. Both are
/// little-endian bytes and of one length.
pub(crate) fn add(ring: Ring, sign: Sign, words: &mut [u8], others: &[u8]) {
    assert_eq!(words.len(), others.len(), "vectors of one layout");
    // One loop a case: the compiler then does eight or four words at once.
    macro_rules! each {
        ($word:ty, $bytes:literal, $op:ident) => {
            for (word, other) in words.as_chunks_mut::<$bytes>().0.iter_mut().zip(others.as_chunks::<$bytes>().0) {
                *word = <$word>::from_le_bytes(*word).$op(<$word>::from_le_bytes(*other)).to_le_bytes();
            }
        };
    }
    match (ring, sign) {
        (Ring::Bits32, Sign::Plus) => each!(u32, 4, wrapping_add),
        (Ring::Bits32, Sign::Minus) => each!(u32, 4, wrapping_sub),
        (Ring::Bits64, Sign::Plus) => each!(u64, 8, wrapping_add),
        (Ring::Bits64, Sign::Minus) => each!(u64, 8, wrapping_sub),
    }
}

/// The words as two's complement.
pub(crate) fn lift(ring: Ring, words: &[u8]) -> Vec<i64> {
    match ring {
        Ring::Bits32 => words.as_chunks().0.iter().map(|word| i64::from(i32::from_le_bytes(*word))).collect(),
        Ring::Bits64 => words.as_chunks().0.iter().map(|word| i64::from_le_bytes(*word)).collect(),
    }
}

#[cfg(test)]
mod tests;
