//! 7: one node is shown another specification. Whatever it differs in, the node is
//! then in a round of its own, and nothing of the two rounds fits together.

use crate::cases::Cases;
use crate::mallory::openings;
use crate::stage::{Stage, advert, all};
use crate::support::{CLIENTS, NOW, Player, Region, SCORE, sign};
use koonti_disclosure::ledger::DebitError;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Refusal, canonical};
use koonti_secagg::Abort;
use koonti_secagg::message::{Advert, Adverts};
use serde_json::{Value, json};

const N: u16 = 9;
const C: u16 = 1;
const SEED: u64 = 71;

/// The honest specification with some fields changed.
fn changed(spec: &RoundSpec, fields: &[(&str, Value)]) -> RoundSpec {
    let mut json: Value = serde_json::from_slice(spec.bytes()).unwrap();
    for (field, value) in fields {
        assert_ne!(json[*field], *value);
        json[*field] = value.clone();
    }
    RoundSpec::parse(&canonical::to_bytes(&json).unwrap()).unwrap()
}

/// A name, and what is changed.
type Variant = (String, Vec<(&'static str, Value)>);

/// Each field in turn, in ways that the node's own rules do not refuse.
fn allowed() -> Vec<Variant> {
    let deadlines: Vec<u64> = (1..=5).map(|i| NOW + 60 * i).collect();
    let mut all: Vec<Variant> = vec![
        ("k".into(), vec![("k", json!(6))]),
        ("j".into(), vec![("j", json!(3))]),
        ("eta".into(), vec![("eta", json!([1, 101]))]),
        ("eta in other terms".into(), vec![("eta", json!([2, 200]))]),
        ("nonce".into(), vec![("nonce", json!(Digest([3; 32])))]),
        ("previous".into(), vec![("attempt", json!(1)), ("previous", json!(Digest([4; 32])))]),
    ];
    for phase in 0..5 {
        let mut later = deadlines.clone();
        later[phase] += 1;
        all.push((format!("deadline {phase}"), vec![("deadlines", json!(later))]));
    }
    all
}

/// The same in ways that every honest node refuses.
fn refused() -> Vec<(Variant, Refusal)> {
    let one = |what: &str, field, value| (what.to_owned(), vec![(field, value)]);
    vec![
        (one("a looser k", "k", json!(4)), Refusal::RoundLooser),
        (one("a looser j", "j", json!(1)), Refusal::RoundLooser),
        (one("a looser eta", "eta", json!([1, 99])), Refusal::RoundLooser),
        (one("another request", "request", json!(SCORE.request().id())), Refusal::RoundMismatch),
        (one("another roster", "roster", json!(Digest([5; 32]))), Refusal::RoundMismatch),
        (one("a later epoch", "epoch", json!(2)), Refusal::RoundMismatch),
        (one("an earlier epoch", "epoch", json!(0)), Refusal::RoundMismatch),
    ]
}

#[test]
fn g07_terms_that_the_node_refuses() {
    let mut cases = Cases::of("g07_terms_that_the_node_refuses");
    let stage = Stage::joined(N, CLIENTS, SEED, C);
    for ((what, fields), refusal) in refused() {
        let spec = changed(&stage.spec, &fields);
        let mut player = Player::new(&stage.region, 0);
        let refused = match player.granted(&stage.region, &spec) {
            Err(DebitError::Refused(refusal)) => Some(refusal),
            _ => None,
        };
        assert!(player.journal.0.is_empty(), "no debit");
        cases.ends(what, &refused, &Some(refusal));
    }
    // Session and roster: refused even if the caller forgot to ask.
    for (what, fields) in [("roster", ("roster", json!(Digest([5; 32])))), ("n", ("n", json!(10)))] {
        let mut json: Value = serde_json::from_slice(stage.spec.bytes()).unwrap();
        json[fields.0] = fields.1;
        (json["c"], json["t"], json["u_min"], json["h"]) = if what == "n" {
            (json!(2), json!(7), json!(9), json!(7))
        } else {
            (json["c"].clone(), json["t"].clone(), json["u_min"].clone(), json["h"].clone())
        };
        let spec = RoundSpec::parse(&canonical::to_bytes(&json).unwrap()).unwrap();
        let mut player = Player::new(&stage.region, 0);
        cases.ends(format!("{what} at the session"), &player.join(&stage.region, &spec).err(), &Some(Abort::Refused));
    }
}

/// The round's bytes of a message, replaced.
fn readdressed(message: &[u8], round: Digest) -> Vec<u8> {
    [&message[..1], &round.0, &message[33..]].concat()
}

/// Node 0 alone is shown other terms, which its rules allow.
#[test]
fn g07_one_node_with_other_terms() {
    let mut cases = Cases::of("g07_one_node_with_other_terms");
    for (what, fields) in allowed() {
        let stage = Stage::joined(N, CLIENTS, SEED, C);
        let (honest, spec) = (&stage.spec, changed(&stage.spec, &fields));
        let theirs = Adverts(stage.u1.clone()).message(honest.round());
        let hears = |message: &dyn Fn(&Advert) -> Vec<u8>| {
            let mut player = Player::new(&stage.region, 0);
            let own = advert(&mut player, &stage.region, &spec);
            player.take(&message(&own)).err()
        };
        assert_ne!(spec.round(), honest.round());
        cases.ends(format!("{what}: their adverts"), &hears(&|_| theirs.clone()), &Some(Abort::Invalid));
        let renamed = |own: &Advert| {
            let mut u1 = stage.u1.clone();
            u1[0] = own.clone();
            readdressed(&Adverts(u1).message(honest.round()), spec.round())
        };
        cases.ends(format!("{what}: readdressed"), &hears(&renamed), &Some(Abort::Signature(1)));
        let whole = |_: &Advert| readdressed(&theirs, spec.round());
        cases.ends(format!("{what}: with its own of the other"), &hears(&whole), &Some(Abort::OwnAdvert));
        // Corrupted nodes sign in both rounds, honest ones in one.
        let alone = |own: &Advert| {
            let mut liar = stage.u1[usize::from(N) - 1].clone();
            liar.signature = sign(SEED, N - 1, "koonti/v1/advert", &liar.unsigned(spec.round()));
            Adverts(vec![own.clone(), liar]).message(spec.round())
        };
        cases.ends(format!("{what}: with corrupted nodes"), &hears(&alone), &Some(Abort::TooSmall));
        // The others, shown its advert of the other round.
        let mut odd = Player::new(&stage.region, 0);
        let mut u1 = stage.u1.clone();
        u1[0] = advert(&mut odd, &stage.region, &spec);
        let mut other = Player::new(&stage.region, 1);
        advert(&mut other, &stage.region, honest);
        let end = other.take(&Adverts(u1).message(honest.round())).err();
        cases.ends(format!("{what}: the others"), &end, &Some(Abort::Signature(0)));
    }
}

/// Half the nodes in one round, half in another: neither has enough, whatever the
/// corrupted nodes sign.
#[test]
fn g07_half_the_nodes_with_other_terms() {
    let mut cases = Cases::of("g07_half_the_nodes_with_other_terms");
    for (what, fields) in allowed().into_iter().step_by(3) {
        let stage = Stage::joined(N, CLIENTS, SEED, C);
        let spec = changed(&stage.spec, &fields);
        let half = |of: &RoundSpec, places: std::ops::Range<u16>| {
            let mut players: Vec<Player> = places.map(|place| Player::new(&stage.region, place)).collect();
            let mut u1: Vec<Advert> = players.iter_mut().map(|player| advert(player, &stage.region, of)).collect();
            let mut liar = stage.u1[usize::from(N) - 1].clone();
            liar.signature = sign(SEED, N - 1, "koonti/v1/advert", &liar.unsigned(of.round()));
            u1.push(liar);
            let message = Adverts(u1).message(of.round());
            players.iter_mut().map(|player| player.take(&message).err()).collect::<Vec<_>>()
        };
        let ends = [half(&stage.spec, 0..4), half(&spec, 4..8)].concat();
        cases.ends(what, &ends, &vec![Some(Abort::TooSmall); 8]);
    }
}

/// Two whole rounds of one question, the second after the first was stopped before
/// the debit: their inputs do not cancel, and shares of one open nothing in the other.
#[test]
fn g07_inputs_of_two_rounds_never_combine() {
    let mut cases = Cases::of("g07_inputs_of_two_rounds_never_combine");
    let mut first = Stage::masked(N, CLIENTS, SEED, C);
    let spec = changed(&first.spec, &[("nonce", json!(Digest([3; 32])))]);
    // Only in a test: the same nodes play both, as if no ledger stopped them.
    let mut second = Stage::joined_to(Region::new(N, CLIENTS, SEED), spec, None, C);
    second.deal_all();
    second.mask_all();
    cases.holds("nothing is open", openings(&[&first.mallory, &second.mallory]).is_empty());
    // The first one's shares are all released, and still nothing of the second opens.
    first.open_all(&all(N));
    let open = openings(&[&first.mallory, &second.mallory]);
    cases.holds("the first alone", open.len() == 1 && first.opens_only(&all(N)) && second.sealed());
}
