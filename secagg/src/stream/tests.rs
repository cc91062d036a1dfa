//! Streams and words, and the pieces of streams in `tests/vectors/round.json`.

use super::*;
use koonti_disclosure::names::{hex, unhex};

fn seeds(n: u8) -> Vec<Signed> {
    (0..n).map(|i| (Key::for_test([i; 32]), if i % 2 == 0 { Sign::Plus } else { Sign::Minus })).collect()
}

#[test]
fn a_stream_does_not_depend_on_how_much_of_it_is_asked_for() {
    let u2h = Digest([1; 32]);
    let mut long = vec![0; CHUNK_BYTES + 64];
    apply(u2h, &seeds(1), 0, Ring::Bits32, &mut long);
    for length in [4, 64, CHUNK_BYTES - 4, CHUNK_BYTES, CHUNK_BYTES + 4] {
        let mut short = vec![0; length];
        apply(u2h, &seeds(1), 0, Ring::Bits32, &mut short);
        assert!(short == long[..length], "{length}");
    }
    assert_ne!(long[..64], long[CHUNK_BYTES..], "chunks have nonces of their own");
}

#[test]
fn every_input_of_a_stream_changes_it() {
    let stream = |u2h: u8, seed: u8, w, ring| {
        let mut words = [0; 32];
        apply(Digest([u2h; 32]), &[(Key::for_test([seed; 32]), Sign::Plus)], w, ring, &mut words);
        words
    };
    let base = stream(0, 0, 0, Ring::Bits32);
    for other in [stream(1, 0, 0, Ring::Bits32), stream(0, 1, 0, Ring::Bits32), stream(0, 0, 1, Ring::Bits32)] {
        assert_ne!(base, other);
    }
    assert_ne!(base, stream(0, 0, 0, Ring::Bits64), "the width is part of the key");
}

#[test]
fn what_is_added_comes_off_again() {
    for (ring, length) in [(Ring::Bits32, 36), (Ring::Bits64, 72)] {
        let start: Vec<u8> = (0..length).collect();
        let mut words = start.clone();
        apply(Digest([3; 32]), &seeds(7), 5, ring, &mut words);
        assert_ne!(words, start);
        let opposite: Vec<Signed> = seeds(7).into_iter().map(|(key, sign)| (key, sign.opposite())).collect();
        apply(Digest([3; 32]), &opposite, 5, ring, &mut words);
        assert_eq!(words, start);
    }
}

#[test]
fn words_wrap_in_their_ring_and_not_beyond() {
    let mut words = [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0];
    add(Ring::Bits32, Sign::Plus, &mut words, &[1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(words, [0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(lift(Ring::Bits32, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80]), [-1, i64::from(i32::MIN)]);
    let mut words = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    add(Ring::Bits64, Sign::Plus, &mut words, &[1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lift(Ring::Bits64, &words), [1 << 32]);
    add(Ring::Bits64, Sign::Minus, &mut words, &[1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(lift(Ring::Bits64, &words), [-1]);
}

#[test]
fn streams_are_byte_for_byte_the_frozen_ones() {
    let round: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/round.json")).unwrap();
    let streams = round["streams"].as_array().unwrap();
    assert!(streams.len() >= 4);
    for piece in streams {
        let bytes = |key: &str| unhex::<32>(piece[key].as_str().unwrap()).unwrap();
        let number = |key: &str| usize::try_from(piece[key].as_u64().unwrap()).unwrap();
        let ring = if number("bits") == 32 { Ring::Bits32 } else { Ring::Bits64 };
        let frozen = piece["bytes"].as_str().unwrap();
        let mut words = vec![0; number("offset") + frozen.len() / 2];
        let seed = (Key::for_test(bytes("seed")), Sign::Plus);
        apply(Digest(bytes("u2h")), &[seed], u32::try_from(number("w")).unwrap(), ring, &mut words);
        assert_eq!(hex(&words[number("offset")..]), frozen);
    }
}
