//! The five quarters of the synthetic registers, and their days.

/// Number of quarters.
pub(super) const QUARTERS: usize = 5;

/// A quarter of a year.
pub(super) struct Quarter {
    /// The period's code, as `2026Q3`.
    pub(super) code: &'static str,
    pub(super) year: u16,
    first_month: u8,
    days_in_month: [u8; 3],
    /// Days in it.
    pub(super) days: u16,
    /// Days before it, counted from the first day of the first quarter.
    pub(super) start: u16,
}

/// The quarters, oldest first.
#[rustfmt::skip]
pub(super) const ALL: [Quarter; QUARTERS] = [
    Quarter { code: "2025Q3", year: 2025, first_month: 7, days_in_month: [31, 31, 30], days: 92, start: 0 },
    Quarter { code: "2025Q4", year: 2025, first_month: 10, days_in_month: [31, 30, 31], days: 92, start: 92 },
    Quarter { code: "2026Q1", year: 2026, first_month: 1, days_in_month: [31, 28, 31], days: 90, start: 184 },
    Quarter { code: "2026Q2", year: 2026, first_month: 4, days_in_month: [30, 31, 30], days: 91, start: 274 },
    Quarter { code: "2026Q3", year: 2026, first_month: 7, days_in_month: [31, 31, 30], days: 92, start: 365 },
];

/// Days in all quarters together.
pub(super) const SPAN_DAYS: u16 = ALL[QUARTERS - 1].start + ALL[QUARTERS - 1].days;

/// Every day of the quarters in order: year, month and day.
pub(super) fn days() -> impl Iterator<Item = (u16, u8, u8)> {
    let of_month = |year, (month, &days): (u8, &u8)| (1..=days).map(move |day| (year, month, day));
    ALL.iter().flat_map(move |quarter| {
        let months = (quarter.first_month..).zip(&quarter.days_in_month);
        months.flat_map(move |month| of_month(quarter.year, month))
    })
}

/// The days from 1970-01-01 to a day of any year from 1 on, written yyyy-mm-dd.
pub(super) fn days_since_1970(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(str::parse::<i32>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    // Years that begin in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_follow_one_another() {
        let dates: Vec<_> = days().collect();
        assert_eq!(dates.len(), usize::from(SPAN_DAYS));
        for quarter in &ALL {
            assert_eq!(dates[usize::from(quarter.start)], (quarter.year, quarter.first_month, 1));
            let days: u16 = quarter.days_in_month.iter().map(|&d| u16::from(d)).sum();
            assert_eq!(days, quarter.days);
        }
        assert_eq!(dates[dates.len() - 1], (2026, 9, 30));
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (text, days) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-09-30", 20_726)] {
            assert_eq!(days_since_1970(text), Some(days), "{text}");
        }
        let days: Vec<_> = days().map(|(y, m, d)| days_since_1970(&format!("{y}-{m:02}-{d:02}")).unwrap()).collect();
        assert!(days.windows(2).all(|two| two[1] == two[0] + 1));
        assert_eq!(days_since_1970("30.9.2026"), None);
    }
}
