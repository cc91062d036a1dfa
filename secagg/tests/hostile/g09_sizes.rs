//! 9: sets that are too small or hold the wrong nodes, and rosters that are not the
//! node's.

use crate::cases::Cases;
use crate::stage::{Stage, Tape, admitted, all, without};
use crate::support::{CLIENTS, COORDINATOR, Player, Region, identity, name, unused_key};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::roster::{self, Floor, NodeEntry, Roster, SignedRoster};
use koonti_disclosure::{Digest, Refusal};
use koonti_secagg::Abort;
use koonti_secagg::message::{Adverts, Inbox, Survivors};
use koonti_secagg::node::Session;

const SIZES: [u16; 4] = [5, 6, 9, 12];

#[test]
fn g09_sets_below_u_min() {
    let mut cases = Cases::of("g09_sets_below_u_min");
    for n in SIZES {
        let tape = Tape::whole(n);
        let u_min = tape.play.round.spec().quorum().u_min() as usize;
        let (_, whole) = Inbox::parse(&tape.heard[0][2]).unwrap();
        for size in 0..u_min {
            let places = all(size as u16);
            let u1 = Adverts(tape.u1()[..size].to_vec()).message(tape.round());
            let inbox = Inbox { set: places.clone(), entries: whole.entries[..size.saturating_sub(1)].to_vec() };
            let ends = [
                tape.ends(0, 1, &u1),
                tape.ends(0, 2, &inbox.message(tape.round())),
                tape.ends(0, 3, &Survivors(places).message(tape.round())),
            ];
            for (set, end) in [1, 2, 3].into_iter().zip(ends) {
                cases.ends(format!("|U{set}| = {size} of {n}"), &end, &Some(Abort::TooSmall));
            }
        }
    }
}

/// Large enough, but without this node.
#[test]
fn g09_sets_without_this_node() {
    let mut cases = Cases::of("g09_sets_without_this_node");
    for n in SIZES {
        let tape = Tape::whole(n);
        for me in [0, n / 2, n - 1] {
            let u1 = tape.u1().into_iter().filter(|advert| advert.place != me).collect();
            let ends = tape.ends(me, 1, &Adverts(u1).message(tape.round()));
            cases.ends(format!("U1 without {me} of {n}"), &ends, &Some(Abort::NotInSet));
            let (_, mut inbox) = Inbox::parse(&tape.heard[usize::from(me)][2]).unwrap();
            inbox.set.retain(|place| *place != me);
            let ends = tape.ends(me, 2, &inbox.message(tape.round()));
            cases.ends(format!("U2 without {me} of {n}"), &ends, &Some(Abort::NotInSet));
            let ends = tape.ends(me, 3, &Survivors(without(n, me)).message(tape.round()));
            cases.ends(format!("U3 without {me} of {n}"), &ends, &Some(Abort::NotInSet));
        }
    }
}

/// Nodes that are not in the roster, or not in the set before.
#[test]
fn g09_sets_with_strangers() {
    let mut cases = Cases::of("g09_sets_with_strangers");
    for n in SIZES {
        let tape = Tape::whole(n);
        for stranger in [n, n + 1, 500, u16::MAX] {
            let mut u1 = tape.u1();
            u1.push(koonti_secagg::message::Advert { place: stranger, ..u1[1].clone() });
            let end = tape.ends(0, 1, &Adverts(u1).message(tape.round()));
            cases.ends(format!("{stranger} in U1 of {n}"), &end, &Some(Abort::Invalid));
            let (_, mut inbox) = Inbox::parse(&tape.heard[0][2]).unwrap();
            inbox.set.push(stranger);
            let bare = tape.ends(0, 2, &inbox.message(tape.round()));
            cases.ends(format!("{stranger} in U2 of {n}, without an entry"), &bare, &Some(Abort::Invalid));
            inbox.entries.push(koonti_secagg::message::Entry { place: stranger, ..inbox.entries[0].clone() });
            let end = tape.ends(0, 2, &inbox.message(tape.round()));
            cases.ends(format!("{stranger} in U2 of {n}"), &end, &Some(Abort::Invalid));
            let mut u3 = all(n);
            u3.push(stranger);
            let end = tape.ends(0, 3, &Survivors(u3).message(tape.round()));
            cases.ends(format!("{stranger} in U3 of {n}"), &end, &Some(Abort::Invalid));
        }
    }
}

