//! A round of 500 nodes over 1,000,000 counts, in one process and on one core:
//! `cargo run --release -p koonti-secagg --example large [nodes] [cells]`.
//!
//! Nodes mask one after another and hand over at once, so that memory is that of
//! the coordinator and of one input.

#[path = "../tests/support/mod.rs"]
mod support;

use koonti_disclosure::masked::Ring;
use koonti_secagg::coordinator::{Phase, Round};
use koonti_secagg::node::Next;
use std::time::{Duration, Instant};
use support::{Play, Table};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let nodes = u16::try_from(arguments.next().unwrap_or(500)).expect("at most 500 nodes");
    let cells = arguments.next().unwrap_or(1_000_000);
    let table = Table { by: &[], score: false, periods: 1 };
    let mut play = Play::new(nodes, table, 1);
    let (spec, roster) = (play.region.spec(0, None), play.region.roster.clone());
    play.round = Round::of_vectors(spec, vec![(Ring::Bits32, cells)], roster, None);
    let dropped = nodes / 20;

    let mut clock = Instant::now();
    for phase in ["adverts", "shares"] {
        play.phase(&[]).expect("everybody");
        tell(phase, &mut clock, nodes);
    }
    let mut masking = Duration::ZERO;
    for place in 0..nodes - dropped {
        let inbox = play.ready(place);
        let player = &mut play.players[usize::from(place)];
        let granted =
            player.granted(&play.region, play.round.spec()).unwrap_or_else(|_| unreachable!("a fresh ledger"));
        let started = Instant::now();
        let Ok(Next::Mask(masks)) = player.take(&inbox) else { unreachable!("an inbox") };
        let mut words: Vec<u8> = (0..cells as u32).flat_map(|cell| (cell ^ u32::from(place)).to_le_bytes()).collect();
        let messages = player.mask_large(&play.region, granted, masks, &mut words);
        masking += started.elapsed();
        for message in messages {
            play.give(place, &message).expect("an honest node");
        }
    }
    play.round.advance().expect("enough nodes");
    tell("masked inputs", &mut clock, nodes);
    println!("{:>24} {:>10.3} s", "of it, one node masks", masking.as_secs_f64() / f64::from(nodes - dropped));
    play.phase(&[]).expect("enough nodes");
    tell("confirmations", &mut clock, nodes);
    for (place, message) in play.answers(&[]) {
        play.give(place, &message).expect("an honest node");
    }
    tell("shares released", &mut clock, nodes);
    play.round.advance().expect("enough nodes");
    tell("opening", &mut clock, nodes);

    assert_eq!(play.round.phase(), Phase::Done);
    let opened = play.round.opened().expect("done");
    for cell in [0, cells / 2, cells - 1] {
        let sum: i64 = (0..i64::from(nodes - dropped)).map(|place| cell as i64 ^ place).sum();
        assert_eq!(opened.sums[0][cell], i64::from(sum as i32), "the sum is right");
    }
    println!("{nodes} nodes, {dropped} dropped after setup, {cells} cells: the sum is right");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory unknown"));
}

fn tell(phase: &str, clock: &mut Instant, nodes: u16) {
    let time = clock.elapsed().as_secs_f64();
    println!("{phase:>24} {time:>10.3} s, {:.4} s a node", time / f64::from(nodes));
    *clock = Instant::now();
}
