//! The door to the file system: every step by which this crate reads or changes the disk.
//!
//! Each function is one call of the operating system and adds nothing to it. In debug
//! builds the steps are counted, so that tests can end the process at one, let one fail,
//! or write down all of them and ask afterwards what a power cut would have left
//! (`fault.rs`). Release builds contain none of that.
//!
//! Not promised: that a step is durable. Who calls [`write`] calls [`sync`], and who gives
//! or takes a name calls [`sync_dir`].

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use crate::fault;

/// Creates a file that is not there yet, for its owner only, and opens it for writing.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    fault::step("create", path)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    fault::done("create", path, 0, b"");
    Ok(file)
}

/// Opens a file for reading and writing, and creates it if it is missing.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    fault::step("create", path)?;
    // Another process may have created it meanwhile; the lock decides between them.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    fault::done("create", path, 0, b"");
    Ok(file)
}

/// The bytes of an open file, all of them: fewer than its length is an error, since what
/// was not read must not be taken for what is not there.
pub(crate) fn read_open(file: &mut File, path: &Path) -> io::Result<Vec<u8>> {
    fault::step("read", path)?;
    let length = file.metadata()?.len();
    read_to(file, length)
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fault::step("read", path)?;
    fs::read(path)
}

/// Writes bytes at an offset.
pub(crate) fn write(file: &File, path: &Path, bytes: &[u8], at: u64) -> io::Result<()> {
    fault::point();
    if let Some(strike) = fault::in_write(path) {
        let part = &bytes[..bytes.len() / 2];
        file.write_all_at(part, at)?;
        fault::done("write", path, at, part);
        return strike.end();
    }
    file.write_all_at(bytes, at)?;
    fault::done("write", path, at, bytes);
    fault::point();
    Ok(())
}

/// Gives a file another length.
pub(crate) fn set_len(file: &File, path: &Path, len: u64) -> io::Result<()> {
    fault::step("length", path)?;
    file.set_len(len)?;
    fault::done("length", path, len, b"");
    Ok(())
}

/// Makes what was written to a file durable.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    fault::step("sync", path)?;
    file.sync_data()?;
    fault::done("sync", path, 0, b"");
    fault::point();
    Ok(())
}

/// The same, with its mode and times.
pub(crate) fn sync_all(file: &File, path: &Path) -> io::Result<()> {
    fault::step("sync", path)?;
    file.sync_all()?;
    fault::done("sync", path, 0, b"");
    fault::point();
    Ok(())
}

/// Gives a file another name, in the place of whatever has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::step("rename", from)?;
    fs::rename(from, to)?;
    fault::done("rename", from, 0, to.as_os_str().as_encoded_bytes());
    fault::point();
    Ok(())
}

/// Gives a file a second name, which nothing may have.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fault::step("link", from)?;
    fs::hard_link(from, to)?;
    fault::done("link", from, 0, to.as_os_str().as_encoded_bytes());
    fault::point();
    Ok(())
}

/// Takes a file's name away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fault::step("remove", path)?;
    fs::remove_file(path)?;
    fault::done("remove", path, 0, b"");
    Ok(())
}

/// Makes a directory that only its owner enters.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    fault::step("make", path)?;
    DirBuilder::new().mode(0o700).create(path)?;
    fault::done("make", path, 0, b"");
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    fault::step("names", path)?;
    File::open(path)?.sync_all()?;
    fault::done("names", path, 0, b"");
    Ok(())
}

fn read_to(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "it reads shorter than it is"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, is interrupted in between, and ends early if told to.
    struct Slow(Vec<u8>, bool);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            match self.0.split_first() {
                _ if self.1 => Err(ErrorKind::Interrupted.into()),
                Some((&first, rest)) if !into.is_empty() => {
                    into[0] = first;
                    self.0 = rest.to_vec();
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn short_reads_are_read_on_and_a_short_file_is_refused() {
        let bytes = b"a journal of some length".to_vec();
        let read = |length| read_to(&mut Slow(bytes.clone(), false), length);
        assert_eq!(read(bytes.len() as u64).expect("all of it"), bytes);
        assert_eq!(read(bytes.len() as u64 + 1).expect_err("a byte is missing").kind(), ErrorKind::UnexpectedEof);
    }
}
