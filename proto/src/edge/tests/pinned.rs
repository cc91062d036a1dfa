//! Enrolment's trust by hash.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsAcceptor;

use super::region::{Region, free_port, who};
use crate::edge::dial::dial_pinned;
use crate::edge::pki::{IssuedServer, sha256};
use crate::edge::server::Limits;
use crate::edge::{pem, tls};

#[tokio::test]
async fn the_right_pin_gives_the_authority() {
    let region = Region::new();
    let running = region.serve_strangers(Limits::enrolment());
    let (channel, pinned) = dial_pinned(&running.url(), region.authority.cert_sha256()).expect("dial");
    assert_eq!(pinned.cert_pem(), None);
    assert_eq!(who(&channel).await.expect("served"), "127.0.0.1");
    assert_eq!(pinned.cert_pem(), Some(region.authority.cert_pem()));
}

#[tokio::test]
async fn a_wrong_pin_sends_no_byte() {
    let region = Region::new();
    let right = region.authority.cert_sha256();
    let mut wrong = right;
    wrong[31] ^= 1;
    let leaf = &pem::certificates(&region.server.cert_pem).expect("PEM")[0];
    let of_the_leaf = sha256(leaf);

    assert!(bytes_sent(&region.server, right, "127.0.0.1").await.0 > 0);
    for pin in [wrong, of_the_leaf, [0; 32]] {
        let seen = bytes_sent(&region.server, pin, "127.0.0.1").await;
        assert_eq!(seen, (0, None));
    }
}

#[tokio::test]
async fn the_leaf_must_be_the_authoritys_and_for_the_host() {
    let (region, impostor) = (Region::new(), Region::new());
    let pin = region.authority.cert_sha256();
    assert!(bytes_sent(&region.server, pin, "localhost").await.0 > 0);

    // The authority's certificate is public: an impostor can show it.
    let leaf = &pem::certificates(&impostor.server.cert_pem).expect("PEM")[0];
    let shown = IssuedServer {
        cert_pem: pem::certificate(leaf) + &region.authority.cert_pem(),
        key_pem: impostor.server.key_pem.clone(),
    };
    assert_eq!(bytes_sent(&shown, pin, "localhost").await, (0, None));

    let elsewhere = region.authority.issue_server(&["elsewhere.fi".into()], 1);
    let elsewhere = elsewhere.expect("issued");
    assert_eq!(bytes_sent(&elsewhere, pin, "localhost").await, (0, None));
}

#[tokio::test]
async fn the_public_chain_without_its_key_is_worth_nothing() {
    let (region, impostor) = (Region::new(), Region::new());
    let chain = pem::certificates(&region.server.cert_pem).expect("PEM");
    for (key_pem, fits) in [(&region.server.key_pem, true), (&impostor.server.key_pem, false)] {
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("key");
        let key = tls::provider().key_provider.load_private_key(key).expect("key");
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain.clone(), key));
        let mut config = ServerConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&TLS13])
            .expect("version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (bytes, _) = bytes_sent_to(config, region.authority.cert_sha256(), "localhost").await;
        assert_eq!(bytes > 0, fits);
    }
}

#[tokio::test]
async fn a_certificate_that_may_not_sign_is_no_authority() {
    for (is_ca, fits) in [(IsCa::NoCa, false), (IsCa::Ca(BasicConstraints::Unconstrained), true)] {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("names");
        let leaf = params.self_signed(&key).expect("certificate");
        params.is_ca = is_ca;
        let root = params.self_signed(&key).expect("certificate");
        let server = IssuedServer { cert_pem: leaf.pem() + &root.pem(), key_pem: key.serialize_pem() };
        let (bytes, _) = bytes_sent(&server, sha256(root.der()), "localhost").await;
        assert_eq!(bytes > 0, fits);
    }
}

/// Dials a bare TLS server once and counts the application bytes it receives
/// before the connection ends or the client waits; also returns what the client
/// believes the authority is.
async fn bytes_sent(server: &IssuedServer, pin: [u8; 32], host: &str) -> (usize, Option<String>) {
    let config = tls::server(None, &server.cert_pem, &server.key_pem).expect("config");
    bytes_sent_to(config, pin, host).await
}

async fn bytes_sent_to(config: ServerConfig, pin: [u8; 32], host: &str) -> (usize, Option<String>) {
    let (listener, port) = free_port();
    let count = tokio::spawn(async move {
        listener.set_nonblocking(true).expect("nonblocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
        let (tcp, _) = listener.accept().await.expect("tcp");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        match acceptor.accept(tcp).await {
            Ok(mut tls) => tls.read(&mut [0; 64]).await.unwrap_or(0),
            Err(_) => 0,
        }
    });
    let url = format!("https://{host}:{port}");
    let (channel, pinned) = dial_pinned(&url, pin).expect("dial");
    let answer = who(&channel).await;
    assert!(answer.is_err(), "no gRPC server there");
    (count.await.expect("server"), pinned.cert_pem())
}
