//! Who gets through the mutual listener.

use std::error::Error as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsAcceptor;

use super::region::{Caller, REGION, Region, call, free_port, uri, who};
use crate::edge::dial::{dial_mutual, dial_pinned, reason};
use crate::edge::pki::{Authority, Kind, SpiffeId, new_key_and_csr, peer_identity};
use crate::edge::server::Limits;
use crate::edge::{pem, tls};

#[tokio::test]
async fn a_member_is_served_and_known() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let (key_pem, csr_pem, spki_sha256) = new_key_and_csr().expect("key");
    let id = SpiffeId::new(REGION, Kind::Person, "aino").expect("id");
    let issued = region.authority.issue_client(&csr_pem, &id, 30);
    let issued = issued.expect("issued");
    assert_eq!(issued.spki_sha256, spki_sha256);
    let aino = Caller { cert_pem: issued.cert_pem, key_pem };
    let hex: String = spki_sha256.iter().map(|b| format!("{b:02x}")).collect();
    let answer = who(&region.dial(&running, &aino)).await;
    assert_eq!(answer.expect("served"), format!("spiffe://{REGION}/person/aino {hex}"));

    let by_name = dial_mutual(
        &format!("https://localhost:{}", running.port),
        &region.authority.cert_pem(),
        &aino.cert_pem,
        &aino.key_pem,
    );
    assert!(who(&by_name.expect("dial")).await.is_ok());
}

#[tokio::test]
async fn requests_say_where_they_were_meant_to_go() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let answer = call(&channel, "/test.Echo/Target", String::new()).await;
    assert_eq!(answer.expect("served"), running.url() + "/test.Echo/Target");
}

#[tokio::test]
async fn another_authority_of_the_same_name_is_refused_both_ways() {
    let (region, other) = (Region::new(), Region::new());
    let (here, there) = (region.serve(Limits::default()), other.serve(Limits::default()));
    let stranger = other.member(Kind::Node, "turku");
    assert!(who(&other.dial(&there, &stranger)).await.is_ok());
    refused(who(&region.dial(&here, &stranger)).await);

    let member = region.member(Kind::Node, "turku");
    let answer = who(&region.dial(&there, &member)).await;
    let message = refused(answer);
    assert!(message.contains("no trust in 127.0.0.1"), "{message}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(since_epoch.as_secs());
    let until = |end| {
        region.minted(|params| {
            params.subject_alt_names = vec![uri("spiffe://pohjola/node/turku")];
            params.not_after = end;
        })
    };
    let valid = until(now + Duration::from_secs(60));
    assert!(who(&region.dial(&running, &valid)).await.is_ok());
    let expired = until(now - Duration::from_secs(60));
    refused(who(&region.dial(&running, &expired)).await);
}

#[tokio::test]
async fn no_certificate_is_refused() {
    let region = Region::new();
    let pin = region.authority.cert_sha256();
    let mutual = region.serve(Limits::default());
    let open = region.serve_strangers(Limits::default());
    let (channel, _) = dial_pinned(&open.url(), pin).expect("dial");
    assert_eq!(who(&channel).await.expect("served"), "127.0.0.1");
    let (channel, _) = dial_pinned(&mutual.url(), pin).expect("dial");
    refused(who(&channel).await);

    // Already by TLS, before anyone looks at names.
    let (verifier, _) = crate::edge::dial::verifier(pin);
    let config = tls::anonymous_client(verifier).expect("config");
    let mut bare = mutual.tls(config).await.expect("the client's half of the handshake");
    let error = bare.read(&mut [0; 64]).await.expect_err("refused");
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

#[tokio::test]
async fn exactly_one_valid_identity_is_needed() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let named = |names: Vec<SanType>| region.minted(|params| params.subject_alt_names = names);
    let turku = || uri("spiffe://pohjola/node/turku");
    let dns = || SanType::DnsName("turku.fi".try_into().expect("ASCII"));
    for names in [vec![turku()], vec![dns(), turku()]] {
        let caller = named(names);
        assert!(who(&region.dial(&running, &caller)).await.is_ok());
    }
    for names in [
        vec![],
        vec![dns()],
        vec![turku(), uri("spiffe://pohjola/node/salo")],
        vec![turku(), turku()],
        vec![uri("https://pohjola/node/turku")],
        vec![uri("spiffe://pohjola/node/Turku")],
    ] {
        let caller = named(names);
        refused(who(&region.dial(&running, &caller)).await);
    }
}

#[tokio::test]
async fn a_servers_certificate_cannot_call() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let usage = |usage| {
        region.minted(|params| {
            params.subject_alt_names = vec![uri("spiffe://pohjola/node/turku")];
            params.extended_key_usages = vec![usage];
        })
    };
    let client = usage(ExtendedKeyUsagePurpose::ClientAuth);
    assert!(who(&region.dial(&running, &client)).await.is_ok());
    let server = usage(ExtendedKeyUsagePurpose::ServerAuth);
    refused(who(&region.dial(&running, &server)).await);
}

