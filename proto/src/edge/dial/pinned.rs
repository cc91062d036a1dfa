//! Trust by hash, for the one call made before there is an authority to trust.
//!
//! Promises: the server is trusted if and only if its chain holds the pinned
//! authority's certificate and its leaf verifies against that, for the host and
//! now; what [`PinnedCa`] gives is the certificate with the pinned hash, or
//! nothing. Does not: trust on first use.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use crate::edge::{pem, pki, tls};

/// The pinned authority's certificate, once the server has shown it.
#[derive(Clone, Debug)]
pub struct PinnedCa(Arc<OnceLock<String>>);

impl PinnedCa {
    /// Returns the authority's certificate as PEM; before the first call that
    /// reached the server, nothing.
    pub fn cert_pem(&self) -> Option<String> {
        self.0.get().cloned()
    }
}

/// A verifier for the pin, and where it leaves the certificate.
pub(in crate::edge) fn verifier(pin: [u8; 32]) -> (Arc<dyn ServerCertVerifier>, PinnedCa) {
    let found = PinnedCa(Arc::default());
    let verifier = Verifier { pin, provider: tls::provider(), found: found.clone() };
    (Arc::new(verifier), found)
}

#[derive(Debug)]
struct Verifier {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
    found: PinnedCa,
}

#[derive(Debug, thiserror::Error)]
#[error("the server does not show the certificate in the invitation")]
struct NotPinned;

impl Verifier {
    /// The authority's certificate in the chain, by its hash.
    fn authority<'a>(&self, chain: &'a [CertificateDer<'a>]) -> Result<&'a CertificateDer<'a>, Error> {
        let pinned = |der: &&CertificateDer<'_>| {
            pki::sha256(der) == self.pin && pki::read(der).is_ok_and(|parsed| parsed.is_ca())
        };
        chain.iter().find(pinned).ok_or_else(|| CertificateError::Other(OtherError(Arc::new(NotPinned))).into())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = self.authority(intermediates)?;
        let roots = tls::roots(authority).map_err(general)?;
        let verified = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(general)?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.found.0.get_or_init(|| pem::certificate(authority));
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn general(error: impl std::error::Error) -> Error {
    Error::General(error.to_string())
}
