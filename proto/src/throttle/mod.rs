//! How much each caller may ask for: by caller and kind of call.
//!
//! Promises: a caller over a limit is told so before its message is read, with the time
//! after which to try again; it takes nothing from the others, since every count here is
//! its own; what it holds in memory is bounded ([`MOST_HELD_BYTES`]), and a message that
//! does not come within [`BODY_WITHIN`] is given up. Does not: know what a call means,
//! or whether the caller may make it ([`crate::access`] does), or how fast frames come
//! (the connection does).

mod kind;
mod metered;

pub(crate) use kind::Kind;
pub(crate) use metered::metered;

use crate::edge::server::Bucket;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The counts of all callers behind a listener.
pub(crate) struct Throttle<K> {
    accounts: Mutex<HashMap<K, Account>>,
}

/// What one caller has used.
struct Account {
    kinds: [Used; Kind::ALL.len()],
    /// Bytes of messages that are being read or worked on.
    held: u64,
}

/// What one caller has used of one kind.
struct Used {
    calls: Bucket,
    bytes: Bucket,
    open: usize,
}

/// Leave for one call, held until its answer has ended.
pub(crate) struct Pass<K: Eq + Hash> {
    throttle: Arc<Throttle<K>>,
    caller: K,
    kind: Kind,
    held: Mutex<u64>,
}

/// Why a message is not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It is longer than any of its kind.
    TooLong,
    /// The caller has too much under way.
    Held,
}

impl<K: Clone + Eq + Hash> Throttle<K> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { accounts: Mutex::default() })
    }

    /// Lets a call begin, or says after which time to try again.
    pub(crate) fn enter(self: &Arc<Self>, caller: &K, kind: Kind, now: Instant) -> Result<Pass<K>, Duration> {
        let mut accounts = self.lock();
        if accounts.len() >= MOST_ACCOUNTS && !accounts.contains_key(caller) {
            accounts.retain(|_, account| !account.is_unused(now));
        }
        let account = accounts.entry(caller.clone()).or_insert_with(|| Account::new(now));
        let (used, limits) = (&mut account.kinds[kind as usize], kind.limits());
        if used.open >= limits.open {
            return Err(WHILE_BUSY);
        }
        let overdrawn = used.bytes.overdrawn(now);
        if !overdrawn.is_zero() {
            return Err(overdrawn);
        }
        used.calls.take(now)?;
        used.open += 1;
        Ok(Pass { throttle: Arc::clone(self), caller: caller.clone(), kind, held: Mutex::default() })
    }
}

impl<K> Throttle<K> {
    /// The counts stay right across a panic: nothing panics while they are held.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn new(now: Instant) -> Self {
        let unused = |kind: Kind| {
            let limits = kind.limits();
            Used { calls: Bucket::full(limits.calls, now), bytes: Bucket::full(limits.bytes, now), open: 0 }
        };
        Self { kinds: Kind::ALL.map(unused), held: 0 }
    }

    fn is_unused(&mut self, now: Instant) -> bool {
        self.kinds.iter_mut().all(|used| used.open == 0 && used.calls.is_full(now) && used.bytes.is_full(now))
    }
}

impl<K: Eq + Hash> Pass<K> {
    /// Counts bytes of the call's message as they come.
    pub(crate) fn read(&self, bytes: u64, now: Instant) -> Result<(), Over> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held + bytes > self.kind.limits().longest + PREFIX_BYTES {
            return Err(Over::TooLong);
        }
        let mut accounts = self.throttle.lock();
        // An account with an open call is never dropped.
        let Some(account) = accounts.get_mut(&self.caller) else { return Err(Over::Held) };
        account.kinds[self.kind as usize].bytes.charge(bytes, now);
        if account.held + bytes > MOST_HELD_BYTES {
            return Err(Over::Held);
        }
        account.held += bytes;
        *held += bytes;
        Ok(())
    }
}

impl<K: Eq + Hash> Drop for Pass<K> {
    fn drop(&mut self) {
        let held = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = self.throttle.lock().get_mut(&self.caller) {
            account.kinds[self.kind as usize].open -= 1;
            account.held -= held;
        }
    }
}

/// Bytes of messages that one caller may have under way: four of the largest.
pub(crate) const MOST_HELD_BYTES: u64 = 64 << 20;
/// What gRPC puts before a message.
const PREFIX_BYTES: u64 = 5;
/// How long a call's message may take to come: a little longer than any caller waits
/// for the answer.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(35);
/// When to try again if too many calls are under way.
pub(crate) const WHILE_BUSY: Duration = Duration::from_millis(500);
/// Above so many accounts those that are as good as new are forgotten.
const MOST_ACCOUNTS: usize = 4096;

#[cfg(test)]
mod tests;
