//! What can go wrong at a node, for the operator's eyes. Nothing of it is sent.

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
    /// The node has not been enrolled.
    #[error("this node is not enrolled yet: run `koonti-node enroll` with the invitation from the coordinator")]
    NotEnrolled,
    /// A key file is unreadable or malformed.
    #[error("{path}: cannot be used as a key: {why}")]
    Key {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// The keys are not those that the log was begun with.
    #[error(
        "{log} was begun with other keys, and a name keeps its keys for ever: put those back. If they are lost, the organisation joins under another name, with an empty state directory"
    )]
    OtherKeys {
        /// The journal.
        log: String,
    },
    /// The journal or another file on disk.
    #[error(transparent)]
    Disk(#[from] koonti_journal::Error),
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The journal holds an entry that this version does not understand.
    #[error("journal entry {0} is not one this version understands: was the node downgraded?")]
    Entry(u64),
    /// The register cannot be imported.
    #[error(transparent)]
    Source(#[from] crate::source::Error),
    /// There is no draft of a mapping.
    #[error(transparent)]
    Draft(#[from] crate::source::DraftError),
    /// Metrics and health cannot be shown.
    #[error(transparent)]
    Door(#[from] koonti_watch::Error),
    /// The system's source of randomness failed.
    #[error("the system's source of randomness failed")]
    Randomness,
    /// The coordinator.
    #[error(transparent)]
    Coordinator(#[from] koonti_proto::Failure),
    /// A roster.
    #[error(transparent)]
    Roster(#[from] koonti_disclosure::roster::Error),
    /// This machine's clock and the coordinator's differ.
    #[error(
        "this machine's clock and the coordinator's differ by more than five minutes: nothing is answered until the wrong one is set right"
    )]
    Clocks,
    /// This machine's clock is far ahead of the log.
    #[error(
        "this machine's clock is more than 100 days ahead of the newest entry of the log: set it right. If it is right, start the daemon: it asks the coordinator for the time, and then takes the order, which is kept"
    )]
    Leap,
    /// The state was set back to an older copy.
    #[error(
        "the state of this node has been set back: its log has {here} entries, and the coordinator has cosigned {there}. Nothing leaves this node until `koonti-node recover` has fetched the rest"
    )]
    RolledBack {
        /// Entries here.
        here: u64,
        /// Entries that the coordinator has cosigned.
        there: u64,
    },
    /// The coordinator holds another log of this node.
    #[error(
        "the coordinator holds another log of this node than this one ({kept} has its checkpoint). Does a second node run with this identity, or was the state of this one altered? Nothing leaves it until that is known; `koonti-node recover` takes the log that the coordinator has cosigned, and keeps this one aside"
    )]
    Forked {
        /// Where the other checkpoint is kept.
        kept: String,
    },
    /// The coordinator's log is not the one that this node has cosigned.
    #[error(
        "the coordinator's log is not the one that this node cosigned before: entries were altered or removed there. The evidence is {kept}, and state/witnessed.note; tell the region's auditor. This node stays stopped"
    )]
    CoordinatorForked {
        /// Where the new checkpoint is kept.
        kept: String,
    },
    /// Anything else that the operator asked for and cannot have.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// A wrong configuration file.
    pub fn config(path: &Path, why: String) -> Self {
        Self::Config { path: path.display().to_string(), why }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), why: error.to_string() }
    }
}
