//! What can go wrong for a person, and the exit code that says so.

use koonti_disclosure::{Refusal, identity, request, roster};
use koonti_proto::Failure;
use std::path::Path;

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A question file or profile is malformed: exit code 64.
    #[error("{path}: {why}")]
    Config {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The question is none.
    #[error("the question is not one that can be asked: {0}")]
    Request(#[from] request::Error),
    /// A signed message.
    #[error(transparent)]
    Signed(#[from] identity::Error),
    /// A roster.
    #[error(transparent)]
    Roster(#[from] roster::Error),
    /// The coordinator.
    #[error("{0}")]
    Coordinator(#[from] Failure),
    /// Every node refused.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Synthetic registers.
    #[error(transparent)]
    Synth(#[from] crate::synth::Error),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), why: error.to_string() }
    }

    /// A file that is there already and must stay.
    pub(crate) fn is_there(path: &Path) -> Self {
        let why = "there is such a file already, which is not replaced: give another name";
        Self::File { path: path.display().to_string(), why: why.to_owned() }
    }

    /// A malformed file.
    pub(crate) fn config(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Config { path: path.display().to_string(), why: why.to_string().trim_end().to_owned() }
    }

    /// The exit code that tells scripts what happened.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Coordinator(Failure::Refused(_) | Failure::Denied(_) | Failure::Revoked(_)) | Self::Refused(_) => 3,
            Self::Request(_) => 2,
            Self::Config { .. } => 64,
            _ => 1,
        }
    }
}
