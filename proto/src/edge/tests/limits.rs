//! What a caller can hold, and for how long.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::region::{Region, call, watch, who};
use crate::edge::dial::{dial_pinned, was_never_sent};
use crate::edge::pki::Kind;
use crate::edge::server::Limits;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn a_slow_handshake_is_dropped_while_others_are_served() {
    let region = Region::new();
    let running = region.serve(Limits { handshake_timeout: ms(200), ..Limits::default() });
    let turku = region.member(Kind::Node, "turku");
    let begun = Instant::now();
    let mut slow = running.tcp().await;
    // The beginning of a ClientHello that never comes.
    slow.write_all(&[22, 3, 1, 1]).await.expect("sent");
    assert!(who(&region.dial(&running, &turku)).await.is_ok());
    assert!(dropped(&mut slow).await);
    assert!(begun.elapsed() >= ms(200));
}

#[tokio::test]
async fn a_slow_handshake_takes_a_place_until_it_is_dropped() {
    let full = |change: fn(&mut Limits)| {
        let mut limits = Limits { handshake_timeout: ms(800), ..Limits::default() };
        change(&mut limits);
        limits
    };
    for limits in [
        full(|limits| limits.connections = 1),
        full(|limits| limits.connections_per_address = 1),
        full(|limits| limits.handshakes = 1),
    ] {
        let region = Region::new();
        let running = region.serve(limits);
        let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
        let mut slow = running.tcp().await;
        sleep(ms(50)).await;
        let status = who(&channel).await.expect_err("no place");
        assert!(status.code() == Code::Unavailable, "{status:?}");
        assert!(dropped(&mut slow).await);
        assert!(who(&channel).await.is_ok());
    }
}

#[tokio::test]
async fn after_the_handshake_identities_are_counted_and_not_addresses() {
    let region = Region::new();
    let running = region.serve(Limits {
        connections_per_address: 1,
        connections_per_identity: 2,
        handshakes: 1,
        ..Limits::default()
    });
    let turku = region.member(Kind::Node, "turku");
    let mut open = vec![];
    for _ in 0..2 {
        let channel = region.dial(&running, &turku);
        assert!(who(&channel).await.is_ok());
        open.push(channel);
    }
    let third = region.dial(&running, &turku);
    assert!(who(&third).await.is_err());
    let salo = region.dial(&running, &region.member(Kind::Node, "salo"));
    assert!(who(&salo).await.is_ok());
    open.pop();
    sleep(ms(100)).await;
    assert!(who(&third).await.is_ok());
}

#[tokio::test]
async fn strangers_are_counted_by_address_throughout() {
    let region = Region::new();
    let running = region.serve_strangers(Limits { connections_per_address: 1, ..Limits::enrolment() });
    let dial = || dial_pinned(&running.url(), region.authority.cert_sha256()).expect("dial");
    let (first, _) = dial();
    assert!(who(&first).await.is_ok());
    let (second, _) = dial();
    assert!(who(&second).await.is_err());
    drop(first);
    sleep(ms(100)).await;
    assert!(who(&second).await.is_ok());
}

#[tokio::test]
async fn calls_are_limited_and_long_streams_do_not_count() {
    let region = Region::new();
    let running = region.serve(Limits { calls_per_connection: 2, ..Limits::default() });
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let mut streams = vec![];
    for _ in 0..4 {
        streams.push(watch(&channel).await.expect("stream"));
    }
    let wait = || call(&channel, "/test.Echo/Wait", "600".into());
    let late = async {
        sleep(ms(100)).await;
        who(&channel).await
    };
    let (first, second, third) = tokio::join!(wait(), wait(), late);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(third.expect_err("shed").code(), Code::ResourceExhausted);
    assert!(who(&channel).await.is_ok());
}

#[tokio::test]
async fn a_call_that_is_not_answered_in_time_is_given_up() {
    let region = Region::new();
    let running = region.serve(Limits { call_timeout: ms(200), ..Limits::default() });
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let mut stream = watch(&channel).await.expect("stream");
    let status = call(&channel, "/test.Echo/Wait", "60000".into()).await.expect_err("given up");
    assert_eq!(status.code(), Code::Cancelled);
    assert!(timeout(ms(300), stream.message()).await.is_err(), "a stream that has begun goes on");
}

