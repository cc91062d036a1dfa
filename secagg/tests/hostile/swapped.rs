//! Two honest inputs of equal sum are exchanged: the coordinator with c corrupted
//! nodes, at the end of the whole round, cannot tell.
//!
//! Exactly: with the same randomness, nothing that is sent changes but the two masked
//! inputs, each by the difference, and the stream that the two share would make the
//! same change: it enters nothing else, and the attacker does not have it. Then
//! statistically, over fresh randomness, on all that the attacker can compute.

use crate::cases::Cases;
use crate::mallory::{add, bytes_of};
use crate::page;
use crate::stage::{Stage, all, uniform};
use crate::support::Table;
use koonti_secagg::message::{Confirmations, Survivors};

const N: u16 = 5;
const C: u16 = 1;
const SMALL: Table = Table { by: &["sex"], score: false, periods: 1 };
const COUNTS: [[i64; 3]; 2] = [[900, 3, 0], [0, 40, 17]];

/// A whole round in which nodes 0 and 1 have these counts, or each other's.
fn round(seed: u64, swapped: bool) -> Stage {
    let mut stage = Stage::dealt(N, SMALL, seed, C);
    for place in [0, 1] {
        let counts = COUNTS[usize::from(swapped) ^ place].to_vec();
        stage.players[place].counts = vec![vec![counts]];
    }
    stage.mask_all();
    stage.open_all(&all(N));
    stage
}

/// Everything that was sent, masked inputs aside: each message again.
fn transcript(stage: &mut Stage) -> Vec<Vec<u8>> {
    let round = stage.spec.round();
    let mut all_of_it: Vec<Vec<u8>> = stage.u1.iter().map(|advert| advert.message(round)).collect();
    for place in all(N) {
        all_of_it.push(stage.shares[&place].message(round));
        all_of_it.push(stage.inbox(place, &all(N)).message(round));
    }
    let survivors = Survivors(all(N)).message(round);
    let mut signed = vec![];
    for place in stage.honest() {
        let confirm = crate::stage::wants(stage.players[usize::from(place)].take(&survivors)).unwrap();
        signed.push((place, confirm[0][33..].try_into().unwrap()));
        all_of_it.extend(confirm);
    }
    for liar in stage.liars.clone() {
        signed.push((liar, stage.lie(liar, &all(N), &all(N))));
    }
    let confirmations = Confirmations(signed).message(round);
    for place in stage.honest() {
        all_of_it.extend(crate::stage::wants(stage.players[usize::from(place)].take(&confirmations)).unwrap());
    }
    all_of_it
}

#[test]
fn only_two_inputs_change_and_by_the_difference() {
    let mut cases = Cases::of("only_two_inputs_change_and_by_the_difference");
    for seed in 0..8 {
        let (mut one, mut two) = (round(300 + seed, false), round(300 + seed, true));
        assert!(transcript(&mut one) == transcript(&mut two), "all but the masked inputs");
        let layout = one.region.layout.vectors().to_vec();
        let difference = [COUNTS[1].iter().zip(COUNTS[0]).map(|(b, a)| b - a).collect::<Vec<i64>>()];
        for (a, b) in one.mallory.inputs.iter().zip(&two.mallory.inputs) {
            let mut change = b.y.clone();
            add(&layout, &mut change, &a.y, -1);
            let weight = [1, -1].get(usize::from(a.place)).copied().unwrap_or(0);
            let mut expected = vec![0; change.len()];
            add(&layout, &mut expected, &bytes_of(&layout, &difference), weight);
            assert!(change == expected, "node {}", a.place);
        }
        assert!(one.opens_only(&all(N)) && two.opens_only(&all(N)), "and the same sum opens");
        let sums = [&one, &two].map(|stage| stage.truth(&stage.honest()));
        cases.holds(format!("seed {seed}"), sums[0] == sums[1]);
        // Neither input is open alone, whatever was released: see `opens_only`.
    }
}

/// What the attacker can compute of nodes 0 and 1 at the end of a round: their inputs
/// as sent, and without all that is known.
fn view(seed: u64, swapped: bool) -> Vec<u8> {
    let stage = round(seed, swapped);
    let two = stage.mallory.inputs.iter().take(2);
    two.flat_map(|input| [input.y.clone(), stage.mallory.peel(input)].concat()).collect()
}

