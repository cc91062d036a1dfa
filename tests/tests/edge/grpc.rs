//! gRPC messages that lie, swell or hide something, over HTTP/2 that is in order.

use super::Ground;
use super::door::ENROLL;
use super::papers::anonymous;
use super::raw::dial;
use h2::client::SendRequest;
use prost::bytes::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const DEPOSIT: &str = "/koonti.v1.NodeService/Deposit";
const ANSWER: &str = "/koonti.v1.NodeService/Answer";
const LIST: &str = "/koonti.v1.TableService/ListTables";
const OK: u32 = 0;
const INVALID_ARGUMENT: u32 = 3;
const RESOURCE_EXHAUSTED: u32 = 8;
const OUT_OF_RANGE: u32 = 11;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
/// What is said of a message that is longer than any of its kind.
const TOO_LONG: &str = "longer than any of its kind";
const FROM: [u8; 4] = [127, 0, 10, 1];
/// What must not be found anywhere later.
const CANARY: &str = "canary-4e0c7a-of-an-unknown-field";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn connect(config: impl Into<Arc<ClientConfig>>, from: [u8; 4], to: SocketAddr) -> SendRequest<Bytes> {
    let tcp = dial(from, to).await.expect("a connection");
    let name = ServerName::try_from(to.ip().to_string()).expect("a name");
    let tls = tokio_rustls::TlsConnector::from(config.into()).connect(name, tcp).await.expect("TLS");
    let (send, connection) = h2::client::handshake(tls).await.expect("HTTP/2");
    tokio::spawn(connection);
    send
}

/// A gRPC message's prefix.
fn prefix(compressed: u8, length: usize) -> Vec<u8> {
    let length = u32::try_from(length).expect("four bytes").to_be_bytes();
    [&[compressed], &length[..]].concat()
}

/// What a call ended with: a status, and a word on it.
#[derive(PartialEq, Debug)]
struct Answer(u32, String);

impl Answer {
    fn of(headers: &http::HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let message = text("grpc-message").unwrap_or_default().replace("%20", " ");
        Some(Self(text("grpc-status")?.parse().ok()?, message))
    }
}

#[track_caller]
fn assert_said(answer: Option<Answer>, status: u32, word: &str) {
    let Some(Answer(code, said)) = answer else { panic!("no status") };
    assert!(code == status && said.contains(word), "{code}: {said}");
}

/// Sends these bytes as one call and returns the answer; none when the stream was reset.
async fn say(
    send: &SendRequest<Bytes>,
    path: &str,
    encoding: Option<&str>,
    bytes: Vec<u8>,
    ends: bool,
) -> Option<Answer> {
    say_and_count(send, path, encoding, bytes, ends, &AtomicUsize::new(0)).await
}

/// The same; counts in `sent` when all bytes have left.
async fn say_and_count(
    send: &SendRequest<Bytes>,
    path: &str,
    encoding: Option<&str>,
    bytes: Vec<u8>,
    ends: bool,
    sent: &AtomicUsize,
) -> Option<Answer> {
    let mut send = send.clone().ready().await.expect("a connection");
    let request = http::Request::post(format!("https://127.0.0.1{path}"))
        .header("te", "trailers")
        .header("content-type", "application/grpc");
    let request = match encoding {
        Some(encoding) => request.header("grpc-encoding", encoding),
        None => request,
    };
    let (response, mut body) = send.send_request(request.body(()).expect("a request"), false).expect("a stream");
    let sending = async move {
        let mut rest = Bytes::from(bytes);
        while !rest.is_empty() {
            body.reserve_capacity(rest.len());
            let capacity = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
            let Some(Ok(capacity)) = capacity else { return };
            if body.send_data(rest.split_to(capacity.min(rest.len())), false).is_err() {
                return;
            }
        }
        sent.fetch_add(1, Ordering::SeqCst);
        if ends {
            let _ = body.send_data(Bytes::new(), true);
            return;
        }
        // The message is never finished: until the other end has had enough.
        let _ = std::future::poll_fn(|cx| body.poll_reset(cx)).await;
    };
    // Dropped with the answer.
    let answered = async {
        tokio::select! {
            response = response => response,
            never = async {
                sending.await;
                std::future::pending().await
            } => never,
        }
    };
    let response = tokio::time::timeout(Duration::from_secs(30), answered).await.expect("an answer in time").ok()?;
    if let Some(answer) = Answer::of(response.headers()) {
        return Some(answer);
    }
    let mut body = response.into_body();
    while body.data().await.is_some() {}
    Answer::of(&body.trailers().await.ok()??)
}

