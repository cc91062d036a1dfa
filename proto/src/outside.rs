//! Plain HTTP to and from a witness outside the region, after C2SP `tlog-witness`.
//!
//! What travels is signed and public, so it needs no TLS for its integrity; whoever wants
//! it hidden puts a tunnel or a proxy in front. Bodies are bounded, calls have deadlines.

use crate::failure::Failure;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest body, bytes.
const MOST_BYTES: usize = 64 * 1024;
/// Longest exchange.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at one time.
const MOST_CONNECTIONS: usize = 64;
/// The path of the one method.
const PATH: &str = "/add-checkpoint";

/// Serves `POST /add-checkpoint`: `answer` takes the body and gives status and body.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_witness(
    listener: TcpListener,
    answer: impl Fn(&[u8]) -> (u16, Vec<u8>) + Send + Sync + 'static,
) -> Result<(), Failure> {
    let unusable = |e: std::io::Error| Failure::Unavailable(format!("cannot listen: {e}"));
    listener.set_nonblocking(true).map_err(unusable)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(unusable)?;
    let answer = Arc::new(answer);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(request, answer.clone()));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(TIMEOUT)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // A caller that breaks off is its own business.
            let _ = tokio::time::timeout(TIMEOUT, connection).await;
            drop(place);
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: Arc<impl Fn(&[u8]) -> (u16, Vec<u8>) + Send + Sync + 'static>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = if request.method() != Method::POST || request.uri().path() != PATH {
        (404, Vec::new())
    } else {
        match Limited::new(request.into_body(), MOST_BYTES).collect().await {
            Ok(body) => tokio::task::block_in_place(|| answer(&body.to_bytes())),
            Err(_) => (400, Vec::new()),
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    Ok(response)
}

/// Sends a body to `POST URL/add-checkpoint`; returns status and body.
///
/// # Errors
/// When the witness cannot be reached in time, or the address is not one.
pub async fn add_checkpoint(url: &str, body: String) -> Result<(u16, Vec<u8>), Failure> {
    let exchange = async {
        let away = |what: &str| Failure::Unavailable(format!("the witness {url}: {what}"));
        let uri: http::Uri = format!("{}{PATH}", url.trim_end_matches('/')).parse().map_err(|_| away("no address"))?;
        let host =
            uri.host().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(|| away("not http://host:port"))?;
        let stream = tokio::net::TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await;
        let stream = stream.map_err(|e| away(&e.to_string()))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| away(&e.to_string()))?;
        tokio::spawn(connection);
        let request = Request::post(uri.path()).header("host", host).body(Full::new(Bytes::from(body)));
        let request = request.map_err(|e| away(&e.to_string()))?;
        let response = sender.send_request(request).await.map_err(|e| away(&e.to_string()))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        Ok((status, body.map_err(|e| away(&e.to_string()))?.to_bytes().to_vec()))
    };
    let late = || Failure::Unavailable(format!("the witness {url} does not answer in time"));
    tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| late())?
}
