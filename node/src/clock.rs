//! Unix time in seconds. No allowance depends on it: it stamps entries, and
//! ends questions whose deadline has passed. It never runs backwards in one log.

use koonti_disclosure::Period;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The latest time that was read or written.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Seconds by which the clocks of a node and of its coordinator may differ: as much as
/// auditors allow an entry to be later than a cosignature over it.
pub(crate) const TOLERANCE_S: u64 = 300;

/// Seconds that may lie between the newest entry and an order that is written without
/// the coordinator's clock: longer than a quarter.
const LEAP_S: u64 = 100 * 86_400;

/// What the coordinator's clock showed last, and when that was. An entry with a time that
/// is to come would stand in the log for ever, and hold up everything after it.
#[derive(Default)]
pub(crate) struct Agreed {
    /// The latest time that it ever showed.
    newest: AtomicU64,
    last: Mutex<Option<(u64, Instant)>>,
}

impl Agreed {
    /// The coordinator has signed at this time; just now, if that is `sure`. Otherwise it
    /// may have been a while ago, and counts only where it shows that the clocks agree.
    /// Returns whether it does.
    pub(crate) fn note(&self, time: u64, sure: bool) -> bool {
        self.newest.fetch_max(time, Ordering::Relaxed);
        let agrees = system().abs_diff(time) <= TOLERANCE_S;
        if sure || agrees {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((time, Instant::now()));
        }
        agrees
    }

    /// The latest time that it ever showed.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    /// True unless this machine's clock and the coordinator's are known to differ.
    pub(crate) fn holds(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|(time, at)| system().abs_diff(time.saturating_add(at.elapsed().as_secs())) <= TOLERANCE_S)
    }
}

/// True when this machine's clock is so far ahead of the newest entry's time that the
/// coordinator's should say the same before anything is written.
pub(crate) fn leaps(newest: u64) -> bool {
    system() > newest.saturating_add(LEAP_S)
}

fn system() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Now, and not before any time that was read or written earlier.
pub fn now() -> u64 {
    let system = system();
    LATEST.fetch_max(system, Ordering::Relaxed).max(system)
}

/// Time does not go back behind this: that of the newest entry.
pub fn not_before(time: u64) {
    LATEST.fetch_max(time, Ordering::Relaxed);
}

/// Now in nanoseconds, for names in the order of their making.
pub fn nanoseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// A time as `2026-11-21 20:15` UTC, for people.
pub fn shown(time: u64) -> String {
    let (year, month, day) = date(time / 86_400);
    let seconds = time % 86_400;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// The quarter that a time (UTC) lies in; none beyond the year 9999.
pub fn quarter(time: u64) -> Option<Period> {
    let (year, month, _) = date(time / 86_400);
    Period::of_month(u16::try_from(year).ok()?, u8::try_from(month).ok()?)
}

/// Year, month and day of a number of days after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // Days to civil date, after Howard Hinnant's `civil_from_days`.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_five_minutes_either_way() {
        let holds = |time| {
            let agreed = Agreed::default();
            agreed.note(time, true);
            agreed.holds()
        };
        assert!(Agreed::default().holds(), "nothing is known");
        let now = system();
        assert!(holds(now) && holds(now - TOLERANCE_S + 5) && holds(now + TOLERANCE_S - 5));
        assert!(!holds(now - TOLERANCE_S - 5) && !holds(now + TOLERANCE_S + 5) && !holds(0));
        let agreed = Agreed::default();
        let noted = [now - 9000, now, now - 8000].map(|time| agreed.note(time, true));
        assert_eq!(noted, [false, true, false]);
        assert!(agreed.newest() == now && !agreed.holds(), "the last counts, the newest is kept");
        agreed.note(now, false);
        assert!(agreed.holds());
        agreed.note(now - 9000, false);
        assert!(agreed.holds(), "what was signed a while ago says nothing");
    }

    #[test]
    fn a_leap_is_longer_than_a_quarter() {
        let now = system();
        assert!(!leaps(now) && !leaps(now + 9000) && !leaps(now - 95 * 86_400));
        assert!(leaps(now - 101 * 86_400) && leaps(0));
    }
}
