//! A question at the desk: quoted, received, admitted or refused. No record is read here.
//!
//! An offer that was answered before gets the stored bytes.

use super::Desk;
use crate::error::Error;
use crate::fold::{Known, Standing};
use crate::store::Books;
use crate::{asked, clock};
use koonti_disclosure::identity::{Intent, SignedRequest};
use koonti_disclosure::policy::{Admitted, Approval, Holdings};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::roster::Role;
use koonti_disclosure::{Digest, Progress, Refusal};
use koonti_evidence::entry::Place;
use koonti_evidence::entry::node::{By, Own, Question};
use koonti_proto::wire::{Answer, Offer, Quote};
use std::sync::PoisonError;

/// What follows from an offer.
pub enum Next {
    /// Send this.
    Answer(Answer),
    /// The question is approved: compute its release.
    Compute,
}

impl Desk {
    /// What the question would cost. Spends nothing and reads no record.
    pub fn quote(&self, offer: &Offer) -> Quote {
        let request = offer.request.request();
        let allowance = self.policy.allowance().nano_rho_per_period;
        let left_nano_rho = {
            let books = self.store.books();
            let spent = |period| books.fold.ledger.spent(&self.mapping.source, period);
            request.periods().iter().map(|period| spent(*period).left_nano_rho(allowance)).collect()
        };
        let standing = self.store.books().fold.questions.get(&request.id()).map(|known| known.standing);
        let mut quote = Quote {
            node: self.keys.member.name.clone(),
            k: 0,
            tau: 0,
            cost: koonti_disclosure::cost::Cost::default(),
            left_nano_rho,
            refusal: None,
            answered_before: matches!(standing, Some(Standing::Released | Standing::Debited)),
        };
        match self.admit(&offer.request, u64::MAX) {
            Ok(admitted) => {
                (quote.k, quote.tau, quote.cost) = (admitted.k(), admitted.tau().unwrap_or(0), admitted.cost());
                if !quote.answered_before {
                    let books = self.store.books();
                    quote.refusal = books.fold.ledger.check(&admitted, offer.request.requester()).err();
                }
            }
            Err(refusal) => quote.refusal = Some(refusal),
        }
        quote
    }

