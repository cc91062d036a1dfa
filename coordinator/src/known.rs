//! A name keeps its keys for ever: those of the first roster that lists the node.
//!
//! Promises: what an installed roster once gave a name, no later roster and no enrolment
//! takes from it. Otherwise logs that were checkable would not be so any more, for good.
//! Does not: look at people, who may come back with another key.

use crate::config::Config;
use crate::error::Error;
use koonti_disclosure::roster::{LogKeys, NodeEntry, Roster, SignedRoster};
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::entry::coordinator::Entry;
use std::path::PathBuf;

/// The rosters that were ever in force.
pub(crate) struct Known(Vec<Roster>);

/// The name is known with other keys.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} has other keys in roster {epoch}, and a name keeps its keys for ever: put those back at the node; if they are lost, revoke the name (`koonti-coordinator node revoke {name}`) and invite the node under another one"
)]
pub(crate) struct OtherKeys {
    name: Name,
    epoch: u64,
}

impl Known {
    /// Reads them: those of the log, and the installed one, which may not stand there yet.
    ///
    /// # Errors
    /// When the journal is damaged, or a roster that it names is gone.
    pub(crate) fn read(config: &Config) -> Result<Self, Error> {
        let journal = config.journal();
        let entries = if journal.exists() { koonti_journal::read(&journal)? } else { Vec::new() };
        let rosters = entries.iter().filter_map(|entry| match canonical::from_bytes(entry) {
            Ok(Entry::Roster { roster, .. }) => Some(config.state.join("blobs").join(roster.to_string())),
            _ => None,
        });
        let read = |path: PathBuf| {
            let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
            Ok(Roster::parse(&bytes)?)
        };
        let mut rosters = rosters.map(read).collect::<Result<Vec<_>, Error>>()?;
        if let Ok(bytes) = std::fs::read(config.roster()) {
            rosters.push(SignedRoster::parse(&bytes, config.governance)?.roster().clone());
        }
        Ok(Self(rosters))
    }

    /// # Errors
    /// When a roster gives the node's name other keys.
    pub(crate) fn check(&self, name: &Name, identity: Digest, logs: LogKeys) -> Result<(), OtherKeys> {
        let keys = (identity, logs.log, logs.witness);
        let other = self
            .0
            .iter()
            .find(|roster| roster.node(name).is_some_and(|node| (node.identity, node.log, node.witness) != keys));
        other.map_or(Ok(()), |roster| Err(OtherKeys { name: name.clone(), epoch: roster.epoch() }))
    }

    /// # Errors
    /// When a roster gives one of this one's nodes other keys.
    pub(crate) fn check_all(&self, roster: &Roster) -> Result<(), OtherKeys> {
        let keys = |n: &NodeEntry| LogKeys { log: n.log, witness: n.witness };
        roster.nodes().iter().try_for_each(|node| self.check(&node.name, node.identity, keys(node)))
    }
}
