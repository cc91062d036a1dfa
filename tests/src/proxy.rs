//! An HTTP proxy for CONNECT, as small as one can be: it asks for a user and a password,
//! passes bytes on, and can be told to cut everything.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The proxy. Its threads end with the process.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// The header that it wants, if any.
    authorization: Option<String>,
    tunnels: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts one that wants this `Proxy-Authorization`.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start(authorization: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            authorization: authorization.map(str::to_owned),
            tunnels: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let of_loop = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = of_loop.clone();
                // Whoever breaks off is gone.
                std::thread::spawn(move || drop(serve(&shared, client)));
            }
        });
        Self { port, shared }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many tunnels it has made.
    pub fn tunnels(&self) -> usize {
        self.shared.tunnels.load(Ordering::SeqCst)
    }

    /// Cuts all that are open.
    pub fn cut(&self) {
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(shared: &Shared, mut client: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let of =
            |line: &str| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned());
        head.lines().find_map(of)
    };
    if shared.authorization.is_some() && header("proxy-authorization") != shared.authorization {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let Some(mut server) = target.and_then(|target| TcpStream::connect(target).ok()) else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    shared.tunnels.fetch_add(1, Ordering::SeqCst);
    shared.open.lock().unwrap_or_else(PoisonError::into_inner).extend([client.try_clone()?, server.try_clone()?]);
    let (mut back_from, mut back_to) = (server.try_clone()?, client.try_clone()?);
    let back = std::thread::spawn(move || {
        drop(std::io::copy(&mut back_from, &mut back_to));
        let _ = back_to.shutdown(Shutdown::Both);
    });
    drop(std::io::copy(&mut client, &mut server));
    let _ = server.shutdown(Shutdown::Both);
    drop(back.join());
    Ok(())
}
