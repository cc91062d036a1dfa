//! Stands before every generated service: finds the caller, asks the access
//! table, and only then lets the request in.
//!
//! Promises: a request without a known caller, or with a path that the table
//! does not give to one of the caller's roles, gets `PERMISSION_DENIED` before
//! its body is read. What it does not do: say why in more detail.

use crate::access::{Registry, allowed};
use crate::edge::server::Peer;
use crate::failure::Failure;
use http::{Request, Response};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// A generated service behind the access table.
pub(crate) struct Gate<S, R> {
    inner: S,
    registry: Arc<R>,
}

impl<S, R> Gate<S, R> {
    pub(crate) fn new(inner: S, registry: Arc<R>) -> Self {
        Self { inner, registry }
    }
}

impl<S: Clone, R> Clone for Gate<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), registry: self.registry.clone() }
    }
}

impl<S: NamedService, R> NamedService for Gate<S, R> {
    const NAME: &'static str = S::NAME;
}

impl<S, R> Service<Request<Body>> for Gate<S, R>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
    R: Registry,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let peer = request.extensions().get::<Peer>();
        let caller = peer.and_then(|peer| self.registry.identify(&peer.id, &peer.spki_sha256));
        match caller.filter(|caller| allowed(request.uri().path(), &caller.roles)) {
            Some(caller) => {
                request.extensions_mut().insert(caller);
                Box::pin(self.inner.call(request))
            }
            None => {
                let why = "your role in the region's roster does not allow this call";
                let status: Status = Failure::Denied(why.to_owned()).into();
                Box::pin(async move { Ok(status.into_http()) })
            }
        }
    }
}
