//! The register, read through its mapping into slices.
//!
//! [`Mapping::load`] reads the mapping file, [`import`] the register; [`survey()`] counts what
//! an import refuses. The import
//! promises:
//!
//! * it reads the whole file or nothing: a field that it does not understand is
//!   an error with file, line, column and rule, and without the field's text;
//! * personal identity codes may stand in the client column and in no other one
//!   that is mapped; no client key leaves the module, only a tag made from it;
//! * people under restriction are dropped before they are coded, and people
//!   under a non-disclosure order have no area;
//! * the slices depend on the rows of the file and not on their order.
//!
//! It reads files only, in the dialects that Finnish client registers export, and
//! Parquet files by way of [`crate::parquet`].
//! The mapping declares the dialect and nothing is guessed: one register in two
//! dialects gives the same slices. It does not store, encrypt or send anything,
//! logs nothing, and does not look into columns that the mapping does not name,
//! except for bytes that the encoding does not have.
//!
//! Keys are compared as written: one person under two spellings of a key is two
//! clients, as in the register.

mod age;
mod blocks;
mod calendar;
mod clients;
mod clock;
mod column;
mod draft;
mod encoding;
mod ending;
mod error;
mod events;
mod extract;
mod format;
mod identity;
mod layout;
mod mapping;
mod meaning;
mod months;
mod needs;
mod plan;
mod record;
mod restrict;
mod rows;
mod split;
mod survey;
#[cfg(test)]
mod tests;
mod tuples;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use koonti_disclosure::{Codebook, Period};
use koonti_tally::{Slice, SliceBuilder};

use column::Fault;
use ending::Ending;
use extract::Recipe;
use format::Kind;
use plan::Plan;
use record::Hashing;
use rows::{InOrder, Stop};
use split::{Coder, Halt, Reader, Split};

use crate::parquet::Unpacking;

pub use calendar::DateFormat;
pub use draft::{DraftError, draft};
pub use encoding::Encoding;
pub use error::{At, Error, MappingFault, RowFault, Rule};
pub use mapping::{Decimal, Mapping, Row};
pub(crate) use months::name as month_name;
pub use survey::{Often, Survey, survey};

/// The most rows that a register may have, without its header.
pub const MAX_ROWS: u64 = 50_000_000;
/// The largest row, with its line end.
pub const MAX_ROW_BYTES: usize = 1 << 20;
/// The largest field of a column that the mapping names.
pub const MAX_FIELD_BYTES: usize = 4096;
/// How much smaller a Parquet file is than its rows as text, about.
const PACKED: u64 = 8;
/// The largest client key in UTF-8, rounded up to words of eight.
const MAX_KEY_BYTES: usize = 3 * MAX_FIELD_BYTES + 8;
/// The most columns of a register.
pub const MAX_COLUMNS: usize = 1024;
/// The most needs, factors or service tasks that one field may name.
pub const MAX_NEEDS: usize = 64;
/// The most combinations of needs, factors and service tasks that one row may stand for.
pub const MAX_TUPLES: usize = 256;
/// The most periods that one import may touch.
pub const MAX_PERIODS: usize = 20;

/// A register after its import.
///
/// The counts are exact and come from client records: they are for the terminal
/// of the operator who imports, and are never logged, stored or sent.
pub struct Imported {
    /// The extract of each period.
    pub slices: BTreeMap<Period, Slice>,
    /// Rows of the file, without the header.
    pub rows: u64,
    /// Clients of the file, excluded ones among them.
    pub clients: u64,
    /// Clients whom `exclude_if` dropped from every period.
    pub excluded: u64,
    /// Clients whose area `hide_area_if` hides, without those who are excluded.
    pub area_hidden: u64,
    /// How often a client was left out of a period because the codebook has no
    /// category for its age.
    pub outside: u64,
}

/// Reads the whole register or nothing.
///
/// `tag_key` is 32 random bytes that the caller throws away afterwards: a
/// client's tag in a period is the first 16 bytes of HMAC-SHA256(`tag_key`,
/// period || 0x00 || client key), the period written as `2026Q3` and the key in
/// UTF-8 without the spaces around it.
///
/// # Errors
/// When the register cannot be read, lacks a mapped column, has a row that is
/// not one or a field that means nothing, or exceeds a limit of this module; or
/// when the mapping and the codebook do not fit.
pub fn import(mapping: &Mapping, codebook: &Codebook, tag_key: &[u8; 32]) -> Result<Imported, Error> {
    import_up_to(MAX_ROWS, mapping, codebook, tag_key)
}

