//! Keys of notes: names, ids, and what each kind of key signs.
//!
//! A log key signs checkpoints; a witness key signs that it saw one, and when. They
//! are different types with different ids. A cosignature does not commit to the
//! witness's name, so a witness must use its key for nothing else: the seeds of a
//! log key and of a witness key, or of two witnesses, are never the same.

use super::{Error, Signature};
use crate::text::{LARGEST, base64, unbase64};
use koonti_disclosure::Digest;
use koonti_disclosure::names::{hex, unhex};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use zeroize::Zeroizing;

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Checkpoints of its own log: Ed25519 over the text, algorithm 0x01.
    Log,
    /// Others' checkpoints, with the time: Ed25519 `cosignature/v1`, algorithm 0x04.
    Witness,
}

/// A public key by name: `name+id+base64` as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    kind: Kind,
    public: Digest,
    id: [u8; 4],
}

impl VerifierKey {
    /// The key called `name` with the given 32 bytes of Ed25519.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn new(name: &str, kind: Kind, public: Digest) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::Name);
        }
        let hash = Digest::of(&[name.as_bytes(), b"\n", &kind.encoding(public)].concat());
        let [a, b, c, d, ..] = hash.0;
        Ok(Self { name: name.to_owned(), kind, public, id: [a, b, c, d] })
    }

    /// Reads a key from its text form.
    ///
    /// # Errors
    /// When the text is not a key, its algorithm is not known here, or its id is not
    /// that of name and key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // The base64 may have a plus of its own, a name may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Key("it has three parts with a plus between"));
        };
        let id = unhex::<4>(id).map_err(|_| Error::Key("its id has eight lower-case hex digits"))?;
        let key = unbase64(key).ok_or(Error::Key("its last part is not base64"))?;
        let (kind, public) = match key.split_first() {
            Some((1, public)) => (Kind::Log, public),
            Some((4, public)) => (Kind::Witness, public),
            _ => return Err(Error::Key("its algorithm is neither Ed25519 nor cosignature/v1")),
        };
        let public = public.try_into().map_err(|_| Error::Key("Ed25519 keys have 32 bytes"))?;
        let key = Self::new(name, kind, Digest(public))?;
        if key.id == id { Ok(key) } else { Err(Error::Key("its id belongs to another name or key")) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its 32 bytes of Ed25519.
    pub fn public(&self) -> Digest {
        self.public
    }

    /// Its id, which tells keys of one name apart; not a cryptographic hash.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Checks a signature over `text`; gives the time when it is a witness's.
    pub(super) fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, Error> {
        let bad = || Error::Signature(self.name.clone());
        let (time, message, signature) = match self.kind {
            Kind::Log => (None, text.to_owned(), signature),
            Kind::Witness => {
                let (time, signature) = signature.split_first_chunk().ok_or_else(bad)?;
                let time = u64::from_be_bytes(*time);
                (Some(time), cosigned(text, time).ok_or_else(bad)?, signature)
            }
        };
        let key = UnparsedPublicKey::new(&ED25519, self.public.0);
        key.verify(message.as_bytes(), signature).map_err(|_| bad())?;
        Ok(time)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex(&self.id), base64(&self.kind.encoding(self.public)))
    }
}

/// A log's secret key. It signs checkpoints of its own origin only: see
/// [`crate::Checkpoint::sign`].
pub struct LogKey {
    secret: Secret,
}

impl LogKey {
    /// The key called `name` of a secret seed.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        Ok(Self { secret: Secret::new(name, Kind::Log, seed)? })
    }

    /// The public key.
    pub fn verifier(&self) -> &VerifierKey {
        &self.secret.verifier
    }

    pub(crate) fn sign(&self, text: &str) -> Signature {
        self.secret.sign(text, &[])
    }
}

/// A witness's secret key. It signs checkpoints of others with the time: see
/// [`crate::Checkpoint::cosign`].
pub struct WitnessKey {
    secret: Secret,
}

impl WitnessKey {
    /// The key called `name` of a secret seed.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        Ok(Self { secret: Secret::new(name, Kind::Witness, seed)? })
    }

    /// The public key.
    pub fn verifier(&self) -> &VerifierKey {
        &self.secret.verifier
    }

    pub(crate) fn cosign(&self, text: &str, time: u64) -> Result<Signature, Error> {
        let message = cosigned(text, time).ok_or(Error::Time)?;
        Ok(self.secret.sign(&message, &time.to_be_bytes()))
    }
}

struct Secret {
    seed: Zeroizing<[u8; 32]>,
    verifier: VerifierKey,
}

impl Secret {
    fn new(name: &str, kind: Kind, seed: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        let public = Digest(pair(&seed).public_key().as_ref().try_into().expect("Ed25519 keys have 32 bytes"));
        Ok(Self { seed, verifier: VerifierKey::new(name, kind, public)? })
    }

    /// The line of a signature over `message`, behind the bytes `before`.
    fn sign(&self, message: &str, before: &[u8]) -> Signature {
        let signature = pair(&self.seed).sign(message.as_bytes());
        let VerifierKey { name, id, .. } = &self.verifier;
        Signature { name: name.clone(), key_id: *id, bytes: [before, signature.as_ref()].concat() }
    }
}

impl Kind {
    fn encoding(self, public: Digest) -> Vec<u8> {
        let algorithm = match self {
            Self::Log => 1,
            Self::Witness => 4,
        };
        [&[algorithm][..], &public.0].concat()
    }
}

/// Made anew for each signature, since ring does not wipe what it expands a seed to.
fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed")
}

/// What a witness signs; none when the time is too large.
fn cosigned(text: &str, time: u64) -> Option<String> {
    (time <= LARGEST).then(|| format!("cosignature/v1\ntime {time}\n{text}"))
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c < ' ' || c == '+')
}

#[cfg(test)]
mod tests;
