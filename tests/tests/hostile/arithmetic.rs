//! What a coordinator can compute from what it has heard: the format page's
//! formulas once more, since `koonti-secagg` keeps its own to itself.

use curve25519_dalek::Scalar;
use koonti_disclosure::Digest;
use koonti_disclosure::masked::CHUNK_BYTES;
use koonti_secagg::message::Advert;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;
use std::collections::BTreeMap;
use x25519_dalek::{PublicKey, StaticSecret};

/// What is public of one round.
pub(crate) struct Open {
    pub(crate) round: Digest,
    pub(crate) sid: Digest,
    pub(crate) u2h: Digest,
    pub(crate) adverts: BTreeMap<u16, Advert>,
}

impl Open {
    /// A round of these adverts and this U2.
    pub(crate) fn new(round: Digest, roster: Digest, adverts: &[Advert], u2: &[u16]) -> Self {
        let sid = session(round, roster, adverts);
        let adverts = adverts.iter().map(|advert| (advert.place, advert.clone())).collect();
        Self { round, sid, u2h: u2_hash(sid, u2), adverts }
    }

    /// What a node signs that confirms this U3.
    pub(crate) fn signed(&self, u3: &[u16]) -> Vec<u8> {
        let u3h = hash(&[b"koonti/v1/secagg/u3", &self.sid.0, &self.u2h.0, &set(u3)]);
        [self.round.0, u3h.0].concat()
    }

    /// The mask key of a node, from the secret behind it; checked against its advert.
    pub(crate) fn mask_key(&self, place: u16, sigma_m: &Scalar) -> StaticSecret {
        let key = kdf(self.round, sigma_m.as_bytes(), &[b"koonti/v1/secagg/mask-key", &place.to_be_bytes()]);
        let key = StaticSecret::from(key);
        assert_eq!(PublicKey::from(&key).to_bytes(), self.adverts[&place].mask_pk, "the mask key of place {place}");
        key
    }

    /// The seed of a node's own mask, from the secret behind it; checked likewise.
    pub(crate) fn own_seed(&self, place: u16, sigma_b: &Scalar) -> [u8; 32] {
        let place_bytes = place.to_be_bytes();
        let commit = hash(&[b"koonti/v1/secagg/self-commitment", &self.round.0, &place_bytes, sigma_b.as_bytes()]);
        assert_eq!(commit, self.adverts[&place].commit, "the own secret of place {place}");
        kdf(self.sid, sigma_b.as_bytes(), &[b"koonti/v1/secagg/self", &self.u2h.0, &place_bytes])
    }

    /// The seed that the node with this key shares with another.
    pub(crate) fn pair_seed(&self, place: u16, key: &StaticSecret, other: u16) -> [u8; 32] {
        let shared = key.diffie_hellman(&PublicKey::from(self.adverts[&other].mask_pk));
        let (low, high) = (place.min(other).to_be_bytes(), place.max(other).to_be_bytes());
        kdf(self.sid, shared.as_bytes(), &[b"koonti/v1/secagg/pair", &self.u2h.0, &low, &high])
    }

    /// The stream of a seed for a single vector of 32-bit words.
    pub(crate) fn stream(&self, seed: &[u8; 32], words: usize) -> Vec<u32> {
        assert!(4 * words <= CHUNK_BYTES, "one chunk is enough here");
        let key = kdf(self.u2h, seed, &[b"koonti/v1/secagg/stream", &0u32.to_be_bytes(), &[32]]);
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes"));
        let mut bytes = vec![0; 4 * words];
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let _tag = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut bytes).expect("short");
        self::words(&bytes)
    }
}

/// The session of a round.
pub(crate) fn session(round: Digest, roster: Digest, adverts: &[Advert]) -> Digest {
    let adverts: Vec<u8> = adverts.iter().flat_map(|advert| advert.unsigned(round)).collect();
    hash(&[b"koonti/v1/secagg/session", &round.0, &roster.0, &adverts])
}

fn u2_hash(sid: Digest, u2: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u2", &sid.0, &set(u2)])
}

fn set(places: &[u16]) -> Vec<u8> {
    places.iter().flat_map(|place| place.to_be_bytes()).collect()
}

/// Little-endian words.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("4 bytes"))).collect()
}

/// Adds one vector to another, or takes it off.
pub(crate) fn add(to: &mut [u32], what: &[u32], plus: bool) {
    for (to, what) in to.iter_mut().zip(what) {
        *to = if plus { to.wrapping_add(*what) } else { to.wrapping_sub(*what) };
    }
}

/// The secret whose shares these are, by Lagrange interpolation at 0.
pub(crate) fn interpolate(shares: &[(u16, [u8; 32])]) -> Scalar {
    let x = |place: u16| Scalar::from(u32::from(place) + 1);
    let term = |(i, (place, share)): (usize, &(u16, [u8; 32]))| {
        let others = || shares.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, (other, _))| x(*other));
        let above: Scalar = others().product();
        let below: Scalar = others().map(|other| other - x(*place)).product();
        Scalar::from_canonical_bytes(*share).expect("a scalar") * above * below.invert()
    };
    shares.iter().enumerate().map(term).sum()
}

fn pack(parts: &[&[u8]]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).expect("short").to_be_bytes();
    parts.iter().flat_map(|part| [&length(part), *part].concat()).collect()
}

fn hash(parts: &[&[u8]]) -> Digest {
    Digest::of(&pack(parts))
}

struct Thirty2;

impl hkdf::KeyType for Thirty2 {
    fn len(&self) -> usize {
        32
    }
}

fn kdf(salt: Digest, input: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut key = [0; 32];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &salt.0);
    let info = pack(parts);
    salt.extract(input).expand(&[&info], Thirty2).and_then(|okm| okm.fill(&mut key)).expect("32 bytes");
    key
}
