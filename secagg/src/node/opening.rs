//! Phases 4 and 5: one U3 is signed, and one share of each node released.
//!
//! When a U3 is accepted, half of what the node holds is wiped: of a survivor the
//! share of its mask key, of a dropped node that of its own mask. No later fault
//! can then release both.

use super::Terms;
use super::masking::Held;
use super::setup::Pair;
use crate::message::{Confirm, Confirmations, Survivors, Unmask};
use crate::shamir::Share;
use crate::{Abort, keys};
use koonti_disclosure::Digest;
use koonti_disclosure::identity::{IdentityKey, RoundLabel, check_round};

/// What this node will release, and over which U3.
pub(super) struct Openings {
    survivors: Vec<u16>,
    signed: Vec<u8>,
    openings: Vec<Opening>,
}

/// What is released of one node of U2: never both.
enum Opening {
    /// It is in U3: the share of its own mask.
    Survived { dealer: u16, own: Share },
    /// It is not: the share of its mask key.
    Dropped { dealer: u16, mask: Share },
}

/// Checks U3, wipes what must not be released, and signs.
pub(super) fn confirm(
    held: &Held,
    terms: &Terms,
    message: &[u8],
    identity: &IdentityKey,
) -> Result<(Openings, Vec<u8>), Abort> {
    let (_, Survivors(survivors)) = Survivors::parse(message).map_err(|_| Abort::Invalid)?;
    if survivors.len() < terms.spec.quorum().u_min() as usize {
        return Err(Abort::TooSmall);
    }
    if !survivors.contains(&terms.place) {
        return Err(Abort::NotInSet);
    }
    let signed = signed(terms.round, keys::u3_hash(held.sid(), held.u2h(), &survivors));
    let opening = |(dealer, pair): &(u16, Pair)| match survivors.binary_search(dealer) {
        Ok(_) => Opening::Survived { dealer: *dealer, own: pair.own.again() },
        Err(_) => Opening::Dropped { dealer: *dealer, mask: pair.mask.again() },
    };
    let openings: Vec<Opening> = held.shares().iter().map(opening).collect();
    let in_u2 = openings.iter().filter(|opening| matches!(opening, Opening::Survived { .. })).count();
    if in_u2 != survivors.len() {
        return Err(Abort::Invalid);
    }
    let confirm = Confirm(identity.sign_round(RoundLabel::Survivors, &signed)).message(terms.round);
    Ok((Openings { survivors, signed, openings }, confirm))
}

/// What a confirmation signs.
pub(crate) fn signed(round: Digest, u3h: Digest) -> Vec<u8> {
    [round.0, u3h.0].concat()
}

/// Checks that t members of this node's own U3 have signed it.
///
/// Signatures that do not hold, or of nodes outside U3, count for nothing.
pub(super) fn check(openings: &Openings, terms: &Terms, message: &[u8]) -> Result<(), Abort> {
    let (_, Confirmations(confirmations)) = Confirmations::parse(message).map_err(|_| Abort::Invalid)?;
    let t = terms.spec.quorum().t() as usize;
    let holds = |(place, signature): &&(u16, [u8; 64])| {
        openings.survivors.binary_search(place).is_ok()
            && check_round(RoundLabel::Survivors, &openings.signed, signature, terms.keys[usize::from(*place)]).is_ok()
    };
    // Places ascend, so signers are distinct.
    if confirmations.iter().filter(holds).take(t).count() == t { Ok(()) } else { Err(Abort::TooFewConfirmations) }
}

impl Openings {
    /// What leaves.
    pub(super) fn unmask(&self) -> Unmask {
        let mut unmask = Unmask {
            survivors: Vec::with_capacity(self.openings.len()),
            dropped: Vec::with_capacity(self.openings.len()),
        };
        for opening in &self.openings {
            match opening {
                Opening::Survived { dealer, own } => unmask.survivors.push((*dealer, *own.bytes())),
                Opening::Dropped { dealer, mask } => unmask.dropped.push((*dealer, *mask.bytes())),
            }
        }
        unmask
    }
}
