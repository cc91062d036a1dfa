//! The index: what the journal's entries say, by key.
//!
//! Promised: after [`Index::open`] the index holds exactly what `derive` yields
//! for the journal's entries, later pairs over earlier ones. That is compared,
//! pair by pair, at every start, so an index that is stale, lost, damaged, of
//! another journal or of another version of `derive` cannot be used by mistake.
//! An index that fails is set aside as `DIR.bad.N` and built again.
//!
//! Not promised: durability. What was put may be gone after a crash, and is
//! then replayed. A scan that runs beside a put may see part of it.
//!
//! The price is that a start runs `derive` over the whole journal. The journal
//! is read and checked whole at every start as well.

mod claim;
mod store;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::atomic::{beside, create_dir_private, parent_of};
use crate::error::{Error, io_error};
use crate::fault;
use claim::Claim;
use store::Store;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A key-value view of a journal that can be rebuilt at any time.
#[derive(Debug)]
pub struct Index {
    store: Store,
    next_seq: Mutex<u64>,
    // Last, so that it is given up after the database has closed.
    _claim: Claim,
}

/// What it took to bring an index level with its journal.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Rebuilt {
    /// Nothing: it was level.
    No,
    /// This many entries, the last ones, were replayed.
    CaughtUp(u64),
    /// There was no usable index; every entry was replayed.
    Scratch,
}

impl Index {
    /// Opens the index in `dir` and brings it level with `entries`, all the
    /// entries of its journal.
    ///
    /// `derive(seq, entry)` yields the pairs that an entry adds, and always the
    /// same ones.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] if another process has this index,
    /// [`Error::ValueTooLarge`] if `derive` yields such a value, and
    /// [`Error::Io`] or [`Error::Index`] if building from scratch failed too.
    pub fn open(
        dir: &Path,
        entries: &[Vec<u8>],
        derive: impl Fn(u64, &[u8]) -> Vec<Pair>,
    ) -> Result<(Index, Rebuilt), Error> {
        let pairs: Vec<Vec<Pair>> = (0..).zip(entries).map(|(seq, entry)| derive(seq, entry)).collect();
        pairs.iter().try_for_each(|added| check_sizes(dir, added))?;
        create_dir_private(parent_of(dir))?;
        let claim = Claim::take(dir)?;
        if claim.opening_was_cut_short()? {
            set_aside(dir)?;
        }
        let existed = dir.exists();
        claim.opening()?;
        let (store, rebuilt) = match guarded(dir, || Store::open_level(dir, &pairs)) {
            Ok((store, 0)) => (store, Rebuilt::No),
            Ok((store, replayed)) if existed => (store, Rebuilt::CaughtUp(replayed)),
            Ok((store, _)) => (store, Rebuilt::Scratch),
            Err(_) => {
                set_aside(dir)?;
                let (store, _) = guarded(dir, || Store::open_level(dir, &pairs))?;
                (store, Rebuilt::Scratch)
            }
        };
        claim.opened()?;
        let next_seq = Mutex::new(entries.len() as u64);
        Ok((Index { store, next_seq, _claim: claim }, rebuilt))
    }

    /// Returns the value under `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] if the database fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.store.get(key)
    }

    /// Adds what entry `seq` adds: the pairs that `derive` yields for it. All of
    /// them survive a crash, or none.
    ///
    /// Every entry is put, in order, also one that adds no pair.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfOrder`], [`Error::ValueTooLarge`] over
    /// [`MAX_VALUE_BYTES`], or [`Error::Index`] if the database fails.
    pub fn put(&self, seq: u64, pairs: &[Pair]) -> Result<(), Error> {
        check_sizes(self.store.dir(), pairs)?;
        // The number is written last, so a poisoned lock guards a true one.
        let mut next_seq = self.next_seq.lock().unwrap_or_else(PoisonError::into_inner);
        if seq != *next_seq {
            let path = self.store.dir().to_owned();
            return Err(Error::OutOfOrder { path, expected: *next_seq, found: seq });
        }
        fault::point();
        self.store.put(seq, pairs)?;
        fault::point();
        *next_seq += 1;
        Ok(())
    }

    /// Returns every pair whose key starts with `prefix`, in the order of keys.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] if the database fails.
    pub fn scan_prefix(&self, prefix: &[u8]) -> Result<Vec<Pair>, Error> {
        self.store.scan(prefix).collect()
    }
}

fn check_sizes(dir: &Path, pairs: &[Pair]) -> Result<(), Error> {
    match pairs.iter().map(|(_, value)| value.len()).find(|&len| len > MAX_VALUE_BYTES) {
        Some(len_bytes) => Err(Error::ValueTooLarge { path: dir.to_owned(), len_bytes }),
        None => Ok(()),
    }
}

/// Turns a panic of the database into an error. In a build that aborts on
/// panic, the note that [`Claim::opening`] leaves does the same at the next start.
fn guarded<T>(dir: &Path, open: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(open))
        .unwrap_or_else(|_| Err(Error::Index { path: dir.to_owned(), cause: "the database panicked".to_owned() }))
}

/// Renames a failed index to the first free `DIR.bad.N`. Once there are
/// [`KEPT_ASIDE`] of them, it deletes it instead: the first failures tell most.
fn set_aside(dir: &Path) -> Result<(), Error> {
    let free: Option<PathBuf> = (1..=KEPT_ASIDE).map(|n| beside(dir, &format!(".bad.{n}"))).find(|bad| !bad.exists());
    let moved = match free {
        _ if !dir.exists() => Ok(()),
        Some(bad) => fs::rename(dir, bad),
        None => fs::remove_dir_all(dir),
    };
    moved.map_err(io_error("set aside the index", dir))
}

/// The largest value that an index takes, in bytes. The database stores larger
/// ones in files of their own, which it never syncs.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

const KEPT_ASIDE: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_database_is_an_error() {
        let opened = guarded(Path::new("x"), || -> Result<(), Error> { panic!("inside sled") });
        let text = "the index x failed: the database panicked";
        assert_eq!(opened.unwrap_err().to_string(), text);
    }
}
