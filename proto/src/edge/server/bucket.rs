//! A bucket of tokens that the clock fills.
//!
//! Promises: over any time no more is taken than the burst and what flowed in; what
//! was used before it was counted can be charged afterwards, and is waited for, though
//! never longer than a burst takes to flow in. Does not: read a clock (the caller says
//! what time it is), or wait.

use std::time::{Duration, Instant};

/// How much at once, and how much over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What a full bucket holds.
    pub burst: u32,
    /// What flows in each minute; never 0.
    pub per_minute: u32,
}

/// A bucket, full at first.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// In tokens / [`SHARES`]; below zero after a charge, and never by more than a burst.
    level: i64,
    at: Instant,
}

/// A token has as many shares as a minute has microseconds, so that each microsecond
/// brings a whole number of them.
const SHARES: i64 = 60_000_000;

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, level: i64::from(rate.burst) * SHARES, at: now }
    }

    /// Takes one token, or says how long until there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        if self.level < SHARES {
            return Err(self.until(SHARES));
        }
        self.level -= SHARES;
        Ok(())
    }

    /// Takes tokens that have been used already. What goes beyond a debt of one burst is
    /// forgiven: whoever shares the bucket must not wait for hours.
    pub(crate) fn charge(&mut self, tokens: u64, now: Instant) {
        self.fill(now);
        let shares = i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(SHARES);
        self.level = self.level.saturating_sub(shares).max(-self.most());
    }

    /// Takes as many tokens as there are, up to `most`, or says how long until there is one.
    pub(crate) fn take_up_to(&mut self, most: u64, now: Instant) -> Result<u64, Duration> {
        self.fill(now);
        match u64::try_from(self.level / SHARES) {
            Ok(0) | Err(_) => Err(self.until(SHARES)),
            Ok(tokens) => {
                let taken = tokens.min(most);
                self.charge(taken, now);
                Ok(taken)
            }
        }
    }

    /// Takes back what was taken and not used.
    pub(crate) fn give_back(&mut self, tokens: u64, now: Instant) {
        self.fill(now);
        let shares = i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(SHARES);
        self.level = self.level.saturating_add(shares).min(self.most());
    }

    /// How long until the bucket is not overdrawn; zero when it is not.
    pub(crate) fn overdrawn(&mut self, now: Instant) -> Duration {
        self.fill(now);
        self.until(0)
    }

    /// Whether it is as if it had never been used.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.level == self.most()
    }

    /// What a full bucket holds, and an overdrawn one lacks at most.
    fn most(&self) -> i64 {
        i64::from(self.rate.burst) * SHARES
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let micros = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let flowed = micros.saturating_mul(i64::from(self.rate.per_minute));
        self.level = self.level.saturating_add(flowed).min(self.most());
        // What is left of a microsecond is kept for the next time.
        self.at += Duration::from_micros(micros.unsigned_abs());
    }

    fn until(&self, shares: i64) -> Duration {
        let missing = shares.saturating_sub(self.level).max(0).unsigned_abs();
        Duration::from_micros(missing.div_ceil(u64::from(self.rate.per_minute)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Rate};
    use std::time::{Duration, Instant};

    const RATE: Rate = Rate { burst: 3, per_minute: 120 };

    #[test]
    fn no_more_than_the_burst_and_what_flows_in() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        let mut taken = 0;
        // Ten seconds, asked every millisecond: three at once and twenty over time.
        for ms in 0..=10_000 {
            taken += u32::from(bucket.take(start + Duration::from_millis(ms)).is_ok());
        }
        assert_eq!(taken, 23);
    }

    #[test]
    fn the_wait_told_is_the_wait_needed() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        for _ in 0..3 {
            bucket.take(start).expect("a full bucket");
        }
        let wait = bucket.take(start).expect_err("an empty bucket");
        assert_eq!(wait, Duration::from_millis(500));
        assert!(bucket.take(start + wait - Duration::from_micros(1)).is_err());
        assert!(bucket.take(start + wait).is_ok());
        assert!(!bucket.is_full(start + Duration::from_millis(1_999)));
        assert!(bucket.is_full(start + Duration::from_millis(2_000)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_no_more() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        assert_eq!((bucket.take_up_to(2, start), bucket.take_up_to(9, start)), (Ok(2), Ok(1)));
        bucket.give_back(2, start);
        assert_eq!(bucket.take_up_to(9, start), Ok(2));
        bucket.give_back(9, start);
        assert_eq!(bucket.take_up_to(9, start), Ok(3));
    }

    #[test]
    fn what_was_overdrawn_is_waited_for_and_no_longer_than_a_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        bucket.charge(5, start);
        assert_eq!(bucket.take_up_to(9, start), Err(Duration::from_millis(1500)));
        assert_eq!(bucket.overdrawn(start), Duration::from_secs(1));
        assert_eq!(bucket.overdrawn(start + Duration::from_secs(1)), Duration::ZERO);
        bucket.charge(u64::MAX, start);
        assert_eq!(bucket.overdrawn(start), Duration::from_millis(1500));
    }
}
