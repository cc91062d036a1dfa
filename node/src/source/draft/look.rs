//! What a text is at first sight: in which encoding, cut by what, and with a line of names
//! at its head.

use std::fmt;

use koonti_disclosure::Codebook;

use super::super::MAX_ROW_BYTES;
use super::super::blocks::Blocks;
use super::super::calendar::Date;
use super::super::encoding::Encoding;
use super::super::identity::looks_like_identity_code;
use super::super::meaning::area;
use super::super::rows::{InOrder, Numbering, Rows};
use super::super::tuples::SEVERAL;
use super::SAMPLE_BYTES;
use super::columns::FORMATS;

/// Bytes by which delimiters are compared.
const COMPARED_BYTES: usize = 1 << 18;

/// What stands in the first line instead of the names of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTable {
    /// One text above a table.
    Title,
    /// A field of a row, in this column from 1.
    Row(usize),
    /// A personal identity code, in this column from 1.
    IdentityCode(usize),
}

impl fmt::Display for NoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Title => f.write_str(
                "a title: delete what stands above the names of the columns, the first line must name the columns",
            ),
            Self::Row(column) => {
                write!(f, "column {column} holds what looks like data of a row: the first line must name the columns")
            }
            Self::IdentityCode(column) => write!(
                f,
                "the name of column {column} looks like a personal identity code: the first line must name the columns"
            ),
        }
    }
}

/// The encoding that fits: bytes that are UTF-8 by chance are rare, and windows-1252 has
/// letters of its own where the ISO encodings have none.
pub(super) fn encoding(sample: &[u8]) -> Encoding {
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

/// What cuts most rows into as many fields as the first; of several, what cuts it into most.
pub(super) fn delimiter(sample: &[u8], encoding: Encoding) -> u8 {
    let compared = &sample[..sample.len().min(COMPARED_BYTES)];
    let cuts = |delimiter: &u8| {
        let blocks = Blocks::new(compared, *delimiter, MAX_ROW_BYTES);
        let mut rows = InOrder::new(blocks, Rows::new(*delimiter, encoding, Numbering::Lines));
        let names = if matches!(rows.header(), Ok(true)) { rows.row().len() } else { 0 };
        let (mut alike, mut cut) = (0, 0);
        while matches!(rows.next(), Ok(true)) {
            let fields = rows.row().len();
            alike += usize::from(fields > 1 && fields == names);
            cut += usize::from(fields > 1);
        }
        (alike, cut, names)
    };
    // Of several, the last that max_by_key sees: so the usual one stands last.
    *[b'\t', b',', b';'].iter().max_by_key(|delimiter| cuts(delimiter)).expect("three")
}

/// What stands in the place of names; the row behind has so many fields.
pub(super) fn no_names(names: &[String], next: usize, codebook: &Codebook) -> Option<NoTable> {
    let filled = names.iter().filter(|name| !name.is_empty()).count();
    if next > 1 && (filled == 1 || 2 * names.len() <= next) {
        return Some(NoTable::Title);
    }
    let is_data = |name: &String| is_data(name, codebook);
    identity_code(names).or_else(|| Some(NoTable::Row(names.iter().position(is_data)? + 1)))
}

/// A personal identity code in the place of a name.
pub(super) fn identity_code(names: &[String]) -> Option<NoTable> {
    let place = names.iter().position(|name| looks_like_identity_code(name))?;
    Some(NoTable::IdentityCode(place + 1))
}

/// True for dates, numbers, municipalities and codes of needs.
fn is_data(name: &str, codebook: &Codebook) -> bool {
    let number = name.contains(|c: char| c.is_ascii_digit()) && !name.contains(char::is_alphabetic);
    let date = FORMATS.into_iter().any(|format| Date::parse(name, format).is_some());
    let place = codebook.dimension("area").is_some_and(|d| area(d, name).is_ok_and(|at| at != d.unknown()));
    let is_need = |code: &str| code.eq_ignore_ascii_case(name);
    let need = codebook.dimension(SEVERAL[0]).is_some_and(|d| d.codes().iter().any(|c| is_need(&c.code)));
    number || date || place || need
}
