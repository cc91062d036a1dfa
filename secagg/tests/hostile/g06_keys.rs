//! 6: keys that are forged, substituted, repeated, reflected or of low order.

use crate::cases::Cases;
use crate::mallory::openings;
use crate::page::{self, Bytes, Half, Secrets};
use crate::stage::{AREA, Stage, Tape, all, uniform, without};
use crate::support::{CLIENTS, sign};
use curve25519_dalek::MontgomeryPoint;
use curve25519_dalek::constants::EIGHT_TORSION;
use koonti_disclosure::names::unhex;
use koonti_secagg::Abort;
use koonti_secagg::coordinator::{Fault, Phase};
use koonti_secagg::message::{Advert, Adverts, Commitments, Entry, Shares};

const N: u16 = 5;
/// It works for the coordinator, and signs anything.
const LIAR: u16 = 3;

/// What node 0 says to these adverts, changed; the liar signs its own again.
fn hears(change: impl FnOnce(&mut Vec<Advert>)) -> Option<Abort> {
    let tape = Tape::whole(N);
    let mut u1 = tape.u1();
    change(&mut u1);
    resign(tape.play.region.seed, tape, &mut u1);
    tape.ends(0, 1, &Adverts(u1).message(tape.round()))
}

fn resign(seed: u64, tape: &Tape, u1: &mut [Advert]) {
    for advert in u1.iter_mut().filter(|advert| advert.place == LIAR) {
        advert.signature = sign(seed, LIAR, "koonti/v1/advert", &advert.unsigned(tape.round()));
    }
}

/// A change to one field of an advert.
type Change = fn(&mut Advert);

const FIELDS: [(&str, Change); 5] = [
    ("mask key", |advert| advert.mask_pk[31] ^= 1),
    ("encryption key", |advert| advert.enc_pk[0] ^= 1),
    ("commitment", |advert| advert.commit.0[7] ^= 1),
    ("salt", |advert| advert.salt[15] ^= 1),
    ("signature", |advert| advert.signature[40] ^= 1),
];

#[test]
fn g06_altered_adverts() {
    let mut cases = Cases::of("g06_altered_adverts");
    for (what, change) in FIELDS {
        let own = hears(|u1| change(&mut u1[0]));
        cases.ends(format!("own {what}"), &own, &Some(Abort::OwnAdvert));
        for other in [1, 2, 4] {
            let end = hears(|u1| change(&mut u1[usize::from(other)]));
            cases.ends(format!("{what} of {other}"), &end, &Some(Abort::Signature(other)));
        }
    }
}

/// The coordinator knows the secret keys of what it puts in an honest node's place.
#[test]
fn g06_substituted_adverts() {
    let mut cases = Cases::of("g06_substituted_adverts");
    let (mask, enc) = (page::public([5; 32]), page::public([6; 32]));
    let forged = |advert: &mut Advert| (advert.mask_pk, advert.enc_pk) = (mask, enc);
    let tape = Tape::whole(N);
    let liar_signs = |advert: &mut Advert| {
        let unsigned = advert.unsigned(tape.round());
        advert.signature = sign(tape.play.region.seed, LIAR, "koonti/v1/advert", &unsigned);
    };
    let other_label = |advert: &mut Advert| {
        let unsigned = advert.unsigned(tape.round());
        advert.signature = sign(tape.play.region.seed, 2, "koonti/v1/shares", &unsigned);
    };
    let end = hears(|u1| forged(&mut u1[2]));
    cases.ends("with the old signature", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| {
        forged(&mut u1[2]);
        liar_signs(&mut u1[2]);
    });
    cases.ends("signed by a corrupted node", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| {
        forged(&mut u1[2]);
        u1[2].signature = [0; 64];
    });
    cases.ends("not signed", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| other_label(&mut u1[2]));
    cases.ends("signed by its node as something else", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| u1[2] = Advert { place: 2, ..u1[LIAR as usize].clone() });
    cases.ends("a corrupted node's advert in its place", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| u1[2] = Advert { place: 2, ..u1[1].clone() });
    cases.ends("another honest node's in its place", &end, &Some(Abort::Signature(2)));
    let end = hears(|u1| u1[0] = Advert { place: 0, ..u1[LIAR as usize].clone() });
    cases.ends("in this node's own place", &end, &Some(Abort::OwnAdvert));
    // The same nodes' adverts of another round: valid there.
    let other = Stage::joined(N, crate::support::SCORE, tape.play.region.seed, 0);
    let spec = other.region.spec(9, None);
    let mut player = crate::support::Player::new(&other.region, 2);
    let old = crate::stage::advert(&mut player, &other.region, &spec);
    let end = hears(|u1| u1[2] = old);
    cases.ends("of another round", &end, &Some(Abort::Signature(2)));
}

