//! Two shares under way from dealer to holder, through the coordinator.
//!
//! The key is used for one message, so the nonce may be zero. Session, dealer,
//! holder and commitments are authenticated: no ciphertext opens elsewhere.

use crate::keys::{Key, pack};
use crate::message::Commitments;
use crate::shamir::Share;
use koonti_disclosure::Digest;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

const SHARES: usize = 64;

/// Session, dealer and holder.
pub(crate) type Route = (Digest, u16, u16);

/// Encrypts the shares of `sigma_m` and `sigma_b`.
pub(crate) fn seal(key: &Key, route: Route, commitments: &Commitments, mask: &Share, own: &Share) -> [u8; 80] {
    let mut bytes = [0; 80];
    bytes[..32].copy_from_slice(mask.bytes());
    bytes[32..SHARES].copy_from_slice(own.bytes());
    let (nonce, aad) = (zero_nonce(), Aad::from(aad(route, commitments)));
    let tag = cipher(key).seal_in_place_separate_tag(nonce, aad, &mut bytes[..SHARES]).expect("64 bytes are few");
    bytes[SHARES..].copy_from_slice(tag.as_ref());
    bytes
}

/// Decrypts them; none when the ciphertext is not authentic or a scalar is out of
/// range.
pub(crate) fn open(
    key: &Key,
    route: Route,
    commitments: &Commitments,
    ciphertext: &[u8; 80],
) -> Option<(Share, Share)> {
    let mut bytes = Zeroizing::new(*ciphertext);
    let shares = cipher(key).open_in_place(zero_nonce(), Aad::from(aad(route, commitments)), &mut *bytes).ok()?;
    let (mask, own) = shares.split_first_chunk::<32>()?;
    Some((Share::parse(*mask)?, Share::parse(own.try_into().ok()?)?))
}

fn cipher(key: &Key) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a key of 32 bytes"))
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn aad((sid, dealer, holder): Route, commitments: &Commitments) -> Vec<u8> {
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    pack(&[b"koonti/v1/secagg/share", &sid.0, &dealer, &holder, &commitments.mask.0, &commitments.own.0])
}
