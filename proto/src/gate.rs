//! Stands before every generated service: finds the caller, asks the access table and
//! the caller's own limits, and only then lets the request in.
//!
//! Promises: a request without a known caller, or with a path that the table does not
//! give to one of the caller's roles, gets `PERMISSION_DENIED`, and one over the
//! caller's limits `RESOURCE_EXHAUSTED`, before its body is read; and an answer that is
//! still under way when its caller is revoked or struck from the roster ends like the
//! first at once. What it does not do: say why in more detail, but for a caller that has
//! been revoked.

use crate::access::{Caller, Registry, allowed};
use crate::edge::pki::SpiffeId;
use crate::edge::server::{Peer, Stranger};
use crate::failure::Failure;
use crate::held::Held;
use crate::throttle::{Kind, Throttle, metered};
use http::{Request, Response};
use std::convert::Infallible;
use std::hash::Hash;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// A generated service behind who may call it, and how often.
pub(crate) struct Gate<S, D: Doorman> {
    inner: S,
    doorman: Arc<D>,
    throttle: Arc<Throttle<D::Key>>,
}

/// Knows who stands before the gate.
pub(crate) trait Doorman: Send + Sync + 'static {
    /// By what a caller's calls are counted.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;

    /// By what to count the caller, and who it is where that is known.
    ///
    /// # Errors
    /// When it may not make this call.
    fn admit(&self, request: &Request<Body>) -> Result<(Self::Key, Option<Caller>), Failure>;

    /// Keeps an eye on the answer from now on: what it becomes once there is one.
    fn watch(&self, request: &Request<Body>) -> Watched;
}

/// What is made of an answer before it goes out.
pub(crate) type Watched = Box<dyn FnOnce(Response<Body>) -> Response<Body> + Send>;

/// Members of the region, by the registry and the access table.
pub(crate) struct Members<R>(pub(crate) Arc<R>);

/// Newcomers, by their address.
pub(crate) struct Newcomers;

impl<R: Registry> Doorman for Members<R> {
    type Key = SpiffeId;

    fn admit(&self, request: &Request<Body>) -> Result<(SpiffeId, Option<Caller>), Failure> {
        let again = self.again(request);
        let caller = again.look()?;
        // Only who has an identity was found.
        let peer = again.peer.ok_or_else(denied)?;
        Ok((peer.id, Some(caller)))
    }

    fn watch(&self, request: &Request<Body>) -> Watched {
        let (again, changes) = (self.again(request), self.0.changes());
        Box::new(move |answer| answer.map(|body| Body::new(Held::new(body, again, changes))))
    }
}

impl<R> Members<R> {
    fn again(&self, request: &Request<Body>) -> Again<R> {
        let (peer, path) = (request.extensions().get().cloned(), request.uri().path().to_owned());
        Again { registry: Arc::clone(&self.0), peer, path }
    }
}

impl Doorman for Newcomers {
    type Key = IpAddr;

    fn admit(&self, request: &Request<Body>) -> Result<(IpAddr, Option<Caller>), Failure> {
        let stranger = request.extensions().get::<Stranger>().ok_or_else(denied)?;
        Ok((stranger.network(), None))
    }

    fn watch(&self, _: &Request<Body>) -> Watched {
        Box::new(|answer| answer)
    }
}

impl<S, D: Doorman> Gate<S, D> {
    /// Services behind one listener share their throttle.
    pub(crate) fn new(inner: S, doorman: &Arc<D>, throttle: &Arc<Throttle<D::Key>>) -> Self {
        Self { inner, doorman: Arc::clone(doorman), throttle: Arc::clone(throttle) }
    }
}

impl<S: Clone, D: Doorman> Clone for Gate<S, D> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), doorman: self.doorman.clone(), throttle: self.throttle.clone() }
    }
}

impl<S: NamedService, D: Doorman> NamedService for Gate<S, D> {
    const NAME: &'static str = S::NAME;
}

impl<S, D> Service<Request<Body>> for Gate<S, D>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
    D: Doorman,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let refused = |failure: Failure| -> Self::Future {
            let status: Status = failure.into();
            Box::pin(async move { Ok(status.into_http()) })
        };
        // From before the first look, so that no change falls in between.
        let watched = self.doorman.watch(&request);
        let (key, caller) = match self.doorman.admit(&request) {
            Ok(admitted) => admitted,
            Err(failure) => return refused(failure),
        };
        let kind = Kind::of(request.uri().path());
        let pass = match self.throttle.enter(&key, kind, Instant::now()) {
            Ok(pass) => pass,
            Err(after) => return refused(Failure::SlowDown(after)),
        };
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let (request, answer) = metered(request, pass);
        let answered = self.inner.call(request);
        Box::pin(async move { Ok(watched(answer(answered.await?))) })
    }
}

/// Who called what, to be looked up again.
pub(crate) struct Again<R> {
    registry: Arc<R>,
    peer: Option<Peer>,
    path: String,
}

impl<R: Registry> Again<R> {
    /// The caller, if it may call this now.
    pub(crate) fn look(&self) -> Result<Caller, Failure> {
        let caller = self.peer.as_ref().and_then(|peer| self.registry.identify(&peer.id, &peer.spki_sha256));
        caller.filter(|caller| allowed(&self.path, &caller.roles)).ok_or_else(|| match &self.peer {
            Some(peer) if self.registry.is_revoked(&peer.id) => Failure::Revoked(peer.id.name.clone()),
            _ => denied(),
        })
    }
}

fn denied() -> Failure {
    Failure::Denied("your role in the region's roster does not allow this call".to_owned())
}