#[test]
fn g06_one_key_twice() {
    let mut cases = Cases::of("g06_one_key_twice");
    let keys = |advert: &Advert| [("mask", advert.mask_pk), ("encryption", advert.enc_pk)];
    for owner in [0, 1, 2, 4] {
        for (of, key) in keys(&Tape::whole(N).u1()[owner]) {
            let own = if owner == 0 { "reflected" } else { "copied" };
            let end = hears(|u1| u1[LIAR as usize].mask_pk = key);
            // Whoever comes later in the list is blamed; this node never blames itself.
            let blamed = if owner == 4 { 4 } else { LIAR };
            cases.ends(format!("{own}: {of} key of {owner} as mask key"), &end, &Some(Abort::Keys(blamed)));
            let end = hears(|u1| u1[LIAR as usize].enc_pk = key);
            cases.ends(format!("{own}: {of} key of {owner} as encryption key"), &end, &Some(Abort::Keys(blamed)));
        }
    }
    let end = hears(|u1| u1[LIAR as usize].enc_pk = u1[LIAR as usize].mask_pk);
    cases.ends("its own in both roles", &end, &Some(Abort::Keys(LIAR)));
}

/// Every point of low order on the curve and its twist, and all encodings that
/// X25519 takes for it.
fn low_order() -> Vec<Bytes> {
    let mut all = vec![];
    for text in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // p and p + 1 once more are 0 and 1.
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let key: Bytes = unhex(text).unwrap();
        let mut high = key;
        high[31] |= 0x80;
        all.extend([key, high]);
    }
    assert!(all.iter().all(|key| page::agree([77; 32], *key) == [0; 32]));
    all
}

#[test]
fn g06_low_order_keys() {
    let mut cases = Cases::of("g06_low_order_keys");
    for (i, key) in low_order().into_iter().enumerate() {
        let end = hears(|u1| u1[LIAR as usize].mask_pk = key);
        cases.ends(format!("{i} as mask key"), &end, &Some(Abort::Keys(LIAR)));
        let end = hears(|u1| u1[LIAR as usize].enc_pk = key);
        cases.ends(format!("{i} as encryption key"), &end, &Some(Abort::Keys(LIAR)));
    }
    // An honest coordinator does not even take such an advert.
    let mut play = crate::support::Play::new(N, CLIENTS, 61);
    let advert = play.answers(&[]).swap_remove(usize::from(LIAR)).1;
    let (round, advert) = Advert::parse(&advert).unwrap();
    for key in low_order() {
        for mut weak in [Advert { mask_pk: key, ..advert.clone() }, Advert { enc_pk: key, ..advert.clone() }] {
            weak.signature = sign(61, LIAR, "koonti/v1/advert", &weak.unsigned(round));
            assert_eq!(play.give(LIAR, &weak.message(round)), Err(Fault::Keys));
        }
    }
    assert_eq!(play.round.phase(), Phase::Adverts);
}

/// Other bytes for the same key: one bit that X25519 does not read, or a point of low
/// order added. Comparing bytes does not see it, so nothing may rest on that.
fn the_same_key_otherwise(key: Bytes) -> Vec<(String, Bytes)> {
    let mut high = key;
    high[31] |= 0x80;
    let mut others = vec![("the unread bit".to_owned(), high)];
    let point = MontgomeryPoint(key).to_edwards(0).expect("honest keys are on the curve");
    for (i, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        others.push((format!("torsion {i}"), (point + torsion).to_montgomery().to_bytes()));
    }
    assert!(others.iter().all(|(_, other)| *other != key && page::agree([9; 32], *other) == page::agree([9; 32], key)));
    others
}