/// A newcomer whose invitation makes no sense: served is who is told so.
pub(crate) async fn newcomer_says(config: Arc<ClientConfig>, from: [u8; 4], to: SocketAddr) -> Result<(), String> {
    let send = connect(config, from, to).await;
    match say(&send, ENROLL, None, prefix(0, 0), true).await {
        Some(Answer(INVALID_ARGUMENT, said)) if said.contains("the kind is malformed") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Whether one is served.
pub(crate) fn newcomer(config: &Arc<ClientConfig>, from: [u8; 4], to: SocketAddr) -> bool {
    runtime().block_on(newcomer_says(config.clone(), from, to)).is_ok()
}

/// Says that 4 GiB follow, or 1 GiB, or sends more than any message of its kind has.
pub(crate) fn long_messages(ground: &mut Ground) {
    runtime().block_on(async {
        let member = ground.node_connects().await;
        let newcomer = ground.stranger_connects().await;
        for length in [0xffff_ffff, 1 << 30] {
            let bytes = [prefix(0, length), vec![0; 50_000]].concat();
            for (send, path) in [(&member, DEPOSIT), (&newcomer, ENROLL)] {
                assert_said(say(send, path, None, bytes.clone(), false).await, OUT_OF_RANGE, "limit");
            }
        }
        // A deposit has 2 MiB; up to 16 MiB only a release does.
        let bytes = [prefix(0, 16 << 20), vec![0; 3 << 20]].concat();
        assert_said(say(&member, DEPOSIT, None, bytes, false).await, INVALID_ARGUMENT, TOO_LONG);
        let send = connect(ground.person.config(), FROM, ground.main).await;
        let bytes = [prefix(0, 1 << 20), vec![0; 8 << 10]].concat();
        assert_said(say(&send, LIST, None, bytes, false).await, INVALID_ARGUMENT, TOO_LONG);
        // One byte longer than an enrolment may be.
        let bytes = [prefix(0, (64 << 10) + 1), vec![0; 1000]].concat();
        assert_said(say(&newcomer, ENROLL, None, bytes, false).await, OUT_OF_RANGE, "limit");
    });
}

/// Four messages of nearly 16 MiB that do not end, and eight more, all of numbers that
/// swell eightfold when they are read: the coordinator holds the four that 64 MiB have
/// room for, and none of the others.
pub(crate) fn many_long_messages(ground: &mut Ground) {
    // A quote's repeated numbers, packed: one byte each, eight in memory.
    let numbers = vec![1u8; 16_000_000];
    let quote = [vec![0x32], varint(numbers.len()), numbers].concat();
    let message = [vec![0x22], varint(quote.len()), quote].concat();
    let bytes = [prefix(0, message.len()), message].concat();
    // All but one byte.
    let most = bytes.len() - 1;
    runtime().block_on(async {
        let sent = Arc::new(AtomicUsize::new(0));
        let mut held = JoinSet::new();
        let first = ground.node_connects().await;
        for _ in 0..4 {
            let (send, bytes, sent) = (first.clone(), bytes[..most].to_vec(), sent.clone());
            held.spawn(async move { say_and_count(&send, ANSWER, None, bytes, false, &sent).await });
        }
        let began = Instant::now();
        while sent.load(Ordering::SeqCst) < 4 {
            assert!(began.elapsed() < Duration::from_secs(20), "64 MB are not read");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut others = JoinSet::new();
        for _ in 0..2 {
            let send = ground.node_connects().await;
            for _ in 0..4 {
                let (send, bytes) = (send.clone(), bytes.clone());
                others.spawn(async move { say(&send, ANSWER, None, bytes, true).await });
            }
        }
        for status in others.join_all().await {
            assert_said(status, RESOURCE_EXHAUSTED, "");
        }
        assert!(held.try_join_next().is_none(), "the first four are still held");
        held.shutdown().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let send = ground.node_connects().await;
        // Given back: now it is read to its end, and makes no sense.
        assert_said(say(&send, ANSWER, None, bytes.clone(), true).await, INVALID_ARGUMENT, "malformed");
    });
}

/// A million entries of nothing, which are read and make no sense; groups within groups.
pub(crate) fn many_fields_and_deep_nesting(ground: &mut Ground) {
    let entries = [0x12, 0x00].repeat(1_000_000);
    let nested = vec![0x7b; 2000];
    let message = |message: Vec<u8>| [prefix(0, message.len()), message].concat();
    runtime().block_on(async {
        let member = ground.node_connects().await;
        let newcomer = ground.stranger_connects().await;
        assert_said(say(&member, DEPOSIT, None, message(entries), true).await, INVALID_ARGUMENT, "not a signed note");
        for (send, path) in [(&member, DEPOSIT), (&newcomer, ENROLL)] {
            assert_said(say(send, path, None, message(nested.clone()), true).await, INTERNAL, "recursion limit");
        }
    });
}

/// A field that no version knows is passed over, and kept nowhere.
pub(crate) fn unknown_fields(ground: &mut Ground) {
    let field = [vec![0xfa, 0x3f], varint(CANARY.len()), CANARY.as_bytes().to_vec()].concat();
    let bytes = [prefix(0, field.len()), field].concat();
    runtime().block_on(async {
        let send = connect(ground.person.config(), FROM, ground.main).await;
        assert_said(say(&send, LIST, None, bytes, true).await, OK, "");
    });
    let held = |dir: &Path| files(dir).iter().any(|bytes| bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
    assert!(!held(&ground.region.coordinator_state()), "kept in the state");
    assert!(!ground.region.coordinator_daemon().log().contains(CANARY), "written to the log");
}

/// A bit that says compressed, with and without a word on how.
pub(crate) fn compressed_messages(ground: &mut Ground) {
    // An empty member of gzip.
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let bytes = [prefix(1, gzip.len()), gzip.to_vec()].concat();
    runtime().block_on(async {
        let send = connect(ground.person.config(), FROM, ground.main).await;
        let newcomer = ground.stranger_connects().await;
        for (send, path) in [(&send, LIST), (&newcomer, ENROLL)] {
            for encoding in ["gzip", "deflate", "zstd", "x-unheard-of"] {
                assert_said(say(send, path, Some(encoding), bytes.clone(), true).await, UNIMPLEMENTED, encoding);
            }
            assert_said(say(send, path, None, bytes.clone(), true).await, INTERNAL, "compress");
        }
        assert_said(say(&send, LIST, None, prefix(0, 0), true).await, OK, "");
    });
}

impl Ground {
    async fn node_connects(&self) -> SendRequest<Bytes> {
        connect(self.node.config(), FROM, self.main).await
    }

    async fn stranger_connects(&self) -> SendRequest<Bytes> {
        connect(anonymous(&self.person.ca), FROM, self.enrolment).await
    }
}

fn varint(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 128 {
        bytes.push(u8::try_from(n % 128).expect("small") | 128);
        n /= 128;
    }
    bytes.push(u8::try_from(n).expect("small"));
    bytes
}

fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.extend(std::fs::read(entry.path())),
        }
    }
    found
}
