//! Another journal in the place of one that is stale, damaged or gone.
//!
//! Promised: the place is held from [`Place::take`] on, so that no writer opens it
//! meanwhile; what lay there has another name before it loses this one, and no file ever
//! loses its name to it; the new journal takes the place at one stroke, whole and on the
//! disk. A crash leaves the old one or the new one. The mark follows: where a crash leaves
//! one that the new journal does not fit, the journal is refused, and replacing it can be
//! repeated.
//!
//! Not promised: that the new entries are any better. The caller has checked them.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::MAX_ENTRY_BYTES;
use crate::atomic::{beside, parent_of, sync_dir, write_atomic};
use crate::error::{Error, io_error};
use crate::frame::{self, FILE_HEADER};
use crate::mark::{Mark, SUFFIX};
use crate::{disk, lock};

/// The place of a journal, held whatever lies there.
pub struct Place {
    path: PathBuf,
    // Held for the lock.
    _file: File,
}

impl Place {
    /// Takes the place. Where nothing is, an empty file is made: the same to all readers.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] if a writer has it, or [`Error::Io`].
    pub fn take(path: &Path) -> Result<Self, Error> {
        let file = disk::open_or_create(path).map_err(io_error("open the journal", path))?;
        lock::take(&file, path)?;
        Ok(Self { path: path.to_owned(), _file: file })
    }

    /// Puts a journal of these entries here, all of them marked as vouched for. Returns the
    /// name under which what was here is set aside: the path, `suffix`, and a number if that
    /// is taken. The old mark is set aside beside it.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] or [`Error::Io`]; the call may be repeated.
    pub fn replace(self, entries: &[Vec<u8>], suffix: &str) -> Result<PathBuf, Error> {
        let mut bytes = FILE_HEADER.to_vec();
        for entry in entries {
            if entry.len() > MAX_ENTRY_BYTES {
                return Err(Error::TooLarge { path: self.path, len_bytes: entry.len() });
            }
            bytes.extend(frame::encode(entry));
        }
        let aside = set_aside(&self.path, suffix).map_err(io_error("set aside", &self.path))?;
        sync_dir(parent_of(&self.path))?;
        write_atomic(&self.path, &bytes, 0o600)?;
        Mark { len_bytes: bytes.len() as u64, entries: entries.len() as u64 }.store(&self.path)?;
        Ok(aside)
    }
}

/// Gives the journal and its mark second names that nobody has.
fn set_aside(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    let mut number = 1u32;
    let aside = loop {
        let aside = match number {
            1 => beside(path, suffix),
            number => beside(path, &format!("{suffix}-{number}")),
        };
        match disk::link(path, &aside) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            linked => break linked.map(|()| aside)?,
        }
    };
    match disk::link(&beside(path, SUFFIX), &beside(&aside, SUFFIX)) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(aside),
        linked => linked.map(|()| aside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Journal, read};

    const NEW: [&[u8]; 2] = [b"one", b"two"];

    fn new() -> Vec<Vec<u8>> {
        NEW.map(<[u8]>::to_vec).into()
    }

    #[test]
    fn whatever_lies_there_is_set_aside_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(b"old").unwrap();
        journal.mark().unwrap();
        assert!(matches!(Place::take(&path), Err(Error::Locked { .. })));
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        // Whole; damaged, with a damaged mark; gone, with its mark left.
        let damaged = [&whole[..9], b"no journal"].concat();
        let mut asides = Vec::new();
        for before in [Some(whole), Some(damaged), None] {
            match &before {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            if asides.len() == 1 {
                std::fs::write(folder.path().join("journal.mark"), "no mark").unwrap();
            }
            let place = Place::take(&path).unwrap();
            assert!(matches!(Journal::open(&path), Err(Error::Locked { .. })));
            asides.push((place.replace(&new(), ".aside").unwrap(), before.unwrap_or_default()));
            assert_eq!(read(&path).unwrap(), new());
            // All of it is marked: nothing of it may be missing.
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert!(matches!(read(&path), Err(Error::Damaged { .. })));
            std::fs::write(&path, &bytes).unwrap();
        }
        for (number, (aside, before)) in (1..).zip(&asides) {
            let name = if number == 1 { "journal.aside".to_owned() } else { format!("journal.aside-{number}") };
            assert_eq!(aside.file_name().unwrap().to_str(), Some(name.as_str()));
            assert_eq!(std::fs::read(aside).unwrap(), *before);
            assert!(beside(aside, SUFFIX).exists());
        }
        assert_eq!(std::fs::read(folder.path().join("journal.aside-2.mark")).unwrap(), b"no mark");
    }
}
