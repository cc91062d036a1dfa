//! The listening side: an accept loop of its own, TLS, limits, then tonic.
//!
//! Promises: a caller that is slow, refused or over a limit costs the others
//! nothing; behind [`serve_mutual`] every request carries a [`Peer`], behind
//! [`serve_enrolment`] a [`Stranger`], in its extensions; an accept error never
//! ends the server; `shutdown` ends it within the grace, whatever is open.
//!
//! Does not: decide what a peer may do, or notice a revocation or an expiry on a
//! connection that is already open: the doors check the registry on every
//! request, and age ends the connection.

mod limits;
mod slots;
mod wire;

use std::io;
use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;

pub(super) use limits::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, HEADER_LIST_BYTES, LOCAL_RESETS, STREAM_WINDOW_BYTES};
pub use limits::{Limits, MAX_MESSAGE_BYTES};

use self::slots::{Slot, Slots};
use super::pki::{self, SpiffeId};
use super::tls::{self, CredentialError};

/// Who calls, as the certificate says: in the extensions of every request behind
/// [`serve_mutual`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The identity in the certificate.
    pub id: SpiffeId,
    /// SHA-256 of the certificate's SubjectPublicKeyInfo, to look up in the registry.
    pub spki_sha256: [u8; 32],
}

/// A caller without a certificate: in the extensions of every request behind
/// [`serve_enrolment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The address the connection comes from.
    pub address: IpAddr,
}

/// Why a listener cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificates or the key cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The listening socket cannot be used.
    #[error("cannot use the listening socket: {0}")]
    Listener(#[from] io::Error),
}

/// Serves `routes` over mutual TLS 1.3 with the default [`Limits`] until
/// `shutdown` resolves.
///
/// # Errors
/// [`Error`] when it cannot start; once started it ends only by `shutdown`.
pub async fn serve_mutual(
    listener: TcpListener,
    ca_cert_pem: &str,
    cert_pem: &str,
    key_pem: &str,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let limits = Limits::default();
    serve_mutual_within(limits, listener, ca_cert_pem, cert_pem, key_pem, routes, shutdown).await
}

/// Does what [`serve_mutual`] does within other limits.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_mutual_within(
    limits: Limits,
    listener: TcpListener,
    ca_cert_pem: &str,
    cert_pem: &str,
    key_pem: &str,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let config = tls::server(Some(ca_cert_pem), cert_pem, key_pem)?;
    let entry = Members(Slots::new(limits.connections_per_identity));
    serve(limits, listener, config, entry, routes, shutdown).await
}

/// Serves `routes` over TLS 1.3 to callers without a certificate, within
/// [`Limits::enrolment`]: the enrolment listener only.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_enrolment(
    listener: TcpListener,
    cert_pem: &str,
    key_pem: &str,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let limits = Limits::enrolment();
    serve_enrolment_within(limits, listener, cert_pem, key_pem, routes, shutdown).await
}

/// Does what [`serve_enrolment`] does within other limits.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_enrolment_within(
    limits: Limits,
    listener: TcpListener,
    cert_pem: &str,
    key_pem: &str,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let config = tls::server(None, cert_pem, key_pem)?;
    serve(limits, listener, config, Strangers, routes, shutdown).await
}

/// Who may stay after the handshake, and what they hold while they do.
trait Entry: Send + Sync + 'static {
    type Caller: Clone + Send + Sync + Unpin + 'static;
    type Place: Send + 'static;

    fn admit(
        &self,
        tls: &ServerConnection,
        from: IpAddr,
        place: Slot<IpAddr>,
    ) -> Result<(Self::Caller, Self::Place), Refusal>;
}

/// Entry by certificate: the address gives its place back, the identity takes one.
struct Members(Arc<Slots<SpiffeId>>);

/// Entry for anyone: the address keeps its place.
struct Strangers;

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("no certificate")]
    NoCertificate,
    #[error("no identity: {0}")]
    NoIdentity(#[from] pki::Error),
    #[error("{0} has too many connections")]
    TooMany(SpiffeId),
}

