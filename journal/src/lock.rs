//! One owner per file: an advisory lock that dies with its process.

use std::fs::File;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::error::{Error, io_error};

/// Takes the exclusive lock of `file`, which lies at `path`, without waiting.
/// It is held until the file is closed.
pub(crate) fn take(file: &File, path: &Path) -> Result<(), Error> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Error::Locked { path: path.to_owned() }),
        taken => taken.map_err(|e| io_error("lock", path)(e.into())),
    }
}
