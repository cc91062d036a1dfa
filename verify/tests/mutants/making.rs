//! How mutants are made.

use crate::support::scribe::{COSIGNED, Hooks, cosigners, note};
use crate::support::{self, Files, archive, build, trust};
use koonti_disclosure::{Digest, canonical};
use koonti_evidence::tiles;
use koonti_evidence::tree::{Tree, leaf_hash};
use koonti_verify::Rule;
use serde_json::Value;
use std::sync::OnceLock;

#[derive(Clone)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) fails: Vec<Rule>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) trust: String,
    pub(crate) pins: Option<Vec<u8>>,
    pub(crate) now: Option<u64>,
}

/// The files of the honest region.
pub(crate) fn honest() -> Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| build(&Hooks::HONEST)).clone()
}

/// A mutant of the archive's bytes.
pub(crate) fn bytes(name: &str, fails: &[Rule], bundle: Vec<u8>) -> Mutant {
    Mutant { name: name.to_owned(), fails: fails.to_vec(), bundle, trust: trust(), pins: None, now: None }
}

/// A mutant of files, with a list that fits.
pub(crate) fn files(name: &str, fails: &[Rule], change: impl Fn(&mut Files)) -> Mutant {
    let mut files = honest();
    change(&mut files);
    assert!(files != honest(), "{name} changes nothing");
    bytes(name, fails, archive(&files))
}

/// A mutant of entries as they are written: `log/tag` and bytes to bytes.
pub(crate) fn raw(name: &str, fails: &[Rule], entry: impl Fn(&str, Vec<u8>) -> Vec<Vec<u8>>) -> Mutant {
    both(name, fails, entry, |_, bytes| bytes)
}

/// A mutant of both entries and blobs.
pub(crate) fn both(
    name: &str,
    fails: &[Rule],
    entry: impl Fn(&str, Vec<u8>) -> Vec<Vec<u8>>,
    blob: impl Fn(&str, Vec<u8>) -> Vec<u8>,
) -> Mutant {
    let files = build(&Hooks { entry: &entry, blob: &blob });
    assert!(files != honest(), "{name} changes nothing");
    bytes(name, fails, archive(&files))
}

/// A mutant of the JSON of entries.
pub(crate) fn json(name: &str, fails: &[Rule], change: impl Fn(&str, &mut Value)) -> Mutant {
    raw(name, fails, |tag, bytes| vec![edited(bytes, |value| change(tag, value))])
}

/// A mutant of one entry's JSON.
pub(crate) fn entry(name: &str, fails: &[Rule], at: &str, change: impl Fn(&mut Value)) -> Mutant {
    json(name, fails, |tag, value| {
        if tag == at {
            change(value);
        }
    })
}

/// A mutant without the entries of a tag.
pub(crate) fn without(name: &str, fails: &[Rule], at: &str) -> Mutant {
    raw(name, fails, |tag, bytes| if tag == at { vec![] } else { vec![bytes] })
}

/// A mutant with an entry twice.
pub(crate) fn twice(name: &str, fails: &[Rule], at: &str) -> Mutant {
    raw(name, fails, |tag, bytes| if tag == at { vec![bytes.clone(), bytes] } else { vec![bytes] })
}

/// A mutant with a further entry behind one.
pub(crate) fn behind(name: &str, fails: &[Rule], at: &str, further: impl Fn(&Value) -> Value) -> Mutant {
    raw(name, fails, |tag, bytes| {
        if tag != at {
            return vec![bytes];
        }
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let mut further = further(&value);
        further["time"] = value["time"].clone();
        vec![bytes, canonical::to_bytes(&further).unwrap()]
    })
}

/// A mutant of one blob.
pub(crate) fn blob(name: &str, fails: &[Rule], at: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Mutant {
    both(name, fails, |_, bytes| vec![bytes], |tag, bytes| if tag == at { change(bytes) } else { bytes })
}

/// A mutant of the auditor's side.
pub(crate) fn auditor(name: &str, fails: &[Rule], trust: String, pins: Option<Value>, now: Option<u64>) -> Mutant {
    let pins = pins.map(|pins| canonical::to_bytes(&pins).unwrap());
    Mutant { trust, pins, now, ..bytes(name, fails, archive(&honest())) }
}

pub(crate) fn edited(bytes: Vec<u8>, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice(&bytes).unwrap();
    change(&mut value);
    canonical::to_bytes(&value).unwrap()
}

pub(crate) fn flip(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

/// Flips a digit of hex.
pub(crate) fn other(value: &mut Value) {
    let mut text = value.as_str().unwrap().to_owned();
    let last = if text.ends_with('0') { '1' } else { '0' };
    text.pop();
    text.push(last);
    *value = text.into();
}

/// The entries of a log in the files.
pub(crate) fn entries(files: &Files, log: &str) -> Vec<Vec<u8>> {
    let prefix = format!("logs/{log}/");
    let of: std::collections::BTreeMap<&str, &[u8]> = files
        .iter()
        .filter_map(|(name, bytes)| Some((name.strip_prefix(&prefix)?, bytes.as_slice())))
        .filter(|(name, _)| *name != "checkpoint")
        .collect();
    let size = (1..10_000).find(|size| tiles::read(&of, *size).is_ok()).unwrap();
    tiles::read(&of, size).unwrap().entries.iter().map(|entry| entry.to_vec()).collect()
}

/// Writes a log's files anew, signed and cosigned.
pub(crate) fn rewrite(files: &mut Files, log: &str, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut held = entries(files, log);
    change(&mut held);
    let prefix = format!("logs/{log}/");
    files.retain(|name, _| !name.starts_with(&prefix));
    for (name, bytes) in tiles::write(&held).unwrap() {
        files.insert(format!("{prefix}{name}"), bytes);
    }
    let tree: Tree = held.iter().map(|entry| leaf_hash(entry)).collect();
    let note = note(log, tree.len(), tree.root(), &cosigners(log), COSIGNED);
    files.insert(format!("{prefix}checkpoint"), note.to_string().into_bytes());
}

/// Size and root of a log.
pub(crate) fn head(files: &Files, log: &str) -> (u64, Digest) {
    let tree: Tree = entries(files, log).iter().map(|entry| leaf_hash(entry)).collect();
    (tree.len(), tree.root())
}

/// The first file of the honest region whose name begins so.
pub(crate) fn named(prefix: &str) -> String {
    honest().keys().find(|name| name.starts_with(prefix)).unwrap().clone()
}

/// The folder of the opened round.
pub(crate) fn round() -> String {
    let name = named("rounds/");
    name.rsplit_once('/').unwrap().0.to_owned()
}

pub(crate) const N0: &str = "node-node-000";
pub(crate) const N1: &str = "node-node-001";
pub(crate) const C: &str = support::COORDINATOR;
