//! An opened round, for auditors: what the coordinator has seen of it, as messages of
//! the format page, and the secrets that were opened. With the masked inputs beside
//! it, the sum can be computed again. Of each node there is one secret, never both.

use super::Round;
use crate::message::{Adverts, Confirmations, Survivors};
use koonti_disclosure::Name;

/// An opened round, masked inputs aside.
pub struct Transcript {
    /// The Adverts message: U1.
    pub adverts: Vec<u8>,
    /// The places of U2, ascending.
    pub u2: Vec<u16>,
    /// The Survivors message: U3.
    pub survivors: Vec<u8>,
    /// The Confirmations message.
    pub confirmations: Vec<u8>,
    /// `sigma_b` of each place of U3.
    pub own: Vec<(u16, [u8; 32])>,
    /// `sigma_m` of each place of U2 that is not in U3.
    pub mask: Vec<(u16, [u8; 32])>,
}

impl Round {
    /// The transcript of the round; none while it is not open.
    pub fn transcript(&self) -> Option<Transcript> {
        let opened = self.opened.as_ref()?;
        let round = self.spec.round();
        let confirmations = self.confirmations.iter().map(|(place, signature)| (*place, *signature));
        Some(Transcript {
            adverts: Adverts(self.adverts.values().cloned().collect()).message(round),
            u2: self.set(2).to_vec(),
            survivors: Survivors(self.set(3).to_vec()).message(round),
            confirmations: Confirmations(confirmations.collect()).message(round),
            own: opened.own.clone(),
            mask: opened.mask.clone(),
        })
    }

    /// The place of a node in the roster.
    pub fn place_of(&self, node: &Name) -> Option<u16> {
        self.place(node)
    }
}
