//! 3: different U2, or different adverts, to different nodes. Masks of two views do
//! not cancel, and shares of one session open in no other.

use crate::cases::Cases;
use crate::stage::{AREA, Stage, all, uniform, without};
use crate::support::{CLIENTS, sign};
use koonti_secagg::Abort;
use std::collections::BTreeMap;

/// The first `a` honest nodes mask over all, the others over all but `out`.
fn two_views(n: u16, c: u16, a: usize, out: u16, table: crate::support::Table) -> Stage {
    let mut stage = Stage::dealt(n, table, 31, c);
    for (i, place) in stage.honest().into_iter().enumerate() {
        let u2 = if i < a { all(n) } else { without(n, out) };
        stage.mask(place, &u2).unwrap();
    }
    stage
}

/// Each half is shown this U3, and gets all signatures there are for its own view.
fn unmask_both(stage: &mut Stage, a: usize, out: u16, sets: [&[u16]; 2]) -> [bool; 2] {
    let n = stage.n();
    let views = [all(n), without(n, out)];
    let mut signed: [BTreeMap<u16, _>; 2] = Default::default();
    let honest = stage.honest();
    for (i, place) in honest.iter().enumerate() {
        let half = usize::from(i >= a);
        if sets[half].contains(place) {
            signed[half].insert(*place, stage.confirm(*place, sets[half]).unwrap());
        }
    }
    for liar in stage.liars.clone() {
        for half in [0, 1] {
            if sets[half].contains(&liar) {
                signed[half].insert(liar, stage.lie(liar, &views[half], sets[half]));
            }
        }
    }
    let mut opens = [false; 2];
    for (i, place) in honest.iter().enumerate() {
        let half = usize::from(i >= a);
        if sets[half].contains(place) {
            let mut list = signed[1 - half].clone();
            list.extend(signed[half].clone());
            opens[half] = stage.unmask(*place, &list).is_ok();
        }
    }
    opens
}

#[test]
fn g03_two_u2_and_every_split() {
    let mut cases = Cases::of("g03_two_u2_and_every_split");
    let mut released = 0;
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        for a in 1..usize::from(n - c) {
            let out = 0;
            let mut stage = two_views(n, c, a, out, CLIENTS);
            let opens = unmask_both(&mut stage, a, out, [&all(n), &without(n, out)]);
            assert!(!(opens[0] && opens[1]), "one set at most has t confirmations");
            released += usize::from(opens[0] || opens[1]);
            // A set that opened has nodes of both views in it, so nothing cancels; but for
            // one: when only the node left out has seen the larger U2.
            let end = if a == 1 { stage.opens_only(&without(n, out)) } else { stage.sealed() };
            cases.holds(format!("{a} of {} honest nodes of {n}", n - c), end);
        }
    }
    assert!(released > 8, "the shares of one view were released in some");
}

/// What was released opens nothing: the sum, and each input alone, stay uniform.
#[test]
fn g03_what_cannot_be_opened_is_garbage() {
    let mut cases = Cases::of("g03_what_cannot_be_opened_is_garbage");
    let (n, c, out) = (9, 1, 0);
    for a in [2, 6] {
        let mut stage = two_views(n, c, a, out, AREA);
        let opens = unmask_both(&mut stage, a, out, [&all(n), &without(n, out)]);
        assert_eq!(opens, [a == 6, a == 2], "shares are released");
        let honest = stage.honest();
        let (first, second) = honest.split_at(a);
        for places in [honest.as_slice(), first, second] {
            let rest = stage.mallory.residue(places, &stage.truth(places));
            cases.holds(format!("{a}: the sum of {places:?}"), uniform(&rest));
        }
        let alone = honest.iter().flat_map(|p| stage.mallory.residue(&[*p], &stage.truth(&[*p]))).collect::<Vec<_>>();
        cases.holds(format!("{a}: each alone"), uniform(&alone));
    }
}

/// One honest node is given another U2 and then dropped: the others' sum opens, and
/// its own input stays sealed though its mask key is rebuilt.
#[test]
fn g03_one_node_with_another_u2_is_only_dropped() {
    let mut cases = Cases::of("g03_one_node_with_another_u2_is_only_dropped");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        let (victim, out) = (n - c - 1, 0);
        let mut stage = two_views(n, c, usize::from(victim), out, CLIENTS);
        let opens = unmask_both(&mut stage, usize::from(victim), out, [&without(n, victim), &without(n, out)]);
        assert_eq!(opens, [true, false]);
        cases.holds(format!("{victim} of {n}"), stage.opens_only(&without(n, victim)));
    }
}

/// A corrupted node advertises twice, so that there are two sessions of one round.
#[test]
fn g03_two_sessions_of_one_round() {
    let mut cases = Cases::of("g03_two_sessions_of_one_round");
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        for a in 1..usize::from(n - c) {
            let mut stage = Stage::joined(n, CLIENTS, 32, c);
            let liar = stage.liars[0];
            let mut other = stage.u1.clone();
            let advert = &mut other[usize::from(liar)];
            advert.salt[0] ^= 1;
            advert.signature = sign(stage.region.seed, liar, "koonti/v1/advert", &advert.unsigned(stage.spec.round()));
            let views = [stage.u1.clone(), other];
            for (i, place) in stage.honest().into_iter().enumerate() {
                stage.deal(place, &views[usize::from(i >= a)]).unwrap();
            }
            // Corrupted nodes deal in the first session; it makes no difference to the rest.
            for place in stage.liars.clone() {
                stage.deal(place, &views[0]).unwrap();
            }
            stage.corrupt();
            let honest = stage.honest();
            let ends: Vec<_> = honest.iter().map(|place| stage.mask(*place, &all(n)).err()).collect();
            // Each meets the first honest dealer of the other session.
            let expected: Vec<_> =
                (0..honest.len()).map(|i| Some(Abort::Share(if i < a { honest[a] } else { honest[0] }))).collect();
            cases.ends(format!("{a} of {} honest nodes of {n}", n - c), &ends, &expected);
            assert!(stage.players.iter().take(honest.len()).all(|player| player.journal.0.is_empty()), "no debit");
            // With its own session's dealers only, U2 is too small; other ends of this are g09's.
            assert!(stage.mallory.inputs.is_empty());
        }
    }
}
