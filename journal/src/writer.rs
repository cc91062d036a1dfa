//! The journal itself: one writer, one file, nothing acknowledged early.
//!
//! Promised: an entry whose sequence number was returned is on the disk; every
//! entry that [`Journal::open`] or [`read`] hands out was written whole; what
//! lies before the mark is never cut; two writers cannot open one journal.
//!
//! Deliberately absent: deletion, compaction, and recovery from a failed write
//! or sync. After a failed sync the kernel may forget the bytes and report
//! success the next time, so the process ends and the next one reads the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::MAX_ENTRY_BYTES;
use crate::atomic::{parent_of, sync_dir};
use crate::error::{Error, io_error};
use crate::frame::{self, FILE_HEADER, Scan, Tail};
use crate::lock;
use crate::mark::Mark;
use crate::{disk, fault};

/// The writer of a journal. It holds the file's lock for its whole life.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    end: u64,
    entries: u64,
}

impl Journal {
    /// Opens or creates the journal at `path` and returns it with its entries.
    ///
    /// A new file gets mode 0600. What a crash left of the last frame is cut,
    /// unless the mark covers it. Everything returned is on the disk, also what
    /// a killed process wrote and did not live to sync.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] if another writer has it, [`Error::Damaged`] where
    /// bytes are wrong or missing and no crash explains it,
    /// [`Error::DamagedMark`], [`Error::NotAJournal`] or [`Error::Io`].
    pub fn open(path: &Path) -> Result<(Journal, Vec<Vec<u8>>), Error> {
        let mut file = disk::open_or_create(path).map_err(io_error("open the journal", path))?;
        lock::take(&file, path)?;
        let mark = Mark::load(path)?;
        let bytes = disk::read_open(&mut file, path).map_err(io_error("read the journal", path))?;
        let scan = examine(path, &bytes, mark)?;
        settle(&file, path, &bytes, &scan).map_err(io_error("repair the journal", path))?;
        sync_dir(parent_of(path))?;
        let journal = Journal { path: path.to_owned(), file, end: scan.end(), entries: scan.entries.len() as u64 };
        Ok((journal, scan.entries))
    }

    /// Appends one entry and returns its sequence number, counted from 0, once
    /// the entry is on the disk.
    ///
    /// If the write or the sync fails, the process aborts after one line on
    /// stderr; the entry was not acknowledged.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] over [`MAX_ENTRY_BYTES`]; nothing was written.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64, Error> {
        if entry.len() > MAX_ENTRY_BYTES {
            return Err(Error::TooLarge { path: self.path.clone(), len_bytes: entry.len() });
        }
        let frame = frame::encode(entry);
        let written = disk::write(&self.file, &self.path, &frame, self.end);
        if let Err(e) = written.and_then(|()| disk::sync(&self.file, &self.path)) {
            abort(&self.path, &e);
        }
        let seq = self.entries;
        fault::done("acknowledged", &self.path, seq, entry);
        self.end += frame.len() as u64;
        self.entries += 1;
        Ok(seq)
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entries
    }

    /// Whether there is no entry yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Records durably that every entry so far has been vouched for outside: a
    /// checkpoint was signed, or a figure was sent. From now on a torn or
    /// missing tail before this point is damage, not a crash.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; the older mark or the new one is then in force, and the
    /// call may be repeated.
    pub fn mark(&mut self) -> Result<(), Error> {
        Mark { len_bytes: self.end, entries: self.entries }.store(&self.path)
    }
}

/// Reads the entries of the journal at `path` without its lock, up to the last
/// whole frame, also while a writer appends.
///
/// An entry that the writer has not acknowledged yet may be among them.
///
/// # Errors
///
/// As [`Journal::open`], but never [`Error::Locked`]; a journal that does not
/// exist is an [`Error::Io`].
pub fn read(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    // The mark first: the journal, read later, can only be longer.
    let mark = Mark::load(path)?;
    let bytes = disk::read(path).map_err(io_error("read the journal", path))?;
    Ok(examine(path, &bytes, mark)?.entries)
}

/// Judges the bytes of a journal: its entries, or why they cannot be trusted.
fn examine(path: &Path, bytes: &[u8], mark: Option<Mark>) -> Result<Scan, Error> {
    let scan = if bytes.starts_with(&FILE_HEADER) {
        frame::scan(bytes)
    } else if frame::is_torn_header(bytes) {
        frame::scan(&FILE_HEADER)
    } else {
        return Err(Error::NotAJournal { path: path.to_owned() });
    };
    let vouched = mark.is_none_or(|m| m.is_within(&scan));
    if scan.tail == Tail::Damaged || !vouched {
        return Err(Error::Damaged { path: path.to_owned(), offset: scan.end() });
    }
    Ok(scan)
}

/// Makes the disk hold exactly the whole frames: header written, torn tail cut.
///
/// The last frame is written again, byte for byte. Where an earlier process saw
/// its sync fail, the kernel may serve bytes that it no longer means to store;
/// writing them anew makes the sync below count.
fn settle(file: &File, path: &Path, bytes: &[u8], scan: &Scan) -> io::Result<()> {
    let end = scan.end();
    let header_end = FILE_HEADER.len() as u64;
    if bytes.starts_with(&FILE_HEADER) {
        let last = scan.ends.iter().rev().nth(1).copied().unwrap_or(header_end);
        disk::write(file, path, &bytes[last as usize..end as usize], last)?;
    } else {
        disk::write(file, path, &FILE_HEADER, 0)?;
    }
    disk::set_len(file, path, end)?;
    disk::sync_all(file, path)
}

fn abort(path: &Path, cause: &io::Error) -> ! {
    // Nothing is left to do if stderr is gone as well.
    let _ = writeln!(io::stderr(), "cannot append to the journal {}: {cause}", path.display());
    std::process::abort()
}
