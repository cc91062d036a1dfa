//! The formulas of the format page: what is hashed, and what keys are derived from.
//!
//! Every label stands here once. All parts carry their lengths, so no two lists
//! of parts have one encoding. Derived keys are wiped when dropped; what ring
//! keeps of them on its own stack while it computes is not.

use crate::shamir::Share;
use koonti_disclosure::Digest;
use ring::digest::{Context, SHA256};
use ring::hkdf;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Thirty-two secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn for_test(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Which of a dealer's two secrets a share is of.
#[derive(Clone, Copy)]
pub(crate) enum Half {
    /// Of `sigma_m`, which the pairwise masks come from.
    Mask,
    /// Of `sigma_b`, which the dealer's own mask comes from.
    Own,
}

fn length(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len()).expect("parts are short").to_be_bytes()
}

/// The parts, each behind its length.
pub(crate) fn pack(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| length(part).into_iter().chain(part.iter().copied())).collect()
}

/// SHA-256 of the packed parts, which are copied nowhere: some are secret.
fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&length(part));
        context.update(part);
    }
    Digest(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

struct Thirty2;

impl hkdf::KeyType for Thirty2 {
    fn len(&self) -> usize {
        32
    }
}

fn kdf(salt: Digest, input: &[u8; 32], parts: &[&[u8]]) -> Key {
    let mut key = Key([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, &salt.0)
        .extract(input)
        .expand(&[&pack(parts)], Thirty2)
        .and_then(|okm| okm.fill(&mut key.0))
        .expect("32 bytes are within HKDF's limit");
    key
}

/// A set of nodes as it is written: its places, ascending.
pub(crate) fn set_bytes(set: &[u16]) -> Vec<u8> {
    set.iter().flat_map(|place| place.to_be_bytes()).collect()
}

/// The session: the round and the keys of all who take part. `adverts` is the
/// concatenation of [`crate::message::Advert::unsigned`].
pub(crate) fn session(round: Digest, roster: Digest, adverts: &[u8]) -> Digest {
    hash(&[b"koonti/v1/secagg/session", &round.0, &roster.0, adverts])
}

pub(crate) fn u2_hash(sid: Digest, u2: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u2", &sid.0, &set_bytes(u2)])
}

pub(crate) fn u3_hash(sid: Digest, u2h: Digest, u3: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u3", &sid.0, &u2h.0, &set_bytes(u3)])
}

/// What binds an advert to `sigma_b`.
pub(crate) fn self_commitment(round: Digest, place: u16, sigma_b: &Share) -> Digest {
    hash(&[b"koonti/v1/secagg/self-commitment", &round.0, &place.to_be_bytes(), sigma_b.bytes()])
}

/// What binds a dealer, and later the holder, to a share.
pub(crate) fn share_commitment(sid: Digest, half: Half, dealer: u16, holder: u16, share: &Share) -> Digest {
    let half: &[u8] = match half {
        Half::Mask => b"mask",
        Half::Own => b"self",
    };
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    hash(&[b"koonti/v1/secagg/share-commitment", &sid.0, half, &dealer, &holder, share.bytes()])
}

/// The secret half of a node's mask key.
pub(crate) fn mask_secret(round: Digest, place: u16, sigma_m: &Share) -> StaticSecret {
    let key = kdf(round, sigma_m.bytes(), &[b"koonti/v1/secagg/mask-key", &place.to_be_bytes()]);
    StaticSecret::from(*key.bytes())
}

/// The X25519 result; none when it is all zeros, which a key of low order forces.
pub(crate) fn agree(secret: &StaticSecret, public: &[u8; 32]) -> Option<Key> {
    let shared = secret.diffie_hellman(&PublicKey::from(*public));
    shared.was_contributory().then(|| Key(*shared.as_bytes()))
}

/// The key of the shares that `dealer` sends to `holder`: used for one message.
pub(crate) fn share_key(sid: Digest, shared: &Key, dealer: u16, holder: u16) -> Key {
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    kdf(sid, shared.bytes(), &[b"koonti/v1/secagg/share-key", &dealer, &holder])
}

/// The seed of the mask that two nodes share.
pub(crate) fn pair_seed(sid: Digest, shared: &Key, u2h: Digest, one: u16, other: u16) -> Key {
    let (low, high) = (one.min(other).to_be_bytes(), one.max(other).to_be_bytes());
    kdf(sid, shared.bytes(), &[b"koonti/v1/secagg/pair", &u2h.0, &low, &high])
}

/// The seed of a node's own mask.
pub(crate) fn self_seed(sid: Digest, sigma_b: &Share, u2h: Digest, place: u16) -> Key {
    kdf(sid, sigma_b.bytes(), &[b"koonti/v1/secagg/self", &u2h.0, &place.to_be_bytes()])
}

/// The key of one vector's mask stream.
pub(crate) fn stream_key(u2h: Digest, seed: &Key, w: u32, bits: u8) -> Key {
    kdf(u2h, seed.bytes(), &[b"koonti/v1/secagg/stream", &w.to_be_bytes(), &[bits]])
}
