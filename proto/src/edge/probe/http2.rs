//! As much of HTTP/2 as it takes to see that the other end speaks it, and goes on doing so:
//! preface, settings, pings.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

/// How it ended before it should.
pub(super) enum Ended {
    /// What came is not HTTP/2.
    OtherProtocol,
    /// Before the other end's settings.
    AtOnce(io::Error),
    /// So long after them.
    Later(Duration),
}

/// Begins, holds the connection, and ends with a ping that has to be answered.
pub(super) async fn speak(mut wire: impl AsyncRead + AsyncWrite + Unpin, hold: Duration) -> Result<(), Ended> {
    let soon = Instant::now() + ANSWER_TIMEOUT;
    let begin = async {
        // Who does not take our certificate says so now. Were something sent meanwhile, its
        // end would come as a reset, and perhaps before its reason.
        let (mut head, mut had) = ([0; 9], 0);
        if let Ok(read) = timeout_at(Instant::now() + EARLY, wire.read(&mut head)).await {
            had = match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                some => some,
            };
        }
        wire.write_all(&[PREFACE, &frame(SETTINGS, 0)].concat()).await?;
        wire.flush().await?;
        wire.read_exact(&mut head[had..]).await?;
        rest_of(&mut wire, head).await
    };
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let first = timeout_at(soon, begin).await.unwrap_or_else(|_| Err(late())).map_err(Ended::AtOnce)?;
    if first.kind != SETTINGS || first.flags & ACK != 0 {
        return Err(Ended::OtherProtocol);
    }
    let began = Instant::now();
    let rest = async {
        wire.write_all(&frame(SETTINGS, ACK)).await?;
        answer_pings(&mut wire, began + hold).await?;
        wire.write_all(&[&frame_of(PING, 0, 8)[..], PROBE].concat()).await?;
        wire.flush().await?;
        timeout_at(Instant::now() + ANSWER_TIMEOUT, pong(&mut wire)).await.unwrap_or_else(|_| Err(late()))
    };
    rest.await.map_err(|_: io::Error| Ended::Later(began.elapsed()))
}

/// Until then.
async fn answer_pings(wire: &mut (impl AsyncRead + AsyncWrite + Unpin), until: Instant) -> io::Result<()> {
    wire.flush().await?;
    // A frame that is only half there when the time is over would be lost.
    let mut head = [0; 9];
    let mut had = 0;
    while let Ok(read) = timeout_at(until, wire.read(&mut head[had..])).await {
        had += match read? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => more,
        };
        if had == head.len() {
            let frame = rest_of(wire, head).await?;
            reply(wire, &frame).await?;
            had = 0;
        }
    }
    if had > 0 {
        wire.read_exact(&mut head[had..]).await?;
        let frame = rest_of(wire, head).await?;
        reply(wire, &frame).await?;
    }
    Ok(())
}

async fn pong(wire: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    loop {
        let frame = read(wire).await?;
        if frame.kind == PING && frame.flags & ACK != 0 && frame.payload == PROBE {
            return Ok(());
        }
        reply(wire, &frame).await?;
    }
}

async fn reply(wire: &mut (impl AsyncWrite + Unpin), to: &Frame) -> io::Result<()> {
    if to.kind == PING && to.flags & ACK == 0 && to.payload.len() == 8 {
        wire.write_all(&[&frame_of(PING, ACK, 8)[..], &to.payload].concat()).await?;
        wire.flush().await?;
    }
    Ok(())
}

struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

async fn read(wire: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let mut head = [0; 9];
    wire.read_exact(&mut head).await?;
    rest_of(wire, head).await
}

async fn rest_of(wire: &mut (impl AsyncRead + Unpin), head: [u8; 9]) -> io::Result<Frame> {
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    // Text of another protocol reads as a huge frame.
    if length > MOST_BYTES {
        return Ok(Frame { kind: u8::MAX, flags: 0, payload: Vec::new() });
    }
    let mut payload = Vec::new();
    if wire.take(u64::from(length)).read_to_end(&mut payload).await? < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Frame { kind: head[3], flags: head[4], payload })
}

fn frame(kind: u8, flags: u8) -> [u8; 9] {
    frame_of(kind, flags, 0)
}

fn frame_of(kind: u8, flags: u8, length: u8) -> [u8; 9] {
    [0, 0, length, kind, flags, 0, 0, 0, 0]
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PROBE: &[u8] = b"koontiOK";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const MOST_BYTES: u32 = 16 * 1024;
/// How long an answer to the handshake is waited for before anything is sent.
const EARLY: Duration = Duration::from_millis(300);
/// How long settings and the last ping may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
