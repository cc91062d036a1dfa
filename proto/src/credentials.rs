//! What a party dials with: its certificate, the key to it, and whom it trusts.
//!
//! Key and certificate belong together and change together: [`Credentials::pair_pem`]
//! is both in one text, to be written at one stroke.

use crate::edge::dial::{self, Route, dial_mutual};
use crate::edge::pki::{self, Kind, Life, SpiffeId};
use crate::edge::probe::Trust;
use crate::edge::{CredentialError, check_client, check_pair};
use koonti_disclosure::Name;
use tonic::transport::Channel;

/// Three PEM texts.
#[derive(Clone)]
pub struct Credentials {
    /// The region's CA certificate.
    pub ca_pem: String,
    /// The party's certificate chain.
    pub cert_pem: String,
    /// The party's TLS key.
    pub key_pem: String,
}

/// Why other credentials cannot take the place of these.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// They do not work together, or not now.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] pki::Error),
    /// The certificate is of somebody else.
    #[error("it is of {found}, not of {own}")]
    SomebodyElse {
        /// Whose it is.
        found: SpiffeId,
        /// Whose it should be.
        own: SpiffeId,
    },
}

impl Credentials {
    /// Takes apart what [`Credentials::pair_pem`] has put together; none when there is no
    /// certificate behind the key.
    pub fn of_pair(ca_pem: String, pair_pem: &str) -> Option<Self> {
        let (key_pem, cert_pem) = pair_pem.split_at(pair_pem.find("-----BEGIN CERTIFICATE-----")?);
        Some(Self { ca_pem, cert_pem: cert_pem.to_owned(), key_pem: key_pem.to_owned() })
    }

    /// The key and then its certificate chain, in one text.
    pub fn pair_pem(&self) -> String {
        format!("{}\n{}", self.key_pem.trim_end(), self.cert_pem)
    }

    /// From when until when the certificate is good.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn life(&self) -> Result<Life, pki::Error> {
        Life::of_pem(&self.cert_pem)
    }

    /// SHA-256 of the public key.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn spki_sha256(&self) -> Result<[u8; 32], pki::Error> {
        Ok(pki::identity_of_pem(&self.cert_pem)?.1)
    }

    /// Checks that they work together and are this member's. That they have ended is no
    /// fault here.
    ///
    /// # Errors
    /// When one of this does not hold.
    pub fn check(&self, kind: Kind, region: &Name, name: &Name) -> Result<(), Unfit> {
        check_pair(&self.ca_pem, &self.cert_pem, &self.key_pem)?;
        let own = SpiffeId::new(region.as_str(), kind, name.as_str())?;
        match pki::identity_of_pem(&self.cert_pem)? {
            (found, _) if found != own => Err(Unfit::SomebodyElse { found, own }),
            _ => Ok(()),
        }
    }

    /// Credentials of the same owner under the same authority, with another key and
    /// certificate, checked: they work together, and now.
    ///
    /// # Errors
    /// When one of this does not hold.
    pub fn followed_by(&self, key_pem: String, cert_pem: String) -> Result<Self, Unfit> {
        let ((own, _), (found, _)) = (pki::identity_of_pem(&self.cert_pem)?, pki::identity_of_pem(&cert_pem)?);
        if found != own {
            return Err(Unfit::SomebodyElse { found, own });
        }
        check_client(&self.ca_pem, &cert_pem, &key_pem)?;
        Ok(Self { ca_pem: self.ca_pem.clone(), cert_pem, key_pem })
    }

    /// For a probe as this party.
    pub fn trust(&self) -> Trust<'_> {
        Trust::Member { ca_pem: &self.ca_pem, cert_pem: &self.cert_pem, key_pem: &self.key_pem }
    }

    pub(crate) fn dial(&self, to: impl Into<Route>) -> Result<Channel, dial::Error> {
        dial_mutual(to, &self.ca_pem, &self.cert_pem, &self.key_pem)
    }
}
