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

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::canonical;
    use serde_json::{Value, json};

    fn note(stated: &mut Stated, index: u64, entry: &Value) {
        let bytes = canonical::to_bytes(entry).unwrap();
        assert!(Entry::parse(&bytes).is_ok(), "{entry}");
        stated.note(index, &bytes);
    }

    fn imported(vintage: u8, coverage: Option<&str>) -> Value {
        let mut entry = json!({"type": "imported", "commitments": [Digest([1; 32]), Digest([2; 32])], "time": 1,
            "periods": ["2026Q2", "2026Q3"], "register": "r", "source": "r", "vintage": Digest([vintage; 32])});
        if let Some(coverage) = coverage {
            entry["coverage"] = coverage.into();
        }
        entry
    }

    fn debit(round: u8, vintages: [u8; 2], regional: bool) -> Value {
        let mut entry = json!({"type": "debit", "attempt": 0, "cost": {"atto_delta": 1, "nano_rho": 1}, "k": 5,
            "node": "kainuu", "nonce": Digest([3; 32]), "periods": ["2026Q2", "2026Q3"], "policy": Digest([4; 32]),
            "request": {}, "requester": "aino", "round": Digest([round; 32]), "seed": 0, "source": "r", "time": 2,
            "vintages": vintages.map(|vintage| Digest([vintage; 32]))});
        match regional {
            true => entry["regional"] = json!({"h": 3, "roster": Digest([5; 32]), "session": Digest([6; 32])}),
            false => entry["tau"] = json!(20),
        }
        entry
    }

    #[test]
    fn what_is_stated_follows_the_vintages_that_were_debited() {
        let mut stated = Stated::default();
        note(&mut stated, 0, &imported(10, Some("pilot")));
        note(&mut stated, 1, &imported(11, Some("all")));
        note(&mut stated, 2, &imported(12, None));
        // A vintage is imported once: a second entry of it moves nothing.
        note(&mut stated, 3, &imported(10, Some("all")));
        let [q2, q3] = ["2026Q2", "2026Q3"].map(|period| period.parse::<Period>().unwrap());
        let behind = |stated: &Stated, hash: u8| stated.behind(Digest([hash; 32]));

        note(&mut stated, 4, &debit(20, [11, 10], false));
        assert_eq!(behind(&stated, 30), []);
        let release = |debit: u64, hash: u8| json!({"type": "release", "debit": debit, "release": Digest([hash; 32]), "request": Digest([7; 32]), "time": 3});
        note(&mut stated, 5, &release(4, 30));
        assert_eq!(behind(&stated, 30), [(q2, Coverage::All), (q3, Coverage::Pilot)]);
        note(&mut stated, 6, &debit(21, [12, 10], true));
        assert_eq!(behind(&stated, 21), [(q3, Coverage::Pilot)], "of a round, before anything is opened");
        note(
            &mut stated,
            7,
            &json!({"type": "carry", "certificate": "00", "debit": 6, "nonce": Digest([3; 32]),
            "round": Digest([22; 32]), "seed": 1, "session": Digest([8; 32]), "time": 4}),
        );
        assert_eq!(behind(&stated, 22), [(q3, Coverage::Pilot)], "a retry is paid by the same debit");
        note(&mut stated, 8, &debit(23, [12, 12], true));
        assert_eq!(behind(&stated, 23), []);
    }
}