/// A node that is in U1 and not in U2 comes back in U3; one that is not in U1, in U2.
#[test]
fn g09_sets_that_grow_again() {
    let mut cases = Cases::of("g09_sets_that_grow_again");
    for n in SIZES {
        let tape = Tape::whole(n);
        let back = n - 1;
        let round = tape.round();
        let (_, mut inbox) = Inbox::parse(&tape.heard[0][2]).unwrap();
        inbox.set.retain(|place| *place != back);
        inbox.entries.retain(|entry| entry.place != back);
        let mut player = tape.node(0, 2);
        player.hear(&tape.play.region, &inbox.message(round)).unwrap();
        let end = tape.leaves(&mut player, &Survivors(all(n)).message(round));
        cases.ends(format!("{back} of {n} in U3 again"), &end, &Some(Abort::Invalid));
        let swapped = [without(n - 1, 1), vec![back]].concat();
        let mut player = tape.node(0, 2);
        player.hear(&tape.play.region, &inbox.message(round)).unwrap();
        let end = tape.leaves(&mut player, &Survivors(swapped).message(round));
        cases.ends(format!("{back} of {n} instead of another"), &end, &Some(Abort::Invalid));

        let mut u1 = tape.u1();
        u1.pop();
        let mut player = tape.node(0, 1);
        player.hear(&tape.play.region, &Adverts(u1).message(round)).unwrap();
        let end = player.take(&tape.heard[0][2]).err();
        cases.ends(format!("{back} of {n} in U2, never in U1"), &end, &Some(Abort::Invalid));
    }
}

#[test]
fn g09_nodes_that_are_not_in_the_roster() {
    let mut cases = Cases::of("g09_nodes_that_are_not_in_the_roster");
    let (region, larger) = (Region::new(5, CLIENTS, 91), Region::new(6, CLIENTS, 91));
    let join = |name: &str, key: &IdentityKey, roster: &Roster| {
        let (spec, layout) = (region.spec(0, None), region.layout.clone());
        let mut random = crate::support::Counter::new("joins", 0);
        let name = name.parse().unwrap();
        Session::join(spec, layout, roster, &name, key, &mut random).err()
    };
    let roster = &region.roster;
    assert_eq!(join("node-000", &identity(91, 0), roster), None);
    cases.ends("a stranger", &join("node-005", &identity(91, 5), roster), &Some(Abort::NotInSet));
    cases.ends("with a member's name", &join("node-000", &identity(91, 5), roster), &Some(Abort::NotInSet));
    cases.ends("with a member's key", &join("node-005", &identity(91, 0), roster), &Some(Abort::NotInSet));
    cases.ends("one member as another", &join("node-001", &identity(91, 0), roster), &Some(Abort::NotInSet));
    cases.ends("another roster", &join("node-000", &identity(91, 0), &larger.roster), &Some(Abort::Refused));
}

/// A roster of this epoch and so many nodes, with the keys of a region of this seed.
fn roster(epoch: u64, n: u16, seed: u64, c: u32) -> Result<Roster, roster::Error> {
    let floor = Floor { c, eta: (1, 100), j: 2, k: 5 };
    let node = |place| NodeEntry {
        areas: vec!["205".to_owned()],
        identity: identity(seed, place).public(),
        log: unused_key(seed, place, 1),
        name: crate::support::node_name(place),
        witness: unused_key(seed, place, 2),
    };
    Roster::new(name("ita"), epoch, COORDINATOR, floor, (0..n).map(node).collect(), vec![])
}

#[test]
fn g09_an_old_or_other_roster() {
    let mut cases = Cases::of("g09_an_old_or_other_roster");
    let region = Region::new(9, CLIENTS, 92);
    for (what, other) in [
        ("an older epoch", roster(0, 9, 92, 1)),
        ("a newer epoch", roster(2, 9, 92, 1)),
        ("a node more", roster(1, 10, 92, 1)),
        ("a node less", roster(1, 8, 92, 1)),
        ("more that may collude", roster(1, 9, 92, 3)),
        ("all keys the coordinator's", roster(1, 9, 666, 1)),
    ] {
        let mut sybil = Region::new(9, CLIENTS, 92);
        sybil.roster = other.unwrap();
        let spec = sybil.spec(0, None);
        let mut player = Player::new(&region, 0);
        let joined = player.join(&region, &spec).err();
        let check = spec.check(&admitted(&region, 0, 1_000_000_000).unwrap(), &region.roster);
        cases.ends(what, &(joined, check), &(Some(Abort::Refused), Err(Refusal::RoundMismatch)));
    }
}

