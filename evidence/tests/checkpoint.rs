//! Checkpoints: a real one with real cosignatures, and what a reader must refuse.

mod support;

use koonti_disclosure::Digest;
use koonti_evidence::checkpoint::{Checkpoint, Error};
use koonti_evidence::note::{self, Kind, VerifierKey};
use koonti_evidence::tree::empty_root;
use koonti_evidence::{Note, Tree};
use support::{keys, log_key, signed, tree, witness_key};

/// A checkpoint of the public staging log `arche2025h1`, which a mirror signed as a
/// log (second line) and four public witnesses cosigned. Its first line is of the
/// type that Certificate Transparency uses.
const PUBLIC: &str = "\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

\u{2014} arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
\u{2014} arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
\u{2014} transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
\u{2014} witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
\u{2014} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
\u{2014} witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";
const PUBLIC_LOG: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const PUBLIC_WITNESSES: [&str; 3] = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
];

#[test]
fn a_public_checkpoint_with_public_cosignatures() {
    let note = Note::parse(PUBLIC.as_bytes()).expect("a note");
    assert_eq!(note.to_string(), PUBLIC);
    let log = VerifierKey::parse(PUBLIC_LOG).expect("a key");
    let witnesses = PUBLIC_WITNESSES.map(|key| VerifierKey::parse(key).expect("a key"));
    let read = Checkpoint::verify(&note, &log, &witnesses).expect("all hold");
    assert_eq!((read.checkpoint.origin(), read.checkpoint.size()), (log.name(), 1_432_088_532));
    let found: Vec<(&str, u64)> = read.cosignatures.iter().map(|c| (c.witness.name(), c.time)).collect();
    let names = ["transparency.dev/DEV:witness-little-garden", "witness1.smartit.nu/witness1", "remora.n621.de"];
    assert_eq!(found, names.map(|name| (name, 1_779_573_024)));

    for (from, to) in [("1432088532", "1432088533"), ("U7WM", "U7WN"), ("AABqEiEgPlfF", "AABqEiEhPlfF")] {
        let note = Note::parse(PUBLIC.replacen(from, to, 1).as_bytes()).expect("a note");
        let refused = Checkpoint::verify(&note, &log, &witnesses);
        assert!(matches!(refused, Err(Error::Note(note::Error::Signature(_)))), "{from}");
    }
}

#[test]
fn the_witnesses_that_hold_are_listed_once() {
    let log = log_key("ita.example/node/091");
    let (one, two, other) = (witness_key("w/1", 2), witness_key("w/2", 3), witness_key("w/3", 4));
    let mut note = signed(&log, 5, &[&one, &other, &two]);
    let checkpoint = Checkpoint::parse(note.text()).expect("a checkpoint");
    assert_eq!((checkpoint.size(), checkpoint.root()), (5, tree(5).root()));
    note.add(checkpoint.cosign(&one, 3000).expect("a time")).expect("few");
    note.add(checkpoint.cosign(&one, 2000).expect("a time")).expect("few");
    let note = Note::parse(note.to_string().as_bytes()).expect("a note");

    let read = Checkpoint::verify(&note, log.verifier(), &keys(&[&two, &one])).expect("all hold");
    assert_eq!(read.checkpoint, checkpoint);
    let found: Vec<(&str, u64)> = read.cosignatures.iter().map(|c| (c.witness.name(), c.time)).collect();
    assert_eq!(found, [("w/1", 3000), ("w/2", 1000)], "each once, with its latest time");
    assert!(Checkpoint::verify(&note, log.verifier(), &[]).expect("the log").cosignatures.is_empty());
}

#[test]
fn keys_are_of_their_kind_and_name() {
    let log = log_key("log");
    let witness = witness_key("w", 2);
    let note = signed(&log, 5, &[&witness]);
    let of = |key: &str, kind| VerifierKey::new(key, kind, log.verifier().public()).expect("a name");
    let verify = |log: &VerifierKey, witnesses: &[VerifierKey]| {
        Checkpoint::verify(&note, log, witnesses).map(|read| read.cosignatures.len())
    };
    assert_eq!(verify(log.verifier(), &keys(&[&witness])), Ok(1));
    // Each kind of key in the place of the other.
    assert_eq!(verify(witness.verifier(), &[]), Err(Error::Kind("w".to_owned())));
    assert_eq!(verify(&of("log", Kind::Witness), &[]), Err(Error::Kind("log".to_owned())));
    assert_eq!(verify(log.verifier(), std::slice::from_ref(log.verifier())), Err(Error::Kind("log".to_owned())));
    // A key of another name neither reads nor signs.
    assert!(matches!(verify(&of("other", Kind::Log), &[]), Err(Error::Origin { .. })));
    let checkpoint = Checkpoint::parse(note.text()).expect("a checkpoint");
    assert!(matches!(checkpoint.sign(&log_key("other")), Err(Error::Origin { .. })));
    // Witnesses alone do not make a checkpoint, nor does another key of the name.
    let line = checkpoint.cosign(&witness, 1).expect("a time");
    let unsigned = Note::new(note.text().to_owned(), line).expect("a text");
    let refused = Checkpoint::verify(&unsigned, log.verifier(), &keys(&[&witness]));
    assert_eq!(refused, Err(Error::Unsigned("log".to_owned())));
    let namesake = VerifierKey::new("log", Kind::Log, witness.verifier().public()).expect("a name");
    assert_eq!(verify(&namesake, &[]), Err(Error::Note(note::Error::Unsigned)));
}

#[test]
fn the_text_is_three_lines() {
    let root = "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=";
    let good = format!("origin\n5\n{root}\n");
    assert_eq!(Checkpoint::parse(&good).expect("a checkpoint").to_string(), good);
    let theirs = tlog_tiles::Checkpoint::from_bytes(good.as_bytes()).expect("a checkpoint there");
    assert_eq!((theirs.origin(), theirs.size()), ("origin", 5));
    for bad in [
        String::new(),
        format!("origin\n5\n{root}"),
        format!("origin\n5\n{root}\n\n"),
        format!("origin\n5\n{root}\nextension\n"),
        format!("origin\n5\n{root}\n\nextension\n"),
        format!("\n5\n{root}\n"),
        format!("ori gin\n5\n{root}\n"),
        format!("origin\n05\n{root}\n"),
        format!("origin\n+5\n{root}\n"),
        format!("origin\n-5\n{root}\n"),
        format!("origin\n\n{root}\n"),
        format!("origin\n9223372036854775808\n{root}\n"),
        format!("origin\n5\n{}\n", root.replace("Ro=", "Rp=")),
        format!("origin\n5\n{}\n", &root[4..]),
        format!("origin\n5\n{root} \n"),
        format!("origin\n5\r\n{root}\n"),
        "origin\n5\n".to_owned(),
        format!("origin\n0\n{root}\n"),
    ] {
        assert!(matches!(Checkpoint::parse(&bad), Err(Error::Shape(_))), "{bad:?}");
    }
    assert!(Checkpoint::new("origin", 0, Tree::new().root()).is_ok());
    assert!(Checkpoint::new("origin", 0, Digest([0; 32])).is_err());
    assert!(Checkpoint::new("origin", 1 << 63, empty_root()).is_err());
    assert!(Checkpoint::new("ori+gin", 1, empty_root()).is_err());
}
