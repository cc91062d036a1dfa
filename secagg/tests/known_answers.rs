//! The primitives, as this crate calls them, against published vectors: the RFCs,
//! SP 800-38A, the vectors of GCM's designers, and Wycheproof's.
//!
//! None of these numbers is ours. Where Wycheproof has an RFC's vector too, both
//! must say the same, so that no slip of the pen here goes unnoticed.

use koonti_disclosure::names::{hex, unhex, unhex_vec};
use ring::digest::{SHA256, digest};

#[path = "known_answers/ed25519.rs"]
mod ed25519;
#[path = "known_answers/gcm.rs"]
mod gcm;
#[path = "known_answers/hkdf.rs"]
mod hkdf;
#[path = "known_answers/keystream.rs"]
mod keystream;
#[path = "known_answers/x25519.rs"]
mod x25519;

fn bytes(text: &str) -> Vec<u8> {
    unhex_vec(text).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).unwrap()
}

#[test]
fn sha_256_of_fips_180() {
    let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ];
    for (message, hash) in vectors {
        assert_eq!(hex(digest(&SHA256, message.as_bytes()).as_ref()), hash, "{message:?}");
    }
    let million = vec![b'a'; 1_000_000];
    let hash = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(hex(digest(&SHA256, &million).as_ref()), hash);
}
