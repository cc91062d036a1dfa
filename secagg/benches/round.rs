//! Time of a round of 100 nodes over 100,000 counts, noise excluded:
//! `cargo bench -p koonti-secagg`.
//!
//! No request has so many cells of 32 bits; the vector is masked beside the
//! question's own small table, by the same code.

#[path = "../tests/support/mod.rs"]
mod support;

use divan::{Bencher, black_box};
use koonti_disclosure::ledger::{Noise, Permit};
use koonti_disclosure::masked::{Masks, Ring};
use koonti_secagg::MaskSet;
use koonti_secagg::coordinator::{Phase, Round};
use koonti_secagg::node::Next;
use std::sync::LazyLock;
use support::{CLIENTS, Play, Player};

const NODES: u16 = 100;
const CELLS: usize = 100_000;

fn main() {
    divan::main();
}

/// What the coordinator sends to node 0 in each phase.
static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut play = Play::new(NODES, CLIENTS, 1);
    let mut messages = vec![];
    while play.round.phase() != Phase::Done {
        messages.push(play.ready(0));
        play.phase(&[]).expect("everybody answers");
    }
    messages
});

/// Node 0 once it has answered the first messages.
fn node_zero(heard: usize) -> (Play, Player) {
    let play = Play::new(NODES, CLIENTS, 1);
    let mut player = Player::new(&play.region, 0);
    for message in &MESSAGES[..heard] {
        player.hear(&play.region, message).expect("the same messages");
    }
    (play, player)
}

fn masks(player: &mut Player) -> MaskSet {
    match player.take(&MESSAGES[2]) {
        Ok(Next::Mask(masks)) => masks,
        _ => unreachable!("the session is in that state"),
    }
}

#[divan::bench]
fn node_1_advert(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| node_zero(0)).bench_local_refs(|(play, player)| player.hear(&play.region, &MESSAGES[0]));
}

#[divan::bench]
fn node_2_shares(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| node_zero(1)).bench_local_refs(|(play, player)| player.hear(&play.region, &MESSAGES[1]));
}

#[divan::bench]
fn node_3_inbox(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| node_zero(2)).bench_local_refs(|(_, player)| masks(player));
}

#[divan::bench]
fn node_3_masks(bencher: Bencher<'_, '_>) {
    let inputs = || {
        let (_, mut player) = node_zero(2);
        (masks(&mut player), vec![0; 4 * CELLS])
    };
    bencher.with_inputs(inputs).bench_local_refs(|(masks, words)| masks.add(0, Ring::Bits32, words));
}

#[divan::bench]
fn node_4_confirm(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| node_zero(3)).bench_local_refs(|(play, player)| player.hear(&play.region, &MESSAGES[3]));
}

#[divan::bench]
fn node_5_unmask(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| node_zero(4)).bench_local_refs(|(play, player)| player.hear(&play.region, &MESSAGES[4]));
}

fn debited() -> (Play, Player, Option<(Permit, Noise)>, Vec<u8>) {
    let (play, mut player) = node_zero(0);
    let granted = player.granted(&play.region, play.round.spec()).unwrap_or_else(|_| unreachable!("a fresh ledger"));
    (play, player, Some(granted), vec![0; 4 * CELLS])
}

#[divan::bench]
fn node_total(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(debited).bench_local_refs(|(play, player, granted, words)| {
        for message in &MESSAGES[..2] {
            black_box(player.hear(&play.region, message)).expect("an answer");
        }
        let masks = masks(player);
        black_box(player.mask_large(&play.region, granted.take().expect("once"), masks, words));
        for message in &MESSAGES[3..] {
            black_box(player.hear(&play.region, message)).expect("an answer");
        }
    });
}

/// A round with everything in but the last call, 5 of 100 nodes dropped once masked.
fn before_opening() -> Play {
    let mut play = Play::new(NODES, CLIENTS, 1);
    let (spec, roster) = (play.region.spec(0, None), play.region.roster.clone());
    play.round = Round::of_vectors(spec, vec![(Ring::Bits32, CELLS)], roster, None);
    play.until(Phase::Masked);
    for place in 0..NODES - 5 {
        let (inbox, region) = (play.ready(place), &play.region);
        let player = &mut play.players[usize::from(place)];
        let Ok(Next::Mask(masks)) = player.take(&inbox) else { unreachable!("an inbox") };
        let granted = player.granted(region, play.round.spec()).unwrap_or_else(|_| unreachable!("a fresh ledger"));
        for message in player.mask_large(region, granted, masks, &mut vec![0; 4 * CELLS]) {
            play.give(place, &message).expect("an honest node");
        }
    }
    play.round.advance().expect("95 nodes");
    play.phase(&[]).expect("95 nodes");
    for (place, message) in play.answers(&[]) {
        play.give(place, &message).expect("an honest node");
    }
    play
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn coordinator_opens_with_5_dropped(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(before_opening).bench_local_refs(|play| play.round.advance());
}
