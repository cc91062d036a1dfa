//! One owner per file: an advisory lock that dies with its process.

use std::fs::File;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::error::{Error, io_error};

/// Whether another process has the journal at `path` open for writing. A writer that
/// opens it in this very moment is told that it is locked, and has to try again.
///
/// # Errors
///
/// [`Error::Io`], also when there is no journal.
pub fn in_use(path: &Path) -> Result<bool, Error> {
    let file = File::open(path).map_err(io_error("open the journal", path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => Ok(true),
        taken => taken.map(|()| false).map_err(|e| io_error("lock", path)(e.into())),
    }
}

/// Takes the exclusive lock of `file`, which lies at `path`, without waiting.
/// It is held until the file is closed.
pub(crate) fn take(file: &File, path: &Path) -> Result<(), Error> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Error::Locked { path: path.to_owned() }),
        taken => taken.map_err(|e| io_error("lock", path)(e.into())),
    }
}
