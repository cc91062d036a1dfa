//! How much of a journal has been vouched for outside.
//!
//! The mark lies beside its journal as `JOURNAL.mark`: the name of the format,
//! the journal's length in bytes and in entries (u64 each, big-endian), and the
//! CRC32C of all that. It is replaced atomically, so a mark that does not
//! decode is never the work of a crash, and is refused.
//!
//! Not promised: protection from someone who rewrites both files.

use std::io::ErrorKind;
use std::path::Path;

use crate::atomic::{beside, write_atomic};
use crate::disk;
use crate::error::{Error, io_error};
use crate::frame::Scan;

/// The part of a journal that must never be cut.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) len_bytes: u64,
    pub(crate) entries: u64,
}

impl Mark {
    /// Reads the mark of `journal`, if it ever got one.
    pub(crate) fn load(journal: &Path) -> Result<Option<Mark>, Error> {
        let path = beside(journal, SUFFIX);
        match disk::read(&path) {
            Ok(bytes) => decode(&bytes).map(Some).ok_or(Error::DamagedMark { path }),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(io_error("read the mark", &path)(e)),
        }
    }

    /// Puts this mark beside `journal`, durably.
    pub(crate) fn store(self, journal: &Path) -> Result<(), Error> {
        write_atomic(&beside(journal, SUFFIX), &self.encode(), 0o600)
    }

    /// Whether all that this mark covers is in `scan`, frame by frame.
    pub(crate) fn is_within(self, scan: &Scan) -> bool {
        match usize::try_from(self.entries).ok().and_then(|n| n.checked_sub(1)) {
            Some(last) => scan.ends.get(last) == Some(&self.len_bytes),
            None => true,
        }
    }

    fn encode(self) -> Vec<u8> {
        let body = [&MAGIC[..], &self.len_bytes.to_be_bytes(), &self.entries.to_be_bytes()].concat();
        [&body[..], &crc32c::crc32c(&body).to_be_bytes()].concat()
    }
}

fn decode(bytes: &[u8]) -> Option<Mark> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<8>()?;
    let (entries, _) = rest.split_first_chunk::<8>()?;
    let mark = Mark { len_bytes: u64::from_be_bytes(*len), entries: u64::from_be_bytes(*entries) };
    // Equal bytes on the way back prove the checksum and the length at once.
    (*magic == MAGIC && mark.encode() == bytes).then_some(mark)
}

pub(crate) const SUFFIX: &str = ".mark";

const MAGIC: [u8; 8] = *b"KOONTIM1";
