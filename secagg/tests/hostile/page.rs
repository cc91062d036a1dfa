//! The formulas of the format page, written a second time: the attacker computes
//! with nothing of the crate but its message types.

use curve25519_dalek::Scalar;
use koonti_disclosure::Digest;
use koonti_secagg::message::{Advert, Commitments};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

/// Secret bytes, or a public key.
pub(crate) type Bytes = [u8; 32];

/// Which of a dealer's two secrets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Half {
    /// `sigma_m`, which opens pairwise masks.
    Mask,
    /// `sigma_b`, which opens the own mask.
    Own,
}

fn pack(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u32).to_be_bytes(), *part].concat()).collect()
}

fn hash(parts: &[&[u8]]) -> Digest {
    Digest::of(&pack(parts))
}

fn hmac(key: &[u8], message: &[u8]) -> Bytes {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().unwrap()
}

fn kdf(salt: Digest, input: &Bytes, info: &[&[u8]]) -> Bytes {
    let key = hmac(&salt.0, input);
    hmac(&key, &[pack(info), vec![1]].concat())
}

fn set(places: &[u16]) -> Vec<u8> {
    places.iter().flat_map(|place| place.to_be_bytes()).collect()
}

/// The session of these adverts, places ascending.
pub(crate) fn session(round: Digest, roster: Digest, u1: &[Advert]) -> Digest {
    let adverts: Vec<u8> = u1.iter().flat_map(|advert| advert.unsigned(round)).collect();
    hash(&[b"koonti/v1/secagg/session", &round.0, &roster.0, &adverts])
}

pub(crate) fn u2_hash(sid: Digest, u2: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u2", &sid.0, &set(u2)])
}

pub(crate) fn u3_hash(sid: Digest, u2h: Digest, u3: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u3", &sid.0, &u2h.0, &set(u3)])
}

pub(crate) fn self_commitment(round: Digest, place: u16, sigma_b: &Scalar) -> Digest {
    hash(&[b"koonti/v1/secagg/self-commitment", &round.0, &place.to_be_bytes(), sigma_b.as_bytes()])
}

pub(crate) fn share_commitment(sid: Digest, half: Half, (dealer, holder): (u16, u16), share: &Bytes) -> Digest {
    let half: &[u8] = if half == Half::Mask { b"mask" } else { b"self" };
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    hash(&[b"koonti/v1/secagg/share-commitment", &sid.0, half, &dealer, &holder, share])
}

/// Both commitments to what `dealer` deals to `holder`.
pub(crate) fn commitments(sid: Digest, route: (u16, u16), shares: &[Bytes; 2]) -> Commitments {
    Commitments {
        mask: share_commitment(sid, Half::Mask, route, &shares[0]),
        own: share_commitment(sid, Half::Own, route, &shares[1]),
    }
}

pub(crate) fn mask_sk(round: Digest, place: u16, sigma_m: &Scalar) -> Bytes {
    kdf(round, sigma_m.as_bytes(), &[b"koonti/v1/secagg/mask-key", &place.to_be_bytes()])
}

pub(crate) fn public(secret: Bytes) -> Bytes {
    x25519(secret, X25519_BASEPOINT_BYTES)
}

pub(crate) fn agree(secret: Bytes, public: Bytes) -> Bytes {
    x25519(secret, public)
}

pub(crate) fn pair_seed(sid: Digest, shared: &Bytes, u2h: Digest, one: u16, other: u16) -> Bytes {
    let (low, high) = (one.min(other).to_be_bytes(), one.max(other).to_be_bytes());
    kdf(sid, shared, &[b"koonti/v1/secagg/pair", &u2h.0, &low, &high])
}

pub(crate) fn self_seed(sid: Digest, sigma_b: &Scalar, u2h: Digest, place: u16) -> Bytes {
    kdf(sid, sigma_b.as_bytes(), &[b"koonti/v1/secagg/self", &u2h.0, &place.to_be_bytes()])
}

