//! The register, read through its mapping into slices.
//!
//! [`Mapping::load`] reads the mapping file, [`import`] the register. The import
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
//! It reads files only, in the dialects that Finnish client registers export.
//! The mapping declares the dialect and nothing is guessed: one register in two
//! dialects gives the same slices. It does not store, encrypt or send anything,
//! logs nothing, and does not look into columns that the mapping does not name,
//! except for bytes that the encoding does not have.
//!
//! Keys are compared as written: one person under two spellings of a key is two
//! clients, as in the register.

mod age;
mod calendar;
mod clients;
mod column;
mod draft;
mod encoding;
mod error;
mod events;
mod extract;
mod identity;
mod keys;
mod layout;
mod mapping;
mod meaning;
mod months;
mod needs;
mod plan;
mod rows;
#[cfg(test)]
mod tests;
mod tuples;

use std::collections::BTreeMap;
use std::fs::File;

use koonti_disclosure::{Codebook, Period};
use koonti_tally::Slice;

use clients::Clients;
use column::Fault;
use events::Events;
use plan::{Coded, LATEST, Plan};
use rows::{Rows, Stop};

pub use calendar::DateFormat;
pub use draft::draft;
pub use encoding::Encoding;
pub use error::{Error, MappingFault, RowFault, Rule};
pub use mapping::{Decimal, Mapping, Row};

/// The most rows that a register may have, without its header.
pub const MAX_ROWS: u64 = 50_000_000;
/// The largest row, with its line end.
pub const MAX_ROW_BYTES: usize = 1 << 20;
/// The largest field of a column that the mapping names.
pub const MAX_FIELD_BYTES: usize = 4096;
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
    /// Clients whose area `hide_area_if` hides; some may be excluded as well.
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
    let row_error = |line, fault| Error::Row { file: mapping.file.clone(), line, fault };
    let field_error = |line, Fault { column, rule }| Error::Field { file: mapping.file.clone(), line, column, rule };
    let stopped = |stop| match stop {
        Stop::Read(source) => Error::Read { path: path.clone(), source },
        Stop::Row(line, fault) => row_error(line, fault),
    };
    let file = File::open(&path).map_err(|source| stopped(Stop::Read(source)))?;

    let mut rows = Rows::new(file, mapping.format.delimiter.0, mapping.format.encoding);
    if !rows.header().map_err(stopped)? {
        return Err(row_error(1, RowFault::NoHeader));
    }
    let expected = rows.len();
    let mut plan = Plan::new(&rows, mapping, codebook)?;
    let events = (mapping.row == Row::Event).then(|| Events::new(plan.unknown));
    let mut clients = Clients::new(LATEST.len() + plan.scores.len(), events);
    let mut coded = Coded::default();
    let mut count = 0;
    while rows.next().map_err(stopped)? {
        let line = rows.line();
        if count == max_rows {
            return Err(row_error(line, RowFault::TooManyRows));
        }
        count += 1;
        if rows.len() != expected {
            return Err(row_error(line, RowFault::Ragged { found: rows.len(), expected }));
        }
        let marks = plan.marks(&rows).map_err(|fault| field_error(line, fault))?;
        let client =
            plan.client.read(&rows, |key| clients.meet(key, marks)).map_err(|fault| field_error(line, fault))?;
        // Whether a fault counts shows at the end: only then is it known who is
        // excluded, and whose area is hidden.
        let fault = match plan.code(&rows, &mut coded) {
            Ok(()) => {
                clients.add(client, &coded);
                coded.area_fault.take().map(|fault| (fault, true))
            }
            Err(fault) if fault.rule.is_final() => return Err(field_error(line, fault)),
            Err(fault) => Some((fault, false)),
        };
        match fault {
            Some((fault, _)) if !plan.restricts() => return Err(field_error(line, fault)),
            Some((fault, of_area)) => clients.add_fault(client, line, fault, of_area),
            None => {}
        }
    }
    if let Some((line, fault)) = clients.take_first_fault() {
        return Err(field_error(line, fault));
    }
    extract::extract(clients, count, &plan, codebook, tag_key)
}
