//! The accept loop, and each connection's way from TCP to its service.
//!
//! Promises: every wait here is bounded, every place taken is given back when the
//! connection ends, and no connection's trouble reaches the loop. Does not: queue
//! what is over a limit; it is closed at once.

use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;

use super::entry::Entry;
use super::slots::{Slot, Slots};
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

/// What a connection holds from its first byte: places in all, of its address
/// and in the handshake.
struct Places {
    connection: OwnedSemaphorePermit,
    address: Slot<IpAddr>,
    handshake: OwnedSemaphorePermit,
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
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn an_ipv6_network_is_one_address() {
        for (address, counted_as) in
            [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            let address = address.parse().expect("address");
            assert_eq!(network(address).to_string(), counted_as);
        }
    }
}
