//! The only file that names sled.
//!
//! One tree: pairs under `p` + key, and under `n` the number of entries that
//! they come from, written in the same batch. sled 0.34.7 never calls `fsync`,
//! may lose its end, and may fail to open or panic after an unclean stop; the
//! parent module expects all of that, and nothing here tries to prevent it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sled::{Batch, Config, Db, IVec, Mode};

use crate::atomic::create_dir_private;
use crate::error::Error;
use crate::index::Pair;
use crate::lock;

/// An open database.
pub(super) struct Store {
    dir: PathBuf,
    db: Db,
}

impl Store {
    /// Opens or creates the database in `dir`, proves that it holds what
    /// `pairs` (the pairs of each entry) say up to the entry that it has
    /// reached, and replays the rest. Returns how many entries that took.
    pub(super) fn open_level(dir: &Path, pairs: &[Vec<Pair>]) -> Result<(Store, u64), Error> {
        create_dir_private(dir)?;
        wait_until_closed(dir);
        let db = Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .mode(Mode::LowSpace)
            .open()
            .map_err(|e| failed(dir, e))?;
        let store = Store { dir: dir.to_owned(), db };
        let applied = store.applied()?;
        let Some((known, missing)) = pairs.split_at_checked(applied) else {
            return Err(failed(dir, "it is ahead of its journal"));
        };
        store.demand_equal(known)?;
        for (seq, added) in (applied as u64..).zip(missing) {
            store.put(seq, added)?;
        }
        store.db.flush().map_err(|e| failed(dir, e))?;
        Ok((store, missing.len() as u64))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.db.get(under(PAIRS, key)).map_err(|e| failed(&self.dir, e))?;
        Ok(value.map(|v| v.to_vec()))
    }

    /// Adds the pairs of entry `seq`, the next one.
    pub(super) fn put(&self, seq: u64, pairs: &[Pair]) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (key, value) in pairs {
            batch.insert(under(PAIRS, key), value.as_slice());
        }
        batch.insert(APPLIED, &(seq + 1).to_be_bytes());
        self.db.apply_batch(batch).map_err(|e| failed(&self.dir, e))
    }

    pub(super) fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<Pair, Error>> {
        self.db.scan_prefix(under(PAIRS, prefix)).map(|found| {
            let (key, value) = found.map_err(|e| failed(&self.dir, e))?;
            Ok((key[PAIRS.len()..].to_vec(), value.to_vec()))
        })
    }

    /// The number of entries whose pairs are in the database.
    fn applied(&self) -> Result<usize, Error> {
        let Some(stored) = self.db.get(APPLIED).map_err(|e| failed(&self.dir, e))? else {
            return Ok(0);
        };
        number(&stored).ok_or_else(|| failed(&self.dir, "its entry count is unreadable"))
    }

    fn demand_equal(&self, entries: &[Vec<Pair>]) -> Result<(), Error> {
        let mut expected: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        expected.extend(entries.iter().flatten().map(|(k, v)| (k.as_slice(), v.as_slice())));
        let mut expected = expected.into_iter();
        for found in self.scan(b"") {
            let (key, value) = found?;
            if expected.next() != Some((&key, &value)) {
                return Err(failed(&self.dir, "it differs from its journal"));
            }
        }
        match expected.next() {
            Some(_) => Err(failed(&self.dir, "it lacks part of its journal")),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Store {
    /// Names the directory; the pairs stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Waits, for a while, until no thread has the database open any more. sled's
/// threads may outlive the handle that was dropped, by moments, and it would
/// refuse to open; the claim on the directory says that nobody else can have it.
fn wait_until_closed(dir: &Path) {
    let path = dir.join("db");
    let Ok(file) = File::open(&path) else { return };
    let closed = || lock::take(&file, &path).is_ok();
    for _ in (0..CLOSE_ATTEMPTS).take_while(|_| !closed()) {
        thread::sleep(CLOSE_PAUSE);
    }
}

fn number(stored: &IVec) -> Option<usize> {
    let bytes = stored.as_ref().try_into().ok()?;
    usize::try_from(u64::from_be_bytes(bytes)).ok()
}

fn under(room: &[u8], key: &[u8]) -> Vec<u8> {
    [room, key].concat()
}

fn failed(dir: &Path, cause: impl fmt::Display) -> Error {
    Error::Index { path: dir.to_owned(), cause: cause.to_string() }
}

const PAIRS: &[u8] = b"p";

const APPLIED: &[u8] = b"n";

/// sled's page cache. A daemon must idle in under 30 MB.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

const CLOSE_ATTEMPTS: u32 = 500;

const CLOSE_PAUSE: Duration = Duration::from_millis(10);
