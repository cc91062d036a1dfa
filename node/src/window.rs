//! The audit window: how long a quarter's extracts and seeds are kept for auditors.
//!
//! It counts from the end of the quarter, or of the quarter in which it was imported
//! last. When it is over, the quarter is closed as an operator closes one. Two clocks
//! have to say so, the node's and the coordinator's: what is destroyed does not come back.

use crate::clock;
use crate::fold::Fold;
use koonti_disclosure::{Name, Period};

/// The quarters of each data source whose window is over. Times are Unix time, seconds;
/// `agreed` is that of the coordinator's newest cosignature.
pub(crate) fn over(fold: &Fold, now: u64, agreed: u64, quarters: u16) -> Vec<(Name, Period)> {
    let Some(current) = clock::quarter(now.min(agreed)) else { return Vec::new() };
    let is_over = |period: Period, imported: u64| {
        let begins = clock::quarter(imported).map_or(period, |quarter| quarter.max(period));
        let last = (0..quarters).fold(begins, |quarter, _| quarter.next());
        current > last
    };
    let held = fold.imported.iter().filter(|((source, period), _)| !fold.is_closed(source, *period));
    held.filter(|((_, period), at)| is_over(*period, **at)).map(|(key, _)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::Digest;
    use koonti_evidence::entry::node::{Entry, Own};

    /// 2026-11-22, in the fourth quarter.
    const NOW: u64 = 1_795_305_600;
    const YEAR: u64 = 365 * 86_400;

    fn fold() -> Fold {
        let mut fold = Fold::default();
        let import = |period: &str, time| {
            Entry::Own(Own::Imported {
                coverage: None,
                commitments: vec![],
                events: false,
                periods: vec![period.parse().expect("a quarter")],
                register: "r".parse().expect("a name"),
                source: "s".parse().expect("a name"),
                time,
                vintage: Digest::of(period.as_bytes()),
            })
        };
        let entries = [import("2025Q3", NOW - YEAR), import("2026Q3", NOW), import("2019Q1", NOW), import("2025Q4", 0)];
        (0..).zip(&entries).for_each(|(seq, entry)| fold.note(seq, entry));
        fold
    }

    fn ended(now: u64, agreed: u64, quarters: u16) -> Vec<String> {
        over(&fold(), now, agreed, quarters).into_iter().map(|(_, period)| period.to_string()).collect()
    }

    #[test]
    fn a_window_counts_from_the_end_or_the_last_import() {
        assert_eq!(ended(NOW, NOW, 4), Vec::<String>::new(), "2025Q3 was imported in 2025Q4");
        let later = NOW + 60 * 86_400;
        assert_eq!(ended(later, later, 4), ["2025Q3", "2025Q4"]);
        assert_eq!(ended(u64::MAX / 2, u64::MAX / 2, 4), Vec::<String>::new(), "no date at all");
        let later = NOW + 2 * YEAR;
        assert_eq!(ended(later, later, 4), ["2019Q1", "2025Q3", "2025Q4", "2026Q3"]);
        assert_eq!(ended(later, later, 12), Vec::<String>::new());
    }

    #[test]
    fn one_clock_alone_ends_nothing() {
        assert_eq!(ended(NOW + 9 * YEAR, NOW, 4), Vec::<String>::new());
        assert_eq!(ended(NOW, NOW + 9 * YEAR, 4), Vec::<String>::new());
        assert_eq!(ended(NOW + 9 * YEAR, 0, 4), Vec::<String>::new());
    }
}
