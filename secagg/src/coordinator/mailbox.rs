//! What the coordinator passes on.

use super::{Phase, Round};
use crate::message::{self, Adverts, Confirmations, Entry, Inbox, Survivors};
use koonti_disclosure::Name;

impl Round {
    /// What lies ready for this node in this phase: Start, Adverts, Inbox, Survivors
    /// or Confirmations. It may be fetched any number of times. None when the node
    /// is not asked (any more), or the round is over.
    pub fn for_node(&self, node: &Name) -> Option<Vec<u8>> {
        let place = self.place(node)?;
        if self.is_gone(place) || !self.asked().contains(&place) {
            return None;
        }
        let round = self.spec.round();
        match self.phase {
            Phase::Adverts => Some(message::start_message(&self.spec, &self.certificate)),
            Phase::Shares => Some(Adverts(self.adverts.values().cloned().collect()).message(round)),
            Phase::Masked => Some(self.inbox(place).message(round)),
            Phase::Confirm => Some(Survivors(self.asked().to_vec()).message(round)),
            Phase::Unmask => {
                let all = self.confirmations.iter().map(|(place, signature)| (*place, *signature));
                Some(Confirmations(all.collect()).message(round))
            }
            Phase::Done | Phase::Failed => None,
        }
    }

    fn inbox(&self, holder: u16) -> Inbox {
        let set = self.asked().to_vec();
        let entry = |dealer: &u16| {
            let entries = &self.shares[dealer].entries;
            let at = entries.binary_search_by_key(&holder, |entry| entry.place).expect("one for each node of U1");
            Entry { place: *dealer, ..entries[at].clone() }
        };
        let entries = set.iter().filter(|dealer| **dealer != holder).map(entry).collect();
        Inbox { set, entries }
    }

    pub(super) fn place(&self, node: &Name) -> Option<u16> {
        let place = self.roster.nodes().iter().position(|entry| entry.name == *node)?;
        u16::try_from(place).ok()
    }
}
