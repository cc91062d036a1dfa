//! Places for those who have not shown a certificate: in their handshake, or for good
//! on the enrolment listener.
//!
//! Promises: no address and not all together hold more than their places. Where there is
//! none left, the address with the most gives one up to an address with fewer, at once;
//! and whoever has had a place longest gives way to any newcomer, once it has had its
//! time: so connections that say nothing keep nobody out for long. No address begins more
//! connections than its rate. Does not: queue.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::bucket::{Bucket, Rate};

/// All places.
pub(super) struct Room {
    most: usize,
    most_per_address: usize,
    gives_way_after: Duration,
    begins: Rate,
    inner: Mutex<Inner>,
}

struct Inner {
    /// By when they came.
    guests: BTreeMap<u64, Guest>,
    came: u64,
    begun: HashMap<IpAddr, Bucket>,
    forget_at: usize,
}

struct Guest {
    address: IpAddr,
    since: Instant,
    /// Dropped to send it away.
    _stay: oneshot::Sender<()>,
}

/// One place, given back when dropped.
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
    sent_away: oneshot::Receiver<()>,
}

impl Room {
    /// So many places in all and for each address, kept for that long against
    /// newcomers, and so many connections begun by each address.
    pub(super) fn new(most: usize, most_per_address: usize, gives_way_after: Duration, begins: Rate) -> Arc<Self> {
        let inner = Inner { guests: BTreeMap::new(), came: 0, begun: HashMap::new(), forget_at: MOST_ADDRESSES };
        Arc::new(Self { most, most_per_address, gives_way_after, begins, inner: Mutex::new(inner) })
    }

    /// Takes a place, if need be that of another.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Place> {
        let mut inner = self.lock();
        inner.begin(address, self.begins, now)?;
        let of_address = inner.guests.values().filter(|guest| guest.address == address).count();
        if of_address >= self.most_per_address {
            inner.send_away(|guest| guest.address == address, self.gives_way_after, now)?;
        } else if inner.guests.len() >= self.most {
            match inner.most_crowded().filter(|(_, places)| *places > of_address + 1) {
                Some((crowded, _)) => inner.send_away(|guest| guest.address == crowded, Duration::ZERO, now)?,
                None => inner.send_away(|_| true, self.gives_way_after, now)?,
            }
        }
        let (stay, sent_away) = oneshot::channel();
        inner.came += 1;
        let number = inner.came;
        inner.guests.insert(number, Guest { address, since: now, _stay: stay });
        Some(Place { room: Arc::clone(self), number, sent_away })
    }

    /// The counts stay right across a panic: nothing panics while they are held.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts a connection of the address, if it may begin one.
    fn begin(&mut self, address: IpAddr, rate: Rate, now: Instant) -> Option<()> {
        if self.begun.len() >= self.forget_at && !self.begun.contains_key(&address) {
            self.begun.retain(|_, bucket| !bucket.is_full(now));
            self.forget_at = MOST_ADDRESSES.max(2 * self.begun.len());
        }
        self.begun.entry(address).or_insert_with(|| Bucket::full(rate, now)).take(now).ok()
    }

    /// The address with the most places, and how many it has.
    fn most_crowded(&self) -> Option<(IpAddr, usize)> {
        let mut places: HashMap<IpAddr, usize> = HashMap::new();
        self.guests.values().for_each(|guest| *places.entry(guest.address).or_default() += 1);
        places.into_iter().max_by_key(|(_, places)| *places)
    }

    /// Sends the longest of `these` away, if it has had its time.
    fn send_away(&mut self, these: impl Fn(&Guest) -> bool, after: Duration, now: Instant) -> Option<()> {
        let (number, longest) = self.guests.iter().find(|(_, guest)| these(guest))?;
        if now.saturating_duration_since(longest.since) < after {
            return None;
        }
        let number = *number;
        self.guests.remove(&number);
        Some(())
    }
}

impl Place {
    /// Resolves when the place is to be given up.
    pub(super) async fn sent_away(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.sent_away).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().guests.remove(&self.number);
    }
}

/// Above so many addresses those that have begun nothing lately are forgotten.
const MOST_ADDRESSES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::{Place, Rate, Room};
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);
    const OFTEN: Rate = Rate { burst: 1000, per_minute: 1 };

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn is_sent_away(place: &mut Place) -> bool {
        place.sent_away.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_of_a_full_address_gives_way_and_not_before_its_time() {
        let (room, now) = (Room::new(3, 2, SECOND, OFTEN), Instant::now());
        let mut first = room.enter(address(1), now).expect("a place");
        let mut second = room.enter(address(1), now + SECOND / 2).expect("a place");
        assert!(room.enter(address(1), now + SECOND / 2).is_none());
        let _third = room.enter(address(1), now + SECOND).expect("the place of the first");
        assert!(is_sent_away(&mut first) && !is_sent_away(&mut second));
        // All are full: the address with two gives one up, though it has not had its time.
        let mut other = room.enter(address(2), now + SECOND).expect("a place");
        let mut newest = room.enter(address(3), now + SECOND).expect("the place of the second");
        assert!(is_sent_away(&mut second) && !is_sent_away(&mut other));
        // Nobody has more than one: only time helps.
        assert!(room.enter(address(4), now + SECOND * 3 / 2).is_none());
        drop((first, second));
        assert_eq!(room.lock().guests.len(), 3);
        let _last = room.enter(address(4), now + 2 * SECOND).expect("the place of the third");
        assert!(!is_sent_away(&mut other) && !is_sent_away(&mut newest));
    }

    #[test]
    fn an_address_begins_no_more_than_its_rate() {
        let room = Room::new(10, 10, SECOND, Rate { burst: 2, per_minute: 60 });
        let now = Instant::now();
        let enter = |room: &Arc<Room>, last, after| room.enter(address(last), now + after).is_some();
        assert!(enter(&room, 1, SECOND) && enter(&room, 1, SECOND));
        assert!(!enter(&room, 1, SECOND) && enter(&room, 2, SECOND));
        assert!(enter(&room, 1, 2 * SECOND));
    }

    #[test]
    fn addresses_are_forgotten() {
        let room = Room::new(1, 1, SECOND, Rate { burst: 1, per_minute: 60 });
        let now = Instant::now();
        for n in 0..super::MOST_ADDRESSES {
            drop(room.enter(IpAddr::from(u32::try_from(n).expect("small").to_be_bytes()), now));
        }
        drop(room.enter(address(1), now + 2 * SECOND));
        assert_eq!(room.lock().begun.len(), 1);
    }
}
