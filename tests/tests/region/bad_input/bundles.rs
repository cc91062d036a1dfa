//! What an auditor gives to the verifier.

use super::Tried;
use super::stage::{Case, Stage};
use koonti_tests::Run;

/// A bundle and a trust file, each perhaps altered.
fn verify(stage: &Stage, bundle: impl FnOnce(Vec<u8>) -> Vec<u8>, trust: impl FnOnce(String) -> String) -> Tried {
    let bytes = std::fs::read(stage.region.dir().join("evidence.tar")).expect("the bundle");
    let keys = std::fs::read_to_string(stage.region.dir().join("keys.txt")).expect("the trust file");
    let bench = stage.nothing().write("evidence.tar", bundle(bytes)).write("keys.txt", trust(keys));
    let run = Run::new("koonti-verify").arg("bundle").arg(bench.path("evidence.tar"));
    bench.tries(run.arg("--trust").arg(bench.path("keys.txt")))
}

fn same<T>(it: T) -> T {
    it
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("E01", |s| verify(s, |_| b"not an archive".to_vec(), same)),
    ("E02", |s| verify(s, |bytes| bytes[..bytes.len() / 2].to_vec(), same)),
    ("E03", |s| {
        let flip = |mut bytes: Vec<u8>| {
            // Inside the first file's content.
            bytes[520] ^= 1;
            bytes
        };
        verify(s, flip, same)
    }),
    ("E04", |s| verify(s, |_| Vec::new(), same)),
    ("E05", |s| verify(s, same, |_| "governance x\n".to_owned())),
    ("E06", |s| verify(s, same, |_| String::new())),
    ("E07", |s| {
        let run = Run::new("koonti-verify").words("bundle no-such.tar --trust no-such.txt");
        s.nothing().tries(run)
    }),
    ("E08", |s| s.nothing().tries(Run::new("koonti-verify").words("bundle evidence.tar"))),
];
