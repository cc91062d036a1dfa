//! What a probe says of a network in which something is wrong: one false server for each.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::region::{Caller, Region, free_port};
use crate::edge::dial::{self, Proxy, Route};
use crate::edge::pki::{Authority, Kind};
use crate::edge::probe::{Trouble, Trust, firewall_line, probe};
use crate::edge::server::Limits;
use crate::edge::tls;

struct Party {
    region: Region,
    ca: String,
    own: Caller,
}

impl Party {
    fn new() -> Self {
        let region = Region::new();
        let (ca, own) = (region.authority.cert_pem(), region.member(Kind::Node, "turku"));
        Self { region, ca, own }
    }

    async fn probe(&self, route: impl Into<Route>, hold: Duration) -> Result<(), Trouble> {
        let trust = Trust::Member { ca_pem: &self.ca, cert_pem: &self.own.cert_pem, key_pem: &self.own.key_pem };
        probe(&route.into(), &trust, hold).await
    }

    /// What is found at a server that does this with each connection.
    async fn found<F>(&self, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Trouble
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let trouble = self.probe(&self.url(serve), Duration::ZERO).await.expect_err("something is wrong");
        assert!(!trouble.remedy().is_empty());
        trouble
    }

    fn url<F>(&self, serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (listener, port) = free_port();
        listener.set_nonblocking(true).expect("a listener");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                serve(tcp).await;
            }
        });
        format!("https://127.0.0.1:{port}")
    }

    /// The region's own server, which speaks `alpn` and then does this.
    fn tls(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        let server = &self.region.server;
        let mut config = tls::server(Some(&self.ca), &server.cert_pem, &server.key_pem).expect("a configuration");
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

#[tokio::test]
async fn a_server_in_order_is_found_so() {
    let party = Party::new();
    let running = party.region.serve(Limits::default());
    party.probe(&running.url(), Duration::ZERO).await.expect("all goes through");
    let quick = Limits { keepalive_interval: Duration::from_millis(100), ..Limits::default() };
    let pinging = party.region.serve(quick);
    party.probe(&pinging.url(), Duration::from_millis(700)).await.expect("pings are answered");
    let strangers = party.region.serve_strangers(Limits::default());
    let pin = Trust::Pin(party.region.authority.cert_sha256());
    probe(&(&strangers.url()).into(), &pin, Duration::ZERO).await.expect("as a newcomer");
}

#[tokio::test]
async fn name_and_tcp() {
    let party = Party::new();
    let found = party.probe("https://koonti.invalid:7443", Duration::ZERO).await.expect_err("no such name");
    assert!(matches!(found, Trouble::Way(dial::Error::NameUnknown { .. })), "{found}");
    let (listener, port) = free_port();
    drop(listener);
    let found = party.probe(&format!("https://127.0.0.1:{port}"), Duration::ZERO).await.expect_err("nobody listens");
    assert!(matches!(found, Trouble::Way(dial::Error::Unreachable { .. })), "{found}");
    assert!(found.to_string().contains("refused") && found.remedy().contains("does not run there"), "{found}");
    let line = firewall_line(&"https://127.0.0.1:7443".into());
    assert_eq!(
        line,
        "from 127.0.0.1 to 127.0.0.1:7443, TCP, TLS 1.3 end to end without inspection, HTTP/2, long-lived connections"
    );
}

#[tokio::test]
async fn a_firewall_that_opens_tls_is_named() {
    let party = Party::new();
    // The way such a firewall does it: the right name, its own authority.
    let firewall = Authority::create("palomuuri").expect("an authority");
    let forged = firewall.issue_server(&["127.0.0.1".into()], 30).expect("a certificate");
    let config = tls::server(None, &forged.cert_pem, &forged.key_pem).expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let found = party.found(move |tcp| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(tcp).await) }
    });
    let found = found.await;
    assert!(matches!(&found, Trouble::Intercepted { issuer, .. } if issuer.contains("palomuuri")), "{found}");
    assert!(found.is_the_networks());
    // The right authority, another name; and dates of another time.
    let other = party.region.authority.issue_server(&["elsewhere.fi".into()], 30).expect("a certificate");
    let found = party.found(serving(&other.cert_pem, &other.key_pem)).await;
    assert!(matches!(found, Trouble::OtherName { .. }), "{found}");
    let short = party.region.authority.issue_server_lasting(&["127.0.0.1".into()], Duration::from_secs(1));
    let short = short.expect("a certificate");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let found = party.found(serving(&short.cert_pem, &short.key_pem)).await;
    assert!(matches!(found, Trouble::Dates { .. }) && found.remedy().contains("clock"), "{found}");
}

