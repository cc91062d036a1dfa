//! A request and its answer, counted.
//!
//! Promises: the pass is held until the answer has ended or its reader is gone; a
//! message over a limit ends with a status instead of its rest. Does not: buffer.

use super::{BODY_WITHIN, Over, Pass, WHILE_BUSY};
use crate::failure::Failure;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

/// The request under its pass, and what puts the answer under it.
pub(crate) fn metered<K: Eq + Hash + Send + Sync + 'static>(
    request: Request<Body>,
    pass: Pass<K>,
) -> (Request<Body>, impl FnOnce(Response<Body>) -> Response<Body>) {
    let pass = Arc::new(pass);
    let held = Arc::clone(&pass);
    let request = request.map(|body| Body::new(Metered { body, pass, late: Box::pin(sleep(BODY_WITHIN)) }));
    let answer = |response: Response<Body>| {
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _ = &held;
                frame
            }))
        })
    };
    (request, answer)
}

struct Metered<K: Eq + Hash> {
    body: Body,
    pass: Arc<Pass<K>>,
    late: Pin<Box<Sleep>>,
}

impl<K: Eq + Hash> HttpBody for Metered<K> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Pending if self.late.as_mut().poll(cx).is_ready() => {
                return Poll::Ready(Some(Err(Failure::Unavailable("the message did not come in time".into()).into())));
            }
            other => return other,
        };
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        Poll::Ready(Some(match self.pass.read(bytes, Instant::now()) {
            Ok(()) => Ok(frame),
            Err(Over::TooLong) => Err(Failure::Invalid("the message is longer than any of its kind".into()).into()),
            Err(Over::Held) => Err(Failure::SlowDown(WHILE_BUSY).into()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::{Metered, metered};
    use crate::throttle::{Kind, Throttle};
    use http::{Request, Response};
    use http_body_util::{BodyExt as _, StreamBody};
    use hyper::body::{Bytes, Frame};
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use tonic::body::Body;
    use tonic::{Code, Status};

    #[tokio::test]
    async fn a_message_that_does_not_come_is_given_up() {
        let pass = Throttle::new().enter(&"a", Kind::Look, Instant::now()).expect("a place");
        let body = Body::new(StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, Status>>()));
        let late = Box::pin(tokio::time::sleep(Duration::from_millis(20)));
        let mut metered = Metered { body, pass: Arc::new(pass), late };
        let status = metered.frame().await.expect("an end").expect_err("it is late");
        assert_eq!(status.code(), Code::Unavailable);
    }

    #[test]
    fn a_call_is_under_way_until_its_answer_has_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _entered = runtime.enter();
        let (throttle, now) = (Throttle::new(), Instant::now());
        let mut answers = Vec::new();
        for _ in 0..Kind::Read.limits().open {
            let pass = throttle.enter(&"a", Kind::Read, now).expect("a place");
            let (request, answer) = metered(Request::new(Body::empty()), pass);
            drop(request);
            let under_way = StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, Status>>());
            answers.push(answer(Response::new(Body::new(under_way))));
        }
        assert!(throttle.enter(&"a", Kind::Read, now).is_err());
        answers.pop();
        assert!(throttle.enter(&"a", Kind::Read, now).is_ok());
    }
}
