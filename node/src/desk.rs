//! The desk: what happens to one offer, from top to bottom.
//!
//! admit (policy) -> approve (a person or the standing rule) -> debit (ledger,
//! synced) -> draw the noise -> open the extract -> tally -> gate -> sign and
//! store. A question for a regional table ends, once approved, in "ready"; what
//! follows is a round ([`crate::rounds`]). An offer that was answered before gets the stored bytes. Whatever the
//! desk says depends on the offer, the policy, the roster and the ledger; the
//! extract is opened after the last point at which it could say no.

use crate::clock::Agreed;
use crate::config::Config;
use crate::error::Error;
use crate::fold::{Known, Standing};
use crate::keys::Keys;
use crate::source::Mapping;
use crate::store::{Books, Store};
use crate::{asked, clock, extracts, fault, inbox, seeds, window};
use koonti_disclosure::identity::{Intent, SignedRelease, SignedRequest};
use koonti_disclosure::ledger::{DebitError, Terms};
use koonti_disclosure::masked::{MaskedInput, Masks};
use koonti_disclosure::policy::{Admitted, Approval, Holdings};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::roster::{Role, Roster, SignedRoster};
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Codebook, Digest, Exact, Permit, Policy, Progress, Refusal, TableRequest, Tally};
use koonti_evidence::entry::Place;
use koonti_evidence::entry::node::{By, Own, Question};
use koonti_proto::wire::{Answer, Offer, Quote};
use std::sync::{PoisonError, RwLock};

/// The desk of a running node.
pub struct Desk {
    config: Config,
    keys: Keys,
    policy: Policy,
    mapping: Mapping,
    roster: RwLock<Option<Roster>>,
    store: Store,
    agreed: Agreed,
}

/// What follows from an offer.
pub enum Next {
    /// Send this.
    Answer(Answer),
    /// The question is approved: compute its release.
    Compute,
}

impl Desk {
    /// Opens the desk of an enrolled node and takes its store's lock.
    ///
    /// # Errors
    /// When a file is missing or wrong, or another process runs this node.
    pub fn open(config: Config) -> Result<Self, Error> {
        let keys = Keys::load(&config.keys)?;
        let policy = crate::config::read_toml(&config.policy)?;
        let mapping = Mapping::load(&config.register)?;
        let store = Store::open(&config)?;
        let roster = match approved_roster(&config, &keys, &store) {
            // An approval that was cut short has left the newer file, and its order.
            Err(_) if !clock::leaps(store.books().fold.time) => {
                inbox::work_off(&config, &store)?;
                approved_roster(&config, &keys, &store)?
            }
            roster => roster?,
        };
        Ok(Self { config, keys, policy, mapping, roster: RwLock::new(roster), store, agreed: Agreed::default() })
    }

