//! How fast frames of each caller are read.
//!
//! Promises: all connections of one caller share one pace, and making a new one gives no
//! more of it. Does not: wait, or end anything: whoever sends faster is read more slowly.

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
    /// Counts frames that were read.
    pub(super) fn count(&self, frames: u64, now: Instant) {
        self.bucket().charge(frames, now);
    }

    /// How long to rest before anything is read; to be asked before every read, for
    /// another connection may have read meanwhile.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        self.bucket().overdrawn(now)
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
        one.count(10, now);
        assert_eq!(again.rest(now), Duration::ZERO);
        again.count(5, now);
        other.count(10, now);
        assert_eq!((one.rest(now), other.rest(now)), (Duration::from_secs(5), Duration::ZERO));
        drop((one, again));
        assert_eq!(paces.of("a", now).rest(now), Duration::from_secs(5), "a new connection gives no more");
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
