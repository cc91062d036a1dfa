//! Signatures: Ed25519 over labelled messages of a closed list.
//!
//! A key signs a request, a release, a masked input, a message of a regional
//! round, its own enrolment or the renewal of its certificate, the rules of a node or who approves them, or (the
//! governance key) a roster, and nothing else.
//! Of these, two are made from client records, and both only in their own types:
//! [`Release`] and [`MaskedInput`]. The label is part of what is signed, so no
//! signature of one kind passes for another. Randomness is passed in as a seed.

use crate::canonical::{self, Json};
use crate::masked::{self, MaskedInput};
use crate::names::{Digest, Name, hex, unhex};
use crate::release::Release;
use crate::request::{self, TableRequest};
use crate::roster::{LogKeys, Roster, SignedRoster};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A party's long-term Ed25519 key.
pub struct IdentityKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

/// Why a signature or signed message is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The signature does not verify under the key.
    #[error("the signature does not verify")]
    Signature,
    /// The message is not of the expected shape.
    #[error("not a signed message: {0}")]
    Shape(#[from] canonical::Error),
    /// The request inside is not one.
    #[error("{0}")]
    Request(#[from] request::Error),
}

enum Label {
    Request,
    Release,
    Roster,
    Enrolment,
    Renewal,
    Masked,
    Policy,
    PolicyAfter,
    Approvers,
    ApproversAfter,
    Round(RoundLabel),
}

/// The messages of a regional round that a node signs, masked inputs aside. They
/// are made of keys, sets and hashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundLabel {
    /// Its keys for the round.
    Advert,
    /// The encrypted shares of its secrets.
    Shares,
    /// The set of survivors that it lets be opened.
    Survivors,
    /// That it has erased its secrets and unmasks nothing.
    Abort,
}

/// What a requester's signature allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// To be told the cost. Nothing may be spent on it.
    Quote,
    /// To spend the cost and answer.
    Ask,
}

impl IdentityKey {
    /// The key of a secret seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("every 32 bytes are a seed");
        Self { seed: Zeroizing::new(seed), pair }
    }

    /// The seed in hex, for the key file (mode 0600).
    pub fn seed_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&*self.seed))
    }

    /// The public key.
    pub fn public(&self) -> Digest {
        Digest(self.pair.public_key().as_ref().try_into().expect("Ed25519 keys have 32 bytes"))
    }

    /// Signs a release of this node.
    pub fn sign_release(&self, release: &Release) -> SignedRelease {
        let signature = self.sign(&Label::Release, release.bytes());
        SignedRelease { bytes: release.bytes().to_vec(), signature }
    }

    /// Signs a question: it then counts as asked (or as to be quoted) by
    /// `requester` until `not_after` (Unix time, seconds).
    pub fn sign_request(
        &self,
        request: TableRequest,
        requester: Name,
        not_after: u64,
        intent: Intent,
    ) -> SignedRequest {
        let signature = self.sign(&Label::Request, &request_message(&request, &requester, not_after, intent));
        let wire = SignedRequestWire {
            intent,
            not_after,
            request: request.json(),
            requester: requester.clone(),
            signature: hex(&signature),
        };
        let json = Json::of(&wire).expect("names, integers and hex");
        SignedRequest { json, request, requester, not_after, intent, signature }
    }

    /// Proves, at enrolment, that the key belongs to whoever made the CSR, and that
    /// its owner's log has these keys.
    pub fn sign_enrolment(&self, csr_pem: &str, logs: Option<&LogKeys>) -> [u8; 64] {
        self.sign(&Label::Enrolment, &enrolment_message(csr_pem, logs))
    }

    /// Proves, at a renewal, that the member wants a certificate for the key in the CSR.
    pub fn sign_renewal(&self, csr_pem: &str) -> [u8; 64] {
        self.sign(&Label::Renewal, csr_pem.as_bytes())
    }

    /// Signs a roster with the region's governance key.
    pub fn sign_roster(&self, roster: Roster) -> SignedRoster {
        let signature = self.sign(&Label::Roster, roster.bytes());
        SignedRoster { roster, signature }
    }

    /// Signs a masked input of this node.
    pub fn sign_masked(&self, input: &MaskedInput) -> [u8; 64] {
        self.sign(&Label::Masked, &input.signed_message())
    }

    /// Approves the rules of a node, by their hash, once: behind what its log has
    /// approved before.
    pub fn sign_policy(&self, after: Digest, policy: Digest) -> [u8; 64] {
        self.sign(&Label::PolicyAfter, &joined(&[after, policy]))
    }

    /// Approves these keys as those of a node's approvers from now on, once.
    pub fn sign_approvers(&self, after: Digest, keys: &[Digest]) -> [u8; 64] {
        self.sign(&Label::ApproversAfter, &joined(&[&[after], keys].concat()))
    }

    /// Signs a message of a regional round.
    pub fn sign_round(&self, label: RoundLabel, message: &[u8]) -> [u8; 64] {
        self.sign(&Label::Round(label), message)
    }

    fn sign(&self, label: &Label, bytes: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(&message(label, bytes));
        signature.as_ref().try_into().expect("Ed25519 signatures have 64 bytes")
    }
}

