//! Where noise comes from: a stream of its own for every vector, period, cell
//! and sign of share.
//!
//! The key of a vector is `HKDF-SHA256(ikm = seed, salt = nonce, info)`, 32 bytes.
//! `info` is the concatenation of these parts, each with its length in front as a
//! big-endian u32: the label `koonti/v1/noise`, the node's name, the request's id,
//! the id of the vintage of each period, the round's id, the attempt and the
//! vector's number (both big-endian u32). The stream of a cell is the AES-256
//! keystream of GCM over zeros under that key (counter mode from block 2), with
//! the twelve byte nonce `sign (u8) | 0 (u8) | period index (u16) | cell (u64)`,
//! big-endian.
//!
//! The seed is the node's, secret and fresh; the nonce is the coordinator's, and
//! public. Seeds are numbered, and a node's log holds the commitment to each
//! ([`Seed::commitment`]) before the coordinator's log holds the nonce that it is used
//! with; so neither can choose the noise. [`crate::ledger`] ties one seed to one debit.

use crate::gaussian::{Bytes, Error};
use crate::names::{Digest, Name};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Thirty-two secret random bytes, drawn fresh for one debit.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Wraps bytes that came from a secure source of randomness.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The commitment to this seed as number `number`: SHA-256 over the label
    /// `koonti/v1/seed`, the number (big-endian u64) and the seed, each with its length
    /// in front as a big-endian u32.
    pub fn commitment(&self, number: u64) -> Digest {
        let mut bytes = Zeroizing::new(Vec::with_capacity(12 + 14 + 8 + 32));
        for part in [b"koonti/v1/seed".as_slice(), &number.to_be_bytes(), &self.0] {
            bytes.extend_from_slice(&u32::try_from(part.len()).expect("short").to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Digest::of(&bytes)
    }

    /// The bytes, to be sealed at rest. Whoever holds them and the published
    /// table holds the exact table.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a noise key is bound to.
pub struct Context<'a> {
    /// The node that draws.
    pub node: &'a Name,
    /// The question's id.
    pub request: Digest,
    /// The extract counted, as the ids of the vintages of the periods.
    pub vintages: &'a [Digest],
    /// The coordinator's round.
    pub round: Digest,
    /// 0 at first; higher only for a certified retry of a regional round.
    pub attempt: u32,
}

/// Makes the streams of one vector.
pub struct VectorKey(LessSafeKey);

impl VectorKey {
    /// Derives the key of vector number `vector`.
    pub fn derive(seed: &Seed, nonce: &Digest, context: &Context<'_>, vector: u32) -> Self {
        let mut info = Vec::new();
        let mut part = |bytes: &[u8]| {
            info.extend_from_slice(&u32::try_from(bytes.len()).expect("short").to_be_bytes());
            info.extend_from_slice(bytes);
        };
        part(b"koonti/v1/noise");
        part(context.node.as_str().as_bytes());
        part(&context.request.0);
        for vintage in context.vintages {
            part(&vintage.0);
        }
        part(&context.round.0);
        part(&context.attempt.to_be_bytes());
        part(&vector.to_be_bytes());
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &nonce.0);
        let info = [info.as_slice()];
        let prk = salt.extract(&seed.0);
        let okm = prk.expand(&info, &AES_256_GCM).expect("32 bytes are within HKDF's limit");
        Self(LessSafeKey::new(UnboundKey::from(okm)))
    }

    /// The stream of one cell of one period. `sign` tells the two halves of a
    /// share apart and is 0 for per-node noise.
    pub fn cell(&self, sign: u8, period: u16, cell: u64) -> CellStream<'_> {
        let mut nonce = [0; 12];
        nonce[0] = sign;
        nonce[2..4].copy_from_slice(&period.to_be_bytes());
        nonce[4..].copy_from_slice(&cell.to_be_bytes());
        CellStream { key: &self.0, nonce, block: [0; FIRST], long: Vec::new(), at: 0, filled: 0 }
    }
}

/// Enough for almost every draw; longer streams are made anew, twice as long.
const FIRST: usize = 128;
/// No honest draw comes near this; a stuck generator would.
const LONGEST: usize = 1 << 24;

/// The keystream of one cell.
pub struct CellStream<'a> {
    key: &'a LessSafeKey,
    nonce: [u8; 12],
    block: [u8; FIRST],
    long: Vec<u8>,
    at: usize,
    filled: usize,
}

impl CellStream<'_> {
    fn fill(&mut self) -> Result<(), Error> {
        let length = if self.filled == 0 { FIRST } else { self.filled * 2 };
        if length > LONGEST {
            return Err(Error::Randomness);
        }
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let out = if length == FIRST {
            &mut self.block[..]
        } else {
            self.long.zeroize();
            self.long.resize(length, 0);
            &mut self.long[..]
        };
        // The tag authenticates nothing here: only the keystream is wanted.
        let _tag = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), out).map_err(|_| Error::Randomness)?;
        self.filled = length;
        Ok(())
    }
}

impl Bytes for CellStream<'_> {
    fn next_byte(&mut self) -> Result<u8, Error> {
        if self.at == self.filled {
            self.fill()?;
        }
        let byte = if self.filled == FIRST { self.block[self.at] } else { self.long[self.at] };
        self.at += 1;
        Ok(byte)
    }
}

impl Drop for CellStream<'_> {
    fn drop(&mut self) {
        self.block.zeroize();
        self.long.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(vector: u32) -> VectorKey {
        let node: Name = "kainuu".parse().unwrap();
        let context = Context {
            node: &node,
            request: Digest([1; 32]),
            vintages: &[Digest([2; 32])],
            round: Digest([3; 32]),
            attempt: 0,
        };
        VectorKey::derive(&Seed::new([4; 32]), &Digest([5; 32]), &context, vector)
    }

    fn take(stream: &mut CellStream<'_>, n: usize) -> Vec<u8> {
        (0..n).map(|_| stream.next_byte().unwrap()).collect()
    }

    #[test]
    fn streams_differ_and_growing_keeps_the_prefix() {
        let k = key(0);
        let long = take(&mut k.cell(0, 0, 0), 1000);
        assert_eq!(take(&mut k.cell(0, 0, 0), 128), long[..128]);
        let others = [
            take(&mut k.cell(1, 0, 0), 32),
            take(&mut k.cell(0, 1, 0), 32),
            take(&mut k.cell(0, 0, 1), 32),
            take(&mut key(1).cell(0, 0, 0), 32),
        ];
        for other in &others {
            assert_ne!(other[..], long[..32]);
        }
        let distinct: std::collections::BTreeSet<_> = long.chunks(8).collect();
        assert_eq!(distinct.len(), 125, "the stream does not repeat itself");
    }
}
