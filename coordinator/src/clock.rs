//! Unix time in seconds. It never runs backwards in one log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The latest time that was read or written.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Now, and not before any time that was read or written earlier.
pub fn now() -> u64 {
    let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    LATEST.fetch_max(system, Ordering::Relaxed).max(system)
}

/// Time does not go back behind this: that of the newest entry.
pub fn not_before(time: u64) {
    LATEST.fetch_max(time, Ordering::Relaxed);
}
