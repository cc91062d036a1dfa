//! The door, by hand: requests as bytes, answers as text.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Nobody(Vec<Reason>);

impl Watched for Nobody {
    fn metrics(&self) -> Page {
        Page::of("nobody", "0", 0)
    }

    fn not_ready(&self) -> Vec<Reason> {
        self.0.clone()
    }
}

fn opened(reasons: Vec<Reason>) -> SocketAddr {
    let any = Loopback::try_from("127.0.0.1:0".to_owned()).expect("loopback");
    let door = Door { patience: Duration::from_millis(400), ..Door::open(any).expect("a port") };
    let address = door.listener.local_addr().expect("an address");
    tokio::spawn(door.serve(Arc::new(Nobody(reasons))));
    address
}

async fn said(at: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    // A caller that is cut off sees a reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("UTF-8")
}

#[test]
fn only_loopback_parses() {
    #[derive(Deserialize, Debug)]
    struct File {
        listen: Loopback,
    }
    for good in ["127.0.0.1:9464", "127.8.9.1:1", "[::1]:9464"] {
        let file: File = toml::from_str(&format!("listen = \"{good}\"")).expect(good);
        assert_eq!(file.listen.0.to_string(), good);
    }
    for bad in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:80", "[::ffff:127.0.0.1]:80", "localhost:80", "127.0.0.1", ""] {
        let error = toml::from_str::<File>(&format!("listen = \"{bad}\"")).expect_err(bad).to_string();
        assert!(error.contains("line 1, column 10") && error.contains("127.0.0.1:9464"), "{bad}: {error}");
    }
}

#[tokio::test]
async fn three_pages_and_no_other() {
    let at = opened(vec![]);
    let ok = |text: &str| text.starts_with("HTTP/1.1 200 OK\r\n");
    let page = said(at, b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(ok(&page) && page.contains("text/plain; version=0.0.4") && page.contains("\nkoonti_build{"), "{page}");
    let ready = said(at, b"GET /health/ready HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(ok(&ready) && ready.ends_with("{\"status\":\"ready\",\"reasons\":[]}\n"), "{ready}");
    for (request, code) in [
        ("POST /metrics", 405),
        ("HEAD /health/live", 405),
        ("PUT /health/ready", 405),
        ("GET /metrics/", 404),
        ("GET /", 404),
        ("GET /../state/journal", 404),
        ("DELETE /state", 404),
    ] {
        let answer = said(at, format!("{request} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {code} ")) && answer.ends_with("\r\n\r\n"),
            "{request}: {answer}"
        );
    }
}

#[tokio::test]
async fn why_it_is_not_ready() {
    let at = opened(vec![Reason::NotConnected, Reason::NoRoster]);
    let ready = said(at, b"GET /health/ready HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(ready.ends_with("{\"status\":\"not_ready\",\"reasons\":[\"NOT_CONNECTED\",\"NO_ROSTER\"]}\n"), "{ready}");
    let live = said(at, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(live.starts_with("HTTP/1.1 200 ") && live.ends_with("{\"status\":\"live\",\"reasons\":[]}\n"), "{live}");
}

#[tokio::test]
async fn a_caller_is_small_and_quick() {
    let at = opened(vec![]);
    let long = [b"GET /metrics HTTP/1.1\r\nx: ".as_slice(), &[b'a'; 2 * MOST_HEAD_BYTES], b"\r\n\r\n"].concat();
    assert!(!said(at, &long).await.contains(" 200 "));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: a\r\n".repeat(MOST_FIELDS + 1));
    assert!(!said(at, many.as_bytes()).await.contains(" 200 "));
    // Those who hold all places are put out, and the next is let in.
    let mut idle = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        idle.push(TcpStream::connect(at).await.expect("a connection"));
    }
    let next = tokio::spawn(async move { said(at, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n").await });
    let answer = tokio::time::timeout(Duration::from_secs(10), next).await.expect("in time").expect("no panic");
    assert!(answer.contains(" 200 "), "{answer}");
}
