//! A region to test in: an authority, a server on a free port, callers, and a
//! gRPC service written by hand that says who calls.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, Issuer, KeyPair, SanType};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_stream::StreamExt as _;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, BoxStream, Service, http};
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::edge::dial::dial_mutual;
use crate::edge::pki::{Authority, IssuedServer, Kind, SpiffeId, new_key_and_csr};
use crate::edge::server::{
    Error, Limits, MAX_MESSAGE_BYTES, Peer, ServerCertificate, Stranger, serve_enrolment_within, serve_mutual_within,
};
use crate::edge::tls;

pub(super) const REGION: &str = "pohjola";

pub(super) struct Region {
    pub(super) authority: Authority,
    pub(super) server: IssuedServer,
}

/// A caller's certificate and key.
pub(super) struct Caller {
    pub(super) cert_pem: String,
    pub(super) key_pem: String,
}

/// A listener under test. Dropping it leaves the task to the runtime's end.
pub(super) struct Running {
    pub(super) port: u16,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) ended: JoinHandle<Result<(), Error>>,
    /// Calls of `Who` that reached the service.
    pub(super) calls: Arc<AtomicUsize>,
}

impl Region {
    pub(super) fn new() -> Self {
        let authority = Authority::create(REGION).expect("authority");
        let server = authority.issue_server(&["127.0.0.1".into(), "localhost".into()], 30).expect("server certificate");
        Self { authority, server }
    }

    /// A caller enrolled the regular way.
    pub(super) fn member(&self, kind: Kind, name: &str) -> Caller {
        let (key_pem, csr_pem, _) = new_key_and_csr().expect("key");
        let id = SpiffeId::new(REGION, kind, name).expect("id");
        let issued = self.authority.issue_client(&csr_pem, &id, 30);
        Caller { cert_pem: issued.expect("client certificate").cert_pem, key_pem }
    }

    /// A caller whose certificate the real authority signed, but with any content.
    pub(super) fn minted(&self, change: impl FnOnce(&mut CertificateParams)) -> Caller {
        let authority_key = KeyPair::from_pem(&self.authority.key_pem()).expect("key");
        let issuer = Issuer::from_ca_cert_pem(&self.authority.cert_pem(), authority_key);
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        change(&mut params);
        let leaf = params.signed_by(&key, &issuer.expect("issuer"));
        Caller { cert_pem: leaf.expect("leaf").pem(), key_pem: key.serialize_pem() }
    }

    pub(super) fn certificate(&self) -> ServerCertificate {
        ServerCertificate::new(&self.server.cert_pem, &self.server.key_pem).expect("a server's certificate")
    }

    pub(super) fn serve(&self, limits: Limits) -> Running {
        self.serve_as(limits, self.certificate())
    }

    /// Serves with a certificate that the test may exchange.
    pub(super) fn serve_as(&self, limits: Limits, certificate: ServerCertificate) -> Running {
        let (listener, port) = free_port();
        let (stop, stopped) = oneshot::channel();
        let (calls, routes) = routes();
        let ca = self.authority.cert_pem();
        let ended = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serve_mutual_within(limits, listener, &ca, &certificate, routes, shutdown).await
        });
        Running { port, stop, ended, calls }
    }

    pub(super) fn serve_strangers(&self, limits: Limits) -> Running {
        let (listener, port) = free_port();
        let (stop, stopped) = oneshot::channel();
        let (calls, routes) = routes();
        let certificate = self.certificate();
        let ended = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serve_enrolment_within(limits, listener, &certificate, routes, shutdown).await
        });
        Running { port, stop, ended, calls }
    }

    pub(super) fn dial(&self, running: &Running, caller: &Caller) -> Channel {
        let ca = self.authority.cert_pem();
        dial_mutual(&running.url(), &ca, &caller.cert_pem, &caller.key_pem).expect("dial")
    }
}

impl Running {
    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(super) async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await;
        tcp.expect("tcp")
    }

    /// A bare TLS connection with any configuration.
    pub(super) async fn tls(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let name = "127.0.0.1".try_into().expect("name");
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }
}

