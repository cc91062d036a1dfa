//! On a node's premises: seeds, extracts and releases, computed again (S1 to S5).
//!
//! Reads a node's own sealed files with its key and its exported bundle; prints hashes
//! and verdicts, never a count. Whoever could read a seed and a published table could
//! read the exact table, so nothing of them leaves this process.

use crate::files;
use koonti_disclosure::commitment::{SALT_BYTES, of_extract};
use koonti_disclosure::ledger::{Debit, Entry as Spending};
use koonti_disclosure::names::unhex;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Codebook, Digest, Ledger, Name, Period, canonical};
use koonti_evidence::bundle::log_of_node;
use koonti_evidence::container;
use koonti_evidence::entry::node::{Entry, Own};
use koonti_evidence::tiles;
use koonti_tally::Slice;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The rules of a replay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum Rule {
    /// Each seed on the disk opens its commitment.
    S1,
    /// Each extract on the disk opens its commitment.
    S2,
    /// Each release shows the cells that extract, bound, k and gate let through.
    S3,
    /// With the noise of its seed, each release has the same bytes.
    S4,
    /// The journal on the disk begins with the log of the bundle.
    S5,
}

impl Rule {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::S1, Self::S2, Self::S3, Self::S4, Self::S5];
}

/// One rule's line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The rule.
    pub rule: Rule,
    /// On how many things it was checked.
    pub checked: u64,
    /// What could not be checked any more: wiped, deleted, or not here.
    pub not_checkable: u64,
    /// Which entries of the log fail.
    pub failures: Vec<String>,
}

/// Why nothing can be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bundle is not one of this node.
    #[error("the bundle {0}")]
    Bundle(&'static str),
    /// A file of the node cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Computes again what the node's log in `bundle` says, from the files in `state` and
/// the keys in `keys`.
///
/// # Errors
/// When the bundle or the node's keys cannot be read.
pub fn replay(bundle: &[u8], state: &Path, keys: &Path) -> Result<Vec<Line>, Error> {
    let disk = Disk::open(state, keys)?;
    let entries = log(bundle, &disk.node)?;
    let mut lines: BTreeMap<Rule, Line> =
        Rule::ALL.map(|rule| (rule, Line { rule, checked: 0, not_checkable: 0, failures: Vec::new() })).into();
    let mut told = |rule: Rule, holds: Option<bool>, what: String| {
        let line = lines.get_mut(&rule).expect("all are there");
        match holds {
            None => line.not_checkable += 1,
            Some(holds) => {
                line.checked += 1;
                if !holds {
                    line.failures.push(what);
                }
            }
        }
    };
    let on_disk = disk.journal()?;
    for (at, entry) in entries.iter().enumerate() {
        told(Rule::S5, Some(on_disk.get(at) == Some(entry)), format!("entry {at}"));
    }
    let (mut ledger, mut commitments) = (Ledger::default(), Vec::new());
    let mut debits: BTreeMap<u64, Debit> = BTreeMap::new();
    for (at, bytes) in (0..).zip(&entries) {
        let Ok(entry) = Entry::parse(bytes) else { continue };
        match &entry {
            Entry::Own(Own::Seeds { commitments: fixed, first, .. }) => {
                for (number, commitment) in (*first..).zip(fixed) {
                    let holds = disk.seed(number).map(|seed| seed.commitment(number) == *commitment);
                    told(Rule::S1, holds, format!("seed {number} of entry {at}"));
                    commitments.push(*commitment);
                }
            }
            Entry::Own(Own::Imported { commitments, periods, vintage, .. }) => {
                for (period, commitment) in periods.iter().zip(commitments) {
                    let holds = disk
                        .extract(*vintage, *period)
                        .map(|(salt, extract)| of_extract(&salt, *vintage, *period, &extract) == *commitment);
                    told(Rule::S2, holds, format!("extract of {period}, entry {at}"));
                }
            }
            Entry::Ledger(spending) => {
                if let Spending::Release { debit: seq, release, .. } = spending
                    && let Some(debit) = debits.get(seq).filter(|debit| !debit.is_regional())
                {
                    let again = disk.release(&mut ledger, *seq, debit);
                    let held = disk.released(*release);
                    told(
                        Rule::S4,
                        again.as_ref().map(|bytes| Digest::of(bytes) == *release),
                        format!("release of entry {at}"),
                    );
                    let cells = again.as_ref().zip(held.as_ref()).map(|(a, b)| shown(a) == shown(b));
                    told(Rule::S3, cells, format!("release of entry {at}"));
                }
                if ledger.replay(at, spending).is_err() {
                    return Err(Error::Bundle("has a log whose spending does not add up: check it first"));
                }
                if let Spending::Debit(debit) = spending {
                    debits.insert(at, (**debit).clone());
                }
            }
            Entry::Own(_) => {}
        }
    }
    Ok(lines.into_values().collect())
}

/// True when nothing fails and something was checked.
pub fn passes(lines: &[Line]) -> bool {
    lines.iter().all(|line| line.failures.is_empty()) && lines.iter().any(|line| line.checked > 0)
}

/// The entries of this node's log.
fn log(bundle: &[u8], node: &Name) -> Result<Vec<Vec<u8>>, Error> {
    let files = container::read(bundle, files::MOST_FILES).map_err(|_| Error::Bundle("is no archive of evidence"))?;
    let folder = format!("logs/{}/", log_of_node(node));
    let of_log: BTreeMap<&str, &[u8]> =
        files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(&folder)?, *bytes))).collect();
    let note = of_log.get("checkpoint").ok_or(Error::Bundle("has no log of this node"))?;
    let read = || {
        let note = koonti_evidence::Note::parse(note).ok()?;
        let size = koonti_evidence::Checkpoint::parse(note.text()).ok()?.size();
        let tiles = of_log.iter().filter(|(name, _)| **name != "checkpoint").map(|(n, b)| (*n, *b)).collect();
        Some(tiles::read(&tiles, size).ok()?.entries.iter().map(|entry| entry.to_vec()).collect())
    };
    read().ok_or(Error::Bundle("has a log of this node that cannot be read: check it first"))
}

