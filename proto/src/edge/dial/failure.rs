//! Reading what went wrong with a call that did not get an answer.
//!
//! Promises: a call [`was_never_sent`] calls so left no trace at the server.
//! Does not: say so of every call that left none.

use std::error::Error;
use std::io;

use rustls::CertificateError;
use tonic::{Code, Status, transport};

/// Whether the call was dropped before a byte of it was sent, so that any call,
/// also one that must not run twice, may be repeated once without waiting.
///
/// This happens to the first call after a server has told a connection to take
/// no new calls (its age, a restart) while a stream is still open on it: hyper
/// notices only then. The repeated call goes over a new connection.
pub fn was_never_sent(status: &Status) -> bool {
    // hyper cancels only what it still holds. A server's own `cancelled` comes
    // without a source.
    let of_the_connection = |source: &(dyn Error + 'static)| source.is::<transport::Error>();
    status.code() == Code::Cancelled && status.source().is_some_and(of_the_connection)
}

/// Returns what the connection said, for people: the innermost cause where there
/// is one (such as `received fatal alert: CertificateExpired`), else the status's
/// own message.
pub fn reason(status: &Status) -> String {
    let mut next = status.source();
    let mut text = status.message().to_owned();
    while let Some(error) = next {
        // The dialler's own errors are already the message.
        if error.is::<super::Error>() {
            return error.to_string();
        }
        let end = error.downcast_ref::<io::Error>().map(io::Error::kind);
        text = match end {
            Some(io::ErrorKind::UnexpectedEof) => "the server closed the connection".into(),
            _ => error.to_string(),
        };
        next = error.source();
    }
    text
}

/// What TLS said, without the wrapping of a verifier's own reason.
pub(in crate::edge) fn tls_reason(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(own))) => own.0.to_string(),
        Some(other) => other.to_string(),
        None => error.to_string(),
    }
}
