//! Regional rounds, as this node takes part in them.
//!
//! The protocol is `koonti-secagg`'s; here its steps meet ledger, register and
//! disk. The order is what counts: joining, the debit, the masked input, the
//! opening and the erasure are each durable before the message that follows from
//! them leaves. The secrets of a round live in this value only: a restart has left
//! every round, and signs nothing about it.

use crate::desk::{Desk, tick};
use crate::error::Error;
use crate::keys::SystemRandomness;
use crate::{clock, fault, seeds};
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::ledger::{DebitError, Joining};
use koonti_disclosure::masked::Layout;
use koonti_disclosure::{Digest, Refusal};
use koonti_evidence::entry::node::Own;
use koonti_proto::wire::RoundMessage;
use koonti_secagg::message::{self, Kind, Start};
use koonti_secagg::node::{Next, Session};
use koonti_secagg::{Abort, MaskSet};
use std::collections::HashMap;
use std::time::Instant;

/// Rounds that a node takes part in at one time.
const MOST_LIVE: usize = 16;
/// Rounds that are over and kept to answer repeats; the oldest is forgotten first.
const MOST_OVER: usize = 256;
/// Rounds of one question that a node ever joins: a coordinator that starts and
/// stops rounds without end fills no disk.
const MOST_OF_QUESTION: usize = 64;
/// How long after its last deadline a round is given up, seconds.
const GRACE_S: u64 = 60;

/// The rounds that this process takes part in.
pub(crate) struct Rounds<'a> {
    desk: &'a Desk,
    live: HashMap<Digest, Live>,
}

struct Live {
    session: Session,
    request: Digest,
    certificate: Option<Certificate>,
    advert: Vec<u8>,
    /// The debit and the hash of the masked input, once there are any.
    debit: Option<(u64, Option<Digest>)>,
    stage: Stage,
    began: Instant,
}

/// How far this node has come with a round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It takes part.
    Joined,
    /// It is durable that it opens.
    Opens,
    /// It is durable that it has erased.
    Left,
}

impl Live {
    /// Kept to answer repeats only.
    fn is_over(&self) -> bool {
        self.stage != Stage::Joined
    }
}

/// What is to be sent, and when it may leave.
pub(crate) struct Letters {
    /// In this order.
    pub(crate) messages: Vec<RoundMessage>,
    /// Not before.
    pub(crate) at: Instant,
    /// A refusal of the question, which goes with them.
    pub(crate) refusal: Option<(Digest, Refusal)>,
}

/// Why the node does not go on with a round.
enum Stop {
    /// The protocol forbids it.
    Abort(Abort),
    /// A rule of the node forbids it.
    Refused(Refusal),
    /// The disk failed: the process ends.
    Disk(Error),
}

