//! What the system gives this process: memory, files, room on a disk.
//!
//! For a coordinator's page. A node's memory and disk grow with its register and
//! with each count of it, so a node shows none of this.

use std::path::Path;

/// Memory in use, bytes; none where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Open files and connections; none where the system does not tell.
pub fn open_files() -> Option<u64> {
    // Less the one that is open for counting.
    Some((std::fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}

/// Bytes that this process may still write beside `path`; none where the system does
/// not tell.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_system_tells() {
        assert!(super::resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(super::open_files().is_some_and(|files| (3..1000).contains(&files)));
        assert!(super::free_bytes(std::path::Path::new("/")).is_some());
    }
}
