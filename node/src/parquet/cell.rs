//! Values as text: how a typed value is written where a register has text.

use std::fmt::Write;

use crate::source::{DateFormat, Decimal, month_name};

/// Writes a date by its days since 1970-01-01.
pub(super) fn date(days: i64, format: DateFormat, to: &mut String) {
    let (year, month, day) = civil(days);
    // Other years make no date of any format, and the register's rule names the row.
    let _ = match format {
        DateFormat::DayMonthYear => write!(to, "{day}.{month}.{year:04}"),
        DateFormat::YearMonthDay => write!(to, "{year:04}-{month:02}-{day:02}"),
        DateFormat::NamedMonth => write!(to, "{day} {} {year:04}", month_name(month)),
        DateFormat::Quarter => write!(to, "{year:04}Q{}", month.div_ceil(3)),
    };
}

/// Writes a whole number with the last `scale` digits behind the decimal character.
pub(super) fn decimal(value: i128, scale: u32, decimal: Decimal, to: &mut String) {
    let digits = value.unsigned_abs().to_string();
    let scale = scale as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, behind) = padded.split_at(padded.len() - scale);
    to.push_str(if value < 0 { "-" } else { "" });
    to.push_str(whole);
    if scale > 0 {
        to.push(decimal.char());
        to.push_str(behind);
    }
}

/// Writes a number as short as it can be written.
pub(super) fn float(value: f64, decimal: Decimal, to: &mut String) {
    let text = value.to_string();
    match decimal {
        Decimal::Point => to.push_str(&text),
        Decimal::Comma => to.push_str(&text.replace('.', ",")),
    }
}

/// Year, month and day of a day, in the calendar that Parquet counts in. Years begin in
/// March here, so that a leap day is the last of its year.
fn civil(days: i64) -> (i64, u8, u8) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    // The 1st of March 2000 began such an age.
    let since = days - 11_017;
    let (age, day_of_age) = (since.div_euclid(DAYS_OF_400_YEARS), since.rem_euclid(DAYS_OF_400_YEARS));
    let year_of_age = (day_of_age - day_of_age / 1460 + day_of_age / 36_524 - day_of_age / 146_096) / 365;
    let day_of_year = day_of_age - (365 * year_of_age + year_of_age / 4 - year_of_age / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (2000 + 400 * age + year_of_age + next_year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1899, 12, 31);
        let first = (-25_568..).find(|days| civil(*days) == (year, month, day)).unwrap();
        assert_eq!(civil(0), (1970, 1, 1));
        for days in first..first + 100_000 {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][usize::from(month) - 1];
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (month, day) if day == last => (year, month + 1, 1),
                (month, day) => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn numbers_are_written_as_registers_write_them() {
        let written = |write: &dyn Fn(&mut String)| {
            let mut text = String::new();
            write(&mut text);
            text
        };
        for (value, scale, text) in [(650, 2, "6,50"), (-5, 1, "-0,5"), (5, 3, "0,005"), (0, 0, "0"), (10, 0, "10")] {
            assert_eq!(written(&|to| decimal(value, scale, Decimal::Comma, to)), text);
        }
        for (value, text) in [(6.5, "6,5"), (7.0, "7"), (1980.0, "1980"), (-0.5, "-0,5"), (f64::NAN, "NaN")] {
            assert_eq!(written(&|to| float(value, Decimal::Comma, to)), text);
        }
        for (format, text) in [
            (DateFormat::DayMonthYear, "3.9.2026"),
            (DateFormat::YearMonthDay, "2026-09-03"),
            (DateFormat::NamedMonth, "3 september 2026"),
            (DateFormat::Quarter, "2026Q3"),
        ] {
            assert_eq!(written(&|to| date(20_699, format, to)), text);
        }
        for days in [i64::MIN / 1_000_000, i64::from(i32::MIN), i64::from(i32::MAX)] {
            date(days, DateFormat::YearMonthDay, &mut String::new());
        }
    }
}
