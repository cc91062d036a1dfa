//! The right to one index, and the memory of an opening that went wrong.
//!
//! `DIR.lock` lies beside the index. Its lock keeps a second process out, which
//! would otherwise take a database in use for a broken one and move it away.
//! It holds a word while the database is being opened and nothing afterwards:
//! if the database takes the process down with it, the next start finds the
//! word and does not try the same database again.
//!
//! Not promised: that the word means a broken index. A process killed while it
//! opened leaves it too; the price is one rebuild.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::atomic::beside;
use crate::error::{Error, io_error};
use crate::lock;

/// Held for as long as the index is open.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    file: File,
}

impl Claim {
    /// Claims the index in `dir`, or says that it is taken.
    pub(super) fn take(dir: &Path) -> Result<Claim, Error> {
        let path = beside(dir, ".lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io_error("open", &path))?;
        lock::take(&file, &path)?;
        Ok(Claim { path, file })
    }

    /// Whether the last opening began and did not end.
    pub(super) fn opening_was_cut_short(&self) -> Result<bool, Error> {
        let metadata = self.file.metadata().map_err(io_error("read", &self.path))?;
        Ok(metadata.len() > 0)
    }

    /// Notes that the database is about to be opened.
    pub(super) fn opening(&self) -> Result<(), Error> {
        self.file.write_all_at(b"opening\n", 0).map_err(io_error("write", &self.path))
    }

    /// Notes that the database is open.
    pub(super) fn opened(&self) -> Result<(), Error> {
        self.file.set_len(0).map_err(io_error("write", &self.path))
    }
}
