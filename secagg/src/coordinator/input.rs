//! Masked inputs as they arrive, and their sum.

use super::Fault;
use crate::message::{Chunk, Masked};
use crate::stream::{self, CHUNK_BYTES, Sign, Signed};
use koonti_disclosure::Digest;
use koonti_disclosure::masked::Ring;

/// One node's masked input.
pub(super) struct Input {
    head: Masked,
    arrived: Vec<bool>,
    /// Empty before the first chunk, and again once added up.
    bytes: Vec<u8>,
}

impl Input {
    /// An input of which the hashes are known.
    pub(super) fn new(head: Masked) -> Self {
        Self { arrived: vec![false; head.chunks.len()], head, bytes: Vec::new() }
    }

    /// Checks a chunk against the head; true when it has been taken before.
    pub(super) fn check(&self, chunk: &Chunk<'_>) -> Result<bool, Fault> {
        let index = usize::try_from(chunk.index).map_err(|_| Fault::ChunkIndex)?;
        let hash = self.head.chunks.get(index).ok_or(Fault::ChunkIndex)?;
        if chunk.bytes.len() != self.range(index).len() {
            return Err(Fault::ChunkSize);
        }
        if *hash != Digest::of(chunk.bytes) {
            return Err(Fault::ChunkHash);
        }
        Ok(self.arrived[index])
    }

    /// Puts a checked chunk in its place.
    pub(super) fn put(&mut self, chunk: &Chunk<'_>) {
        if self.bytes.is_empty() {
            self.bytes.resize(self.size(), 0);
        }
        let index = chunk.index as usize;
        let range = self.range(index);
        self.bytes[range].copy_from_slice(chunk.bytes);
        self.arrived[index] = true;
    }

    /// True when every chunk has arrived.
    pub(super) fn is_whole(&self) -> bool {
        self.arrived.iter().all(|arrived| *arrived)
    }

    /// Lets go of the bytes; the hashes stay, to know repeats by.
    pub(super) fn forget(&mut self) {
        self.bytes = Vec::new();
    }

    fn size(&self) -> usize {
        usize::try_from(self.head.bytes).expect("checked against the layout")
    }

    fn range(&self, index: usize) -> std::ops::Range<usize> {
        index * CHUNK_BYTES..self.size().min((index + 1) * CHUNK_BYTES)
    }
}

/// The sum of the inputs that have arrived whole, modulo the rings.
pub(super) struct Totals {
    vectors: Vec<(Ring, usize)>,
    size: usize,
    bytes: Vec<u8>,
}

impl Totals {
    pub(super) fn new(vectors: Vec<(Ring, usize)>) -> Self {
        let size = vectors.iter().map(|(ring, cells)| ring.bytes() * cells).sum();
        Self { vectors, size, bytes: vec![0; size] }
    }

    /// Bytes of one input.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds a whole input.
    pub(super) fn add(&mut self, input: &Input) {
        let mut at = 0;
        for (ring, cells) in &self.vectors {
            let range = at..at + ring.bytes() * cells;
            at = range.end;
            stream::add(*ring, Sign::Plus, &mut self.bytes[range.clone()], &input.bytes[range]);
        }
    }

    /// The sums without these masks, as two's complement.
    pub(super) fn unmask(&self, u2h: Digest, seeds: &[Signed]) -> Vec<Vec<i64>> {
        let mut at = 0;
        let mut sums = Vec::with_capacity(self.vectors.len());
        for (w, (ring, cells)) in (0u32..).zip(&self.vectors) {
            let mut words = self.bytes[at..at + ring.bytes() * cells].to_vec();
            at += words.len();
            stream::apply(u2h, seeds, w, *ring, &mut words);
            sums.push(stream::lift(*ring, &words));
        }
        sums
    }

    /// Lets go of the sums.
    pub(super) fn forget(&mut self) {
        self.bytes = Vec::new();
    }
}
