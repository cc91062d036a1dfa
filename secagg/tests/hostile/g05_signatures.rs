//! 5: confirmations that are too few, or are not what they say.

use crate::cases::Cases;
use crate::page;
use crate::stage::{Tape, all, signed, without};
use crate::support::sign;
use koonti_disclosure::Digest;
use koonti_disclosure::names::unhex;
use koonti_secagg::Abort;
use koonti_secagg::message::{Confirmations, Signature};

/// A node that has signed U3 (all of `n` but the last), and all signatures over it.
fn ready(n: u16) -> (&'static Tape, Vec<(u16, Signature)>, usize) {
    let tape = Tape::dropped(n);
    let (_, Confirmations(genuine)) = Confirmations::parse(&tape.heard[0][4]).unwrap();
    assert!(genuine.iter().map(|(place, _)| *place).eq(0..n - 1));
    (tape, genuine, tape.play.round.spec().quorum().t() as usize)
}

fn ends(tape: &Tape, list: Vec<(u16, Signature)>) -> Option<Abort> {
    tape.ends(0, 4, &Confirmations(list).message(tape.round()))
}

#[test]
fn g05_signatures_fewer_than_t() {
    let mut cases = Cases::of("g05_signatures_fewer_than_t");
    for n in [5, 6, 9, 12] {
        let (tape, genuine, t) = ready(n);
        for count in 0..t {
            let end = ends(tape, genuine[genuine.len() - count..].to_vec());
            cases.ends(format!("{count} of {t}, n = {n}"), &end, &Some(Abort::TooFewConfirmations));
        }
        assert_eq!(ends(tape, genuine[genuine.len() - t..].to_vec()), None, "t are enough, its own or not");
    }
}

#[test]
fn g05_one_signature_counted_twice() {
    let mut cases = Cases::of("g05_one_signature_counted_twice");
    for n in [5, 9] {
        let (tape, genuine, t) = ready(n);
        let short = &genuine[..t - 1];
        let twice = |at: usize| {
            let mut list = short.to_vec();
            list.insert(at, short[at]);
            list
        };
        for at in 0..t - 1 {
            cases.ends(format!("place {at} twice, n = {n}"), &ends(tape, twice(at)), &Some(Abort::Invalid));
        }
        let after = [short, &short[..1]].concat();
        cases.ends(format!("again at the end, n = {n}"), &ends(tape, after), &Some(Abort::Invalid));
        let mut backwards = genuine.clone();
        backwards.reverse();
        cases.ends(format!("backwards, n = {n}"), &ends(tape, backwards), &Some(Abort::Invalid));
        for other in t - 1..usize::from(n) {
            let mut list = short.to_vec();
            list.push((other as u16, short[0].1));
            let end = ends(tape, list);
            cases.ends(format!("as that of {other}, n = {n}"), &end, &Some(Abort::TooFewConfirmations));
        }
    }
}

/// Valid signatures over this very U3, of nodes that are not in it.
#[test]
fn g05_signatures_of_non_members() {
    let mut cases = Cases::of("g05_signatures_of_non_members");
    for n in [5, 9] {
        let (tape, genuine, t) = ready(n);
        let over = signed(tape.round(), tape.sid(), &all(n), &without(n, n - 1));
        let of = |place: u16| (place, sign(tape.play.region.seed, place, "koonti/v1/u3", &over));
        assert_eq!(of(0), genuine[0], "this is what is signed");
        let with = |more: &[u16]| [genuine[..t - 1].to_vec(), more.iter().map(|p| of(*p)).collect()].concat();
        for (what, more) in [
            ("dropped", vec![n - 1]),
            ("no such place", vec![n]),
            ("far beyond the roster", vec![500]),
            ("nobody", vec![u16::MAX]),
            ("all of these", vec![n - 1, n, 500, u16::MAX]),
        ] {
            let end = ends(tape, with(&more));
            cases.ends(format!("{what}, n = {n}"), &end, &Some(Abort::TooFewConfirmations));
        }
    }
}

