//! The stages of a connection, each with a deadline and an error that says which it was:
//! name, TCP, proxy.
//!
//! Promises: what comes out is a stream to the server itself, whatever stands in between.
//! Does not: TLS; see the dialler and the probe.

use super::Error;
use super::address::Address;
use super::route::Proxy;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// A stream of bytes to the server.
pub(in crate::edge) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes a stream to the server, through the proxy if there is one.
pub(in crate::edge) async fn stream(to: &Address, proxy: Option<&Proxy>) -> Result<Box<dyn Stream>, Error> {
    match proxy {
        None => Ok(Box::new(tcp((&to.host, to.port), &to.shown()).await?)),
        Some(proxy) => {
            let no_proxy = |error: Error| Error::NoProxy { proxy: proxy.shown(), why: error.to_string() };
            let tcp = tcp(proxy.address(), &proxy.shown()).await.map_err(no_proxy)?;
            let late = |_| Error::ProxyLate { proxy: proxy.shown(), address: to.shown() };
            timeout(PROXY_TIMEOUT, tunnel(tcp, proxy, to)).await.map_err(late)?
        }
    }
}

async fn tcp((host, port): (&str, u16), shown: &str) -> Result<TcpStream, Error> {
    let address = || shown.to_owned();
    let found = timeout(STAGE_TIMEOUT, lookup_host((host, port))).await;
    let unknown = |why: String| Error::NameUnknown { host: host.to_owned(), why };
    let found = found.map_err(|_| unknown("no answer in time".to_owned()))?.map_err(|e| unknown(e.to_string()))?;
    let mut last = io::Error::other("the name has no address");
    let each = async {
        for to in found {
            match TcpStream::connect(to).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    let tcp = timeout(STAGE_TIMEOUT, each).await.map_err(|_| Error::Silent { address: address() })?;
    let unreachable = |source| Error::Unreachable { address: address(), source };
    let tcp = tcp.map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    Ok(tcp)
}

async fn tunnel(tcp: TcpStream, proxy: &Proxy, to: &Address) -> Result<Box<dyn Stream>, Error> {
    let failed = |why: String| Error::Proxy { proxy: proxy.shown(), address: to.shown(), why };
    let no_proxy = |e: hyper::Error| failed(if e.is_parse() { NOT_A_PROXY.to_owned() } else { e.to_string() });
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.map_err(no_proxy)?;
    // Ends with the tunnel.
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::connect(to.shown()).header(header::HOST, to.shown());
    if let Some(value) = proxy.authorization() {
        request = request.header(header::PROXY_AUTHORIZATION, value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|e| failed(e.to_string()))?;
    let answer = sender.send_request(request).await.map_err(no_proxy)?;
    match answer.status() {
        status if status.is_success() => {
            let through = hyper::upgrade::on(answer).await.map_err(no_proxy)?;
            Ok(Box::new(TokioIo::new(through)))
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(failed(UNAUTHENTICATED.to_owned())),
        StatusCode::FORBIDDEN => Err(failed("it does not allow this address (403)".to_owned())),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Err(failed(format!("it cannot reach this address itself ({})", answer.status().as_u16())))
        }
        StatusCode::BAD_REQUEST
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_IMPLEMENTED => Err(failed(format!("{NOT_A_PROXY} ({})", answer.status().as_u16()))),
        other => Err(failed(format!("it answers {}", other.as_u16()))),
    }
}

const NOT_A_PROXY: &str = "what answers there is not a proxy for CONNECT";
const UNAUTHENTICATED: &str = "it wants a user name and password, or others (407)";
/// How long finding the address, and TCP, may take.
const STAGE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the proxy may take to connect.
const PROXY_TIMEOUT: Duration = Duration::from_secs(10);
