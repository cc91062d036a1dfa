//! A mapping, proposed from a file that nobody has described yet.
//!
//! Promises that it reads that one file, its beginning if it is large, and nothing else,
//! a Parquet file by way of [`crate::parquet`];
//! that what it proposes is a mapping which says where it is unsure; and that it shows no
//! field of the client column, nothing that looks like a personal identity code, and no
//! spelling that stands in fewer than [`OFTEN`] rows. What it proposes is a guess: the
//! import itself guesses nothing.

mod columns;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use koonti_disclosure::Codebook;

use super::MAX_ROW_BYTES;
use super::blocks::Blocks;
use super::calendar::DateFormat;
use super::encoding::Encoding;
use super::error::{At, Error};
use super::mapping::Decimal;
use super::rows::{InOrder, Numbering, Rows, Stop};
use crate::parquet::{self, Order, Unpacking};
use columns::{Choice, Column};

/// Bytes that are looked at.
const SAMPLE_BYTES: u64 = 16 << 20;
/// How a Parquet file begins.
const PARQUET: &[u8] = b"PAR1";
/// Rows from which on a spelling may be shown.
const OFTEN: usize = 10;

/// Proposes a mapping for a register, as the text of a mapping file.
///
/// # Errors
/// When the file cannot be read, has no header, or a row that is none.
pub fn draft(path: &Path, codebook: &Codebook) -> Result<String, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut first = Vec::new();
    let file = File::open(path).map_err(read)?;
    file.take(PARQUET.len() as u64).read_to_end(&mut first).map_err(read)?;
    if first == PARQUET { of_parquet(path, codebook) } else { of_text(path, codebook) }
}

fn of_text(path: &Path, codebook: &Codebook) -> Result<String, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let (sample, whole) = File::open(path).and_then(sample).map_err(read)?;
    let written = Written::Text { encoding: encoding(&sample), delimiter: delimiter(&sample) };
    of_sample(path, &sample, whole, &written, codebook)
}

/// The columns first, then the rows of those that can be read.
fn of_parquet(path: &Path, codebook: &Codebook) -> Result<String, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut list = String::new();
    Unpacking::columns(path).and_then(|mut it| it.read_to_string(&mut list)).map_err(read)?;
    let listed =
        csv::ReaderBuilder::new().delimiter(parquet::DELIMITER).from_reader(list.as_bytes()).into_deserialize();
    let listed: Vec<(String, String)> =
        listed.collect::<Result<_, _>>().map_err(|error| read(std::io::Error::other(error)))?;
    let (columns, unread): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(_, why)| why.is_empty());
    let order = Order {
        file: path.to_owned(),
        columns: columns.into_iter().map(|(name, _)| name).filter(|n| unread.iter().all(|(it, _)| it != n)).collect(),
        client: None,
        date: DateFormat::YearMonthDay,
        decimal: Decimal::Point,
    };
    let (sample, whole) = Unpacking::start(&order).and_then(sample).map_err(read)?;
    of_sample(path, &sample, whole, &Written::Parquet { unread }, codebook)
}

/// The first rows, as bytes, and whether those are all.
fn sample(from: impl Read) -> std::io::Result<(Vec<u8>, bool)> {
    let mut sample = Vec::new();
    let whole = (from.take(SAMPLE_BYTES).read_to_end(&mut sample)? as u64) < SAMPLE_BYTES;
    if !whole {
        // Up to the last line that is there; its row may still go on.
        let end = sample.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        sample.truncate(end);
    }
    Ok((sample, whole))
}

fn of_sample(path: &Path, sample: &[u8], whole: bool, written: &Written, codebook: &Codebook) -> Result<String, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (delimiter, encoding, numbering) = match written {
        Written::Text { encoding, delimiter } => (*delimiter, *encoding, Numbering::Lines),
        Written::Parquet { .. } => (parquet::DELIMITER, Encoding::Utf8, Numbering::Rows),
    };
    let at = |line| match numbering {
        Numbering::Lines => At::Line(line),
        Numbering::Rows => At::Row(line - 1),
    };
    let row_error = |line, fault| Error::Row { file: name.clone(), at: at(line), fault };
    let stopped = |stop| match stop {
        Stop::Read(source) => Error::Read { path: path.to_owned(), source },
        Stop::Row(line, fault) => row_error(line, fault),
    };
    let blocks = Blocks::new(sample, delimiter, MAX_ROW_BYTES);
    let mut rows = InOrder::new(blocks, Rows::new(delimiter, encoding, numbering));
    if !rows.header().map_err(stopped)? {
        return Err(row_error(1, super::RowFault::NoHeader));
    }
    let text_of = |field: &[u8]| encoding.text(field).trim().to_owned();
    let mut columns: Vec<Column> =
        (0..rows.row().len()).map(|at| Column::new(&text_of(rows.row().field(at)))).collect();
    let mut count = 0;
    loop {
        match rows.next() {
            Ok(true) => {}
            Ok(false) => break,
            // The sample may end within a quoted field.
            Err(_) if !whole && count > 0 => break,
            Err(stop) => return Err(stopped(stop)),
        }
        count += 1;
        if rows.row().len() != columns.len() {
            let fault = super::RowFault::Ragged { found: rows.row().len(), expected: columns.len() };
            return Err(row_error(rows.line(), fault));
        }
        for (at, column) in columns.iter_mut().enumerate() {
            column.see(&text_of(rows.row().field(at)), codebook);
        }
    }
    let choice = Choice::of(&columns, codebook);
    Ok(text::write(&name, written, &columns, &choice, (count, whole)))
}

/// How the file is written.
enum Written {
    Text {
        encoding: Encoding,
        delimiter: u8,
    },
    /// With the columns that cannot be read, and why.
    Parquet {
        unread: Vec<(String, String)>,
    },
}

/// The encoding that fits: bytes that are UTF-8 by chance are rare, and windows-1252 has
/// letters of its own where the ISO encodings have none.
fn encoding(sample: &[u8]) -> Encoding {
    // A character may be cut at the end of the sample.
    let end = sample.len().min(SAMPLE_BYTES as usize).saturating_sub(4);
    let is_utf8 = std::str::from_utf8(sample).map_or_else(|e| e.valid_up_to() >= end && !sample.is_empty(), |_| true);
    if is_utf8 {
        return Encoding::Utf8;
    }
    // Where the two ISO encodings and windows-1252 agree, the last is the most common.
    let of_iso_15 = sample.iter().filter(|byte| matches!(byte, 0xA6 | 0xA8 | 0xB4 | 0xB8)).count();
    let of_windows = sample.iter().filter(|byte| matches!(byte, 0x80..=0x9F)).count();
    if of_iso_15 > 0 && of_windows == 0 { Encoding::Iso8859_15 } else { Encoding::Windows1252 }
}

/// What stands most often in the first line.
fn delimiter(sample: &[u8]) -> u8 {
    let header = sample.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| header.iter().filter(|byte| *byte == delimiter).count();
    // Of several, the last that max_by_key sees: so the usual one stands last.
    *[b'\t', b',', b';'].iter().max_by_key(|delimiter| count(delimiter)).expect("three")
}
