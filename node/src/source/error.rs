//! What can be wrong with a register or its mapping, in one list.
//!
//! Every text names the place and the rule, and what to do where that is not
//! plain. A fault of the register has no field for text of the register: the
//! only words it repeats are those of the mapping. Errors are for the operator's
//! terminal all the same: where a fault lies depends on the register.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::calendar::DateFormat;
use super::encoding::Encoding;
use super::mapping::Decimal;
use super::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_NEEDS, MAX_PERIODS, MAX_ROW_BYTES, MAX_ROWS, MAX_TUPLES};

/// Why a register was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The mapping or the register.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The mapping is not written as one.
    #[error("{path} line {line}, column {column}: {message}")]
    Syntax {
        /// The mapping.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The mapping is well written, but cannot be used.
    #[error("{path}: {fault}")]
    Mapping {
        /// The mapping.
        path: PathBuf,
        /// What is wrong.
        fault: MappingFault,
    },
    /// A row of the register, or the file from there on, cannot be read.
    #[error("{file} {at}: {fault}")]
    Row {
        /// The register, as the mapping names it.
        file: String,
        /// Where it stands.
        at: At,
        /// What is wrong.
        fault: RowFault,
    },
    /// A field of the register means nothing.
    #[error("{file} {at}, column \"{column}\": {rule}")]
    Field {
        /// The register, as the mapping names it.
        file: String,
        /// Where it stands.
        at: At,
        /// The column, as the mapping names it.
        column: String,
        /// The rule that the field breaks.
        rule: Rule,
    },
    /// The clients do not make an extract.
    #[error(transparent)]
    Extract(#[from] koonti_tally::Error),
}

/// Where a row stands in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The line on which it begins, from 1.
    Line(u64),
    /// Its number, from 1; 0 for the names of the columns.
    Row(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(0) => f.write_str("header"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingFault {
    /// Two keys name one column.
    #[error("{first} and {second} both name the column \"{column}\": a column holds one thing only")]
    ColumnTwice {
        /// The column.
        column: String,
        /// The key that names it first.
        first: String,
        /// The key that names it again.
        second: String,
    },
    /// A key names a column without a name.
    #[error("{key} names no column: write the column's name as it stands in the header")]
    NoColumn {
        /// The key.
        key: String,
    },
    /// A key looks for an empty value.
    #[error("{key} looks for an empty value: write the value that marks a row")]
    NoValue {
        /// The key.
        key: String,
    },
    /// A column's name or a value looks like a person's.
    #[error("{key} holds what looks like a personal identity code: is the header missing?")]
    IdentityCode {
        /// The key.
        key: String,
    },
    /// No column says how old clients are.
    #[error(
        "columns says nothing of the age of clients: name the column that holds it, under one of the keys \
         birth_year, birth_date, age and age_group"
    )]
    NoAge,
    /// Dates without a day would say when clients were born.
    #[error(
        "columns.birth_date needs days, but dates are written as quarters: name a column under birth_year, age or age_group"
    )]
    QuarterOfBirth,
    /// Two columns say how old clients are.
    #[error("columns.{first} and columns.{second} both say how old clients are: keep one of them")]
    SeveralAges {
        /// The key that says it first.
        first: &'static str,
        /// The key that says it again.
        second: &'static str,
    },
    /// A key of several categories is none of its three forms.
    #[error(
        "columns.{key} must be the name of a column, {{ column = \"...\", separator = \",\" }} or \
         {{ columns = [\"...\", \"...\"] }} with 2 to {MAX_NEEDS} columns"
    )]
    Layout {
        /// The key: `need`, `factors` or `service_task`.
        key: &'static str,
    },
    /// The key `primary` is neither of its two forms.
    #[error("columns.primary must be {{ column = \"...\", value = \"...\" }} or \"first\"")]
    Primary,
    /// The first of several needs is the most important, but there is only one.
    #[error(
        "columns.primary = \"first\" means the first of several needs in a row, but columns.need names one need a row: \
         name the column that marks rows with the most important need, or let columns.need name several"
    )]
    FirstOfOne,
    /// Whole rows are marked, but they have several needs.
    #[error(
        "columns.primary marks whole rows, but columns.need names several needs a row: \
         write primary = \"first\" if the first of them is the most important, or leave primary out"
    )]
    MarkOfSeveral,
    /// A score is mapped that the codebook does not have.
    #[error("columns.scores: the codebook has no score \"{score}\"")]
    UnknownScore {
        /// The score's id.
        score: String,
    },
    /// A column is mapped for which the codebook has no dimension.
    #[error("the codebook has no dimension \"{dimension}\" of the right kind")]
    NoDimension {
        /// The dimension's id.
        dimension: &'static str,
    },
}

