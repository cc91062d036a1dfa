//! Parquet files, turned into rows of text.
//!
//! A Parquet file is a program for its reader: sizes inside it decide how much memory is
//! taken, and no reader of it is free of bugs. So it is read by a process of its own
//! ([`unpack`]), which has a memory limit, writes no core file and says nothing but rows
//! or one [`Fault`]; the import reads these rows as it reads any register
//! ([`Unpacking`]). A file that makes its reader fail, however it does, is one that is
//! not imported.
//!
//! What is typed becomes text here, in the format that the mapping declares; what the
//! text means is decided where the text of all registers is. Only the columns that are
//! named are decoded; [`list`] names those that a file has. It reads flat columns: no
//! lists, and no points in time, of which the day depends on who looks.

mod cell;
mod child;
mod column;
mod unpack;

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::source::{DateFormat, Decimal};

pub(crate) use child::Unpacking;
pub(crate) use unpack::{limit, list, unpack};

/// What stands between two fields of the rows.
pub(crate) const DELIMITER: u8 = b';';

/// What to unpack, and how to write it.
pub(crate) struct Order {
    pub(crate) file: PathBuf,
    /// The names of the columns, in any order.
    pub(crate) columns: Vec<String>,
    /// The one of them whose values tell clients apart, where that is known.
    pub(crate) client: Option<String>,
    pub(crate) date: DateFormat,
    pub(crate) decimal: Decimal,
}

/// Why a Parquet file cannot be unpacked, or not further. Names places, and never what
/// stands there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The file or the rows' reader is gone.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is encrypted.
    #[error("the file is encrypted: export it without encryption, the node encrypts what it keeps")]
    Encrypted,
    /// The frame around the columns cannot be read.
    #[error("not a Parquet file, or a damaged one: export it anew")]
    Damaged,
    /// A column cannot be used at all.
    #[error("column \"{column}\": {why}")]
    Column { column: String, why: Unfit },
    /// What stands in a column from a row on cannot be read.
    #[error(
        "row {row} or one of the next {BATCH_ROWS}, column \"{column}\": damaged, or in an encoding or compression that \
         is not read"
    )]
    Batch { column: String, row: u64 },
    /// A value is none.
    #[error("row {row}, column \"{column}\": text that is not UTF-8")]
    NoText { column: String, row: u64 },
}

/// Why a column cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Twice,
    Nested,
    Instant,
    Kind,
    FloatKey,
}

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 1024;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Twice => "the file has two columns of this name",
            Self::Nested => "holds lists or groups: export one value a row",
            Self::Instant => {
                "holds points in time (UTC or INT96), whose day depends on the time zone: export dates, or timestamps \
                 without time zone"
            }
            Self::Kind => "of a type that is not read: export text, numbers, dates or booleans",
            Self::FloatKey => "tells clients apart by floating-point numbers: export text or whole numbers",
        })
    }
}
