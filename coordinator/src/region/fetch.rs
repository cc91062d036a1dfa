//! The bundle for auditors: all logs, what they name, and the opened rounds.

use super::evidence::Shown;
use super::{Inner, Region, internal};
use crate::clock;
use crate::error::Error;
use crate::fold::{Attempt, Table as Held};
use koonti_disclosure::masked::Layout;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, Name, canonical, ledger};
use koonti_evidence::bundle::{Bundle, Opened, log_of_node};
use koonti_evidence::entry::coordinator::Entry;
use koonti_evidence::entry::node::Own;
use koonti_evidence::note::Note;
use koonti_proto::{Failure, Items};
use koonti_secagg::coordinator::Round;
use koonti_secagg::message::{self, Chunk, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long nodes may take to come back and cosign the log before it is handed out: as
/// long as one that has lost its connection waits at most.
const COSIGN_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of one piece.
const PIECE: usize = 1 << 20;

impl Region {
    pub(super) async fn fetch_evidence(&self, auditor: &Name) -> Result<Items<Vec<u8>>, Failure> {
        {
            let mut inner = self.inner();
            let entry = Entry::Access { auditor: auditor.clone(), time: clock::now() };
            inner.store.append(entry).map_err(internal)?;
        }
        self.show_log().map_err(internal)?;
        let began = std::time::Instant::now();
        while began.elapsed() < COSIGN_WITHIN && !self.inner().is_cosigned() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let bytes = tokio::task::block_in_place(|| self.inner().bundle()).map_err(internal)?;
        tracing::info!(%auditor, bytes = bytes.len(), "evidence handed out");
        let pieces: Vec<Vec<u8>> = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
        Ok(Box::pin(tokio_stream::iter(pieces)))
    }
}

impl Inner {
    /// True when as many nodes have cosigned the log as an auditor asks for.
    fn is_cosigned(&self) -> bool {
        let Some(shown) = &self.shown else { return false };
        let nodes = self.roster.as_ref().map_or(0, |r| r.roster().nodes().len());
        let needed = self.roster.as_ref().and_then(|r| Quorum::of(r.roster()).ok()).map(|q| q.t() as usize);
        shown.cosigned.len() >= needed.unwrap_or(nodes)
    }

    fn bundle(&self) -> Result<Vec<u8>, Error> {
        let roster = self.roster.as_ref().map(SignedRoster::roster);
        let roster = roster.ok_or_else(|| Error::Refused("no roster is in force".to_owned()))?;
        let shown = self.shown.as_ref().ok_or_else(|| Error::Refused("no checkpoint was made yet".to_owned()))?;
        let refused = |e: &dyn std::fmt::Display| Error::Refused(e.to_string());
        let mut bundle = Bundle::new(roster.region().clone());
        let mut entries = self.store.entries()?;
        entries.truncate(usize::try_from(shown.checkpoint.size()).unwrap_or(usize::MAX));
        bundle.log("coordinator", &cosigned(shown)?, &entries).map_err(|e| refused(&e))?;
        for entry in &entries {
            self.blobs_of(entry, &mut bundle)?;
        }
        for node in self.mirrors.nodes() {
            let Some((entries, note)) = self.mirrors.log(node)? else { continue };
            bundle.log(&log_of_node(node), &note, &entries).map_err(|e| refused(&e))?;
            for entry in &entries {
                self.blobs_of_node(entry, &mut bundle);
            }
        }
        for table in self.store.fold.tables.values() {
            if let Some((round, opened)) = self.opened(table)? {
                bundle.round(round, opened);
            }
        }
        bundle.bytes().map_err(|e| refused(&e))
    }

    /// What an entry of the coordinator's names.
    fn blobs_of(&self, entry: &[u8], bundle: &mut Bundle) -> Result<(), Error> {
        match canonical::from_bytes(entry) {
            Ok(Entry::Roster { roster, .. }) => bundle.blob(self.store.blob(roster)?),
            Ok(Entry::Asked(asked)) => bundle.blob(self.store.blob(asked.heads)?),
            Ok(Entry::Reopened { heads, .. }) => bundle.blob(self.store.blob(heads)?),
            Ok(Entry::Released { release, .. }) => bundle.blob(self.store.release(release)?),
            Ok(Entry::Closed { published: Some(published), .. }) => bundle.blob(self.store.table_bytes(published)?),
            _ => {}
        }
        Ok(())
    }

    /// What an entry of a node's names, as far as it is held here.
    fn blobs_of_node(&self, entry: &[u8], bundle: &mut Bundle) {
        let release = || match canonical::from_bytes(entry) {
            Ok(ledger::Entry::Release { release, .. }) => self.store.release(release).ok(),
            _ => None,
        };
        if let Some(bytes) = self.rules_or_roster(entry).or_else(release) {
            bundle.blob(bytes);
        }
    }

    /// The rules and rosters that entries of a node's name, each once, as far as they are
    /// held here.
    pub(super) fn rules_and_rosters(&self, entries: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let named: BTreeSet<Vec<u8>> = entries.iter().filter_map(|entry| self.rules_or_roster(entry)).collect();
        named.into_iter().collect()
    }

    fn rules_or_roster(&self, entry: &[u8]) -> Option<Vec<u8>> {
        match canonical::from_bytes(entry) {
            Ok(Own::PolicyApproved { policy, .. }) => self.store.blob(policy).ok(),
            Ok(Own::RosterApproved { roster, .. }) => self.store.blob(roster).ok(),
            _ => None,
        }
    }

    /// The round behind a published regional table.
    fn opened(&self, table: &Held) -> Result<Option<(Digest, Opened)>, Error> {
        let Some(attempt) = table.rounds.last().filter(|_| table.published.is_some() && table.is_regional()) else {
            return Ok(None);
        };
        let roster = Roster::parse(&self.store.blob(attempt.spec.roster())?)?;
        let entries = self.store.round_entries(attempt.spec.round())?;
        Ok(opened(table, attempt, roster, &entries).map(|opened| (attempt.spec.round(), opened)))
    }
}

/// The checkpoint with all cosignatures.
fn cosigned(shown: &Shown) -> Result<Note, Error> {
    let mut note = shown.note.clone();
    for signature in shown.cosigned.values() {
        note.add(signature.clone()).map_err(|e| Error::Refused(e.to_string()))?;
    }
    Ok(note)
}

/// The Masked message of a node, and its chunks by number.
type Arrived = (Vec<u8>, BTreeMap<u32, Vec<u8>>);

/// Plays a round's journal again and takes its transcript.
fn opened(table: &Held, attempt: &Attempt, roster: Roster, entries: &[Vec<u8>]) -> Option<Opened> {
    let layout = Layout::of(table.request.request())?;
    let mut machine = Round::new(attempt.spec.clone(), layout, roster, None);
    let mut inputs: BTreeMap<u16, Arrived> = BTreeMap::new();
    for entry in entries {
        let Some((length, rest)) = entry.split_first() else {
            machine.advance().ok()?;
            continue;
        };
        let (name, message) = rest.split_at_checked(usize::from(*length))?;
        let name: Name = std::str::from_utf8(name).ok()?.parse().ok()?;
        machine.take(&name, message).ok()?;
        let place = machine.place_of(&name)?;
        match message::kind(message) {
            Some(Kind::Masked) => inputs.entry(place).or_default().0 = message.to_vec(),
            Some(Kind::Chunk) => {
                let (_, chunk) = Chunk::parse(message).ok()?;
                inputs.entry(place).or_default().1.insert(chunk.index, chunk.bytes.to_vec());
            }
            _ => {}
        }
    }
    let transcript = machine.transcript()?;
    let survives = |place: &u16| transcript.own.iter().any(|(survivor, _)| survivor == place);
    let whole = |(head, chunks): Arrived| [head, chunks.into_values().collect::<Vec<_>>().concat()].concat();
    Some(Opened {
        adverts: transcript.adverts,
        u2: transcript.u2.iter().flat_map(|place| place.to_be_bytes()).collect(),
        survivors: transcript.survivors,
        confirmations: transcript.confirmations,
        masked: inputs.into_iter().filter(|(place, _)| survives(place)).map(|(p, input)| (p, whole(input))).collect(),
        own: transcript.own.into_iter().collect(),
        mask: transcript.mask.into_iter().collect(),
    })
}
