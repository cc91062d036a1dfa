//! The section `[format]` of a mapping: what kind of file the register is.
//!
//! Without a word about it, it is delimited text, of which everything has to be
//! declared. A Parquet file says itself how its columns are written, so that little
//! has to be.

use std::io::Read;

use serde::Deserialize;

use super::blocks::Blocks;
use super::calendar::DateFormat;
use super::encoding::Encoding;
use super::error::At;
use super::mapping::{Decimal, Delimiter};
use super::rows::{InOrder, Numbering, Rows};
use crate::parquet;

/// How the register is written.
#[derive(Deserialize, Debug)]
#[serde(try_from = "File")]
pub(super) struct Format {
    pub(super) kind: Kind,
    pub(super) delimiter: Delimiter,
    pub(super) encoding: Encoding,
    pub(super) date: DateFormat,
    pub(super) decimal: Decimal,
}

/// What kind of file it is.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Kind {
    /// Delimited text.
    #[default]
    #[serde(rename = "csv")]
    Csv,
    /// A Parquet file: it becomes delimited text as it is read.
    #[serde(rename = "parquet")]
    Parquet,
}

/// The section as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    kind: Kind,
    delimiter: Option<Delimiter>,
    encoding: Option<Encoding>,
    date: Option<DateFormat>,
    decimal: Option<Decimal>,
}

impl Format {
    /// The rows of a register that is written so.
    pub(super) fn rows<R: Read>(&self, from: R, block_bytes: usize) -> InOrder<R> {
        InOrder::new(Blocks::new(from, self.delimiter.0, block_bytes), self.no_rows())
    }

    /// What cuts such rows, before the first.
    pub(super) fn no_rows(&self) -> Rows {
        let numbering = match self.kind {
            Kind::Csv => Numbering::Lines,
            Kind::Parquet => Numbering::Rows,
        };
        Rows::new(self.delimiter.0, self.encoding, numbering)
    }

    /// Where a line of the rows stands in the register.
    pub(super) fn at(&self, line: u64) -> At {
        match self.kind {
            Kind::Csv => At::Line(line),
            Kind::Parquet => At::Row(line - 1),
        }
    }
}

impl TryFrom<File> for Format {
    type Error = String;
    fn try_from(file: File) -> Result<Self, String> {
        let File { kind, delimiter, encoding, date, decimal } = file;
        let missing = |key: &str| format!("missing field `{key}`");
        match (kind, delimiter, encoding) {
            (Kind::Csv, delimiter, encoding) => Ok(Self {
                kind,
                delimiter: delimiter.ok_or_else(|| missing("delimiter"))?,
                encoding: encoding.ok_or_else(|| missing("encoding"))?,
                date: date.ok_or_else(|| missing("date"))?,
                decimal: decimal.ok_or_else(|| missing("decimal"))?,
            }),
            (Kind::Parquet, None, None) => Ok(Self {
                kind,
                delimiter: Delimiter(parquet::DELIMITER),
                encoding: Encoding::Utf8,
                date: date.unwrap_or(DateFormat::YearMonthDay),
                decimal: decimal.unwrap_or(Decimal::Point),
            }),
            (Kind::Parquet, Some(_), _) => Err("a Parquet file has no delimiter: leave the key out".to_owned()),
            (Kind::Parquet, None, Some(_)) => Err("a Parquet file has no encoding: leave the key out".to_owned()),
        }
    }
}
