//! A verifier that trusts what another trusts, and notes who issued what it was shown.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::edge::pki;

/// The verifier. Clones share what is noted.
#[derive(Clone, Debug)]
pub(super) struct Noting {
    inner: Arc<dyn ServerCertVerifier>,
    issuer: Arc<OnceLock<String>>,
}

impl Noting {
    pub(super) fn of(inner: Arc<dyn ServerCertVerifier>) -> Self {
        Self { inner, issuer: Arc::default() }
    }

    /// The issuer named in the certificate that was shown.
    pub(super) fn issuer(&self) -> Option<String> {
        self.issuer.get().cloned()
    }
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(leaf) = pki::read(end_entity) {
            self.issuer.get_or_init(|| leaf.issuer().to_string());
        }
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
