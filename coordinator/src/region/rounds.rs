//! Regional rounds: the coordinator as a durable mailbox.
//!
//! The protocol is `koonti-secagg`'s. Every message that its machine takes and
//! every phase that is closed is in the round's own journal before it is
//! acknowledged or followed, so that a restart replays the round to where it was.
//! A round begins when all nodes have accepted or refused, or the table's deadline
//! has come. A failed round is retried once for those that sent masked inputs,
//! against a certificate that the first can never be opened.

use super::{Inner, Region, internal};
use crate::clock;
use crate::error::Error;
use crate::fold::{Attempt, Standing, Table};
use crate::invitation::random;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::combine::Missing;
use koonti_disclosure::coverage;
use koonti_disclosure::masked::Layout;
use koonti_disclosure::names::hex;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::regional::{self, Sum};
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::{Choice, PHASES, RoundSpec, Strictness};
use koonti_disclosure::{Digest, Name, Progress, Refusal, TableRequest, canonical};
use koonti_evidence::entry::coordinator::Entry;
use koonti_journal::Journal;
use koonti_proto::Failure;
use koonti_proto::wire::{RoundMessage, TableState, ToNode};
use koonti_secagg::coordinator::{Phase, Round, Taken};
use koonti_secagg::message::{self, Kind};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A node that has been away for one part in so many of a phase's time is not
/// waited for, if the others are enough.
const AWAY_PART: u32 = 4;
/// Most rounds of one table, retries before anybody has sent anything included.
const MOST_ATTEMPTS: usize = 4;

/// A round in memory.
pub(super) struct Running {
    table: Digest,
    machine: Round,
    journal: Journal,
    away_since: HashMap<Name, Instant>,
    progress: HashMap<Name, Progress>,
    /// True once inboxes were out, so that masked inputs may have been made.
    inputs: bool,
}

/// What is to be done about a table without a running round.
enum Outlook {
    Wait,
    Begin { previous: Option<Digest>, certificate: Option<Certificate> },
    Refuse(Refusal),
}

impl Region {
    /// A node's message of a round: into the machine, onto the disk, and on.
    pub(super) fn take_round_message(&self, node: &Name, message: &RoundMessage) -> Result<(), Failure> {
        let malformed = || Failure::Invalid("the message names no round".to_owned());
        let round = message::round_of(message.bytes()).ok_or_else(malformed)?;
        let mut inner = self.inner();
        let Some(running) = inner.rounds.get_mut(&round) else {
            let known = inner.store.fold.tables.values().flat_map(|t| &t.rounds).any(|a| a.spec.round() == round);
            // One that is over needs nothing more.
            return if known { Ok(()) } else { Err(Failure::NotFound("there is no such round".to_owned())) };
        };
        let table = running.table;
        match running.machine.take(node, message.bytes()) {
            Ok(Taken::New | Taken::Blamed) => running.note(node, message.bytes()).map_err(internal)?,
            Ok(Taken::Repeat) => return Ok(()),
            Err(fault) => {
                tracing::warn!(%node, round = %round.short(), %fault, "a round's message was not taken");
                return Err(Failure::Invalid(fault.to_string()));
            }
        }
        inner.tend_regional(table).map_err(internal)?;
        drop(inner);
        self.tell(table);
        Ok(())
    }
}

impl Running {
    fn new(request: &TableRequest, attempt: &Attempt, roster: &Roster, journal: Journal) -> Option<Self> {
        let certificate = match attempt.certificate.as_slice() {
            [] => None,
            bytes => Some(Certificate::parse(bytes, roster).ok()?),
        };
        let machine = Round::new(attempt.spec.clone(), Layout::of(request)?, roster.clone(), certificate.as_ref());
        Some(Self {
            table: request.id(),
            machine,
            journal,
            away_since: HashMap::new(),
            progress: HashMap::new(),
            inputs: false,
        })
    }

    /// Makes a taken message durable.
    fn note(&mut self, node: &Name, message: &[u8]) -> Result<(), Error> {
        let name = node.as_str().as_bytes();
        let length = u8::try_from(name.len()).expect("a name has at most 63 characters");
        self.journal.append(&[&[length], name, message].concat())?;
        self.advise(node, message);
        Ok(())
    }

    /// Closes the phase, durably. False when too few had answered.
    fn advance(&mut self) -> Result<bool, Error> {
        self.journal.append(&[])?;
        Ok(self.close_phase())
    }

    fn close_phase(&mut self) -> bool {
        let closed = self.machine.advance().is_ok();
        self.inputs |= self.machine.phase() == Phase::Masked;
        closed
    }