    /// Receives a question.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn receive(&self, offer: &Offer) -> Result<Next, Error> {
        let id = offer.request.request().id();
        let say = |answer| Ok(Next::Answer(answer));
        let known = self.store.books().fold.questions.get(&id).cloned();
        let standing = known.as_ref().map(|known| known.standing);
        let regional = offer.request.request().release() == ReleaseKind::Regional;
        // What was paid for is sent even if the person has left the roster since: the
        // log says that it left, and the coordinator could not say that it came. Only for
        // the very question that was paid for, whose signature was checked then.
        let same = |known: &Known| known.question.as_ref().is_some_and(|q| q.request == offer.request.json());
        if standing == Some(Standing::Released) && !regional && known.as_ref().is_some_and(same) {
            return say(self.stored(id));
        }
        // Whoever asks must be in the roster and mean a question, not a quote;
        // nothing is written for those who are not.
        if let Err(refusal) = self.asks(&offer.request) {
            return say(Answer::Refusal(refusal));
        }
        match standing {
            // This node has let the sum be opened; there is no other.
            Some(Standing::Released) if regional => return say(Answer::Refusal(Refusal::RoundFailed)),
            Some(Standing::Released) => return say(self.stored(id)),
            // A yes stands until the question's deadline; asked again, it is asked again.
            Some(Standing::Approved(_)) if known.iter().any(Known::in_time) => return Ok(Next::Compute),
            Some(Standing::Debited) => return say(Answer::Progress(Progress::Accepted)),
            // A regional round that was aborted may be tried once more.
            Some(Standing::Aborted) if !self.store.books().fold.ledger.may_carry(id) => {
                return say(Answer::Refusal(Refusal::Aborted));
            }
            // A person's no stays a no until a person at the node says otherwise.
            Some(Standing::Refused(Refusal::DeclinedByPerson)) => {
                return say(Answer::Refusal(Refusal::DeclinedByPerson));
            }
            // The question as it was first put stands until its deadline.
            Some(Standing::Waiting) if known.iter().any(Known::in_time) => {
                let mut books = self.store.books();
                let by = self.standing_rule(&books);
                return approved(&mut books, id, by);
            }
            Some(Standing::Waiting | Standing::Approved(_) | Standing::Refused(_) | Standing::Aborted) | None => {}
        }
        if offer.deadline < clock::now() {
            return self.refuse(id, Refusal::RequestExpired);
        }
        let (asked, known) = match self.logged(offer) {
            Ok(places) => places,
            Err(refusal) => return self.refuse(id, refusal),
        };
        let admitted = match self.admit(&offer.request, known) {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(id, refusal),
        };
        let before = self.store.books().fold.questions.get(&id).and_then(|known| known.by);
        let mut books = self.store.books();
        // What was debited already is neither debited nor approved again.
        let carries = books.fold.ledger.may_carry(id);
        let fits = books.fold.ledger.check(&admitted, offer.request.requester());
        if let Some(refusal) = fits.err().filter(|_| !carries) {
            drop(books);
            return self.refuse(id, refusal);
        }
        books.append(Own::Question(Box::new(Question {
            asked,
            deadline: offer.deadline,
            known,
            nonce: offer.nonce,
            request: offer.request.json(),
            round: offer.round,
            time: clock::now(),
        })))?;
        let by = if carries { before } else { self.standing_rule(&books) };
        approved(&mut books, id, by)
    }

    /// Where the coordinator's log asks an offer, and how many entries of this node's
    /// log it had cosigned before.
    fn logged(&self, offer: &Offer) -> Result<(Place, u64), Refusal> {
        let roster = self.roster().ok_or(Refusal::RequesterUnknown)?;
        let own = self.store.books();
        asked::check(offer, &self.keys.member, roster.coordinator().log, own.tree())
    }

    /// Checks that the signature is one for a question: a quote's spends nothing.
    pub(crate) fn asks(&self, signed: &SignedRequest) -> Result<(), Refusal> {
        self.requester(signed)?;
        if signed.intent() == Intent::Ask { Ok(()) } else { Err(Refusal::SignatureInvalid) }
    }

    /// Admits a question to what the log held when it had `known` entries.
    pub(crate) fn admit(&self, signed: &SignedRequest, known: u64) -> Result<Admitted, Refusal> {
        self.requester(signed)?;
        if self.store.books().fold.policy != Some(self.policy.hash()) {
            return Err(Refusal::PolicyNotApproved);
        }
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        let roster = roster.as_ref().ok_or(Refusal::RequesterUnknown)?;
        let held = self.store.books().fold.holdings(&self.mapping.register, &self.mapping.source);
        let vintages = held.iter().map(|(period, (_, vintage))| (*period, *vintage)).collect();
        let areas = roster.node(&self.keys.member.name).map(|n| n.areas.clone()).unwrap_or_default();
        let holdings = Holdings {
            region: &self.keys.member.region,
            node: &self.keys.member.name,
            register: &self.mapping.register,
            source: &self.mapping.source,
            areas: &areas,
            vintages: &vintages,
            floor: roster.floor(),
            quorum: Quorum::of(roster).ok(),
        };
        let admitted = self.policy.admit(signed.request(), &holdings)?;
        let late = |period| held.get(period).is_some_and(|(seq, _)| *seq >= known);
        // What was imported after the nonce was known is not counted, and nothing in its place.
        if signed.request().periods().iter().any(late) { Err(Refusal::NotLogged) } else { Ok(admitted) }
    }

    /// Who says yes at once: the rules, if they do and are in force.
    fn standing_rule(&self, books: &Books) -> Option<By> {
        let in_force = books.fold.policy == Some(self.policy.hash());
        (in_force && self.policy.approval() == Approval::Auto).then_some(By::Policy)
    }

    /// Checks who asks, against the roster that the operator approved.
    fn requester(&self, signed: &SignedRequest) -> Result<(), Refusal> {
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        let person = roster.as_ref().and_then(|r| r.person(signed.requester()));
        let person = person.filter(|p| p.roles.contains(&Role::Requester)).ok_or(Refusal::RequesterUnknown)?;
        signed.verify(person.identity).map_err(|_| Refusal::SignatureInvalid)?;
        if signed.not_after() < clock::now() { Err(Refusal::RequestExpired) } else { Ok(()) }
    }

    /// The stored bytes of a question released before.
    fn stored(&self, id: Digest) -> Answer {
        match self.store.release(id, self.keys.identity.public()) {
            Ok(Some(release)) => Answer::Release(release),
            missing => {
                tracing::error!(error = ?missing.err(), question = %id.short(), "a stored release is gone or altered");
                Answer::Refusal(Refusal::Aborted)
            }
        }
    }

    fn refuse(&self, id: Digest, reason: Refusal) -> Result<Next, Error> {
        self.refused(id, reason).map(Next::Answer)
    }

    pub(super) fn refused(&self, id: Digest, reason: Refusal) -> Result<Answer, Error> {
        let mut books = self.store.books();
        let standing = books.fold.questions.get(&id).map(|known| known.standing);
        if standing != Some(Standing::Refused(reason)) {
            books.append(Own::Refused { reason, request: id, time: clock::now() })?;
        }
        Ok(Answer::Refusal(reason))
    }
}

/// Notes who has approved a question that was received, and goes on if anybody has.
fn approved(books: &mut Books, request: Digest, by: Option<By>) -> Result<Next, Error> {
    let Some(by) = by else { return Ok(Next::Answer(Answer::Progress(Progress::AwaitingApproval))) };
    books.append(Own::Approved { by, request, time: clock::now() })?;
    Ok(Next::Compute)
}
