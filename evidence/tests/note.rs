//! Notes and keys: published ones, damaged ones, and another reader.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use koonti_disclosure::Digest;
use koonti_evidence::Note;
use koonti_evidence::note::{Error, Kind, MOST_SIGNATURES, Signature, VerifierKey};
use signed_note::{StandardVerifier, VerifierList};

// Of Go's `sumdb/note` tests.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const BY_PETER: &str = "\u{2014} PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH: &str = "\u{2014} EnochRoot \
    rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn key(text: &str) -> VerifierKey {
    VerifierKey::parse(text).expect("a key")
}

fn parse(text: &str) -> Note {
    let note = Note::parse(text.as_bytes()).expect("a note");
    assert_eq!(note.to_string(), text, "a note prints as it was read");
    note
}

/// The names of those of the keys that have signed.
fn signers(text: &str, keys: &[VerifierKey]) -> Result<Vec<String>, Error> {
    Ok(parse(text).verify(keys)?.iter().map(|signer| signer.key.name().to_owned()).collect())
}

#[test]
fn known_keys_count_and_others_do_not() {
    let (peter, enoch) = (key(PETER), key(ENOCH));
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    assert_eq!(parse(&both).text(), TEXT);
    assert_eq!(signers(&both, std::slice::from_ref(&peter)).expect("signed"), ["PeterNeumann"]);
    let known = [enoch.clone(), peter.clone()];
    assert_eq!(signers(&both, &known).expect("signed"), ["PeterNeumann", "EnochRoot"]);
    assert_eq!(signers(&both, &[]), Err(Error::Unsigned));
    let twice = format!("{TEXT}\n{BY_PETER}{BY_PETER}");
    assert_eq!(signers(&twice, &known).expect("signed"), ["PeterNeumann"]);
    let doubled = [enoch.clone(), peter.clone(), enoch.clone()];
    assert_eq!(signers(&both, &doubled), Err(Error::Ambiguous("EnochRoot".to_owned())));
    // The same name with another id is another key, and so is the same id under
    // another name.
    let named = VerifierKey::new("EnochRoot", Kind::Log, peter.public()).expect("a name");
    assert_eq!(signers(&both, &[named]), Err(Error::Unsigned));
    let renamed = both.replace("PeterNeumann", "CarmenSandiego");
    assert_eq!(signers(&renamed, std::slice::from_ref(&peter)), Err(Error::Unsigned));
}

#[test]
fn one_false_line_of_a_known_key_fails_the_note() {
    let known = [key(PETER), key(ENOCH)];
    let at = BY_ENOCH.len() - 10;
    let mut forged = BY_ENOCH.to_owned();
    forged.replace_range(at..=at, if &forged[at..=at] == "A" { "B" } else { "A" });
    let refused = Err(Error::Signature("EnochRoot".to_owned()));
    // Before, behind, or in place of a good one, its own included.
    for lines in [format!("{forged}{BY_PETER}"), format!("{BY_PETER}{forged}"), format!("{BY_ENOCH}{forged}")] {
        assert_eq!(signers(&format!("{TEXT}\n{lines}"), &known), refused);
    }
    assert_eq!(signers(&format!("{TEXT}\n{forged}{BY_PETER}"), &known[..1]).expect("signed"), ["PeterNeumann"]);
    // A signature that is too long or too short.
    let long = BY_PETER.replacen("x08go/", "x08go/ABCD", 1);
    assert!(matches!(signers(&format!("{TEXT}\n{long}"), &known), Err(Error::Signature(_))));
    let short = BY_PETER.replacen("x08go/ZJkuBS", "x08go/ZJ", 1);
    assert!(matches!(signers(&format!("{TEXT}\n{short}"), &known), Err(Error::Signature(_))));
    assert!(signers(&format!("{}\n{BY_PETER}", TEXT.replace("is.", "is!")), &known).is_err());
    assert!(signers(&format!("{TEXT}\n\n{BY_PETER}"), &known).is_err(), "one empty line more is part of the text");
}

