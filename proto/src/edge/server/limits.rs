//! How much one listener, one address, one identity and one connection may take.
//!
//! Promises: a bound on everything a caller can hold open, and on how fast it is read.
//! Does not: bound how often a caller calls ([`crate::throttle`] does), or how long a
//! stream lasts once it has begun; the connection's age does.

use std::time::Duration;

use tonic::transport::Server;

use super::bucket::Rate;

/// The largest message either end reads or writes, in bytes: a table of
/// 1,000,000 cells takes 9 MB. The doors set it on every service and client.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// The limits of one listener. A full limit refuses, it never queues; only connections
/// without a certificate give way to newer ones.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections in all, handshakes included.
    pub connections: usize,
    /// Connections of one address that have shown no certificate: in their
    /// handshake, or for good on the enrolment listener. An IPv6 address counts
    /// as its /64 network.
    pub connections_per_address: usize,
    /// Connections that one address may begin, whatever becomes of them.
    pub connections_begun_per_address: Rate,
    /// Connections of one identity after the handshake.
    pub connections_per_identity: usize,
    /// Connections in all that have shown no certificate.
    pub handshakes: usize,
    /// How long such a connection keeps its place when a newcomer finds none.
    pub gives_way_after: Duration,
    /// HTTP/2 frames of one caller, of any kind and size and over all its connections;
    /// beyond, its connections are read more slowly. The first few of each do not count.
    pub frames: Rate,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// HTTP/2 streams open at once on a connection: long streams and calls.
    pub streams_per_connection: u32,
    /// Calls at once on a connection that have not begun to answer.
    pub calls_per_connection: usize,
    /// How long a call may take until its answer begins.
    pub call_timeout: Duration,
    /// How long a connection may live before it is told to take no new calls;
    /// up to a tenth shorter at random, so that callers do not return together.
    pub max_connection_age: Duration,
    /// How long calls and streams may go on after that before the connection is cut.
    pub max_connection_age_grace: Duration,
    /// The same at shutdown.
    pub shutdown_grace: Duration,
    /// How long a connection may be silent before a ping.
    pub keepalive_interval: Duration,
    /// How long the answer to a ping may take.
    pub keepalive_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 500 nodes, each with an old connection that is not known to be dead yet,
            // and people.
            connections: 1536,
            // A region's nodes may sit behind one address and come back together.
            connections_per_address: 64,
            connections_begun_per_address: Rate { burst: 1024, per_minute: 1800 },
            connections_per_identity: 16,
            handshakes: 512,
            gives_way_after: Duration::from_secs(1),
            // A gigabit of full frames is 8,000 a second, for two seconds; over time 64 MiB
            // a second.
            frames: Rate { burst: 16_384, per_minute: 245_760 },
            handshake_timeout: Duration::from_secs(5),
            streams_per_connection: 32,
            calls_per_connection: 16,
            // Twice what any client of ours waits.
            call_timeout: Duration::from_secs(60),
            max_connection_age: Duration::from_secs(10 * 60),
            max_connection_age_grace: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The limits of the enrolment listener: strangers stay short and do little.
    pub fn enrolment() -> Self {
        Self {
            // More than have a place, so that somebody can be let in and another sent away.
            connections: 320,
            handshakes: 256,
            gives_way_after: Duration::from_secs(5),
            frames: Rate { burst: 1024, per_minute: 6000 },
            streams_per_connection: 4,
            calls_per_connection: 2,
            max_connection_age: Duration::from_secs(60),
            max_connection_age_grace: Duration::from_secs(10),
            ..Self::default()
        }
    }

    /// The HTTP/2 server these limits make. The ages are not tonic's: with a grace
    /// set, tonic 0.14 cuts a connection without ever telling the client to leave.
    pub(super) fn http2(&self) -> Server {
        Server::builder()
            .max_concurrent_streams(self.streams_per_connection)
            .concurrency_limit_per_connection(self.calls_per_connection)
            .load_shed(true)
            .timeout(self.call_timeout)
            .http2_max_local_error_reset_streams(Some(LOCAL_RESETS))
            .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
            .http2_max_header_list_size(HEADER_LIST_BYTES)
            .max_frame_size(FRAME_BYTES)
            .http2_adaptive_window(Some(false))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keepalive_interval(Some(self.keepalive_interval))
            .http2_keepalive_timeout(Some(self.keepalive_timeout))
            .accept_http1(false)
    }
}

/// The largest list of headers either end reads, in bytes.
pub(in crate::edge) const HEADER_LIST_BYTES: u32 = 8 * 1024;
/// The largest HTTP/2 frame either end reads, in bytes.
pub(in crate::edge) const FRAME_BYTES: u32 = 16 * 1024;
/// How far a peer may send ahead on one stream, in bytes.
pub(in crate::edge) const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// How far a peer may send ahead on one connection, in bytes.
pub(in crate::edge) const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Streams reset for the peer's errors before the connection ends. Never
/// unlimited: that is the reset flood.
pub(in crate::edge) const LOCAL_RESETS: usize = 256;
/// Streams a peer may open and reset before they are accepted.
const PENDING_RESETS: usize = 20;
