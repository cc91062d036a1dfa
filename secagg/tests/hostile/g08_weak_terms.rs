//! 8: specifications weaker than the roster or the node's own rules, and a ledger
//! without room.

use crate::cases::Cases;
use crate::stage::{Stage, Tape, admitted};
use crate::support::{CLIENTS, Memory, NOW, Player, Region, name};
use koonti_disclosure::ledger::{DebitError, DebitSink, Joining};
use koonti_disclosure::names::hex;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Digest, Ledger, Refusal, canonical};
use koonti_secagg::Abort;
use koonti_secagg::message::Start;
use koonti_secagg::node::Next;
use serde_json::{Value, json};

fn with(spec: &RoundSpec, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(spec.bytes()).unwrap();
    for (field, value) in fields {
        json[*field] = value.clone();
    }
    canonical::to_bytes(&json).unwrap()
}

fn start(spec: &[u8], certificate: &[u8]) -> Vec<u8> {
    [&[1], (spec.len() as u32).to_be_bytes().as_slice(), spec, certificate].concat()
}

#[test]
fn g08_numbers_that_do_not_follow() {
    let mut cases = Cases::of("g08_numbers_that_do_not_follow");
    for n in [5, 6, 9, 12] {
        let spec = Region::new(n, CLIENTS, 81).spec(0, None);
        let q = spec.quorum();
        let low = |x: u32| x - 1;
        for (what, field, value) in [
            ("t lower", "t", low(q.t())),
            ("t is c", "t", q.c()),
            ("t is 1", "t", 1),
            ("t higher", "t", q.t() + 1),
            ("u_min lower", "u_min", low(q.u_min())),
            ("u_min is 2", "u_min", 2),
            ("u_min higher", "u_min", q.u_min() + 1),
            ("c lower", "c", low(q.c())),
            ("c is n", "c", u32::from(n)),
            ("h higher", "h", q.h() + 1),
            ("h is u_min", "h", q.u_min()),
            ("h is n", "h", u32::from(n)),
            ("h is 0", "h", 0),
            ("n is 4", "n", 4),
            ("n is 0", "n", 0),
            ("n is 501", "n", 501),
        ] {
            let bytes = with(&spec, &[(field, json!(value))]);
            let refused = RoundSpec::parse(&bytes).is_err() && Start::parse(&start(&bytes, &[])).is_err();
            cases.holds(format!("{what}, n = {n}"), refused);
        }
    }
}

#[test]
fn g08_values_out_of_range() {
    let mut cases = Cases::of("g08_values_out_of_range");
    let spec = Region::new(12, CLIENTS, 81).spec(0, None);
    let d = spec.deadline(0);
    let previous = ("previous", json!(Digest([1; 32])));
    for (what, fields) in [
        ("k is 2", vec![("k", json!(2))]),
        ("k is 0", vec![("k", json!(0))]),
        ("j is 0", vec![("j", json!(0))]),
        ("j is 101", vec![("j", json!(101))]),
        ("eta is 0", vec![("eta", json!([0, 100]))]),
        ("eta over a half", vec![("eta", json!([51, 100]))]),
        ("eta over nothing", vec![("eta", json!([1, 0]))]),
        ("deadlines stand still", vec![("deadlines", json!([d, d + 1, d + 1, d + 2, d + 3]))]),
        ("deadlines go back", vec![("deadlines", json!([d + 4, d + 3, d + 2, d + 1, d]))]),
        ("four deadlines", vec![("deadlines", json!([d, d + 1, d + 2, d + 3]))]),
        ("attempt 1 of nothing", vec![("attempt", json!(1))]),
        ("attempt 2", vec![("attempt", json!(2)), previous.clone()]),
        ("attempt 0 of something", vec![previous]),
        ("version 2", vec![("v", json!(2))]),
        ("version 0", vec![("v", json!(0))]),
        ("one more field", vec![("mechanism", json!("none"))]),
        ("a float", vec![("k", json!(7.0))]),
        ("a negative number", vec![("epoch", json!(-1))]),
        ("text for a number", vec![("t", json!("8"))]),
        ("null", vec![("nonce", Value::Null)]),
    ] {
        let mut json: Value = serde_json::from_slice(spec.bytes()).unwrap();
        for (field, value) in fields {
            json[field] = value;
        }
        let bytes = serde_json::to_vec(&json).unwrap();
        cases.holds(what, RoundSpec::parse(&bytes).is_err());
    }
    let text = String::from_utf8(spec.bytes().to_vec()).unwrap();
    let nonce = hex(&spec.nonce().0);
    for (what, text) in [
        ("a field twice", text.replace("\"k\":5", "\"k\":5,\"k\":5")),
        ("a space", text.replace(",\"t\"", ", \"t\"")),
        ("another order", text.replace("\"j\":2,\"k\":5", "\"k\":5,\"j\":2")),
        ("a field missing", text.replace("\"nonce\":", "\"none\":")),
        ("hex in capitals", text.replace(&nonce, &nonce.to_uppercase())),
        ("a line's end", format!("{text}\n")),
        ("nothing", String::new()),
    ] {
        cases.holds(what, RoundSpec::parse(text.as_bytes()).is_err());
    }
}

