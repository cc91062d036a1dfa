//! Phases 1 and 2: this node's keys, then the shares of its two secrets.

use super::Terms;
use crate::keys::{self, Half, Key};
use crate::message::{Advert, Adverts, Commitments, Entry, Shares};
use crate::sealed;
use crate::shamir::{Polynomial, Share};
use crate::{Abort, Randomness};
use koonti_disclosure::Digest;
use koonti_disclosure::identity::{IdentityKey, RoundLabel, check_round};
use std::collections::BTreeSet;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// This node's secrets, before others' keys are known.
pub(super) struct Own {
    sigma_m: Share,
    sigma_b: Share,
    mask_sk: StaticSecret,
    enc_sk: StaticSecret,
    advert: Advert,
}

/// What is left once the shares are dealt: neither `sigma_m` nor a secret key.
pub(super) struct Dealt {
    pub(super) sid: Digest,
    pub(super) sigma_b: Share,
    /// This node's shares of itself.
    pub(super) own: Pair,
    /// The other nodes of U1, ascending.
    pub(super) peers: Vec<Peer>,
}

/// What this node shares with another.
pub(super) struct Peer {
    pub(super) place: u16,
    /// From the encryption keys.
    pub(super) enc: Key,
    /// From the mask keys.
    pub(super) mask: Key,
}

/// One dealer's two shares for this node.
pub(super) struct Pair {
    pub(super) mask: Share,
    pub(super) own: Share,
}

impl Pair {
    pub(super) fn commitments(&self, sid: Digest, dealer: u16, holder: u16) -> Commitments {
        Commitments {
            mask: keys::share_commitment(sid, Half::Mask, dealer, holder, &self.mask),
            own: keys::share_commitment(sid, Half::Own, dealer, holder, &self.own),
        }
    }
}

/// Draws the secrets and signs the advert.
pub(super) fn advertise(
    terms: &Terms,
    identity: &IdentityKey,
    random: &mut dyn Randomness,
) -> Result<(Own, Vec<u8>), Abort> {
    let mut drawn = Zeroizing::new([0; 64 + 64 + 32 + 16]);
    random.fill(&mut *drawn).map_err(|_| Abort::Own)?;
    let (sigma_m, rest) = drawn.split_first_chunk().expect("176 bytes");
    let (sigma_b, rest) = rest.split_first_chunk().expect("112 bytes");
    let (enc_sk, salt) = rest.split_first_chunk::<32>().expect("48 bytes");
    let (sigma_m, sigma_b) = (Share::from_wide(sigma_m), Share::from_wide(sigma_b));
    let enc_sk = StaticSecret::from(*enc_sk);
    let mask_sk = keys::mask_secret(terms.round, terms.place, &sigma_m);
    let mut advert = Advert {
        place: terms.place,
        mask_pk: PublicKey::from(&mask_sk).to_bytes(),
        enc_pk: PublicKey::from(&enc_sk).to_bytes(),
        commit: keys::self_commitment(terms.round, terms.place, &sigma_b),
        salt: salt.try_into().expect("16 bytes"),
        signature: [0; 64],
    };
    advert.signature = identity.sign_round(RoundLabel::Advert, &advert.unsigned(terms.round));
    let message = advert.message(terms.round);
    Ok((Own { sigma_m, sigma_b, mask_sk, enc_sk, advert }, message))
}

/// Checks U1 and deals the shares.
pub(super) fn deal(
    own: &Own,
    terms: &Terms,
    message: &[u8],
    identity: &IdentityKey,
    random: &mut dyn Randomness,
) -> Result<(Dealt, Vec<u8>), Abort> {
    let (_, Adverts(adverts)) = Adverts::parse(message).map_err(|_| Abort::Invalid)?;
    check(&own.advert, &adverts, terms)?;
    let peers = agree(own, &adverts)?;
    let unsigned: Vec<u8> = adverts.iter().flat_map(|advert| advert.unsigned(terms.round)).collect();
    let sid = keys::session(terms.round, terms.spec.roster(), &unsigned);

    let t = terms.spec.quorum().t();
    let sigma_m = Polynomial::draw(&own.sigma_m, t, random).map_err(|_| Abort::Own)?;
    let sigma_b = Polynomial::draw(&own.sigma_b, t, random).map_err(|_| Abort::Own)?;
    let shares_for = |place| Pair { mask: sigma_m.share(place), own: sigma_b.share(place) };
    let own_shares = shares_for(terms.place);
    let entries = peers.iter().map(|peer| {
        let shares = shares_for(peer.place);
        let commitments = shares.commitments(sid, terms.place, peer.place);
        let key = keys::share_key(sid, &peer.enc, terms.place, peer.place);
        let ciphertext = sealed::seal(&key, (sid, terms.place, peer.place), &commitments, &shares.mask, &shares.own);
        Entry { place: peer.place, ciphertext, commitments }
    });
    let mut shares = Shares {
        sid,
        own: own_shares.commitments(sid, terms.place, terms.place),
        entries: entries.collect(),
        signature: [0; 64],
    };
    shares.signature = identity.sign_round(RoundLabel::Shares, &shares.unsigned(terms.round));
    let message = shares.message(terms.round);
    Ok((Dealt { sid, sigma_b: own.sigma_b.again(), own: own_shares, peers }, message))
}

/// Everything that a node demands of U1 but agreement with its keys.
fn check(own: &Advert, adverts: &[Advert], terms: &Terms) -> Result<(), Abort> {
    // Places ascend, so only the last can be too large.
    if adverts.last().is_some_and(|advert| usize::from(advert.place) >= terms.keys.len()) {
        return Err(Abort::Invalid);
    }
    if adverts.len() < terms.spec.quorum().u_min() as usize {
        return Err(Abort::TooSmall);
    }
    let mine = adverts.iter().find(|advert| advert.place == terms.place).ok_or(Abort::NotInSet)?;
    if mine != own {
        return Err(Abort::OwnAdvert);
    }
    for advert in adverts {
        let key = terms.keys[usize::from(advert.place)];
        check_round(RoundLabel::Advert, &advert.unsigned(terms.round), &advert.signature, key)
            .map_err(|_| Abort::Signature(advert.place))?;
    }
    let mut seen = BTreeSet::new();
    let mut fresh = |advert: &Advert| seen.insert(advert.mask_pk) & seen.insert(advert.enc_pk);
    // Its own keys first: whoever repeats them is to blame, not this node.
    fresh(mine);
    let copied = adverts.iter().filter(|advert| advert.place != terms.place).find(|advert| !fresh(advert));
    copied.map_or(Ok(()), |advert| Err(Abort::Keys(advert.place)))
}

fn agree(own: &Own, adverts: &[Advert]) -> Result<Vec<Peer>, Abort> {
    // Room for all: a vector that grows leaves secrets behind.
    let mut peers = Vec::with_capacity(adverts.len());
    for advert in adverts.iter().filter(|advert| advert.place != own.advert.place) {
        let low = Abort::Keys(advert.place);
        let enc = keys::agree(&own.enc_sk, &advert.enc_pk).ok_or(low)?;
        let mask = keys::agree(&own.mask_sk, &advert.mask_pk).ok_or(low)?;
        peers.push(Peer { place: advert.place, enc, mask });
    }
    Ok(peers)
}