impl From<Abort> for Stop {
    fn from(abort: Abort) -> Self {
        Self::Abort(abort)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

impl<'a> Rounds<'a> {
    /// No rounds yet.
    pub(crate) fn new(desk: &'a Desk) -> Self {
        Self { desk, live: HashMap::new() }
    }

    /// Takes one message of the coordinator.
    ///
    /// # Errors
    /// When the disk fails; the process should then end.
    pub(crate) fn take(&mut self, message: &RoundMessage) -> Result<Letters, Error> {
        let bytes = message.bytes();
        let now = Instant::now();
        let (round, request, made) = match message::kind(bytes) {
            Some(Kind::Start) => {
                let Ok(start) = Start::parse(bytes) else {
                    tracing::warn!("a round's specification was not understood: upgrade this node?");
                    return Ok(Letters::none(now));
                };
                let (round, request) = (start.spec.round(), start.spec.request());
                (round, request, self.start(start).map(|advert| (vec![advert], now)))
            }
            Some(Kind::Stop) => {
                let erased = message::round_of(bytes).map(|round| self.stop(round)).transpose()?;
                return Ok(Letters::new(erased.flatten().into_iter().collect(), now));
            }
            _ => {
                let Some(round) = message::round_of(bytes) else { return Ok(Letters::none(now)) };
                let Some(live) = self.live.get(&round) else {
                    // Joined before a restart, if at all: its secrets are gone.
                    return Ok(Letters::new(vec![message::left_message(round, Abort::OutOfTurn)], now));
                };
                let request = live.request;
                (round, request, self.step(round, bytes, now))
            }
        };
        match made {
            Ok((messages, at)) => Ok(Letters::new(messages, at)),
            Err(Stop::Disk(error)) => Err(error),
            Err(Stop::Abort(abort)) => {
                tracing::warn!(round = %round.short(), %abort, "left a regional round");
                self.leave(round)?;
                Ok(Letters::new(vec![message::left_message(round, abort)], now))
            }
            Err(Stop::Refused(refusal)) => {
                tracing::warn!(round = %round.short(), %refusal, "did not go on with a regional round");
                self.leave(round)?;
                let left = message::left_message(round, Abort::Refused);
                Ok(Letters { refusal: Some((request, refusal)), ..Letters::new(vec![left], now) })
            }
        }
    }

    /// Gives up rounds whose last deadline has long passed.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn expire(&mut self) -> Result<(), Error> {
        let last = koonti_disclosure::round::PHASES - 1;
        let over = |live: &Live| live.session.spec().deadline(last).saturating_add(GRACE_S) < clock::now();
        let over: Vec<Digest> = self.live.iter().filter(|(_, live)| over(live)).map(|(round, _)| *round).collect();
        for round in over {
            self.leave(round)?;
            self.live.remove(&round);
        }
        Ok(())
    }

    /// Joins a round: the advert, or the one sent before.
    fn start(&mut self, start: Start) -> Result<Vec<u8>, Stop> {
        let Start { spec, certificate } = start;
        let (round, id) = (spec.round(), spec.request());
        if let Some(live) = self.live.get(&round) {
            return Ok(live.advert.clone());
        }
        if self.desk.store().books().fold.joined.contains_key(&round) {
            // Joined before a restart: its secrets are gone.
            return Err(Abort::OutOfTurn.into());
        }
        if self.live.values().filter(|live| !live.is_over()).count() >= MOST_LIVE {
            return Err(Abort::Own.into());
        }
        if spec.deadline(0) < clock::now() {
            return Err(Abort::TooLate.into());
        }
        let of_question = self.desk.store().books().fold.joined.values().filter(|question| **question == id).count();
        if of_question >= MOST_OF_QUESTION {
            return Err(Abort::Own.into());
        }
        // Another round of the same question ends before this one begins.
        let others: Vec<Digest> = self.live.iter().filter(|(_, l)| l.request == id).map(|(r, _)| *r).collect();
        for other in others {
            self.leave(other)?;
        }
        let (question, signed) = self.desk.to_begin(id).ok_or(Stop::Refused(Refusal::RoundMismatch))?;
        let admitted =
            self.desk.asks(&signed).and_then(|()| self.desk.admit(&signed, question.known)).map_err(Stop::Refused)?;
        let roster = self.desk.roster().ok_or(Stop::Refused(Refusal::RequesterUnknown))?;
        spec.check(&admitted, &roster).map_err(Stop::Refused)?;
        if !self.desk.extracts_readable(&admitted) {
            return Err(Stop::Refused(Refusal::PeriodNotHeld));
        }
        let certificate = match certificate.as_slice() {
            [] => None,
            bytes => Some(Certificate::parse(bytes, &roster).map_err(|_| Abort::Invalid)?),
        };
        {
            let books = self.desk.store().books();
            let carried = books.fold.ledger.may_carry(id);
            if carried && certificate.is_none() {
                return Err(Stop::Refused(Refusal::Aborted));
            }
            if !carried {
                books.fold.ledger.check(&admitted, signed.requester()).map_err(Stop::Refused)?;
            }
        }
        let layout = Layout::of(admitted.request()).ok_or(Stop::Refused(Refusal::NoiseOutOfRange))?;
        let me = &self.desk.keys().member.name;
        let identity = &self.desk.keys().identity;
        let (session, advert) = Session::join(spec, layout, &roster, me, identity, &mut SystemRandomness)?;
        self.desk.store().books().append(Own::RoundJoined { request: id, round, time: clock::now() })?;
        fault::step("joined");
        self.forget_oldest();
        let (stage, began) = (Stage::Joined, Instant::now());
        let live = Live { session, request: id, certificate, advert: advert.clone(), debit: None, stage, began };
        self.live.insert(round, live);
        Ok(advert)
    }

    /// One message of a round that this process has joined.
    fn step(&mut self, round: Digest, bytes: &[u8], began: Instant) -> Result<(Vec<Vec<u8>>, Instant), Stop> {
        let identity = &self.desk.keys().identity;
        let live = self.live.get_mut(&round).ok_or(Abort::OutOfTurn)?;
        match live.session.take(bytes, clock::now(), identity, &mut SystemRandomness)? {
            Next::Send(messages) => Ok((messages, began)),
            Next::Mask(masks) => self.mask(round, masks, began),
            Next::Open => {
                let (seq, masked) = live.debit.ok_or(Abort::OutOfTurn)?;
                let masked = masked.ok_or(Abort::OutOfTurn)?;
                self.desk.store().opens(seq, masked, live.request, clock::now())?;
                fault::step("opens");
                live.stage = Stage::Opens;
                Ok((vec![live.session.open()?], began))
            }
        }
    }

    /// The inbox is whole: debit, noise, count, masks, in this order.
    fn mask(&mut self, round: Digest, masks: MaskSet, began: Instant) -> Result<(Vec<Vec<u8>>, Instant), Stop> {
        let desk = self.desk;
        let live = self.live.get_mut(&round).ok_or(Abort::OutOfTurn)?;
        let (question, signed) = desk.to_begin(live.request).ok_or(Stop::Refused(Refusal::RoundMismatch))?;
        let admitted = desk.asks(&signed).and_then(|()| desk.admit(&signed, question.known)).map_err(Stop::Refused)?;
        let roster = desk.roster().ok_or(Stop::Refused(Refusal::RequesterUnknown))?;
        let seed = desk.next_seed(question.known).ok_or(Stop::Refused(Refusal::NoSeed))?;
        let number = seed.0;
        let joining = Joining {
            requester: signed.requester().clone(),
            spec: live.session.spec(),
            session: live.session.session().ok_or(Abort::Own)?,
            roster: &roster,
            certificate: live.certificate.as_ref(),
            seed,
            time: clock::now(),
        };
        fault::step("before-debit");
        let permit = match desk.store().join(admitted, joining) {
            Ok(permit) => permit,
            Err(DebitError::Refused(refusal)) => return Err(Stop::Refused(refusal)),
            Err(DebitError::Sink(error)) => return Err(error.into()),
            Err(_) => return Err(Stop::Refused(Refusal::Aborted)),
        };
        live.debit = Some((permit.seq(), None));
        fault::step("debited");
        let input = desk.masked(permit, masks).ok_or(Abort::Own)?;
        // Nothing of it is computed again.
        seeds::wipe(&desk.config().state, number)?;
        fault::step("computed");
        live.debit = Some((input.debit(), Some(input.hash())));
        let masked = Own::Masked { masked: input.hash(), request: live.request, round, time: clock::now() };
        desk.store().books().append(masked)?;
        fault::step("masked");
        let messages = live.session.masked(input, &desk.keys().identity)?;
        // On its tick, whatever the data: as for a release of this node.
        let tick = tick(signed.request());
        let mut at = began + tick;
        while at < Instant::now() {
            tracing::warn!("masked figures were not ready on their tick: this machine is too slow or too busy");
            at += tick;
        }
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        Ok((messages, at))
    }

    /// The coordinator gives the round up: erase, make that durable, sign it.
    fn stop(&mut self, round: Digest) -> Result<Option<Vec<u8>>, Error> {
        let Some(live) = self.live.get_mut(&round) else { return Ok(None) };
        let erasable = live.session.erase();
        if live.stage == Stage::Opens {
            return Ok(None);
        }
        self.leave(round)?;
        fault::step("erased");
        Ok(erasable.map(|erasable| erasable.sign(&self.desk.keys().identity)))
    }

    fn forget_oldest(&mut self) {
        let over = || self.live.iter().filter(|(_, live)| live.is_over());
        if over().count() < MOST_OVER {
            return;
        }
        if let Some(oldest) = over().min_by_key(|(_, live)| live.began).map(|(round, _)| *round) {
            self.live.remove(&oldest);
        }
    }

    /// Erases a round's secrets and makes that durable. One that has been opened
    /// is over anyway.
    fn leave(&mut self, round: Digest) -> Result<(), Error> {
        let Some(live) = self.live.get_mut(&round) else { return Ok(()) };
        if live.stage == Stage::Opens {
            return Ok(());
        }
        live.stage = Stage::Left;
        // The right to sign is for who is asked to stop.
        let _ = live.session.erase();
        let (time, store) = (clock::now(), self.desk.store());
        if let Some((seq, _)) = live.debit.take() {
            store.abort(seq, time)?;
        }
        let mut books = store.books();
        if books.fold.erased.contains(&round) {
            return Ok(());
        }
        books.append(Own::RoundErased { round, time })
    }
}

impl Letters {
    fn none(at: Instant) -> Self {
        Self { messages: Vec::new(), at, refusal: None }
    }

    fn new(messages: Vec<Vec<u8>>, at: Instant) -> Self {
        let messages = messages.into_iter().filter_map(RoundMessage::new).collect();
        Self { messages, at, refusal: None }
    }
}