/// A release with its node's signature: what is stored and sent.
pub struct SignedRelease {
    bytes: Vec<u8>,
    signature: [u8; 64],
}

impl SignedRelease {
    /// Takes back a release that `key` has signed.
    ///
    /// # Errors
    /// When the signature does not verify.
    pub fn verify(bytes: Vec<u8>, signature: [u8; 64], key: Digest) -> Result<Self, Error> {
        check(&Label::Release, &bytes, &signature, key)?;
        Ok(Self { bytes, signature })
    }

    /// The release's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }
}

/// A question with its requester's signature.
#[derive(Clone)]
pub struct SignedRequest {
    json: Json,
    request: TableRequest,
    requester: Name,
    not_after: u64,
    intent: Intent,
    signature: [u8; 64],
}

#[derive(Serialize, Deserialize)]
struct SignedRequestWire {
    intent: Intent,
    not_after: u64,
    request: Json,
    requester: Name,
    signature: String,
}

#[derive(Serialize)]
struct RequestMessage<'a> {
    id: Digest,
    intent: Intent,
    not_after: u64,
    region: &'a Name,
    requester: &'a Name,
}

impl SignedRequest {
    /// Reads a signed question. Its signature is *not* checked here, since the
    /// key stands in a roster: see [`SignedRequest::verify`].
    ///
    /// # Errors
    /// When the bytes are not canonical or the question is not one of any codebook
    /// ever shipped.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let wire: SignedRequestWire = canonical::from_bytes(bytes)?;
        let request = TableRequest::read(wire.request.bytes())?;
        let signature = unhex(&wire.signature).map_err(|_| Error::Signature)?;
        let SignedRequestWire { intent, not_after, requester, .. } = wire;
        Ok(Self { json: Json::written(bytes), request, requester, not_after, intent, signature })
    }

    /// The canonical bytes, signature included.
    pub fn bytes(&self) -> &[u8] {
        self.json.bytes()
    }

    /// The same, to be embedded.
    pub fn json(&self) -> Json {
        self.json.clone()
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// When it does not verify under `key`.
    pub fn verify(&self, key: Digest) -> Result<(), Error> {
        check(
            &Label::Request,
            &request_message(&self.request, &self.requester, self.not_after, self.intent),
            &self.signature,
            key,
        )
    }

    /// The question.
    pub fn request(&self) -> &TableRequest {
        &self.request
    }

    /// Who says they ask.
    pub fn requester(&self) -> &Name {
        &self.requester
    }

    /// What the signature allows.
    pub fn intent(&self) -> Intent {
        self.intent
    }

    /// Until when the question stands, Unix time in seconds.
    pub fn not_after(&self) -> u64 {
        self.not_after
    }
}

/// Checks a newcomer's proof that the identity key is theirs.
///
/// # Errors
/// When the signature does not verify under `key`.
pub fn check_enrolment(csr_pem: &str, logs: Option<&LogKeys>, signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    check(&Label::Enrolment, &enrolment_message(csr_pem, logs), signature, key)
}

/// Checks a member's proof that the key in the CSR is theirs.
///
/// # Errors
/// When the signature does not verify under `key`.
pub fn check_renewal(csr_pem: &str, signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    check(&Label::Renewal, csr_pem.as_bytes(), signature, key)
}

