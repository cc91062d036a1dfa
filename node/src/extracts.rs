//! Extracts at rest: one sealed file for each vintage and period.
//!
//! Pseudonymous personal data, treated as such: encrypted under `seal.key`,
//! mode 0600, and opened only for a tally, after the debit is durable.

use crate::error::Error;
use crate::keys::{SealKey, random};
use koonti_disclosure::commitment::{SALT_BYTES, of_extract};
use koonti_disclosure::{Codebook, Digest, Period, SourceError};
use koonti_tally::Slice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Seals and writes all slices of a new vintage, each behind a fresh salt. Nothing
/// refers to them before the journal's entry is written. Returns the commitment to
/// each.
///
/// # Errors
/// When the disk or the source of randomness fails.
pub fn write(
    state: &Path,
    seal: &SealKey,
    vintage: Digest,
    slices: &BTreeMap<Period, Slice>,
) -> Result<Vec<Digest>, Error> {
    let mut commitments = Vec::new();
    let dir = folder(state, vintage);
    koonti_journal::create_dir_private(&state.join("extracts"))?;
    koonti_journal::create_dir_private(&dir)?;
    for (period, slice) in slices {
        let (salt, bytes) = (Zeroizing::new(random()?), Zeroizing::new(slice.to_bytes()));
        commitments.push(of_extract(&salt, vintage, *period, &bytes));
        let sealed = seal.seal(&purpose(vintage, *period), [&salt[..], &bytes].concat())?;
        koonti_journal::write_atomic(&file(state, vintage, *period), &sealed, 0o600)?;
    }
    let sealed = seal.seal(&proof_purpose(vintage), Vec::new())?;
    koonti_journal::write_atomic(&proof(state, vintage), &sealed, 0o600)?;
    Ok(commitments)
}

/// True when the file of a vintage's period is there and may be read, and its
/// key is the one at hand. Asked before the allowance is spent: no record is
/// read for it.
pub fn readable(state: &Path, seal: &SealKey, vintage: Digest, period: Period) -> bool {
    let proof = std::fs::read(proof(state, vintage)).ok();
    proof.is_some_and(|sealed| seal.open(&proof_purpose(vintage), &sealed).is_some())
        && std::fs::File::open(file(state, vintage, period)).is_ok()
}

/// Opens one period of a vintage, as an extract of this codebook: one that was made
/// under an earlier codebook is changed over in memory and stays as it is on disk.
///
/// # Errors
/// When it is gone, or does not open under the key; without any detail.
pub fn open(
    state: &Path,
    seal: &SealKey,
    vintage: Digest,
    period: Period,
    codebook: &Codebook,
) -> Result<Slice, SourceError> {
    let sealed = std::fs::read(file(state, vintage, period)).map_err(|_| SourceError::Gone)?;
    let bytes = seal.open(&purpose(vintage, period), &sealed).ok_or(SourceError::Extract)?;
    let (_, bytes) = bytes.split_at_checked(SALT_BYTES).ok_or(SourceError::Extract)?;
    Slice::read(bytes, codebook).map_err(|_| SourceError::Extract)
}

/// Deletes one period of a vintage.
///
/// # Errors
/// When the disk fails. That it is gone already is well.
pub fn delete(state: &Path, vintage: Digest, period: Period) -> Result<(), Error> {
    Ok(koonti_journal::remove(&file(state, vintage, period))?)
}

fn folder(state: &Path, vintage: Digest) -> PathBuf {
    state.join("extracts").join(vintage.short())
}

fn file(state: &Path, vintage: Digest, period: Period) -> PathBuf {
    folder(state, vintage).join(format!("{period}.extract"))
}

/// An empty text under the same key: whoever opens it can open the extract.
fn proof(state: &Path, vintage: Digest) -> PathBuf {
    folder(state, vintage).join("key.proof")
}

fn proof_purpose(vintage: Digest) -> String {
    format!("extract {vintage}")
}

fn purpose(vintage: Digest, period: Period) -> String {
    format!("extract {vintage} {period}")
}
