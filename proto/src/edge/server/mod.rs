//! The listening side: an accept loop of its own, TLS, limits, then tonic.
//!
//! Promises: a caller that is slow, refused or over a limit costs the others
//! nothing, and frames of one caller are read no faster than its [`Limits::frames`];
//! behind [`serve_mutual`] every request carries a [`Peer`], behind
//! [`serve_enrolment`] a [`Stranger`], in its extensions; an accept error never
//! ends the server; `shutdown` ends it within the grace, whatever is open.
//!
//! Does not: decide what a peer may do, or notice a revocation or an expiry on a
//! connection that is already open: the doors check the registry on every
//! request, and age ends the connection.

mod accept;
mod bucket;
mod certificate;
mod entry;
mod frames;
mod limits;
mod paces;
mod room;
mod slots;
mod wire;

use std::io;
use std::net::TcpListener;

use tonic::service::Routes;

pub(crate) use bucket::Bucket;
pub use bucket::Rate;
pub use certificate::ServerCertificate;
pub use entry::{Peer, Stranger};
pub(super) use limits::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, HEADER_LIST_BYTES, LOCAL_RESETS, STREAM_WINDOW_BYTES};
pub use limits::{Limits, MAX_MESSAGE_BYTES};

use self::accept::serve;
use self::entry::{Members, Strangers};
use super::tls::{self, CredentialError};

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
    certificate: &ServerCertificate,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let limits = Limits::default();
    serve_mutual_within(limits, listener, ca_cert_pem, certificate, routes, shutdown).await
}

/// Does what [`serve_mutual`] does within other limits.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_mutual_within(
    limits: Limits,
    listener: TcpListener,
    ca_cert_pem: &str,
    certificate: &ServerCertificate,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let config = tls::server_with(Some(ca_cert_pem), certificate.resolver())?;
    let entry = Members::new(&limits);
    serve(limits, listener, config, entry, routes, shutdown).await
}

/// Serves `routes` over TLS 1.3 to callers without a certificate, within
/// [`Limits::enrolment`]: the enrolment listener only.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_enrolment(
    listener: TcpListener,
    certificate: &ServerCertificate,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let limits = Limits::enrolment();
    serve_enrolment_within(limits, listener, certificate, routes, shutdown).await
}

/// Does what [`serve_enrolment`] does within other limits.
///
/// # Errors
/// As [`serve_mutual`].
pub async fn serve_enrolment_within(
    limits: Limits,
    listener: TcpListener,
    certificate: &ServerCertificate,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let config = tls::server_with(None, certificate.resolver())?;
    let entry = Strangers::new(&limits);
    serve(limits, listener, config, entry, routes, shutdown).await
}