/// Why a row, or the file from there on, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// The file holds no row at all.
    #[error("the file is empty: its first line must name the columns")]
    NoHeader,
    /// The file is UTF-8, and the mapping says otherwise.
    #[error("the file begins with the byte-order mark of UTF-8: set encoding = \"utf-8\"")]
    Utf8Mark,
    /// The header lacks a column that the mapping names.
    #[error("the header has no column \"{column}\"")]
    NoColumn {
        /// The column, as the mapping names it.
        column: String,
    },
    /// The file is UTF-16.
    #[error("the file is UTF-16 (\"Unicode text\"): save it as \"CSV UTF-8\" and set encoding = \"utf-8\"")]
    Utf16,
    /// The file is no text.
    #[error("the file is a spreadsheet or another packed file, not text: save it as \"CSV UTF-8\"")]
    Spreadsheet,
    /// The first line is for a spreadsheet program.
    #[error(
        "the first line tells a spreadsheet program the delimiter: delete it, so that the line with the names comes first"
    )]
    SeparatorLine,
    /// A mapped name stands above two columns.
    #[error("columns {first} and {second} of the header have the same name")]
    SameName {
        /// The place of one of them, from 1.
        first: usize,
        /// The place of the other.
        second: usize,
    },
    /// The header holds what belongs to a person.
    #[error("the name of column {column} looks like a personal identity code: is the header missing?")]
    HeaderIdentityCode {
        /// The place of the column, from 1.
        column: usize,
    },
    /// The row has more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    Ragged {
        /// The fields of the row.
        found: usize,
        /// The fields of the header.
        expected: usize,
    },
    /// Empty fields stand behind those of some rows only.
    #[error("{found} fields where the rows before have {before}: export all rows with the columns of the header")]
    Uneven {
        /// The fields of the row.
        found: usize,
        /// The fields of the rows before it.
        before: usize,
    },
    /// A byte of the row stands for nothing in the file's encoding.
    #[error("a byte that {encoding} does not have: check the encoding of the file")]
    Undecodable {
        /// The encoding of the mapping.
        encoding: Encoding,
    },
    /// A quoted field has no end.
    #[error("a quoted field that is never closed")]
    OpenQuote,
    /// A quoted field goes on behind its closing quote.
    #[error("text behind a closing quote: write a quote inside a quoted field twice")]
    AfterQuote,
    /// The row is larger than the import's memory for one.
    #[error("a row of more than {MAX_ROW_BYTES} bytes: check the quotes and the line ends")]
    RowTooLong,
    /// The row has too many fields.
    #[error("more than {MAX_COLUMNS} columns")]
    TooManyColumns,
    /// The file has too many rows.
    #[error("more than {MAX_ROWS} rows: import fewer periods at a time")]
    TooManyRows,
}

/// The rule that a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// It would carry a person's identity into the extract.
    #[error("looks like a personal identity code")]
    IdentityCode,
    /// It does not say whether the client is restricted.
    #[error("neither a mark nor a value that says there is none: correct it, or list it under `otherwise`")]
    NeitherMark,
    /// It must not be empty.
    #[error("empty, but every row needs a client and a date")]
    Empty,
    /// It is larger than any code, name or number.
    #[error("longer than {MAX_FIELD_BYTES} bytes")]
    TooLong,
    /// It is no date.
    #[error("not a date from the year 1900 on, written {}", .format.pattern())]
    Date {
        /// How dates are written.
        format: DateFormat,
    },
    /// It is one date too many for one import.
    #[error("the file reaches over more than {MAX_PERIODS} periods: check the dates, or import fewer at a time")]
    TooManyPeriods,
    /// It is no birth year.
    #[error("not a birth year of four digits, at most 150 years before the date and not after it")]
    BirthYear,
    /// It is no birth date.
    #[error("not a birth date written {format}, at most 150 years before the year of the date and not after it")]
    BirthDate {
        /// How dates are written.
        format: DateFormat,
    },
    /// It is no age.
    #[error("not an age in whole years, from 0 to 150")]
    Age,
    /// It is no age group.
    #[error("not an age group of the codebook, by code or name")]
    AgeGroup,
    /// It is a number with a space inside.
    #[error("a number with a space inside: export numbers without thousand separators")]
    SpaceInNumber,
    /// It is no sex.
    #[error("not a sex of the codebook, by code or word")]
    Sex,
    /// It is no area.
    #[error("not a municipality code or name of the codebook")]
    Area,
    /// It is no category of its dimension.
    #[error("not a {of} of the codebook, by code or name")]
    Category {
        /// What it should be one of, such as `need`.
        of: &'static str,
    },
    /// It is no list of categories.
    #[error("not {of}s of the codebook, by code or name, with {separator:?} between them")]
    Categories {
        /// What it should be a list of.
        of: &'static str,
        /// What stands between two of them.
        separator: char,
    },
    /// It names too many categories.
    #[error("more than {MAX_NEEDS} {of}s in one field")]
    TooManyCategories {
        /// What it is a list of.
        of: &'static str,
    },
    /// The row stands for too many combinations.
    #[error(
        "a row that stands for more than {MAX_TUPLES} combinations of needs, contributing factors and service tasks: \
         export them in rows of their own"
    )]
    TooManyTuples,
    /// It is no value of the score.
    #[error("not a score from {lo} to {hi} in whole or half steps, with a decimal {decimal}")]
    Score {
        /// The lowest value.
        lo: i64,
        /// The highest value.
        hi: i64,
        /// How decimals are written.
        decimal: Decimal,
    },
}

impl Rule {
    /// True for what ends the import whoever the row belongs to. Other rules
    /// bind only the rows of people who are counted.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::IdentityCode | Self::NeitherMark | Self::TooManyPeriods)
    }
}
