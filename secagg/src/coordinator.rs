//! The coordinator's side of a round: a mailbox that checks what it passes on.
//!
//! A round is a fold over what is taken and when phases are closed: the same calls
//! in the same order give the same state, so a coordinator that wrote them down
//! can start again. A [`Fault`] changes nothing and need not be written.
//!
//! No promise of privacy rests on this code, since nodes trust no coordinator. It
//! promises to open the right sum or none: whoever contradicts themselves, signs
//! badly or releases a wrong share is named and left out. It cannot know whether
//! the numbers that a node masked are true.
//!
//! Memory: the messages of setup, one accumulator, and the inputs that have arrived
//! in part. A whole input is added up and forgotten.

mod fault;
mod input;
mod mailbox;
mod open;
mod take;
mod transcript;

use crate::message::{Advert, Shares, Signature, Unmask};
use crate::{Abort, keys};
pub use fault::{Failed, Fault, Taken};
use input::{Input, Totals};
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::masked::{Layout, Ring};
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Name};
pub use open::Opened;
use std::collections::{BTreeMap, BTreeSet};
pub use transcript::Transcript;

/// What the coordinator waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Adverts of all nodes of the roster.
    Adverts,
    /// Shares of U1.
    Shares,
    /// Masked inputs of U2.
    Masked,
    /// Confirmations of U3.
    Confirm,
    /// The shares of those who confirmed.
    Unmask,
    /// Nothing: the sum is open.
    Done,
    /// Nothing: the round has failed.
    Failed,
}

/// One round at the coordinator.
pub struct Round {
    spec: RoundSpec,
    roster: Roster,
    certificate: Vec<u8>,
    phase: Phase,
    failed: Option<Failed>,
    /// SHA-256 of the messages taken, by place and kind, chunks aside.
    heard: BTreeMap<(u16, crate::message::Kind), Digest>,
    left: BTreeMap<u16, Abort>,
    erased: BTreeMap<u16, Signature>,
    adverts: BTreeMap<u16, Advert>,
    shares: BTreeMap<u16, Shares>,
    inputs: BTreeMap<u16, Input>,
    totals: Totals,
    confirmations: BTreeMap<u16, Signature>,
    unmasks: BTreeMap<u16, Unmask>,
    blamed: BTreeSet<u16>,
    /// U1, U2, U3 and those who confirmed: whom each phase after the first asks.
    asked: Vec<Vec<u16>>,
    sid: Digest,
    u2h: Digest,
    u3h: Digest,
    opened: Option<Opened>,
}

impl Round {
    /// A round that waits for adverts. `certificate` is that of the round that a
    /// retry retries. Specification, layout and roster must belong together.
    #[expect(clippy::needless_pass_by_value, reason = "one layout a round")]
    pub fn new(spec: RoundSpec, layout: Layout, roster: Roster, certificate: Option<&Certificate>) -> Self {
        Self::of_vectors(spec, layout.vectors().to_vec(), roster, certificate)
    }

    /// As [`Round::new`], for vectors that no request has yet: measurements use it.
    pub fn of_vectors(
        spec: RoundSpec,
        vectors: Vec<(Ring, usize)>,
        roster: Roster,
        certificate: Option<&Certificate>,
    ) -> Self {
        Self {
            certificate: certificate.map_or_else(Vec::new, |certificate| certificate.bytes().to_vec()),
            phase: Phase::Adverts,
            failed: None,
            heard: BTreeMap::new(),
            left: BTreeMap::new(),
            erased: BTreeMap::new(),
            adverts: BTreeMap::new(),
            shares: BTreeMap::new(),
            inputs: BTreeMap::new(),
            totals: Totals::new(vectors),
            confirmations: BTreeMap::new(),
            unmasks: BTreeMap::new(),
            blamed: BTreeSet::new(),
            asked: vec![(0..).take(roster.nodes().len()).collect()],
            sid: Digest([0; 32]),
            u2h: Digest([0; 32]),
            u3h: Digest([0; 32]),
            opened: None,
            spec,
            roster,
        }
    }

    /// The specification.
    pub fn spec(&self) -> &RoundSpec {
        &self.spec
    }

    /// The session, once U1 is fixed: the hash of the round and of all its keys.
    pub fn session(&self) -> Option<Digest> {
        (self.asked.len() > 1).then_some(self.sid)
    }

    /// What is waited for.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The nodes that are asked in this phase and have neither answered nor left.
    pub fn awaited(&self) -> Vec<Name> {
        let waiting = |place: &u16| !self.has_answered(*place) && !self.is_gone(*place);
        self.names(self.asked().iter().copied().filter(waiting))
    }

    /// The nodes that have answered in this phase.
    pub fn answered(&self) -> Vec<Name> {
        self.names(self.asked().iter().copied().filter(|place| self.has_answered(*place)))
    }

    /// The nodes that have left, with the reason they gave.
    pub fn left(&self) -> Vec<(Name, Abort)> {
        self.left.iter().map(|(place, abort)| (self.name(*place), *abort)).collect()
    }