/// The status byte of each cell of a release.
fn shown(release: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = release.split_first_chunk::<4>()?;
    let cells = rest.get(u32::from_be_bytes(*length) as usize..)?;
    Some(cells.chunks(9).map(|cell| cell[0]).collect())
}

/// The node's own files.
struct Disk {
    state: PathBuf,
    seal: LessSafeKey,
    node: Name,
}

#[derive(Serialize, serde::Deserialize)]
struct Member {
    governance: Digest,
    name: Name,
    region: Name,
}

impl Disk {
    fn open(state: &Path, keys: &Path) -> Result<Self, Error> {
        let bad =
            |path: &Path, why: &dyn std::fmt::Display| Error::File { path: path.to_owned(), why: why.to_string() };
        let read = |path: &Path| std::fs::read(path).map_err(|e| bad(path, &e));
        let member = keys.join("member.json");
        let member: Member = canonical::from_bytes(&read(&member)?).map_err(|e| bad(&member, &e))?;
        let path = keys.join("seal.key");
        let text = Zeroizing::new(read(&path)?);
        let key = std::str::from_utf8(&text).ok().and_then(|text| unhex::<32>(text.trim()).ok());
        let key = Zeroizing::new(key.ok_or_else(|| bad(&path, &"not a key of 64 hex digits"))?);
        let seal = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("32 bytes"));
        Ok(Self { state: state.to_owned(), seal, node: member.name })
    }

    fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.seal.open_in_place(nonce, Aad::from(purpose), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }

    /// Batches of 64 sealed slots of 60 bytes, named by the first number.
    fn seed(&self, number: u64) -> Option<Seed> {
        let batch = self.state.join("seeds").join(format!("{:012}.seeds", number / 64 * 64));
        let slots = std::fs::read(batch).ok()?;
        let slot = slots.chunks(60).nth(usize::try_from(number % 64).ok()?)?;
        let bytes = self.unseal(&format!("seed {number}"), slot)?;
        Some(Seed::new(bytes.as_slice().try_into().ok()?))
    }

    /// The salt and the bytes of one period of a vintage.
    fn extract(&self, vintage: Digest, period: Period) -> Option<([u8; SALT_BYTES], Zeroizing<Vec<u8>>)> {
        let file = self.state.join("extracts").join(vintage.short()).join(format!("{period}.extract"));
        let bytes = self.unseal(&format!("extract {vintage} {period}"), &std::fs::read(file).ok()?)?;
        let (salt, extract) = bytes.split_first_chunk::<SALT_BYTES>()?;
        Some((*salt, Zeroizing::new(extract.to_vec())))
    }

    /// The bytes of a stored release.
    fn released(&self, sha256: Digest) -> Option<Vec<u8>> {
        let file = std::fs::read(self.state.join("releases").join(format!("{sha256}.release"))).ok()?;
        file.get(64..).map(<[u8]>::to_vec)
    }

    /// The release that a debit paid for, computed again; none when its seed or an
    /// extract is gone. `ledger` is the fold up to the release.
    fn release(&self, ledger: &mut Ledger, seq: u64, debit: &Debit) -> Option<Vec<u8>> {
        let seed = self.seed(debit.seed())?;
        let permit = ledger.resume(seq, seed).ok()?;
        let noise = permit.draw().ok()?;
        let codebook = Codebook::of(permit.request().codebook())?;
        let mut slices = Vec::new();
        for (period, vintage) in permit.request().periods().iter().zip(permit.vintages()) {
            let (_, extract) = self.extract(*vintage, *period)?;
            slices.push(Slice::read(&extract, codebook).ok()?);
        }
        let slices: Vec<&Slice> = slices.iter().collect();
        let exact = koonti_tally::count(permit.request(), &slices, codebook, 2).ok()?;
        Some(exact.release(permit, noise).ok()?.bytes().to_vec())
    }

    /// The entries of the journal: behind a header of eight bytes, frames of a length
    /// (u32), a checksum (u32) and the entry.
    fn journal(&self) -> Result<Vec<Vec<u8>>, Error> {
        let path = self.state.join("journal");
        let bytes = std::fs::read(&path).map_err(|e| Error::File { path: path.clone(), why: e.to_string() })?;
        let mut rest = bytes.get(8..).unwrap_or_default();
        let mut entries = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some(entry) = behind.get(4..4 + length) else { break };
            entries.push(entry.to_vec());
            rest = &behind[4 + length..];
        }
        Ok(entries)
    }
}
