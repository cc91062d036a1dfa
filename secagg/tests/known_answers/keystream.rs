//! The mask stream: AES-256 in counter mode, from counter block N | 00000002 on, which
//! is what GCM encrypts with. Counter 1 makes the tag.

use super::{array, bytes, gcm};
use ring::aead::quic::{self, HeaderProtectionKey};

fn stream(key: &[u8], nonce: [u8; 12], length: usize) -> Vec<u8> {
    gcm::seal(key, nonce, b"", &vec![0; length]).0
}

/// The first five bytes of AES-256 of single blocks, as QUIC hides headers with.
fn aes_256(key: &[u8]) -> impl Fn([u8; 16]) -> [u8; 5] {
    let key = HeaderProtectionKey::new(&quic::AES_256, key).unwrap();
    move |block| key.new_mask(&block).unwrap()
}

/// RFC 3686, section 6, vectors 7 to 9: key, nonce with IV, plaintext and ciphertext,
/// the latter from counter 1 on.
#[test]
fn rfc_3686() {
    let run = |length: u8| (0..length).collect::<Vec<u8>>();
    let vectors = [
        (
            "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104",
            "00000060db5672c97aa8f0b2",
            b"Single block msg".to_vec(),
            "145ad01dbf824ec7560863dc71e3e0c0",
        ),
        (
            "f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884",
            "00faac24c1585ef15a43d875",
            run(32),
            "f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c",
        ),
        (
            "ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d",
            "001cc5b751a51d70a1c11148",
            run(36),
            "eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8",
        ),
    ];
    for (key, nonce, plain, sealed) in vectors {
        let (key, nonce, sealed) = (bytes(key), array(nonce), bytes(sealed));
        assert_eq!(plain.len(), sealed.len());
        let keystream: Vec<u8> = plain.iter().zip(&sealed).map(|(plain, sealed)| plain ^ sealed).collect();
        let (first, rest) = keystream.split_first_chunk::<16>().unwrap();
        assert_eq!(stream(&key, nonce, rest.len()), rest);
        // Nothing encrypted and nothing authenticated: the tag is the block of counter 1.
        assert_eq!(gcm::seal(&key, nonce, b"", b"").1.as_ref(), first);
    }
}

/// SP 800-38A, F.5.5: the counter blocks and their output blocks.
#[test]
fn sp_800_38a() {
    let key = bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let first = u128::from_be_bytes(array("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
    let aes = aes_256(&key);
    let outputs = [
        "0bdf7df1591716335e9a8b15c860c502",
        "5a6e699d536119065433863c8f657b94",
        "1bc12c9c01610d5d0d8bd6a3378eca62",
        "2956e1c8693536b1bee99c73a31576b6",
    ];
    for (counter, output) in (first..).zip(outputs) {
        assert_eq!(aes(counter.to_be_bytes()), bytes(output)[..5]);
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
        let blocks = chunk.as_chunks::<16>().0;
        assert_eq!(blocks.len(), 65_536);
        for (counter, block) in (2u32..).zip(blocks) {
            let input = [nonce.as_slice(), &counter.to_be_bytes()].concat();
            assert_eq!(aes(input.try_into().unwrap()), block[..5], "chunk {j}, counter {counter}");
        }
    }
}
