//! The release of an approved question: debit, noise, count, in this order; and what a
//! stop in between has cut short.

use super::Desk;
use crate::error::Error;
use crate::fold::Standing;
use crate::{clock, extracts, fault};
use koonti_disclosure::identity::{SignedRelease, SignedRequest};
use koonti_disclosure::ledger::{DebitError, Terms};
use koonti_disclosure::masked::{MaskedInput, Masks};
use koonti_disclosure::policy::Admitted;
use koonti_disclosure::{Codebook, Digest, Exact, Permit, Progress, Refusal, Tally};
use koonti_evidence::entry::node::Question;
use koonti_proto::wire::Answer;

impl Desk {
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
                        crate::seeds::wipe(&self.config.state, *number)?;
                    }
                    self.store.abort(*seq, clock::now())?;
                }
            }
        }
        Ok(open.len())
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

    pub(crate) fn extracts_readable(&self, admitted: &Admitted) -> bool {
        let held = admitted.request().periods().iter().zip(admitted.vintages());
        held.into_iter()
            .all(|(period, vintage)| extracts::readable(&self.config.state, &self.keys.seal, *vintage, *period))
    }
}
