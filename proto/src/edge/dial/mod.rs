//! The calling side: lazy, reconnecting HTTP/2 channels over TLS 1.3.
//!
//! Promises: [`dial_mutual`] trusts exactly one authority; [`dial_pinned`] trusts
//! exactly one certificate by its hash and sends nothing before it has seen it;
//! each stage of a connection (name, TCP, proxy, TLS) has a deadline, and all of them
//! together [`CONNECT_TIMEOUT`]; a dead connection is found within [`KEEPALIVE_INTERVAL`] plus [`KEEPALIVE_TIMEOUT`]; a server
//! can make the client hold no more than the limits the server keeps itself.
//!
//! Does not: retry a call (each call after a lost connection tries anew, at once:
//! the caller backs off), set a deadline on calls, or look for a proxy that nobody has
//! named. A connection that ends by age loses its open streams, and one call may come back
//! unsent: the caller resumes the streams and repeats a call [`was_never_sent`].

mod address;
mod failure;
mod pinned;
mod route;
mod stages;

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

pub(super) use address::Address;
pub(super) use failure::tls_reason;
pub use failure::{reason, was_never_sent};
pub use pinned::PinnedCa;
pub(super) use pinned::verifier;
pub use route::{Proxy, Route};
pub(super) use stages::{Stream, stream};

use super::server::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, HEADER_LIST_BYTES, LOCAL_RESETS, STREAM_WINDOW_BYTES};
use super::tls::{self, CredentialError};

/// Why a server cannot be dialled or is not the right one.
///
/// All but the first four come out of calls, not of the dialling functions: tonic puts
/// their text into the message of the `unavailable` status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not `https://host:port`.
    #[error("{0:?} is not an address like https://host:port")]
    Url(String),
    /// The text is not `http://host:port`.
    #[error("{0:?} is not a proxy like http://host:port; user and password stand in a file of their own")]
    ProxyUrl(String),
    /// The proxy's credentials are not `user:password`.
    #[error("the credentials of the proxy are not user:password on one line")]
    ProxyCredentials,
    /// The certificates or the key cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The host's name has no address here.
    #[error("cannot find {host}: its name has no address here ({why})")]
    NameUnknown {
        /// The host.
        host: String,
        /// What the system said.
        why: String,
    },
    /// No answer at all from the server.
    #[error("cannot reach {address}: no answer in time")]
    Silent {
        /// Host and port.
        address: String,
    },
    /// The proxy does not pass the connection on.
    #[error("the proxy {proxy} does not pass on to {address}: {why}")]
    Proxy {
        /// Host and port of the proxy.
        proxy: String,
        /// Host and port of the server.
        address: String,
        /// What it said.
        why: String,
    },
    /// No connection to the proxy.
    #[error("no connection to the proxy {proxy}: {why}")]
    NoProxy {
        /// Host and port of the proxy.
        proxy: String,
        /// What the system said.
        why: String,
    },
    /// The proxy does not answer.
    #[error("the proxy {proxy} does not answer in time when asked for {address}")]
    ProxyLate {
        /// Host and port of the proxy.
        proxy: String,
        /// Host and port of the server.
        address: String,
    },
    /// No connection to the server.
    #[error("cannot reach {address}: {source}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server is not the right one, or does not speak TLS 1.3.
    #[error("no trust in {address}: {reason}")]
    Untrusted {
        /// Host and port.
        address: String,
        /// What TLS said.
        reason: String,
    },
}

/// Makes a lazily connecting, reconnecting channel to `https://host:port` that
/// shows the client's certificate and trusts exactly this authority.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Url`] or [`Error::Credential`]; nothing is connected yet.
pub fn dial_mutual(to: impl Into<Route>, ca_cert_pem: &str, cert_pem: &str, key_pem: &str) -> Result<Channel, Error> {
    channel(to.into(), tls::client(ca_cert_pem, cert_pem, key_pem)?)
}

/// Makes a channel for enrolment: no client certificate, and the server trusted
/// if and only if it presents an authority's certificate whose SHA-256 is
/// `ca_sha256` and its own certificate verifies against that for the host.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Url`]; nothing is connected yet.
pub fn dial_pinned(to: impl Into<Route>, ca_sha256: [u8; 32]) -> Result<(Channel, PinnedCa), Error> {
    let (verifier, pinned) = pinned::verifier(ca_sha256);
    let config = tls::anonymous_client(verifier)?;
    Ok((channel(to.into(), config)?, pinned))
}

fn channel(route: Route, config: ClientConfig) -> Result<Channel, Error> {
    let address = Address::parse(&route.url)?;
    let connector = TlsConnector::from(Arc::new(config));
    // The connector speaks TLS itself, so tonic is told `http`; requests say `https`.
    let endpoint = Endpoint::from(address.plain.clone())
        .origin(address.secure.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .http2_adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES)
        .http2_max_header_list_size(HEADER_LIST_BYTES)
        .http2_max_local_error_reset_streams(LOCAL_RESETS);
    let address = Arc::new(address);
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let (address, proxy, connector) = (Arc::clone(&address), route.proxy.clone(), connector.clone());
        async move { connect(&address, proxy.as_deref(), &connector).await.map(TokioIo::new) }
    })))
}

async fn connect(
    address: &Address,
    proxy: Option<&Proxy>,
    connector: &TlsConnector,
) -> Result<TlsStream<Box<dyn Stream>>, Error> {
    let stream = stream(address, proxy).await?;
    let untrusted = |reason| Error::Untrusted { address: address.shown(), reason };
    let tls = timeout(TLS_TIMEOUT, connector.connect(address.name.clone(), stream)).await;
    let tls = tls.map_err(|_| untrusted("no answer to the beginning of TLS in time".to_owned()))?;
    tls.map_err(|error| untrusted(failure::tls_reason(&error)))
}

/// How long TLS may take once there is a connection.
const TLS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long all stages together may take, those of a proxy included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a connection may be silent before a ping, also while idle.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer to a ping may take.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
