//! Dates as registers write them, in the format that the mapping declares.
//!
//! Nothing is guessed: a text that does not fit the format is no date, even
//! where it would be one in another format. A time behind a date must look like
//! one and is then ignored, with its zone: the date counts as written.

use std::fmt;
use std::str::FromStr;

use koonti_disclosure::Period;
use serde::Deserialize;

use super::clock::{is_clock, is_time};
use super::months::month;

/// How dates are written.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DateFormat {
    /// As in `3.9.2026` or `03.09.2026`, also with a time behind it.
    #[serde(rename = "d.m.yyyy")]
    DayMonthYear,
    /// As in `2026-09-03`, also with a time behind it.
    #[serde(rename = "yyyy-mm-dd")]
    YearMonthDay,
    /// As in `3. syyskuuta 2026`, `3 september 2026` or `3 Sep 2026`.
    #[serde(rename = "d. month yyyy")]
    NamedMonth,
    /// No day: as in `2026Q3`, `2026/3` or `3/2026`. It stands for the first of the quarter.
    #[serde(rename = "quarter")]
    Quarter,
}

/// A date that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    pub(super) year: u16,
    month: u8,
    day: u8,
}

/// A quarter as a number that rises with time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Quarter(pub(super) u16);

impl Quarter {
    /// The first year that has quarters.
    const FIRST_YEAR: u16 = 1900;

    pub(super) fn year(self) -> u16 {
        Self::FIRST_YEAR + self.0 / 4
    }

    /// The quarter as the rules know it.
    pub(super) fn period(self) -> Period {
        let month = self.0 % 4 * 3 + 1;
        Period::of_month(self.year(), month as u8).expect("only dates make quarters")
    }
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

    /// Reads a date that is written in this format.
    pub(super) fn parse(text: &str, format: DateFormat) -> Option<Self> {
        match format {
            DateFormat::DayMonthYear => day_month_year(text),
            DateFormat::YearMonthDay => year_month_day(text),
            DateFormat::NamedMonth => named_month(text),
            DateFormat::Quarter => first_of_quarter(text),
        }
    }

    /// The quarter; none before 1900.
    pub(super) fn quarter(self) -> Option<Quarter> {
        let years = self.year.checked_sub(Quarter::FIRST_YEAR)?;
        Some(Quarter(4 * years + u16::from((self.month - 1) / 3)))
    }

    /// A number from 1 to 255 that is larger the later the date is in its quarter.
    pub(super) fn rank(self) -> u8 {
        (self.month - 1) % 3 * 31 + self.day
    }
}

impl DateFormat {
    /// How a date is written in it, for messages.
    pub(super) fn pattern(self) -> &'static str {
        match self {
            Self::DayMonthYear => "d.m.yyyy",
            Self::YearMonthDay => "yyyy-mm-dd",
            Self::NamedMonth => "d. month yyyy",
            Self::Quarter => "2026Q3, 2026/3 or 3/2026",
        }
    }
}

impl FromStr for DateFormat {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::DayMonthYear, Self::YearMonthDay, Self::NamedMonth, Self::Quarter];
        all.into_iter().find(|format| text == format.to_string()).ok_or("no format of dates")
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quarter => "quarter",
            day => day.pattern(),
        })
    }
}

/// `d.m.yyyy`; day and month may have a leading zero, and a time may stand behind them.
fn day_month_year(text: &str) -> Option<Date> {
    let (date, time) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !time.is_empty() && !is_clock(time) {
        return None;
    }
    let mut parts = date.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(digits(year, 4)?, one_or_two(month)?, one_or_two(day)?)
}

/// `yyyy-mm-dd`, alone or with `T` or a space and a time behind it.
fn year_month_day(text: &str) -> Option<Date> {
    let (date, behind) = text.split_at_checked("yyyy-mm-dd".len())?;
    if !behind.is_empty() && !behind.strip_prefix(['T', ' ']).is_some_and(is_time) {
        return None;
    }
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?)
}