#[tokio::test]
async fn an_old_connection_lets_calls_finish_and_cuts_streams() {
    let region = Region::new();
    let running =
        region.serve(Limits { max_connection_age: ms(300), max_connection_age_grace: ms(600), ..Limits::default() });
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let begun = Instant::now();
    let mut stream = watch(&channel).await.expect("stream");
    let across = async {
        sleep(ms(200)).await;
        call(&channel, "/test.Echo/Wait", "400".into()).await
    };
    let busy = async {
        let (mut served, mut unsent) = (0, 0);
        while begun.elapsed() < ms(1500) {
            match who(&channel).await {
                Ok(_) => served += 1,
                Err(status) => {
                    assert!(was_never_sent(&status), "{status:?}");
                    unsent += 1;
                }
            }
            sleep(ms(5)).await;
        }
        (served, unsent)
    };
    let cut = async {
        let end = timeout(ms(5000), stream.message()).await.expect("in time");
        (end, begun.elapsed())
    };
    let (across, (served, unsent), (end, after)) = tokio::join!(across, busy, cut);
    assert!(across.is_ok(), "{across:?}");
    assert!(end.is_err(), "{end:?}");
    assert!((ms(850)..ms(4000)).contains(&after), "{after:?}");
    assert!(served > 5 && unsent < 6, "{served} {unsent}");
    assert_eq!(running.calls.load(Ordering::SeqCst), served);
    assert!(watch(&channel).await.is_ok());
}

#[tokio::test]
async fn shutdown_ends_everything_within_its_grace() {
    let region = Region::new();
    let running = region.serve(Limits { shutdown_grace: ms(600), ..Limits::default() });
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let _stream = watch(&channel).await.expect("stream");
    let _slow = running.tcp().await;
    sleep(ms(50)).await;
    let call = call(&channel, "/test.Echo/Wait", "400".into());
    let stop = async {
        sleep(ms(100)).await;
        let _ = running.stop.send(());
        let begun = Instant::now();
        let ended = timeout(ms(3000), running.ended).await;
        ended.expect("in time").expect("no panic").expect("no error");
        begun.elapsed()
    };
    let (answer, took) = tokio::join!(call, stop);
    assert!(answer.is_ok(), "{answer:?}");
    assert!((ms(550)..ms(2900)).contains(&took), "{took:?}");
    let again = TcpStream::connect(("127.0.0.1", running.port)).await;
    assert!(again.is_err());
}

#[tokio::test]
async fn shutdown_of_an_idle_server_is_immediate() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    assert!(who(&channel).await.is_ok());
    let _ = running.stop.send(());
    let ended = timeout(ms(2000), running.ended).await;
    assert!(ended.expect("in time").expect("no panic").is_ok());
}

#[tokio::test]
async fn a_table_of_a_million_cells_goes_through() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let channel = region.dial(&running, &region.member(Kind::Node, "turku"));
    let table = "x".repeat(9_000_000);
    let back = call(&channel, "/test.Echo/Echo", table.clone()).await;
    assert!(back.expect("served") == table);
}

#[tokio::test]
async fn the_server_announces_its_http2_limits_and_no_tickets() {
    let region = Region::new();
    let running = region.serve(Limits::default());
    let turku = region.member(Kind::Node, "turku");
    let mut tls = running.tls(turku.config(&region)).await.expect("tls");
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("preface");
    let mut head = [0; 9];
    tls.read_exact(&mut head).await.expect("frame");
    assert_eq!(head[3], 4, "a SETTINGS frame");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    tls.read_exact(&mut settings).await.expect("settings");
    let value = |id: u16| {
        let found = settings.chunks(6).find(|s| s[..2] == id.to_be_bytes());
        found.map(|s| u32::from_be_bytes([s[2], s[3], s[4], s[5]]))
    };
    assert_eq!(value(3), Some(32), "streams at once");
    assert_eq!(value(4), Some(256 * 1024), "stream window");
    assert_eq!(value(6), Some(8 * 1024), "header list");
    // The default frame size need not be announced.
    assert!(value(5).is_none_or(|size| size == 16 * 1024), "frame size");
    assert_eq!(tls.get_ref().1.tls13_tickets_received(), 0);
}

/// Whether the server ends the connection within two seconds.
async fn dropped(tcp: &mut TcpStream) -> bool {
    let mut rest = vec![];
    timeout(ms(2000), tcp.read_to_end(&mut rest)).await.is_ok()
}
