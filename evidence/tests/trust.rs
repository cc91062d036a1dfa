//! The auditor's file: quorums, and which line is told wrong.

mod support;

use koonti_evidence::Checkpoint;
use koonti_evidence::Trust;
use koonti_evidence::checkpoint::Cosignature;
use koonti_evidence::note::VerifierKey;
use koonti_evidence::trust::{Error, Fault, Quorum};
use std::collections::BTreeSet;
use support::{log_key, signed, witness_key};

const GOVERNANCE: &str = "governance 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The example of `tlog-policy`, with keys and our line.
fn example() -> String {
    let mut text = format!("# Whom we trust\n\nlog {}\n", log_key("log").verifier());
    for (seed, name) in (10..).zip(["X1", "X2", "X3", "Y1", "Y2", "Y3"]) {
        // Names of keys are not those of the file.
        let key = witness_key(&format!("w.example/{seed}"), seed);
        text += &format!("\twitness {name}  {} https://w.example/{seed}\n", key.verifier());
    }
    text + &format!(
        "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n  # both\n\
         group X-and-Y all X-witnesses Y-witnesses\n\t \nquorum X-and-Y\n{GOVERNANCE}\n"
    )
}

#[test]
fn the_example_asks_for_two_of_x_and_one_of_y() {
    let trust = Trust::parse(&example()).expect("a file");
    let all = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];
    for set in 0..1 << all.len() {
        let names: BTreeSet<&str> = (0..).zip(all).filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, n)| n).collect();
        let (x, y) = (u32::count_ones(set & 0b111), u32::count_ones(set & 0b111_000));
        assert_eq!(trust.satisfied(&names), x >= 2 && y >= 1, "{names:?}");
    }
    assert!(!trust.satisfied(&["X-and-Y", "X-witnesses", "Y-witnesses", "X9"].into()), "groups do not sign");
    assert_eq!(trust.log("log").map(ToString::to_string), Some(log_key("log").verifier().to_string()));
    assert!(trust.log("X1").is_none());
    assert_eq!(trust.witnesses().map(|(name, _)| name).collect::<Vec<_>>(), all);
    assert_eq!(format!("governance {}", trust.governance()), GOVERNANCE);
}

#[test]
fn a_quorum_is_met_by_keys_and_not_by_names() {
    let trust = Trust::parse(&example()).expect("a file");
    let log = log_key("log");
    let met = |seeds: &[(u8, &str)]| {
        let witnesses: Vec<_> = seeds.iter().map(|(seed, name)| witness_key(name, *seed)).collect();
        let note = signed(&log, 5, &witnesses.iter().collect::<Vec<_>>());
        let read = Checkpoint::verify(&note, &trust.logs()[0], &trust.witness_keys()).expect("the log has signed");
        trust.quorum_met(&read.cosignatures)
    };
    let (x1, x2, y1) = ((10, "w.example/10"), (11, "w.example/11"), (13, "w.example/13"));
    assert!(met(&[x1, x2, y1]));
    assert!(!met(&[x1, y1, x1, x1]), "the same witness again");
    assert!(!met(&[x1, y1, (10, "w.example/11")]), "the same witness under another's name");
    assert!(!met(&[x1, y1, (99, "w.example/11")]), "another key under a known name");
    assert!(!met(&[x1, x2]) && !met(&[]));

    let by = |seed, name: &str| Cosignature { witness: witness_key(name, seed).verifier().clone(), time: 1000 };
    assert!(trust.quorum_met(&[by(10, x1.1), by(11, x2.1), by(13, y1.1)]));
    assert!(!trust.quorum_met(&[by(10, x1.1), by(99, x2.1), by(13, y1.1)]), "whoever made the list");
}

#[test]
fn single_witnesses_and_none() {
    let witness = witness_key("w", 2);
    let head = format!("witness W {}\n{GOVERNANCE}\n", witness.verifier());
    let trust = Trust::parse(&format!("{head}quorum W\n")).expect("a file");
    assert!(trust.satisfied(&["W"].into()) && !trust.satisfied(&["w"].into()) && !trust.quorum_met(&[]));
    let trust = Trust::parse(&format!("{head}quorum none\n")).expect("a file");
    assert!(trust.quorum_met(&[]) && trust.logs().is_empty());
}

