//! Invitations: one string that carries a node or a person into a region.
//!
//! It holds what the newcomer must know before trusting anything: the hash of
//! the region's CA, so that the secret goes to no impostor, and the governance
//! key, so that no coordinator can invent a roster.

use crate::edge::pki::Kind;
use koonti_disclosure::names::{Digest, Name};
use std::fmt;
use std::str::FromStr;

/// An invitation. Printed once, used once.
#[derive(Clone)]
pub struct Token {
    /// Whether a node or a person is invited.
    pub kind: Kind,
    /// The region.
    pub region: Name,
    /// The newcomer's name.
    pub name: Name,
    /// SHA-256 of the region's CA certificate.
    pub ca_sha256: Digest,
    /// The region's governance key.
    pub governance: Digest,
    /// The one-time secret.
    pub secret: Digest,
    /// When it expires, Unix seconds.
    pub expires: u64,
}

/// The text is not an invitation.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an invitation: it begins with \"koonti1.\" and must be copied whole, on one line")]
pub struct BadToken;

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Node => "node",
            Kind::Person => "person",
        };
        let Self { region, name, ca_sha256, governance, secret, expires, .. } = self;
        write!(f, "koonti1.{kind}.{region}.{name}.{ca_sha256}.{governance}.{secret}.{expires}")
    }
}

impl FromStr for Token {
    type Err = BadToken;
    fn from_str(text: &str) -> Result<Self, BadToken> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let ["koonti1", kind, region, name, ca, governance, secret, expires] = parts[..] else {
            return Err(BadToken);
        };
        let digest = |text: &str| text.parse::<Digest>().map_err(|_| BadToken);
        Ok(Self {
            kind: match kind {
                "node" => Kind::Node,
                "person" => Kind::Person,
                _ => return Err(BadToken),
            },
            region: region.parse().map_err(|_| BadToken)?,
            name: name.parse().map_err(|_| BadToken)?,
            ca_sha256: digest(ca)?,
            governance: digest(governance)?,
            secret: digest(secret)?,
            expires: expires.parse().map_err(|_| BadToken)?,
        })
    }
}
