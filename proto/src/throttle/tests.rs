//! What one caller may do, and what the others still can.

use super::{Kind, MOST_HELD_BYTES, Over, Throttle, WHILE_BUSY};
use std::time::{Duration, Instant};

#[test]
fn one_caller_over_its_rate_takes_nothing_from_others_or_from_other_kinds() {
    let (throttle, now) = (Throttle::new(), Instant::now());
    let burst = Kind::Evidence.limits().calls.burst;
    for _ in 0..burst {
        assert!(throttle.enter(&"a", Kind::Evidence, now).is_ok());
    }
    let wait = throttle.enter(&"a", Kind::Evidence, now).err().expect("over the rate");
    assert_eq!(wait, Duration::from_secs(10));
    assert!(throttle.enter(&"a", Kind::Look, now).is_ok());
    assert!(throttle.enter(&"b", Kind::Evidence, now).is_ok());
    assert!(throttle.enter(&"a", Kind::Evidence, now + wait).is_ok());
}

#[test]
fn calls_under_way_are_counted_and_given_back() {
    let (throttle, now) = (Throttle::new(), Instant::now());
    let passes: Vec<_> = (0..4).map(|_| throttle.enter(&"a", Kind::Read, now).expect("a place")).collect();
    assert_eq!(throttle.enter(&"a", Kind::Read, now).err(), Some(WHILE_BUSY));
    drop(passes);
    assert!(throttle.enter(&"a", Kind::Read, now).is_ok());
}

#[test]
fn bytes_are_bounded_by_message_by_caller_and_over_time() {
    let (throttle, now) = (Throttle::new(), Instant::now());
    let enter = |kind| throttle.enter(&"a", kind, now);
    let longest = Kind::Report.limits().longest;
    let look = enter(Kind::Look).expect("a look");
    assert_eq!(look.read(Kind::Look.limits().longest + 6, now), Err(Over::TooLong));
    let mut held: Vec<_> = (0..5).map(|_| enter(Kind::Report).expect("a place")).collect();
    for pass in &held[..4] {
        assert_eq!(pass.read(longest, now), Ok(()));
    }
    assert_eq!(4 * longest, MOST_HELD_BYTES);
    assert_eq!(held[4].read(1, now), Err(Over::Held));
    held.remove(0);
    assert_eq!(held[3].read(1, now), Ok(()));
    drop(held);
    // 512 MiB at once, and then what flows in.
    for _ in 0..28 {
        assert_eq!(enter(Kind::Report).expect("not overdrawn").read(longest, now), Ok(()));
    }
    let wait = enter(Kind::Report).err().expect("overdrawn");
    assert!(wait < Duration::from_secs(1), "{wait:?}");
}

#[test]
fn who_is_gone_is_forgotten() {
    let (throttle, now) = (Throttle::new(), Instant::now());
    for caller in 0..super::MOST_ACCOUNTS {
        assert!(throttle.enter(&caller, Kind::Look, now).is_ok());
    }
    assert!(throttle.enter(&usize::MAX, Kind::Look, now + Duration::from_secs(60)).is_ok());
    assert_eq!(throttle.lock().len(), 1);
}
