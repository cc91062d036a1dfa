//! Honest callers that call all the while: nothing may keep them waiting.

use super::grpc::newcomer_says;
use super::papers::{Papers, anonymous};
use koonti_proto::{Credentials, PeopleLink};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest that an honest call may take during an attack, its handshake included where it
/// makes one. Generous: attackers, coordinator and test share two cores.
pub(crate) const WORST: Duration = Duration::from_secs(3);
/// Between two calls; within what one caller may do.
const EVERY: Duration = Duration::from_millis(80);
/// Between two newcomers.
const NEXT_NEWCOMER: Duration = Duration::from_millis(150);

/// Callers in a thread of their own.
pub(crate) struct Probe {
    said: Arc<Said>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Said {
    calls: AtomicU64,
    worst: Mutex<Duration>,
    failed: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Said {
    /// One call is over.
    fn called(&self, time: Duration, outcome: Result<(), String>) {
        self.failed.lock().expect("no panic").extend(outcome.err());
        let mut worst = self.worst.lock().expect("no panic");
        *worst = (*worst).max(time);
        self.calls.fetch_add(1, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

impl Probe {
    /// Members in turn, each over its connection and every fourth time over a new one.
    pub(crate) fn members(url: &str, callers: &[Papers]) -> Self {
        let (url, callers) = (url.to_owned(), callers.to_vec());
        Self::start(async move |said| members(&url, &callers, said).await)
    }

    /// Newcomers at the enrolment listener, each from an address of its own.
    pub(crate) fn newcomers(ca: &str, to: SocketAddr) -> Self {
        let config = Arc::new(anonymous(ca));
        Self::start(async move |said| newcomers(&config, to, said).await)
    }

    fn start(call: impl AsyncFnOnce(&Said) + Send + 'static) -> Self {
        let said = Arc::new(Said::default());
        let heard = said.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(call(&heard));
        });
        Self { said, thread: Some(thread) }
    }

    pub(crate) fn wait_for_calls(&self, more: u64) {
        let least = self.said.calls.load(Ordering::SeqCst) + more;
        koonti_tests::until("honest calls are answered", Duration::from_secs(20), || {
            (self.said.calls.load(Ordering::SeqCst) >= least).then_some(())
        });
    }

    /// Demands that honest callers were served since the last time, and go on to be;
    /// returns how long the slowest call took.
    #[track_caller]
    pub(crate) fn served(&self, during: &str) -> Duration {
        // Also one that had begun when the attack ended.
        self.wait_for_calls(2);
        let failed = std::mem::take(&mut *self.said.failed.lock().expect("no panic"));
        assert!(failed.is_empty(), "{during}: honest calls failed: {failed:?}");
        let worst = std::mem::take(&mut *self.said.worst.lock().expect("no panic"));
        assert!(worst < WORST, "{during}: an honest call took {worst:?}");
        worst
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.said.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn members(url: &str, callers: &[Papers], said: &Said) {
    let link = |papers: &Papers| {
        let Papers { ca, cert, key } = papers.clone();
        PeopleLink::new(url, &Credentials { ca_pem: ca, cert_pem: cert, key_pem: key }).expect("a link")
    };
    let kept: Vec<PeopleLink> = callers.iter().map(link).collect();
    for turn in 0usize.. {
        if !said.goes_on() {
            return;
        }
        let caller = turn % callers.len();
        let fresh = (turn / callers.len()).is_multiple_of(4).then(|| link(&callers[caller]));
        let link = fresh.as_ref().unwrap_or(&kept[caller]);
        let began = Instant::now();
        let outcome = match link.roster().await {
            Ok(roster) if roster.is_empty() => Err("an empty roster".to_owned()),
            outcome => outcome.map(drop).map_err(|failure| failure.to_string()),
        };
        said.called(began.elapsed(), outcome);
        tokio::time::sleep(EVERY).await;
    }
}

async fn newcomers(config: &Arc<ClientConfig>, to: SocketAddr, said: &Said) {
    for last in (1..=200).cycle().take_while(|_| said.goes_on()) {
        let began = Instant::now();
        // In a task of its own: whatever becomes of it.
        let outcome = tokio::spawn(newcomer_says(config.clone(), [127, 0, 9, last], to)).await;
        said.called(began.elapsed(), outcome.map_err(|e| e.to_string()).and_then(|outcome| outcome));
        tokio::time::sleep(NEXT_NEWCOMER).await;
    }
}