#[tokio::test]
async fn tls_1_2_is_refused_by_the_server() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let caller = region.member(Kind::Node, "turku");
    let only = |version: &'static SupportedProtocolVersion| {
        let ca = tls::authority(&region.authority.cert_pem()).expect("ca");
        ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .expect("version")
            .with_root_certificates(tls::roots(&ca).expect("roots"))
            .with_client_auth_cert(chain(&caller), key(&caller.key_pem))
            .expect("identity")
    };
    assert!(running.tls(only(&TLS13)).await.is_ok());
    let error = running.tls(only(&TLS12)).await.expect_err("refused");
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn tls_1_2_is_refused_by_the_client() {
    let region = Region::new();
    let caller = region.member(Kind::Node, "turku");
    for (version, fits) in [(&TLS13, true), (&TLS12, false)] {
        let server = Caller { cert_pem: region.server.cert_pem.clone(), key_pem: region.server.key_pem.clone() };
        let config = ServerConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .expect("version")
            .with_no_client_auth()
            .with_single_cert(chain(&server), key(&server.key_pem))
            .expect("identity");
        let (listener, port) = free_port();
        let handshake = tokio::spawn(async move {
            listener.set_nonblocking(true).expect("nonblocking");
            let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
            let (tcp, _) = listener.accept().await.expect("tcp");
            let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
            acceptor.accept(tcp).await.is_ok()
        });
        let ca = region.authority.cert_pem();
        let url = format!("https://127.0.0.1:{port}");
        let channel = dial_mutual(&url, &ca, &caller.cert_pem, &caller.key_pem).expect("dial");
        assert!(who(&channel).await.is_err());
        assert_eq!(handshake.await.expect("server"), fits);
    }
}

#[test]
fn what_was_issued_is_what_is_read() {
    let authority = Authority::create(REGION).expect("authority");
    let (_, csr_pem, spki_sha256) = new_key_and_csr().expect("key");
    let id: SpiffeId = "spiffe://pohjola/node/turku".parse().expect("id");
    let issued = authority.issue_client(&csr_pem, &id, 1).expect("issued");
    let leaf = &pem::certificates(&issued.cert_pem).expect("PEM")[0];
    assert_eq!(peer_identity(leaf).expect("identity"), (id, spki_sha256));
    let mut longer = leaf.to_vec();
    longer.push(0);
    assert!(peer_identity(&longer).is_err());
}

/// Asserts that the connection, not the service, refused the call; returns why.
fn refused(answer: Result<String, tonic::Status>) -> String {
    let status = answer.expect_err("refused");
    assert!(status.source().is_some(), "{status:?}");
    reason(&status)
}

fn chain(caller: &Caller) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    pem::certificates(&caller.cert_pem).expect("PEM")
}

fn key(key_pem: &str) -> rustls::pki_types::PrivateKeyDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("key")
}
