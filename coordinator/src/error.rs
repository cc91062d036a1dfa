//! What can go wrong at a coordinator, for its operator's eyes.

use std::path::Path;

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration file is missing or wrong: exit code 64.
    #[error("{path}: {why}")]
    Config {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of keys, a certificate or the roster holds something else.
    #[error("{path}: cannot be used: {why}")]
    Unusable {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The journal or another file on disk.
    #[error(transparent)]
    Disk(#[from] koonti_journal::Error),
    /// The journal holds an entry that this version does not understand.
    #[error("journal entry {0} is not one this version understands: was the coordinator downgraded?")]
    Entry(u64),
    /// The region's certificates.
    #[error(transparent)]
    Pki(#[from] koonti_proto::edge::pki::Error),
    /// A listener.
    #[error(transparent)]
    Serve(#[from] koonti_proto::edge::server::Error),
    /// A roster.
    #[error(transparent)]
    Roster(#[from] koonti_disclosure::roster::Error),
    /// Metrics and health cannot be shown.
    #[error(transparent)]
    Door(#[from] koonti_watch::Error),
    /// The system's source of randomness failed.
    #[error("the system's source of randomness failed")]
    Randomness,
    /// Anything else that the operator asked for and cannot have.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// A wrong configuration file.
    pub fn config(path: &Path, why: String) -> Self {
        Self::Config { path: path.display().to_string(), why }
    }

    /// A file of keys, a certificate or the roster that holds something else.
    pub fn unusable(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Unusable { path: path.display().to_string(), why: why.to_string() }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), why: error.to_string() }
    }
}
