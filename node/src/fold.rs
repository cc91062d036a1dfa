//! What the journal's entries add up to: the ledger, the questions and the
//! vintages. Nothing here is stored; it is folded anew at each start.

use crate::clock;
use crate::error::Error;
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::ledger::{self, Debit, Ledger};
use koonti_disclosure::policy::Vintage;
use koonti_disclosure::{Digest, Name, Period, Refusal};
use koonti_evidence::approvers::Chain;
use koonti_evidence::entry::node::{By, Entry, Own, Question};
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
    /// Vintages of each register's data source and period, oldest first, each with
    /// the entry that committed to it.
    pub vintages: BTreeMap<(Name, Name, Period), Vec<(u64, Vintage)>>,
    /// Epoch and hash of the newest approved roster.
    pub roster: Option<(u64, Digest)>,
    /// The keys that approve this node's rules.
    pub approvers: Vec<Digest>,
    /// What has been approved with them, which the next approval follows.
    pub chain: Chain,
    /// The rules in force.
    pub policy: Option<Digest>,
    /// The commitment to each seed, by number.
    pub seeds: Vec<Digest>,
    /// The entry that fixed each batch of seeds, with the number after its last.
    batches: Vec<(u64, u64)>,
    /// The time of the newest entry.
    pub time: u64,
    /// Regional rounds that this node has ever joined, with their questions.
    pub joined: BTreeMap<Digest, Digest>,
    /// Those whose secrets it has erased.
    pub erased: BTreeSet<Digest>,
    debits: BTreeMap<u64, Digest>,
    /// For each debit: its seed and what it was paid for.
    paid: Vec<Paid>,
    /// The data source of the first import.
    source: Option<Name>,
    /// When each data source's period was imported last, Unix time in seconds.
    pub imported: BTreeMap<(Name, Period), u64>,
    /// What each vintage's periods cover, as far as that was stated.
    pub coverage: BTreeMap<(Digest, Period), Coverage>,
    closed: BTreeSet<(Name, Period)>,
    /// Vintages, periods and seeds whose files are to be gone.
    pub destroyed: Vec<(Digest, Vec<Period>, Vec<u64>)>,
}