    /// The nodes whose released shares, or whose dealt secret, were wrong.
    pub fn blamed(&self) -> Vec<Name> {
        self.names(self.blamed.iter().copied())
    }

    /// True when the phase could be closed with success.
    pub fn enough(&self) -> bool {
        let quorum = self.spec.quorum();
        let needed = match self.phase {
            Phase::Adverts | Phase::Shares | Phase::Masked => quorum.u_min(),
            Phase::Confirm | Phase::Unmask => quorum.t(),
            Phase::Done | Phase::Failed => return false,
        };
        self.good().len() >= needed as usize
    }

    /// Closes the phase with those who have answered.
    ///
    /// # Errors
    /// When they are too few, or a dealer's shares give another secret than its
    /// advert promised. Both are final. After the end, nothing changes.
    pub fn advance(&mut self) -> Result<(), Failed> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        if self.phase == Phase::Done {
            return Err(Failed::Over);
        }
        if !self.enough() {
            return Err(self.fail(Failed::TooFew(self.phase)));
        }
        let good = self.good();
        self.phase = match self.phase {
            Phase::Adverts => {
                self.adverts.retain(|place, _| good.contains(place));
                let adverts = self.adverts.values().flat_map(|advert| advert.unsigned(self.spec.round()));
                self.sid = keys::session(self.spec.round(), self.spec.roster(), &adverts.collect::<Vec<u8>>());
                Phase::Shares
            }
            Phase::Shares => {
                self.u2h = keys::u2_hash(self.sid, &good);
                Phase::Masked
            }
            Phase::Masked => {
                // What has not arrived whole is never opened, so it is not kept.
                self.inputs.values_mut().for_each(Input::forget);
                self.u3h = keys::u3_hash(self.sid, self.u2h, &good);
                Phase::Confirm
            }
            Phase::Confirm => Phase::Unmask,
            Phase::Unmask => match open::open(self, &good) {
                Ok(opened) => {
                    self.unmasks.clear();
                    self.totals.forget();
                    self.opened = Some(opened);
                    Phase::Done
                }
                Err(dealer) => {
                    self.blamed.insert(dealer);
                    let dealer = self.name(dealer);
                    return Err(self.fail(Failed::Dealer(dealer)));
                }
            },
            Phase::Done | Phase::Failed => unreachable!("never enough"),
        };
        self.asked.push(good);
        Ok(())
    }

    /// The sum, once open.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// How many nodes have signed that their secrets are erased.
    pub fn erasures(&self) -> usize {
        self.erased.len()
    }

    /// Proof that the session can never be opened; none while too few have erased.
    pub fn certificate(&self) -> Option<Certificate> {
        let erasures: Vec<_> = self.erased.iter().map(|(place, signature)| (*place, *signature)).collect();
        Certificate::new(self.session()?, &erasures, &self.roster).ok()
    }

    fn fail(&mut self, failed: Failed) -> Failed {
        self.phase = Phase::Failed;
        self.inputs.values_mut().for_each(Input::forget);
        self.unmasks.clear();
        self.totals.forget();
        self.failed = Some(failed.clone());
        failed
    }

    /// Those asked in this phase.
    fn asked(&self) -> &[u16] {
        match self.phase {
            Phase::Done | Phase::Failed => &[],
            _ => self.asked.last().expect("the roster at first"),
        }
    }

    /// Those with whom the phase would be closed. Who has left again before others
    /// relied on it is not among them; a masked input, a signature and a share stand.
    fn good(&self) -> Vec<u16> {
        let counts = |place: &u16| match self.phase {
            Phase::Adverts | Phase::Shares => !self.is_gone(*place),
            Phase::Unmask => self.unmasks.contains_key(place),
            _ => true,
        };
        self.asked().iter().copied().filter(|place| self.has_answered(*place) && counts(place)).collect()
    }

    fn has_answered(&self, place: u16) -> bool {
        match self.phase {
            Phase::Adverts => self.adverts.contains_key(&place),
            Phase::Shares => self.shares.contains_key(&place),
            Phase::Masked => self.inputs.get(&place).is_some_and(Input::is_whole),
            Phase::Confirm => self.confirmations.contains_key(&place),
            Phase::Unmask => self.unmasks.contains_key(&place) || self.blamed.contains(&place),
            Phase::Done | Phase::Failed => false,
        }
    }

    fn is_gone(&self, place: u16) -> bool {
        self.left.contains_key(&place) || self.erased.contains_key(&place)
    }

    fn name(&self, place: u16) -> Name {
        self.roster.nodes()[usize::from(place)].name.clone()
    }

    fn names(&self, places: impl Iterator<Item = u16>) -> Vec<Name> {
        places.map(|place| self.name(place)).collect()
    }

    /// U1, U2 or U3, once it is fixed.
    fn set(&self, number: usize) -> &[u16] {
        &self.asked[number]
    }
}

#[cfg(test)]
mod tests;
