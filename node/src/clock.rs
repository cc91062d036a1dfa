//! Unix time in seconds. No allowance depends on it: it stamps entries, and
//! ends questions whose deadline has passed. It never runs backwards in one log.

use koonti_disclosure::Period;
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
