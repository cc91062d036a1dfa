//! Certificates, keys and what a TLS client makes of them.

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Three PEM texts.
#[derive(Clone)]
pub(crate) struct Papers {
    pub(crate) ca: String,
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Papers {
    pub(crate) fn of_keys(dir: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("a key file");
        Self { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") }
    }

    /// A client with this certificate that speaks HTTP/2.
    pub(crate) fn config(&self) -> ClientConfig {
        let chain = CertificateDer::pem_slice_iter(self.cert.as_bytes()).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key");
        let config = trusting(&self.ca).with_client_auth_cert(chain.expect("a chain"), key);
        speaking_h2(config.expect("a client"))
    }
}

/// A client without a certificate that speaks HTTP/2.
pub(crate) fn anonymous(ca: &str) -> ClientConfig {
    speaking_h2(trusting(ca).with_no_client_auth())
}

fn trusting(ca: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("a CA")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.expect("TLS 1.3").with_root_certificates(roots)
}

fn speaking_h2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    config
}
