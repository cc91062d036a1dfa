//! Files that change all at once, and private directories.
//!
//! Promised: when [`write_atomic`] returns, the new content and its name are on
//! the disk; after a crash at any moment the file holds the old bytes or the
//! new ones, never a mixture. Nobody but the chosen mode's readers ever sees
//! the bytes, not even in the temporary file.
//!
//! Not promised: that a crash leaves no temporary file behind. Its name is
//! `.NAME.PID.N.tmp`, and nothing reads it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, io_error};
use crate::{disk, fault};

/// Replaces or creates `path` with `bytes`, readable as `mode` says.
///
/// The content goes to a temporary file in the same directory, which is synced
/// and then renamed; the directory is synced last. The mode is exact: the
/// process's umask does not change it.
///
/// # Errors
///
/// [`Error::Io`]. The old file is then still whole; if only the last step, the
/// sync of the directory, failed, the new one is in its place. The call may be
/// repeated: it starts from a new temporary file.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let name = path
        .file_name()
        .ok_or_else(|| io_error("write", path)(io::Error::new(ErrorKind::InvalidInput, "no file name")))?;
    let (temp, file) = create_temp(parent_of(path), name).map_err(io_error("write beside", path))?;
    let written = fill(&file, &temp, bytes, mode).and_then(|()| disk::rename(&temp, path));
    if let Err(source) = written {
        // The write has failed already; the stray file is harmless.
        let _ = disk::remove(&temp);
        return Err(io_error("write", path)(source));
    }
    sync_dir(parent_of(path))?;
    fault::done("kept", path, 0, bytes);
    Ok(())
}

/// Overwrites `bytes.len()` bytes of the file at `path`, from `at` on, durably: for what
/// must be gone. A crash leaves the old bytes, the new ones, or some of both.
///
/// # Errors
///
/// [`Error::Io`], also when there is no such file.
pub fn overwrite(path: &Path, at: u64, bytes: &[u8]) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).open(path).map_err(io_error("open", path))?;
    let written = disk::write(&file, path, bytes, at).and_then(|()| disk::sync(&file, path));
    written.map_err(io_error("overwrite", path))
}

/// Deletes the file at `path`, durably. That it is gone already is well.
///
/// # Errors
///
/// [`Error::Io`].
pub fn remove(path: &Path) -> Result<(), Error> {
    match disk::remove(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        removed => removed.map_err(io_error("delete", path))?,
    }
    sync_dir(parent_of(path))
}

/// Creates `path` and its missing parents with mode 0700, durably.
///
/// Directories that exist already keep the mode they have.
///
/// # Errors
///
/// [`Error::Io`], also when something that is not a directory has the name.
pub fn create_dir_private(path: &Path) -> Result<(), Error> {
    let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.is_dir()).collect();
    for dir in missing.into_iter().rev() {
        match disk::make_dir(dir) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
            made => made.map_err(io_error("create the directory", dir))?,
        }
        sync_dir(parent_of(dir))?;
    }
    Ok(())
}

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    disk::sync_dir(dir).map_err(io_error("sync the directory", dir))
}

/// The directory that holds `path`, as a path that can be opened.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` after its whole name: `a.log` gives `a.log.mark`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn create_temp(dir: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    loop {
        let n = NEXT_TEMP.fetch_add(1, Ordering::Relaxed);
        let mut temp_name = OsString::from(".");
        temp_name.push(name);
        temp_name.push(format!(".{}.{n}.tmp", std::process::id()));
        let temp = dir.join(temp_name);
        // A leftover of a dead process with our id keeps its name; take the next.
        match disk::create_new(&temp) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (temp, file)),
        }
    }
}

fn fill(file: &File, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    disk::write(file, path, bytes, 0)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    disk::sync_all(file, path)
}

static NEXT_TEMP: AtomicU64 = AtomicU64::new(0);
