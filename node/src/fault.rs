//! Where tests stop the daemon with `kill -9`.
//!
//! In debug builds, `KOONTI_STOP_AT=step` makes the process print a line and
//! sleep at the named step of a release, so that a test can kill it exactly
//! there. Release builds do not contain this.

/// Marks a step of a release.
#[cfg(debug_assertions)]
pub(crate) fn step(name: &str) {
    if std::env::var("KOONTI_STOP_AT").is_ok_and(|at| at == name) {
        eprintln!("stopped at {name}");
        loop {
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    }
}

/// Marks a step of a release.
#[cfg(not(debug_assertions))]
pub(crate) fn step(_name: &str) {}