#[test]
fn what_is_no_note() {
    let line = &BY_PETER[..BY_PETER.len() - 1];
    let many = format!("{TEXT}\n{}", BY_PETER.repeat(MOST_SIGNATURES));
    assert!(Note::parse(many.as_bytes()).is_ok());
    assert_eq!(Note::parse(format!("{many}{BY_PETER}").as_bytes()), Err(Error::TooMany));
    let mut full = parse(&many);
    assert_eq!(full.add(Signature::parse(line).expect("a line")), Err(Error::TooMany));
    let bad = [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{BY_PETER}"),
        format!("\n{BY_PETER}"),
        format!("{TEXT}\n{line}"),
        format!("{TEXT}\n{BY_PETER}\n"),
        format!("{TEXT}\n{BY_PETER}Unexpected line.\n"),
        format!("{TEXT}\nUnexpected line.\n{BY_PETER}"),
        format!("\u{1}{TEXT}\n{BY_PETER}"),
        format!("{TEXT}\n{BY_PETER}").replace('\n', "\r\n"),
        format!("tab\there\n\n{BY_PETER}"),
        format!("{TEXT}\n{}", BY_PETER.replace('\u{2014}', "-")),
        format!("{TEXT}\n{}", BY_PETER.replace("\u{2014} ", "\u{2014}")),
        format!("{TEXT}\n{}", BY_PETER.replace("Peter", "Peter ")),
        format!("{TEXT}\n{}", BY_PETER.replace("Peter", "Peter+")),
        format!("{TEXT}\n{}", BY_PETER.replace("Peter", "Peter\u{2003}")),
        format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "")),
        format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AN=")),
        format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AM")),
        format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AM= ")),
        format!("{TEXT}\n\u{2014} PeterNeumann x08gow==\n"),
        format!("{TEXT}\n\u{2014} PeterNeumann AAA=\n"),
        format!("{TEXT}\n\u{2014} PeterNeumann \n"),
    ];
    for bad in bad {
        assert!(matches!(Note::parse(bad.as_bytes()), Err(Error::Shape(_))), "{bad:?}");
    }
    assert!(Note::parse(format!("{TEXT}\n{BY_PETER}").as_bytes()).is_ok());
    assert!(Note::parse(&[b"\xff", format!("{TEXT}\n{BY_PETER}").as_bytes()].concat()).is_err());
    let signature = || Signature::parse(line).expect("a line");
    for text in ["", "no newline", "a\u{0}\n"] {
        assert!(Note::new(text.to_owned(), signature()).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_no_key() {
    // Of the tests of transparency-dev/formats: base64 with a plus of its own, and a
    // witness's key.
    for good in [
        PETER,
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    ] {
        assert_eq!(key(good).to_string(), good);
    }
    assert_eq!(key("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2").kind(), Kind::Witness);
    // Every piece of a key, and every character changed, as Go's tests do.
    for start in 0..PETER.len() {
        for end in start..=PETER.len() {
            let whole = (start, end) == (0, PETER.len());
            assert_eq!(VerifierKey::parse(&PETER[start..end]).is_ok(), whole);
        }
        let mut changed = PETER.as_bytes().to_vec();
        changed[start] += 1;
        assert!(VerifierKey::parse(std::str::from_utf8(&changed).expect("ASCII")).is_err(), "{start}");
    }
    for bad in [
        // Of Go's tests: a key too long and an unknown algorithm, with ids to match.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        // Of formats' tests.
        "bananas.sigstore.dev+12344556",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        // An id in capitals, and the key's id under the other algorithm.
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(VerifierKey::parse(bad).is_err(), "{bad}");
    }
    // Every other algorithm, with the id that is right for a known one.
    for kind in [Kind::Log, Kind::Witness] {
        let good = VerifierKey::new("w", kind, Digest([7; 32])).expect("a name");
        let id = koonti_disclosure::names::hex(&good.id());
        for algorithm in 0..=u8::MAX {
            let encoded = STANDARD.encode([&[algorithm][..], &[7; 32]].concat());
            let read = VerifierKey::parse(&format!("w+{id}+{encoded}"));
            let known = algorithm == if kind == Kind::Log { 1 } else { 4 };
            assert_eq!(read.ok(), known.then(|| good.clone()), "{algorithm}");
        }
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{0}"] {
        assert_eq!(VerifierKey::new(name, Kind::Log, Digest([0; 32])), Err(Error::Name), "{name:?}");
    }
}

/// Every change of one byte: this reader accepts no note that the other refuses.
#[test]
fn signed_note_refuses_what_is_refused_there() {
    let ours = [key(PETER), key(ENOCH)];
    let verifier = |text| Box::new(StandardVerifier::new(text).expect("a key")) as Box<dyn signed_note::Verifier>;
    let theirs = VerifierList::new(vec![verifier(PETER), verifier(ENOCH)]);
    let good = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}").into_bytes();
    let (mut accepted, mut refused) = (0, 0);
    for place in 0..good.len() {
        for byte in [b'\n', b' ', b'+', b'A', b'Q', b'=', 0x00, 0xe2, good[place] ^ 1, good[place]] {
            let mut bytes = good.clone();
            bytes[place] = byte;
            if let Ok(note) = Note::parse(&bytes) {
                assert_eq!(note.to_string().as_bytes(), bytes, "a note prints as it was read");
            }
            let here = Note::parse(&bytes).and_then(|note| note.verify(&ours).map(|signers| signers.len()));
            let there = signed_note::Note::from_bytes(&bytes).and_then(|note| note.verify(&theirs));
            match (here, there) {
                (Ok(count), Ok((verified, _))) => assert_eq!(count, verified.len()),
                (Ok(_), Err(error)) => panic!("accepted here only, byte {place} as {byte}: {error}"),
                (Err(error), Ok(_)) => panic!("accepted there only, byte {place} as {byte}: {error}"),
                (Err(_), Err(_)) => {
                    refused += 1;
                    continue;
                }
            }
            accepted += 1;
        }
    }
    assert!(accepted > good.len() && refused > 5 * good.len(), "{accepted} accepted, {refused} refused");
}
