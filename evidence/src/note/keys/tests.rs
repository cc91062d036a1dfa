//! Keys and signatures of others, made again here from their seeds.

use super::*;
use crate::note::Note;

/// Name, text form and seed (in base64, behind the algorithm's byte) of log keys:
/// `PeterNeumann` of Go's `sumdb/note` tests, the others of Tessera's.
const LOGS: [(&str, &str, &str); 6] = [
    (
        "PeterNeumann",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
    ),
    (
        "LilLog",
        "LilLog+b65b2501+Af40T+NgLuQzeKqU1mbUL4pcmQwCVDK67QSmdJ3Q8LTl",
        "AbKaNq0e8nx6WOuOH0eYAgPeKPtk8KM3fZBhwr5qzo+p",
    ),
    (
        "Wit1",
        "Wit1+55ee4561+AVhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk",
        "AeadRiG7XM4XiieCHzD8lxysXMwcViy5nYsoXURWGrlE",
    ),
    (
        "Wit2",
        "Wit2+85ecc407+AWVbwFJte9wMQIPSnEnj4KibeO6vSIOEDUTDp3o63c2x",
        "AfPTvxw5eUcqSgivo2vaiC7JPOMUZ/9baHPSDrWqgdGm",
    ),
    (
        "Wit3",
        "Wit3+d3ed3be7+ASb6Uz1+fxAcXkMvDd7nGa3FjDce7LxIKmbbTCT0MpVn",
        "AR2Kg8k6ccBr5QXz5SHtnkOS4UGQGEQaWi6Gfr6Mm3X5",
    ),
    (
        "WitBad",
        "WitBad+b82b4b16+AY5FLOcqxs5lD+OpC6cVTrxsyNJktaCGYHNfnE5vKBQX",
        "AYSil2PKfSN1a0LhdbzmK1uXqDFZbp+P1OyR54k3gdJY",
    ),
];

/// A witness key of Tessera's tests, likewise.
const WITNESS: (&str, &str, &str) = (
    "Wit2",
    "Wit2+112f0455+BCy8NYvyk7N1dkxNxgrI3YAJzQDc0FIfs0q7q8U/cwOF",
    "ASWI6XB1l1/fPORsXVxCbMvxfrvh7bXtYkNNlD1NYe2H",
);

/// The note of Go's `sumdb/note` tests.
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const LINE: &str = "\u{2014} PeterNeumann \
                    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn seed(text: &str) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(unbase64(text).expect("base64")[1..].try_into().expect("32 bytes"))
}

#[test]
fn seeds_give_the_published_keys() {
    for (name, text, secret) in LOGS {
        let key = LogKey::from_seed(name, seed(secret)).expect("a name");
        assert_eq!(key.verifier().to_string(), text);
        assert_eq!(VerifierKey::parse(text).as_ref(), Ok(key.verifier()));
    }
    let (name, text, secret) = WITNESS;
    let key = WitnessKey::from_seed(name, seed(secret)).expect("a name");
    assert_eq!(key.verifier().to_string(), text);
    assert_eq!(VerifierKey::parse(text).as_ref(), Ok(key.verifier()));
    // The same seed in the other kind of key is another key.
    let log = LogKey::from_seed(name, seed(secret)).expect("a name");
    assert_ne!(log.verifier().id(), key.verifier().id());
    assert!(LogKey::from_seed("a b", seed(secret)).is_err() && WitnessKey::from_seed("", seed(secret)).is_err());
}

#[test]
fn go_s_note_is_made_and_verified() {
    let (name, _, secret) = LOGS[0];
    let key = LogKey::from_seed(name, seed(secret)).expect("a name");
    let note = Note::new(TEXT.to_owned(), key.sign(TEXT)).expect("a text");
    assert_eq!(note.to_string(), format!("{TEXT}\n{LINE}\n"));
    assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
}

#[test]
fn a_signature_of_one_kind_is_none_of_the_other() {
    let (name, _, secret) = LOGS[1];
    let log = LogKey::from_seed(name, seed(secret)).expect("a name");
    let witness = WitnessKey::from_seed(name, seed(secret)).expect("a name");
    // Even where the ids are made to match, what is signed differs.
    let mut line = log.sign(TEXT);
    assert_eq!(log.verifier().verify(TEXT, &line.bytes), Ok(None));
    assert!(witness.verifier().verify(TEXT, &line.bytes).is_err());
    line.bytes.splice(0..0, 7u64.to_be_bytes());
    assert!(witness.verifier().verify(TEXT, &line.bytes).is_err());

    let line = witness.cosign(TEXT, 7).expect("a time");
    assert_eq!(witness.verifier().verify(TEXT, &line.bytes), Ok(Some(7)));
    assert!(log.verifier().verify(TEXT, &line.bytes).is_err());
    assert!(log.verifier().verify(TEXT, &line.bytes[8..]).is_err());
    // The time is signed, and has a largest value.
    let mut later = line.bytes.clone();
    later[7] = 8;
    assert!(witness.verifier().verify(TEXT, &later).is_err());
    assert_eq!(witness.cosign(TEXT, LARGEST + 1), Err(Error::Time));
    let message = format!("cosignature/v1\ntime {}\n{TEXT}", LARGEST + 1);
    let over = witness.secret.sign(&message, &(LARGEST + 1).to_be_bytes());
    assert!(witness.verifier().verify(TEXT, &over.bytes).is_err());
    assert!(witness.verifier().verify(TEXT, &[]).is_err());
}
