//! The accept loop, and each connection's way from TCP to its service.
//!
//! Promises: every wait here is bounded, every place taken is given back when the
//! connection ends, and no connection's trouble reaches the loop. Does not: queue
//! what is over a limit; it is closed at once, or another in its stead (the room says).

use std::net::{IpAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;

use super::entry::{Entry, network};
use super::room::{Place, Room};
use super::{Error, Limits, wire};

/// Serves a listener until `shutdown` resolves and its connections have ended.
pub(super) async fn serve<E: Entry>(
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
    let room = Room::new(
        limits.handshakes,
        limits.connections_per_address,
        limits.gives_way_after,
        limits.connections_begun_per_address,
    );
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
            room: room.enter(network(from), Instant::now())?,
        })
    };
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
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

/// What every connection of a listener shares.
struct Listening<E> {
    limits: Limits,
    acceptor: TlsAcceptor,
    entry: E,
    http2: Server,
    routes: Routes,
    stop: watch::Receiver<bool>,
}

/// What a connection holds from its first byte: one of all, and one of those who have
/// not shown a certificate.
struct Places {
    connection: OwnedSemaphorePermit,
    room: Place,
}

/// Takes one connection through its handshake and then serves it.
async fn receive<E: Entry>(listening: Arc<Listening<E>>, tcp: TcpStream, from: IpAddr, places: Places) {
    let limits = &listening.limits;
    let mut stop = listening.stop.clone();
    let _ = tcp.set_nodelay(true);
    let Places { connection: _connection, mut room } = places;
    let handshake = timeout(limits.handshake_timeout, listening.acceptor.accept(tcp));
    let tls = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => return,
        () = room.sent_away() => return tracing::debug!(%from, "gave way in its handshake"),
        tls = handshake => match tls {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return tracing::debug!(%from, %error, "handshake failed"),
            Err(_) => return tracing::debug!(%from, "handshake took too long"),
        },
    };
    // A client that names no protocol at all passes TLS, and would be taken for HTTP/2.
    if tls.get_ref().1.alpn_protocol() != Some(b"h2") {
        return tracing::debug!(%from, "refused: it does not say that it speaks HTTP/2");
    }
    match listening.entry.admit(tls.get_ref().1, from, room) {
        Ok(admitted) => {
            let (http2, routes) = (listening.http2.clone(), listening.routes.clone());
            wire::carry(tls, admitted, http2, routes, limits, stop).await;
        }
        Err(reason) => tracing::info!(%from, %reason, "caller refused"),
    }
}

/// How long the accept loop rests after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
