//! A real bundle, altered in a few hundred ways, for another verifier to judge:
//! `cargo run -p koonti-verify --example alter -- evidence.tar keys.txt DIR`.
//!
//! Bits are flipped, files are left out, cut and exchanged, with the list of files made
//! anew and without. DIR gets what `tests/twin/verify.py --mutants DIR` reads: the
//! bundles, and which rules each fails here. It ends with an error if a bundle passes in
//! which more has changed than a checkpoint's cosignatures.

use koonti_disclosure::{Digest, canonical};
use koonti_evidence::bundle::{MANIFEST, Manifest};
use koonti_evidence::container;
use koonti_verify::verify;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

type Files = BTreeMap<String, Vec<u8>>;

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [bundle, trust, dir] = &arguments[..] else { panic!("which bundle, trust file and directory?") };
    let bundle = std::fs::read(bundle).expect("the bundle is read");
    let trust = std::fs::read_to_string(trust).expect("the trust file is read");
    let sound = verify(&bundle, &trust, None, None).expect("the trust file is one");
    assert!(sound.passes(), "it fails by itself: {:?}", sound.failed());
    let all = container::read(&bundle, 1 << 20).expect("an archive");
    let manifest: Manifest = canonical::from_bytes(all[MANIFEST]).expect("a list of files");
    let files = all.iter().filter(|(name, _)| *name != MANIFEST);
    let files: Files = files.map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect();

    let mut expected = serde_json::Map::new();
    let mut keep = |name: String, altered: Vec<u8>, harmless: bool| {
        let report = verify(&altered, &trust, None, None).expect("the trust file is one");
        assert!(harmless || !report.passes(), "{name} passes");
        let fails = if report.passes() { vec![] } else { report.failed() };
        std::fs::write(dir.join(format!("{name}.tar")), &altered).expect("the directory is there");
        expected.insert(name, json!({"fails": fails}));
    };
    let listed = |files: &Files| {
        let hashes = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let manifest = Manifest { files: hashes, region: manifest.region.clone(), v: manifest.v };
        let mut all = files.clone();
        all.insert(MANIFEST.to_owned(), canonical::to_bytes(&manifest).expect("names and hashes"));
        container::write(&all).expect("small files")
    };
    let names: Vec<&String> = files.keys().collect();
    for (at, name) in names.iter().enumerate() {
        let harmless = name.ends_with("/checkpoint");
        let change = |change: &dyn Fn(&mut Files)| {
            let mut altered = files.clone();
            change(&mut altered);
            listed(&altered)
        };
        for part in 0..3 {
            let place = (files[*name].len() - 1) * (1 + 2 * part) / 6;
            let flipped = change(&|files| files.get_mut(*name).expect("a file")[place] ^= 1 << ((at + part) % 7));
            keep(format!("flip-{at}-{part}"), flipped, harmless);
        }
        keep(format!("drop-{at}"), change(&|files| drop(files.remove(*name))), false);
        let half = files[*name].len() / 2;
        keep(format!("cut-{at}"), change(&|files| files.get_mut(*name).expect("a file").truncate(half)), harmless);
        let other = names[(at + 1) % names.len()];
        let exchanged = change(&|altered| {
            altered.insert((*name).clone(), files[other].clone());
            altered.insert(other.clone(), files[*name].clone());
        });
        keep(format!("exchange-{at}"), exchanged, files[*name] == files[other]);
    }
    for part in 0..100 {
        let mut flipped = bundle.clone();
        flipped[(bundle.len() - 1) * part / 99] ^= 1;
        keep(format!("archive-{part}"), flipped, false);
    }
    std::fs::write(dir.join("trust.txt"), &trust).expect("the directory is there");
    let count = expected.len();
    std::fs::write(dir.join("expected.json"), serde_json::to_vec(&expected).expect("JSON")).expect("written");
    println!("{count} altered bundles of {} files", names.len());
}