/// Nodes that the coordinator made up are in no roster that governance has signed.
#[test]
fn g09_a_roster_with_sybils() {
    let mut cases = Cases::of("g09_a_roster_with_sybils");
    let governance = IdentityKey::from_seed([71; 32]);
    let genuine = governance.sign_roster(roster(1, 9, 92, 1).unwrap()).bytes();
    let parse = |bytes: &[u8]| SignedRoster::parse(bytes, governance.public()).err();
    assert_eq!(parse(&genuine), None);
    let sybil = || roster(1, 12, 92, 1).unwrap();
    let unsigned = Some(roster::Error::Signature);
    let own_key = IdentityKey::from_seed([66; 32]).sign_roster(sybil()).bytes();
    cases.ends("signed by the coordinator", &parse(&own_key), &unsigned);
    for member in 0..9 {
        let signed = identity(92, member).sign_roster(sybil()).bytes();
        cases.ends(format!("signed by node {member}"), &parse(&signed), &unsigned);
    }
    let text = String::from_utf8(genuine.clone()).unwrap();
    let old = hex_signature(&text);
    let grafted = String::from_utf8(own_key).unwrap();
    let grafted = grafted.replace(&hex_signature(&grafted), &old);
    cases.ends("with the signature of the genuine one", &parse(grafted.as_bytes()), &unsigned);
    for (what, from, to) in [
        ("a later epoch", "\"epoch\":1", "\"epoch\":2"),
        ("a looser floor", "\"c\":1", "\"c\":0"),
        ("a lower k", "\"k\":5", "\"k\":3"),
        ("another region", "\"region\":\"ita\"", "\"region\":\"itb\""),
        ("another name", "node-008", "node-009"),
    ] {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text);
        cases.ends(what, &parse(altered.as_bytes()), &unsigned);
    }
    let key = koonti_disclosure::names::hex(&identity(92, 8).public().0);
    let own = koonti_disclosure::names::hex(&identity(666, 8).public().0);
    cases.ends("another key", &parse(text.replacen(&key, &own, 1).as_bytes()), &unsigned);
    let no_signature = text.replace(&old, &"0".repeat(128));
    cases.ends("no signature", &parse(no_signature.as_bytes()), &unsigned);
    let spaced = text.replacen(':', ": ", 1);
    cases.holds("not canonical", parse(spaced.as_bytes()).is_some());
}

/// One organisation under two names, or two under one.
#[test]
fn g09_a_roster_with_one_node_twice() {
    let mut cases = Cases::of("g09_a_roster_with_one_node_twice");
    let floor = Floor { c: 1, eta: (1, 100), j: 2, k: 5 };
    let node = |name: &str, key: u8| NodeEntry {
        areas: vec![],
        identity: Digest([100 + key; 32]),
        log: Digest::of(format!("log {name} {key}").as_bytes()),
        name: name.parse().unwrap(),
        witness: Digest::of(format!("witness {name} {key}").as_bytes()),
    };
    let twice = |nodes| Roster::new(name("ita"), 1, COORDINATOR, floor, nodes, vec![]).err();
    let one_key = twice(vec![node("a", 1), node("b", 1), node("c", 2)]);
    cases.ends("one key", &one_key, &Some(roster::Error::Duplicate));
    let one_name = twice(vec![node("a", 1), node("a", 2), node("c", 3)]);
    cases.ends("one name", &one_name, &Some(roster::Error::Duplicate));
}

fn hex_signature(text: &str) -> String {
    let at = text.find("\"signature\":\"").unwrap() + 13;
    text[at..at + 128].to_owned()
}

/// Four nodes, or so few honest ones that a floor for c leaves no quorum.
#[test]
fn g09_a_region_too_small() {
    let mut cases = Cases::of("g09_a_region_too_small");
    for (what, n, c) in [("four nodes", 4, 1), ("three of five may collude", 5, 3), ("all may collude", 12, 12)] {
        let mut region = Region::new(9, CLIENTS, 92);
        let spec = region.spec(0, None);
        region.roster = roster(1, n, 92, c).unwrap();
        let mut player = Player::new(&region, 0);
        cases.ends(what, &player.join(&region, &spec).err(), &Some(Abort::Refused));
    }
    assert!(Stage::joined(5, CLIENTS, 92, 1).spec.quorum().t() == 4);
}