/// `d. month yyyy`, without the full stop or without the space behind it.
fn named_month(text: &str) -> Option<Date> {
    let (day, behind) = text.split_once(|c: char| c == '.' || c.is_whitespace())?;
    let mut parts = behind.split_whitespace();
    let (name, year) = (parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(digits(year, 4)?, month(name)?, one_or_two(day)?)
}

/// A year of four digits and a quarter, with `Q`, `-Q` or `/` between them; or the quarter
/// first, with `/`. A `Q` may stand before it there, too.
fn first_of_quarter(text: &str) -> Option<Date> {
    let (year, quarter) = match text.split_at_checked(4) {
        Some((year, behind)) if digits::<u16>(year, 4).is_some() => {
            (year, ["-Q", "-q", "Q", "q", "/"].iter().find_map(|between| behind.strip_prefix(between))?)
        }
        _ => text.split_once('/').map(|(quarter, year)| (year, quarter.strip_prefix(['Q', 'q']).unwrap_or(quarter)))?,
    };
    let quarter = digits::<u8>(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?;
    Date::new(digits(year, 4)?, 3 * quarter - 2, 1)
}

/// A number written with one or two digits.
pub(super) fn one_or_two(text: &str) -> Option<u8> {
    (text.len() <= 2).then(|| number(text)).flatten()
}

/// A number written with so many digits and nothing else.
pub(super) fn digits<N: TryFrom<u32>>(text: &str, count: usize) -> Option<N> {
    (text.len() == count).then(|| number(text)).flatten()
}

/// A number written with at most nine digits and nothing else.
pub(super) fn number<N: TryFrom<u32>>(text: &str) -> Option<N> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse::<u32>().ok()).flatten().and_then(|n| N::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::DateFormat::{DayMonthYear, NamedMonth, Quarter, YearMonthDay};
    use super::*;

    fn parsed(text: &str, format: DateFormat) -> Option<(u16, u8, u8)> {
        Date::parse(text, format).map(|d| (d.year, d.month, d.day))
    }

    #[test]
    fn only_dates_that_exist_are_dates() {
        for (text, date) in [
            ("1.2.2026", (2026, 2, 1)),
            ("01.02.2026", (2026, 2, 1)),
            ("29.2.2024", (2024, 2, 29)),
            ("31.12.9999", (9999, 12, 31)),
        ] {
            assert_eq!(parsed(text, DayMonthYear), Some(date), "{text}");
        }
        for bad in ["29.2.2026", "29.2.1900", "31.4.2026", "0.1.2026", "1.13.2026", "1.1.26", "001.1.2026"] {
            assert_eq!(parsed(bad, DayMonthYear), None, "{bad}");
        }
        for bad in ["2026-01-01", "1.1.2026.", "1..2026", "+1.1.2026", "1.1", "1/1/2026", ""] {
            assert_eq!(parsed(bad, DayMonthYear), None, "{bad}");
        }
        for behind in ["8.15", "08:15", "8:15", "0:00:00", "23.59.60"] {
            assert_eq!(parsed(&format!("3.9.2026 {behind}"), DayMonthYear), Some((2026, 9, 3)), "{behind}");
        }
        for behind in ["8", "8.1", "24.00", "8.60", "8:15:61", "8:15:00:00", "8:15:00 +03", " 8.15", "klo", "008:15"] {
            assert_eq!(parsed(&format!("3.9.2026 {behind}"), DayMonthYear), None, "{behind}");
        }
    }

    #[test]
    fn a_quarter_is_its_first_day() {
        for (text, month) in [
            ("2026Q1", 1),
            ("2026q2", 4),
            ("2026-Q3", 7),
            ("2026/4", 10),
            ("1/2026", 1),
            ("Q2/2026", 4),
            ("q3/2026", 7),
        ] {
            assert_eq!(parsed(text, Quarter), Some((2026, month, 1)), "{text}");
        }
        for bad in [
            "2026Q0",
            "2026Q5",
            "2026Q01",
            "2026Q",
            "2026",
            "Q1",
            "1-2026",
            "2026-1",
            "2026/Q1",
            "26Q1",
            "5/2026",
            "1/26",
            "2026Q1 ",
            "12/2026",
            "3.9.2026",
            "2026-09-03",
            "1/2026/1",
            "ä026Q1",
            "",
        ] {
            assert_eq!(parsed(bad, Quarter), None, "{bad}");
        }
    }

    #[test]
    fn a_date_may_begin_with_its_year_and_have_a_time() {
        for behind in [
            "",
            " 09:30",
            "T09:30",
            "T09:30:00",
            " 23:59:60",
            " 09:30:00.1",
            "T09:30:00.123456789",
            "T09:30Z",
            " 09:30 Z",
            "T09:30:00+03",
            "T09:30:00.000+0300",
            "T09:30:00-03:30",
            " 09:30:00.0000000 +03:00",
        ] {
            assert_eq!(parsed(&format!("2024-02-29{behind}"), YearMonthDay), Some((2024, 2, 29)), "{behind}");
        }
        for behind in [
            "T",
            "Z",
            "t09:30",
            "T9:30",
            "T0930",
            "T09",
            "T09:3",
            "T24:00",
            "T09:60",
            "T09:30:61",
            "T09:30:",
            "T09:30:00.",
            "T09:30:00,5",
            "T09:30:00.1234567890",
            "T09:30z",
            "T09:30+3",
            "T09:30+03:",
            "T09:30+03:0",
            "T09:30+24",
            "T09:30 EET",
            "T09:30Z ",
            "  09:30",
            "\u{A0}09:30",
            "T09:30:00:00",
            "x",
        ] {
            assert_eq!(parsed(&format!("2024-02-29{behind}"), YearMonthDay), None, "{behind}");
        }
        for bad in [
            "2026-02-29",
            "2026-2-9",
            "2026-13-01",
            "2026-00-01",
            "26-01-01",
            "2026/01/01",
            "20260101",
            "1.1.2026",
            "2026-01-1",
            "2026--1-01",
            "-026-01-01",
            "2026-1-101",
            "2026-01-0ä",
            "",
        ] {
            assert_eq!(parsed(bad, YearMonthDay), None, "{bad}");
        }
    }

    #[test]
    fn a_date_may_name_its_month() {
        for good in [
            "3. maaliskuuta 2026",
            "03. maaliskuuta 2026",
            "3. maalisk. 2026",
            "3 mars 2026",
            "3. Mars 2026",
            "3 Mar 2026",
            "3 March 2026",
            "3.\u{A0}maaliskuuta\u{202F}2026",
            "3.maaliskuuta 2026",
            "03.mars 2026",
            "3  mars  2026",
        ] {
            assert_eq!(parsed(good, NamedMonth), Some((2026, 3, 3)), "{good}");
        }
        for bad in [
            "3maaliskuuta 2026",
            "3. maaliskuuta2026",
            "maaliskuu 2026",
            "maaliskuun 3. 2026",
            "3. maaliskuuta",
            "3. maaliskuuta 26",
            "3.. mars 2026",
            "30. helmikuuta 2026",
            "003. mars 2026",
            "3. mars 2026 12:00",
            "3. 3. 2026",
            "3.3.2026",
            "2026-03-03",
            "March 3 2026",
            "",
        ] {
            assert_eq!(parsed(bad, NamedMonth), None, "{bad}");
        }
    }

    #[test]
    fn quarters_are_periods() {
        for (text, period) in [("31.12.1900", "1900Q4"), ("1.1.2026", "2026Q1"), ("31.3.9999", "9999Q1")] {
            let quarter = Date::parse(text, DayMonthYear).and_then(Date::quarter).unwrap();
            assert_eq!(quarter.period().to_string(), period);
            assert_eq!(quarter.year(), quarter.period().year());
        }
        assert!(Date::parse("31.12.1899", DayMonthYear).unwrap().quarter().is_none());
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