/// The liar's shares, dealt by hand: its session would not take its altered advert.
fn deal(stage: &Stage, secrets: &Secrets, u1: &[Advert], sid: koonti_disclosure::Digest) -> Shares {
    let entry = |advert: &Advert| {
        let (route, shares) = ((LIAR, advert.place), secrets.shares(advert.place));
        let com = page::commitments(sid, route, &shares);
        let shared = page::agree(secrets.enc_sk, advert.enc_pk);
        Entry { place: advert.place, ciphertext: page::seal(sid, &shared, route, &com, &shares), commitments: com }
    };
    let own: Commitments = page::commitments(sid, (LIAR, LIAR), &secrets.shares(LIAR));
    let entries = u1.iter().filter(|advert| advert.place != LIAR).map(entry).collect();
    let mut shares = Shares { sid, own, entries, signature: [0; 64] };
    shares.signature = sign(stage.region.seed, LIAR, "koonti/v1/shares", &shares.unsigned(stage.spec.round()));
    shares
}

/// A whole round in which the liar's mask key is node 0's in other bytes.
fn reflected(key: &dyn Fn(&Stage) -> Bytes, table: crate::support::Table) -> (Stage, Vec<Advert>) {
    let mut stage = Stage::dealt(N, table, 62, 0);
    let secrets = stage.secrets(LIAR);
    let mut stage_again = Stage::joined(N, table, 62, 0);
    let mut u1 = stage_again.u1.clone();
    u1[LIAR as usize].mask_pk = key(&stage);
    let unsigned = u1[LIAR as usize].unsigned(stage.spec.round());
    u1[LIAR as usize].signature = sign(62, LIAR, "koonti/v1/advert", &unsigned);
    stage_again.liars = vec![LIAR];
    let sid = stage_again.mallory.session(&u1);
    for place in stage_again.honest() {
        stage_again.deal(place, &u1).unwrap();
    }
    let by_hand = deal(&stage_again, &secrets, &u1, sid);
    stage_again.shares.insert(LIAR, by_hand);
    (stage_again.sid, stage_again.u1) = (sid, u1.clone());
    stage = stage_again;
    stage.mallory.corrupt(LIAR, secrets);
    for (dealer, shares) in stage.shares.clone() {
        stage.mallory.dealt(dealer, &shares);
    }
    (stage, u1)
}

#[test]
fn g06_a_key_reflected_in_other_bytes_gains_nothing() {
    let mut cases = Cases::of("g06_a_key_reflected_in_other_bytes_gains_nothing");
    let others = the_same_key_otherwise(Stage::joined(N, CLIENTS, 62, 0).u1[0].mask_pk).len();
    for i in 0..others {
        let other = |stage: &Stage| the_same_key_otherwise(stage.u1[0].mask_pk).swap_remove(i).1;
        let (mut stage, u1) = reflected(&other, CLIENTS);
        // Both keys of a pair are one to X25519, and yet no two pairs have one mask.
        let (one, two) = (u1[0].mask_pk, u1[LIAR as usize].mask_pk);
        let (sid, u2h) = (stage.sid, page::u2_hash(stage.sid, &all(N)));
        let of = |place: u16, key: Bytes, other| {
            let shared = page::agree(stage.secrets(place).mask_sk, key);
            page::pair_seed(sid, &shared, u2h, place, other)
        };
        assert!([1, 2, 4].iter().all(|place| of(*place, one, 0) != of(*place, two, LIAR)));
        for place in stage.honest() {
            stage.mask(place, &all(N)).unwrap();
        }
        assert!(stage.sealed());
        stage.open_all(&all(N));
        // Nobody has the secret of that key, so the masks shared with it never come off.
        cases.holds(format!("encoding {i}: the sum"), stage.sealed());
        assert!(stage.mallory.secret(0, Half::Mask).is_none());
    }
}

/// The same, with the liar dropped: it then takes an honest node's help to rebuild its
/// mask key, and what is rebuilt is not the key it advertised.
#[test]
fn g06_a_reflected_key_dropped_is_garbage() {
    let mut cases = Cases::of("g06_a_reflected_key_dropped_is_garbage");
    let high = |stage: &Stage| the_same_key_otherwise(stage.u1[0].mask_pk).swap_remove(0).1;
    let (mut stage, _) = reflected(&high, AREA);
    let (honest, u3) = (stage.honest(), without(N, LIAR));
    for place in honest.clone() {
        stage.mask(place, &all(N)).unwrap();
    }
    stage.open_all(&u3);
    cases.holds("nothing opens", openings(&[&stage.mallory]).is_empty());
    cases.holds("the sum is uniform", uniform(&stage.mallory.residue(&honest, &stage.truth(&honest))));
}
