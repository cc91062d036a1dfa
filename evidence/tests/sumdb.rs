//! A whole log, checked by Go's `golang.org/x/mod/sumdb`: note, roots, every
//! inclusion and consistency proof, tiles.
//!
//! Needs the Debian packages `golang-1.19-go` and `golang-golang-x-mod-dev`, which
//! `.ci/run` installs; elsewhere it says why it checks nothing.

mod support;

use koonti_disclosure::Digest;
use koonti_disclosure::names::hex;
use koonti_evidence::tiles;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{entry, log_key, signed, tree, witness_key};

const SIZE: u64 = 70;
const BIG: u64 = 600;

#[test]
fn sumdb_accepts_a_log_and_no_changed_one() {
    let Some(checker) = build() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sumdb");
    lay_out(&folder, SIZE, SIZE);
    assert_eq!(run(&checker, &folder), Ok("70 entries, 2485 inclusion, 2485 consistency, 1 tiles".to_owned()));
    // More than two full tiles, with a part of the proofs.
    lay_out(&folder, BIG, 9);
    assert_eq!(run(&checker, &folder), Ok("600 entries, 45 inclusion, 45 consistency, 4 tiles".to_owned()));

    // The checker does check: each file changed in one place.
    for (name, from, to) in [
        ("checkpoint", "\n600\n", "\n601\n"),
        ("entries", "\n656e7472792031", "\n656e7472792032"),
        ("inclusion", "0 2 ", "1 2 "),
        ("consistency", "1 2 ", "1 3 "),
    ] {
        lay_out(&folder, BIG, 9);
        let text = fs::read_to_string(folder.join(name)).expect("laid out");
        assert!(text.contains(from), "{name}");
        fs::write(folder.join(name), text.replacen(from, to, 1)).expect("a file");
        assert!(run(&checker, &folder).is_err(), "{name}");
    }
}

/// The checker's program; none, with the reason told, where there is no Go.
fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/sumdb/main.go");
    let checker = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sumdb-checker");
    let mut reasons = Vec::new();
    for go in ["/usr/lib/go-1.19/bin/go", "go"] {
        let built = Command::new(go)
            .arg("build")
            .arg("-o")
            .args([&checker, &source])
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode")
            .env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"))
            .output();
        match built {
            Ok(output) if output.status.success() => return Some(checker),
            Ok(output) => reasons.push(format!("{go}: {}", String::from_utf8_lossy(&output.stderr))),
            Err(error) => reasons.push(format!("{go}: {error}")),
        }
    }
    let in_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    // `.ci/run` says so, and why, where Go can be neither found nor installed.
    let told = std::env::var_os("KOONTI_WITHOUT_GO").is_some();
    assert!(!in_ci || told, "Go is needed in CI: {}", reasons.join("; "));
    eprintln!("not checked with Go: {}", reasons.join("; "));
    None
}

fn run(checker: &Path, folder: &Path) -> Result<String, String> {
    let output = Command::new(checker).arg(folder).output().expect("it was built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Writes what the checker reads: a log of `size`, with the proofs up to `proofs`.
fn lay_out(folder: &Path, size: u64, proofs: u64) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("of a run before");
    }
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    let log = log_key("ita.example/node/091/ledger");
    let tree = tree(size);
    let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
    let words = |hashes: Vec<Digest>| hashes.iter().fold(String::new(), |text, hash| format!("{text} {hash}"));
    let (mut roots, mut inclusion, mut consistency) = (String::new(), String::new(), String::new());
    for n in 0..=size {
        writeln!(roots, "{}", tree.root_at(n).expect("a size")).expect("memory");
    }
    for n in 1..=proofs {
        for m in 0..n {
            let (record, old) = (tree.inclusion(m, n).expect("a leaf"), tree.consistency(m + 1, n).expect("sizes"));
            writeln!(inclusion, "{m} {n} {}", words(record)).expect("memory");
            writeln!(consistency, "{} {n} {}", m + 1, words(old)).expect("memory");
        }
    }
    write("vkey", log.verifier().to_string().as_bytes());
    write("checkpoint", signed(&log, size, &[&witness_key("w", 2)]).to_string().as_bytes());
    write("entries", entries.iter().map(|entry| hex(entry) + "\n").collect::<String>().as_bytes());
    write("roots", roots.as_bytes());
    write("inclusion", inclusion.as_bytes());
    write("consistency", consistency.as_bytes());
    for (name, content) in tiles::write(&entries).expect("short entries") {
        write(&name, &content);
    }
}
