//! A mapping, proposed from a file that nobody has described yet.
//!
//! Promises that it reads that one file, its beginning if it is large, and nothing else,
//! a Parquet file by way of [`crate::parquet`];
//! that what it proposes is a mapping which says where it is unsure; and that it shows no
//! field of the client column, nothing that looks like a personal identity code, no first
//! line that looks like a row, and no spelling that fewer than [`OFTEN`] clients have,
//! but for words that say yes, which as many rows must have. What it proposes is a guess:
//! the import itself guesses nothing.

mod choice;
mod columns;
mod look;
mod names;
mod text;

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};

use koonti_disclosure::Codebook;

use super::blocks::Blocks;
use super::calendar::DateFormat;
use super::encoding::Encoding;
use super::error::{At, Error};
use super::mapping::Decimal;
use super::rows::{InOrder, Numbering, Rows, Stop};
use super::{MAX_ROW_BYTES, RowFault};
use crate::parquet::{self, Order, Unpacking};
use choice::Choice;
use columns::Column;
use look::NoTable;

/// Bytes that are looked at.
const SAMPLE_BYTES: u64 = 16 << 20;
/// How a Parquet file begins.
const PARQUET: &[u8] = b"PAR1";
/// Clients from which on a spelling may be shown.
const OFTEN: usize = 10;

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The file cannot be read, or a row is none.
    #[error(transparent)]
    Register(#[from] Error),
    /// Its first line does not name the columns.
    #[error("{} line 1: {what}", path.display())]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What stands there instead.
        what: NoTable,
    },
}

/// The first rows of a register.
struct Sample<'p> {
    path: &'p Path,
    bytes: Vec<u8>,
    /// True when those are all.
    whole: bool,
    written: Written,
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

/// Proposes a mapping for a register, as the text of a mapping file that is to lie in
/// `folder`.
///
/// # Errors
/// When the file cannot be read, is no text, does not name its columns, or has a row that
/// is none.
pub fn draft(path: &Path, folder: &Path, codebook: &Codebook) -> Result<String, DraftError> {
    let mut first = Vec::new();
    let file = File::open(path).map_err(|source| unread(path, source))?;
    file.take(PARQUET.len() as u64).read_to_end(&mut first).map_err(|source| unread(path, source))?;
    let sample = if first == PARQUET { Sample::of_parquet(path)? } else { Sample::of_text(path)? };

    let mut columns: Vec<Column> = Vec::new();
    for name in sample.names(codebook)? {
        let again = columns.iter().any(|column| column.name == name);
        columns.push(Column::new(name, again));
    }
    let rows = sample.each(|fields| {
        columns.iter_mut().zip(fields).for_each(|(column, field)| column.see(field, codebook));
    })?;
    let choice = Choice::of(&columns, rows, codebook);
    // How many clients have a spelling shows when it is known which column tells them apart.
    if let Some(client) = choice.client.as_ref().filter(|client| client.is_named()).map(|client| client.at) {
        let clients = RandomState::new();
        sample.each(|fields| {
            let client = clients.hash_one(&fields[client]);
            columns.iter_mut().zip(fields).for_each(|(column, field)| column.is_of(field, client));
        })?;
    }
    Ok(text::write(&seen_from(folder, path), &sample, &columns, &choice, rows))
}

/// The register's path in a mapping that lies in `folder`.
fn seen_from(folder: &Path, path: &Path) -> String {
    let folder_of = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.canonicalize().ok(),
        _ => Path::new(".").canonicalize().ok(),
    };
    let name = path.file_name().unwrap_or_default();
    let seen = match (folder_of(path), folder_of(&folder.join("register.toml"))) {
        (Some(register), Some(mapping)) if register != mapping => register.join(name),
        _ => PathBuf::from(name),
    };
    seen.to_string_lossy().into_owned()
}

