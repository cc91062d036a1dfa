//! Reading and writing small files, secrets with mode 0600.

use crate::error::Error;
use std::io::{Read, Write};
use std::path::Path;

/// Reads a text file; `-` is stdin.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|e| Error::file(path, &e))?;
    Ok(text)
}

/// Reads a secret; others must not be able to.
pub(crate) fn read_private(path: &Path) -> Result<String, Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|e| Error::file(path, &e))?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = format!("others may read it (mode {:o}): run `chmod 600` on it", mode & 0o777);
        return Err(Error::Other(format!("{}: {why}", path.display())));
    }
    read(path)
}

/// Makes a directory and those above it.
pub(crate) fn make_dir(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|e| Error::file(path, &e))
}

/// Writes a new file that only its owner may read; an existing one is left alone.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|e| Error::file(path, &e))
}

/// Writes a file that only its owner may read in the place of an earlier one: after a crash
/// it holds the old text or the new.
pub(crate) fn replace_secret(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let replaced = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        std::fs::File::open(folder)?.sync_all()
    });
    replaced.map_err(|e| Error::file(path, &e))
}

/// Writes a new file; an existing one is left alone.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => Error::is_there(path),
        _ => Error::file(path, &e),
    })
}

/// Writes a file, replacing an earlier one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|e| Error::file(path, &e))
}
