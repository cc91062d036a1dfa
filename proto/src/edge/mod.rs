//! The network edge: who may connect, and over what.
//!
//! Promises: TLS 1.3 with ring and nothing older, HTTP/2 inside it; every
//! caller behind [`server::serve_mutual`] holds a certificate of this region's
//! authority that names exactly one identity; every connection has an age, a
//! handshake deadline and stream limits; the process-wide rustls default is
//! never set or read.
//!
//! Does not: decide what a caller may do (the doors do, on every request,
//! against the registry), set deadlines on calls (the doors do: streams live
//! for hours), retry (the caller does, with backoff), or know a message type.

pub mod dial;
pub mod pki;
pub mod probe;
pub mod server;

mod pem;
mod tls;

pub use tls::CredentialError;
pub(crate) use tls::{check_client, check_pair};

#[cfg(test)]
mod tests;
