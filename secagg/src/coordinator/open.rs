//! Taking the masks off: secrets from shares, streams from secrets.

use super::Round;
use crate::keys::{self, Half};
use crate::message::{Commitments, Unmask};
use crate::shamir::{Share, Weights};
use crate::stream::{Sign, Signed};
use koonti_disclosure::Name;
use x25519_dalek::PublicKey;

/// An open sum.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// For each vector of the layout, each cell: the sum over the survivors.
    pub sums: Vec<Vec<i64>>,
    /// U3.
    pub survivors: Vec<Name>,
    /// The nodes that released a share which was not the one they were dealt.
    pub blamed: Vec<Name>,
    /// The opened `sigma_b` of each place of U3.
    pub(super) own: Vec<(u16, [u8; 32])>,
    /// The opened `sigma_m` of each place of U2 that is not in U3.
    pub(super) mask: Vec<(u16, [u8; 32])>,
}

/// Nodes of U2, apart by what is opened of them.
pub(super) struct Sets<'a> {
    pub(super) survivors: &'a [u16],
    pub(super) dropped: Vec<u16>,
}

impl Round {
    pub(super) fn sets(&self) -> Sets<'_> {
        let survivors = self.set(3);
        let dropped = self.set(2).iter().copied().filter(|place| survivors.binary_search(place).is_err());
        Sets { survivors, dropped: dropped.collect() }
    }

    /// True when these are exactly the shares asked for.
    pub(super) fn asks_for(&self, unmask: &Unmask) -> bool {
        let sets = self.sets();
        unmask.survivors.iter().map(|(place, _)| place).eq(sets.survivors)
            && unmask.dropped.iter().map(|(place, _)| *place).eq(sets.dropped)
    }

    /// True when every share is the one that `holder` was dealt.
    pub(super) fn shares_hold(&self, holder: u16, unmask: &Unmask) -> bool {
        let holds = |half, (dealer, share): &(u16, [u8; 32])| {
            let commitments = self.commitments(*dealer, holder);
            let promised = match half {
                Half::Mask => commitments.mask,
                Half::Own => commitments.own,
            };
            keys::share_commitment(self.sid, half, *dealer, holder, &scalar(share)) == promised
        };
        unmask.survivors.iter().all(|one| holds(Half::Own, one))
            && unmask.dropped.iter().all(|one| holds(Half::Mask, one))
    }

    fn commitments(&self, dealer: u16, holder: u16) -> Commitments {
        let shares = &self.shares[&dealer];
        if dealer == holder {
            return shares.own;
        }
        let at = shares.entries.binary_search_by_key(&holder, |entry| entry.place).expect("one for each node of U1");
        shares.entries[at].commitments
    }
}

fn scalar(bytes: &[u8; 32]) -> Share {
    Share::parse(*bytes).expect("checked when the message was read")
}

/// Opens the sum from the shares of `good`, at least t nodes.
///
/// # Errors
/// The place of a dealer whose shares give another secret than it promised.
pub(super) fn open(round: &Round, good: &[u16]) -> Result<Opened, u16> {
    let openers = &good[..round.spec.quorum().t() as usize];
    let weights = Weights::at(openers);
    let unmasks: Vec<&Unmask> = openers.iter().map(|place| &round.unmasks[place]).collect();
    let sets = round.sets();
    let mut seeds: Vec<Signed> = Vec::new();
    let (mut own, mut mask) = (Vec::new(), Vec::new());
    for (i, place) in sets.survivors.iter().enumerate() {
        let shares: Vec<Share> = unmasks.iter().map(|unmask| scalar(&unmask.survivors[i].1)).collect();
        let sigma_b = weights.open(shares.iter());
        if keys::self_commitment(round.spec.round(), *place, &sigma_b) != round.adverts[place].commit {
            return Err(*place);
        }
        own.push((*place, *sigma_b.bytes()));
        seeds.push((keys::self_seed(round.sid, &sigma_b, round.u2h, *place), Sign::Minus));
    }
    for (i, place) in sets.dropped.iter().enumerate() {
        let shares: Vec<Share> = unmasks.iter().map(|unmask| scalar(&unmask.dropped[i].1)).collect();
        let sigma_m = weights.open(shares.iter());
        pair_seeds(round, *place, &sigma_m, sets.survivors, &mut seeds)?;
        mask.push((*place, *sigma_m.bytes()));
    }
    let sums = round.totals.unmask(round.u2h, &seeds);
    let survivors = round.names(sets.survivors.iter().copied());
    Ok(Opened { sums, survivors, blamed: round.blamed(), own, mask })
}

/// The seeds that a dropped node shares with each survivor, with the sign that takes
/// the survivor's stream off.
fn pair_seeds(
    round: &Round,
    dropped: u16,
    sigma_m: &Share,
    survivors: &[u16],
    seeds: &mut Vec<Signed>,
) -> Result<(), u16> {
    let secret = keys::mask_secret(round.spec.round(), dropped, sigma_m);
    if PublicKey::from(&secret).to_bytes() != round.adverts[&dropped].mask_pk {
        return Err(dropped);
    }
    for survivor in survivors {
        // No advert of low order was taken, so none of these is all zeros.
        let shared = keys::agree(&secret, &round.adverts[survivor].mask_pk).ok_or(*survivor)?;
        let seed = keys::pair_seed(round.sid, &shared, round.u2h, dropped, *survivor);
        seeds.push((seed, Sign::of(*survivor, dropped).opposite()));
    }
    Ok(())
}
