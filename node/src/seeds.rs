//! Seeds for noise: numbered, fixed in the log before they are used, sealed at rest.
//!
//! A batch is drawn and written first, one sealed slot for each seed in
//! `state/seeds/FIRST.seeds`; then the log gets the commitments. A seed counts from
//! that entry on. The seed of a regional round is wiped before its masked input
//! leaves: nothing of it is ever computed again.

use crate::error::Error;
use crate::keys::{SealKey, random};
use koonti_disclosure::Digest;
use koonti_disclosure::stream::Seed;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Seeds in one batch.
pub const BATCH: u64 = 64;
/// A nonce, the seed, and a tag.
const SLOT: usize = 12 + 32 + 16;

/// Draws and writes the batch that begins with seed `first`; returns the commitments.
///
/// # Errors
/// When the disk or the source of randomness fails.
pub fn draw(state: &Path, seal: &SealKey, first: u64) -> Result<Vec<Digest>, Error> {
    let (mut slots, mut commitments) = (Vec::new(), Vec::new());
    for number in first..first + BATCH {
        let bytes = random()?;
        slots.extend(seal.seal(&purpose(number), bytes.to_vec())?);
        commitments.push(Seed::new(bytes).commitment(number));
    }
    koonti_journal::create_dir_private(&state.join("seeds"))?;
    koonti_journal::write_atomic(&file(state, number_of_batch(first)), &slots, 0o600)?;
    Ok(commitments)
}

/// Opens a seed; none when it is gone, wiped, or another than was committed to.
pub fn open(state: &Path, seal: &SealKey, number: u64, commitment: Digest) -> Option<Seed> {
    let mut slot = [0; SLOT];
    let batch = std::fs::File::open(file(state, number_of_batch(number))).ok()?;
    batch.read_exact_at(&mut slot, offset(number)).ok()?;
    let bytes = seal.open(&purpose(number), &slot)?;
    let seed = Seed::new(bytes.as_slice().try_into().ok()?);
    (seed.commitment(number) == commitment).then_some(seed)
}

/// Overwrites a seed's slot, durably.
///
/// # Errors
/// When the disk fails.
pub fn wipe(state: &Path, number: u64) -> Result<(), Error> {
    let path = file(state, number_of_batch(number));
    if path.exists() {
        koonti_journal::overwrite(&path, offset(number), &[0; SLOT])?;
    }
    Ok(())
}

fn number_of_batch(number: u64) -> u64 {
    number / BATCH * BATCH
}

fn file(state: &Path, first: u64) -> PathBuf {
    state.join("seeds").join(format!("{first:012}.seeds"))
}

fn offset(number: u64) -> u64 {
    number % BATCH * SLOT as u64
}

fn purpose(number: u64) -> String {
    format!("seed {number}")
}
