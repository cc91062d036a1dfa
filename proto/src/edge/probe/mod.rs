//! What is wrong with the network, stage by stage, in words for whoever runs a firewall.
//!
//! Promises: a probe trusts what the dialler trusts and nothing more; it sends nothing but
//! the beginning of HTTP/2; each of its waits is bounded; a [`Trouble`] names the stage, what
//! to do, and never anything but addresses, names in certificates and what TLS says.
//!
//! Does not: call anything. Whether the coordinator knows the caller is seen by calling it.

mod http2;
mod noting;
mod trouble;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, ClientConfig};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dial::{self, Address, Route, Stream};
use super::tls;
use noting::Noting;

pub use trouble::Trouble;

/// Whom a probe trusts, and as whom it comes.
pub enum Trust<'a> {
    /// A member: the region's authority, its own certificate and key, all PEM.
    Member {
        /// The authority.
        ca_pem: &'a str,
        /// The member's certificate chain.
        cert_pem: &'a str,
        /// The member's key.
        key_pem: &'a str,
    },
    /// A newcomer: the SHA-256 of the authority's certificate, from an invitation.
    Pin([u8; 32]),
}

/// Goes through all stages of a connection: name, TCP, proxy, TLS, HTTP/2. Then it holds
/// the connection for as long as `hold` says, answering pings as the dialler does.
///
/// # Errors
/// [`Trouble`] at the first stage where something is wrong.
pub async fn probe(route: &Route, trust: &Trust<'_>, hold: Duration) -> Result<(), Trouble> {
    let address = Address::parse(&route.url)?;
    let shown = address.shown();
    let stream = dial::stream(&address, route.proxy.as_deref()).await?;
    let (config, seen) = config(trust)?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(address.name.clone(), stream);
    let tls = match timeout(TLS_TIMEOUT, handshake).await {
        Err(_) => return Err(Trouble::SilentTls { address: shown }),
        Ok(Err(error)) => return Err(of_handshake(shown, &error, seen.issuer())),
        Ok(Ok(tls)) => tls,
    };
    if tls.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(Trouble::NoHttp2 { address: shown });
    }
    speak(tls, shown, hold).await
}

/// The line to ask the firewall's owner for, for this way.
pub fn firewall_line(route: &Route) -> String {
    let from = own_address(route).unwrap_or_else(|| "this machine".to_owned());
    let to = Route::new(&route.url, None).first_hop();
    let what = "TCP, TLS 1.3 end to end without inspection, HTTP/2, long-lived connections";
    match &route.proxy {
        None => format!("from {from} to {to}, {what}"),
        Some(_) => format!("from {from} to the proxy {}, and CONNECT through it to {to}: {what}", route.first_hop()),
    }
}

/// The address that this machine takes on the way there. Nothing is sent for it.
fn own_address(route: &Route) -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(route.first_hop()).ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}

fn config(trust: &Trust<'_>) -> Result<(ClientConfig, Noting), Trouble> {
    let unusable = |e: tls::CredentialError| Trouble::Way(e.into());
    match trust {
        Trust::Member { ca_pem, cert_pem, key_pem } => {
            let noting = Noting::of(tls::server_verifier(ca_pem).map_err(unusable)?);
            let config = tls::client_trusting(Arc::new(noting.clone()), Some((cert_pem, key_pem))).map_err(unusable)?;
            Ok((config, noting))
        }
        Trust::Pin(pin) => {
            let noting = Noting::of(dial::verifier(*pin).0);
            let config = tls::client_trusting(Arc::new(noting.clone()), None).map_err(unusable)?;
            Ok((config, noting))
        }
    }
}

fn of_handshake(address: String, error: &io::Error, issuer: Option<String>) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Trouble::OtherName { address, reason: dial::tls_reason(error) }
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                Trouble::Dates { address, reason: dial::tls_reason(error) }
            }
            _ => Trouble::Intercepted { address, issuer: issuer.unwrap_or_else(|| "nobody".to_owned()) },
        },
        Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => Trouble::NoHttp2 { address },
        Some(
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure)
            | rustls::Error::PeerIncompatible(_),
        ) => Trouble::OldTls { address },
        Some(rustls::Error::InvalidMessage(_)) => Trouble::NotTls { address },
        Some(altered) if is_altered(altered) => Trouble::Altered { address, reason: altered.to_string() },
        Some(other) => Trouble::Tls { address, reason: other.to_string() },
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Trouble::ClosedInTls { address }
            }
            _ => Trouble::Tls { address, reason: error.to_string() },
        },
    }
}

/// True where both ends speak TLS and do not have the same bytes.
fn is_altered(error: &rustls::Error) -> bool {
    use AlertDescription::{BadRecordMac, DecodeError, DecryptError, IllegalParameter, MissingExtension};
    use AlertDescription::{UnexpectedMessage, UnsupportedExtension};
    match error {
        rustls::Error::DecryptError | rustls::Error::PeerMisbehaved(_) => true,
        rustls::Error::AlertReceived(alert) => matches!(
            alert,
            BadRecordMac
                | DecodeError
                | DecryptError
                | IllegalParameter
                | MissingExtension
                | UnexpectedMessage
                | UnsupportedExtension
        ),
        _ => false,
    }
}

async fn speak(tls: TlsStream<Box<dyn Stream>>, address: String, hold: Duration) -> Result<(), Trouble> {
    use http2::Ended;
    match http2::speak(tls, hold).await {
        Ok(()) => Ok(()),
        Err(Ended::OtherProtocol) => Err(Trouble::NoHttp2 { address }),
        Err(Ended::AtOnce(error)) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(altered @ (rustls::Error::DecryptError | rustls::Error::PeerMisbehaved(_))) => {
                    Err(Trouble::Altered { address, reason: altered.to_string() })
                }
                Some(rustls::Error::AlertReceived(alert)) => {
                    Err(Trouble::NotTrusted { address, reason: format!("{alert:?}") })
                }
                _ => Err(Trouble::ClosedInHttp2 { address }),
            }
        }
        Err(Ended::Later(after)) => Err(Trouble::Cut { address, after_s: after.as_secs() }),
    }
}

/// How long the handshake may take.
const TLS_TIMEOUT: Duration = Duration::from_secs(5);
