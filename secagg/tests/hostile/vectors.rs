//! Masks of one table: uniform, and no two vectors under one stream, not across
//! periods, widths or nodes, and not for equal counts.

use crate::cases::Cases;
use crate::page;
use crate::stage::{AREA, Stage, Tape, all, chi_square, uniform};
use crate::support::SCORE;
use koonti_disclosure::masked::{Masks as _, Ring};
use koonti_secagg::node::Next;

/// Vectors of 32, 64, 32 and 64 bits of 309 cells, with the same counts in each.
fn equal_counts() -> Stage {
    let mut stage = Stage::dealt(5, AREA, 401, 1);
    for player in &mut stage.players {
        player.counts = vec![vec![vec![7; 309]; 2]; 2];
    }
    stage.mask_all();
    stage
}

/// The words of each vector, cut to their low 32 bits.
fn low_words(stage: &Stage, y: &[u8]) -> Vec<Vec<u32>> {
    let mut rest = y;
    let mut vector = |(ring, cells): &(Ring, usize)| {
        let (words, after) = rest.split_at(ring.bytes() * cells);
        rest = after;
        words.chunks(ring.bytes()).map(|word| u32::from_le_bytes(word[..4].try_into().unwrap())).collect()
    };
    stage.region.layout.vectors().iter().map(&mut vector).collect()
}

fn differences(one: &[u32], two: &[u32]) -> Vec<u8> {
    one.iter().zip(two).flat_map(|(a, b)| a.wrapping_sub(*b).to_le_bytes()).collect()
}

#[test]
fn two_vectors_subtracted_give_nothing() {
    let mut cases = Cases::of("two_vectors_subtracted_give_nothing");
    let mut stage = equal_counts();
    stage.open_all(&all(5));
    let inputs = || stage.mallory.inputs.iter();
    let raw: Vec<_> = inputs().map(|input| low_words(&stage, &input.y)).collect();
    let peeled: Vec<_> = inputs().map(|input| low_words(&stage, &stage.mallory.peel(input))).collect();
    for (what, lot) in [("as sent", &raw), ("without every known stream", &peeled)] {
        for (w1, w2) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            let all: Vec<u8> = lot.iter().flat_map(|vectors| differences(&vectors[w1], &vectors[w2])).collect();
            cases.holds(format!("{what}: vectors {w1} and {w2}"), uniform(&all));
        }
        // A stream read twice as fast, or from another place.
        let shifted: Vec<u8> = lot.iter().flat_map(|vectors| differences(&vectors[0][1..], &vectors[2])).collect();
        cases.holds(format!("{what}: a cell further"), uniform(&shifted));
        let pairs: Vec<u8> = lot
            .iter()
            .flat_map(|vectors| {
                let wide: Vec<u32> = vectors[1].iter().step_by(2).copied().collect();
                differences(&wide, &vectors[0])
            })
            .collect();
        cases.holds(format!("{what}: a wide word for two"), uniform(&pairs));
    }
    for other in 1..4 {
        let all: Vec<u8> = (0..4).flat_map(|w| differences(&raw[0][w], &raw[other][w])).collect();
        cases.holds(format!("nodes 0 and {other}"), uniform(&all));
    }
    // The figures themselves are anything but uniform.
    let plain: Vec<u8> = stage.players[0].noisy.iter().flatten().flat_map(|x| (*x as u32).to_le_bytes()).collect();
    assert!(!uniform(&plain) && chi_square(&plain) > 100_000.0);
}

/// All that a node's masks add, on zeros.
#[test]
fn masks_are_uniform() {
    let mut cases = Cases::of("masks_are_uniform");
    let tape = Tape::whole(5);
    for place in 0..5 {
        let mut player = tape.node(place, 2);
        let Ok(Next::Mask(mut masks)) = player.take(&tape.heard[usize::from(place)][2]) else { panic!("no masks") };
        let mut all_words = vec![];
        for (w, ring) in [(0, Ring::Bits32), (1, Ring::Bits64), (2, Ring::Bits32), (3, Ring::Bits64)] {
            let mut words = vec![0; 16 << 10];
            masks.add(w, ring, &mut words);
            cases.holds(format!("node {place}, vector {w}"), uniform(&words));
            all_words.extend(words);
        }
        cases.holds(format!("node {place}, all"), uniform(&all_words));
        // Across the border between chunks, the stream does not begin again.
        let mut long = vec![0; (1 << 20) + (16 << 10)];
        masks.add(4, Ring::Bits32, &mut long);
        let (first, second) = long.split_at(1 << 20);
        let again: Vec<u8> = second.iter().zip(first).map(|(a, b)| a.wrapping_sub(*b)).collect();
        cases.holds(format!("node {place}, a second chunk"), uniform(second) && uniform(&again));
    }
}

/// Each stream alone, by the page's formulas: own and pairwise, of both widths, and
/// across the border between chunks. And the node's masks are their sum.
#[test]
fn streams_are_uniform() {
    let mut cases = Cases::of("streams_are_uniform");
    let stage = Stage::dealt(5, SCORE, 402, 1);
    let u2h = page::u2_hash(stage.sid, &all(5));
    let secrets = stage.secrets(0);
    let mut seeds = vec![("own", page::self_seed(stage.sid, &secrets.sigma_b, u2h, 0))];
    for other in &stage.u1[1..] {
        let shared = page::agree(secrets.mask_sk, other.mask_pk);
        seeds.push(("pair", page::pair_seed(stage.sid, &shared, u2h, 0, other.place)));
    }
    for (i, (what, seed)) in seeds.iter().enumerate() {
        for (w, bits) in [(0, 32), (1, 64), (2, 32), (3, 64)] {
            let stream = page::stream(u2h, seed, w, bits, 32 << 10);
            cases.holds(format!("{what} {i}, vector {w}"), uniform(&stream));
        }
    }
    let long = page::stream(u2h, &seeds[0].1, 0, 32, (1 << 20) + (32 << 10));
    cases.holds("behind the border", uniform(&long[1 << 20..]));
    let again: Vec<u8> = long[1 << 20..].iter().zip(&long).map(|(a, b)| a.wrapping_sub(*b)).collect();
    cases.holds("the second chunk is not the first", uniform(&again));
}
