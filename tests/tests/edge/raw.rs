//! An HTTP/2 client with no manners: frames by hand over TLS.

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A path that every member may call, with an empty message.
pub(crate) const ROSTER: &str = "/koonti.v1.TableService/GetRoster";

/// A connection.
pub(crate) struct Raw {
    tls: StreamOwned<ClientConnection, TcpStream>,
    come: Vec<u8>,
    /// The other end has closed it.
    pub(crate) ended: bool,
}

/// A frame that came.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    /// The error code in a RST_STREAM or GOAWAY.
    pub(crate) fn code(&self) -> u32 {
        let from = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.body[from..from + 4].try_into().expect("four bytes"))
    }
}

/// TCP from a loopback address of the caller's own.
pub(crate) async fn dial(from: [u8; 4], to: SocketAddr) -> std::io::Result<tokio::net::TcpStream> {
    // Only tokio lets a socket be bound before it connects.
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::from(from), 0))?;
    socket.connect(to).await
}

/// The same, to read and write without a runtime.
pub(crate) fn tcp(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
    }
    let tcp = RUNTIME.with(|runtime| runtime.block_on(async { dial(from, to).await?.into_std() }))?;
    tcp.set_nonblocking(false)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(Duration::from_secs(5)))?;
    tcp.set_write_timeout(Some(Duration::from_secs(5)))?;
    Ok(tcp)
}

/// TLS, with its handshake done.
pub(crate) fn tls(
    config: impl Into<Arc<ClientConfig>>,
    from: [u8; 4],
    to: SocketAddr,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = to.ip().to_string().try_into().expect("a name");
    let client = ClientConnection::new(config.into(), name).expect("a client");
    let mut tls = StreamOwned::new(client, tcp(from, to)?);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

impl Raw {
    /// Connects, says the preface and takes the server's settings.
    pub(crate) fn connect(
        config: impl Into<Arc<ClientConfig>>,
        from: [u8; 4],
        to: SocketAddr,
    ) -> std::io::Result<Self> {
        let mut raw = Self { tls: tls(config, from, to)?, come: Vec::new(), ended: false };
        raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        raw.send(&frame(SETTINGS, 0, 0, &[]));
        match raw.wait(Duration::from_secs(5), |frame| frame.kind == SETTINGS) {
            Some(_) => Ok(raw),
            None => Err(ErrorKind::ConnectionAborted.into()),
        }
    }

    /// What TLS knows of it.
    pub(crate) fn client(&self) -> &ClientConnection {
        &self.tls.conn
    }

    /// Sends; false once the connection is gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        if self.tls.write_all(bytes).and_then(|()| self.tls.flush()).is_err() {
            // What the server had to say may still be there to read.
            return false;
        }
        true
    }

    /// From now on a write that finds no room gives up after this time.
    pub(crate) fn tolerate_a_full_pipe(&mut self, after: Duration) {
        self.tls.sock.set_write_timeout(Some(after)).expect("a timeout");
    }

    /// All frames that come within this time, or until the connection ends.
    pub(crate) fn frames(&mut self, within: Duration) -> Vec<Frame> {
        let mut all = Vec::new();
        self.read(within, |frame| {
            all.push(frame);
            false
        });
        all
    }

    /// The first frame that comes within this time and is wanted.
    pub(crate) fn wait(&mut self, within: Duration, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        let mut found = None;
        self.read(within, |frame| {
            let is = wanted(&frame);
            found = is.then_some(frame);
            is
        });
        found
    }

    fn read(&mut self, within: Duration, mut take: impl FnMut(Frame) -> bool) {
        let until = Instant::now() + within;
        loop {
            while let Some(frame) = self.next() {
                if take(frame) {
                    return;
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.ended {
                return;
            }
            // By hand: a stream of rustls reads nothing once a write has failed.
            let mut some = [0; 16 * 1024];
            match self.tls.conn.reader().read(&mut some) {
                Ok(0) => self.ended = true,
                Ok(n) => self.come.extend_from_slice(&some[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.tls.sock.set_read_timeout(Some(left.max(Duration::from_millis(1)))).expect("a timeout");
                    match self.tls.conn.read_tls(&mut self.tls.sock) {
                        Ok(0) => self.ended = true,
                        Ok(_) => self.ended = self.tls.conn.process_new_packets().is_err(),
                        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                        Err(_) => self.ended = true,
                    }
                }
                Err(_) => self.ended = true,
            }
        }
    }

    fn next(&mut self) -> Option<Frame> {
        let head = self.come.get(..9)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes(head[5..9].try_into().expect("four bytes"));
        let body = self.come.get(9..9 + length)?.to_vec();
        self.come.drain(..9 + length);
        Some(Frame { kind, flags, stream, body })
    }

    /// Demands that the server says goodbye with this code and closes.
    #[track_caller]
    pub(crate) fn is_told_off(&mut self, what: &str, code: u32) {
        let frames = self.frames(Duration::from_secs(5));
        let goodbye = frames.iter().rfind(|frame| frame.kind == GOAWAY);
        assert!(goodbye.is_some_and(|frame| frame.code() == code), "{what}: {goodbye:?}");
        assert!(self.ended, "{what}: the connection goes on");
    }
}

/// A frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a length").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The header block of a call.
pub(crate) fn call(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "127.0.0.1"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// A header field in HPACK: literal, neither indexed nor compressed.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        number(&mut bytes, text.len());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// The length of a string in HPACK: an integer with a prefix of seven bits.
pub(crate) fn number(bytes: &mut Vec<u8>, mut n: usize) {
    if n < 127 {
        bytes.push(u8::try_from(n).expect("small"));
        return;
    }
    bytes.push(127);
    n -= 127;
    while n >= 128 {
        bytes.push(u8::try_from(n % 128).expect("small") | 128);
        n /= 128;
    }
    bytes.push(u8::try_from(n).expect("small"));
}
