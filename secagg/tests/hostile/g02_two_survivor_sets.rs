//! 2: two different U3 to two halves, corrupted nodes signing both. The difference
//! of two open sums would be one node's figures.

use crate::cases::Cases;
use crate::mallory::{bytes_of, lift, openings};
use crate::stage::{Stage, all, without};
use crate::support::CLIENTS;
use koonti_secagg::Abort;
use koonti_secagg::message::Signature;
use std::collections::BTreeMap;

/// The first `a` honest nodes are shown all as survivors, the others all but one of
/// the first. Returns how many of the two sets got t confirmations.
fn split(stage: &mut Stage, a: usize) -> (usize, [Vec<u16>; 2]) {
    let (n, honest) = (stage.n(), stage.honest());
    // Nobody signs a set that it is not in, so the one left out is of the first half.
    let out = if a > 0 { honest[0] } else { stage.liars[0] };
    let sets = [all(n), without(n, out)];
    let mut signed: [BTreeMap<u16, Signature>; 2] = Default::default();
    for (i, place) in honest.iter().enumerate() {
        let half = usize::from(i >= a);
        signed[half].insert(*place, stage.confirm(*place, &sets[half]).unwrap());
    }
    for liar in stage.liars.clone() {
        for half in [0, 1] {
            signed[half].insert(liar, stage.lie(liar, &all(n), &sets[half]));
        }
    }
    for (i, place) in honest.iter().enumerate() {
        let half = usize::from(i >= a);
        // Where its own half is short, the other half's signatures fill the list.
        let mut list = signed[1 - half].clone();
        list.extend(signed[half].clone());
        let expected = if signed[half].len() >= stage.t() { Ok(()) } else { Err(Abort::TooFewConfirmations) };
        assert_eq!(stage.unmask(*place, &list), expected, "node {place}");
    }
    (signed.iter().filter(|signatures| signatures.len() >= stage.t()).count(), sets)
}

#[test]
fn g02_every_split_opens_one_set_at_most() {
    let mut cases = Cases::of("g02_every_split_opens_one_set_at_most");
    let mut opened = 0;
    for (n, c) in [(5, 1), (6, 1), (9, 1), (12, 2)] {
        for a in 0..=usize::from(n - c) {
            let mut stage = Stage::masked(n, CLIENTS, 21, c);
            let (confirmed, sets) = split(&mut stage, a);
            let one = match confirmed {
                0 => stage.sealed(),
                1 => sets.iter().any(|set| stage.opens_only(set)),
                _ => false,
            };
            cases.holds(format!("{a} of {} honest nodes of {n}", n - c), one);
            opened += confirmed;
        }
    }
    assert!(opened > 8, "some splits leave one half with enough");
}

/// A region of 20 with four liars, at the splits where a half just misses t.
#[test]
fn g02_four_liars_of_twenty_at_the_border() {
    let mut cases = Cases::of("g02_four_liars_of_twenty_at_the_border");
    let t = 13;
    for a in [t - 4 - 1, t - 4] {
        let mut stage = Stage::masked(20, crate::stage::ONE, 22, 4);
        assert_eq!(stage.t(), t);
        let (confirmed, sets) = split(&mut stage, a);
        let expected = usize::from(a == t - 4);
        cases.ends(format!("{a} honest and four liars"), &confirmed, &expected);
        assert!(if confirmed == 0 { stage.sealed() } else { stage.opens_only(&sets[0]) });
    }
}

/// What these tests would see if c were too small: 2t - n liars sign both sets, two
/// sums open, and their difference is one node's figures. Not a promise: a check that
/// the attacker here is able.
#[test]
fn more_liars_than_promised_open_two_sets() {
    for (n, t) in [(5u16, 4), (6, 4), (9, 6), (12, 8)] {
        let liars = 2 * t - n;
        let mut stage = Stage::masked(n, CLIENTS, 23, liars);
        let (confirmed, _) = split(&mut stage, usize::from(n - liars) / 2);
        assert_eq!(confirmed, 2);
        let open = openings(&[&stage.mallory]);
        assert_eq!(open.len(), 2, "n = {n}");
        let layout = stage.region.layout.vectors();
        let victim = open.iter().find(|one| one.terms == [(0, 1)]).expect("the one left out, alone");
        assert!(victim.sums == lift(layout, &bytes_of(layout, &stage.players[0].noisy)));
    }
}

/// And with t corrupted nodes every input lies open, alone and before anybody helps.
#[test]
fn t_corrupted_nodes_read_everything() {
    for (n, t) in [(5u16, 4), (6, 4), (9, 6), (12, 8)] {
        let stage = Stage::masked(n, CLIENTS, 24, t);
        let open = openings(&[&stage.mallory]);
        let honest = stage.honest();
        assert!(open.iter().map(|one| one.terms.clone()).eq(honest.iter().map(|place| vec![(*place, 1)])));
        assert!(open.iter().zip(&honest).all(|(one, place)| one.sums == stage.truth(&[*place])));
        // One fewer, and nothing is open.
        assert!(Stage::masked(n, CLIENTS, 24, t - 1).sealed());
    }
}
