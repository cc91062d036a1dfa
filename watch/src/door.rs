//! The door on loopback: `GET /metrics`, `/health/live`, `/health/ready`.
//!
//! Promises: it can be opened on a loopback address only; a caller can do nothing
//! but read three pages; callers are few, their requests small and their time
//! short, and none of it holds up the daemon. What it does not do: tell callers
//! apart. Whoever has an account on the machine may read the pages, so nothing
//! may stand there that is not for them.

use crate::page::Page;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Connections at one time; more wait.
const MOST_CONNECTIONS: usize = 8;
/// Longest that a request's head may take, and then once more the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const MOST_HEAD_BYTES: usize = 8192;
/// Fields in a request's head.
const MOST_FIELDS: usize = 32;

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Others than this machine could come in.
    #[error("{0} is not a loopback address: metrics and health are shown on this machine only, such as 127.0.0.1:9464")]
    NotLoopback(String),
    /// The text is no address and port.
    #[error("\"{0}\" is not an address and a port, such as 127.0.0.1:9464")]
    NoAddress(String),
    /// The system does not let it.
    #[error("cannot listen on {0} for metrics: {1}; change [metrics], or stop what listens there")]
    Listen(SocketAddr, std::io::Error),
}

/// An address that only this machine can reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Loopback(SocketAddr);

impl TryFrom<String> for Loopback {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let address: SocketAddr = text.parse().map_err(|_| Error::NoAddress(text.clone()))?;
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(Error::NotLoopback(text)) }
    }
}

/// Why a daemon is not ready: a closed list, in which nothing depends on records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// It has not opened its journal yet.
    Starting,
    /// A node has no connection to the coordinator.
    NotConnected,
    /// The coordinator has not confirmed that a node's log is the newest it knows.
    LogNotConfirmed,
    /// A node's operator has not approved a roster.
    NoRoster,
    /// The rules a node runs with are not those that two persons approved.
    RulesNotApproved,
}

impl Reason {
    /// Its name in the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::NotConnected => "NOT_CONNECTED",
            Self::LogNotConfirmed => "LOG_NOT_CONFIRMED",
            Self::NoRoster => "NO_ROSTER",
            Self::RulesNotApproved => "RULES_NOT_APPROVED",
        }
    }
}

/// A daemon that can be looked at.
pub trait Watched: Send + Sync + 'static {
    /// The page of metrics.
    fn metrics(&self) -> Page;
    /// Why it is not ready; empty when it is.
    fn not_ready(&self) -> Vec<Reason>;
}

/// The door, open.
pub struct Door {
    listener: TcpListener,
    patience: Duration,
}

impl Door {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn open(at: Loopback) -> Result<Self, Error> {
        let listener = TcpListener::bind(at.0).map_err(|e| Error::Listen(at.0, e))?;
        listener.set_nonblocking(true).map_err(|e| Error::Listen(at.0, e))?;
        Ok(Self { listener, patience: PATIENCE })
    }

    /// Shows the pages, for ever. What fails here is told in the log and stops
    /// nothing else.
    pub async fn serve(self, watched: Arc<impl Watched>) {
        let listener = match tokio::net::TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::warn!(%error, "metrics and health cannot be shown"),
        };
        let patience = self.patience;
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(place) = places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let watched = watched.clone();
                    tokio::spawn(async move {
                        // A caller that breaks off is its own business.
                        let _ = tokio::time::timeout(2 * patience, carry(stream, watched, patience)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection for metrics was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn carry(stream: TcpStream, watched: Arc<impl Watched>, patience: Duration) -> Result<(), hyper::Error> {
    let service = service_fn(move |request| {
        let response = respond(&request, &*watched);
        async move { Ok::<_, Infallible>(response) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_FIELDS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn respond(request: &Request<Incoming>, watched: &impl Watched) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const JSON: &str = "application/json";
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, TEXT, watched.metrics().text()),
        (&Method::GET, "/health/live") => (StatusCode::OK, JSON, answer("live", &[])),
        (&Method::GET, "/health/ready") => match &watched.not_ready()[..] {
            [] => (StatusCode::OK, JSON, answer("ready", &[])),
            reasons => (StatusCode::SERVICE_UNAVAILABLE, JSON, answer("not_ready", reasons)),
        },
        (_, "/metrics" | "/health/live" | "/health/ready") => (StatusCode::METHOD_NOT_ALLOWED, TEXT, String::new()),
        _ => (StatusCode::NOT_FOUND, TEXT, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        fields.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

fn answer(status: &str, reasons: &[Reason]) -> String {
    let reasons: Vec<String> = reasons.iter().map(|reason| format!("\"{}\"", reason.code())).collect();
    format!("{{\"status\":\"{status}\",\"reasons\":[{}]}}\n", reasons.join(","))
}

#[cfg(test)]
mod tests;
