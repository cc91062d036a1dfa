//! The program as an auditor meets it: what it prints, and its exit codes.

mod support;

use koonti_disclosure::Digest;
use serde_json::Value;
use std::process::Command;
use support::scribe::{self, Hooks};
use tempfile::TempDir;

/// A folder of files, and the program in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
        self
    }

    /// Exit code, what is printed, and what is complained of.
    fn run(&self, line: &str) -> (i32, String, String) {
        let run = Command::new(env!("CARGO_BIN_EXE_koonti-verify")).args(line.split(' ')).current_dir(&self.0).output();
        let run = run.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
    }
}

#[test]
fn a_bundle_is_judged_by_the_exit_code() {
    let bundle = support::archive(&support::build(&Hooks::HONEST));
    let mut flipped = bundle.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let desk = Desk::new();
    desk.put("good.tar", &bundle).put("flipped.tar", flipped).put("trust", support::trust());
    desk.put("bad-trust", "governance 12\n").put("bad-pins", "{\"a\": 1.5}");

    let (code, out, err) = desk.run("bundle good.tar --trust trust --output json");
    assert_eq!((code, err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["releases"], &report["cells"]), (&7.into(), &35.into()));
    assert!(report["rules"].as_array().unwrap().iter().all(|line| line["verdict"] == "PASS"), "{out}");

    let (code, out, _) = desk.run("bundle flipped.tar --trust trust");
    assert_eq!(code, 5);
    let first = out.lines().find(|line| line.trim_start().starts_with("R01")).expect("a line for R01");
    assert!(first.contains("FAIL"), "{out}");
    assert!(out.contains("NOT CHECKABLE"), "{out}");

    // What is wrong with the auditor's own files is no verdict about the region.
    for (line, expected, named) in [
        ("bundle none.tar --trust trust", 1, "none.tar"),
        ("bundle good.tar --trust bad-trust", 2, "the trust file: line 1"),
        ("bundle good.tar --trust trust --pins bad-pins", 2, "the pins"),
        ("bundle good.tar", 2, "--trust"),
    ] {
        let (code, out, err) = desk.run(line);
        assert_eq!((code, out.as_str()), (expected, ""), "{line}: {err}");
        assert!(err.contains(named), "{line}: {err}");
    }
}

#[test]
fn two_histories_of_one_length_are_a_proof() {
    let desk = Desk::new();
    let log = support::log_of(0);
    let note = |size: u64, root: u8| scribe::note(&log, size, Digest([root; 32]), &[], 0).to_string();
    desk.put("monday", note(9, 1)).put("friday", note(9, 2)).put("later", note(10, 3));
    desk.put("text", "not a checkpoint\n");
    let key = scribe::log_key(&log).verifier().to_string();
    desk.put("trust", format!("{}log {key}\n", support::trust())).put("without", support::trust());
    let other = scribe::log_key(&support::log_of(1)).verifier().to_string();

    for (line, expected, named) in [
        ("prove-fork monday friday --trust trust".to_owned(), 0, "FORK: "),
        (format!("prove-fork friday monday --key {key}"), 0, "two histories of 9 entries"),
        ("prove-fork monday monday --trust trust".to_owned(), 5, "they are the same checkpoint"),
        ("prove-fork monday later --trust trust".to_owned(), 5, "different sizes"),
        (format!("prove-fork monday friday --key {other}"), 1, "not a checkpoint of this log"),
        ("prove-fork monday text --trust trust".to_owned(), 1, "not a signed note"),
        ("prove-fork monday friday --trust without".to_owned(), 2, "no log line for this log"),
        ("prove-fork monday friday --key none".to_owned(), 2, "--key"),
        ("prove-fork monday friday".to_owned(), 2, "--trust"),
    ] {
        let (code, out, err) = desk.run(&line);
        assert_eq!(code, expected, "{line}: {out}{err}");
        assert!(if matches!(code, 0 | 5) { out } else { err }.contains(named), "{line}");
    }
}

#[test]
fn every_rule_is_explained() {
    let desk = Desk::new();
    let (code, out, _) = desk.run("explain");
    assert_eq!((code, out.lines().count()), (0, 27 + 5));
    let (code, out, _) = desk.run("explain r14");
    assert!(code == 0 && out.starts_with("R14") && out.contains("allowance"), "{out}");
    let (code, out, _) = desk.run("explain S3");
    assert!(code == 0 && out.starts_with("S3"), "{out}");
    let (code, _, err) = desk.run("explain R23");
    assert!(code == 2 && err.contains("no such rule"), "{err}");
}