fn import_up_to(max_rows: u64, mapping: &Mapping, codebook: &Codebook, tag_key: &[u8; 32]) -> Result<Imported, Error> {
    let path = mapping.register_path();
    let read_error = |source| Error::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(read_error)?;
    let bytes = file.metadata().map_err(read_error)?.len();
    match mapping.format.kind {
        Kind::Csv => import_split(Split::of(bytes), file, max_rows, mapping, codebook, tag_key),
        Kind::Parquet => {
            let rows = Unpacking::start(&mapping.order()).map_err(read_error)?;
            let split = Split::of(bytes.saturating_mul(PACKED));
            import_split(split, rows, max_rows, mapping, codebook, tag_key)
        }
    }
}

fn import_split(
    split: Split,
    from: impl Read + Send,
    max_rows: u64,
    mapping: &Mapping,
    codebook: &Codebook,
    tag_key: &[u8; 32],
) -> Result<Imported, Error> {
    let path = mapping.register_path();
    let at = |line| mapping.format.at(line);
    let row_error = |line, fault| Error::Row { file: mapping.file.clone(), at: at(line), fault };
    let field_error =
        |line, Fault { column, rule }| Error::Field { file: mapping.file.clone(), at: at(line), column, rule };
    let stopped = |stop| match stop {
        Stop::Read(source) => Error::Read { path: path.clone(), source },
        Stop::Row(line, fault) => row_error(line, fault),
    };
    let mut register = mapping.format.rows(from, split.block_bytes);
    if !register.header().map_err(stopped)? {
        return Err(row_error(1, RowFault::NoHeader));
    }
    let (columns, line, hashing) = (register.row().len(), register.line(), Hashing::new());
    let coder = |number| {
        let plan = Plan::new(register.row(), at(line), mapping, codebook)?;
        Ok(Coder::new(plan, split, hashing.clone(), number))
    };
    let coders = (0..split.threads as u32).map(coder).collect::<Result<Vec<_>, Error>>()?;
    let InOrder { blocks, rows, behind } = register;
    // The first reader goes on where the header ends.
    let others = std::iter::repeat_with(|| mapping.format.no_rows());
    let mut readers: Vec<Reader<'_>> = std::iter::once(rows)
        .chain(others)
        .zip(coders)
        .map(|(rows, coder)| Reader::new(rows, columns, coder))
        .collect();
    split::read(&mut readers, blocks, max_rows);

    let mut ending = Ending::of(&mut readers, &behind);
    if ending.is_beyond(max_rows) {
        let line = match mapping.format.kind {
            Kind::Csv => line_of_row(&path, mapping, max_rows).map_err(stopped)?,
            // The header is the first.
            Kind::Parquet => max_rows + 2,
        };
        return Err(row_error(line, RowFault::TooManyRows));
    }
    if let Some((place, halt)) = ending.halt.take() {
        let line = ending.line(place.block, place.line);
        return Err(match halt {
            Halt::Read(source) => Error::Read { path, source },
            Halt::NoRow(fault) | Halt::Row(fault) => row_error(line, fault),
            Halt::Field(fault) => field_error(line, fault),
        });
    }
    let plan = &readers[0].coder.plan;
    let kind = if mapping.row == Row::Event { koonti_tally::Rows::Events } else { koonti_tally::Rows::Observations };
    let recipe = Recipe::new(kind, plan, codebook, hashing, &ending.quarters, tag_key);
    let extracts = split::sort(&mut readers, &recipe);
    if let Some(fault) = extracts.iter().filter_map(|(extract, _)| extract.fault).min_by_key(|fault| fault.place) {
        let (coder, at) = fault.which;
        let line = ending.line((fault.place >> 32) as u32, fault.place as u32);
        return Err(field_error(line, readers[coder as usize].coder.faults.swap_remove(at as usize)));
    }
    joined(extracts, ending.rows(), split.threads)
}

/// What all threads have made, as one.
fn joined(
    extracts: Vec<(extract::Extract, Result<(), koonti_tally::Error>)>,
    rows: u64,
    threads: usize,
) -> Result<Imported, Error> {
    let mut all = Imported { slices: BTreeMap::new(), rows, clients: 0, excluded: 0, area_hidden: 0, outside: 0 };
    let mut builders: BTreeMap<Period, Vec<SliceBuilder>> = BTreeMap::new();
    for (extract, result) in extracts {
        result?;
        all.clients += extract.clients;
        all.excluded += extract.excluded;
        all.area_hidden += extract.area_hidden;
        all.outside += extract.outside;
        for (period, builder) in extract.builders {
            builders.entry(period).or_default().push(builder);
        }
    }
    for (period, parts) in builders {
        all.slices.insert(period, SliceBuilder::join(parts, threads)?);
    }
    Ok(all)
}

/// The line of a row, by the number of rows before it. Looked up in the file, for
/// it is asked for only where there are too many.
fn line_of_row(path: &Path, mapping: &Mapping, before: u64) -> Result<u64, Stop> {
    let mut rows = mapping.format.rows(File::open(path).map_err(Stop::Read)?, MAX_ROW_BYTES);
    rows.header()?;
    for _ in 0..=before {
        rows.next()?;
    }
    Ok(rows.line())
}