#[test]
fn errors_name_the_line() {
    let (log, w1, w2) = (log_key("log"), witness_key("w/1", 2), witness_key("w/2", 3));
    let (log, w1, w2) = (log.verifier(), w1.verifier(), w2.verifier());
    let same = witness_key("other-name", 2);
    let as_witness = witness_key("log", 1);
    let fresh = witness_key("fresh", 9).verifier().public();
    let namesake = VerifierKey::new("log", log.kind(), fresh).expect("a name");
    let head = format!("log {log}\nwitness A {w1}\nwitness B {w2}\n{GOVERNANCE}\n");
    let taken = |name: &str| Fault::Taken(name.to_owned());
    let unknown = |name: &str| Fault::Unknown(name.to_owned());
    let member = |name: &str| Fault::Member(name.to_owned());
    // What follows the four lines, the line that is told, and the fault.
    let cases = [
        (format!("log {log}\nquorum A\n"), 5, Fault::DuplicateKey),
        (format!("log {namesake}\nquorum A\n"), 5, Fault::DuplicateKey),
        (format!("log {}\n", same.verifier()), 5, Fault::Kind),
        (format!("\nwitness C {}\n", same.verifier()), 6, Fault::DuplicateKey),
        (format!("witness C {}\n", as_witness.verifier()), 5, Fault::DuplicateKey),
        (format!("witness C {log}\n"), 5, Fault::Kind),
        (format!("witness none {}\n", witness_key("w/3", 4).verifier()), 5, taken("none")),
        (format!("witness A {}\n", witness_key("w/3", 4).verifier()), 5, taken("A")),
        ("group none 1 A\n".to_owned(), 5, taken("none")),
        ("group A 1 B\n".to_owned(), 5, taken("A")),
        ("group G 0 A B\n".to_owned(), 5, Fault::Least),
        ("group G 3 A B\n".to_owned(), 5, Fault::Least),
        ("group G 01 A B\n".to_owned(), 5, Fault::Least),
        ("group G -1 A B\n".to_owned(), 5, Fault::Least),
        ("group G most A B\n".to_owned(), 5, Fault::Least),
        ("group G 1 A A\n".to_owned(), 5, member("A")),
        ("group G 1 A\ngroup H 1 A\n".to_owned(), 6, member("A")),
        ("group G 1 G\n".to_owned(), 5, unknown("G")),
        ("group G 1 none\n".to_owned(), 5, unknown("none")),
        ("group G 1 H\ngroup H 1 A\n".to_owned(), 5, unknown("H")),
        ("quorum H\n".to_owned(), 5, unknown("H")),
        ("quorum G\ngroup G 1 A\n".to_owned(), 5, unknown("G")),
        ("quorum A\n\nquorum A\n".to_owned(), 7, Fault::Second("quorum")),
        (format!("quorum A\n{GOVERNANCE}\n"), 6, Fault::Second("governance")),
        ("quorum A".to_owned(), 5, Fault::Cut),
        ("quorum A\n# end".to_owned(), 6, Fault::Cut),
        ("quorum A\r\n".to_owned(), 5, Fault::Control),
        ("quorum A\u{7f}\n".to_owned(), 5, Fault::Control),
    ];
    // Without a quorum line, the region's own demands hold.
    assert_eq!(Trust::parse(&head).unwrap().quorum(), Quorum::Region);
    for (tail, line, fault) in cases {
        let told = Trust::parse(&format!("{head}{tail}")).err();
        assert_eq!(told, Some(Error { line, fault }), "{tail}");
    }
    for tail in [
        "group G 1\n",
        "group G\n",
        "quorum\n",
        "quorum A B\n",
        "log\n",
        "log a b c\n",
        "witness A\n",
        "witness a b c d\n",
        "governance\n",
        "Quorum A\n",
        "quorum\u{a0}A\n",
        "include other\n",
        "quorum=A\n",
    ] {
        let told = Trust::parse(&format!("{head}{tail}"));
        assert!(matches!(told, Err(Error { line: 5, fault: Fault::Shape(_) })), "{tail}: {:?}", told.err());
    }
    assert!(matches!(Trust::parse("log nonsense\n"), Err(Error { line: 1, fault: Fault::Key(_) })));
    assert_eq!(Trust::parse("quorum none\n").err(), Some(Error { line: 2, fault: Fault::Missing("governance") }));
    for bad in [GOVERNANCE.to_uppercase().replace("GOVERNANCE", "governance"), format!("{GOVERNANCE}00")] {
        assert!(matches!(Trust::parse(&format!("{bad}\n")), Err(Error { line: 1, fault: Fault::Shape(_) })));
    }
    let told = Trust::parse("\nquorum none\n\nquorum none\n").expect_err("twice").to_string();
    assert_eq!(told, "line 4: a second quorum line");
}
