//! Where tests break the disk, in debug builds only. Release builds do not contain this.
//!
//! - `KOONTI_KILL_AT=n` ends the process, as `kill -9` does, at the n-th of the points
//!   that lie before, in and after everything that this crate writes.
//! - `KOONTI_FAIL_AT=n` lets the n-th step of `disk.rs` fail, once, with the error
//!   `KOONTI_FAIL_WITH` (`EIO` or `ENOSPC`), and says on stderr that it did: a test knows
//!   a step that nobody missed from none. A write that fails has written a half.
//! - `KOONTI_DISK_TRACE=file` appends every step that was done to a file, one line each:
//!   what, where in the file, path, bytes; and what was acknowledged, when it was.
//!
//! Nothing here makes a write weaker: a step that is not the one is done as always.

#[cfg(not(debug_assertions))]
pub(crate) use off::*;
#[cfg(debug_assertions)]
pub(crate) use on::*;

/// How a step is broken.
pub(crate) enum Strike {
    /// The process ends.
    #[cfg_attr(not(debug_assertions), expect(dead_code, reason = "made in debug builds only"))]
    Kill,
    /// The step fails.
    #[cfg_attr(not(debug_assertions), expect(dead_code, reason = "made in debug builds only"))]
    Fail(std::io::Error),
}

impl Strike {
    /// Ends the process, or gives the error.
    pub(crate) fn end(self) -> std::io::Result<()> {
        match self {
            Self::Kill => kill(),
            Self::Fail(error) => Err(error),
        }
    }
}

#[cfg(debug_assertions)]
mod on {
    use super::{Strike, kill};
    use rustix::io::Errno;
    use std::env;
    use std::fmt::Write as _;
    use std::fs::{File, OpenOptions};
    use std::io::{self, Write as _};
    use std::path::Path;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Counts a point, and ends the process if it is the one.
    pub(crate) fn point() {
        if due() {
            kill();
        }
    }

    /// Counts a step; an error if it is the one that fails.
    pub(crate) fn step(what: &'static str, path: &Path) -> io::Result<()> {
        fails(what, path).map_or(Ok(()), Err)
    }

    /// Counts a write as a step and as a point. The caller writes a half, and ends it.
    pub(crate) fn in_write(path: &Path) -> Option<Strike> {
        fails("write", path).map(Strike::Fail).or_else(|| due().then_some(Strike::Kill))
    }

    /// Writes a step down that was done.
    pub(crate) fn done(what: &'static str, path: &Path, at: u64, bytes: &[u8]) {
        static TRACE: OnceLock<Option<File>> = OnceLock::new();
        let open = || {
            let path = env::var_os("KOONTI_DISK_TRACE")?;
            Some(OpenOptions::new().create(true).append(true).open(path).expect("the trace opens"))
        };
        if let Some(mut trace) = TRACE.get_or_init(open).as_ref() {
            let mut line = format!("{what}\t{at}\t{}\t", path.display());
            bytes.iter().for_each(|byte| write!(line, "{byte:02x}").expect("a string grows"));
            line.push('\n');
            // One call, so that lines of several threads and processes stay whole.
            trace.write_all(line.as_bytes()).expect("the trace is written");
        }
    }

    fn due() -> bool {
        static AT: OnceLock<Option<u64>> = OnceLock::new();
        static PASSED: AtomicU64 = AtomicU64::new(0);
        counts("KOONTI_KILL_AT", &AT, &PASSED)
    }

    fn fails(what: &str, path: &Path) -> Option<io::Error> {
        static AT: OnceLock<Option<u64>> = OnceLock::new();
        static PASSED: AtomicU64 = AtomicU64::new(0);
        let errno = match env::var("KOONTI_FAIL_WITH").as_deref() {
            Ok("ENOSPC") => Errno::NOSPC,
            _ => Errno::IO,
        };
        counts("KOONTI_FAIL_AT", &AT, &PASSED).then(|| {
            writeln!(io::stderr(), "made to fail: {what} {}", path.display()).expect("stderr");
            errno.into()
        })
    }

    fn counts(variable: &str, at: &OnceLock<Option<u64>>, passed: &AtomicU64) -> bool {
        let at = at.get_or_init(|| env::var(variable).ok()?.parse().ok());
        at.is_some_and(|at| passed.fetch_add(1, Ordering::SeqCst) + 1 == at)
    }
}

#[cfg(not(debug_assertions))]
mod off {
    use super::Strike;
    use std::io;
    use std::path::Path;

    #[inline]
    pub(crate) fn point() {}

    #[inline]
    pub(crate) fn step(_: &'static str, _: &Path) -> io::Result<()> {
        Ok(())
    }

    #[inline]
    pub(crate) fn in_write(_: &Path) -> Option<Strike> {
        None
    }

    #[inline]
    pub(crate) fn done(_: &'static str, _: &Path, _: u64, _: &[u8]) {}
}

/// Ends the process without another step.
fn kill() -> ! {
    // Should the signal not end it, this does.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
