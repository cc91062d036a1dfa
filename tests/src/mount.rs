//! Small file systems of their own, where this process may mount some.
//!
//! Where it may not, the error says why, for [`crate::not_tested`].

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system. Dropped, it is taken off.
pub struct Mounted(PathBuf);

impl Mounted {
    /// A file system in memory of so many kilobytes, at the directory `at`.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn memory(at: &Path, kilobytes: u32) -> Result<Self, String> {
        let size = format!("size={kilobytes}k,mode=700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "koonti-tests"]).arg(at))?;
        Ok(Self(at.to_owned()))
    }

    /// The file system in the file `image`, at the directory `at`.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn image(image: &Path, at: &Path) -> Result<Self, String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(at))?;
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still hold a file.
        if let Err(why) = run(Command::new("umount").arg("-l").arg(&self.0)) {
            eprintln!("{}: {why}", self.0.display());
        }
    }
}

/// Makes the file `image` an empty ext4 of so many megabytes.
///
/// # Errors
/// When there is no `mkfs.ext4`.
pub fn ext4(image: &Path, megabytes: u64) -> Result<(), String> {
    let file = std::fs::File::create(image).map_err(|e| e.to_string())?;
    file.set_len(megabytes * 1024 * 1024).map_err(|e| e.to_string())?;
    run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image))
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
