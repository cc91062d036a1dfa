//! The rustls configurations of both ends.
//!
//! Promises: ring, TLS 1.3 and ALPN `h2` only; no tickets, no session storage,
//! no early data, so that every connection proves its certificate anew and a
//! resumed session never outlives a revocation.
//!
//! Does not: check revocation (the doors check the registry on every request)
//! or read files.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::pem;

/// Why certificates and keys given as text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A certificate text is not PEM.
    #[error("the certificate text is not PEM: {0}")]
    CertificateText(rustls::pki_types::pem::Error),
    /// A certificate text holds no certificate.
    #[error("the certificate text holds no certificate")]
    NoCertificate,
    /// The authority's text does not hold exactly one certificate.
    #[error("the authority's text must hold one certificate, not {0}")]
    NotOneAuthority(usize),
    /// A key text is not a PEM private key.
    #[error("the key text is not a PEM private key: {0}")]
    KeyText(rustls::pki_types::pem::Error),
    /// The key, its certificate and the authority do not work together.
    #[error("the key, its certificate and the authority do not work together: {0}")]
    Mismatch(String),
}

/// Returns the one provider the edge uses, never the process default.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The server's side, with whatever certificate the resolver has at the time. With an
/// authority, a client certificate of its is required.
pub(super) fn server_with(
    authority_pem: Option<&str>,
    certificate: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, CredentialError> {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]).map_err(mismatch)?;
    let builder = match authority_pem {
        Some(authority_pem) => {
            let roots = Arc::new(roots(&authority(authority_pem)?)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build().map_err(mismatch)?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificate);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// The same with one certificate for good.
#[cfg(test)]
pub(super) fn server(
    authority_pem: Option<&str>,
    cert_pem: &str,
    key_pem: &str,
) -> Result<ServerConfig, CredentialError> {
    let certified = Arc::new(certified(cert_pem, key_pem)?);
    server_with(authority_pem, Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
}

/// A certificate chain and the key to it, which go together.
pub(super) fn certified(cert_pem: &str, key_pem: &str) -> Result<CertifiedKey, CredentialError> {
    let (chain, key) = identity(cert_pem, key_pem)?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(mismatch)
}

/// Checks that the texts are what they should be, and that the key is the certificate's.
pub(crate) fn check_pair(authority_pem: &str, cert_pem: &str, key_pem: &str) -> Result<(), CredentialError> {
    client(authority_pem, cert_pem, key_pem).map(drop)
}

/// Checks that `cert_pem` is a certificate of this authority with which its key may serve
/// under this name now.
pub(super) fn check_server(
    authority_pem: &str,
    cert_pem: &str,
    key_pem: &str,
    name: &ServerName<'_>,
) -> Result<(), CredentialError> {
    let certified = certified(cert_pem, key_pem)?;
    let (leaf, others) = certified.cert.split_first().ok_or(CredentialError::NoCertificate)?;
    let verifier = server_verifier(authority_pem)?;
    verifier.verify_server_cert(leaf, others, name, &[], UnixTime::now()).map_err(mismatch)?;
    Ok(())
}

/// The client's side with a certificate, trusting exactly one authority.
pub(super) fn client(authority_pem: &str, cert_pem: &str, key_pem: &str) -> Result<ClientConfig, CredentialError> {
    let (chain, key) = identity(cert_pem, key_pem)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(mismatch)?
        .with_root_certificates(roots(&authority(authority_pem)?)?)
        .with_client_auth_cert(chain, key)
        .map_err(mismatch)?;
    Ok(closed(config))
}

/// Checks that `cert_pem` is a certificate of this authority with which its key may call now.
pub(crate) fn check_client(authority_pem: &str, cert_pem: &str, key_pem: &str) -> Result<(), CredentialError> {
    check_pair(authority_pem, cert_pem, key_pem)?;
    let roots = Arc::new(roots(&authority(authority_pem)?)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build().map_err(mismatch)?;
    let chain = pem::certificates(cert_pem).map_err(CredentialError::CertificateText)?;
    let (leaf, others) = chain.split_first().ok_or(CredentialError::NoCertificate)?;
    verifier.verify_client_cert(leaf, others, UnixTime::now()).map_err(mismatch)?;
    Ok(())
}

/// The client's side without a certificate, trusting what the verifier accepts.
pub(super) fn anonymous_client(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, CredentialError> {
    client_trusting(verifier, None)
}

/// What the client's side with this authority trusts.
pub(super) fn server_verifier(authority_pem: &str) -> Result<Arc<dyn ServerCertVerifier>, CredentialError> {
    let roots = Arc::new(roots(&authority(authority_pem)?)?);
    Ok(WebPkiServerVerifier::builder_with_provider(roots, provider()).build().map_err(mismatch)?)
}

/// The client's side, with a certificate and key or without, trusting what the verifier
/// accepts.
pub(super) fn client_trusting(
    verifier: Arc<dyn ServerCertVerifier>,
    own: Option<(&str, &str)>,
) -> Result<ClientConfig, CredentialError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(mismatch)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(closed(match own {
        None => builder.with_no_client_auth(),
        Some((cert_pem, key_pem)) => {
            let (chain, key) = identity(cert_pem, key_pem)?;
            builder.with_client_auth_cert(chain, key).map_err(mismatch)?
        }
    }))
}

/// Reads the one certificate of an authority.
pub(super) fn authority(pem: &str) -> Result<CertificateDer<'static>, CredentialError> {
    let mut found = pem::certificates(pem).map_err(CredentialError::CertificateText)?;
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (last, before) => Err(CredentialError::NotOneAuthority(before + usize::from(last.is_some()))),
    }
}

/// A root store of one certificate.
pub(super) fn roots(authority: &CertificateDer<'_>) -> Result<RootCertStore, CredentialError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).map_err(mismatch)?;
    Ok(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(cert_pem: &str, key_pem: &str) -> Result<Identity, CredentialError> {
    let chain = pem::certificates(cert_pem).map_err(CredentialError::CertificateText)?;
    if chain.is_empty() {
        return Err(CredentialError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(CredentialError::KeyText)?;
    Ok((chain, key))
}

fn closed(mut config: ClientConfig) -> ClientConfig {
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn mismatch(error: impl std::error::Error) -> CredentialError {
    CredentialError::Mismatch(error.to_string())
}
