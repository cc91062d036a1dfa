//! The pages that a daemon shows on loopback, as a monitoring system reads them.

use crate::ports::Port;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Where a daemon shows its pages.
pub struct Pages(pub(crate) Port);

impl Pages {
    /// Reads a page: the status and the body.
    ///
    /// # Panics
    /// When nobody answers, or not in HTTP.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0.number)).expect("the door is open");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// The page of metrics.
    ///
    /// # Panics
    /// When it is not shown.
    #[track_caller]
    pub fn metrics(&self) -> String {
        let (status, page) = self.get("/metrics");
        assert_eq!(status, 200, "{page}");
        page
    }

    /// One value of it, by name and labels as they stand there.
    ///
    /// # Panics
    /// When it has none.
    #[track_caller]
    pub fn value(&self, of: &str) -> u64 {
        let page = self.metrics();
        let line = page.lines().find_map(|line| line.strip_prefix(of)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {of} in {page}"))
    }

    /// Where it listens, as `ADDRESS:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.number)
    }
}
