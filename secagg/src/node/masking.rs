//! Phase 3: U2 and the others' shares come in, this node's masks go out.

use super::Terms;
use super::setup::{Dealt, Pair, Peer};
use crate::message::Inbox;
use crate::{Abort, MaskSet, keys, sealed};
use koonti_disclosure::Digest;

/// The shares that this node holds of all nodes of U2, itself included.
pub(super) struct Held {
    sid: Digest,
    u2h: Digest,
    shares: Vec<(u16, Pair)>,
}

impl Held {
    pub(super) fn u2h(&self) -> Digest {
        self.u2h
    }

    pub(super) fn sid(&self) -> Digest {
        self.sid
    }

    /// The shares by dealer, ascending.
    pub(super) fn shares(&self) -> &[(u16, Pair)] {
        &self.shares
    }
}

/// Checks U2, opens every share and makes the masks.
pub(super) fn receive(dealt: &Dealt, terms: &Terms, message: &[u8]) -> Result<(Held, MaskSet), Abort> {
    let (_, inbox) = Inbox::parse(message).map_err(|_| Abort::Invalid)?;
    let (sid, me) = (dealt.sid, terms.place);
    if inbox.set.len() < terms.spec.quorum().u_min() as usize {
        return Err(Abort::TooSmall);
    }
    if !inbox.set.contains(&me) {
        return Err(Abort::NotInSet);
    }
    // Of U1's other nodes, those of U2: each once, as both ascend.
    let in_u2 = |peer: &&Peer| inbox.set.binary_search(&peer.place).is_ok();
    let peers: Vec<&Peer> = dealt.peers.iter().filter(in_u2).collect();
    let within_u1 = peers.len() + 1 == inbox.set.len();
    if !within_u1 || !peers.iter().map(|peer| peer.place).eq(inbox.entries.iter().map(|entry| entry.place)) {
        return Err(Abort::Invalid);
    }
    // Room for all: a vector that grows leaves secrets behind.
    let mut shares = Vec::with_capacity(inbox.set.len());
    for (peer, entry) in peers.iter().zip(&inbox.entries) {
        let dealer = peer.place;
        let key = keys::share_key(sid, &peer.enc, dealer, me);
        let (mask, own) =
            sealed::open(&key, (sid, dealer, me), &entry.commitments, &entry.ciphertext).ok_or(Abort::Share(dealer))?;
        let pair = Pair { mask, own };
        if pair.commitments(sid, dealer, me) != entry.commitments {
            return Err(Abort::Share(dealer));
        }
        shares.push((dealer, pair));
    }
    let before = peers.partition_point(|peer| peer.place < me);
    shares.insert(before, (me, Pair { mask: dealt.own.mask.again(), own: dealt.own.own.again() }));
    let u2h = keys::u2_hash(sid, &inbox.set);
    let self_seed = keys::self_seed(sid, &dealt.sigma_b, u2h, me);
    let pairs = peers.iter().map(|peer| (peer.place, &peer.mask));
    let masks = MaskSet::new((terms.round, sid, u2h), me, self_seed, pairs);
    Ok((Held { sid, u2h, shares }, masks))
}