    /// What is known of the coordinator's clock.
    pub(crate) fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// Closes the quarters whose audit window is over.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn close_what_is_over(&self) -> Result<(), Error> {
        let mut books = self.store.books();
        let agreed = self.agreed.newest();
        for (source, period) in window::over(&books.fold, clock::now(), agreed, self.config.audit_quarters) {
            inbox::close(&self.config, &mut books, &source, period)?;
            tracing::info!(%source, %period, "the audit window is over: the quarter is closed, its extracts and seeds are gone");
        }
        Ok(())
    }

    /// Where things are.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The node's secrets.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The node's store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The rules that the node runs with.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The mapping of its register.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Takes in a roster that the coordinator has sent: a newer one is kept for
    /// the operator's approval. Returns its hash if it is new.
    ///
    /// # Errors
    /// When it is not signed by the governance key, or of another region.
    pub fn offer_roster(&self, bytes: &[u8]) -> Result<Option<Digest>, Error> {
        let signed = SignedRoster::parse(bytes, self.keys.member.governance)?;
        let roster = signed.roster();
        if *roster.region() != self.keys.member.region {
            return Err(Error::Refused("the roster is of another region".into()));
        }
        let approved = self.store.books().fold.roster;
        if approved.is_some_and(|(epoch, _)| roster.epoch() <= epoch) {
            return Ok(None);
        }
        let path = self.config.pending_roster();
        if std::fs::read(&path).is_ok_and(|held| held == bytes) {
            return Ok(None);
        }
        koonti_journal::write_atomic(&path, bytes, 0o600)?;
        Ok(Some(roster.hash()))
    }

    /// Reads the approved roster anew, after the operator has approved one.
    ///
    /// # Errors
    /// When the file on disk is not the approved one.
    pub fn reload_roster(&self) -> Result<(), Error> {
        let roster = approved_roster(&self.config, &self.keys, &self.store)?;
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = roster;
        Ok(())
    }

    /// The roster that the operator approved.
    pub(crate) fn roster(&self) -> Option<Roster> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the question would cost. Spends nothing and reads no record.
    pub fn quote(&self, offer: &Offer) -> Quote {
        let request = offer.request.request();
        let spent = {
            let books = self.store.books();
            let source = &self.mapping.source;
            request.periods().iter().map(|p| books.fold.ledger.spent(source, *p).cost.nano_rho).collect::<Vec<_>>()
        };
        let allowance = self.policy.allowance().nano_rho_per_period;
        let left_nano_rho = spent.into_iter().map(|spent| allowance.saturating_sub(spent)).collect();
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
                let by = (self.policy.approval() == Approval::Auto).then_some(By::Policy);
                return approved(&mut self.store.books(), id, by);
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
        let by = match self.policy.approval() {
            _ if carries => before,
            Approval::Each => None,
            Approval::Auto => Some(By::Policy),
        };
        approved(&mut books, id, by)
    }

    /// Computes the release of an approved question, or says why not.
    ///
    /// # Errors
    /// When the disk fails; the process should then end, and a restart resumes.
    pub fn compute(&self, id: Digest) -> Result<Answer, Error> {
        let Some((question, signed)) = self.to_begin(id) else { return Ok(Answer::Progress(Progress::Offered)) };
        if question.deadline < clock::now() {
            return self.refused(id, Refusal::RequestExpired);
        }
        let admitted = match self.asks(&signed).and_then(|()| self.admit(&signed, question.known)) {
            Ok(admitted) if self.extracts_readable(&admitted) => admitted,
            Ok(_) => {
                tracing::error!(
                    "an extract cannot be opened by this process with this key: nothing was spent; import again"
                );
                return self.refused(id, Refusal::PeriodNotHeld);
            }
            Err(refusal) => return self.refused(id, refusal),
        };
        if let Some(strictness) = admitted.strictness() {
            return Ok(Answer::Ready(strictness));
        }
        let Some(seed) = self.next_seed(question.known) else {
            return self.refused(id, Refusal::NoSeed);
        };
        let terms = Terms {
            requester: signed.requester().clone(),
            round: question.round,
            nonce: question.nonce,
            seed,
            time: clock::now(),
        };
        fault::step("before-debit");
        match self.store.debit(admitted, terms) {
            Ok(permit) => self.finish(permit),
            Err(DebitError::Refused(refusal)) => self.refused(id, refusal),
            Err(DebitError::Sink(error)) => Err(error),
            Err(DebitError::Lost) => Err(Error::Refused("the ledger is lost: start the node again".into())),
            Err(_) => Ok(Answer::Refusal(Refusal::Aborted)),
        }
    }

    /// An approved question that has not been begun; also one whose regional round
    /// was aborted and may be retried.
    pub(crate) fn to_begin(&self, id: Digest) -> Option<(Question, SignedRequest)> {
        let books = self.store.books();
        let known = books.fold.questions.get(&id)?;
        let begins = match known.standing {
            Standing::Approved(_) => true,
            Standing::Aborted => books.fold.ledger.may_carry(id),
            _ => false,
        };
        let question = known.question.clone().filter(|_| begins)?;
        let signed = question.signed()?;
        Some((question, signed))
    }

    /// Finishes every debit that a crash has cut short: the same bytes as
    /// without the crash, or an abort. A regional round ends in an abort: its
    /// secrets were in memory only.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn resume(&self) -> Result<usize, Error> {
        let open: Vec<(u64, u64, bool)> = {
            let books = self.store.books();
            books.fold.ledger.open().map(|(seq, debit)| (seq, debit.seed(), debit.is_regional())).collect()
        };
        for (seq, number, regional) in &open {
            let seed = self.seed(*number).filter(|_| !regional);
            match seed.and_then(|seed| self.store.resume(*seq, seed).ok()) {
                Some(permit) => drop(self.finish(permit)?),
                None => {
                    if *regional {
                        seeds::wipe(&self.config.state, *number)?;
                    }
                    self.store.abort(*seq, clock::now())?;
                }
            }
        }
        Ok(open.len())
    }

    /// Fixes further seeds in the log when few are left.
    ///
    /// # Errors
    /// When the disk or the source of randomness fails.
    pub fn fix_seeds(&self) -> Result<(), Error> {
        let mut books = self.store.books();
        // Those whose files a restored state lacks are no use.
        let unused = books.fold.unused_seeds(u64::MAX);
        let left = unused.filter(|number| self.opens(&books, *number)).count();
        if left as u64 >= seeds::BATCH / 2 {
            return Ok(());
        }
        let first = books.fold.seeds.len() as u64;
        let commitments = seeds::draw(&self.config.state, &self.keys.seal, first)?;
        books.append(Own::Seeds { commitments, first, time: clock::now() })
    }

    /// The next unused seed that the log had fixed when it had `known` entries.
    pub(crate) fn next_seed(&self, known: u64) -> Option<(u64, Seed)> {
        let unused = self.store.books().fold.unused_seeds(known);
        unused.into_iter().find_map(|number| Some((number, self.seed(number)?)))
    }

    fn seed(&self, number: u64) -> Option<Seed> {
        let commitment = *self.store.books().fold.seeds.get(usize::try_from(number).ok()?)?;
        seeds::open(&self.config.state, &self.keys.seal, number, commitment)
    }

    fn opens(&self, books: &Books, number: u64) -> bool {
        let commitment = usize::try_from(number).ok().and_then(|number| books.fold.seeds.get(number));
        commitment.is_some_and(|it| seeds::open(&self.config.state, &self.keys.seal, number, *it).is_some())
    }

    /// Where the coordinator's log asks an offer, and how many entries of this node's
    /// log it had cosigned before.
    fn logged(&self, offer: &Offer) -> Result<(Place, u64), Refusal> {
        let roster = self.roster().ok_or(Refusal::RequesterUnknown)?;
        let own = self.store.books();
        asked::check(offer, &self.keys.member, roster.coordinator().log, own.tree())
    }

    /// Deletes again what the log says is deleted: a stop may have come in between.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn destroy(&self) -> Result<(), Error> {
        let destroyed = self.store.books().fold.destroyed.clone();
        destroyed.iter().try_for_each(|destroyed| crate::inbox::destroy(&self.config.state, destroyed))
    }

    /// Questions that were approved and not begun when the node stopped.
    pub fn approved(&self) -> Vec<Digest> {
        let books = self.store.books();
        let approved = books.fold.questions.iter().filter(|(_, k)| matches!(k.standing, Standing::Approved(_)));
        approved.map(|(id, _)| *id).collect()
    }

    fn finish(&self, permit: Permit) -> Result<Answer, Error> {
        let (seq, id) = (permit.seq(), permit.request().id());
        fault::step("debited");
        match self.release(permit) {
            Some(release) => {
                fault::step("computed");
                self.store.store_release(&release, seq, id, clock::now())?;
                fault::step("stored");
                Ok(Answer::Release(release))
            }
            None => {
                self.store.abort(seq, clock::now())?;
                Ok(Answer::Refusal(Refusal::Aborted))
            }
        }
    }

    /// Noise first, then the extract: the time of the draw cannot follow data.
    fn release(&self, permit: Permit) -> Option<SignedRelease> {
        let noise = permit.draw().ok()?;
        fault::step("drawn");
        let release = self.count(&permit)?.release(permit, noise).ok()?;
        Some(self.keys.identity.sign_release(&release))
    }

    /// The same for a regional round: noise, count, masks.
    pub(crate) fn masked(&self, permit: Permit, masks: impl Masks) -> Option<MaskedInput> {
        let noise = permit.draw().ok()?;
        fault::step("drawn");
        self.count(&permit)?.mask(permit, noise, masks).ok()
    }

    fn count(&self, permit: &Permit) -> Option<Exact<Tally>> {
        let request = permit.request();
        let codebook = Codebook::of(request.codebook())?;
        let mut slices = Vec::new();
        for (period, vintage) in request.periods().iter().zip(permit.vintages()) {
            slices.push(extracts::open(&self.config.state, &self.keys.seal, *vintage, *period, codebook).ok()?);
        }
        let slices: Vec<&koonti_tally::Slice> = slices.iter().collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        koonti_tally::count(request, &slices, codebook, threads).ok()
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

    pub(crate) fn extracts_readable(&self, admitted: &Admitted) -> bool {
        let held = admitted.request().periods().iter().zip(admitted.vintages());
        held.into_iter()
            .all(|(period, vintage)| extracts::readable(&self.config.state, &self.keys.seal, *vintage, *period))
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
        let vintages = self.store.books().fold.holdings(&self.mapping.register, &self.mapping.source, known);
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
        self.policy.admit(signed.request(), &holdings)
    }

    /// Checks who asks, against the roster that the operator approved.
    fn requester(&self, signed: &SignedRequest) -> Result<(), Refusal> {
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        let person = roster.as_ref().and_then(|r| r.person(signed.requester()));
        let person = person.filter(|p| p.roles.contains(&Role::Requester)).ok_or(Refusal::RequesterUnknown)?;
        signed.verify(person.identity).map_err(|_| Refusal::SignatureInvalid)?;
        if signed.not_after() < clock::now() { Err(Refusal::RequestExpired) } else { Ok(()) }
    }

    fn refuse(&self, id: Digest, reason: Refusal) -> Result<Next, Error> {
        self.refused(id, reason).map(Next::Answer)
    }

    fn refused(&self, id: Digest, reason: Refusal) -> Result<Answer, Error> {
        let mut books = self.store.books();
        let standing = books.fold.questions.get(&id).map(|known| known.standing);
        if standing != Some(Standing::Refused(reason)) {
            books.append(Own::Refused { reason, request: id, time: clock::now() })?;
        }
        Ok(Answer::Refusal(reason))
    }
}

