//! What a probe has found, and what to do about it.

use crate::edge::dial;

/// What is wrong, at the first stage where something is.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Name, TCP or proxy: the dialler's own words.
    #[error(transparent)]
    Way(#[from] dial::Error),
    /// Another certificate than one of the region.
    #[error("TLS to {address} is answered with a certificate of another authority (issuer: {issuer})")]
    Intercepted {
        /// Host and port.
        address: String,
        /// Who issued it, as it says.
        issuer: String,
    },
    /// The server's certificate has other names.
    #[error("{address} answers with a certificate for other names: {reason}")]
    OtherName {
        /// Host and port.
        address: String,
        /// What TLS says.
        reason: String,
    },
    /// The server's certificate is not good now.
    #[error("the certificate of {address} is not good now: {reason}")]
    Dates {
        /// Host and port.
        address: String,
        /// What TLS says.
        reason: String,
    },
    /// Closed after the first message of TLS.
    #[error("{address} closes the connection as soon as TLS begins")]
    ClosedInTls {
        /// Host and port.
        address: String,
    },
    /// No answer to the first message of TLS.
    #[error("{address} takes the connection and does not answer the beginning of TLS")]
    SilentTls {
        /// Host and port.
        address: String,
    },
    /// Something else than TLS answers.
    #[error("{address} does not speak TLS")]
    NotTls {
        /// Host and port.
        address: String,
    },
    /// An older TLS.
    #[error("{address} does not speak TLS 1.3")]
    OldTls {
        /// Host and port.
        address: String,
    },
    /// What one end has sent is not what the other has got.
    #[error("something on the way to {address} alters TLS: {reason}")]
    Altered {
        /// Host and port.
        address: String,
        /// What TLS says.
        reason: String,
    },
    /// Another failure of TLS.
    #[error("TLS to {address} fails: {reason}")]
    Tls {
        /// Host and port.
        address: String,
        /// What TLS says.
        reason: String,
    },
    /// No HTTP/2.
    #[error("{address} does not speak HTTP/2 inside TLS")]
    NoHttp2 {
        /// Host and port.
        address: String,
    },
    /// Closed when HTTP/2 begins.
    #[error("{address} closes the connection as soon as HTTP/2 begins")]
    ClosedInHttp2 {
        /// Host and port.
        address: String,
    },
    /// The caller's certificate is not taken.
    #[error("{address} does not take the certificate of this machine: {reason}")]
    NotTrusted {
        /// Host and port.
        address: String,
        /// What TLS says.
        reason: String,
    },
    /// Cut while nothing was wrong.
    #[error("the connection to {address} is cut after {after_s} seconds")]
    Cut {
        /// Host and port.
        address: String,
        /// How long it lived, seconds.
        after_s: u64,
    },
}

impl Trouble {
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Way(error) => of_way(error),
            Self::Intercepted { .. } => {
                "a firewall or proxy opens TLS: have the address exempted from inspection; if nobody inspects, the address is wrong"
            }
            Self::OtherName { .. } => {
                "use a name that the certificate has, or have the coordinator's operator add this one: `koonti-coordinator certificate renew --host`"
            }
            Self::Dates { .. } => {
                "set the clock of this machine; if it is right, the coordinator's operator looks at theirs"
            }
            Self::ClosedInTls { .. } => {
                "most often a firewall that does not allow TLS here; or the coordinator has too many connections: try again"
            }
            Self::SilentTls { .. } => "a firewall holds TLS back, or the coordinator is overloaded",
            Self::NotTls { .. } => "the port is another one, or a proxy answers in its place: look at the address",
            Self::OldTls { .. } => {
                "a firewall or proxy answers in its place: have the address exempted from inspection"
            }
            Self::Altered { .. } => {
                "a firewall, a proxy or a virus scanner on this machine inspects TLS: have the address exempted"
            }
            Self::Tls { .. } => "look at the address; then ask the firewall's owner",
            Self::NoHttp2 { .. } => {
                "a firewall or proxy speaks HTTP/1.1 in its place: have HTTP/2 let through, without inspection"
            }
            Self::ClosedInHttp2 { .. } => {
                "a firewall or proxy does not let HTTP/2 through; or the coordinator has too many connections of this name: try again"
            }
            Self::NotTrusted { .. } => {
                "see the dates of the certificate above, and both clocks; then ask the coordinator's operator"
            }
            Self::Cut { .. } => {
                "a firewall or proxy ends long connections: have them allowed for this address, ten minutes at least"
            }
        }
    }

    /// True where the owner of a firewall or proxy can help.
    pub fn is_the_networks(&self) -> bool {
        !matches!(
            self,
            Self::Way(dial::Error::NameUnknown { .. })
                | Self::OtherName { .. }
                | Self::Dates { .. }
                | Self::NotTrusted { .. }
        )
    }
}

fn of_way(error: &dial::Error) -> &'static str {
    use std::io::ErrorKind::{ConnectionRefused, NetworkUnreachable};
    match error {
        dial::Error::NameUnknown { .. } => "look at the name; then at the name servers (DNS) of this machine",
        dial::Error::Silent { .. } => "most often a firewall drops it: ask for the line below",
        dial::Error::Unreachable { source, .. } if source.kind() == ConnectionRefused => {
            "the coordinator does not run there, or the port is another one; some firewalls refuse, too"
        }
        dial::Error::Unreachable { source, .. } if source.kind() == NetworkUnreachable => {
            "this machine has no way there: look at its network"
        }
        dial::Error::NoProxy { .. } => {
            "look at proxy (in node.toml, or as enroll was given it): whether it runs there, and takes connections from this machine"
        }
        dial::Error::Proxy { .. } | dial::Error::ProxyLate { .. } => {
            "look at proxy and proxy_credentials; then have the proxy's owner allow CONNECT to this address"
        }
        _ => "look at the address, and at the network of this machine",
    }
}
