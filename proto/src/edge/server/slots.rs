//! Places counted by key: so many for each address, so many for each identity.
//!
//! Promises: a place is given back when its [`Slot`] is dropped, and a key with
//! no place taken takes no memory. Does not: queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places by key.
pub(super) struct Slots<K> {
    most: usize,
    taken: Mutex<HashMap<K, usize>>,
}

/// One place taken.
pub(super) struct Slot<K: Eq + Hash> {
    slots: Arc<Slots<K>>,
    key: K,
}

impl<K: Eq + Hash + Clone> Slots<K> {
    /// `most` places for each key.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// Takes a place, if the key has one left.
    pub(super) fn take(self: &Arc<Self>, key: K) -> Option<Slot<K>> {
        let mut taken = self.lock();
        let count = taken.get(&key).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        taken.insert(key.clone(), count + 1);
        Some(Slot { slots: Arc::clone(self), key })
    }
}

impl<K> Slots<K> {
    /// The counts stay right across a panic: nothing panics while they are held.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn places_are_counted_by_key_and_given_back() {
        let slots = Slots::new(2);
        let first = slots.take("a").expect("first");
        let second = slots.take("a").expect("second");
        assert!(slots.take("a").is_none());
        assert!(slots.take("b").is_some());
        drop(first);
        let again = slots.take("a").expect("given back");
        assert!(slots.take("a").is_none());
        drop((second, again));
        assert!(slots.lock().is_empty());
    }
}
