//! Bytes that entries name by their hash: rules and rosters, kept for evidence.

use crate::error::Error;
use koonti_disclosure::Digest;
use std::path::{Path, PathBuf};

/// Keeps bytes under their SHA-256, before the entry that names them.
///
/// # Errors
/// When the disk fails.
pub fn keep(state: &Path, bytes: &[u8]) -> Result<Digest, Error> {
    let hash = Digest::of(bytes);
    koonti_journal::create_dir_private(&state.join("blobs"))?;
    koonti_journal::write_atomic(&path(state, hash), bytes, 0o600)?;
    Ok(hash)
}

/// Reads bytes by their SHA-256; none when they are gone or altered.
pub fn read(state: &Path, hash: Digest) -> Option<Vec<u8>> {
    std::fs::read(path(state, hash)).ok().filter(|bytes| Digest::of(bytes) == hash)
}

fn path(state: &Path, hash: Digest) -> PathBuf {
    state.join("blobs").join(hash.to_string())
}
