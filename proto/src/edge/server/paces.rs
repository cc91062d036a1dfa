//! How fast frames of each caller are read.
//!
//! Promises: all connections of one caller share one pace, and making a new one gives no
//! more. Does not: wait, or end anything: whoever sends faster is read more slowly.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::bucket::{Bucket, Rate};

/// Paces by caller.
pub(super) struct Paces<K> {
    rate: Rate,
    of: Mutex<HashMap<K, Arc<Pace>>>,
}

/// The pace of one caller.
pub(super) struct Pace(Mutex<Bucket>);

impl<K: Eq + Hash> Paces<K> {
    /// So many frames for each caller.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, of: Mutex::default() }
    }

    /// The caller's pace.
    pub(super) fn of(&self, caller: K, now: Instant) -> Arc<Pace> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= MOST_PACES && !of.contains_key(&caller) {
            of.retain(|_, pace| Arc::strong_count(pace) > 1 || !pace.bucket().is_full(now));
        }
        Arc::clone(of.entry(caller).or_insert_with(|| Arc::new(Pace(Mutex::new(Bucket::full(self.rate, now))))))
    }
}

impl Pace {
    /// Counts frames that were read; says how long to rest before the next are.
    pub(super) fn count(&self, frames: u64, now: Instant) -> Duration {
        let mut bucket = self.bucket();
        bucket.charge(frames, now);
        bucket.overdrawn(now)
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Above so many those that are as good as new are forgotten.
const MOST_PACES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::{MOST_PACES, Paces, Rate};
    use std::time::{Duration, Instant};

    #[test]
    fn connections_of_one_caller_share_a_pace() {
        let now = Instant::now();
        let paces = Paces::new(Rate { burst: 10, per_minute: 60 });
        let (one, again, other) = (paces.of("a", now), paces.of("a", now), paces.of("b", now));
        assert_eq!(one.count(10, now), Duration::ZERO);
        assert_eq!(again.count(5, now), Duration::from_secs(5));
        assert_eq!(other.count(10, now), Duration::ZERO);
        drop((one, again));
        assert_eq!(paces.of("a", now).count(0, now), Duration::from_secs(5), "a new connection gives no more");
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let now = Instant::now();
        let paces = Paces::new(Rate { burst: 1, per_minute: 60 });
        for caller in 0..MOST_PACES {
            paces.of(caller, now);
        }
        paces.of(MOST_PACES, now);
        assert_eq!(paces.of.lock().expect("no panic").len(), 1);
    }
}
