//! An answer under way, held back as soon as its caller may no longer have it.
//!
//! Promises: whenever the registry tells of a change, the caller is looked up again before
//! another byte goes out; if it may not have the answer any more, the answer ends with
//! `PERMISSION_DENIED`, and whatever was producing it is dropped. Does not: take back what
//! has been sent.

use crate::access::Registry;
use crate::gate::Again;
use http::HeaderMap;
use hyper::body::{Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::watch;
use tokio_stream::Stream as _;
use tokio_stream::wrappers::WatchStream;
use tonic::Status;
use tonic::body::Body;

/// The body of an answer.
pub(crate) struct Held<R> {
    body: Body,
    caller: Again<R>,
    changes: WatchStream<()>,
    denied: bool,
}

impl<R> Held<R> {
    pub(crate) fn new(body: Body, caller: Again<R>, changes: watch::Receiver<()>) -> Self {
        Self { body, caller, changes: WatchStream::from_changes(changes), denied: false }
    }
}

impl<R: Registry> hyper::body::Body for Held<R> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.denied {
            return Poll::Ready(None);
        }
        while let Poll::Ready(Some(())) = Pin::new(&mut self.changes).poll_next(cx) {
            if let Err(failure) = self.caller.look() {
                self.denied = true;
                self.body = Body::empty();
                let mut trailers = HeaderMap::new();
                Status::from(failure).add_header(&mut trailers)?;
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.denied || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
