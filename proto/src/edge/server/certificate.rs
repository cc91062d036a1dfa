//! The server's certificate, which may be exchanged while the server runs.
//!
//! Promises: connections begun after [`ServerCertificate::replace`] see the new one, those
//! begun before go on; what cannot be used replaces nothing. Does not: read files.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::edge::tls::{self, CredentialError};

/// A certificate chain and its key. Clones share it.
#[derive(Clone, Debug)]
pub struct ServerCertificate(Arc<RwLock<Arc<CertifiedKey>>>);

impl ServerCertificate {
    /// Of PEM texts.
    ///
    /// # Errors
    /// [`CredentialError`] when they cannot be read or do not belong together.
    pub fn new(cert_pem: &str, key_pem: &str) -> Result<Self, CredentialError> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(tls::certified(cert_pem, key_pem)?)))))
    }

    /// Takes these for connections from now on.
    ///
    /// # Errors
    /// As [`ServerCertificate::new`]; what was there then stays.
    pub fn replace(&self, cert_pem: &str, key_pem: &str) -> Result<(), CredentialError> {
        let next = Arc::new(tls::certified(cert_pem, key_pem)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// For rustls.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::new(self.clone())
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