/// A server with this certificate that takes handshakes and says nothing.
fn serving(
    cert_pem: &str,
    key_pem: &str,
) -> impl Fn(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + use<> {
    let acceptor = TlsAcceptor::from(Arc::new(tls::server(None, cert_pem, key_pem).expect("a configuration")));
    move |tcp| {
        let acceptor = acceptor.clone();
        Box::pin(async move { drop(acceptor.accept(tcp).await) })
    }
}

#[tokio::test]
async fn what_is_no_tls() {
    let party = Party::new();
    let found = party.found(|mut tcp: TcpStream| async move { drop(tcp.read(&mut [0; 16]).await) }).await;
    assert!(matches!(found, Trouble::ClosedInTls { .. }), "{found}");
    let found = party.found(|mut tcp: TcpStream| async move {
        drop(tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await);
        drop(tcp.read_to_end(&mut Vec::new()).await);
    });
    let found = found.await;
    assert!(matches!(found, Trouble::NotTls { .. }), "{found}");
    let server = &party.region.server;
    let chain = CertificateDer::pem_slice_iter(server.cert_pem.as_bytes()).collect::<Result<_, _>>().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes()).expect("a key");
    let old = ServerConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("a configuration")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a configuration");
    let old = TlsAcceptor::from(Arc::new(old));
    let found = party.found(move |tcp| {
        let old = old.clone();
        async move { drop(old.accept(tcp).await) }
    });
    let found = found.await;
    assert!(matches!(found, Trouble::OldTls { .. }), "{found}");
}

/// Passes bytes on both ways, and alters one of what the server sends at this place.
async fn altering(mut near: TcpStream, to: String, at: usize) {
    let mut far = TcpStream::connect(to).await.expect("the server");
    let (mut from_near, mut to_near) = near.split();
    let (mut from_far, mut to_far) = far.split();
    let there = tokio::io::copy(&mut from_near, &mut to_far);
    let back = async {
        let mut head = vec![0; at + 1];
        from_far.read_exact(&mut head).await?;
        head[at] ^= 1;
        to_near.write_all(&head).await?;
        tokio::io::copy(&mut from_far, &mut to_near).await
    };
    drop(tokio::join!(there, back));
}

#[tokio::test]
async fn bytes_altered_on_the_way() {
    let party = Party::new();
    let running = party.region.serve(Limits::default());
    // In the server's random bytes, which both ends make their keys of; and in what is
    // encrypted already.
    for at in [15, 300] {
        let to = running.url().trim_start_matches("https://").to_owned();
        let found = party.found(move |tcp| altering(tcp, to.clone(), at)).await;
        assert!(matches!(found, Trouble::Altered { .. }), "byte {at}: {found}");
        assert!(found.is_the_networks() && found.remedy().contains("exempted"), "{found}");
    }
}

