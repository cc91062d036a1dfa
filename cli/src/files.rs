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

/// Writes a file, replacing an earlier one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|e| Error::file(path, &e))
}
