//! The calling side: lazy, reconnecting HTTP/2 channels over TLS 1.3.
//!
//! Promises: [`dial_mutual`] trusts exactly one authority; [`dial_pinned`] trusts
//! exactly one certificate by its hash and sends nothing before it has seen it;
//! an unreachable or wrong server is found within [`CONNECT_TIMEOUT`], a dead
//! connection within [`KEEPALIVE_INTERVAL`] plus [`KEEPALIVE_TIMEOUT`]; a server
//! can make the client hold no more than the limits the server keeps itself.
//!
//! Does not: retry a call (each call after a lost connection tries anew, at once:
//! the caller backs off), set a deadline on calls, or go through a proxy. A
//! connection that ends by age loses its open streams, and one call may come back
//! unsent: the caller resumes the streams and repeats a call [`was_never_sent`].

mod address;
mod failure;
mod pinned;

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

pub use failure::{reason, was_never_sent};
pub use pinned::PinnedCa;
#[cfg(test)]
pub(super) use pinned::verifier;

use self::address::Address;
use super::server::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, HEADER_LIST_BYTES, LOCAL_RESETS, STREAM_WINDOW_BYTES};
use super::tls::{self, CredentialError};

/// Why a server cannot be dialled or is not the right one.
///
/// The last two come out of calls, not of the dialling functions: tonic puts
/// their text into the message of the `unavailable` status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not `https://host:port`.
    #[error("{0:?} is not an address like https://host:port")]
    Url(String),
    /// The certificates or the key cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
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
pub fn dial_mutual(url: &str, ca_cert_pem: &str, cert_pem: &str, key_pem: &str) -> Result<Channel, Error> {
    let config = tls::client(ca_cert_pem, cert_pem, key_pem)?;
    Ok(channel(Address::parse(url)?, config))
}

/// Makes a channel for enrolment: no client certificate, and the server trusted
/// if and only if it presents an authority's certificate whose SHA-256 is
/// `ca_sha256` and its own certificate verifies against that for the host.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Url`]; nothing is connected yet.
pub fn dial_pinned(url: &str, ca_sha256: [u8; 32]) -> Result<(Channel, PinnedCa), Error> {
    let (verifier, pinned) = pinned::verifier(ca_sha256);
    let config = tls::anonymous_client(verifier)?;
    Ok((channel(Address::parse(url)?, config), pinned))
}

fn channel(address: Address, config: ClientConfig) -> Channel {
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
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let (address, connector) = (Arc::clone(&address), connector.clone());
        async move { connect(&address, &connector).await.map(TokioIo::new) }
    }))
}

async fn connect(address: &Address, connector: &TlsConnector) -> Result<TlsStream<TcpStream>, Error> {
    let unreachable = |source| Error::Unreachable { address: address.shown(), source };
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    connector
        .connect(address.name.clone(), tcp)
        .await
        .map_err(|error| Error::Untrusted { address: address.shown(), reason: failure::tls_reason(&error) })
}

/// How long TCP and TLS together may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent before a ping, also while idle.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer to a ping may take.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