/// The first bytes of a mask stream.
pub(crate) fn stream(u2h: Digest, seed: &Bytes, w: u32, bits: u8, length: usize) -> Vec<u8> {
    let key = kdf(u2h, seed, &[b"koonti/v1/secagg/stream", &w.to_be_bytes(), &[bits]]);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let mut out = vec![0; length];
    for (j, chunk) in (0u64..).zip(out.chunks_mut(1 << 20)) {
        let nonce = [&[0; 4][..], &j.to_be_bytes()].concat();
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let _tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), chunk).unwrap();
    }
    out
}

fn sealing(sid: Digest, shared: &Bytes, (dealer, holder): (u16, u16), com: &Commitments) -> (LessSafeKey, Vec<u8>) {
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    let key = kdf(sid, shared, &[b"koonti/v1/secagg/share-key", &dealer, &holder]);
    let aad = pack(&[b"koonti/v1/secagg/share", &sid.0, &dealer, &holder, &com.mask.0, &com.own.0]);
    (LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap()), aad)
}

/// Encrypts two shares on their way from dealer to holder.
pub(crate) fn seal(sid: Digest, shared: &Bytes, route: (u16, u16), com: &Commitments, shares: &[Bytes; 2]) -> [u8; 80] {
    let (key, aad) = sealing(sid, shared, route, com);
    let mut bytes = shares.concat();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes).unwrap();
    bytes.try_into().unwrap()
}

/// Decrypts them again; none when they are not authentic.
pub(crate) fn open(
    sid: Digest,
    shared: &Bytes,
    route: (u16, u16),
    com: &Commitments,
    ciphertext: &[u8; 80],
) -> Option<[Bytes; 2]> {
    let (key, aad) = sealing(sid, shared, route, com);
    let mut bytes = ciphertext.to_vec();
    let opened = key.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::from(aad), &mut bytes).ok()?;
    Some([opened[..32].try_into().unwrap(), opened[32..].try_into().unwrap()])
}

fn point(place: u16) -> Scalar {
    Scalar::from(u32::from(place) + 1)
}

/// The share of a place of the polynomial with these coefficients, the secret first.
pub(crate) fn share(coefficients: &[Scalar], place: u16) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |value, coefficient| value * point(place) + coefficient)
}

/// The value at 0 of the one polynomial of least degree through these shares.
pub(crate) fn interpolate(shares: &[(u16, Scalar)]) -> Scalar {
    let weight = |i: usize| -> Scalar {
        let others = shares.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, (place, _))| point(*place));
        let (above, below): (Vec<Scalar>, Vec<Scalar>) = others.map(|x| (x, x - point(shares[i].0))).unzip();
        above.iter().product::<Scalar>() * below.iter().product::<Scalar>().invert()
    };
    shares.iter().enumerate().map(|(i, (_, share))| weight(i) * share).sum()
}

/// What a node drew for a round, read as the page says.
pub(crate) struct Secrets {
    pub(crate) sigma_m: Scalar,
    pub(crate) sigma_b: Scalar,
    pub(crate) mask_sk: Bytes,
    pub(crate) enc_sk: Bytes,
    /// The polynomials of both secrets, these included; the secrets alone before
    /// shares are dealt.
    pub(crate) polynomials: [Vec<Scalar>; 2],
}

impl Secrets {
    /// Reads the bytes that a node drew, from the beginning of its round on.
    pub(crate) fn read(drawn: &[u8], round: Digest, place: u16) -> Self {
        let wide = |at: usize| Scalar::from_bytes_mod_order_wide(drawn[at..at + 64].try_into().unwrap());
        let (sigma_m, sigma_b) = (wide(0), wide(64));
        let count = (drawn.len() - 176) / 128;
        let polynomial = |secret, from: usize| {
            let coefficients = (0..count).map(|i| wide(176 + 64 * (from + i)));
            std::iter::once(secret).chain(coefficients).collect()
        };
        Self {
            mask_sk: mask_sk(round, place, &sigma_m),
            enc_sk: drawn[128..160].try_into().unwrap(),
            polynomials: [polynomial(sigma_m, 0), polynomial(sigma_b, count)],
            sigma_m,
            sigma_b,
        }
    }

    /// The two shares of a holder.
    pub(crate) fn shares(&self, holder: u16) -> [Bytes; 2] {
        [0, 1].map(|half| share(&self.polynomials[half], holder).to_bytes())
    }
}
