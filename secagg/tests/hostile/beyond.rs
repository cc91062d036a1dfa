//! Attacks beyond the list.

use crate::cases::Cases;
use crate::page::Half;
use crate::stage::{AREA, ONE, Stage, Tape, all, uniform, without};
use crate::support::{CLIENTS, NOW, Play, Player, Region, name};
use koonti_disclosure::Digest;
use koonti_disclosure::ledger::Joining;
use koonti_disclosure::round::{Choice, RoundSpec, Strictness};
use koonti_disclosure::stream::Seed;
use koonti_secagg::Abort;
use koonti_secagg::coordinator::{Fault, Phase};
use koonti_secagg::message::{Left, stop_message};
use std::collections::BTreeMap;

/// The coordinator says that a node survived whose input it does not have, so that its
/// own mask comes off and its mask key does not: the others' masks with it stay on.
#[test]
fn a_survivor_without_an_input() {
    let mut cases = Cases::of("a_survivor_without_an_input");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        let mut stage = Stage::masked(n, CLIENTS, 701, c);
        stage.mallory.inputs.retain(|input| input.place != 0);
        stage.open_all(&all(n));
        cases.holds(format!("n = {n}"), stage.sealed());
    }
    let mut stage = Stage::masked(9, AREA, 701, 1);
    stage.mallory.inputs.retain(|input| input.place != 0);
    stage.open_all(&all(9));
    let rest: Vec<u16> = (1..8).collect();
    cases.holds("what is left of the sum", uniform(&stage.mallory.residue(&rest, &stage.truth(&rest))));
}

/// As few honest nodes as the rules allow are in the sum: never fewer than h.
#[test]
fn the_smallest_sum() {
    let mut cases = Cases::of("the_smallest_sum");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2), (20, 4)] {
        let mut stage = Stage::masked(n, ONE, 702, c);
        let u_min = stage.spec.quorum().u_min() as u16;
        // All liars, and honest nodes for the rest.
        let u3: Vec<u16> = (n - u_min..n).collect();
        stage.open_all(&u3);
        let honest = stage.honest().iter().filter(|place| u3.contains(place)).count();
        cases.ends(format!("n = {n}"), &honest, &(stage.spec.quorum().h() as usize));
        assert!(stage.opens_only(&u3));
    }
}

/// Shares are released for one U3; nodes that were late, or shown it later, add nothing.
#[test]
fn everybody_helps_and_one_sum_opens() {
    let mut cases = Cases::of("everybody_helps_and_one_sum_opens");
    for (n, c) in [(5, 1), (9, 1), (12, 2)] {
        for dropped in [None, Some(0), Some(n - 1)] {
            let mut stage = Stage::masked(n, CLIENTS, 703, c);
            let u3 = dropped.map_or(all(n), |place| without(n, place));
            stage.open_all(&u3);
            cases.holds(format!("n = {n}, without {dropped:?}"), stage.opens_only(&u3));
            // t shares of one half for each, c of the other: never both.
            for place in stage.honest() {
                let gone = dropped == Some(place);
                let kept = if gone { Half::Own } else { Half::Mask };
                assert_eq!(stage.known(place, kept), usize::from(c));
            }
        }
    }
}

/// With fewer than t helpers everything stays shut, however the set was confirmed.
#[test]
fn fewer_than_t_helpers() {
    let mut cases = Cases::of("fewer_than_t_helpers");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        let mut stage = Stage::masked(n, CLIENTS, 704, c);
        let u3 = all(n);
        let mut signed: BTreeMap<u16, _> =
            stage.honest().into_iter().map(|place| (place, stage.confirm(place, &u3).unwrap())).collect();
        for liar in stage.liars.clone() {
            signed.insert(liar, stage.lie(liar, &u3, &u3));
        }
        let enough = stage.t() - usize::from(c);
        for (helpers, place) in (1..).zip(stage.honest().into_iter().take(enough)) {
            stage.unmask(place, &signed).unwrap();
            if helpers < enough {
                cases.holds(format!("{helpers} honest helpers of {n}"), stage.sealed());
            }
        }
        assert!(stage.opens_only(&u3), "and with one more it opens");
    }
}

