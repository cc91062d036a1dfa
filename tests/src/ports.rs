//! Loopback ports that nothing else takes while a test runs.
//!
//! They lie below the range from which the system gives ports to outgoing
//! connections, so that none of those takes the port of a coordinator which a
//! test has killed and will start again. A lock file tells test processes that
//! run at the same time apart.

use std::fs::File;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// A port that is this process's until dropped.
pub(crate) struct Port {
    pub(crate) number: u16,
    _lock: File,
}

impl Port {
    /// Takes a free port.
    pub(crate) fn take() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("less than 18,000");
        let dir = std::env::temp_dir().join("koonti-test-ports");
        std::fs::create_dir_all(&dir).expect("a folder for port locks");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            let lock = File::create(dir.join(number.to_string())).expect("a port's lock file");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no free loopback port");
    }
}
