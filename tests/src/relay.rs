//! A wire that is tapped: a relay on loopback that keeps every byte of both directions.

use crate::ports::Port;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The relay. It ends with the test process.
pub struct Relay {
    port: Port,
    kept: [Arc<Mutex<Vec<u8>>>; 2],
}

impl Relay {
    /// A relay to this `https://host:port`.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn to(url: &str) -> Self {
        let port = Port::take();
        let listener = TcpListener::bind(("127.0.0.1", port.number)).expect("a port");
        let to = url.trim_start_matches("https://").to_owned();
        let relay = Self { port, kept: Default::default() };
        let kept = relay.kept.clone();
        std::thread::spawn(move || {
            for out in listener.incoming().flatten() {
                let Ok(back) = TcpStream::connect(&to) else { continue };
                for (from, onto, kept) in [(&out, &back, &kept[0]), (&back, &out, &kept[1])] {
                    let (from, onto) = (from.try_clone().expect("a socket"), onto.try_clone().expect("a socket"));
                    let kept = kept.clone();
                    std::thread::spawn(move || pass(from, onto, &kept));
                }
            }
        });
        relay
    }

    /// What to dial.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port.number)
    }

    /// What has passed so far: from the one who dials, and to it.
    pub fn kept(&self) -> [Vec<u8>; 2] {
        self.kept.each_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn pass(mut from: TcpStream, mut onto: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(&piece[..read]);
        if onto.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    // The other direction may have ended it already.
    let _ = onto.shutdown(Shutdown::Write);
}
