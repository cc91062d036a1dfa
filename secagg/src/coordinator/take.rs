//! Messages of nodes: everything is checked before anything is changed.

use super::input::Input;
use super::{Fault, Phase, Round, Taken};
use crate::message::{self, Advert, Chunk, Confirm, Erased, Kind, Left, Masked, Shares, Unmask};
use crate::{NOBODY, keys};
use koonti_disclosure::identity::{RoundLabel, check_masked, check_round};
use koonti_disclosure::masked::chunks_hash;
use koonti_disclosure::{Digest, Name};
use x25519_dalek::StaticSecret;

impl Round {
    /// Takes a message that `node` sent, as its connection proves.
    ///
    /// # Errors
    /// Why it was not taken; the round is then as it was before.
    pub fn take(&mut self, node: &Name, message: &[u8]) -> Result<Taken, Fault> {
        let place = self.place(node).ok_or(Fault::Unknown)?;
        let kind = message::kind(message).ok_or(message::Error::Kind)?;
        match message::round_of(message) {
            None => return Err(message::Error::Length.into()),
            Some(round) if round != self.spec.round() => return Err(Fault::OtherRound),
            Some(_) => {}
        }
        if kind == Kind::Chunk {
            return self.take_chunk(place, message);
        }
        let hash = Digest::of(message);
        match self.heard.get(&(place, kind)) {
            Some(heard) if *heard == hash => return Ok(Taken::Repeat),
            Some(_) => return Err(Fault::Contradiction),
            None => {}
        }
        let taken = match kind {
            Kind::Advert => self.take_advert(place, message),
            Kind::Shares => self.take_shares(place, message),
            Kind::Masked => self.take_masked(place, message),
            Kind::Confirm => self.take_confirm(place, message),
            Kind::Unmask => self.take_unmask(place, message),
            Kind::Erased => self.take_erased(place, message),
            Kind::Left => self.take_left(place, message),
            _ => Err(message::Error::Kind.into()),
        }?;
        self.heard.insert((place, kind), hash);
        Ok(taken)
    }

    /// Whether a node may answer in this phase.
    fn expect(&self, phase: Phase, place: u16) -> Result<(), Fault> {
        if self.phase != phase {
            return Err(Fault::OutOfPhase);
        }
        if self.asked().binary_search(&place).is_err() {
            return Err(Fault::NotAsked);
        }
        if self.is_gone(place) { Err(Fault::Left) } else { Ok(()) }
    }

    fn check(&self, label: RoundLabel, signed: &[u8], signature: &[u8; 64], place: u16) -> Result<(), Fault> {
        check_round(label, signed, signature, self.key(place)).map_err(|_| Fault::Signature)
    }

    fn key(&self, place: u16) -> Digest {
        self.roster.nodes()[usize::from(place)].identity
    }

    fn take_advert(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.expect(Phase::Adverts, place)?;
        let (round, advert) = Advert::parse(message)?;
        if advert.place != place {
            return Err(Fault::Place);
        }
        self.check(RoundLabel::Advert, &advert.unsigned(round), &advert.signature, place)?;
        // Nodes would leave over keys like these: better that one is refused.
        let keys = [advert.mask_pk, advert.enc_pk];
        let known = self.adverts.values().any(|other| keys.contains(&other.mask_pk) || keys.contains(&other.enc_pk));
        let probe = StaticSecret::from([1; 32]);
        if known || keys[0] == keys[1] || keys.iter().any(|key| keys::agree(&probe, key).is_none()) {
            return Err(Fault::Keys);
        }
        self.adverts.insert(place, advert);
        Ok(Taken::New)
    }

    fn take_shares(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.expect(Phase::Shares, place)?;
        let (round, shares) = Shares::parse(message)?;
        if shares.sid != self.sid {
            return Err(Fault::Session);
        }
        let others = self.asked().iter().filter(|other| **other != place);
        if !shares.entries.iter().map(|entry| &entry.place).eq(others) {
            return Err(Fault::Sets);
        }
        self.check(RoundLabel::Shares, &shares.unsigned(round), &shares.signature, place)?;
        self.shares.insert(place, shares);
        Ok(Taken::New)
    }

    fn take_masked(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.expect(Phase::Masked, place)?;
        let (round, head) = Masked::parse(message)?;
        if head.bytes != self.totals.size() as u64 {
            return Err(Fault::Size);
        }
        check_masked((round, self.u2h), head.bytes, chunks_hash(&head.chunks), &head.signature, self.key(place))
            .map_err(|_| Fault::Signature)?;
        self.inputs.insert(place, Input::new(head));
        Ok(Taken::New)
    }

    fn take_chunk(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        let (_, chunk) = Chunk::parse(message)?;
        let expected = self.expect(Phase::Masked, place);
        let Some(input) = self.inputs.get_mut(&place) else {
            return Err(expected.err().unwrap_or(Fault::NoHead));
        };
        if input.check(&chunk)? {
            return Ok(Taken::Repeat);
        }
        expected?;
        input.put(&chunk);
        if input.is_whole() {
            self.totals.add(input);
            input.forget();
        }
        Ok(Taken::New)
    }

    fn take_confirm(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.expect(Phase::Confirm, place)?;
        let (round, Confirm(signature)) = Confirm::parse(message)?;
        self.check(RoundLabel::Survivors, &[round.0, self.u3h.0].concat(), &signature, place)?;
        self.confirmations.insert(place, signature);
        Ok(Taken::New)
    }

    fn take_unmask(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.expect(Phase::Unmask, place)?;
        let (_, unmask) = Unmask::parse(message)?;
        if !self.asks_for(&unmask) {
            return Err(Fault::Sets);
        }
        if !self.shares_hold(place, &unmask) {
            self.blamed.insert(place);
            return Ok(Taken::Blamed);
        }
        self.unmasks.insert(place, unmask);
        Ok(Taken::New)
    }

    fn take_erased(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        let (_, Erased(signature)) = Erased::parse(message)?;
        let sid = self.session().ok_or(Fault::OutOfPhase)?;
        self.check(RoundLabel::Abort, &sid.0, &signature, place)?;
        self.erased.insert(place, signature);
        Ok(Taken::New)
    }

    fn take_left(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        let (_, Left(abort)) = Left::parse(message)?;
        if abort.place() != NOBODY && usize::from(abort.place()) >= self.roster.nodes().len() {
            return Err(Fault::Place);
        }
        self.left.insert(place, abort);
        Ok(Taken::New)
    }
}
