//! Proof files: written, read, verified; every line damaged.

mod support;

use koonti_evidence::Proof;
use koonti_evidence::proof::Error;
use koonti_evidence::tree;
use support::{entry, keys, log_key, signed, witness_key};

fn proof(index: u64, size: u64) -> Proof {
    let hashes = support::tree(size).inclusion(index, size).expect("a leaf");
    Proof { index, hashes, checkpoint: signed(&log_key("log"), size, &[&witness_key("w", 2)]) }
}

#[test]
fn written_read_and_verified() {
    let (log, witnesses) = (log_key("log"), keys(&[&witness_key("w", 2)]));
    for size in [1, 2, 3, 7, 8, 70] {
        for index in 0..size {
            let text = proof(index, size).to_string();
            let read = Proof::parse(text.as_bytes()).expect("a proof");
            assert_eq!(read.to_string(), text);
            let signed = read.verify(&entry(index), log.verifier(), &witnesses).expect("it holds");
            assert_eq!((signed.checkpoint.size(), signed.cosignatures.len()), (size, 1));
        }
    }
}

#[test]
fn nothing_else_is_proven() {
    let (log, witnesses) = (log_key("log"), keys(&[&witness_key("w", 2)]));
    let good = proof(5, 7);
    let verify = |proof: &Proof, of| proof.verify(&entry(of), log.verifier(), &witnesses).map(|_| ());
    assert_eq!(verify(&good, 5), Ok(()));
    assert_eq!(verify(&good, 6), Err(Error::Inclusion(tree::Error::Root)));
    assert_eq!(verify(&Proof { index: 4, ..good.clone() }, 4), Err(Error::Inclusion(tree::Error::Root)));
    assert_eq!(verify(&Proof { index: 7, ..good.clone() }, 5), Err(Error::Inclusion(tree::Error::Sizes)));
    assert_eq!(verify(&Proof { hashes: Vec::new(), ..good.clone() }, 5), Err(Error::Inclusion(tree::Error::Length)));
    // The checkpoint of another size, and one that another log signed.
    let other = Proof { checkpoint: proof(5, 8).checkpoint, ..good.clone() };
    assert_eq!(verify(&other, 5), Err(Error::Inclusion(tree::Error::Root)));
    let other = Proof { checkpoint: signed(&log_key("other"), 7, &[]), ..good };
    assert!(matches!(verify(&other, 5), Err(Error::Checkpoint(_))));
}

#[test]
fn what_is_no_proof() {
    let good = proof(5, 7).to_string();
    let (head, note) = good.split_once("\n\n").expect("two parts");
    let hash = head.lines().nth(2).expect("a hash");
    let bad = [
        good.replacen("@v1", "@v2", 1),
        good.replacen("c2sp", " c2sp", 1),
        good.replacen("index 5", "index 05", 1),
        good.replacen("index 5", "index  5", 1),
        good.replacen("index 5", "index -5", 1),
        good.replacen("index 5", "5", 1),
        good.replacen("index 5\n", "", 1),
        good.replacen("index 5", "index 5\nindex 5", 1),
        good.replacen("index 5", "extra AAAA\nindex 5", 1),
        good.replacen("index 5", "index 5\nextra AAAA", 1),
        good.replacen(hash, &hash[4..], 1),
        good.replacen(hash, &format!("{hash} "), 1),
        good.replacen(hash, "", 1),
        good.replacen("\n\n", "\n", 1),
        good.replacen("\n\n", "\n\n\n", 1),
        format!("{head}\n{}\n\n{note}", [hash; 61].join("\n")),
        good.replace('\n', "\r\n"),
        format!("{head}\n\n"),
        format!("{good}\n"),
        format!("\n{good}"),
        String::new(),
    ];
    for bad in bad {
        assert!(
            matches!(Proof::parse(bad.as_bytes()), Err(Error::Shape(_) | Error::Note(_) | Error::Checkpoint(_))),
            "{bad}"
        );
    }
    let longest = format!("{head}\n{}\n\n{note}", [hash; 60].join("\n"));
    assert_eq!(Proof::parse(longest.as_bytes()).expect("a proof").hashes.len(), 63);
    let extra = good.replacen("index 5", "extra AAAA\nindex 5", 1);
    let told = Proof::parse(extra.as_bytes()).expect_err("refused").to_string();
    assert!(told.contains("extra"), "{told}");
}

/// Every byte replaced by each of some: what is read at all is printed as it was, and
/// nothing but the proof itself shows the entry.
#[test]
fn one_proof_has_one_file() {
    let (log, witnesses) = (log_key("log"), keys(&[&witness_key("w", 2)]));
    let good = proof(5, 7).to_string().into_bytes();
    let mut read = 0;
    for place in 0..good.len() {
        for byte in [b'\n', b' ', b'0', b'6', b'A', b'=', b'+', 0, 0x80, good[place] ^ 1, good[place] ^ 0x20] {
            let mut bytes = good.clone();
            bytes[place] = byte;
            let Ok(proof) = Proof::parse(&bytes) else { continue };
            read += 1;
            assert_eq!(proof.to_string().as_bytes(), bytes);
            let shown = proof.verify(&entry(5), log.verifier(), &witnesses);
            // A line of a key that is not known may say anything.
            let lost = shown.as_ref().is_ok_and(|signed| signed.cosignatures.is_empty());
            assert!(shown.is_err() || lost || bytes == good, "byte {place} as {byte}");
        }
    }
    assert!(read > 1000, "{read}");
}
