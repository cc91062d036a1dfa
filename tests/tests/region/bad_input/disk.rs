//! Journals, extracts, seeds, releases and directories that are not what was written.

use super::stage::{Bench, Case, Stage};
use std::fs::{self, OpenOptions};

/// The length of a file of the folder.
fn length(bench: &Bench<'_>, file: &str) -> usize {
    usize::try_from(fs::metadata(bench.path(file)).expect("a file").len()).expect("small")
}

/// A node whose journal lacks its last bytes.
fn cut(stage: &Stage, bytes: u64) -> Bench<'_> {
    let bench = stage.node();
    let file = OpenOptions::new().write(true).open(bench.path("state/journal")).expect("the journal");
    let length = file.metadata().expect("a length").len();
    file.set_len(length - bytes).expect("a cut");
    bench
}

/// A node with more at the end of its journal.
fn longer<'s>(stage: &'s Stage, bytes: &[u8]) -> Bench<'s> {
    let bench = stage.node();
    let journal = fs::read(bench.path("state/journal")).expect("the journal");
    bench.write("state/journal", [journal.as_slice(), bytes].concat())
}

/// One entry as the journal frames it.
fn frame(entry: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let (mut journal, _) = koonti_journal::Journal::open(&path).expect("a journal");
    journal.append(entry).expect("an entry");
    fs::read(path).expect("the journal")[8..].to_vec()
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("J01", |s| s.node().flip("state/journal", 30).node("releases list")),
    ("J02", |s| s.node().flip("state/journal", 30).node("run")),
    ("J03", |s| s.node().write("state/journal", "something else").node("releases list")),
    ("J04", |s| cut(s, 3).node("releases list")),
    ("J05", |s| longer(s, &[0, 0, 0, 9, 1, 2]).node("releases list")),
    ("J06", |s| longer(s, &frame(b"{\"type\":\"teleported\"}")).node("releases list")),
    ("J07", |s| s.node().flip("state/journal.mark", 20).node("releases list")),
    ("J16", |s| s.node().node("recover")),
    ("J08", |s| {
        let bench = s.node();
        let _held = koonti_journal::Journal::open(&bench.path("state/journal")).expect("the journal");
        bench.node("run")
    }),
    ("J09", |s| {
        let bench = s.node();
        let extract = bench.only("state/extracts", ".extract");
        let at = length(&bench, &extract) / 2;
        bench.flip(&extract, at).node("check")
    }),
    ("J10", |s| {
        let bench = s.node();
        let release = bench.only("state/releases", ".release");
        bench.flip(&release, 200).node("releases list")
    }),
    ("J11", |s| {
        let bench = s.node();
        fs::remove_file(bench.path(&bench.only("state/releases", ".release"))).expect("the release");
        bench.node("releases list")
    }),
    ("J12", |s| {
        let bench = s.node();
        fs::remove_dir_all(bench.path("state")).expect("the state");
        fs::write(bench.path("state"), "not a directory").expect("a file");
        bench.node("run")
    }),
    ("J13", |s| {
        let bench = s.node();
        fs::remove_dir_all(bench.path("state/extracts")).expect("the extracts");
        bench.node("check")
    }),
    ("J14", |s| {
        let bench = s.coordinator();
        bench.flip("state/journal", 30).coordinator("node list")
    }),
    ("J15", |s| {
        let bench = s.coordinator().flip("state/journal", 30);
        let main = s.region.main_url().replace("https://", "");
        let enrolment = s.region.enrolment_url().replace("https://", "");
        bench
            .edit("coordinator.toml", &main, "127.0.0.1:0")
            .edit("coordinator.toml", &enrolment, "127.0.0.1:0")
            .coordinator("run")
    }),
];
