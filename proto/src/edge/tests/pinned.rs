//! Enrolment's trust by hash.

use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsAcceptor;

use super::region::{Region, free_port, who};
use crate::edge::dial::dial_pinned;
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
    let of_the_leaf = crate::edge::pki::sha256(leaf);

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
    let shown = crate::edge::pki::IssuedServer {
        cert_pem: pem::certificate(leaf) + &region.authority.cert_pem(),
        key_pem: impostor.server.key_pem.clone(),
    };
    assert_eq!(bytes_sent(&shown, pin, "localhost").await, (0, None));

    let elsewhere = region.authority.issue_server(&["elsewhere.fi".into()], 1);
    let elsewhere = elsewhere.expect("issued");
    assert_eq!(bytes_sent(&elsewhere, pin, "localhost").await, (0, None));
}

/// Dials a bare TLS server once and counts the application bytes it receives
/// before the connection ends or the client waits; also returns what the client
/// believes the authority is.
async fn bytes_sent(server: &crate::edge::pki::IssuedServer, pin: [u8; 32], host: &str) -> (usize, Option<String>) {
    let config = tls::server(None, &server.cert_pem, &server.key_pem).expect("config");
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
    println!("{answer:?}");
    assert!(answer.is_err());
    (count.await.expect("server"), pinned.cert_pem())
}
