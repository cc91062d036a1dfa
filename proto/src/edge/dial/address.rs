//! Where to dial: `https://host:port`, host a DNS name or an IP address.
//!
//! Promises: what parses can be dialled and verified. Does not: resolve names.

use rustls::pki_types::ServerName;
use tonic::transport::Uri;

use super::Error;

/// A server's address, in every form the dialler needs.
pub(in crate::edge) struct Address {
    /// The host without brackets.
    pub(in crate::edge) host: String,
    /// The port.
    pub(in crate::edge) port: u16,
    /// The name the server's certificate must hold.
    pub(in crate::edge) name: ServerName<'static>,
    /// `http://host:port`.
    pub(in crate::edge) plain: Uri,
    /// `https://host:port`.
    pub(in crate::edge) secure: Uri,
}

impl Address {
    /// Reads `https://host:port`; without a port it is 443.
    pub(in crate::edge) fn parse(url: &str) -> Result<Self, Error> {
        let bad = || Error::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?;
        if uri.scheme_str() != Some("https")
            || uri.path() != "/"
            || uri.query().is_some()
            || authority.as_str().contains('@')
        {
            return Err(bad());
        }
        let host = authority.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = match authority.as_str().strip_prefix(host).ok_or_else(bad)? {
            "" => 443,
            rest => rest.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or_else(bad)?,
        };
        let at = |scheme: &str| format!("{scheme}://{host}:{port}").parse::<Uri>();
        Ok(Self {
            host: bare.to_owned(),
            port,
            name: ServerName::try_from(bare.to_owned()).map_err(|_| bad())?,
            plain: at("http").map_err(|_| bad())?,
            secure: at("https").map_err(|_| bad())?,
        })
    }

    /// Host and port, for messages.
    pub(in crate::edge) fn shown(&self) -> String {
        match self.secure.authority() {
            Some(authority) => authority.to_string(),
            None => self.host.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn hosts_and_ports_are_read() {
        for (url, host, port, shown) in [
            ("https://koonti.fi:8443", "koonti.fi", 8443, "koonti.fi:8443"),
            ("https://koonti.fi", "koonti.fi", 443, "koonti.fi:443"),
            ("https://127.0.0.1:1/", "127.0.0.1", 1, "127.0.0.1:1"),
            ("https://[::1]:9", "::1", 9, "[::1]:9"),
        ] {
            let address = Address::parse(url).expect(url);
            assert_eq!(address.host, host);
            assert_eq!(address.port, port);
            assert_eq!(address.shown(), shown);
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for url in [
            "",
            "koonti.fi:8443",
            "http://koonti.fi:8443",
            "https://koonti.fi:8443/path",
            "https://koonti.fi:8443/?q",
            "https://me@koonti.fi:8443",
            "https://koonti.fi:99999",
            "https://under the bridge",
            "unix:/run/koonti",
        ] {
            assert!(Address::parse(url).is_err(), "{url:?}");
        }
    }
}