/// How long an answer takes, whatever the data: a tick that follows from the
/// question alone. An answer that is not ready leaves at the next tick.
pub fn tick(request: &TableRequest) -> std::time::Duration {
    let periods = request.periods().len() as u64;
    let cells = request.domain().cells() as u64 * periods;
    std::time::Duration::from_millis(150 + 100 * periods + cells / 100)
}

/// Notes who has approved a question that was received, and goes on if anybody has.
fn approved(books: &mut Books, request: Digest, by: Option<By>) -> Result<Next, Error> {
    let Some(by) = by else { return Ok(Next::Answer(Answer::Progress(Progress::AwaitingApproval))) };
    books.append(Own::Approved { by, request, time: clock::now() })?;
    Ok(Next::Compute)
}

/// The roster that the journal says was approved: another file in its place, as
/// from a backup, is not taken.
fn approved_roster(config: &Config, keys: &Keys, store: &Store) -> Result<Option<Roster>, Error> {
    let Some((epoch, hash)) = store.books().fold.roster else { return Ok(None) };
    let path = config.roster();
    let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
    let signed = SignedRoster::parse(&bytes, keys.member.governance)?;
    let roster = signed.roster();
    if (roster.epoch(), roster.hash()) != (epoch, hash) || *roster.region() != keys.member.region {
        let why = format!(
            "{}: is not the roster that was approved (number {epoch}): approve the newest again",
            path.display()
        );
        return Err(Error::Refused(why));
    }
    Ok(Some(roster.clone()))
}
