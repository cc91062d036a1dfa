//! Proofs on their own, after C2SP `tlog-proof`: that an entry is in a log, with
//! the checkpoint that says so. Files end in `.tlog-proof`.
//!
//! The format's `extra` line is refused: no signature covers it. That the entry is
//! what it claims to be is not decided here.

use crate::checkpoint::{self, Checkpoint, Signed};
use crate::note::{self, Note, VerifierKey};
use crate::text::{base64, undecimal, undigest};
use crate::tree::{self, leaf_hash, verify_inclusion};
use koonti_disclosure::Digest;
use std::fmt;

/// A proof that a log has an entry at an index; see [`Proof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The entry's index, from 0.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Digest>,
    /// The log's checkpoint, with all its signatures.
    pub checkpoint: Note,
}

/// Why a proof is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a proof.
    #[error("not a proof file: {0}")]
    Shape(&'static str),
    /// The note inside is not one.
    #[error(transparent)]
    Note(#[from] note::Error),
    /// The checkpoint inside is refused.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// The hashes do not show the entry.
    #[error(transparent)]
    Inclusion(#[from] tree::Error),
}

impl Proof {
    /// Reads a proof file. Nothing is verified here.
    ///
    /// # Errors
    /// When the bytes are not a proof with a checkpoint, or have an `extra` line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Shape("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(Error::Shape("no empty line follows the hashes"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Error::Shape("its first line is another"));
        }
        let index = lines.next().unwrap_or_default();
        if index.starts_with("extra ") {
            return Err(Error::Shape("it has an extra line, which nobody signs"));
        }
        let index = index.strip_prefix("index ").and_then(undecimal).ok_or(Error::Shape("it has no index"))?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == MOST_HASHES {
                return Err(Error::Shape("it has too many hashes"));
            }
            hashes.push(undigest(line).ok_or(Error::Shape("a line is not a hash in base64"))?);
        }
        let checkpoint = Note::parse(note.as_bytes())?;
        Checkpoint::parse(checkpoint.text())?;
        Ok(Self { index, hashes, checkpoint })
    }

    /// Checks that `entry` is in the log of key `log`, and gives the checkpoint that
    /// says so with those of `witnesses` that cosigned it.
    ///
    /// # Errors
    /// When the checkpoint is refused ([`Checkpoint::verify`]) or does not hold the
    /// entry at the index.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey, witnesses: &[VerifierKey]) -> Result<Signed, Error> {
        let signed = Checkpoint::verify(&self.checkpoint, log, witnesses)?;
        let Signed { checkpoint, .. } = &signed;
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size(), &self.hashes, checkpoint.root())?;
        Ok(signed)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", base64(&hash.0)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes that the largest log calls for.
const MOST_HASHES: usize = 63;
