//! Mask streams, and what they come from: written anew from `docs/secagg-format.md`,
//! so that a mistake of the daemons' own code shows.

use crate::transcript::CHUNK;
use koonti_disclosure::Digest;
use koonti_disclosure::masked::Ring;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256};
use ring::hkdf;
use x25519_dalek::{PublicKey, StaticSecret};

/// `H(...)` of the page.
pub(crate) fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(&pack(parts));
    Digest(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// `pack(...)` of the page.
fn pack(parts: &[&[u8]]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).expect("parts are short").to_be_bytes();
    parts.iter().flat_map(|part| [&length(part)[..], part].concat()).collect()
}

struct Bytes32;

impl hkdf::KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// `KDF(salt, ikm, ...)` of the page.
pub(crate) fn kdf(salt: Digest, ikm: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &salt.0).extract(ikm);
    let filled = prk.expand(&[&pack(parts)], Bytes32).and_then(|okm| okm.fill(&mut out));
    filled.expect("32 bytes are within HKDF's limit");
    out
}

/// The public key of a secret.
pub(crate) fn public(secret: [u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(secret)).to_bytes()
}

/// X25519; none when the result is all zeros.
pub(crate) fn agree(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
    shared.was_contributory().then(|| shared.to_bytes())
}

/// True for the 32 little-endian bytes of an integer below l.
pub(crate) fn is_scalar(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().lt(ORDER.iter().rev())
}

/// Sums of vectors modulo their rings, which 2^64 is a multiple of.
pub(crate) struct Sums<'l> {
    layout: &'l [(Ring, usize)],
    words: Vec<Vec<u64>>,
}

impl<'l> Sums<'l> {
    pub(crate) fn new(layout: &'l [(Ring, usize)]) -> Self {
        Self { layout, words: layout.iter().map(|(_, cells)| vec![0; *cells]).collect() }
    }

    /// Adds the bytes of one input.
    pub(crate) fn add(&mut self, mut input: &[u8]) {
        for ((ring, cells), sums) in self.layout.iter().zip(&mut self.words) {
            let (vector, rest) = input.split_at(ring.bytes() * cells);
            input = rest;
            fold(*ring, vector, sums, u64::wrapping_add);
        }
    }

    /// Takes the streams of a seed off, or adds them.
    pub(crate) fn stream(&mut self, u2h: Digest, seed: &[u8; 32], off: bool) {
        let op = if off { u64::wrapping_sub } else { u64::wrapping_add };
        let mut buffer = Vec::new();
        for ((w, (ring, _)), sums) in (0u32..).zip(self.layout).zip(&mut self.words) {
            let key = kdf(u2h, seed, &[b"koonti/v1/secagg/stream", &w.to_be_bytes(), &[ring.bits()]]);
            let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("a key of 32 bytes"));
            for (j, sums) in (0u64..).zip(sums.chunks_mut(CHUNK / ring.bytes())) {
                buffer.clear();
                buffer.resize(sums.len() * ring.bytes(), 0);
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&j.to_be_bytes());
                let nonce = Nonce::assume_unique_for_key(nonce);
                let sealed = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut buffer);
                let _tag = sealed.expect("2^20 bytes are within the limit");
                fold(*ring, &buffer, sums, op);
            }
        }
    }

    /// The words as two's complement.
    pub(crate) fn lifted(&self) -> Vec<Vec<i64>> {
        let lift = |ring: Ring, word: u64| match ring {
            Ring::Bits32 => i64::from(i32::from_le_bytes(word.to_le_bytes()[..4].try_into().expect("four bytes"))),
            Ring::Bits64 => i64::from_le_bytes(word.to_le_bytes()),
        };
        let vectors = self.layout.iter().zip(&self.words);
        vectors.map(|((ring, _), words)| words.iter().map(|word| lift(*ring, *word)).collect()).collect()
    }
}

fn fold(ring: Ring, vector: &[u8], sums: &mut [u64], op: fn(u64, u64) -> u64) {
    for (word, sum) in vector.chunks_exact(ring.bytes()).zip(sums) {
        let mut wide = [0; 8];
        wide[..word.len()].copy_from_slice(word);
        *sum = op(*sum, u64::from_le_bytes(wide));
    }
}

/// l = 2^252 + 27742317777372353535851937790883648493, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
