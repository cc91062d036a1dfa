//! Phase 3: a masked input, as signed hashes and chunks.

use super::{Error, Kind, Reader, Signature, header, pieces};
use crate::stream::CHUNK_BYTES;
use koonti_disclosure::Digest;

/// The head of a masked input.
#[derive(Clone)]
pub struct Masked {
    /// Bytes of the masked input.
    pub bytes: u64,
    /// SHA-256 of each chunk.
    pub chunks: Vec<Digest>,
    /// The node's signature.
    pub signature: Signature,
}

impl Masked {
    /// The Masked message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        let mut bytes = header(Kind::Masked, round);
        bytes.extend_from_slice(&self.bytes.to_be_bytes());
        bytes.extend(self.chunks.iter().flat_map(|chunk| chunk.0));
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Reads a Masked message.
    ///
    /// # Errors
    /// When it is not one, or has not exactly one hash a chunk.
    pub fn parse(bytes: &[u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Masked, bytes)?;
        let bytes = u64::from_be_bytes(*reader.array()?);
        let (chunks, signature) = reader.0.split_last_chunk().ok_or(Error::Length)?;
        let chunks: Vec<Digest> = pieces(chunks)?.iter().copied().map(Digest).collect();
        if chunks.len() as u64 != bytes.div_ceil(CHUNK_BYTES as u64) {
            return Err(Error::Length);
        }
        Ok((round, Self { bytes, chunks, signature: *signature }))
    }
}

/// A piece of a masked input.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    /// Its number, from 0.
    pub index: u32,
    /// Its bytes, 1 to 2^20.
    pub bytes: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The Chunk message.
    pub fn message(&self, round: Digest) -> Vec<u8> {
        [&[Kind::Chunk as u8], round.0.as_slice(), &self.index.to_be_bytes(), self.bytes].concat()
    }

    /// Reads a Chunk message.
    ///
    /// # Errors
    /// When it is not one, is empty, or longer than a chunk.
    pub fn parse(bytes: &'a [u8]) -> Result<(Digest, Self), Error> {
        let (round, mut reader) = Reader::open(Kind::Chunk, bytes)?;
        let index = u32::from_be_bytes(*reader.array()?);
        if !(1..=CHUNK_BYTES).contains(&reader.0.len()) {
            return Err(Error::Length);
        }
        Ok((round, Self { index, bytes: reader.0 }))
    }
}
