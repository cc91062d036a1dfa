//! Times behind dates: they must look like one, and are then ignored.
//!
//! What they look like is tested with the dates.

use super::calendar::{digits, number, one_or_two};

/// True for `h.mm` and `h.mm.ss`, or with colons.
pub(super) fn is_clock(text: &str) -> bool {
    let mut parts = text.split(['.', ':']);
    let hour = parts.next().and_then(one_or_two).is_some_and(|hour| hour <= 23);
    hour && up_to(59, parts.next())
        && parts.next().is_none_or(|second| up_to(60, Some(second)))
        && parts.next().is_none()
}

/// True for `hh:mm[:ss[.f]]`, alone or with a zone: `Z`, `+hh`, `+hhmm`, `+hh:mm`.
pub(super) fn is_time(text: &str) -> bool {
    let (clock, zone) = text.split_at(text.find(['Z', '+', '-', ' ']).unwrap_or(text.len()));
    let mut parts = clock.splitn(3, ':');
    let hour_and_minute = up_to(23, parts.next()) && up_to(59, parts.next());
    let second = parts.next().is_none_or(|second| match second.split_once('.') {
        Some((second, fraction)) => up_to(60, Some(second)) && number::<u32>(fraction).is_some(),
        None => up_to(60, Some(second)),
    });
    hour_and_minute && second && is_zone(zone.strip_prefix(' ').unwrap_or(zone))
}

fn is_zone(text: &str) -> bool {
    let Some((hours, minutes)) = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_at_checked(2)) else {
        return matches!(text, "" | "Z");
    };
    up_to(23, Some(hours)) && (minutes.is_empty() || up_to(59, Some(minutes.strip_prefix(':').unwrap_or(minutes))))
}

/// True for two digits that are at most `most`.
fn up_to(most: u8, text: Option<&str>) -> bool {
    text.and_then(|text| digits::<u8>(text, 2)).is_some_and(|n| n <= most)
}
