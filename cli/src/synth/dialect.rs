//! The ways in which client registers are written.
//!
//! Promises: seven dialects, in which every kind of file, delimiter, encoding, form of
//! dates, decimal sign, layout of needs, factors and tasks, way of telling ages and way of
//! naming municipalities occurs that the import reads; and in each of them the same
//! clients mean the same. `register` and `packed` write them, `mapping` declares them.

use encoding_rs::{Encoding, ISO_8859_15, UTF_8, WINDOWS_1252};

/// A way of writing registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dialect {
    /// Semicolons, windows-1252, one need a row, years of birth.
    ClientSystem,
    /// Semicolons, UTF-8 with a byte-order mark, lists in fields, dates of birth, names and words.
    Spreadsheet,
    /// Commas, UTF-8, dates with times, several columns for needs, ages in years.
    Warehouse,
    /// Tabs, iso-8859-15, names of months, one need, factor and task a row, age groups, lost zeros.
    Archive,
    /// Semicolons, windows-1252, columns, names and words in Swedish.
    Swedish,
    /// Tabs, UTF-8, decimal points, one need a row, several columns for factors.
    Report,
    /// A Parquet file: dates, years, scores and marks typed, several columns for needs and tasks.
    Parquet,
}

/// All of them.
pub(super) const ALL: [Dialect; 7] = [
    Dialect::ClientSystem,
    Dialect::Spreadsheet,
    Dialect::Warehouse,
    Dialect::Archive,
    Dialect::Swedish,
    Dialect::Report,
    Dialect::Parquet,
];

/// What a dialect is made of.
pub(super) struct Form {
    /// A Parquet file of fields that are spelled as below.
    pub(super) packed: bool,
    pub(super) delimiter: char,
    pub(super) encoding: &'static Encoding,
    /// Begins with the mark of UTF-8.
    pub(super) marked: bool,
    pub(super) line_end: &'static str,
    pub(super) dates: Dates,
    pub(super) decimal: char,
    pub(super) age: Age,
    pub(super) places: Places,
    /// Names of columns and codes in Swedish.
    pub(super) swedish: bool,
    /// Households and activities by their names.
    pub(super) words: bool,
    pub(super) needs: Layout,
    pub(super) factors: Layout,
    pub(super) tasks: Layout,
}

/// How dates are written.
#[derive(Clone, Copy)]
pub(super) enum Dates {
    DayMonthYear,
    YearMonthDay,
    /// With a time behind it.
    WithTime,
    NamedMonth,
}

/// How ages are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    BirthYear,
    BirthDate,
    Years,
    Group,
}

/// How municipalities are mostly named.
#[derive(Clone, Copy)]
pub(super) enum Places {
    Mixed,
    Codes,
    LostZeros,
    Finnish,
    Swedish,
}

/// Where several codes stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One a row.
    Rows,
    /// In one field, with this between them.
    Field(char),
    /// In columns of their own.
    Columns,
}

impl Dialect {
    /// True when a visit is one row, so that rows can be events.
    pub(super) fn has_a_row_a_visit(self) -> bool {
        let form = self.form();
        [form.needs, form.factors, form.tasks].iter().all(|layout| *layout != Layout::Rows)
    }

    pub(super) fn form(self) -> Form {
        let usual = Form {
            packed: false,
            delimiter: ';',
            encoding: WINDOWS_1252,
            marked: false,
            line_end: "\r\n",
            dates: Dates::DayMonthYear,
            decimal: ',',
            age: Age::BirthYear,
            places: Places::Mixed,
            swedish: false,
            words: false,
            needs: Layout::Rows,
            factors: Layout::Field('|'),
            tasks: Layout::Field('|'),
        };
        match self {
            Self::ClientSystem => usual,
            Self::Spreadsheet => Form {
                encoding: UTF_8,
                marked: true,
                age: Age::BirthDate,
                places: Places::Finnish,
                words: true,
                needs: Layout::Field(','),
                factors: Layout::Field(','),
                tasks: Layout::Columns,
                ..usual
            },
            Self::Warehouse => Form {
                delimiter: ',',
                encoding: UTF_8,
                line_end: "\n",
                dates: Dates::WithTime,
                decimal: '.',
                age: Age::Years,
                places: Places::Codes,
                needs: Layout::Columns,
                factors: Layout::Columns,
                tasks: Layout::Field(','),
                ..usual
            },
            Self::Archive => Form {
                delimiter: '\t',
                encoding: ISO_8859_15,
                dates: Dates::NamedMonth,
                age: Age::Group,
                places: Places::LostZeros,
                factors: Layout::Rows,
                tasks: Layout::Rows,
                ..usual
            },
            Self::Swedish => Form {
                dates: Dates::YearMonthDay,
                places: Places::Swedish,
                swedish: true,
                words: true,
                needs: Layout::Columns,
                factors: Layout::Field('/'),
                tasks: Layout::Rows,
                ..usual
            },
            Self::Report => Form {
                delimiter: '\t',
                encoding: UTF_8,
                line_end: "\n",
                dates: Dates::YearMonthDay,
                decimal: '.',
                age: Age::BirthDate,
                factors: Layout::Columns,
                ..usual
            },
            Self::Parquet => Form {
                packed: true,
                encoding: UTF_8,
                dates: Dates::YearMonthDay,
                decimal: '.',
                places: Places::Codes,
                needs: Layout::Columns,
                tasks: Layout::Columns,
                ..usual
            },
        }
    }
}

impl Form {
    /// The name of the register's file.
    pub(super) fn file(&self) -> &'static str {
        if self.packed { "register.parquet" } else { "register.csv" }
    }

    /// A word in the dialect's language.
    pub(super) fn word(&self, finnish: &'static str, swedish: &'static str) -> &'static str {
        if self.swedish { swedish } else { finnish }
    }
}
