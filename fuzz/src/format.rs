//! Formulas of the format page, written a second time: what the code under test
//! says is not taken from itself.

use koonti_disclosure::Digest;
use koonti_secagg::message::{Commitments, Entry};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use ring::signature::{ED25519, UnparsedPublicKey};
use x25519_dalek::{PublicKey, StaticSecret};

/// The parts, each behind its length.
fn pack(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u32).to_be_bytes(), *part].concat()).collect()
}

fn hash(parts: &[&[u8]]) -> Digest {
    Digest::of(&pack(parts))
}

/// Places as they are written.
pub(crate) fn set(places: &[u16]) -> Vec<u8> {
    places.iter().flat_map(|place| place.to_be_bytes()).collect()
}

/// The session, of the adverts without signatures.
pub(crate) fn sid(round: Digest, roster: Digest, adverts: &[u8]) -> Digest {
    hash(&[b"koonti/v1/secagg/session", &round.0, &roster.0, adverts])
}

/// What names U2.
pub(crate) fn u2h(sid: Digest, u2: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u2", &sid.0, &set(u2)])
}

/// What names U3.
pub(crate) fn u3h(sid: Digest, u2h: Digest, u3: &[u16]) -> Digest {
    hash(&[b"koonti/v1/secagg/u3", &sid.0, &u2h.0, &set(u3)])
}

/// The commitment to a share; `half` is "mask" or "self".
pub(crate) fn share(sid: Digest, half: &str, dealer: u16, holder: u16, share: &[u8; 32]) -> Digest {
    let (dealer, holder) = (dealer.to_be_bytes(), holder.to_be_bytes());
    hash(&[b"koonti/v1/secagg/share-commitment", &sid.0, half.as_bytes(), &dealer, &holder, share])
}

/// Whether a signature of this label and message is that of the key.
pub(crate) fn signed(key: Digest, label: &str, message: &[u8], signature: &[u8; 64]) -> bool {
    let message = [label.as_bytes(), b"\0", message].concat();
    UnparsedPublicKey::new(&ED25519, key.0).verify(&message, signature).is_ok()
}

/// From whom two shares go to whom, and the X25519 keys that they go under.
pub(crate) struct Route {
    pub(crate) sid: Digest,
    pub(crate) dealer: u16,
    pub(crate) holder: u16,
    /// The dealer's secret key.
    pub(crate) secret: [u8; 32],
    /// The holder's public key.
    pub(crate) public: [u8; 32],
}

impl Route {
    /// Opens an entry, changes the shares of `sigma_m` and `sigma_b` in it, and closes it
    /// again with commitments to what it holds now, or to what `promise` makes of them.
    /// An entry of another route stays.
    pub(crate) fn reseal(
        &self,
        entry: &mut Entry,
        change: impl FnOnce(&mut [u8; 64]),
        promise: impl FnOnce(&mut Commitments),
    ) {
        let mut bytes = entry.ciphertext;
        let aad = Aad::from(self.aad(&entry.commitments));
        let Ok(plain) = self.cipher().open_in_place(nonce(), aad, &mut bytes) else { return };
        let mut shares: [u8; 64] = (&*plain).try_into().expect("two shares");
        change(&mut shares);
        let (mask, own) = (shares[..32].try_into().expect("32 bytes"), shares[32..].try_into().expect("32 bytes"));
        entry.commitments = Commitments {
            mask: share(self.sid, "mask", self.dealer, self.holder, mask),
            own: share(self.sid, "self", self.dealer, self.holder, own),
        };
        promise(&mut entry.commitments);
        let mut sealed = shares.to_vec();
        let aad = Aad::from(self.aad(&entry.commitments));
        self.cipher().seal_in_place_append_tag(nonce(), aad, &mut sealed).expect("64 bytes are few");
        entry.ciphertext = sealed.try_into().expect("two shares and a tag");
    }

    fn cipher(&self) -> LessSafeKey {
        let shared = StaticSecret::from(self.secret).diffie_hellman(&PublicKey::from(self.public));
        let (dealer, holder) = (self.dealer.to_be_bytes(), self.holder.to_be_bytes());
        let info = pack(&[b"koonti/v1/secagg/share-key", &dealer, &holder]);
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &self.sid.0).extract(shared.as_bytes());
        let info = [info.as_slice()];
        LessSafeKey::new(UnboundKey::from(prk.expand(&info, &AES_256_GCM).expect("32 bytes are few")))
    }

    fn aad(&self, commitments: &Commitments) -> Vec<u8> {
        let (dealer, holder) = (self.dealer.to_be_bytes(), self.holder.to_be_bytes());
        pack(&[b"koonti/v1/secagg/share", &self.sid.0, &dealer, &holder, &commitments.mask.0, &commitments.own.0])
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
