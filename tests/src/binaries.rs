//! The daemons under test: built once, in the profile of the tests.
//!
//! `cargo test` builds the binaries of a crate's own package only, so the first
//! test that needs them runs cargo once more. It finds nothing to do when they
//! are fresh.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of `koonti`, `koonti-node` or `koonti-coordinator`.
///
/// # Panics
/// When the workspace does not build.
pub fn binary(name: &str) -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let path = DIR.get_or_init(build).join(name);
    assert!(path.exists(), "{}: the build made no such program", path.display());
    path
}

fn build() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own path");
    // target/debug/deps/region-1234 -> target/debug
    let profile = own.parent().and_then(|deps| deps.parent()).expect("a test lies in target/PROFILE/deps").to_owned();
    let target = profile.parent().expect("a profile lies in target");
    let lock = File::create(target.join("koonti-tests.lock")).expect("the target folder is writable");
    lock.lock().expect("a lock in the target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins", "--quiet", "--target-dir"]).arg(target);
    if cfg!(not(debug_assertions)) {
        command.arg("--release");
    }
    // What this test's own cargo has set would make that of ring build it anew, and
    // everything on top of it.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    let built = command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).status().expect("cargo runs");
    assert!(built.success(), "the workspace does not build");
    profile
}
