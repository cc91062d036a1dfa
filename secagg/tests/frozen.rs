//! A whole round, byte for byte, in `tests/vectors/round.json`.
//!
//! `tests/twin/secagg.py` derives the same file from the format page alone.
//! `KOONTI_WRITE_VECTORS=1 cargo test -p koonti-secagg` writes it anew. The pieces of
//! streams are made here with ring alone; a test inside the crate makes them with
//! the crate's own code.

mod support;

use koonti_disclosure::names::hex;
use koonti_secagg::coordinator::Phase;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use serde_json::{Value, json};
use support::{Counter, Play, SCORE, identity_seed};

const SEED: u64 = 20_260_101;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/round.json");

/// A round of five. All five mask, but the input of node 2 does not arrive.
fn round() -> Value {
    let mut play = Play::new(5, SCORE, SEED);
    let mut nodes: Vec<Value> = (0..5).map(|place| json!({"place": place})).collect();
    let u1: Vec<u16> = (0..5).collect();
    let u3 = [0u16, 1, 3, 4];
    let mut document = json!({
        "spec": String::from_utf8(play.round.spec().bytes().to_vec()).unwrap(),
        "identity_seeds": u1.iter().map(|place| hex(&identity_seed(SEED, *place))).collect::<Vec<_>>(),
        "layout": play.region.layout.vectors().iter().map(|(r, c)| json!([r.bits(), c])).collect::<Vec<_>>(),
        "u1": u1, "u2": u1, "u3": u3, "unmaskers": u3,
    });
    for key in ["advert", "shares", "masked", "confirm", "unmask"] {
        match play.round.phase() {
            Phase::Shares => document["adverts"] = hex(&play.ready(0)).into(),
            Phase::Masked => {
                for place in 0..5 {
                    document["inboxes"][place.to_string()] = hex(&play.ready(place)).into();
                }
            }
            Phase::Confirm => document["survivors"] = hex(&play.ready(0)).into(),
            Phase::Unmask => document["confirmations"] = hex(&play.ready(0)).into(),
            _ => {}
        }
        for (place, message) in play.answers(&[]) {
            let node = &mut nodes[usize::from(place)];
            if message[0] == 0x14 {
                node["chunks"] = json!([hex(&message)]);
            } else {
                node[key] = hex(&message).into();
            }
            if key != "masked" || place != 2 {
                play.give(place, &message).unwrap();
            }
        }
        play.round.advance().unwrap();
    }
    for (player, node) in play.players.iter_mut().zip(&mut nodes) {
        node["random"] = hex(&player.random.drawn).into();
        node["values"] = json!(player.noisy);
        if let Some(right) = player.session().erase() {
            node["erased"] = hex(&right.sign(&player.identity)).into();
        }
    }
    document["nodes"] = nodes.into();
    document["sums"] = json!(play.round.opened().unwrap().sums);
    document["streams"] = streams().into();
    assert!(play.round.opened().unwrap().sums == play.expected(&u3));
    document
}

/// Pieces of mask streams, two of them across the border between chunks.
fn streams() -> Vec<Value> {
    let mut draw = Counter::new("streams", SEED);
    let pieces = [(0u32, 32u8, 0, 40), (1, 64, 8, 24), (0, 32, (1 << 20) - 8, 24), (3, 64, (2 << 20) - 16, 64)];
    let mut piece = |(w, bits, offset, size): (u32, u8, usize, usize)| {
        let (u2h, seed) = (draw.bytes::<32>(), draw.bytes::<32>());
        let bytes = &stream(&u2h, &seed, w, bits, offset + size)[offset..];
        json!({"u2h": hex(&u2h), "seed": hex(&seed), "w": w, "bits": bits, "offset": offset, "bytes": hex(bytes)})
    };
    pieces.into_iter().map(&mut piece).collect()
}

/// A stream from its beginning.
fn stream(u2h: &[u8], seed: &[u8], w: u32, bits: u8, size: usize) -> Vec<u8> {
    let label = b"koonti/v1/secagg/stream";
    let parts = [label.as_slice(), &w.to_be_bytes(), &[bits]];
    let info: Vec<u8> = parts.iter().flat_map(|part| [&(part.len() as u32).to_be_bytes(), *part].concat()).collect();
    let (info, prk) = ([info.as_slice()], hkdf::Salt::new(hkdf::HKDF_SHA256, u2h).extract(seed));
    let key = LessSafeKey::new(UnboundKey::from(prk.expand(&info, &AES_256_GCM).unwrap()));
    let mut bytes = vec![0; size];
    for (j, chunk) in (0u64..).zip(bytes.chunks_mut(1 << 20)) {
        let nonce = [&[0; 4], j.to_be_bytes().as_slice()].concat().try_into().unwrap();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let _tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), chunk).unwrap();
    }
    bytes
}

#[test]
fn a_round_is_byte_for_byte_the_frozen_one() {
    let round = round();
    if std::env::var_os("KOONTI_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, serde_json::to_string_pretty(&round).unwrap() + "\n").unwrap();
    }
    let frozen: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    for (key, value) in frozen.as_object().unwrap() {
        assert!(round[key] == *value, "{key} differs");
    }
    assert!(round == frozen);
}
