//! Periods: calendar quarters, written `2026Q3`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A calendar quarter of the years 1900 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: u16,
    quarter: u8,
}

/// The text is not a quarter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a period is a quarter such as 2026Q3")]
pub struct BadPeriod;

impl Period {
    /// The quarter that holds the given month (1 to 12) of the year.
    pub fn of_month(year: u16, month: u8) -> Option<Self> {
        ((1900..=9999).contains(&year) && (1..=12).contains(&month))
            .then(|| Self { year, quarter: (month - 1) / 3 + 1 })
    }

    /// The quarter after this one.
    pub fn next(&self) -> Self {
        match self.quarter {
            4 => Self { year: self.year + 1, quarter: 1 },
            quarter => Self { year: self.year, quarter: quarter + 1 },
        }
    }

    /// The calendar year.
    pub fn year(&self) -> u16 {
        self.year
    }
}

impl FromStr for Period {
    type Err = BadPeriod;
    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let (year, quarter) = text.split_once('Q').ok_or(BadPeriod)?;
        if year.len() != 4 || quarter.len() != 1 || !year.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadPeriod);
        }
        let year = year.parse().map_err(|_| BadPeriod)?;
        let quarter: u8 = quarter.parse().map_err(|_| BadPeriod)?;
        if !(1..=4).contains(&quarter) {
            return Err(BadPeriod);
        }
        Self::of_month(year, quarter * 3).ok_or(BadPeriod)
    }
}

impl TryFrom<String> for Period {
    type Error = BadPeriod;
    fn try_from(text: String) -> Result<Self, BadPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}Q{}", self.year, self.quarter))
    }
}
