//! One node's side of a round.
//!
//! A session moves forward only. It promises:
//!
//! * every check of the format page is made before a message is answered;
//! * one set of adverts, one U2, one U3: a second, different one ends the session;
//! * the same message again gets the same bytes again, and nothing is drawn or
//!   computed anew for it;
//! * whatever ends it, by error, by [`Session::erase`] or by [`Session::open`],
//!   wipes its secrets. Each is wiped as soon as the session is past its use.
//!
//! It does not write anything down, so the caller must: that the node was debited
//! before [`Session::masked`], that it opens before [`Session::open`], that it has
//! erased before [`Erasable::sign`]. After a restart there is no session; the
//! round is lost to this node. Whether the round's terms suit the node's rules is
//! [`RoundSpec::check`]'s to say.

mod answers;
mod masking;
mod opening;
mod setup;

use crate::message::{self, Chunk, Erased, Kind, Masked};
use crate::{Abort, MaskSet, Randomness};
use answers::Answers;
use koonti_disclosure::identity::{IdentityKey, RoundLabel};
use koonti_disclosure::masked::{CHUNK_BYTES, Layout, MaskedInput};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Name};
use masking::Held;
use opening::Openings;
use setup::{Dealt, Own};

/// One node's part in one round.
pub struct Session {
    terms: Terms,
    layout: Layout,
    state: State,
    /// Once U1 is known.
    sid: Option<Digest>,
    answers: Answers,
    opened: bool,
}

/// What a session knows from the start: none of it secret.
struct Terms {
    spec: RoundSpec,
    round: Digest,
    place: u16,
    /// The nodes' identity keys, by place.
    keys: Vec<Digest>,
}

/// Each state owns exactly the secrets that are still needed.
enum State {
    /// The advert is out.
    Advertised(Box<Own>),
    /// The shares are out.
    Shared(Box<Dealt>),
    /// The masks are with the caller.
    Masking(Held),
    /// The masked input is out.
    Masked(Held),
    /// U3 is signed; one share of each node is left.
    Confirmed(Openings),
    /// t confirmations hold; the caller is writing down that it opens.
    Opening(Openings),
    /// The shares are out.
    Opened,
    /// Left, erased, or failed.
    Ended,
}

/// What the caller does next.
pub enum Next {
    /// Send these messages; none when there is nothing to say (yet).
    Send(Vec<Vec<u8>>),
    /// Be debited, make the masked input with these masks, and call [`Session::masked`].
    Mask(MaskSet),
    /// Make durable that this node opens, and call [`Session::open`].
    Open,
}

impl Session {
    /// Takes part in a round: draws its secrets and returns the Advert message.
    ///
    /// The caller has checked the specification with [`RoundSpec::check`].
    ///
    /// # Errors
    /// When the specification is of another roster, this node or its key is not in
    /// it, or randomness fails.
    pub fn join(
        spec: RoundSpec,
        layout: Layout,
        roster: &Roster,
        me: &Name,
        identity: &IdentityKey,
        random: &mut dyn Randomness,
    ) -> Result<(Self, Vec<u8>), Abort> {
        if spec.roster() != roster.hash() || Quorum::of(roster) != Ok(spec.quorum()) {
            return Err(Abort::Refused);
        }
        let place = roster.nodes().iter().position(|node| node.name == *me).ok_or(Abort::NotInSet)?;
        let keys: Vec<Digest> = roster.nodes().iter().map(|node| node.identity).collect();
        if keys[place] != identity.public() {
            return Err(Abort::NotInSet);
        }
        let place = u16::try_from(place).expect("a quorum has at most 500 nodes");
        let terms = Terms { round: spec.round(), spec, place, keys };
        let (own, advert) = setup::advertise(&terms, identity, random)?;
        let state = State::Advertised(Box::new(own));
        Ok((Self { terms, layout, state, sid: None, answers: Answers::default(), opened: false }, advert))
    }

    /// The round.
    pub fn round(&self) -> Digest {
        self.terms.round
    }

    /// The specification.
    pub fn spec(&self) -> &RoundSpec {
        &self.terms.spec
    }

    /// The session, once the adverts are in: the hash of the round and of all keys.
    pub fn session(&self) -> Option<Digest> {
        self.sid
    }

    /// Takes one message of the coordinator: Adverts, Inbox, Survivors or
    /// Confirmations. `now` is Unix time in seconds. A Start or Stop is the
    /// caller's to act on and is out of turn here.
    ///
    /// # Errors
    /// Why the node leaves the round. The session has then ended, its secrets are
    /// wiped, and only [`Session::erase`] is of use.
    pub fn take(
        &mut self,
        message: &[u8],
        now: u64,
        identity: &IdentityKey,
        random: &mut dyn Randomness,
    ) -> Result<Next, Abort> {
        let next = self.step(message, now, identity, random);
        self.end_unless(next)
    }