impl Caller {
    /// The configuration that [`dial_mutual`] would use.
    pub(super) fn config(&self, region: &Region) -> ClientConfig {
        tls::client(&region.authority.cert_pem(), &self.cert_pem, &self.key_pem).expect("config")
    }
}

pub(super) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("ASCII"))
}

pub(super) fn free_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("address").port();
    (listener, port)
}

/// Calls `Who`: the answer is who the server thinks the caller is.
pub(super) async fn who(channel: &Channel) -> Result<String, Status> {
    call(channel, "/test.Echo/Who", String::new()).await
}

pub(super) async fn call(channel: &Channel, path: &'static str, text: String) -> Result<String, Status> {
    let mut grpc = ready(channel).await?;
    let path = PathAndQuery::from_static(path);
    let answer = grpc.unary(Request::new(text), path, codec()).await?;
    Ok(answer.into_inner())
}

/// Opens the stream that says "open" and then nothing for ever.
pub(super) async fn watch(channel: &Channel) -> Result<Streaming<String>, Status> {
    let mut grpc = ready(channel).await?;
    let path = PathAndQuery::from_static("/test.Echo/Watch");
    let request = Request::new(String::new());
    let answer = grpc.server_streaming(request, path, codec()).await?;
    let mut stream = answer.into_inner();
    let first = stream.message().await?;
    assert_eq!(first.as_deref(), Some("open"));
    Ok(stream)
}

async fn ready(channel: &Channel) -> Result<tonic::client::Grpc<Channel>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone())
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(grpc)
}

fn codec() -> ProstCodec<String, String> {
    ProstCodec::default()
}

fn routes() -> (Arc<AtomicUsize>, Routes) {
    let calls = Arc::<AtomicUsize>::default();
    let echo = Echo(Arc::clone(&calls));
    (calls, Routes::new(echo))
}

/// `test.Echo`: `Who`, `Target`, `Echo`, `Wait` (answers after the milliseconds asked) and `Watch`.
#[derive(Clone)]
struct Echo(Arc<AtomicUsize>);

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let calls = Arc::clone(&self.0);
        Box::pin(async move {
            let mut grpc = Grpc::new(codec())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES);
            Ok(match request.uri().path() {
                "/test.Echo/Watch" => grpc.server_streaming(service_fn(stay), request).await,
                "/test.Echo/Target" => {
                    let target = request.uri().to_string();
                    let answer =
                        service_fn(move |_: Request<String>| std::future::ready(Ok(Response::new(target.clone()))));
                    grpc.unary(answer, request).await
                }
                "/test.Echo/Wait" => grpc.unary(service_fn(wait), request).await,
                "/test.Echo/Echo" => grpc.unary(service_fn(echo), request).await,
                _ => {
                    calls.fetch_add(1, Ordering::SeqCst);
                    grpc.unary(service_fn(name), request).await
                }
            })
        })
    }
}

async fn name(request: Request<String>) -> Result<Response<String>, Status> {
    let extensions = request.extensions();
    let peer = extensions.get::<Peer>().map(|peer| {
        let hex: String = peer.spki_sha256.iter().map(|b| format!("{b:02x}")).collect();
        format!("{} {hex}", peer.id)
    });
    let stranger = extensions.get::<Stranger>().map(|it| it.address.to_string());
    Ok(Response::new(peer.or(stranger).unwrap_or("nobody".into())))
}

async fn echo(request: Request<String>) -> Result<Response<String>, Status> {
    Ok(Response::new(request.into_inner()))
}

async fn wait(request: Request<String>) -> Result<Response<String>, Status> {
    let wait_ms = request.into_inner().parse().expect("milliseconds");
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    Ok(Response::new("waited".into()))
}

async fn stay(_: Request<String>) -> Result<Response<BoxStream<String>>, Status> {
    let stream = tokio_stream::once(Ok("open".into())).chain(tokio_stream::pending());
    Ok(Response::new(Box::pin(stream)))
}