    /// Takes one entry of the journal again.
    fn replay(&mut self, entry: &[u8]) -> Option<()> {
        let Some((length, rest)) = entry.split_first() else {
            self.close_phase();
            return Some(());
        };
        let (name, message) = rest.split_at_checked(usize::from(*length))?;
        let name: Name = std::str::from_utf8(name).ok()?.parse().ok()?;
        self.machine.take(&name, message).ok()?;
        self.advise(&name, message);
        Some(())
    }

    /// What people see of a node that takes part.
    fn advise(&mut self, node: &Name, message: &[u8]) {
        match message::kind(message) {
            Some(Kind::Left) => {
                let why = self.machine.left().into_iter().find(|(left, _)| left == node).map(|(_, why)| why);
                tracing::warn!(%node, why = why.map(tracing::field::display), "a node has left a regional round");
                None
            }
            Some(Kind::Advert) => self.progress.insert(node.clone(), Progress::Joined),
            Some(Kind::Chunk) if self.machine.answered().contains(node) => {
                self.progress.insert(node.clone(), Progress::Sent)
            }
            _ => None,
        };
    }

    fn active(&self) -> bool {
        !matches!(self.machine.phase(), Phase::Done | Phase::Failed)
    }
}

impl Inner {
    /// Moves a regional table on as far as it goes. True when something changed.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn tend_regional(&mut self, id: Digest) -> Result<bool, Error> {
        let mut moved = false;
        loop {
            let Some(table) = self.store.fold.tables.get(&id).filter(|t| t.state == TableState::Open) else {
                return Ok(moved);
            };
            let round = table.running().map(|attempt| attempt.spec.round());
            let step = match round {
                Some(round) => self.step(id, round)?,
                None => match self.outlook(table) {
                    Outlook::Wait => false,
                    Outlook::Begin { previous, certificate } => self.begin(id, previous, certificate.as_ref())?,
                    Outlook::Refuse(reason) => {
                        tracing::info!(table = %id.short(), reason = reason.code(), "regional table closed");
                        let time = clock::now();
                        self.store.append(Entry::Closed {
                            counted: Vec::new(),
                            id,
                            published: None,
                            reason: Some(reason),
                            time,
                        })?;
                        self.rounds.retain(|_, running| running.table != id);
                        true
                    }
                },
            };
            if !step {
                return Ok(moved);
            }
            moved = true;
        }
    }

    /// What a node that attends again still has to be sent.
    pub(super) fn mailbox(&self, node: &Name) -> Vec<RoundMessage> {
        let of = |running: &Running| {
            let table = self.store.fold.tables.get(&running.table)?;
            let asked = matches!(table.nodes.get(node), Some(Standing::Ready(_)));
            let bytes = match running.machine.phase() {
                Phase::Failed => Some(message::stop_message(running.machine.spec().round())),
                // What has arrived is not asked for again.
                _ if running.machine.answered().contains(node) => None,
                _ => running.machine.for_node(node),
            };
            bytes.filter(|_| asked).and_then(RoundMessage::new)
        };
        self.rounds.values().filter_map(of).collect()
    }

    /// How far a node that is ready has come.
    pub(super) fn progress(&self, table: &Table, node: &Name) -> Progress {
        let running = table.running().and_then(|attempt| self.rounds.get(&attempt.spec.round()));
        running.and_then(|r| r.progress.get(node).copied()).unwrap_or(Progress::Ready)
    }

    /// After a restart: replays the newest round of every open table.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn resume_rounds(&mut self) -> Result<(), Error> {
        let open = self.store.fold.tables.iter().filter(|(_, t)| t.state == TableState::Open && !t.rounds.is_empty());
        let open: Vec<Digest> = open.map(|(id, _)| *id).collect();
        for id in open {
            self.load_round(id)?;
        }
        Ok(())
    }

    /// Brings the newest round of a table back into memory.
    pub(super) fn load_round(&mut self, id: Digest) -> Result<(), Error> {
        let Some(roster) = self.roster.as_ref().map(|r| r.roster().clone()) else { return Ok(()) };
        let Some(table) = self.store.fold.tables.get(&id) else { return Ok(()) };
        let attempt = table.rounds.last().filter(|a| a.spec.roster() == roster.hash());
        let (Some(attempt), request) = (attempt, table.request.request()) else { return Ok(()) };
        let round = attempt.spec.round();
        if self.rounds.contains_key(&round) {
            return Ok(());
        }
        let (journal, entries) = self.store.round(round)?;
        let Some(mut running) = Running::new(request, attempt, &roster, journal) else { return Ok(()) };
        if entries.iter().any(|entry| running.replay(entry).is_none()) {
            // Without its messages the round is over; the other tables go on.
            tracing::error!(round = %round.short(), "the journal of a regional round is damaged");
            return Ok(());
        }
        tracing::debug!(round = %round.short(), messages = entries.len(), "regional round taken up again");
        self.rounds.insert(round, running);
        Ok(())
    }

    /// Whether a table without a running round can begin one.
    fn outlook(&self, table: &Table) -> Outlook {
        let Some(quorum) = self.roster.as_ref().and_then(|r| Quorum::of(r.roster()).ok()) else {
            return Outlook::Refuse(Refusal::TooFewNodes);
        };
        let now = clock::now();
        if !table.complete() && now <= table.deadline {
            return Outlook::Wait;
        }
        let enough = |count: usize| count >= quorum.u_min() as usize;
        if !enough(table.ready().count()) {
            return Outlook::Refuse(Refusal::TooFewNodes);
        }
        let Some(last) = table.rounds.last() else {
            return Outlook::Begin { previous: None, certificate: None };
        };
        // The round whose masked inputs some nodes were debited for.
        let spent = table.rounds.iter().rfind(|attempt| attempt.failed == Some(true));
        let patient = now <= table.touched + 2 * table.phase_timeout_s.max(5);
        let wait = |reason| if patient { Outlook::Wait } else { Outlook::Refuse(reason) };
        if spent.is_some_and(|spent| spent.spec.attempt() > 0)
            || table.rounds.len() - table.rounds_before >= MOST_ATTEMPTS
        {
            return Outlook::Refuse(Refusal::RoundFailed);
        }
        let certificate = spent.and_then(|spent| self.certificate_of(spent, last));
        if spent.is_some() && certificate.is_none() {
            return wait(Refusal::RoundFailed);
        }
        // So many have to be there at once: it failed because they were not.
        if !enough(table.ready().filter(|(node, _)| self.connected.contains_key(node)).count()) {
            return wait(Refusal::RoundFailed);
        }
        Outlook::Begin { previous: spent.map(|spent| spent.spec.round()), certificate }
    }

    /// The certificate of a round: from its own erasures, or from a retry that
    /// failed before anybody had sent anything.
    fn certificate_of(&self, spent: &Attempt, last: &Attempt) -> Option<Certificate> {
        let gathered = self.rounds.get(&spent.spec.round()).and_then(|running| running.machine.certificate());
        let roster = self.roster.as_ref()?.roster();
        let retried = last.spec.previous() == Some(spent.spec.round());
        gathered.or_else(|| Certificate::parse(&last.certificate, roster).ok().filter(|_| retried))
    }

    /// Writes the specification and invites the nodes that are ready.
    fn begin(
        &mut self,
        id: Digest,
        previous: Option<Digest>,
        certificate: Option<&Certificate>,
    ) -> Result<bool, Error> {
        let (Some(roster), Some(table)) = (self.roster.as_ref(), self.store.fold.tables.get(&id)) else {
            return Ok(false);
        };
        let roster = roster.roster().clone();
        let floor = roster.floor();
        let floor = Strictness { eta: floor.eta, j: floor.j, k: floor.k };
        let now = clock::now();
        let deadline = |phase: usize| now + (phase as u64 + 1) * table.phase_timeout_s;
        let choice = Choice {
            request: id,
            nonce: random()?,
            deadlines: std::array::from_fn::<u64, PHASES, _>(deadline),
            strictness: table.ready().fold(floor, |strictest, (_, terms)| strictest.strictest(terms)),
            previous,
        };
        // The roster has a quorum and its floor is in range, as are the nodes' terms.
        let spec = RoundSpec::new(&roster, &choice).map_err(|e| Error::Refused(e.to_string()))?;
        let round = spec.round();
        tracing::info!(table = %id.short(), round = %round.short(), attempt = spec.attempt(), "regional round begins");
        let certificate = certificate.map(|c| hex(c.bytes()));
        self.store.append(Entry::RoundBegan { certificate, id, spec: spec.json(), time: now })?;
        self.rounds.retain(|_, running| running.table != id);
        self.load_round(id)?;
        self.send_round(id, round);
        Ok(true)
    }

    /// Moves a running round on by one phase, if it can be.
    fn step(&mut self, id: Digest, round: Digest) -> Result<bool, Error> {
        let (Some(table), Some(running)) = (self.store.fold.tables.get(&id), self.rounds.get_mut(&round)) else {
            // The roster has changed under the round: nobody will answer any more.
            return self.fail(id, round, true);
        };
        let phase = match running.machine.phase() {
            Phase::Adverts => 0,
            Phase::Shares => 1,
            Phase::Masked => 2,
            Phase::Confirm => 3,
            Phase::Unmask => 4,
            Phase::Done => return self.publish(id, round),
            Phase::Failed => {
                let inputs = running.inputs;
                return self.fail(id, round, inputs);
            }
        };
        let now = Instant::now();
        let mut awaited = running.machine.awaited();
        awaited.retain(|node| matches!(table.nodes.get(node), Some(Standing::Ready(_))));
        for node in &awaited {
            if self.connected.contains_key(node) {
                running.away_since.remove(node);
            } else {
                running.away_since.entry(node.clone()).or_insert(now);
            }
        }
        let patience = Duration::from_secs(table.phase_timeout_s) / AWAY_PART;
        let here = |node: &Name| running.away_since.get(node).is_none_or(|since| since.elapsed() < patience);
        let late = clock::now() > running.machine.spec().deadline(phase);
        // t nodes open the sum; the others have nothing to add.
        let last = phase == PHASES - 1;
        let enough = running.machine.enough() && (last || !awaited.iter().any(here));
        if !enough && !late && !awaited.is_empty() {
            return Ok(false);
        }
        if running.advance()? && running.active() {
            self.send_round(id, round);
        }
        Ok(true)
    }

    /// Sends every node what the mailbox holds for it.
    fn send_round(&self, id: Digest, round: Digest) {
        let (Some(table), Some(running)) = (self.store.fold.tables.get(&id), self.rounds.get(&round)) else { return };
        for (node, _) in table.ready() {
            if let Some(message) = running.machine.for_node(node).and_then(RoundMessage::new) {
                self.send(node, ToNode::Round(message));
            }
        }
    }

    fn fail(&mut self, id: Digest, round: Digest, inputs: bool) -> Result<bool, Error> {
        tracing::warn!(table = %id.short(), round = %round.short(), inputs, "regional round failed");
        self.store.append(Entry::RoundFailed { id, inputs, round, time: clock::now() })?;
        self.send_stop(id);
        Ok(true)
    }

    /// Asks all nodes of a table to erase their secrets of its newest round, if
    /// that has failed.
    pub(super) fn send_stop(&self, id: Digest) {
        let Some(table) = self.store.fold.tables.get(&id) else { return };
        let failed = table.rounds.last().filter(|attempt| attempt.failed.is_some());
        let stop = failed.and_then(|attempt| RoundMessage::new(message::stop_message(attempt.spec.round())));
        for node in table.nodes.keys() {
            if let Some(stop) = &stop {
                self.send(node, ToNode::Round(stop.clone()));
            }
        }
    }

    fn publish(&mut self, id: Digest, round: Digest) -> Result<bool, Error> {
        let Some(running) = self.rounds.remove(&round) else { return Ok(false) };
        let (Some(opened), Some(table)) = (running.machine.opened(), self.store.fold.tables.get(&id)) else {
            return Ok(false);
        };
        for node in &opened.blamed {
            tracing::warn!(%node, round = %round.short(), "a node's shares did not match what it had committed to");
        }
        let missing =
            table.nodes.iter().filter(|(node, _)| !opened.survivors.contains(node)).map(|(node, standing)| {
                let reason = match standing {
                    Standing::Refused(reason) => *reason,
                    Standing::Ready(_) => Refusal::RoundLeft,
                    _ => Refusal::NoAnswer,
                };
                Missing { node: node.clone(), reason }
            });
        let sum = Sum {
            spec: running.machine.spec(),
            survivors: opened.survivors.clone(),
            missing: missing.collect(),
            vectors: &opened.sums,
        };
        let counted = opened.survivors.clone();
        let mut published = regional::publish(table.request.request(), sum);
        published.coverage =
            coverage::list(counted.iter().map(|node| (node.clone(), self.mirrors.stated(node, round))));
        let bytes = canonical::to_bytes(&published).map_err(|e| Error::Refused(e.to_string()))?;
        let published = Some(self.store.put_table(&bytes)?);
        tracing::info!(table = %id.short(), nodes = counted.len(), "regional table published");
        self.store.append(Entry::Closed { counted, id, published, reason: None, time: clock::now() })?;
        Ok(true)
    }
}