    fn step(
        &mut self,
        message: &[u8],
        now: u64,
        identity: &IdentityKey,
        random: &mut dyn Randomness,
    ) -> Result<Next, Abort> {
        let kind = message::kind(message).ok_or(Abort::Invalid)?;
        if kind != Kind::Start && message::round_of(message) != Some(self.terms.round) {
            return Err(Abort::Invalid);
        }
        let phase = match kind {
            Kind::Adverts => 1,
            Kind::Inbox => 2,
            Kind::Survivors => 3,
            Kind::Confirmations => 4,
            Kind::Start | Kind::Stop => return Err(Abort::OutOfTurn),
            _ => return Err(Abort::Invalid),
        };
        // A repeat asks for nothing new, so it has no deadline.
        if let Some(answer) = self.answers.to(kind, message)? {
            return Ok(Next::Send(answer));
        }
        if now > self.terms.spec.deadline(phase) {
            return Err(Abort::TooLate);
        }
        // The state is out of the session while it is worked on: an error drops it.
        let terms = &self.terms;
        let (state, answer, next) = match (std::mem::replace(&mut self.state, State::Ended), kind) {
            (State::Advertised(own), Kind::Adverts) => {
                let (dealt, shares) = setup::deal(&own, terms, message, identity, random)?;
                self.sid = Some(dealt.sid);
                (State::Shared(Box::new(dealt)), vec![shares], None)
            }
            (State::Shared(dealt), Kind::Inbox) => {
                let (held, masks) = masking::receive(&dealt, terms, message)?;
                (State::Masking(held), vec![], Some(Next::Mask(masks)))
            }
            (State::Masked(held), Kind::Survivors) => {
                let (openings, confirm) = opening::confirm(&held, terms, message, identity)?;
                (State::Confirmed(openings), vec![confirm], None)
            }
            (State::Confirmed(openings), Kind::Confirmations) => {
                opening::check(&openings, terms, message)?;
                (State::Opening(openings), vec![], Some(Next::Open))
            }
            _ => return Err(Abort::OutOfTurn),
        };
        self.state = state;
        self.answers.keep(kind, message, answer.clone());
        Ok(next.unwrap_or(Next::Send(answer)))
    }

    /// The Masked message and the Chunk messages of the masked input that the
    /// caller made with the masks of [`Next::Mask`].
    ///
    /// # Errors
    /// When no masks are out, or the input is of another round, set or layout. The
    /// session has then ended.
    #[expect(clippy::needless_pass_by_value, reason = "a masked input is used once")]
    pub fn masked(&mut self, input: MaskedInput, identity: &IdentityKey) -> Result<Vec<Vec<u8>>, Abort> {
        let messages = match std::mem::replace(&mut self.state, State::Ended) {
            State::Masking(held) => {
                let same = (input.round(), input.set()) == (self.terms.round, held.u2h())
                    && input.bytes().len() == self.layout.bytes();
                if same {
                    self.state = State::Masked(held);
                    Ok(masked_messages(&input, identity))
                } else {
                    Err(Abort::Own)
                }
            }
            _ => Err(Abort::OutOfTurn),
        };
        let messages = self.end_unless(messages)?;
        self.answers.fill(Kind::Inbox, messages.clone());
        Ok(messages)
    }

    /// The Unmask message, after the caller made durable that it opens. All secrets
    /// are wiped; the message is kept, to be sent again should it be asked for.
    ///
    /// # Errors
    /// When the session has not come that far. It has then ended.
    pub fn open(&mut self) -> Result<Vec<u8>, Abort> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Opening(openings) => {
                self.opened = true;
                self.state = State::Opened;
                let message = openings.unmask().message(self.terms.round);
                // The sum is as good as open: the masked input is not sent again.
                self.answers.fill(Kind::Inbox, vec![]);
                self.answers.fill(Kind::Confirmations, vec![message.clone()]);
                Ok(message)
            }
            _ => self.end_unless(Err(Abort::OutOfTurn)),
        }
    }

    /// Wipes all secrets for ever. Returns the right to sign an Erased message. None
    /// before the adverts are in: it holds no share of any session. None when it has
    /// opened: its shares are out, and it must never say that they are not.
    pub fn erase(&mut self) -> Option<Erasable> {
        self.end();
        self.sid.filter(|_| !self.opened).map(|sid| Erasable { round: self.terms.round, sid })
    }

    fn end_unless<T>(&mut self, result: Result<T, Abort>) -> Result<T, Abort> {
        if result.is_err() {
            self.end();
        }
        result
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.answers.wipe();
    }

    #[cfg(test)]
    fn is_wiped(&self) -> bool {
        matches!(self.state, State::Ended) && self.answers.is_empty()
    }
}

fn masked_messages(input: &MaskedInput, identity: &IdentityKey) -> Vec<Vec<u8>> {
    let signature = identity.sign_masked(input);
    let head = Masked { bytes: input.bytes().len() as u64, chunks: input.chunks().to_vec(), signature };
    let chunks = (0u32..).zip(input.bytes().chunks(CHUNK_BYTES));
    let chunks = chunks.map(|(index, bytes)| Chunk { index, bytes }.message(input.round()));
    std::iter::once(head.message(input.round())).chain(chunks).collect()
}

/// The right to sign that a session's secrets are erased: they are.
#[must_use = "the others may need this node's word to try again"]
pub struct Erasable {
    round: Digest,
    sid: Digest,
}

impl Erasable {
    /// The Erased message, after the caller made durable that it has erased.
    pub fn sign(self, identity: &IdentityKey) -> Vec<u8> {
        Erased(identity.sign_round(RoundLabel::Abort, &self.sid.0)).message(self.round)
    }
}

#[cfg(test)]
mod tests;
