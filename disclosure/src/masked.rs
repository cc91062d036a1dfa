//! The second door out: noise and masks, for a regional sum.
//!
//! A masked input is uniformly random to whoever lacks its masks. Only the sum
//! over all survivors can be opened, and that sum carries the noise of at least h
//! honest nodes. Nothing is gated here, so small organisations count fully; the
//! threshold is the region's, on the noisy sum ([`crate::regional`]).
//!
//! Bytes: for each period and vector, the cells in domain order as little-endian
//! words, 32 bits for clients and 64 for companion sums, modulo 2 to that power.

use crate::exact::{Exact, Tally};
use crate::ledger::{Noise, Permit};
use crate::names::Digest;
use crate::request::TableRequest;

/// A cell of one node is cut at this many clients: 500 nodes then stay within 31
/// bits, with room for noise.
pub const CLAMP: i64 = 1 << 20;

/// Bytes of a masked input are sent in chunks of at most this size.
pub const CHUNK_BYTES: usize = 1 << 20;

/// The width of a vector's cells, in bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ring {
    /// Modulo 2^32: counts of clients.
    Bits32,
    /// Modulo 2^64: companion sums.
    Bits64,
}

impl Ring {
    /// The number of bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The number of bytes of one word.
    pub fn bytes(self) -> usize {
        usize::from(self.bits()) / 8
    }

    /// Clients come first and fit 32 bits; what follows is a companion sum.
    fn of(index: usize) -> Self {
        if index == 0 { Self::Bits32 } else { Self::Bits64 }
    }
}

/// The vectors of a table in the order in which they are masked: period by
/// period, each a ring and a number of cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout(Vec<(Ring, usize)>);

impl Layout {
    /// The layout of a request's masked inputs; none when its noise is out of range.
    pub fn of(request: &TableRequest) -> Option<Self> {
        let vectors = crate::cost::vectors(request).ok()?;
        let cells = request.domain().cells();
        let period = (0..vectors.len()).map(|index| (Ring::of(index), cells));
        Some(Self(request.periods().iter().flat_map(|_| period.clone()).collect()))
    }

    /// Ring and cells of each vector.
    pub fn vectors(&self) -> &[(Ring, usize)] {
        &self.0
    }

    /// Bytes of one masked input.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(ring, cells)| ring.bytes() * cells).sum()
    }
}

/// What hides a masked input. Implemented by `koonti-secagg` and by nothing else
/// (a test over the sources holds that): masks that hide nothing would be a hole.
pub trait Masks {
    /// The round whose secrets they are made of.
    fn round(&self) -> Digest;
    /// The session and set of nodes over which they cancel: `u2h` of the format.
    fn set(&self) -> Digest;
    /// Adds the masks of vector `w` to its words, given as little-endian bytes.
    fn add(&mut self, w: u32, ring: Ring, words: &mut [u8]);
}

/// One node's masked and noisy vectors: what may leave for a regional sum.
///
/// Only [`Exact::mask`] makes one.
pub struct MaskedInput {
    bytes: Vec<u8>,
    round: Digest,
    set: Digest,
    chunks: Vec<Digest>,
    debit: u64,
}

/// Why no masked input could be made. Nothing leaves; the budget stays spent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Counts, noise and question do not have the same shape.
    #[error("the tally does not have the shape of the table")]
    Shape,
    /// The permit was given for another round, or for no round.
    #[error("the permit is not for the round of these masks")]
    Round,
}

impl Exact<Tally> {
    /// Cuts, adds noise and masks, and consumes counts, noise, permit and masks.
    ///
    /// # Errors
    /// When the permit is for another round, or the shapes differ.
    #[expect(clippy::needless_pass_by_value, reason = "permit, noise and masks are used once")]
    pub fn mask(self, permit: Permit, noise: Noise, mut masks: impl Masks) -> Result<MaskedInput, Error> {
        if permit.regional_round() != Some(masks.round()) {
            return Err(Error::Round);
        }
        let layout = Layout::of(permit.request()).ok_or(Error::Shape)?;
        let exact: Vec<&Vec<i64>> = self.value().periods.iter().flatten().collect();
        let noise: Vec<&Vec<i64>> = noise.periods.iter().flatten().collect();
        let shaped = |v: &[&Vec<i64>]| {
            v.len() == layout.vectors().len() && v.iter().zip(layout.vectors()).all(|(v, (_, cells))| v.len() == *cells)
        };
        if !shaped(&exact) || !shaped(&noise) {
            return Err(Error::Shape);
        }
        let mut bytes = Vec::with_capacity(layout.bytes());
        for (w, ((ring, _), (exact, noise))) in (0u32..).zip(layout.vectors().iter().zip(exact.iter().zip(noise))) {
            let per_cell = permit.vectors[w as usize % permit.vectors.len()].per_cell;
            let most = CLAMP.saturating_mul(i64::try_from(per_cell).map_err(|_| Error::Shape)?);
            let start = bytes.len();
            for (x, z) in exact.iter().zip(noise) {
                // A ring wraps by design: the masks do so at almost every cell.
                let word = (*x).clamp(-most, most).wrapping_add(*z).to_le_bytes();
                bytes.extend_from_slice(&word[..ring.bytes()]);
            }
            masks.add(w, *ring, &mut bytes[start..]);
        }
        let chunks = bytes.chunks(CHUNK_BYTES).map(Digest::of).collect();
        Ok(MaskedInput { bytes, round: masks.round(), set: masks.set(), chunks, debit: permit.seq() })
    }
}

impl MaskedInput {
    /// The bytes that are sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of each chunk of [`CHUNK_BYTES`].
    pub fn chunks(&self) -> &[Digest] {
        &self.chunks
    }

    /// SHA-256 over the chunk hashes: what names this masked input.
    pub fn hash(&self) -> Digest {
        chunks_hash(&self.chunks)
    }

    /// The round it belongs to.
    pub fn round(&self) -> Digest {
        self.round
    }

    /// The set of nodes over which its masks cancel.
    pub fn set(&self) -> Digest {
        self.set
    }

    /// The sequence number of the debit that paid for it.
    pub fn debit(&self) -> u64 {
        self.debit
    }

    pub(crate) fn signed_message(&self) -> Vec<u8> {
        signed_message((self.round, self.set), self.bytes.len() as u64, self.hash())
    }
}

/// SHA-256 over chunk hashes.
pub fn chunks_hash(chunks: &[Digest]) -> Digest {
    Digest::of(&chunks.iter().flat_map(|c| c.0).collect::<Vec<u8>>())
}

pub(crate) fn signed_message((round, set): (Digest, Digest), bytes: u64, hash: Digest) -> Vec<u8> {
    [round.0.as_slice(), &set.0, &bytes.to_be_bytes(), &hash.0].concat()
}
