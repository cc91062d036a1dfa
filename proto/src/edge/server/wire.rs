//! One accepted connection, from the end of its handshake to its own end.
//!
//! Promises: the connection carries who is at the other end into every request;
//! at its age or at shutdown it is first told to take no new calls, then cut
//! whatever it is doing; after its first frames it is read no faster than its caller's
//! pace. Does not: read a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_stream::StreamExt as _;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::Limits;
use super::entry::Admitted;
use super::frames::Frames;
use super::paces::Pace;

/// Serves one connection until the caller leaves, its time is up or `stop` is true.
///
/// Each connection has a tonic server of its own, because only a whole tonic
/// server can be asked to finish gracefully.
pub(super) async fn carry<C: Clone + Send + Sync + Unpin + 'static>(
    tls: TlsStream<TcpStream>,
    admitted: Admitted<C>,
    http2: Server,
    routes: Routes,
    limits: &Limits,
    mut stop: watch::Receiver<bool>,
) {
    let (cut, is_cut) = oneshot::channel();
    let (open, mut closed) = oneshot::channel();
    let (finish, finished) = oneshot::channel::<()>();
    let Admitted { caller, pace, mut place, slot: _slot } = admitted;
    let frames = Frames::new();
    let wire = Wire { tls, caller, pace, frames, first: FIRST_FRAMES, rest: None, cut: Some(is_cut), _open: open };
    let only = tokio_stream::once(Ok::<_, io::Error>(wire)).chain(tokio_stream::pending());
    let serving = http2.serve_with_incoming_shutdown(routes, only, async {
        let _ = finished.await;
    });
    let ending = async move {
        // Dropped, not sent: the wire's end also counts as cut.
        let _cut: oneshot::Sender<()> = cut;
        tokio::select! {
            _ = &mut closed => return,
            () = async {
                match &mut place {
                    Some(place) => place.sent_away().await,
                    None => std::future::pending().await,
                }
            } => return,
            () = sleep(age(limits.max_connection_age)) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        drop(finish);
        tokio::select! {
            _ = &mut closed => {}
            () = sleep(limits.max_connection_age_grace) => {}
            () = async {
                let _ = stop.wait_for(|stop| *stop).await;
                sleep(limits.shutdown_grace).await;
            } => {}
        }
    };
    let (served, ()) = tokio::join!(serving, ending);
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended with an error");
    }
}

/// A TLS stream that knows its caller and can be cut.
struct Wire<C> {
    tls: TlsStream<TcpStream>,
    caller: C,
    pace: Arc<Pace>,
    frames: Frames,
    /// Frames that are still read without a look at the pace.
    first: u64,
    /// Nothing is read before it is over.
    rest: Option<Pin<Box<Sleep>>>,
    /// Resolves when the connection is to be cut; gone once it has been.
    cut: Option<oneshot::Receiver<()>>,
    /// Dropped with the wire: tells that the connection is closed.
    _open: oneshot::Sender<()>,
}

impl<C> Wire<C> {
    /// Fails once the connection is cut, and otherwise wakes the task when it is.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let is_cut = match &mut self.cut {
            Some(cut) => Pin::new(cut).poll(cx).is_ready(),
            None => true,
        };
        if is_cut {
            self.cut = None;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    /// How many frames may be read now, of as many as these bytes can hold; none before
    /// the rest is over.
    fn poll_leave(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<u64> {
        if self.first > 0 {
            return Poll::Ready(self.first);
        }
        loop {
            if let Some(rest) = &mut self.rest {
                ready!(rest.as_mut().poll(cx));
                self.rest = None;
            }
            // All connections of a caller wake together, and the first to read may leave
            // nothing for the others.
            match self.pace.leave(Frames::most_in(bytes), Instant::now()) {
                Ok(frames) => return Poll::Ready(frames),
                Err(rest) => self.rest = Some(Box::pin(sleep(rest.max(SHORTEST_REST)))),
            }
        }
    }

    /// Counts what has been read with leave for so many frames.
    fn count(&mut self, bytes: &[u8], leave: u64) {
        let frames = self.frames.count(bytes);
        match self.first {
            0 => self.pace.give_back(leave.saturating_sub(frames), Instant::now()),
            first => self.first = first.saturating_sub(frames),
        }
    }
}

impl<C: Clone + Send + Sync + 'static> Connected for Wire<C> {
    type ConnectInfo = C;

    fn connect_info(&self) -> C {
        self.caller.clone()
    }
}

impl<C: Unpin> AsyncRead for Wire<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let leave = ready!(self.poll_leave(cx, buf.remaining()));
        let most = self.frames.room_for(leave).min(buf.remaining());
        let mut some = ReadBuf::new(buf.initialize_unfilled_to(most));
        let read = Pin::new(&mut self.tls).poll_read(cx, &mut some);
        self.count(some.filled(), leave);
        let bytes = some.filled().len();
        buf.advance(bytes);
        read
    }
}

impl<C: Unpin> AsyncWrite for Wire<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

/// Shorter ones would have every connection of a caller wake for every frame.
const SHORTEST_REST: Duration = Duration::from_millis(100);
/// An honest newcomer's whole visit takes half as many. So whoever shares an address with
/// a flood gets in all the same; and connections are costly to begin, and counted.
const FIRST_FRAMES: u64 = 32;

/// The age, up to a tenth shorter at random.
fn age(most: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness every connection lives the whole age.
    let _ = SystemRandom::new().fill(&mut byte);
    most - most / 10 * u32::from(byte[0]) / 256
}
