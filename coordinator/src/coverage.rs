//! What the nodes' logs state of their registers, by what was counted from them.
//!
//! Folded from a mirrored log, entry by entry: an import states it of a vintage's
//! periods, a debit counts vintages, and a release or a regional round is paid by a
//! debit. The verifier finds the same in the bundle, with code of its own.

use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::ledger::{self, Debit};
use koonti_disclosure::{Digest, Period};
use koonti_evidence::entry::node::{Entry, Own};
use std::collections::HashMap;

/// What one node's log states.
#[derive(Default)]
pub(crate) struct Stated {
    /// Of a vintage's periods, as the first import of each says.
    vintages: HashMap<(Digest, Period), Option<Coverage>>,
    /// Of debits, by entry.
    debits: HashMap<u64, Vec<(Period, Coverage)>>,
    /// Of what debits paid for: a release, or the round of a masked input.
    paid: HashMap<Digest, Vec<(Period, Coverage)>>,
}

impl Stated {
    /// Takes the entry at an index in.
    pub(crate) fn note(&mut self, index: u64, entry: &[u8]) {
        match Entry::parse(entry) {
            Ok(Entry::Own(Own::Imported { coverage, periods, vintage, .. })) => {
                for period in periods {
                    self.vintages.entry((vintage, period)).or_insert(coverage);
                }
            }
            Ok(Entry::Ledger(ledger::Entry::Debit(debit))) => {
                let stated = self.of_debit(&debit);
                self.debits.insert(index, stated);
                if debit.is_regional() {
                    self.pay(index, debit.round());
                }
            }
            Ok(Entry::Ledger(ledger::Entry::Carry { debit, round, .. })) => self.pay(debit, round),
            Ok(Entry::Ledger(ledger::Entry::Release { debit, release, .. })) => self.pay(debit, release),
            _ => {}
        }
    }

    /// What was stated of the periods behind a release or a node's part in a round.
    pub(crate) fn behind(&self, release_or_round: Digest) -> Vec<(Period, Coverage)> {
        self.paid.get(&release_or_round).cloned().unwrap_or_default()
    }

    fn pay(&mut self, debit: u64, release_or_round: Digest) {
        self.paid.insert(release_or_round, self.debits.get(&debit).cloned().unwrap_or_default());
    }

    fn of_debit(&self, debit: &Debit) -> Vec<(Period, Coverage)> {
        let of = |(period, vintage): (&Period, &Digest)| {
            Some((*period, self.vintages.get(&(*vintage, *period)).copied().flatten()?))
        };
        debit.periods().iter().zip(debit.vintages()).filter_map(of).collect()
    }
}
