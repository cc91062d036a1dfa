//! The way to a server: straight, or through an HTTP proxy.
//!
//! Promises: a proxy is used when it is named here and not otherwise; no variable of the
//! environment is read. What goes through it is the same TLS as without, end to end.

use super::Error;
use http::{HeaderValue, Uri};
use std::sync::Arc;

/// A server's address, and the proxy on the way there.
#[derive(Clone, Debug)]
pub struct Route {
    /// `https://host:port`.
    pub(in crate::edge) url: String,
    /// The proxy, if one stands in between.
    pub(in crate::edge) proxy: Option<Arc<Proxy>>,
}

/// An HTTP proxy that passes connections on (CONNECT).
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
}

impl Route {
    /// The way to `https://host:port`, through a proxy if there is one.
    pub fn new(url: &str, proxy: Option<Proxy>) -> Self {
        Self { url: url.to_owned(), proxy: proxy.map(Arc::new) }
    }

    /// `https://host:port` of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a packet filter sees of it: the host and port that are connected to first.
    pub fn first_hop(&self) -> String {
        match &self.proxy {
            Some(proxy) => proxy.shown(),
            None => self.url.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        }
    }
}

impl From<&str> for Route {
    fn from(url: &str) -> Self {
        Self::new(url, None)
    }
}

impl From<&String> for Route {
    fn from(url: &String) -> Self {
        Self::new(url, None)
    }
}

impl Proxy {
    /// Reads `http://host:port`; `credentials` are `user:password`.
    ///
    /// # Errors
    /// [`Error::ProxyUrl`] for another shape, also for a user in the address, and
    /// [`Error::ProxyCredentials`].
    pub fn parse(url: &str, credentials: Option<&str>) -> Result<Self, Error> {
        let bad = || Error::ProxyUrl(without_user(url));
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?;
        let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        let port = authority.port_u16().filter(|_| plain && !authority.as_str().contains('@')).ok_or_else(bad)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let authorization = credentials.map(basic).transpose()?;
        Ok(Self { host, port, authorization })
    }

    pub(super) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Host and port, for messages.
    pub(super) fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What stands before an `@` may be a password: it is never shown.
fn without_user(url: &str) -> String {
    url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, rest)| format!("http://...@{rest}"))
}

fn basic(credentials: &str) -> Result<HeaderValue, Error> {
    let fits = credentials.contains(':') && !credentials.chars().any(char::is_control);
    let text = format!("Basic {}", crate::edge::pem::base64(credentials.as_bytes()));
    let mut value = HeaderValue::from_str(&text).ok().filter(|_| fits).ok_or(Error::ProxyCredentials)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_passwords_not_shown() {
        for (url, shown) in [("http://proxy.example:3128", "proxy.example:3128"), ("http://[::1]:1/", "[::1]:1")] {
            assert_eq!(Proxy::parse(url, None).expect(url).shown(), shown);
        }
        for url in ["", "proxy:3128", "https://proxy:3128", "http://proxy", "http://proxy:1/path", "socks5://proxy:1"] {
            assert!(Proxy::parse(url, None).is_err(), "{url:?}");
        }
        let refused = Proxy::parse("http://me:secret@proxy:3128", None).expect_err("refused").to_string();
        assert!(!refused.contains("secret"), "{refused}");
        let proxy = Proxy::parse("http://proxy:3128", Some("me:secret")).expect("a proxy");
        assert_eq!(proxy.authorization().expect("a header"), "Basic bWU6c2VjcmV0");
        assert!(!format!("{:?} {proxy:?}", proxy.authorization()).contains("bWU6"));
        assert!(Proxy::parse("http://proxy:3128", Some("secret")).is_err());
        assert!(Proxy::parse("http://proxy:3128", Some("me:sec\r\nret")).is_err());
    }
}
