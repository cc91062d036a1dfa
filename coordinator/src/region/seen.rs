//! The region in numbers, for [`crate::sight`]: of nodes, tables and logs, never of clients.

use super::Region;
use crate::sight::Seen;
use koonti_disclosure::roster::SignedRoster;
use koonti_proto::wire::TableState;

impl Region {
    /// What can be seen of it now.
    pub(crate) fn seen(&self) -> Seen {
        let inner = self.inner();
        let roster = inner.roster.as_ref().map(SignedRoster::roster);
        let tables = |state| inner.store.fold.tables.values().filter(|t| t.state == state).count() as u64;
        let rounds = || inner.store.fold.tables.values().flat_map(|table| &table.rounds);
        let heads = inner.mirrors.heads();
        let cosigning = inner.shown.as_ref().map_or(0, |shown| shown.cosigned.len() as u64);
        Seen {
            nodes: [
                ("in_roster", roster.map_or(0, |r| r.nodes().len() as u64)),
                ("connected", inner.connected.len() as u64),
                ("cosigned_newest", cosigning),
            ],
            tables: [
                ("open", tables(TableState::Open)),
                ("published", tables(TableState::Published)),
                ("refused", tables(TableState::Refused)),
            ],
            rounds: [
                ("begun", rounds().count() as u64),
                ("failed", rounds().filter(|round| round.failed.is_some()).count() as u64),
            ],
            entries: inner.store.tree().len(),
            bytes: std::fs::metadata(self.config.journal()).map_or(0, |file| file.len()),
            epoch: roster.map_or(0, koonti_disclosure::roster::Roster::epoch),
            copies: heads.0.len() as u64,
            copied: heads.0.values().map(|(size, _)| size).sum(),
            forks: std::fs::read_dir(self.config.state.join("forks")).map_or(0, |files| files.flatten().count() as u64),
        }
    }
}