/// What a node of U3 signed or a corrupted one would: anything but this U3.
fn over_something_else(tape: &Tape, n: u16, place: u16) -> Vec<(&'static str, Signature)> {
    let (round, sid, u3) = (tape.round(), tape.sid(), without(n, n - 1));
    let seed = tape.play.region.seed;
    let u3_of = |message: &[u8]| sign(seed, place, "koonti/v1/u3", message);
    let right = signed(round, sid, &all(n), &u3);
    let mut other_adverts = tape.u1();
    other_adverts[usize::from(n) - 1].salt[0] ^= 1;
    let other_sid = page::session(round, tape.play.region.roster.hash(), &other_adverts);
    let other_round = Digest([7; 32]);
    let u3h = page::u3_hash(sid, page::u2_hash(sid, &all(n)), &u3);
    let mut list = vec![
        ("of another session", u3_of(&signed(round, other_sid, &all(n), &u3))),
        ("over another U2", u3_of(&signed(round, sid, &u3, &u3))),
        ("over another U3", u3_of(&signed(round, sid, &all(n), &all(n)))),
        ("over a U3 without node 1", u3_of(&signed(round, sid, &all(n), &without(n, 1)))),
        ("of another round", u3_of(&signed(other_round, sid, &all(n), &u3))),
        ("over the hash alone", u3_of(&u3h.0)),
        ("over the round alone", u3_of(&round.0)),
        ("over the session", u3_of(&[round.0, sid.0].concat())),
        ("over nothing", u3_of(&[])),
        ("of another node", sign(seed, place + 1, "koonti/v1/u3", &right)),
    ];
    for label in ["advert", "shares", "masked", "abort", "request", "release", "roster", "enrolment", "u2", "u"] {
        list.push((label, sign(seed, place, &format!("koonti/v1/{label}"), &right)));
    }
    list.push(("v2", sign(seed, place, "koonti/v2/u3", &right)));
    list
}

#[test]
fn g05_signatures_over_something_else() {
    let mut cases = Cases::of("g05_signatures_over_something_else");
    let n = 9;
    let (tape, genuine, t) = ready(n);
    let place = t as u16 - 1;
    for (what, signature) in over_something_else(tape, n, place) {
        let list = [genuine[..t - 1].to_vec(), vec![(place, signature)]].concat();
        cases.ends(what, &ends(tape, list), &Some(Abort::TooFewConfirmations));
    }
}

/// All signatures of a round that was played honestly, in a round of the same nodes.
#[test]
fn g05_all_signatures_of_another_round() {
    let mut cases = Cases::of("g05_all_signatures_of_another_round");
    for n in [5, 9] {
        let (tape, ..) = ready(n);
        let (whole, sid) = (Tape::whole(n), Tape::whole(n).sid());
        assert_eq!(whole.round(), tape.round(), "the same round, but another U3");
        assert_eq!(sid, tape.sid());
        let (_, Confirmations(other)) = Confirmations::parse(&whole.heard[0][4]).unwrap();
        cases.ends(format!("n = {n}"), &ends(tape, other), &Some(Abort::TooFewConfirmations));
    }
}

#[test]
fn g05_altered_signatures() {
    let mut cases = Cases::of("g05_altered_signatures");
    let (tape, genuine, t) = ready(5);
    let with = |signature: Signature| {
        let (place, _) = genuine[t - 1];
        ends(tape, [genuine[..t - 1].to_vec(), vec![(place, signature)]].concat())
    };
    let good = genuine[t - 1].1;
    assert_eq!(with(good), None);
    for (what, range) in [("every bit of R", 0..256), ("every bit of S", 256..512)] {
        let flipped = range.step_by(3).all(|bit: usize| {
            let mut signature = good;
            signature[bit / 8] ^= 1 << (bit % 8);
            with(signature) == Some(Abort::TooFewConfirmations)
        });
        cases.holds(what, flipped);
    }
    // S + l: the same equation, another signature.
    let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut malleated = good;
    let mut carry = 0u16;
    for (byte, l) in malleated[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(l);
        (*byte, carry) = (carry as u8, carry >> 8);
    }
    cases.ends("S + l", &with(malleated), &Some(Abort::TooFewConfirmations));
    // R of small order, S = 0: verifies under careless rules for some messages.
    let mut small = [0; 64];
    small[0] = 1;
    for (what, signature) in [("zeros", [0; 64]), ("R the identity", small), ("ones", [0xff; 64])] {
        cases.ends(what, &with(signature), &Some(Abort::TooFewConfirmations));
    }
}