/// Numbers that follow from each other, but not from this roster.
#[test]
fn g08_numbers_of_another_roster() {
    let mut cases = Cases::of("g08_numbers_of_another_roster");
    let region = Region::new(12, CLIENTS, 81);
    let spec = region.spec(0, None);
    let numbers = |n: u32, c: u32| {
        let q = Quorum::new(n, c).unwrap();
        let fields = [("n", n), ("c", q.c()), ("t", q.t()), ("u_min", q.u_min()), ("h", q.h())];
        RoundSpec::parse(&with(&spec, &fields.map(|(field, value)| (field, json!(value))))).unwrap()
    };
    for (what, n, c) in
        [("11 nodes", 11, 1), ("5 nodes", 5, 1), ("500 nodes", 500, 1), ("c is 3", 12, 3), ("c is 6", 12, 6)]
    {
        let weaker = numbers(n, c);
        let check = weaker.check(&admitted(&region, 0, 1_000_000_000).unwrap(), &region.roster);
        let mut player = Player::new(&region, 0);
        let joined = player.join(&region, &weaker).err();
        cases.ends(what, &(check, joined), &(Err(Refusal::RoundMismatch), Some(Abort::Refused)));
    }
}

/// A retry without a certificate, or a certificate where there is nothing to retry.
#[test]
fn g08_starts_of_another_shape() {
    let mut cases = Cases::of("g08_starts_of_another_shape");
    let region = Region::new(5, CLIENTS, 81);
    let (first, retry) = (region.spec(0, None), region.spec(1, Some(Digest([1; 32]))));
    let good = start(first.bytes(), &[]);
    assert!(Start::parse(&good).is_ok());
    let long = |length: u32| [&[1], length.to_be_bytes().as_slice(), first.bytes()].concat();
    for (what, bytes) in [
        ("a retry without certificate", start(retry.bytes(), &[])),
        ("a certificate for nothing", start(first.bytes(), &[0; 100])),
        ("a byte more", [good.as_slice(), &[0]].concat()),
        ("a byte less", good[..good.len() - 1].to_vec()),
        ("a longer length", long(first.bytes().len() as u32 + 1)),
        ("a shorter length", long(first.bytes().len() as u32 - 1)),
        ("a length of 2^32 - 1", long(u32::MAX)),
        ("two specifications", start(&[first.bytes(), first.bytes()].concat(), &[])),
    ] {
        cases.holds(what, Start::parse(&bytes).is_err());
    }
    let mut every_length = (0..good.len()).map(|length| Start::parse(&good[..length]).is_err());
    cases.holds("every length", every_length.all(|refused| refused));
}

/// The ledger of a node that has room for this many nano-rho, at the moment of the
/// debit: masks are out, and nothing has been sent.
fn without_room(nano_rho: u64) -> (Option<Refusal>, usize) {
    let tape = Tape::whole(5);
    let mut player = tape.node(0, 2);
    let Ok(Next::Mask(_masks)) = player.take(&tape.heard[0][2]) else { panic!("no masks") };
    let region = &tape.play.region;
    let joining = Joining {
        requester: name("aino"),
        spec: tape.play.round.spec(),
        session: tape.sid(),
        roster: &region.roster,
        certificate: None,
        seed: (0, Seed::new([1; 32])),
        time: NOW,
    };
    let mut sink = Memory::default();
    let refused = match Ledger::default().join(admitted(region, 0, nano_rho).unwrap(), joining, &mut sink) {
        Err(DebitError::Refused(refusal)) => Some(refusal),
        _ => None,
    };
    let silent = crate::stage::wants(player.take(&tape.heard[0][2])) == Ok(vec![]);
    assert!(silent && player.take(&tape.heard[0][3]).err() == Some(Abort::OutOfTurn));
    (refused, sink.0.len())
}

#[test]
fn g08_a_ledger_without_room() {
    let mut cases = Cases::of("g08_a_ledger_without_room");
    let cost = admitted(&Tape::whole(5).play.region, 0, 1_000_000_000).unwrap().cost().nano_rho;
    assert_eq!(without_room(cost), (None, 1), "there is just room");
    for room in [1, cost / 2, cost - 1] {
        cases.ends(format!("{room} of {cost}"), &without_room(room), &(Some(Refusal::AllowanceExhausted), 0));
    }
}

/// A disk that fails: no permit, and none later either, since what is on it is unknown.
#[test]
fn g08_a_ledger_that_cannot_write() {
    struct Broken;
    impl DebitSink for Broken {
        type Error = ();
        fn append_synced(&mut self, _: &[u8]) -> Result<u64, ()> {
            Err(())
        }
    }
    let mut cases = Cases::of("g08_a_ledger_that_cannot_write");
    let stage = Stage::joined(5, CLIENTS, 82, 0);
    let mut ledger = Ledger::default();
    let join = |ledger: &mut Ledger, broken: bool| {
        let joining = Joining {
            requester: name("aino"),
            spec: &stage.spec,
            session: stage.sid,
            roster: &stage.region.roster,
            certificate: None,
            seed: (0, Seed::new([1; 32])),
            time: NOW,
        };
        let admitted = admitted(&stage.region, 0, 1_000_000_000).unwrap();
        if broken {
            ledger.join(admitted, joining, &mut Broken).err()
        } else {
            ledger.join(admitted, joining, &mut Memory::default()).err()
        }
    };
    cases.holds("at the debit", matches!(join(&mut ledger, true), Some(DebitError::Sink(()))));
    cases.holds("and after it", matches!(join(&mut ledger, false), Some(DebitError::Lost)));
}
