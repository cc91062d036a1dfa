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

/// Every day of the quarters in the Finnish way, as `1.7.2025`, in order.
pub(super) fn dates() -> Vec<String> {
    let mut dates = Vec::with_capacity(usize::from(SPAN_DAYS));
    for quarter in &ALL {
        for (month, &days) in (quarter.first_month..).zip(&quarter.days_in_month) {
            dates.extend((1..=days).map(|day| format!("{day}.{month}.{}", quarter.year)));
        }
    }
    dates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_follow_one_another() {
        let dates = dates();
        assert_eq!(dates.len(), usize::from(SPAN_DAYS));
        for quarter in &ALL {
            let first = &dates[usize::from(quarter.start)];
            assert_eq!(*first, format!("1.{}.{}", quarter.first_month, quarter.year));
            let days: u16 = quarter.days_in_month.iter().map(|&d| u16::from(d)).sum();
            assert_eq!(days, quarter.days);
        }
        assert_eq!(dates[dates.len() - 1], "30.9.2026");
    }
}
