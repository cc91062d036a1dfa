//! What can go wrong on the disk, in one list.
//!
//! Every text says what happened and where. None carries bytes of an entry, a
//! key or a value.

use std::io;
use std::path::{Path, PathBuf};

/// Why a journal, an index or a file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another handle in this one, holds the file.
    #[error("{path} is in use by another process")]
    Locked {
        /// The file whose lock is taken.
        path: PathBuf,
    },
    /// The file does not begin like a journal of this version.
    #[error("{path} is not a journal that this version can read")]
    NotAJournal {
        /// The file that was read.
        path: PathBuf,
    },
    /// Bytes are wrong or missing where no crash can have left them so.
    #[error("{path} is damaged at byte {offset}; restore it from a backup")]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the first bad frame starts, or where bytes are missing.
        offset: u64,
    },
    /// The mark beside a journal cannot be read, so nothing may be cut.
    #[error("the mark {path} is damaged; restore it with its journal from a backup")]
    DamagedMark {
        /// The mark file.
        path: PathBuf,
    },
    /// An entry is over [`MAX_ENTRY_BYTES`](crate::MAX_ENTRY_BYTES).
    #[error("an entry of {len_bytes} bytes is too large for {path}")]
    TooLarge {
        /// The journal, unchanged.
        path: PathBuf,
        /// The size that was refused.
        len_bytes: usize,
    },
    /// A value is over [`MAX_VALUE_BYTES`](crate::MAX_VALUE_BYTES).
    #[error("a value of {len_bytes} bytes is too large for the index {path}")]
    ValueTooLarge {
        /// The index, unchanged.
        path: PathBuf,
        /// The size that was refused.
        len_bytes: usize,
    },
    /// An entry was put into the index before or after its turn.
    #[error("the index {path} expects entry {expected}, not entry {found}")]
    OutOfOrder {
        /// The index, unchanged.
        path: PathBuf,
        /// The sequence number whose turn it is.
        expected: u64,
        /// The sequence number that came.
        found: u64,
    },
    /// The database under the index failed.
    #[error("the index {path} failed: {cause}")]
    Index {
        /// The directory of the index.
        path: PathBuf,
        /// What the database said.
        cause: String,
    },
}

/// Names the action and the path of a system error, for `map_err`.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}
