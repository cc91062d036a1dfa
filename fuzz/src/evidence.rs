//! Bytes against what an auditor and a daemon read of logs: none panics, what has one
//! encoding is written as the same bytes again, and no altered bundle passes.

use crate::bundle::{self, Files};
use koonti_disclosure::canonical;
use koonti_evidence::entry::{Heads, coordinator, node};
use koonti_evidence::note::{Note, Signature, VerifierKey};
use koonti_evidence::{Checkpoint, Proof, Trust, container};
use koonti_verify::verify;
use std::sync::OnceLock;

/// Reads the bytes as everything that they may be, and as changes to a bundle.
pub fn evidence(data: &[u8]) {
    read(data);
    alter(data);
}

/// A whole region's files, and the auditor's trust.
pub(crate) fn sound() -> &'static (Files, String) {
    static SOUND: OnceLock<(Files, String)> = OnceLock::new();
    SOUND.get_or_init(|| (bundle::build(&bundle::scribe::Hooks::HONEST), bundle::trust()))
}

fn read(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data, "another note");
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(checkpoint.to_string(), note.text(), "another checkpoint");
        }
    }
    if let Ok(proof) = Proof::parse(data) {
        assert_eq!(proof.to_string().as_bytes(), data, "another proof");
    }
    if let Ok(entry) = node::Entry::parse(data) {
        assert!(canonical::to_bytes(&entry).is_ok_and(|bytes| bytes == data), "another entry of a node");
    }
    if let Ok(entry) = canonical::from_bytes::<coordinator::Entry>(data) {
        assert!(canonical::to_bytes(&entry).is_ok_and(|bytes| bytes == data), "another entry of the coordinator");
    }
    if let Ok(heads) = canonical::from_bytes::<Heads>(data) {
        assert!(heads.bytes() == data, "other heads");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        drop((Trust::parse(text), VerifierKey::parse(text), Signature::parse(text)));
    }
    if let Ok(files) = container::read(data, 1 << 16) {
        assert!(container::write(&files).is_ok_and(|bytes| bytes == data), "another archive");
    }
    let (_, trust) = sound();
    assert!(verify(data, trust, None, None).is_ok_and(|report| !report.passes()), "a stranger's bundle passes");
}

/// Alters a bundle: five bytes of the data for each change (file, place, value), the
/// list of files made anew. It fails, unless only cosignatures that are not needed have
/// changed.
fn alter(data: &[u8]) {
    let (files, trust) = sound();
    let mut altered = files.clone();
    let names: Vec<&String> = files.keys().collect();
    for change in data.chunks_exact(5).take(4) {
        let [file, place, value] = [&change[..2], &change[2..4], &change[4..]]
            .map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
        let file = altered.get_mut(names[file % names.len()]).expect("a file");
        let place = place % file.len().max(1);
        if let Some(byte) = file.get_mut(place) {
            *byte ^= u8::try_from(value).expect("a byte");
        }
    }
    let report = verify(&bundle::archive(&altered), trust, None, None).expect("our own trust file");
    let noticed = names.iter().any(|name| altered[*name] != files[*name] && !name.ends_with("/checkpoint"));
    assert!(!noticed || !report.passes(), "a change was not noticed");
    assert!(altered != *files || report.passes(), "what is sound fails: {:?}", report.failed());
}
