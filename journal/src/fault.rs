//! Where tests end the process, as `kill -9` does, in the middle of a write.
//!
//! In debug builds, `KOONTI_KILL_AT=n` ends the process at the n-th of the points that
//! [`due`] and [`point`] count from its start: before, in and after every write that
//! this crate makes durable. Release builds do not contain this.

/// Counts a point, and ends the process if it is the one.
#[inline]
pub(crate) fn point() {
    if due() {
        kill();
    }
}

/// Counts a point; true if it is the one. The caller writes a part, then calls [`kill`].
#[cfg(debug_assertions)]
pub(crate) fn due() -> bool {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static AT: OnceLock<Option<u64>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let at = AT.get_or_init(|| std::env::var("KOONTI_KILL_AT").ok()?.parse().ok());
    at.is_some_and(|at| PASSED.fetch_add(1, Ordering::SeqCst) + 1 == at)
}

/// Never: this is not a debug build.
#[cfg(not(debug_assertions))]
pub(crate) fn due() -> bool {
    false
}

/// Ends the process without another step.
pub(crate) fn kill() -> ! {
    // Should the signal not end it, this does.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
