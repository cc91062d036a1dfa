//! `koonti-node import` of Parquet files through its real processes: what other programs
//! write is read, and damage is a message, whatever it does to the process that reads.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const NODE: &str = r#"
coordinator = "https://127.0.0.1:1"
enrolment = "https://127.0.0.1:1"
state = "state"
policy = "policy.toml"
register = "register.toml"
"#;

const MAPPING: &str = r#"
source = "adult-social-work"
register = "adult-social-work"
file = "register.parquet"
[format]
kind = "parquet"
[columns]
client = "asiakas"
date = "pvm"
birth_year = "syntymävuosi"
sex = "sukupuoli"
area = "kotikunta"
need = "tarve"
primary = { column = "ensisijainen", value = "true" }
[columns.scores]
D01 = "D01"
D02 = "D02"
[restrict]
exclude_if = [{ column = "kielto", value = "true" }]
hide_area_if = [{ column = "turvakielto", value = "true" }]
"#;

/// Words of the files' cells, of mapped columns and others.
const CANARIES: [&str; 3] = ["131052-308T", "Kanarialintu", "äijä"];

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).unwrap()
}

fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("node.toml"), NODE).unwrap();
    fs::write(folder.path().join("register.toml"), MAPPING).unwrap();
    folder
}

/// Tries the import, and checks what holds of every one.
fn import(site: &TempDir, register: &[u8]) -> (bool, String) {
    fs::write(site.path().join("register.parquet"), register).unwrap();
    let mut node = Command::new(env!("CARGO_BIN_EXE_koonti-node"));
    node.args(["import", "--dry-run", "--config"]).arg(site.path().join("node.toml"));
    // What a debugging operator might have set must not show cells either.
    let Output { status, stdout, stderr } = node.env("RUST_BACKTRACE", "1").output().unwrap();
    let (said, shown) = (String::from_utf8(stderr).unwrap(), String::from_utf8(stdout).unwrap());
    for canary in CANARIES {
        assert!(!said.contains(canary) && !shown.contains(canary), "{said}");
    }
    match status.code() {
        Some(0) => (true, shown),
        Some(1) => {
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with("error: ") && said.contains("register"), "{said}");
            (false, said)
        }
        _ => panic!("{status}: {said}"),
    }
}

#[test]
fn files_of_other_programs_are_read_and_damaged_ones_are_refused() {
    let site = site();
    let (read, report) = import(&site, &file("pyarrow.parquet"));
    assert!(read && report.contains("2026Q3"), "{report}");
    assert_eq!(import(&site, &file("duckdb.parquet")), (true, report));

    let whole = file("pyarrow.parquet");
    for end in (0..whole.len()).step_by(whole.len() / 12) {
        let (read, said) = import(&site, &whole[..end]);
        assert!(!read && said.contains("not a Parquet file, or a damaged one"), "{end}: {said}");
    }
    let mut encrypted = whole.clone();
    encrypted.truncate(whole.len() - 4);
    encrypted.extend_from_slice(b"PARE");
    assert!(import(&site, &encrypted).1.contains("the file is encrypted"));

    // Bytes at many places, in columns and in the frame around them. `KOONTI_FLIPS` asks
    // for more of them.
    let flips = std::env::var("KOONTI_FLIPS").map_or(60, |flips| flips.parse().unwrap());
    let mut refused = 0;
    for flip in 0..flips {
        let name = ["pyarrow.parquet", "duckdb.parquet"][flip % 2];
        let mut bytes = file(name);
        let at = flip * bytes.len() / flips;
        bytes[at] ^= [0xFF, 0x01, 0x80, 0x7E][flip % 4];
        refused += usize::from(!import(&site, &bytes).0);
    }
    assert!(refused * 2 > flips, "most damage is found: {refused} of {flips}");
}

/// 38 kilobytes that become 1.2 gigabytes.
#[test]
fn a_file_that_would_fill_the_memory_is_refused() {
    let (read, said) = import(&site(), &file("bomb.parquet"));
    assert!(!read && said.contains("would take too much memory"), "{said}");
}
