//! What the journal's entries add up to: the ledger, the questions and the
//! vintages. Nothing here is stored; it is folded anew at each start.

use crate::clock;
use crate::entry::{By, Entry, Own, Question};
use crate::error::Error;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::ledger::{self, Ledger};
use koonti_disclosure::{Codebook, Digest, Name, Period, Refusal, canonical};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where a question stands at this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A person has to decide.
    Waiting,
    /// Approved, and not yet debited.
    Approved(By),
    /// Refused.
    Refused(Refusal),
    /// Debited; its release is being computed.
    Debited,
    /// Released: the bytes are stored.
    Released,
    /// Debited, and ended without a release.
    Aborted,
}

/// A question and where it stands.
#[derive(Clone)]
pub struct Known {
    /// The offer, once it was admitted.
    pub question: Option<Question>,
    /// Where it stands.
    pub standing: Standing,
    /// Who has said yes to it, if anybody has.
    pub by: Option<By>,
    /// When that changed last, Unix seconds.
    pub time: u64,
}

impl Known {
    /// True while the question's deadline has not passed.
    pub fn in_time(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.deadline >= clock::now())
    }
}

/// The fold.
#[derive(Default)]
pub struct Fold {
    /// The budget spent.
    pub ledger: Ledger,
    /// Questions by request id.
    pub questions: BTreeMap<Digest, Known>,
    /// Vintages of each register's data source and period, oldest first.
    pub vintages: BTreeMap<(Name, Name, Period), Vec<Digest>>,
    /// Epoch and hash of the newest approved roster.
    pub roster: Option<(u64, Digest)>,
    /// Regional rounds that this node has ever joined, with their questions.
    pub joined: BTreeMap<Digest, Digest>,
    /// Those whose secrets it has erased.
    pub erased: BTreeSet<Digest>,
    debits: BTreeMap<u64, Digest>,
}

impl Fold {
    /// Folds all entries of a journal.
    ///
    /// # Errors
    /// At the first entry that this version does not understand.
    pub fn of(entries: &[Vec<u8>]) -> Result<Self, Error> {
        let mut fold = Self::default();
        for (seq, bytes) in (0..).zip(entries) {
            let entry = Entry::parse(bytes).map_err(|_| Error::Entry(seq))?;
            if let Entry::Ledger(entry) = &entry {
                fold.ledger.replay(seq, entry).map_err(|_| Error::Entry(seq))?;
            }
            fold.note(seq, &entry);
        }
        Ok(fold)
    }

    /// Reads a journal without its lock, for the list commands.
    ///
    /// # Errors
    /// When the journal is damaged. A missing one is empty.
    pub fn read(path: &Path) -> Result<(Self, Vec<Vec<u8>>), Error> {
        let entries = if path.exists() { koonti_journal::read(path)? } else { Vec::new() };
        Ok((Self::of(&entries)?, entries))
    }

    /// Notes an entry outside the ledger, which keeps its own books.
    pub fn note(&mut self, seq: u64, entry: &Entry) {
        match entry {
            Entry::Ledger(ledger::Entry::Debit(debit)) => {
                self.debited(seq, debit.request_id(), debit.time());
            }
            Entry::Ledger(ledger::Entry::Carry { debit, time, .. }) => {
                if let Some(id) = self.debits.get(debit).copied() {
                    self.stand(id, Standing::Debited, *time);
                }
            }
            Entry::Ledger(ledger::Entry::Release { request, time, .. }) => {
                self.stand(*request, Standing::Released, *time);
            }
            Entry::Ledger(ledger::Entry::Abort { debit, time }) => {
                if let Some(id) = self.debits.get(debit).copied() {
                    self.stand(id, Standing::Aborted, *time);
                }
            }
            Entry::Own(Own::RosterApproved { epoch, roster, .. }) => self.roster = Some((*epoch, *roster)),
            Entry::Own(Own::Imported { periods, register, source, vintage, .. }) => {
                for period in periods {
                    let key = (register.clone(), source.clone(), *period);
                    self.vintages.entry(key).or_default().push(*vintage);
                }
            }
            Entry::Own(Own::Question(question)) => {
                if let Some(id) = question.id() {
                    let time = question.time;
                    let question = Some((**question).clone());
                    let by = self.questions.get(&id).and_then(|known| known.by);
                    self.questions.insert(id, Known { question, standing: Standing::Waiting, by, time });
                }
            }
            Entry::Own(Own::RoundJoined { request, round, .. }) => {
                self.joined.insert(*round, *request);
            }
            Entry::Own(Own::RoundErased { round, .. }) => {
                self.erased.insert(*round);
            }
            Entry::Own(Own::Masked { .. }) => {}
            Entry::Own(Own::Approved { by, request, time }) => {
                self.stand(*request, Standing::Approved(*by), *time);
                if let Some(known) = self.questions.get_mut(request) {
                    known.by = Some(*by);
                }
            }
            Entry::Own(Own::Refused { reason, request, time }) => {
                self.stand(*request, Standing::Refused(*reason), *time);
            }
        }
    }

    /// The vintage that a question about each held period is answered from: the
    /// one first released from, else the newest.
    pub fn holdings(&self, register: &Name, source: &Name) -> BTreeMap<Period, Digest> {
        let held = self.vintages.iter().filter(|((r, s, _), _)| r == register && s == source);
        held.filter_map(|((_, _, period), vintages)| {
            let first = self.ledger.first_vintage(source, *period);
            first.or_else(|| vintages.last().copied()).map(|vintage| (*period, vintage))
        })
        .collect()
    }

    /// Notes that a question was debited by entry `seq`.
    pub fn debited(&mut self, seq: u64, request: Digest, time: u64) {
        self.debits.insert(seq, request);
        self.stand(request, Standing::Debited, time);
    }

    fn stand(&mut self, id: Digest, standing: Standing, time: u64) {
        let known = self.questions.entry(id).or_insert(Known { question: None, standing, by: None, time });
        (known.standing, known.time) = (standing, time);
    }
}

impl Question {
    /// The signed request, parsed.
    pub fn signed(&self) -> Option<SignedRequest> {
        let bytes = canonical::to_bytes(&self.request).ok()?;
        SignedRequest::parse(&bytes, Codebook::built_in()).ok()
    }

    fn id(&self) -> Option<Digest> {
        Some(self.signed()?.request().id())
    }
}