#[tokio::test]
async fn what_is_no_http2() {
    let party = Party::new();
    for alpn in [&[b"http/1.1".as_slice()][..], &[]] {
        let acceptor = party.tls(alpn);
        let found = party.found(move |tcp| {
            let acceptor = acceptor.clone();
            async move { drop(acceptor.accept(tcp).await) }
        });
        let found = found.await;
        assert!(matches!(found, Trouble::NoHttp2 { .. }), "{found}");
    }
    // One that says h2 and answers otherwise, and one that ends when HTTP/2 begins.
    let acceptor = party.tls(&[b"h2"]);
    let found = party.found(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(tcp).await.expect("a handshake");
            drop(tls.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
            drop(tls.read_to_end(&mut Vec::new()).await);
        }
    });
    let found = found.await;
    assert!(matches!(found, Trouble::NoHttp2 { .. }), "{found}");
    let acceptor = party.tls(&[b"h2"]);
    let found = party.found(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            // Closed with bytes unread: a reset.
            drop(acceptor.accept(tcp).await);
        }
    });
    let found = found.await;
    assert!(matches!(found, Trouble::ClosedInHttp2 { .. }), "{found}");
}

#[tokio::test]
async fn a_connection_that_is_cut_while_it_is_silent() {
    let party = Party::new();
    let acceptor = party.tls(&[b"h2"]);
    let url = party.url(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(tcp).await.expect("a handshake");
            drop(tls.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await);
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
    });
    let found = party.probe(&url, Duration::from_secs(5)).await.expect_err("cut");
    assert!(matches!(found, Trouble::Cut { after_s: 1, .. }), "{found}");
}

#[tokio::test]
async fn a_certificate_that_is_not_taken() {
    let party = Party::new();
    let running = party.region.serve(Limits::default());
    let stranger = Region::new().member(Kind::Node, "turku");
    let trust = Trust::Member { ca_pem: &party.ca, cert_pem: &stranger.cert_pem, key_pem: &stranger.key_pem };
    let found = probe(&(&running.url()).into(), &trust, Duration::ZERO).await.expect_err("refused");
    assert!(matches!(found, Trouble::NotTrusted { .. }) && !found.is_the_networks(), "{found}");
}

#[tokio::test]
async fn proxies_that_do_not_pass_on() {
    let party = Party::new();
    for (answer, says) in [
        ("HTTP/1.1 407 Proxy Authentication Required", "user name and password"),
        ("HTTP/1.1 403 Forbidden", "does not allow this address"),
        ("HTTP/1.1 502 Bad Gateway", "cannot reach this address itself"),
        ("HTTP/1.1 405 Method Not Allowed", "not a proxy"),
        ("SSH-2.0-OpenSSH_9.2", "not a proxy"),
    ] {
        let proxy = party.url(move |mut tcp: TcpStream| async move {
            drop(tcp.read(&mut [0; 1024]).await);
            drop(tcp.write_all(format!("{answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await);
        });
        let proxy = Proxy::parse(&proxy.replace("https", "http"), None).expect("a proxy");
        let route = Route::new("https://koonti.invalid:7443", Some(proxy));
        let found = party.probe(route.clone(), Duration::ZERO).await.expect_err("not passed on");
        let of_proxy = matches!(found, Trouble::Way(dial::Error::Proxy { .. }));
        assert!(of_proxy && found.to_string().contains(says), "{answer}: {found}");
        assert!(firewall_line(&route).contains("CONNECT through it to koonti.invalid:7443"));
    }
    // One that is down, and one whose name nobody knows: it is the proxy that is named.
    let (listener, port) = free_port();
    drop(listener);
    for proxy in [format!("127.0.0.1:{port}"), "proxy.invalid:3128".to_owned()] {
        let named = Proxy::parse(&format!("http://{proxy}"), None).expect("a proxy");
        let route = Route::new("https://koonti.invalid:7443", Some(named));
        let found = party.probe(route, Duration::ZERO).await.expect_err("no proxy");
        assert!(found.to_string().starts_with(&format!("no connection to the proxy {proxy}: ")), "{found}");
        assert!(found.remedy().starts_with("look at proxy ") && found.is_the_networks(), "{found}");
    }
}