fn unread(path: &Path, source: std::io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

impl<'p> Sample<'p> {
    fn of_text(path: &'p Path) -> Result<Self, DraftError> {
        let (bytes, whole) = File::open(path).and_then(beginning).map_err(|source| unread(path, source))?;
        let encoding = look::encoding(&bytes);
        let written = Written::Text { encoding, delimiter: look::delimiter(&bytes, encoding) };
        Ok(Self { path, bytes, whole, written })
    }

    /// The columns first, then the rows of those that can be read.
    fn of_parquet(path: &'p Path) -> Result<Self, DraftError> {
        let failed = |source| unread(path, source);
        let mut list = String::new();
        Unpacking::columns(path).and_then(|mut it| it.read_to_string(&mut list)).map_err(failed)?;
        let listed =
            csv::ReaderBuilder::new().delimiter(parquet::DELIMITER).from_reader(list.as_bytes()).into_deserialize();
        let listed: Vec<(String, String)> =
            listed.collect::<Result<_, _>>().map_err(|error| failed(std::io::Error::other(error)))?;
        let (columns, mut unread): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(_, why)| why.is_empty());
        let mut columns: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
        columns.retain(|name| unread.iter().all(|(it, _)| it != name));
        let unpacked = |columns: &[String]| {
            let order = Order {
                file: path.to_owned(),
                columns: columns.to_vec(),
                client: None,
                date: DateFormat::YearMonthDay,
                decimal: Decimal::Point,
            };
            Unpacking::start(&order).and_then(beginning)
        };
        let (bytes, whole) = unpacked(&columns)
            .or_else(|error| {
                // One that cannot be read takes the others with it: each alone shows which.
                columns.retain(|name| match unpacked(std::slice::from_ref(name)) {
                    Ok(_) => true,
                    Err(why) => {
                        unread.push((name.clone(), why.to_string()));
                        false
                    }
                });
                if columns.is_empty() { Err(error) } else { unpacked(&columns) }
            })
            .map_err(failed)?;
        Ok(Self { path, bytes, whole, written: Written::Parquet { unread } })
    }

    /// The names of the columns.
    fn names(&self, codebook: &Codebook) -> Result<Vec<String>, DraftError> {
        let (mut rows, names) = self.start()?;
        let next = if rows.next().is_ok_and(|is| is) { rows.row().len() } else { 0 };
        let what = match self.written {
            Written::Text { .. } => look::no_names(&names, next, codebook),
            Written::Parquet { .. } => look::identity_code(&names),
        };
        match what {
            Some(what) => Err(DraftError::NoTable { path: self.path.to_owned(), what }),
            None => Ok(names),
        }
    }

    /// Hands each row to `take`, and counts them.
    fn each(&self, mut take: impl FnMut(&[String])) -> Result<usize, DraftError> {
        let (mut rows, names) = self.start()?;
        let mut count = 0;
        loop {
            match rows.next() {
                Ok(true) => {}
                Ok(false) => break,
                // The sample may end within a quoted field.
                Err(_) if !self.whole && count > 0 => break,
                Err(stop) => return Err(self.stopped(stop).into()),
            }
            let fields = self.fields(&rows);
            if fields.len() != names.len() {
                let fault = RowFault::Ragged { found: fields.len(), expected: names.len() };
                return Err(self.stopped(Stop::Row(rows.line(), fault)).into());
            }
            take(&fields);
            count += 1;
        }
        Ok(count)
    }

    /// The rows behind the first, and what that one holds.
    fn start(&self) -> Result<(InOrder<&[u8]>, Vec<String>), Error> {
        let (delimiter, encoding, numbering) = match self.written {
            Written::Text { encoding, delimiter } => (delimiter, encoding, Numbering::Lines),
            Written::Parquet { .. } => (parquet::DELIMITER, Encoding::Utf8, Numbering::Rows),
        };
        let blocks = Blocks::new(&self.bytes[..], delimiter, MAX_ROW_BYTES);
        let mut rows = InOrder::new(blocks, Rows::new(delimiter, encoding, numbering));
        if !rows.header().map_err(|stop| self.stopped(stop))? {
            return Err(self.stopped(Stop::Row(1, RowFault::NoHeader)));
        }
        let names = self.fields(&rows);
        Ok((rows, names))
    }

    fn fields(&self, rows: &InOrder<&[u8]>) -> Vec<String> {
        let encoding = match self.written {
            Written::Text { encoding, .. } => encoding,
            Written::Parquet { .. } => Encoding::Utf8,
        };
        let row = rows.row();
        (0..row.len()).map(|at| encoding.text(row.field(at)).trim().to_owned()).collect()
    }

    fn stopped(&self, stop: Stop) -> Error {
        match stop {
            Stop::Read(source) => unread(self.path, source),
            Stop::Row(line, fault) => {
                let file = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let at = match self.written {
                    Written::Text { .. } => At::Line(line),
                    Written::Parquet { .. } => At::Row(line - 1),
                };
                Error::Row { file, at, fault }
            }
        }
    }
}

/// The first bytes, and whether those are all.
fn beginning(from: impl Read) -> std::io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let whole = (from.take(SAMPLE_BYTES).read_to_end(&mut bytes)? as u64) < SAMPLE_BYTES;
    if !whole {
        // Up to the last line that is there; its row may still go on.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(end);
    }
    Ok((bytes, whole))
}
