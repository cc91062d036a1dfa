//! Invitations: files that hold the hash of a one-time secret.
//!
//! The command writes them, the daemon takes them up: the first who shows the
//! secret is enrolled, and the file goes. Nothing is kept of the secret itself.

use crate::config::Config;
use crate::error::Error;
use koonti_disclosure::roster::Role;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::entry::coordinator::MemberKind;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An open invitation.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// Areas that the node will be proposed to serve.
    pub areas: Vec<String>,
    /// When it expires, Unix seconds.
    pub expires: u64,
    /// Node or person.
    pub kind: MemberKind,
    /// The newcomer's name.
    pub name: Name,
    /// Roles that the person will be proposed to have.
    pub roles: Vec<Role>,
    /// SHA-256 of the secret.
    pub secret_sha256: Digest,
}

impl Invitation {
    /// Where it is kept.
    fn path(config: &Config, kind: MemberKind, name: &Name) -> PathBuf {
        let kind = if kind == MemberKind::Node { "node" } else { "person" };
        config.invitations().join(format!("{kind}-{name}.json"))
    }

    /// Writes it; an earlier one of the same name is replaced and so void.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write(&self, config: &Config) -> Result<(), Error> {
        koonti_journal::create_dir_private(&config.invitations())?;
        let bytes = canonical::to_bytes(self).expect("names, integers and hex");
        koonti_journal::write_atomic(&Self::path(config, self.kind, &self.name), &bytes, 0o600)?;
        Ok(())
    }

    /// The open invitation of this name whose secret this is.
    pub fn find(config: &Config, kind: MemberKind, name: &Name, secret: Digest, now: u64) -> Option<Self> {
        let bytes = std::fs::read(Self::path(config, kind, name)).ok()?;
        let invitation: Self = canonical::from_bytes(&bytes).ok()?;
        // Hashes are compared, so the time of the comparison tells nothing of the secret.
        let fits = invitation.secret_sha256 == Digest::of(&secret.0) && invitation.expires >= now;
        fits.then_some(invitation)
    }

    /// Voids the open invitation of this name, if there is one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn void(config: &Config, kind: MemberKind, name: &Name) -> Result<(), Error> {
        let path = Self::path(config, kind, name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(&path, &e)),
            _ => Ok(()),
        }
    }

    /// Voids it.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove(&self, config: &Config) -> Result<(), Error> {
        let path = Self::path(config, self.kind, &self.name);
        std::fs::remove_file(&path).map_err(|e| Error::file(&path, &e))
    }
}

/// Thirty-two random bytes.
///
/// # Errors
/// When the system's source of randomness fails.
pub fn random() -> Result<Digest, Error> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Randomness)?;
    Ok(Digest(bytes))
}
