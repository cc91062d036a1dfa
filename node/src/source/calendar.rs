//! Dates as registers write them.

use koonti_disclosure::Period;

/// A date that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    pub(super) year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub(super) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=last).contains(&day).then_some(Self { year, month, day })
    }

    /// Reads `d.m.yyyy`; day and month may have a leading zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let short = |part: &str| (part.len() <= 2).then(|| number(part)).flatten();
        let year = (year.len() == 4).then(|| number(year)).flatten()?;
        if parts.next().is_some() {
            return None;
        }
        Self::new(year, short(month)?, short(day)?)
    }

    /// The quarter; none before 1900.
    pub(super) fn period(self) -> Option<Period> {
        Period::of_month(self.year, self.month)
    }

    /// A number from 1 to 255 that is larger the later the date is in its quarter.
    pub(super) fn rank(self) -> u8 {
        (self.month - 1) % 3 * 31 + self.day
    }
}

/// A number written with at most nine digits and nothing else.
pub(super) fn number<N: TryFrom<u32>>(text: &str) -> Option<N> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse::<u32>().ok()).flatten().and_then(|n| N::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dates_that_exist_are_dates() {
        let parsed = |text| Date::parse(text).map(|d| (d.year, d.month, d.day));
        assert_eq!(parsed("1.2.2026"), Some((2026, 2, 1)));
        assert_eq!(parsed("01.02.2026"), Some((2026, 2, 1)));
        assert_eq!(parsed("29.2.2024"), Some((2024, 2, 29)));
        assert_eq!(parsed("31.12.9999"), Some((9999, 12, 31)));
        for bad in ["29.2.2026", "29.2.1900", "31.4.2026", "0.1.2026", "1.13.2026", "1.1.26", "001.1.2026"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        for bad in ["2026-01-01", "1.1.2026.", "1.1.2026 12:00", "1..2026", "+1.1.2026", "1.1", "1/1/2026", ""] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn ranks_rise_within_a_quarter() {
        for year in [2024, 2026] {
            for quarter in 0..4 {
                let days = (1..=3).flat_map(|m| (1..=31).map(move |d| (quarter * 3 + m, d)));
                let ranks: Vec<u8> = days.filter_map(|(m, d)| Date::new(year, m, d)).map(Date::rank).collect();
                assert!(ranks.len() >= 90 && ranks[0] == 1);
                assert!(ranks.windows(2).all(|w| w[0] < w[1]));
            }
        }
    }
}