/// The same with the masks that nodes 0 and 1 share with honest nodes taken off too:
/// what the test would see if one mask were missing.
fn naked(seed: u64, swapped: bool) -> Vec<u8> {
    let stage = round(seed, swapped);
    let u2h = page::u2_hash(stage.sid, &all(N));
    let layout = stage.region.layout.vectors();
    let strip = |input: &crate::mallory::Input| {
        let mut words = stage.mallory.peel(input);
        for other in stage.honest().into_iter().filter(|other| *other != input.place) {
            let shared = page::agree(stage.secrets(input.place).mask_sk, stage.u1[usize::from(other)].mask_pk);
            let seed = page::pair_seed(stage.sid, &shared, u2h, input.place, other);
            let sign = if other > input.place { 1 } else { -1 };
            add(layout, &mut words, &stage.mallory.streams(u2h, &seed), -sign);
        }
        words
    };
    stage.mallory.inputs.iter().take(2).flat_map(strip).collect()
}

/// Two samples of nibbles against each other: about 15 when they are of one
/// distribution.
fn two_samples(one: &[u8], two: &[u8]) -> f64 {
    let counts = |sample: &[u8]| {
        let mut counts = [0f64; 16];
        sample.iter().for_each(|nibble| counts[usize::from(*nibble)] += 1.0);
        counts
    };
    let terms = counts(one).into_iter().zip(counts(two)).filter(|(a, b)| a + b > 0.0);
    terms.map(|(a, b)| (a - b).powi(2) / (a + b)).sum()
}

/// The largest statistic over both nibbles of every byte of two lots of views.
fn largest(one: &[Vec<u8>], two: &[Vec<u8>]) -> f64 {
    let nibble = |lot: &[Vec<u8>], at: usize, shift: u8| lot.iter().map(|v| v[at] >> shift & 15).collect::<Vec<_>>();
    let at = (0..one[0].len()).flat_map(|at| [(at, 0), (at, 4)]);
    at.map(|(at, shift)| two_samples(&nibble(one, at, shift), &nibble(two, at, shift))).fold(0.0, f64::max)
}

/// A chance of 1e-7 at 15 degrees of freedom; a view has some hundred nibbles.
const LIMIT: f64 = 62.0;
const RUNS: u64 = 100;

#[test]
fn a_swap_is_not_seen_in_what_the_attacker_computes() {
    let mut cases = Cases::of("a_swap_is_not_seen_in_what_the_attacker_computes");
    let lot = |from: u64, swapped| (from..from + RUNS).map(|seed| view(seed, swapped)).collect::<Vec<_>>();
    let (one, two) = (lot(10_000, false), lot(20_000, true));
    let statistic = largest(&one, &two);
    cases.holds(format!("inputs, and what is left of them: {statistic}"), statistic < LIMIT);
    // The two together, so that a relation between them would show.
    let sums = |lot: &[Vec<u8>]| -> Vec<Vec<u8>> {
        let half = lot[0].len() / 2;
        lot.iter().map(|v| (0..half).map(|at| v[at].wrapping_sub(v[half + at])).collect()).collect()
    };
    let statistic = largest(&sums(&one), &sums(&two));
    cases.holds(format!("one against the other: {statistic}"), statistic < LIMIT);
    let hashed = |lot: &[Vec<u8>]| lot.iter().map(|v| koonti_disclosure::Digest::of(v).0[0] >> 4).collect::<Vec<u8>>();
    cases.holds("hashes", two_samples(&hashed(&one), &hashed(&two)) < LIMIT);
    cases.holds("and each is uniform", uniform(&one.concat()) && uniform(&two.concat()));
}

/// The test above would see it if the masks were off.
#[test]
fn a_swap_is_seen_without_the_masks() {
    let lot = |from: u64, swapped| (from..from + 30).map(|seed| naked(seed, swapped)).collect::<Vec<_>>();
    let (one, two) = (lot(10_000, false), lot(20_000, true));
    assert!(largest(&one, &two) > 50.0, "{}", largest(&one, &two));
    assert!(!uniform(&one.concat().repeat(4)));
}