fn enrolment_message(csr_pem: &str, logs: Option<&LogKeys>) -> Vec<u8> {
    // A PEM text has no zero byte.
    let keys = logs.map(|keys| [&[0], &keys.log.0[..], &keys.witness.0].concat()).unwrap_or_default();
    [csr_pem.as_bytes(), &keys].concat()
}

/// Checks the signature of a message of a regional round.
///
/// # Errors
/// When it does not verify under `key`.
pub fn check_round(label: RoundLabel, message: &[u8], signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    check(&Label::Round(label), message, signature, key)
}

/// Checks the signature of a masked input of `bytes` bytes whose chunk hashes hash
/// to `hash`.
///
/// # Errors
/// When it does not verify under `key`.
pub fn check_masked(
    (round, set): (Digest, Digest),
    bytes: u64,
    hash: Digest,
    signature: &[u8; 64],
    key: Digest,
) -> Result<(), Error> {
    check(&Label::Masked, &masked::signed_message((round, set), bytes, hash), signature, key)
}

/// Checks an approval of a node's rules. Without `after` it is one of an earlier version,
/// which says neither when nor at which node.
///
/// # Errors
/// When it does not verify under `key`.
pub fn check_policy(after: Option<Digest>, policy: Digest, signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    match after {
        Some(after) => check(&Label::PolicyAfter, &joined(&[after, policy]), signature, key),
        None => check(&Label::Policy, &policy.0, signature, key),
    }
}

/// Checks an approval of a node's next approvers, likewise.
///
/// # Errors
/// When it does not verify under `key`.
pub fn check_approvers(after: Option<Digest>, keys: &[Digest], signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    match after {
        Some(after) => check(&Label::ApproversAfter, &joined(&[&[after], keys].concat()), signature, key),
        None => check(&Label::Approvers, &joined(keys), signature, key),
    }
}

fn joined(digests: &[Digest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| digest.0).collect()
}

pub(crate) fn check_roster(roster: &Roster, signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    check(&Label::Roster, roster.bytes(), signature, key)
}

fn request_message(request: &TableRequest, requester: &Name, not_after: u64, intent: Intent) -> Vec<u8> {
    let message = RequestMessage { id: request.id(), intent, not_after, region: request.region(), requester };
    canonical::to_bytes(&message).expect("names, integers and hex")
}

fn check(label: &Label, bytes: &[u8], signature: &[u8; 64], key: Digest) -> Result<(), Error> {
    UnparsedPublicKey::new(&ED25519, key.0).verify(&message(label, bytes), signature).map_err(|_| Error::Signature)
}

fn message(label: &Label, bytes: &[u8]) -> Vec<u8> {
    let label: &[u8] = match label {
        Label::Request => b"koonti/v1/request\0",
        Label::Release => b"koonti/v1/release\0",
        Label::Roster => b"koonti/v1/roster\0",
        Label::Enrolment => b"koonti/v1/enrolment\0",
        Label::Renewal => b"koonti/v1/renewal\0",
        Label::Masked => b"koonti/v1/masked\0",
        Label::Policy => b"koonti/v1/policy\0",
        Label::PolicyAfter => b"koonti/v1/policy-after\0",
        Label::Approvers => b"koonti/v1/approvers\0",
        Label::ApproversAfter => b"koonti/v1/approvers-after\0",
        Label::Round(RoundLabel::Advert) => b"koonti/v1/advert\0",
        Label::Round(RoundLabel::Shares) => b"koonti/v1/shares\0",
        Label::Round(RoundLabel::Survivors) => b"koonti/v1/u3\0",
        Label::Round(RoundLabel::Abort) => b"koonti/v1/abort\0",
    };
    [label, bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_one_kind_is_none_of_another() {
        let key = IdentityKey::from_seed([7; 32]);
        let signature = key.sign(&Label::Roster, b"{}");
        assert!(check(&Label::Roster, b"{}", &signature, key.public()).is_ok());
        assert_eq!(check(&Label::Request, b"{}", &signature, key.public()), Err(Error::Signature));
        assert!(SignedRelease::verify(b"{}".to_vec(), signature, key.public()).is_err());
    }
}
