//! What must hold of all five nodes after any attack.

use crate::ground::{ALL, Ground};
use koonti_disclosure::{Digest, Name};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_secagg::message::{self, Kind, Unmask};
use koonti_tests::evil::{Heard, Word};
use std::collections::{BTreeMap, BTreeSet};

/// What each node has said in each round, by kind.
type Once = BTreeMap<(Name, Digest, Kind), Vec<u8>>;

impl Ground {
    /// What must hold of everything that was ever heard, whatever was sent.
    pub(crate) fn audit(&self) {
        let mut opened: BTreeMap<(Digest, u16), &'static str> = BTreeMap::new();
        let mut once: Once = Once::new();
        for Heard { node, word } in self.evil.since(0) {
            let Word::Message(bytes) = word else { continue };
            let (Some(kind), Some(round)) = (message::kind(&bytes), message::round_of(&bytes)) else {
                panic!("{node} has said what no node says");
            };
            let anew = matches!(kind, Kind::Advert | Kind::Shares) && self.was_rolled_back(&node);
            if matches!(kind, Kind::Left | Kind::Chunk) || anew {
                continue;
            }
            let before = once.entry((node.clone(), round, kind)).or_insert_with(|| bytes.clone());
            assert!(*before == bytes, "{node} has said {kind:?} twice, and not the same");
            if kind == Kind::Unmask {
                let (_, unmask) = Unmask::parse(&bytes).expect("an Unmask message");
                let half =
                    |places: &[(u16, [u8; 32])], half| places.iter().map(|(p, _)| (*p, half)).collect::<Vec<_>>();
                for (dealer, half) in [half(&unmask.survivors, "own"), half(&unmask.dropped, "mask")].concat() {
                    let first = *opened.entry((round, dealer)).or_insert(half);
                    assert_eq!(first, half, "{node} releases the other secret of place {dealer}");
                }
            }
        }
        for (node, round, _) in once.keys().filter(|(_, _, kind)| *kind == Kind::Unmask) {
            let erased = once.contains_key(&(node.clone(), *round, Kind::Erased));
            // One that was put back may swear of another session of that round.
            assert!(!erased || self.was_rolled_back(node), "{node} has opened a round and sworn that it has not");
        }
        for place in ALL.iter().filter(|place| !self.rolled_back.contains(place)) {
            self.audit_spending(*place, &once);
        }
    }

    fn was_rolled_back(&self, node: &Name) -> bool {
        self.rolled_back.iter().any(|place| self.name(*place) == *node)
    }

    /// One debit a question, one masked input a debit, and a second only where the
    /// debit was carried over to it.
    fn audit_spending(&self, place: u16, once: &Once) {
        let name = self.name(place);
        let (mut questions, mut masked) = (BTreeMap::new(), BTreeSet::new());
        for entry in self.journal(place) {
            match entry {
                Entry::Own(Own::RoundJoined { request, round, .. }) => {
                    questions.entry(request).or_insert_with(Vec::new).push(round);
                }
                Entry::Own(Own::Masked { round, .. }) => {
                    masked.insert(round);
                }
                _ => {}
            }
        }
        for (question, rounds) in questions {
            let story = self.story(place, question);
            let count = |what: &str| story.iter().filter(|word| **word == what).count();
            assert!(count("debit") <= 1 && count("carry") <= 1, "{name}: {story:?}");
            let sent = rounds.iter().filter(|round| once.contains_key(&(name.clone(), **round, Kind::Masked)));
            let sent: Vec<&Digest> = sent.collect();
            assert!(
                sent.len() <= count("debit") + count("carry"),
                "{name} was debited {story:?}, and sent {}",
                sent.len()
            );
            assert!(sent.iter().all(|round| masked.contains(round)), "{name} has sent figures and not noted them");
        }
    }
}
