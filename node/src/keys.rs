//! The node's secrets: files of mode 0600 in one directory that backups leave
//! out.
//!
//! `tls.key` (the TLS key and its certificate, PEM: both change at one stroke), `tls.crt` (the
//! certificate once more, for other programs) and `ca.crt`, `identity.key`, `log.key` and `witness.key`
//! (Ed25519 seeds, hex), `seal.key` (AES-256 key for extracts and noise seeds, hex) and
//! `member.json` (region, name, governance key). Without `seal.key` the extracts and seeds on
//! disk are noise.

use crate::error::Error;
use koonti_disclosure::canonical;
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name};
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{cosigner, node_origin};
use koonti_proto::edge::CredentialError;
use koonti_proto::edge::pki::Kind;
use koonti_proto::{Credentials, Unfit};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// Who this node is, as pinned at enrolment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    /// The region's governance key.
    pub governance: Digest,
    /// The node's name.
    pub name: Name,
    /// The region.
    pub region: Name,
}

/// The secrets, loaded.
pub struct Keys {
    /// Who this node is.
    pub member: Member,
    /// Signs releases.
    pub identity: IdentityKey,
    /// Signs the checkpoints of this node's log.
    pub log: LogKey,
    /// Cosigns the checkpoints of the coordinator's log.
    pub witness: WitnessKey,
    /// Seals extracts and seeds.
    pub seal: SealKey,
    /// Proves who this node is to the coordinator.
    pub credentials: Credentials,
}

impl Keys {
    /// Loads the secrets of an enrolled node.
    ///
    /// # Errors
    /// When the node is not enrolled, or a file is unreadable or open to others.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let member = dir.join("member.json");
        if !member.exists() {
            return Err(Error::NotEnrolled);
        }
        let bytes = std::fs::read(&member).map_err(|e| Error::file(&member, &e))?;
        let member: Member = canonical::from_bytes(&bytes).map_err(|e| bad(&member, &e.to_string()))?;
        let origin = node_origin(&member.region, &member.name);
        let secret = |name: &str| secret(dir, name);
        let credentials = credentials(dir)?;
        let fit = credentials.check(Kind::Node, &member.region, &member.name);
        fit.map_err(|e| {
            let of_authority = matches!(e, Unfit::Credential(CredentialError::NotOneAuthority(_)));
            bad(&dir.join(if of_authority { "ca.crt" } else { "tls.key" }), &e.to_string())
        })?;
        Ok(Self {
            member,
            identity: IdentityKey::from_seed(secret("identity.key")?),
            log: LogKey::from_seed(&origin, Zeroizing::new(secret("log.key")?))
                .map_err(|e| bad(dir, &e.to_string()))?,
            witness: WitnessKey::from_seed(&cosigner(&origin), Zeroizing::new(secret("witness.key")?))
                .map_err(|e| bad(dir, &e.to_string()))?,
            seal: SealKey::new(secret("seal.key")?),
            credentials,
        })
    }
}

fn bad(path: &Path, why: &str) -> Error {
    Error::Key { path: path.display().to_string(), why: why.to_owned() }
}

/// Reads a secret of 32 bytes.
///
/// # Errors
/// When the file is missing, open to others, or holds something else.
pub(crate) fn secret(dir: &Path, name: &str) -> Result<[u8; 32], Error> {
    let path = dir.join(name);
    let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(|e| Error::file(&path, &e))?);
    private(&path)?;
    unhex(text.trim()).map_err(|e| bad(&path, &e.to_string()))
}

/// What the node dials with, as it stands on disk now.
///
/// # Errors
/// When a file is missing, open to others, or not what it should be.
pub(crate) fn credentials(dir: &Path) -> Result<Credentials, Error> {
    let path = dir.join("tls.key");
    private(&path)?;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| Error::file(path, &e));
    let (ca_pem, pair_pem) = (read(&dir.join("ca.crt"))?, read(&path)?);
    match Credentials::of_pair(ca_pem.clone(), &pair_pem) {
        Some(pair) => Ok(pair),
        // As an earlier version wrote it.
        None => Ok(Credentials { ca_pem, cert_pem: read(&dir.join("tls.crt"))?, key_pem: pair_pem }),
    }
}

/// Puts a TLS key and its certificate in the place of those before. What is read after a
/// crash at any point is the old pair or the new one.
///
/// # Errors
/// When the disk fails.
pub(crate) fn write_pair(dir: &Path, pair: &Credentials) -> Result<(), Error> {
    let text = Zeroizing::new(pair.pair_pem());
    koonti_journal::write_atomic(&dir.join("tls.key"), text.as_bytes(), 0o600)?;
    koonti_journal::write_atomic(&dir.join("tls.crt"), pair.cert_pem.as_bytes(), 0o600)?;
    Ok(())
}

impl Keys {
    /// The public keys of this node's evidence, as the roster lists them.
    pub fn logs(&self) -> LogKeys {
        LogKeys { log: self.log.verifier().public(), witness: self.witness.verifier().public() }
    }
}

/// Refuses a key file that others may read.
pub(crate) fn private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|e| Error::file(path, &e))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let why = format!("others may read it (mode {:o}): run `chmod 600` on it", mode & 0o777);
    Err(Error::Key { path: path.display().to_string(), why })
}

/// Thirty-two random bytes.
///
/// # Errors
/// When the system's source of randomness fails.
pub fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Randomness)?;
    Ok(bytes)
}

/// The operating system's randomness, as a regional round wants it.
pub(crate) struct SystemRandomness;

impl koonti_secagg::Randomness for SystemRandomness {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), koonti_secagg::NoRandomness> {
        SystemRandom::new().fill(out).map_err(|_| koonti_secagg::NoRandomness)
    }
}

/// Seals extracts and seeds at rest: AES-256-GCM, a random 96-bit nonce in
/// front, the purpose as associated data.
pub struct SealKey(LessSafeKey);

impl SealKey {
    fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes).expect("32 bytes")))
    }

    /// Encrypts `bytes` for `purpose`.
    ///
    /// # Errors
    /// When the system's source of randomness fails.
    pub fn seal(&self, purpose: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Error::Randomness)?;
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut bytes)
            .map_err(|_| Error::Randomness)?;
        Ok([&nonce[..], &bytes].concat())
    }

    /// Decrypts what [`SealKey::seal`] made for the same purpose; none if it
    /// was not.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let length =
            self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(purpose), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_for_its_purpose_only() {
        let key = SealKey::new([1; 32]);
        let sealed = key.seal("a", b"text".to_vec()).unwrap();
        assert_eq!(key.open("a", &sealed).unwrap().as_slice(), b"text");
        assert!(key.open("b", &sealed).is_none());
        assert!(SealKey::new([2; 32]).open("a", &sealed).is_none());
    }
}