/// Rounds that never end: a specification may have deadlines at the end of time. Time
/// alone protects nothing, so nothing of secrecy may hang on it; that such a round can
/// be begun is asserted here so that it is not forgotten.
#[test]
fn deadlines_at_the_end_of_time_change_nothing() {
    let mut cases = Cases::of("deadlines_at_the_end_of_time_change_nothing");
    let region = Region::new(5, CLIENTS, 705);
    let last = (1u64 << 53) - 1;
    let choice = Choice {
        request: region.request.id(),
        nonce: Digest([1; 32]),
        deadlines: [4, 3, 2, 1, 0].map(|i| last - i),
        strictness: Strictness { eta: (1, 100), j: 2, k: 5 },
        previous: None,
    };
    let spec = RoundSpec::new(&region.roster, &choice).unwrap();
    let mut stage = Stage::joined_to(region, spec, None, 1);
    stage.deal_all();
    stage.mask_all();
    cases.holds("sealed", stage.sealed());
    let less = without(5, 0);
    stage.open_all(&less);
    cases.holds("and opened once", stage.opens_only(&less));
}

/// A node is told to stop, or claims to have left: its word counts for itself only.
#[test]
fn leaving_speaks_for_nobody_else() {
    let mut cases = Cases::of("leaving_speaks_for_nobody_else");
    let mut play = Play::new(7, CLIENTS, 706);
    play.until(Phase::Masked);
    let round = play.round.spec().round();
    for place in [7, 500, 65_534] {
        let message = Left(Abort::Share(place)).message(round);
        cases.ends(format!("blames {place}"), &play.give(1, &message), &Err(Fault::Place));
    }
    let stop = stop_message(round);
    cases.holds("a node's Stop", matches!(play.give(1, &stop), Err(Fault::Malformed(_))));
    // Node 1 blames node 2, which stays in the round.
    play.give(1, &Left(Abort::Share(2)).message(round)).unwrap();
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    let sums = &play.round.opened().unwrap().sums;
    cases.holds("whoever is blamed stays in", *sums == play.expected(&[0, 2, 3, 4, 5, 6]));
}

/// A session is of one node: its masks and its input do not pass in another's session,
/// nor its permit in another round.
#[test]
fn masks_and_permits_of_another_round() {
    let mut cases = Cases::of("masks_and_permits_of_another_round");
    let tape = Tape::whole(5);
    let region = Region::new(5, crate::support::SCORE, tape.play.region.seed);
    let other = region.spec(3, None);
    let mut player = tape.node(0, 2);
    let Ok(koonti_secagg::node::Next::Mask(masks)) = player.take(&tape.heard[0][2]) else { panic!("no masks") };
    let mut ledger = koonti_disclosure::Ledger::default();
    let joining = Joining {
        requester: name("aino"),
        spec: &other,
        session: tape.sid(),
        roster: &region.roster,
        certificate: None,
        seed: (0, Seed::new([1; 32])),
        time: NOW,
    };
    let admitted = crate::stage::admitted(&region, 0, 1_000_000_000).unwrap();
    let permit = ledger.join(admitted, joining, &mut crate::support::Memory::default()).unwrap();
    let noise = permit.draw().unwrap();
    let tally = koonti_disclosure::Tally { periods: player.counts.clone() };
    let wrapped = koonti_disclosure::Exact::wrap(tally).mask(permit, noise, masks);
    cases.holds("a permit of another round", wrapped.is_err());
    // Another node's input, made for the very same round and U2, has another node's masks
    // but the same names: whoever holds two sessions must not mix them up.
    let mut donor = tape.node(1, 2);
    let Ok(koonti_secagg::node::Next::Mask(masks)) = donor.take(&tape.heard[1][2]) else { panic!("no masks") };
    let foreign = donor.mask(&tape.play.region, masks);
    let session: &mut Player = &mut tape.node(0, 2);
    let early = session.session.as_mut().unwrap().masked(foreign, &session.identity).err();
    cases.ends("before its own masks are out", &early, &Some(Abort::OutOfTurn));
}