impl Entry for Members {
    type Caller = Peer;
    type Place = Slot<SpiffeId>;

    fn admit(&self, tls: &ServerConnection, _: IpAddr, _: Slot<IpAddr>) -> Result<(Peer, Slot<SpiffeId>), Refusal> {
        let leaf = tls.peer_certificates().and_then(<[_]>::first);
        let (id, spki_sha256) = pki::peer_identity(leaf.ok_or(Refusal::NoCertificate)?)?;
        let place = self.0.take(id.clone());
        let place = place.ok_or_else(|| Refusal::TooMany(id.clone()))?;
        Ok((Peer { id, spki_sha256 }, place))
    }
}

impl Entry for Strangers {
    type Caller = Stranger;
    type Place = Slot<IpAddr>;

    fn admit(
        &self,
        _: &ServerConnection,
        address: IpAddr,
        place: Slot<IpAddr>,
    ) -> Result<(Stranger, Slot<IpAddr>), Refusal> {
        Ok((Stranger { address }, place))
    }
}

/// What every connection of a listener shares.
struct Listening<E> {
    limits: Limits,
    acceptor: TlsAcceptor,
    entry: E,
    http2: Server,
    routes: Routes,
    stop: watch::Receiver<bool>,
}

/// What a connection holds from its first byte: places in all, of its address
/// and in the handshake.
struct Places {
    connection: OwnedSemaphorePermit,
    address: Slot<IpAddr>,
    handshake: OwnedSemaphorePermit,
}

async fn serve<E: Entry>(
    limits: Limits,
    listener: TcpListener,
    config: ServerConfig,
    entry: E,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let connections = Arc::new(Semaphore::new(limits.connections));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let addresses = Slots::new(limits.connections_per_address);
    let (stop, stopped) = watch::channel(false);
    let listening = Arc::new(Listening {
        http2: limits.http2(),
        limits,
        acceptor: TlsAcceptor::from(Arc::new(config)),
        entry,
        routes: routes.prepare(),
        stop: stopped,
    });

    let places = |from: IpAddr| {
        Some(Places {
            connection: Arc::clone(&connections).try_acquire_owned().ok()?,
            address: addresses.take(network(from))?,
            handshake: Arc::clone(&handshakes).try_acquire_owned().ok()?,
        })
    };
    let mut open = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((tcp, from)) => match places(from.ip()) {
                    Some(places) => {
                        open.spawn(receive(Arc::clone(&listening), tcp, from.ip(), places));
                    }
                    None => tracing::debug!(from = %from.ip(), "refused: over a connection limit"),
                },
                Err(error) => {
                    // Most often the process is out of file descriptors: give it time.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stop.send_replace(true);
    while open.join_next().await.is_some() {}
    Ok(())
}

/// Takes one connection through its handshake and then serves it.
async fn receive<E: Entry>(listening: Arc<Listening<E>>, tcp: TcpStream, from: IpAddr, places: Places) {
    let limits = &listening.limits;
    let mut stop = listening.stop.clone();
    let _ = tcp.set_nodelay(true);
    let handshake = timeout(limits.handshake_timeout, listening.acceptor.accept(tcp));
    let tls = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => return,
        tls = handshake => match tls {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return tracing::debug!(%from, %error, "handshake failed"),
            Err(_) => return tracing::debug!(%from, "handshake took too long"),
        },
    };
    drop(places.handshake);
    let _connection = places.connection;
    match listening.entry.admit(tls.get_ref().1, from, places.address) {
        Ok((caller, _place)) => {
            let (http2, routes) = (listening.http2.clone(), listening.routes.clone());
            wire::carry(tls, caller, http2, routes, limits, stop).await;
        }
        Err(reason) => tracing::info!(%from, %reason, "caller refused"),
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// How long the accept loop rests after an error.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