struct Paid {
    seed: u64,
    source: Name,
    periods: Vec<Period>,
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
        self.time = self.time.max(entry.time());
        if let Entry::Own(own) = entry {
            self.chain.take(own);
        }
        match entry {
            Entry::Ledger(ledger::Entry::Debit(debit)) => {
                self.debited(seq, debit.request_id(), debit.time());
            }
            Entry::Ledger(ledger::Entry::Carry { debit, time, .. }) => {
                self.note_paid(*debit);
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
            Entry::Own(Own::Imported { coverage, events, periods, register, source, time, vintage, .. }) => {
                let vintage = Vintage { id: *vintage, events: *events };
                self.source.get_or_insert_with(|| source.clone());
                for period in periods {
                    if let Some(coverage) = coverage {
                        self.coverage.entry((vintage.id, *period)).or_insert(*coverage);
                    }
                    self.imported.insert((source.clone(), *period), *time);
                    let key = (register.clone(), source.clone(), *period);
                    self.vintages.entry(key).or_default().push((seq, vintage));
                }
            }
            Entry::Own(Own::Question(question)) => {
                if let Some(id) = question.signed().map(|signed| signed.request().id()) {
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
            Entry::Own(Own::Approvers { keys, .. }) => self.approvers.clone_from(keys),
            Entry::Own(Own::PolicyApproved { policy, .. }) => self.policy = Some(*policy),
            Entry::Own(Own::Seeds { commitments, .. }) => {
                self.seeds.extend(commitments);
                self.batches.push((seq, self.seeds.len() as u64));
            }
            Entry::Ledger(ledger::Entry::Closed { period, source, .. }) => {
                self.closed.insert((source.clone(), *period));
            }
            Entry::Own(Own::Destroyed { periods, seeds, vintage, .. }) => {
                self.destroyed.push((*vintage, periods.clone(), seeds.clone()));
            }
            Entry::Ledger(ledger::Entry::Recovered { .. }) | Entry::Own(Own::Genesis { .. } | Own::Masked { .. }) => {}
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

    /// The vintage that a question about each held period is answered from, with the
    /// entry that committed to it: the one first released from, else the newest. No older
    /// one: it may count people who have been restricted since.
    pub fn holdings(&self, register: &Name, source: &Name) -> BTreeMap<Period, (u64, Vintage)> {
        let held = self.vintages.iter().filter(|((r, s, _), _)| r == register && s == source);
        held.filter_map(|((_, _, period), vintages)| {
            let first = self.ledger.first_vintage(source, *period);
            let newest = vintages.iter().rfind(|(_, vintage)| first.is_none_or(|first| first == vintage.id))?;
            Some((*period, *newest))
        })
        .collect()
    }

    /// The one data source of this log: the ledger is its own, whatever a mapping calls it.
    pub fn source(&self) -> Option<&Name> {
        self.source.as_ref()
    }

    /// Checks that an import or a mapping is of this log's data source.
    ///
    /// # Errors
    /// When it is of another.
    pub fn of_source(&self, source: &Name) -> Result<(), Error> {
        match &self.source {
            Some(own) if own != source => Err(Error::Refused(format!(
                "register.toml names the data source \"{source}\", but this node's log, and with it the allowance, is that of \"{own}\": \
                 write source = \"{own}\"; another data source needs a node of its own, under a name of its own"
            ))),
            _ => Ok(()),
        }
    }

    /// Seeds whose debits were of this source and of closed periods only, this period
    /// among them.
    pub fn seeds_of(&self, source: &Name, period: Period) -> Vec<u64> {
        let closed = |paid: &&Paid| {
            paid.source == *source
                && paid.periods.contains(&period)
                && paid.periods.iter().all(|p| self.closed.contains(&(source.clone(), *p)))
        };
        self.paid.iter().filter(closed).map(|paid| paid.seed).collect()
    }

    /// The unused seeds of those that the log held when it had `below` entries, in order.
    pub fn unused_seeds(&self, below: u64) -> std::ops::Range<u64> {
        let fixed = self.batches.iter().rev().find(|(seq, _)| *seq < below).map_or(0, |(_, end)| *end);
        self.ledger.seeds_used()..fixed
    }

    /// What was stated of the vintages that a debit was counted from.
    pub fn stated(&self, debit: &Debit) -> Vec<(Period, Coverage)> {
        let of = |(period, vintage): (&Period, &Digest)| Some((*period, *self.coverage.get(&(*vintage, *period))?));
        debit.periods().iter().zip(debit.vintages()).filter_map(of).collect()
    }

    /// True when a vintage was imported.
    pub fn holds(&self, vintage: Digest) -> bool {
        self.vintages.values().flatten().any(|(_, held)| held.id == vintage)
    }

    /// True when a period is closed.
    pub fn is_closed(&self, source: &Name, period: Period) -> bool {
        self.closed.contains(&(source.clone(), period))
    }

    /// Notes that a question was debited by entry `seq`.
    pub fn debited(&mut self, seq: u64, request: Digest, time: u64) {
        self.debits.insert(seq, request);
        self.note_paid(seq);
        self.stand(request, Standing::Debited, time);
    }

    /// Notes what the debit of entry `seq` uses, once the ledger has taken it.
    fn note_paid(&mut self, seq: u64) {
        if let Some((_, debit)) = self.ledger.open().find(|(open, _)| *open == seq) {
            let (source, periods) = (debit.source().clone(), debit.periods().to_vec());
            self.paid.push(Paid { seed: debit.seed(), source, periods });
        }
    }

    fn stand(&mut self, id: Digest, standing: Standing, time: u64) {
        let known = self.questions.entry(id).or_insert(Known { question: None, standing, by: None, time });
        (known.standing, known.time) = (standing, time);
    }
}
