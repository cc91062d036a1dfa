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
    /// Leave to read so many frames, up to `most`, or how long to rest. For one read:
    /// another connection may have read before the next.
    pub(super) fn leave(&self, most: u64, now: Instant) -> Result<u64, Duration> {
        self.bucket().take_up_to(most, now)
    }

    /// Takes back leave for frames that did not come.
    pub(super) fn give_back(&self, frames: u64, now: Instant) {
        self.bucket().give_back(frames, now);
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
        assert_eq!((one.leave(9, now), again.leave(9, now), other.leave(11, now)), (Ok(9), Ok(1), Ok(10)));
        one.give_back(2, now);
        assert_eq!(again.leave(9, now), Ok(2));
        let rest = Err(Duration::from_secs(1));
        assert_eq!(one.leave(9, now), rest);
        drop((one, again));
        assert_eq!(paces.of("a", now).leave(9, now), rest, "a new connection gives no more");
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
