//! How many files and sockets the process may have open.
//!
//! Promises: as many as it may ask for, up to [`WANTED`]; says so in the log when that is
//! too few. Why: a connection that is one too many must be refused by a limit of ours, and
//! never by the system, which would refuse the next write to the journal as well.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// 1,856 connections, a journal for each of 500 nodes, and four times as much to spare.
const WANTED: u64 = 8192;
/// With fewer, connections alone could use them up.
const LEAST: u64 = 3072;

/// Raises the limit.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(WANTED);
    if limit.current.is_some_and(|current| current < most) {
        let new = Rlimit { current: Some(most), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, new) {
            tracing::warn!(%error, "the limit on open files cannot be raised");
        }
    }
    if let Some(files) = getrlimit(Resource::Nofile).current.filter(|files| *files < LEAST) {
        tracing::warn!(files, "too few files may be open for a large region: raise LimitNOFILE to {WANTED}");
    }
}
