//! A wire that is tapped and read: the coordinator's own key towards the node, the node's
//! own key towards the coordinator, and all that either says in plain between them.

use koonti_proto::Credentials;
use koonti_tests::Region;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The tap. Dropped, it cuts the wire.
pub(crate) struct Tap {
    address: SocketAddr,
    kept: [Kept; 2],
    _runtime: Runtime,
}

type Kept = Arc<Mutex<Vec<u8>>>;

impl Tap {
    /// A tap between this node and the coordinator, which is dialled as `https://127.0.0.1:PORT`.
    pub(crate) fn between(region: &Region, node: &str, url: &str) -> Self {
        let acceptor = acceptor(&pair(region, "coordinator/keys", "server.key"));
        let connector = connector(&pair(region, &format!("{node}/keys"), "tls.key"));
        let to: SocketAddr = url.trim_start_matches("https://").parse().expect("an address");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("a port");
        let kept: [Kept; 2] = Default::default();
        let keeps = kept.clone();
        runtime.spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let (Ok(node), Ok(tcp)) = (acceptor.accept(node).await, TcpStream::connect(to).await) else { continue };
                let name = ServerName::from(to.ip());
                let Ok(coordinator) = connector.connect(name, tcp).await else { continue };
                let (from_node, to_node) = tokio::io::split(node);
                let (from_coordinator, to_coordinator) = tokio::io::split(coordinator);
                tokio::spawn(pass(from_node, to_coordinator, keeps[0].clone()));
                tokio::spawn(pass(from_coordinator, to_node, keeps[1].clone()));
            }
        });
        Self { address, kept, _runtime: runtime }
    }

    /// What to dial.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What was said so far: by the node, and to it.
    pub(crate) fn heard(&self) -> [Vec<u8>; 2] {
        self.kept.each_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut onto: impl AsyncWrite + Unpin, kept: Kept) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(&piece[..read]);
        if onto.write_all(&piece[..read]).await.is_err() || onto.flush().await.is_err() {
            break;
        }
    }
    // The other direction may have ended it already.
    let _ = onto.shutdown().await;
}

fn pair(region: &Region, folder: &str, file: &str) -> Credentials {
    let read = |name: &str| std::fs::read_to_string(region.dir().join(folder).join(name)).expect("a key file");
    Credentials::of_pair(read("ca.crt"), &read(file)).expect("a key with its certificate")
}

fn papers(of: &Credentials) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_slice(of.cert_pem.as_bytes()).expect("a certificate");
    (vec![certificate], PrivateKeyDer::from_pem_slice(of.key_pem.as_bytes()).expect("a key"))
}

fn acceptor(of: &Credentials) -> TlsAcceptor {
    let (chain, key) = papers(of);
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.3").with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config).into()
}

fn connector(of: &Credentials) -> TlsConnector {
    let (chain, key) = papers(of);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(of.ca_pem.as_bytes()).expect("an authority")).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.3").with_root_certificates(roots);
    let mut config = builder.with_client_auth_cert(chain, key).expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config).into()
}
