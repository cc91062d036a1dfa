//! Two checkpoints that cannot both be of one honest log.

use koonti_disclosure::Digest;
use koonti_evidence::note::{self, Note, VerifierKey};
use koonti_evidence::{Checkpoint, checkpoint};

/// What two checkpoints show.
pub enum Shown {
    /// The log has signed two histories of one size.
    Fork {
        /// The log.
        origin: String,
        /// The size.
        size: u64,
        /// Both roots.
        roots: [Digest; 2],
    },
    /// Nothing against the log.
    Nothing(&'static str),
}

/// Why two notes show nothing at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a note.
    #[error("not a signed note: {0}")]
    Note(#[from] note::Error),
    /// One is not a checkpoint that the key has signed.
    #[error("not a checkpoint of this log: {0}")]
    Checkpoint(#[from] checkpoint::Error),
}

/// Compares two notes that `key` must both have signed.
///
/// # Errors
/// When one of them is not a checkpoint of that key.
pub fn prove(a: &[u8], b: &[u8], key: &VerifierKey) -> Result<Shown, Error> {
    let read =
        |bytes| -> Result<Checkpoint, Error> { Ok(Checkpoint::verify(&Note::parse(bytes)?, key, &[])?.checkpoint) };
    let (a, b) = (read(a)?, read(b)?);
    if a.size() != b.size() {
        return Ok(Shown::Nothing("they are of different sizes: a bundle or a consistency proof can tell"));
    }
    if a.root() == b.root() {
        return Ok(Shown::Nothing("they are the same checkpoint"));
    }
    Ok(Shown::Fork { origin: a.origin().to_owned(), size: a.size(), roots: [a.root(), b.root()] })
}
